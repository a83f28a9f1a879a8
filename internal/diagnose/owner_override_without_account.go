package diagnose

import (
	"fmt"

	"github.com/replimend/replimend/internal/patch"
	"github.com/replimend/replimend/internal/route"
	"github.com/replimend/replimend/internal/snapshot"
)

// ownerOverrideWithoutAccount: with AccessControlTranslation the rule must say whose the destination bucket is. S3 refuses to
// configure less, so that what it would do is written nowhere.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_Destination.html
var ownerOverrideWithoutAccount = Cause{
	Name:      "owner-override-without-account",
	Group:     OfReplicas,
	Summary:   "the rule changes the replicas' owner and does not name the destination's account",
	Verdict:   Conditional,
	Side:      SourceSide,
	Documents: []snapshot.Kind{snapshot.ReplicationConfig},
	Remedy:    patch.Manual,
	Inspect: func(e *examination) []Finding {
		if !e.r.OwnerOverride() || e.r.Rule.Destination.Account != "" {
			return nil
		}
		return []Finding{{
			Cause: "owner-override-without-account", Side: SourceSide, Document: e.config(), Severity: Warning,
			Evidence: route.Documented, Remedy: patch.Manual,
			Message: fmt.Sprintf("rule %s has AccessControlTranslation without Destination.Account: it must name the account that owns bucket %s", e.r.RuleID, e.r.Destination),
		}}
	},
}
