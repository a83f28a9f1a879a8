package guard_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"github.com/replimend/replimend/internal/guard"
	"github.com/replimend/replimend/internal/patch"
	"github.com/replimend/replimend/internal/policy"
	"github.com/replimend/replimend/internal/route"
	"github.com/replimend/replimend/internal/settings"
	"github.com/replimend/replimend/internal/snapshot"
)

// situation is one thing to judge.
type situation struct {
	plan     patch.Plan
	route    route.Route
	snapshot *snapshot.Snapshot
	settings *settings.Settings
	history  guard.History
}

func (s situation) check() guard.Verdict {
	return guard.Check(s.plan, s.route, s.snapshot, s.settings, s.history)
}

// sections are the files of a case: each changes one part of the sound situation in testdata/base, in which everything is
// allowed.
var sections = []string{"snapshot.json", "settings.json", "plan.json", "history.json", "want"}

// load makes the situation of the base with those changes.
func load(t testing.TB, changes map[string]string) situation {
	t.Helper()
	s := situation{}
	var err error
	if s.snapshot, err = snapshot.Parse(read(t, changes, "snapshot.json")); err != nil {
		t.Fatal(err)
	}
	if s.settings, err = settings.Parse(read(t, changes, "settings.json")); err != nil {
		t.Fatal(err)
	}
	var p planFile
	if err := json.Unmarshal(read(t, changes, "plan.json"), &p); err != nil {
		t.Fatal(err)
	}
	s.plan = p.plan(t, s.snapshot)
	if text := changes["history.json"]; text != "" {
		if err := json.Unmarshal([]byte(text), &s.history); err != nil {
			t.Fatal(err)
		}
	}
	routes := route.Routes(s.snapshot)
	if len(routes) == 0 {
		t.Fatal("the snapshot has no route")
	}
	s.route = routes[0]
	return s
}

// read merges a change into a file of the base. Members come out in the order of their names, with and without a change, so
// that a document that a case writes out in full is the one of the base.
func read(t testing.TB, changes map[string]string, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", "base", name))
	if err != nil {
		t.Fatal(err)
	}
	var base, change any = nil, map[string]any{}
	if err := json.Unmarshal(data, &base); err != nil {
		t.Fatal(err)
	}
	if changes[name] != "" {
		if err := json.Unmarshal([]byte(changes[name]), &change); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
	}
	if data, err = json.Marshal(merge(base, change)); err != nil {
		t.Fatal(err)
	}
	return data
}

// merge changes only what it names: members of objects by name, items of lists by index, as in {"routes": {"0": {…}}}. The
// text "delete me" removes a member; an index behind the last item adds one.
func merge(base, change any) any {
	c, ok := change.(map[string]any)
	if !ok {
		return change
	}
	switch b := base.(type) {
	case map[string]any:
		for k, v := range c {
			if v == "delete me" {
				delete(b, k)
				continue
			}
			b[k] = merge(b[k], v)
		}
		return b
	case []any:
		for _, k := range slices.Sorted(maps.Keys(c)) {
			i, err := strconv.Atoi(k)
			switch {
			case err != nil || i > len(b):
				return change
			case i == len(b):
				b = append(b, c[k])
			default:
				b[i] = merge(b[i], c[k])
			}
		}
		return b
	default:
		return merge(map[string]any{}, change)
	}
}

// planFile is a plan as cases write it. Edits start from the snapshot's documents and append to them, unless they say other.
type planFile struct {
	Class patch.Class
	Proof patch.Proof
	Edits map[string]*struct {
		ID, Name, Account string
		Class             patch.Class
		Version           string // of a new document
		Append            []json.RawMessage
		Before, After     *policy.Document // where they are not what append makes
		Removes           bool
		Adds              *[]patch.Tuple // nil: what the appended statements grant
	}
	Again string // the kind of an edit that stands in the plan a second time
}

func (p planFile) plan(t testing.TB, s *snapshot.Snapshot) patch.Plan {
	t.Helper()
	out := patch.Plan{Class: p.Class, Proof: p.Proof}
	for _, kind := range slices.Sorted(maps.Keys(p.Edits)) {
		f := p.Edits[kind]
		e := patch.Edit{
			Document: snapshot.Ref{Kind: snapshot.Kind(strings.TrimRight(kind, "'")), ID: f.ID, Name: f.Name},
			Account:  f.Account, Class: f.Class,
		}
		e.Before = s.Document(e.Document)
		if f.Before != nil {
			e.Before = snapshot.Of(*f.Before)
		}
		switch {
		case f.Removes:
			e.After = snapshot.None[policy.Document]()
		case f.After != nil:
			e.After = snapshot.Of(*f.After)
		default:
			e.After = snapshot.Of(appended(t, e.Before.V, f.Version, f.Append))
		}
		e.Adds = adds(e)
		if f.Adds != nil {
			e.Adds = *f.Adds
		}
		out.Edits = append(out.Edits, e)
		if p.Again == kind {
			out.Edits = append(out.Edits, e)
		}
	}
	return out
}

