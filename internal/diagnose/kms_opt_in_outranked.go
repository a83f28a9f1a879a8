package diagnose

import (
	"fmt"

	"github.com/replimend/replimend/internal/patch"
	"github.com/replimend/replimend/internal/route"
	"github.com/replimend/replimend/internal/snapshot"
)

// kmsOptInOutranked: two rules cover the same KMS objects and write to the same bucket; only the one of lower priority opts in to
// them. AWS calls the opt-in an additional filter, and says nowhere whether priority is decided before or after it: either the
// higher rule takes the objects and skips them, or the lower one replicates them.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_SourceSelectionCriteria.html
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_ReplicationRule.html
var kmsOptInOutranked = Cause{
	Name:      "kms-opt-in-outranked",
	Group:     OfRules,
	Summary:   "a rule without the opt-in to KMS objects outranks one with it, and AWS does not say which of them counts",
	Verdict:   Conditional,
	Side:      SourceSide,
	Documents: []snapshot.Kind{snapshot.ReplicationConfig},
	Remedy:    patch.Manual,
	Inspect: func(e *examination) []Finding {
		high, low := e.outranked()
		if low == "" {
			return nil
		}
		return []Finding{{
			Cause: "kms-opt-in-outranked", Side: SourceSide, Document: e.config(), Severity: Warning, Evidence: route.Inferred, Remedy: patch.Manual,
			Message: fmt.Sprintf("rules %s and %s cover the same KMS objects and write to the same bucket %s; rule %s has the higher priority and does not opt in to KMS objects. AWS does not say which of the two counts: S3 either skips these objects in silence or replicates them by rule %s",
				high, low, e.r.Destination, high, low),
		}}
	},
}

// outranked is the two rules between which AWS leaves open who takes the KMS objects, empty without any.
func (e *examination) outranked() (high, low string) {
	if e.rules == nil || len(e.rules.Enabled) < 2 {
		return "", ""
	}
	for i := range e.samples {
		if o := &e.samples[i]; o.Claim == route.OptInOutranked && o.Stands(&e.r) {
			if e.r.SelectsKMS() {
				return o.Other, e.r.RuleID
			}
			return e.r.RuleID, o.Other
		}
	}
	for i := range e.populations {
		if p := &e.populations[i]; !p.Unsure() || !p.Default {
			continue
		}
		if e.r.SelectsKMS() {
			return e.rules.Above(&e.r).RuleID, e.r.RuleID
		}
		return e.r.RuleID, e.rules.OptInBelow(&e.r).RuleID
	}
	return "", ""
}
