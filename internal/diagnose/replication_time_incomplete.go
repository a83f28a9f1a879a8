package diagnose

import (
	"fmt"
	"strings"

	"github.com/replimend/replimend/internal/patch"
	"github.com/replimend/replimend/internal/route"
	"github.com/replimend/replimend/internal/snapshot"
)

// replicationTimeIncomplete: S3 Replication Time Control goes with metrics, and both know one threshold only.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_ReplicationTimeValue.html
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/replication-time-control.html
var replicationTimeIncomplete = Cause{
	Name:      "replication-time-incomplete",
	Group:     OfRules,
	Summary:   "the rule has S3 Replication Time Control without its metrics, or with another threshold than 15 minutes",
	Verdict:   Degraded,
	Side:      SourceSide,
	Documents: []snapshot.Kind{snapshot.ReplicationConfig},
	Remedy:    patch.Manual,
	Inspect: func(e *examination) []Finding {
		if !e.timed() {
			return nil
		}
		d := e.r.Rule.Destination
		var faults []string
		if t := d.ReplicationTime.Time; t == nil || t.Minutes != thresholdMinutes {
			faults = append(faults, "ReplicationTime.Time.Minutes is not 15")
		}
		if d.Metrics == nil || d.Metrics.Status != "Enabled" {
			faults = append(faults, "Metrics is not Enabled")
		} else if t := d.Metrics.EventThreshold; t == nil || t.Minutes != thresholdMinutes {
			faults = append(faults, "Metrics.EventThreshold.Minutes is not 15")
		}
		if faults == nil {
			return nil
		}
		return []Finding{{
			Cause: "replication-time-incomplete", Side: SourceSide, Document: e.config(), Severity: Warning,
			Evidence: route.Documented, Remedy: patch.Manual,
			Message: fmt.Sprintf("rule %s has S3 Replication Time Control, but %s: nobody hears of objects that take longer", e.r.RuleID, strings.Join(faults, ", and ")),
		}}
	},
}

// thresholdMinutes is the only threshold that S3 knows.
const thresholdMinutes = 15

// timed says whether the rule has S3 Replication Time Control.
func (e *examination) timed() bool {
	t := e.r.Rule.Destination.ReplicationTime
	return t != nil && t.Status == "Enabled"
}
