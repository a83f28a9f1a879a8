package grants

import (
	"fmt"
	"slices"

	"github.com/replimend/replimend/internal/policy"
	"github.com/replimend/replimend/internal/settings"
)

// What policies of resources may have, in bytes.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-policies.html
// https://docs.aws.amazon.com/cdk/api/v2/dotnet/api/Amazon.CDK.AWS.Events.CfnEventBusPolicy.html
const (
	queueLimit = 8192
	busLimit   = 10240
)

// Who uses the key of the seal, each with the one action that it may.
const (
	sealAction   = "kms:GenerateMac"
	verifyAction = "kms:VerifyMac"
)

// byKeyPolicy is what the policy of the seal's key lets a function do.
func byKeyPolicy(f Function) []string {
	switch f {
	case Approval, Page, Slack:
		return []string{sealAction}
	case Remedy:
		return []string{verifyAction}
	}
	return nil
}

// roles is the roles of functions.
func roles(h HubNames, of []Function) []policy.Principal {
	var out []policy.Principal
	for _, f := range of {
		out = append(out, principal(h.Role(string(f)).String())...)
	}
	return out
}

func principal(value string) []policy.Principal {
	return []policy.Principal{{Kind: policy.PrincipalAWS, Value: value}}
}

func service(names ...string) []policy.Principal {
	var out []policy.Principal
	for _, name := range names {
		out = append(out, policy.Principal{Kind: policy.PrincipalService, Value: name})
	}
	return out
}

func root(partition, account string) string { return arn(partition, "iam", "", account, "root") }

// onlyTLS denies what does not come over TLS.
func onlyTLS(action string, resources ...string) policy.StatementSpec {
	return policy.StatementSpec{
		Sid: "OnlyTLS", Effect: policy.Deny, Principals: principal("*"), Actions: []string{action}, Resources: resources,
		Conditions: []policy.Condition{{Operator: policy.Bool, Key: "aws:SecureTransport", Values: []string{"false"}}},
	}
}

// SealKeyPolicy is the policy of the key that seals approvals. It names who uses the key and does not leave that to the account's own
// policies: a policy attached to a role forges no approval. The account administers the key, as it must. Only roles that are there can be
// named, so it is said which functions seal besides the approval function.
// https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-default.html
func SealKeyPolicy(h HubNames, more ...Function) (policy.Document, error) {
	all := []string{anything} // in a key policy that is the key itself
	return document(
		policy.StatementSpec{
			Sid: "Administer", Effect: policy.Allow, Principals: principal(root(h.Partition, h.Account)), Resources: all,
			Actions: []string{
				"kms:CancelKeyDeletion", "kms:DescribeKey", "kms:DisableKey", "kms:EnableKey", "kms:GetKeyPolicy", "kms:ListResourceTags",
				"kms:PutKeyPolicy", "kms:ScheduleKeyDeletion", "kms:TagResource", "kms:UntagResource", "kms:UpdateKeyDescription",
				"kms:CreateAlias", "kms:DeleteAlias", "kms:UpdateAlias", "kms:GetKeyRotationStatus",
			},
		},
		policy.StatementSpec{
			Sid: "Seal", Effect: policy.Allow, Principals: roles(h, append([]Function{Approval}, more...)), Resources: all, Actions: []string{sealAction},
		},
		policy.StatementSpec{
			Sid: "Verify", Effect: policy.Allow, Principals: principal(h.Role(string(Remedy)).String()), Resources: all,
			Actions: []string{verifyAction},
		},
	)
}

// TopicPolicy is the policy of a member's topic in a Region: S3 publishes for buckets of the account, and the hub subscribes its queue
// and nothing else. Account and Region may be pseudo parameters of CloudFormation, in which case the text is for Fn::Sub.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/grant-destinations-permissions-to-s3.html
// https://docs.aws.amazon.com/sns/latest/dg/sns-using-identity-based-policies.html#sns-policy-keys
func TopicPolicy(h HubNames, account, region string) (policy.Document, error) {
	topic := arn(h.Partition, "sns", region, account, FailureTopic)
	return document(
		policy.StatementSpec{
			Sid: "Notify", Effect: policy.Allow, Principals: service("s3.amazonaws.com"), Actions: []string{"sns:Publish"},
			Resources: []string{topic}, Conditions: []policy.Condition{
				equals("aws:SourceAccount", account),
				{Operator: policy.ARNLike, Key: "aws:SourceArn", Values: []string{arn(h.Partition, "s3", "", "", "*")}},
			},
		},
		policy.StatementSpec{
			Sid: "Subscribe", Effect: policy.Allow, Principals: principal(root(h.Partition, h.Account)), Actions: []string{"sns:Subscribe"},
			Resources: []string{topic}, Conditions: []policy.Condition{
				equals("sns:Protocol", "sqs"), equals("sns:Endpoint", h.Queue(Failures).String()),
			},
		},
		// CloudFormation asks whether a topic is there before it subscribes to it.
		// https://github.com/aws-cloudformation/aws-cloudformation-resource-providers-sns/blob/master/aws-sns-subscription/src/main/java/software/amazon/sns/subscription/CreateHandler.java
		policy.StatementSpec{
			Sid: "LookUp", Effect: policy.Allow, Principals: principal(root(h.Partition, h.Account)), Actions: []string{"sns:GetTopicAttributes"},
			Resources: []string{topic},
		},
		onlyTLS("sns:Publish", topic),
	)
}

