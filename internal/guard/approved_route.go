package guard

import "slices"

// ApprovedRoute is the name of the rule whose objections say that the route itself is not to be trusted.
const ApprovedRoute = "approved-route"

// approvedRoute: only what somebody approved is acted on, and only while it is what was approved. Whoever may write a
// replication rule or make a role again can make S3 report a failure; what they made must not be granted anything for it.
var approvedRoute = Rule{
	Name:    ApprovedRoute,
	Summary: "the live route must be an approved one, in every pin",
	judge: func(q *inquiry) []objection {
		switch {
		case q.found == 0:
			return []objection{refuse("the snapshot has no enabled rule %q from %s to %s", q.route.RuleID, q.route.Source, q.route.Destination)}
		case q.found > 1:
			return []objection{refuse("the snapshot has %d enabled rules %q from %s to %s: which of them is meant is not known", q.found, q.route.RuleID, q.route.Source, q.route.Destination)}
		}
		if q.approved == nil {
			return []objection{refuse("not an approved route; nothing is done, report only")}
		}
		var out []objection
		for _, text := range q.unknown {
			out = append(out, refuse("%s", text))
		}
		for _, m := range q.mismatches() {
			out = append(out, refuse("not as approved in route %s: %s", q.approved.Name, m))
		}
		return out
	},
}

// mismatches is every pin in which the live route is known to differ from the approved one.
func (q *inquiry) mismatches() []mismatch {
	return slices.DeleteFunc(compare(*q.approved, q.route, q.live), func(m mismatch) bool { return m.got == "" && len(q.unknown) > 0 })
}
