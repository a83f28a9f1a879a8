package remedy

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/replimend/replimend/internal/guard"
	"github.com/replimend/replimend/internal/incident"
	"github.com/replimend/replimend/internal/patch"
	"github.com/replimend/replimend/internal/policy"
	"github.com/replimend/replimend/internal/snapshot"
)

// write makes the edits one after the other and says whether all are made. Otherwise it has undone what it wrote.
func (r *run) write(ctx context.Context) (done bool, err error) {
	if r.unlock == nil {
		if r.unlock, err = r.workflow.lock(ctx, r.incident.ID, r.plan); err != nil {
			return false, err
		}
	}
	for _, a := range r.approvals {
		if err := r.workflow.Approver.Use(ctx, a); err != nil {
			return false, fmt.Errorf("use approval: %w", err)
		}
	}
	r.at = r.workflow.Now()
	for written, e := range r.plan.Edits {
		stopped, err := r.workflow.stopped(ctx, e.Account)
		switch {
		case err != nil:
			return false, r.abandon(ctx, "the kill switch could not be read", err)
		case stopped != "":
			// Who stopped everything wants no undoing either.
			r.become(incident.Escalated, "the kill switch of %s was thrown; documents that were written are left as they are", stopped)
			return false, nil
		}
		if err := r.workflow.timely(ctx, len(r.plan.Edits)-written); err != nil && written > 0 {
			return false, r.abandon(ctx, "the time does not suffice for the rest of the plan", err)
		}
		// Whoever undoes this needs the image, so it is kept before there is anything to undo.
		r.incident.Changes = append(r.incident.Changes, incident.Change{
			Kind: string(e.Document.Kind), ID: e.Document.ID, Name: e.Document.Name, Account: e.Account, At: r.at,
			Before: pointer(e.Before), After: pointer(e.After), State: incident.Intended,
		})
		n := len(r.incident.Changes) - 1
		if err := r.record(ctx); err != nil {
			r.incident.Changes[n].State = incident.Unmade
			if errors.Is(err, incident.ErrStale) && e.Document == r.plan.Edits[0].Document {
				return false, err // another worker has the incident, and nothing was written here
			}
			return false, r.abandon(ctx, "the image of a document could not be kept", fmt.Errorf("record incident: %w", err))
		}
		err = r.workflow.Store.Put(ctx, r.authority(), e)
		change := &r.incident.Changes[n]
		if r.incident.Patched.IsZero() && !errors.Is(err, snapshot.ErrDrift) && !errors.Is(err, snapshot.ErrUnwritable) {
			r.incident.Patched = r.workflow.Now()
		}
		switch {
		case errors.Is(err, snapshot.ErrDrift):
			change.State = incident.Unmade
			return false, r.abandon(ctx, fmt.Sprintf("%s changed since it was read", e.Document), nil)
		case errors.Is(err, snapshot.ErrUnwritable):
			change.State = incident.Unmade
			return false, r.abandon(ctx, fmt.Sprintf("%s cannot be written as planned", e.Document), fmt.Errorf("write %s: %w", e.Document, err))
		case err != nil:
			return false, r.abandon(ctx, fmt.Sprintf("%s could not be written", e.Document), fmt.Errorf("write %s: %w", e.Document, err))
		}
		change.State = incident.Written
		r.log("wrote %s", e.Document)
	}
	return true, nil
}

// authority is on whose word the plan is carried out.
func (r *run) authority() incident.Authority {
	return incident.Authority{Incident: r.incident.ID, Approver: r.incident.Approver}
}

// lock takes the documents of a plan, and gives the function that gives them back. One document is one lock, in whichever part of
// a route it is edited.
func (w *Workflow) lock(ctx context.Context, id string, p patch.Plan) (func() error, error) {
	var documents []string
	for _, e := range p.Edits {
		if name := documentName(e.Document); !slices.Contains(documents, name) {
			documents = append(documents, name)
		}
	}
	slices.Sort(documents)
	holder := id + " " + w.Worker
	if err := w.Locker.Lock(ctx, holder, documents); err != nil {
		return nil, fmt.Errorf("lock documents: %w", err)
	}
	return func() error {
		if err := w.Locker.Unlock(context.WithoutCancel(ctx), holder, documents); err != nil {
			return fmt.Errorf("unlock documents: %w", err)
		}
		return nil
	}, nil
}

