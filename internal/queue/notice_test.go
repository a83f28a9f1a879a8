package queue_test

import (
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/google/go-cmp/cmp"

	"github.com/replimend/replimend/internal/incident"
	"github.com/replimend/replimend/internal/mototest"
	"github.com/replimend/replimend/internal/notifytest"
	"github.com/replimend/replimend/internal/queue"
)

// TestNotices: a message of each kind comes out of the queue as it went in, and the largest that there can be without what it has no
// room for.
func TestNotices(t *testing.T) {
	t.Parallel()
	s := mototest.Start(t)
	client := sqs.NewFromConfig(s.Config(t, s.Account(), "us-east-1"))
	out, err := client.CreateQueue(t.Context(), &sqs.CreateQueueInput{QueueName: aws.String("notices")})
	if err != nil {
		t.Fatal(err)
	}
	q := queue.Queue{Client: client, URL: aws.ToString(out.QueueUrl)}
	through := func(n queue.Notice) queue.Notice {
		t.Helper()
		if err := q.SendNotice(t.Context(), n, 0); err != nil {
			t.Fatal(err)
		}
		in, err := client.ReceiveMessage(t.Context(), &sqs.ReceiveMessageInput{QueueUrl: out.QueueUrl})
		if err != nil || len(in.Messages) != 1 {
			t.Fatalf("%d messages, %v", len(in.Messages), err)
		}
		got, err := queue.ParseNotice(aws.ToString(in.Messages[0].Body))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := client.DeleteMessage(t.Context(), &sqs.DeleteMessageInput{QueueUrl: out.QueueUrl, ReceiptHandle: in.Messages[0].ReceiptHandle}); err != nil {
			t.Fatal(err)
		}
		return got
	}
	for name, m := range notifytest.Messages() {
		want := queue.Notice{Message: m, Target: "oncall"}
		if diff := cmp.Diff(want, through(want)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}

	long := strings.Repeat("\U0001F980", 12_000)
	many := make([]string, 100)
	for i := range many {
		many[i] = long
	}
	fields := make([]incident.Field, 100)
	for i := range fields {
		fields[i] = incident.Field{Name: long, Value: long}
	}
	large := incident.NewMessage(incident.Incident{ID: id, Outcome: incident.Refused}, incident.Message{
		Title: long, Broke: many, Why: many, Undo: many, Steps: many, Happened: many, Diff: long, Code: long, Fields: fields, At: time.Now(),
	})
	got := through(queue.Notice{Message: large}).Message
	const cut = "(cut: the whole of it is in the incident)"
	if got.Code != cut || got.Title != large.Title || !cmp.Equal(got.Steps, large.Steps) {
		t.Errorf("the code is %.80q, the title %.80q", got.Code, got.Title)
	}
	q.URL += "x"
	if err := q.SendNotice(t.Context(), queue.Notice{Message: large}, 0); err == nil || !strings.Contains(err.Error(), id) {
		t.Errorf("to a queue that is not there: %v", err)
	}
}

// TestParseNotice: whoever may write to the queue writes what they like.
func TestParseNotice(t *testing.T) {
	t.Parallel()
	const least = `{"message":{"Title":"t","At":"2026-11-28T03:05:00Z"}}`
	if _, err := queue.ParseNotice(least); err != nil {
		t.Error(err)
	}
	for _, body := range []string{
		"", "null", "[]", "{}", `{"message":{}}`, least + "{}", `{"message":{"Title":"t","At":"2026-11-28T03:05:00Z"},"x":1}`,
		`{"message":{"Title":"t","At":"2026-11-28T03:05:00Z","X":1}}`, `{"message":{"Title":"t","At":"2026-11-28T03:05:00Z","Incident":"inc-1"}}`,
		`{"message":{"Title":"t"}}`, strings.Repeat(" ", 1<<20) + least, strings.Repeat("[", 200_000),
		`{"message":{"Title":"t","At":"2026-11-28T03:05:00Z","Incident":"` + strings.Repeat("\\u001b", 500) + `"}}`,
	} {
		if got, err := queue.ParseNotice(body); err == nil || len(err.Error()) > 500 || strings.ContainsRune(err.Error(), '\x1b') {
			t.Errorf("%.80q: %+v, %.200v", body, got, err)
		}
	}
}
