package remedy_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/replimend/replimend/internal/guard"
	"github.com/replimend/replimend/internal/incident"
	"github.com/replimend/replimend/internal/patch"
	"github.com/replimend/replimend/internal/policy"
	"github.com/replimend/replimend/internal/remedy"
	"github.com/replimend/replimend/internal/settings"
	"github.com/replimend/replimend/internal/snapshot"
)

// TestHistoryCountsCures: a cure is what was written at one time, however many documents it has.
func TestHistoryCountsCures(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	cure := func(ago time.Duration, states ...incident.ChangeState) []incident.Change {
		var out []incident.Change
		for _, s := range states {
			out = append(out, incident.Change{Account: "111122223333", At: now.Add(-ago), State: s})
		}
		return out
	}
	of := func(o incident.Outcome, cures ...[]incident.Change) incident.Incident {
		return incident.Incident{Outcome: o, Changes: slices.Concat(cures...)}
	}
	const w, u, n, o = incident.Written, incident.Undone, incident.Unmade, incident.Overrun
	tests := map[string]struct {
		incidents      []incident.Incident
		patches, fails int
	}{
		"nothing was done":                         {nil, 0, 0},
		"one cure of two documents":                {[]incident.Incident{of(incident.Applied, cure(time.Minute, w, w))}, 1, 0},
		"an hour ago":                              {[]incident.Incident{of(incident.Applied, cure(time.Hour, w))}, 0, 0},
		"nothing was written":                      {[]incident.Incident{of(incident.Escalated, cure(time.Minute, n))}, 0, 0},
		"a cure that was taken back":               {[]incident.Incident{of(incident.Escalated, cure(time.Minute, u, u))}, 1, 1},
		"one that somebody changed before":         {[]incident.Incident{of(incident.Escalated, cure(time.Minute, o))}, 1, 1},
		"two of one incident":                      {[]incident.Incident{of(incident.Escalated, cure(2*time.Minute, u), cure(time.Minute, n, u))}, 2, 2},
		"two of two incidents":                     {[]incident.Incident{of(incident.Escalated, cure(2*time.Minute, u)), of(incident.Escalated, cure(time.Minute, u))}, 2, 2},
		"a proven one between":                     {[]incident.Incident{of(incident.Escalated, cure(3*time.Minute, u)), of(incident.Resolved, cure(2*time.Minute, w)), of(incident.Escalated, cure(time.Minute, u))}, 3, 1},
		"the kill switch left it as it is":         {[]incident.Incident{of(incident.Escalated, cure(time.Minute, w))}, 1, 0},
		"failed, then proven in the same incident": {[]incident.Incident{of(incident.Proven, cure(2*time.Minute, u), cure(time.Minute, w))}, 2, 0},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := remedy.History(incident.Past{Incidents: tt.incidents, Patches: map[string]int{"444455556666": 3}}, patch.Plan{}, now)
			if h.RoutePatches != tt.patches || h.FailedCures != tt.fails || h.AccountPatches["444455556666"] != 3 || !h.Now.Equal(now) {
				t.Errorf("%d patches and %d failed cures, want %d and %d: %+v", h.RoutePatches, h.FailedCures, tt.patches, tt.fails, h)
			}
		})
	}
}

// TestPeopleAreToldOnce: what fails on and on joins the incident, and only what is new is said.
func TestPeopleAreToldOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	w.approve(settings.Observe)
	for n := range 3 {
		w.fail("ledger/" + strings.Repeat("x", n+1))
		i, err := w.handle(t.Context())
		if err != nil || i.Outcome != incident.Refused {
			t.Fatalf("outcome %s, %v", i.Outcome, err)
		}
		if count, _ := i.Failures.Count(); count != int64(n+1) {
			t.Errorf("%d versions failed, want %d", count, n+1)
		}
		w.now = w.now.Add(time.Hour)
	}
	if kept := w.notes.Incidents(); len(kept) != 1 || len(w.messages) != 1 {
		t.Fatalf("%d incidents and %d messages, want one of each", len(kept), len(w.messages))
	}
	w.workflow.Settings.Routes[0].Mode = settings.Automatic
	if i, err := w.handle(t.Context()); err != nil || i.Outcome != incident.Resolved || len(w.messages) != 2 {
		t.Errorf("outcome %s, %d messages, %v", i.Outcome, len(w.messages), err)
	}
}

