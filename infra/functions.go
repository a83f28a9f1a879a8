package main

import (
	"fmt"
	"time"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslogs"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsscheduler"
	"github.com/aws/jsii-runtime-go"

	"github.com/replimend/replimend/internal/deployed"
	"github.com/replimend/replimend/internal/grants"
)

// A shape is what a function is deployed with.
//
// No function reserves concurrency: Lambda refuses it to accounts that have no more than their first 10, and a reserved function in front
// of a queue is throttled, which counts messages as received until they are dead letters. What must not run too often at once is bounded
// where its messages are read.
// https://docs.aws.amazon.com/lambda/latest/dg/configuration-concurrency.html
// https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html
type shape struct {
	function    grants.Function
	description string
	// memory is in MiB. A function uses 30 at most; with memory comes the share of a core that parses and evaluates.
	// https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html
	memory  int
	timeout time.Duration

	// The queue that it reads, none for whom nobody waits in a queue.
	queue grants.Queue
	batch int
	// window is for how long a batch is filled up. Batches of more than 10 need one.
	window time.Duration
	// atOnce is how many batches are worked on at the same time.
	atOnce int
	// repeats says that it sends messages to the queue that it reads.
	repeats bool
}

var shapes = []shape{
	{
		function: grants.Failure, description: "Reads what S3 says of failures", memory: 256, timeout: 30 * time.Second,
		// A storm of events costs as many writes as it has batches.
		queue: grants.Failures, batch: 100, window: 5 * time.Second, atOnce: 5,
	},
	{
		function: grants.Change, description: "Reads what CloudTrail says of changes", memory: 256, timeout: 30 * time.Second,
		// A deployment changes many things within seconds, and one look at the route is enough.
		queue: grants.Changes, batch: 100, window: 10 * time.Second, atOnce: 2,
	},
	{
		// The timeout is what the writes of a plan to four documents need, and what is read before them; it is shorter than the lease of a
		// lock. One incident at a time, so that none waits for another.
		function: grants.Remedy, description: "Diagnoses, writes and replays", memory: 512, timeout: 5 * time.Minute,
		queue: grants.Work, batch: 1, atOnce: 10, repeats: true,
	},
	{
		function: grants.Sweep, description: "Looks at every route of an account and Region", memory: 512, timeout: 5 * time.Minute,
		queue: grants.Sweeps, batch: 1, atOnce: 5, repeats: true,
	},
	{
		// The provider where people sign in is asked, too. It stands before the function that tells people where it is.
		function: grants.Page, description: "Shows people incidents, and seals what they decide", memory: 256, timeout: 30 * time.Second,
	},
	{
		// A tool may take its time, and is asked up to four times. Two at once tell what a storm brings, and no tool has to throttle them.
		function: grants.Notify, description: "Tells people, and the event bus", memory: 256, timeout: time.Minute,
		queue: grants.Notices, batch: 1, atOnce: 2, repeats: true,
	},
	{
		function: grants.Approval, description: "Seals what people answer", memory: 256, timeout: 15 * time.Second,
	},
	{
		// Slack waits for 3 seconds, a cold start included, and calls it a failure after that although what was decided counts.
		// https://docs.slack.dev/interactivity/handling-user-interaction#acknowledgment_response
		function: grants.Slack, description: "Takes what buttons in Slack decide", memory: 512, timeout: 15 * time.Second,
	},
}

// visibility is for how long a message stays hidden that the function has.
// https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html
func (s shape) visibility() time.Duration { return 6*s.timeout + s.window }

// Code is a function's zip.
type code struct {
	file string
	hash string // of its content, in hex
}

// environment is the variables of a function: what its Environment method reads and no more.
func (h *hub) environment(f grants.Function) *map[string]*string {
	if f == grants.Notify {
		out := map[string]*string{
			deployed.TableVariable: h.incidents.Ref(), deployed.NoticeVariable: h.queues[grants.Notices].Ref(), deployed.BusVariable: jsii.String(grants.Bus),
		}
		if h.page != nil {
			out[deployed.PageVariable] = h.page.AttrFunctionUrl()
		}
		return &out
	}
	out := map[string]*string{deployed.WorkVariable: h.queues[grants.Work].Ref()}
	if h.tells() && (f == grants.Remedy || f == grants.Sweep) {
		out[deployed.NoticeVariable] = h.queues[grants.Notices].Ref()
	}
	if f != grants.Change {
		out[deployed.TableVariable] = h.incidents.Ref()
	}
	if f == grants.Remedy || f == grants.Approval || f == grants.Page || f == grants.Slack {
		out[deployed.ApprovalsVariable] = h.approvals.Ref()
		if h.seal != nil {
			out[deployed.SealVariable] = h.seal.AttrArn()
		}
	}
	if f == grants.Sweep {
		out[deployed.SweepVariable] = h.queues[grants.Sweeps].Ref()
	}
	return &out
}

