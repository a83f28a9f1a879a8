package grants

import (
	"github.com/replimend/replimend/internal/policy"
	"github.com/replimend/replimend/internal/settings"
)

// The functions of the hub, by the names that they and their roles have.
const (
	Failure  Function = "replimend-failure"  // reads what S3 says of failures
	Change   Function = "replimend-change"   // reads what CloudTrail says of changes
	Remedy   Function = settings.Worker      // diagnoses, writes, replays
	Sweep    Function = "replimend-sweep"    // looks at every route of an account from time to time
	Approval Function = "replimend-approval" // seals what people answer
	Notify   Function = "replimend-notify"   // tells people
	Slack    Function = "replimend-slack"    // takes what buttons in Slack decide
	Page     Function = "replimend-page"     // shows people incidents, and seals what they decide
)

// Function is a function of the hub.
type Function string

// Functions is every function of the hub.
func Functions() []Function {
	return []Function{Failure, Change, Remedy, Sweep, Approval, Notify, Page, Slack}
}

// Roles that are nobody's function.
const (
	// Schedules is the role with which EventBridge Scheduler calls the sweep.
	Schedules = "replimend-schedules"
	// Events is the role with which EventBridge sends a member's events to the hub's bus.
	Events = "replimend-events"
	// OrganizationEvents is the same in the management account, which need not be a member.
	OrganizationEvents = "replimend-organization-events"
)

// Queue is a queue of the hub. Each has a queue for dead letters: see Dead.
type Queue string

// The queues of the hub.
const (
	Failures Queue = "replimend-failures" // from the topics of members to the failure function
	Changes  Queue = "replimend-changes"  // from the hub's bus to the change function
	Work     Queue = "replimend-work"     // to the remedy function
	Sweeps   Queue = "replimend-sweeps"   // from the sweep function to itself
	Notices  Queue = "replimend-notices"  // from whoever has something to tell to the notify function
)

// Queues is every queue of the hub that is not for dead letters.
func Queues() []Queue { return []Queue{Failures, Changes, Work, Sweeps, Notices} }

// Dead is the queue of a queue's dead letters.
func (q Queue) Dead() Queue { return q + "-dead" }

// Names of things in the hub and, where it says so, in members. They are the same in every account and Region.
const (
	IncidentTable = "replimend-incidents"
	ApprovalTable = "replimend-approvals"
	Bus           = "replimend"
	SealAlias     = "alias/replimend-seal"
	// ChangeRule is what the names of the hub's rules begin with that bring events from the bus to the change function.
	ChangeRule = "replimend-changes"
	// ForwardRule is what the names of a member's rules begin with that bring its events to the hub's bus.
	ForwardRule = "replimend-forward"
	// FailureTopic is the topic that S3 notifies in each Region of a member.
	FailureTopic = "replimend-failures"
)

// HubNames is the ARNs of what the hub has. They follow from the names, so that members' templates know them, too.
type HubNames struct{ Partition, Account, Region string }

// NamesOf is the names of the hub of the settings.
func NamesOf(set *settings.Settings) HubNames {
	return HubNames{policy.Partition(set.Hub.Region), set.Hub.Account, set.Hub.Region}
}

func (h HubNames) arn(service, resource string) policy.ARN {
	return policy.ARN{Partition: h.Partition, Service: service, Region: h.Region, Account: h.Account, Resource: resource}
}

// Role is the ARN of a role of the hub: a function's, or Schedules.
func (h HubNames) Role(name string) policy.ARN {
	return policy.ARN{Partition: h.Partition, Service: "iam", Account: h.Account, Resource: "role" + settings.RolePath + name}
}

// Function is the ARN of a function.
func (h HubNames) Function(f Function) policy.ARN { return h.arn("lambda", "function:"+string(f)) }

// LogGroup is the ARN of a function's log group.
func (h HubNames) LogGroup(f Function) policy.ARN {
	return h.arn("logs", "log-group:"+LogGroup(f))
}

// LogGroup is the name of a function's log group.
func LogGroup(f Function) string { return "/aws/lambda/" + string(f) }

// Queue is the ARN of a queue.
func (h HubNames) Queue(q Queue) policy.ARN { return h.arn("sqs", string(q)) }

// Table is the ARN of a table.
func (h HubNames) Table(name string) policy.ARN { return h.arn("dynamodb", "table/"+name) }

// Bus is the ARN of the event bus.
func (h HubNames) Bus() policy.ARN { return h.arn("events", "event-bus/"+Bus) }

// ChangeRules is the ARN of the hub's rules that bring events to the change function, with a star at its end.
func (h HubNames) ChangeRules() policy.ARN { return h.arn("events", "rule/"+Bus+"/"+ChangeRule+"*") }

// Topic is the ARN of a member's topic in a Region.
func Topic(account, region string) policy.ARN {
	return policy.ARN{
		Partition: policy.Partition(region), Service: "sns", Region: region, Account: account, Resource: FailureTopic,
	}
}
