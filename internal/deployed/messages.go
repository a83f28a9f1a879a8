package deployed

import (
	"context"
	"log/slog"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/replimend/replimend/internal/incident"
	"github.com/replimend/replimend/internal/intake"
	"github.com/replimend/replimend/internal/queue"
)

// Delivery is one message of the queue.
type Delivery struct {
	ID, Body string
	Received int // how often it came, this time included
}

// Sender hands work over. A queue.Queue does.
type Sender interface {
	Send(ctx context.Context, w queue.Work, delay time.Duration) error
}

// NoticeSender hands over what people are to be told. A queue.Queue does.
type NoticeSender interface {
	SendNotice(ctx context.Context, n queue.Notice, delay time.Duration) error
}

// NoticesTo is where the configuration has notices go; nil: nowhere.
func NoticesTo(c Config, cfg aws.Config) NoticeSender {
	if c.Notices == "" {
		return nil
	}
	return queue.Queue{Client: sqs.NewFromConfig(cfg), URL: c.Notices}
}

// Notices hands over what people are to be told, where there is somebody to tell, and logs it.
type Notices struct {
	Log *slog.Logger
	To  NoticeSender // nil: there is nobody to tell
}

// Notify hands one message over.
func (n Notices) Notify(ctx context.Context, m incident.Message) error {
	if n.To != nil {
		if err := n.To.SendNotice(ctx, queue.Notice{Message: m}, 0); err != nil {
			return err
		}
	}
	n.Log.InfoContext(ctx, "notice", "notice", m)
	return nil
}

// LogUnread logs which messages gave nothing, and why.
func LogUnread(ctx context.Context, log *slog.Logger, ignored, malformed []intake.Note) {
	for _, note := range ignored {
		log.InfoContext(ctx, "ignored message", "message_id", note.MessageID, "reason", note.Reason)
	}
	for _, note := range malformed {
		log.ErrorContext(ctx, "malformed message", "message_id", note.MessageID, "reason", note.Reason)
	}
}
