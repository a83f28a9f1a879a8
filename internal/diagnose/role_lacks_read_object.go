package diagnose

import (
	"github.com/replimend/replimend/internal/snapshot"
)

// roleLacksReadObject: the role may not read source objects for replication.
// For KMS objects s3:GetObjectVersion does not serve in place of s3:GetObjectVersionForReplication.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/replication-config-for-kms-objects.html
var roleLacksReadObject = lacksCause("role-lacks-read-object",
	"the role may not read source objects for replication",
	snapshot.RolePolicy, "s3:GetObjectVersionForReplication", "s3:GetObjectVersionAcl")
