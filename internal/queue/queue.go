// Package queue hands incidents to the worker, through a standard queue of SQS. A message is a pointer: what there is to do is
// in the journal, so that a message that comes twice, late or in another order changes nothing.
//
// The functions use it. It decides nothing: who is to look at an incident, and when, is package remedy's.
package queue

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/replimend/replimend/internal/incident"
	"github.com/replimend/replimend/internal/signal"
)

// MaxDelay is for how long SQS holds a message back at most.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html
const MaxDelay = 15 * time.Minute

// Work is what a message says: an incident to go on with, or a route to look at. Its JSON form is {"incident": "inc-…"}, with
// "again": true where it is so, or {"look": {…}}.
type Work struct {
	// Incident is the ID of the incident to go on with.
	Incident string `json:"incident,omitempty"`
	// Again says that a worker sent it to itself, to look again later.
	Again bool `json:"again,omitempty"`
	// Look is set where there need be no incident yet.
	Look *Look `json:"look,omitempty"`
}

// Look asks to look at a route, or at every route of a bucket that nobody approved, because of what CloudTrail recorded or a sweep saw.
type Look struct {
	// Route is the route. Without a rule it is every enabled rule of its source that nobody approved.
	Route incident.Route `json:"route"`
	// Changes are calls that may have broken it, at most MaxCalls. They can forbid a cure, and allow none.
	Changes []incident.Call `json:"changes,omitempty"`
	// Denials are KMS calls that were denied to the session in which S3 replicates, at most MaxCalls: hints.
	Denials []signal.Denial `json:"denials,omitempty"`
}

// MaxCalls bounds each list of a Look, so that a message stays far below what SQS takes.
const MaxCalls = 16

// String is what it is about: the incident's ID, or the route.
func (w Work) String() string {
	if w.Look != nil {
		return w.Look.Route.String()
	}
	return w.Incident
}

// Queue is one queue.
type Queue struct {
	Client *sqs.Client
	URL    string
}

// Needs is the IAM actions that a Queue needs on its queue.
func Needs() []string { return []string{"sqs:SendMessage"} }

// Send puts a message into the queue, from where it comes out after the delay, or after MaxDelay where that is shorter. A part of a
// second counts as a whole one.
func (q Queue) Send(ctx context.Context, w Work, delay time.Duration) error {
	if err := q.send(ctx, w, delay); err != nil {
		return fmt.Errorf("send work on %s: %w", w, err)
	}
	return nil
}

func (q Queue) send(ctx context.Context, message any, delay time.Duration) error {
	body, err := json.Marshal(message)
	if err != nil {
		return err
	}
	return q.put(ctx, string(body), delay)
}

func (q Queue) put(ctx context.Context, body string, delay time.Duration) error {
	delay = min(max(delay, 0), MaxDelay)
	_, err := q.Client.SendMessage(ctx, &sqs.SendMessageInput{
		QueueUrl: aws.String(q.URL), MessageBody: aws.String(body), DelaySeconds: int32((delay + time.Second - 1) / time.Second),
	})
	return err
}

// check says what a Look lacks. Whoever may send messages here could not make more allowed by them; what is looked at is compared
// with the settings.
func (l *Look) check(w Work) error {
	switch {
	case w.Incident != "" || w.Again:
		return fmt.Errorf("read work: it names an incident and a route")
	case l.Route.Source == "" || (l.Route.Rule == "") != (l.Route.Destination == ""):
		return fmt.Errorf("read work: the route is not whole")
	case len(l.Changes) > MaxCalls || len(l.Denials) > MaxCalls:
		return fmt.Errorf("read work: %d changes and %d denials, the limit is %d of each", len(l.Changes), len(l.Denials), MaxCalls)
	}
	return nil
}

// Parse reads the body of a message. What is not exactly a Work is an error, fit for a log.
func Parse(body string) (Work, error) {
	var w Work
	switch err := read(body, &w); {
	case err != nil:
		return Work{}, fmt.Errorf("read work: %w", err)
	case w.Look != nil:
		return w, w.Look.check(w)
	case !incident.IsID(w.Incident):
		return Work{}, fmt.Errorf("read work: %.80q is not the ID of an incident", w.Incident)
	}
	return w, nil
}

// read reads a body that is exactly one JSON value of that form.
func read(body string, into any) error {
	d := json.NewDecoder(strings.NewReader(body))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return fmt.Errorf("%.200q", err)
	}
	if d.More() {
		return errors.New("something follows it")
	}
	return nil
}
