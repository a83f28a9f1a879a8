package diagnose

import "github.com/replimend/replimend/internal/snapshot"

// bucketPolicyLacksPutObject: a writer of another account needs the bucket policy as well as its own.
// https://repost.aws/knowledge-center/cross-account-access-denied-error-s3
var bucketPolicyLacksPutObject = accessLacks("bucket-policy-lacks-put-object",
	"the writer is of another account, and the bucket policy does not let it write",
	"s3:PutObject", snapshot.BucketPolicy)
