package remedy

import (
	"time"

	"github.com/replimend/replimend/internal/incident"
	"github.com/replimend/replimend/internal/policy"
	"github.com/replimend/replimend/internal/signal"
)

// concern is a route that signals name, and what they say of it.
type concern struct {
	route    incident.Route
	failures incident.Failures
}

// casesOf is every route that the signals say something bad of, in the order of signal.Fold.
func casesOf(signals []signal.Signal) []concern {
	var out []concern
	for _, g := range signal.Fold(signals) {
		n := g.Failed + g.MissedThreshold + g.NotTracked
		if n == 0 {
			continue
		}
		c := concern{
			route:    incident.Route{Source: g.Bucket, Rule: g.Rule, Destination: g.Destination},
			failures: incident.Failures{Count: n, First: g.First, Last: g.Last},
		}
		if a, err := policy.ParseARN(g.Destination); err == nil && a.Service == "s3" {
			c.route.Destination = a.Resource
		}
		out = append(out, c)
	}
	return out
}

// concerned is the cases with the routes of the view that they mean. An event that names no destination, or one that is not
// the rule's, still means the rule: the configuration is the truth, and an event can be late. Cases that mean the same route
// are one.
func (v view) concerned(cases []concern) []concern {
	var out []concern
	at := map[incident.Route]int{}
	for _, c := range cases {
		if _, ok := v.route(c.route); !ok {
			for _, d := range v.diagnosis.Routes {
				if d.Source == c.route.Source && d.Rule == c.route.Rule {
					c.route.Destination = d.Destination
				}
			}
		}
		if i, ok := at[c.route]; ok {
			out[i].failures = join(out[i].failures, c.failures)
			continue
		}
		at[c.route] = len(out)
		out = append(out, c)
	}
	return out
}

func join(a, b incident.Failures) incident.Failures {
	out := incident.Failures{Count: a.Count + b.Count, First: a.First, Last: a.Last}
	if b.First.Before(a.First) {
		out.First = b.First
	}
	if b.Last.After(a.Last) {
		out.Last = b.Last
	}
	return out
}

// open makes the incident. Without a time in the events it is one of now.
func (c concern) open(now time.Time) incident.Incident {
	first := c.failures.First
	if first.IsZero() {
		first = now
	}
	i := incident.Incident{ID: incident.ID(c.route, first), Route: c.route, Failures: c.failures}
	i.Become(incident.Open, now, "%d failures reported", c.failures.Count)
	return i
}
