package guard

import (
	"slices"

	"github.com/replimend/replimend/internal/settings"
)

// rateLimit: a loop of patch and revert, or a storm of failures, must not become a storm of writes.
var rateLimit = Rule{
	Name:    "rate-limit",
	Summary: "a route and an account get so many patches an hour",
	judge: func(q *inquiry) []objection {
		limits := q.limits()
		var out []objection
		if n := q.history.RoutePatches; n >= limits.PatchesPerRoutePerHour {
			out = append(out, refuse("the route got %d patches in the last hour, the limit is %d", n, limits.PatchesPerRoutePerHour))
		}
		for _, account := range q.accounts() {
			if n := q.history.AccountPatches[account]; n >= limits.PatchesPerAccountPerHour {
				out = append(out, refuse("account %s got %d patches in the last hour, the limit is %d", account, n, limits.PatchesPerAccountPerHour))
			}
		}
		return out
	},
}

func (q *inquiry) limits() settings.Limits {
	if q.settings == nil {
		return settings.Limits{}
	}
	return q.settings.Limits
}

// accounts is every account whose documents the plan changes, in order.
func (q *inquiry) accounts() []string {
	var out []string
	for _, e := range q.plan.Edits {
		out = append(out, e.Account)
	}
	slices.Sort(out)
	return slices.Compact(out)
}
