package diagnose

import (
	"fmt"

	"github.com/replimend/replimend/internal/patch"
	"github.com/replimend/replimend/internal/route"
	"github.com/replimend/replimend/internal/snapshot"
)

// ruleShadowed: of the rules that cover an object and write to one bucket S3 takes the one with the highest priority. A rule
// whose every object such a rule covers takes none, so that nothing about it can fail.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_ReplicationRule.html
var ruleShadowed = Cause{
	Name:      "rule-shadowed",
	Group:     OfRules,
	Summary:   "a rule of higher priority takes every object of this one to the same destination",
	Side:      SourceSide,
	Documents: []snapshot.Kind{snapshot.ReplicationConfig},
	Remedy:    patch.None,
	Inspect: func(e *examination) []Finding {
		if len(e.populations) > 0 || e.rules == nil {
			return nil
		}
		above := e.rules.Above(&e.r)
		if above == nil {
			return nil
		}
		return []Finding{{
			Cause: "rule-shadowed", Side: SourceSide, Document: e.config(), Severity: Advice, Evidence: route.Documented, Remedy: patch.None,
			Message: fmt.Sprintf("rule %s (priority %d) covers everything that rule %s (priority %d) covers and writes to the same bucket %s: S3 replicates by the higher priority, so that rule %s takes nothing",
				above.RuleID, above.Rule.Priority, e.r.RuleID, e.r.Rule.Priority, e.r.Destination, e.r.RuleID),
		}}
	},
}
