package canary

import (
	"github.com/replimend/replimend/internal/policy"
	"github.com/replimend/replimend/internal/preflight"
	"github.com/replimend/replimend/internal/settings"
)

// Needs is what this package calls, in accounts with a route that opts in.
// https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazons3.html
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingKMSEncryption.html
func Needs() []preflight.Need {
	need := func(action, resource, why string) preflight.Need {
		return preflight.Need{Role: settings.CanaryWriter, Action: action, Resource: resource, Why: why}
	}
	given := func(n preflight.Need, key string, values ...string) preflight.Need {
		n.Conditions = []policy.Condition{{Operator: policy.StringLike, Key: key, Values: values}}
		return n
	}
	// Of many routes a role cannot say which Region is that of which key, and need not: a key is used by S3 of its own Region. Which
	// object of which bucket it is, is said by SourcePolicy.
	// https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingKMSEncryption.html
	viaS3 := func(n preflight.Need) preflight.Need {
		return given(n, "kms:ViaService", "s3.*.amazonaws.com", "s3.*.amazonaws.com.cn")
	}
	return []preflight.Need{
		need("s3:PutObject", preflight.CanarySource, "write the canary"),
		need("s3:PutObjectTagging", preflight.CanarySource, "give it the tags that the rule selects by"),
		need("s3:GetObjectVersion", preflight.CanarySource, "know a canary that was written before"),
		given(need("s3:ListBucketVersions", preflight.CanaryBucket, "find a canary that was written before"),
			"s3:prefix", "*"+settings.CanaryPrefix+"inc-*"),
		need("s3:DeleteObjectVersion", preflight.CanarySource, "remove the canary"),
		need("s3:DeleteObjectVersion", preflight.CanaryDestination, "remove its replica"),
		viaS3(need("kms:GenerateDataKey", preflight.CanaryKey, "write the canary as the bucket encrypts new objects")),
		viaS3(need("kms:Decrypt", preflight.CanaryKey, "write the canary as the bucket encrypts new objects")),
	}
}

// SourcePolicy is what a session may do in the account of the source: write, see and delete the one object.
func SourcePolicy(a settings.ApprovedRoute, id string) (string, error) {
	partition, key := policy.Partition(a.Source.Region), a.CanaryKey(id)
	actions := []string{"s3:PutObject", "s3:GetObjectVersion", "s3:DeleteObjectVersion"}
	if len(a.Rule.Tags) > 0 {
		actions = append(actions, "s3:PutObjectTagging")
	}
	specs := []policy.StatementSpec{
		{Actions: actions, Resources: []string{policy.Literal(policy.ObjectARN(partition, a.Source.Bucket, key).String())}},
		{
			Actions: []string{"s3:ListBucketVersions"}, Resources: []string{policy.BucketARN(partition, a.Source.Bucket).String()},
			Conditions: []policy.Condition{{Operator: policy.StringLike, Key: "s3:prefix", Values: []string{policy.Literal(key)}}},
		},
	}
	if len(a.SourceKeys) > 0 {
		s := policy.StatementSpec{
			Actions:    []string{"kms:GenerateDataKey", "kms:Decrypt"},
			Conditions: []policy.Condition{{Operator: policy.StringEquals, Key: "kms:ViaService", Values: viaS3(a.Source.Region)}},
		}
		for _, k := range a.SourceKeys {
			s.Resources = append(s.Resources, k.String())
		}
		specs = append(specs, s)
	}
	return policy.Allowing(specs...)
}

// viaS3 is S3 of a Region as KMS names it. That the value has China's DNS suffix there is a deduction from the endpoints, so that
// both are taken.
// https://docs.aws.amazon.com/kms/latest/developerguide/conditions-kms.html#conditions-kms-via-service
func viaS3(region string) []string {
	out := []string{"s3." + region + ".amazonaws.com"}
	if policy.Partition(region) == "aws-cn" {
		out = append(out, out[0]+".cn")
	}
	return out
}

// DestinationPolicy is what a session may do in the account of the destination: delete versions of the one replica.
func DestinationPolicy(a settings.ApprovedRoute, id string) (string, error) {
	replica := policy.ObjectARN(policy.Partition(a.Destination.Region), a.Destination.Bucket, a.CanaryKey(id))
	return policy.Allowing(policy.StatementSpec{Actions: []string{"s3:DeleteObjectVersion"}, Resources: []string{policy.Literal(replica.String())}})
}
