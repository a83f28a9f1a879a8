package diagnose

import (
	"github.com/replimend/replimend/internal/snapshot"
)

// destinationPolicyLacksReplicateObject: the destination bucket of another account does not let the role write replicas.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/setting-repl-config-perm-overview.html
var destinationPolicyLacksReplicateObject = lacksCause("destination-policy-lacks-replicate-object",
	"the destination bucket of another account does not let the role write replicas",
	snapshot.DestinationBucketPolicy, "s3:ReplicateObject")
