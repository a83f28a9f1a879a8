package diagnose

import "github.com/replimend/replimend/internal/snapshot"

// principalLacksGetObject: no policy of the role or user lets it read.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-with-s3-policy-actions.html
var principalLacksGetObject = accessLacks("principal-lacks-get-object",
	"no policy of the reader allows s3:GetObject",
	"s3:GetObject", snapshot.RolePolicy, snapshot.UserPolicy)
