package diagnose

import (
	"fmt"

	"github.com/replimend/replimend/internal/patch"
	"github.com/replimend/replimend/internal/route"
	"github.com/replimend/replimend/internal/snapshot"
)

// failureNotificationMissing: failure events go to SQS, SNS and Lambda only, and only where the bucket asks for them.
// EventBridge never receives them.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/replication-metrics-events.html
var failureNotificationMissing = Cause{
	Name:      "failure-notification-missing",
	Group:     OfNotice,
	Summary:   "the source bucket notifies nobody of failed replication",
	Verdict:   Degraded,
	Side:      SourceSide,
	Documents: []snapshot.Kind{snapshot.BucketConfig},
	Remedy:    patch.Manual,
	Inspect: func(e *examination) []Finding {
		n := e.w.Snapshot.Buckets[e.r.Source].V.Notifications
		if n.State == snapshot.Missing || e.r.Told(n.V, route.FailureEvent) {
			return nil
		}
		return []Finding{{
			Cause: "failure-notification-missing", Side: SourceSide, Severity: Warning, Evidence: route.Documented, Remedy: patch.Manual,
			Document: snapshot.Ref{Kind: snapshot.BucketConfig, ID: e.r.Source},
			Message: fmt.Sprintf("no notification of bucket %s asks for %s of every key that rule %s covers; EventBridge does not carry it",
				e.r.Source, route.FailureEvent, e.r.RuleID),
		}}
	},
}
