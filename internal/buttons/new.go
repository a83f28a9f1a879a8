package buttons

import (
	"context"
	"log/slog"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"github.com/replimend/replimend/internal/deployed"
	"github.com/replimend/replimend/internal/desk"
	"github.com/replimend/replimend/internal/secret"
	"github.com/replimend/replimend/internal/vault"
)

// New reaches AWS with that configuration, and Slack over the internet. It makes no call.
func New(c deployed.Config, cfg aws.Config, log *slog.Logger) *Buttons {
	kept := desk.NewStore(c, cfg)
	secrets := &vault.Secrets{Client: secretsmanager.NewFromConfig(cfg), Now: time.Now}
	of := c.Settings.Approvals.Slack.Secret.String()
	return &Buttons{
		Desk: kept.Desk(c, cfg, log), Words: kept.Answers,
		// It is not read anew for what it does not fit: anybody could have it read as often as they like.
		Secret: func(ctx context.Context) (secret.Secret, error) { return secrets.Get(ctx, of, false) },
		HTTP:   NewClient(nil), Log: log, Now: time.Now,
	}
}
