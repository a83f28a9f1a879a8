package diagnose

import (
	"github.com/replimend/replimend/internal/patch"
	"github.com/replimend/replimend/internal/route"
	"github.com/replimend/replimend/internal/snapshot"
)

// objectIsReplica: what one rule wrote no other rule takes further, so that a chain of buckets ends after its first link.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/replication-what-is-isnot-replicated.html
var objectIsReplica = Cause{
	Name:      "object-is-replica",
	Group:     OfObjects,
	Summary:   "the object is a replica itself, which S3 does not replicate on",
	Verdict:   Conditional,
	Side:      SourceSide,
	Documents: []snapshot.Kind{snapshot.ObjectKind},
	Remedy:    patch.Manual,
	Inspect: func(e *examination) []Finding {
		objects := e.certainly(func(o *route.Sample) bool { return o.ReplicationStatus.V == route.Replica })
		if len(objects) == 0 {
			return nil
		}
		severity := Warning
		format := "%s replicated here by another rule: S3 does not replicate %s on to %s by rule %s. Objects that are written here directly are not concerned; S3 Batch Replication can send replicas on"
		if c := e.r.Rule.SourceSelectionCriteria; c != nil && c.ReplicaModifications.On() {
			// https://docs.aws.amazon.com/AmazonS3/latest/userguide/replication-for-metadata-changes.html
			severity = Advice
			format = "%s replicated here by another rule: only later changes of metadata, tags and ACL of %s go to %s by rule %s, which has ReplicaModifications, and never the object"
		}
		return []Finding{aboutObjects("object-is-replica", severity, e.r.Partition, objects, format,
			verb(objects, "was", "were"), verb(objects, "it", "them"), e.r.Destination, e.r.RuleID)}
	},
}
