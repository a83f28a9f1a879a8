package simulate_test

import (
	"bytes"
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/replimend/replimend/internal/authz"
	"github.com/replimend/replimend/internal/simulate"
	"github.com/rogpeppe/go-internal/txtar"
)

const decisions = "../authz/testdata/decisions"

// TestDecisions holds the evaluator against requests that were labelled by hand from AWS's documentation, each file one
// situation with its source.
func TestDecisions(t *testing.T) {
	t.Parallel()
	count := 0
	err := filepath.WalkDir(decisions, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || filepath.Ext(path) != ".txtar" {
			return err
		}
		count++
		name, _ := filepath.Rel(decisions, path)
		t.Run(strings.TrimSuffix(name, ".txtar"), func(t *testing.T) {
			t.Parallel()
			checkDecision(t, path)
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if count < 150 {
		t.Errorf("%d labelled decisions, want at least 150", count)
	}
}

func checkDecision(t *testing.T, path string) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	archive := txtar.Parse(data)
	if !bytes.Contains(archive.Comment, []byte("source: https://")) {
		t.Error("the case names no source")
	}
	if len(archive.Files) != 2 || archive.Files[0].Name != "request.json" || archive.Files[1].Name != "want" {
		t.Fatal("want the files request.json and want, and no other")
	}
	question, want := archive.Files[0].Data, strings.TrimSpace(string(archive.Files[1].Data))
	switch want {
	case "allowed", "explicit_deny", "implicit_deny", "unknown":
	default:
		t.Fatalf("unknown label %q", want)
	}
	got := simulate.Ask(question)
	if got.Decision != want {
		text, _ := json.MarshalIndent(got, "", "  ")
		t.Errorf("decision is %q, the label is %q\n%s\n%s", got.Decision, want, archive.Comment, text)
	}
	q, err := simulate.Parse(question)
	if err != nil {
		t.Fatal(err)
	}
	fast, slow := authz.Decide(&q.Request, &q.Layers), authz.Explain(&q.Request, &q.Layers)
	if fast != slow.Decision {
		t.Errorf("Decide says %+v, Explain says %+v", fast, slow.Decision)
	}
	if len(slow.Reasons) == 0 && !(fast.Outcome == authz.Allowed && q.Request.Principal.Kind == authz.Root) {
		t.Error("the explanation has no reason")
	}
}
