package remedy_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/replimend/replimend/internal/incident"
	"github.com/replimend/replimend/internal/patch"
	"github.com/replimend/replimend/internal/remedy"
	"github.com/replimend/replimend/internal/settings"
	"github.com/replimend/replimend/internal/signal"
	"github.com/replimend/replimend/internal/snapshot"
)

// report hands the failures to the journal, which must take them as one incident.
func (w *world) report() incident.Incident {
	w.t.Helper()
	incidents, err := w.workflow.Report(w.t.Context(), w.failedBy)
	if err != nil || len(incidents) != 1 {
		w.t.Fatalf("%d incidents, want one: %v", len(incidents), err)
	}
	return incidents[0]
}

// TestReportOpensAndNothingElse: events say where to look, and are only written down.
func TestReportOpensAndNothingElse(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	w.approve(settings.Automatic)
	w.fail(objectKey)
	before, looks := w.documents(), w.looks
	first := w.report()
	w.now = w.now.Add(time.Minute)
	again := w.report()
	if first.Outcome != incident.Open || again.ID != first.ID || again.Revision != first.Revision || len(w.notes.Incidents()) != 1 {
		t.Errorf("opened %+v, and then %+v", first, again)
	}
	recovered := w.failedBy[0]
	recovered.Kind = signal.ReplicatedAfterThreshold
	if got, err := w.workflow.Report(t.Context(), []signal.Signal{recovered}); err != nil || len(got) > 0 {
		t.Errorf("a recovery opens %v, %v", got, err)
	}
	if w.looks != looks || w.puts > 0 || len(w.messages) > 0 || w.documents() != before {
		t.Errorf("%d looks, %d writes, %d messages", w.looks-looks, w.puts, len(w.messages))
	}
	i, err := w.workflow.Resume(t.Context(), first.ID)
	if err != nil || i.ID != first.ID {
		t.Fatalf("incident %s, %v", i.ID, err)
	}
	w.expect(i, incident.Resolved, before, true)
	done := w.puts
	if i, err = w.workflow.Resume(t.Context(), first.ID); err != nil || i.Outcome != incident.Resolved || w.puts != done || len(w.messages) != 1 {
		t.Errorf("resumed again: outcome %s, %d writes, %d messages, %v", i.Outcome, w.puts-done, len(w.messages), err)
	}
	if _, err := w.workflow.Resume(t.Context(), "inc-00000000000000000000"); !errors.Is(err, incident.ErrNotFound) {
		t.Errorf("an incident that is not there: %v", err)
	}
}

// counting counts what a journal is asked to open, and refuses what it is told to.
type counting struct {
	remedy.Journal
	opened int
	refuse string // the rule of a route
}

func (c *counting) Open(ctx context.Context, i incident.Incident) (incident.Incident, error) {
	c.opened++
	if i.Route.Rule == c.refuse {
		return incident.Incident{}, errPort
	}
	return c.Journal.Open(ctx, i)
}

// TestReportCostsByRoutes and not by events, and what one route meets with is not another's.
func TestReportCostsByRoutes(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	var signals []signal.Signal
	for n := range 10_000 {
		signals = append(signals, signal.Signal{
			Kind: signal.Failed, Bucket: source, Rule: fmt.Sprintf("r%d", n%2), Destination: "arn:aws:s3:::" + destination,
			Key: fmt.Sprintf("ledger/%d", n), VersionID: "v", EventTime: w.now.Add(time.Duration(n) * time.Second), RequestTime: w.now,
		})
	}
	j := &counting{Journal: w.notes}
	w.workflow.Journal = j
	got, err := w.workflow.Report(t.Context(), signals)
	if err != nil || len(got) != 2 || j.opened != 2 {
		t.Fatalf("%d incidents, %d opened, %v", len(got), j.opened, err)
	}
	n, _ := got[0].Failures.Count()
	if n < 4_000 || n > 6_000 || !got[0].Failures.Written.Equal(w.now) || !got[0].Failures.Last.Equal(w.now.Add(9_998*time.Second)) {
		t.Errorf("%d versions failed, written %s, the last %s", n, got[0].Failures.Written, got[0].Failures.Last)
	}
	j.refuse = "r0"
	if got, err = w.workflow.Report(t.Context(), signals); !errors.Is(err, errPort) || len(got) != 1 || got[0].Route.Rule != "r1" {
		t.Errorf("kept %+v, %v", got, err)
	}
}

