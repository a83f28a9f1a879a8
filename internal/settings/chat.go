package settings

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/replimend/replimend/internal/jsontree"
	"github.com/replimend/replimend/internal/policy"
)

// Chat is who is told of incidents, and where.
type Chat struct {
	// Where people are told. An incident is told to each target that takes it.
	Targets []Target `json:"targets,omitempty"`
}

// Target is one place where people are told: a channel, a room, a topic, a service.
type Target struct {
	// A name for people: small letters, digits and hyphens. What was said to a target is remembered under it.
	Name string `json:"name" jsonschema:"required,pattern=^[a-z0-9][a-z0-9-]*$,maxLength=63"`
	// The tool.
	Tool Tool `json:"tool" jsonschema:"required,enum=slack,enum=slack-webhook,enum=teams,enum=google-chat,enum=discord,enum=chatwork,enum=mattermost,enum=pagerduty,enum=amazon-q,enum=email,enum=webhook"`
	// The ARN of the secret in Secrets Manager, in the hub's account and Region, whose text is the bot token, the URL of the webhook or
	// the key: see docs/guide. For all tools but those that an SNS topic serves.
	Secret policy.ARN `json:"secret,omitzero" jsonschema:"pattern=^arn:[^:]+:secretsmanager:[^:]+:[0-9]{12}:secret:.+$"`
	// The ARN of the SNS topic that amazon-q and email publish to, in the hub's Region.
	Topic policy.ARN `json:"topic,omitzero" jsonschema:"pattern=^arn:[^:]+:sns:[^:]+:[0-9]{12}:.+$"`
	// The id of the channel (slack) or room (chatwork).
	Channel string `json:"channel,omitempty" jsonschema:"maxLength=64"`
	// The URL that webhook posts to. Its secret is the key with which requests are signed.
	URL string `json:"url,omitempty" jsonschema:"pattern=^https://,maxLength=2048"`
	// The name of the host of a mattermost server: its webhooks are wherever somebody runs it. For pagerduty events.eu.pagerduty.com,
	// where the account is in the EU; for slack slack-gov.com, where it is GovSlack.
	Host string `json:"host,omitempty" jsonschema:"maxLength=253"`
	// The language of the texts.
	Language Language `json:"language,omitempty" jsonschema:"enum=en,enum=ja,default=en"`
	// Whether account ids are shown by their last four digits.
	MaskAccounts bool `json:"maskAccounts,omitempty"`
	// The least severe incidents that are told.
	AtLeast string `json:"atLeast,omitempty" jsonschema:"enum=info,enum=warning,enum=critical,default=info"`
	// Only incidents of routes from or to one of these accounts.
	Accounts []string `json:"accounts,omitempty" jsonschema:"pattern=^[0-9]{12}$"`
	// Only incidents of approved routes that have one of these labels.
	Labels []string `json:"labels,omitempty" jsonschema:"pattern=^[a-z0-9][a-z0-9-]*$"`
	// When only what is critical is told; the rest is told when it is over.
	Quiet Quiet `json:"quiet,omitzero"`
	// How many messages an hour at most, updates included. What is more is told when there is room again.
	PerHour int `json:"perHour,omitempty" jsonschema:"minimum=1,maximum=3600,default=120"`
}

// Quiet is the hours of each day in which people are not to be woken.
type Quiet struct {
	// When it begins and ends, as in 22:00. An end before the beginning is of the next day.
	From  string `json:"from" jsonschema:"required,pattern=^([01][0-9]|2[0-3]):[0-5][0-9]$"`
	Until string `json:"until" jsonschema:"required,pattern=^([01][0-9]|2[0-3]):[0-5][0-9]$"`
	// Hours east of UTC of the clock that this is on, as in +09:00.
	Offset string `json:"offset,omitempty" jsonschema:"pattern=^[+-](0[0-9]|1[0-4]):[0-5][0-9]$,default=+00:00"`
}

// Tool is a tool by which people are told.
type Tool string

// The tools.
const (
	Slack        Tool = "slack"         // a bot: threads and updates
	SlackWebhook Tool = "slack-webhook" // an incoming webhook
	Teams        Tool = "teams"         // a webhook of Workflows
	GoogleChat   Tool = "google-chat"   // a webhook of a space
	Discord      Tool = "discord"       // a webhook of a channel
	Chatwork     Tool = "chatwork"
	Mattermost   Tool = "mattermost" // an incoming webhook
	PagerDuty    Tool = "pagerduty"  // Events API v2
	AmazonQ      Tool = "amazon-q"   // Amazon Q Developer in chat applications, by an SNS topic
	Email        Tool = "email"      // by an SNS topic
	Webhook      Tool = "webhook"    // a signed request
)

// Tools is every tool, in the order of the documentation.
func Tools() []Tool {
	return []Tool{Slack, SlackWebhook, Teams, GoogleChat, Discord, Chatwork, Mattermost, PagerDuty, AmazonQ, Email, Webhook}
}

