// Package buttons takes what people press in Slack: it knows Slack by its signature, and people by who the settings say that they are. What
// becomes of a decision is for package desk; what a button stands for is for package choice.
//
// Everybody on the internet may call it. Until a signature is found to be Slack's nothing of a request is read, and whoever sent it learns
// nothing but that.
package buttons

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"time"

	"github.com/replimend/replimend/internal/catalogue"
	"github.com/replimend/replimend/internal/desk"
	"github.com/replimend/replimend/internal/incident"
	"github.com/replimend/replimend/internal/secret"
	"github.com/replimend/replimend/internal/settings"
)

// Buttons takes what people press.
type Buttons struct {
	Desk  *desk.Desk // with Silences
	Words interface {
		// Spend takes a word that is good for one time until then: incident.ErrUsed for whoever comes later.
		Spend(ctx context.Context, word string, until time.Time) error
	}
	// Secret is the signing secret as it is now: a text of one line, or while it is rotated of two.
	Secret func(ctx context.Context) (secret.Secret, error)
	HTTP   *http.Client // answers Slack
	Log    *slog.Logger
	Now    func() time.Time
}

const (
	// maxBody bounds a request, in bytes. It has the whole message in it, whose blocks have 11,000 bytes at most and three times that in a
	// form, where every byte of Japanese is %E3; and who and where, and what Slack adds to each block.
	maxBody = 64 << 10
	// replies is for how long Slack is waited for when it is answered: it waits itself for 3 seconds until it calls a press a failure.
	// https://docs.slack.dev/interactivity/handling-user-interaction#acknowledgment_response
	replies = 2 * time.Second
	// maxReply bounds what is read of what Slack says to that. It says ok.
	maxReply = 4 << 10
)

// reason is what the log of a decision has for its reason: a button asks for none.
const reason = "by Slack"

// refusal is why nothing was decided, for the log; of the status alone whoever sent the request learns.
type refusal struct {
	status int
	cause  error
}

func (r *refusal) Error() string { return r.cause.Error() }

func (r *refusal) Unwrap() error { return r.cause }

// errReplayed is of a request that came before. It does nothing, and looks as if it had.
var errReplayed = errors.New("it came before, and does nothing")

// ServeHTTP takes one request. Slack reads nothing but the status; what people see goes where the request says that Slack takes it.
func (b *Buttons) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	ctx := r.Context()
	w.Header().Set("Cache-Control", "no-store")
	log, err := b.take(ctx, w, r)
	status, outcome := http.StatusOK, "decided"
	var no *refusal
	var said *desk.Refused
	switch {
	case errors.As(err, &said): // and whoever pressed it knows why
		outcome = said.Code
	case errors.As(err, &no):
		status, outcome = no.status, "refused"
	case err != nil:
		status, outcome = http.StatusInternalServerError, "failed"
	}
	level := slog.LevelInfo
	if status >= http.StatusInternalServerError {
		level = slog.LevelError
	}
	if err != nil {
		log = log.With("error", err.Error())
	}
	log.LogAttrs(ctx, level, "press", slog.Int("status", status), slog.String("outcome", outcome))
	w.WriteHeader(status)
}

// take takes a request from the outside in: its size, its signature, and only then what it says. It gives a log that knows who and what, as
// far as that is known by then. The error is nil for what was decided.
func (b *Buttons) take(ctx context.Context, w http.ResponseWriter, r *http.Request) (*slog.Logger, error) {
	log := b.Log
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		return log, &refusal{http.StatusMethodNotAllowed, errors.New("it is no POST")}
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		return log, &refusal{http.StatusRequestEntityTooLarge, err}
	}
	text, err := b.Secret(ctx)
	if err != nil {
		return log, err
	}
	secrets, err := secretsOf(text.Text())
	if err != nil {
		return log, err
	}
	signature, at, err := signed(r.Header, body, secrets, b.Now())
	if err != nil {
		return log, &refusal{http.StatusUnauthorized, err}
	}
	p, err := read(r.Header.Get("Content-Type"), body)
	if err != nil {
		return log, &refusal{http.StatusBadRequest, err}
	}
	log = log.With("slack", p.member, "action", p.Action(), "incident", p.Incident)
	if !p.of(b.Desk.Settings.Approvals.Slack.Team) {
		return log, &refusal{http.StatusForbidden, errors.New("it is of another workspace than that of approvals.slack")}
	}
	switch err := b.Words.Spend(ctx, "slack "+signature, at.Add(window)); {
	case errors.Is(err, incident.ErrUsed):
		return log, &refusal{http.StatusOK, errReplayed}
	case err != nil:
		return log, err
	}
	who, known := b.Desk.Settings.Approvals.BySlack(p.member)
	if known {
		log = log.With("who", who)
	}
	where := b.where(p.channel)
	note, err := b.decide(ctx, p, who, where)
	reply := p.message.without(note)
	if err != nil {
		reply = alone(told(err, where))
	}
	if e := b.answer(ctx, p.reply, reply); e != nil { // which undoes nothing that was decided
		log.ErrorContext(ctx, "not answered", "error", e.Error())
	}
	return log, err
}

