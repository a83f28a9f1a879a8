package diagnose

import (
	"fmt"

	"github.com/replimend/replimend/internal/patch"
	"github.com/replimend/replimend/internal/route"
	"github.com/replimend/replimend/internal/snapshot"
)

// metricsNotEnabled: S3 sends failure events only for rules with replication metrics. A rule without them fails unseen.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/replication-metrics-events.html
var metricsNotEnabled = Cause{
	Name:      "metrics-not-enabled",
	Group:     OfNotice,
	Summary:   "the rule has no replication metrics, so that S3 sends no failure events",
	Verdict:   Degraded,
	Side:      SourceSide,
	Documents: []snapshot.Kind{snapshot.ReplicationConfig},
	Remedy:    patch.Manual,
	Inspect: func(e *examination) []Finding {
		if e.r.HasMetrics() {
			return nil
		}
		return []Finding{{
			Cause: "metrics-not-enabled", Side: SourceSide, Document: e.config(), Severity: Warning,
			Evidence: route.Documented, Remedy: patch.Manual,
			Message: fmt.Sprintf("rule %s has no Destination.Metrics: S3 sends no failure event for it, and nobody hears when it breaks", e.r.RuleID),
		}}
	},
}