// TestPropagation: no replay is started before what was written holds everywhere, and nobody sleeps for it.
func TestPropagation(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	w.approve(settings.Automatic)
	w.fail(objectKey)
	w.workflow.Propagation = 2 * time.Minute
	id := w.report().ID
	start := w.now
	for {
		i, err := w.workflow.Resume(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		if i.Over() {
			if i.Outcome != incident.Resolved || w.now.Sub(start) < w.workflow.Propagation || w.now.Sub(start) > 5*time.Minute {
				t.Errorf("outcome %s after %s", i.Outcome, w.now.Sub(start))
			}
			break
		}
		if i.Outcome != incident.Applied || len(w.replays) > 0 {
			t.Fatalf("outcome %s and %d replays after %s: %v", i.Outcome, len(w.replays), w.now.Sub(start), i.Timeline)
		}
		due, ok := remedy.Due(i, w.now)
		if !ok {
			t.Fatal("nobody looks again")
		}
		w.now = w.now.Add(due)
	}
	if len(w.replays) != 1 || w.puts != 2 {
		t.Errorf("%d replays, %d writes", len(w.replays), w.puts)
	}
}

// TestSomeReplicatedIsProof: what a replay brought over is no longer among what failed, and still says that the cure helps.
func TestSomeReplicatedIsProof(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	w.approve(settings.Automatic)
	w.fail("ledger/one")
	w.fail("ledger/two")
	w.slow = true
	i, err := w.workflow.Resume(t.Context(), w.report().ID)
	if err != nil || i.Outcome != incident.Applied || i.Job.State != incident.JobRunning {
		t.Fatalf("outcome %s, job %+v, %v", i.Outcome, i.Job, err)
	}
	w.somebodyAdds(bucketRef, `{"Sid": "Theirs", "Effect": "Deny", "Principal": "*", "Action": "s3:Replicate*", "Resource": "arn:aws:s3:::`+destination+`/ledger/two"}`)
	if err := w.Replicate(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.slow = false
	w.workflow.Replayer = finished{w}
	w.now = w.now.Add(time.Minute)
	before := w.documents()
	if i, err = w.workflow.Resume(t.Context(), i.ID); err != nil {
		t.Fatal(err)
	}
	w.expect(i, incident.Proven, before, false)
}

// finished is a replayer whose job is at its end, and does not try anything again.
type finished struct{ *world }

func (finished) Replay(_ context.Context, q incident.Replay) (incident.Job, error) {
	return incident.Job{ID: q.Incident, State: incident.JobComplete, Total: 2, Succeeded: 1, Failed: 1}, nil
}

// until is a context that ends then, by the clock of the lab.
type until struct {
	context.Context
	end time.Time
}

func (u until) Deadline() (time.Time, bool) { return u.end, true }

// TestTimeIsLeft for what is begun: without, nothing is written, no approval is used, and later all is well.
func TestTimeIsLeft(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		left   time.Duration
		during time.Duration // how long the first write takes
		want   error
		puts   int
	}{
		"none":                       {59 * time.Second, 0, remedy.ErrTime, 0},
		"for one document of two":    {119 * time.Second, 0, remedy.ErrTime, 0},
		"for both":                   {2 * time.Minute, 0, nil, 2},
		"and then it was used up":    {2 * time.Minute, 61 * time.Second, remedy.ErrTime, 2}, // the second is the way back
		"and the write was not slow": {2 * time.Minute, 60 * time.Second, nil, 2},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, nil)
			w.approve(settings.Approve)
			w.answer = approving
			w.fail(objectKey)
			id, before := w.report().ID, w.documents()
			w.workflow.Budget = time.Minute
			w.afterPut = func(n int, _ snapshot.Ref) error {
				if n == 1 {
					w.now = w.now.Add(tt.during)
				}
				return nil
			}
			i, err := w.workflow.Resume(until{t.Context(), w.now.Add(tt.left)}, id)
			if !errors.Is(err, tt.want) || w.puts != tt.puts || tt.want != nil && w.documents() != before {
				t.Fatalf("error %v, %d writes, outcome %s:\n%s", err, w.puts, i.Outcome, w.documents())
			}
			if tt.puts == 0 && (len(w.used) > 0 || i.Wrote() || len(w.messages) > 0) {
				t.Errorf("used %+v, changes %+v, %d messages", w.used, i.Changes, len(w.messages))
			}
			if i, err = w.workflow.Resume(t.Context(), id); err != nil || i.Outcome != incident.Resolved {
				t.Errorf("later: outcome %s, %v", i.Outcome, err)
			}
		})
	}
}

