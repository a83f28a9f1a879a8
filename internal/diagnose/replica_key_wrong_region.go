package diagnose

import (
	"fmt"

	"github.com/replimend/replimend/internal/patch"
	"github.com/replimend/replimend/internal/route"
	"github.com/replimend/replimend/internal/snapshot"
)

// replicaKeyWrongRegion: the replica's key must be in the destination bucket's Region; S3 accepts another one and then fails.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/replication-config-for-kms-objects.html
var replicaKeyWrongRegion = Cause{
	Name:      "replica-key-wrong-region",
	Summary:   "the replica key is not in the destination bucket's Region",
	Verdict:   Broken,
	Side:      SourceSide,
	Documents: []snapshot.Kind{snapshot.ReplicationConfig},
	Remedy:    patch.Manual,
	Inspect: func(e *examination) []Finding {
		key := e.r.ReplicaKey
		if _, ok := e.kmsPopulation(); !ok || !e.replicaKeyElsewhere() {
			return nil
		}
		return []Finding{{
			Cause: "replica-key-wrong-region", Side: SourceSide, Document: e.config(), Severity: Fault,
			Evidence: route.Documented, Remedy: patch.Manual, Hop: route.EncryptReplica.String(),
			Message: fmt.Sprintf("rule %s encrypts replicas with %s of %s, but bucket %s is in %s", e.r.RuleID, key, key.Region, e.r.Destination, e.r.DestinationRegion),
		}}
	},
}

// replicaKeyElsewhere says whether the rule's key is certainly in another Region than the destination bucket.
func (e *examination) replicaKeyElsewhere() bool {
	key := e.r.ReplicaKey
	return !key.IsZero() && e.r.DestinationRegion != "" && key.Region != e.r.DestinationRegion
}
