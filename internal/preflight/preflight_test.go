package preflight_test

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

	"github.com/replimend/replimend/internal/jsontree"
	"github.com/replimend/replimend/internal/policy"
	"github.com/replimend/replimend/internal/preflight"
	"github.com/replimend/replimend/internal/settings"
	"github.com/replimend/replimend/internal/snapshot"
)

var update = flag.Bool("update", false, "rewrite the want section of every case; read the difference before you keep it")

// TestCases: each case changes one thing of testdata/base, where nothing is missing.
func TestCases(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("%d cases, %v", len(files), err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			t.Parallel()
			a, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			changes, want := map[string]string{}, -1
			for i, f := range a.Files {
				switch f.Name {
				case "snapshot.json", "settings.json", "facts.json":
					changes[f.Name] = string(f.Data)
				case "want":
					want = i
				default:
					t.Fatalf("unknown section %s", f.Name)
				}
			}
			if want < 0 {
				t.Fatal("the case has no want section")
			}
			got := show(preflight.Check(load(t, changes)))
			if *update {
				a.Files[want].Data = []byte(got)
				if err := os.WriteFile(file, txtar.Format(a), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			if diff := cmp.Diff(string(a.Files[want].Data), got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func show(missing []preflight.Missing) string {
	var b strings.Builder
	for _, m := range missing {
		fmt.Fprintf(&b, "%s %s: %s\n  %s\n", m.Account, m.Severity, m.Subject, m.What)
		for line := range strings.Lines(m.Fix) {
			b.WriteString("    " + strings.TrimRight(line, "\n") + "\n")
		}
	}
	if b.Len() == 0 {
		return "nothing is missing\n"
	}
	return b.String()
}

// load makes the facts of the base with those changes.
func load(t testing.TB, changes map[string]string) preflight.Facts {
	t.Helper()
	var read struct {
		Base        preflight.Caller
		HubRegion   string
		Needs       []preflight.Need
		Callers     []preflight.Caller
		Assumptions []preflight.Assumption
		Trails      []preflight.Trails
	}
	n, err := jsontree.Parse(section(t, changes, "facts.json"), 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	if err := (jsontree.Decoder{}).Decode(n, "", &read); err != nil {
		t.Fatal(err)
	}
	s, err := snapshot.Parse(section(t, changes, "snapshot.json"))
	if err != nil {
		t.Fatal(err)
	}
	set, err := settings.Parse(section(t, changes, "settings.json"))
	if err != nil {
		t.Fatal(err)
	}
	return preflight.Facts{
		Settings: set, Snapshot: s, Needs: read.Needs, Base: read.Base, HubRegion: read.HubRegion, Callers: read.Callers, Assumptions: read.Assumptions, Trails: read.Trails,
	}
}

// section is a file of the base with the changes of a case laid over it.
func section(t testing.TB, changes map[string]string, name string) []byte {
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

// merge lays a change over a value, member by member; an object over a list changes the items that its names count. The text
// "delete me" takes a member or an item out.
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
			case err != nil || i >= len(b):
				return change
			case c[k] == "delete me":
				b = slices.Delete(b, i, i+1)
			default:
				b[i] = merge(b[i], c[k])
			}
		}
		return b
	default:
		return merge(map[string]any{}, change)
	}
}

// TestStatementsCure: what is printed for a key or a role is a statement that AWS takes, and with it in place nothing is missing.
func TestStatementsCure(t *testing.T) {
	t.Parallel()
	const key = "arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"
	const role = "arn:aws:iam::111122223333:role/replimend/replimend-reader"
	tests := map[string]struct {
		changes string
		ref     snapshot.Ref
	}{
		"key": {
			`{"keys": {"` + key + `": {"policy": {"Statement": [
				{"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::111122223333:role/admin"}, "Action": "kms:*", "Resource": "*"}]}}}}`,
			snapshot.Ref{Kind: snapshot.KeyPolicy, ID: key},
		},
		"role": {
			`{"roles": {"` + role + `": {"inline": {"replimend": {"Statement": {"1": {"Action": ["iam:GetRole"]}}}}}}}`,
			snapshot.Ref{Kind: snapshot.RolePolicy, ID: role, Name: "replimend"},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := load(t, map[string]string{"snapshot.json": tt.changes})
			missing := preflight.Check(f)
			if len(missing) == 0 {
				t.Fatal("nothing is missing")
			}
			document := f.Snapshot.Document(tt.ref).V
			for _, m := range missing {
				one, err := policy.Parse([]byte(`{"Version": "2012-10-17", "Statement": [` + m.Fix + `]}`))
				if err != nil {
					t.Fatalf("%v\n%s", err, m.Fix)
				}
				document = document.Append(one.Statements...)
			}
			f.Snapshot, _ = f.Snapshot.WithDocument(tt.ref, snapshot.Of(document))
			if again := preflight.Check(f); len(again) > 0 {
				t.Errorf("with the statements in place:\n%s", show(again))
			}
		})
	}
}

// TestNothingIsFineThatNobodyAsked: without any answer everything is reported as not known.
func TestNothingIsFineThatNobodyAsked(t *testing.T) {
	t.Parallel()
	f := load(t, nil)
	f = preflight.Facts{Settings: f.Settings, Snapshot: &snapshot.Snapshot{}, Needs: f.Needs}
	got := show(preflight.Check(f))
	for _, want := range []string{
		"bucket amzn-s3-demo-source is not known", "the policy of the key is not known", "what the role may do is not known",
		"whether the role can be assumed is not known",
		"whether changes are recorded in us-east-1 is not known", "whether changes are recorded in eu-west-1 is not known",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("nobody says %q:\n%s", want, got)
		}
	}
}

func TestWatchedHasTheRegionOfIAM(t *testing.T) {
	t.Parallel()
	got := preflight.Watched(load(t, nil).Settings)
	want := []preflight.Place{
		{Account: "111122223333", Region: "us-east-1"},
		{Account: "444455556666", Region: "eu-west-1"},
		{Account: "444455556666", Region: "us-east-1"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
