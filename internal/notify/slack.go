package notify

import (
	"cmp"
	"encoding/json"
	"slices"
	"strings"

	"github.com/slack-go/slack"

	"github.com/replimend/replimend/internal/incident"
	"github.com/replimend/replimend/internal/settings"
)

// slackBot tells people by a bot. The first message about an incident is its card. Later the card is updated in place, which rings nobody,
// and what is new is posted in its thread; in the channel as well if it is critical or asks for a decision.
type slackBot struct{}

// The methods, which take JSON and the token as a bearer's.
//
// https://docs.slack.dev/reference/methods/chat.postMessage
// https://docs.slack.dev/reference/methods/chat.update
const (
	slackPost   = "/api/chat.postMessage"
	slackUpdate = "/api/chat.update"
)

// slackMessage is the body of both methods, and of a webhook. Slack reads the text where it shows no blocks, as in a notification.
type slackMessage struct {
	Channel   string       `json:"channel,omitempty"`
	TS        string       `json:"ts,omitempty"`        // of what is updated
	ThreadTS  string       `json:"thread_ts,omitempty"` // of what is answered
	Broadcast bool         `json:"reply_broadcast,omitempty"`
	Text      string       `json:"text"`
	Blocks    slack.Blocks `json:"blocks"`
	Parse     string       `json:"parse,omitempty"` // none: names and URLs in the text stay text
	LinkNames bool         `json:"link_names"`
	// Links are not followed: what a URL in evidence leads to is not for Slack to ask.
	UnfurlLinks bool `json:"unfurl_links"`
	UnfurlMedia bool `json:"unfurl_media"`
}

func (s slackBot) compose(t settings.Target, v View, before Ref) (Request, error) {
	card := slackCard(v)
	card.Channel, card.Parse = t.Channel, "none"
	host := "https://" + s.hosts(t)[0]
	if before.ID == "" {
		return post(host+slackPost, BearerToken, card)
	}
	if before.Channel != "" {
		card.Channel = before.Channel
	}
	news := slackCard(withoutDecisions(withoutCode(v))) // the card has the buttons, and is the one place that is updated
	news.Channel, news.Parse, news.ThreadTS, news.Broadcast = card.Channel, card.Parse, before.ID, loud(v)
	card.TS = before.ID
	r, err := post(host+slackUpdate, BearerToken, card)
	if err != nil {
		return Request{}, err
	}
	then, err := post(host+slackPost, BearerToken, news)
	r.Then = []Request{then}
	return r, err
}

// read knows that Slack says no with a status of 200.
//
// https://docs.slack.dev/reference/methods/chat.postMessage#errors
// https://docs.slack.dev/reference/methods/chat.update#errors
func (slackBot) read(r Response, _ Ref) (Ref, error) {
	var answer struct {
		OK      bool   `json:"ok"`
		Error   string `json:"error"`
		TS      string `json:"ts"`
		Channel string `json:"channel"`
	}
	err := json.Unmarshal(r.Body, &answer)
	if answer.OK && err == nil && r.Status == 200 {
		return Ref{ID: codeOf(answer.TS, digit+"."), Channel: codeOf(answer.Channel, upper+digit)}, nil
	}
	no := &Refusal{Tool: settings.Slack, Status: r.Status, Code: codeOf(answer.Error, lower+"_")}
	switch no.Code {
	case "message_not_found", "cant_update_message", "edit_window_closed":
		no.Gone = true
	case "ratelimited", "rate_limited", "internal_error", "fatal_error", "service_unavailable", "request_timeout":
		no.Again = true
	}
	return Ref{}, no
}

func (slackBot) hosts(t settings.Target) []string {
	return []string{cmp.Or(t.Host, "slack.com")}
}

// Slack's limits. The 50 blocks of a message are more than any view has. What a message may have in all is not documented: messages with
// 11,341 characters in many blocks, and with more than 13,297 in one, were refused with msg_blocks_too_long. Slack may count containers,
// bytes or characters, and all are less than the bytes of the JSON.
//
// https://docs.slack.dev/reference/block-kit/blocks (50 blocks)
// https://docs.slack.dev/reference/block-kit/blocks/header-block (150)
// https://docs.slack.dev/reference/block-kit/blocks/context-block (10 elements)
// https://docs.slack.dev/reference/block-kit/composition-objects/text-object (3,000)
// https://github.com/slackapi/bolt-js/issues/2509 and /2867 (in all)
const (
	slackHeader = 150
	slackText   = 3_000
	slackAll    = 11_000 // bytes of the blocks
)

// slackCard is a view as blocks. The evidence is in rich text, whose texts are data and no markup: an asterisk of an ARN stays one, and
// what looks like a mention is none.
//
// https://docs.slack.dev/reference/block-kit/blocks/rich-text-block
func slackCard(v View) slackMessage {
	whole, _ := bounded(v)
	v = fitted(v, func(v View) bool { return size(slackBlocksOf(v)) <= slackAll })
	if code(v) < code(whole) { // nobody approves what they have not seen
		v.Decisions = slices.DeleteFunc(v.Decisions, func(d Decision) bool { return d.Answer == incident.Approve })
	}
	return slackMessage{Text: slackEscape(headline(v)), Blocks: slackBlocksOf(v)}
}

