package awscloud

import (
	"strings"

	"github.com/replimend/replimend/internal/preflight"
	"github.com/replimend/replimend/internal/settings"
)

// ReadNeed is an operation that reading calls, and the permission of the reader role that allows it.
type ReadNeed struct {
	Operation string // as Reader.Calls names it
	preflight.Need
}

// ReadNeeds is everything that a Reader may call, in the order of the operations. Where the names differ, the action is that of
//
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-with-s3-policy-actions.html
// https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazons3.html
// https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsidentityandaccessmanagementiam.html
// https://docs.aws.amazon.com/service-authorization/latest/reference/list_awskeymanagementservice.html
// https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsorganizations.html
func ReadNeeds() []ReadNeed {
	var out []ReadNeed
	for _, n := range []struct{ operation, action, why string }{
		{"iam:GetPolicy", "iam:GetPolicy", "which version of an attached policy is in force"},
		{"iam:GetPolicyVersion", "iam:GetPolicyVersion", "attached policies and the permissions boundary"},
		{"iam:GetRole", "iam:GetRole", "whether the role exists under its path, and its trust"},
		{"iam:GetRolePolicy", "iam:GetRolePolicy", "inline policies"},
		{"iam:ListAttachedRolePolicies", "iam:ListAttachedRolePolicies", "attached policies"},
		{"iam:ListRolePolicies", "iam:ListRolePolicies", "inline policies"},
		{"kms:DescribeKey", "kms:DescribeKey", "the state of a key, and which key an alias means"},
		{"kms:GetKeyPolicy", "kms:GetKeyPolicy", "key policies"},
		{"kms:ListAliases", "kms:ListAliases", "which key an alias means"},
		{"kms:ListGrants", "kms:ListGrants", "grants, which allow beside the key policy"},
		{"kms:ListResourceTags", "kms:ListResourceTags", "the tags of a key, which policies test"},
		{"organizations:DescribeOrganization", "organizations:DescribeOrganization", "the organization, which policies test"},
		{"organizations:DescribePolicy", "organizations:DescribePolicy", "SCPs and RCPs"},
		{"organizations:ListAccounts", "organizations:ListAccounts", "the accounts that routes may lead to"},
		{"organizations:ListParents", "organizations:ListParents", "which SCPs and RCPs reach an account"},
		{"organizations:ListPoliciesForTarget", "organizations:ListPoliciesForTarget", "which SCPs and RCPs reach an account"},
		{"organizations:ListRoots", "organizations:ListRoots", "whether SCPs and RCPs are in force at all"},
		{"s3:GetBucketEncryption", "s3:GetEncryptionConfiguration", "default encryption and blocked encryption types"},
		{"s3:GetBucketNotificationConfiguration", "s3:GetBucketNotification", "whether failures are reported"},
		{"s3:GetBucketOwnershipControls", "s3:GetBucketOwnershipControls", "who owns objects and replicas"},
		{"s3:GetBucketPolicy", "s3:GetBucketPolicy", "bucket policies"},
		{"s3:GetBucketReplication", "s3:GetReplicationConfiguration", "the routes themselves"},
		{"s3:GetBucketRequestPayment", "s3:GetBucketRequestPayment", "who pays, which decides what S3 replicates to"},
		{"s3:GetBucketTagging", "s3:GetBucketTagging", "the tags of a bucket, which policies test"},
		{"s3:GetBucketVersioning", "s3:GetBucketVersioning", "versioning, without which nothing is replicated"},
		{"s3:GetObjectLockConfiguration", "s3:GetBucketObjectLockConfiguration", "Object Lock, which the destination must have, too"},
		// A sample without a version needs s3:GetObjectTagging and s3:GetObject in their place. No content can be read of objects
		// that are encrypted with KMS: that would take kms:Decrypt.
		{"s3:GetObjectTagging", "s3:GetObjectVersionTagging", "the tags of a failed object, which rules select by"},
		{"s3:GetPublicAccessBlock", "s3:GetBucketPublicAccessBlock", "what the bucket refuses of ACLs and policies"},
		{"s3:HeadBucket", "s3:ListBucket", "the Region of a bucket, and that it belongs to the account"},
		{"s3:HeadObject", "s3:GetObjectVersion", "status and key of a failed object, which may differ from the bucket's default"},
		{"s3:ListBuckets", "s3:ListAllMyBuckets", "the buckets of an account, to find those that replicate"},
		{"sts:GetCallerIdentity", "sts:GetCallerIdentity", "the caller's own account, where no other owns a bucket; AWS asks for no permission"},
	} {
		out = append(out, ReadNeed{n.operation, preflight.Need{Role: settings.Reader, Action: n.action, Resource: readResource(n.operation), Why: n.why}})
	}
	return out
}

// readResource is what an operation is made on, as preflight.Need has it. Managed policies and what belongs to no resource, or to
// many, are read wherever they are.
func readResource(operation string) string {
	service, call, _ := strings.Cut(operation, ":")
	switch {
	case service == "iam" && strings.Contains(call, "Role"):
		return needRole
	case service == "kms" && call != "ListAliases":
		return needKey
	case service == "s3" && strings.Contains(call, "Object") && call != "GetObjectLockConfiguration":
		return needObject
	case service == "s3" && call != "ListBuckets":
		return needBucket
	}
	return needAny
}
