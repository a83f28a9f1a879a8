package diagnose

import (
	"github.com/replimend/replimend/internal/patch"
	"github.com/replimend/replimend/internal/signal"
	"github.com/replimend/replimend/internal/snapshot"
)

// objectAlreadyReplicated: S3 had nothing left to do for the object.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/replication-failure-codes.html
var objectAlreadyReplicated = Cause{
	Name:      "object-already-replicated",
	Group:     OfReports,
	Summary:   "S3 reports that the object was replicated already",
	Side:      SourceSide,
	Documents: []snapshot.Kind{snapshot.ObjectKind},
	Remedy:    patch.None,
	Report: func(e *examination, s signal.Signal, _ *Reason) Finding {
		return e.reported(SourceSide, e.object(s), Advice, patch.None, "the object is replicated already: there is nothing to cure. Its replica at the destination can be compared with it")
	},
}
