package notify

import (
	"time"

	"github.com/replimend/replimend/internal/settings"
)

// Compose and Read are those of the target's tool, for tests of all of them.
func Compose(t settings.Target, v View, before Ref) (Request, error) {
	return tools[t.Tool].compose(t, v, before)
}

func Read(t settings.Target, r Response, before Ref) (Ref, error) {
	return tools[t.Tool].read(r, before)
}

func Hosts(t settings.Target) []string { return tools[t.Tool].hosts(t) }

func HasTool(t settings.Tool) bool { return tools[t] != nil }

func Signature(key []byte, at time.Time, body []byte) map[string]string {
	return signature(key, at, body)
}

// Rooms is what each tool takes at most, as its page says it.
var Rooms = map[settings.Tool][]int{
	settings.Slack: {slackAll}, settings.SlackWebhook: {slackAll}, settings.Teams: {teamsAll}, settings.GoogleChat: {chatAll, chatWidgets},
	settings.Discord: {discordAll, discordDescription, discordFields}, settings.Chatwork: {chatworkAll}, settings.Mattermost: {mattermostAll},
	settings.PagerDuty: {pagerAll, pagerSummary}, settings.AmazonQ: {amazonQDescription}, settings.Email: {snsAll, emailSubject},
	settings.Webhook: {webhookAll},
}
