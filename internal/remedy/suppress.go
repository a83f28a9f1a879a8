package remedy

import (
	"context"
	"fmt"
	"strings"

	"github.com/replimend/replimend/internal/diagnose"
	"github.com/replimend/replimend/internal/incident"
)

// suppressions reads what is in force for the route. An error is none of "not suppressed": nothing is done, and the message comes
// again. Who sits at a terminal decides for themselves, and the timeline says what they went on in spite of.
func (r *run) suppressions(ctx context.Context) error {
	if r.workflow.Suppressions == nil {
		return nil
	}
	inForce, err := r.workflow.Suppressions.Suppressed(ctx, r.incident.Route)
	if err != nil {
		return fmt.Errorf("read suppressions: %w", err)
	}
	if !r.workflow.Attended {
		r.inForce = inForce
		return nil
	}
	for _, s := range inForce {
		r.log("gone on with at a terminal, although silenced by %s", s)
	}
	return nil
}

// suppressed says whether the route is silent with what is wrong with it now: then nothing is planned, written, replayed or told. The
// incident stays open, so that what fails joins it.
//
// A route in order has nothing to be silent about: its incident is over, and nobody is told while the silence lasts.
func (r *run) suppressed() bool {
	by := incident.Silenced(r.inForce, r.route.Ailments())
	r.silent = len(by) > 0
	if !r.silent || r.route.Verdict == diagnose.Healthy && len(forPeople(r.route.Findings)) == 0 {
		return false
	}
	texts := make([]string, len(by))
	for i, s := range by {
		texts[i] = s.String()
	}
	// What was planned before may not be what is planned when the silence ends.
	r.incident.Plan, r.incident.Proposal, r.incident.Approver = "", nil, ""
	r.become(incident.Suppressed, "silenced by %s", strings.Join(texts, "; "))
	return true
}

// hush owes nobody a notice of what became of a silent incident. What people were told before is forgotten with it, so that they hear
// anew when the silence ends; where they never heard of the incident, it stays so.
func (r *run) hush() {
	if r.silent && r.incident.Told != "" {
		r.incident.Told = news(r.incident)
	}
}

// TellEnded tells people that a suppression has ended: whose it was, and how the route stands now. It changes nothing; that the route
// is gone on with is for who calls it, as is to tell once. The incident is the route's open one; the zero one: it has none.
func (w *Workflow) TellEnded(ctx context.Context, s incident.Suppression, open incident.Summary) error {
	m := incident.Message{
		Headline: incident.HeadSilenceEnded,
		At:       w.Now(),
		Fields: []incident.Field{
			{Name: "route", Value: s.Route.String()},
			{Name: "silenced by", Value: s.Owner},
			{Name: "reason", Value: s.Reason},
			{Name: "cause", Value: s.Cause},
			{Name: "until", Value: moment(s.Expires)},
		},
		Steps: []string{"replimend suppressions add silences it again; from now on it is treated like any other route"},
	}
	stands := "it could not be looked at, and how it stands is not known"
	if v, err := w.look(ctx, s.Route.Source, evidence{}, nil); err == nil {
		d, ok := v.route(s.Route)
		stands = "the bucket has no such enabled rule any more"
		if ok {
			stands = "the route is " + string(d.Verdict)
			m.Broke, m.Causes = broke(told(d.Findings)), causes(told(d.Findings))
		}
	}
	if a, ok := w.approved(s.Route); ok {
		m.Labels, m.Accounts = a.Labels, []string{a.Source.Account, a.Destination.Account}
	}
	m.Happened = []string{"the suppression has ended", stands}
	if open.ID != "" {
		failed := fmt.Sprintf("%d", open.Failed)
		if !open.Exact {
			failed = "about " + failed
		}
		m.Fields = append(m.Fields, incident.Field{Name: "failures reported", Value: failed})
	}
	i := incident.Incident{ID: open.ID, Route: s.Route, Outcome: incident.Suppressed}
	if err := w.Notifier.Notify(ctx, incident.NewMessage(i, m)); err != nil {
		return fmt.Errorf("notify: %w", err)
	}
	return nil
}
