package diagnose

import "github.com/replimend/replimend/internal/snapshot"

// keyPolicyLacksDecrypt: the key policy neither names the role or user nor delegates to its account.
// https://repost.aws/knowledge-center/cross-account-access-denied-error-s3
var keyPolicyLacksDecrypt = accessLacks("key-policy-lacks-decrypt",
	"the key's policy neither names the reader nor delegates to its account",
	"kms:Decrypt", snapshot.KeyPolicy)
