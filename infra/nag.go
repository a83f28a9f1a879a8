package main

import (
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"
	"github.com/cdklabs/cdk-nag-go/cdknag/v2"
)

// exception is a rule of cdk-nag that something departs from, and why it may.
type exception struct{ rule, reason string }

var (
	exactResources = exception{
		"AwsSolutions-IAM5", "Stars stand for objects and log streams of named resources, for documents that the reader has to find before " +
			"anybody can name them, and for actions to which AWS gives no resource. The table of package grantstest says what each role " +
			"can and cannot do.",
	}
	noAccessLogs = exception{
		"AwsSolutions-S1", "The bucket holds manifests and reports of batch jobs, which two roles write; CloudTrail has who made the jobs. " +
			"A bucket for access logs would need one of its own in every Region.",
	}
	noTopicKey = exception{
		"AwsSolutions-SNS2", "S3 publishes to encrypted topics only with a customer managed key, which costs as long as it exists. Messages " +
			"name buckets and keys of objects, not what is in them, and leave AWS's network nowhere.",
	}
	ownRuntime = exception{
		"AwsSolutions-L1", "provided.al2023 is the latest runtime of its kind. What runs in it is compiled.",
	}
	isDeadLetters = exception{
		"AwsSolutions-SQS3", "It is where the dead letters of another queue go.",
	}
)

// accept lets a resource depart from rules.
func accept(of constructs.IConstruct, exceptions ...exception) {
	out := make([]*cdknag.NagPackSuppression, len(exceptions))
	for i, e := range exceptions {
		out[i] = &cdknag.NagPackSuppression{Id: jsii.String(e.rule), Reason: jsii.String(e.reason)}
	}
	cdknag.NagSuppressions_AddResourceSuppressions(of, &out, jsii.Bool(false))
}
