package queue_test

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/replimend/replimend/internal/mototest"
	"github.com/replimend/replimend/internal/queue"
)

// TestParseSweep: whoever may write to the queue writes what they like.
func TestParseSweep(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]queue.Sweep{
		`{"account":"111122223333","region":"us-east-1"}`:                     {Account: "111122223333", Region: "us-east-1"},
		`{"account":"111122223333","region":"us-gov-west-1","after":"a.b-c"}`: {Account: "111122223333", Region: "us-gov-west-1", After: "a.b-c"},
	} {
		if got, err := queue.ParseSweep(body); err != nil || got != want {
			t.Errorf("%s: %+v, %v", body, got, err)
		}
	}
	for _, body := range []string{
		"", "null", "[]", "{}", `{"account":"1","region":"us-east-1"}`, `{"account":"111122223333"}`, `{"account":"111122223333","region":"us-east-1","x":1}`,
		`{"account":"111122223333","region":"us-east-1"}{}`, `{"account":"111122223333","region":"` + strings.Repeat("a-", 1000) + `1"}`,
		`{"account":"111122223333","region":"us-east-1","after":"` + strings.Repeat("\\u001b", 500) + `"}`, strings.Repeat("[", 1<<20),
	} {
		if got, err := queue.ParseSweep(body); err == nil || len(err.Error()) > 500 || strings.ContainsRune(err.Error(), '\x1b') {
			t.Errorf("%.80q: %+v, %.200v", body, got, err)
		}
	}
}

// TestSendSweep: what is sent comes out as it went in.
func TestSendSweep(t *testing.T) {
	t.Parallel()
	s := mototest.Start(t)
	client := sqs.NewFromConfig(s.Config(t, s.Account(), "us-east-1"))
	out, err := client.CreateQueue(t.Context(), &sqs.CreateQueueInput{QueueName: aws.String("sweep")})
	if err != nil {
		t.Fatal(err)
	}
	q := queue.Queue{Client: client, URL: aws.ToString(out.QueueUrl)}
	want := queue.Sweep{Account: "111122223333", Region: "us-east-1", After: "bucket"}
	if err := q.SendSweep(t.Context(), want); err != nil {
		t.Fatal(err)
	}
	got, err := client.ReceiveMessage(t.Context(), &sqs.ReceiveMessageInput{QueueUrl: out.QueueUrl})
	if err != nil || len(got.Messages) != 1 {
		t.Fatalf("%d messages, %v", len(got.Messages), err)
	}
	if found, err := queue.ParseSweep(aws.ToString(got.Messages[0].Body)); err != nil || found != want {
		t.Errorf("received %+v, %v", found, err)
	}
	q.URL += "x"
	if err := q.SendSweep(t.Context(), want); err == nil || !strings.Contains(err.Error(), want.Account) {
		t.Errorf("to a queue that is not there: %v", err)
	}
}
