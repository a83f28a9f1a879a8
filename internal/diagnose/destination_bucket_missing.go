package diagnose

import (
	"fmt"

	"github.com/replimend/replimend/internal/patch"
	"github.com/replimend/replimend/internal/route"
	"github.com/replimend/replimend/internal/snapshot"
)

// destinationBucketMissing: the bucket does not exist. Nobody may re-create it without thought: whoever registers the name
// next receives the replicas.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/replication-metrics-events.html
var destinationBucketMissing = Cause{
	Name:      "destination-bucket-missing",
	Group:     OfBuckets,
	Summary:   "the destination bucket does not exist",
	Verdict:   Broken,
	Side:      DestinationSide,
	Documents: []snapshot.Kind{snapshot.BucketConfig},
	Remedy:    patch.Manual,
	Inspect: func(e *examination) []Finding {
		if e.w.Snapshot.Buckets[e.r.Destination].State != snapshot.Absent {
			return nil
		}
		return []Finding{{
			Cause: "destination-bucket-missing", Side: DestinationSide, Severity: Fault, Evidence: route.Documented, Remedy: patch.Manual,
			Document: snapshot.Ref{Kind: snapshot.BucketConfig, ID: e.r.Destination},
			Message:  fmt.Sprintf("destination bucket %s does not exist; find out who deleted it before anybody else takes the name", e.r.Destination),
		}}
	},
}
