package diagnose

import (
	"github.com/replimend/replimend/internal/patch"
	"github.com/replimend/replimend/internal/signal"
	"github.com/replimend/replimend/internal/snapshot"
)

// objectGone: the object, or this version of it, was deleted before S3 replicated it. There is nothing left to replicate.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/replication-failure-codes.html
var objectGone = Cause{
	Name:      "object-gone",
	Group:     OfReports,
	Summary:   "S3 reports that the object or its version does not exist any more: there is nothing to replicate",
	Side:      SourceSide,
	Documents: []snapshot.Kind{snapshot.ObjectKind},
	Remedy:    patch.None,
	Report: func(e *examination, s signal.Signal, _ *Reason) Finding {
		return e.reported(SourceSide, e.object(s), Advice, patch.None, "the object or its version was gone before S3 replicated it: there is nothing to cure. "+
			"If it should not be gone, look for who deleted it, or for a lifecycle rule that expires versions")
	},
}
