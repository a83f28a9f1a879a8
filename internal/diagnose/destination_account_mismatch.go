package diagnose

import (
	"fmt"

	"github.com/replimend/replimend/internal/patch"
	"github.com/replimend/replimend/internal/route"
	"github.com/replimend/replimend/internal/snapshot"
)

// destinationAccountMismatch: the rule says whose the destination bucket is, and it belongs to somebody else. Bucket names can
// be taken over by others, so that nobody but a person may settle which of the two is right.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/replication-change-owner.html
var destinationAccountMismatch = Cause{
	Name:      "destination-account-mismatch",
	Group:     OfRules,
	Summary:   "the rule names another account than the one that owns the destination bucket",
	Verdict:   Broken,
	Side:      SourceSide,
	Documents: []snapshot.Kind{snapshot.ReplicationConfig},
	Remedy:    patch.Manual,
	Inspect: func(e *examination) []Finding {
		claimed, owner := e.r.Rule.Destination.Account, e.r.DestinationAccount
		if claimed == "" || owner == "" || claimed == owner {
			return nil
		}
		return []Finding{{
			Cause: "destination-account-mismatch", Side: SourceSide, Document: e.config(), Severity: Fault,
			Evidence: route.Documented, Remedy: patch.Manual,
			Message: fmt.Sprintf("rule %s says that bucket %s belongs to account %s, and it belongs to %s: find out whether somebody else took the name",
				e.r.RuleID, e.r.Destination, claimed, owner),
		}}
	},
}
