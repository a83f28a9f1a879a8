package remedy_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/replimend/replimend/internal/incident"
	"github.com/replimend/replimend/internal/lab"
	"github.com/replimend/replimend/internal/remedy"
	"github.com/replimend/replimend/internal/settings"
	"github.com/replimend/replimend/internal/signal"
	"github.com/replimend/replimend/internal/snapshot"
)

// canaries writes and removes canaries in the lab.
type canaries struct {
	*world
	onWrite, onRemove func() error
	writes, removals  int
}

func (c *canaries) Write(_ context.Context, o incident.Canary) (string, error) {
	if c.onWrite != nil {
		if err := c.onWrite(); err != nil {
			return "", err
		}
	}
	if kept, err := c.notes.Get(c.t.Context(), o.Incident); err != nil || kept.Canary == nil || kept.Canary.Key != o.Key {
		c.t.Errorf("S3 is asked for a canary that the journal does not know: %+v, %v", kept.Canary, err)
	}
	if head, err := c.Cloud.Head(source, o.Key, ""); err == nil {
		return head.VersionID, nil
	}
	c.writes++
	head, err := c.PutObject(source, o.Key, lab.PutOptions{Size: 100, Tags: o.Tags})
	return head.VersionID, err
}

func (c *canaries) Remove(_ context.Context, o incident.Canary) error {
	if c.onRemove != nil {
		if err := c.onRemove(); err != nil {
			return err
		}
	}
	c.removals++
	version := o.VersionID
	if version == "" {
		head, err := c.Cloud.Head(source, o.Key, "")
		if err != nil {
			return nil // it was never written
		}
		version = head.VersionID
	}
	return errors.Join(c.DeleteVersion(source, o.Key, version), c.DeleteVersion(destination, o.Key, version))
}

// withCanary is a world whose route opted in, with a fault that nobody has seen an object fail of.
func withCanary(t *testing.T, change func(*snapshot.Snapshot)) (*world, *canaries) {
	t.Helper()
	w := newWorld(t, change)
	w.approve(settings.Automatic)
	w.workflow.Settings.Routes[0].Allow.Canary = true
	c := &canaries{world: w}
	w.workflow.Canary = c
	return w, c
}

// cure is a look at the route that nobody's failure asks for.
func (w *world) cures() (incident.Incident, error) {
	return w.workflow.Cure(w.t.Context(), incident.Route{Source: source, Rule: "r1", Destination: destination}, remedy.Known{})
}

