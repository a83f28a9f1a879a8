package diagnose

import (
	"github.com/replimend/replimend/internal/snapshot"
)

// roleLacksReadLock: the role may not read Object Lock retention or legal holds of the source.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/setting-repl-config-perm-overview.html
var roleLacksReadLock = lacksCause("role-lacks-read-lock",
	"the role may not read Object Lock retention or legal holds of the source",
	snapshot.RolePolicy, "s3:GetObjectRetention", "s3:GetObjectLegalHold")
