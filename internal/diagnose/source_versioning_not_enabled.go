package diagnose

import (
	"fmt"

	"github.com/replimend/replimend/internal/patch"
	"github.com/replimend/replimend/internal/route"
	"github.com/replimend/replimend/internal/snapshot"
)

// sourceVersioningNotEnabled: without versioning nothing of the bucket replicates, and no event says so.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/replication-requirements.html
var sourceVersioningNotEnabled = Cause{
	Name:      "source-versioning-not-enabled",
	Group:     OfBuckets,
	Summary:   "versioning of the source bucket is suspended or was never enabled",
	Verdict:   Broken,
	Side:      SourceSide,
	Documents: []snapshot.Kind{snapshot.BucketConfig},
	Remedy:    patch.Manual,
	Inspect: func(e *examination) []Finding {
		return e.versioning("source-versioning-not-enabled", SourceSide, e.r.Source, "nothing of it replicates, and no event says so")
	},
}

func (e *examination) versioning(cause string, side Side, bucket, effect string) []Finding {
	b, ok := e.w.Snapshot.Buckets[bucket].Get()
	if !ok || b.Versioning.State == snapshot.Missing || b.Versioning.V == "Enabled" {
		return nil
	}
	state := b.Versioning.V
	if state == "" {
		state = "never enabled"
	}
	return []Finding{{
		Cause: cause, Side: side, Severity: Fault, Evidence: route.Documented, Remedy: patch.Manual,
		Document: snapshot.Ref{Kind: snapshot.BucketConfig, ID: bucket},
		Message:  fmt.Sprintf("versioning of bucket %s is not enabled (%s): %s", bucket, state, effect),
	}}
}
