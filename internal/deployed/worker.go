package deployed

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
	"github.com/replimend/replimend/internal/incident"
	"github.com/replimend/replimend/internal/journal"
	"github.com/replimend/replimend/internal/policy"
	"github.com/replimend/replimend/internal/queue"
	"github.com/replimend/replimend/internal/remedy"
	"github.com/replimend/replimend/internal/replay"
	"github.com/replimend/replimend/internal/settings"
)

// budget covers a write with the reads before and after it, its image in the journal, and the same again for its undoing, each with
// the attempts of the SDK.
const budget = time.Minute

// Worker goes on with incidents, one for each message.
type Worker struct {
	Workflow remedy.Workflow
	Work     Sender
	Log      *slog.Logger
}

// NewWorker reaches AWS with that configuration, and members through their roles alone. It makes no call.
func NewWorker(c Config, cfg aws.Config, log *slog.Logger) *Worker {
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
			Journal:  table, Locker: table,
			Switches: awscloud.NewSwitches(accounts, func(text string) { log.Warn("kill switch", "text", text) }),
			Approver: answers{&journal.Approvals{
				Kept:   &journal.ApprovalTable{Client: dynamodb.NewFromConfig(cfg), Name: c.Approvals, Now: time.Now},
				Sealer: journal.KMS{Client: kms.NewFromConfig(cfg), Key: c.Seal}, Now: time.Now,
			}},
			Now: time.Now, Propagation: c.Propagation, Budget: budget,
		},
		Work: queue.Queue{Client: sqs.NewFromConfig(cfg), URL: c.Work},
		Log:  log,
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
			for _, a := range set.From(r.Source) {
				if a.Rule.ID == r.Rule && a.Destination.Bucket == r.Destination {
					return a, true
				}
			}
			return settings.ApprovedRoute{}, false
		},
	})
}

// answers is the approvals as the workflow asks for them.
type answers struct{ *journal.Approvals }

// Answers is what people said. Answers of which none counts are none: nothing is done, and whoever asks is asked again.
func (a answers) Answers(ctx context.Context, q remedy.Question) ([]incident.Approval, error) {
	found, err := a.Approvals.Answer(ctx, q.Incident)
	for _, refused := range []error{incident.ErrForged, incident.ErrOtherPlan, incident.ErrExpired, incident.ErrUsed} {
		if errors.Is(err, refused) {
			return nil, nil
		}
	}
	if err != nil || found.Answer == incident.NoAnswer {
		return nil, err
	}
	return []incident.Approval{found}, nil
}

// notices logs what people are told. Chat tools come later; until then the log is where it is said.
type notices struct{ log *slog.Logger }

func (n notices) Notify(ctx context.Context, m incident.Message) error {
	n.log.InfoContext(ctx, "notice", "notice", m)
	return nil
}

// Delivery is one message of the queue.
type Delivery struct {
	ID, Body string
	Received int // how often it came, this time included
}

// Handle goes on with the incident of each message, one after the other, and gives back the IDs of the messages that have to come
// again.
func (w *Worker) Handle(ctx context.Context, messages []Delivery) []string {
	var failed []string
	for _, m := range messages {
		log := w.Log.With("message_id", m.ID)
		work, err := queue.Parse(m.Body)
		if err == nil {
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
	flow.Worker, flow.Notifier = rand.Text(), notices{log}
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
	delay, due := remedy.Due(i, flow.Now())
	if !due || !carries(work, received, before, i) {
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
