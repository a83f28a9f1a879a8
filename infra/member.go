package main

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awss3"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssns"
	"github.com/aws/jsii-runtime-go"

	"github.com/replimend/replimend/internal/grants"
	"github.com/replimend/replimend/internal/needs"
	"github.com/replimend/replimend/internal/settings"
)

// newMember makes what a member has once: its roles, and its kill switch, unless that of the hub is in the same place.
func newMember(stack awscdk.Stack, set *settings.Settings, m settings.Member) error {
	granted, err := grants.Member(set, m.Account, needs.Member())
	if err != nil {
		return err
	}
	if _, err := newRoles(stack, granted); err != nil {
		return err
	}
	if m.Account != set.Hub.Account || home(m) != set.Hub.Region {
		newSwitch(stack)
	}
	return nil
}

// newRegion makes what a member has in each of its Regions: the topic of S3's failure events, the rules that send changes to the hub,
// and the bucket of manifests and reports of batch jobs. It says the same
// in every account and Region.
func newRegion(stack awscdk.Stack, set *settings.Settings) error {
	hub := grants.NamesOf(set)
	if err := newTopic(stack, hub); err != nil {
		return err
	}
	if err := newReports(stack, hub.Partition); err != nil {
		return err
	}
	newForwards(stack, hub, grants.Events, changed("s3", "changes of buckets"), changed("kms", "changes of keys"), denied())
	return nil
}

// newRelay makes the rule for IAM, whose calls one Region of the partition has. It says the same in every account.
func newRelay(stack awscdk.Stack, set *settings.Settings) {
	newForwards(stack, grants.NamesOf(set), grants.Events, changed("iam", "changes of roles"))
}

// newOrganization makes the rule for policies of the organization, and the role for it: the management account need not be a member.
func newOrganization(stack awscdk.Stack, set *settings.Settings) error {
	granted, err := grants.Forwarder(set, set.ManagementAccount, grants.OrganizationEvents)
	if err != nil {
		return err
	}
	if _, err := newRole(stack, granted); err != nil {
		return err
	}
	newForwards(stack, grants.NamesOf(set), grants.OrganizationEvents, changed("organizations", "changes of the organization's policies"))
	return nil
}

func newTopic(stack awscdk.Stack, hub grants.HubNames) error {
	granted, err := grants.TopicPolicy(hub, anyAccount, anyRegion)
	if err != nil {
		return err
	}
	d, err := document(granted)
	if err != nil {
		return err
	}
	topic := awssns.NewCfnTopic(stack, jsii.String("FailuresTopic"), &awssns.CfnTopicProps{TopicName: jsii.String(grants.FailureTopic)})
	awssns.NewCfnTopicPolicy(stack, jsii.String("FailuresTopicPolicy"), &awssns.CfnTopicPolicyProps{
		PolicyDocument: d, Topics: &[]*string{topic.Ref()},
	})
	return nil
}

// For how long manifests and reports of batch jobs are kept, and pieces of uploads that were not finished, in days: a job is over within
// hours, and its outcome is in the journal.
const (
	reportDays = 90
	pieceDays  = 7
)

// newReports makes the bucket of manifests and reports. It outlives the stack, because a bucket that is not empty cannot be removed, and
// what is in it expires.
func newReports(stack awscdk.Stack, partition string) error {
	granted, err := grants.ReportBucketPolicy(partition, anyAccount, anyRegion)
	if err != nil {
		return err
	}
	d, err := document(granted)
	if err != nil {
		return err
	}
	bucket := awss3.NewCfnBucket(stack, jsii.String("Reports"), &awss3.CfnBucketProps{
		BucketName: sub("%s", settings.ReportBucket(anyAccount, anyRegion)),
		PublicAccessBlockConfiguration: &awss3.CfnBucket_PublicAccessBlockConfigurationProperty{
			BlockPublicAcls: true, BlockPublicPolicy: true, IgnorePublicAcls: true, RestrictPublicBuckets: true,
		},
		OwnershipControls: &awss3.CfnBucket_OwnershipControlsProperty{Rules: []any{
			&awss3.CfnBucket_OwnershipControlsRuleProperty{ObjectOwnership: jsii.String("BucketOwnerEnforced")},
		}},
		BucketEncryption: &awss3.CfnBucket_BucketEncryptionProperty{ServerSideEncryptionConfiguration: []any{
			&awss3.CfnBucket_ServerSideEncryptionRuleProperty{
				ServerSideEncryptionByDefault: &awss3.CfnBucket_ServerSideEncryptionByDefaultProperty{SseAlgorithm: jsii.String("AES256")},
			},
		}},
		LifecycleConfiguration: &awss3.CfnBucket_LifecycleConfigurationProperty{Rules: []any{
			&awss3.CfnBucket_RuleProperty{
				Id: jsii.String("expire"), Status: jsii.String("Enabled"), ExpirationInDays: jsii.Number(reportDays),
				AbortIncompleteMultipartUpload: &awss3.CfnBucket_AbortIncompleteMultipartUploadProperty{DaysAfterInitiation: jsii.Number(pieceDays)},
			},
		}},
	})
	bucket.ApplyRemovalPolicy(awscdk.RemovalPolicy_RETAIN, nil)
	accept(bucket, noAccessLogs)
	access := awss3.NewCfnBucketPolicy(stack, jsii.String("ReportsPolicy"), &awss3.CfnBucketPolicyProps{Bucket: bucket.Ref(), PolicyDocument: d})
	accept(access, onlyTLS)
	return nil
}

// newSubscriptions lets the hub's queue have what the topics of members get. The owner of a queue subscribes it without anybody having
// to confirm that, where the topic lets it; the owner of the topic could not.
// https://docs.aws.amazon.com/sns/latest/dg/sns-send-message-to-sqs-cross-account.html
func newSubscriptions(stack awscdk.Stack, set *settings.Settings) {
	queue := grants.NamesOf(set).Queue(grants.Failures).String()
	for _, m := range set.Members {
		for _, region := range m.Regions {
			awssns.NewCfnSubscription(stack, jsii.String(logical(m.Account+"-"+region, "")), &awssns.CfnSubscriptionProps{
				TopicArn: jsii.String(grants.Topic(m.Account, region).String()), Protocol: jsii.String("sqs"), Endpoint: jsii.String(queue),
				RawMessageDelivery: true, Region: jsii.String(region),
			})
		}
	}
}
