package notify

import (
	"encoding/json"
	"net/url"
	"strings"

	"github.com/replimend/replimend/internal/settings"
)

// chatwork tells people in a room, in the name of whoever's token it is. What is told later of an incident takes the place of what was told
// before, and as with Discord loud news have a line of their own.
//
// https://developer.chatwork.com/reference/post-rooms-room_id-messages
// https://developer.chatwork.com/reference/put-rooms-room_id-messages-message_id
type chatwork struct{}

// chatworkAll is the bytes of a message. Chatwork documents no limit: 40,000 characters were taken, and 80,000 refused.
//
// https://qiita.com/chanyu/items/a012de576c43effcd280
const chatworkAll = 40_000

// chatworkMarkup is Chatwork's notation. It has no way to write a bracket that is none of its own, so one that could begin a tag is written
// as the wide one; in code, too, which [/code] would end.
//
// https://developer.chatwork.com/docs/message-notation
var chatworkMarkup = markup{
	text:    chatworkText,
	heading: func(s string) string { return "■ " + s },
	bullet:  "・",
	code:    func(s string) string { return "[code]" + chatworkText(s) + "[/code]" },
	field:   func(name, value string) string { return name + ": " + value },
}

func chatworkText(s string) string {
	var b strings.Builder
	for i, r := range s {
		if next := strings.TrimLeft(s[i+1:], "/ "); r == '[' && next != "" && strings.ContainsRune(lower+upper, rune(next[0])) {
			r = '［'
		}
		b.WriteRune(r)
	}
	return b.String()
}

func (chatwork) compose(t settings.Target, v View, before Ref) (Request, error) {
	v = fitted(v, func(v View) bool { return len(chatworkOf(v)) <= chatworkAll })
	messages := "https://api.chatwork.com/v2/rooms/" + url.PathEscape(t.Channel) + "/messages"
	if before.ID == "" {
		return chatworkForm("POST", messages, chatworkOf(v)), nil
	}
	r := chatworkForm("PUT", messages+"/"+before.ID, chatworkOf(v))
	if loud(v) || v.Over {
		r.Then = []Request{chatworkForm("POST", messages, chatworkText(v.Word+": "+v.Title))}
	}
	return r, nil
}

func chatworkForm(method, to, body string) Request {
	return Request{
		Method: method, URL: to, Header: map[string]string{"Content-Type": "application/x-www-form-urlencoded"},
		Body: []byte(url.Values{"body": {body}}.Encode()), Secret: TokenHeader,
	}
}

func chatworkOf(v View) string {
	return "[info][title]" + chatworkText(v.Word+": "+v.Title) + "[/title]" + chatworkMarkup.body(v, true) + "[/info]"
}

// read finds the message in the answer. A message that is not there, or no longer the token's to edit, is gone.
func (chatwork) read(r Response, before Ref) (Ref, error) {
	var answer struct {
		ID string `json:"message_id"`
	}
	if r.Status >= 200 && r.Status < 300 {
		if json.Unmarshal(r.Body, &answer) != nil {
			answer.ID = ""
		}
		return Ref{ID: codeOf(answer.ID, digit)}, nil
	}
	return Ref{}, &Refusal{Tool: settings.Chatwork, Status: r.Status, Gone: before.ID != "" && (r.Status == 404 || r.Status == 403)}
}

func (chatwork) hosts(settings.Target) []string { return []string{"api.chatwork.com"} }
