package remedy_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/replimend/replimend/internal/incident"
	"github.com/replimend/replimend/internal/remedy"
	"github.com/replimend/replimend/internal/settings"
	"github.com/replimend/replimend/internal/snapshot"
)

// silences is the port, over a ledger. Its error is the port's.
type silences struct {
	w   *world
	l   incident.Ledger
	err error
}

func (s *silences) Suppressed(_ context.Context, r incident.Route) ([]incident.Suppression, error) {
	return s.l.Suppressed(r, s.w.now), s.err
}

// silence is for an hour, of those causes; without any of every one.
func (w *world) silence(causes ...string) *silences {
	w.t.Helper()
	s := &silences{w: w}
	if len(causes) == 0 {
		causes = []string{""}
	}
	for _, c := range causes {
		err := s.l.Suppress(incident.Suppression{
			Route: incident.Route{Source: source, Rule: "r1", Destination: destination}, Cause: c,
			Owner: "storage\x1b[2J team", Reason: "migration of " + strings.Repeat("everything ", 80), Expires: w.now.Add(time.Hour),
		}, w.now)
		if err != nil {
			w.t.Fatal(err)
		}
	}
	w.workflow.Suppressions = s
	return s
}

// TestSilenceIsSilence: on every way into the workflow nothing is planned, asked, written, replayed or told, the incident says whose
// silence it is, and what fails joins it. When the silence ends, the route is cured, and people are told.
func TestSilenceIsSilence(t *testing.T) {
	t.Parallel()
	for name, again := range map[string]func(w *world, i incident.Incident) (incident.Incident, error){
		"handle": func(w *world, _ incident.Incident) (incident.Incident, error) { return w.handle(w.t.Context()) },
		"resume": func(w *world, i incident.Incident) (incident.Incident, error) {
			return w.workflow.Resume(w.t.Context(), i.ID)
		},
		"cure": func(w *world, i incident.Incident) (incident.Incident, error) {
			return w.workflow.Cure(w.t.Context(), i.Route, remedy.Known{})
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, nil)
			w.approve(settings.Automatic)
			w.fail(objectKey)
			w.silence()
			before := w.documents()
			first, err := w.handle(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			w.now = w.now.Add(59 * time.Minute)
			i, err := again(w, first)
			if err != nil || i.ID != first.ID || i.Outcome != incident.Suppressed || i.Over() || i.Plan != "" {
				t.Fatalf("outcome %s, plan %q, %v", i.Outcome, i.Plan, err)
			}
			if w.puts+len(w.messages)+len(w.replays) > 0 || w.documents() != before {
				t.Errorf("%d writes, %d messages, %d replays", w.puts, len(w.messages), len(w.replays))
			}
			last := i.Timeline[len(i.Timeline)-1].Text
			for _, part := range []string{"suppressed: silenced by storage", "team until 2026-11-22T13:00:00Z", "migration"} {
				if !strings.Contains(last, part) {
					t.Errorf("the entry lacks %q: %s", part, last)
				}
			}
			if strings.Contains(last, "\x1b") || len(last) > 700 {
				t.Errorf("the entry is %q", last)
			}
			if len(i.Causes) == 0 {
				t.Error("the incident does not say what is wrong")
			}
			w.now = w.now.Add(time.Minute)
			i, err = again(w, first)
			if err != nil || i.ID != first.ID || i.Outcome != incident.Resolved || w.puts != 2 || len(w.messages) != 1 {
				t.Errorf("afterwards: outcome %s, %d writes, %d messages, %v", i.Outcome, w.puts, len(w.messages), err)
			}
		})
	}
}

// TestSilenceOfSomeCauses holds as long as there is no other fault.
func TestSilenceOfSomeCauses(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	w.approve(settings.Observe)
	w.fail(objectKey)
	i, err := w.handle(t.Context())
	if err != nil || i.Outcome != incident.Refused || len(i.Causes) != 2 || len(w.messages) != 1 {
		t.Fatalf("outcome %s, causes %v, %v", i.Outcome, i.Causes, err)
	}
	causes := i.Causes
	w.silence(causes[0])
	if i, err = w.workflow.Resume(t.Context(), i.ID); err != nil || i.Outcome != incident.Refused {
		t.Errorf("with one of two causes silenced: %s, %v", i.Outcome, err)
	}
	w.silence(causes...)
	if i, err = w.workflow.Resume(t.Context(), i.ID); err != nil || i.Outcome != incident.Suppressed {
		t.Errorf("with both causes silenced: %s, %v", i.Outcome, err)
	}
	if len(w.messages) != 1 {
		t.Errorf("%d messages", len(w.messages))
	}
	// Who was told before is told anew.
	w.now = w.now.Add(2 * time.Hour)
	if i, err = w.workflow.Resume(t.Context(), i.ID); err != nil || i.Outcome != incident.Refused || len(w.messages) != 2 {
		t.Errorf("afterwards: %s, %d messages, %v", i.Outcome, len(w.messages), err)
	}
}

