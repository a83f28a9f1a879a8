package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"strings"

	"github.com/replimend/replimend/internal/settings"
)

// drawn is what is sent as HTML, in about the look of the tool. What is read in notifications alone is not drawn.
func drawn(t settings.Tool, s sent) (string, error) {
	draw, ok := map[settings.Tool]func(sent) (string, error){
		settings.Slack: slack, settings.SlackWebhook: slack, settings.Teams: teams, settings.GoogleChat: googleChat, settings.Discord: discord,
		settings.Chatwork: chatwork, settings.Mattermost: mattermost, settings.PagerDuty: pagerDuty, settings.AmazonQ: amazonQ,
		settings.Email: email, settings.Webhook: webhook,
	}[t]
	if !ok {
		return "", fmt.Errorf("no such tool: %s", t)
	}
	inner, err := draw(s)
	return within("div", "message "+t.String(), inner), err
}

// lines is a body that is a text.
func (s sent) lines() (string, error) {
	var lines []string
	err := strictly(s.Body, &lines)
	return strings.Join(lines, "\n"), err
}

// by is who says it, as tools show a bot.
func by(name string) string {
	return within("div", "by", within("span", "face", text(name[:1])), within("b", "", text(name)), within("span", "badge", "APP"))
}

// slackPart is any block, element or text of Slack. Style is of a kind for texts and of another for buttons.
type slackPart struct {
	Type     string          `json:"type"`
	Text     json.RawMessage `json:"text"`
	Elements []slackPart     `json:"elements"`
	Style    json.RawMessage `json:"style"`
	URL      string          `json:"url"`
	Emoji    bool            `json:"emoji"`
	Indent   int             `json:"indent"`
	Border   int             `json:"border"`
	Offset   int             `json:"offset"`
	// Of a button or a menu: what it sends, what a menu is called, and what Slack shows at a click alone.
	BlockID     string          `json:"block_id"`
	ActionID    string          `json:"action_id"`
	Value       string          `json:"value"`
	Confirm     json.RawMessage `json:"confirm"`
	Options     json.RawMessage `json:"options"`
	Placeholder json.RawMessage `json:"placeholder"`
}

func slack(s sent) (string, error) {
	var m struct {
		Channel        string      `json:"channel"`
		ThreadTS       string      `json:"thread_ts"`
		TS             string      `json:"ts"`
		ReplyBroadcast bool        `json:"reply_broadcast"`
		Text           string      `json:"text"`
		Blocks         []slackPart `json:"blocks"`
		Parse          string      `json:"parse"`
		LinkNames      bool        `json:"link_names"`
		UnfurlLinks    bool        `json:"unfurl_links"`
		UnfurlMedia    bool        `json:"unfurl_media"`
	}
	if err := strictly(s.Body, &m); err != nil {
		return "", err
	}
	inner, err := slackParts(m.Blocks)
	return by("Replimend") + inner, err
}

func slackParts(of []slackPart) (string, error) {
	var out strings.Builder
	for _, p := range of {
		h, err := p.draw()
		if err != nil {
			return "", err
		}
		out.WriteString(h)
	}
	return out.String(), nil
}

