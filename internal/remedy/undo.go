package remedy

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/replimend/replimend/internal/incident"
	"github.com/replimend/replimend/internal/patch"
	"github.com/replimend/replimend/internal/snapshot"
)

// ErrNothingToUndo says that nothing of an incident stands changed.
var ErrNothingToUndo = errors.New("nothing of this incident is left to undo")

// ErrStopped says that a kill switch is thrown.
var ErrStopped = errors.New("the kill switch is thrown")

// Undo brings back what stood there before every document that an incident changed, the last first. A document that somebody
// changed since is theirs, and is left as it is. It is for people: they ask for it, and no guard stands before the way back. The
// kill switch does: who stopped everything wants no undoing either.
func (w *Workflow) Undo(ctx context.Context, i incident.Incident, by incident.Authority) (incident.Incident, error) {
	plan := Standing(i)
	if len(plan.Edits) == 0 {
		return i, ErrNothingToUndo
	}
	thrown, err := w.thrown(ctx, plan)
	switch {
	case err != nil:
		return i, err
	case len(thrown) > 0:
		return i, fmt.Errorf("undo incident %s: %w: %s", i.ID, ErrStopped, strings.Join(thrown, ", "))
	}
	unlock, err := w.lock(ctx, i.ID, plan)
	if err != nil {
		return i, err
	}
	r, was := run{workflow: w, incident: i}, i.Outcome
	r.log("undone on the word of %s", by.Approver)
	if err := r.record(ctx); err != nil { // somebody may have gone on with it since it was read
		return i, errors.Join(fmt.Errorf("record incident: %w", err), unlock())
	}
	stood := make([]bool, len(r.incident.Changes))
	for n, c := range r.incident.Changes {
		stood[n] = c.Stands()
	}
	err = w.takeBack(ctx, &r.incident, by, time.Time{})
	for n := range r.incident.Changes {
		if c := &r.incident.Changes[n]; stood[n] && takenBack(*c) {
			c.Recalled = by.Approver
		}
	}
	// A deadline must not lose what was done.
	r.become(incident.Escalated, "taken back")
	e := r.record(context.WithoutCancel(ctx))
	if errors.Is(e, incident.ErrStale) && was.Over() {
		// The route has another incident by now, and that is its open one.
		r.incident.Outcome = was
		e = r.record(context.WithoutCancel(ctx))
	}
	if e != nil {
		err = errors.Join(err, fmt.Errorf("record incident: %w", e))
	} else {
		err = errors.Join(err, r.tidy(context.WithoutCancel(ctx)))
	}
	return r.incident, errors.Join(err, unlock())
}

// recall carries out that somebody who may approve wants what stands of an incident taken back. False: nobody asked for it. What they said
// counts for what was written before, so that it takes no keeping that it was used: who begins anew finds nothing left to take back.
//
// Taking back needs one person and no guard, whatever the cure needed: it is only ever what Replimend itself added.
func (w *Workflow) recall(ctx context.Context, i incident.Incident) (incident.Incident, bool, error) {
	if w.Approver == nil || w.Attended || !i.Stands() {
		return i, false, nil
	}
	said, err := w.recalled(ctx, i)
	if err != nil || said.Answer == incident.NoAnswer {
		return i, false, err
	}
	if err := w.timely(ctx, len(Standing(i).Edits)); err != nil {
		return i, false, err
	}
	i, err = w.Undo(ctx, i, incident.Authority{Incident: i.ID, Approver: said.Approver})
	if errors.Is(err, ErrStopped) { // it counts as long as the answer does: whoever looks again when the switch is back does it
		return i, false, nil
	}
	if err != nil {
		return i, false, err
	}
	r := run{workflow: w, incident: i}
	if v, err := w.look(ctx, i.Route.Source, evidence{}, nil); err == nil {
		r.view = v
		r.route, _ = v.route(i.Route)
	}
	return r.incident, true, r.tell(context.WithoutCancel(ctx))
}

// recalled is the latest answer that wants back what was written before it; the zero Approval: there is none.
func (w *Workflow) recalled(ctx context.Context, i incident.Incident) (incident.Approval, error) {
	answers, err := w.Approver.Answers(ctx, Question{Incident: i})
	if err != nil && !incident.Void(err) {
		return incident.Approval{}, fmt.Errorf("ask whether to undo: %w", err)
	}
	patches := i.Patches()
	for _, a := range answers {
		if a.Answer == incident.Undo && a.Counts(i.Plan, w.Now()) == nil && len(patches) > 0 && a.At.After(patches[len(patches)-1].At) &&
			w.Settings.Approvals.Admits(a.Approver) {
			return a, nil
		}
	}
	return incident.Approval{}, nil
}

// Standing is the edits that would undo what stands of an incident, the last first, for whoever is asked first.
func Standing(i incident.Incident) patch.Plan {
	var p patch.Plan
	for _, c := range slices.Backward(i.Changes) {
		if c.Stands() {
			p.Edits = append(p.Edits, inverse(c))
		}
	}
	return p
}

// settle finds out what became of changes that were intended, or about to be undone, when the worker before this one ended. Each is held
// against the live document: it was written, or it was not, or somebody else has changed the document since. What was written of a
// plan that did not get to its end is taken back, and the route is left for the next signal or a person. Under a thrown kill switch
// everything stays as it is.
func (r *run) settle(ctx context.Context) error {
	pending := slices.IndexFunc(r.incident.Changes, func(c incident.Change) bool {
		return c.State == incident.Intended || c.State == incident.Undoing
	})
	if pending < 0 {
		return nil
	}
	plan := Standing(r.incident)
	thrown, err := r.workflow.thrown(ctx, plan)
	if err != nil {
		return err
	}
	if r.unlock, err = r.workflow.lock(ctx, r.incident.ID, plan); err != nil {
		return err
	}
	if len(thrown) > 0 {
		r.over = true
		r.become(incident.Escalated, "an earlier worker ended in the middle of a plan; the kill switch is thrown, and what it wrote is left as it is")
		return nil
	}
	r.at = r.incident.Changes[pending].At
	partition := "aws"
	if d, ok := r.view.route(r.incident.Route); ok {
		partition = d.Of.Partition
	}
	wrote := false
	for n := range r.incident.Changes {
		c := &r.incident.Changes[n]
		live := r.view.snapshot.Document(refOf(*c))
		switch {
		case c.State != incident.Intended && c.State != incident.Undoing:
		case live.State == snapshot.Missing: // it cannot be told, and the store will not undo what it cannot read
		case c.State == incident.Undoing && patch.Alike(live, valueOf(c.Before), partition):
			c.State = incident.Undone
		case patch.Alike(live, valueOf(c.After), partition):
			c.State = incident.Written
		case patch.Alike(live, valueOf(c.Before), partition):
			c.State = incident.Unmade
		default:
			c.State = incident.Overrun
		}
		wrote = wrote || !c.At.Before(r.at) && c.State != incident.Unmade
	}
	if !wrote {
		r.log("an earlier worker ended before it wrote anything")
		err := r.unlock()
		r.unlock = nil
		return err
	}
	// The other worker may have come to its end, and recorded it, before the documents were locked here.
	if err := r.record(ctx); err != nil {
		return fmt.Errorf("record incident: %w", err)
	}
	if r.incident.Patched.IsZero() {
		r.incident.Patched = r.at
	}
	r.over = true
	r.become(incident.Escalated, "an earlier worker ended in the middle of a plan")
	return r.undo(context.WithoutCancel(ctx))
}
