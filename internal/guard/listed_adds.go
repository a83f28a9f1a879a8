package guard

import (
	"cmp"
	"slices"

	"github.com/replimend/replimend/internal/patch"
	"github.com/replimend/replimend/internal/policy"
	"github.com/replimend/replimend/internal/snapshot"
)

// listedAdds: what an edit says that it adds is what people approve, so it must be exactly what its statements grant.
var listedAdds = Rule{
	Name:    "listed-adds",
	Summary: "an edit lists exactly the permissions that it grants",
	judge: func(q *inquiry) []objection {
		var out []objection
		for _, e := range q.plan.Edits {
			var granted, listed []patch.Tuple
			for _, s := range added(e) {
				granted = append(granted, q.tuples(e, s)...)
			}
			for _, t := range e.Adds {
				t[2] = subject(e, t[2])
				listed = append(listed, t)
			}
			granted, listed = sorted(granted), sorted(listed)
			for _, t := range granted {
				if !slices.Contains(listed, t) {
					out = append(out, refuse("%s: the edit grants %s on %s to %s and does not list it", e.Document, t[1], t[2], t[0]))
				}
			}
			for _, t := range listed {
				if !slices.Contains(granted, t) {
					out = append(out, refuse("%s: the edit lists %s on %s to %s and does not grant it", e.Document, t[1], t[2], t[0]))
				}
			}
		}
		return out
	},
}

// tuples is every permission of a statement.
func (q *inquiry) tuples(e patch.Edit, s policy.Statement) []patch.Tuple {
	principals := []string{q.route.RoleText}
	if s.Principal != nil {
		principals = nil
		for _, p := range s.Principal.Values {
			principals = append(principals, p.Value)
		}
	}
	resources := s.Resource.Values
	if e.Document.Kind == snapshot.RoleTrust {
		resources = []string{""}
	}
	var out []patch.Tuple
	for _, p := range principals {
		for _, action := range s.Action.Values {
			for _, resource := range resources {
				out = append(out, patch.Tuple{p, action, subject(e, resource)})
			}
		}
	}
	return out
}

// subject is the resource of a permission: in a trust policy the role, in a key policy * is the key.
func subject(e patch.Edit, resource string) string {
	switch e.Document.Kind {
	case snapshot.RoleTrust:
		if resource == "" {
			return e.Document.ID
		}
	case snapshot.SourceKeyPolicy, snapshot.ReplicaKeyPolicy:
		if resource == "*" {
			return e.Document.ID
		}
	default:
	}
	return resource
}

func sorted(tuples []patch.Tuple) []patch.Tuple {
	slices.SortFunc(tuples, func(a, b patch.Tuple) int {
		return cmp.Or(cmp.Compare(a[0], b[0]), cmp.Compare(a[1], b[1]), cmp.Compare(a[2], b[2]))
	})
	return slices.Compact(tuples)
}