// later is a look at the incident when it is due, with S3 at work in between.
func (w *world) later(i incident.Incident) incident.Incident {
	w.t.Helper()
	due, ok := remedy.Due(i, w.now)
	if !ok {
		w.t.Fatalf("nobody looks again: %s, %v", i.Outcome, i.Timeline)
	}
	if err := w.Replicate(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
	w.now = w.now.Add(due)
	look := w.workflow.Resume
	if remedy.OnlyTidies(i) {
		look = w.workflow.Tidy
	}
	i, err := look(w.t.Context(), i.ID)
	if err != nil {
		w.t.Fatalf("%v: %v", err, i.Timeline)
	}
	return i
}

// objects is how many versions of canaries are in each bucket.
func (c *canaries) objects(key string) (atSource, atDestination bool) {
	_, first := c.Cloud.Head(source, key, "")
	_, second := c.Cloud.Head(destination, key, "")
	return first == nil, second == nil
}

// said is the timeline as one text.
func said(i incident.Incident) string {
	var b strings.Builder
	for _, e := range i.Timeline {
		fmt.Fprintln(&b, e.Text)
	}
	return b.String()
}

// expectGone: the canary was removed from both buckets, and is in the incident.
func (c *canaries) expectGone(i incident.Incident) {
	c.t.Helper()
	if i.Canary == nil || i.Canary.State != incident.TrialRemoved {
		c.t.Fatalf("the canary is %+v:\n%s", i.Canary, said(i))
	}
	if a, b := c.objects(i.Canary.Key); a || b || c.removals == 0 {
		c.t.Errorf("at the source %t, at the destination %t, %d removals", a, b, c.removals)
	}
}

// TestCanaryProvesACure that nobody's object does: it waits for what was written to hold, is written once, and is gone when it is over.
func TestCanaryProvesACure(t *testing.T) {
	t.Parallel()
	w, c := withCanary(t, nil)
	w.workflow.Propagation = 2 * time.Minute
	before := w.documents()
	i, err := w.cures()
	if err != nil || i.Outcome != incident.Applied || i.Canary != nil || c.writes > 0 {
		t.Fatalf("outcome %s, canary %+v, %v\n%s", i.Outcome, i.Canary, err, said(i))
	}
	for i.Canary == nil {
		if i = w.later(i); w.now.Sub(i.Patched) > time.Hour {
			t.Fatal(said(i))
		}
	}
	if age := i.Canary.At.Sub(i.Patched); age < 2*time.Minute || i.Canary.State != incident.TrialWritten || i.Canary.VersionID == "" {
		t.Errorf("after %s the canary is %+v", age, i.Canary)
	}
	if want := "ledger/" + settings.CanaryPrefix + i.ID; i.Canary.Key != want {
		t.Errorf("the key is %q, want %q", i.Canary.Key, want)
	}
	i = w.later(i)
	w.expect(i, incident.Resolved, before, true)
	c.expectGone(i)
	if c.writes != 1 || len(w.replays) > 0 || i.Resolved.IsZero() {
		t.Errorf("%d writes, %d replays, resolved %s", c.writes, len(w.replays), i.Resolved)
	}
	if _, due := remedy.Due(i, w.now); due {
		t.Error("somebody is still to look")
	}
	if text := said(i); strings.Count(text, "wrote a canary") != 1 || strings.Count(text, "removed the canary") != 1 {
		t.Error(text)
	}
}

// TestCanaryThatFails takes the cure back, and is no failure of anybody's object.
func TestCanaryThatFails(t *testing.T) {
	t.Parallel()
	w, c := withCanary(t, nil)
	before := w.documents()
	i, err := w.cures()
	if err != nil || i.Canary == nil {
		t.Fatalf("outcome %s, %v\n%s", i.Outcome, err, said(i))
	}
	deny := `{"Sid": "Theirs", "Effect": "Deny", "Principal": "*", "Action": "s3:Replicate*", "Resource": "arn:aws:s3:::` + destination + `/ledger/*"}`
	open := w.see().Document(bucketRef)
	w.somebodyAdds(bucketRef, deny)
	if err := w.Replicate(t.Context()); err != nil {
		t.Fatal(err)
	}
	if head, err := w.Cloud.Head(source, i.Canary.Key, ""); err != nil || head.ReplicationStatus.V != "FAILED" {
		t.Fatalf("the canary is %+v, %v", head, err)
	}
	// By its documents the route looks whole: only S3 knows.
	if err := w.SetPolicy(bucketRef, open); err != nil {
		t.Fatal(err)
	}
	var events []signal.Signal
	for _, e := range w.Events() {
		found, err := signal.Parse(e)
		if err != nil {
			t.Fatal(err)
		}
		events = append(events, found...)
	}
	if len(events) != 1 || events[0].Key != i.Canary.Key {
		t.Fatalf("events %+v", events)
	}
	if got, err := w.workflow.Handle(t.Context(), events); err != nil || len(got) > 0 {
		t.Errorf("the event is about %v, %v", got, err)
	}
	w.messages = nil
	i = w.later(i)
	if i.Outcome != incident.Escalated || w.documents() != before || !i.Failures.Versions.IsZero() {
		t.Errorf("outcome %s, %s failures\n%s\n%s", i.Outcome, i.Failures.Versions, said(i), w.documents())
	}
	c.expectGone(i)
	if len(w.messages) != 1 || w.messages[0].Severity != incident.Critical || !strings.Contains(w.messages[0].Text(), "the canary object") {
		t.Errorf("messages %v", w.messages)
	}
	if c.writes != 1 || w.puts != 4 {
		t.Errorf("%d canaries, %d writes", c.writes, w.puts)
	}
}

// TestCanaryThatPends proves nothing, is waited for a day, and is removed.
func TestCanaryThatPends(t *testing.T) {
	t.Parallel()
	w, c := withCanary(t, nil)
	i, err := w.cures()
	if err != nil || i.Canary == nil {
		t.Fatalf("outcome %s, %v", i.Outcome, err)
	}
	start, looks := w.now, 0
	for {
		due, ok := remedy.Due(i, w.now)
		if !ok {
			break
		}
		if looks++; looks > 200 {
			t.Fatalf("somebody looks for ever: %+v", i.Canary)
		}
		w.now = w.now.Add(due)
		if i, err = w.workflow.Resume(t.Context(), i.ID); err != nil {
			t.Fatal(err)
		}
	}
	if age := w.now.Sub(start); i.Outcome != incident.Applied || age < 24*time.Hour || age > 25*time.Hour || c.writes != 1 {
		t.Errorf("after %s outcome %s, %d canaries", age, i.Outcome, c.writes)
	}
	c.expectGone(i)
}

// TestCanaryLookedAtLate: nobody looked for more than a day, such as when the queue was down. What S3 says then still counts.
func TestCanaryLookedAtLate(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		meanwhile func(*testing.T, *world, incident.Incident)
		want      incident.Outcome
		says      string
	}{
		"replicated": {func(t *testing.T, w *world, _ incident.Incident) {
			if err := w.Replicate(t.Context()); err != nil {
				t.Fatal(err)
			}
		}, incident.Resolved, "S3 replicated the canary object"},
		"failed": {func(t *testing.T, w *world, _ incident.Incident) {
			open := w.see().Document(bucketRef)
			w.somebodyAdds(bucketRef, `{"Sid": "Theirs", "Effect": "Deny", "Principal": "*", "Action": "s3:Replicate*", "Resource": "arn:aws:s3:::`+destination+`/ledger/*"}`)
			if err := w.Replicate(t.Context()); err != nil {
				t.Fatal(err)
			}
			if err := w.SetPolicy(bucketRef, open); err != nil {
				t.Fatal(err)
			}
		}, incident.Escalated, "the canary object, which was written after the cure, failed"},
		"not replicated": {func(*testing.T, *world, incident.Incident) {}, incident.Applied, "S3 did not replicate the canary object in a day"},
		"deleted by somebody": {func(t *testing.T, w *world, i incident.Incident) {
			if err := w.DeleteVersion(source, i.Canary.Key, i.Canary.VersionID); err != nil {
				t.Fatal(err)
			}
		}, incident.Applied, "somebody removed the canary object"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, c := withCanary(t, nil)
			before := w.documents()
			i, err := w.cures()
			if err != nil || i.Canary == nil {
				t.Fatalf("outcome %s, %v", i.Outcome, err)
			}
			tt.meanwhile(t, w, i)
			w.now = w.now.Add(25 * time.Hour)
			if i, err = w.workflow.Resume(t.Context(), i.ID); err != nil {
				t.Fatal(err)
			}
			if i.Outcome != tt.want || (w.documents() == before) != (tt.want == incident.Escalated) || !strings.Contains(said(i), tt.says) {
				t.Errorf("outcome %s, want %s; the timeline lacks %q:\n%s", i.Outcome, tt.want, tt.says, said(i))
			}
			c.expectGone(i)
		})
	}
}

