package diagnose

import (
	"github.com/replimend/replimend/internal/snapshot"
)

// destinationPolicyLacksReplicateDelete: the destination bucket of another account does not let the role replicate delete markers.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/delete-marker-replication.html
var destinationPolicyLacksReplicateDelete = lacksCause("destination-policy-lacks-replicate-delete",
	"the destination bucket of another account does not let the role replicate delete markers",
	snapshot.DestinationBucketPolicy, "s3:ReplicateDelete")
