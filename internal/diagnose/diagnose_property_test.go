package diagnose_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/replimend/replimend/internal/diagnose"
	"github.com/replimend/replimend/internal/patch"
	"github.com/replimend/replimend/internal/policy"
	"github.com/replimend/replimend/internal/route"
	"github.com/replimend/replimend/internal/snapshot"
)

// TestMain asks for more worlds than rapid's 100. The flag -rapid.checks still decides.
func TestMain(m *testing.M) {
	if err := flag.Set("rapid.checks", "300"); err != nil {
		panic(err)
	}
	os.Exit(m.Run())
}

// checkWorlds runs a property over damaged bases.
func checkWorlds(t *testing.T, property func(t *rapid.T, s *snapshot.Snapshot, d diagnose.Diagnosis)) {
	t.Helper()
	t.Parallel()
	bases := readBases(t)
	damages := slices.Concat(policyDamages, policyDamages, configurationDamages) // most faults are of policies
	rapid.Check(t, func(t *rapid.T) {
		s := drawWorld(t, bases, damages)
		property(t, s, diagnose.Diagnose(s, nil))
	})
}

// checkPlans runs a property over the plans of damaged bases. It fails when worlds with plans are rare.
func checkPlans(t *testing.T, property func(t *rapid.T, s *snapshot.Snapshot, i int, r diagnose.Route)) {
	t.Helper()
	worlds, plans := 0, 0
	t.Cleanup(func() {
		if worlds >= 100 && plans*10 < worlds {
			t.Errorf("%d plans in %d worlds: the property saw too little", plans, worlds)
		}
	})
	checkWorlds(t, func(t *rapid.T, s *snapshot.Snapshot, d diagnose.Diagnosis) {
		worlds++
		for i, r := range d.Routes {
			if r.Plan != nil {
				plans++
				property(t, s, i, r)
			}
		}
	})
}

