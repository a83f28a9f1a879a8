package remedy_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/replimend/replimend/internal/incident"
	"github.com/replimend/replimend/internal/patch"
	"github.com/replimend/replimend/internal/policy"
	"github.com/replimend/replimend/internal/remedy"
	"github.com/replimend/replimend/internal/settings"
	"github.com/replimend/replimend/internal/signal"
	"github.com/replimend/replimend/internal/snapshot"
)

const security, jane = "arn:aws:iam::111122223333:role/Security", "arn:aws:iam::111122223333:user/jane"

var ours = incident.Route{Source: source, Rule: "r1", Destination: destination}

// watchful is a world that approves its route, and protects what Security changes.
func watchful(t *testing.T, change func(*snapshot.Snapshot)) *world {
	t.Helper()
	w := newWorld(t, change)
	w.approve(settings.Automatic)
	arn, err := policy.ParseARN(security)
	if err != nil {
		t.Fatal(err)
	}
	w.workflow.Settings.Protected = []policy.ARN{arn}
	return w
}

func (w *world) call(by string, ago time.Duration) incident.Call {
	return incident.Call{Event: "PutKeyPolicy", Principal: by, At: w.now.Add(-ago)}
}

func (w *world) cure(k remedy.Known) incident.Incident {
	w.t.Helper()
	i, err := w.workflow.Cure(w.t.Context(), ours, k)
	if err != nil {
		w.t.Fatal(err)
	}
	return i
}

// TestHarmlessChangesCostNothing: a route in order has no incident, however often somebody looks, unless one is open.
func TestHarmlessChangesCostNothing(t *testing.T) {
	t.Parallel()
	w := watchful(t, nil)
	i := w.cure(remedy.Known{Changes: []incident.Call{w.call(jane, time.Minute)}})
	if i.Outcome != incident.Applied || i.Revision == 0 || i.Breaking.Principal != jane {
		t.Fatalf("of a broken route: %+v", i)
	}
	if i = w.cure(remedy.Known{}); i.Outcome != incident.Applied { // it joins what is open: nothing proved it yet
		t.Fatalf("outcome %s", i.Outcome)
	}
	if _, err := w.workflow.Undo(t.Context(), i, incident.Authority{Incident: i.ID}); err != nil {
		t.Fatal(err)
	}
	for _, e := range i.Changes { // somebody mends the route by hand
		if err := w.SetPolicy(snapshot.Ref{Kind: snapshot.Kind(e.Kind), ID: e.ID, Name: e.Name}, snapshot.Of(*e.After)); err != nil {
			t.Fatal(err)
		}
	}
	told := len(w.messages)
	if i = w.cure(remedy.Known{Changes: []incident.Call{w.call(security, 0)}}); i.Outcome != incident.Healthy || len(w.messages) != told+1 {
		t.Fatalf("the open incident of a route in order: outcome %s, %d messages: %v", i.Outcome, len(w.messages)-told, i.Timeline)
	}
	for range 3 {
		if i = w.cure(remedy.Known{Changes: []incident.Call{w.call(jane, 0)}}); i.Outcome != incident.Healthy || i.Revision != 0 {
			t.Errorf("of a route in order: %+v", i)
		}
	}
	if n := len(w.notes.Incidents()); n != 1 || len(w.messages) != told+1 {
		t.Errorf("%d incidents, %d messages", n, len(w.messages)-told)
	}
}