// newFunction makes a function with its log group, which is there before it: a group that Lambda makes keeps logs for ever.
func (h *hub) newFunction(s shape, role awsiam.CfnRole) (awslambda.CfnFunction, error) {
	zip, err := h.code(s.function)
	if err != nil {
		return nil, err
	}
	name := string(s.function)
	logs := awslogs.NewCfnLogGroup(h.stack, jsii.String(logical(name, "Log")), &awslogs.CfnLogGroupProps{
		LogGroupName: jsii.String(grants.LogGroup(s.function)), RetentionInDays: jsii.Number(h.logDays()),
	})
	asset := h.stack.Synthesizer().AddFileAsset(&awscdk.FileAssetSource{
		FileName: jsii.String(zip.file), SourceHash: jsii.String(zip.hash), Packaging: awscdk.FileAssetPackaging_FILE,
	})
	props := &awslambda.CfnFunctionProps{
		FunctionName: jsii.String(name), Description: jsii.String(s.description), Role: role.AttrArn(),
		Runtime: jsii.String("provided.al2023"), Architectures: texts("arm64"), Handler: jsii.String("bootstrap"),
		Code:       &awslambda.CfnFunction_CodeProperty{S3Bucket: asset.BucketName, S3Key: asset.ObjectKey},
		MemorySize: jsii.Number(s.memory), Timeout: jsii.Number(s.timeout.Seconds()),
		Environment:   &awslambda.CfnFunction_EnvironmentProperty{Variables: h.environment(s.function)},
		LoggingConfig: &awslambda.CfnFunction_LoggingConfigProperty{LogGroup: logs.Ref()},
		// The log has the timeline of each incident. Traces would cost for each event of a storm.
		TracingConfig: &awslambda.CfnFunction_TracingConfigProperty{Mode: jsii.String("PassThrough")},
	}
	if s.repeats {
		// An incident that waits for a job of S3 is looked at again and again by messages that the function sends itself. Lambda would
		// take the sixteenth for a mistake. The workflow bounds them, and so does the time for which it is patient.
		// https://docs.aws.amazon.com/lambda/latest/dg/invocation-recursion.html
		props.RecursiveLoop = jsii.String("Allow")
	}
	f := awslambda.NewCfnFunction(h.stack, jsii.String(logical(name, "Function")), props)
	if s.queue != "" {
		h.read(s, f)
	}
	return f, nil
}

// read brings the messages of a queue to a function, and gives back to the queue those of a batch that were not dealt with.
func (h *hub) read(s shape, f awslambda.CfnFunction) {
	props := &awslambda.CfnEventSourceMappingProps{
		FunctionName: f.Ref(), EventSourceArn: h.queues[s.queue].AttrArn(), BatchSize: jsii.Number(s.batch),
		FunctionResponseTypes: texts("ReportBatchItemFailures"),
		ScalingConfig:         &awslambda.CfnEventSourceMapping_ScalingConfigProperty{MaximumConcurrency: jsii.Number(s.atOnce)},
	}
	if s.window > 0 {
		props.MaximumBatchingWindowInSeconds = jsii.Number(s.window.Seconds())
	}
	awslambda.NewCfnEventSourceMapping(h.stack, jsii.String(logical(string(s.function), "Messages")), props)
}

// sweepEvery is how often a sweep is made. CloudTrail's events and S3's are delivered at best effort, and incidents wait until a time
// that the sweep has to keep; 15 minutes is also what S3 promises for a replication with Replication Time Control. Sweeps are most of
// what Replimend costs where nothing happens.
const sweepEvery = 15 * time.Minute

// schedule starts the sweep. What is missed is not made up for: the next one sees the same.
func (h *hub) schedule(role awsiam.CfnRole, sweep awslambda.CfnFunction) {
	awsscheduler.NewCfnSchedule(h.stack, jsii.String("SweepSchedule"), &awsscheduler.CfnScheduleProps{
		Name: jsii.String(sweepSchedule), Description: jsii.String("Looks at every route of every member"),
		ScheduleExpression: jsii.String(fmt.Sprintf("rate(%d minutes)", int(sweepEvery.Minutes()))),
		FlexibleTimeWindow: &awsscheduler.CfnSchedule_FlexibleTimeWindowProperty{Mode: jsii.String("OFF")},
		Target: &awsscheduler.CfnSchedule_TargetProperty{
			Arn: sweep.AttrArn(), RoleArn: role.AttrArn(),
			RetryPolicy: &awsscheduler.CfnSchedule_RetryPolicyProperty{
				MaximumEventAgeInSeconds: jsii.Number(sweepEvery.Seconds()), MaximumRetryAttempts: jsii.Number(3),
			},
		},
	})
}