// TestCanaryThatSomebodyRemoved proves nothing, which is known at the next look and not after a day.
func TestCanaryThatSomebodyRemoved(t *testing.T) {
	t.Parallel()
	w, c := withCanary(t, nil)
	i, err := w.cures()
	if err != nil || i.Canary == nil {
		t.Fatalf("outcome %s, %v", i.Outcome, err)
	}
	if err := w.DeleteVersion(source, i.Canary.Key, i.Canary.VersionID); err != nil {
		t.Fatal(err)
	}
	i = w.later(i)
	if i.Outcome != incident.Applied || i.Canary.State != incident.TrialRemoved || !strings.Contains(said(i), "somebody removed the canary object") {
		t.Errorf("outcome %s, %+v\n%s", i.Outcome, i.Canary, said(i))
	}
	c.expectGone(i)
}

// TestNoCanary where it would prove nothing, could not be removed, or nobody agreed to it.
func TestNoCanary(t *testing.T) {
	t.Parallel()
	in := func(name string, change func(*snapshot.Bucket)) func(*snapshot.Snapshot) {
		return func(s *snapshot.Snapshot) {
			b := s.Buckets[name].V
			change(&b)
			s.Buckets[name] = snapshot.Of(b)
		}
	}
	locked := func(b *snapshot.Bucket) {
		b.ObjectLock = snapshot.Of(snapshot.ObjectLock{ObjectLockEnabled: "Enabled", Rule: &snapshot.ObjectLockRule{
			DefaultRetention: &snapshot.Retention{Mode: "COMPLIANCE", Days: 30},
		}})
	}
	other := func(prefix string) func(*snapshot.Snapshot) {
		return in(source, func(b *snapshot.Bucket) {
			rule := b.Replication.V.Rules[0]
			rule.ID, rule.Priority, rule.Filter = "r2", 2, &snapshot.Filter{Prefix: &prefix}
			b.Replication.V.Rules = append(b.Replication.V.Rules, rule)
		})
	}
	for name, tt := range map[string]struct {
		world  func(*snapshot.Snapshot)
		change func(*world)
		says   string
	}{
		"the route did not opt in":    {change: func(w *world) { w.workflow.Settings.Routes[0].Allow.Canary = false }, says: "the next object will prove the cure"},
		"there is nobody to write it": {change: func(w *world) { w.workflow.Canary = nil }, says: "the next object will prove the cure"},
		"the destination retains everything": {
			world: in(destination, locked), says: "bucket " + destination + " has Object Lock with a default retention (COMPLIANCE, 30 days)",
		},
		"another rule may take it": {world: other("ledger/replimend"), says: `rule "r2" to ` + destination + " may take the object, too"},
		"no samples are like it": {
			change: func(w *world) {
				r := &w.workflow.Settings.Routes[0]
				r.SourceKeys = append(r.SourceKeys, r.ReplicaKey)
			},
			says: "it would say nothing of objects under " + replicaKey,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, c := withCanary(t, tt.world)
			if tt.change != nil {
				tt.change(w)
			}
			i, err := w.cures()
			if err != nil || i.Outcome != incident.Applied || c.writes > 0 || i.Canary != nil {
				t.Fatalf("outcome %s, %d canaries, %v\n%s", i.Outcome, c.writes, err, said(i))
			}
			if !strings.Contains(said(i), tt.says) {
				t.Errorf("the timeline lacks %q:\n%s", tt.says, said(i))
			}
		})
	}
}

