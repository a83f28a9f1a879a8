package notify_test

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	ebtypes "github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/replimend/replimend/internal/journaltest"
	"github.com/replimend/replimend/internal/mototest"
	"github.com/replimend/replimend/internal/notify"
)

func TestMain(m *testing.M) { mototest.Main(m) }

// TestSecrets: a text, or the only member of what the console makes, read once in five minutes, and anew where somebody says so.
func TestSecrets(t *testing.T) {
	t.Parallel()
	s := mototest.Start(t)
	account := s.Account()
	own := secretsmanager.NewFromConfig(s.Config(t, account, "us-east-1"))
	var mu sync.Mutex
	calls := map[string]int{}
	proxy := s.Proxy(t, func(_ http.ResponseWriter, r *http.Request) bool {
		mu.Lock()
		defer mu.Unlock()
		_, operation, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
		calls["secretsmanager:"+operation]++
		return false
	})
	clock := journaltest.NewClock()
	read := &notify.Secrets{Client: secretsmanager.NewFromConfig(s.ConfigAt(t, proxy, account, "us-east-1")), Now: clock.Now}
	made := func(name, text string) string {
		t.Helper()
		out, err := own.CreateSecret(t.Context(), &secretsmanager.CreateSecretInput{Name: aws.String(name), SecretString: aws.String(text)})
		if err != nil {
			t.Fatal(err)
		}
		return aws.ToString(out.ARN)
	}
	is := func(arn string, fresh bool, want string) {
		t.Helper()
		got, err := read.Get(t.Context(), arn, fresh)
		if err != nil || got != notify.SecretOf(want) {
			t.Errorf("it is not %s: %v", want, err)
		}
	}
	is(made("json", `{"token": " `+token+`\n"}`), false, token)
	for name, text := range map[string]string{"two": `{"a": "` + token + `", "b": "c"}`, "number": `{"a": 1, "` + token + `": {}}`, "cut": `{"a": "` + token, "blank": " ", "none": `{"a": ""}`} {
		got, err := read.Get(t.Context(), made(name, text), false)
		if err == nil || got != (notify.Secret{}) || strings.Contains(err.Error(), token) {
			t.Errorf("%s: %v", name, err)
		}
	}
	arn := made("plain", token+"\n")
	is(arn, false, token)
	if _, err := own.PutSecretValue(t.Context(), &secretsmanager.PutSecretValueInput{SecretId: aws.String(arn), SecretString: aws.String("rotated")}); err != nil {
		t.Fatal(err)
	}
	is(arn, false, token)
	clock.Pass(notify.SecretFor - time.Second)
	is(arn, false, token)
	clock.Pass(time.Second)
	is(arn, false, "rotated")
	if _, err := own.PutSecretValue(t.Context(), &secretsmanager.PutSecretValueInput{SecretId: aws.String(arn), SecretString: aws.String("again")}); err != nil {
		t.Fatal(err)
	}
	is(arn, true, "again")
	is(arn, false, "again")
	if _, err := read.Get(t.Context(), arn+"x", false); err == nil || !strings.Contains(err.Error(), arn) {
		t.Errorf("one that is not there: %v", err)
	}
	if needs := notify.SecretNeeds(); len(calls) != 1 || calls[needs[0]] != 10 {
		t.Errorf("called %v, needs %v", calls, needs)
	}
}

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
