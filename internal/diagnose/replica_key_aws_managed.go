package diagnose

import (
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
	Summary:   "the replica key is an AWS managed key, and the route crosses accounts",
	Verdict:   Broken,
	Side:      SourceSide,
	Documents: []snapshot.Kind{snapshot.ReplicationConfig},
	Remedy:    patch.Manual,
	Inspect: func(e *examination) []Finding {
		if _, ok := e.kmsPopulation(); !ok || !e.r.CrossAccount() {
			return nil
		}
		k, ok := e.w.Snapshot.Keys[e.r.ReplicaKey].Get()
		managed := ok && k.Manager == "AWS"
		ours := !e.r.ReplicaKey.IsZero() && e.r.ReplicaKey.Account == e.r.SourceAccount
		if !managed && !isS3Alias(e.r.ReplicaKeyText) {
			return nil
		}
		message := fmt.Sprintf("replica key %s is an AWS managed key: it cannot be used across accounts, and no policy edit changes that", e.r.ReplicaKeyText)
		if ours {
			message += "; it belongs to the source's account, so that the destination could not read the replicas"
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
