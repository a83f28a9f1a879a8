package diagnose_test

import (
	"cmp"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"github.com/replimend/replimend/internal/diagnose"
	"github.com/replimend/replimend/internal/route"
	"github.com/replimend/replimend/internal/signal"
	"github.com/replimend/replimend/internal/snapshot"
)

// readCase reads one case: a sentence, the name of a complete snapshot under testdata/base, or testdata/access of an access, a JSON merge patch (RFC 7396) that
// makes the situation of it, optionally the signal of an event, and what the diagnosis must say.
func readCase(t testing.TB, path string) (s *snapshot.Snapshot, hints []signal.Signal, want string) {
	t.Helper()
	files := readFiles(t, path)
	folder := "base"
	if files["access"] != "" {
		folder = "access"
	}
	s = readBase(t, folder+"/"+strings.TrimSpace(files["base"]), files["change.json"])
	if text, ok := files["signal.json"]; ok {
		var h signal.Signal
		if err := json.Unmarshal([]byte(text), &h); err != nil {
			t.Fatal(err)
		}
		hints = []signal.Signal{h}
	}
	return s, hints, files["want"]
}

func readFiles(t testing.TB, path string) map[string]string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	files := make(map[string]string)
	archive := txtar.Parse(data)
	for _, f := range archive.Files {
		files[f.Name] = string(f.Data)
	}
	if len(strings.TrimSpace(string(archive.Comment))) == 0 {
		t.Error("the case has no sentence")
	}
	for name := range files {
		if !slices.Contains([]string{"base", "change.json", "signal.json", "denial.json", "access", "want"}, name) {
			t.Errorf("unknown file %s", name)
		}
	}
	return files
}

// diagnoseCase is the diagnosis that the case asks for: of its routes, or of the access in its section access, which reads
// "principal ARN bucket NAME operation get|put [key KEY]".
func diagnoseCase(t testing.TB, path string, s *snapshot.Snapshot, hints []signal.Signal) diagnose.Diagnosis {
	t.Helper()
	words := strings.Fields(readFiles(t, path)["access"])
	if len(words) == 0 {
		return diagnose.Diagnose(s, hints, readDenials(t, path)...)
	}
	given := make(map[string]string)
	for i := 0; i+1 < len(words); i += 2 {
		given[words[i]] = words[i+1]
	}
	a, err := route.NewAccess(s, given["principal"], given["bucket"], route.Operation(given["operation"]), given["key"])
	if err != nil {
		t.Fatal(err)
	}
	return diagnose.Diagnosis{Schema: diagnose.Schema, Routes: []diagnose.Route{}, Accesses: []diagnose.Access{diagnose.DiagnoseAccess(s, a)}}
}

// readDenials is the records of CloudTrail of a case, none without them.
func readDenials(t testing.TB, path string) []signal.Denial {
	t.Helper()
	archive, err := txtar.ParseFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var out []signal.Denial
	for _, f := range archive.Files {
		if f.Name == "denial.json" {
			if err := json.Unmarshal(f.Data, &out); err != nil {
				t.Fatal(err)
			}
		}
	}
	return out
}

