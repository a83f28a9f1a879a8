package diagnose

import "github.com/replimend/replimend/internal/snapshot"

// bucketPolicyLacksGetObject: a reader of another account needs the bucket policy as well as its own.
// https://repost.aws/knowledge-center/cross-account-access-denied-error-s3
var bucketPolicyLacksGetObject = accessLacks("bucket-policy-lacks-get-object",
	"the reader is of another account, and the bucket policy does not let it read",
	"s3:GetObject", snapshot.BucketPolicy)