// String is the tool's word in the file.
func (t Tool) String() string { return string(t) }

// ByTopic says whether the tool is served by an SNS topic, and not by a secret of its own.
func (t Tool) ByTopic() bool { return t == AmazonQ || t == Email }

// Language is a language of texts, as BCP 47 has it.
type Language string

// The languages.
const (
	English  Language = "en"
	Japanese Language = "ja"
)

// Languages is every language.
func Languages() []Language { return []Language{English, Japanese} }

// String is the language's tag.
func (l Language) String() string { return string(l) }

// DefaultPerHour is how many messages a target gets in an hour at most where the file does not say.
const DefaultPerHour = 120

// At says whether it is quiet at that time.
func (q Quiet) At(t time.Time) bool {
	from, until, offset, ok := q.minutes()
	if !ok || from == until {
		return false
	}
	u := t.UTC()
	now := ((u.Hour()*60+u.Minute()+offset)%day + day) % day
	if from < until {
		return from <= now && now < until
	}
	return now >= from || now < until
}

const day = 24 * 60 // minutes

// minutes is the three members in minutes; false: it is never quiet.
func (q Quiet) minutes() (from, until, offset int, ok bool) {
	clock := func(s string) int {
		t, err := time.Parse("15:04", s)
		ok = ok && err == nil
		return t.Hour()*60 + t.Minute()
	}
	ok = true
	from, until = clock(q.From), clock(q.Until)
	if q.Offset != "" {
		offset = clock(strings.TrimLeft(q.Offset, "+-"))
		if q.Offset[0] == '-' {
			offset = -offset
		}
	}
	return from, until, offset, ok
}

func (r *reader) chat(c *Chat, n jsontree.Node, path string) {
	r.object(
		n, path,
		member{"targets", false, r.list(func(n jsontree.Node, path string) { c.Targets = append(c.Targets, r.target(n, path)) })},
	)
	seen := map[string]bool{}
	for i, t := range c.Targets {
		if at := n.Get("targets").Items; t.Name != "" && seen[t.Name] && i < len(at) {
			r.fault(at[i].Get("name"), jsontree.Index(path+".targets", i)+".name", "another target is named %s: what was said is remembered by the name", clip(t.Name))
		}
		seen[t.Name] = true
	}
}

func (r *reader) target(n jsontree.Node, path string) Target {
	t := Target{Language: English, AtLeast: "info"}
	r.object(
		n, path,
		member{"name", true, r.text(&t.Name, checkName)},
		member{"tool", true, func(n jsontree.Node, path string) {
			r.text((*string)(&t.Tool), oneOf("tool", words(Tools())...))(n, path)
		}},
		member{"secret", false, r.secretARN(&t.Secret)},
		member{"topic", false, func(n jsontree.Node, path string) {
			r.arn(&t.Topic)(n, path)
			if a := t.Topic; !a.IsZero() && (a.Service != "sns" || !policy.IsAccountID(a.Account) || a.HasWildcard()) {
				r.fault(n, path, "%s is not the ARN of a topic", clip(a.String()))
			}
		}},
		member{"channel", false, r.text(&t.Channel, checkChannel)},
		member{"url", false, r.text(&t.URL, checkURL)},
		member{"host", false, r.text(&t.Host, checkHost)},
		member{"language", false, func(n jsontree.Node, path string) {
			r.text((*string)(&t.Language), oneOf("language", words(Languages())...))(n, path)
		}},
		member{"maskAccounts", false, r.flag(&t.MaskAccounts)},
		member{"atLeast", false, r.text(&t.AtLeast, oneOf("severity", "info", "warning", "critical"))},
		member{"accounts", false, r.list(func(n jsontree.Node, path string) {
			var account string
			r.text(&account, checkAccount)(n, path)
			t.Accounts = append(t.Accounts, account)
		})},
		member{"labels", false, r.labels(&t.Labels)},
		member{"quiet", false, func(n jsontree.Node, path string) {
			r.object(
				n, path,
				member{"from", true, r.text(&t.Quiet.From, checkClock)},
				member{"until", true, r.text(&t.Quiet.Until, checkClock)},
				member{"offset", false, r.text(&t.Quiet.Offset, checkOffset)},
			)
		}},
		member{"perHour", false, r.number(&t.PerHour, 1, 3600)},
	)
	r.fits(t, n, path)
	return t
}

// otherHosts is where some tools are for some of their customers, and nowhere else.
// https://support.pagerduty.com/main/docs/service-regions
// https://api.slack-gov.com/gov-slack/about
var otherHosts = map[Tool][]string{PagerDuty: {"events.eu.pagerduty.com"}, Slack: {"slack-gov.com"}}

