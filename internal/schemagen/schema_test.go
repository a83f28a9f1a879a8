package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/replimend/replimend/internal/snapshot"
	"github.com/santhosh-tekuri/jsonschema/v6"
)

const (
	schemaDir   = "../../docs/schema/"
	examplesDir = "../../docs/examples/"
)

func TestCommittedSchemasAreCurrent(t *testing.T) {
	t.Parallel()
	var want []string
	for _, s := range schemas {
		want = append(want, schemaDir+s.file)
		text, err := s.generate()
		if err != nil {
			t.Fatal(err)
		}
		committed, err := os.ReadFile(schemaDir + s.file)
		if err != nil || !bytes.Equal(committed, text) {
			t.Errorf("%s is stale, run make generate (error %v, -committed +generated):\n%s", s.file, err, cmp.Diff(string(committed), string(text)))
		}
	}
	if got, err := filepath.Glob(schemaDir + "*.json"); err != nil || !cmp.Equal(got, want) {
		t.Errorf("docs/schema has %v, error %v; want %v alone", got, err, want)
	}
}

// compile reads a committed schema. It also holds it against the schema of schemas, and asserts formats, as editors do.
func compile(t *testing.T, file string) *jsonschema.Schema {
	t.Helper()
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	s, err := c.Compile(schemaDir + file)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func validate(t *testing.T, s *jsonschema.Schema, text string) error {
	t.Helper()
	value, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return s.Validate(value)
}

func TestSnapshotsMeetTheSchema(t *testing.T) {
	t.Parallel()
	s := compile(t, "snapshot.schema.json")
	names, err := filepath.Glob(examplesDir + "*.json")
	if err != nil || len(names) < 8 {
		t.Fatalf("examples %v, error %v", names, err)
	}
	for _, name := range append(names, "../snapshot/testdata/full.json") {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if err := validate(t, s, string(data)); err != nil {
			t.Errorf("%s: %v", filepath.Base(name), err)
		}
	}
}

// TestSchemaAndParseAgree breaks one example, or changes it in a way that breaks nothing. Parse says more, in better words, but
// the schema must not say otherwise.
func TestSchemaAndParseAgree(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile(examplesDir + "cross-account-kms.json")
	if err != nil {
		t.Fatal(err)
	}
	s := compile(t, "snapshot.schema.json")
	tests := map[string]struct {
		old, with string
		valid     bool
	}{
		"no schema":              {`"schema": "replimend/snapshot/v1",`, ``, false},
		"another schema":         {`replimend/snapshot/v1`, `replimend/diagnosis/v1`, false},
		"time":                   {`2026-11-22T00:00:00Z`, `yesterday`, false},
		"account of a bucket":    {`"account": "111122223333"`, `"account": "1"`, false},
		"account of guardrails":  {`"444455556666": {`, `"4": {`, false},
		"account organization":   {`"444455556666"`, `"x"`, false},
		"role ARN":               {`"arn:aws:iam::111122223333:role/service-role/s3crr_role_for_amzn-s3-demo-source-bucket": {`, `"replication": {`, false},
		"key ARN":                {`"arn:aws:kms:ap-northeast-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab": {`, `"alias/source": {`, false},
		"versioning":             {`"versioning": "Enabled"`, `"versioning": "On"`, false},
		"versioning absent":      {`"versioning": "Enabled"`, `"versioning": null`, true},
		"versioning missing":     {`"versioning": "Enabled",`, ``, true},
		"ownership":              {`"BucketOwnerEnforced"`, `"me"`, false},
		"payer":                  {`"BucketOwner",`, `"me",`, false},
		"rule status":            {`"Status": "Enabled"`, `"Status": "On"`, false},
		"rule without status":    {`"Status": "Enabled",`, ``, false},
		"priority":               {`"Priority": 1`, `"Priority": "1"`, false},
		"boundary absent":        {`"boundary": null`, `"boundary": {"arn": "a"}`, false},
		"key manager":            {`"CUSTOMER"`, `"me"`, false},
		"key state is open":      {`"state": "Enabled"`, `"state": "NewInAWS"`, true},
		"key spec is open":       {`"SYMMETRIC_DEFAULT"`, `"NEW_IN_AWS"`, true},
		"member of a bucket":     {`"requestPayer"`, `"newInAWS": {}, "requestPayer"`, true},
		"member of a rule":       {`"Priority": 1`, `"Priority": 1, "NewInAWS": {}`, true},
		"member of a policy":     {`"Version": "2012-10-17",`, `"Version": "2012-10-17", "New": {},`, false},
		"member of a statement":  {`"Effect": "Allow",`, `"Effect": "Allow", "New": {},`, false},
		"effect":                 {`"Effect": "Allow"`, `"Effect": "allow"`, false},
		"two actions":            {`"Effect": "Allow",`, `"Effect": "Allow", "NotAction": "s3:*",`, false},
		"constraint":             {`"grants": []`, `"grants": [{"Constraints": {"SourceArn": "a"}}]`, true},
		"unknown constraint":     {`"grants": []`, `"grants": [{"Constraints": {"SourceVpc": "a"}}]`, false},
		"object":                 {`"roles": {`, `"objects": [{"encryption": null, "replicationStatus": "FAILED"}], "roles": {`, true},
		"object status":          {`"roles": {`, `"objects": [{"replicationStatus": "DONE"}], "roles": {`, false},
		"object encryption":      {`"roles": {`, `"objects": [{"encryption": "SSE-KMS"}], "roles": {`, false},
		"object size":            {`"roles": {`, `"objects": [{"size": "1"}], "roles": {`, false},
		"tags":                   {`"tags": {}`, `"tags": {"a": 1}`, false},
		"unreadable":             {`"roles": {`, `"unreadable": {"a": 1}, "roles": {`, false},
		"levels":                 {`"scps": [`, `"scps": [{"Statement": []},`, false},
		"nothing else is wanted": {string(data), `{"schema": "replimend/snapshot/v1"}`, true},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			text := strings.Replace(string(data), test.old, test.with, 1)
			if text == string(data) {
				t.Fatalf("the example has no %s", test.old)
			}
			if err := validate(t, s, text); (err == nil) != test.valid {
				t.Errorf("the schema says %v, want valid: %v", err, test.valid)
			}
			if _, err := snapshot.Parse([]byte(text)); (err == nil) != test.valid {
				t.Errorf("Parse says %v, want valid: %v", err, test.valid)
			}
		})
	}
}
