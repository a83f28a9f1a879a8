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
	"github.com/replimend/replimend/internal/patch"
	"github.com/replimend/replimend/internal/settings"
	"github.com/replimend/replimend/internal/signal"
	"github.com/replimend/replimend/internal/snapshot"
)

// Snapshotter reads what the cloud looks like around every route that leaves a bucket. Samples are versions that are said to have
// failed; what S3 itself says of them is in the snapshot's objects. What it may not read is missing and listed; an error is for
// when it can say nothing.
type Snapshotter interface {
	Snapshot(ctx context.Context, source string, samples []incident.Object) (*snapshot.Snapshot, error)
}

// Store writes the document of an edit in place of the one before it; an absent document is deleted. It compares first: when the
// live document is not the one before, it writes nothing and the error is snapshot.ErrDrift; when AWS would not store the document or
// it must not be written, it writes nothing and the error is snapshot.ErrUnwritable. After any other error the document may have been
// written, and may show later: asked to undo it then, the same Store writes also where the document looks as it was before.
type Store interface {
	Put(ctx context.Context, by incident.Authority, e patch.Edit) error
}

// Replayer has S3 replicate versions again, and sees what became of them.
type Replayer interface {
	// Replay asks for it, at most once for each incident: asked again, it says how far it is. It does not wait for S3.
	Replay(ctx context.Context, r incident.Replay) (incident.Job, error)
	// Head is what S3 says of a version now. The error is incident.ErrGone when it is not there any more.
	Head(ctx context.Context, bucket, key, versionID string) (snapshot.Object, error)
}

// Journal remembers incidents.
type Journal interface {
	// Open joins the incident of the route that is not over, or opens this one. One of the same ID that is over already comes
	// back as it is: the message came twice.
	Open(ctx context.Context, i incident.Incident) (incident.Incident, error)
	// Record keeps the incident in place of the one that was read, and gives it back with its new revision. When somebody else
	// recorded it since, nothing is kept and the error is incident.ErrStale. A document is written only after its image is kept.
	Record(ctx context.Context, i incident.Incident) (incident.Incident, error)
	// Get is the incident of that ID, or incident.ErrNotFound.
	Get(ctx context.Context, id string) (incident.Incident, error)
	// List is the incidents that the filter takes, the newest first. What was opened or recorded a moment ago may not be in it.
	List(ctx context.Context, f incident.Filter) ([]incident.Summary, error)
	// Past is what was written before for the route, and how much since that time in every account.
	Past(ctx context.Context, r incident.Route, since time.Time) (incident.Past, error)
}

// Locker keeps two workers from writing the same document. A lock that nobody gives back ends by itself, later than any worker
// can live.
type Locker interface {
	// Lock takes all of them or none; incident.ErrLocked says that somebody else has one.
	Lock(ctx context.Context, holder string, documents []string) error
	// Unlock gives back those that the holder has.
	Unlock(ctx context.Context, holder string, documents []string) error
}

// Switches says where the kill switch is thrown: guard.Hub for everywhere, or some of the accounts. It is asked before every
// write.
type Switches interface {
	Thrown(ctx context.Context, accounts []string) ([]string, error)
}

// Notifier tells people. A notice that fails changes nothing of what was done.
type Notifier interface {
	Notify(ctx context.Context, m incident.Message) error
}

// Question is what people are asked: may this plan be carried out?
type Question struct {
	Incident incident.Incident
	Route    diagnose.Route
	Plan     patch.Plan
	Verdict  guard.Verdict
}

// Approver asks people. It may wait for their answers, as a terminal does, or not.
type Approver interface {
	// Answers is what people said to the plan of the question, the latest first, one for each person; none: nobody answered yet.
	// Answers that do not count, because they are forged, for another plan, used or expired, are left out: where that leaves
	// none, the error says why the latest does not count.
	Answers(ctx context.Context, q Question) ([]incident.Approval, error)
	// Use uses an approval up before anything is written on its word; incident.ErrUsed when it was used already.
	Use(ctx context.Context, a incident.Approval) error
}

// Suppressions says whether somebody silenced a route, and answers for it.
type Suppressions interface {
	// Suppressed is the suppressions that are in force for the route now: at most one for each cause, and one for all of them.
	Suppressed(ctx context.Context, r incident.Route) ([]incident.Suppression, error)
}

// Canary writes a small object to see it replicated, where a route opted in.
type Canary interface {
	// Write writes the object, once for each incident: asked again, it gives the version that it wrote.
	Write(ctx context.Context, c incident.Canary) (versionID string, err error)
	// Remove removes the version, and its replica where there is one. Nothing there is no error.
	Remove(ctx context.Context, c incident.Canary) error
}

