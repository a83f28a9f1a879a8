// Package slackapp takes what people press in messages of Slack. Slack signs what it sends, and says which of its users pressed; who that
// is as an approver is in the settings. What becomes of a decision is for package desk.
//
// Whoever may write in a channel, or knows the URL, can send anything here: nothing is read before the signature is verified, and nothing
// of what is in a message is taken for so but the incident and the plan, which are held against the record.
package slackapp

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"github.com/replimend/replimend/internal/catalogue"
	"github.com/replimend/replimend/internal/choice"
	"github.com/replimend/replimend/internal/deployed"
	"github.com/replimend/replimend/internal/desk"
	"github.com/replimend/replimend/internal/incident"
	"github.com/replimend/replimend/internal/journal"
	"github.com/replimend/replimend/internal/settings"
	"github.com/replimend/replimend/internal/vault"
)

// App is where Slack sends what was pressed.
type App struct {
	Desk  *desk.Desk // with Silences
	Words interface {
		// Spend takes a word that is good for one time until then: incident.ErrUsed for whoever comes later.
		Spend(ctx context.Context, word string, until time.Time) error
	}
	// Secret is the text of the app's signing secret as it is now; while it is rotated both, a line each.
	Secret func(ctx context.Context) (string, error)
	// Slack is asked to show what became of it.
	Slack *http.Client
	Log   *slog.Logger
	Now   func() time.Time
}

// New reaches AWS with that configuration, and Slack over the internet. It makes no call.
func New(c deployed.Config, cfg aws.Config, log *slog.Logger) *App {
	tables := dynamodb.NewFromConfig(cfg)
	d := desk.New(c, cfg, log)
	d.Silences = &journal.Table{Client: tables, Name: c.Table, Now: time.Now}
	secrets := &vault.Secrets{Client: secretsmanager.NewFromConfig(cfg), Now: time.Now}
	return &App{
		Desk: d, Words: &journal.ApprovalTable{Client: tables, Name: c.Approvals, Now: time.Now},
		Secret: func(ctx context.Context) (string, error) {
			s, err := secrets.Get(ctx, c.Settings.Approvals.Slack.Secret.String(), false)
			return s.Text(), err
		},
		Slack: NewClient(nil), Log: log, Now: time.Now,
	}
}

// The bounds of what is taken. A message of ours has 11,000 bytes of blocks, which Slack sends back in JSON that is a form: each byte may
// have become nine.
const (
	maxBody   = 256 << 10
	maxBlocks = 50 // of a message: https://docs.slack.dev/reference/block-kit/blocks
)

// refusal is why nothing was decided, with the status that says so.
type refusal struct {
	status int
	code   string
	err    error
}

func (r *refusal) Error() string {
	if r.err != nil {
		return r.code + ": " + r.err.Error()
	}
	return r.code
}

// At takes what Slack sends. Whoever did not sign gets a status and nothing else.
func (a *App) At(string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-store")
		w.Header().Set("X-Content-Type-Options", "nosniff")
		log := a.Log.With("method", r.Method)
		p, word, err := a.read(w, r)
		if err == nil {
			log = log.With("user", p.User.ID, "channel", p.Channel.ID)
			err = a.press(r.Context(), log, p, word)
		}
		status, level, reply := http.StatusOK, slog.LevelInfo, "taken"
		var no *refusal
		switch {
		case errors.As(err, &no):
			status, reply = no.status, no.Error()
		case err != nil:
			status, reply = http.StatusInternalServerError, err.Error()
		}
		if status >= http.StatusInternalServerError {
			level = slog.LevelError
		}
		log.LogAttrs(r.Context(), level, "pressed", slog.Int("status", status), slog.String("reply", reply))
		w.WriteHeader(status)
	})
}

