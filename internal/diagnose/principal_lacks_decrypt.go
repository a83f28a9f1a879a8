package diagnose

import "github.com/replimend/replimend/internal/snapshot"

// principalLacksDecrypt: no policy of the role or user lets it decrypt. S3 answers AccessDenied and seldom names KMS.
// Uploads in parts decrypt, too: https://repost.aws/knowledge-center/s3-large-file-encryption-kms-key
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingKMSEncryption.html
var principalLacksDecrypt = accessLacks("principal-lacks-decrypt",
	"no policy of the reader, or of who uploads in parts, allows kms:Decrypt on the key",
	"kms:Decrypt", snapshot.RolePolicy, snapshot.UserPolicy)