// Workflow is everything that a cure needs. Approver may be nil: then nobody answers, and what would need an answer is not
// done. Switches, Suppressions and Canary may be nil: then there are none. Every other field is needed.
type Workflow struct {
	Settings    *settings.Settings
	Snapshotter Snapshotter
	Store       Store
	Replayer    Replayer
	Journal     Journal
	Locker      Locker
	Switches    Switches
	Notifier    Notifier
	Approver    Approver
	// Suppressions and Canary are for who has them.
	Suppressions Suppressions
	Canary       Canary
	Now          func() time.Time
	// Worker names who runs the workflow, no two at the same time by the same name: it holds the locks.
	Worker string
	// Attended says that a person sits there. Then the Approver is asked also for what the guard would let pass, and the Notifier
	// told also what is as it was.
	Attended bool
	// Propagation is the time until what was written holds everywhere: no replay is started before it, and what failed until then
	// does not count against a cure. Zero where whoever replays waits. IAM, KMS and S3 give no bound; most changes hold within
	// seconds, and KMS says that some take minutes.
	// https://docs.aws.amazon.com/kms/latest/developerguide/accessing-kms.html#programming-eventual-consistency
	Propagation time.Duration
	// Budget is how much time each write needs, with its image in the journal and with its undoing. With less until the deadline of
	// the context nothing is written.
	Budget time.Duration
}

