// Package worker is the function that goes on with incidents: the ports of the workflow as they reach AWS, and what becomes of a message.
//
// It decides nothing about a route: that is package remedy's, with the settings that it was deployed with.
package worker

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/replimend/replimend/internal/awscloud"
	"github.com/replimend/replimend/internal/canary"
	"github.com/replimend/replimend/internal/deployed"
	"github.com/replimend/replimend/internal/incident"
	"github.com/replimend/replimend/internal/journal"
	"github.com/replimend/replimend/internal/policy"
	"github.com/replimend/replimend/internal/queue"
	"github.com/replimend/replimend/internal/remedy"
	"github.com/replimend/replimend/internal/replay"
	"github.com/replimend/replimend/internal/seal"
	"github.com/replimend/replimend/internal/settings"
)

// budget covers a write with the reads before and after it, its image in the journal, and the same again for its undoing, each with
// the attempts of the SDK.
const budget = time.Minute

// Worker goes on with incidents, and looks at routes and buckets, one for each message.
type Worker struct {
	Workflow remedy.Workflow
	Work     deployed.Sender
	Notices  deployed.NoticeSender // nil: there is nobody to tell
	Log      *slog.Logger
}

// New reaches AWS with that configuration, and members through their roles alone. It makes no call.
func New(c deployed.Config, cfg aws.Config, log *slog.Logger) *Worker {
	accounts := awscloud.NewAccounts(awscloud.Access{Base: cfg, Members: c.Settings.Members})
	table := &journal.Table{Client: dynamodb.NewFromConfig(cfg), Name: c.Table, Now: time.Now}
	where := located(c.Settings)
	return &Worker{
		Workflow: remedy.Workflow{
			Settings:    c.Settings,
			Snapshotter: awscloud.NewReader(accounts, awscloud.ReadOptions{Approved: c.Settings.Routes, Guardrails: true, Now: time.Now}),
			Store: awscloud.NewWriter(accounts, awscloud.WriteOptions{
				Owner: where, Trust: true, Opinion: true, Note: func(text string) { log.Info("second opinion", "text", text) },
			}),
			Replayer: newReplayer(accounts, where),
			Canary:   NewCanary(accounts, c.Settings),
			Journal:  table, Locker: table, Suppressions: table,
			Switches: awscloud.NewSwitches(accounts, func(text string) { log.Warn("kill switch", "text", text) }),
			Approver: answers{&journal.Approvals{
				Kept:   &journal.ApprovalTable{Client: dynamodb.NewFromConfig(cfg), Name: c.Approvals, Now: time.Now},
				Sealer: seal.KMS{Client: kms.NewFromConfig(cfg), Key: c.Seal}, Now: time.Now,
			}},
			Now: time.Now, Propagation: c.Propagation, Budget: budget,
		},
		Work:    queue.Queue{Client: sqs.NewFromConfig(cfg), URL: c.Work},
		Notices: deployed.NoticesTo(c, cfg),
		Log:     log,
	}
}

// located is where the buckets of approved routes are. What is replayed and written is theirs alone.
func located(s *settings.Settings) func(bucket string) (account, region string, ok bool) {
	known := map[string]settings.Bucket{}
	for _, r := range s.Routes {
		known[r.Source.Bucket], known[r.Destination.Bucket] = r.Source, r.Destination
	}
	return func(bucket string) (string, string, bool) {
		b, ok := known[bucket]
		return b.Account, b.Region, ok
	}
}

func newReplayer(accounts *awscloud.Accounts, where func(string) (string, string, bool)) *replay.Replayer {
	batch := func(account, region string) (policy.ARN, string) {
		return settings.Batch.ARN(policy.Partition(region), account), settings.ReportBucket(account, region)
	}
	return replay.New(replay.Options{
		Config: func(account, region, incident string) (aws.Config, error) {
			role, reports := batch(account, region)
			may, err := replay.SessionPolicy(account, region, role, reports)
			if err != nil {
				return aws.Config{}, err
			}
			return accounts.Narrowed(account, region, awscloud.Purpose{Role: settings.Replayer, Policy: may, Incident: incident})
		},
		Read: accounts.Reader, Batch: batch, Locate: where,
	})
}

// NewCanary writes canaries of the approved routes, in sessions of the members' canary roles.
func NewCanary(accounts *awscloud.Accounts, set *settings.Settings) *canary.Writer {
	return canary.New(canary.Options{
		Config: func(account, region, incident, policy string) (aws.Config, error) {
			return accounts.Narrowed(account, region, awscloud.Purpose{Role: settings.CanaryWriter, Policy: policy, Incident: incident})
		},
		Approved: func(r incident.Route) (settings.ApprovedRoute, bool) {
			return set.Approved(r.Source, r.Rule, r.Destination)
		},
	})
}

// answers is the approvals as the workflow asks for them.
type answers struct{ *journal.Approvals }

func (a answers) Answers(ctx context.Context, q remedy.Question) ([]incident.Approval, error) {
	return a.Approvals.Answers(ctx, q.Incident)
}

// Handle goes on with the incident of each message, one after the other, and gives back the IDs of the messages that have to come
// again.
func (w *Worker) Handle(ctx context.Context, messages []deployed.Delivery) []string {
	var failed []string
	for _, m := range messages {
		log := w.Log.With("message_id", m.ID)
		work, err := queue.Parse(m.Body)
		switch {
		case err != nil:
		case work.Look != nil:
			log = log.With("look", work.Look.Route)
			err = w.look(ctx, log, *work.Look, m.Received)
		default:
			log = log.With("incident", work.Incident)
			err = w.resume(ctx, log, work, m.Received)
		}
		switch {
		case errors.Is(err, incident.ErrLocked) || errors.Is(err, incident.ErrStale) || errors.Is(err, remedy.ErrTime):
			log.InfoContext(ctx, "not now", "reason", err.Error())
		case err != nil:
			log.ErrorContext(ctx, "failed", "error", err.Error())
		default:
			continue
		}
		failed = append(failed, m.ID)
	}
	return failed
}

