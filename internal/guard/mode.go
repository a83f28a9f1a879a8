package guard

import "github.com/replimend/replimend/internal/settings"

// mode: how far Replimend may go on an approved route.
var mode = Rule{
	Name:    "mode",
	Summary: "observe writes nothing, approve asks, automatic does not ask",
	judge: func(q *inquiry) []objection {
		if q.approved == nil {
			return nil
		}
		switch q.approved.Mode {
		case settings.Automatic:
			return nil
		case settings.Approve:
			return []objection{ask("the route is in mode approve")}
		case settings.Observe:
			return []objection{refuse("the route is in mode observe: reported only")}
		default:
			return []objection{refuse("the route has no known mode: reported only")}
		}
	},
}
