package main

import (
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/replimend/replimend/internal/diagnose"
	"github.com/replimend/replimend/internal/patch"
	"github.com/replimend/replimend/internal/snapshot"
)

func TestCommittedIndexIsCurrent(t *testing.T) {
	t.Parallel()
	committed, err := os.ReadFile("../../docs/causes/README.md")
	if diff := cmp.Diff(string(committed), index(diagnose.Causes())); err != nil || diff != "" {
		t.Errorf("docs/causes/README.md is stale, run make generate (error %v, -committed +generated):\n%s", err, diff)
	}
}

func TestIndexHasOneRowForEachCause(t *testing.T) {
	t.Parallel()
	got := index([]diagnose.Cause{
		{Name: "one", Summary: "a | b", Remedy: patch.Manual, Side: diagnose.DestinationSide, Documents: []snapshot.Kind{snapshot.SCP, snapshot.RCP}},
		{Name: "two", Summary: "c", Remedy: patch.Automatic, Documents: []snapshot.Kind{snapshot.RolePolicy}},
	})
	rows, ok := strings.CutPrefix(got, head)
	want := "| [one](one.md) | destination | scp, rcp | manual | a \\| b |\n| [two](two.md) | either | role-policy | automatic | c |\n"
	if !ok || rows != want {
		t.Errorf("rows differ (-want +got):\n%s", cmp.Diff(want, rows))
	}
}
