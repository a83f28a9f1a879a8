package diagnose

import (
	"github.com/replimend/replimend/internal/patch"
	"github.com/replimend/replimend/internal/signal"
	"github.com/replimend/replimend/internal/snapshot"
)

// replicaHardDeleted: Batch Replication does not write a version again that was deleted by its id.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/s3-batch-replication-batch.html
var replicaHardDeleted = Cause{
	Name:      "replica-hard-deleted",
	Group:     OfReports,
	Summary:   "S3 reports that the replica was deleted by its version id, which Batch Replication does not write again",
	Side:      DestinationSide,
	Documents: []snapshot.Kind{snapshot.ObjectKind},
	Remedy:    patch.Manual,
	Report: func(e *examination, s signal.Signal, _ *Reason) Finding {
		return e.reported(DestinationSide, e.replica(s), Warning, patch.Manual, "the replica was deleted at the destination by its version id, and S3 Batch Replication does not write such a version again. "+
			"Copying the source object in place makes a new version, which is replicated")
	},
}
