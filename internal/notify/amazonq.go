package notify

import (
	"strings"

	"github.com/replimend/replimend/internal/settings"
)

// amazonQ tells people in Slack or Teams by Amazon Q Developer in chat applications, which reads a topic. What is told later of an
// incident joins its thread, where the channel's preferences allow it.
//
// https://docs.aws.amazon.com/chatbot/latest/adminguide/custom-notifs.html
type amazonQ struct{}

// AWS documents no limits but those of SNS. The description becomes a text of Slack, which holds 3,000 characters; Amazon Q does not say
// what it makes of a longer one.
const (
	amazonQTitle       = 250
	amazonQDescription = 3_000
	// snsAll is the bytes of a message of SNS.
	//
	// https://docs.aws.amazon.com/sns/latest/api/API_Publish.html
	snsAll = 262_144
)

// amazonQMessage is the schema. What has not its form Amazon Q drops in silence.
type amazonQMessage struct {
	Version  string          `json:"version"`
	Source   string          `json:"source"`
	Content  amazonQContent  `json:"content"`
	Metadata amazonQMetadata `json:"metadata"`
}

type amazonQContent struct {
	TextType    string   `json:"textType"`
	Title       string   `json:"title"`
	Description string   `json:"description"`
	Keywords    []string `json:"keywords,omitempty"`
}

type amazonQMetadata struct {
	ThreadID  string `json:"threadId,omitempty"`
	Summary   string `json:"summary,omitempty"`
	EventType string `json:"eventType,omitempty"`
}

// amazonQMarkup is what the Markdown of Slack and that of Teams have in common.
var amazonQMarkup = markup{
	text:    amazonQText,
	heading: func(s string) string { return "*" + s + "*" },
	bullet:  "• ",
	code:    func(s string) string { return fenceOnly(slackEscape(s)) },
	field:   func(name, value string) string { return name + ": " + value },
}

// amazonQText has entities for the characters that a mention needs. Neither Slack nor Teams has an escape for emphasis that the other
// knows, so a text that could have some is code, in which an asterisk of an ARN stays one.
func amazonQText(s string) string {
	s = slackEscape(s)
	if strings.ContainsAny(s, "*_~`[") {
		return "`" + strings.ReplaceAll(s, "`", "ˋ") + "`"
	}
	return s
}

// fenceOnly is a fence without a language, which Slack would show.
func fenceOnly(code string) string {
	return "```\n" + strings.ReplaceAll(code, "```", "ˋˋˋ") + "\n```"
}

func (amazonQ) compose(t settings.Target, v View, _ Ref) (Request, error) {
	v = fitted(v, func(v View) bool {
		m := amazonQOf(v)
		return units(m.Content.Description) <= amazonQDescription && size(m) <= snsAll
	})
	r, err := post("sns:"+t.Topic.String(), NoSecret, amazonQOf(v))
	return r, err
}

func amazonQOf(v View) amazonQMessage {
	return amazonQMessage{
		Version: "1.0", Source: "custom",
		Content: amazonQContent{
			TextType: "client-markdown", Title: within(v.Word+": "+v.Title, amazonQTitle, slackEscape), Description: amazonQMarkup.body(v, true),
		},
		Metadata: amazonQMetadata{ThreadID: v.Incident, Summary: within(v.Title, amazonQTitle, slackEscape), EventType: "Replimend"},
	}
}

func (amazonQ) read(r Response, _ Ref) (Ref, error) {
	return Ref{}, refused(settings.AmazonQ, r, "", "")
}

// hosts is none: it is published to a topic.
func (amazonQ) hosts(settings.Target) []string { return nil }