// draw is a part as HTML. Markdown is in none of them: the types that have some are not among ours.
func (p slackPart) draw() (string, error) {
	inner, err := slackParts(p.Elements)
	if err != nil {
		return "", err
	}
	switch p.Type {
	case "header", "button":
		var label slackPart
		if err := strictly(p.Text, &label); err != nil {
			return "", err
		}
		s, err := label.string("plain_text")
		if p.Type == "button" {
			return within("span", "button "+strings.Trim(string(p.Style), `"`), text(s)), err
		}
		return block("title", s), err
	case "static_select":
		var label slackPart
		if err := strictly(p.Placeholder, &label); err != nil {
			return "", err
		}
		s, err := label.string("plain_text")
		return within("span", "button", text(s), " ▾"), err
	case "text", "plain_text", "link":
		s, err := p.string(p.Type)
		if err != nil {
			return "", err
		}
		style := struct{ Bold, Italic, Strike, Code bool }{}
		if len(p.Style) > 0 {
			err = strictly(p.Style, &style)
		}
		tag := "span"
		switch {
		case p.Type == "link":
			tag = "a"
		case style.Bold:
			tag = "b"
		case style.Code:
			tag = "code"
		case style.Italic || style.Strike:
			return "", errors.New("a text that is italic or struck")
		}
		return within(tag, "", text(s)), err
	case "rich_text":
		return within("div", "rich", inner), nil
	case "rich_text_section":
		return within("div", "line", inner), nil
	case "rich_text_list":
		return strings.ReplaceAll(inner, `<div class="line">`, `<div class="item">`), nil
	case "rich_text_preformatted":
		var all strings.Builder
		for _, e := range p.Elements {
			s, err := e.string("text")
			if err != nil {
				return "", err
			}
			all.WriteString(s)
		}
		return code(all.String()), nil
	case "context":
		return within("div", "context", inner), nil
	case "actions":
		return within("div", "buttons", inner), nil
	}
	return "", fmt.Errorf("no such block or element: %q", p.Type)
}

// string is the text of a part that has nothing else.
func (p slackPart) string(kind string) (string, error) {
	var s string
	if p.Type != kind || len(p.Elements) > 0 {
		return "", fmt.Errorf("a %s where %s is wanted", p.Type, kind)
	}
	return s, json.Unmarshal(p.Text, &s)
}

// cardPart is any element or action of an Adaptive Card.
type cardPart struct {
	Type      string     `json:"type"`
	Items     []cardPart `json:"items"`
	Inlines   []cardPart `json:"inlines"`
	Text      string     `json:"text"`
	Title     string     `json:"title"`
	URL       string     `json:"url"`
	Weight    string     `json:"weight"`
	Size      string     `json:"size"`
	FontType  string     `json:"fontType"`
	IsSubtle  bool       `json:"isSubtle"`
	Style     string     `json:"style"`
	Spacing   string     `json:"spacing"`
	Separator bool       `json:"separator"`
}

func teams(s sent) (string, error) {
	var m struct {
		Type        string `json:"type"`
		Attachments []struct {
			ContentType string  `json:"contentType"`
			ContentURL  *string `json:"contentUrl"`
			Content     struct {
				Schema  string     `json:"$schema"`
				Type    string     `json:"type"`
				Version string     `json:"version"`
				Body    []cardPart `json:"body"`
				Actions []cardPart `json:"actions"`
			} `json:"content"`
		} `json:"attachments"`
	}
	if err := strictly(s.Body, &m); err != nil {
		return "", err
	}
	out := by("Workflows")
	for _, a := range m.Attachments {
		inner, err := cardParts(a.Content.Body)
		if err != nil {
			return "", err
		}
		actions, err := cardParts(a.Content.Actions)
		if err != nil {
			return "", err
		}
		out += within("div", "card", inner, within("div", "buttons", actions))
	}
	return out, nil
}

func cardParts(of []cardPart) (string, error) {
	var out strings.Builder
	for _, p := range of {
		inner, err := cardParts(append(p.Items, p.Inlines...))
		if err != nil {
			return "", err
		}
		class := strings.ToLower(strings.Join([]string{"part", p.Style, p.Weight, p.Size, p.FontType, "space" + p.Spacing}, " "))
		if p.Separator {
			class += " separator"
		}
		if p.IsSubtle {
			class += " subtle"
		}
		switch p.Type {
		case "Container", "RichTextBlock":
			out.WriteString(within("div", class, inner))
		case "TextRun":
			out.WriteString(within("span", class, text(p.Text)))
		case "Action.OpenUrl":
			out.WriteString(within("span", "button", text(p.Title)))
		default:
			return "", fmt.Errorf("no such element or action: %q", p.Type)
		}
	}
	return out.String(), nil
}

