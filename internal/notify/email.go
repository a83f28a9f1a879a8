package notify

import (
	"strings"

	"github.com/replimend/replimend/internal/settings"
)

// email tells people by a topic with subscriptions of the protocol email, as plain text.
type email struct{}

// emailSubject is the characters of a subject, which are ASCII, begin with a letter, a digit or a punctuation mark, and break no line.
//
// https://docs.aws.amazon.com/sns/latest/api/API_Publish.html
const emailSubject = 100

func (email) compose(t settings.Target, v View, _ Ref) (Request, error) {
	v = fitted(v, func(v View) bool { return len(emailText(v)) <= snsAll })
	return Request{
		Method: "POST", URL: "sns:" + t.Topic.String(),
		Header: map[string]string{"Content-Type": "text/plain; charset=utf-8", "Subject": subject(v)}, Body: []byte(emailText(v)),
	}, nil
}

func emailText(v View) string { return plainText(v) }

// subject is the title if it can be written in ASCII. Otherwise, as in Japanese, it is the incident, and the title is the first line of the
// text: half a title reads like another one.
func subject(v View) string {
	s := strings.NewReplacer("→", "->", "…", "...").Replace("[" + string(v.Severity) + "] " + v.Title)
	if !ascii(s) {
		s = "[" + string(v.Severity) + "] Replimend " + v.Incident
	}
	if !ascii(s) {
		s = "Replimend"
	}
	if len(s) > emailSubject {
		s = s[:emailSubject-3] + "..."
	}
	return strings.TrimSpace(s)
}

// ascii says whether a text is of printable ASCII characters.
func ascii(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r > '~' })
}

func (email) read(r Response, _ Ref) (Ref, error) { return Ref{}, refused(settings.Email, r, "", "") }

// hosts is none: it is published to a topic.
func (email) hosts(settings.Target) []string { return nil }
