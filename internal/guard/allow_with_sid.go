package guard

import (
	"regexp"

	"github.com/replimend/replimend/internal/patch"
	"github.com/replimend/replimend/internal/policy"
)

// allowWithSid: an added statement is an Allow that everybody can recognise. A Deny can lock people out, and a Sid that is
// already there makes IAM refuse the document.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_sid.html
var allowWithSid = Rule{
	Name:    "allow-with-sid",
	Summary: "an added statement is an Allow with a Sid of its own that starts with Replimend",
	judge: func(q *inquiry) []objection {
		return q.each(func(e patch.Edit, s policy.Statement, name string) []objection {
			var out []objection
			if s.Effect != policy.Allow {
				out = append(out, refuse("%s: want Allow, got %s", name, s.Effect))
			}
			if !sidPattern.MatchString(s.Sid) {
				out = append(out, refuse("%s: want a Sid of letters and digits that starts with Replimend, got %q", name, s.Sid))
			}
			same := 0
			for _, other := range e.After.V.Statements {
				if other.Sid == s.Sid {
					same++
				}
			}
			if same > 1 {
				out = append(out, refuse("%s: the Sid stands twice in the document", name))
			}
			return out
		})
	},
}

var sidPattern = regexp.MustCompile(`^Replimend[A-Za-z0-9]*$`)
