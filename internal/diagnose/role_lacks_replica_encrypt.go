package diagnose

import (
	"github.com/replimend/replimend/internal/authz"
	"github.com/replimend/replimend/internal/patch"
	"github.com/replimend/replimend/internal/route"
	"github.com/replimend/replimend/internal/snapshot"
)

// roleLacksReplicaEncrypt: the role may not encrypt with the replica key. The same action may be asked of both keys, so that the hop tells.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/replication-config-for-kms-objects.html
var roleLacksReplicaEncrypt = Cause{
	Name:      "role-lacks-replica-encrypt",
	Group:     OfTheRole,
	Summary:   "the role may not encrypt with the replica key",
	Side:      SourceSide,
	Documents: []snapshot.Kind{snapshot.RolePolicy},
	Remedy:    patch.Automatic,
	Recognise: func(e *examination, d denial) (Finding, bool) {
		if d.Hop != route.EncryptReplica || d.layer != authz.LayerIdentity || d.decision.Outcome != authz.ImplicitDeny {
			return Finding{}, false
		}
		return d.cured(e, d.lacks(e)), true
	},
}
