// user uploader writes shared: broken, then healthy; class approval
// user uploader reads shared: broken, then healthy; class approval
// shared → copy (rule too): broken, then healthy; class automatic
// accounts 111122223333, 444455556666 own a part each, and every part is needed

package replimend

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awskms"
	"github.com/aws/aws-cdk-go/awscdk/v2/awss3"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"
)

// AddToAccount111122223333 adds to a stack of account 111122223333 what it owns.
func AddToAccount111122223333(scope constructs.Construct) {
	// policy of bucket shared
	// adds: arn:aws:iam::444455556666:user/people/data/uploader may s3:PutObject on arn:aws:s3:::shared/*
	// cures: bucket-policy-lacks-put-object
	// class: approval, so that a person must agree first
	// This is the whole policy. It replaces the BucketPolicy that manages it today: keep one of the two.
	awss3.NewCfnBucketPolicy(scope, jsii.String("BucketShared"), &awss3.CfnBucketPolicyProps{
		Bucket: jsii.String("shared"),
		PolicyDocument: map[string]any{
			"Version": "2012-10-17",
			"Statement": []any{
				map[string]any{
					"Sid":    "Reader",
					"Effect": "Allow",
					"Principal": map[string]any{
						"AWS": "arn:aws:iam::444455556666:role/reader",
					},
					"Action":   "s3:GetObject",
					"Resource": "arn:aws:s3:::shared/*",
					"Condition": map[string]any{
						"StringLike": map[string]any{
							"aws:PrincipalTag/team": "${aws:ResourceTag/team}",
						},
					},
				},
				map[string]any{
					"Sid":    "ReplimendPutObject22222222",
					"Effect": "Allow",
					"Principal": map[string]any{
						"AWS": "arn:aws:iam::444455556666:user/people/data/uploader",
					},
					"Action":   "s3:PutObject",
					"Resource": "arn:aws:s3:::shared/*",
				},
			},
		},
	}).ApplyRemovalPolicy(awscdk.RemovalPolicy_RETAIN, nil)
}

// SetKey1234abcd12ab34cd56ef1234567890ab sets the policy of key arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab, of account 111122223333.
// adds: arn:aws:iam::444455556666:user/people/data/uploader may kms:GenerateDataKey on *
// adds: arn:aws:iam::444455556666:role/replication may kms:Decrypt on *
// cures: key-policy-lacks-generate-data-key, source-key-policy-lacks-decrypt
// class: approval, so that a person must agree first
// It sets the whole policy, on the construct that makes the key: key.Node().DefaultChild().(awskms.CfnKey).
// An imported one cannot be changed.
func SetKey1234abcd12ab34cd56ef1234567890ab(key awskms.CfnKey) {
	key.SetKeyPolicy(map[string]any{
		"Version": "2012-10-17",
		"Statement": []any{
			map[string]any{
				"Effect": "Allow",
				"Principal": map[string]any{
					"AWS": "arn:aws:iam::111122223333:root",
				},
				"Action":   "kms:*",
				"Resource": "*",
			},
			map[string]any{
				"Sid":    "ReplimendGenerateDataKey33333333",
				"Effect": "Allow",
				"Principal": map[string]any{
					"AWS": "arn:aws:iam::444455556666:user/people/data/uploader",
				},
				"Action":   "kms:GenerateDataKey",
				"Resource": "*",
			},
			map[string]any{
				"Sid":    "ReplimendDecrypt55555555",
				"Effect": "Allow",
				"Principal": map[string]any{
					"AWS": "arn:aws:iam::444455556666:role/replication",
				},
				"Action":   "kms:Decrypt",
				"Resource": "*",
			},
		},
	})
}

// AddToAccount444455556666 adds to a stack of account 444455556666 what it owns.
func AddToAccount444455556666(scope constructs.Construct) {
	// inline policy Replimend of user uploader
	// adds: arn:aws:iam::444455556666:user/people/data/uploader may s3:PutObject on arn:aws:s3:::shared/*
	// cures: principal-lacks-put-object
	// class: approval, so that a person must agree first
	awsiam.NewCfnUserPolicy(scope, jsii.String("UserUploaderReplimend"), &awsiam.CfnUserPolicyProps{
		UserName:   jsii.String("uploader"),
		PolicyName: jsii.String("Replimend"),
		PolicyDocument: map[string]any{
			"Version": "2012-10-17",
			"Statement": []any{
				map[string]any{
					"Sid":      "ReplimendPutObject11111111",
					"Effect":   "Allow",
					"Action":   "s3:PutObject",
					"Resource": "arn:aws:s3:::shared/*",
				},
			},
		},
	})
	// inline policy use of user uploader
	// adds: arn:aws:iam::444455556666:user/people/data/uploader may kms:Decrypt on arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab
	// cures: principal-lacks-decrypt
	// class: approval, so that a person must agree first
	awsiam.NewCfnUserPolicy(scope, jsii.String("UserUploaderUse"), &awsiam.CfnUserPolicyProps{
		UserName:   jsii.String("uploader"),
		PolicyName: jsii.String("use"),
		PolicyDocument: map[string]any{
			"Version": "2012-10-17",
			"Statement": []any{
				map[string]any{
					"Effect":   "Allow",
					"Action":   "s3:GetObject",
					"Resource": "arn:aws:s3:::shared/*",
				},
				map[string]any{
					"Sid":      "ReplimendDecrypt44444444",
					"Effect":   "Allow",
					"Action":   "kms:Decrypt",
					"Resource": "arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab",
				},
			},
		},
	})
}
