package diagnose

import (
	"fmt"

	"github.com/replimend/replimend/internal/patch"
	"github.com/replimend/replimend/internal/route"
	"github.com/replimend/replimend/internal/snapshot"
)

// replicaOwnedBySource: across accounts, without the owner override and with ACLs enabled at the destination, the owner of the
// source object owns the replica. It arrives, and the destination's account may be unable to open it.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/replication-change-owner.html
// https://github.com/aws-solutions/workload-discovery-on-aws/issues/59
var replicaOwnedBySource = Cause{
	Name:      "replica-owned-by-source",
	Group:     OfReplicas,
	Summary:   "replicas in another account's bucket belong to the source's account, which the bucket's owner may be unable to open",
	Verdict:   Degraded,
	Side:      SourceSide,
	Documents: []snapshot.Kind{snapshot.ReplicationConfig},
	Remedy:    patch.Manual,
	Inspect: func(e *examination) []Finding {
		ownership := e.w.Snapshot.Buckets[e.r.Destination].V.Ownership
		if !e.r.CrossAccount() || e.r.OwnerOverride() || ownership.State == snapshot.Missing || ownership.V == "BucketOwnerEnforced" {
			return nil
		}
		return []Finding{{
			Cause: "replica-owned-by-source", Side: SourceSide, Document: e.config(), Severity: Warning,
			Evidence: route.Documented, Remedy: patch.Manual,
			Message: fmt.Sprintf("rule %s does not change the owner, and bucket %s has ACLs enabled: the replicas belong to the owner of the source objects, so that account %s may be unable to open them; "+
				"set AccessControlTranslation in the rule, or BucketOwnerEnforced on bucket %[2]s, which needs no permission", e.r.RuleID, e.r.Destination, e.r.DestinationAccount),
		}}
	},
}
