// Package needs says what the functions need of AWS: the one list out of which roles are made, from what each edge declares. No function
// imports it.
package needs

import (
	"slices"

	"github.com/replimend/replimend/internal/awscloud"
	"github.com/replimend/replimend/internal/canary"
	"github.com/replimend/replimend/internal/grants"
	"github.com/replimend/replimend/internal/journal"
	"github.com/replimend/replimend/internal/notify"
	"github.com/replimend/replimend/internal/policy"
	"github.com/replimend/replimend/internal/preflight"
	"github.com/replimend/replimend/internal/queue"
	"github.com/replimend/replimend/internal/replay"
	"github.com/replimend/replimend/internal/settings"
	"github.com/replimend/replimend/internal/vault"
)

// Member is everything that the functions need of the roles of members.
func Member() []preflight.Need {
	out := slices.Concat(awscloud.Needs(), replay.Needs(), canary.Needs())
	for _, n := range awscloud.ReadNeeds() {
		out = append(out, n.Need)
	}
	return out
}

// polling is what Lambda needs to bring a queue's messages to a function.
// https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html
var polling = []string{"sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage"}

// logging is what Lambda needs to keep what a function logs. The group is made by whoever deploys.
// https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs.html
var logging = []string{"logs:CreateLogStream", "logs:PutLogEvents"}

// Hub is what each function needs in the hub, with those targets of notices and what people approve by. What it needs of members is in the
// roles that it assumes; who uses the key of the seal is in the key's policy.
func Hub(h grants.HubNames, targets []settings.Target, people settings.Approvals) []grants.Need {
	incidents, approvals := h.Table(grants.IncidentTable).String(), h.Table(grants.ApprovalTable).String()
	var out []grants.Need
	need := func(f grants.Function, why string, actions []string, resources ...string) {
		out = append(out, grants.Need{Function: f, Actions: actions, Resources: resources, Why: why})
	}
	for _, f := range grants.Functions() {
		need(f, "nobody sees what it did", logging, h.LogGroup(f).String()+":*")
		if f != grants.Notify {
			need(f, "nobody goes on with an incident", queue.Needs(), h.Queue(grants.Work).String())
		}
	}
	if len(targets) > 0 {
		for _, f := range []grants.Function{grants.Remedy, grants.Sweep, grants.Notify} {
			need(f, "nobody is told", queue.Needs(), h.Queue(grants.Notices).String())
		}
	}
	need(grants.Remedy, "nothing is remembered", journal.Needs(), incidents, incidents+"/index/"+journal.Index)
	need(grants.Failure, "no failure is remembered", journal.OpenNeeds(), incidents, incidents+"/index/"+journal.Index)
	need(grants.Approval, "it does not know what is asked", journal.GetNeeds(), incidents)
	need(grants.Sweep, "it does not know what is open and what is suppressed", journal.ListNeeds(), incidents, incidents+"/index/"+journal.Index)
	// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/specifying-conditions.html
	out = append(out, grants.Need{
		Function: grants.Sweep, Actions: journal.LiftNeeds(), Resources: []string{incidents}, Why: "a suppression that has ended stays",
		Conditions: []policy.Condition{{
			Operator: policy.StringEquals, Qualifier: policy.ForAllValues, Key: "dynamodb:LeadingKeys", Values: []string{journal.SuppressionPartition},
		}},
	})
	for _, p := range []struct {
		by   grants.Function
		from grants.Queue
	}{
		{grants.Failure, grants.Failures},
		{grants.Change, grants.Changes},
		{grants.Remedy, grants.Work},
		{grants.Sweep, grants.Sweeps},
		{grants.Notify, grants.Notices},
	} {
		need(p.by, "no message reaches it", polling, h.Queue(p.from).String())
	}
	need(grants.Sweep, "it sees no account", queue.Needs(), h.Queue(grants.Sweeps).String())
	need(grants.Approval, "nobody can approve", journal.ApproverNeeds(), approvals)
	switches := policy.ARN{
		Partition: h.Partition, Service: "ssm", Region: h.Region, Account: h.Account, Resource: "parameter" + awscloud.SwitchParameter,
	}
	need(grants.Remedy, "nothing is written where the kill switch cannot be read", []string{"ssm:GetParameter"}, switches.String())
	// An answer is read as it is, and of one that is used nothing is written but that it is.
	// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/specifying-conditions.html
	for _, action := range journal.ReaderNeeds() {
		n := grants.Need{
			Function: grants.Remedy, Actions: []string{action}, Resources: []string{approvals}, Why: "no approval counts",
		}
		if action == "dynamodb:UpdateItem" {
			n.Conditions = []policy.Condition{{
				Operator: policy.StringEquals, Qualifier: policy.ForAllValues, Key: "dynamodb:Attributes",
				Values: []string{"message", "pk", "sk", "used"},
			}}
		}
		out = append(out, n)
	}
	return slices.Concat(out, telling(h, targets, people), showing(h, people), pressing(h, people))
}

