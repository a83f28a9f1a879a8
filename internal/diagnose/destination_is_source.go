package diagnose

import (
	"fmt"

	"github.com/replimend/replimend/internal/patch"
	"github.com/replimend/replimend/internal/route"
	"github.com/replimend/replimend/internal/snapshot"
)

// destinationIsSource: PutBucketReplication refuses a rule that writes into its own bucket, so that such a rule comes from a file
// that nobody applied. What S3 would do with it is written nowhere.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketReplication.html
var destinationIsSource = Cause{
	Name:      "destination-is-source",
	Group:     OfRules,
	Summary:   "the rule's destination is the source bucket itself",
	Verdict:   Broken,
	Side:      SourceSide,
	Documents: []snapshot.Kind{snapshot.ReplicationConfig},
	Remedy:    patch.Manual,
	Inspect: func(e *examination) []Finding {
		if e.r.Destination != e.r.Source {
			return nil
		}
		return []Finding{{
			Cause: "destination-is-source", Side: SourceSide, Document: e.config(), Severity: Fault,
			Evidence: route.Inferred, Remedy: patch.Manual,
			Message: fmt.Sprintf("rule %s replicates bucket %s into itself, which S3 refuses to configure", e.r.RuleID, e.r.Source),
		}}
	},
}
