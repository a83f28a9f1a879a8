package notify_test

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	ebtypes "github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/replimend/replimend/internal/mototest"
	"github.com/replimend/replimend/internal/notify"
)

func TestMain(m *testing.M) { mototest.Main(m) }

// TestBus: a rule for events of Replimend gets what is put on the bus, as the schema has it.
func TestBus(t *testing.T) {
	t.Parallel()
	s := mototest.Start(t)
	account := s.Account()
	cfg := s.Config(t, account, "us-east-1")
	events, messages := eventbridge.NewFromConfig(cfg), sqs.NewFromConfig(cfg)
	q, err := messages.CreateQueue(t.Context(), &sqs.CreateQueueInput{QueueName: aws.String("tickets")})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := events.CreateEventBus(t.Context(), &eventbridge.CreateEventBusInput{Name: aws.String("replimend")}); err != nil {
		t.Fatal(err)
	}
	if _, err := events.PutRule(t.Context(), &eventbridge.PutRuleInput{
		Name: aws.String("tickets"), EventBusName: aws.String("replimend"),
		EventPattern: aws.String(`{"source": ["replimend"], "detail-type": ["Replimend Incident"], "detail": {"over": [true]}}`),
	}); err != nil {
		t.Fatal(err)
	}
	if _, err := events.PutTargets(t.Context(), &eventbridge.PutTargetsInput{
		Rule: aws.String("tickets"), EventBusName: aws.String("replimend"),
		Targets: []ebtypes.Target{{Id: aws.String("q"), Arn: aws.String("arn:aws:sqs:us-east-1:" + account + ":tickets")}},
	}); err != nil {
		t.Fatal(err)
	}
	bus := notify.Bus{Client: events, Name: "replimend"}
	for _, kind := range []string{"proposal", "resolved"} {
		if err := bus.Put(t.Context(), notify.EventOf(message(t, kind))); err != nil {
			t.Fatal(err)
		}
	}
	in, err := messages.ReceiveMessage(t.Context(), &sqs.ReceiveMessageInput{QueueUrl: q.QueueUrl, MaxNumberOfMessages: 10})
	if err != nil || len(in.Messages) != 1 {
		t.Fatalf("%d events, %v", len(in.Messages), err)
	}
	var got struct {
		Source, Account string
		Type            string `json:"detail-type"`
		Detail          notify.Event
	}
	if err := json.Unmarshal([]byte(aws.ToString(in.Messages[0].Body)), &got); err != nil {
		t.Fatal(err)
	}
	want := notify.EventOf(message(t, "resolved"))
	if got.Source != notify.EventSource || got.Type != notify.EventDetail || got.Detail.Incident != want.Incident || got.Detail.Outcome != want.Outcome ||
		!slices.Equal(got.Detail.Causes, want.Causes) || !got.Detail.At.Equal(want.At) {
		t.Errorf("got %+v, want %+v", got, want)
	}
	// EventBridge takes the call, and says of each event in it whether it took that.
	refusing := s.Proxy(t, func(w http.ResponseWriter, _ *http.Request) bool {
		w.Header().Set("Content-Type", "application/x-amz-json-1.1")
		_, _ = w.Write([]byte(`{"FailedEntryCount":1,"Entries":[{"ErrorCode":"InternalFailure","ErrorMessage":"no"}]}`))
		return true
	})
	bus.Client = eventbridge.NewFromConfig(s.ConfigAt(t, refusing, account, "us-east-1"))
	if err := bus.Put(t.Context(), want); err == nil || !strings.Contains(err.Error(), "InternalFailure") {
		t.Errorf("an event that was not taken: %v", err)
	}
}