// TestDue is the table of who is looked at again.
func TestDue(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	cured := func(o incident.Outcome, ago time.Duration, s incident.JobState) incident.Incident {
		return incident.Incident{Outcome: o, Job: incident.Job{State: s}, Changes: []incident.Change{
			{Account: "111122223333", At: now.Add(-48 * time.Hour), State: incident.Undone},
			{Account: "111122223333", At: now.Add(-ago), State: incident.Written},
		}}
	}
	const h, m = time.Hour, time.Minute
	for name, tt := range map[string]struct {
		incident incident.Incident
		want     time.Duration
	}{
		"just written":             {cured(incident.Applied, 0, ""), m},
		"written a while ago":      {cured(incident.Applied, 7*m, ""), 7 * m},
		"written long ago":         {cured(incident.Applied, 5*h, ""), 15 * m},
		"written a day ago":        {cured(incident.Applied, 24*h, ""), 0},
		"a clock that is behind":   {cured(incident.Applied, -h, ""), m},
		"a replay runs":            {cured(incident.Applied, 0, incident.JobRunning), 5 * m},
		"it runs for days":         {cured(incident.Applied, 48*h, incident.JobRunning), 5 * m},
		"it is at its end":         {cured(incident.Applied, 7*m, incident.JobComplete), 7 * m},
		"proven, and it runs":      {cured(incident.Proven, 7*m, incident.JobRunning), 5 * m},
		"proven":                   {cured(incident.Proven, 7*m, incident.JobComplete), 0},
		"taken back while it runs": {cured(incident.Escalated, 7*m, incident.JobRunning), 0},
		"resolved":                 {cured(incident.Resolved, 7*m, incident.JobComplete), 0},
		"nobody answered":          {incident.Incident{Outcome: incident.AwaitingApproval}, 0},
		"new":                      {incident.Incident{Outcome: incident.Open}, 0},
	} {
		if got, ok := remedy.Due(tt.incident, now); got != tt.want || ok != (tt.want > 0) {
			t.Errorf("%s: in %s, %t, want %s", name, got, ok, tt.want)
		}
	}
}

// mortal is the ports of a worker that ends at a step: before what a port does, or after it.
type mortal struct {
	*world
	left  int // steps until it ends
	ended bool
}

// step is one call of a port. Once the worker ended nothing is done any more, and no lock is given back.
func (m *mortal) step() {
	if m.left--; m.left == 0 {
		m.ended = true
		panic(errDeath)
	}
}

func stepping[T any](m *mortal, do func() (T, error)) (T, error) {
	m.step()
	out, err := do()
	m.step()
	return out, err
}

func (m *mortal) stepping(do func() error) error {
	_, err := stepping(m, func() (struct{}, error) { return struct{}{}, do() })
	return err
}

func (m *mortal) Open(ctx context.Context, i incident.Incident) (incident.Incident, error) {
	return stepping(m, func() (incident.Incident, error) { return m.world.Open(ctx, i) })
}

func (m *mortal) Record(ctx context.Context, i incident.Incident) (incident.Incident, error) {
	return stepping(m, func() (incident.Incident, error) { return m.world.Record(ctx, i) })
}

func (m *mortal) Put(ctx context.Context, by incident.Authority, e patch.Edit) error {
	return m.stepping(func() error { return m.world.Put(ctx, by, e) })
}

func (m *mortal) Replay(ctx context.Context, q incident.Replay) (incident.Job, error) {
	return stepping(m, func() (incident.Job, error) { return m.world.Replay(ctx, q) })
}

