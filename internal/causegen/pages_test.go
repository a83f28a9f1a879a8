package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/replimend/replimend/internal/policy"
)

var jsonBlock = regexp.MustCompile("(?s)```json\n(.*?)```")

// TestStatementsOfPagesAreValid reads every JSON block of the pages as AWS would: people paste them.
func TestStatementsOfPagesAreValid(t *testing.T) {
	t.Parallel()
	paths, err := filepath.Glob("../../docs/causes/*.md")
	if err != nil || len(paths) == 0 {
		t.Fatalf("no pages: %v", err)
	}
	statements := 0
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, block := range jsonBlock.FindAllSubmatch(text, -1) {
			var v map[string]any
			if err := json.Unmarshal(block[1], &v); err != nil {
				t.Errorf("%s: %v in\n%s", path, err, block[1])
				continue
			}
			if v["Effect"] == nil {
				continue
			}
			statements++
			document := `{"Version": "2012-10-17", "Statement": [` + string(block[1]) + `]}`
			if _, err := policy.Parse([]byte(document)); err != nil {
				t.Errorf("%s: %v", path, err)
			}
		}
	}
	if statements == 0 {
		t.Error("no page shows a statement")
	}
}