// fits reports what a target lacks for its tool, or has for nothing.
func (r *reader) fits(t Target, n jsontree.Node, path string) {
	wants := func(name string, has, needed bool) {
		switch {
		case t.Tool == "":
		case needed && !has:
			r.fault(n, path, "%s is missing: %s does not work without", name, clip(string(t.Tool)))
		case has && !needed:
			r.fault(n.Get(name), path+"."+name, "%s has no %s", clip(string(t.Tool)), name)
		}
	}
	wants("topic", n.Get("topic").Present(), t.Tool.ByTopic())
	wants("secret", n.Get("secret").Present(), !t.Tool.ByTopic())
	wants("channel", n.Get("channel").Present(), t.Tool == Slack || t.Tool == Chatwork)
	wants("url", n.Get("url").Present(), t.Tool == Webhook)
	if others := otherHosts[t.Tool]; n.Get("host").Present() && others != nil {
		r.report(n.Get("host"), path+".host", oneOf("host", others...)(t.Host))
		return
	}
	wants("host", n.Get("host").Present(), t.Tool == Mattermost)
}

func (r *reader) labels(to *[]string) func(jsontree.Node, string) {
	return r.list(func(n jsontree.Node, path string) {
		var label string
		r.text(&label, checkName)(n, path)
		*to = append(*to, label)
	})
}

func words[T ~string](of []T) []string {
	out := make([]string, len(of))
	for i, w := range of {
		out[i] = string(w)
	}
	return out
}

func oneOf(what string, of ...string) func(string) string {
	return func(s string) string {
		if !slices.Contains(of, s) {
			return fmt.Sprintf("unknown %s %q: want %s", what, clip(s), strings.Join(of, ", "))
		}
		return ""
	}
}

func checkChannel(s string) string {
	if !within(s, 1, 64, alphabet) {
		return fmt.Sprintf("invalid channel %q: want its id, which is letters and digits, and not its name", clip(s))
	}
	return ""
}

// checkHost wants the name of a host: an address would get around what is known of names.
func checkHost(s string) string {
	labels := strings.Split(s, ".")
	for _, l := range labels {
		if !within(l, 1, 63, lower+digits+"-") || strings.Trim(l, "-") != l {
			return fmt.Sprintf("invalid host %q: want a name such as chat.example.com", clip(s))
		}
	}
	if last := labels[len(labels)-1]; len(s) > 253 || len(labels) < 2 || strings.Trim(last, digits) == "" {
		return fmt.Sprintf("invalid host %q: want a name such as chat.example.com", clip(s))
	}
	return ""
}

// checkURL wants a URL of a named host without credentials, on the usual port.
func checkURL(s string) string {
	rest, ok := strings.CutPrefix(s, "https://")
	host, _, _ := strings.Cut(rest, "/")
	if !ok || len(s) > 2048 || strings.ContainsAny(rest, " @?#\\") || checkHost(host) != "" {
		return fmt.Sprintf("invalid URL %q: want https://, the name of a host and a path, without port, query or credentials", clip(s))
	}
	return ""
}

func checkClock(s string) string {
	if _, err := time.Parse("15:04", s); err != nil || len(s) != len("15:04") {
		return fmt.Sprintf("invalid time %q: want one from 00:00 to 23:59", clip(s))
	}
	return ""
}

func checkOffset(s string) string {
	if s == "" || s[0] != '+' && s[0] != '-' || checkClock(s[1:]) != "" || s[1:] > "14:00" {
		return fmt.Sprintf("invalid offset %q: want one such as +09:00", clip(s))
	}
	return ""
}

// yaml is the part of the file.
func (c Chat) yaml() string {
	if len(c.Targets) == 0 {
		return ""
	}
	var b strings.Builder
	b.WriteString("chat:\n  targets:\n")
	for _, t := range c.Targets {
		fmt.Fprintf(&b, "    - name: %s\n      tool: %s\n", quote(t.Name), t.Tool)
		text := func(name, value, byDefault string) {
			if value != "" && value != byDefault {
				fmt.Fprintf(&b, "      %s: %s\n", name, quote(value))
			}
		}
		text("secret", t.Secret.String(), "")
		text("topic", t.Topic.String(), "")
		text("channel", t.Channel, "")
		text("url", t.URL, "")
		text("host", t.Host, "")
		text("language", string(t.Language), string(English))
		if t.MaskAccounts {
			b.WriteString("      maskAccounts: true\n")
		}
		text("atLeast", t.AtLeast, "info")
		list := func(name string, values []string) {
			if len(values) > 0 {
				fmt.Fprintf(&b, "      %s:\n", name)
			}
			for _, v := range values {
				fmt.Fprintf(&b, "        - %s\n", quote(v))
			}
		}
		list("accounts", t.Accounts)
		list("labels", t.Labels)
		if q := t.Quiet; q != (Quiet{}) {
			fmt.Fprintf(&b, "      quiet:\n        from: %s\n        until: %s\n", quote(q.From), quote(q.Until))
			if q.Offset != "" {
				fmt.Fprintf(&b, "        offset: %s\n", quote(q.Offset))
			}
		}
		if t.PerHour != 0 {
			fmt.Fprintf(&b, "      perHour: %d\n", t.PerHour)
		}
	}
	return b.String()
}
