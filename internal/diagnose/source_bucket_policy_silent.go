package diagnose

import (
	"fmt"

	"github.com/replimend/replimend/internal/authz"
	"github.com/replimend/replimend/internal/patch"
	"github.com/replimend/replimend/internal/snapshot"
)

// sourceBucketPolicySilent: the role belongs to another account than the source bucket, whose policy would have to let it in.
// S3's set-up has the role in the bucket owner's account, so that a person looks at which of the two is wrong.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/setting-repl-config-perm-overview.html
var sourceBucketPolicySilent = Cause{
	Name:      "source-bucket-policy-silent",
	Group:     OfBuckets,
	Summary:   "the role belongs to another account than the source bucket, whose policy does not let it in",
	Side:      SourceSide,
	Documents: []snapshot.Kind{snapshot.SourceBucketPolicy},
	Remedy:    patch.Manual,
	Recognise: func(e *examination, d denial) (Finding, bool) {
		if d.decision.Outcome != authz.ImplicitDeny || d.ref(e).Kind != snapshot.SourceBucketPolicy {
			return Finding{}, false
		}
		return d.finding(e, fmt.Sprintf("role %s is not of account %s, which owns bucket %s, and the bucket's policy does not allow it %s",
			e.r.RoleText, e.r.SourceAccount, e.r.Source, d.Request.Action)), true
	},
}