// TestCanaryUnderRetention of the lab stays: what the guard says of it is so.
func TestCanaryUnderRetention(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(s *snapshot.Snapshot) {
		b := s.Buckets[source].V
		b.ObjectLock = snapshot.Of(snapshot.ObjectLock{ObjectLockEnabled: "Enabled", Rule: &snapshot.ObjectLockRule{
			DefaultRetention: &snapshot.Retention{Mode: "GOVERNANCE", Days: 1},
		}})
		s.Buckets[source] = snapshot.Of(b)
	})
	o, err := w.PutObject(source, "ledger/a", lab.PutOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if err := w.DeleteVersion(source, o.Key, o.VersionID); err == nil {
		t.Error("a version under retention is gone")
	}
}

// TestCanaryAskedFor: in mode approve a person's yes to the plan is one to the canary.
func TestCanaryAskedFor(t *testing.T) {
	t.Parallel()
	w, c := withCanary(t, nil)
	w.workflow.Settings.Routes[0].Mode = settings.Approve
	i, err := w.cures()
	if err != nil || i.Outcome != incident.AwaitingApproval || c.writes > 0 {
		t.Fatalf("outcome %s, %v", i.Outcome, err)
	}
	w.answer = approving
	if i, err = w.workflow.Resume(t.Context(), i.ID); err != nil || i.Canary == nil || c.writes != 1 {
		t.Fatalf("outcome %s, %v\n%s", i.Outcome, err, said(i))
	}
	i = w.later(i)
	c.expectGone(i)
}

// TestCanaryOfAModeThatChanged: what a person did not approve, and is no longer automatic, gets no canary.
func TestCanaryOfAModeThatChanged(t *testing.T) {
	t.Parallel()
	for _, mode := range []settings.Mode{settings.Approve, settings.Observe} {
		w, c := withCanary(t, nil)
		w.workflow.Propagation = time.Minute
		i, err := w.cures()
		if err != nil || i.Outcome != incident.Applied {
			t.Fatalf("outcome %s, %v", i.Outcome, err)
		}
		w.workflow.Settings.Routes[0].Mode = mode
		i = w.later(w.later(i))
		if c.writes > 0 || !strings.Contains(said(i), "no canary object is written: the route is in mode "+string(mode)) {
			t.Errorf("%s: %d canaries\n%s", mode, c.writes, said(i))
		}
	}
}

