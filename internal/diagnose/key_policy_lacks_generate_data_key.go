package diagnose

import "github.com/replimend/replimend/internal/snapshot"

// keyPolicyLacksGenerateDataKey: the key policy neither names the role or user nor delegates to its account.
// https://repost.aws/knowledge-center/cross-account-access-denied-error-s3
var keyPolicyLacksGenerateDataKey = accessLacks("key-policy-lacks-generate-data-key",
	"the key's policy neither names the writer nor delegates to its account",
	"kms:GenerateDataKey", snapshot.KeyPolicy)
