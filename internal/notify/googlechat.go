package notify

import (
	"encoding/json"
	"net/url"
	"strings"

	"github.com/replimend/replimend/internal/settings"
)

// googleChat tells people by a webhook of a space. A webhook cannot update; what is told later of an incident joins its thread, which is
// found by a key that we choose.
//
// https://developers.google.com/workspace/chat/quickstart/webhooks
type googleChat struct{}

// chatAll is the bytes of a message, text and cards together: Google takes 32,000.
//
// https://developers.google.com/workspace/chat/api/reference/rest/v1/spaces.messages/create
//
// chatWidgets is the widgets of a card: Google takes 100 of them and ignores what is beyond.
//
// https://developers.google.com/workspace/chat/api/reference/rest/v1/cards
const (
	chatAll     = 30_000
	chatWidgets = 100
)

// chatMessage is a message with a card.
//
// https://developers.google.com/workspace/chat/api/reference/rest/v1/spaces.messages#Message
type chatMessage struct {
	FallbackText string       `json:"fallbackText"` // in notifications
	CardsV2      []chatCardV2 `json:"cardsV2"`
	Thread       *chatThread  `json:"thread,omitempty"`
}

type chatThread struct {
	ThreadKey string `json:"threadKey"`
}

type chatCardV2 struct {
	CardID string   `json:"cardId"`
	Card   chatCard `json:"card"`
}

type chatCard struct {
	Header   chatHeader    `json:"header"`
	Sections []chatSection `json:"sections"`
}

type chatHeader struct {
	Title    string `json:"title"`
	Subtitle string `json:"subtitle"`
}

type chatSection struct {
	Header                    string       `json:"header,omitempty"`
	Collapsible               bool         `json:"collapsible,omitempty"`
	UncollapsibleWidgetsCount int          `json:"uncollapsibleWidgetsCount,omitempty"`
	Widgets                   []chatWidget `json:"widgets"`
}

type chatWidget struct {
	TextParagraph *chatText      `json:"textParagraph,omitempty"`
	DecoratedText *chatDecorated `json:"decoratedText,omitempty"`
	ButtonList    *chatButtons   `json:"buttonList,omitempty"`
}

// chatButtons is buttons that open pages, which is all that a webhook can have.
//
// https://developers.google.com/workspace/chat/api/reference/rest/v1/cards#Card.ButtonList
type chatButtons struct {
	Buttons []chatButton `json:"buttons"`
}

type chatButton struct {
	Text    string      `json:"text"`
	OnClick chatOnClick `json:"onClick"`
}

type chatOnClick struct {
	OpenLink chatOpenLink `json:"openLink"`
}

type chatOpenLink struct {
	URL string `json:"url"`
}

type chatText struct {
	Text string `json:"text"`
}

type chatDecorated struct {
	TopLabel string `json:"topLabel"`
	Text     string `json:"text"`
	WrapText bool   `json:"wrapText"`
}

// compose has a reply whose thread is gone begin a new one rather than fail.
func (googleChat) compose(_ settings.Target, v View, _ Ref) (Request, error) {
	v = fitted(v, func(v View) bool {
		m := chatOf(v)
		n := 0
		for _, s := range m.CardsV2[0].Card.Sections {
			n += len(s.Widgets)
		}
		return n <= chatWidgets && size(m) <= chatAll
	})
	where := ""
	if v.Incident != "" {
		where = "?" + url.Values{"messageReplyOption": {"REPLY_MESSAGE_FALLBACK_TO_NEW_THREAD"}}.Encode()
	}
	return post(where, IsURL, chatOf(v))
}

func chatOf(v View) chatMessage {
	text := func(s string) chatWidget { return chatWidget{TextParagraph: &chatText{s}} }
	// The header, the fallback and a button are no markup, but what is read as <users/all> anywhere would call everybody.
	plain := strings.NewReplacer("<", "‹", ">", "›").Replace
	var sections []chatSection
	if len(v.Lead) > 0 {
		sections = append(sections, chatSection{Widgets: []chatWidget{text(chatLines(v.Lead, ""))}})
	}
	for _, s := range v.Sections {
		out := chatSection{Header: slackEscape(s.Heading)}
		if len(s.Lines) > 0 {
			out.Widgets = append(out.Widgets, text(chatLines(s.Lines, "• ")))
		}
		if s.Code != "" {
			code := strings.Split(s.Code, "\n")
			for i := range code {
				code[i] = indented(code[i])
			}
			out.Widgets = append(out.Widgets, text(chatLines(code, "")))
		}
		sections = append(sections, out)
	}
	if len(v.Fields) > 0 {
		out := chatSection{Collapsible: true, UncollapsibleWidgetsCount: 1}
		for _, f := range v.Fields {
			out.Widgets = append(out.Widgets, chatWidget{DecoratedText: &chatDecorated{slackEscape(f.Name), slackEscape(f.Value), true}})
		}
		sections = append(sections, out)
	}
	if v.Link != "" {
		button := chatButton{plain(v.LinkText), chatOnClick{chatOpenLink{v.Link}}}
		out := chatSection{Widgets: []chatWidget{{ButtonList: &chatButtons{[]chatButton{button}}}}}
		if v.Code != "" {
			out.Widgets = append(out.Widgets, text(slackEscape(v.Code)))
		}
		sections = append(sections, out)
	}
	if v.Cut != "" {
		sections = append(sections, chatSection{Widgets: []chatWidget{text(slackEscape(v.Cut))}})
	}
	m := chatMessage{
		FallbackText: plain(headline(v)),
		CardsV2: []chatCardV2{{
			CardID: "replimend",
			Card:   chatCard{Header: chatHeader{Title: plain(v.Title), Subtitle: plain(v.Word)}, Sections: sections},
		}},
	}
	if v.Incident != "" {
		m.Thread = &chatThread{v.Incident}
	}
	return m
}

// chatLines is lines as text of a card, whose markup is a little HTML.
//
// https://developers.google.com/workspace/chat/format-messages#card-formatting
func chatLines(lines []string, bullet string) string {
	out := make([]string, len(lines))
	for i, l := range lines {
		out[i] = bullet + slackEscape(l)
	}
	return strings.Join(out, "<br>")
}

// read takes the status that Google's errors name.
//
// https://cloud.google.com/apis/design/errors
func (googleChat) read(r Response, _ Ref) (Ref, error) {
	var answer struct {
		Error struct {
			Status string `json:"status"`
		} `json:"error"`
	}
	if json.Unmarshal(r.Body, &answer) != nil {
		answer.Error.Status = ""
	}
	return Ref{}, refused(settings.GoogleChat, r, answer.Error.Status, upper+"_")
}

func (googleChat) hosts(settings.Target) []string { return []string{"chat.googleapis.com"} }
