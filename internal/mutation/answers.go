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
}

// answersOf asks everything that S3 asks in that world.
func answersOf(s *snapshot.Snapshot) map[string]answer {
	out := make(map[string]answer)
	w := route.NewWorld(s)
	for _, r := range route.Routes(s) {
		for _, p := range route.Populations(s, r, "") {
			for _, q := range route.Requirements(w, r, p) {
				a := answer{q, authz.Decide(&q.Request, &q.Layers).Outcome}
				if q.Instead != "" && a.outcome != authz.Allowed && a.outcome != authz.ExplicitDeny {
					instead := q.Request
					instead.Action = q.Instead
					if authz.Decide(&instead, &q.Layers).Outcome == authz.Allowed {
						a.outcome = authz.Allowed
					}
				}
				context, _ := q.Request.Context.Values("kms:EncryptionContext:aws:s3:arn")
				key := strings.Join([]string{r.RuleID, q.Hop.String(), q.Request.Action, q.Request.Resource.String(), strings.Join(context, " "), string(q.Need)}, "|")
				out[key] = a
			}
		}
	}
	return out
}

func sortedAnswers(all map[string]answer) []string { return slices.Sorted(maps.Keys(all)) }

// hurt says whether the answer takes something from the route: a permission that another one implies is lost only to a Deny.
func (a answer) hurt() bool {
	switch a.outcome {
	case authz.Allowed:
		return false
	case authz.ExplicitDeny:
		return true
	default:
		return a.Need != route.DenyOnly
	}
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