// where is the target whose channel it is: it says in which language people read there, and whether account ids are masked. Of another
// channel nobody has said who reads it.
func (b *Buttons) where(channel string) settings.Target {
	for _, t := range b.Desk.Settings.Chat.Targets {
		if t.Tool == settings.Slack && t.Channel == channel {
			return t
		}
	}
	return settings.Target{MaskAccounts: true}
}

// decide does what was pressed in the name of somebody, "" for nobody who is known, and gives what there is to say of it in the channel.
func (b *Buttons) decide(ctx context.Context, p press, who string, where settings.Target) (note string, err error) {
	if who == "" {
		return "", desk.Refuse(http.StatusForbidden, stranger, "%s", p.member)
	}
	i, err := b.Desk.Incident(ctx, p.Incident)
	if err != nil {
		return "", err
	}
	mask := func(s string) string { return s }
	if where.MaskAccounts {
		mask = incident.Masker(nil)
	}
	l, mention, as, plan := where.Language, "<@"+p.member+">", code(mask(who)), code(catalogue.Short(p.Plan))
	if p.Answer == incident.NoAnswer {
		until := b.Now().Add(p.Lasts)
		return catalogue.Silenced(l, mention, as, until), b.Desk.Silence(ctx, i, p.Lasts, who, reason)
	}
	taken, err := b.Desk.Answer(ctx, i, incident.Said{Plan: p.Plan, Answer: p.Answer, Reason: reason}, who)
	if err != nil {
		return "", err
	}
	switch p.Answer {
	case incident.Decline:
		return catalogue.Declined(l, mention, as, plan), nil
	case incident.Undo:
		return catalogue.UndoAsked(l, mention, as, plan), nil
	case incident.Approve, incident.NoAnswer:
	}
	return catalogue.Approved(l, mention, as, plan, escape(mask(taken.Missing))), nil
}

// stranger is the code of who is told what Slack calls them, because the settings do not know them.
const stranger = "slack-stranger"

// told is an error in words that are fit for whoever pressed the button.
func told(err error, where settings.Target) string {
	no := &desk.Refused{Code: "internal"} // what it says else is for the log alone
	errors.As(err, &no)
	var values []any
	if no.Code == stranger {
		values = append(values, no.Text)
	}
	text, ok := catalogue.Refusal(where.Language, no.Code, values...)
	if !ok {
		text, _ = catalogue.Refusal(where.Language, "internal")
	}
	if where.MaskAccounts {
		text = incident.Masker(nil)(text)
	}
	return text
}

// answer says something where Slack takes it. Its errors have nothing of the URL, which lets whoever has it speak in the channel.
func (b *Buttons) answer(ctx context.Context, to string, reply map[string]any) error {
	if !answerable(to) {
		return errReplyURL
	}
	body, err := json.Marshal(reply)
	if err != nil {
		return fmt.Errorf("print answer to Slack: %w", err)
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, to, bytes.NewReader(body))
	if err != nil {
		return errReplyURL
	}
	r.Header.Set("Content-Type", "application/json; charset=utf-8")
	response, err := b.HTTP.Do(r)
	if err != nil {
		for of := (*url.Error)(nil); errors.As(err, &of); { // which has the URL in its text
			err = of.Err
		}
		return fmt.Errorf("answer Slack: %w", err)
	}
	defer response.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(response.Body, maxReply)) // so that the connection can be used again
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("answer Slack: status %d", response.StatusCode)
	}
	return nil
}
