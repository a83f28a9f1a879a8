package guard

import (
	"strings"

	"github.com/replimend/replimend/internal/policy"
	"github.com/replimend/replimend/internal/snapshot"
)

// awsManaged: AWS writes the policies of its managed keys and of service-linked and reserved roles; nobody else can.
// https://docs.aws.amazon.com/kms/latest/developerguide/concepts.html#aws-managed-cmk
// https://docs.aws.amazon.com/IAM/latest/UserGuide/using-service-linked-roles.html
var awsManaged = Rule{
	Name:    "aws-managed",
	Summary: "what AWS manages is not edited",
	judge: func(q *inquiry) []objection {
		var out []objection
		for _, e := range q.plan.Edits {
			arn, _ := policy.ParseARN(e.Document.ID) // a bucket has none
			switch e.Document.Kind {
			case snapshot.SourceKeyPolicy, snapshot.ReplicaKeyPolicy:
				if key, ok := q.snapshot.Keys[arn].Get(); !ok || key.Manager != "CUSTOMER" {
					out = append(out, refuse("%s is not known to be a customer managed key", e.Document.ID))
				}
			case snapshot.RolePolicy, snapshot.RoleTrust:
				if strings.HasPrefix(arn.Resource, "role/aws-service-role/") || strings.HasPrefix(arn.Resource, "role/aws-reserved/") {
					out = append(out, refuse("%s is a role that AWS manages", arn))
				}
			default:
			}
		}
		return out
	},
}
