package guard

import (
	"slices"

	"github.com/replimend/replimend/internal/patch"
	"github.com/replimend/replimend/internal/policy"
	"github.com/replimend/replimend/internal/snapshot"
)

// The services that may assume a replication role: S3 to replicate, and S3 Batch Operations to replay with the same role.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/setting-repl-config-perm-overview.html
var replicationServices = []string{"s3.amazonaws.com", "batchoperations.s3.amazonaws.com"}

// exactPrincipal: a grant names the route's role by its ARN and nobody else: no account, no wildcard, no unique id. Only a
// trust policy names services, the two of replication.
var exactPrincipal = Rule{
	Name:    "exact-principal",
	Summary: "a grant names the route's role, and a trust policy the services of replication",
	judge: func(q *inquiry) []objection {
		return q.each(func(e patch.Edit, s policy.Statement, name string) []objection {
			switch {
			case e.Document.Kind == snapshot.RolePolicy:
				if s.Principal != nil {
					return []objection{refuse("%s: a role's policy names no principal", name)}
				}
				return nil
			case s.Principal == nil || s.Principal.Not:
				return []objection{refuse("%s: want a principal that is named", name)}
			}
			var out []objection
			for _, p := range s.Principal.Values {
				if !q.mayName(e.Document.Kind, p) {
					out = append(out, refuse("%s: principal %q is not the role of this route or a service of replication", name, trusted(p)))
				}
			}
			return out
		})
	},
}

func (q *inquiry) mayName(kind snapshot.Kind, p policy.Principal) bool {
	if kind != snapshot.RoleTrust {
		role := q.route.Role
		return p.Kind == policy.PrincipalAWS && !role.IsZero() && !role.HasWildcard() && p.Value == role.String()
	}
	approved := q.approved != nil && slices.Contains(q.approved.Role.Trust, p.Value)
	return p.Kind == policy.PrincipalService && slices.Contains(replicationServices, p.Value) && approved
}
