// Package watcher is the function that takes in what CloudTrail records.
package watcher

import (
	"cmp"
	"context"
	"log/slog"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/replimend/replimend/internal/affected"
	"github.com/replimend/replimend/internal/deployed"
	"github.com/replimend/replimend/internal/guard"
	"github.com/replimend/replimend/internal/incident"
	"github.com/replimend/replimend/internal/intake"
	"github.com/replimend/replimend/internal/queue"
	"github.com/replimend/replimend/internal/settings"
	"github.com/replimend/replimend/internal/signal"
)

// Watcher takes in what CloudTrail records: calls that changed something, and KMS calls that were denied to S3. It has the worker look at
// the approved routes concerned, and at the rules of buckets whose replication was changed. It reads nothing but the records.
type Watcher struct {
	Settings *settings.Settings
	Work     deployed.Sender
	Log      *slog.Logger
	Now      func() time.Time
}

// New reaches AWS with that configuration. It makes no call.
func New(c deployed.Config, cfg aws.Config, log *slog.Logger) *Watcher {
	return &Watcher{Settings: c.Settings, Work: queue.Queue{Client: sqs.NewFromConfig(cfg), URL: c.Work}, Log: log, Now: time.Now}
}

// Handle takes a batch in, and gives back the IDs of the messages that have to come again: those that are malformed, or are events of
// S3, which come by another queue, for the dead-letter queue; and those of which something could not be handed over. The worker gets
// one message for each route or bucket, whatever the batch says of it.
func (w *Watcher) Handle(ctx context.Context, messages []intake.Message) []string {
	batch := intake.ReadRecords(messages)
	deployed.LogUnread(ctx, w.Log, batch.Ignored, batch.Failures)
	failed := batch.FailedIDs()
	var all looks
	for _, r := range batch.Records {
		log := w.Log.With("message_id", r.MessageID)
		if len(r.Signals) > 0 {
			log.ErrorContext(ctx, "message of another queue", "reason", "events of S3 are read by function failure")
			failed = append(failed, r.MessageID)
		}
		for _, made := range r.Changes {
			w.change(ctx, log, &all, r.MessageID, made)
		}
		for _, d := range r.Denials {
			routes := affected.Denied(d, w.Settings)
			// Not the context, which has the object's key: that may hold what not everybody who reads logs may know.
			log.InfoContext(ctx, "denied call", "action", d.Action, "key", d.Key, "role", d.Role, "account", d.Account, "at", d.Time, "routes", names(routes))
			for _, approved := range routes {
				l := all.at(routeOf(approved), r.MessageID)
				l.Denials = append(l.Denials, d)
			}
		}
	}
	for _, l := range all {
		work := queue.Work{Look: &queue.Look{Route: l.Route, Changes: w.foremost(l.Changes), Denials: latest(l.Denials)}}
		if err := w.Work.Send(ctx, work, 0); err != nil {
			w.Log.ErrorContext(ctx, "not handed over", "look", l.Route, "error", err.Error())
			failed = append(failed, l.messages...)
		}
	}
	slices.Sort(failed)
	return slices.Compact(failed)
}

// change says who changed what, and adds where it has to be looked. What Replimend wrote itself it has looked at.
func (w *Watcher) change(ctx context.Context, log *slog.Logger, all *looks, message string, made signal.Change) {
	routes := affected.Routes(made, w.Settings)
	own := made.MadeBy(w.Settings.Self)
	log.InfoContext(ctx, "change", "event", made.Event, "by", made.Principal, "issuer", made.Issuer, "at", made.At, "change", made.String(),
		"account", made.Account, "region", made.Region, "event_id", made.EventID, "routes", names(routes), "own", own)
	if own {
		return
	}
	call := incident.Call{Event: made.Event, Principal: made.Principal, At: made.At}
	for _, approved := range routes {
		l := all.at(routeOf(approved), message)
		l.Changes = append(l.Changes, call)
	}
	if made.Event == "PutBucketReplication" || made.Event == "DeleteBucketReplication" {
		l := all.at(incident.Route{Source: made.Bucket}, message)
		l.Changes = append(l.Changes, call)
	}
}

// look is one message for the worker, and those that it is made from.
type look struct {
	queue.Look
	messages []string
}

type looks []*look

// at is the look at a route, on the word of a message.
func (l *looks) at(r incident.Route, message string) *look {
	for _, known := range *l {
		if known.Route == r {
			known.messages = append(known.messages, message)
			return known
		}
	}
	*l = append(*l, &look{queue.Look{Route: r}, []string{message}})
	return (*l)[len(*l)-1]
}

// foremost is the changes that a message has room for, each once: those that forbid the most, and of these the latest. Of changes that
// forbid a cure one is as good as all, so that none is forgotten for others.
func (w *Watcher) foremost(calls []incident.Call) []incident.Call {
	now := w.Now()
	strictness := map[incident.Call]guard.Decision{}
	for _, call := range calls {
		strictness[call] = guard.CheckChange(call, w.Settings, now).Decision
	}
	slices.SortStableFunc(calls, func(a, b incident.Call) int {
		return cmp.Or(cmp.Compare(strictness[b], strictness[a]), b.At.Compare(a.At), cmp.Compare(a.Event, b.Event), cmp.Compare(a.Principal, b.Principal))
	})
	calls = slices.Compact(calls)
	return calls[:min(len(calls), queue.MaxCalls)]
}

// latest is the denied calls that a message has room for, each once.
func latest(denials []signal.Denial) []signal.Denial {
	slices.SortStableFunc(denials, func(a, b signal.Denial) int { return cmp.Or(b.Time.Compare(a.Time), cmp.Compare(a.EventID, b.EventID)) })
	denials = slices.Compact(denials)
	return denials[:min(len(denials), queue.MaxCalls)]
}

func routeOf(r settings.ApprovedRoute) incident.Route {
	return incident.Route{Source: r.Source.Bucket, Rule: r.Rule.ID, Destination: r.Destination.Bucket}
}

func names(routes []settings.ApprovedRoute) []string {
	out := make([]string, len(routes))
	for i, r := range routes {
		out[i] = r.Name
	}
	return out
}
