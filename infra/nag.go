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
	onlyTLS = exception{
		"AwsSolutions-S10", "The bucket's policy denies what does not come over TLS. cdk-nag does not see it, because the ARN holds the account " +
			"and Region that CloudFormation fills in.",
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
