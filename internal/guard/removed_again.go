package guard

// RemovedAgain is the name of the rule whose objections say that somebody, or a tool, takes out what is added.
const RemovedAgain = "removed-again"

// removedAgain: a statement that is taken out again and again is not wanted there, by somebody or by a tool that owns the
// document. Putting it back once more settles nothing.
var removedAgain = Rule{
	Name:    RemovedAgain,
	Summary: "a document from which statements of Replimend are taken out again and again is left to people",
	judge: func(q *inquiry) []objection {
		limit := q.limits().RemovalsBeforeOpen
		var out []objection
		for _, e := range q.plan.Edits {
			times := 0
			for _, r := range q.history.Removed {
				if place(r.Document) == place(e.Document) {
					times += r.Times
				}
			}
			if times > 0 && times >= limit {
				out = append(out, refuse("%s: what Replimend added was taken out again (times: %d, limit: %d): a person must look", e.Document, times, limit))
			}
		}
		return out
	},
}
