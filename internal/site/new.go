package site

import (
	"context"
	"encoding/hex"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"github.com/replimend/replimend/internal/deployed"
	"github.com/replimend/replimend/internal/desk"
	"github.com/replimend/replimend/internal/link"
	"github.com/replimend/replimend/internal/policy"
	"github.com/replimend/replimend/internal/seal"
	"github.com/replimend/replimend/internal/vault"
)

// sessions is a secret that no other function can have: what the key of the seal makes of a text, which only who seals can ask it for. It is
// another one for every key, and the same as long as there is that key. The text is none that an approval is sealed as.
func sessions(s seal.KMS) func(context.Context) (link.Secret, error) {
	var mu sync.Mutex
	var known *link.Secret
	return func(ctx context.Context) (link.Secret, error) {
		mu.Lock()
		defer mu.Unlock()
		if known != nil {
			return *known, nil
		}
		mac, err := s.Seal(ctx, []byte("replimend/page/sessions/v1"))
		if err != nil {
			return link.Secret{}, fmt.Errorf("make secret of sessions: %w", err)
		}
		made, err := link.ParseSecret(hex.EncodeToString(mac))
		if err == nil {
			known = &made
		}
		return made, err
	}
}

// New reaches AWS with that configuration, and the provider over the internet. It makes no call.
func New(c deployed.Config, cfg aws.Config, log *slog.Logger) *Site {
	kept := desk.NewStore(c, cfg)
	secrets := &vault.Secrets{Client: secretsmanager.NewFromConfig(cfg), Now: time.Now}
	text := func(arn policy.ARN) func(context.Context) (string, error) {
		return func(ctx context.Context) (string, error) {
			s, err := secrets.Get(ctx, arn.String(), false)
			return s.Text(), err
		}
	}
	p := c.Settings.Approvals.Page
	own := text(p.Secret)
	s := &Site{
		Desk: kept.Desk(c, cfg, log), Incidents: kept.Incidents, Answers: kept.Answers, Words: kept.Answers, Log: log, Now: time.Now,
		Secret: func(ctx context.Context) (link.Secret, error) {
			text, err := own(ctx)
			if err != nil {
				return link.Secret{}, err
			}
			return link.ParseSecret(text)
		},
	}
	if p.SignsIn() {
		s.Sessions = sessions(kept.Seal)
		s.Provider = &Provider{Issuer: p.Issuer, Client: p.Client, HTTP: NewClient(nil), Now: time.Now}
		if !p.ClientSecret.IsZero() {
			s.Provider.Secret = text(p.ClientSecret)
		}
	}
	return s
}