// TestLateRecord: CloudTrail tells of a protected change after the cure. It is taken back, said so, and stays so.
func TestLateRecord(t *testing.T) {
	t.Parallel()
	for name, proven := range map[string]bool{"applied": false, "proven and over": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := watchful(t, nil)
			before := w.documents()
			changed := w.call(security, time.Minute)
			var i incident.Incident
			if want := incident.Applied; proven {
				w.fail(objectKey)
				i, _ = w.handle(t.Context())
				if want = incident.Resolved; i.Outcome != want {
					t.Fatalf("outcome %s", i.Outcome)
				}
			} else if i = w.cure(remedy.Known{}); i.Outcome != want {
				t.Fatalf("outcome %s", i.Outcome)
			}
			cured := w.documents()

			w.now = w.now.Add(5 * time.Minute)
			for what, harmless := range map[string]incident.Call{
				"a change that was made after the cure": w.call(security, time.Minute), "one of somebody else": w.call(jane, 10*time.Minute),
			} {
				if again := w.cure(remedy.Known{Changes: []incident.Call{harmless}}); w.documents() != cured || again.Outcome == incident.Escalated {
					t.Fatalf("%s took the cure back: %v", what, again.Timeline)
				}
			}

			late := w.cure(remedy.Known{Changes: []incident.Call{changed}})
			if late.ID != i.ID {
				t.Errorf("it is another incident: %+v", late)
			}
			w.expect(late, incident.Escalated, before, false)
			text := w.messages[len(w.messages)-1].Text()
			for _, want := range []string{
				"[critical] the cure is not to stand: the route was broken on purpose", "broken by: PutKeyPolicy of " + security, "protected-change: ",
				"ask " + security + " whether", "what broke the route is known only now",
			} {
				if !strings.Contains(text, want) {
					t.Errorf("the message lacks %q:\n%s", want, text)
				}
			}

			// The record comes again, and S3 fails again: nothing is written any more, and it counts as a cure that failed.
			puts := w.puts
			for range 2 {
				i = w.cure(remedy.Known{Changes: []incident.Call{changed}})
			}
			w.expect(i, incident.Refused, before, false)
			if w.puts != puts {
				t.Errorf("%d more writes", w.puts-puts)
			}
			past, err := w.notes.Past(t.Context(), ours, w.now.Add(-time.Hour))
			if n := remedy.History(past, patch.Plan{}, w.now).FailedCures; err != nil || n != 1 {
				t.Errorf("%d failed cures, %v", n, err)
			}
		})
	}
}

// TestLateRecordStops: under a kill switch the documents stay as they are, also when the cure should not stand.
func TestLateRecordStops(t *testing.T) {
	t.Parallel()
	w := watchful(t, nil)
	changed := w.call(security, time.Minute)
	w.cure(remedy.Known{})
	cured := w.documents()
	w.notes.Throw("111122223333")
	w.notes.Throw("444455556666")
	w.now = w.now.Add(5 * time.Minute)
	i := w.cure(remedy.Known{Changes: []incident.Call{changed}})
	w.expect(i, incident.Escalated, cured, false)
}

// TestDenialsDecideNothing: what KMS denied changes what is told, never what is done.
func TestDenialsDecideNothing(t *testing.T) {
	t.Parallel()
	denied := func(w *world, ago time.Duration) []signal.Denial {
		return []signal.Denial{{
			Account: "111122223333", Role: "replication", Action: "kms:Encrypt", Key: replicaKey,
			Context: "arn:aws:s3:::" + destination + "/" + objectKey, Time: w.now.Add(-ago),
		}}
	}
	plain, told := watchful(t, nil), watchful(t, nil)
	a, b := plain.cure(remedy.Known{}), told.cure(remedy.Known{Denials: denied(told, time.Minute)})
	if a.Outcome != b.Outcome || a.Plan != b.Plan || plain.documents() != told.documents() {
		t.Errorf("outcome %s and %s, plan %s and %s", a.Outcome, b.Outcome, a.Plan, b.Plan)
	}
	messages := len(told.messages)
	if again := told.cure(remedy.Known{Denials: denied(told, time.Minute)}); again.Outcome != incident.Applied || len(told.messages) != messages {
		t.Errorf("a call that was denied before the cure: outcome %s, %d messages", again.Outcome, len(told.messages)-messages)
	}

	proven := watchful(t, nil)
	proven.fail(objectKey)
	if i, err := proven.handle(t.Context()); err != nil || i.Outcome != incident.Resolved {
		t.Fatalf("outcome %s, %v", i.Outcome, err)
	}
	if i := proven.cure(remedy.Known{Denials: denied(proven, time.Minute)}); i.Outcome != incident.Healthy || i.Revision != 0 || len(proven.messages) != 1 {
		t.Errorf("a call that was denied before a cure that is over: %+v", i)
	}

	// Of a route that nobody ever mended, and whose documents allow the call.
	mended := watchful(t, nil)
	for _, c := range a.Changes {
		if err := mended.SetPolicy(snapshot.Ref{Kind: snapshot.Kind(c.Kind), ID: c.ID, Name: c.Name}, snapshot.Of(*c.After)); err != nil {
			t.Fatal(err)
		}
	}
	before := mended.documents()
	if i := mended.cure(remedy.Known{}); i.Outcome != incident.Healthy {
		t.Fatalf("outcome %s: %v", i.Outcome, i.Timeline)
	}
	i := mended.cure(remedy.Known{Denials: denied(mended, time.Minute)})
	mended.expect(i, incident.Manual, before, false)
	if len(mended.messages) != 1 {
		t.Fatalf("%d messages", len(mended.messages))
	}
	text := mended.messages[0].Text()
	for _, want := range []string{"[warning] not known to replicate, and for a person to look at", "KMS denied role replication kms:Encrypt", "by the documents it is allowed"} {
		if !strings.Contains(text, want) {
			t.Errorf("the message lacks %q:\n%s", want, text)
		}
	}
	if strings.Contains(text, objectKey) {
		t.Errorf("the message names an object:\n%s", text)
	}
}

