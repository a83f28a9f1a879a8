// src → dst (rule to-the-other-account): broken, then healthy; class automatic
// dst → src (rule and-back): broken, then healthy; class automatic
// accounts 444455556666, 111122223333 own a part each, and every part is needed

package replimend

import (
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awskms"
	"github.com/aws/aws-cdk-go/awscdk/v2/awss3"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"
)

// AddToAccount444455556666 adds to a stack of account 444455556666 what it owns.
func AddToAccount444455556666(scope constructs.Construct) {
	// policy of bucket dst
	// adds: arn:aws:iam::111122223333:role/replication may s3:ReplicateObject on arn:aws:s3:::dst/*
	// adds: arn:aws:iam::111122223333:role/replication may s3:ReplicateDelete on arn:aws:s3:::dst/*
	// adds: arn:aws:iam::444455556666:role/back may s3:ListBucket on arn:aws:s3:::dst
	// cures: destination-policy-lacks-replicate-object, role-lacks-read-config
	// class: automatic
	// There was no policy: this is all of it.
	awss3.NewCfnBucketPolicy(scope, jsii.String("BucketDst"), &awss3.CfnBucketPolicyProps{
		Bucket: jsii.String("dst"),
		PolicyDocument: map[string]any{
			"Version": "2012-10-17",
			"Statement": []any{
				map[string]any{
					"Sid":    "ReplimendReplicateObject88888888",
					"Effect": "Allow",
					"Principal": map[string]any{
						"AWS": "arn:aws:iam::111122223333:role/replication",
					},
					"Action": []any{
						"s3:ReplicateObject",
						"s3:ReplicateDelete",
					},
					"Resource": "arn:aws:s3:::dst/*",
				},
				map[string]any{
					"Sid":    "ReplimendListBucket99999999",
					"Effect": "Allow",
					"Principal": map[string]any{
						"AWS": "arn:aws:iam::444455556666:role/back",
					},
					"Action":   "s3:ListBucket",
					"Resource": "arn:aws:s3:::dst",
				},
			},
		},
	})
}

// SetKeyMrk0987dcba09fe87dc65baab0987654321 sets the policy of key arn:aws:kms:us-west-2:444455556666:key/mrk-0987dcba09fe87dc65baab0987654321, of account 444455556666.
// adds: arn:aws:iam::111122223333:role/replication may kms:Encrypt on *
// adds: arn:aws:iam::111122223333:role/replication may kms:GenerateDataKey on *
// cures: replica-key-policy-lacks-encrypt
// class: automatic
// It sets the whole policy, on the construct that makes the key: key.Node().DefaultChild().(awskms.CfnKey).
// An imported one cannot be changed.
func SetKeyMrk0987dcba09fe87dc65baab0987654321(key awskms.CfnKey) {
	key.SetKeyPolicy(map[string]any{
		"Version": "2012-10-17",
		"Statement": []any{
			map[string]any{
				"Effect": "Allow",
				"Principal": map[string]any{
					"AWS": "arn:aws:iam::444455556666:root",
				},
				"Action":   "kms:*",
				"Resource": "*",
			},
			map[string]any{
				"Sid":    "ReplimendEncrypt77777777",
				"Effect": "Allow",
				"Principal": map[string]any{
					"AWS": "arn:aws:iam::111122223333:role/replication",
				},
				"Action": []any{
					"kms:Encrypt",
					"kms:GenerateDataKey",
				},
				"Resource": "*",
			},
		},
	})
}

// AddToAccount111122223333 adds to a stack of account 111122223333 what it owns.
func AddToAccount111122223333(scope constructs.Construct) {
	// inline policy Replimend of role replication
	// adds: arn:aws:iam::111122223333:role/replication may kms:Encrypt on arn:aws:kms:us-west-2:444455556666:key/mrk-0987dcba09fe87dc65baab0987654321
	// cures: role-lacks-replica-encrypt
	// class: automatic
	awsiam.NewCfnRolePolicy(scope, jsii.String("RoleReplicationReplimend"), &awsiam.CfnRolePolicyProps{
		RoleName:   jsii.String("replication"),
		PolicyName: jsii.String("Replimend"),
		PolicyDocument: map[string]any{
			"Version": "2012-10-17",
			"Statement": []any{
				map[string]any{
					"Sid":      "ReplimendReplicateObject55555555",
					"Effect":   "Allow",
					"Action":   "s3:ReplicateObject",
					"Resource": "arn:aws:s3:::dst/*",
				},
				map[string]any{
					"Sid":      "ReplimendEncrypt66666666",
					"Effect":   "Allow",
					"Action":   "kms:Encrypt",
					"Resource": "arn:aws:kms:us-west-2:444455556666:key/mrk-0987dcba09fe87dc65baab0987654321",
				},
			},
		},
	})
}
