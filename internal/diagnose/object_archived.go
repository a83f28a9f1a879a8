package diagnose

import (
	"github.com/replimend/replimend/internal/patch"
	"github.com/replimend/replimend/internal/route"
	"github.com/replimend/replimend/internal/snapshot"
)

// objectArchived: S3 replicates nothing from its archives, neither live nor in a batch, until the object is restored and copied
// to another storage class. An object can have FAILED first and been archived later.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/replication-what-is-isnot-replicated.html
var objectArchived = Cause{
	Name:      "object-archived",
	Group:     OfObjects,
	Summary:   "the object is archived, and S3 replicates nothing from an archive",
	Verdict:   Conditional,
	Side:      SourceSide,
	Documents: []snapshot.Kind{snapshot.ObjectKind},
	Remedy:    patch.Manual,
	Inspect: func(e *examination) []Finding {
		if len(e.samples) == 0 {
			return nil
		}
		var out []Finding
		notDone := func(o *route.Sample) bool {
			return !o.DeleteMarker && o.ReplicationStatus.V != route.Completed && o.ReplicationStatus.V != route.Replica
		}
		archived := e.certainly(func(o *route.Sample) bool { return notDone(o) && o.Archived() })
		if len(archived) > 0 {
			out = append(out, aboutObjects("object-archived", Warning, e.r.Partition, archived,
				"%s in storage class %s: S3 does not replicate %s by rule %s, nor by S3 Batch Replication, before %s restored and copied to another class. Objects that are not archived are not concerned",
				verb(archived, "is", "are"), archived[0].StorageClass, verb(archived, "it", "them"), e.r.RuleID, verb(archived, "it is", "they are")))
		}
		hidden := e.certainly(func(o *route.Sample) bool {
			return notDone(o) && o.StorageClass == "INTELLIGENT_TIERING" && o.ReplicationStatus.V != route.Pending
		})
		if len(hidden) > 0 {
			f := aboutObjects("object-archived", Advice, e.r.Partition, hidden,
				"%s in INTELLIGENT_TIERING: if %s moved to one of its archive tiers, which the storage class does not show, S3 does not replicate %s; HeadObject says so as ArchiveStatus",
				verb(hidden, "is", "are"), verb(hidden, "it has", "they have"), verb(hidden, "it", "them"))
			f.Remedy = patch.Manual
			out = append(out, f)
		}
		return out
	},
}
