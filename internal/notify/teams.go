package notify

import (
	"strings"

	"github.com/replimend/replimend/internal/incident"
	"github.com/replimend/replimend/internal/settings"
)

// teams tells people by a webhook of the Workflows app, which posts an Adaptive Card and knows neither updates nor threads.
//
// https://support.microsoft.com/en-us/office/create-incoming-webhooks-with-workflows-for-microsoft-teams-8ae491c7-0394-4861-ba59-055e33f75498
type teams struct{}

// teamsAll is the bytes of a message: Microsoft takes about 28 KB, and what the flow puts around the card is part of them.
//
// https://learn.microsoft.com/en-us/microsoftteams/limits-specifications-teams#chat
const teamsAll = 24 << 10

// teamsMessage is the envelope that Workflows takes: cards as attachments.
type teamsMessage struct {
	Type        string            `json:"type"`
	Attachments []teamsAttachment `json:"attachments"`
}

type teamsAttachment struct {
	ContentType string       `json:"contentType"`
	ContentURL  *string      `json:"contentUrl"` // null: the content is here
	Content     adaptiveCard `json:"content"`
}

// adaptiveCard is a card, and cardElement any of its elements. Texts are runs of rich text, in which no Markdown is read: a mention needs
// an entity, and there is none.
//
// https://adaptivecards.io/explorer/AdaptiveCard.html
// https://adaptivecards.io/explorer/TextRun.html
type adaptiveCard struct {
	Schema  string        `json:"$schema"`
	Type    string        `json:"type"`
	Version string        `json:"version"`
	Body    []cardElement `json:"body"`
	Actions []cardAction  `json:"actions,omitempty"`
}

// cardAction is a button that opens a page, which is all that a card of a webhook can have.
//
// https://adaptivecards.io/explorer/Action.OpenUrl.html
type cardAction struct {
	Type  string `json:"type"`
	Title string `json:"title"`
	URL   string `json:"url"`
}

type cardElement struct {
	Type      string        `json:"type"`
	Items     []cardElement `json:"items,omitempty"`
	Inlines   []textRun     `json:"inlines,omitempty"`
	Style     string        `json:"style,omitempty"`
	Spacing   string        `json:"spacing,omitempty"`
	Separator bool          `json:"separator,omitempty"`
}

type textRun struct {
	Type     string `json:"type"`
	Text     string `json:"text"`
	Weight   string `json:"weight,omitempty"`
	Size     string `json:"size,omitempty"`
	FontType string `json:"fontType,omitempty"`
	IsSubtle bool   `json:"isSubtle,omitempty"`
}

func (teams) compose(_ settings.Target, v View, _ Ref) (Request, error) {
	v = fitted(v, func(v View) bool { return size(teamsCard(v)) <= teamsAll })
	return post("", IsURL, teamsCard(v))
}

func teamsCard(v View) teamsMessage {
	title := cardElement{Type: "Container", Style: cardStyle(v), Items: []cardElement{
		rich(textRun{Text: v.Word, IsSubtle: true}),
		rich(textRun{Text: v.Title, Weight: "Bolder", Size: "Large"}),
	}}
	for _, l := range v.Lead {
		title.Items = append(title.Items, rich(textRun{Text: l}))
	}
	body := []cardElement{title}
	for _, s := range v.Sections {
		heading := rich(textRun{Text: s.Heading, Weight: "Bolder"})
		heading.Separator = true
		body = append(body, heading)
		for _, l := range s.Lines {
			body = append(body, rich(textRun{Text: "• " + l}))
		}
		if s.Code != "" {
			body = append(body, cardCode(s.Code))
		}
	}
	for i, f := range v.Fields {
		e := rich(textRun{Text: f.Name + ": ", Weight: "Bolder"}, textRun{Text: f.Value})
		e.Separator, e.Spacing = i == 0, map[bool]string{false: "None"}[i == 0]
		body = append(body, e)
	}
	if v.Cut != "" {
		body = append(body, rich(textRun{Text: v.Cut, IsSubtle: true}))
	}
	if v.Code != "" {
		body = append(body, rich(textRun{Text: v.Code}))
	}
	var actions []cardAction
	if v.Link != "" {
		actions = []cardAction{{"Action.OpenUrl", v.LinkText, v.Link}}
	}
	return teamsMessage{Type: "message", Attachments: []teamsAttachment{{
		ContentType: "application/vnd.microsoft.card.adaptive",
		Content: adaptiveCard{
			Schema: "http://adaptivecards.io/schemas/adaptive-card.json", Type: "AdaptiveCard", Version: "1.4", Body: body, Actions: actions,
		},
	}}}
}

// rich is a block of rich text.
func rich(runs ...textRun) cardElement {
	for i := range runs {
		runs[i].Type = "TextRun"
	}
	return cardElement{Type: "RichTextBlock", Inlines: runs}
}

// cardCode is code, a block for each line: a run of text has no line breaks that all of Microsoft's clients show.
func cardCode(code string) cardElement {
	box := cardElement{Type: "Container", Style: "emphasis"}
	for l := range strings.SplitSeq(code, "\n") {
		e := rich(textRun{Text: indented(l), FontType: "Monospace"})
		e.Spacing = "None"
		box.Items = append(box.Items, e)
	}
	return box
}

// cardStyle is the colour behind the title.
func cardStyle(v View) string {
	switch {
	case v.Over:
		return "good"
	case v.Severity == incident.Critical:
		return "attention"
	case v.Severity == incident.Warning:
		return "warning"
	}
	return "accent"
}

// read knows that Workflows answers 202 before it posts: what the flow made of a card is seen in its history alone.
func (teams) read(r Response, _ Ref) (Ref, error) { return Ref{}, refused(settings.Teams, r, "", "") }

// hosts are those of Power Automate, which has had its webhooks below all of them.
//
// https://learn.microsoft.com/en-us/power-automate/ip-address-configuration#services
func (teams) hosts(settings.Target) []string {
	return []string{".logic.azure.com", ".api.powerplatform.com", ".api.powerautomate.com", "api.powerautomate.com", ".flow.microsoft.com"}
}
