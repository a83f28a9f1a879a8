package mutation

import (
	"maps"
	"slices"
	"strings"

	"github.com/replimend/replimend/internal/authz"
	"github.com/replimend/replimend/internal/route"
	"github.com/replimend/replimend/internal/snapshot"
)

// answer is one request of S3 with what the evaluator says, without the catalogue of causes between.
type answer struct {
	route.Requirement
	outcome authz.Outcome
	kinds   []route.Population // of objects that its rule takes
	of      []int              // those of kinds that ask it
	rule    string
}

// answersOf asks everything that S3 asks in that world.
func answersOf(s *snapshot.Snapshot) map[string]answer {
	out := make(map[string]answer)
	w := route.NewWorld(s)
	for _, r := range route.Routes(s) {
		writersAnswers(w, r, out)
		kinds := w.Judged(&r, "")
		for i, p := range kinds {
			for _, q := range route.Requirements(w, r, p) {
				a := answer{Requirement: q, outcome: authz.Decide(&q.Request, &q.Layers).Outcome, kinds: kinds, rule: r.RuleID + " " + r.Destination}
				if q.Instead != "" && a.outcome != authz.Allowed && a.outcome != authz.ExplicitDeny {
					instead := q.Request
					instead.Action = q.Instead
					if authz.Decide(&instead, &q.Layers).Outcome == authz.Allowed {
						a.outcome = authz.Allowed
					}
				}
				context, _ := q.Request.Context.Values(encryptionContext)
				header, _ := q.Request.Context.Values("s3:x-amz-server-side-encryption")
				key := strings.Join([]string{
					a.rule, q.Hop.String(), q.Request.Action, q.Request.Resource.String(), strings.Join(context, " "), string(q.Need), strings.Join(header, " "),
				}, "|")
				a.of = append(out[key].of, i)
				out[key] = a
			}
		}
	}
	return out
}

// writersAnswers asks what the services need that deliver logs into a source bucket.
func writersAnswers(w *route.World, r route.Route, out map[string]answer) {
	for _, writer := range route.Writers(w, r) {
		for _, q := range writer.Requests {
			key := strings.Join([]string{"writer", r.Source, q.Request.Principal.Name, q.Request.Action, q.Request.Resource.String()}, "|")
			out[key] = answer{Requirement: q, outcome: authz.Decide(&q.Request, &q.Layers).Outcome}
		}
	}
}

// ofWriter says whether a request is made by a service that delivers logs.
func ofWriter(q *route.Requirement) bool {
	return q.Request.Principal.Kind == authz.Service && q.Request.Action != "sts:AssumeRole"
}

func sortedAnswers(all map[string]answer) []string { return slices.Sorted(maps.Keys(all)) }

// hurt says whether the answer takes something from the route: a permission that another one implies is lost only to a Deny.
func (a answer) hurt() bool {
	if a.outcome == authz.Unknown && ofWriter(&a.Requirement) {
		return false // it depends on the trail or detector, and nothing is said of it
	}
	switch a.outcome {
	case authz.Allowed:
		return false
	case authz.ExplicitDeny:
		return true
	default:
		return a.Need != route.DenyOnly
	}
}

// settled says whether objects certainly fail for want of that answer, among everything that is lost: each kind of which it is
// sure that the rule takes it needs this answer, or some other one that is certainly lost. Otherwise it depends on which
// kind is meant.
func (a answer) settled(all []answer) bool {
	fails := make([]bool, len(a.kinds))
	for _, o := range all {
		if o.rule == a.rule && o.Need == route.Required && o.outcome != authz.Unknown {
			for _, i := range o.of {
				fails[i] = true
			}
		}
	}
	sure, passes := false, false
	for i, k := range a.kinds {
		sure = sure || !k.Unsure()
		passes = passes || !k.Unsure() && !fails[i]
	}
	return sure && (!passes || len(a.of) == len(a.kinds))
}

// someArrive says whether of some kind of objects, of which it is sure that the rule takes it, nothing that it needs is lost or
// open: then it depends on which kind is meant.
func (a answer) someArrive(all []answer) bool {
	for i, k := range a.kinds {
		needs := func(o answer) bool { return o.rule == a.rule && o.Need == route.Required && slices.Contains(o.of, i) }
		if !k.Unsure() && !slices.ContainsFunc(all, needs) {
			return true
		}
	}
	return false
}

// lost is the keys of what hurts now and did not before.
func lost(before, after map[string]answer) []string {
	var out []string
	for _, key := range sortedAnswers(after) {
		if b, ok := before[key]; after[key].hurt() && !(ok && b.hurt()) {
			out = append(out, key)
		}
	}
	return out
}