// TestUnapprovedRulesAreToldOf once each, loudly, and without anything that would help them.
func TestUnapprovedRulesAreToldOf(t *testing.T) {
	t.Parallel()
	const elsewhere = "amzn-s3-demo-elsewhere"
	stray := func(s *snapshot.Snapshot, id string) {
		b := s.Buckets[source]
		rule := b.V.Replication.V.Rules[0]
		rule.ID, rule.Priority, rule.Destination.Bucket = id, 7, "arn:aws:s3:::"+elsewhere
		rule.Destination.Account = "999999999999"
		b.V.Replication.V.Rules = append(slices.Clone(b.V.Replication.V.Rules), rule)
		s.Buckets[source] = b
	}
	w := newWorld(t, nil)
	w.approve(settings.Automatic)
	approved := w.workflow.Settings
	if all, err := w.workflow.Watch(t.Context(), source, []incident.Call{w.call(jane, 0)}); err != nil || len(all) != 0 || len(w.notes.Incidents()) != 0 {
		t.Fatalf("of approved rules alone: %v, %v", all, err)
	}

	w = newWorld(t, func(s *snapshot.Snapshot) { stray(s, "backup") })
	w.workflow.Settings = approved
	before := w.documents()
	watch := func() []incident.Incident {
		t.Helper()
		all, err := w.workflow.Watch(t.Context(), source, []incident.Call{w.call("arn:aws:iam::111122223333:user/mallory", time.Second), w.call(jane, time.Hour)})
		if err != nil {
			t.Fatal(err)
		}
		return all
	}
	all := watch()
	if len(all) != 1 || all[0].Route != (incident.Route{Source: source, Rule: "backup", Destination: elsewhere}) || all[0].Breaking == nil || !strings.HasSuffix(all[0].Breaking.Principal, "mallory") {
		t.Fatalf("incidents %+v", all)
	}
	w.expect(all[0], incident.Refused, before, false)
	m := w.messages[0]
	text := m.Text()
	for _, want := range []string{
		"[critical] replication rule that nobody approved, possible exfiltration", "user/mallory", "bucket " + elsewhere,
		"who owns bucket " + elsewhere + " is not known", "the rule says account 999999999999 (neither an account of the settings nor a member)",
		`delete rule "backup" of bucket ` + source, "replimend routes adopt " + source,
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the message lacks %q:\n%s", want, text)
		}
	}
	for _, help := range []string{"lacks", "kms:Decrypt", "s3:ReplicateObject", "Statement"} {
		if strings.Contains(text, help) || m.Diff != "" || len(m.Why) > 0 {
			t.Errorf("the message helps the rule with %q:\n%s", help, text)
		}
	}

	// Later changes, failures of the rule and looks at it tell nothing more.
	watch()
	failed := signal.Signal{Kind: signal.Failed, Bucket: source, Rule: "backup", Destination: "arn:aws:s3:::" + elsewhere, Key: "k", VersionID: "v", EventTime: w.now}
	if _, err := w.workflow.Handle(t.Context(), []signal.Signal{failed}); err != nil {
		t.Fatal(err)
	}
	i, err := w.workflow.Resume(t.Context(), all[0].ID)
	if err != nil || i.Outcome != incident.Refused || i.Plan != "" || len(w.messages) != 1 || w.puts != 0 {
		t.Errorf("outcome %s, %d messages, %d writes, %v", i.Outcome, len(w.messages), w.puts, err)
	}
}

