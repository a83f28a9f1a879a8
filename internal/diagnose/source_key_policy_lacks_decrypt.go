package diagnose

import (
	"github.com/replimend/replimend/internal/snapshot"
)

// sourceKeyPolicyLacksDecrypt: the source key's policy neither names the role nor delegates to its account.
// https://docs.aws.amazon.com/kms/latest/developerguide/key-policies.html
var sourceKeyPolicyLacksDecrypt = lacksCause("source-key-policy-lacks-decrypt",
	"the source key's policy neither names the role nor delegates to its account",
	snapshot.SourceKeyPolicy, "kms:Decrypt")
