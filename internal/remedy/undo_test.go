package remedy_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/replimend/replimend/internal/guard"
	"github.com/replimend/replimend/internal/incident"
	"github.com/replimend/replimend/internal/policy"
	"github.com/replimend/replimend/internal/settings"
	"github.com/replimend/replimend/internal/snapshot"
)

// TestFailedWritesAreUndone: whatever goes wrong on the way, no half of a plan stays behind.
func TestFailedWritesAreUndone(t *testing.T) {
	t.Parallel()
	second := func(n int, _ snapshot.Ref) error {
		if n == 2 {
			return errPort
		}
		return nil
	}
	tests := map[string]struct {
		prepare func(w *world, cancel context.CancelFunc)
		fault   bool
	}{
		"second write fails":                         {func(w *world, _ context.CancelFunc) { w.onPut = second }, true},
		"second write fails after it is done":        {func(w *world, _ context.CancelFunc) { w.afterPut = second }, true},
		"first write fails after it is done":         {func(w *world, _ context.CancelFunc) { w.afterPut = first }, true},
		"deadline passes during the second":          {func(w *world, cancel context.CancelFunc) { w.onPut = cancelling(cancel) }, true},
		"image of the second cannot be kept":         {func(w *world, _ context.CancelFunc) { w.onRecord = recordingOnce }, true},
		"kill switch cannot be read":                 {func(w *world, _ context.CancelFunc) { w.onSwitch = unreadable }, true},
		"replayed versions fail again":               {func(w *world, _ context.CancelFunc) { w.onReplay = w.denyEverything }, false},
		"the route is not healthy after all":         {func(w *world, _ context.CancelFunc) { w.onLook = w.denyAtSecondLook }, false},
		"one of the documents is written over":       {func(w *world, _ context.CancelFunc) { w.afterPut = w.revertRole }, false},
		"the rule is deleted before the second look": {func(w *world, _ context.CancelFunc) { w.onLook = w.deleteRuleAtSecondLook }, false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, nil)
			w.approve(settings.Automatic)
			w.fail(objectKey)
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			tt.prepare(w, cancel)
			i, err := w.handle(ctx)
			if (err != nil) != tt.fault {
				t.Errorf("error %v, want one: %t", err, tt.fault)
			}
			if i.Outcome != incident.Escalated {
				t.Errorf("outcome %s: %v", i.Outcome, i.Timeline)
			}
			if left := w.documents(); strings.Contains(left, `"Sid": "Replimend`) || !strings.Contains(left, "inline/Replimend absent") {
				t.Errorf("what was written stays:\n%s\n%v", left, i.Timeline)
			}
			for _, c := range i.Changes {
				if c.State == incident.Written || c.State == incident.Intended {
					t.Errorf("%s is %s", c.Kind, c.State)
				}
			}
			if len(w.messages) != 1 || w.messages[0].Severity != incident.Critical {
				t.Errorf("messages %+v", w.messages)
			}
		})
	}
}

func first(n int, _ snapshot.Ref) error {
	if n == 1 {
		return errPort
	}
	return nil
}

func cancelling(cancel context.CancelFunc) func(int, snapshot.Ref) error {
	return func(n int, _ snapshot.Ref) error {
		if n == 2 {
			cancel()
			return context.Canceled
		}
		return nil
	}
}

func recordingOnce(i incident.Incident) error {
	if len(i.Changes) == 2 && i.Changes[1].State == incident.Intended {
		return errPort
	}
	return nil
}

// unreadable is a kill switch that cannot be read when the second document is to be written.
func unreadable(n int) error {
	if n == 4 {
		return errPort
	}
	return nil
}

const denyAll = `{"Effect": "Deny", "Principal": "*", "Action": "s3:ReplicateObject", "Resource": "arn:aws:s3:::amzn-s3-demo-destination/*"}`

func (w *world) denyEverything() error {
	w.somebodyAdds(bucketRef, denyAll)
	return nil
}

func (w *world) denyAtSecondLook(n int) error {
	if n == 2 {
		w.somebodyAdds(bucketRef, denyAll)
	}
	return nil
}

func (w *world) deleteRuleAtSecondLook(n int) error {
	if n == 2 {
		return w.DeleteRule(source, "r1")
	}
	return nil
}

