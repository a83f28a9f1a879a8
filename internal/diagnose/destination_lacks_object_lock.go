package diagnose

import (
	"fmt"

	"github.com/replimend/replimend/internal/patch"
	"github.com/replimend/replimend/internal/route"
	"github.com/replimend/replimend/internal/snapshot"
)

// destinationLacksObjectLock: where the source has Object Lock, the destination must have it too. Switching it on cannot be
// undone, so that only people do.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/replication-metrics-events.html
var destinationLacksObjectLock = Cause{
	Name:      "destination-lacks-object-lock",
	Group:     OfBuckets,
	Summary:   "the source bucket has Object Lock and the destination bucket has not",
	Verdict:   Broken,
	Side:      DestinationSide,
	Documents: []snapshot.Kind{snapshot.BucketConfig},
	Remedy:    patch.Manual,
	Inspect: func(e *examination) []Finding {
		source := e.w.Snapshot.Buckets[e.r.Source].V.ObjectLock.V
		destination, ok := e.w.Snapshot.Buckets[e.r.Destination].Get()
		if source.ObjectLockEnabled != "Enabled" || !ok || destination.ObjectLock.State == snapshot.Missing ||
			destination.ObjectLock.V.ObjectLockEnabled == "Enabled" {
			return nil
		}
		return []Finding{{
			Cause: "destination-lacks-object-lock", Side: DestinationSide, Severity: Fault, Evidence: route.Documented, Remedy: patch.Manual,
			Document: snapshot.Ref{Kind: snapshot.BucketConfig, ID: e.r.Destination},
			Message: fmt.Sprintf("bucket %s has Object Lock and bucket %s has not: S3 does not replicate from the one to the other",
				e.r.Source, e.r.Destination),
		}}
	},
}
