package route

import (
	"net/url"
	"slices"
	"strings"

	"github.com/replimend/replimend/internal/jsontree"
)

// FailureEvent is the event that S3 sends for an object that it did not replicate. EventBridge never receives it, and no rule
// without metrics gives it.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/replication-metrics-events.html
const FailureEvent = "s3:Replication:OperationFailedReplication"

// HasMetrics says whether the rule has replication metrics. Without them S3 sends no failure events for it.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/replication-metrics-events.html
func (r Route) HasMetrics() bool {
	m := r.Rule.Destination.Metrics
	return m != nil && m.Status == "Enabled"
}

// Notification is one entry of a bucket's notification configuration: whom S3 tells of which events.
type Notification struct {
	ID     string
	Target string // the ARN of a topic, queue or function
	Events []string
	// Prefix and Suffix are what the keys start and end with, decoded; "" for every key.
	Prefix, Suffix string
}

// NotificationLists is the lists of a notification configuration, as GetBucketNotificationConfiguration names them, with the
// member that has the target.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketNotificationConfiguration.html
var NotificationLists = [...]struct{ List, Target string }{
	{"TopicConfigurations", "TopicArn"},
	{"QueueConfigurations", "QueueArn"},
	{"LambdaFunctionConfigurations", "LambdaFunctionArn"},
}

// Notifications is every entry of a notification configuration, as GetBucketNotificationConfiguration returns it.
func Notifications(configuration jsontree.Node) []Notification {
	var out []Notification
	for _, l := range NotificationLists {
		for _, entry := range configuration.Get(l.List).Items {
			out = append(out, notification(entry, l.Target))
		}
	}
	return out
}

func notification(entry jsontree.Node, target string) Notification {
	n := Notification{ID: entry.Get("Id").Text, Target: entry.Get(target).Text}
	for _, e := range entry.Get("Events").Items {
		n.Events = append(n.Events, e.Text)
	}
	for _, rule := range entry.Get("Filter").Get("Key").Get("FilterRules").Items {
		switch strings.ToLower(rule.Get("Name").Text) {
		case "prefix":
			n.Prefix = decoded(rule.Get("Value").Text)
		case "suffix":
			n.Suffix = decoded(rule.Get("Value").Text)
		}
	}
	return n
}

// decoded is a filter's value as keys have it: in filters special characters are URL-encoded, and a space is a plus.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-how-to-filtering.html
func decoded(value string) string {
	if text, err := url.QueryUnescape(value); err == nil {
		return text
	}
	return value
}

// Asks says whether the entry asks for an event, by its name or by a star for the rest of it.
func (n Notification) Asks(event string) bool {
	return slices.ContainsFunc(n.Events, func(asked string) bool { return covers(asked, event) })
}

// Covers says whether the entry is about every key that starts so.
func (n Notification) Covers(prefix string) bool {
	return n.Suffix == "" && strings.HasPrefix(prefix, n.Prefix)
}

// Overlaps is the events of n for which S3 would not know which of the two entries to follow, and refuses a configuration that has
// both. That is so when the entries ask for the same event, one's prefix begins the other's, and one's suffix ends the other's; that
// either prefixes or suffixes exclude each other is enough to be told apart. Targets do not count.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-how-to-filtering.html
func (n Notification) Overlaps(o Notification) []string {
	if !strings.HasPrefix(n.Prefix, o.Prefix) && !strings.HasPrefix(o.Prefix, n.Prefix) ||
		!strings.HasSuffix(n.Suffix, o.Suffix) && !strings.HasSuffix(o.Suffix, n.Suffix) {
		return nil
	}
	var out []string
	for _, event := range n.Events {
		if slices.ContainsFunc(o.Events, func(other string) bool { return covers(event, other) || covers(other, event) }) {
			out = append(out, event)
		}
	}
	return out
}

// covers says whether an event that is asked for, which may end in a star, stands for another one.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-how-to-event-types-and-destinations.html
func covers(asked, event string) bool {
	if group, ok := strings.CutSuffix(asked, "*"); ok {
		return strings.HasPrefix(event, group)
	}
	return asked == event
}

// Told says whether somebody is told of an event for every key that the rule covers.
func (r Route) Told(configuration jsontree.Node, event string) bool {
	prefix, _ := r.Filter()
	return slices.ContainsFunc(Notifications(configuration), func(n Notification) bool {
		return n.Asks(event) &&
			n.Covers(prefix)
	})
}
