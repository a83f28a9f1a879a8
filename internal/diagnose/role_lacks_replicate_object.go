package diagnose

import (
	"github.com/replimend/replimend/internal/snapshot"
)

// roleLacksReplicateObject: the role may not write replicas to the destination bucket.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/setting-repl-config-perm-overview.html
var roleLacksReplicateObject = lacksCause("role-lacks-replicate-object",
	"the role may not write replicas to the destination bucket",
	snapshot.RolePolicy, "s3:ReplicateObject")
