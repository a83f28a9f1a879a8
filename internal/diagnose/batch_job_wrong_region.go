package diagnose

import (
	"github.com/replimend/replimend/internal/patch"
	"github.com/replimend/replimend/internal/signal"
	"github.com/replimend/replimend/internal/snapshot"
)

// batchJobWrongRegion: a batch job must run in the Region of the source bucket.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/s3-batch-replication-batch.html
var batchJobWrongRegion = Cause{
	Name:      "batch-job-wrong-region",
	Group:     OfReports,
	Summary:   "S3 reports that the batch job names another Region than that of the bucket",
	Side:      SourceSide,
	Documents: []snapshot.Kind{snapshot.BucketConfig},
	Remedy:    patch.Manual,
	Report: func(e *examination, s signal.Signal, _ *Reason) Finding {
		return e.reported(SourceSide, snapshot.Ref{Kind: snapshot.BucketConfig, ID: e.r.Source}, Warning, patch.Manual, "the batch job was made in, or names, another Region than the bucket's. "+e.regions()+". The job must run in the Region of the source bucket")
	},
}
