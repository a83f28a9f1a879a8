package diagnose

import (
	"github.com/replimend/replimend/internal/authz"
	"github.com/replimend/replimend/internal/patch"
	"github.com/replimend/replimend/internal/route"
	"github.com/replimend/replimend/internal/snapshot"
)

// replicaKeyActionsDisputed: with a Bucket Key in play, one page says that the replica key must allow kms:Decrypt and leaves it
// out of its own sample; another one lists kms:GenerateDataKey. Without them the route may or may not work.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/replication-config-for-kms-objects.html
var replicaKeyActionsDisputed = Cause{
	Name:      "replica-key-actions-disputed",
	Group:     OfKeys,
	Summary:   "kms:Decrypt or kms:GenerateDataKey on the replica key is missing, and AWS's pages disagree on whether S3 needs it here",
	Documents: []snapshot.Kind{snapshot.RolePolicy, snapshot.ReplicaKeyPolicy},
	Remedy:    patch.Automatic,
	Recognise: func(e *examination, d denial) (Finding, bool) {
		if d.Need != route.Conditional && !(d.raised && d.Evidence == route.Disputed) || d.Hop != route.EncryptReplica || d.decision.Outcome != authz.ImplicitDeny {
			return Finding{}, false
		}
		return d.cured(e, d.lacks(e)), true
	},
}
