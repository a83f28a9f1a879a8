package slackapp

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
	"slices"
	"time"

	"github.com/replimend/replimend/internal/catalogue"
	"github.com/replimend/replimend/internal/choice"
	"github.com/replimend/replimend/internal/incident"
	"github.com/replimend/replimend/internal/settings"
)

// patience is for how long Slack is waited for: it wants our own answer within three seconds.
// https://docs.slack.dev/interactivity/handling-user-interaction#acknowledgment_response
const patience = 2 * time.Second

// NewClient asks Slack, and follows it nowhere; nil: over the internet.
func NewClient(over http.RoundTripper) *http.Client {
	return &http.Client{Timeout: patience, Transport: over, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

// hosts is where Slack has what came of a button sent to, and nobody else.
// https://docs.slack.dev/interactivity/handling-user-interaction#message_responses
// https://api.slack-gov.com/gov-slack/about
var hosts = []string{"hooks.slack.com", "hooks.slack-gov.com"}

// response is what Slack is sent: something for one user alone, or the message anew.
type response struct {
	Type    string `json:"response_type,omitempty"`
	Replace bool   `json:"replace_original"`
	Text    string `json:"text"`
	Blocks  []any  `json:"blocks,omitempty"`
}

// whisper is for whoever pressed alone, and leaves the message as it is.
func whisper(text string) response { return response{Type: "ephemeral", Text: plain(text)} }

// contextBlock is a line below a message.
type contextBlock struct {
	Type     string        `json:"type"`
	Elements []contextText `json:"elements"`
}

type contextText struct {
	Type string `json:"type"`
	Text string `json:"text"`
}

// decided is the message as Slack has it, with who decided what below it. Its buttons are gone, but where one more person has to approve.
// The next notice, of what came of the decision, takes its place.
func (a *App) decided(p pressed, c choice.Choice, d decision, l settings.Language) response {
	var blocks []any
	for _, raw := range p.Message.Blocks {
		var b struct {
			Type string `json:"type"`
		}
		if json.Unmarshal(raw, &b) == nil && (b.Type != "actions" || d.missing != "") {
			blocks = append(blocks, raw)
		}
	}
	blocks = append(blocks[:min(len(blocks), maxBlocks-1)], contextBlock{"context", []contextText{{"mrkdwn", a.said(p, c, d, l)}}})
	return response{Replace: true, Text: p.Message.Text, Blocks: blocks}
}

// said is who decided what, in the one markup of Slack that it has: the user, who is an ID of capitals and digits.
func (a *App) said(p pressed, c choice.Choice, d decision, l settings.Language) string {
	user, who, plan := "<@"+p.User.ID+">", plain(d.who), catalogue.Short(c.Plan)
	switch c.Answer {
	case incident.Approve:
		return catalogue.Approved(l, user, who, plan, plain(d.missing))
	case incident.Decline:
		return catalogue.Declined(l, user, who, plan)
	case incident.Undo:
		return catalogue.UndoAsked(l, user, who, plan)
	case incident.NoAnswer:
	}
	return catalogue.Silenced(l, user, who, a.Now().Add(c.Lasts))
}

// plain is a text in which nothing is Slack's markup.
// https://docs.slack.dev/messaging/formatting-message-text#escaping
func plain(s string) string {
	var b bytes.Buffer
	for _, r := range s {
		switch r {
		case '&':
			b.WriteString("&amp;")
		case '<':
			b.WriteString("&lt;")
		case '>':
			b.WriteString("&gt;")
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

// answer has Slack show what became of it. That it does not is no reason to undo anything: it is logged, and the next notice tells.
func (a *App) answer(ctx context.Context, log *slog.Logger, to string, r response) {
	if err := a.show(ctx, to, r); err != nil {
		log.WarnContext(ctx, "not shown", "error", err.Error())
	}
}

func (a *App) show(ctx context.Context, to string, r response) error {
	u, err := url.Parse(to)
	if err != nil || u.Scheme != "https" || u.User != nil || !slices.Contains(hosts, u.Host) {
		return errors.New("what is to be asked is not Slack") // and whoever signed a request is
	}
	body, err := json.Marshal(r)
	if err != nil {
		return fmt.Errorf("encode what Slack is to show: %w", err)
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, u.String(), bytes.NewReader(body))
	if err != nil {
		return errors.New("make request to Slack") // the error has the URL, which is as good as a key for half an hour
	}
	request.Header.Set("Content-Type", "application/json; charset=utf-8")
	answer, err := a.Slack.Do(request)
	if err != nil {
		var at *url.Error
		if errors.As(err, &at) {
			err = at.Err
		}
		return fmt.Errorf("ask Slack: %w", err)
	}
	defer answer.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(answer.Body, 4<<10))
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("ask Slack: status %d", answer.StatusCode)
	}
	return nil
}