// documentName is what a lock is called: the resource and the kind of its policy, without the part that it plays. All inline
// policies of a role are one, because they share a limit.
func documentName(ref snapshot.Ref) string {
	switch {
	case ref.Kind.OfKey():
		return string(snapshot.KeyPolicy) + " " + ref.ID
	case ref.Kind.OfBucket():
		return string(snapshot.BucketPolicy) + " " + ref.ID
	}
	return string(ref.Kind) + " " + ref.ID
}

// stopped asks again before every write: between the approval and the write somebody may have thrown the switch. It says whose switch
// forbids writing in the account, in words; "": none.
func (w *Workflow) stopped(ctx context.Context, account string) (string, error) {
	thrown, err := w.thrown(ctx, patch.Plan{Edits: []patch.Edit{{Account: account}}})
	if err != nil || !(guard.History{KillSwitches: thrown}).Stopped(account) {
		return "", err
	}
	if slices.Contains(thrown, guard.Hub) {
		return "the hub", nil
	}
	return "account " + account, nil
}

// giveUp undoes a cure that is written and does not help.
func (r *run) giveUp(ctx context.Context, why string) error { return r.abandon(ctx, why, nil) }

// abandon undoes what was written and escalates. It returns the cause with what went wrong on the way back.
func (r *run) abandon(ctx context.Context, why string, cause error) error {
	r.become(incident.Escalated, "%s", why)
	// A deadline must not leave half a plan behind.
	return errors.Join(cause, r.undo(context.WithoutCancel(ctx)))
}

// undo takes back what this cure may have written, the last first. What an earlier cure of the incident wrote stays. That it begins
// is kept first, where that can be: who goes on when this worker ends in the middle must not take the rest for a cure.
func (r *run) undo(ctx context.Context) error {
	turn := func(from, to incident.ChangeState) {
		for n := range r.incident.Changes {
			if c := &r.incident.Changes[n]; c.State == from && !c.At.Before(r.at) {
				c.State = to
			}
		}
	}
	turn(incident.Written, incident.Undoing)
	_ = r.record(ctx) // it is kept at the end as well, and what went wrong told then
	err := r.workflow.takeBack(ctx, &r.incident, r.authority(), r.at)
	turn(incident.Undoing, incident.Written)
	return err
}

// takeBack undoes the changes that an incident made then or later, the last first. Where a document is no longer ours it is left
// alone: who changed it decided after us. So is one in an account whose kill switch is thrown: who stopped everything wants no undoing
// either.
func (w *Workflow) takeBack(ctx context.Context, i *incident.Incident, by incident.Authority, from time.Time) error {
	var errs []error
	for n := len(i.Changes) - 1; n >= 0; n-- {
		change := &i.Changes[n]
		if !change.Stands() || change.At.Before(from) {
			continue
		}
		e := inverse(*change)
		stopped, err := w.stopped(ctx, e.Account)
		if err == nil && stopped == "" {
			err = w.Store.Put(ctx, by, e)
		}
		switch {
		case stopped != "":
			i.Log(w.Now(), "the kill switch of %s is thrown: %s is left as it is", stopped, e.Document)
		case err == nil:
			change.State = incident.Undone
			i.Log(w.Now(), "undid %s", e.Document)
		case errors.Is(err, snapshot.ErrDrift):
			change.State = incident.Overrun
			i.Log(w.Now(), "%s was changed by somebody else since, and is left as it is", e.Document)
		default:
			i.Log(w.Now(), "%s could not be undone", e.Document)
			errs = append(errs, fmt.Errorf("undo %s: %w", e.Document, err))
		}
	}
	return errors.Join(errs...)
}

// inverse is the edit that undoes a change.
func inverse(c incident.Change) patch.Edit {
	return patch.Edit{
		Document: refOf(c), Account: c.Account, Before: valueOf(c.After), After: valueOf(c.Before), Class: patch.Approval,
	}
}

func refOf(c incident.Change) snapshot.Ref {
	return snapshot.Ref{Kind: snapshot.Kind(c.Kind), ID: c.ID, Name: c.Name}
}

func valueOf(d *policy.Document) snapshot.Value[policy.Document] {
	if d == nil {
		return snapshot.None[policy.Document]()
	}
	return snapshot.Of(*d)
}

func pointer(v snapshot.Value[policy.Document]) *policy.Document {
	if d, ok := v.Get(); ok {
		return &d
	}
	return nil
}
