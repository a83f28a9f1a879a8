// Package receiver is the function that takes in what S3 reports of failed replication.
package receiver

import (
	"context"
	"log/slog"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/replimend/replimend/internal/deployed"
	"github.com/replimend/replimend/internal/incident"
	"github.com/replimend/replimend/internal/intake"
	"github.com/replimend/replimend/internal/journal"
	"github.com/replimend/replimend/internal/queue"
	"github.com/replimend/replimend/internal/remedy"
	"github.com/replimend/replimend/internal/signal"
)

// Receiver takes events in: what they report is written down, and the worker is told of each incident once for a batch.
type Receiver struct {
	Journal remedy.Journal
	Work    deployed.Sender
	Log     *slog.Logger
	Now     func() time.Time
}

// New reaches AWS with that configuration. It makes no call.
func New(c deployed.Config, cfg aws.Config, log *slog.Logger) *Receiver {
	return &Receiver{
		Journal: &journal.Table{Client: dynamodb.NewFromConfig(cfg), Name: c.Table, Now: time.Now},
		Work:    queue.Queue{Client: sqs.NewFromConfig(cfg), URL: c.Work},
		Log:     log, Now: time.Now,
	}
}

// Handle takes a batch in, and gives back the IDs of the messages that have to come again: those that are malformed, for the
// dead-letter queue, and those of which something could not be written down or handed over.
func (n *Receiver) Handle(ctx context.Context, messages []intake.Message) []string {
	batch := intake.Read(messages)
	n.tell(ctx, batch)
	now := n.Now()
	w := remedy.Workflow{Journal: n.Journal, Now: func() time.Time { return now }}
	if err := n.withoutCanaries(ctx, &w, batch.Reports); err != nil {
		n.Log.ErrorContext(ctx, "not recorded", "error", err.Error())
		failed := batch.FailedIDs()
		for _, r := range batch.Reports {
			failed = append(failed, r.MessageID)
		}
		return failed
	}
	var all []signal.Signal
	for _, r := range batch.Reports {
		all = append(all, r.Signals...)
	}
	incidents, err := w.Report(ctx, all)
	if err != nil {
		n.Log.ErrorContext(ctx, "not recorded", "error", err.Error())
	}
	n.measure(ctx, batch, incidents, now)
	done := map[incident.Route]bool{}
	for _, i := range incidents {
		log := n.Log.With("incident", i.ID)
		if err := n.hand(ctx, i); err != nil {
			log.ErrorContext(ctx, "not handed over", "error", err.Error())
			continue
		}
		done[i.Route] = true
		log.InfoContext(ctx, "reported", "route", i.Route, "outcome", i.Outcome, "failed", i.Failures.Versions.String())
	}
	failed := batch.FailedIDs()
	for _, r := range batch.Reports {
		for _, s := range r.Signals {
			if route, ok := remedy.RouteOf(s); ok && !done[route] {
				failed = append(failed, r.MessageID)
				break
			}
		}
	}
	return failed
}

// withoutCanaries leaves out what S3 says of canary objects: who wrote them looks at them.
func (n *Receiver) withoutCanaries(ctx context.Context, w *remedy.Workflow, reports []intake.Report) error {
	var all []signal.Signal
	for _, r := range reports {
		all = append(all, r.Signals...)
	}
	canary, err := w.Canaries(ctx, all)
	for i := range reports {
		if err == nil {
			reports[i].Signals = slices.DeleteFunc(reports[i].Signals, canary)
		}
	}
	return err
}

// hand tells the worker of an incident, unless there is nothing to do, or it looks again by itself: then everything that fails until
// then joins, and a storm of events does not become one of looks.
func (n *Receiver) hand(ctx context.Context, i incident.Incident) error {
	if _, waits := remedy.Due(i, n.Now()); waits && !remedy.OnlyTidies(i) || i.Over() {
		return nil
	}
	return n.Work.Send(ctx, queue.Work{Incident: i.ID}, 0)
}

// tell logs what was read, what was not, and why.
func (n *Receiver) tell(ctx context.Context, batch intake.Batch) {
	for _, group := range batch.Groups {
		n.Log.InfoContext(ctx, "replication events", "group", group)
	}
	deployed.LogUnread(ctx, n.Log, batch.Ignored, batch.Failures)
}

// measure gives the figures of a batch.
func (n *Receiver) measure(ctx context.Context, batch intake.Batch, incidents []incident.Incident, now time.Time) {
	failed, opened := 0, 0
	for _, g := range batch.Groups {
		failed += g.Failed
	}
	for _, i := range incidents {
		if i.Opened.Equal(now) { // one that was joined was opened by an earlier batch
			opened++
		}
	}
	deployed.MeasureBatch(ctx, n.Log, now, failed, len(batch.Failures), opened)
}
