package remedy_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/replimend/replimend/internal/guard"
	"github.com/replimend/replimend/internal/incident"
	"github.com/replimend/replimend/internal/policy"
	"github.com/replimend/replimend/internal/settings"
	"github.com/replimend/replimend/internal/signal"
	"github.com/replimend/replimend/internal/snapshot"
)

var errPort = errors.New("port is down")

// expect compares the outcome and whether the documents are as they were.
func (w *world) expect(i incident.Incident, outcome incident.Outcome, before string, changed bool) {
	w.t.Helper()
	if i.Outcome != outcome {
		w.t.Errorf("outcome %s, want %s: %v", i.Outcome, outcome, i.Timeline)
	}
	if got := w.documents() != before; got != changed {
		w.t.Errorf("documents changed: %t, want %t:\n%s", got, changed, w.documents())
	}
}

func TestApprovedRouteIsCured(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	w.approve(settings.Automatic)
	w.fail(objectKey)
	before := w.documents()
	i, err := w.handle(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	w.expect(i, incident.Resolved, before, true)
	version := w.failedBy[0].VersionID
	if o, err := w.Cloud.Head(source, objectKey, version); err != nil || o.ReplicationStatus.V != "COMPLETED" {
		t.Errorf("the object is %v, %v", o.ReplicationStatus, err)
	}
	if _, err := w.Cloud.Head(destination, objectKey, version); err != nil {
		t.Errorf("there is no replica: %v", err)
	}
	if len(i.Changes) != 2 || i.Changes[0].State != incident.Written || i.Changes[1].State != incident.Written {
		t.Errorf("changes %+v", i.Changes)
	}
	if len(w.messages) != 1 {
		t.Fatalf("%d messages, want one", len(w.messages))
	}
	text := w.messages[0].Text()
	for _, want := range []string{
		"[info] cured: " + source, "What broke", "role-lacks-source-decrypt", "What was changed", "+++ role-policy",
		"aws iam delete-role-policy --role-name replication --policy-name Replimend", "take out statement Replimend",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("message does not say %q:\n%s", want, text)
		}
	}
}

// TestMessagesNameNoObject: the keys of objects can hold what a chat must not know, whatever becomes of the incident.
func TestMessagesNameNoObject(t *testing.T) {
	t.Parallel()
	for _, mode := range []settings.Mode{settings.Observe, settings.Approve, settings.Automatic} {
		w := newWorld(t, nil)
		w.approve(mode)
		// Without a grant to read, the finding names the object that cannot be read.
		if err := w.SetPolicy(snapshot.Ref{Kind: snapshot.RolePolicy, ID: role, Name: "replication"}, snapshot.None[policy.Document]()); err != nil {
			t.Fatal(err)
		}
		w.fail(objectKey)
		i, err := w.handle(t.Context())
		if err != nil || len(w.messages) != 1 {
			t.Fatalf("%d messages, %v", len(w.messages), err)
		}
		all := w.messages[0].Text()
		for _, e := range i.Timeline {
			all += e.Text
		}
		if !strings.Contains(all, source+"/(an object)") {
			t.Errorf("%s: no finding names an object: this tests nothing:\n%s", i.Outcome, all)
		}
		if strings.Contains(all, "jane-doe") {
			t.Errorf("%s: the key of an object stands in:\n%s", i.Outcome, all)
		}
	}
}

func TestWhatTheGuardRefusesIsNotDone(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		prepare func(*world)
		rule    string
	}{
		"nothing is approved": {func(*world) {}, "approved-route"},
		"mode observe":        {func(w *world) { w.approve(settings.Observe) }, "mode"},
		"kill switch": {func(w *world) {
			w.approve(settings.Automatic)
			w.notes.Throw(guard.Hub)
		}, "kill-switch"},
		"role made again since": {func(w *world) {
			w.approve(settings.Automatic)
			w.workflow.Settings.Routes[0].Role.UniqueID = "AROAEXAMPLEBEFORE"
		}, "approved-route"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, nil)
			tt.prepare(w)
			w.fail(objectKey)
			before := w.documents()
			w.answer = approving // an approval does not help
			i, err := w.handle(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			w.expect(i, incident.Refused, before, false)
			if w.puts > 0 {
				t.Errorf("%d writes", w.puts)
			}
			if len(w.messages) != 1 || !strings.Contains(strings.Join(w.messages[0].Why, "\n"), tt.rule+": ") {
				t.Fatalf("messages %+v", w.messages)
			}
			// A grant for a route that nobody approved is not even proposed.
			if proposed := w.messages[0].Diff != ""; proposed != (tt.rule != "approved-route") {
				t.Errorf("the message proposes the grant: %t", proposed)
			}
		})
	}
}