// TestWhoIsThereIsAsked: a person at a terminal sees what the guard would let pass before it is done.
func TestWhoIsThereIsAsked(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		answer func(incident.Incident) incident.Approval
		want   incident.Outcome
	}{"yes": {approving, incident.Resolved}, "no answer": {nil, incident.AwaitingApproval}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, nil)
			w.approve(settings.Automatic)
			w.fail(objectKey)
			before := w.documents()
			w.workflow.Attended, w.answer = true, tt.answer
			i, err := w.handle(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			w.expect(i, tt.want, before, tt.want == incident.Resolved)
			for _, by := range w.by {
				if by.Incident != i.ID || by.Approver != "arn:aws:iam::111122223333:role/admin" {
					t.Errorf("written on the word of %+v", by)
				}
			}
		})
	}
}

// TestApprovalIsUsedUpBeforeTheWrite: one that was used already, or cannot be, is no approval.
func TestApprovalIsUsedUpBeforeTheWrite(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	w.approve(settings.Approve)
	w.fail(objectKey)
	w.answer = approving
	w.onUse = func() error { return incident.ErrUsed }
	if i, err := w.handle(t.Context()); !errors.Is(err, incident.ErrUsed) || w.puts > 0 || len(i.Changes) > 0 {
		t.Errorf("error %v, %d writes, changes %+v", err, w.puts, i.Changes)
	}
	w.onUse = func() error {
		if w.puts > 0 {
			t.Error("it is used after the write")
		}
		return nil
	}
	if i, err := w.handle(t.Context()); err != nil || i.Outcome != incident.Resolved || len(w.used) != 2 || w.used[1].Plan != i.Plan {
		t.Errorf("outcome %s, used %+v, %v", i.Outcome, w.used, err)
	}
}

// TestInventedRoutesAreNotKept: anybody who may write events may name a rule that is not there.
func TestInventedRoutesAreNotKept(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	w.approve(settings.Automatic)
	w.fail(objectKey)
	w.failedBy[0].Rule = "invented"
	if i, err := w.handle(t.Context()); err != nil || i.Outcome != incident.Ignored || len(w.notes.Incidents()) > 0 || len(w.messages) > 0 {
		t.Errorf("outcome %s, %d kept, %v", i.Outcome, len(w.notes.Incidents()), err)
	}
}

// TestWhoAsksForARouteGetsIt: without any event there are no failures to report, and the cure is the same.
func TestWhoAsksForARouteGetsIt(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	w.approve(settings.Automatic)
	w.fail(objectKey)
	before := w.documents()
	i, err := w.workflow.Cure(t.Context(), incident.Route{Source: source, Rule: "r1", Destination: destination}, remedy.Known{})
	if err != nil {
		t.Fatal(err)
	}
	w.expect(i, incident.Resolved, before, true)
	if i, err = w.workflow.Cure(t.Context(), incident.Route{Source: source, Rule: "r9", Destination: destination}, remedy.Known{}); err != nil || i.Outcome != incident.Ignored {
		t.Errorf("a rule that is not there: outcome %s, %v", i.Outcome, err)
	}
}

// TestReplayAsksForTheOutage: exactly what failed, where all of it is known.
func TestReplayAsksForTheOutage(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	w.approve(settings.Automatic)
	w.fail(objectKey)
	if _, err := w.handle(t.Context()); err != nil || len(w.replays) != 1 {
		t.Fatalf("%d replays, %v", len(w.replays), err)
	}
	q, s := w.replays[0], w.failedBy[0]
	if len(q.Objects) != 1 || q.Objects[0].Key != objectKey || q.Objects[0].VersionID != s.VersionID || q.Versions != 1 {
		t.Errorf("replays %+v", q)
	}
	if q.Account != "111122223333" || q.Region == "" || !q.Since.Equal(s.RequestTime) || !q.Until.Equal(w.now) {
		t.Errorf("replays in account %s, region %s, from %s to %s", q.Account, q.Region, q.Since, q.Until)
	}
}

