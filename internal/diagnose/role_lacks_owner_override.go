package diagnose

import (
	"fmt"

	"github.com/replimend/replimend/internal/route"
	"github.com/replimend/replimend/internal/snapshot"
)

// roleLacksOwnerOverride: the role may not hand the replica to the destination's owner.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/replication-change-owner.html
var roleLacksOwnerOverride = lacksCause("role-lacks-owner-override",
	"the role may not hand the replica to the destination's owner",
	snapshot.RolePolicy, "s3:ObjectOwnerOverrideToBucketOwner")

// withoutOverride says that the rule asks for a permission that the destination's setting makes needless: without ACLs the bucket's
// owner owns the replicas anyway. That a rule with the override still needs the permission is what the page says of the override.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/replication-change-owner.html
func (d denial) withoutOverride(e *examination) string {
	if d.Hop != route.OwnReplica || e.w.Snapshot.Buckets[e.r.Destination].V.Ownership.V != "BucketOwnerEnforced" {
		return ""
	}
	return fmt.Sprintf("; bucket %s has ACLs disabled (BucketOwnerEnforced), so that rule %s could do without AccessControlTranslation and this permission", e.r.Destination, e.r.RuleID)
}
