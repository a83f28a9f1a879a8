package guard

import (
	"slices"

	"github.com/replimend/replimend/internal/snapshot"
)

// roleTrust: who may assume a role is the most that can be given away, so a route opts in to repairs of it, a person is asked
// each time, and a role that lets in others is left alone.
var roleTrust = Rule{
	Name:    "role-trust",
	Summary: "a trust policy is edited only where the route opts in, and never without asking",
	judge: func(q *inquiry) []objection {
		var out []objection
		for _, e := range q.plan.Edits {
			if e.Document.Kind != snapshot.RoleTrust {
				continue
			}
			switch {
			case q.approved == nil || !q.approved.Allow.RoleTrust:
				out = append(out, refuse("the route does not allow edits of the role's trust policy"))
			case slices.ContainsFunc(admitted(e.Before.V), isOther):
				out = append(out, refuse("the trust policy lets in others than S3: it is for people to edit"))
			default:
				out = append(out, ask("the edit changes who may assume the role"))
			}
		}
		return out
	},
}

func isOther(who string) bool { return !slices.Contains(replicationServices, who) }
