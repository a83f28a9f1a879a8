package diagnose

import (
	"fmt"
	"slices"

	"github.com/replimend/replimend/internal/patch"
	"github.com/replimend/replimend/internal/route"
	"github.com/replimend/replimend/internal/snapshot"
)

// destinationBlocksSSEC: a bucket that blocks SSE-C refuses replicas of SSE-C objects. It is the default of new buckets since
// April 2026.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/blocking-unblocking-s3-c-encryption-gpb.html
var destinationBlocksSSEC = Cause{
	Name:      "destination-blocks-sse-c",
	Group:     OfBuckets,
	Summary:   "the destination bucket blocks SSE-C, and the objects are encrypted with it",
	Verdict:   Broken,
	Side:      DestinationSide,
	Documents: []snapshot.Kind{snapshot.BucketConfig},
	Remedy:    patch.Manual,
	Inspect: func(e *examination) []Finding {
		ssec := func(p route.Population) bool { return p.Encryption == route.SSEC }
		if !slices.ContainsFunc(e.populations, ssec) {
			return nil
		}
		for _, rule := range e.w.Snapshot.Buckets[e.r.Destination].V.Encryption.V.Rules {
			if b := rule.BlockedEncryptionTypes; b != nil && slices.Contains(b.EncryptionType, route.SSEC) {
				return []Finding{{
					Cause: "destination-blocks-sse-c", Side: DestinationSide, Severity: Fault, Evidence: route.Documented, Remedy: patch.Manual,
					Document: snapshot.Ref{Kind: snapshot.BucketConfig, ID: e.r.Destination},
					Message:  fmt.Sprintf("bucket %s blocks SSE-C, and replicas of SSE-C objects keep that encryption", e.r.Destination),
				}}
			}
		}
		return nil
	},
}
