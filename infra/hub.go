package main

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsdynamodb"
	"github.com/aws/aws-cdk-go/awscdk/v2/awskms"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssqs"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsssm"
	"github.com/aws/jsii-runtime-go"

	"github.com/replimend/replimend/internal/awscloud"
	"github.com/replimend/replimend/internal/grants"
	"github.com/replimend/replimend/internal/needs"
	"github.com/replimend/replimend/internal/settings"
)

// hub is the stack of the hub while it is made.
type hub struct {
	stack awscdk.Stack
	set   *settings.Settings
	names grants.HubNames
	code  func(grants.Function) (code, error)

	incidents, approvals awsdynamodb.CfnTable
	queues               map[grants.Queue]awssqs.CfnQueue
	functions            map[grants.Function]awslambda.CfnFunction
	seal                 awskms.CfnKey    // nil: nobody may approve
	page                 awslambda.CfnUrl // nil: there is no page
}

// asks says whether anybody may be asked. Without approvers there is no function for answers, and no key that seals them.
func (h *hub) asks() bool { return len(h.set.Approvals.Approvers) > 0 }

// tells says whether there is anybody to tell. Without targets there is no function for notices, and no queue of them.
func (h *hub) tells() bool { return len(h.set.Chat.Targets) > 0 }

// shows says whether there is a page. Without it there is no function that the internet reaches.
func (h *hub) shows() bool { return h.set.Approvals.HasPage() }

// presses says whether buttons in Slack decide. Without them there is no function that Slack reaches.
func (h *hub) presses() bool { return h.set.Approvals.HasSlack() }

// has says whether the hub has a function.
func (h *hub) has(f grants.Function) bool {
	switch f {
	case grants.Approval:
		return h.asks()
	case grants.Notify:
		return h.tells()
	case grants.Page:
		return h.shows()
	case grants.Slack:
		return h.presses()
	}
	return true
}

// shapes is those of the functions that the hub has.
func (h *hub) shapes() []shape {
	return slices.DeleteFunc(slices.Clone(shapes), func(s shape) bool { return !h.has(s.function) })
}

// logDays is for how long logs are kept.
func (h *hub) logDays() int { return cmp.Or(h.set.Hub.LogDays, 90) }

// newHub makes the hub: everything that runs, and everything that is remembered.
func newHub(stack awscdk.Stack, set *settings.Settings, zips func(grants.Function) (code, error)) error {
	h := &hub{
		stack: stack, set: set, names: grants.NamesOf(set), code: zips,
		queues: map[grants.Queue]awssqs.CfnQueue{}, functions: map[grants.Function]awslambda.CfnFunction{},
	}
	granted, err := grants.Hub(set, needs.Hub(h.names, set.Chat.Targets, set.Approvals), needs.Member())
	if err != nil {
		return err
	}
	granted = slices.DeleteFunc(granted, func(r grants.Role) bool { return !h.has(grants.Function(r.Name)) })
	roles, err := newRoles(stack, granted)
	if err != nil {
		return err
	}
	h.incidents, h.approvals = newTables(stack)
	if h.asks() {
		if err := h.newSeal(roles); err != nil {
			return err
		}
	}
	if err := h.newQueues(); err != nil {
		return err
	}
	if err := h.newBus(); err != nil {
		return err
	}
	for _, s := range h.shapes() {
		if h.functions[s.function], err = h.newFunction(s, roles[string(s.function)]); err != nil {
			return fmt.Errorf("make function %s: %w", s.function, err)
		}
		if s.function == grants.Page {
			h.newPage()
		}
	}
	h.schedule(roles[grants.Schedules], h.functions[grants.Sweep])
	if h.asks() {
		h.newURL()
	}
	if h.presses() {
		h.newButtons()
	}
	newSwitch(stack)
	h.newAlarms()
	return h.newDashboard()
}

// newSwitch makes the kill switch of an account. CloudFormation writes a parameter again only when the template says something else, so
// that a deployment does not turn on again what somebody stopped.
func newSwitch(stack awscdk.Stack) {
	awsssm.NewCfnParameter(stack, jsii.String("KillSwitch"), &awsssm.CfnParameterProps{
		Name: jsii.String(awscloud.SwitchParameter), Type: jsii.String("String"), Value: jsii.String(awscloud.SwitchOff),
		Description: jsii.String("Replimend writes nothing while this is anything but " + awscloud.SwitchOff),
	})
}

// How often a message comes before it is a dead letter, and for how long a queue keeps messages: people have as long to look at dead
// letters as SQS allows.
// https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html
const (
	receives = 5
	keeps    = 14 * 24 * time.Hour
)

// newQueues makes the queues, each with one for dead letters.
func (h *hub) newQueues() error {
	for _, s := range h.shapes() {
		if s.queue == "" {
			continue
		}
		dead, err := h.newQueue(s.queue.Dead(), &awssqs.CfnQueueProps{})
		if err != nil {
			return err
		}
		q, err := h.newQueue(s.queue, &awssqs.CfnQueueProps{
			VisibilityTimeout: jsii.Number(s.visibility().Seconds()),
			RedrivePolicy:     map[string]any{"deadLetterTargetArn": dead.AttrArn(), "maxReceiveCount": receives},
		})
		if err != nil {
			return err
		}
		dead.SetRedriveAllowPolicy(map[string]any{"redrivePermission": "byQueue", "sourceQueueArns": []string{h.names.Queue(s.queue).String()}})
		h.queues[s.queue] = q
	}
	return nil
}

func (h *hub) newQueue(name grants.Queue, props *awssqs.CfnQueueProps) (awssqs.CfnQueue, error) {
	props.QueueName = jsii.String(string(name))
	props.SqsManagedSseEnabled = true
	props.MessageRetentionPeriod = jsii.Number(keeps.Seconds())
	q := awssqs.NewCfnQueue(h.stack, jsii.String(logical(string(name), "Queue")), props)
	granted, err := grants.QueuePolicy(h.set, name)
	if err != nil {
		return nil, err
	}
	d, err := document(granted)
	if err != nil {
		return nil, err
	}
	awssqs.NewCfnQueuePolicy(h.stack, jsii.String(logical(string(name), "QueuePolicy")), &awssqs.CfnQueuePolicyProps{
		PolicyDocument: d, Queues: &[]*string{q.Ref()},
	})
	return q, nil
}