// Handle looks at every bucket that the signals name, and cures the routes that they concern as far as the guard lets it. It
// returns an incident for each, also with an error: errors are for what went wrong in a port, and by then everything that was
// written has been undone where it had to be.
func (w *Workflow) Handle(ctx context.Context, signals []signal.Signal) ([]incident.Incident, error) {
	canary, err := w.Canaries(ctx, signals)
	if err != nil {
		return nil, err
	}
	hints := map[string][]signal.Signal{}
	for _, s := range signals {
		if !canary(s) {
			hints[s.Bucket] = append(hints[s.Bucket], s)
		}
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

// Known is what is known of a route besides the route itself.
type Known struct {
	Samples []incident.Object // versions that failed
	Changes []incident.Call   // calls of others that may have broken it. They can forbid a cure, and allow none
	Denials []signal.Denial   // KMS calls that were denied to the session in which S3 replicates: hints
}

// Cure looks at one route because a person, a schedule or a change asks, and cures it as Handle does. A rule that is not there, or not
// enabled, gives an incident that is ignored. Where nothing is said to have failed, an incident is opened only when something is
// wrong with the route: one that is in order, and has no open incident, costs the journal nothing.
func (w *Workflow) Cure(ctx context.Context, r incident.Route, k Known) (incident.Incident, error) {
	if len(k.Denials) > 0 {
		past, err := w.Journal.Past(ctx, r, w.Now())
		if err != nil {
			return incident.Incident{Route: r}, fmt.Errorf("read history: %w", err)
		}
		if p := patched(past); !p.IsZero() { // what was denied before the last patch held says nothing of the route as it is now
			k.Denials = slices.DeleteFunc(slices.Clone(k.Denials), func(d signal.Denial) bool { return !d.Time.After(p.Add(w.Propagation)) })
		}
	}
	incidents, err := w.visit(ctx, r.Source, evidence{denials: k.Denials}, k.Samples, []concern{{route: r, changes: k.Changes}})
	if err != nil {
		err = fmt.Errorf("remedy bucket %s: %w", r.Source, err)
	}
	if len(incidents) == 0 {
		return incident.Incident{Route: r}, err
	}
	return incidents[0], err
}

// bucket handles the signals of one bucket.
func (w *Workflow) bucket(ctx context.Context, bucket string, hints []signal.Signal) ([]incident.Incident, error) {
	cases := casesOf(hints)
	if len(cases) == 0 {
		return nil, nil
	}
	return w.visit(ctx, bucket, evidence{signals: hints}, samplesOf(hints), cases)
}

// visit looks at a bucket and takes each case as far as it goes.
func (w *Workflow) visit(ctx context.Context, bucket string, hints evidence, samples []incident.Object, cases []concern) ([]incident.Incident, error) {
	v, err := w.look(ctx, bucket, hints, samples)
	if err != nil {
		return nil, err
	}
	var out []incident.Incident
	var errs []error
	for _, c := range v.concerned(cases) {
		i, err := w.open(ctx, v, c, samples)
		if err != nil {
			errs = append(errs, fmt.Errorf("open incident of %s: %w", c.route, err))
			continue
		}
		if i.Over() {
			out = append(out, i) // the message came twice
			continue
		}
		r := run{workflow: w, view: v, hints: hints, samples: samples, incident: i}
		r.blame(c.changes...)
		if err := r.do(ctx); err != nil {
			errs = append(errs, fmt.Errorf("incident %s: %w", r.incident.ID, err))
		}
		out = append(out, r.incident)
		if r.incident.Patched.IsZero() {
			continue
		}
		// Routes of one bucket share documents: what is known of the next one is no longer so.
		if v, err = w.look(ctx, bucket, hints, samples); err != nil {
			return out, errors.Join(append(errs, err)...)
		}
	}
	return out, errors.Join(errs...)
}

// open joins or opens the incident of a case. A message that came twice finds the incident over; when the route is ill all the
// same, that is another incident. Nothing is kept of a route that is not there: anybody may invent one.
func (w *Workflow) open(ctx context.Context, v view, c concern, samples []incident.Object) (incident.Incident, error) {
	i := c.open(w.Now())
	d, there := v.route(c.route)
	if c.failures.Versions.IsZero() && len(samples) == 0 && (!there || w.sound(d)) {
		return w.join(ctx, v, c, there)
	}
	if !there {
		i.Become(incident.Ignored, w.Now(), "the bucket has no such enabled rule")
		return i, nil
	}
	i, err := w.Journal.Open(ctx, i)
	if err != nil || !i.Over() {
		return i, err
	}
	// The message says nothing of the route as it is now.
	if d, _ := (view{v.snapshot, diagnose.Diagnose(v.snapshot, nil)}).route(c.route); d.Verdict == diagnose.Healthy {
		return i, nil
	}
	// What the message says is told already. What failed of the new illness is found by looking.
	c.failures = incident.Failures{First: w.Now(), Last: w.Now()}
	return w.Journal.Open(ctx, c.open(w.Now()))
}

// sound says whether there is nothing to do for a route that nobody says failed. What works and is only less than it could be is
// told to whoever asks, and to nobody each time that something changes.
func (w *Workflow) sound(d diagnose.Route) bool {
	return d.Verdict == diagnose.Healthy || d.Verdict == diagnose.Degraded && d.Plan == nil && !w.Attended
}

// join is the incident of a sound route that is not over, or one that has to be opened again. Without any, nothing is kept.
func (w *Workflow) join(ctx context.Context, v view, c concern, there bool) (incident.Incident, error) {
	i, err := w.current(ctx, c.route)
	if err == nil || !errors.Is(err, incident.ErrNotFound) {
		return i, err
	}
	if i, ok, err := w.reopen(ctx, v, c); ok || err != nil {
		return i, err
	}
	i = c.open(w.Now())
	if there {
		i.Become(incident.Healthy, w.Now(), "nothing is wrong with the route now")
	} else {
		i.Become(incident.Ignored, w.Now(), "the bucket has no such enabled rule")
	}
	return i, nil
}

// current is the incident of a route that is not over, or incident.ErrNotFound.
func (w *Workflow) current(ctx context.Context, r incident.Route) (incident.Incident, error) {
	open, err := w.Journal.List(ctx, incident.Filter{Open: true, Source: r.Source})
	if err != nil {
		return incident.Incident{}, err
	}
	for _, s := range open {
		if s.Route == r {
			return w.Journal.Get(ctx, s.ID)
		}
	}
	return incident.Incident{}, fmt.Errorf("find the open incident of %s: %w", r, incident.ErrNotFound)
}

// reopen is the route's last incident, proven and over, when the cure must be taken back all the same: CloudTrail can tell of
// a change later than S3 of the failure, and S3 may have proven by then that the cure works.
func (w *Workflow) reopen(ctx context.Context, v view, c concern) (incident.Incident, bool, error) {
	if !slices.ContainsFunc(c.changes, func(c incident.Call) bool { return w.judge(c).Decision == guard.Refuse }) {
		return incident.Incident{}, false, nil
	}
	past, err := w.Journal.Past(ctx, c.route, w.Now())
	if err != nil || len(past.Incidents) == 0 {
		return incident.Incident{}, false, err
	}
	r := run{workflow: w, view: v, incident: past.Incidents[len(past.Incidents)-1]}
	if r.incident.Outcome != incident.Resolved {
		return incident.Incident{}, false, nil
	}
	r.become(incident.Proven, "opened again: CloudTrail's record of a change came after the cure")
	r.blame(c.changes...)
	return r.incident, r.stands() && r.late() != "", nil
}

// evidence is what others say of a bucket's routes: hints.
type evidence struct {
	signals []signal.Signal
	denials []signal.Denial
}

// view is what is known of a bucket's routes at one moment.
type view struct {
	snapshot  *snapshot.Snapshot
	diagnosis diagnose.Diagnosis
}

func (w *Workflow) look(ctx context.Context, bucket string, hints evidence, samples []incident.Object) (view, error) {
	s, err := w.Snapshotter.Snapshot(ctx, bucket, samples)
	if err != nil {
		return view{}, fmt.Errorf("take snapshot: %w", err)
	}
	return view{s, diagnose.Diagnose(s, hints.signals, hints.denials...)}, nil
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
