package diagnose

import "github.com/replimend/replimend/internal/snapshot"

// principalLacksPutObject: no policy of the role or user lets it write.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-with-s3-policy-actions.html
var principalLacksPutObject = accessLacks("principal-lacks-put-object",
	"no policy of the writer allows s3:PutObject",
	"s3:PutObject", snapshot.RolePolicy, snapshot.UserPolicy)
