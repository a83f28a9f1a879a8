package diagnose

import (
	"fmt"

	"github.com/replimend/replimend/internal/patch"
	"github.com/replimend/replimend/internal/route"
	"github.com/replimend/replimend/internal/snapshot"
)

// requesterPaysHeader: requests from other accounts carry x-amz-request-payer, or S3 answers 403.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/RequesterPaysBuckets.html
var requesterPaysHeader = Cause{
	Name:      "requester-pays-header",
	Group:     OfAccesses,
	Summary:   "the bucket lets the requester pay, and a requester of another account has to say so in each request",
	Side:      ResourceSide,
	Documents: []snapshot.Kind{snapshot.BucketConfig},
	Remedy:    patch.None,
	InspectAccess: func(e *examination) []Finding {
		if !e.access.CrossAccount() || e.bucket().V.RequestPayer.V != "Requester" {
			return nil
		}
		f := accessFinding("requester-pays-header", ResourceSide, e.bucketConfig(), "", route.Documented,
			fmt.Sprintf("bucket %s lets the requester pay: requests from account %s need the header x-amz-request-payer: requester, which this diagnosis takes to be there",
				e.access.Bucket, e.access.Principal.Account))
		f.Severity, f.Remedy = Advice, patch.None
		return []Finding{f}
	},
}
