package iac_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/replimend/replimend/internal/iac"
	"github.com/replimend/replimend/internal/jsontree"
	"github.com/replimend/replimend/internal/patch"
	"github.com/replimend/replimend/internal/policy"
	"github.com/replimend/replimend/internal/snapshot"
)

// jsonRoute is how testdata writes a route: an edit has the statements that it adds instead of the document after it.
type jsonRoute struct {
	Title string
	Edits []struct {
		Kind              snapshot.Kind
		ID, Name, Account string
		Before            policy.Document
		Add               []json.RawMessage
		Adds              []patch.Tuple
		Cures             []string
		Class             patch.Class
	}
}

func routesOf(t testing.TB, data []byte) []iac.Route {
	t.Helper()
	var in []jsonRoute
	if err := json.Unmarshal(data, &in); err != nil {
		t.Fatal(err)
	}
	var out []iac.Route
	for _, r := range in {
		route := iac.Route{Title: r.Title}
		if len(r.Edits) > 0 {
			route.Plan = &patch.Plan{}
		}
		for _, e := range r.Edits {
			edit := patch.Edit{
				Document: snapshot.Ref{Kind: e.Kind, ID: e.ID, Name: e.Name}, Account: e.Account,
				Before: snapshot.None[policy.Document](), Adds: e.Adds, Cures: e.Cures, Class: e.Class,
			}
			if !e.Before.IsZero() {
				edit.Before = snapshot.Of(e.Before)
			}
			var added []policy.Statement
			for _, text := range e.Add {
				added = append(added, statement(t, string(text)))
			}
			edit.After = snapshot.Of(e.Before.Append(added...))
			route.Plan.Edits = append(route.Plan.Edits, edit)
		}
		out = append(out, route)
	}
	return out
}

func statement(t testing.TB, text string) policy.Statement {
	t.Helper()
	return document(t, `{"Version":"2012-10-17","Statement":[`+text+`]}`).Statements[0]
}

func document(t testing.TB, text string) policy.Document {
	t.Helper()
	d, err := policy.Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// cases is the plans of testdata by the name of their folder.
func cases(t testing.TB) map[string][]iac.Route {
	t.Helper()
	files, err := filepath.Glob("testdata/*/plan.json")
	if err != nil || len(files) < 5 {
		t.Fatalf("%d plans in testdata: %v", len(files), err)
	}
	out := map[string][]iac.Route{}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		out[filepath.Base(filepath.Dir(file))] = routesOf(t, data)
	}
	return out
}

// found is one document that a text puts somewhere. Who is empty where the format leaves it to the reader whose the document
// is, as for a property that belongs into a resource of theirs.
type found struct{ Kind, Who, Document string }

const (
	rolePolicy   = "role policy"
	userPolicy   = "user policy"
	roleTrust    = "trust"
	bucketPolicy = "bucket policy"
	keyPolicy    = "key policy"
)

// wanted is what the plans put where, each document once.
func wanted(t testing.TB, routes []iac.Route, anonymous ...string) []found {
	t.Helper()
	var plans []patch.Plan
	for _, r := range routes {
		if r.Plan != nil {
			plans = append(plans, *r.Plan)
		}
	}
	edits, err := patch.Merge(plans...)
	if err != nil {
		t.Fatal(err)
	}
	var out []found
	for _, e := range edits {
		f := found{Who: e.Document.ID, Document: canonical(t, e.After.V)}
		switch e.Document.Kind {
		case snapshot.RolePolicy:
			f.Kind, f.Who = rolePolicy, e.Document.ID[strings.LastIndex(e.Document.ID, "/")+1:]+" "+e.Document.Name
		case snapshot.UserPolicy:
			f.Kind, f.Who = userPolicy, e.Document.ID[strings.LastIndex(e.Document.ID, "/")+1:]+" "+e.Document.Name
		case snapshot.RoleTrust:
			f.Kind, f.Who = roleTrust, e.Document.ID[strings.LastIndex(e.Document.ID, "/")+1:]
		case snapshot.SourceBucketPolicy, snapshot.DestinationBucketPolicy, snapshot.BucketPolicy:
			f.Kind = bucketPolicy
		default:
			f.Kind = keyPolicy
		}
		if slices.Contains(anonymous, f.Kind) {
			f.Who = ""
		}
		out = append(out, f)
	}
	return sorted(out)
}

func sorted(in []found) []found {
	slices.SortFunc(in, func(a, b found) int {
		return strings.Compare(a.Kind+"\n"+a.Who+"\n"+a.Document, b.Kind+"\n"+b.Who+"\n"+b.Document)
	})
	return in
}

// canonical is a document so that equal policies are equal texts: members sorted, numbers as the text that AWS compares.
func canonical(t testing.TB, v any) string {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	n, err := jsontree.Parse(text, policy.MaxSize)
	if err != nil {
		t.Fatal(err)
	}
	text, err = json.Marshal(canonicalNode(n))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func canonicalNode(n jsontree.Node) jsontree.Node {
	if n.Kind == jsontree.Number {
		return jsontree.Str(n.Text)
	}
	out := n
	out.Items, out.Fields = nil, nil
	for _, item := range n.Items {
		out.Items = append(out.Items, canonicalNode(item))
	}
	for _, f := range n.Fields {
		out.Fields = append(out.Fields, jsontree.Member{Name: f.Name, Value: canonicalNode(f.Value)})
	}
	slices.SortFunc(out.Fields, func(a, b jsontree.Member) int { return strings.Compare(a.Name, b.Name) })
	return out
}
