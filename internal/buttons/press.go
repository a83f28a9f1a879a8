package buttons

import (
	"encoding/json"
	"errors"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/replimend/replimend/internal/choice"
)

// press is what somebody pressed, as Slack says it.
type press struct {
	choice.Choice
	member  string // of the workspace, who pressed it
	channel string
	reply   string // the URL where Slack takes what is said to it
	message message
	payload payload
}

// payload is as much of a payload as is read.
// https://docs.slack.dev/reference/interaction-payloads/block_actions-payload
type payload struct {
	Type        string  `json:"type"`
	Team        named   `json:"team"` // null where an app is installed for a whole organization
	Enterprise  named   `json:"enterprise"`
	User        member  `json:"user"`
	Channel     named   `json:"channel"`
	ResponseURL string  `json:"response_url"`
	Message     message `json:"message"`
	Actions     []struct {
		Action   string `json:"action_id"`
		Value    string `json:"value"` // of a button
		Selected struct {
			Value string `json:"value"`
		} `json:"selected_option"` // of a menu
	} `json:"actions"`
}

type named struct {
	ID string `json:"id"`
}

type member struct {
	ID   string `json:"id"`
	Team string `json:"team_id"`
}

// message is the message that the button is in, with its blocks as Slack has them.
type message struct {
	Text   string            `json:"text"`
	Blocks []json.RawMessage `json:"blocks"`
}

var (
	errNoForm    = errors.New("it is no form of one payload")
	errNoPayload = errors.New("the payload is no JSON")
	errNoPress   = errors.New("it is not that one button of a message was pressed")
	errReplyURL  = errors.New("what it wants to be answered at is none of Slack's")
)

// read reads a body that Slack signed. Its errors quote nothing of it.
func read(contentType string, body []byte) (press, error) {
	kind, _, err := mime.ParseMediaType(contentType)
	if err != nil || kind != "application/x-www-form-urlencoded" {
		return press{}, errNoForm
	}
	form, err := url.ParseQuery(string(body))
	if err != nil || len(form) != 1 || len(form["payload"]) != 1 {
		return press{}, errNoForm
	}
	var p payload
	if err := json.Unmarshal([]byte(form.Get("payload")), &p); err != nil {
		return press{}, errNoPayload
	}
	if p.Type != "block_actions" || len(p.Actions) != 1 || !isID(p.User.ID) {
		return press{}, errNoPress
	}
	if !answerable(p.ResponseURL) {
		return press{}, errReplyURL
	}
	a := p.Actions[0]
	value := a.Value
	if value == "" {
		value = a.Selected.Value
	}
	c, err := choice.Parse(a.Action, value)
	return press{Choice: c, member: p.User.ID, channel: p.Channel.ID, reply: p.ResponseURL, message: p.Message, payload: p}, err
}

// isID says whether a text may be an ID of Slack. Whose it is, is in the settings.
func isID(s string) bool {
	return s != "" && len(s) <= 64 && strings.Trim(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789") == ""
}

// of says whether it was pressed in that workspace, or organization, by one of its members. In a channel that is shared with another
// workspace people of that one press buttons, too.
func (p press) of(team string) bool {
	if strings.HasPrefix(team, "E") {
		return p.payload.Enterprise.ID == team
	}
	return p.payload.Team.ID == team && (p.payload.User.Team == "" || p.payload.User.Team == team)
}

// hosts is where Slack takes what is said to a press.
// https://docs.slack.dev/interactivity/handling-user-interaction#message_responses
// https://docs.slack.dev/govslack
var hosts = []string{"hooks.slack.com", "hooks.slack-gov.com"}

// answerable says whether a text is a URL there. Nothing else is ever asked, whoever signed it.
func answerable(s string) bool {
	u, err := url.Parse(s)
	return err == nil && u.Scheme == "https" && u.User == nil && u.Opaque == "" && slices.Contains(hosts, u.Host)
}

// without is the message as a reply that takes its place: without anything to press, and with a note of what was decided.
func (m message) without(note string) map[string]any {
	blocks := []any{}
	for _, b := range m.Blocks {
		var of struct {
			Type string `json:"type"`
		}
		if json.Unmarshal(b, &of) == nil && of.Type != "actions" {
			blocks = append(blocks, b)
		}
	}
	// Names in it are escaped, and with verbatim Slack makes nothing of them that is not written out.
	// https://docs.slack.dev/reference/block-kit/composition-objects/text-object
	text := map[string]any{"type": "mrkdwn", "text": note, "verbatim": true}
	return map[string]any{
		"replace_original": true, "text": m.Text,
		"blocks": append(blocks, map[string]any{"type": "context", "elements": []any{text}}),
	}
}

// alone is a reply that whoever pressed the button sees, and nobody else.
func alone(text string) map[string]any {
	return map[string]any{
		"response_type": "ephemeral", "replace_original": false, "text": escape(text),
		"blocks": []any{map[string]any{"type": "section", "text": map[string]any{"type": "plain_text", "text": text, "emoji": false}}},
	}
}

// escape writes the characters that Slack's markup is made of as entities.
// https://docs.slack.dev/messaging/formatting-message-text#escaping
func escape(s string) string {
	return strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;").Replace(s)
}

// code is a text in which Slack reads no markup.
func code(s string) string { return "`" + strings.ReplaceAll(escape(s), "`", "ˋ") + "`" }

// NewClient is a client that answers Slack. It follows no redirect: where else an answer should go, nobody has looked at. It reaches Slack
// through a transport; nil: that of the process.
func NewClient(through http.RoundTripper) *http.Client {
	return &http.Client{
		Transport: through, Timeout: replies,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}
