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
	changes  []incident.Call // that may have broken it
}

// casesOf is every route that the signals say something bad of, in the order of signal.Fold.
func casesOf(signals []signal.Signal) []concern {
	bad := map[incident.Route][]signal.Signal{}
	for _, s := range signals {
		if s.Kind != signal.ReplicatedAfterThreshold {
			r := incident.Route{Source: s.Bucket, Rule: s.Rule, Destination: s.Destination}
			bad[r] = append(bad[r], s)
		}
	}
	var out []concern
	for _, g := range signal.Fold(signals) {
		c := concern{
			route:    incident.Route{Source: g.Bucket, Rule: g.Rule, Destination: g.Destination},
			failures: incident.Failures{First: g.First, Last: g.Last},
		}
		if len(bad[c.route]) == 0 {
			continue
		}
		objects := make([]incident.Object, 0, len(bad[c.route]))
		for _, s := range bad[c.route] {
			objects = append(objects, incident.Object{Key: s.Key, VersionID: s.VersionID, Size: s.Size})
			c.failures = c.failures.Merge(incident.Failures{Written: s.RequestTime})
			c.failures.AddReason(s.Reason)
		}
		c.failures.Versions.Add(objects...)
		if a, err := policy.ParseARN(g.Destination); err == nil && a.Service == "s3" {
			c.route.Destination = a.Resource
		}
		out = append(out, c)
	}
	return out
}

// samplesOf is the first versions that signals say something bad of, each once, as many as are looked at.
func samplesOf(signals []signal.Signal) []incident.Object {
	var out []incident.Object
	seen := map[signal.Object]bool{}
	for _, s := range signals {
		o := signal.Object{Key: s.Key, VersionID: s.VersionID}
		if s.Kind == signal.ReplicatedAfterThreshold || s.Key == "" || seen[o] {
			continue
		}
		if seen[o] = true; len(out) < maxSamples {
			out = append(out, incident.Object{Key: s.Key, VersionID: s.VersionID, Size: s.Size})
		}
	}
	return out
}

// reported is what S3 gave as reasons, as the signals that they were told by: which version had which reason is not remembered, so
// that one is named only where there is no other. Reasons that documents explained are told no more until something else fails: once
// somebody mended the documents they say nothing of the route as it is.
func reported(i incident.Incident) []signal.Signal {
	if n := len(i.Timeline); len(i.Causes) > 0 && n > 0 && !i.Failures.Last.After(i.Timeline[n-1].At) {
		return nil
	}
	of := signal.Signal{
		Kind: signal.Failed, Bucket: i.Route.Source, Rule: i.Route.Rule, Destination: policy.BucketARN("aws", i.Route.Destination).String(),
		EventTime: i.Failures.Last, RequestTime: i.Failures.Written,
	}
	if n, exact := i.Failures.Count(); exact && n == 1 {
		for _, o := range i.Failures.Versions.Sample() {
			of.Key, of.VersionID, of.Size = o.Key, o.VersionID, o.Size
		}
	}
	var out []signal.Signal
	for _, reason := range i.Failures.Reasons {
		of.Reason = reason
		out = append(out, of)
	}
	return out
}

// maxSamples bounds the versions that are looked at: each is a call, and kinds of objects are few.
const maxSamples = 20

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
			out[i].failures = out[i].failures.Merge(c.failures)
			continue
		}
		at[c.route] = len(out)
		out = append(out, c)
	}
	return out
}

// open makes the incident. Without a time in the events it is one of now.
func (c concern) open(now time.Time) incident.Incident {
	first := c.failures.First
	if first.IsZero() {
		first = now
	}
	i := incident.Incident{ID: incident.ID(c.route, first), Route: c.route, Opened: now, Failures: c.failures}
	if c.failures.Versions.IsZero() {
		i.Become(incident.Open, now, "somebody looked; nothing is said to have failed")
	} else {
		i.Become(incident.Open, now, "versions that are said to have failed: %s", c.failures.Versions)
	}
	return i
}