// revertRole is somebody's tool that puts the role back as it was, at once.
func (w *world) revertRole(n int, ref snapshot.Ref) error {
	if n == 2 {
		return w.SetPolicy(roleRef, snapshot.None[policy.Document]())
	}
	return nil
}

// TestDriftStopsThePlan: somebody changes the second document between reading and writing. Their change stays, ours goes.
func TestDriftStopsThePlan(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	w.approve(settings.Automatic)
	w.fail(objectKey)
	w.onPut = func(n int, _ snapshot.Ref) error {
		if n == 2 {
			w.somebodyAdds(roleRef, `{"Sid": "TheirOwn", "Effect": "Deny", "Action": "kms:CreateGrant", "Resource": "*"}`)
		}
		return nil
	}
	i, err := w.handle(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	left := w.documents()
	if i.Outcome != incident.Escalated || strings.Contains(left, `"Sid": "Replimend`) || !strings.Contains(left, "TheirOwn") {
		t.Errorf("outcome %s:\n%s", i.Outcome, left)
	}
	if text := w.messages[0].Text(); !strings.Contains(text, "changed since it was read") {
		t.Errorf("message does not say why:\n%s", text)
	}
}

// TestWhatSomebodyChangedSinceIsNotUndone: a document that is no longer as we left it has another master now.
func TestWhatSomebodyChangedSinceIsNotUndone(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	w.approve(settings.Automatic)
	w.fail(objectKey)
	w.onReplay = func() error {
		w.somebodyAdds(keyRef, `{"Sid": "TheirOwn", "Effect": "Deny", "Principal": {"AWS": "*"}, "Action": "kms:CreateGrant", "Resource": "*"}`)
		return w.denyEverything()
	}
	i, err := w.handle(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	left := w.documents()
	if i.Outcome != incident.Escalated || !strings.Contains(left, "TheirOwn") || !strings.Contains(left, "inline/Replimend absent") {
		t.Errorf("outcome %s:\n%s", i.Outcome, left)
	}
	if text := w.messages[0].Text(); !strings.Contains(text, "changed by somebody else since") || !strings.Contains(text, "look whether it still has statement Replimend") {
		t.Errorf("message does not say what is left to do:\n%s", text)
	}
}

func TestUndoThatFailsIsAnError(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	w.approve(settings.Automatic)
	w.fail(objectKey)
	w.onReplay = w.denyEverything
	w.onPut = func(n int, _ snapshot.Ref) error {
		if n > 2 {
			return errPort
		}
		return nil
	}
	i, err := w.handle(t.Context())
	if !errors.Is(err, errPort) || i.Outcome != incident.Escalated {
		t.Errorf("outcome %s, error %v", i.Outcome, err)
	}
	if undo := w.messages[0].Undo; len(undo) != 2 {
		t.Errorf("the message does not say how to undo both: %q", undo)
	}
}

// TestKillSwitchIsReadBeforeEveryWrite: it is thrown between the approval and the write, and between two writes.
func TestKillSwitchIsReadBeforeEveryWrite(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		prepare func(*world)
		puts    int
	}{
		"before the first": {func(w *world) {
			w.answer = func(i incident.Incident) incident.Approval {
				w.notes.Throw(guard.Hub)
				return approving(i)
			}
		}, 0},
		"before the second, in its account": {func(w *world) {
			w.answer = approving
			w.afterPut = func(int, snapshot.Ref) error {
				w.notes.Throw("111122223333")
				return nil
			}
		}, 1},
		"of an account that is not concerned": {func(w *world) {
			w.answer = func(i incident.Incident) incident.Approval {
				w.notes.Throw("777788889999")
				return approving(i)
			}
		}, 2},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, nil)
			w.approve(settings.Approve)
			w.fail(objectKey)
			tt.prepare(w)
			i, err := w.handle(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if w.puts != tt.puts || (i.Outcome == incident.Escalated) != (tt.puts < 2) {
				t.Errorf("%d writes, want %d; outcome %s", w.puts, tt.puts, i.Outcome)
			}
		})
	}
}

