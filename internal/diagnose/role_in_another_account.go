package diagnose

import (
	"fmt"

	"github.com/replimend/replimend/internal/patch"
	"github.com/replimend/replimend/internal/route"
	"github.com/replimend/replimend/internal/snapshot"
)

// roleInAnotherAccount: who writes a replication configuration passes the role to S3, and a role can be passed inside its own
// account only. That S3 therefore cannot work with the role of another account is deduced: no page on replication says it.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_passrole.html
var roleInAnotherAccount = Cause{
	Name:      "role-in-another-account",
	Group:     OfTheRole,
	Summary:   "the role is not of the source bucket's account, inside which alone it could be passed to S3",
	Verdict:   Conditional,
	Side:      SourceSide,
	Documents: []snapshot.Kind{snapshot.ReplicationConfig},
	Remedy:    patch.Manual,
	Inspect: func(e *examination) []Finding {
		if e.r.Role.IsZero() || e.r.SourceAccount == "" || e.r.Role.Account == e.r.SourceAccount {
			return nil
		}
		return []Finding{{
			Cause: "role-in-another-account", Side: SourceSide, Document: e.config(), Severity: Warning,
			Evidence: route.Inferred, Remedy: patch.Manual,
			Message: fmt.Sprintf("role %s is of account %s, and bucket %s of account %s: a role can be passed to a service of its own account only, so that S3 probably cannot use it; "+
				"no page on replication says so, and only a role of account %[4]s is certain", e.r.RoleText, e.r.Role.Account, e.r.Source, e.r.SourceAccount),
		}}
	},
}