// byDefault is the Regions that every account has. SNS delivers from the others under a name of their own.
// https://docs.aws.amazon.com/sns/latest/dg/sns-cross-region-delivery.html
var byDefault = []string{
	"ap-northeast-1", "ap-northeast-2", "ap-northeast-3", "ap-south-1", "ap-southeast-1", "ap-southeast-2", "ca-central-1", "eu-central-1",
	"eu-north-1", "eu-west-1", "eu-west-2", "eu-west-3", "sa-east-1", "us-east-1", "us-east-2", "us-west-1", "us-west-2",
}

// QueuePolicy is the policy of a queue of the hub, or of its dead letters. The topics of members put failures in, the hub's rules
// changes; the others take messages from roles of the hub alone. It fails where the members are too many to name.
func QueuePolicy(set *settings.Settings, q Queue) (policy.Document, error) {
	h := NamesOf(set)
	queue := h.Queue(q).String()
	send := policy.StatementSpec{Sid: "Receive", Effect: policy.Allow, Actions: []string{"sqs:SendMessage"}, Resources: []string{queue}}
	from := func(arns ...string) []policy.Condition {
		return []policy.Condition{{Operator: policy.ARNLike, Key: "aws:SourceArn", Values: arns}}
	}
	switch q {
	case Failures:
		var topics, accounts []string
		senders := []string{"sns.amazonaws.com"}
		for _, m := range set.Members {
			for _, region := range m.Regions {
				topics = append(topics, Topic(m.Account, region).String())
				own := "sns." + region + ".amazonaws.com"
				if h.Partition == "aws" && !slices.Contains(byDefault, region) && !slices.Contains(senders, own) {
					senders = append(senders, own)
				}
			}
			accounts = append(accounts, arn(h.Partition, "sns", "*", m.Account, FailureTopic))
		}
		send.Principals = service(senders...)
		for _, arns := range [][]string{topics, accounts} {
			send.Conditions = from(arns...)
			d, err := document(send, onlyTLS("sqs:*", queue))
			if err != nil || d.Size() <= queueLimit {
				return d, err
			}
		}
		return policy.Document{}, fmt.Errorf("make policy of queue %s: the topics of %d members do not fit into the %d bytes that SQS stores",
			q, len(set.Members), queueLimit)
	case Changes:
		send.Principals, send.Conditions = service("events.amazonaws.com"), from(h.ChangeRules().String())
		return document(send, onlyTLS("sqs:*", queue))
	}
	return document(onlyTLS("sqs:*", queue))
}

// sources is whose calls CloudTrail reports to the hub. No custom event can carry such a name.
// https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEventsRequestEntry.html
var sources = []string{"aws.iam", "aws.kms", "aws.organizations", "aws.s3"}

// BusPolicy is the policy of the hub's bus: exactly the members, and other accounts that are given, put events with their roles for it,
// and those only that CloudTrail reports. It fails where the accounts are too many to name.
// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-event-bus-perms.html
func BusPolicy(set *settings.Settings, others ...string) (policy.Document, error) {
	h := NamesOf(set)
	spec := policy.StatementSpec{
		Sid: "Members", Effect: policy.Allow, Actions: []string{"events:PutEvents"}, Resources: []string{h.Bus().String()},
		Conditions: []policy.Condition{
			{Operator: policy.ARNLike, Key: "aws:PrincipalArn", Values: []string{
				arn(h.Partition, "iam", "", "*", "role"+settings.RolePath+Events),
				arn(h.Partition, "iam", "", "*", "role"+settings.RolePath+OrganizationEvents),
			}},
			{Operator: policy.StringEquals, Qualifier: policy.ForAllValues, Key: "events:source", Values: sources},
			{
				Operator: policy.StringEquals, Qualifier: policy.ForAllValues, Key: "events:detail-type",
				Values: []string{"AWS API Call via CloudTrail"},
			},
		},
	}
	var accounts []string
	for _, m := range set.Members {
		accounts = append(accounts, m.Account)
	}
	accounts = append(accounts, others...)
	slices.Sort(accounts)
	for _, account := range slices.Compact(accounts) {
		spec.Principals = append(spec.Principals, principal(root(h.Partition, account))...)
	}
	d, err := document(spec)
	if err == nil && d.Size() > busLimit {
		err = fmt.Errorf("make policy of bus %s: %d accounts do not fit into the %d bytes that EventBridge stores",
			Bus, len(accounts), busLimit)
	}
	return d, err
}

// ReportBucketPolicy is the policy of the bucket of manifests and reports of a member's Region: over TLS, and each half written by the
// one role whose half it is. Account and Region may be pseudo parameters of CloudFormation, in which case the text is for Fn::Sub.
func ReportBucketPolicy(partition, account, region string) (policy.Document, error) {
	bucket := arn(partition, "s3", "", "", settings.ReportBucket(account, region))
	only := func(sid string, role settings.MemberRole, prefix string) policy.StatementSpec {
		return policy.StatementSpec{
			Sid: sid, Effect: policy.Deny, Principals: principal("*"), Actions: []string{"s3:PutObject"}, Resources: []string{bucket + prefix},
			Conditions: []policy.Condition{{
				Operator: policy.ARNNotEquals, Key: "aws:PrincipalArn", Values: []string{role.ARN(partition, account).String()},
			}},
		}
	}
	return document(
		onlyTLS("s3:*", bucket, bucket+"/*"),
		only("Manifests", settings.Replayer, "/manifests/*"),
		only("Reports", settings.Batch, "/reports/*"),
	)
}
