package lab

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/replimend/replimend/internal/jsontree"
	"github.com/replimend/replimend/internal/snapshot"
)

// failureEvent is the event that S3 emits when an object failed to replicate.
const failureEvent = "Replication:OperationFailedReplication"

// Events is the failure events since the last call, each as the message that S3 sends to a queue, topic or function.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/replication-metrics-events.html
func (c *Cloud) Events() [][]byte {
	c.mu.Lock()
	defer c.mu.Unlock()
	out := c.events
	c.events = nil
	return out
}

// message is the body of a notification.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html
type message struct{ Records []record }

type record struct {
	EventVersion      string            `json:"eventVersion"`
	EventSource       string            `json:"eventSource"`
	Region            string            `json:"awsRegion"`
	EventTime         string            `json:"eventTime"`
	EventName         string            `json:"eventName"`
	UserIdentity      identity          `json:"userIdentity"`
	RequestParameters map[string]string `json:"requestParameters"`
	ResponseElements  map[string]string `json:"responseElements"`
	S3                entity            `json:"s3"`
	Replication       replicationData   `json:"replicationEventData"`
}

type identity struct {
	PrincipalID string `json:"principalId"`
}

type entity struct {
	SchemaVersion   string       `json:"s3SchemaVersion"`
	ConfigurationID string       `json:"configurationId"`
	Bucket          entityBucket `json:"bucket"`
	Object          entityObject `json:"object"`
}

type entityBucket struct {
	Name  string   `json:"name"`
	Owner identity `json:"ownerIdentity"`
	ARN   string   `json:"arn"`
}

type entityObject struct {
	Key       string `json:"key"`
	Size      int64  `json:"size"`
	ETag      string `json:"eTag"`
	VersionID string `json:"versionId"`
	Sequencer string `json:"sequencer"`
}

type replicationData struct {
	RuleID      string `json:"replicationRuleId"`
	Destination string `json:"destinationBucket"`
	Operation   string `json:"s3Operation"`
	RequestTime string `json:"requestTime"`
	Reason      string `json:"failureReason"`
}

// emit sends the failure to every target that asked for it. Without metrics on the rule there is no event at all.
func (c *Cloud) emit(b *bucket, v *version, r snapshot.Rule, reason string, now time.Time) {
	if r.Destination.Metrics == nil || r.Destination.Metrics.Status != "Enabled" {
		return
	}
	for _, configuration := range subscribers(b.Notifications.V, v.Key) {
		c.serial++
		body, err := json.Marshal(message{Records: []record{c.record(b, v, r, reason, configuration, now)}})
		if err != nil { // a record holds texts and numbers only
			panic(err)
		}
		c.events = append(c.events, body)
	}
}

func (c *Cloud) record(b *bucket, v *version, r snapshot.Rule, reason, configuration string, now time.Time) record {
	operation := "OBJECT_PUT"
	if v.DeleteMarker {
		operation = "DELETE_MARKER" // deduced: only OBJECT_PUT is documented
	}
	return record{
		EventVersion:      "2.2",
		EventSource:       "aws:s3",
		Region:            b.Region,
		EventTime:         stamp(now),
		EventName:         failureEvent,
		UserIdentity:      identity{service},
		RequestParameters: map[string]string{"sourceIPAddress": service},
		ResponseElements: map[string]string{
			"x-amz-request-id": strings.ToUpper(c.identifier(hexadecimal, 16)),
			"x-amz-id-2":       c.identifier(versionText, 32),
		},
		S3: entity{
			SchemaVersion:   "1.0",
			ConfigurationID: configuration,
			Bucket:          entityBucket{Name: b.name, Owner: identity{b.Account}, ARN: b.arn().String()},
			Object: entityObject{
				Key: formEncode(v.Key), Size: v.Size, ETag: v.etag, VersionID: v.VersionID, Sequencer: fmt.Sprintf("%018X", c.serial),
			},
		},
		Replication: replicationData{
			RuleID: r.ID, Destination: r.Destination.Bucket, Operation: operation, RequestTime: stamp(v.requested), Reason: reason,
		},
	}
}

func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }

// formEncode writes a key as events do: form encoding, in which a space is +, with slashes left as they are.
func formEncode(key string) string { return strings.ReplaceAll(url.QueryEscape(key), "%2F", "/") }

// subscribers is the ids of the notification configurations that ask for failures of such a key. EventBridge is none of them:
// it does not carry replication events.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/EventBridge.html
func subscribers(notifications jsontree.Node, key string) []string {
	var out []string
	for _, kind := range []string{"QueueConfigurations", "TopicConfigurations", "LambdaFunctionConfigurations"} {
		for _, configuration := range notifications.Get(kind).Items {
			if asks(configuration) && passesFilter(configuration, key) {
				out = append(out, configuration.Get("Id").Text)
			}
		}
	}
	return out
}

func asks(configuration jsontree.Node) bool {
	for _, event := range configuration.Get("Events").Items {
		if event.Text == "s3:"+failureEvent || event.Text == "s3:Replication:*" {
			return true
		}
	}
	return false
}

// passesFilter holds the key against the prefix and suffix of a configuration; the names of the rules know no case.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-how-to-filtering.html
func passesFilter(configuration jsontree.Node, key string) bool {
	for _, rule := range configuration.Get("Filter").Get("Key").Get("FilterRules").Items {
		value := rule.Get("Value").Text
		switch name := rule.Get("Name").Text; {
		case strings.EqualFold(name, "prefix") && !strings.HasPrefix(key, value):
			return false
		case strings.EqualFold(name, "suffix") && !strings.HasSuffix(key, value):
			return false
		}
	}
	return true
}
