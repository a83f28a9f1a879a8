package notify

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/replimend/replimend/internal/incident"
	"github.com/replimend/replimend/internal/settings"
)

// tools is every tool by its word in the settings.
var tools = map[settings.Tool]tool{
	settings.Slack:        slackBot{},
	settings.SlackWebhook: slackWebhook{},
	settings.Teams:        teams{},
	settings.GoogleChat:   googleChat{},
	settings.Discord:      discord{},
	settings.Chatwork:     chatwork{},
	settings.Mattermost:   mattermost{},
	settings.PagerDuty:    pagerDuty{},
	settings.AmazonQ:      amazonQ{},
	settings.Email:        email{},
	settings.Webhook:      webhook{},
}

// Payload is what a target would be sent about something that nothing was said about before, without any secret: the media type and the
// body, or for e-mail the text. An error says that there is no such tool.
func Payload(t settings.Target, v View) (contentType string, body []byte, err error) {
	with, ok := tools[t.Tool]
	if !ok {
		return "", nil, fmt.Errorf("compose a message: no tool %q", t.Tool)
	}
	r, err := with.compose(t, v, Ref{})
	if err != nil {
		return "", nil, err
	}
	return r.Header["Content-Type"], r.Body, nil
}

// Refusal is that a tool did not take what it was sent. It gives codes and never a text of the tool, which may quote what was sent.
type Refusal struct {
	Tool   settings.Tool
	Status int
	Code   string // the tool's code, "" where it gave none
	// Again says that the tool asks to be asked later although the status does not.
	Again bool
	// Gone says that what was to be replaced is no longer there, or can no longer be: it has to be said anew, with the zero Ref.
	Gone bool
}

// Error is the refusal in a line.
func (r *Refusal) Error() string {
	s := fmt.Sprintf("send to %s: status %d", r.Tool, r.Status)
	if r.Code != "" {
		s += ", " + r.Code
	}
	return s
}

// refused is a refusal if the status is not one of success. What an answer calls its code is the tool's only if it has no other
// characters than the tool's codes have.
func refused(t settings.Tool, r Response, code, characters string) error {
	if r.Status >= 200 && r.Status < 300 {
		return nil
	}
	return &Refusal{Tool: t, Status: r.Status, Code: codeOf(code, characters)}
}

// codeOf is a code, or "" if it is none: codes are short, and have few characters.
func codeOf(s, characters string) string {
	const longest = 64
	if len(s) > longest || strings.Trim(s, characters) != "" {
		return ""
	}
	return s
}

const (
	lower = "abcdefghijklmnopqrstuvwxyz"
	upper = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	digit = "0123456789"
)

// asJSON is a value as JSON without the escapes that HTML would need, which tools count.
func asJSON(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, fmt.Errorf("encode a message: %w", err)
	}
	return bytes.TrimRight(b.Bytes(), "\n"), nil
}

// size is how many bytes a value has as JSON. What cannot be encoded has none here, and is found when it is to be sent.
func size(v any) int {
	b, err := asJSON(v)
	if err != nil {
		return 0
	}
	return len(b)
}

// post is a request with a JSON body.
func post(url string, secret Placement, body any) (Request, error) {
	b, err := asJSON(body)
	if err != nil {
		return Request{}, err
	}
	return Request{
		Method: "POST", URL: url, Header: map[string]string{"Content-Type": "application/json; charset=utf-8"}, Body: b, Secret: secret,
	}, nil
}

// colour is the colour of a view in RGB.
func colour(v View) int {
	switch {
	case v.Over:
		return 0x2E7D32
	case v.Severity == incident.Critical:
		return 0xC62828
	case v.Severity == incident.Warning:
		return 0xEF6C00
	}
	return 0x1565C0
}
