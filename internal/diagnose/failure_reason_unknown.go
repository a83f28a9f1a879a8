package diagnose

import (
	"fmt"

	"github.com/replimend/replimend/internal/patch"
	"github.com/replimend/replimend/internal/signal"
	"github.com/replimend/replimend/internal/snapshot"
)

// failureReasonUnknown: S3 gives a reason that is in no edition of its page that was read. The list has grown before.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/replication-failure-codes.html
var failureReasonUnknown = Cause{
	Name:      "failure-reason-unknown",
	Group:     OfReports,
	Summary:   "S3 reports a failure reason that is not known here",
	Side:      SourceSide,
	Documents: []snapshot.Kind{snapshot.ReplicationConfig},
	Remedy:    patch.Manual,
	Report: func(e *examination, s signal.Signal, _ *Reason) Finding {
		return e.reported(SourceSide, e.config(), Warning, patch.Manual,
			fmt.Sprintf("S3 reports %q for rule %s, a reason that is not known here: look it up in AWS's list of failure reasons", s.Reason, e.r.RuleID))
	},
}
