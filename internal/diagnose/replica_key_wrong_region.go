package diagnose

import (
	"fmt"
	"strings"

	"github.com/replimend/replimend/internal/patch"
	"github.com/replimend/replimend/internal/policy"
	"github.com/replimend/replimend/internal/route"
	"github.com/replimend/replimend/internal/snapshot"
)

// replicaKeyWrongRegion: the replica's key must be in the destination bucket's Region; S3 accepts another one and then fails.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/replication-config-for-kms-objects.html
var replicaKeyWrongRegion = Cause{
	Name:      "replica-key-wrong-region",
	Group:     OfKeys,
	Summary:   "the replica key is not in the destination bucket's Region",
	Verdict:   Broken,
	Documents: []snapshot.Kind{snapshot.ReplicationConfig, snapshot.BucketConfig},
	Remedy:    patch.Manual,
	Inspect: func(e *examination) []Finding {
		var out []Finding
		found := func(side Side, document snapshot.Ref, message string) {
			out = append(out, Finding{
				Cause: "replica-key-wrong-region", Side: side, Document: document, Severity: Fault,
				Evidence: route.Documented, Remedy: patch.Manual, Hop: route.EncryptReplica.String(), Message: message,
			})
		}
		if _, ok := e.kmsPopulation(); ok && e.elsewhereThanReplicas(e.r.ReplicaKey) {
			key := e.r.ReplicaKey
			found(SourceSide, e.config(), fmt.Sprintf("rule %s encrypts replicas with %s of %s, but bucket %s is in %s",
				e.r.RuleID, key, key.Region, e.r.Destination, e.r.DestinationRegion)+e.related(key))
		}
		if e.hasPlaintext() {
			if _, key, _ := e.defaultKey(); e.elsewhereThanReplicas(key) {
				found(DestinationSide, snapshot.Ref{Kind: snapshot.BucketConfig, ID: e.r.Destination}, fmt.Sprintf(
					"the replicas of objects without encryption get the default key %s of %s, but bucket %s is in %s", key, key.Region, e.r.Destination, e.r.DestinationRegion))
			}
		}
		return out
	},
}

// elsewhereThanReplicas says whether a key is certainly in another Region than the destination bucket.
func (e *examination) elsewhereThanReplicas(key policy.ARN) bool {
	return !key.IsZero() && e.r.DestinationRegion != "" && key.Region != e.r.DestinationRegion
}

// related says which ARN the rule needs where the key is a multi-Region key. S3 treats each of its replicas as a key of its own.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/replication-config-for-kms-objects.html
func (e *examination) related(key policy.ARN) string {
	if !strings.HasPrefix(key.Resource, "key/mrk-") {
		return ""
	}
	key.Region = e.r.DestinationRegion
	switch e.w.Snapshot.Keys[key].State {
	case snapshot.Present:
		return fmt.Sprintf("; S3 takes a multi-Region key for the key of one Region: the rule must name %s, whose key policy is its own", key)
	case snapshot.Absent:
		return fmt.Sprintf("; its related key %s does not exist", key)
	default:
		return fmt.Sprintf("; the related key would be %s, of which this snapshot does not know whether it exists", key)
	}
}