// adds is what the statements behind those of before grant, so that a case about something else need not list it.
func adds(e patch.Edit) []patch.Tuple {
	var out []patch.Tuple
	after := e.After.V.Statements
	for _, s := range after[min(len(e.Before.V.Statements), len(after)):] {
		principals := []policy.Principal{{Value: e.Document.ID}} // a role's policy
		if s.Principal != nil {
			principals = s.Principal.Values
		}
		for _, p := range principals {
			for _, action := range s.Action.Values {
				for _, resource := range append(slices.Clone(s.Resource.Values), e.Document.ID)[:max(len(s.Resource.Values), 1)] {
					out = append(out, patch.Tuple{p.Value, action, resource})
				}
			}
		}
	}
	return out
}

func appended(t testing.TB, d policy.Document, version string, statements []json.RawMessage) policy.Document {
	t.Helper()
	text := fmt.Sprintf(`{"Version": %q, "Statement": [`, version)
	if version == "" {
		text = `{"Statement": [`
	}
	for i, s := range statements {
		if i > 0 {
			text += ","
		}
		text += string(s)
	}
	extra, err := policy.Parse([]byte(text + "]}"))
	if err != nil {
		t.Fatal(err)
	}
	if d.IsZero() {
		return extra
	}
	return d.Append(extra.Statements...)
}

func TestBaseIsAllowed(t *testing.T) {
	t.Parallel()
	if v := load(t, nil).check(); v.Decision != guard.Allow || len(v.Reasons) > 0 {
		t.Errorf("verdict on the sound situation: %s", text(v))
	}
}

// text is a verdict as cases write it.
func text(v guard.Verdict) string {
	var b strings.Builder
	fmt.Fprintln(&b, v.Decision)
	for _, r := range v.Reasons {
		fmt.Fprintf(&b, "%s: %s: %s\n", r.Rule, r.Decision, r.Text)
	}
	return b.String()
}

var update = flag.Bool("update", false, "rewrite the want section of every case; read the difference before you keep it")

// TestRules: each case is a sentence, what is other than in the base, and the whole verdict.
func TestRules(t *testing.T) {
	t.Parallel()
	paths, err := filepath.Glob("testdata/rules/*/*.txtar")
	if err != nil || len(paths) == 0 {
		t.Fatalf("%d cases: %v", len(paths), err)
	}
	for _, path := range paths {
		name := strings.TrimSuffix(strings.TrimPrefix(filepath.ToSlash(path), "testdata/rules/"), ".txtar")
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			archive, err := txtar.ParseFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if len(strings.TrimSpace(string(archive.Comment))) == 0 {
				t.Error("the case has no sentence")
			}
			files := map[string]string{}
			for _, f := range archive.Files {
				if !slices.Contains(sections, f.Name) {
					t.Errorf("unknown section %s", f.Name)
				}
				files[f.Name] = string(f.Data)
			}
			got := text(load(t, files).check())
			if *update {
				last := len(archive.Files) - 1
				archive.Files[last].Data = []byte(got)
				if err := os.WriteFile(path, txtar.Format(archive), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			if diff := cmp.Diff(files["want"], got); diff != "" {
				t.Errorf("verdict (-want +got):\n%s", diff)
			}
		})
	}
}

// TestRegistry: a rule has a file, a folder, a case in which it objects and a near-miss in which it has nothing to say.
func TestRegistry(t *testing.T) {
	t.Parallel()
	known := map[string]bool{}
	for _, rule := range guard.Rules() {
		if known[rule.Name] || rule.Summary == "" {
			t.Errorf("rule %s stands twice in the table or has no summary", rule.Name)
		}
		known[rule.Name] = true
		if _, err := os.Stat(strings.ReplaceAll(rule.Name, "-", "_") + ".go"); err != nil {
			t.Errorf("rule %s has no file of its name", rule.Name)
		}
		paths, err := filepath.Glob(filepath.Join("testdata/rules", rule.Name, "*.txtar"))
		if err != nil {
			t.Fatal(err)
		}
		var objects, nearMiss bool
		for _, path := range paths {
			archive, err := txtar.ParseFile(path)
			if err != nil {
				t.Fatal(err)
			}
			says := strings.Contains(string(archive.Files[len(archive.Files)-1].Data), "\n"+rule.Name+": ")
			near := strings.HasPrefix(filepath.Base(path), "near-miss")
			if says == near {
				t.Errorf("%s: near-miss %t, but the rule objects %t", path, near, says)
			}
			objects, nearMiss = objects || says, nearMiss || near
		}
		if !objects || !nearMiss {
			t.Errorf("rule %s: case with an objection %t, near-miss %t: want both", rule.Name, objects, nearMiss)
		}
	}
	folders, err := os.ReadDir("testdata/rules")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range folders {
		if !known[f.Name()] {
			t.Errorf("testdata/rules/%s: there is no such rule", f.Name())
		}
	}
}
