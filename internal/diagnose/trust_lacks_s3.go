package diagnose

import (
	"github.com/replimend/replimend/internal/authz"
	"github.com/replimend/replimend/internal/patch"
	"github.com/replimend/replimend/internal/route"
	"github.com/replimend/replimend/internal/snapshot"
)

// trustLacksS3: the role's trust policy does not let S3 assume it. The cure adds exactly the service's statement, and only a
// person may agree to it.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/setting-repl-config-perm-overview.html
var trustLacksS3 = Cause{
	Name:      "trust-lacks-s3",
	Group:     OfTheRole,
	Summary:   "the role's trust policy does not let s3.amazonaws.com assume the role",
	Side:      SourceSide,
	Documents: []snapshot.Kind{snapshot.RoleTrust},
	Remedy:    patch.Approval,
	Recognise: func(e *examination, d denial) (Finding, bool) {
		if d.Hop != route.AssumeRole || d.decision.Outcome != authz.ImplicitDeny || d.layer != authz.LayerResource {
			return Finding{}, false
		}
		message := "the trust policy of role " + e.r.RoleText + " does not let s3.amazonaws.com assume it"
		if d.reason.Miss != nil {
			message += ": statement " + d.reason.Statement + " " + d.reason.Text
		}
		return d.cured(e, message), true
	},
}
