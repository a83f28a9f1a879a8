package diagnose

import (
	"github.com/replimend/replimend/internal/snapshot"
)

// roleLacksReadTags: the role may not read object tags, so that replicas arrive without them.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/setting-repl-config-perm-overview.html
var roleLacksReadTags = lacksCause("role-lacks-read-tags",
	"the role may not read object tags, so that replicas arrive without them",
	snapshot.RolePolicy, "s3:GetObjectVersionTagging")
