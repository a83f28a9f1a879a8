package settings

import (
	"regexp"
	"slices"
	"strings"
	"sync"
	"unicode/utf8"
)

// secrets is what is a secret by its form, and what to call it. The file is kept beside code and reaches every function and whoever
// may read one: a secret in it is no secret any more. It is looked for before a deployment, so that no function compiles it.
var secrets = sync.OnceValue(func() []secret {
	return []secret{
		// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html#identifiers-unique-ids
		{"an access key of AWS", regexp.MustCompile(`\b(AKIA|ASIA)[A-Z0-9]{16}\b`)},
		{"a private key or a certificate", regexp.MustCompile(`-----BEGIN `)},
		// https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks
		{"the URL of a Slack webhook", regexp.MustCompile(`hooks\.slack(-gov)?\.com/(services|workflows|triggers)/\w`)},
		// https://docs.slack.dev/authentication/tokens
		{"a token of Slack", regexp.MustCompile(`\bxox[a-z](\.xox[a-z])?-\w`)},
		// https://learn.microsoft.com/en-us/microsoftteams/platform/webhooks-and-connectors/how-to/add-incoming-webhook
		{"the URL of a Teams webhook", regexp.MustCompile(`\.webhook\.office\.com/\w|\.(logic\.azure|powerplatform)\.com[:/]\S*[?&]sig=`)},
		// https://developers.google.com/workspace/chat/quickstart/webhooks
		{"the URL of a Google Chat webhook", regexp.MustCompile(`chat\.googleapis\.com/\S*[?&](key|token)=`)},
		// https://discord.com/developers/docs/resources/webhook
		{"the URL of a Discord webhook", regexp.MustCompile(`discord(app)?\.com/api/webhooks/\w`)},
		// https://docs.github.com/en/authentication/keeping-your-account-and-data-secure/about-authentication-to-github#githubs-token-formats
		{"a token of GitHub", regexp.MustCompile(`\b(gh[a-z]|github_pat)_\w`)},
		// https://www.rfc-editor.org/rfc/rfc3986#section-3.2.1
		{"a URL with a password", regexp.MustCompile(`://[^/\s:@"']*:[^/\s:@"']+@`)},
	}
})

type secret struct {
	what string
	form *regexp.Regexp
}

// revealed finds secrets anywhere in the text of the file, comments included. A fault names the kind and never the secret.
func revealed(text string) []Fault {
	var faults []Fault
	for i, line := range strings.Split(text, "\n") {
		for _, s := range secrets() {
			if at := s.form.FindStringIndex(line); at != nil {
				faults = append(faults, Fault{
					Line: i + 1, Column: utf8.RuneCountInString(line[:at[0]]) + 1,
					Text: "this looks like " + s.what + ": it does not belong into this file. Replace it, for whoever could read the file has it, " +
						"and keep the new one in Secrets Manager",
				})
			}
		}
	}
	return faults
}

// withoutQuotes is the faults of secrets and the others, but for those that may quote a secret.
func withoutQuotes(hidden, faults []Fault) []Fault {
	faults = slices.DeleteFunc(faults, func(f Fault) bool {
		return slices.ContainsFunc(hidden, func(s Fault) bool { return s.Line == f.Line }) || len(revealed(f.Text)) > 0
	})
	return append(hidden, faults...)
}
