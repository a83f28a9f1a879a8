// Package queue hands incidents to the worker, through a standard queue of SQS. A message is a pointer: what there is to do is
// in the journal, so that a message that comes twice, late or in another order changes nothing.
//
// The functions use it. It decides nothing: who is to look at an incident, and when, is package remedy's.
package queue

import (
	"context"
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
)

// MaxDelay is for how long SQS holds a message back at most.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html
const MaxDelay = 15 * time.Minute

// Work is what a message says. Its JSON form is {"incident": "inc-…"}, with "again": true where it is so.
type Work struct {
	// Incident is the ID of the incident to go on with.
	Incident string `json:"incident"`
	// Again says that a worker sent it to itself, to look again later.
	Again bool `json:"again,omitempty"`
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
	body, err := json.Marshal(w)
	if err != nil {
		return fmt.Errorf("send work on %s: %w", w.Incident, err)
	}
	delay = min(max(delay, 0), MaxDelay)
	_, err = q.Client.SendMessage(ctx, &sqs.SendMessageInput{
		QueueUrl: aws.String(q.URL), MessageBody: aws.String(string(body)), DelaySeconds: int32((delay + time.Second - 1) / time.Second),
	})
	if err != nil {
		return fmt.Errorf("send work on %s: %w", w.Incident, err)
	}
	return nil
}

var incidentID = regexp.MustCompile(`^inc-[0-9a-f]{20}$`)

// Parse reads the body of a message. What is not exactly a Work is an error, fit for a log.
func Parse(body string) (Work, error) {
	var w Work
	d := json.NewDecoder(strings.NewReader(body))
	d.DisallowUnknownFields()
	switch err := d.Decode(&w); {
	case err != nil:
		return Work{}, fmt.Errorf("read work: %.200q", err)
	case d.More():
		return Work{}, fmt.Errorf("read work: something follows it")
	case !incidentID.MatchString(w.Incident):
		return Work{}, fmt.Errorf("read work: %.80q is not the ID of an incident", w.Incident)
	}
	return w, nil
}
