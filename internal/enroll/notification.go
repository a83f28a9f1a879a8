package enroll

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/replimend/replimend/internal/jsontree"
	"github.com/replimend/replimend/internal/policy"
	"github.com/replimend/replimend/internal/route"
	"github.com/replimend/replimend/internal/snapshot"
)

// NotificationID is the Id of Replimend's entry in a notification configuration. Where it needs several, the others have a number
// after it.
const NotificationID = "ReplimendReplicationFailures"

// events is what Replimend wants to hear. S3 takes all of them for any bucket and sends those on the threshold only for rules with
// Replication Time Control.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/replication-metrics-events.html
var events = []string{
	route.FailureEvent,
	"s3:Replication:OperationMissedThreshold",
	"s3:Replication:OperationReplicatedAfterThreshold",
	"s3:Replication:OperationNotTracked",
}

// notify adds the notification of failures to what the bucket notifies of already.
func (p *planner) notify(live Reading) {
	title := fmt.Sprintf("send the failure events of bucket %s to %s", p.r.Source, cmp.Or(p.o.Target.String(), "somebody"))
	if live.State != snapshot.Present {
		p.unread(FailureNotification, title, p.r.Source, p.r.SourceAccount, live)
		return
	}
	if reason, do := p.targetFault(); reason != "" {
		p.refuse(Refusal{Kind: FailureNotification, Title: title, Reason: reason, Owner: p.o.Target.Account, Do: do})
		return
	}
	prefix, _ := p.r.Filter()
	after, stands := merge(live.V, p.o.Target, prefix)
	for _, other := range stands {
		p.refuse(Refusal{
			Kind: FailureNotification, Title: title, Owner: clip(other.Target),
			Reason: fmt.Sprintf("notification %s of bucket %s sends %s to %s already, and S3 refuses a second one for the "+
				"same events and keys",
				clip(other.ID), p.r.Source, clip(strings.Join(other.Events, ", ")), clip(other.Target)),
			Do: p.fanOut(other),
		})
	}
	if len(stands) > 0 || jsontree.Equal(after, live.V) {
		return
	}
	source := p.bucketARN(p.r.Source)
	p.add(Step{
		Kind: FailureNotification, Title: title, Bucket: p.r.Source, Account: p.r.SourceAccount, Region: p.r.SourceRegion,
		Before: live.V, After: after,
		Note: "S3 keeps one notification configuration for each bucket and replaces it whole: the entries that are there stay as " +
			"they are. It sends a test message to every destination in it, and refuses the change when one of them cannot take it. " +
			"Every message costs what SNS, SQS or Lambda ask for it. Events on the threshold come only from rules with " +
			"Replication Time Control.",
		Needs: []Permission{{"s3:GetBucketNotification", source}, {"s3:PutBucketNotification", source}},
	})
}

// targetFault is why S3 cannot send events to the target, "" when it can, as far as its ARN says.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-how-to-event-types-and-destinations.html
func (p *planner) targetFault() (reason, do string) {
	t := p.o.Target
	switch list, _ := listOf(t); {
	case t.IsZero():
		return "it is not known where the events should go", "name the ARN of a topic, a queue or a function"
	case list == "" || !policy.IsAccountID(t.Account) || t.HasWildcard():
		return fmt.Sprintf("%.200q is no topic, queue or function", t), "name the ARN of a topic, a queue or a function"
	case strings.HasSuffix(t.Resource, ".fifo"):
		return fmt.Sprintf("S3 does not send to FIFO queues and topics such as %s", t), "name a standard queue or topic"
	case p.r.SourceRegion == "" || t.Region != p.r.SourceRegion:
		return fmt.Sprintf("%s is not in the Region of bucket %s (%s), and S3 sends events within the Region only",
				t, p.r.Source, known(p.r.SourceRegion)),
			"name a target in the Region of the source bucket"
	}
	return "", ""
}

