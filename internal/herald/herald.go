// Package herald is the function that tells people. It is apart from the other functions because they do without the clients and the
// texts that it links.
package herald

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/replimend/replimend/internal/deployed"
	"github.com/replimend/replimend/internal/incident"
	"github.com/replimend/replimend/internal/journal"
	"github.com/replimend/replimend/internal/notify"
	"github.com/replimend/replimend/internal/queue"
	"github.com/replimend/replimend/internal/vault"
)

// Herald tells people what the others hand over, and puts it on the event bus. It reads no incident.
type Herald struct {
	Tell func(ctx context.Context, m incident.Message, only string) []notify.Result
	Log  *slog.Logger
	Now  func() time.Time
}

// New reaches AWS with that configuration, and tools over the internet. It makes no call.
func New(c deployed.Config, cfg aws.Config, log *slog.Logger) *Herald {
	own := queue.Queue{Client: sqs.NewFromConfig(cfg), URL: c.Notices}
	secrets := &vault.Secrets{Client: secretsmanager.NewFromConfig(cfg), Now: time.Now}
	teller := &notify.Teller{
		Targets: c.Settings.Chat.Targets,
		Book:    &journal.NoticeTable{Client: dynamodb.NewFromConfig(cfg), Name: c.Table, Now: time.Now},
		Secrets: secrets,
		Client:  notify.NewClient(),
		Topics:  sns.NewFromConfig(cfg),
		Events:  notify.Bus{Client: eventbridge.NewFromConfig(cfg), Name: c.Bus},
		Again: func(ctx context.Context, m incident.Message, target string, delay time.Duration) error {
			return own.SendNotice(ctx, queue.Notice{Message: m, Target: target}, delay)
		},
		Now: time.Now, Decides: c.Settings.Approvals.HasSlack(),
	}
	if a := c.Settings.Approvals; a.HasPage() {
		teller.Link = Linker{Page: c.Page, Secret: a.Page.Secret.String(), Secrets: secrets, Log: log, Now: time.Now}.Link
	}
	return &Herald{Tell: teller.Tell, Log: log, Now: time.Now}
}

// Handle tells what each message says, one after the other, and gives back the IDs of the messages that have to come again.
func (h *Herald) Handle(ctx context.Context, messages []deployed.Delivery) []string {
	var failed []string
	for _, m := range messages {
		log := h.Log.With("message_id", m.ID)
		n, err := queue.ParseNotice(m.Body)
		if err != nil {
			log.ErrorContext(ctx, "failed", "error", err.Error())
			failed = append(failed, m.ID)
			continue
		}
		if err := h.tell(ctx, log.With("incident", n.Message.Incident), n); err != nil {
			failed = append(failed, m.ID)
		}
	}
	return failed
}

// tell tells one message, and logs what became of it.
func (h *Herald) tell(ctx context.Context, log *slog.Logger, n queue.Notice) error {
	count := map[notify.Fate]int{}
	var errs []error
	for _, r := range h.Tell(ctx, n.Message, n.Target) {
		if r.Target != notify.OnBus || r.Fate == notify.Failed {
			count[r.Fate]++
		}
		errs = append(errs, r.Err)
		level, attributes := slog.LevelInfo, []slog.Attr{
			slog.String("target", r.Target), slog.String("tool", string(r.Tool)), slog.String("fate", string(r.Fate)),
		}
		if r.Err != nil {
			level, attributes = slog.LevelError, append(attributes, slog.String("error", r.Err.Error()))
		}
		log.LogAttrs(ctx, level, "told", attributes...)
	}
	deployed.MeasureNotices(ctx, log, h.Now(), count[notify.Sent], count[notify.Held], count[notify.Failed])
	return errors.Join(errs...)
}
