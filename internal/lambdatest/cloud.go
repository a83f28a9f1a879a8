package lambdatest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/replimend/replimend/internal/journal"
	"github.com/replimend/replimend/internal/mototest"
)

// Cloud is what functions stand on, in an account of moto: tables and queues.
type Cloud struct {
	Account string
	Table   *journal.Table
	Events  string // the URL of the queue of S3's events
	Work    string // that of the worker's queue
	Sweep   string // that of the sweep's own queue
	Notices string // that of the queue of notices
	Dead    string // that of the messages that came too often from any of them
	Env     []string

	sqs *sqs.Client
	t   *testing.T
}

// Intercept stands before moto: SQS lets a message out at once, and what it was to wait is kept. Its Handle is for a Proxy.
type Intercept struct {
	mu     sync.Mutex
	delays []time.Duration
	refuse bool
}

// Handle answers for moto, or lets a request through to it, as it is or without a delay.
func (i *Intercept) Handle(w http.ResponseWriter, r *http.Request) bool {
	if !strings.HasSuffix(r.Header.Get("X-Amz-Target"), ".SendMessage") {
		return false
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.refuse {
		w.Header().Set("X-Amzn-Errortype", "AccessDeniedException")
		w.WriteHeader(http.StatusForbidden)
		return true
	}
	var body map[string]any
	if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
		return false
	}
	seconds, _ := body["DelaySeconds"].(float64)
	i.delays = append(i.delays, time.Duration(seconds)*time.Second)
	delete(body, "DelaySeconds")
	text, _ := json.Marshal(body)
	r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(text)), int64(len(text))
	return false
}

// Refuse has SQS refuse what is sent, or take it again.
func (i *Intercept) Refuse(refuse bool) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.refuse = refuse
}

// Delays is how long each message was to wait, in their order.
func (i *Intercept) Delays() []time.Duration {
	i.mu.Lock()
	defer i.mu.Unlock()
	return slices.Clone(i.delays)
}

// maxReceive is how often a message comes before it is dead.
const maxReceive = 3

// NewCloud makes tables and queues. Functions reach them at the address, which is moto's or that of a Proxy.
func NewCloud(t *testing.T, s *mototest.Server, address string) *Cloud {
	t.Helper()
	account := s.Account()
	cfg := s.Config(t, account, "us-east-1")
	tables := dynamodb.NewFromConfig(cfg)
	for _, shape := range []*dynamodb.CreateTableInput{journal.Shape("incidents"), journal.ApprovalShape("approvals")} {
		if _, err := tables.CreateTable(t.Context(), shape); err != nil {
			t.Fatal(err)
		}
	}
	c := &Cloud{
		Account: account, Table: &journal.Table{Client: tables, Name: "incidents", Now: time.Now}, sqs: sqs.NewFromConfig(cfg), t: t,
	}
	c.Dead = c.queue("dead", nil)
	redrive := fmt.Sprintf(`{"deadLetterTargetArn":"arn:aws:sqs:us-east-1:%s:dead","maxReceiveCount":%d}`, account, maxReceive)
	c.Events, c.Work, c.Sweep = c.queue("events", &redrive), c.queue("work", &redrive), c.queue("sweep", &redrive)
	c.Notices = c.queue("notices", &redrive)
	id, secret, token := s.Credentials(t, account)
	c.Env = []string{
		"AWS_REGION=us-east-1", "AWS_ACCESS_KEY_ID=" + id, "AWS_SECRET_ACCESS_KEY=" + secret, "AWS_SESSION_TOKEN=" + token,
		"AWS_ENDPOINT_URL=" + address, "AWS_EC2_METADATA_DISABLED=true", "NO_PROXY=*",
		"REPLIMEND_TABLE=incidents", "REPLIMEND_APPROVALS=approvals", "REPLIMEND_WORK_QUEUE=" + c.Work, "REPLIMEND_PROPAGATION=0s",
		"REPLIMEND_SWEEP_QUEUE=" + c.Sweep, "REPLIMEND_NOTICE_QUEUE=" + c.Notices, "REPLIMEND_BUS=replimend",
		"REPLIMEND_SEAL_KEY=arn:aws:kms:us-east-1:" + account + ":key/1234abcd-12ab-34cd-56ef-1234567890ab",
	}
	return c
}

func (c *Cloud) queue(name string, redrive *string) string {
	c.t.Helper()
	in := &sqs.CreateQueueInput{QueueName: aws.String(name)}
	if redrive != nil {
		in.Attributes = map[string]string{"RedrivePolicy": *redrive}
	}
	out, err := c.sqs.CreateQueue(c.t.Context(), in)
	if err != nil {
		c.t.Fatal(err)
	}
	return aws.ToString(out.QueueUrl)
}

// Send puts a message into a queue.
func (c *Cloud) Send(queue, body string) {
	c.t.Helper()
	if _, err := c.sqs.SendMessage(c.t.Context(), &sqs.SendMessageInput{QueueUrl: aws.String(queue), MessageBody: aws.String(body)}); err != nil {
		c.t.Fatal(err)
	}
}

// Receive takes up to ten messages out of a queue. They are not seen by others until they are deleted or given back.
func (c *Cloud) Receive(queue string) []types.Message {
	c.t.Helper()
	out, err := c.sqs.ReceiveMessage(c.t.Context(), &sqs.ReceiveMessageInput{
		QueueUrl: aws.String(queue), MaxNumberOfMessages: 10, VisibilityTimeout: 600,
		MessageSystemAttributeNames: []types.MessageSystemAttributeName{types.MessageSystemAttributeNameApproximateReceiveCount},
	})
	if err != nil {
		c.t.Fatal(err)
	}
	return out.Messages
}

// Pump hands one batch of a queue to a function, as the event source mapping does: what failed comes again, the rest is deleted. It
// says how many messages there were, and how many failed.
// https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html
func (c *Cloud) Pump(queue string, function *Runtime) (all, failed int) {
	c.t.Helper()
	messages := c.Receive(queue)
	if len(messages) == 0 {
		return 0, 0
	}
	var batch []Message
	for _, m := range messages {
		received, _ := strconv.Atoi(m.Attributes["ApproximateReceiveCount"])
		batch = append(batch, Message{aws.ToString(m.MessageId), aws.ToString(m.Body), received})
	}
	again := function.Failed(function.Invoke(Batch(c.t, batch)))
	for _, m := range messages {
		var err error
		if slices.Contains(again, aws.ToString(m.MessageId)) {
			_, err = c.sqs.ChangeMessageVisibility(c.t.Context(), &sqs.ChangeMessageVisibilityInput{
				QueueUrl: aws.String(queue), ReceiptHandle: m.ReceiptHandle, VisibilityTimeout: 0,
			})
		} else {
			_, err = c.sqs.DeleteMessage(c.t.Context(), &sqs.DeleteMessageInput{QueueUrl: aws.String(queue), ReceiptHandle: m.ReceiptHandle})
		}
		if err != nil {
			c.t.Fatal(err)
		}
	}
	return len(messages), len(again)
}
