package diagnose

import (
	"fmt"

	"github.com/replimend/replimend/internal/patch"
	"github.com/replimend/replimend/internal/route"
	"github.com/replimend/replimend/internal/snapshot"
)

// bucketMissing: the bucket does not exist.
// https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
var bucketMissing = Cause{
	Name:      "bucket-missing",
	Group:     OfAccesses,
	Summary:   "the bucket that is to be read or written does not exist",
	Side:      ResourceSide,
	Documents: []snapshot.Kind{snapshot.BucketConfig},
	Remedy:    patch.Manual,
	InspectAccess: func(e *examination) []Finding {
		if e.bucket().State != snapshot.Absent {
			return nil
		}
		return []Finding{accessFinding("bucket-missing", ResourceSide, e.bucketConfig(), Broken, route.Documented,
			fmt.Sprintf("bucket %s does not exist", e.access.Bucket))}
	},
}