const admin = "arn:aws:sts::111122223333:assumed-role/admin/jane"

func approving(i incident.Incident) incident.Approval {
	return incident.Approval{
		Plan: i.Plan, Answer: incident.Approve, Approver: admin, At: i.Proposal.At,
		Expires: time.Date(2026, 11, 22, 13, 0, 0, 0, time.UTC),
	}
}

func TestModeApproveDoesWhatWasApproved(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		answer func(incident.Incident) incident.Approval
		want   incident.Outcome
	}{
		"approved":     {approving, incident.Resolved},
		"nobody knows": {nil, incident.AwaitingApproval},
		"declined": {func(i incident.Incident) incident.Approval {
			a := approving(i)
			a.Answer = incident.Decline
			return a
		}, incident.Declined},
		"another plan": {func(i incident.Incident) incident.Approval {
			a := approving(i)
			a.Plan = "0" + i.Plan[1:] + "0"
			return a
		}, incident.AwaitingApproval},
		"expired": {func(i incident.Incident) incident.Approval {
			a := approving(i)
			a.Expires = a.Expires.Add(-time.Hour)
			return a
		}, incident.AwaitingApproval},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, nil)
			w.approve(settings.Approve)
			w.fail(objectKey)
			before := w.documents()
			w.answer = tt.answer
			i, err := w.handle(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			w.expect(i, tt.want, before, tt.want == incident.Resolved)
		})
	}
}

func TestNobodyToAskIsNobodyWhoAnswered(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	w.approve(settings.Approve)
	w.fail(objectKey)
	before := w.documents()
	w.workflow.Approver = nil
	i, err := w.handle(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	w.expect(i, incident.AwaitingApproval, before, false)
}

// TestHandlingTwiceChangesNothing: messages come at least once.
func TestHandlingTwiceChangesNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	w.approve(settings.Automatic)
	w.fail(objectKey)
	w.failedBy = append(w.failedBy, w.failedBy...)
	if i, err := w.handle(t.Context()); err != nil || i.Failures.Versions.String() != "1" {
		t.Fatalf("%s, %v", i.Failures.Versions, err)
	}
	before, puts := w.documents(), w.puts
	i, err := w.handle(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	w.expect(i, incident.Resolved, before, false)
	if w.puts != puts || len(w.messages) != 1 {
		t.Errorf("%d more writes, %d messages", w.puts-puts, len(w.messages))
	}
}

// TestSignalsDecideNothing: what an event says only moves where is looked.
func TestSignalsDecideNothing(t *testing.T) {
	t.Parallel()
	base := newWorld(t, nil)
	base.fail(objectKey)
	with := func(change func(*signal.Signal)) signal.Signal {
		s := base.failedBy[0]
		change(&s)
		return s
	}
	tests := map[string]struct {
		signal signal.Signal
		want   incident.Outcome
	}{
		"another destination": {with(func(s *signal.Signal) { s.Destination = "arn:aws:s3:::attackers-bucket" }), incident.Resolved},
		"another reason":      {with(func(s *signal.Signal) { s.Reason = "DstPutObjectNotPermitted" }), incident.Resolved},
		"another owner":       {with(func(s *signal.Signal) { s.Owner = "777788889999" }), incident.Resolved},
		"another object":      {with(func(s *signal.Signal) { s.Key, s.VersionID = "../../etc", "x" }), incident.Resolved},
		"no such rule":        {with(func(s *signal.Signal) { s.Rule = "r2" }), incident.Ignored},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, nil)
			w.approve(settings.Automatic)
			w.fail(objectKey)
			before := w.documents()
			w.failedBy = []signal.Signal{tt.signal}
			i, err := w.handle(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			w.expect(i, tt.want, before, tt.want == incident.Resolved)
		})
	}
}

