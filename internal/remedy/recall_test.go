package remedy_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/replimend/replimend/internal/guard"
	"github.com/replimend/replimend/internal/incident"
	"github.com/replimend/replimend/internal/settings"
)

// cured is a route that was cured without asking, a minute ago, and how its documents were before.
func cured(t *testing.T) (w *world, i incident.Incident, before string) {
	t.Helper()
	w = newWorld(t, nil)
	w.approve(settings.Automatic)
	w.fail(objectKey)
	before = w.documents()
	i, err := w.handle(t.Context())
	if err != nil || i.Outcome != incident.Resolved || w.documents() == before {
		t.Fatalf("outcome %s, %v", i.Outcome, err)
	}
	w.now = w.now.Add(time.Minute)
	w.messages, w.failedBy = nil, nil
	return w, i, before
}

// TestSomebodyHasACureTakenBack: it is, once, on their word and under their name; people hear of it, and the next cure waits for a person
// although the route is automatic.
func TestSomebodyHasACureTakenBack(t *testing.T) {
	t.Parallel()
	w, i, before := cured(t)
	w.says(incident.Undo, john)
	i, err := w.workflow.Resume(t.Context(), i.ID)
	if err != nil || i.Outcome != incident.Escalated || w.documents() != before || i.Stands() {
		t.Fatalf("outcome %s, %v:\n%s", i.Outcome, err, w.documents())
	}
	if by := w.by[len(w.by)-1]; by.Approver != john || i.Changes[0].Recalled != john || i.Changes[1].Recalled != john {
		t.Errorf("on the word of %+v, changes %+v", by, i.Changes)
	}
	if len(w.messages) != 1 || w.messages[0].Headline != incident.HeadRecalled || len(w.messages[0].Broke) == 0 {
		t.Fatalf("messages %+v", w.messages)
	}
	puts := w.puts
	if i, err = w.workflow.Resume(t.Context(), i.ID); err != nil || i.Outcome != incident.AwaitingApproval || w.puts != puts {
		t.Errorf("a second look: %s, %d more writes, %v", i.Outcome, w.puts-puts, err)
	}
	w.fail("ledger/another.pdf")
	w.now = w.now.Add(2 * time.Hour)
	if i, err = w.handle(t.Context()); err != nil || i.Outcome != incident.AwaitingApproval || w.documents() != before {
		t.Errorf("it fails again: %s, %v", i.Outcome, err)
	}
	if r := w.messages[len(w.messages)-1].Rules; !slices.Contains(r, "recalled") {
		t.Errorf("asked because of %v", r)
	}
	// Who agrees to the next cure ends that.
	w.says(incident.Approve, john)
	w.now = w.now.Add(time.Minute)
	if i, err = w.workflow.Resume(t.Context(), i.ID); err != nil || i.Outcome != incident.Resolved {
		t.Errorf("approved: %s, %v, %v", i.Outcome, err, i.Timeline)
	}
}

// TestWhoseWordTakesNothingBack: what nobody may ask for, or asked for before, changes nothing.
func TestWhoseWordTakesNothingBack(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*world, *incident.Approval){
		"a stranger":        func(_ *world, a *incident.Approval) { a.Approver = stranger },
		"who has a code":    func(_ *world, a *incident.Approval) { a.Approver = incident.ByCode },
		"another plan":      func(_ *world, a *incident.Approval) { a.Plan = "0" + a.Plan },
		"before the cure":   func(w *world, a *incident.Approval) { a.At = w.now.Add(-time.Hour) },
		"expired":           func(w *world, a *incident.Approval) { a.Expires = w.now },
		"it is an approval": func(_ *world, a *incident.Approval) { a.Answer = incident.Approve },
		"it is a no":        func(_ *world, a *incident.Approval) { a.Answer = incident.Decline },
		"at a terminal":     func(w *world, _ *incident.Approval) { w.workflow.Attended = true },
		"nobody can answer": func(w *world, _ *incident.Approval) { w.workflow.Approver = nil },
	} {
		w, i, _ := cured(t)
		now, puts := w.documents(), w.puts
		w.says(incident.Undo, john)
		change(w, &w.said[0])
		if i, err := w.workflow.Resume(t.Context(), i.ID); err != nil || i.Outcome != incident.Resolved || w.documents() != now || w.puts != puts {
			t.Errorf("%s: %s, %d writes, %v", name, i.Outcome, w.puts-puts, err)
		}
	}
}

// TestKillSwitchStopsTakingBack as long as it is thrown.
func TestKillSwitchStopsTakingBack(t *testing.T) {
	t.Parallel()
	w, i, before := cured(t)
	w.says(incident.Undo, john)
	w.notes.Throw(guard.Hub)
	puts := w.puts
	if i, err := w.workflow.Resume(t.Context(), i.ID); err != nil || i.Outcome != incident.Resolved || w.puts != puts {
		t.Errorf("%s, %d writes, %v", i.Outcome, w.puts-puts, err)
	}
	w.workflow.Switches = nil
	if i, err := w.workflow.Resume(t.Context(), i.ID); err != nil || i.Outcome != incident.Escalated || w.documents() != before {
		t.Errorf("lifted: %s, %v", i.Outcome, err)
	}
}

// TestTakingBackBesideAnOpenIncident: the route has another incident by now. The old one stays over, and nothing is lost.
func TestTakingBackBesideAnOpenIncident(t *testing.T) {
	t.Parallel()
	w, i, before := cured(t)
	next := incident.Incident{ID: incident.ID(i.Route, w.now), Route: i.Route, Outcome: incident.Open, Opened: w.now}
	next.Failures.Add(incident.Object{Key: "another", VersionID: "v9"}, w.now)
	next.Failures.First, next.Failures.Last = w.now, w.now
	if _, err := w.notes.Open(t.Context(), next); err != nil {
		t.Fatal(err)
	}
	w.says(incident.Undo, john)
	i, err := w.workflow.Resume(t.Context(), i.ID)
	if err != nil || i.Outcome != incident.Resolved || w.documents() != before {
		t.Fatalf("%s, %v", i.Outcome, err)
	}
	kept, err := w.notes.Get(t.Context(), i.ID)
	if err != nil || kept.Stands() || kept.Changes[0].Recalled != john {
		t.Errorf("kept %+v, %v", kept.Changes, err)
	}
}

// TestTakingBackIsBegunAnew where the worker ended in the middle of it: nothing stands at the end, and nobody is asked twice.
func TestTakingBackIsBegunAnew(t *testing.T) {
	t.Parallel()
	for at := 1; at <= 3; at++ {
		w, i, before := cured(t)
		w.says(incident.Undo, john)
		n := 0
		w.onRecord = func(incident.Incident) error {
			if n++; n == at {
				return errPort
			}
			return nil
		}
		if _, err := w.workflow.Resume(t.Context(), i.ID); !errors.Is(err, errPort) {
			t.Fatalf("record %d: %v", at, err)
		}
		w.onRecord = nil
		i, err := w.workflow.Resume(t.Context(), i.ID)
		if err != nil || w.documents() != before || i.Stands() {
			t.Errorf("record %d: %s, %v, %+v", at, i.Outcome, err, i.Changes)
		}
	}
}