func googleChat(s sent) (string, error) {
	type paragraph struct {
		Text string `json:"text"`
	}
	type decorated struct {
		TopLabel string `json:"topLabel"`
		Text     string `json:"text"`
		WrapText bool   `json:"wrapText"`
	}
	type buttons struct {
		Buttons []struct {
			Text    string `json:"text"`
			OnClick struct {
				OpenLink struct {
					URL string `json:"url"`
				} `json:"openLink"`
			} `json:"onClick"`
		} `json:"buttons"`
	}
	var m struct {
		FallbackText string `json:"fallbackText"`
		CardsV2      []struct {
			CardID string `json:"cardId"`
			Card   struct {
				Header struct {
					Title    string `json:"title"`
					Subtitle string `json:"subtitle"`
				} `json:"header"`
				Sections []struct {
					Header                    string `json:"header"`
					Collapsible               bool   `json:"collapsible"`
					UncollapsibleWidgetsCount int    `json:"uncollapsibleWidgetsCount"`
					Widgets                   []struct {
						TextParagraph *paragraph `json:"textParagraph"`
						DecoratedText *decorated `json:"decoratedText"`
						ButtonList    *buttons   `json:"buttonList"`
					} `json:"widgets"`
				} `json:"sections"`
			} `json:"card"`
		} `json:"cardsV2"`
		Thread struct {
			ThreadKey string `json:"threadKey"`
		} `json:"thread"`
	}
	if err := strictly(s.Body, &m); err != nil {
		return "", err
	}
	out := by("Replimend")
	for _, c := range m.CardsV2 {
		card := within("div", "head", block("title", c.Card.Header.Title), block("subtle", c.Card.Header.Subtitle))
		for _, s := range c.Card.Sections {
			section := ""
			if s.Header != "" {
				section += block("heading", html.UnescapeString(s.Header))
			}
			for _, w := range s.Widgets {
				switch {
				case w.TextParagraph != nil:
					section += htmlLines(w.TextParagraph.Text)
				case w.DecoratedText != nil:
					section += within("div", "field", block("subtle", html.UnescapeString(w.DecoratedText.TopLabel)), htmlLines(w.DecoratedText.Text))
				case w.ButtonList != nil:
					for _, b := range w.ButtonList.Buttons {
						section += within("span", "button", text(b.Text))
					}
				default:
					return "", errors.New("a widget of nothing")
				}
			}
			if s.Collapsible {
				section += block("subtle note", fmt.Sprintf("(%d shown, the others at a click)", s.UncollapsibleWidgetsCount))
			}
			card += within("div", "section", section)
		}
		out += within("div", "card", card)
	}
	return out, nil
}

// htmlLines is a text of a card, whose only markup is the end of a line.
func htmlLines(s string) string {
	var out []string
	for l := range strings.SplitSeq(s, "<br>") {
		out = append(out, text(html.UnescapeString(l)))
	}
	return within("div", "", strings.Join(out, "<br>"))
}

func discord(s sent) (string, error) {
	var m struct {
		Content string `json:"content"`
		Embeds  []struct {
			Title       string `json:"title"`
			Description string `json:"description"`
			Color       int    `json:"color"`
			Fields      []struct {
				Name   string `json:"name"`
				Value  string `json:"value"`
				Inline bool   `json:"inline"`
			} `json:"fields"`
			Footer struct {
				Text string `json:"text"`
			} `json:"footer"`
			Timestamp string `json:"timestamp"`
		} `json:"embeds"`
		AllowedMentions struct {
			Parse []string `json:"parse"`
		} `json:"allowed_mentions"`
	}
	if err := strictly(s.Body, &m); err != nil {
		return "", err
	}
	var faults []error
	read := func(class, s string) string {
		h, err := discordText.read(s)
		faults = append(faults, err)
		return within("div", class, h)
	}
	out := by("Replimend") + read("content", m.Content)
	for _, e := range m.Embeds {
		inner := read("title", e.Title) + read("", e.Description)
		for _, f := range e.Fields {
			inner += within("div", "field", read("name", f.Name), read("", f.Value))
		}
		inner += block("subtle foot", e.Footer.Text+" • "+e.Timestamp)
		out += coloured("embed", fmt.Sprintf("#%06x", e.Color), inner)
	}
	return out, errors.Join(faults...)
}

// coloured is an element with a bar of a colour at its side.
func coloured(class, colour, inner string) string {
	return `<div class="` + class + `" style="border-left-color: ` + text(colour) + `">` + inner + `</div>`
}

