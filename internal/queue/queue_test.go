package queue_test

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/replimend/replimend/internal/mototest"
	"github.com/replimend/replimend/internal/queue"
)

func TestMain(m *testing.M) { mototest.Main(m) }

const id = "inc-0123456789abcdef0123"

// TestParse: whoever may write to the queue writes what they like.
func TestParse(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]queue.Work{
		`{"incident":"` + id + `"}`:               {Incident: id},
		`{"incident":"` + id + `","again":true} `: {Incident: id, Again: true},
	} {
		if got, err := queue.Parse(body); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %+v, %v", body, got, err)
		}
	}
	for _, body := range []string{
		"", "null", "[]", `{}`, `{"incident":"inc-1"}`, `{"incident":"` + id + `\n"}`, `{"incident":"` + id + `","route":"x"}`,
		`{"incident":"` + id + `"}{}`, `{"incident":1}`, strings.Repeat("[", 1<<20), `{"incident":"` + strings.Repeat("\x1b", 500) + `"}`,
	} {
		if got, err := queue.Parse(body); err == nil || len(err.Error()) > 500 || strings.ContainsRune(err.Error(), '\x1b') {
			t.Errorf("%.80q: %+v, %.200v", body, got, err)
		}
	}
}

// TestSend: what is sent comes out as it went in, and one that is to wait does.
func TestSend(t *testing.T) {
	t.Parallel()
	s := mototest.Start(t)
	client := sqs.NewFromConfig(s.Config(t, s.Account(), "us-east-1"))
	out, err := client.CreateQueue(t.Context(), &sqs.CreateQueueInput{QueueName: aws.String("work")})
	if err != nil {
		t.Fatal(err)
	}
	q := queue.Queue{Client: client, URL: aws.ToString(out.QueueUrl)}
	if err := q.Send(t.Context(), queue.Work{Incident: id}, -time.Second); err != nil {
		t.Fatal(err)
	}
	if err := q.Send(t.Context(), queue.Work{Incident: id, Again: true}, 24*time.Hour); err != nil {
		t.Fatal(err)
	}
	got, err := client.ReceiveMessage(t.Context(), &sqs.ReceiveMessageInput{QueueUrl: out.QueueUrl, MaxNumberOfMessages: 10})
	if err != nil || len(got.Messages) != 1 {
		t.Fatalf("%d messages, %v", len(got.Messages), err)
	}
	if w, err := queue.Parse(aws.ToString(got.Messages[0].Body)); err != nil || w != (queue.Work{Incident: id}) {
		t.Errorf("received %+v, %v", w, err)
	}
	const delayed = types.QueueAttributeNameApproximateNumberOfMessagesDelayed
	now, err := client.GetQueueAttributes(t.Context(), &sqs.GetQueueAttributesInput{QueueUrl: out.QueueUrl, AttributeNames: []types.QueueAttributeName{delayed}})
	if err != nil || now.Attributes[string(delayed)] != "1" {
		t.Errorf("delayed: %v, %v", now.Attributes, err)
	}
	q.URL += "x"
	if err := q.Send(t.Context(), queue.Work{Incident: id}, 0); err == nil || !strings.Contains(err.Error(), id) {
		t.Errorf("to a queue that is not there: %v", err)
	}
}
