package diagnose

import (
	"github.com/replimend/replimend/internal/snapshot"
)

// roleLacksReplicateDelete: the role may not replicate delete markers, which the rule asks for.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/delete-marker-replication.html
var roleLacksReplicateDelete = lacksCause("role-lacks-replicate-delete",
	"the role may not replicate delete markers, which the rule asks for",
	snapshot.RolePolicy, "s3:ReplicateDelete")