// TestWorkerThatEnded: the next one finds out what became of the document that was to be written, and nothing is half done.
func TestWorkerThatEnded(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		die    func(w *world) // sets the moment at which the first worker ends
		theirs bool           // somebody changes the document before the second one comes
		first  incident.Outcome
		second incident.Outcome
	}{
		"between the image and the first write":  {func(w *world) { w.onPut = dying(1) }, false, incident.Escalated, incident.Resolved},
		"between the image and the second write": {func(w *world) { w.onPut = dying(2) }, false, incident.Escalated, incident.Resolved},
		"after the first write":                  {func(w *world) { w.afterPut = dying(1) }, false, incident.Escalated, incident.Resolved},
		"after the second write":                 {func(w *world) { w.afterPut = dying(2) }, false, incident.Escalated, incident.Resolved},
		"and somebody wrote after it":            {func(w *world) { w.afterPut = dying(1) }, true, incident.Escalated, incident.Resolved},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, nil)
			w.approve(settings.Automatic)
			w.fail(objectKey)
			before := w.documents()
			tt.die(w)
			w.workflow.Locker = held{w.notes}
			func() {
				defer func() {
					if r := recover(); r != errDeath {
						t.Fatalf("the worker did not end: %v", r)
					}
				}()
				_, _ = w.handle(t.Context())
			}()
			w.onPut, w.afterPut = nil, nil
			w.workflow.Locker, w.workflow.Worker = w.notes, "second"
			if tt.theirs {
				w.somebodyAdds(keyRef, `{"Sid": "TheirOwn", "Effect": "Deny", "Principal": {"AWS": "*"}, "Action": "kms:CreateGrant", "Resource": "*"}`)
			}
			// The lock of the dead is still there.
			if _, err := w.handle(t.Context()); !errors.Is(err, incident.ErrLocked) {
				t.Fatalf("error %v, want that the document is locked", err)
			}
			w.now = w.now.Add(incident.Lease)
			kept := w.notes.Incidents()
			wrote := strings.Contains(w.documents(), `"Sid": "Replimend`)
			i, err := w.handle(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if !wrote {
				// Nothing had been written, so that the second worker goes on at once.
				if i.Outcome != incident.Resolved || i.ID != kept[0].ID {
					t.Errorf("outcome %s: %v", i.Outcome, i.Timeline)
				}
				return
			}
			if i.Outcome != tt.first || !tt.theirs && w.documents() != before {
				t.Errorf("outcome %s, want %s:\n%s\n%v", i.Outcome, tt.first, w.documents(), i.Timeline)
			}
			if tt.theirs && !strings.Contains(w.documents(), "TheirOwn") {
				t.Errorf("what somebody wrote is gone:\n%s", w.documents())
			}
			w.now = w.now.Add(time.Hour)
			if i, err = w.handle(t.Context()); err != nil || i.Outcome != tt.second {
				t.Errorf("the next time: outcome %s, %v: %v", i.Outcome, err, i.Timeline)
			}
		})
	}
}

// held is a locker whose locks nobody gives back: a worker that ended does not.
type held struct{ *remedy.Notes }

func (held) Unlock(context.Context, string, []string) error { return nil }

var errDeath = errors.New("the worker ends here")

func dying(at int) func(int, snapshot.Ref) error {
	return func(n int, _ snapshot.Ref) error {
		if n == at {
			panic(errDeath)
		}
		return nil
	}
}

// TestReplayIsFollowedLater: the job is not done when the worker ends. The next one looks at what became of it, and asks for no other.
func TestReplayIsFollowedLater(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		meanwhile func(w *world) error
		want      incident.Outcome
	}{
		"S3 is done":                       {func(w *world) error { return w.Replicate(w.t.Context()) }, incident.Resolved},
		"S3 fails them again":              {func(w *world) error { w.somebodyAdds(bucketRef, denyAll); return w.Replicate(w.t.Context()) }, incident.Escalated},
		"S3 is not done yet":               {func(*world) error { return nil }, incident.Applied},
		"the cure was taken out meanwhile": {func(w *world) error { return w.SetPolicy(roleRef, snapshot.None[policy.Document]()) }, incident.Applied},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, nil)
			w.approve(settings.Automatic)
			w.fail(objectKey)
			w.slow = true
			first, err := w.handle(t.Context())
			if err != nil || first.Outcome != incident.Applied || first.Job.State != incident.JobRunning {
				t.Fatalf("outcome %s, job %+v, %v", first.Outcome, first.Job, err)
			}
			if err := tt.meanwhile(w); err != nil {
				t.Fatal(err)
			}
			w.slow = name == "S3 is not done yet"
			w.now = w.now.Add(time.Minute)
			i, err := w.workflow.Cure(t.Context(), first.Route, remedy.Known{})
			if err != nil || i.ID != first.ID || i.Outcome != tt.want {
				t.Errorf("outcome %s, want %s, %v: %v", i.Outcome, tt.want, err, i.Timeline)
			}
			if tt.want == incident.Escalated && strings.Contains(w.documents(), `"Sid": "Replimend`) {
				t.Errorf("what does not help stays:\n%s", w.documents())
			}
		})
	}
}

