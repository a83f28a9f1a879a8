package guard

// killSwitch: one switch stops everything, and each account has one of its own.
var killSwitch = Rule{
	Name:    "kill-switch",
	Summary: "nothing is written where the kill switch is thrown",
	judge: func(q *inquiry) []objection {
		if q.history.Stopped(Hub) {
			return []objection{refuse("the kill switch of the hub is thrown")}
		}
		var out []objection
		for _, account := range q.accounts() {
			if q.history.Stopped(account) {
				out = append(out, refuse("the kill switch of account %s is thrown", account))
			}
		}
		return out
	},
}
