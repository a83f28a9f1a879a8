package diagnose

import (
	"github.com/replimend/replimend/internal/signal"
	"github.com/replimend/replimend/internal/snapshot"
)

// roleLacksWriteLock: S3 reports that it may not write the replica's retention or legal hold. The table of failure reasons names
// the permission, the page on permissions does not.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/replication-failure-codes.html
var roleLacksWriteLock = lacksCause("role-lacks-write-lock",
	"S3 reports that it may not write the replica's lock, and the role has no permission to; AWS's pages disagree on whether it needs one",
	snapshot.RolePolicy, writeRetention, writeLegalHold)

// The permissions that the failure reasons of a replica's lock name.
const (
	writeRetention = "s3:PutObjectRetention"
	writeLegalHold = "s3:PutObjectLegalHold"
)

// lockWrite is the permission that the first event with such a reason names, or "".
func lockWrite(failures []signal.Signal) string {
	for i := range failures {
		switch failures[i].Reason {
		case "DstPutRetentionNotPermitted":
			return writeRetention
		case "DstPutLegalHoldNotPermitted":
			return writeLegalHold
		}
	}
	return ""
}
