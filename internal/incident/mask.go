package incident

import (
	"regexp"
	"strings"
	"sync"
)

// digits finds what may be an account id, and before it what holds as many digits and is none: the UUID of a key, the ID of an incident, the
// hash of a plan. An account id is 12 digits, which the console writes in three groups.
// https://docs.aws.amazon.com/accounts/latest/reference/manage-acct-identifiers.html
var digits = sync.OnceValue(func() *regexp.Regexp { // whoever masks nothing need not compile it at its start
	return regexp.MustCompile(
		`(?i)[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|inc-[0-9a-f]{20}|[0-9a-f]{32,}` +
			`|([0-9]{4}-[0-9]{4}-[0-9]{4})|([0-9]{5,11}…)|([0-9]+)`,
	)
})

// Masker hides account ids but for their last four digits, wherever they stand: in ARNs, in documents, in names of buckets. A number of
// 12 digits that is no account id is hidden as well, because nothing tells them apart; a count is never written so. The known accounts
// are hidden inside longer numbers, too.
func Masker(known []string) func(string) string {
	return func(text string) string {
		var b strings.Builder
		at := 0
		for _, m := range digits().FindAllStringSubmatchIndex(text, -1) {
			b.WriteString(text[at:m[0]])
			found := text[m[0]:m[1]]
			at = m[1]
			switch grouped, clipped, number := m[2] >= 0, m[4] >= 0, m[6] >= 0; {
			case grouped:
				found = "xxxx-xxxx-" + found[len(found)-4:]
			case clipped: // the beginning of an account id, where a text was cut
				found = "…"
			case number && len(found) == 12:
				found = masked(found)
			case number:
				for _, account := range known {
					if len(account) == 12 {
						found = strings.ReplaceAll(found, account, masked(account))
					}
				}
			}
			b.WriteString(found)
		}
		b.WriteString(text[at:])
		return b.String()
	}
}

// masked is an account id by its last four digits. No tool takes the letter for markup.
func masked(account string) string { return "xxxxxxxx" + account[8:] }
