package notify

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge/types"

	"github.com/replimend/replimend/internal/incident"
)

// What an event is called on the bus, by which rules find it.
const (
	EventSource = "replimend"
	EventDetail = "Replimend Incident"
)

// EventSchema is the version of an event's detail.
const EventSchema = "replimend/event/v1"

// Event is the detail of an event on the hub's bus: what became of an incident, for ticketing and the like. It names no object and has no
// policy in it. An event may come twice, and then says the same.
type Event struct {
	Schema string `json:"schema" jsonschema:"enum=replimend/event/v1"`
	// The incident. Absent: the event is about none.
	Incident string `json:"incident,omitempty"`
	// What became of it.
	Outcome incident.Outcome `json:"outcome"`
	// Whether nothing more will come of it.
	Over bool `json:"over"`
	// How loudly it is to be said.
	Severity string `json:"severity" jsonschema:"enum=info,enum=warning,enum=critical"`
	// What happened, in one of a few words.
	Headline string `json:"headline"`
	// The same, with the route, for people.
	Title string         `json:"title"`
	Route incident.Route `json:"route"`
	// The accounts of the source and the destination, as far as they are known.
	Accounts []string `json:"accounts"`
	// The labels of the approved route.
	Labels []string `json:"labels"`
	// The causes, the worst first.
	Causes []string `json:"causes"`
	// The rules of the guard that speak against a cure.
	Rules []string `json:"rules"`
	// When the incident was opened. Absent: the event is about none.
	Opened time.Time `json:"opened,omitzero"`
	// As of when this is. Of two events of an incident the later one stands.
	At time.Time `json:"at"`
	// How much is not replicated, and since when.
	Exposure incident.Exposure `json:"exposure"`
	// Who most likely broke it. Absent: not known.
	Breaking *incident.Call `json:"breaking,omitempty"`
	// The plan that somebody may approve. Absent: there is nothing to approve.
	Plan string `json:"plan,omitempty"`
}

// EventOf is the event of a message.
func EventOf(m incident.Message) Event {
	list := func(s []string) []string { return append([]string{}, s...) }
	return Event{
		Schema: EventSchema, Incident: m.Incident, Outcome: m.Outcome, Over: m.Over(), Severity: string(m.Severity), Headline: string(m.Headline),
		Title: m.Title, Route: m.Route, Accounts: list(m.Accounts), Labels: list(m.Labels), Causes: list(m.Causes), Rules: list(m.Rules),
		Opened: m.Opened, At: m.At, Exposure: m.Exposure, Breaking: m.Breaking, Plan: m.Plan,
	}
}

// Bus is the event bus that events are put on.
type Bus struct {
	Client interface {
		PutEvents(ctx context.Context, in *eventbridge.PutEventsInput, o ...func(*eventbridge.Options)) (*eventbridge.PutEventsOutput, error)
	}
	Name string
}

// BusNeeds is the IAM actions that a Bus needs on it.
func BusNeeds() []string { return []string{"events:PutEvents"} }

// Put puts an event on the bus. EventBridge takes a call and says of each event in it whether it took that.
// https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEvents.html
func (b Bus) Put(ctx context.Context, e Event) error {
	detail, err := json.Marshal(e)
	if err != nil {
		return fmt.Errorf("put event: %w", err)
	}
	out, err := b.Client.PutEvents(ctx, &eventbridge.PutEventsInput{Entries: []types.PutEventsRequestEntry{{
		EventBusName: aws.String(b.Name), Source: aws.String(EventSource), DetailType: aws.String(EventDetail), Detail: aws.String(string(detail)),
		Time: aws.Time(e.At),
	}}})
	if err != nil {
		return fmt.Errorf("put event: %w", err)
	}
	for _, entry := range out.Entries {
		if code := aws.ToString(entry.ErrorCode); code != "" {
			return fmt.Errorf("put event: %.80q", code)
		}
	}
	return nil
}
