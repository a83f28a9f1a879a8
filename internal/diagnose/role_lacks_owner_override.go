package diagnose

import (
	"github.com/replimend/replimend/internal/snapshot"
)

// roleLacksOwnerOverride: the role may not hand the replica to the destination's owner.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/replication-change-owner.html
var roleLacksOwnerOverride = lacksCause("role-lacks-owner-override",
	"the role may not hand the replica to the destination's owner",
	snapshot.RolePolicy, "s3:ObjectOwnerOverrideToBucketOwner")