// TestMendedInSilence: an incident whose route was mended closes, and nobody is told then or later.
func TestMendedInSilence(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	w.approve(settings.Observe)
	w.fail(objectKey)
	i, err := w.handle(t.Context())
	if err != nil || len(w.messages) != 1 {
		t.Fatalf("outcome %s, %v", i.Outcome, err)
	}
	w.silence()
	w.somebodyAdds(roleRef, `{"Effect": "Allow", "Action": "kms:Decrypt", "Resource": "*"}`)
	w.somebodyAdds(keyRef, `{"Effect": "Allow", "Principal": {"AWS": "`+role+`"}, "Action": "kms:*", "Resource": "*"}`)
	for range 2 {
		if i, err = w.workflow.Resume(t.Context(), i.ID); err != nil || i.Outcome != incident.Healthy || len(w.messages) != 1 {
			t.Errorf("outcome %s, %d messages, %v", i.Outcome, len(w.messages), err)
		}
	}
}

// TestUnreadSuppressionIsNotNone: nothing is done, kept or told, and the same message does it later.
func TestUnreadSuppressionIsNotNone(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	w.approve(settings.Automatic)
	w.fail(objectKey)
	s := w.silence()
	s.l, s.err = incident.Ledger{}, errors.New("the table is down")
	i, err := w.handle(t.Context())
	if !errors.Is(err, s.err) || i.Outcome != incident.Open || w.puts > 0 || len(w.messages) > 0 {
		t.Fatalf("outcome %s, %d writes, %d messages, %v", i.Outcome, w.puts, len(w.messages), err)
	}
	s.err = nil
	if i, err = w.handle(t.Context()); err != nil || i.Outcome != incident.Resolved {
		t.Errorf("outcome %s, %v", i.Outcome, err)
	}
}

// TestSilenceDoesNotLeaveHalfACure: what an ended worker left is taken back, and a cure that was applied is followed to its end; only no
// replay is begun.
func TestSilenceDoesNotLeaveHalfACure(t *testing.T) {
	t.Parallel()
	t.Run("half a plan", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t, nil)
		w.approve(settings.Automatic)
		w.fail(objectKey)
		before := w.documents()
		w.afterPut = func(int, snapshot.Ref) error { panic(errDeath) }
		func() {
			defer func() { _ = recover() }()
			_, _ = w.handle(t.Context())
		}()
		w.afterPut = nil
		w.now = w.now.Add(incident.Lease)
		w.silence()
		i, err := w.handle(t.Context())
		if err != nil || i.Outcome != incident.Escalated || w.documents() != before {
			t.Errorf("outcome %s, %v: %v", i.Outcome, err, i.Timeline)
		}
	})
	t.Run("a replay that runs", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t, nil)
		w.approve(settings.Automatic)
		w.fail(objectKey)
		w.slow = true
		i, err := w.handle(t.Context())
		if err != nil || i.Outcome != incident.Applied || i.Job.State != incident.JobRunning {
			t.Fatalf("outcome %s, %v", i.Outcome, err)
		}
		w.silence()
		if err := w.Replicate(t.Context()); err != nil {
			t.Fatal(err)
		}
		w.workflow.Replayer = finished{w}
		if i, err = w.workflow.Resume(t.Context(), i.ID); err != nil || i.Outcome != incident.Proven || len(w.messages) != 2 {
			t.Errorf("outcome %s, %d messages, %v: %v", i.Outcome, len(w.messages), err, i.Timeline)
		}
	})
	t.Run("no replay yet", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t, nil)
		w.approve(settings.Automatic)
		w.fail(objectKey)
		w.workflow.Propagation = time.Minute
		i, err := w.handle(t.Context())
		if err != nil || i.Outcome != incident.Applied {
			t.Fatalf("outcome %s, %v", i.Outcome, err)
		}
		w.silence()
		w.now = w.now.Add(2 * time.Minute)
		if i, err = w.workflow.Resume(t.Context(), i.ID); err != nil || i.Outcome != incident.Applied || len(w.replays) > 0 {
			t.Errorf("outcome %s, %d replays, %v: %v", i.Outcome, len(w.replays), err, i.Timeline)
		}
		w.now = w.now.Add(time.Hour)
		if i, err = w.workflow.Resume(t.Context(), i.ID); err != nil || i.Outcome != incident.Resolved {
			t.Errorf("afterwards: outcome %s, %v: %v", i.Outcome, err, i.Timeline)
		}
	})
}

