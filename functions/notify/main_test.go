package main

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	ebtypes "github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/replimend/replimend/internal/grants"
	"github.com/replimend/replimend/internal/lambdatest"
	"github.com/replimend/replimend/internal/mototest"
)

func TestMain(m *testing.M) { mototest.Main(m) }

// outside is what hears of incidents in an account of moto: topics, and a rule on the bus, each with a queue.
type outside struct {
	t      *testing.T
	queues *sqs.Client
	topics *sns.Client
	cfg    aws.Config
}

func (o outside) queue(name string) (url, arn string) {
	o.t.Helper()
	q, err := o.queues.CreateQueue(o.t.Context(), &sqs.CreateQueueInput{QueueName: aws.String(name)})
	if err != nil {
		o.t.Fatal(err)
	}
	url = aws.ToString(q.QueueUrl)
	account := strings.Split(url, "/")
	return url, "arn:aws:sqs:us-east-1:" + account[len(account)-2] + ":" + name
}

// topic is a topic whose messages a queue gets as they are.
func (o outside) topic(name string) (arn, url string) {
	o.t.Helper()
	made, err := o.topics.CreateTopic(o.t.Context(), &sns.CreateTopicInput{Name: aws.String(name)})
	if err != nil {
		o.t.Fatal(err)
	}
	url, to := o.queue(name)
	if _, err := o.topics.Subscribe(o.t.Context(), &sns.SubscribeInput{
		TopicArn: made.TopicArn, Protocol: aws.String("sqs"), Endpoint: aws.String(to), Attributes: map[string]string{"RawMessageDelivery": "true"},
	}); err != nil {
		o.t.Fatal(err)
	}
	return aws.ToString(made.TopicArn), url
}

// bus is the event bus, whose events of Replimend a queue gets.
func (o outside) bus() (url string) {
	o.t.Helper()
	events := eventbridge.NewFromConfig(o.cfg)
	url, to := o.queue("tickets")
	_, err := events.CreateEventBus(o.t.Context(), &eventbridge.CreateEventBusInput{Name: aws.String("replimend")})
	if err == nil {
		_, err = events.PutRule(o.t.Context(), &eventbridge.PutRuleInput{
			Name: aws.String("tickets"), EventBusName: aws.String("replimend"), EventPattern: aws.String(`{"source": ["replimend"]}`),
		})
	}
	if err == nil {
		_, err = events.PutTargets(o.t.Context(), &eventbridge.PutTargetsInput{
			Rule: aws.String("tickets"), EventBusName: aws.String("replimend"), Targets: []ebtypes.Target{{Id: aws.String("q"), Arn: aws.String(to)}},
		})
	}
	if err != nil {
		o.t.Fatal(err)
	}
	return url
}