func chatwork(s sent) (string, error) {
	all, err := s.lines()
	if err != nil {
		return "", err
	}
	inner, err := chatworkText(all)
	return by("Replimend") + within("div", "info", inner), err
}

func mattermost(s sent) (string, error) {
	var m struct {
		Attachments []struct {
			Fallback string `json:"fallback"`
			Color    string `json:"color"`
			Text     string `json:"text"`
			Fields   []struct {
				Short bool   `json:"short"`
				Title string `json:"title"`
				Value string `json:"value"`
			} `json:"fields"`
		} `json:"attachments"`
	}
	if err := strictly(s.Body, &m); err != nil {
		return "", err
	}
	var faults []error
	read := func(class, s string) string {
		h, err := mattermostText.read(s)
		faults = append(faults, err)
		return within("div", class, h)
	}
	out := by("replimend")
	for _, a := range m.Attachments {
		inner := read("", a.Text)
		for _, f := range a.Fields {
			inner += within("div", "field", read("name", f.Title), read("", f.Value))
		}
		out += coloured("embed", a.Color, inner)
	}
	return out, errors.Join(faults...)
}

func pagerDuty(s sent) (string, error) {
	var m struct {
		RoutingKey  string `json:"routing_key"`
		EventAction string `json:"event_action"`
		DedupKey    string `json:"dedup_key"`
		Client      string `json:"client"`
		Links       []struct {
			Href string `json:"href"`
			Text string `json:"text"`
		} `json:"links"`
		Payload struct {
			Summary   string `json:"summary"`
			Source    string `json:"source"`
			Severity  string `json:"severity"`
			Timestamp string `json:"timestamp"`
			Component string `json:"component"`
			Details   struct {
				Text string `json:"text"`
			} `json:"custom_details"`
		} `json:"payload"`
	}
	if err := strictly(s.Body, &m); err != nil {
		return "", err
	}
	status := map[string]string{"trigger": "Triggered", "resolve": "Resolved"}[m.EventAction]
	if status == "" {
		return "", fmt.Errorf("no such action: %q", m.EventAction)
	}
	out := within("div", "head", within("span", "badge "+m.EventAction, status), block("title", m.Payload.Summary))
	for _, f := range [][2]string{
		{"Severity", m.Payload.Severity},
		{"Source", m.Payload.Source},
		{"Component", m.Payload.Component},
		{"Client", m.Client},
		{"Alert key", m.DedupKey},
		{"Created", m.Payload.Timestamp},
	} {
		out += within("div", "row", block("name", f[0]), block("", f[1]))
	}
	for _, l := range m.Links {
		out += within("div", "row", block("name", "Link"), within("div", "", within("a", "", text(l.Text))))
	}
	return out + block("name", "Custom details: text") + within("pre", "", text(m.Payload.Details.Text)), nil
}

func amazonQ(s sent) (string, error) {
	var m struct {
		Version string `json:"version"`
		Source  string `json:"source"`
		Content struct {
			TextType    string   `json:"textType"`
			Title       string   `json:"title"`
			Description string   `json:"description"`
			Keywords    []string `json:"keywords"`
		} `json:"content"`
		Metadata struct {
			ThreadID  string `json:"threadId"`
			Summary   string `json:"summary"`
			EventType string `json:"eventType"`
		} `json:"metadata"`
	}
	if err := strictly(s.Body, &m); err != nil {
		return "", err
	}
	if len(m.Content.Keywords) > 0 {
		return "", errors.New("keywords")
	}
	inner, err := amazonQText.read(m.Content.Description)
	return by("Amazon Q") + coloured("embed", "#8c4fff", block("title", html.UnescapeString(m.Content.Title))+inner), err
}

func email(s sent) (string, error) {
	all, err := s.lines()
	return within("div", "head", block("title", s.Header["Subject"]), block("subtle", "AWS Notifications <no-reply@sns.amazonaws.com>")) +
		within("pre", "", text(all)), err
}

// webhook is the JSON as it is.
func webhook(s sent) (string, error) {
	return within("pre", "", text(string(s.Body))), nil
}