// TestPersonIsAskedInSpiteOfSilence: who sits at a terminal decides, and the timeline says in spite of whom.
func TestPersonIsAskedInSpiteOfSilence(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	w.approve(settings.Approve)
	w.fail(objectKey)
	w.silence()
	w.workflow.Attended = true
	asked := 0
	w.answer = func(i incident.Incident) incident.Approval {
		asked++
		return incident.Approval{Incident: i.ID, Plan: i.Plan, Answer: incident.Approve, Approver: "ann", At: w.now, Expires: w.now.Add(time.Hour)}
	}
	i, err := w.handle(t.Context())
	if err != nil || i.Outcome != incident.Resolved || asked != 1 {
		t.Fatalf("outcome %s, asked %d times, %v", i.Outcome, asked, err)
	}
	if text := w.messages[0].Text(); !strings.Contains(text, "gone on with at a terminal, although silenced by storage") {
		t.Errorf("the message does not tell of it:\n%s", text)
	}
}

// TestEndOfASuppressionIsTold with whose it was and how the route stands, and nothing that a terminal obeys.
func TestEndOfASuppressionIsTold(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	w.approve(settings.Automatic)
	s := w.silence("a-cause").l.Suppressions[0]
	if err := w.workflow.TellEnded(t.Context(), s, incident.Summary{ID: "inc-1", Failed: 7}); err != nil {
		t.Fatal(err)
	}
	text := w.messages[0].Text()
	for _, part := range []string{
		"no longer silenced: amzn-s3-demo-source", "silenced by: storage", "until: 2026-11-22T13:00:00Z", "cause: a-cause", "the route is broken",
		"role-lacks-source-decrypt", "incident: inc-1", "failures reported: about 7",
	} {
		if !strings.Contains(text, part) {
			t.Errorf("it lacks %q", part)
		}
	}
	if strings.Contains(text, "\x1b") || t.Failed() {
		t.Errorf("the message is\n%s", text)
	}
	if w.puts > 0 || len(w.notes.Incidents()) > 0 {
		t.Error("something was done")
	}
	w.onLook = func(int) error { return errors.New("throttled") }
	if err := w.workflow.TellEnded(t.Context(), s, incident.Summary{}); err != nil {
		t.Fatal(err)
	}
	if text := w.messages[1].Text(); !strings.Contains(text, "how it stands is not known") {
		t.Errorf("of a route that cannot be read:\n%s", text)
	}
	w.onNotify = func() error { return errors.New("down") }
	if err := w.workflow.TellEnded(t.Context(), s, incident.Summary{}); err == nil {
		t.Error("nobody was told, and nobody says so")
	}
}

// TestSweepRevisits what may have been lost or mended, and leaves to a person what is theirs until the route is in order.
func TestSweepRevisits(t *testing.T) {
	t.Parallel()
	all, one := []incident.Suppression{{Owner: "o"}}, []incident.Suppression{{Owner: "o", Cause: "a-cause"}}
	for name, tt := range map[string]struct {
		i                incident.Summary
		inForce          []incident.Suppression
		revisits, closes bool
	}{
		"open":                         {incident.Summary{Outcome: incident.Open}, nil, true, false},
		"waits for an approval":        {incident.Summary{Outcome: incident.AwaitingApproval}, nil, true, false},
		"refused":                      {incident.Summary{Outcome: incident.Refused}, nil, true, false},
		"for people":                   {incident.Summary{Outcome: incident.Manual}, nil, true, false},
		"applied":                      {incident.Summary{Outcome: incident.Applied}, nil, true, false},
		"proven":                       {incident.Summary{Outcome: incident.Proven}, nil, false, false},
		"proven, and the replay runs":  {incident.Summary{Outcome: incident.Proven, Replaying: true}, nil, true, false},
		"silent":                       {incident.Summary{Outcome: incident.Suppressed}, all, false, true},
		"a cause is silent":            {incident.Summary{Outcome: incident.Suppressed}, one, true, true},
		"no longer silent":             {incident.Summary{Outcome: incident.Suppressed}, nil, true, true},
		"silenced while it was open":   {incident.Summary{Outcome: incident.Refused}, all, true, false},
		"declined":                     {incident.Summary{Outcome: incident.Declined}, nil, false, true},
		"went wrong":                   {incident.Summary{Outcome: incident.Escalated}, nil, false, true},
		"over":                         {incident.Summary{Outcome: incident.Resolved}, nil, false, false},
		"an outcome that is not known": {incident.Summary{Outcome: "?"}, nil, false, false},
	} {
		if got := remedy.Revisits(tt.i, tt.inForce); got != tt.revisits {
			t.Errorf("%s: revisits %t, want %t", name, got, tt.revisits)
		}
		if got := remedy.Closes(tt.i); got != tt.closes {
			t.Errorf("%s: closes %t, want %t", name, got, tt.closes)
		}
	}
}
