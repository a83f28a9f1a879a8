package awscloud

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/accessanalyzer/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/replimend/replimend/internal/awserr"
	"github.com/replimend/replimend/internal/policy"
	"github.com/replimend/replimend/internal/preflight"
	"github.com/replimend/replimend/internal/settings"
	"github.com/replimend/replimend/internal/snapshot"
)

// bucketStore is the policy of a bucket. Every call names the owner that the bucket must have, because the name of a bucket that
// was deleted can be anybody's.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucket-owner-condition.html
var bucketStore = store{
	put:    preflight.Need{Role: settings.ResourceWriter, Action: "s3:PutBucketPolicy", Resource: needBucket, Why: "no bucket policy can be repaired"},
	remove: &preflight.Need{Role: settings.ResourceWriter, Action: "s3:DeleteBucketPolicy", Resource: needBucket, Why: "a bucket's first policy cannot be taken back"},
	form:   storeForm{principal: true, resource: true, shared: true},
	asks: analyzerForm{
		policy:   types.PolicyTypeResourcePolicy,
		validate: types.ValidatePolicyResourceTypeS3Bucket, public: types.AccessCheckResourceTypeS3Bucket,
	},
	at: func(o *WriteOptions, ref snapshot.Ref) (storePlace, error) {
		if !isBucket(ref.ID) {
			return storePlace{}, fmt.Errorf("%w: %.255q is not the name of a bucket", snapshot.ErrUnwritable, ref.ID)
		}
		if o.Owner != nil {
			if account, region, ok := o.Owner(ref.ID); ok {
				arn := policy.BucketARN(policy.Partition(region), ref.ID)
				return storePlace{arn: arn, account: account, region: region, owner: ref.ID}, nil
			}
		}
		return storePlace{}, fmt.Errorf("%w: whose bucket it is, is not known", snapshot.ErrUnwritable)
	},
	live: func(ctx context.Context, reader aws.Config, at storePlace) (snapshot.Value[policy.Document], error) {
		out, err := s3Client(reader).GetBucketPolicy(ctx, &s3.GetBucketPolicyInput{Bucket: &at.owner, ExpectedBucketOwner: &at.account})
		switch {
		case awserr.Code(err) == awserr.NoBucketPolicy: // the bucket is there
			return snapshot.None[policy.Document](), nil
		case err != nil:
			return snapshot.Value[policy.Document]{}, err
		}
		return present(parseDocument(aws.ToString(out.Policy)))
	},
	write: func(ctx context.Context, session aws.Config, at storePlace, text string) error {
		client := s3Client(session)
		if text == "" {
			_, err := client.DeleteBucketPolicy(ctx, &s3.DeleteBucketPolicyInput{Bucket: &at.owner, ExpectedBucketOwner: &at.account})
			return err
		}
		_, err := client.PutBucketPolicy(ctx, &s3.PutBucketPolicyInput{
			Bucket: &at.owner, ExpectedBucketOwner: &at.account, Policy: &text,
		})
		return err
	},
}
