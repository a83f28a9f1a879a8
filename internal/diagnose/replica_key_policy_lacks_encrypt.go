package diagnose

import (
	"github.com/replimend/replimend/internal/snapshot"
)

// replicaKeyPolicyLacksEncrypt: the replica key's policy neither names the role nor delegates to its account.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/replication-config-for-kms-objects.html
var replicaKeyPolicyLacksEncrypt = lacksCause("replica-key-policy-lacks-encrypt",
	"the replica key's policy neither names the role nor delegates to its account",
	snapshot.ReplicaKeyPolicy, "kms:Encrypt", "kms:GenerateDataKey", "kms:Decrypt")
