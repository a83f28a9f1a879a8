package remedy

import (
	"slices"
	"strings"

	"github.com/replimend/replimend/internal/authz"
	"github.com/replimend/replimend/internal/diagnose"
	"github.com/replimend/replimend/internal/guard"
	"github.com/replimend/replimend/internal/incident"
	"github.com/replimend/replimend/internal/route"
	"github.com/replimend/replimend/internal/snapshot"
)

// looked keeps what the route is by that diagnosis, for people who look at the incident later. What was seen of an ill route stays when
// it is in order again: the new look stands beside it.
func (r *run) looked(d diagnose.Route) {
	seen := r.picture(d)
	if before := r.incident.Look; d.Verdict == diagnose.Healthy && before != nil && before.Verdict != string(diagnose.Healthy) {
		r.incident.After = seen
		return
	}
	r.incident.Look, r.incident.After = seen, nil
}

// cured keeps what the route is once the documents are as written. That it is there, unproven saw.
func (r *run) cured(after view) {
	if d, ok := after.route(r.incident.Route); ok {
		r.incident.After = r.picture(d)
	}
}

// picture is what is kept of a diagnosis: what S3 asks for and which statements decide.
func (r *run) picture(d diagnose.Route) *incident.Look {
	look := r.place(d.Of)
	look.Verdict = string(d.Verdict)
	for _, h := range d.Hops {
		look.Hops = append(look.Hops, hop(h))
		switch h.Hop {
		case route.DecryptSource:
			look.SourceKeys = keysOf(h)
		case route.EncryptReplica:
			if keys := keysOf(h); len(keys) == 1 {
				look.ReplicaKey = keys[0]
			}
		}
	}
	for _, severity := range []diagnose.Severity{diagnose.Fault, diagnose.Warning, diagnose.Advice} {
		for _, f := range d.Findings {
			if f.Severity == severity {
				look.Findings = append(look.Findings, incident.Finding{
					Cause: f.Cause, Side: string(f.Side), Document: f.Document.String(), Severity: string(f.Severity), Hop: f.Hop, Message: f.Message,
				})
			}
		}
	}
	return incident.NewLook(*look.Each(r.hider().Replace))
}

// place is where the route leads, and nothing of how it works.
func (r *run) place(of route.Route) *incident.Look {
	look := &incident.Look{
		At:          r.workflow.Now(),
		Source:      incident.Place{Bucket: of.Source, Account: of.SourceAccount, Region: of.SourceRegion},
		Destination: incident.Place{Bucket: of.Destination, Account: of.DestinationAccount, Region: of.DestinationRegion},
		Role:        of.RoleText,
		ReplicaKey:  of.ReplicaKeyText,
	}
	if !of.ReplicaKey.IsZero() {
		look.ReplicaKey = of.ReplicaKey.String()
	}
	return look
}

// hop is what is kept of a hop. Of the requests that are allowed that is how many they are: nearly all are.
func hop(h diagnose.Hop) incident.Hop {
	out := incident.Hop{Name: h.Hop.String(), Verdict: string(h.Verdict)}
	for _, q := range h.Requests {
		if q.Decision != decisionAllowed {
			out.Others = append(out.Others, incident.Request{
				Principal: q.Principal, Action: q.Action, Resource: q.Resource, Decision: q.Decision,
				Evidence: string(q.Evidence), Need: string(q.Need), By: deciders(q.Why.All()),
			})
			continue
		}
		if out.Allowed++; out.Allowed > 1 {
			continue
		}
		by := deciders(q.Why.All())
		if n := slices.IndexFunc(by, func(d incident.Decider) bool { return d.Statement != "" }); n >= 0 {
			out.By = &by[n]
		}
	}
	return out
}

var decisionAllowed = authz.Allowed.String()

func deciders(reasons []authz.Why) []incident.Decider {
	var out []incident.Decider
	for _, w := range reasons {
		out = append(out, incident.Decider{Document: w.Document, Statement: w.Statement, Effect: w.Effect, Reason: w.Reason})
	}
	return out
}

// keysOf is the KMS keys that a hop asks for, each once.
func keysOf(h diagnose.Hop) []string {
	var out []string
	for _, q := range h.Requests {
		if strings.HasPrefix(q.Action, "kms:") && !slices.Contains(out, q.Resource) {
			out = append(out, q.Resource)
		}
	}
	return out
}

// argue keeps what the guard has against a cure with what the route was.
func (r *run) argue() {
	if r.incident.Look == nil || len(r.verdict.Reasons) == 0 {
		return
	}
	hide := r.hider()
	look := *r.incident.Look
	look.Against = nil
	for _, reason := range r.verdict.Reasons {
		look.Against = append(look.Against, incident.Argument{Rule: reason.Rule, Text: hide.Replace(reason.Text)})
	}
	r.incident.Look = incident.NewLook(look)
}

// strange keeps where a rule leads that nobody approved as it is, and what it differs in: whether it works is nobody's business.
func (r *run) strange(of route.Route, s *snapshot.Snapshot) {
	look := r.place(of)
	differ, _ := guard.Differences(of, s, r.workflow.Settings)
	for _, text := range append([]string{r.leads(), r.owner()}, differ...) {
		look.Against = append(look.Against, incident.Argument{Text: text})
	}
	r.incident.Look, r.incident.After = incident.NewLook(*look), nil
}