func readBase(t testing.TB, name, change string) *snapshot.Snapshot {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", name+".json"))
	if err != nil {
		t.Fatal(err)
	}
	if change != "" {
		var base, patch any
		if err := json.Unmarshal(data, &base); err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal([]byte(change), &patch); err != nil {
			t.Fatalf("change.json: %v", err)
		}
		if data, err = json.Marshal(merge(base, patch)); err != nil {
			t.Fatal(err)
		}
	}
	s, err := snapshot.Parse(data)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// merge is RFC 7396 but for null, which here must be able to stand in a snapshot: "delete me" removes a member instead.
func merge(base, patch any) any {
	p, ok := patch.(map[string]any)
	if !ok {
		return patch
	}
	b, ok := base.(map[string]any)
	if !ok {
		b = map[string]any{}
	}
	for k, v := range p {
		if v == "delete me" {
			delete(b, k)
			continue
		}
		b[k] = merge(b[k], v)
	}
	return b
}

// summary is what a case expects, one line each: the verdict, every finding, and the plan, then the findings of no route.
func summary(d diagnose.Diagnosis) string {
	var b strings.Builder
	routes := slices.Clone(d.Routes)
	for _, a := range d.Accesses {
		routes = append(routes, diagnose.Route{Verdict: a.Verdict, Findings: a.Findings, Plan: a.Plan})
	}
	for _, r := range routes {
		fmt.Fprintf(&b, "verdict %s\n", r.Verdict)
		for _, h := range r.Hints {
			agrees := "cannot be compared"
			if h.Agrees != nil {
				agrees = map[bool]string{true: "agrees", false: "contradicts"}[*h.Agrees]
			}
			fmt.Fprintf(&b, "hint %s %s\n", cmp.Or(h.Reason, "without a reason"), agrees)
		}
		findings(&b, r.Findings)
		if r.Plan == nil {
			b.WriteString("no plan\n")
			continue
		}
		for _, e := range r.Plan.Edits {
			fmt.Fprintf(&b, "edit %s", e.Document.Kind)
			for _, t := range e.Adds {
				fmt.Fprintf(&b, " %s", t[1])
			}
			b.WriteString("\n")
		}
		fmt.Fprintf(&b, "plan %s: %s to %s\n", r.Plan.Class, r.Plan.Proof.Before, r.Plan.Proof.After)
	}
	if len(d.Findings) > 0 {
		b.WriteString("about no route\n")
	}
	findings(&b, d.Findings)
	return b.String()
}

func findings(b *strings.Builder, all []diagnose.Finding) {
	for _, f := range all {
		fmt.Fprintf(b, "%s %s %s %s %s %s at %s", f.Severity, f.Cause, f.Side, f.Document.Kind, f.Evidence, f.Remedy, cmp.Or(f.Hop, "no hop"))
		if f.Observed != "" {
			b.WriteString(", observed")
		}
		b.WriteByte('\n')
	}
}

func TestCases(t *testing.T) {
	t.Parallel()
	paths, err := filepath.Glob("testdata/causes/*/*.txtar")
	if err != nil || len(paths) == 0 {
		t.Fatalf("no cases: %v", err)
	}
	for _, path := range paths {
		name := strings.TrimSuffix(strings.TrimPrefix(filepath.ToSlash(path), "testdata/causes/"), ".txtar")
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, hints, want := readCase(t, path)
			d := diagnoseCase(t, path, s, hints)
			if *update {
				rewrite(t, path, summary(d))
				return
			}
			if diff := gocmp.Diff(want, summary(d)); diff != "" {
				t.Errorf("diagnosis differs (-want +got):\n%s", diff)
			}
		})
	}
}

var update = flag.Bool("update", false, "rewrite the want section of every case; read the difference before you keep it")

func rewrite(t *testing.T, path, want string) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	archive := txtar.Parse(data)
	for i := range archive.Files {
		if archive.Files[i].Name == "want" {
			archive.Files[i].Data = []byte(want)
		}
	}
	if err := os.WriteFile(path, txtar.Format(archive), 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestCompleteRoutesAreHealthy(t *testing.T) {
	t.Parallel()
	paths, _ := filepath.Glob("testdata/base/*.json")
	for _, path := range paths {
		d := diagnose.Diagnose(readBase(t, "base/"+strings.TrimSuffix(filepath.Base(path), ".json"), ""), nil)
		if len(d.Routes) == 0 {
			t.Errorf("%s: no route", path)
		}
		if strings.HasSuffix(path, "role-of-another-account.json") {
			if r := d.Routes[0]; r.Verdict != diagnose.Conditional || len(r.Findings) != 1 || r.Findings[0].Cause != "role-in-another-account" {
				t.Errorf("%s: want nothing but the role's account in doubt, got %s", path, summary(d))
			}
			continue
		}
		if got := summary(d); got != strings.Repeat("verdict healthy\nno plan\n", len(d.Routes)) {
			t.Errorf("%s: %s", path, got)
		}
	}
}
