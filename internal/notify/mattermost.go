package notify

import (
	"encoding/json"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/replimend/replimend/internal/settings"
)

// mattermost tells people by an incoming webhook of a server that somebody runs. It can neither update nor answer a message.
//
// https://developers.mattermost.com/integrate/webhooks/incoming/
type mattermost struct{}

// mattermostAll is the characters of a message: a post may have 16,383, and what is longer the server splits where it likes.
//
// https://github.com/mattermost/mattermost/blob/master/server/public/model/post.go (PostMessageMaxRunesV2)
const mattermostAll = 16_000

// mattermostMessage is a message with an attachment.
//
// https://developers.mattermost.com/integrate/reference/message-attachments/
type mattermostMessage struct {
	Attachments []mattermostAttachment `json:"attachments"`
}

type mattermostAttachment struct {
	Fallback string            `json:"fallback"` // in notifications
	Color    string            `json:"color"`
	Text     string            `json:"text"`
	Fields   []mattermostField `json:"fields,omitempty"`
}

type mattermostField struct {
	Short bool   `json:"short"`
	Title string `json:"title"`
	Value string `json:"value"`
}

// mattermostMarkup is Mattermost's Markdown.
var mattermostMarkup = markup{
	text:    func(s string) string { return escaped(unmentioned(s), "\\`*_{}[]()#+-!>~|") },
	heading: func(s string) string { return "**" + s + "**" },
	bullet:  "* ",
	code:    func(s string) string { return "\n" + fence(s) + "\n" },
}

// unmentioned writes an at sign that could begin a mention as the wide one: Mattermost reads mentions in attachments, too, and no webhook
// can say that it wants none. One within a word, as in an address, begins none.
//
// https://developers.mattermost.com/integrate/reference/message-attachments/
func unmentioned(s string) string {
	var b strings.Builder
	before := ' '
	for _, r := range s {
		if r == '@' && !strings.ContainsRune(lower+upper+digit, before) {
			r = '＠'
		}
		b.WriteRune(r)
		before = r
	}
	return b.String()
}

func (mattermost) compose(_ settings.Target, v View, _ Ref) (Request, error) {
	v = fitted(v, func(v View) bool {
		b, err := asJSON(mattermostOf(v))
		return err == nil && utf8.RuneCount(b) <= mattermostAll
	})
	return post("", IsURL, mattermostOf(v))
}

func mattermostOf(v View) mattermostMessage {
	text := mattermostMarkup.text
	a := mattermostAttachment{
		Fallback: unmentioned(headline(v)),
		Color:    fmt.Sprintf("#%06X", colour(v)),
		Text:     strings.TrimRight("**"+text(headline(v))+"**\n\n"+mattermostMarkup.body(v, false), "\n"),
	}
	for _, f := range v.Fields {
		a.Fields = append(a.Fields, mattermostField{Title: text(f.Name), Value: text(f.Value)})
	}
	return mattermostMessage{Attachments: []mattermostAttachment{a}}
}

// read takes the ID of an error of Mattermost, which has dots.
func (mattermost) read(r Response, _ Ref) (Ref, error) {
	var answer struct {
		ID string `json:"id"`
	}
	if json.Unmarshal(r.Body, &answer) != nil || !strings.Contains(answer.ID, ".") {
		answer.ID = ""
	}
	return Ref{}, refused(settings.Mattermost, r, answer.ID, lower+"_.")
}

func (mattermost) hosts(t settings.Target) []string { return []string{t.Host} }
