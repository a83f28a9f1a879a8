package herald

import (
	"context"
	"crypto/rand"
	"log/slog"
	"time"

	"github.com/replimend/replimend/internal/link"
	"github.com/replimend/replimend/internal/secret"
	"github.com/replimend/replimend/internal/settings"
)

// Linker makes the links of messages to the page of incidents.
type Linker struct {
	Page    string // where the page is: https:// and a host
	Secret  string // the ARN of the page's secret
	Secrets interface {
		Get(ctx context.Context, arn string, fresh bool) (secret.Secret, error)
	}
	Log *slog.Logger
	Now func() time.Time
}

// Link is a link to an incident of whose message that is the plan, and its code. Where none can be made the log says why, and people are
// told without one: that they are told matters more.
func (l Linker) Link(ctx context.Context, id, plan string, language settings.Language) (url, code string) {
	made := link.New(id, plan, language, nonce(), l.Now())
	token, code, err := l.make(ctx, made)
	if err != nil {
		l.Log.ErrorContext(ctx, "no link", "incident", id, "error", err.Error())
		return "", ""
	}
	return l.Page + "/incidents/" + id + "?t=" + token, code
}

func (l Linker) make(ctx context.Context, made link.Link) (token, code string, err error) {
	text, err := l.Secrets.Get(ctx, l.Secret, false)
	if err != nil {
		return "", "", err
	}
	s, err := link.ParseSecret(text.Text())
	if err != nil {
		return "", "", err
	}
	token, err = s.Token(made)
	return token, s.Code(made), err
}

// nonce is a random one: crypto/rand never fails.
func nonce() (n link.Nonce) {
	_, _ = rand.Read(n[:])
	return n
}