func apply(t *rapid.T, p patch.Plan, s *snapshot.Snapshot) *snapshot.Snapshot {
	out, err := p.Apply(s)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func marshal(t *rapid.T, v any) []byte {
	out, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestAppliedPlanGivesTheVerdictThatItProves(t *testing.T) {
	checkPlans(t, func(t *rapid.T, s *snapshot.Snapshot, i int, r diagnose.Route) {
		after := diagnose.Diagnose(apply(t, *r.Plan, s), nil).Routes[i]
		if string(after.Verdict) != r.Plan.Proof.After || string(r.Verdict) != r.Plan.Proof.Before {
			t.Errorf("route was %s and is %s, the proof says %+v", r.Verdict, after.Verdict, r.Plan.Proof)
		}
		if after.Verdict == diagnose.Broken || after.Verdict == diagnose.Unknown {
			t.Errorf("a plan leaves the route %s", after.Verdict)
		}
	})
}

// deniesAgain says whether, of the requests that the whole plan allows, one is no longer allowed, or whether one is denied for certain that
// with the whole plan hangs only on what the snapshot does not have, such as a grant that could not be read.
func deniesAgain(whole, less diagnose.Route) bool {
	for i, h := range whole.Hops {
		for k, q := range h.Requests {
			now := less.Hops[i].Requests[k].Decision
			if now != q.Decision && (q.Decision == "allowed" || q.Decision == "unknown" && now == "implicit_deny") {
				return true
			}
		}
	}
	return false
}

func TestPlanWithoutAnyOfItsPartsDeniesAgain(t *testing.T) {
	checkPlans(t, func(t *rapid.T, s *snapshot.Snapshot, i int, r diagnose.Route) {
		patched := apply(t, *r.Plan, s)
		whole := diagnose.Diagnose(patched, nil).Routes[i]
		check := func(what string, less *snapshot.Snapshot) {
			got := diagnose.Diagnose(less, nil).Routes[i]
			if !deniesAgain(whole, got) {
				t.Errorf("without %s every request is still allowed", what)
			}
			if whole.Verdict == diagnose.Healthy && got.Verdict == diagnose.Healthy {
				t.Errorf("without %s the route is still healthy", what)
			}
		}
		for k, edit := range r.Plan.Edits {
			p := patch.Plan{Edits: slices.Delete(slices.Clone(r.Plan.Edits), k, k+1)}
			check("the edit of "+edit.Document.String(), apply(t, p, s))
			for _, less := range withoutOneAction(t, edit) {
				without, ok := patched.WithDocument(edit.Document, less)
				if !ok {
					t.Fatalf("no owner of %s", edit.Document)
				}
				check("one action of "+edit.Document.String(), without)
			}
		}
	})
}

// withoutOneAction is what the edit makes of the document, each time without one action that it adds.
func withoutOneAction(t *rapid.T, e patch.Edit) []snapshot.Value[policy.Document] {
	own := len(e.Before.V.Statements)
	var out []snapshot.Value[policy.Document]
	for i := own; i < len(e.After.V.Statements); i++ {
		for k := range e.After.V.Statements[i].Action.Values {
			var doc tree
			if err := json.Unmarshal(marshal(t, e.After.V), &doc); err != nil {
				t.Fatal(err)
			}
			all := doc["Statement"].([]any)
			s := all[i].(tree)
			if actions := texts(s["Action"]); len(actions) > 1 {
				s["Action"] = slices.Delete(actions, k, k+1)
			} else {
				doc["Statement"] = slices.Delete(all, i, i+1)
			}
			if len(doc["Statement"].([]any)) == 0 {
				out = append(out, snapshot.None[policy.Document]())
				continue
			}
			less, err := policy.Parse(marshal(t, doc))
			if err != nil {
				t.Fatal(err)
			}
			out = append(out, snapshot.Of(less))
		}
	}
	return out
}

func TestPlanIsUndoneWithoutATraceAndAppliesOnce(t *testing.T) {
	checkPlans(t, func(t *rapid.T, s *snapshot.Snapshot, _ int, r diagnose.Route) {
		before := marshal(t, s)
		once := apply(t, *r.Plan, s)
		if twice := apply(t, *r.Plan, once); !bytes.Equal(marshal(t, once), marshal(t, twice)) {
			t.Error("applying twice is not applying once")
		}
		if bytes.Equal(before, marshal(t, once)) {
			t.Error("the plan changes nothing")
		}
		undone := apply(t, r.Plan.Invert(), once)
		if after := marshal(t, undone); !bytes.Equal(before, after) {
			t.Errorf("undone is not what was before:\n%s\n%s", before, after)
		}
		for _, e := range r.Plan.Edits {
			if got := undone.Document(e.Document); got.State != e.Before.State {
				t.Errorf("%s: state %d, was %d", e.Document, got.State, e.Before.State)
			}
		}
		if !bytes.Equal(before, marshal(t, s)) {
			t.Error("the snapshot that was diagnosed has changed")
		}
	})
}

func TestEditsOnlyAppendAllows(t *testing.T) {
	checkPlans(t, func(t *rapid.T, _ *snapshot.Snapshot, _ int, r diagnose.Route) {
		for _, e := range r.Plan.Edits {
			before, after := e.Before.V.Statements, e.After.V.Statements
			if len(after) <= len(before) {
				t.Fatalf("%s: %d statements of %d", e.Document, len(after), len(before))
			}
			for i, s := range before {
				if !s.Equal(after[i]) {
					t.Errorf("%s: statement %d changed", e.Document, i)
				}
			}
			sids := make(map[string]bool)
			for i, s := range after {
				if i >= len(before) && sids[s.Sid] {
					t.Errorf("%s: two statements %s", e.Document, s.Sid)
				}
				sids[s.Sid] = true
				if i >= len(before) && (s.Effect != policy.Allow || s.Action.Not || s.Resource.Not) {
					t.Errorf("%s: added statement %s is no plain Allow", e.Document, s.Sid)
				}
			}
			if !e.Before.V.IsZero() && e.Before.V.Version != e.After.V.Version {
				t.Errorf("%s: version %s became %s", e.Document, e.Before.V.Version, e.After.V.Version)
			}
		}
	})
}

func TestHealthyMeansThatEveryRequestIsAllowed(t *testing.T) {
	checkWorlds(t, func(t *rapid.T, _ *snapshot.Snapshot, d diagnose.Diagnosis) {
		for _, r := range d.Routes {
			for _, h := range r.Hops {
				for _, q := range h.Requests {
					decides := q.Need == route.Required || q.Need == route.Conditional
					if r.Verdict == diagnose.Healthy && decides && q.Decision != "allowed" {
						t.Errorf("%s is healthy, and %s on %s is %s", r.Of, q.Action, q.Resource, q.Decision)
					}
				}
			}
		}
	})
}

func TestEveryVerdictHasACause(t *testing.T) {
	checkWorlds(t, func(t *rapid.T, _ *snapshot.Snapshot, d diagnose.Diagnosis) {
		for _, r := range d.Routes {
			severe := func(s diagnose.Severity) bool {
				return slices.ContainsFunc(r.Findings, func(f diagnose.Finding) bool { return f.Severity == s })
			}
			switch r.Verdict {
			case diagnose.Broken:
				if !severe(diagnose.Fault) {
					t.Errorf("%s is broken without a fault", r.Of)
				}
			case diagnose.Healthy:
				if severe(diagnose.Fault) || severe(diagnose.Warning) {
					t.Errorf("%s is healthy, and has findings", r.Of)
				}
			default:
				if !severe(diagnose.Fault) && !severe(diagnose.Warning) {
					t.Errorf("%s is %s without a cause", r.Of, r.Verdict)
				}
			}
			for _, h := range r.Hops {
				named := slices.ContainsFunc(r.Findings, func(f diagnose.Finding) bool { return f.Hop == h.Hop.String() })
				if h.Verdict == diagnose.HopDenied && !named {
					t.Errorf("%s: %s is denied, and no finding says why", r.Of, h.Hop)
				}
			}
			for _, f := range r.Findings {
				if f.Message == "" || f.Document.ID == "" && !r.Of.Role.IsZero() {
					t.Errorf("%s: finding %+v says too little", r.Of, f)
				}
			}
		}
	})
}

func TestDiagnosisIsDeterministic(t *testing.T) {
	checkWorlds(t, func(t *rapid.T, s *snapshot.Snapshot, d diagnose.Diagnosis) {
		if a, b := marshal(t, d), marshal(t, diagnose.Diagnose(s, nil)); !bytes.Equal(a, b) {
			t.Errorf("two runs differ:\n%s\n%s", a, b)
		}
	})
}

func TestFindingsStayWithinTheCatalogue(t *testing.T) {
	causes := make(map[string]diagnose.Cause)
	for _, c := range diagnose.Causes() {
		causes[c.Name] = c
	}
	checkWorlds(t, func(t *rapid.T, _ *snapshot.Snapshot, d diagnose.Diagnosis) {
		all := slices.Clone(d.Findings)
		for _, r := range d.Routes {
			all = append(all, r.Findings...)
		}
		for _, f := range all {
			c, ok := causes[f.Cause]
			if !ok || !slices.Contains(c.Documents, f.Document.Kind) {
				t.Errorf("%s is found in a %s, which the catalogue does not say", f.Cause, f.Document.Kind)
			}
			if c.Side != "" && c.Side != f.Side {
				t.Errorf("%s is found on the side %s, the catalogue says %s", f.Cause, f.Side, c.Side)
			}
			if patch.Stricter(f.Remedy, c.Remedy) != f.Remedy {
				t.Errorf("%s has remedy %s, the catalogue allows %s at most", f.Cause, f.Remedy, c.Remedy)
			}
		}
	})
}
