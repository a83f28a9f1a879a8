package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/rogpeppe/go-internal/txtar"
)

func TestSettingsMeetTheSchema(t *testing.T) {
	t.Parallel()
	s := compile(t, "settings.schema.json")
	check := func(name string, text []byte, valid bool) {
		data, err := yaml.YAMLToJSON(text)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if err := validate(t, s, string(data)); (err == nil) != valid {
			t.Errorf("%s: valid %t, want %t: %v", name, err == nil, valid, err)
		}
	}
	text, err := os.ReadFile(examplesDir + "replimend.yaml")
	if err != nil {
		t.Fatal(err)
	}
	check("example", text, true)
	// What settings.Parse says of these files is in them; the schema must not say otherwise.
	for name, valid := range map[string]bool{
		"near-miss": true, "near-miss-lists": true, "lists": false, "old-bucket-name": true,
		"unknown-name": false, "account-without-quotes": false, "every-fault-at-once": false, "missing-members": false,
		"wrong-kinds": false, "not-a-role": false, "key-alias": false, "nobody-trusted": false,
	} {
		archive, err := txtar.ParseFile(filepath.Join("../settings/testdata/faults", name+".txtar"))
		if err != nil {
			t.Fatal(err)
		}
		check(name, archive.Files[0].Data, valid)
	}
}
