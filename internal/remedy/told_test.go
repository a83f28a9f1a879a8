package remedy_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/replimend/replimend/internal/incident"
	"github.com/replimend/replimend/internal/settings"
	"github.com/replimend/replimend/internal/snapshot"
)

var errChat = errors.New("the chat tool is down")

// TestNoticeThatFailedIsMadeUpFor, also of an incident that is over by then, and once.
func TestNoticeThatFailedIsMadeUpFor(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	w.approve(settings.Automatic)
	w.fail("ledger/a")
	w.onNotify = func() error { return errChat }
	i, err := w.handle(t.Context())
	if !errors.Is(err, errChat) || i.Outcome != incident.Resolved || i.Told != "" || len(w.messages) != 0 {
		t.Fatalf("outcome %s, told %q, %d messages, %v", i.Outcome, i.Told, len(w.messages), err)
	}
	w.onNotify = nil
	for range 2 {
		if i, err = w.workflow.Resume(t.Context(), i.ID); err != nil {
			t.Fatal(err)
		}
	}
	if len(w.messages) != 1 || i.Told == "" || !strings.Contains(w.messages[0].Title, "cured") {
		t.Errorf("told %q, messages %v", i.Told, w.messages)
	}
	if w.puts != 2 {
		t.Errorf("%d writes", w.puts)
	}
}

// TestWhoHeardOfItHearsOfItsEnd: somebody mended by hand what people were told of.
func TestWhoHeardOfItHearsOfItsEnd(t *testing.T) {
	t.Parallel()
	mended := newWorld(t, nil) // where the documents are as a cure leaves them
	mended.approve(settings.Automatic)
	mended.fail("ledger/a")
	if _, err := mended.handle(t.Context()); err != nil {
		t.Fatal(err)
	}
	w := newWorld(t, nil)
	w.approve(settings.Observe)
	w.fail("ledger/a")
	i, err := w.handle(t.Context())
	if err != nil || i.Outcome != incident.Refused || len(w.messages) != 1 {
		t.Fatalf("outcome %s, %d messages, %v", i.Outcome, len(w.messages), err)
	}
	for _, ref := range []snapshot.Ref{roleRef, keyRef} {
		if err := w.SetPolicy(ref, mended.see().Document(ref)); err != nil {
			t.Fatal(err)
		}
	}
	if i, err = w.workflow.Resume(t.Context(), i.ID); err != nil || i.Outcome != incident.Healthy {
		t.Fatalf("outcome %s, %v: %v", i.Outcome, err, i.Timeline)
	}
	if len(w.messages) != 2 || !strings.Contains(w.messages[1].Title, "in order again") {
		t.Errorf("messages %v", w.messages)
	}
}