// TestCanaryAndTheKillSwitch: nothing is written under it, and nothing removed.
func TestCanaryAndTheKillSwitch(t *testing.T) {
	t.Parallel()
	for _, where := range []string{incident.Hub, "111122223333", "444455556666"} {
		w, c := withCanary(t, nil)
		w.workflow.Propagation = time.Minute
		i, err := w.cures()
		if err != nil {
			t.Fatal(err)
		}
		thrown := true
		w.workflow.Switches = switches(func() []string {
			if thrown {
				return []string{where}
			}
			return nil
		})
		i = w.later(i)
		if c.writes > 0 || !strings.Contains(said(i), "the kill switch of") {
			t.Errorf("%s: %d canaries\n%s", where, c.writes, said(i))
		}
		thrown = false
		if i = w.later(i); c.writes != 1 {
			t.Fatalf("%s: %d canaries\n%s", where, c.writes, said(i))
		}
		thrown = true
		if i = w.later(i); i.Outcome != incident.Resolved || c.removals > 0 || !i.Canary.Stands() {
			t.Errorf("%s: outcome %s, %d removals", where, i.Outcome, c.removals)
		}
		thrown = false
		c.expectGone(w.later(i))
	}
}

// switches is where the kill switch is thrown.
type switches func() []string

func (s switches) Thrown(_ context.Context, accounts []string) ([]string, error) {
	var out []string
	for _, where := range s() {
		for _, a := range append([]string{incident.Hub}, accounts...) {
			if a == where {
				out = append(out, where)
			}
		}
	}
	return out, nil
}

// TestCanaryThatCannotBeWritten or removed: for good, for a while, and not at all.
func TestCanaryThatCannotBeWritten(t *testing.T) {
	t.Parallel()
	w, c := withCanary(t, nil)
	c.onWrite = func() error { return fmt.Errorf("a header is demanded: %w", incident.ErrRefused) }
	i, err := w.cures()
	if err != nil || i.Outcome != incident.Applied || i.Canary.State != incident.TrialRefused || !strings.Contains(said(i), "a header is demanded") {
		t.Fatalf("outcome %s, %+v, %v\n%s", i.Outcome, i.Canary, err, said(i))
	}
	c.onWrite = nil
	if i = w.later(i); c.writes > 0 || i.Canary.State != incident.TrialRefused {
		t.Errorf("%d canaries after a refusal, %+v", c.writes, i.Canary)
	}

	w, c = withCanary(t, nil)
	c.onWrite = func() error { return errPort }
	if i, err = w.cures(); !errors.Is(err, errPort) || i.Canary.State != incident.TrialIntended {
		t.Fatalf("%v, %+v", err, i.Canary)
	}
	c.onWrite = nil
	if i = w.later(i); c.writes != 1 || i.Canary.State != incident.TrialWritten {
		t.Errorf("%d canaries, %+v", c.writes, i.Canary)
	}
}

// TestCanaryThatStays is tried to remove some times, and then told to people with the commands.
func TestCanaryThatStays(t *testing.T) {
	t.Parallel()
	w, c := withCanary(t, nil)
	i, err := w.cures()
	if err != nil {
		t.Fatal(err)
	}
	tries := 0
	c.onRemove = func() error { tries++; return errPort }
	for range 20 {
		if _, due := remedy.Due(i, w.now); !due {
			break
		}
		i = w.later(i)
	}
	if i.Outcome != incident.Resolved || i.Canary.State != incident.TrialLeft || tries != 5 {
		t.Fatalf("outcome %s, %+v, %d tries", i.Outcome, i.Canary, tries)
	}
	last := w.messages[len(w.messages)-1].Text()
	for bucket, owner := range map[string]string{source: "111122223333", destination: "444455556666"} {
		want := fmt.Sprintf("aws s3api delete-object --bucket %s --key '%s' --version-id '%s' --expected-bucket-owner %s",
			bucket, i.Canary.Key, i.Canary.VersionID, owner)
		if !strings.Contains(last, want) {
			t.Errorf("people are not told %q:\n%s", want, last)
		}
	}
	told := len(w.messages)
	if i, err = w.workflow.Resume(t.Context(), i.ID); err != nil || len(w.messages) != told || tries != 5 {
		t.Errorf("%d messages, %d tries, %v", len(w.messages)-told, tries, err)
	}
}

