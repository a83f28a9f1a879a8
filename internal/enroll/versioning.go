package enroll

import (
	"fmt"

	"github.com/replimend/replimend/internal/jsontree"
	"github.com/replimend/replimend/internal/snapshot"
)

// version switches a bucket's versioning on, which replication needs on both sides.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/replication-requirements.html
func (p *planner) version(k Kind, live Reading) {
	bucket, account, region, side := p.r.Source, p.r.SourceAccount, p.r.SourceRegion, "source"
	if k == DestinationVersioning {
		bucket, account, region, side = p.r.Destination, p.r.DestinationAccount, p.r.DestinationRegion, "destination"
	}
	title := fmt.Sprintf("enable versioning of the %s bucket %s", side, bucket)
	switch {
	case live.State != snapshot.Present:
		p.unread(k, title, bucket, account, live)
		return
	case live.V.Get("Status").Text == "Enabled":
		return
	case live.V.Get("MFADelete").Text == "Enabled":
		// https://docs.aws.amazon.com/AmazonS3/latest/userguide/MultiFactorAuthenticationDelete.html
		p.refuse(Refusal{
			Kind: k, Title: title, Owner: account,
			Reason: fmt.Sprintf("bucket %s has MFA delete: only the root user of its account, with its MFA device, can "+
				"change the versioning", bucket),
			Do: fmt.Sprintf("aws s3api put-bucket-versioning --bucket %s --versioning-configuration "+
				"Status=Enabled,MFADelete=Enabled --mfa 'SERIAL CODE'", quote(bucket)),
		})
		return
	}
	p.add(Step{
		Kind: k, Title: title, Bucket: bucket, Account: account, Region: region,
		Before: live.V, After: live.V.With("Status", jsontree.Str("Enabled")),
		Note: "From now on S3 keeps and bills every version that is overwritten or deleted, until a lifecycle rule expires it. " +
			"Versioning can be suspended later, but never removed. After it is enabled for the first time, wait 15 minutes before " +
			"you write to the bucket (https://docs.aws.amazon.com/AmazonS3/latest/userguide/manage-versioning-examples.html).",
		Needs: []Permission{{"s3:GetBucketVersioning", p.bucketARN(bucket)}, {"s3:PutBucketVersioning", p.bucketARN(bucket)}},
	})
}
