package diagnose

import (
	"github.com/replimend/replimend/internal/patch"
	"github.com/replimend/replimend/internal/signal"
	"github.com/replimend/replimend/internal/snapshot"
)

// batchRoleLacksInitiateReplication: the role of a batch job may not start the replication of objects. It is another role than the rule's, and no snapshot holds it.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/s3-batch-replication-policies.html
var batchRoleLacksInitiateReplication = Cause{
	Name:      "batch-role-lacks-initiate-replication",
	Group:     OfReports,
	Summary:   "S3 reports that the role of the batch job lacks s3:InitiateReplication",
	Side:      SourceSide,
	Documents: []snapshot.Kind{snapshot.RolePolicy},
	Remedy:    patch.Manual,
	Report: func(e *examination, s signal.Signal, _ *Reason) Finding {
		return e.reported(SourceSide, e.batchRole(), Warning, patch.Manual, "the role of the batch job lacks s3:InitiateReplication on "+e.sourceObjects()+". A snapshot does not hold that role; "+
			"a statement that names the bucket's ARN in place of its objects' is the usual mistake")
	},
}
