package render_test

import (
	"strings"
	"testing"

	"github.com/replimend/replimend/internal/diagnose"
	"github.com/replimend/replimend/internal/patch"
	"github.com/replimend/replimend/internal/route"
	"github.com/replimend/replimend/internal/snapshot"
)

func TestWhatConcernsNoRouteIsPrinted(t *testing.T) {
	t.Parallel()
	d := diagnose.Diagnosis{Findings: []diagnose.Finding{{
		Cause: "route-not-found", Side: diagnose.SourceSide, Severity: diagnose.Warning, Evidence: route.Inferred, Remedy: patch.Manual,
		Document: snapshot.Ref{Kind: snapshot.ReplicationConfig, ID: "photos-tokyo"},
		Message:  "an event is about rule \u202eeverything, which is disabled",
	}}}
	for name, routes := range map[string][]diagnose.Route{"no route": nil, "one route": {broken(t)}, "two routes": {broken(t), broken(t)}} {
		d.Routes = routes
		got := plain(80).Diagnosis(d)
		for _, want := range []string{"about no route above:", "warning: route-not-found", `rule \u202eeverything, which is disabled`} {
			if !strings.Contains(got, want) {
				t.Errorf("%s: want %q in\n%s", name, want, got)
			}
			if n := strings.Count(got, want); n > 1 {
				t.Errorf("%s: %q is printed %d times", name, want, n)
			}
		}
	}
}

func TestHintsOfARouteArePrinted(t *testing.T) {
	t.Parallel()
	r := broken(t)
	r.Hints = []diagnose.Hint{{Reason: "SrcGetObjectNotPermitted", Text: "S3 reports \x1b[2J, and the model finds it, too"}}
	got := plain(120).Route(r)
	if want := `  reported      S3 reports \x1b[2J, and the model finds it, too`; !strings.Contains(got, want) {
		t.Errorf("want %q in\n%s", want, got)
	}
}
