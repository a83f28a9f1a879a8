package notify

import (
	"encoding/json"
	"strconv"
	"time"

	"github.com/replimend/replimend/internal/settings"
)

// discord tells people by a webhook of a channel. What is told later of an incident takes the place of what was told before; an edit rings
// nobody, so news that are for people who are not looking, and that it is over, are also said in a line of their own.
//
// https://docs.discord.com/developers/resources/webhook#execute-webhook
// https://docs.discord.com/developers/resources/webhook#edit-webhook-message
type discord struct{}

// Discord's limits. The last is over all texts of all embeds of a message.
//
// https://docs.discord.com/developers/resources/message#embed-object-embed-limits
// https://docs.discord.com/developers/resources/webhook#execute-webhook-jsonform-params (content)
const (
	discordContent     = 2_000
	discordTitle       = 256
	discordDescription = 4_096
	discordFields      = 25
	discordName        = 256
	discordValue       = 1_024
	discordFooter      = 2_048
	discordAll         = 6_000
)

// discordMessage is the body of both requests. Nobody is mentioned, whatever the text says.
type discordMessage struct {
	Content         string          `json:"content"`
	Embeds          []discordEmbed  `json:"embeds"`
	AllowedMentions discordMentions `json:"allowed_mentions"`
}

type discordMentions struct {
	Parse []string `json:"parse"`
}

type discordEmbed struct {
	Title       string         `json:"title"`
	Description string         `json:"description,omitempty"`
	Color       int            `json:"color"`
	Fields      []discordField `json:"fields,omitempty"`
	Footer      discordNote    `json:"footer"`
	Timestamp   string         `json:"timestamp,omitempty"`
}

type discordField struct {
	Name   string `json:"name"`
	Value  string `json:"value"`
	Inline bool   `json:"inline"`
}

type discordNote struct {
	Text string `json:"text"`
}

// discordMarkup is Discord's Markdown.
var discordMarkup = markup{
	text:    func(s string) string { return escaped(s, "\\`*_~|[]<>#@") },
	heading: func(s string) string { return "**" + s + "**" },
	bullet:  "• ",
	code:    fence,
}

func (discord) compose(_ settings.Target, v View, before Ref) (Request, error) {
	v = fitted(v, func(v View) bool {
		e := discordOf(v).Embeds[0]
		n := units(e.Title) + units(e.Description) + units(e.Footer.Text)
		for _, f := range e.Fields {
			n += units(f.Name) + units(f.Value)
		}
		return units(e.Description) <= discordDescription && len(e.Fields) <= discordFields && n <= discordAll
	})
	if before.ID == "" {
		return post("?wait=true", IsURL, discordOf(v)) // with wait the answer is the message
	}
	r, err := post("/messages/"+before.ID, IsURL, discordOf(v))
	r.Method = "PATCH"
	if err != nil || !loud(v) && !v.Over {
		return r, err
	}
	news, err := post("?wait=true", IsURL, discordMessage{
		Content: within(headline(v), discordContent, discordMarkup.text), Embeds: []discordEmbed{}, AllowedMentions: discordMentions{[]string{}},
	})
	r.Then = []Request{news}
	return r, err
}

func discordOf(v View) discordMessage {
	text := discordMarkup.text
	e := discordEmbed{
		Title:       within(v.Title, discordTitle, text),
		Description: discordMarkup.body(v, false),
		Color:       colour(v),
		Footer:      discordNote{clip(v.Word, discordFooter)},
	}
	if !v.At.IsZero() {
		e.Timestamp = v.At.UTC().Format(time.RFC3339)
	}
	for _, f := range v.Fields {
		e.Fields = append(e.Fields, discordField{Name: within(f.Name, discordName, text), Value: within(f.Value, discordValue, text)})
	}
	return discordMessage{Embeds: []discordEmbed{e}, AllowedMentions: discordMentions{[]string{}}}
}

// read finds the message in the answer. A message that is unknown (10008) is gone.
//
// https://docs.discord.com/developers/topics/opcodes-and-status-codes#json
func (discord) read(r Response, _ Ref) (Ref, error) {
	const unknownMessage = 10_008
	var answer struct {
		ID   string `json:"id"`
		Code int    `json:"code"`
	}
	if err := json.Unmarshal(r.Body, &answer); err == nil && r.Status == 200 {
		return Ref{ID: codeOf(answer.ID, digit)}, nil
	}
	if r.Status >= 200 && r.Status < 300 {
		return Ref{}, nil
	}
	no := &Refusal{Tool: settings.Discord, Status: r.Status, Gone: answer.Code == unknownMessage}
	if answer.Code > 0 {
		no.Code = strconv.Itoa(answer.Code)
	}
	return Ref{}, no
}

func (discord) hosts(settings.Target) []string { return []string{"discord.com", "discordapp.com"} }
