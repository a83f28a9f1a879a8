package guard

import (
	"strings"
	"time"

	"github.com/replimend/replimend/internal/authz"
	"github.com/replimend/replimend/internal/incident"
	"github.com/replimend/replimend/internal/policy"
	"github.com/replimend/replimend/internal/settings"
)

// protectedChange: when the security team takes a permission away in an incident, that is what broke the route, and giving it
// back would undo their work. Who made the change is compared with those that the settings protect, while the change is recent.
var protectedChange = Rule{
	Name:    "protected-change",
	Summary: "what a protected principal changed of late is reported, not changed back",
	judge: func(q *inquiry) []objection {
		if q.history.Breaking == nil {
			return nil
		}
		return againstUndoing(*q.history.Breaking, q.settings, q.history.Now)
	},
}

// CheckChange judges whether a change that broke a route may be changed back, as the rule protected-change does. Of several changes
// the strictest verdict counts, so that nobody makes more allowed by telling of one more.
func CheckChange(c incident.Call, set *settings.Settings, now time.Time) Verdict {
	v := Verdict{Decision: Allow, Reasons: []Reason{}}
	v.add(protectedChange.Name, againstUndoing(c, set, now))
	return v
}

func againstUndoing(c incident.Call, set *settings.Settings, now time.Time) []objection {
	if set == nil || len(set.Protected) == 0 {
		return nil
	}
	// Without a clock, and with one that is behind, every change is recent.
	if now.Sub(c.At) > time.Duration(set.Limits.IncidentHours)*time.Hour {
		return nil
	}
	if c.Principal == "" {
		return []objection{ask("who made the change %s that broke the route is not known: it may be a protected principal", c.Event)}
	}
	for _, p := range set.Protected {
		if isProtected(p, c.Principal) {
			return []objection{refuse("%s of %s broke the route, made by %s, which is protected as %s: it is reported, not changed back", c.Event, c.At.UTC().Format(time.RFC3339), c.Principal, p)}
		}
	}
	return nil
}

// isProtected says whether an entry of the settings means that principal. A session's ARN does not say the path of its role, so
// that there the names decide.
func isProtected(entry policy.ARN, principal string) bool {
	if policy.Star(entry.String(), principal) {
		return true
	}
	p, err := authz.ParsePrincipal(principal)
	if err != nil || p.Kind != authz.Session || !strings.HasPrefix(entry.Resource, "role/") {
		return false
	}
	return policy.Star(entry.Account, p.Account) && policy.Star(entry.Name(), p.Issuer.Name())
}
