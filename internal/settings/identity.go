package settings

import (
	"fmt"
	"strings"

	"github.com/replimend/replimend/internal/jsontree"
	"github.com/replimend/replimend/internal/policy"
)

// Identity is what a person among the approvers is called by services that do not know ARNs.
type Identity struct {
	// The ARN that their answers are recorded under: of a user, or of the session that they have of a role. It has to be one of approvers.
	ARN policy.ARN `json:"arn" jsonschema:"required,pattern=^arn:[^:]+:(iam|sts)::[0-9]{12}:(user|assumed-role)/.+$"`
	// Their member ID in Slack.
	Slack string `json:"slack,omitempty" jsonschema:"pattern=^[UW][A-Z0-9]+$,maxLength=64"`
	// The claim sub that the provider of the page gives them. No other claim is as sure to stay theirs.
	// https://openid.net/specs/openid-connect-core-1_0.html#ClaimStability
	Subject string `json:"subject,omitempty" jsonschema:"minLength=1,maxLength=255"`
}

// SlackApp is the app of Slack whose buttons are answers. It makes a public URL, which takes what Slack signed.
type SlackApp struct {
	// The ARN of the secret in Secrets Manager, in the hub's account and Region, whose text is the app's signing secret; while it is
	// rotated both, a line each.
	Secret policy.ARN `json:"secret" jsonschema:"required,pattern=^arn:[^:]+:secretsmanager:[^:]+:[0-9]{12}:secret:.+$"`
	// The ID of the workspace that the app is installed in.
	Team string `json:"team" jsonschema:"required,pattern=^[TE][A-Z0-9]+$,maxLength=64"`
}

// Page is the page of incidents. It makes a public URL, where links from chat lead.
type Page struct {
	// The ARN of the secret in Secrets Manager, in the hub's account and Region, with at least 32 characters, with which links and their
	// codes are made; while it is rotated the new one and the old one, a line each.
	Secret policy.ARN `json:"secret" jsonschema:"required,pattern=^arn:[^:]+:secretsmanager:[^:]+:[0-9]{12}:secret:.+$"`
	// The issuer of the OpenID provider where people sign in, and the ID of the client that the page is to it. Without both nobody can sign
	// in: then the page shows what a link permits, and whoever has the code of a message can decline and silence.
	Issuer string `json:"issuer,omitempty" jsonschema:"pattern=^https://,maxLength=2048"`
	Client string `json:"client,omitempty" jsonschema:"maxLength=255"`
	// The ARN of the secret, beside the other one, that is the client's, where the provider gives it one.
	ClientSecret policy.ARN `json:"clientSecret,omitzero" jsonschema:"pattern=^arn:[^:]+:secretsmanager:[^:]+:[0-9]{12}:secret:.+$"`
}

// On says whether there is to be one.
func (a SlackApp) On() bool { return !a.Secret.IsZero() }

// On says whether there is to be one.
func (p Page) On() bool { return !p.Secret.IsZero() }

// HasPage says whether there is a page: where nobody may answer there is nothing to decide on it, and nothing that seals answers.
func (a Approvals) HasPage() bool { return a.Page.On() && len(a.Approvers) > 0 }

// HasSlack says whether there are buttons in Slack that decide, which there are not where nobody may answer.
func (a Approvals) HasSlack() bool { return a.Slack.On() && len(a.Approvers) > 0 }

// SignsIn says whether people can sign in.
func (p Page) SignsIn() bool { return p.Issuer != "" }

// BySlack is the ARN of the person with that member ID; false: nobody has it.
func (a Approvals) BySlack(member string) (string, bool) {
	return a.identified(member, func(i Identity) string { return i.Slack })
}

// BySubject is the ARN of the person with that claim sub; false: nobody has it.
func (a Approvals) BySubject(sub string) (string, bool) {
	return a.identified(sub, func(i Identity) string { return i.Subject })
}

func (a Approvals) identified(id string, of func(Identity) string) (string, bool) {
	for _, p := range a.People {
		if id != "" && of(p) == id {
			return p.ARN.String(), true
		}
	}
	return "", false
}

func (r *reader) secretARN(into *policy.ARN) read {
	return func(n jsontree.Node, path string) {
		r.arn(into)(n, path)
		if a := *into; !a.IsZero() && (a.Service != "secretsmanager" || !strings.HasPrefix(a.Resource, "secret:") || !policy.IsAccountID(a.Account) || a.HasWildcard()) {
			r.fault(n, path, "%s is not the ARN of a secret of Secrets Manager", clip(a.String()))
		}
	}
}

