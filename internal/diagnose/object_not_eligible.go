package diagnose

import (
	"github.com/replimend/replimend/internal/patch"
	"github.com/replimend/replimend/internal/signal"
	"github.com/replimend/replimend/internal/snapshot"
)

// objectNotEligible: the storage class or the tags of the object kept S3 from replicating it. What a rule selects is for people.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/replication-what-is-isnot-replicated.html
var objectNotEligible = Cause{
	Name:      "object-not-eligible",
	Group:     OfReports,
	Summary:   "S3 reports that the object's storage class or tags exclude it from the rule",
	Side:      SourceSide,
	Documents: []snapshot.Kind{snapshot.ObjectKind},
	Remedy:    patch.Manual,
	Report: func(e *examination, s signal.Signal, _ *Reason) Finding {
		return e.reported(SourceSide, e.object(s), Warning, patch.Manual, "the storage class or the tags of the object exclude it from the rule: no policy is the reason. "+
			"An archived object must be restored first, and tags that the rule's filter wants must be there when the object is written")
	},
}
