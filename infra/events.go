package main

import (
	"fmt"
	"slices"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsevents"
	"github.com/aws/jsii-runtime-go"

	"github.com/replimend/replimend/internal/grants"
	"github.com/replimend/replimend/internal/settings"
	"github.com/replimend/replimend/internal/signal"
)

// detailType is what EventBridge calls a record of CloudTrail.
// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-service-event-cloudtrail.html
const detailType = "AWS API Call via CloudTrail"

// withReads is the state of rules for calls that only read, such as kms:Decrypt, beside those that write.
// https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutRule.html
const withReads = "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS"

// senders is the accounts that may send events to the hub's bus: the members, and the management account where it is known.
func senders(set *settings.Settings) []string {
	var out []string
	for _, m := range set.Members {
		out = append(out, m.Account)
	}
	if set.ManagementAccount != "" && !slices.Contains(out, set.ManagementAccount) {
		out = append(out, set.ManagementAccount)
	}
	return out
}

// accountsPerRule keeps a pattern below the 2048 characters that EventBridge takes.
// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-quota.html
const accountsPerRule = 100

// newBus makes the bus, who may send to it, and the rules that hand on what came from those accounts and from AWS's services alone. No
// custom event can have a source that begins with aws.
func (h *hub) newBus() error {
	bus := awsevents.NewCfnEventBus(h.stack, jsii.String("Bus"), &awsevents.CfnEventBusProps{
		Name: jsii.String(grants.Bus), Description: jsii.String("What CloudTrail says of changes in members"),
	})
	var others []string
	if h.set.ManagementAccount != "" {
		others = append(others, h.set.ManagementAccount)
	}
	granted, err := grants.BusPolicy(h.set, others...)
	if err != nil {
		return err
	}
	for _, s := range granted.Statements {
		text, err := s.MarshalJSON()
		if err != nil {
			return err
		}
		statement, err := value(text)
		if err != nil {
			return err
		}
		awsevents.NewCfnEventBusPolicy(h.stack, jsii.String("BusPolicy"+s.Sid), &awsevents.CfnEventBusPolicyProps{
			EventBusName: bus.Ref(), StatementId: jsii.String(s.Sid), Statement: statement,
		})
	}
	number := 0
	for accounts := range slices.Chunk(senders(h.set), accountsPerRule) {
		number++
		name, id := grants.ChangeRule, "ChangesRule"
		if number > 1 {
			name, id = fmt.Sprintf("%s-%d", name, number), fmt.Sprintf("%s%d", id, number)
		}
		awsevents.NewCfnRule(h.stack, jsii.String(id), &awsevents.CfnRuleProps{
			Name: jsii.String(name), EventBusName: bus.AttrArn(), State: jsii.String(withReads),
			Description: jsii.String("Hands on what CloudTrail says of changes in members"),
			EventPattern: map[string]any{
				"source":      []string{"aws.iam", "aws.kms", "aws.organizations", "aws.s3"},
				"detail-type": []string{detailType},
				"account":     accounts,
			},
			Targets: []any{&awsevents.CfnRule_TargetProperty{Id: jsii.String("changes"), Arn: h.queues[grants.Changes].AttrArn()}},
		})
	}
	return nil
}

// forward sends events of an account's default bus to the hub's bus.
type forward struct {
	name   string // of the rule, after grants.ForwardRule
	source string // such as kms
	what   string
	state  string // "" for enabled
	detail map[string]any
}

// changed is the calls of a service that succeeded and can break or mend a route.
func changed(service, what string) forward {
	return forward{name: service, source: service, what: what, detail: map[string]any{
		"eventSource": []string{service + ".amazonaws.com"},
		"eventName":   signal.Changes(service + ".amazonaws.com"),
		"errorCode":   []any{map[string]any{"exists": false}},
	}}
}

// denied is calls of KMS that were refused to S3 while it replicated.
// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html
func denied() forward {
	return forward{name: "denials", source: "kms", what: "what KMS refused to S3 while it replicated", state: withReads, detail: map[string]any{
		"eventSource":  []string{"kms.amazonaws.com"},
		"errorCode":    []string{"AccessDenied", "AccessDeniedException"},
		"userIdentity": map[string]any{"arn": []any{map[string]any{"wildcard": "*/" + signal.ReplicationSessions}}},
	}}
}

// newForwards makes rules that send to the hub's bus, in that role of the account.
// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-cross-account.html
func newForwards(stack awscdk.Stack, hub grants.HubNames, role string, forwards ...forward) {
	for _, f := range forwards {
		props := &awsevents.CfnRuleProps{
			Name: jsii.String(grants.ForwardRule + "-" + f.name), Description: jsii.String("Sends " + f.what + " to Replimend"),
			EventPattern: map[string]any{"source": []string{"aws." + f.source}, "detail-type": []string{detailType}, "detail": f.detail},
			Targets: []any{&awsevents.CfnRule_TargetProperty{
				Id: jsii.String("hub"), Arn: jsii.String(hub.Bus().String()),
				RoleArn: sub("arn:%s:iam::%s:role%s%s", hub.Partition, anyAccount, settings.RolePath, role),
			}},
		}
		if f.state != "" {
			props.State = jsii.String(f.state)
		}
		awsevents.NewCfnRule(stack, jsii.String(logical(f.name, "Rule")), props)
	}
}
