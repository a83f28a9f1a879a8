package remedy_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/replimend/replimend/internal/guard"
	"github.com/replimend/replimend/internal/incident"
	"github.com/replimend/replimend/internal/lab"
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
				if by.Incident != i.ID || by.Approver != admin {
					t.Errorf("written on the word of %+v", by)
				}
			}
		})
	}
}

// TestWhoIsThereIsToldEachTime: silence after a command is no answer. What happened last is never what is cut.
func TestWhoIsThereIsToldEachTime(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	w.approve(settings.Observe)
	w.workflow.Attended = true
	for n := range 8 {
		w.fail("ledger/" + strings.Repeat("x", n+1))
		if i, err := w.handle(t.Context()); err != nil || i.Outcome != incident.Refused || len(w.messages) != n+1 {
			t.Fatalf("outcome %s, %d messages, want %d, %v", i.Outcome, len(w.messages), n+1, err)
		}
	}
	w.workflow.Settings.Routes[0].Mode, w.answer = settings.Approve, approving
	if i, err := w.handle(t.Context()); err != nil || i.Outcome != incident.Resolved {
		t.Fatalf("outcome %s, %v", i.Outcome, err)
	}
	told := w.messages[8].Happened
	if len(told) != 11 || !strings.HasSuffix(told[0], " entries before") || !strings.HasPrefix(told[10], "resolved: ") {
		t.Errorf("told: %q", told)
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

// TestAnswerToAnotherQuestionIsNone: then people have to be asked again, and no message is refused for ever.
func TestAnswerToAnotherQuestionIsNone(t *testing.T) {
	t.Parallel()
	for _, why := range []error{incident.ErrUsed, incident.ErrExpired, incident.ErrOtherPlan, incident.ErrForged} {
		w := newWorld(t, nil)
		w.approve(settings.Approve)
		w.fail(objectKey)
		w.onAnswer = func() error { return fmt.Errorf("read approval: %w", why) }
		i, err := w.handle(t.Context())
		if err != nil || i.Outcome != incident.AwaitingApproval || w.puts > 0 || !strings.Contains(i.Timeline[len(i.Timeline)-1].Text, why.Error()) {
			t.Errorf("%v: outcome %s, %d writes, %v: %v", why, i.Outcome, w.puts, err, i.Timeline)
		}
	}
	w := newWorld(t, nil)
	w.approve(settings.Approve)
	w.fail(objectKey)
	w.onAnswer = func() error { return errPort }
	if _, err := w.handle(t.Context()); !errors.Is(err, errPort) {
		t.Errorf("an approver that is down: %v", err)
	}
}

// TestEachCureHasItsOwnReplay: what became of the replay of an earlier cure says nothing of a later one in the same incident.
func TestEachCureHasItsOwnReplay(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	w.approve(settings.Automatic)
	w.fail(objectKey)
	bucket := w.see().Document(bucketRef)
	w.onReplay = w.denyEverything
	first, err := w.handle(t.Context())
	if err != nil || first.Outcome != incident.Escalated || len(w.replays) != 1 || w.replays[0].Incident != first.ID {
		t.Fatalf("outcome %s, replays %+v, %v", first.Outcome, w.replays, err)
	}
	if err := w.SetPolicy(bucketRef, bucket); err != nil {
		t.Fatal(err)
	}
	w.onReplay = nil
	w.now = w.now.Add(2 * time.Hour)
	w.fail("ledger/another")
	second, err := w.handle(t.Context())
	if err != nil || second.ID != first.ID || second.Outcome != incident.Resolved || len(w.replays) != 2 || w.replays[1].Incident != first.ID+"-2" {
		t.Errorf("incident %s, outcome %s, replays %+v, %v: %v", second.ID, second.Outcome, w.replays, err, second.Timeline)
	}
}

// TestInventedEventProvesNothing: it names a version that S3 replicated long ago. The cure does not help, and is taken back.
func TestInventedEventProvesNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	w.approve(settings.Automatic)
	// One version went through while the route was healthy.
	if _, err := w.workflow.Cure(t.Context(), incident.Route{Source: source, Rule: "r1", Destination: destination}, remedy.Known{}); err != nil {
		t.Fatal(err)
	}
	old, err := w.PutObject(source, "ledger/old", lab.PutOptions{Size: 7})
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Replicate(t.Context()); err != nil {
		t.Fatal(err)
	}
	if head, err := w.Cloud.Head(source, "ledger/old", old.VersionID); err != nil || head.ReplicationStatus.V != "COMPLETED" {
		t.Fatalf("%v, %v", head.ReplicationStatus, err)
	}
	if err := w.SetPolicy(roleRef, snapshot.None[policy.Document]()); err != nil {
		t.Fatal(err)
	}
	w.now = w.now.Add(2 * time.Hour)
	w.fail(objectKey)
	invented := w.failedBy[0]
	invented.Key, invented.VersionID = "ledger/old", old.VersionID
	w.failedBy = append(w.failedBy, invented)
	w.onReplay = w.denyEverything
	i, err := w.handle(t.Context())
	if err != nil || i.Outcome != incident.Escalated {
		t.Errorf("outcome %s, %v: %v", i.Outcome, err, i.Timeline)
	}
	if left := w.documents(); !strings.Contains(left, "inline/Replimend absent") {
		t.Errorf("the cure stays:\n%s", left)
	}
}

// TestOldMessageOfARouteThatIsIllAgain opens another incident: what it says is known, that the route is ill is not.
func TestOldMessageOfARouteThatIsIllAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	w.approve(settings.Automatic)
	w.fail(objectKey)
	first, err := w.handle(t.Context())
	if err != nil || first.Outcome != incident.Resolved {
		t.Fatalf("outcome %s, %v", first.Outcome, err)
	}
	if err := w.SetPolicy(roleRef, snapshot.None[policy.Document]()); err != nil {
		t.Fatal(err)
	}
	w.now = w.now.Add(2 * time.Hour)
	second, err := w.handle(t.Context()) // the same message
	if err != nil || second.ID == first.ID || second.Outcome != incident.Applied {
		t.Errorf("incident %s, outcome %s, %v: %v", second.ID, second.Outcome, err, second.Timeline)
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
		"somebody deleted the version":     {func(w *world) error { return w.deleteLatest(objectKey) }, incident.Applied},
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

// TestNobodyDisturbsWhoProves: a second worker that comes while the first looks whether its cure helps takes nothing of it back,
// and the first one's word is kept.
func TestNobodyDisturbsWhoProves(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	w.approve(settings.Automatic)
	w.fail(objectKey)
	other := w.workflow
	other.Worker = "other"
	w.onLook = func(n int) error {
		if n != 2 { // the first one's look at what it wrote
			return nil
		}
		if _, err := other.Handle(t.Context(), w.failedBy); !errors.Is(err, incident.ErrLocked) {
			t.Errorf("error %v, want that the documents are locked", err)
		}
		return nil
	}
	if i, err := w.handle(t.Context()); err != nil || i.Outcome != incident.Resolved || w.puts != 2 {
		t.Errorf("outcome %s, %d writes, %v: %v", i.Outcome, w.puts, err, i.Timeline)
	}
	if kept := w.notes.Incidents(); kept[0].Outcome != incident.Resolved || kept[0].Changes[1].State != incident.Written {
		t.Errorf("kept is %s, %+v", kept[0].Outcome, kept[0].Changes)
	}
}

// TestWhoDoesNothingRecordsNothing: a worker that cannot begin does not put another one's record out of date.
func TestWhoDoesNothingRecordsNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	w.approve(settings.Approve)
	w.fail(objectKey)
	if i, err := w.handle(t.Context()); err != nil || i.Outcome != incident.AwaitingApproval {
		t.Fatalf("outcome %s, %v", i.Outcome, err)
	}
	before := w.notes.Incidents()[0].Revision
	w.answer, w.onUse = approving, func() error { return errPort }
	if _, err := w.handle(t.Context()); !errors.Is(err, errPort) {
		t.Errorf("error %v", err)
	}
	if after := w.notes.Incidents()[0].Revision; after != before {
		t.Errorf("revision %d became %d", before, after)
	}
}

// TestUndoOfWhatMovedOn: who looked at an incident before somebody else went on with it undoes nothing.
func TestUndoOfWhatMovedOn(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	w.approve(settings.Automatic)
	w.fail(objectKey)
	i, err := w.handle(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.notes.Record(t.Context(), i); err != nil {
		t.Fatal(err)
	}
	before, puts := w.documents(), w.puts
	by := incident.Authority{Incident: i.ID, Approver: "arn:aws:iam::111122223333:user/jane"}
	if _, err := w.workflow.Undo(t.Context(), i, by); !errors.Is(err, incident.ErrStale) || w.puts != puts || w.documents() != before {
		t.Errorf("error %v, %d writes", err, w.puts-puts)
	}
	if i, err = w.workflow.Undo(t.Context(), w.notes.Incidents()[0], by); err != nil || i.Changes[0].State != incident.Undone {
		t.Errorf("read again: %v, %+v", err, i.Changes)
	}
}

// TestKillSwitchStopsSettling: what a worker that ended left behind stays under a thrown switch, and is taken back after it.
func TestKillSwitchStopsSettling(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	w.approve(settings.Automatic)
	w.fail(objectKey)
	before := w.documents()
	w.afterPut = dying(1)
	func() {
		defer func() { _ = recover() }()
		_, _ = w.handle(t.Context())
	}()
	w.afterPut, w.now = nil, w.now.Add(incident.Lease)
	w.notes.Throw(guard.Hub)
	puts := w.puts
	if i, err := w.handle(t.Context()); err != nil || w.puts != puts || i.Outcome != incident.Escalated || i.Changes[0].State != incident.Intended {
		t.Errorf("%d writes, outcome %s, %v", w.puts-puts, i.Outcome, err)
	}
	w.workflow.Switches = nil
	if i, err := w.handle(t.Context()); err != nil || w.documents() != before || i.Changes[0].State != incident.Undone {
		t.Errorf("outcome %s, %v:\n%s", i.Outcome, err, w.documents())
	}
}

// TestWhatWasWrittenOverIsNotUnmade: a write whose answer did not come and that somebody wrote over counts as one.
func TestWhatWasWrittenOverIsNotUnmade(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	w.approve(settings.Automatic)
	w.fail(objectKey)
	w.afterPut = func(n int, _ snapshot.Ref) error {
		if n != 1 {
			return nil
		}
		w.somebodyAdds(keyRef, `{"Sid": "TheirOwn", "Effect": "Deny", "Principal": {"AWS": "*"}, "Action": "kms:CreateGrant", "Resource": "*"}`)
		return errPort
	}
	i, err := w.handle(t.Context())
	if !errors.Is(err, errPort) || i.Outcome != incident.Escalated || i.Changes[0].State != incident.Overrun {
		t.Errorf("outcome %s, %v, changes %+v", i.Outcome, err, i.Changes)
	}
}

// TestPeopleAreToldThoughTheRecordMovedOn: documents were written and taken back, whatever the record says.
func TestPeopleAreToldThoughTheRecordMovedOn(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	w.approve(settings.Automatic)
	w.fail(objectKey)
	before := w.documents()
	w.onRecord = func(i incident.Incident) error {
		if len(i.Changes) == 2 {
			return incident.ErrStale
		}
		return nil
	}
	i, err := w.handle(t.Context())
	if !errors.Is(err, incident.ErrStale) || i.Outcome != incident.Escalated || w.documents() != before || len(w.messages) != 1 {
		t.Errorf("outcome %s, %v, %d messages:\n%s", i.Outcome, err, len(w.messages), w.documents())
	}
}

// TestWorkerThatEndedProving: S3 can take days to replicate again. Who does not live to see it has cured the route all the same.
func TestWorkerThatEndedProving(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	w.approve(settings.Automatic)
	w.fail(objectKey)
	w.onReplay = func() error { panic(errDeath) }
	func() {
		defer func() { _ = recover() }()
		_, _ = w.handle(t.Context())
	}()
	if kept := w.notes.Incidents()[0]; kept.Outcome != incident.Applied || kept.Changes[1].State != incident.Written {
		t.Errorf("kept is %s, %+v", kept.Outcome, kept.Changes)
	}
	w.onReplay, w.now = nil, w.now.Add(incident.Lease)
	cured, puts := w.documents(), w.puts
	if i, err := w.handle(t.Context()); err != nil || w.puts != puts || w.documents() != cured || i.Outcome == incident.Escalated {
		t.Errorf("outcome %s, %d writes, %v: %v", i.Outcome, w.puts-puts, err, i.Timeline)
	}
}

// TestNobodyAnswersForAnotherPlan: who approved one plan of an incident did not approve the next one.
func TestNobodyAnswersForAnotherPlan(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	w.approve(settings.Approve)
	w.fail(objectKey)
	w.answer, w.slow = approving, true
	if i, err := w.handle(t.Context()); err != nil || i.Outcome != incident.Applied || i.Approver == "" {
		t.Fatalf("outcome %s by %q, %v", i.Outcome, i.Approver, err)
	}
	w.workflow.Settings.Routes[0].Mode = settings.Automatic
	if err := w.SetPolicy(roleRef, snapshot.None[policy.Document]()); err != nil {
		t.Fatal(err)
	}
	w.now, w.by, w.failedBy = w.now.Add(time.Hour), nil, nil
	w.fail("ledger/other.pdf")
	i, err := w.handle(t.Context())
	if err != nil || len(w.by) == 0 || i.Approver != "" || w.by[0].Approver != "" {
		t.Errorf("outcome %s by %q, written on the word of %+v, %v: %v", i.Outcome, i.Approver, w.by, err, i.Timeline)
	}
}
