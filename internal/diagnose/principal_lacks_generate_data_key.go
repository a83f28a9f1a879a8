package diagnose

import "github.com/replimend/replimend/internal/snapshot"

// principalLacksGenerateDataKey: no policy of the role or user lets it encrypt new objects.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingKMSEncryption.html
var principalLacksGenerateDataKey = accessLacks("principal-lacks-generate-data-key",
	"no policy of the writer allows kms:GenerateDataKey on the key",
	"kms:GenerateDataKey", snapshot.RolePolicy, snapshot.UserPolicy)
