// Package remedy is the workflow: from signals to a cured route, and back where the cure does not help. It says what happens
// when; what is so is decided by the pure packages, and what touches the world is behind the ports that it declares.
//
// Functions and the command line run it with ports that reach AWS, tests and rehearsals with the lab. Nothing that a signal
// says decides anything here: it says where to look.
package remedy

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/replimend/replimend/internal/diagnose"
	"github.com/replimend/replimend/internal/guard"
	"github.com/replimend/replimend/internal/incident"
	"github.com/replimend/replimend/internal/policy"
	"github.com/replimend/replimend/internal/settings"
	"github.com/replimend/replimend/internal/signal"
	"github.com/replimend/replimend/internal/snapshot"
)

// Snapshotter reads what the cloud looks like around every route that leaves a bucket, with a sample of the versions of the
// bucket that FAILED. What it may not read is missing and listed; an error is for when it can say nothing.
type Snapshotter interface {
	Snapshot(ctx context.Context, source string) (*snapshot.Snapshot, error)
}

// Store writes one document in place of the one before it; an absent document is deleted. It compares first: when the live
// document is not the one before, it writes nothing and the error is snapshot.ErrDrift. After any other error the document may
// have been written.
type Store interface {
	Put(ctx context.Context, ref snapshot.Ref, before, after snapshot.Value[policy.Document]) error
}

// Replayer has S3 replicate versions again, and sees what became of them.
type Replayer interface {
	// Replay asks for it; it may come back before S3 is done. Replaying what is already replicated changes nothing.
	Replay(ctx context.Context, bucket string, objects []snapshot.Object) error
	// Head is what S3 says of a version now.
	Head(ctx context.Context, bucket, key, versionID string) (snapshot.Object, error)
}

// Journal remembers incidents.
type Journal interface {
	// Past is what was done for a route, and in which accounts, and where the kill switch is thrown. It is asked before every
	// write.
	Past(ctx context.Context, r incident.Route) (Past, error)
	// Record keeps the incident in place of what was kept under its ID. A document is written only after its image is kept.
	Record(ctx context.Context, i incident.Incident) error
}

// Past is what a journal knows of a route.
type Past struct {
	guard.History
	// Patched is when the route got its last patch; zero: never.
	Patched time.Time
	// Changes is what was written for this route, and for others as far as they are known, the oldest first. From it the workflow
	// sees what people take out again: the Removed and Now of the history are its own to fill.
	Changes []incident.Change
}

// Notifier tells people. A notice that fails changes nothing of what was done.
type Notifier interface {
	Notify(ctx context.Context, m incident.Message) error
}

// Approver asks people for their answer to the plan of an incident. It does not wait for one: the zero Approval is that
// nobody answered yet.
type Approver interface {
	Answer(ctx context.Context, i incident.Incident) (incident.Approval, error)
}

// Workflow is everything that a cure needs. Approver may be nil: then nobody answers, and what would need an answer is not
// done. Every other field is needed.
type Workflow struct {
	Settings    *settings.Settings
	Snapshotter Snapshotter
	Store       Store
	Replayer    Replayer
	Journal     Journal
	Notifier    Notifier
	Approver    Approver
	Now         func() time.Time
}

// Handle looks at every bucket that the signals name, and cures the routes that they concern as far as the guard lets it. It
// returns an incident for each, also with an error: errors are for what went wrong in a port, and by then everything that was
// written has been undone where it had to be.
func (w *Workflow) Handle(ctx context.Context, signals []signal.Signal) ([]incident.Incident, error) {
	hints := map[string][]signal.Signal{}
	for _, s := range signals {
		hints[s.Bucket] = append(hints[s.Bucket], s)
	}
	var out []incident.Incident
	var errs []error
	for _, bucket := range slices.Sorted(maps.Keys(hints)) {
		incidents, err := w.bucket(ctx, bucket, hints[bucket])
		out = append(out, incidents...)
		if err != nil {
			errs = append(errs, fmt.Errorf("remedy bucket %s: %w", bucket, err))
		}
	}
	return out, errors.Join(errs...)
}

// bucket handles the signals of one bucket.
func (w *Workflow) bucket(ctx context.Context, bucket string, hints []signal.Signal) ([]incident.Incident, error) {
	cases := casesOf(hints)
	if len(cases) == 0 {
		return nil, nil
	}
	v, err := w.look(ctx, bucket, hints)
	if err != nil {
		return nil, err
	}
	var out []incident.Incident
	var errs []error
	for _, c := range v.concerned(cases) {
		r := run{workflow: w, view: v, hints: hints, incident: c.open(w.Now())}
		if err := r.do(ctx); err != nil {
			errs = append(errs, fmt.Errorf("incident %s: %w", r.incident.ID, err))
		}
		out = append(out, r.incident)
		if r.incident.Patched.IsZero() {
			continue
		}
		// Routes of one bucket share documents: what is known of the next one is no longer so.
		if v, err = w.look(ctx, bucket, hints); err != nil {
			return out, errors.Join(append(errs, err)...)
		}
	}
	return out, errors.Join(errs...)
}

// view is what is known of a bucket's routes at one moment.
type view struct {
	snapshot  *snapshot.Snapshot
	diagnosis diagnose.Diagnosis
}

func (w *Workflow) look(ctx context.Context, bucket string, hints []signal.Signal) (view, error) {
	s, err := w.Snapshotter.Snapshot(ctx, bucket)
	if err != nil {
		return view{}, fmt.Errorf("take snapshot: %w", err)
	}
	return view{s, diagnose.Diagnose(s, hints)}, nil
}

// route is the diagnosis of that route.
func (v view) route(r incident.Route) (diagnose.Route, bool) {
	for _, d := range v.diagnosis.Routes {
		if d.Source == r.Source && d.Rule == r.Rule && d.Destination == r.Destination {
			return d, true
		}
	}
	return diagnose.Route{}, false
}
