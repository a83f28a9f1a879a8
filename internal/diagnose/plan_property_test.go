package diagnose_test

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/replimend/replimend/internal/diagnose"
	"github.com/replimend/replimend/internal/patch"
	"github.com/replimend/replimend/internal/snapshot"
)

// What is listed as another way must be one: the reader may prefer it.
func TestEveryAlternativeCures(t *testing.T) {
	alternatives := 0
	t.Cleanup(func() {
		if alternatives == 0 {
			t.Error("no plan had an alternative: the property saw nothing")
		}
	})
	checkPlans(t, func(t *rapid.T, s *snapshot.Snapshot, i int, r diagnose.Route) {
		plans, faults := diagnose.Ways(s, i)
		cures := 0
		for k, p := range plans {
			if p != nil || faults[k] != "" {
				cures++
			}
			if p != nil && p.Proof != r.Plan.Proof {
				t.Errorf("way %d proves %+v, the plan %+v", k, p.Proof, r.Plan.Proof)
			}
		}
		if cures != len(r.Plan.Alternatives)+1 {
			t.Errorf("%d ways cure or cannot be written, and the plan %s lists %d alternatives", cures, r.Plan.Diff(), len(r.Plan.Alternatives))
		}
		alternatives += cures - 1
		for _, a := range r.Plan.Alternatives {
			if a.Why == "" || len(a.Documents) != a.Cost.Documents {
				t.Errorf("an alternative without its reason or with other documents than it counts: %+v", a)
			}
		}
	})
}

func TestPlanCostsLeastOfWhatCanBeWritten(t *testing.T) {
	checkPlans(t, func(t *rapid.T, s *snapshot.Snapshot, i int, r diagnose.Route) {
		plans, _ := diagnose.Ways(s, i)
		for _, p := range plans {
			if p != nil && p.Cost.Compare(r.Plan.Cost) < 0 {
				t.Errorf("the plan costs %+v, another way %+v", r.Plan.Cost, p.Cost)
			}
		}
		adds := 0
		for _, e := range r.Plan.Edits {
			adds += len(e.Adds)
		}
		if c := r.Plan.Cost; c.Documents != len(r.Plan.Edits) || c.Adds != adds {
			t.Errorf("the plan has %d edits with %d permissions and says that it costs %+v", len(r.Plan.Edits), adds, c)
		}
	})
}

// A worker can stop after any write. Whatever was allowed before has to be allowed then, for every route of the snapshot, and
// no route may be worse.
func TestStoppingBetweenEditsHarmsNobody(t *testing.T) {
	checkPlans(t, func(t *rapid.T, s *snapshot.Snapshot, _ int, r diagnose.Route) {
		before := diagnose.Diagnose(s, nil)
		for n := range r.Plan.Edits {
			if n > 0 && patch.Rank(r.Plan.Edits[n].Document.Kind) < patch.Rank(r.Plan.Edits[n-1].Document.Kind) {
				t.Errorf("%s is written after %s", r.Plan.Edits[n].Document, r.Plan.Edits[n-1].Document)
			}
			after := diagnose.Diagnose(apply(t, patch.Plan{Edits: r.Plan.Edits[:n+1]}, s), nil)
			for k, was := range before.Routes {
				is := after.Routes[k]
				if lost := deniesAgain(was, is); lost {
					t.Errorf("after %d of %d edits a request of %s is denied that was allowed", n+1, len(r.Plan.Edits), is.Of)
				}
				if badness[is.Verdict] > badness[was.Verdict] {
					t.Errorf("after %d of %d edits %s is %s and was %s", n+1, len(r.Plan.Edits), is.Of, is.Verdict, was.Verdict)
				}
			}
		}
	})
}

var badness = map[diagnose.Verdict]int{diagnose.Healthy: 0, diagnose.Degraded: 1, diagnose.Conditional: 2, diagnose.Unknown: 3, diagnose.Broken: 4}

func TestOwnersAreTheEditsByAccount(t *testing.T) {
	checkPlans(t, func(t *rapid.T, _ *snapshot.Snapshot, _ int, r diagnose.Route) {
		byAccount := make(map[string]int)
		for _, e := range r.Plan.Edits {
			byAccount[e.Account]++
		}
		if len(byAccount) < 2 {
			if len(r.Plan.Owners) != 0 {
				t.Errorf("one owner, and the plan lists %+v", r.Plan.Owners)
			}
			return
		}
		for _, h := range r.Plan.Owners {
			if byAccount[h.Account] != len(h.Documents) {
				t.Errorf("account %s has %d edits and is said to have %d", h.Account, byAccount[h.Account], len(h.Documents))
			}
			delete(byAccount, h.Account)
		}
		if len(byAccount) != 0 {
			t.Errorf("owners without their half: %v", byAccount)
		}
	})
}