// resume goes on with an incident, and sees to it that somebody looks again where that is due.
func (w *Worker) resume(ctx context.Context, log *slog.Logger, work queue.Work, received int) error {
	flow := w.Workflow
	flow.Worker, flow.Notifier = rand.Text(), deployed.Notices{Log: log, To: w.Notices}
	before, err := flow.Journal.Get(ctx, work.Incident)
	if err != nil {
		return err
	}
	goOn := flow.Resume
	if work.Again && remedy.OnlyTidies(before) {
		goOn = flow.Tidy
	}
	i, err := goOn(ctx, work.Incident)
	if err != nil {
		return err
	}
	log.InfoContext(ctx, "looked at", "route", i.Route, "before", before.Outcome, "outcome", i.Outcome, "causes", i.Causes)
	deployed.MeasureLook(ctx, log, flow.Now(), before, i)
	if !carries(work, received, before, i) {
		return nil
	}
	return w.again(ctx, log, i)
}

// look looks at a route, or at the rules of a bucket that nobody approved. What it opens is gone on with like every other incident.
func (w *Worker) look(ctx context.Context, log *slog.Logger, l queue.Look, received int) error {
	flow := w.Workflow
	flow.Worker, flow.Notifier = rand.Text(), deployed.Notices{Log: log, To: w.Notices}
	known := remember{flow.Journal, map[string]incident.Incident{}}
	flow.Journal = known
	if l.Route.Rule == "" {
		return watch(ctx, log, flow, known, l, received)
	}
	began := flow.Now()
	i, err := flow.Cure(ctx, l.Route, remedy.Known{Changes: l.Changes, Denials: l.Denials})
	if err != nil {
		return err
	}
	log = found(ctx, log, i)
	known.measure(ctx, log, flow.Now(), i)
	// Who finds it waiting ends there, as in carries.
	patches := i.Patches()
	if received == 1 && (len(patches) == 0 || patches[len(patches)-1].At.Before(began)) {
		return nil
	}
	return w.again(ctx, log, i)
}

// watch looks at the rules of a bucket. One that nobody owns as far as can be read is looked at twice, because something may have been
// down, and then told of in the log alone: it is of an account that is no member, and no message that comes again can change that.
func watch(ctx context.Context, log *slog.Logger, flow remedy.Workflow, known remember, l queue.Look, received int) error {
	incidents, err := flow.Watch(ctx, l.Route.Source, l.Changes)
	for _, i := range incidents {
		known.measure(ctx, found(ctx, log, i), flow.Now(), i)
	}
	if err == nil {
		log.InfoContext(ctx, "watched", "incidents", len(incidents))
	}
	if errors.Is(err, remedy.ErrUnowned) && received > 1 {
		log.WarnContext(ctx, "not watched", "reason", err.Error(), "changes", l.Changes)
		return nil
	}
	return err
}

// found logs what a look found, and gives the log of its incident. A route in order has none.
func found(ctx context.Context, log *slog.Logger, i incident.Incident) *slog.Logger {
	if i.Revision > 0 {
		log = log.With("incident", i.ID)
	}
	log.InfoContext(ctx, "looked at", "route", i.Route, "outcome", i.Outcome, "causes", i.Causes)
	return log
}

// remember is a journal that remembers incidents as they were before this look, by their IDs.
type remember struct {
	remedy.Journal
	before map[string]incident.Incident
}

// Open is the journal's.
func (r remember) Open(ctx context.Context, i incident.Incident) (incident.Incident, error) {
	i, err := r.Journal.Open(ctx, i)
	return r.keep(i, err)
}

// Get is the journal's.
func (r remember) Get(ctx context.Context, id string) (incident.Incident, error) {
	i, err := r.Journal.Get(ctx, id)
	return r.keep(i, err)
}

func (r remember) keep(i incident.Incident, err error) (incident.Incident, error) {
	if _, ok := r.before[i.ID]; err == nil && !ok {
		r.before[i.ID] = i
	}
	return i, err
}

// measure gives the figures of what the look made of an incident. A route in order has none.
func (r remember) measure(ctx context.Context, log *slog.Logger, now time.Time, after incident.Incident) {
	before, ok := r.before[after.ID]
	if !ok {
		return
	}
	if before.Revision == 1 && before.Outcome == incident.Open && before.Failures.Versions.IsZero() { // events open those of failures
		deployed.MeasureOpened(ctx, log, now)
	}
	deployed.MeasureLook(ctx, log, now, before, after)
}

// again sees to it that somebody looks again at an incident, where that is due.
func (w *Worker) again(ctx context.Context, log *slog.Logger, i incident.Incident) error {
	delay, due := remedy.Due(i, w.Workflow.Now())
	if !due {
		return nil
	}
	if err := w.Work.Send(ctx, queue.Work{Incident: i.ID, Again: true}, delay); err != nil {
		return fmt.Errorf("look again in %s: %w", delay, err)
	}
	log.InfoContext(ctx, "will look again", "in", delay.String())
	return nil
}

// carries says whether it is this message that looks again and again at an incident that waits. One is enough, and a storm of events
// must not become one of looks: it is that of who brought the incident to where it waits, or of who was to and did not live to say
// so. Others that find it waiting end there.
func carries(work queue.Work, received int, before, after incident.Incident) bool {
	return work.Again || received > 1 || before.Outcome != after.Outcome
}
