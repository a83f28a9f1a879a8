package guard

import (
	"slices"
	"strings"

	"github.com/replimend/replimend/internal/snapshot"
)

// trustAdmitsOthers: what the role is granted, everybody is granted who may assume it. Where that is more than S3, a person
// decides whether the others may have it, too.
var trustAdmitsOthers = Rule{
	Name:    "trust-admits-others",
	Summary: "nothing is automatic for a role that others than S3 may assume",
	judge: func(q *inquiry) []objection {
		role, ok := q.snapshot.Roles[q.route.Role].Get()
		if !ok || role.Trust.State != snapshot.Present {
			return []objection{refuse("who may assume the role is not known")}
		}
		others := slices.DeleteFunc(admitted(role.Trust.V), func(who string) bool { return !isOther(who) })
		if len(others) == 0 {
			return nil
		}
		return []objection{ask("the role can also be assumed by %s, who would be granted the same", strings.Join(others, ", "))}
	},
}
