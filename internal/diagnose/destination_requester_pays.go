package diagnose

import (
	"fmt"

	"github.com/replimend/replimend/internal/patch"
	"github.com/replimend/replimend/internal/route"
	"github.com/replimend/replimend/internal/snapshot"
)

// destinationRequesterPays: a bucket of another account that lets the requester pay cannot be a destination.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/replication-troubleshoot.html
var destinationRequesterPays = Cause{
	Name:      "destination-requester-pays",
	Group:     OfBuckets,
	Summary:   "the destination bucket belongs to another account and lets the requester pay",
	Verdict:   Broken,
	Side:      DestinationSide,
	Documents: []snapshot.Kind{snapshot.BucketConfig},
	Remedy:    patch.Manual,
	Inspect: func(e *examination) []Finding {
		if !e.r.CrossAccount() || e.w.Snapshot.Buckets[e.r.Destination].V.RequestPayer.V != "Requester" {
			return nil
		}
		return []Finding{{
			Cause: "destination-requester-pays", Side: DestinationSide, Severity: Fault, Evidence: route.Documented, Remedy: patch.Manual,
			Document: snapshot.Ref{Kind: snapshot.BucketConfig, ID: e.r.Destination},
			Message:  fmt.Sprintf("bucket %s lets the requester pay, which S3 does not support for a destination in another account", e.r.Destination),
		}}
	},
}
