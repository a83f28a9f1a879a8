package diagnose

import (
	"github.com/replimend/replimend/internal/authz"
	"github.com/replimend/replimend/internal/patch"
	"github.com/replimend/replimend/internal/route"
	"github.com/replimend/replimend/internal/snapshot"
)

// replicateTagsDisputed: one page says that s3:ReplicateObject lets S3 write tags, too, another one that S3 reports
// DstPutTaggingNotPermitted where it may not. Without such a report nothing is said of it.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/setting-repl-config-perm-overview.html
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/replication-failure-codes.html
var replicateTagsDisputed = Cause{
	Name:      "replicate-tags-disputed",
	Group:     OfConditions,
	Summary:   "S3 reports that it may not write tags, and s3:ReplicateTags, which s3:ReplicateObject should imply, is missing",
	Documents: []snapshot.Kind{snapshot.RolePolicy, snapshot.DestinationBucketPolicy},
	Remedy:    patch.Approval,
	Recognise: func(e *examination, d denial) (Finding, bool) {
		if d.Need != route.Conditional || d.Request.Action != "s3:ReplicateTags" || d.decision.Outcome != authz.ImplicitDeny {
			return Finding{}, false
		}
		return d.cured(e, d.lacks(e)), true
	},
}
