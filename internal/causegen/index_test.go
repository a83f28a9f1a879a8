package main

import (
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/replimend/replimend/internal/diagnose"
	"github.com/replimend/replimend/internal/patch"
	"github.com/replimend/replimend/internal/route"
	"github.com/replimend/replimend/internal/snapshot"
)

func TestCommittedFilesAreCurrent(t *testing.T) {
	t.Parallel()
	for name, want := range files() {
		committed, err := os.ReadFile("../../docs/" + name)
		if diff := cmp.Diff(string(committed), want); err != nil || diff != "" {
			t.Errorf("docs/%s is stale, run make generate (error %v, -committed +generated):\n%s", name, err, diff)
		}
	}
}

func TestReasonsHaveOneRowEach(t *testing.T) {
	t.Parallel()
	got := reasonIndex([]diagnose.Reason{
		{Name: "One", Former: "Won", Meaning: "a | b", Hops: []route.Hop{route.AssumeRole}, Class: diagnose.OfPolicies, Checks: "c", Causes: []string{"role-missing"}},
		{Name: "Two", Meaning: "d", BatchOnly: true, Class: diagnose.NothingToDo, Checks: "e"},
	})
	rows, ok := strings.CutPrefix(got, reasonsHead)
	want := "| `One`, formerly `Won` | a \\| b | assume-role | c | Plan the permission that the documents lack, as the page of its cause says. " +
		"Causes: [role-missing](causes/role-missing.md). | [AWS](" + diagnose.PageReasons + ") |\n" +
		"| `Two` (batch) | d | none | e | Nothing: there is nothing to cure. | [AWS](" + diagnose.PageReasons + ") |\n"
	if !ok || rows != want {
		t.Errorf("rows differ (-want +got):\n%s", cmp.Diff(want, rows))
	}
}

func TestIndexHasOneRowForEachCause(t *testing.T) {
	t.Parallel()
	got := index([]diagnose.Cause{
		{Name: "one", Group: diagnose.OfObjects, Summary: "a | b", Remedy: patch.Manual, Side: diagnose.DestinationSide, Documents: []snapshot.Kind{snapshot.SCP, snapshot.RCP}},
		{Name: "two", Group: diagnose.OfTheRole, Summary: "c", Remedy: patch.Automatic, Documents: []snapshot.Kind{snapshot.RolePolicy}},
	})
	rows, ok := strings.CutPrefix(got, head)
	want := "\n## Replication role\n" + columns + "| [two](two.md) | either | role-policy | automatic | c |\n" +
		"\n## Single objects\n" + columns + "| [one](one.md) | destination | scp, rcp | manual | a \\| b |\n"
	if !ok || rows != want {
		t.Errorf("rows differ (-want +got):\n%s", cmp.Diff(want, rows))
	}
}