// showing is what the page needs: to decide, to list incidents, and its secrets.
func showing(h grants.HubNames, people settings.Approvals) []grants.Need {
	incidents := h.Table(grants.IncidentTable).String()
	out := append(deciding(h, grants.Page), grants.Need{
		Function: grants.Page, Actions: journal.ListNeeds(), Resources: []string{incidents + "/index/" + journal.Index}, Why: "it has no list",
	})
	var secrets []string
	for _, s := range []policy.ARN{people.Page.Secret, people.Page.ClientSecret} {
		if !s.IsZero() {
			secrets = append(secrets, s.String())
		}
	}
	return append(out, reading(h, grants.Page, "nobody has a link or signs in", secrets)...)
}

// pressing is what the function needs that takes what buttons in Slack decide: to decide, and the secret by which it knows Slack.
func pressing(h grants.HubNames, people settings.Approvals) []grants.Need {
	var secrets []string
	if people.HasSlack() {
		secrets = append(secrets, people.Slack.Secret.String())
	}
	return append(deciding(h, grants.Slack), reading(h, grants.Slack, "it does not know what Slack signed", secrets)...)
}

// deciding is what a function needs where people decide on the internet: to read an incident, to keep answers and what is good for one
// time, and to silence routes.
func deciding(h grants.HubNames, f grants.Function) []grants.Need {
	incidents, approvals := h.Table(grants.IncidentTable).String(), h.Table(grants.ApprovalTable).String()
	return []grants.Need{
		{Function: f, Actions: journal.GetNeeds(), Resources: []string{incidents}, Why: "it does not know what is asked"},
		{Function: f, Actions: journal.ApproverNeeds(), Resources: []string{approvals}, Why: "nobody can decide"},
		// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/specifying-conditions.html
		{Function: f, Actions: journal.SuppressNeeds(), Resources: []string{incidents}, Why: "nobody can silence", Conditions: []policy.Condition{{
			Operator: policy.StringEquals, Qualifier: policy.ForAllValues, Key: "dynamodb:LeadingKeys", Values: []string{journal.SuppressionPartition},
		}}},
	}
}

// reading is what a function needs to read secrets. Secrets Manager uses the key of what it keeps with the credentials of whoever calls it,
// also where that is AWS's own key, and says of what it is. A role that denies everything else has to be let.
// https://docs.aws.amazon.com/secretsmanager/latest/userguide/security-encryption.html
func reading(h grants.HubNames, f grants.Function, why string, secrets []string) []grants.Need {
	if len(secrets) == 0 {
		return nil
	}
	slices.Sort(secrets)
	secrets = slices.Compact(secrets)
	equals := func(key string, values ...string) policy.Condition {
		return policy.Condition{Operator: policy.StringEquals, Key: key, Values: values}
	}
	keys := []string{policy.ARN{Partition: h.Partition, Service: "kms", Region: h.Region, Account: h.Account, Resource: "key/*"}.String()}
	return []grants.Need{
		{Function: f, Actions: vault.Needs(), Resources: secrets, Why: why},
		{Function: f, Actions: []string{"kms:Decrypt"}, Resources: keys, Why: why, Conditions: []policy.Condition{
			equals("kms:ViaService", "secretsmanager."+h.Region+".amazonaws.com"), equals("kms:EncryptionContext:SecretARN", secrets...),
		}},
	}
}

// telling is what the function needs that tells people: the secrets and topics of the targets, its own rows and no incident, and to put
// its own events on the bus.
func telling(h grants.HubNames, targets []settings.Target, people settings.Approvals) []grants.Need {
	var secrets, topics []string
	for _, t := range targets {
		if t.Tool.ByTopic() {
			topics = append(topics, t.Topic.String())
		} else {
			secrets = append(secrets, t.Secret.String())
		}
	}
	need := func(why string, actions, resources []string, conditions ...policy.Condition) grants.Need {
		slices.Sort(resources)
		return grants.Need{Function: grants.Notify, Actions: actions, Resources: slices.Compact(resources), Conditions: conditions, Why: why}
	}
	equals := func(key string, values ...string) policy.Condition {
		return policy.Condition{Operator: policy.StringEquals, Key: key, Values: values}
	}
	keys := []string{policy.ARN{Partition: h.Partition, Service: "kms", Region: h.Region, Account: h.Account, Resource: "key/*"}.String()}
	out := []grants.Need{
		// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/specifying-conditions.html
		need("what was said is said again", journal.NoticeNeeds(), []string{h.Table(grants.IncidentTable).String()}, policy.Condition{
			Operator: policy.StringLike, Qualifier: policy.ForAllValues, Key: "dynamodb:LeadingKeys", Values: []string{journal.NoticePartitions + "*"},
		}),
		// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-use-conditions.html
		need("ticketing hears nothing", notify.BusNeeds(), []string{h.Bus().String()}, equals("events:source", notify.EventSource)),
	}
	if people.HasPage() {
		secrets = append(secrets, people.Page.Secret.String())
	}
	out = append(out, reading(h, grants.Notify, "no tool knows it", secrets)...)
	if len(topics) > 0 {
		// SNS uses keys as Secrets Manager does.
		// https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html
		out = append(out, need("topics tell nobody", notify.TopicNeeds(), topics), need("topics with a key tell nobody",
			[]string{"kms:Decrypt", "kms:GenerateDataKey"}, keys,
			equals("kms:ViaService", "sns."+h.Region+".amazonaws.com"), equals("kms:EncryptionContext:aws:sns:topicArn", topics...)))
	}
	return out
}
