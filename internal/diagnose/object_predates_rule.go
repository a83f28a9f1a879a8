package diagnose

import (
	"github.com/replimend/replimend/internal/patch"
	"github.com/replimend/replimend/internal/route"
	"github.com/replimend/replimend/internal/snapshot"
)

// objectPredatesRule: S3 gives an object that it is going to replicate a status when it is written. One without a status that
// the rule covers today was not covered then. Which of the reasons it is nobody can see, so that it is a deduction.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/replication-what-is-isnot-replicated.html
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/replication-status.html
var objectPredatesRule = Cause{
	Name:      "object-predates-rule",
	Group:     OfObjects,
	Summary:   "the rule covers the object now, and did not when it was written",
	Verdict:   Conditional,
	Side:      SourceSide,
	Documents: []snapshot.Kind{snapshot.ObjectKind},
	Remedy:    patch.Manual,
	Inspect: func(e *examination) []Finding {
		if len(e.samples) == 0 || e.w.Snapshot.Buckets[e.r.Source].V.Versioning.V != "Enabled" {
			return nil // without versioning nothing gets a status
		}
		var out []Finding
		skipped := func(marker bool) []*snapshot.Object {
			return e.certainly(func(o *route.Sample) bool {
				return o.DeleteMarker == marker && o.ReplicationStatus.State == snapshot.Absent && !o.Archived() && !o.Stands(&e.r) &&
					(!marker || e.r.ReplicatesDeleteMarkers())
			})
		}
		say := func(objects []*snapshot.Object, why string) {
			f := aboutObjects("object-predates-rule", Warning, e.r.Partition, objects,
				"%s no replication status, although rule %s covers %s now: %s. S3 does not replicate %s by itself, S3 Batch Replication does; what is written now is not concerned",
				verb(objects, "has", "have"), e.r.RuleID, verb(objects, "it", "them"), why, verb(objects, "it", "them"))
			f.Evidence = route.Inferred
			out = append(out, f)
		}
		if objects := skipped(false); len(objects) > 0 {
			why := "probably written before the rule"
			if _, tags := e.r.Filter(); len(tags) > 0 {
				why += ", or tagged after the upload, which does not count"
			}
			if e.r.SelectsKMS() {
				why += ", or before its opt-in to KMS objects"
			}
			say(objects, why)
		}
		if markers := skipped(true); len(markers) > 0 {
			f := aboutObjects("object-predates-rule", Warning, e.r.Partition, markers,
				"%s deleted without a replication status: probably the delete marker is older than the rule, or S3 Lifecycle made it, whose markers S3 never replicates",
				verb(markers, "was", "were"))
			f.Evidence = route.Inferred
			out = append(out, f)
		}
		return out
	},
}