// listOf is the list of a notification configuration that has targets of that service, and their member. It is "" for what S3
// cannot notify.
func listOf(target policy.ARN) (list, member string) {
	i := slices.Index([]string{"sns", "sqs", "lambda"}, target.Service)
	if i < 0 || target.Resource == "" {
		return "", ""
	}
	return route.NotificationLists[i].List, route.NotificationLists[i].Target
}

// merge puts Replimend's entry into a notification configuration, for the keys that start so. What is not Replimend's stays as it
// is. It gives back the configuration itself when the target hears of everything already, and what stands in the way when S3 would
// not take it.
//
// One entry for every key serves every route of the bucket, so that is tried first; an entry for the prefix alone is for buckets
// where somebody else hears of other keys.
func merge(configuration jsontree.Node, target policy.ARN, prefix string) (after jsontree.Node, stands []route.Notification) {
	if heard(route.Notifications(configuration), target, prefix, events) {
		return configuration, nil
	}
	if after, stands = enter(configuration, target, ""); len(stands) == 0 || !plain.MatchString(prefix) {
		return after, stands
	}
	return enter(configuration, target, prefix)
}

// enter puts an entry for the keys that start so in the place of those entries of Replimend that it overlaps.
func enter(configuration jsontree.Node, target policy.ARN, prefix string) (after jsontree.Node, stands []route.Notification) {
	var ours, others []route.Notification
	for _, n := range route.Notifications(configuration) {
		if isOurs(n.ID) {
			ours = append(ours, n)
		} else {
			others = append(others, n)
		}
	}
	entry := route.Notification{Target: target.String(), Prefix: prefix}
	for _, e := range events {
		if !heard(others, target, prefix, []string{e}) {
			entry.Events = append(entry.Events, e)
		}
	}
	stale := overlapping(entry, ours)
	for _, n := range stale {
		if len(n.Prefix) < len(entry.Prefix) {
			entry.Prefix = n.Prefix // it begins as the other does, and goes on to hear of what it heard of
		}
	}
	if stands = overlapping(entry, others); len(stands) > 0 {
		return configuration, stands
	}
	after = without(configuration, stale)
	entry.ID = freeID(route.Notifications(after))
	return with(after, target, entry), nil
}

// with is the configuration with one more entry, at the end of its list.
func with(configuration jsontree.Node, target policy.ARN, entry route.Notification) jsontree.Node {
	list, member := listOf(target)
	asked := make([]jsontree.Node, len(entry.Events))
	for i, e := range entry.Events {
		asked[i] = jsontree.Str(e)
	}
	node := jsontree.Obj().With("Id", jsontree.Str(entry.ID)).With(member, jsontree.Str(entry.Target)).
		With("Events", jsontree.List(asked...))
	if entry.Prefix != "" {
		rule := jsontree.Obj().With("Name", jsontree.Str("prefix")).With("Value", jsontree.Str(entry.Prefix))
		node = node.With("Filter", jsontree.Obj().With("Key", jsontree.Obj().With("FilterRules", jsontree.List(rule))))
	}
	return configuration.With(list, jsontree.List(append(slices.Clone(configuration.Get(list).Items), node)...))
}

// without is the configuration without entries of those Ids. A list that becomes empty goes, too.
func without(configuration jsontree.Node, gone []route.Notification) jsontree.Node {
	out := jsontree.Obj()
	for _, f := range configuration.Fields {
		kept := slices.DeleteFunc(slices.Clone(f.Value.Items), func(entry jsontree.Node) bool {
			return slices.ContainsFunc(gone, func(n route.Notification) bool { return n.ID == entry.Get("Id").Text })
		})
		switch {
		case len(kept) == len(f.Value.Items):
			out.Fields = append(out.Fields, f)
		case len(kept) > 0:
			out = out.With(f.Name, jsontree.List(kept...))
		}
	}
	return out
}

// plain is a prefix that a filter has as it is: every other character is encoded there, and S3's pages do not say exactly how.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-how-to-filtering.html
var plain = regexp.MustCompile(`^[A-Za-z0-9/_.-]+$`)

