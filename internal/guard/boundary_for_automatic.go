package guard

import (
	"slices"

	"github.com/replimend/replimend/internal/patch"
	"github.com/replimend/replimend/internal/policy"
	"github.com/replimend/replimend/internal/settings"
	"github.com/replimend/replimend/internal/snapshot"
)

// boundaryForAutomatic: what goes wrong when a role's policy is written without asking must stay within what somebody set as
// the role's most. A route can waive that, and then the verdict says so.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_boundaries.html
var boundaryForAutomatic = Rule{
	Name:    "boundary-for-automatic",
	Summary: "a role's policy is edited without asking only within a permissions boundary",
	judge: func(q *inquiry) []objection {
		if q.approved == nil || q.approved.Mode != settings.Automatic {
			return nil
		}
		if !slices.ContainsFunc(q.plan.Edits, func(e patch.Edit) bool { return e.Document.Kind == snapshot.RolePolicy }) {
			return nil
		}
		return q.unless(q.approved.Allow.NoBoundary, "noBoundary", q.unbounded())
	},
}

// unbounded is what is wrong with the boundary of the route's role.
func (q *inquiry) unbounded() []objection {
	boundary := q.snapshot.Roles[q.route.Role].V.Boundary
	switch {
	case boundary.State == snapshot.Missing:
		return []objection{ask("whether role %s has a permissions boundary is not known", q.route.Role)}
	case boundary.State == snapshot.Absent:
		return []objection{ask("role %s has no permissions boundary, which mode automatic wants before it edits a role's policy", q.route.Role)}
	case boundless(boundary.V.Document):
		return []objection{ask("the permissions boundary %s of role %s allows everything", boundary.V.ARN, q.route.Role)}
	}
	return nil
}

// boundless says whether a boundary bounds nothing: it allows everything and denies nothing.
func boundless(d policy.Document) bool {
	everything := false
	for _, s := range d.Statements {
		if s.Effect == policy.Deny {
			return false
		}
		everything = everything || len(s.Conditions) == 0 && all(s.Action) && all(s.Resource)
	}
	return everything
}

func all(s policy.StringSet) bool {
	return !s.Not && slices.ContainsFunc(s.Values, func(v string) bool { return v == "*" || v == "*:*" })
}
