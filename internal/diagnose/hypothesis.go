package diagnose

import (
	"slices"

	"github.com/replimend/replimend/internal/authz"
	"github.com/replimend/replimend/internal/route"
)

// The sentences of what is asked only because something was reported.
const (
	hypothesis = ". Objects fail and nothing that S3 certainly needs is missing: this is the only thing that it may be missing. AWS's pages disagree " +
		"on whether it is needed here, so that this is the leading hypothesis, not a certainty"
	impliedHypothesis = ". S3 reports that objects fail exactly here. AWS's pages disagree on whether they do, so that this is the leading " +
		"hypothesis, not a certainty"
)

// hypothesise makes what is disputed the leading hypothesis where objects do fail and nothing that is certainly needed is missing.
// Before, it is a warning that may concern nobody.
func (e *examination) hypothesise() {
	if e.access != nil || !e.failing() || e.explained() {
		return
	}
	// What one page lists and a test did without comes last: only when nothing else is disputed, and S3 reports the failure. A sample
	// stays FAILED after every cure, so that it alone would take back what a cure proved.
	for _, need := range []route.Need{route.Conditional, route.Advisory} {
		if need == route.Advisory && len(e.told.failures) == 0 {
			break
		}
		raised := false
		for i := range e.asked {
			a := &e.asked[i]
			if a.Need == need && a.Evidence == route.Disputed && !a.raised && a.isDenied() && e.blamed(a.Hop) {
				a.raise(route.Conditional, hypothesis)
				a.leading = true
				raised = true
			}
		}
		if raised {
			return
		}
	}
	for i := range e.asked {
		a := &e.asked[i]
		if (a.Need == route.DenyOnly || a.Need == route.Partial) && a.isDenied() && e.blamedAlone(a.Hop) {
			a.raise(route.Conditional, impliedHypothesis)
			a.Evidence, a.leading = route.Disputed, true
		}
	}
}

func (a *asked) isDenied() bool {
	return a.decision.Outcome == authz.ImplicitDeny || a.decision.Outcome == authz.ExplicitDeny
}

// failing says whether objects of the route are known to fail: by an event, or as a sample.
func (e *examination) failing() bool {
	return len(e.told.failures) > 0 || slices.ContainsFunc(e.populations, func(p route.Population) bool { return p.Failed })
}

// explained says whether something that S3 certainly needs is missing, or may be for all that is known.
func (e *examination) explained() bool {
	return slices.ContainsFunc(e.findings, func(f Finding) bool { return f.Severity == Fault }) ||
		slices.ContainsFunc(e.asked, func(a asked) bool { return a.Need == route.Required && a.decision.Outcome != authz.Allowed })
}

// blamed says whether what is reported can come from that hop. Without a reason that is known, everything can.
func (e *examination) blamed(h route.Hop) bool {
	return len(e.told.failures) == 0 || e.blamedBy(func(r *Reason) bool { return r == nil || slices.Contains(r.Hops, h) })
}

// blamedAlone says whether a reason means that hop and no other.
func (e *examination) blamedAlone(h route.Hop) bool {
	return e.blamedBy(func(r *Reason) bool {
		return r != nil && len(r.Hops) == 1 && r.Hops[0] == h && h != route.WriteDeleteMarker
	})
}

func (e *examination) blamedBy(is func(r *Reason) bool) bool {
	for _, s := range e.told.failures {
		r, _ := reasonOf(s.Reason)
		if is(r) {
			return true
		}
	}
	return false
}
