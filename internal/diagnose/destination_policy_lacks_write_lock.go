package diagnose

import "github.com/replimend/replimend/internal/snapshot"

// destinationPolicyLacksWriteLock: the counterpart of roleLacksWriteLock in the bucket of another account.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/replication-failure-codes.html
var destinationPolicyLacksWriteLock = lacksCause("destination-policy-lacks-write-lock",
	"S3 reports that it may not write the replica's lock, and the destination bucket of another account does not let the role; AWS's pages disagree on whether it must",
	snapshot.DestinationBucketPolicy, writeRetention, writeLegalHold)