// TestCanaryOfAnIncidentThatAPersonTookBack is removed with the cure.
func TestCanaryOfAnIncidentThatAPersonTookBack(t *testing.T) {
	t.Parallel()
	w, c := withCanary(t, nil)
	i, err := w.cures()
	if err != nil || i.Canary == nil {
		t.Fatal(err)
	}
	if i, err = w.workflow.Undo(t.Context(), i, incident.Authority{Incident: i.ID, Approver: "arn"}); err != nil || i.Outcome != incident.Escalated {
		t.Fatalf("outcome %s, %v", i.Outcome, err)
	}
	c.expectGone(i)
}

// TestAnEscalatedIncidentIsNotCuredToTidy: a look that is due for the canary alone writes no document.
func TestAnEscalatedIncidentIsNotCuredToTidy(t *testing.T) {
	t.Parallel()
	w, c := withCanary(t, nil)
	i, err := w.cures()
	if err != nil {
		t.Fatal(err)
	}
	c.onRemove = func() error { return errPort }
	if i, err = w.workflow.Undo(t.Context(), i, incident.Authority{Incident: i.ID, Approver: "arn"}); err != nil || !remedy.OnlyTidies(i) {
		t.Fatalf("outcome %s, %+v, %v", i.Outcome, i.Canary, err)
	}
	c.onRemove = nil
	puts := w.puts
	i = w.later(i)
	c.expectGone(i)
	if w.puts != puts || i.Outcome != incident.Escalated {
		t.Errorf("outcome %s, %d writes", i.Outcome, w.puts-puts)
	}
}

// TestOthersUnderThePrefix: only the very version of a known incident is left out; what anybody else writes there counts.
func TestOthersUnderThePrefix(t *testing.T) {
	t.Parallel()
	w, _ := withCanary(t, nil)
	i, err := w.cures()
	if err != nil || i.Canary == nil {
		t.Fatal(err)
	}
	own := signal.Signal{Kind: signal.Failed, Bucket: source, Rule: "r1", Destination: "arn:aws:s3:::" + destination, Key: i.Canary.Key, VersionID: i.Canary.VersionID}
	change := func(f func(*signal.Signal)) signal.Signal { s := own; f(&s); return s }
	counted := []signal.Signal{
		change(func(s *signal.Signal) { s.VersionID = "other" }),
		change(func(s *signal.Signal) { s.Bucket = destination }),
		change(func(s *signal.Signal) { s.Key = "ledger/" + settings.CanaryPrefix + "inc-00000000000000000000" }),
		change(func(s *signal.Signal) { s.Key = "other/" + settings.CanaryPrefix + i.ID }),
		change(func(s *signal.Signal) { s.Key += "/more" }),
		change(func(s *signal.Signal) { s.Key = "ledger/" + settings.CanaryPrefix }),
	}
	isCanary, err := w.workflow.Canaries(t.Context(), append(counted, own))
	if err != nil || !isCanary(own) {
		t.Fatalf("the canary is taken for a failure: %v", err)
	}
	for _, s := range counted {
		if isCanary(s) {
			t.Errorf("%q version %q of %s is hidden", s.Key, s.VersionID, s.Bucket)
		}
	}
	for n := range 100 { // lookups are few, and what is not looked up counts
		s := own
		s.Key = fmt.Sprintf("ledger/%sinc-%020x", settings.CanaryPrefix, n)
		counted = append(counted, s)
	}
	j := &gets{Journal: w.workflow.Journal}
	w.workflow.Journal = j
	if _, err = w.workflow.Canaries(t.Context(), counted); err != nil || j.n == 0 || j.n > 10 {
		t.Errorf("%d lookups, %v", j.n, err)
	}
}

// gets counts lookups.
type gets struct {
	remedy.Journal
	n int
}

func (g *gets) Get(ctx context.Context, id string) (incident.Incident, error) {
	g.n++
	return g.Journal.Get(ctx, id)
}

// mortalCanaries end with their worker.
type mortalCanaries struct {
	*mortal
	canaries *canaries
}

func (m mortalCanaries) Write(ctx context.Context, o incident.Canary) (string, error) {
	return stepping(m.mortal, func() (string, error) { return m.canaries.Write(ctx, o) })
}

