package lab

import (
	"strings"

	"github.com/replimend/replimend/internal/policy"
	"github.com/replimend/replimend/internal/snapshot"
)

// managedAlias is the alias of the AWS managed key of S3 in each account and region.
const managedAlias = "alias/aws/s3"

// resolve finds the key that a key id, alias or ARN of either means to KMS in that region. What is not an ARN is resolved in the
// account of the requester, which need not be the bucket's; a key of another region is not found.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_EncryptionConfiguration.html
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_ServerSideEncryptionByDefault.html
func (c *Cloud) resolve(id, requester, region string) (policy.ARN, *snapshot.Key) {
	account, resource := requester, id
	if strings.HasPrefix(id, "arn:") {
		a, err := policy.ParseARN(id)
		if err != nil || a.Service != "kms" || a.Region != region {
			return policy.ARN{}, nil
		}
		account, resource = a.Account, a.Resource
	}
	if strings.HasPrefix(resource, "alias/") {
		return c.byAlias(resource, account, region)
	}
	arn := keyARN(region, account, strings.TrimPrefix(resource, "key/"))
	return arn, c.keys[arn]
}

func (c *Cloud) byAlias(alias, account, region string) (policy.ARN, *snapshot.Key) {
	for arn, key := range c.keys {
		if key == nil || arn.Account != account || arn.Region != region {
			continue
		}
		for _, name := range key.Aliases.V {
			if name == alias {
				return arn, key
			}
		}
	}
	return policy.ARN{}, nil
}

func keyARN(region, account, id string) policy.ARN {
	return policy.ARN{Partition: policy.Partition(region), Service: "kms", Region: region, Account: account, Resource: "key/" + id}
}

// managed is the AWS managed key of S3 of that account and region, which AWS makes when it is first needed.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_ServerSideEncryptionByDefault.html
func (c *Cloud) managed(account, region string) (policy.ARN, *snapshot.Key) {
	if arn, key := c.byAlias(managedAlias, account, region); key != nil {
		return arn, key
	}
	id := c.identifier(hexadecimal, 32)
	arn := keyARN(region, account, strings.Join([]string{id[:8], id[8:12], id[12:16], id[16:20], id[20:]}, "-"))
	key := &snapshot.Key{
		State: "Enabled", Manager: "AWS", Spec: "SYMMETRIC_DEFAULT", Usage: "ENCRYPT_DECRYPT",
		Policy:  snapshot.Of(managedPolicy(account, region)),
		Grants:  snapshot.Of([]snapshot.Grant(nil)),
		Aliases: snapshot.Of([]string{managedAlias}),
		Tags:    snapshot.None[map[string]string](),
	}
	c.keys[arn] = key
	return arn, key
}

// managedPolicy is the key policy of an AWS managed key: everybody of the account, through the service that owns it.
// https://docs.aws.amazon.com/kms/latest/developerguide/conditions-kms.html#conditions-kms-via-service
func managedPolicy(account, region string) policy.Document {
	through := func(key, value string) policy.Condition {
		return policy.Condition{Operator: policy.StringEquals, Key: key, Values: []string{value}}
	}
	use := policy.StatementSpec{
		Sid:        "Allow access through S3 for all principals in the account that are authorized to use S3",
		Effect:     policy.Allow,
		Principals: []policy.Principal{{Kind: policy.PrincipalAWS, Value: "*"}},
		Actions:    []string{"kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:DescribeKey"},
		Resources:  []string{"*"},
		Conditions: []policy.Condition{through("kms:CallerAccount", account), through("kms:ViaService", viaService(region))},
	}
	root := policy.ARN{Partition: policy.Partition(region), Service: "iam", Account: account, Resource: "root"}
	look := policy.StatementSpec{
		Sid:        "Allow direct access to key metadata to the account",
		Effect:     policy.Allow,
		Principals: []policy.Principal{{Kind: policy.PrincipalAWS, Value: root.String()}},
		Actions:    []string{"kms:Describe*", "kms:Get*", "kms:List*", "kms:RevokeGrant"},
		Resources:  []string{"*"},
	}
	return policy.New(must(use.Build()), must(look.Build()))
}

// must is for statements of this package's own making, which always build.
func must(s policy.Statement, err error) policy.Statement {
	if err != nil {
		panic(err)
	}
	return s
}

// viaService is the value of kms:ViaService in requests of S3 in that region. That China's has China's DNS suffix is deduced.
// https://docs.aws.amazon.com/kms/latest/developerguide/conditions-kms.html#conditions-kms-via-service
func viaService(region string) string {
	suffix := ".amazonaws.com"
	if policy.Partition(region) == "aws-cn" {
		suffix += ".cn"
	}
	return "s3." + region + suffix
}

// usable says whether KMS encrypts and decrypts with the key at all. S3 takes symmetric encryption keys only.
// https://docs.aws.amazon.com/kms/latest/developerguide/key-state.html
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_EncryptionConfiguration.html
func usable(k *snapshot.Key) bool {
	return (k.State == "Enabled" || k.State == "Updating") && k.Spec == "SYMMETRIC_DEFAULT" && k.Usage == "ENCRYPT_DECRYPT"
}
