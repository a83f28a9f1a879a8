package diagnose

import (
	"github.com/replimend/replimend/internal/patch"
	"github.com/replimend/replimend/internal/route"
	"github.com/replimend/replimend/internal/snapshot"
)

// objectPending: S3 is still at work on the object. It goes on by itself when what kept it from its work is over.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/replication-status.html
var objectPending = Cause{
	Name:      "object-pending",
	Group:     OfObjects,
	Summary:   "S3 has not finished with the object, and goes on by itself",
	Side:      SourceSide,
	Documents: []snapshot.Kind{snapshot.ObjectKind},
	Remedy:    patch.None,
	Inspect: func(e *examination) []Finding {
		objects := e.certainly(func(o *route.Sample) bool { return o.ReplicationStatus.V == route.Pending })
		if len(objects) == 0 {
			return nil
		}
		f := aboutObjects("object-pending", Advice, e.r.Partition, objects,
			"%s PENDING: S3 goes on by itself. Most objects take minutes, large ones hours; a Region that is not available and KMS throttling make S3 wait, a missing permission makes the object FAILED",
			verb(objects, "is", "are"))
		f.Remedy = patch.None
		return []Finding{f}
	},
}
