package diagnose

import (
	"github.com/replimend/replimend/internal/patch"
	"github.com/replimend/replimend/internal/snapshot"
)

// destinationVersioningNotEnabled: S3 answers DstBucketUnversioned.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/replication-requirements.html
var destinationVersioningNotEnabled = Cause{
	Name:      "destination-versioning-not-enabled",
	Group:     OfBuckets,
	Summary:   "versioning of the destination bucket is suspended or was never enabled",
	Verdict:   Broken,
	Side:      DestinationSide,
	Documents: []snapshot.Kind{snapshot.BucketConfig},
	Remedy:    patch.Manual,
	Inspect: func(e *examination) []Finding {
		return e.versioning("destination-versioning-not-enabled", DestinationSide, e.r.Destination, "S3 cannot write replicas to it")
	},
}