// TestGoodNewsOpensNothing: an event of a late success is no reason to look.
func TestGoodNewsOpensNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	incidents, err := w.workflow.Handle(t.Context(), []signal.Signal{{Kind: signal.ReplicatedAfterThreshold, Bucket: source, Rule: "r1"}})
	if err != nil || len(incidents) > 0 || w.looks > 0 {
		t.Errorf("%d incidents, %d looks, %v", len(incidents), w.looks, err)
	}
}

func TestOneBucketThatCannotBeReadStopsNoOther(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	w.approve(settings.Automatic)
	w.fail(objectKey)
	w.failedBy = append(w.failedBy, signal.Signal{Kind: signal.Failed, Bucket: "a-bucket-that-is-not-there", Rule: "r1"})
	i, err := w.handle(t.Context())
	if err == nil || !strings.Contains(err.Error(), "a-bucket-that-is-not-there") || i.Outcome != incident.Resolved {
		t.Errorf("outcome %s, error %v", i.Outcome, err)
	}
}

// TestReplayUsesNoRuleThatNobodyApproved: S3 Batch Replication runs every rule of the bucket.
func TestReplayUsesNoRuleThatNobodyApproved(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	w.approve(settings.Automatic)
	w.fail(objectKey)
	// Its priority is the lower one, so that the objects stay those of the approved rule.
	if err := w.SetRule(source, snapshot.Rule{
		ID: "r2", Priority: 0, Status: "Enabled", Filter: &snapshot.Filter{}, DeleteMarkerReplication: &snapshot.Switch{Status: "Disabled"},
		Destination: snapshot.Destination{Bucket: "arn:aws:s3:::" + destination},
	}); err != nil {
		t.Fatal(err)
	}
	w.onReplay = func() error {
		t.Error("replayed")
		return nil
	}
	before := w.documents()
	i, err := w.handle(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	w.expect(i, incident.Applied, before, true)
}

// TestReplayThatCannotStartUndoesNothing: that the documents help is not proven, and not disproven.
func TestReplayThatCannotStartUndoesNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	w.approve(settings.Automatic)
	w.fail(objectKey)
	before := w.documents()
	w.onReplay = func() error { return errPort }
	i, err := w.handle(t.Context())
	if !errors.Is(err, errPort) {
		t.Errorf("error %v, want that of the replayer", err)
	}
	w.expect(i, incident.Applied, before, true)
}

// TestReplayThatIsNotDoneProvesNothing: neither that the cure helps, nor that it does not.
func TestReplayThatIsNotDoneProvesNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	w.approve(settings.Automatic)
	w.fail(objectKey)
	before := w.documents()
	w.slow = true
	i, err := w.handle(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	w.expect(i, incident.Applied, before, true)
}

// TestRoutesThatShareADocumentAreCuredOneAfterTheOther: the second plan starts from what the first one left.
func TestRoutesThatShareADocumentAreCuredOneAfterTheOther(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(s *snapshot.Snapshot) {
		b := s.Buckets[source]
		second := b.V.Replication.V.Rules[0]
		prefix := "audit/"
		second.ID, second.Priority, second.Filter = "r2", 2, &snapshot.Filter{Prefix: &prefix}
		b.V.Replication.V.Rules = append(b.V.Replication.V.Rules, second)
		s.Buckets[source] = b
	})
	w.approve(settings.Automatic)
	w.fail(objectKey)
	w.fail("audit/2026.log")
	incidents, err := w.workflow.Handle(t.Context(), w.failedBy)
	if err != nil || len(incidents) != 2 {
		t.Fatalf("%d incidents, %v", len(incidents), err)
	}
	for _, i := range incidents {
		if i.Outcome != incident.Resolved {
			t.Errorf("%s: outcome %s: %v", i.Route, i.Outcome, i.Timeline)
		}
	}
}

func TestRouteThatNoEditCuresIsForPeople(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	w.approve(settings.Automatic)
	w.fail(objectKey)
	w.somebodyAdds(bucketRef, denyAll)
	before := w.documents()
	i, err := w.handle(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	w.expect(i, incident.Manual, before, false)
	if len(w.messages) != 1 || !strings.Contains(w.messages[0].Text(), "explicit-deny") {
		t.Errorf("messages %+v", w.messages)
	}
}
