package diagnose

import (
	"github.com/replimend/replimend/internal/snapshot"
)

// destinationPolicyLacksOwnerOverride: the destination bucket of another account does not let the role change the owner.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/replication-change-owner.html
var destinationPolicyLacksOwnerOverride = lacksCause("destination-policy-lacks-owner-override",
	"the destination bucket of another account does not let the role change the owner",
	snapshot.DestinationBucketPolicy, "s3:ObjectOwnerOverrideToBucketOwner")
