package diagnose

import (
	"fmt"

	"github.com/replimend/replimend/internal/patch"
	"github.com/replimend/replimend/internal/policy"
	"github.com/replimend/replimend/internal/route"
	"github.com/replimend/replimend/internal/snapshot"
)

// replicaKeyUnresolved: the key is configured by an alias that the snapshot does not settle, in the rule or, for objects
// without encryption, as the destination bucket's default. S3 stores what it is given without checking it.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/replication-config-for-kms-objects.html
var replicaKeyUnresolved = Cause{
	Name:      "replica-key-unresolved",
	Group:     OfKeys,
	Summary:   "the key of the replicas is not known, or an alias that nobody could resolve",
	Verdict:   Unknown,
	Documents: []snapshot.Kind{snapshot.ReplicationConfig, snapshot.BucketConfig},
	Remedy:    patch.Manual,
	Inspect: func(e *examination) []Finding {
		f := Finding{
			Cause: "replica-key-unresolved", Side: SourceSide, Document: e.config(), Severity: Warning,
			Evidence: route.Documented, Remedy: patch.Manual,
		}
		var out []Finding
		if _, ok := e.kmsPopulation(); ok && e.r.ReplicaKeyText != "" && e.r.ReplicaKey.IsZero() && len(replicaKeyAWSManaged.Inspect(e)) == 0 {
			f.Message = fmt.Sprintf("rule %s names the replica key as %q, which no key of the snapshot answers to; a key ARN settles it", e.r.RuleID, e.r.ReplicaKeyText)
			out = append(out, f)
		}
		if !e.hasPlaintext() || e.w.Snapshot.Buckets[e.r.Destination].State == snapshot.Absent {
			return out
		}
		if text, key, known := e.defaultKey(); !known || text != "" && key.IsZero() {
			f.Side, f.Document = DestinationSide, snapshot.Ref{Kind: snapshot.BucketConfig, ID: e.r.Destination}
			f.Message = fmt.Sprintf("replicas of objects without encryption take the default of bucket %s, which is not in the snapshot", e.r.Destination)
			if known {
				f.Message = fmt.Sprintf("replicas of objects without encryption take the default key of bucket %s, %s, which no key of the snapshot answers to", e.r.Destination, text)
			}
			out = append(out, f)
		}
		return out
	},
}

func (e *examination) defaultKey() (text string, key policy.ARN, known bool) {
	text, key, _, known = e.w.DefaultKey(&e.r)
	return text, key, known
}
