package guard

// circuitBreaker: after cures that did not help, what is known of the route is wrong, and the next cure is a guess.
var circuitBreaker = Rule{
	Name:    "circuit-breaker",
	Summary: "after failed cures a route is left to people",
	judge: func(q *inquiry) []objection {
		limit := q.limits().FailedCuresBeforeOpen
		if n := q.history.FailedCures; n >= limit {
			return []objection{refuse("%d cures of the route failed in a row, the limit is %d: a person must look", n, limit)}
		}
		return nil
	},
}
