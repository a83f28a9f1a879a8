package notify

import (
	"strings"

	"github.com/replimend/replimend/internal/settings"
)

// slackWebhook tells people by an incoming webhook, which can neither update nor answer a message: everything is said anew.
//
// https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks
type slackWebhook struct{}

func (slackWebhook) compose(_ settings.Target, v View, _ Ref) (Request, error) {
	return post("", IsURL, slackCard(withoutDecisions(v))) // only a bot hears of what is pressed
}

// read takes what Slack says no with for a code if it is one: it is the whole body.
func (slackWebhook) read(r Response, _ Ref) (Ref, error) {
	return Ref{}, refused(settings.SlackWebhook, r, strings.TrimSpace(string(r.Body)), lower+"_")
}

func (slackWebhook) hosts(settings.Target) []string {
	return []string{"hooks.slack.com", "hooks.slack-gov.com"}
}
