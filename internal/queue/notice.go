package queue

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/replimend/replimend/internal/incident"
)

// MaxNotice is how many bytes a notice has at most. SQS takes more by now, for four times the price.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html
const MaxNotice = 256 << 10

// Notice is what people are to be told. Its JSON form is {"message": {…}}, with "target" where it is for one target alone, to which it
// could not be said before.
type Notice struct {
	Message incident.Message `json:"message"`
	Target  string           `json:"target,omitempty"`
}

// String is what it is about: the incident's ID, or the route.
func (n Notice) String() string {
	if n.Message.Incident == "" {
		return n.Message.Route.String()
	}
	return n.Message.Incident
}

// SendNotice puts a notice into the queue of notices, from where it comes out after the delay, or after MaxDelay where that is shorter.
// One that is larger than MaxNotice goes without the code and the diff: what matters is that it is told.
func (q Queue) SendNotice(ctx context.Context, n Notice, delay time.Duration) error {
	body, err := n.body()
	if err == nil {
		err = q.put(ctx, body, delay)
	}
	if err != nil {
		return fmt.Errorf("send notice of %s: %w", n, err)
	}
	return nil
}

// cutShort is what stands where a notice had no room for the rest.
const cutShort = "(cut: the whole of it is in the incident)"

func (n Notice) body() (string, error) {
	for _, room := range []*string{&n.Message.Code, &n.Message.Diff, nil} {
		var b bytes.Buffer
		e := json.NewEncoder(&b)
		e.SetEscapeHTML(false) // which makes six bytes of one
		if err := e.Encode(n); err != nil {
			return "", err
		}
		if b.Len() <= MaxNotice {
			return b.String(), nil
		}
		if room != nil && *room != "" {
			*room = cutShort
		}
	}
	return "", fmt.Errorf("it has more than %d bytes without what can be left out", MaxNotice)
}

// ParseNotice reads the body of a message. What is not exactly a Notice is an error, fit for a log.
func ParseNotice(body string) (Notice, error) {
	var n Notice
	if len(body) > MaxNotice {
		return Notice{}, fmt.Errorf("read notice: %d bytes, the limit is %d", len(body), MaxNotice)
	}
	switch err := read(strings.TrimSpace(body), &n); {
	case err != nil:
		return Notice{}, fmt.Errorf("read notice: %w", err)
	case n.Message.Incident != "" && !incident.IsID(n.Message.Incident):
		return Notice{}, fmt.Errorf("read notice: %.80q is not the ID of an incident", n.Message.Incident)
	case n.Message.Title == "" || n.Message.At.IsZero():
		return Notice{}, fmt.Errorf("read notice: the message has no title or no time")
	}
	return n, nil
}