// heard says whether the target hears of all those events for every key that starts so.
func heard(of []route.Notification, target policy.ARN, prefix string, events []string) bool {
	for _, e := range events {
		if !slices.ContainsFunc(of, func(n route.Notification) bool {
			return n.Target == target.String() && n.Asks(e) && n.Covers(prefix)
		}) {
			return false
		}
	}
	return true
}

func overlapping(entry route.Notification, others []route.Notification) []route.Notification {
	var out []route.Notification
	for _, o := range others {
		if shared := o.Overlaps(entry); len(shared) > 0 {
			o.Events = shared
			out = append(out, o)
		}
	}
	return out
}

func isOurs(id string) bool {
	number, ok := strings.CutPrefix(id, NotificationID)
	if !ok {
		return false
	}
	_, err := strconv.ParseUint(strings.TrimPrefix(number, "-"), 10, 16)
	return number == "" || err == nil
}

func freeID(taken []route.Notification) string {
	id := NotificationID
	for n := 2; slices.ContainsFunc(taken, func(t route.Notification) bool { return t.ID == id }); n++ {
		id = fmt.Sprintf("%s-%d", NotificationID, n)
	}
	return id
}

// fanOut says how the target comes to hear of what another entry takes.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-how-to-filtering.html
func (p *planner) fanOut(other route.Notification) string {
	target, notified := p.o.Target, clip(other.Target)
	if a, err := policy.ParseARN(other.Target); err == nil && a.Service == "sns" {
		if target.Service == "sns" {
			return fmt.Sprintf("S3 sends to topic %s already: subscribe to it what listens to topic %s, then enrol with "+
				"that topic as the target", notified, target)
		}
		return fmt.Sprintf("S3 sends to topic %s already: subscribe %s to it, let its policy admit the topic, then enrol "+
			"with the topic as the target\n%s",
			notified, target, subscribe(p.r.SourceRegion, notified, target.Service, target.String()))
	}
	protocol := "sqs"
	if a, err := policy.ParseARN(other.Target); err == nil && a.Service == "lambda" {
		protocol = "lambda"
	}
	topic := target.String()
	out := fmt.Sprintf("let a topic stand in between: subscribe %s to %s, and take the events of replication out of "+
		"notification %s; then enrol again", notified, topic, clip(other.ID))
	if target.Service != "sns" {
		topic = "TOPIC_ARN"
		out = fmt.Sprintf("let a topic stand in between: create one that S3 may publish to, subscribe both %s and %s to it, "+
			"let notification %s send to it, then enrol with the topic as the target", notified, target, clip(other.ID))
		out += fmt.Sprintf("\naws sns create-topic --region %s --name replication-events", p.r.SourceRegion)
		out += "\n" + subscribe(p.r.SourceRegion, topic, target.Service, target.String())
	}
	out += "\n" + subscribe(p.r.SourceRegion, topic, protocol, notified)
	if protocol == "lambda" || target.Service == "lambda" {
		out += "\na function gets the event of S3 within the message of SNS then, as text in Records[].Sns.Message"
	}
	return out
}

// subscribe is the command that subscribes an endpoint to a topic. A queue gets the event of S3 as it is.
// https://docs.aws.amazon.com/sns/latest/dg/sns-large-payload-raw-message-delivery.html
func subscribe(region, topic, protocol, endpoint string) string {
	out := fmt.Sprintf("aws sns subscribe --region %s --topic-arn %s --protocol %s --notification-endpoint %s",
		region, quote(topic), protocol, quote(endpoint))
	if protocol == "sqs" {
		out += " --attributes RawMessageDelivery=true"
	}
	return out
}

// clip bounds and cleans what whoever may write a notification could choose.
func clip(s string) string {
	const most = 200
	s = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return utf8.RuneError
		}
		return r
	}, strings.ToValidUTF8(s, "\uFFFD"))
	if len(s) > most {
		s = strings.ToValidUTF8(s[:most], "") + "…"
	}
	return s
}