func TestImageIsKeptBeforeTheWrite(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	w.approve(settings.Automatic)
	w.fail(objectKey)
	w.onPut = func(n int, ref snapshot.Ref) error {
		kept := w.notes.Incidents()
		if len(kept) != 1 || len(kept[0].Changes) != n {
			t.Errorf("write %d: %d incidents are kept", n, len(kept))
			return nil
		}
		c := kept[0].Changes[n-1]
		live := w.see().Document(ref)
		if c.State != incident.Intended || (c.Before == nil) != (live.State == snapshot.Absent) || c.Before != nil && !c.Before.Equal(live.V) {
			t.Errorf("write %d: the image that is kept is %+v", n, c)
		}
		return nil
	}
	if i, err := w.handle(t.Context()); err != nil || i.Outcome != incident.Resolved {
		t.Errorf("outcome %s, %v", i.Outcome, err)
	}
}

func TestNoticeThatFailsUndoesNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	w.approve(settings.Automatic)
	w.fail(objectKey)
	before := w.documents()
	w.onNotify = func() error { return errPort }
	i, err := w.handle(t.Context())
	if !errors.Is(err, errPort) {
		t.Errorf("error %v, want that of the notifier", err)
	}
	w.expect(i, incident.Resolved, before, true)
}

// TestLoopIsStopped: somebody's tool takes the cure back each time. After two patches the route waits for the hour to pass.
func TestLoopIsStopped(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	w.approve(settings.Automatic)
	want := []incident.Outcome{incident.Resolved, incident.Resolved, incident.Refused, incident.Resolved}
	for n, outcome := range want {
		if n == 3 {
			w.now = w.now.Add(time.Hour)
		}
		w.failedBy = nil
		w.fail(objectKey)
		i, err := w.handle(t.Context())
		if err != nil || i.Outcome != outcome {
			t.Fatalf("time %d: outcome %s, want %s: %v %v", n+1, i.Outcome, outcome, i.Timeline, err)
		}
		if err := w.SetPolicy(roleRef, snapshot.None[policy.Document]()); err != nil {
			t.Fatal(err)
		}
		w.now = w.now.Add(time.Minute)
	}
}

// TestBreakerOpens: two cures in a row do not help; the third is not tried, a day later either.
func TestBreakerOpens(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	w.approve(settings.Automatic)
	for n, outcome := range []incident.Outcome{incident.Escalated, incident.Escalated, incident.Refused} {
		w.failedBy = nil
		w.fail(objectKey)
		w.onLook = func(int) error { return nil }
		bucket := w.see().Document(bucketRef)
		w.onReplay = w.denyEverything
		i, err := w.handle(t.Context())
		if err != nil || i.Outcome != outcome {
			t.Fatalf("time %d: outcome %s, want %s: %v %v", n+1, i.Outcome, outcome, i.Timeline, err)
		}
		if err := w.SetPolicy(bucketRef, bucket); err != nil {
			t.Fatal(err)
		}
		w.now = w.now.Add(24 * time.Hour)
	}
}

// TestLookThatFailsAfterTheWriteUndoesNothing: not knowing is not a disproof.
func TestLookThatFailsAfterTheWriteUndoesNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	w.approve(settings.Automatic)
	w.fail(objectKey)
	before := w.documents()
	w.onLook = func(n int) error {
		if n > 1 {
			return errPort
		}
		return nil
	}
	i, err := w.handle(t.Context())
	if !errors.Is(err, errPort) {
		t.Errorf("error %v, want that of the snapshotter", err)
	}
	w.expect(i, incident.Escalated, before, true)
	if len(w.messages) != 1 || len(w.messages[0].Undo) != 2 {
		t.Errorf("the message does not say how to undo both: %+v", w.messages)
	}
}

// TestKillSwitchStopsTheWayBack: who throws it while a cure is proven finds everything as it was when they did.
func TestKillSwitchStopsTheWayBack(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	w.approve(settings.Automatic)
	w.fail(objectKey)
	w.onReplay = func() error {
		w.notes.Throw("444455556666") // of the key, and not of the role
		return w.denyEverything()
	}
	i, err := w.handle(t.Context())
	if err != nil || i.Outcome != incident.Escalated || i.Changes[0].State != incident.Written || i.Changes[1].State != incident.Undone {
		t.Errorf("outcome %s, %v, changes %+v", i.Outcome, err, i.Changes)
	}
	if len(w.messages) != 1 || len(w.messages[0].Undo) != 1 {
		t.Errorf("the message does not say how to undo what stays: %+v", w.messages)
	}
}