// TestTwoWorkers: while one has the documents, the other writes nothing and says so, and loses nothing.
func TestTwoWorkers(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	w.approve(settings.Automatic)
	w.fail(objectKey)
	other := w.workflow
	other.Worker = "other"
	w.onPut = func(n int, _ snapshot.Ref) error {
		if n != 1 {
			return nil
		}
		_, err := other.Handle(t.Context(), w.failedBy)
		if !errors.Is(err, incident.ErrLocked) && !errors.Is(err, incident.ErrStale) {
			t.Errorf("error %v, want that the document is locked", err)
		}
		return nil
	}
	if i, err := w.handle(t.Context()); err != nil || i.Outcome != incident.Resolved || w.puts != 2 {
		t.Errorf("outcome %s, %d writes, %v", i.Outcome, w.puts, err)
	}
	if len(w.messages) != 1 {
		t.Errorf("%d messages", len(w.messages))
	}
}

// TestUndoBringsBackWhatWas, the last change first, on the word of who asked.
func TestUndoBringsBackWhatWas(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	w.approve(settings.Automatic)
	w.fail(objectKey)
	before := w.documents()
	i, err := w.handle(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	by := incident.Authority{Incident: i.ID, Approver: "arn:aws:iam::111122223333:user/jane"}
	if plan := remedy.Standing(i); len(plan.Edits) != 2 || plan.Edits[0].Document != roleRef {
		t.Errorf("would undo %+v", plan.Edits)
	}
	w.notes.Throw(guard.Hub)
	if _, err := w.workflow.Undo(t.Context(), i, by); err == nil || w.documents() == before {
		t.Errorf("undone under a thrown kill switch: %v", err)
	}
	w.workflow.Switches = nil
	i, err = w.workflow.Undo(t.Context(), i, by)
	if err != nil || w.documents() != before || w.by[len(w.by)-1] != by {
		t.Errorf("error %v:\n%s", err, w.documents())
	}
	if text := i.Timeline[len(i.Timeline)-1].Text; !strings.Contains(text, "taken back") || i.Changes[0].State != incident.Undone {
		t.Errorf("timeline %v, changes %+v", i.Timeline, i.Changes)
	}
	if _, err := w.workflow.Undo(t.Context(), i, by); !errors.Is(err, remedy.ErrNothingToUndo) {
		t.Errorf("a second time: %v", err)
	}
}

// TestUndoLeavesWhatIsNotOurs alone.
func TestUndoLeavesWhatIsNotOurs(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	w.approve(settings.Automatic)
	w.fail(objectKey)
	i, err := w.handle(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	w.somebodyAdds(keyRef, `{"Sid": "TheirOwn", "Effect": "Deny", "Principal": {"AWS": "*"}, "Action": "kms:CreateGrant", "Resource": "*"}`)
	i, err = w.workflow.Undo(t.Context(), i, incident.Authority{Incident: i.ID, Approver: "arn:aws:iam::111122223333:user/jane"})
	if err != nil || !strings.Contains(w.documents(), "TheirOwn") || !strings.Contains(w.documents(), "inline/Replimend absent") {
		t.Errorf("error %v:\n%s", err, w.documents())
	}
	if i.Changes[0].State != incident.Overrun || i.Changes[1].State != incident.Undone {
		t.Errorf("changes %+v", i.Changes)
	}
}
