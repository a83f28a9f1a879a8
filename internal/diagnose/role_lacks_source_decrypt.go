package diagnose

import (
	"github.com/replimend/replimend/internal/authz"
	"github.com/replimend/replimend/internal/patch"
	"github.com/replimend/replimend/internal/route"
	"github.com/replimend/replimend/internal/snapshot"
)

// roleLacksSourceDecrypt: the role may not decrypt with the source objects' key. The same action may be asked of both keys, so that the hop tells.
// The event says SrcGetObjectNotPermitted or DstPutObjectNotPermitted and never names KMS.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/replication-config-for-kms-objects.html
var roleLacksSourceDecrypt = Cause{
	Name:      "role-lacks-source-decrypt",
	Group:     OfTheRole,
	Summary:   "the role may not decrypt with the source objects' key",
	Side:      SourceSide,
	Documents: []snapshot.Kind{snapshot.RolePolicy},
	Remedy:    patch.Automatic,
	Recognise: func(e *examination, d denial) (Finding, bool) {
		if d.Hop != route.DecryptSource || d.layer != authz.LayerIdentity || d.decision.Outcome != authz.ImplicitDeny {
			return Finding{}, false
		}
		return d.cured(e, d.lacks(e)), true
	},
}
