package diagnose

import (
	"fmt"

	"github.com/replimend/replimend/internal/authz"
	"github.com/replimend/replimend/internal/patch"
	"github.com/replimend/replimend/internal/snapshot"
)

// explicitDeny: a Deny applies. Somebody wrote it, and no edit here removes or weakens one.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic_AccessPolicyLanguage_Interplay.html
var explicitDeny = Cause{
	Name:      "explicit-deny",
	Summary:   "a Deny statement applies; removing it is for its owner",
	Documents: []snapshot.Kind{snapshot.RolePolicy, snapshot.RoleTrust, snapshot.PermissionsBoundary, snapshot.SourceBucketPolicy, snapshot.DestinationBucketPolicy, snapshot.SourceKeyPolicy, snapshot.ReplicaKeyPolicy, snapshot.SCP, snapshot.RCP},
	Remedy:    patch.Manual,
	Recognise: func(e *examination, d denial) (Finding, bool) {
		if d.decision.Outcome != authz.ExplicitDeny {
			return Finding{}, false
		}
		return d.finding(e, fmt.Sprintf("statement %s of %s denies %s on %s: only its owner may change it",
			d.reason.Statement, d.reason.Document, d.Request.Action, d.Request.Resource)), true
	},
}
