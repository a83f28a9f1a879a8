// src → dst (rule logs): broken, then healthy; class approval
// src → other (rule media): broken, then healthy; class automatic
// src → third (rule photos): broken, no edit can or may cure replica-key-aws-managed

package replimend

import (
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awskms"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"
)

// AddToAccount111122223333 adds to a stack of account 111122223333 what it owns.
func AddToAccount111122223333(scope constructs.Construct) {
	// inline policy Replimend of role replication
	// adds: arn:aws:iam::111122223333:role/service-role/replication may kms:Decrypt on arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab
	// adds: arn:aws:iam::111122223333:role/service-role/replication may s3:ReplicateObject on arn:aws:s3:::other/*
	// adds: arn:aws:iam::111122223333:role/service-role/replication may s3:ReplicateTags on arn:aws:s3:::other/*
	// cures: role-lacks-source-decrypt, role-lacks-replicate-object
	// class: automatic
	awsiam.NewCfnRolePolicy(scope, jsii.String("RoleReplicationReplimend"), &awsiam.CfnRolePolicyProps{
		RoleName:   jsii.String("replication"),
		PolicyName: jsii.String("Replimend"),
		PolicyDocument: map[string]any{
			"Version": "2012-10-17",
			"Statement": []any{
				map[string]any{
					"Sid":      "ReplimendDecrypt22222222",
					"Effect":   "Allow",
					"Action":   "kms:Decrypt",
					"Resource": "arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab",
				},
				map[string]any{
					"Sid":    "ReplimendReplicateObject44444444",
					"Effect": "Allow",
					"Action": []any{
						"s3:ReplicateObject",
						"s3:ReplicateTags",
					},
					"Resource": "arn:aws:s3:::other/*",
				},
			},
		},
	})
}

// SetKey1234abcd12ab34cd56ef1234567890ab sets the policy of key arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab, of account 111122223333.
// adds: arn:aws:iam::111122223333:role/service-role/replication may kms:Decrypt on *
// cures: source-key-policy-lacks-decrypt
// class: automatic
// It sets the whole policy, on the construct that makes the key: key.Node().DefaultChild().(awskms.CfnKey).
// An imported one cannot be changed.
func SetKey1234abcd12ab34cd56ef1234567890ab(key awskms.CfnKey) {
	key.SetKeyPolicy(map[string]any{
		"Version": "2012-10-17",
		"Id":      "key-default-1",
		"Statement": []any{
			map[string]any{
				"Sid":    "Enable IAM User Permissions",
				"Effect": "Allow",
				"Principal": map[string]any{
					"AWS": "arn:aws:iam::111122223333:root",
				},
				"Action":   "kms:*",
				"Resource": "*",
			},
			map[string]any{
				"Sid":    "ReplimendDecrypt33333333",
				"Effect": "Allow",
				"Principal": map[string]any{
					"AWS": "arn:aws:iam::111122223333:role/service-role/replication",
				},
				"Action":   "kms:Decrypt",
				"Resource": "*",
				"Condition": map[string]any{
					"StringEquals": map[string]any{
						"kms:ViaService": "s3.us-east-1.amazonaws.com",
					},
					"StringLike": map[string]any{
						"kms:EncryptionContext:aws:s3:arn": []any{
							"arn:aws:s3:::src",
							"arn:aws:s3:::src/*",
						},
					},
				},
			},
		},
	})
}

// SetTrustReplication sets the trust policy of role replication, of account 111122223333.
// adds: s3.amazonaws.com may sts:AssumeRole on arn:aws:iam::111122223333:role/service-role/replication
// cures: trust-lacks-s3
// class: approval, so that a person must agree first
// It sets the whole policy, on the construct that makes the role: role.Node().DefaultChild().(awsiam.CfnRole).
// An imported one cannot be changed.
func SetTrustReplication(role awsiam.CfnRole) {
	role.SetAssumeRolePolicyDocument(map[string]any{
		"Version": "2012-10-17",
		"Statement": []any{
			map[string]any{
				"Effect": "Allow",
				"Principal": map[string]any{
					"Service": "ec2.amazonaws.com",
				},
				"Action": "sts:AssumeRole",
			},
			map[string]any{
				"Sid":    "ReplimendAssumeRole11111111",
				"Effect": "Allow",
				"Principal": map[string]any{
					"Service": "s3.amazonaws.com",
				},
				"Action": "sts:AssumeRole",
			},
		},
	})
}