func slackBlocksOf(v View) slack.Blocks {
	plain := func(s string) *slack.TextBlockObject {
		return slack.NewTextBlockObject(slack.PlainTextType, s, false, false)
	}
	blocks := []slack.Block{slack.NewHeaderBlock(plain(clip(v.Title, slackHeader)))}
	if len(v.Lead) > 0 {
		blocks = append(blocks, slack.NewRichTextBlock("", slackLine(strings.Join(v.Lead, "\n"))))
	}
	for _, s := range v.Sections {
		parts := []slack.RichTextElement{slackLine("", s.Heading)}
		if len(s.Lines) > 0 {
			var items []slack.RichTextElement
			for _, l := range s.Lines {
				items = append(items, slackLine(l))
			}
			parts = append(parts, slack.NewRichTextList(slack.RTEListBullet, 0, items...))
		}
		if s.Code != "" {
			parts = append(parts, slackCode(s.Code))
		}
		blocks = append(blocks, slack.NewRichTextBlock("", parts...))
	}
	if len(v.Fields) > 0 {
		var items []slack.RichTextElement
		for _, f := range v.Fields {
			items = append(items, slackLine(": "+f.Value, f.Name))
		}
		blocks = append(blocks, slack.NewRichTextBlock("", slack.NewRichTextList(slack.RTEListBullet, 0, items...)))
	}
	if v.Link != "" {
		blocks = append(blocks, slackLink(v))
	}
	if len(v.Decisions) > 0 {
		blocks = append(blocks, slackDecisions(v))
	}
	foot := []slack.MixedElement{plain(v.Word)}
	if !blank(v.Cut) {
		foot = append(foot, plain(v.Cut))
	}
	return slack.Blocks{BlockSet: append(blocks, slack.NewContextBlock("", foot...))}
}

// The limits of what can be pressed. An actions block has 25 elements, of which a view has four at most.
//
// https://docs.slack.dev/reference/block-kit/blocks/actions-block
// https://docs.slack.dev/reference/block-kit/block-elements/button-element (text 75, value 2,000)
// https://docs.slack.dev/reference/block-kit/block-elements/select-menu-element (placeholder 150)
// https://docs.slack.dev/reference/block-kit/composition-objects/option-object (text 75, value 150)
// https://docs.slack.dev/reference/block-kit/composition-objects/confirmation-dialog-object (title 100, text 300, buttons 30)
const (
	slackButton       = 75
	slackConfirmTitle = 100
	slackConfirmText  = 300
	slackConfirmYes   = 30
)

// slackDecisions is what people can decide, as buttons and a menu. The block has no ID: Slack makes a new one with each update, as it asks
// of whoever gives one.
func slackDecisions(v View) *slack.ActionBlock {
	plain := func(s string, most int) *slack.TextBlockObject {
		return slack.NewTextBlockObject(slack.PlainTextType, something(clip(incident.Line(s), most)), false, false)
	}
	var elements []slack.BlockElement
	for _, d := range v.Decisions {
		c := d.Choice
		var confirm *slack.ConfirmationBlockObject
		if q := d.Confirm; q != nil {
			confirm = slack.NewConfirmationBlockObject(plain(q.Title, slackConfirmTitle), plain(q.Text, slackConfirmText),
				plain(q.Yes, slackConfirmYes), plain(q.No, slackConfirmYes))
		}
		if len(d.Times) > 0 {
			var options []*slack.OptionBlockObject
			for _, t := range d.Times {
				c.Lasts = t.Lasts
				options = append(options, slack.NewOptionBlockObject(c.Value(), plain(t.Text, slackButton), nil))
			}
			menu := slack.NewOptionsSelectBlockElement(slack.OptTypeStatic, plain(d.Text, slackButton), c.Action(), options...)
			menu.Confirm = confirm
			elements = append(elements, menu)
			continue
		}
		button := slack.NewButtonBlockElement(c.Action(), c.Value(), plain(d.Text, slackButton))
		button.Confirm = confirm
		switch c.Answer {
		case incident.Approve:
			button.Style = slack.StylePrimary
		case incident.Undo:
			button.Style = slack.StyleDanger
		case incident.Decline, incident.NoAnswer:
		}
		elements = append(elements, button)
	}
	return slack.NewActionBlock("", elements...)
}

// slackLink is the link of a view, with its code on the line below.
func slackLink(v View) *slack.RichTextBlock {
	link := slack.NewRichTextSection(slack.NewRichTextSectionLinkElement(v.Link, v.LinkText, nil))
	if v.Code != "" {
		link.Elements = append(link.Elements, slack.NewRichTextSectionTextElement("\n"+v.Code, nil))
	}
	return slack.NewRichTextBlock("", link)
}

// slackLine is a line of rich text after what of it is bold.
func slackLine(text string, bold ...string) *slack.RichTextSection {
	var parts []slack.RichTextSectionElement
	for _, s := range bold {
		parts = append(parts, slack.NewRichTextSectionTextElement(s, &slack.RichTextSectionTextStyle{Bold: true}))
	}
	if text != "" {
		parts = append(parts, slack.NewRichTextSectionTextElement(text, nil))
	}
	return slack.NewRichTextSection(parts...)
}

// slackCode is a text in a fixed-width font, in pieces of whole lines that each have the length of a text.
func slackCode(code string) *slack.RichTextPreformatted {
	var parts []slack.RichTextSectionElement
	var piece strings.Builder
	add := func() {
		if piece.Len() > 0 {
			parts = append(parts, slack.NewRichTextSectionTextElement(piece.String(), nil))
			piece.Reset()
		}
	}
	for l := range strings.Lines(code) {
		if units(piece.String())+units(l) > slackText {
			add()
		}
		piece.WriteString(l)
	}
	add()
	return &slack.RichTextPreformatted{Type: slack.RTEPreformatted, Elements: parts}
}

// slackEscape writes the three characters that Slack's markup is made of as entities.
//
// https://docs.slack.dev/messaging/formatting-message-text#escaping
func slackEscape(s string) string {
	return strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;").Replace(s)
}
