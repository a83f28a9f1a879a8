package guard

import (
	"strings"

	"github.com/replimend/replimend/internal/patch"
	"github.com/replimend/replimend/internal/policy"
	"github.com/replimend/replimend/internal/snapshot"
)

// characterSet: IAM takes no characters beyond U+00FF in a policy, so that a rule whose prefix has some cannot be written into a
// role's policy. S3 and KMS take them.
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_PutRolePolicy.html
var characterSet = Rule{
	Name:    "character-set",
	Summary: "a role's policies hold only characters that IAM takes",
	judge: func(q *inquiry) []objection {
		return q.each(func(e patch.Edit, s policy.Statement, name string) []objection {
			if e.Document.Kind != snapshot.RolePolicy && e.Document.Kind != snapshot.RoleTrust {
				return nil
			}
			texts := append([]string{s.Sid}, s.Resource.Values...)
			for _, c := range s.Conditions {
				texts = append(append(texts, c.Key), c.Values...)
			}
			for _, text := range texts {
				if strings.ContainsFunc(text, func(r rune) bool { return r > '\u00ff' }) {
					return []objection{refuse("%s: IAM takes no policy with the characters of %q", name, text)}
				}
			}
			return nil
		})
	},
}
