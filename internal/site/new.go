package site

import (
	"context"
	"log/slog"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"github.com/replimend/replimend/internal/deployed"
	"github.com/replimend/replimend/internal/desk"
	"github.com/replimend/replimend/internal/journal"
	"github.com/replimend/replimend/internal/link"
	"github.com/replimend/replimend/internal/policy"
	"github.com/replimend/replimend/internal/vault"
)

// New reaches AWS with that configuration, and the provider over the internet. It makes no call.
func New(c deployed.Config, cfg aws.Config, log *slog.Logger) *Site {
	tables := dynamodb.NewFromConfig(cfg)
	incidents := &journal.Table{Client: tables, Name: c.Table, Now: time.Now}
	answers := &journal.ApprovalTable{Client: tables, Name: c.Approvals, Now: time.Now}
	secrets := &vault.Secrets{Client: secretsmanager.NewFromConfig(cfg), Now: time.Now}
	text := func(arn policy.ARN) func(context.Context) (string, error) {
		return func(ctx context.Context) (string, error) {
			s, err := secrets.Get(ctx, arn.String(), false)
			return s.Text(), err
		}
	}
	d := desk.New(c, cfg, log)
	d.Silences = incidents
	p := c.Settings.Approvals.Page
	own := text(p.Secret)
	s := &Site{
		Desk: d, Incidents: incidents, Answers: answers, Words: answers, Log: log, Now: time.Now,
		Secret: func(ctx context.Context) (link.Secret, error) {
			text, err := own(ctx)
			if err != nil {
				return link.Secret{}, err
			}
			return link.ParseSecret(text)
		},
	}
	if p.SignsIn() {
		s.Provider = &Provider{Issuer: p.Issuer, Client: p.Client, HTTP: NewClient(nil), Now: time.Now}
		if !p.ClientSecret.IsZero() {
			s.Provider.Secret = text(p.ClientSecret)
		}
	}
	return s
}
