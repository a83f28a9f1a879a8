package diagnose

import (
	"fmt"

	"github.com/replimend/replimend/internal/patch"
	"github.com/replimend/replimend/internal/route"
	"github.com/replimend/replimend/internal/snapshot"
)

// missedThresholdNotNotified: somebody pays for S3 Replication Time Control and asks for no event when it is missed.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/replication-metrics-events.html
var missedThresholdNotNotified = Cause{
	Name:      "missed-threshold-not-notified",
	Group:     OfNotice,
	Summary:   "the rule has S3 Replication Time Control, and nobody is notified when an object misses it",
	Side:      SourceSide,
	Documents: []snapshot.Kind{snapshot.BucketConfig},
	Remedy:    patch.None,
	Inspect: func(e *examination) []Finding {
		n := e.w.Snapshot.Buckets[e.r.Source].V.Notifications
		if !e.timed() || n.State == snapshot.Missing || e.r.Told(n.V, "s3:Replication:OperationMissedThreshold") {
			return nil
		}
		return []Finding{{
			Cause: "missed-threshold-not-notified", Side: SourceSide, Severity: Advice, Evidence: route.Documented, Remedy: patch.None,
			Document: snapshot.Ref{Kind: snapshot.BucketConfig, ID: e.r.Source},
			Message: fmt.Sprintf("rule %s has S3 Replication Time Control, and no notification of bucket %s asks for s3:Replication:OperationMissedThreshold: "+
				"an object that takes longer than 15 minutes is late unheard", e.r.RuleID, e.r.Source),
		}}
	},
}
