// a"; rm -rf / #�$(id) `id` ${x} %{ if true } */ --> dst (rule �[2J�'): broken, then healthy; class automatic

package replimend

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awss3"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"
)

// AddToAccount111122223333 adds to a stack of account 111122223333 what it owns.
func AddToAccount111122223333(scope constructs.Construct) {
	// policy of bucket a.b--c
	// adds: arn:aws:iam::111122223333:role/-r+=,.@_ may s3:ReplicateObject on arn:aws:s3:::a.b--c/*
	// cures: destination-policy-lacks-replicate-object
	// class: automatic
	// This is the whole policy. It replaces the BucketPolicy that manages it today: keep one of the two.
	awss3.NewCfnBucketPolicy(scope, jsii.String("BucketABC"), &awss3.CfnBucketPolicyProps{
		Bucket: jsii.String("a.b--c"),
		PolicyDocument: map[string]any{
			"Version": "2012-10-17",
			"Id":      "!Sub x",
			"Statement": []any{
				map[string]any{
					"Sid":       "$(touch owned) `touch owned` ' \" \\ \n- x: y\n  z: *w\n resource \"x\" \"y\" {}",
					"Effect":    "Deny",
					"Principal": "*",
					"Action":    "s3:PutObject",
					"Resource":  "arn:aws:s3:::a.b--c/'$(touch owned)'*",
					"Condition": map[string]any{
						"StringEquals": map[string]any{
							"aws:PrincipalTag/<<": "*x",
						},
					},
				},
				map[string]any{
					"Sid":    "ReplimendReplicateObjectBBBBBBBB",
					"Effect": "Allow",
					"Principal": map[string]any{
						"AWS": "arn:aws:iam::111122223333:role/-r+=,.@_",
					},
					"Action":   "s3:ReplicateObject",
					"Resource": "arn:aws:s3:::a.b--c/*",
				},
			},
		},
	}).ApplyRemovalPolicy(awscdk.RemovalPolicy_RETAIN, nil)
	// policy of bucket a-b.c
	// adds: arn:aws:iam::111122223333:role/-r+=,.@_ may s3:ReplicateObject on arn:aws:s3:::a-b.c/*
	// cures: destination-policy-lacks-replicate-object
	// class: automatic
	// There was no policy: this is all of it.
	awss3.NewCfnBucketPolicy(scope, jsii.String("BucketABC2"), &awss3.CfnBucketPolicyProps{
		Bucket: jsii.String("a-b.c"),
		PolicyDocument: map[string]any{
			"Version": "2012-10-17",
			"Statement": []any{
				map[string]any{
					"Sid":    "ReplimendReplicateObjectCCCCCCCC",
					"Effect": "Allow",
					"Principal": map[string]any{
						"AWS": "arn:aws:iam::111122223333:role/-r+=,.@_",
					},
					"Action":   "s3:ReplicateObject",
					"Resource": "arn:aws:s3:::a-b.c/*",
				},
			},
		},
	})
	// inline policy --Replimend,@= of role -r+=,.@_
	// adds: x�; touch owned may kms:Decrypt�} on */�"x"
	// cures: role-lacks-source-decrypt
	// class: automatic
	awsiam.NewCfnRolePolicy(scope, jsii.String("RoleRReplimend"), &awsiam.CfnRolePolicyProps{
		RoleName:   jsii.String("-r+=,.@_"),
		PolicyName: jsii.String("--Replimend,@="),
		PolicyDocument: map[string]any{
			"Version": "2012-10-17",
			"Id":      "'; exit 1 #\nEND_OF_JSON\n",
			"Statement": []any{
				map[string]any{
					"Sid":    "DenyAll",
					"Effect": "Deny",
					"Action": []any{
						"s3:*",
					},
					"NotResource": []any{
						"arn:aws:s3:::${aws:username}/*",
						"arn:aws:s3:::a${*}b${?}${$}",
					},
					"Condition": map[string]any{
						"NumericLessThan": map[string]any{
							"s3:max-keys": "10",
						},
						"Bool": map[string]any{
							"aws:SecureTransport": false,
						},
						"Null": map[string]any{
							"aws:TokenIssueTime": "true",
						},
						"DateGreaterThan": map[string]any{
							"aws:CurrentTime": "2020-04-01",
						},
					},
				},
				map[string]any{
					"Effect":   "Deny",
					"Action":   "s3:PutObject",
					"Resource": "*",
					"Condition": map[string]any{
						"StringNotLike": map[string]any{
							"aws:RequestTag/%{ for x in y }": []any{
								"%{ if true }x%{ endif }",
								"$${a}",
								"$$${a}",
								"%%{b}",
								"${\"$\"}{c}",
								"*/ \"+os.Exit(1)+\" `",
								"!Ref x",
								"&a *a",
								"yes",
								"~",
								"{{x}}",
								"\u0085\u2028😀 é \x7f",
							},
						},
					},
				},
				map[string]any{
					"Sid":      "ReplimendDecryptAAAAAAAA",
					"Effect":   "Allow",
					"Action":   "kms:Decrypt",
					"Resource": "*",
				},
			},
		},
	})
}
