package replay

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/replimend/replimend/internal/awserr"
	"github.com/replimend/replimend/internal/incident"
	"github.com/replimend/replimend/internal/snapshot"
)

// Head is what S3 says of a version now: above all its replication status, which is absent where S3 replicates it by no rule. Tags
// and owner are missing. Who owns the bucket is checked. The error is incident.ErrGone when the version is not there, or its bucket.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadObject.html
func (r *Replayer) Head(ctx context.Context, bucket, key, versionID string) (snapshot.Object, error) {
	account, region, ok := r.options.Locate(bucket)
	if !ok {
		return snapshot.Object{}, fmt.Errorf("head a version in bucket %s: its account and Region are not known", bucket)
	}
	in := &s3.HeadObjectInput{Bucket: aws.String(bucket), Key: aws.String(key), ExpectedBucketOwner: aws.String(account)}
	if versionID != "" {
		in.VersionId = aws.String(versionID)
	}
	out, err := storage(r.options.Read(account, region)).HeadObject(ctx, in)
	if awserr.Is(err, awserr.Absent) {
		return snapshot.Object{}, fmt.Errorf("head version %.80q in bucket %s: %w", versionID, bucket, incident.ErrGone)
	}
	if err != nil {
		return snapshot.Object{}, fmt.Errorf("head version %.80q in bucket %s: %w", versionID, bucket, awserr.WithoutAddress(err))
	}
	o := snapshot.Object{
		Bucket: bucket, Key: key, VersionID: versionID,
		ReplicationStatus: snapshot.None[string](),
		Encryption:        snapshot.None[string](),
		KMSKeyID:          aws.ToString(out.SSEKMSKeyId),
		BucketKey:         aws.ToBool(out.BucketKeyEnabled),
		StorageClass:      string(out.StorageClass),
		Size:              aws.ToInt64(out.ContentLength),
	}
	if o.StorageClass == "" {
		o.StorageClass = string(s3types.StorageClassStandard) // S3 has no header for it
	}
	switch out.ReplicationStatus {
	case "":
	case s3types.ReplicationStatusComplete: // in old answers
		o.ReplicationStatus = snapshot.Of(string(s3types.ReplicationStatusCompleted))
	default:
		o.ReplicationStatus = snapshot.Of(string(out.ReplicationStatus))
	}
	switch {
	case aws.ToString(out.SSECustomerAlgorithm) != "":
		o.Encryption = snapshot.Of("SSE-C")
	case out.ServerSideEncryption != "":
		o.Encryption = snapshot.Of(string(out.ServerSideEncryption))
	}
	return o, nil
}
