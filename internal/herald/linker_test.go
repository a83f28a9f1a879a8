package herald_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/replimend/replimend/internal/herald"
	"github.com/replimend/replimend/internal/link"
	"github.com/replimend/replimend/internal/secret"
	"github.com/replimend/replimend/internal/settings"
)

// kept is secrets by their ARNs.
type kept map[string]string

func (k kept) Get(_ context.Context, arn string, _ bool) (secret.Secret, error) {
	text, ok := k[arn]
	if !ok {
		return secret.Secret{}, errors.New("get secret: it is not there")
	}
	return secret.Of(text), nil
}

// TestLinker: the page reads what it makes, no two are the same, and where there is no secret that is fit there is no link.
func TestLinker(t *testing.T) {
	t.Parallel()
	const id = "inc-0123456789abcdef0123"
	now := time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC)
	var log bytes.Buffer
	l := herald.Linker{
		Page: "https://page.example", Secret: "arn", Log: slog.New(slog.NewJSONHandler(&log, nil)), Now: func() time.Time { return now },
		Secrets: kept{"arn": "the newer secret of 32 characters\nthe older secret of 32 characters"},
	}
	s, err := link.ParseSecret("the newer secret of 32 characters")
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for range 4 {
		at, code := l.Link(t.Context(), id, "plan", settings.Japanese)
		u, err := url.Parse(at)
		if err != nil || u.Scheme+"://"+u.Host+u.Path != "https://page.example/incidents/"+id || len(at) > 300 {
			t.Fatalf("it leads to %s: %v", at, err)
		}
		got, err := s.Read(u.Query().Get("t"), id, now)
		if err != nil || !got.Of("plan") || got.Language != settings.Japanese || got.Scope != link.Decline|link.Silence || !s.HasCode(got, code) {
			t.Errorf("%+v, %v", got, err)
		}
		seen[at], seen[code] = true, true
	}
	if len(seen) != 8 {
		t.Errorf("two links are the same: %v", seen)
	}
	for _, secrets := range []kept{nil, {"arn": "short"}, {"arn": ""}} {
		l.Secrets = secrets
		log.Reset()
		if at, code := l.Link(t.Context(), id, "", settings.English); at != "" || code != "" || !strings.Contains(log.String(), "no link") {
			t.Errorf("%s %s, log: %s", at, code, &log)
		}
	}
}