// read is what was pressed, and a word that tells the request from every other one. Before the signature is verified the body is bytes.
func (a *App) read(w http.ResponseWriter, r *http.Request) (pressed, string, error) {
	switch {
	case r.URL.Path != "/":
		return pressed{}, "", &refusal{status: http.StatusNotFound, code: "no-such-path"}
	case r.Method != http.MethodPost:
		w.Header().Set("Allow", http.MethodPost)
		return pressed{}, "", &refusal{status: http.StatusMethodNotAllowed, code: "method"}
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	var long *http.MaxBytesError
	if errors.As(err, &long) {
		return pressed{}, "", &refusal{status: http.StatusRequestEntityTooLarge, code: "too-long"}
	}
	if err != nil {
		return pressed{}, "", &refusal{http.StatusBadRequest, "not-read", err}
	}
	secret, err := a.Secret(r.Context())
	if err != nil {
		return pressed{}, "", &refusal{http.StatusServiceUnavailable, "no-secret", err}
	}
	word, ok := signed(secret, r.Header, body, a.Now())
	if !ok {
		return pressed{}, "", &refusal{status: http.StatusUnauthorized, code: "not-signed"}
	}
	p, err := parse(r.Header.Get("Content-Type"), body)
	if err != nil {
		return pressed{}, "", &refusal{http.StatusBadRequest, "not-pressed", err}
	}
	return p, word, nil
}

// pressed is what Slack says of a button that somebody pressed, as far as it is looked at.
// https://docs.slack.dev/reference/interaction-payloads/block_actions-payload
type pressed struct {
	Type       string `json:"type"`
	Team       named  `json:"team"`
	Enterprise named  `json:"enterprise"`
	User       struct {
		ID   string `json:"id"`
		Team string `json:"team_id"`
	} `json:"user"`
	Channel     named  `json:"channel"`
	ResponseURL string `json:"response_url"`
	Message     struct {
		Text   string            `json:"text"`
		Blocks []json.RawMessage `json:"blocks"`
	} `json:"message"`
	Actions []struct {
		ID       string `json:"action_id"`
		Value    string `json:"value"`
		Selected struct {
			Value string `json:"value"`
		} `json:"selected_option"`
	} `json:"actions"`
}

type named struct {
	ID string `json:"id"`
}

// parse reads the form that Slack sends: one field, whose value is JSON.
func parse(kind string, body []byte) (pressed, error) {
	var p pressed
	if kind, _, err := mime.ParseMediaType(kind); err != nil || kind != "application/x-www-form-urlencoded" {
		return p, errors.New("it is no form")
	}
	form, err := url.ParseQuery(string(body))
	if err != nil || len(form) != 1 || len(form["payload"]) != 1 {
		return p, errors.New("it is no form with a payload and nothing else")
	}
	if err := json.Unmarshal([]byte(form.Get("payload")), &p); err != nil {
		return p, errors.New("the payload is not what it should be")
	}
	if p.Type != "block_actions" || len(p.Actions) != 1 {
		return p, errors.New("it is no button that was pressed")
	}
	for _, id := range []string{p.User.ID, p.Team.ID, p.Channel.ID} {
		if id == "" || len(id) > 64 || strings.Trim(id, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789") != "" {
			return p, errors.New("it does not say who pressed, and where")
		}
	}
	return p, nil
}

// press takes what was pressed, and has Slack show what became of it. An error is for what went wrong here: it is told to the user in few
// words, and to the log in full.
func (a *App) press(ctx context.Context, log *slog.Logger, p pressed, word string) error {
	c, err := choice.Parse(p.Actions[0].ID, cmp.Or(p.Actions[0].Value, p.Actions[0].Selected.Value))
	if err != nil {
		return &refusal{http.StatusBadRequest, "not-ours", err}
	}
	l := a.language(p.Channel.ID)
	d, err := a.decide(ctx, p, c, word)
	switch {
	case errors.Is(err, incident.ErrUsed):
		return nil // a request that came before: whoever sends it again learns nothing, and nothing is done
	case err != nil:
		text, known := refusedBecause(l, err)
		a.answer(ctx, log, p.ResponseURL, whisper(text))
		if known {
			return &refusal{http.StatusOK, "refused", err} // Slack would show a fault of its own beside our words
		}
		return err
	}
	log.InfoContext(ctx, "decided", "incident", c.Incident, "decision", c.Action(), "who", d.who)
	a.answer(ctx, log, p.ResponseURL, a.decided(p, c, d, l))
	return nil
}

// decision is what somebody decided.
type decision struct {
	who     string // the ARN
	missing string // who still has to approve
}

// decide finds out who pressed, and hands the decision to the desk.
func (a *App) decide(ctx context.Context, p pressed, c choice.Choice, word string) (decision, error) {
	set := a.Desk.Settings.Approvals
	if p.Team.ID != set.Slack.Team && p.Enterprise.ID != set.Slack.Team {
		return decision{}, desk.Refuse(http.StatusForbidden, "not-an-approver", "the workspace %s is not that of approvals.slack", p.Team.ID)
	}
	who, ok := set.BySlack(p.User.ID)
	if !ok {
		return decision{}, &stranger{p.User.ID}
	}
	// Before anything is decided: of two requests that are the same one alone decides.
	if err := a.Words.Spend(ctx, word, a.Now().Add(2*window)); err != nil {
		return decision{}, err
	}
	i, err := a.Desk.Incident(ctx, c.Incident)
	if err != nil {
		return decision{}, err
	}
	if c.Answer == incident.NoAnswer {
		return decision{who: who}, a.Desk.Silence(ctx, i, c.Lasts, who, reason)
	}
	taken, err := a.Desk.Answer(ctx, i, incident.Said{Plan: c.Plan, Answer: c.Answer, Reason: reason}, who)
	return decision{who, taken.Missing}, err
}

// reason is why, as far as Slack knows.
const reason = "pressed in Slack"

// stranger is somebody whom the settings do not know.
type stranger struct{ user string }

func (s *stranger) Error() string { return "nobody among approvals.people is " + s.user + " to Slack" }

// refusedBecause is what the user is told of an error. False: it is for the log, and they are told no more than that there is one.
func refusedBecause(l settings.Language, err error) (text string, known bool) {
	code, values := "", []any(nil)
	var no *desk.Refused
	var who *stranger
	switch {
	case errors.As(err, &who):
		code, values = "slack-stranger", []any{who.user}
	case errors.As(err, &no):
		code, values = no.Code, []any{no.Text}
	}
	if text, known = catalogue.Refusal(l, code, values...); !known {
		text, _ = catalogue.Refusal(l, "internal")
	}
	return text, known
}

// language is that of the target in a channel.
func (a *App) language(channel string) settings.Language {
	for _, t := range a.Desk.Settings.Chat.Targets {
		if t.Tool == settings.Slack && t.Channel == channel {
			return t.Language
		}
	}
	return settings.English
}