// TestRefusedPlanIsNoHelp: where S3 failed by the rule first, a plan was made and refused. The warning has nothing of it.
func TestRefusedPlanIsNoHelp(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	w.fail(objectKey)
	i, err := w.handle(t.Context())
	if err != nil || i.Outcome != incident.Refused || i.Plan == "" {
		t.Fatalf("outcome %s, plan %q, %v", i.Outcome, i.Plan, err)
	}
	all, err := w.workflow.Watch(t.Context(), source, nil)
	if err != nil || len(all) != 1 || all[0].ID != i.ID || all[0].Plan != "" || len(w.messages) != 2 || w.messages[1].Severity != incident.Critical {
		t.Fatalf("%v, %d messages, %+v", err, len(w.messages), all)
	}
	if i, err = w.workflow.Resume(t.Context(), i.ID); err != nil || i.Outcome != incident.Refused || i.Plan != "" || len(w.messages) != 2 {
		t.Errorf("then: outcome %s, plan %q, %d messages, %v", i.Outcome, i.Plan, len(w.messages), err)
	}
}

// TestDriftedRuleIsToldOf: a rule that is no longer as it was approved is told of with what differs, until it is approved as it is.
func TestDriftedRuleIsToldOf(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	w.approve(settings.Automatic)
	approved := w.workflow.Settings
	w = newWorld(t, func(s *snapshot.Snapshot) {
		s.Buckets[source].V.Replication.V.Rules[0].DeleteMarkerReplication.Status = "Enabled"
	})
	w.approve(settings.Automatic)
	adopted := w.workflow.Settings
	w.workflow.Settings = approved
	before := w.documents()
	for range 2 {
		all, err := w.workflow.Watch(t.Context(), source, nil)
		if err != nil || len(all) != 1 {
			t.Fatalf("%v, %v", all, err)
		}
		w.expect(all[0], incident.Refused, before, false)
	}
	if len(w.messages) != 1 {
		t.Fatalf("%d messages", len(w.messages))
	}
	text := w.messages[0].Text()
	for _, want := range []string{
		"[critical] replication rule that is not as it was approved, possible exfiltration", `rule delete markers: want "off", got "on"`,
		"is of account 444455556666 (of organization o-exampleorgid)", "who changed the rules of the bucket is not known",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the message lacks %q:\n%s", want, text)
		}
	}
	w.workflow.Settings = adopted
	if i := w.cure(remedy.Known{}); i.Outcome != incident.Applied || slices.Contains(i.Causes, remedy.Unapproved) || len(w.notes.Incidents()) != 1 {
		t.Errorf("approved as it is: outcome %s, causes %v", i.Outcome, i.Causes)
	}
}

// TestWatchCannotSee: what may come right later is an error, a bucket of strangers another one.
func TestWatchCannotSee(t *testing.T) {
	t.Parallel()
	const nobodys = "amzn-s3-demo-nobodys"
	w := newWorld(t, func(s *snapshot.Snapshot) { s.Buckets[nobodys] = snapshot.Of(snapshot.Bucket{Account: "111122223333"}) })
	w.approve(settings.Automatic)
	hide := func(name, account string) {
		w.onSnapshot = func(s *snapshot.Snapshot) {
			s.Buckets[name] = snapshot.Of(snapshot.Bucket{Account: account})
		}
	}
	for name, tt := range map[string]struct {
		bucket, account string
		unowned         bool
	}{
		"of strangers":               {nobodys, "", true},
		"approved, and not verified": {source, "", false},
		"ours, and not readable now": {nobodys, "111122223333", false},
	} {
		hide(tt.bucket, tt.account)
		if _, err := w.workflow.Watch(t.Context(), tt.bucket, nil); err == nil || errors.Is(err, remedy.ErrUnowned) != tt.unowned || !strings.Contains(err.Error(), tt.bucket) {
			t.Errorf("%s: %v", name, err)
		}
	}
	w.onLook = func(int) error { return errPort }
	if _, err := w.workflow.Watch(t.Context(), source, nil); !errors.Is(err, errPort) {
		t.Errorf("port down: %v", err)
	}
}
