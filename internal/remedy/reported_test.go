package remedy_test

import (
	"strings"
	"testing"
	"time"

	"github.com/replimend/replimend/internal/incident"
	"github.com/replimend/replimend/internal/settings"
	"github.com/replimend/replimend/internal/signal"
)

// TestWhatOnlyS3KnowsIsTold: nothing is wrong with the route, and still somebody has to do something. What nobody has to do
// anything about is not told.
func TestWhatOnlyS3KnowsIsTold(t *testing.T) {
	t.Parallel()
	for reason, want := range map[string]struct {
		outcome incident.Outcome
		told    string
	}{
		"InitiateReplicationNotPermitted": {incident.Manual, "batch-role-lacks-initiate-replication"},
		"DstObjectHardDeleted":            {incident.Manual, "replica-hard-deleted"},
		"SrcObjectNotFound":               {incident.Healthy, ""},
	} {
		t.Run(reason, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, nil)
			w.approve(settings.Automatic)
			w.fail(objectKey)
			if i, err := w.handle(t.Context()); err != nil || i.Outcome != incident.Resolved {
				t.Fatalf("outcome %s: %v", i.Outcome, err)
			}
			w.messages, w.now = nil, w.now.AddDate(0, 0, 1)
			w.failedBy = []signal.Signal{{Kind: signal.Failed, Bucket: source, Rule: "r1", Key: objectKey, Reason: reason, EventTime: w.now}}
			i, err := w.handle(t.Context())
			if err != nil || i.Outcome != want.outcome {
				t.Fatalf("outcome %s, want %s: %v %v", i.Outcome, want.outcome, i.Timeline, err)
			}
			text := ""
			for _, m := range w.messages {
				text += m.Text()
			}
			if strings.Contains(text, "broken") {
				t.Errorf("the route is not broken:\n%s", text)
			}
			if (text == "") != (want.told == "") || !strings.Contains(text, want.told) {
				t.Errorf("people are told %q, want %q", text, want.told)
			}
		})
	}
}

// TestTheWorkerKnowsTheReasons: what only S3 knows is told also where the events are long gone, and people see S3's words.
func TestTheWorkerKnowsTheReasons(t *testing.T) {
	t.Parallel()
	for _, several := range []bool{false, true} {
		w := newWorld(t, nil)
		w.approve(settings.Automatic)
		w.fail(objectKey)
		if i, err := w.handle(t.Context()); err != nil || i.Outcome != incident.Resolved {
			t.Fatalf("outcome %s: %v", i.Outcome, err)
		}
		w.messages, w.now = nil, w.now.AddDate(0, 0, 1)
		of := signal.Signal{
			Kind: signal.Failed, Bucket: source, Rule: "r1", Destination: "arn:aws:s3:::" + destination, Key: objectKey,
			Reason: "DstObjectHardDeleted", EventTime: w.now,
		}
		w.failedBy = []signal.Signal{of}
		if several {
			of.Key, of.Reason = "ledger/other", "SrcObjectNotFound"
			w.failedBy = append(w.failedBy, of)
		}
		i, err := w.workflow.Resume(t.Context(), w.report().ID)
		if err != nil || i.Outcome != incident.Manual || len(w.messages) != 1 {
			t.Fatalf("outcome %s, %d messages: %v %v", i.Outcome, len(w.messages), i.Timeline, err)
		}
		text := w.messages[0].Text()
		if !strings.Contains(text, "replica-hard-deleted") || !strings.Contains(text, "S3's reasons: DstObjectHardDeleted") || strings.Contains(text, objectKey) {
			t.Errorf("people are told\n%s", text)
		}
		if several != strings.Contains(text, "SrcObjectNotFound") {
			t.Errorf("of %v people are told\n%s", i.Failures.Reasons, text)
		}
	}
}

// TestTheMessageSaysHowLong: how much was not replicated and from when to when, and what that does not know.
func TestTheMessageSaysHowLong(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	w.approve(settings.Automatic)
	w.fail("ledger/one")
	w.fail("ledger/two")
	written := w.failedBy[0].RequestTime
	w.now = written.Add(6*time.Hour + 12*time.Minute)
	w.slow = true
	i, err := w.workflow.Resume(t.Context(), w.report().ID)
	if err != nil || i.Outcome != incident.Applied {
		t.Fatalf("outcome %s, %v", i.Outcome, err)
	}
	if text := w.messages[0].Text(); !strings.Contains(text, "exposure: at least 2 versions / 14 B not replicated, the oldest for 6 h 12 m (since ") ||
		!strings.Contains(text, "not in it: "+incident.NotCounted) {
		t.Errorf("people are told\n%s", text)
	}
	if err := w.Replicate(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.slow, w.now = false, w.now.Add(48*time.Hour)
	if i, err = w.workflow.Resume(t.Context(), i.ID); err != nil || i.Outcome != incident.Resolved {
		t.Fatalf("outcome %s, %v", i.Outcome, err)
	}
	if text := w.messages[1].Text(); !strings.Contains(text, "at least 2 versions / 14 B were not replicated for 2 d 6 h (from ") {
		t.Errorf("people are told\n%s", text)
	}
}