func (r *reader) slackApp(a *SlackApp) read {
	return func(n jsontree.Node, path string) {
		r.object(
			n, path,
			member{"secret", true, r.secretARN(&a.Secret)},
			member{"team", true, r.text(&a.Team, checkSlackID("team", "TE"))},
		)
	}
}

func (r *reader) page(p *Page) read {
	return func(n jsontree.Node, path string) {
		r.object(
			n, path,
			member{"secret", true, r.secretARN(&p.Secret)},
			member{"issuer", false, r.text(&p.Issuer, checkURL)},
			member{"client", false, r.text(&p.Client, func(s string) string {
				if !within(s, 1, 255, ofNames+":/~") {
					return fmt.Sprintf("invalid client %q: want its id", clip(s))
				}
				return ""
			})},
			member{"clientSecret", false, r.secretARN(&p.ClientSecret)},
		)
		if (p.Issuer == "") != (p.Client == "") || p.Client == "" && !p.ClientSecret.IsZero() {
			r.fault(n, path, "to sign in takes issuer and client, and clientSecret only where the provider gives one")
		}
	}
}

func (r *reader) identity(n jsontree.Node, path string) Identity {
	var i Identity
	r.object(
		n, path,
		member{"arn", true, r.arn(&i.ARN)},
		member{"slack", false, r.text(&i.Slack, checkSlackID("member ID", "UW"))},
		member{"subject", false, r.text(&i.Subject, func(s string) string {
			// https://openid.net/specs/openid-connect-core-1_0.html#IDToken
			if len(s) == 0 || len(s) > 255 || strings.ContainsFunc(s, func(c rune) bool { return c < ' ' || c > '~' }) {
				return fmt.Sprintf("invalid subject %q: want at most 255 characters of ASCII", clip(s))
			}
			return ""
		})},
	)
	return i
}

// identities reports people who may not answer, and names that two of them have: whose answer it is must never be a question.
func (r *reader) identities(a Approvals, n jsontree.Node, path string) {
	items := n.Get("people").Items
	slack, subject := map[string]bool{}, map[string]bool{}
	for i, p := range a.People {
		if i >= len(items) {
			return
		}
		at := jsontree.Index(path+".people", i)
		if !p.ARN.IsZero() && !a.Admits(p.ARN.String()) {
			r.fault(items[i].Get("arn"), at+".arn", "%s is not one of approvers, or is a role of which nobody knows who has it", clip(p.ARN.String()))
		}
		for _, name := range []struct {
			member, is string
			seen       map[string]bool
		}{{"slack", p.Slack, slack}, {"subject", p.Subject, subject}} {
			if name.is != "" && name.seen[name.is] {
				r.fault(items[i].Get(name.member), at+"."+name.member, "another person is %s", clip(name.is))
			}
			name.seen[name.is] = true
		}
	}
}

// checkSlackID checks an ID of Slack, which begins with one of some letters.
func checkSlackID(what, begins string) func(string) string {
	return func(s string) string {
		if !within(s, 2, 64, upper+digits) || !strings.Contains(begins, s[:1]) {
			return fmt.Sprintf("invalid %s %q: want an ID of Slack such as %s0123ABCD", what, clip(s), begins[:1])
		}
		return ""
	}
}

// identitiesYAML is those members of approvals.
func (a Approvals) identitiesYAML() string {
	var b strings.Builder
	if len(a.People) > 0 {
		b.WriteString("  people:\n")
	}
	text := func(name, value string) {
		if value != "" {
			fmt.Fprintf(&b, "%s: %s\n", name, quote(value))
		}
	}
	for _, p := range a.People {
		text("    - arn", p.ARN.String())
		text("      slack", p.Slack)
		text("      subject", p.Subject)
	}
	if a.Slack.On() {
		b.WriteString("  slack:\n")
		text("    secret", a.Slack.Secret.String())
		text("    team", a.Slack.Team)
	}
	if a.Page.On() {
		b.WriteString("  page:\n")
		text("    secret", a.Page.Secret.String())
		text("    issuer", a.Page.Issuer)
		text("    client", a.Page.Client)
		if !a.Page.ClientSecret.IsZero() {
			text("    clientSecret", a.Page.ClientSecret.String())
		}
	}
	return b.String()
}
