package diagnose

import (
	"github.com/replimend/replimend/internal/patch"
	"github.com/replimend/replimend/internal/signal"
	"github.com/replimend/replimend/internal/snapshot"
)

// versionNotAtDestination: a change of metadata could not be replicated, because the version is not there.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/replication-failure-codes.html
var versionNotAtDestination = Cause{
	Name:      "version-not-at-destination",
	Group:     OfReports,
	Summary:   "S3 reports that the version whose metadata changed is not at the destination",
	Side:      DestinationSide,
	Documents: []snapshot.Kind{snapshot.ObjectKind},
	Remedy:    patch.Manual,
	Report: func(e *examination, s signal.Signal, _ *Reason) Finding {
		return e.reported(DestinationSide, e.replica(s), Warning, patch.Manual, "the version whose tags, ACL or lock changed is not at the destination: it was never replicated, or it was deleted there. "+
			"S3 Batch Replication can replicate it, unless it was deleted there by its version id")
	},
}
