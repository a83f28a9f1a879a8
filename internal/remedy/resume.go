package remedy

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/replimend/replimend/internal/incident"
	"github.com/replimend/replimend/internal/signal"
)

// ErrTime says that too little time is left to write and to undo what was written. Nothing was written; later there is more time.
var ErrTime = errors.New("too little time is left to write and to undo it")

// Report opens an incident for each route that the signals say something bad of, or has them join the one that is not over. It
// asks nobody whether the route is there, and writes nothing but the journal: Resume does the rest. However many signals
// there are, each route costs one Journal.Open.
//
// The incidents are those that the journal took, also with an error: then what the signals say of other routes is not kept, and
// to report all of them again changes nothing of what is.
func (w *Workflow) Report(ctx context.Context, signals []signal.Signal) ([]incident.Incident, error) {
	var out []incident.Incident
	var errs []error
	// Without a view of the bucket, cases are the same where the signals name the same route.
	for _, c := range (view{}).concerned(casesOf(signals)) {
		i, err := w.Journal.Open(ctx, c.open(w.Now()))
		if err != nil {
			errs = append(errs, fmt.Errorf("report %s: %w", c.route, err))
			continue
		}
		out = append(out, i)
	}
	return out, errors.Join(errs...)
}

// RouteOf is the route whose incident Report opens for a signal; false: the signal says nothing bad, and opens none.
func RouteOf(s signal.Signal) (incident.Route, bool) {
	cases := casesOf([]signal.Signal{s})
	if len(cases) == 0 {
		return incident.Route{}, false
	}
	return cases[0].route, true
}

// Resume goes on with one incident from wherever it is: it looks at the route with the versions that the incident remembers, and
// does what Handle does for it. It opens no other incident, and one that is over comes back as it is. Of what the events said it has
// versions, times and S3's reasons, and not which version had which.
//
// A rule whose destination has changed since is another route, and this incident is ignored: what fails on the new one is reported
// with its name.
func (w *Workflow) Resume(ctx context.Context, id string) (incident.Incident, error) {
	i, err := w.Journal.Get(ctx, id)
	if err != nil {
		return i, err
	}
	i, recalled, err := w.recall(ctx, i)
	if err != nil {
		return i, fmt.Errorf("resume incident %s: %w", id, err)
	}
	if recalled {
		return i, nil
	}
	if i.Over() {
		if w.Attended {
			return i, nil
		}
		return w.Tidy(ctx, id)
	}
	if err := w.timely(ctx, 1); err != nil { // what an ended worker left behind may have to be undone
		return i, fmt.Errorf("resume incident %s: %w", id, err)
	}
	samples := i.Failures.Versions.Sample()
	samples = samples[:min(len(samples), maxSamples)]
	hints := evidence{signals: reported(i)}
	v, err := w.look(ctx, i.Route.Source, hints, samples)
	if err != nil {
		return i, fmt.Errorf("resume incident %s: %w", id, err)
	}
	r := run{workflow: w, view: v, hints: hints, samples: samples, incident: i}
	if err := r.do(ctx); err != nil {
		return r.incident, fmt.Errorf("resume incident %s: %w", id, err)
	}
	return r.incident, nil
}

// timely says whether the time until the deadline of a context is enough for that many writes.
func (w *Workflow) timely(ctx context.Context, writes int) error {
	deadline, ok := ctx.Deadline()
	if left := deadline.Sub(w.Now()); ok && left < time.Duration(writes)*w.Budget {
		return fmt.Errorf("%w: %s for %d writes", ErrTime, left.Round(time.Second), writes)
	}
	return nil
}

// holds says from when on what this cure wrote holds everywhere.
func (r *run) holds() time.Time { return r.at.Add(r.workflow.Propagation) }

// The times after which a cure is looked at again by itself.
const (
	// replaying is short beside the minutes that S3 takes to prepare a job, and long beside what a look costs.
	replaying = 5 * time.Minute
	// soon and seldom bound the wait for the first proof. In between the wait is as long as the cure is old.
	soon   = time.Minute
	seldom = 15 * time.Minute
	// patience is for how long it is waited for. Then the next failure, a person or a sweep looks again.
	patience = 24 * time.Hour
)

// Due is in how much time somebody has to look at the incident again although nobody asks for it; false: never. It is for cures that
// are written and not proven, for replays that run, and for canaries that are still there. Where it had to give way, to another worker
// or a port that is down, the message comes again without it.
func Due(i incident.Incident, now time.Time) (time.Duration, bool) {
	cured := i.Outcome == incident.Applied || i.Outcome == incident.Proven
	if cured && i.Job.State == incident.JobRunning {
		return replaying, true
	}
	var last time.Time
	for _, p := range i.Patches() { // the latest is the last
		last = p.At
	}
	if age := now.Sub(last); i.Outcome == incident.Applied && age < patience {
		return min(max(age, soon), seldom), true
	}
	if i.Canary.Stands() {
		return min(max(now.Sub(i.Canary.At), soon), seldom), true
	}
	return 0, false
}