// TestPeopleHearOfACure from the event of S3 to what the subscribers of topics and the bus get: each state once, however often messages
// come, in the language of the target; and one target that nobody can tell keeps none of the others from being told.
func TestPeopleHearOfACure(t *testing.T) {
	t.Parallel()
	w := lambdatest.NewWorld(t)
	cfg := w.Server.Config(t, w.Account, "us-east-1")
	o := outside{t, sqs.NewFromConfig(cfg), sns.NewFromConfig(cfg), cfg}
	mail, inbox := o.topic("mail")
	chatbot, channel := o.topic("chatbot")
	tickets := o.bus()
	const token = "xoxb-4711-T0ps3cret"
	bad, err := secretsmanager.NewFromConfig(cfg).CreateSecret(t.Context(), &secretsmanager.CreateSecretInput{
		Name: aws.String("webhook"), SecretString: aws.String("https://169.254.169.254/" + token),
	})
	if err != nil {
		t.Fatal(err)
	}
	w.Configure(w.Settings(w.Approved("ledger", w.Route.Source)) + fmt.Sprintf(`chat:
  targets:
  - {name: mail, tool: email, topic: "%s", language: ja}
  - {name: chatbot, tool: amazon-q, topic: "%s"}
  - {name: forged, tool: slack-webhook, secret: "%s"}
`, mail, chatbot, aws.ToString(bad.ARN)))

	failure, worker, herald := w.Start("../failure"), w.Start("../remedy"), w.Start(".")
	w.Send(w.Events, w.Failed(w.Route.Key, w.Route.Version))
	w.Drain(w.Events, failure)
	w.Drain(w.Work, worker)
	handed := w.Receive(w.Notices)
	if len(handed) == 0 {
		t.Fatalf("nobody hands a notice over; log:\n%s", worker.Stop())
	}
	for _, m := range handed { // each comes twice
		w.Send(w.Notices, *m.Body)
		w.Send(w.Notices, *m.Body)
	}
	w.Send(w.Notices, `{"message": {}}`)
	w.Drain(w.Notices, herald)
	i := w.Incident()
	log := herald.Stop()

	outcomes := func(of string) (all []string) {
		for _, m := range w.Receive(of) {
			var event struct {
				Detail struct{ Incident, Outcome string }
			}
			if err := json.Unmarshal([]byte(*m.Body), &event); err != nil || event.Detail.Incident != i.ID {
				t.Errorf("an event says %s, %v", *m.Body, err)
			}
			all = append(all, event.Detail.Outcome)
		}
		return all
	}
	told := outcomes(tickets)
	if len(told) != len(slices.Compact(slices.Clone(told))) || !slices.Contains(told, string(i.Outcome)) {
		t.Errorf("events of %v, the incident is %s; log:\n%s", told, i.Outcome, log)
	}
	for name, queue := range map[string]string{"mail": inbox, "chatbot": channel} {
		got := w.Receive(queue)
		if len(got) != len(told) {
			t.Errorf("%s was told %d times of %d states; log:\n%s", name, len(got), len(told), log)
		}
		for _, m := range got {
			if japanese := strings.Contains(*m.Body, "原因"); japanese != (name == "mail") || !strings.Contains(*m.Body, w.Route.Source) {
				t.Errorf("%s was told:\n%s", name, *m.Body)
			}
			if strings.Contains(*m.Body, w.Route.Key) {
				t.Errorf("%s was told the key of an object:\n%s", name, *m.Body)
			}
		}
	}
	// One was no notice, and forged is never told. Who waits for it to be is the latest state alone.
	if dead := w.Receive(w.Dead); len(dead) < 3 || len(dead) > 2*len(handed)+1 {
		t.Errorf("%d dead letters of %d notices", len(dead), len(handed))
	}
	for _, want := range []string{`"target":"forged"`, "the host is not one of the tool's", `"NoticesSent":2`, `"NoticesFailed":1`, `"incident":"` + i.ID + `"`} {
		if !strings.Contains(log, want) {
			t.Errorf("the log lacks %s:\n%s", want, log)
		}
	}
	if strings.Contains(log, token) {
		t.Errorf("the secret shows:\n%s", log)
	}
	// Secrets Manager and SNS use keys in the function's stead, and nothing had to wait.
	w.Calls.All(t, string(grants.Notify), "kms:Decrypt", "kms:GenerateDataKey", "sqs:SendMessage")
}

// TestQuietHours: what is not to be said yet comes back into the queue with a delay.
func TestQuietHours(t *testing.T) {
	t.Parallel()
	w := lambdatest.NewWorld(t)
	cfg := w.Server.Config(t, w.Account, "us-east-1")
	o := outside{t, sqs.NewFromConfig(cfg), sns.NewFromConfig(cfg), cfg}
	mail, inbox := o.topic("mail")
	o.bus()
	now := time.Now().UTC()
	w.Configure(w.Settings(w.Approved("ledger", w.Route.Source)) + fmt.Sprintf(`chat:
  targets:
  - {name: mail, tool: email, topic: "%s", quiet: {from: "%s", until: "%s"}}
`, mail, now.Add(-2*time.Hour).Format("15:04"), now.Add(2*time.Hour).Format("15:04")))
	herald := w.Start(".")
	w.Send(w.Notices, `{"message":{"Incident":"inc-0123456789abcdef0123","Outcome":"manual","Severity":"warning","Title":"t","At":"2026-11-28T03:05:00Z"}}`)
	if all, failed := w.Pump(w.Notices, herald); all != 1 || failed != 0 {
		t.Fatalf("%d messages, %d failed; log:\n%s", all, failed, herald.Stop())
	}
	back := w.Receive(w.Notices)
	if len(back) != 1 || !strings.Contains(*back[0].Body, `"target":"mail"`) || !slices.Contains(w.In.Delays(), 15*time.Minute) {
		t.Errorf("came back: %v after %v; log:\n%s", back, w.In.Delays(), herald.Stop())
	}
	if told := w.Receive(inbox); len(told) != 0 {
		t.Errorf("told at night: %s", *told[0].Body)
	}
}

// TestConfiguration: all that is wrong is said at once.
func TestConfiguration(t *testing.T) {
	t.Parallel()
	lambda := lambdatest.Start(t.Context(), t, lambdatest.Build(t, "."), "REPLIMEND_TABLE=-", "REPLIMEND_BUS=a b", "REPLIMEND_NOTICE_QUEUE=q",
		"REPLIMEND_SETTINGS="+t.TempDir())
	log := lambda.Ended()
	for _, want := range []string{"REPLIMEND_TABLE: ", "REPLIMEND_BUS: ", "REPLIMEND_NOTICE_QUEUE: ", "read settings: "} {
		if !strings.Contains(log, want) {
			t.Errorf("the log lacks %q:\n%s", want, log)
		}
	}
}
