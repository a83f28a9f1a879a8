package guard

import "github.com/replimend/replimend/internal/patch"

// class: what the cure may be at most. The plan's own word for it is not trusted to be the strictest of its edits'.
var class = Rule{
	Name:    "class",
	Summary: "a cure that needs approval is asked about, one that only people can make is refused",
	judge: func(q *inquiry) []objection {
		if len(q.plan.Edits) == 0 {
			return []objection{refuse("the plan changes nothing")}
		}
		strictest := q.plan.Class
		for _, e := range q.plan.Edits {
			strictest = patch.Stricter(strictest, e.Class)
		}
		switch strictest {
		case patch.Automatic:
			return nil
		case patch.Approval:
			return []objection{ask("the cure needs approval")}
		case patch.Manual:
			return []objection{refuse("no edit can or may cure it: only a person can")}
		default:
			return []objection{refuse("the plan is of class %q: there is nothing to cure", strictest)}
		}
	},
}
