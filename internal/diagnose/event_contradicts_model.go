package diagnose

import (
	"fmt"
	"slices"

	"github.com/replimend/replimend/internal/authz"
	"github.com/replimend/replimend/internal/patch"
	"github.com/replimend/replimend/internal/route"
	"github.com/replimend/replimend/internal/signal"
	"github.com/replimend/replimend/internal/snapshot"
)

// eventContradictsModel: S3 says that objects of the rule fail, and the model finds nothing that certainly denies. Then what
// AWS's pages dispute is the best guess, and the message says that it is one.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/replication-metrics-events.html
var eventContradictsModel = Cause{
	Name:      "event-contradicts-model",
	Summary:   "S3 reports a failure that the documents do not explain",
	Verdict:   Conditional,
	Side:      SourceSide,
	Documents: []snapshot.Kind{snapshot.ReplicationConfig},
	Remedy:    patch.Manual,
}

// contradiction adds the finding; it needs all others to be there.
func (e *examination) contradiction() {
	isFault := func(f Finding) bool { return f.Severity == Fault }
	if e.hint == nil || e.hint.Kind != signal.Failed || slices.ContainsFunc(e.findings, isFault) {
		return
	}
	f := Finding{
		Cause: eventContradictsModel.Name, Side: SourceSide, Document: e.config(), Severity: Warning,
		Evidence: route.Inferred, Remedy: patch.Manual,
		Message: fmt.Sprintf("S3 reports %s for rule %s, but nothing in these documents certainly denies: they may have changed since, or the object differs from %s",
			reasonOf(e.hint), e.r.RuleID, e.standsFor()),
	}
	for i := range e.asked {
		if a := &e.asked[i]; a.Evidence == route.Disputed && a.decision.Outcome != authz.Allowed {
			f.Message += fmt.Sprintf("; the leading hypothesis, not a certainty, is that S3 needs %s on %s after all", a.Request.Action, a.Request.Resource)
		}
	}
	e.add(f)
}

func reasonOf(h *signal.Signal) string {
	if h.Reason == "" {
		return "a failure"
	}
	return h.Reason
}
