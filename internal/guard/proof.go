package guard

// standing is how well off a route is, by the verdicts of a diagnosis; what is not in it proves nothing.
var standing = map[string]int{"broken": 1, "conditional": 2, "degraded": 3, "healthy": 4}

// proof: a plan is worth its grants only when the route is better off with it. The evaluator said so when the plan was made,
// and it is asked again after the write.
var proof = Rule{
	Name:    "proof",
	Summary: "the route must be proven to be better off, and not broken, with the plan",
	judge: func(q *inquiry) []objection {
		before, after := q.plan.Proof.Before, q.plan.Proof.After
		switch {
		case standing[after] == 0, standing[after] == standing["broken"]:
			return []objection{refuse("the plan does not make the route whole: it would be %q", after)}
		case standing[after] <= standing[before]:
			return []objection{refuse("the plan makes the route no better: it is %q and would be %q", before, after)}
		}
		return nil
	},
}