func (m mortalCanaries) Remove(ctx context.Context, o incident.Canary) error {
	return m.stepping(func() error { return m.canaries.Remove(ctx, o) })
}

// TestWorkerEndsAnywhereWithACanary: it ends before and after every step; others bring the incident to its end, with one canary for
// each cure and none of them left, whether S3 replicates it or not.
func TestWorkerEndsAnywhereWithACanary(t *testing.T) {
	t.Parallel()
	for name, fails := range map[string]bool{"S3 replicates it": false, "S3 fails it": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			taken := 0
			for n := 0; ; n++ { // the first lives
				w, c := withCanary(t, nil)
				before := w.documents()
				m := &mortal{world: w, left: n}
				i := m.untilTheCanaryIsGone(c, fails)
				if t.Failed() {
					t.Fatalf("when the worker ended at step %d:\n%s", n, said(i))
				}
				want := incident.Resolved
				if fails {
					want = incident.Escalated
				}
				if i.Outcome != want || (w.documents() == before) != fails {
					t.Fatalf("when the worker ended at step %d: outcome %s\n%s\n%s", n, i.Outcome, said(i), w.documents())
				}
				if fails && i.Canary == nil && c.writes == 0 {
					taken++ // in the middle of the plan
				} else {
					c.expectGone(i)
				}
				if len(w.messages) == 0 || len(w.notes.Incidents()) != 1 || len(w.replays) > 0 || !i.Failures.Versions.IsZero() {
					t.Fatalf("when the worker ended at step %d: %d messages, %d incidents, %d replays", n, len(w.messages), len(w.notes.Incidents()), len(w.replays))
				}
				if n > 0 && !m.ended {
					if n-1 < 22 || taken > 12 {
						t.Errorf("only %d steps were reached, of which %d before any canary", n-1, taken)
					}
					t.Logf("%d steps", n-1)
					return
				}
			}
		})
	}
}

// untilTheCanaryIsGone has the mortal worker begin and others go on, as a queue would, until nobody has to look again.
func (m *mortal) untilTheCanaryIsGone(c *canaries, fails bool) incident.Incident {
	w, t := m.world, m.t
	immortal := w.workflow
	immortal.Worker = "other"
	dying := w.workflow
	dying.Journal, dying.Store, dying.Notifier, dying.Locker, dying.Canary = m, m, m, m, mortalCanaries{m, c}
	now := &dying
	try := func(do func(*remedy.Workflow) error) (died bool) {
		var err error
		if !m.lives(func() { err = do(now) }) {
			now = &immortal
			return true
		}
		if err != nil && !errors.Is(err, incident.ErrLocked) {
			t.Errorf("look: %v", err)
		}
		return false
	}
	cure := func(f *remedy.Workflow) error {
		_, err := f.Cure(t.Context(), incident.Route{Source: source, Rule: "r1", Destination: destination}, remedy.Known{})
		return err
	}
	for try(cure) { // whoever asked asks again
		w.now = w.now.Add(time.Hour)
	}
	for range 12 {
		if fails {
			w.failPending()
		} else if err := w.Replicate(t.Context()); err != nil {
			t.Fatal(err)
		}
		i := w.notes.Incidents()[0]
		if _, due := remedy.Due(i, w.now); !due && (i.Over() || fails && i.Outcome == incident.Escalated) {
			break
		}
		for {
			w.now = w.now.Add(time.Hour)
			if died := try(func(f *remedy.Workflow) error {
				look := f.Resume
				if remedy.OnlyTidies(i) {
					look = f.Tidy
				}
				_, err := look(t.Context(), i.ID)
				return err
			}); !died {
				break
			}
		}
	}
	return w.notes.Incidents()[0]
}

// failPending has S3 fail whatever is pending, for a reason that the documents do not show later.
func (w *world) failPending() {
	w.t.Helper()
	open := w.see().Document(bucketRef)
	w.somebodyAdds(bucketRef, `{"Sid": "Theirs", "Effect": "Deny", "Principal": "*", "Action": "s3:Replicate*", "Resource": "arn:aws:s3:::`+destination+`/ledger/*"}`)
	if err := w.Replicate(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
	if err := w.SetPolicy(bucketRef, open); err != nil {
		w.t.Fatal(err)
	}
}
