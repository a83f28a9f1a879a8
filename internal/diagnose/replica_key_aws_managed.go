package diagnose

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/replimend/replimend/internal/patch"
	"github.com/replimend/replimend/internal/route"
	"github.com/replimend/replimend/internal/snapshot"
)

// replicaKeyAWSManaged: AWS managed keys, such as aws/s3, cannot be used from another account and their policies cannot be
// changed.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/replication-config-for-kms-objects.html
var replicaKeyAWSManaged = Cause{
	Name:      "replica-key-aws-managed",
	Group:     OfKeys,
	Summary:   "the replica key is an AWS managed key, and the role or the destination bucket is of another account",
	Verdict:   Broken,
	Side:      SourceSide,
	Documents: []snapshot.Kind{snapshot.ReplicationConfig},
	Remedy:    patch.Manual,
	Inspect: func(e *examination) []Finding {
		k := e.w.Snapshot.Keys[e.r.ReplicaKey].V
		if _, ok := e.kmsPopulation(); !ok || k.Manager != "AWS" && !isS3Alias(e.r.ReplicaKeyText) {
			return nil
		}
		// Without its ARN the key is the one of the account that asks: the role's.
		owner := cmp.Or(e.r.ReplicaKey.Account, e.r.RoleAccount())
		message := fmt.Sprintf("replica key %s is an AWS managed key of account %s: it cannot be used across accounts, and no policy edit changes that", e.r.ReplicaKeyText, owner)
		switch {
		case owner != e.r.RoleAccount():
			message += fmt.Sprintf("; the role is of account %s", e.r.RoleAccount())
		case e.r.DestinationAccount != "" && owner != e.r.DestinationAccount:
			message += fmt.Sprintf("; account %s, which owns bucket %s, could not read the replicas", e.r.DestinationAccount, e.r.Destination)
		default:
			return nil
		}
		return []Finding{{
			Cause: "replica-key-aws-managed", Side: SourceSide, Document: e.config(), Severity: Fault,
			Evidence: route.Documented, Remedy: patch.Manual, Message: message,
		}}
	},
}

// isS3Alias says whether the text names the AWS managed key of S3, by its alias or the alias's ARN.
func isS3Alias(text string) bool {
	return text == "alias/aws/s3" || strings.HasSuffix(text, ":alias/aws/s3")
}