func (m *mortal) Notify(ctx context.Context, n incident.Message) error {
	return m.stepping(func() error { return m.world.Notify(ctx, n) })
}

func (m *mortal) Lock(ctx context.Context, holder string, documents []string) error {
	return m.stepping(func() error { return m.notes.Lock(ctx, holder, documents) })
}

func (m *mortal) Unlock(ctx context.Context, holder string, documents []string) error {
	if m.ended {
		return nil
	}
	return m.stepping(func() error { return m.notes.Unlock(ctx, holder, documents) })
}

// lives says whether the worker is alive after that.
func (m *mortal) lives(do func()) (alive bool) {
	defer func() {
		if r := recover(); r != nil {
			if r != errDeath {
				panic(r)
			}
			alive = false
		}
	}()
	do()
	return true
}

// TestWorkerEndsAnywhere: it ends before and after every step there is, its locks stay, and others bring the incident to its end,
// with the documents that a worker who lives leaves.
func TestWorkerEndsAnywhere(t *testing.T) {
	t.Parallel()
	for name, slow := range map[string]bool{"S3 replicates at once": false, "S3 replicates later": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			want := ""
			steps := 0
			for n := 0; ; n++ { // the first lives
				w := newWorld(t, nil)
				w.approve(settings.Automatic)
				w.fail(objectKey)
				w.slow = slow
				m := &mortal{world: w, left: n}
				ended := m.untilResolved(n)
				if t.Failed() {
					t.Fatalf("when the worker ended at step %d", n)
				}
				switch {
				case n == 0:
					want = w.documents()
				case w.documents() != want:
					t.Fatalf("when the worker ended at step %d, the documents are\n%s\nwant\n%s", n, w.documents(), want)
				case !ended:
					if steps = n - 1; steps < 18 {
						t.Errorf("only %d steps were reached", steps)
					}
					t.Logf("%d steps", steps)
					return
				}
			}
		})
	}
}

// untilResolved has the mortal worker begin and others go on, as a queue would, and says whether the mortal one ended.
func (m *mortal) untilResolved(n int) (ended bool) {
	w, t := m.world, m.t
	before := w.documents()
	immortal := w.workflow
	immortal.Worker = "other"
	dying := w.workflow
	dying.Journal, dying.Store, dying.Replayer, dying.Notifier, dying.Locker = m, m, m, m, m
	now := &dying
	try := func(do func(*remedy.Workflow)) {
		if !m.lives(func() { do(now) }) {
			now = &immortal
		}
	}
	var id string
	report := func(f *remedy.Workflow) {
		incidents, err := f.Report(t.Context(), w.failedBy)
		if err != nil || len(incidents) != 1 {
			t.Fatalf("%d incidents, %v", len(incidents), err)
		}
		id = incidents[0].ID
	}
	if try(report); id == "" {
		try(report)
	}
	var i incident.Incident
	for range 8 {
		try(func(f *remedy.Workflow) {
			var err error
			if i, err = f.Resume(t.Context(), id); err != nil && !errors.Is(err, incident.ErrLocked) {
				t.Errorf("resume: %v", err)
			}
		})
		kept, err := w.notes.Get(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		if kept.Outcome == incident.Escalated && w.documents() != before {
			t.Errorf("taken back, and the documents are\n%s\n%v", w.documents(), kept.Timeline)
		}
		if kept.Over() {
			i = kept
			break
		}
		if w.slow && len(w.replays) > 0 { // meanwhile S3 goes on by itself
			w.slow = false
			if err := w.Replicate(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		w.now = w.now.Add(time.Hour)
	}
	if i.Outcome != incident.Resolved || len(w.notes.Incidents()) != 1 {
		t.Errorf("outcome %s of %d incidents: %v", i.Outcome, len(w.notes.Incidents()), i.Timeline)
	}
	for _, c := range i.Changes {
		if c.State == incident.Intended || c.State == incident.Overrun {
			t.Errorf("%s of %s is %s", c.Kind, c.ID, c.State)
		}
	}
	if n == 0 && len(w.messages) == 0 || strings.Contains(fmt.Sprint(w.messages), objectKey) {
		t.Errorf("messages %v", w.messages)
	}
	return m.ended
}
