package diagnose

import (
	"github.com/replimend/replimend/internal/authz"
	"github.com/replimend/replimend/internal/patch"
	"github.com/replimend/replimend/internal/route"
	"github.com/replimend/replimend/internal/snapshot"
)

// sourceKeyContextDisputed: the destination bucket has its Bucket Key on and the source object has none. The page says that
// the encryption context is then the bucket's ARN, and leaves open whether that holds for the source key too.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/replication-config-for-kms-objects.html
var sourceKeyContextDisputed = Cause{
	Name:      "source-key-context-disputed",
	Group:     OfKeys,
	Summary:   "with a Bucket Key at the destination only, AWS does not say which encryption context the source key sees",
	Side:      SourceSide,
	Documents: []snapshot.Kind{snapshot.RolePolicy, snapshot.SourceKeyPolicy},
	Remedy:    patch.Automatic,
	Recognise: func(e *examination, d denial) (Finding, bool) {
		if d.Need != route.Conditional && !(d.raised && d.Evidence == route.Disputed) || d.Hop != route.DecryptSource || d.decision.Outcome != authz.ImplicitDeny {
			return Finding{}, false
		}
		return d.cured(e, d.lacks(e)), true
	},
}
