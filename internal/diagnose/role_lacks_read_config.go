package diagnose

import (
	"github.com/replimend/replimend/internal/snapshot"
)

// roleLacksReadConfig: the role may not read the source bucket's replication configuration or list the bucket.
// S3 reads the rule and, for delete markers, lists the bucket as the role.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/setting-repl-config-perm-overview.html
var roleLacksReadConfig = lacksCause("role-lacks-read-config",
	"the role may not read the source bucket's replication configuration or list the bucket",
	snapshot.RolePolicy, "s3:GetReplicationConfiguration", "s3:ListBucket")
