package remedy

import (
	"context"
	"errors"
	"fmt"

	"github.com/replimend/replimend/internal/incident"
	"github.com/replimend/replimend/internal/patch"
	"github.com/replimend/replimend/internal/policy"
	"github.com/replimend/replimend/internal/snapshot"
)

// write makes the edits one after the other and says whether all are made. Otherwise it has undone what it wrote.
func (r *run) write(ctx context.Context) (bool, error) {
	for _, e := range r.plan.Edits {
		stopped, err := r.stopped(ctx, e.Account)
		switch {
		case err != nil:
			return false, r.abandon(ctx, "the kill switch could not be read", err)
		case stopped:
			// Who stopped everything wants no undoing either.
			r.become(incident.Escalated, "the kill switch was thrown; documents that were written are left as they are")
			return false, nil
		}
		// Whoever undoes this needs the image, so it is kept before there is anything to undo.
		r.incident.Changes = append(r.incident.Changes, incident.Change{
			Kind: string(e.Document.Kind), ID: e.Document.ID, Name: e.Document.Name, Account: e.Account,
			Before: pointer(e.Before), After: pointer(e.After), State: incident.Intended,
		})
		change := &r.incident.Changes[len(r.incident.Changes)-1]
		if err := r.workflow.Journal.Record(ctx, r.incident); err != nil {
			change.State = incident.Unmade
			return false, r.abandon(ctx, "the image of a document could not be kept", fmt.Errorf("record incident: %w", err))
		}
		err = r.workflow.Store.Put(ctx, e.Document, e.Before, e.After)
		if r.incident.Patched.IsZero() && !errors.Is(err, snapshot.ErrDrift) {
			r.incident.Patched = r.workflow.Now()
		}
		switch {
		case errors.Is(err, snapshot.ErrDrift):
			change.State = incident.Unmade
			return false, r.abandon(ctx, fmt.Sprintf("%s changed since it was read", e.Document), nil)
		case err != nil:
			return false, r.abandon(ctx, fmt.Sprintf("%s could not be written", e.Document), fmt.Errorf("write %s: %w", e.Document, err))
		}
		change.State = incident.Written
		r.log("wrote %s", e.Document)
	}
	return true, nil
}

// stopped asks again before every write: between the approval and the write somebody may have thrown the switch.
func (r *run) stopped(ctx context.Context, account string) (bool, error) {
	h, err := r.workflow.Journal.Past(ctx, r.incident.Route)
	if err != nil {
		return false, fmt.Errorf("read history: %w", err)
	}
	return h.Stopped(account), nil
}

// giveUp undoes a cure that is written and does not help.
func (r *run) giveUp(ctx context.Context, why string) error { return r.abandon(ctx, why, nil) }

// abandon undoes what was written and escalates. It returns the cause with what went wrong on the way back.
func (r *run) abandon(ctx context.Context, why string, cause error) error {
	r.become(incident.Escalated, "%s", why)
	// A deadline must not leave half a plan behind.
	return errors.Join(cause, r.undo(context.WithoutCancel(ctx)))
}

// undo takes back what may have been written, the last first. Where a document is no longer ours it is left alone: who changed
// it decided after us.
func (r *run) undo(ctx context.Context) error {
	var errs []error
	touched := patch.Plan{Edits: r.plan.Edits[:len(r.incident.Changes)]}
	for i, e := range touched.Invert().Edits {
		change := &r.incident.Changes[len(r.incident.Changes)-1-i]
		if change.State != incident.Written && change.State != incident.Intended {
			continue
		}
		intended := change.State == incident.Intended
		err := r.workflow.Store.Put(ctx, e.Document, e.Before, e.After)
		switch {
		case err == nil:
			change.State = incident.Undone
			r.log("undid %s", e.Document)
		case errors.Is(err, snapshot.ErrDrift) && intended:
			change.State = incident.Unmade
			r.log("%s is not as it would have been written: nothing to undo", e.Document)
		case errors.Is(err, snapshot.ErrDrift):
			change.State = incident.Overrun
			r.log("%s was changed by somebody else since, and is left as it is", e.Document)
		default:
			r.log("%s could not be undone", e.Document)
			errs = append(errs, fmt.Errorf("undo %s: %w", e.Document, err))
		}
	}
	return errors.Join(errs...)
}

func pointer(v snapshot.Value[policy.Document]) *policy.Document {
	if d, ok := v.Get(); ok {
		return &d
	}
	return nil
}
