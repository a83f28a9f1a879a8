package remedy_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/replimend/replimend/internal/diagnose"
	"github.com/replimend/replimend/internal/guard"
	"github.com/replimend/replimend/internal/settings"
	"github.com/replimend/replimend/internal/snapshot"
)

// TestGuardRefusesNoPlanOfTheExamples: the guard and the plans are made by different hands. What a plan grants must be what
// the guard knows a route to need; a plan may still need a person.
func TestGuardRefusesNoPlanOfTheExamples(t *testing.T) {
	t.Parallel()
	paths, err := filepath.Glob("../../docs/examples/*.json")
	if err != nil {
		t.Fatal(err)
	}
	plans := 0
	for _, path := range paths {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		s, err := snapshot.Parse(data)
		if err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		for _, d := range diagnose.Diagnose(s, nil).Routes {
			if d.Plan == nil {
				continue
			}
			plans++
			a, err := guard.Pin(d.Of, s)
			if err != nil {
				t.Errorf("%s: %v", filepath.Base(path), err)
				continue
			}
			a.Mode = settings.Automatic
			set := &settings.Settings{Routes: []settings.ApprovedRoute{a}, Limits: settings.DefaultLimits()}
			if v := guard.Check(*d.Plan, d.Of, s, set, guard.History{}); v.Decision == guard.Refuse {
				t.Errorf("%s: %+v", filepath.Base(path), v.Reasons)
			}
		}
	}
	if plans < 3 {
		t.Errorf("%d plans among %d examples", plans, len(paths))
	}
}
