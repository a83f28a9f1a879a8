package guard

// recalled: who had a cure taken back knows something that the documents do not say. That the route fails again is what they have
// chosen, and no reason to do the same once more.
var recalled = Rule{
	Name:    "recalled",
	Summary: "after somebody had a cure taken back, a person is asked before the next one",
	judge: func(q *inquiry) []objection {
		if who := q.history.Recalled; who != "" {
			return []objection{ask("%s had the last cure of the route taken back: a person has to agree to the next one", who)}
		}
		return nil
	},
}
