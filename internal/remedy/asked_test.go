package remedy_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/replimend/replimend/internal/incident"
	"github.com/replimend/replimend/internal/settings"
	"github.com/replimend/replimend/internal/snapshot"
)

const (
	john     = "arn:aws:iam::111122223333:user/john"
	adminToo = "arn:aws:sts::111122223333:assumed-role/admin/john"
	stranger = "arn:aws:iam::444455556666:user/mallory"
)

// says adds the answer of somebody to the plan that people are asked about.
func (w *world) says(answer incident.Answer, who string) {
	w.t.Helper()
	kept := w.notes.Incidents()
	w.said = append(w.said, incident.Approval{
		Incident: kept[0].ID, Plan: kept[0].Plan, Answer: answer, Approver: who, At: w.now, Expires: w.now.Add(time.Hour),
	})
}

// ask brings the route to where people are asked.
func ask(t *testing.T, change func(*settings.Settings)) *world {
	t.Helper()
	w := newWorld(t, nil)
	w.approve(settings.Approve)
	change(w.workflow.Settings)
	w.fail(objectKey)
	if i, err := w.handle(t.Context()); err != nil || i.Outcome != incident.AwaitingApproval || i.Proposal == nil {
		t.Fatalf("outcome %s, %v", i.Outcome, err)
	}
	return w
}

func needTwo(s *settings.Settings) { s.Approvals.TwoForKeyPolicies = true }

func needOne(*settings.Settings) {}

// TestTwoPeopleForAKeyPolicy: one is not enough, nor is one twice. Each approval is told once, both are used up, and the timeline has
// everybody.
func TestTwoPeopleForAKeyPolicy(t *testing.T) {
	t.Parallel()
	w := ask(t, needTwo)
	before := w.documents()
	awaits := func(messages int, text string) {
		t.Helper()
		i, err := w.handle(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if last := i.Timeline[len(i.Timeline)-1].Text; i.Outcome != incident.AwaitingApproval || !strings.Contains(last, text) || w.documents() != before {
			t.Fatalf("outcome %s: %s", i.Outcome, last)
		}
		if len(w.messages) != messages {
			t.Errorf("%d messages, want %d", len(w.messages), messages)
		}
	}
	if p := w.notes.Incidents()[0].Proposal; p.People != 2 || len(p.Approvers) != 0 {
		t.Errorf("the proposal is %+v", p)
	}
	w.says(incident.Approve, admin)
	awaits(2, "approved by "+admin+"; one more person has to approve it")
	awaits(2, "one more person")
	if m := w.messages[1]; !strings.Contains(m.Title, "one more approval") || !strings.Contains(strings.Join(m.Happened, "\n"), "approved by "+admin) {
		t.Errorf("told: %s %q", m.Title, m.Happened)
	}
	w.now = w.now.Add(time.Second)
	w.says(incident.Approve, adminToo) // the same person, as far as anybody can tell
	awaits(3, "one more person")
	w.says(incident.Approve, stranger)
	awaits(3, "one more person")
	if got := w.notes.Incidents()[0].Proposal.Approvers; len(got) != 1 || got[0] != adminToo {
		t.Errorf("approvers %q", got)
	}
	w.now = w.now.Add(time.Second)
	w.says(incident.Approve, jane)
	i, err := w.handle(t.Context())
	if err != nil || i.Outcome != incident.Resolved || i.Approver != jane || len(w.used) != 2 {
		t.Fatalf("outcome %s by %s, %d used, %v", i.Outcome, i.Approver, len(w.used), err)
	}
	if !timeline(i, "approved by "+jane+" and "+adminToo) {
		t.Errorf("the timeline does not name both: %v", i.Timeline)
	}
	for _, by := range w.by {
		if by.Approver != jane {
			t.Errorf("written on the word of %s", by.Approver)
		}
	}
}

func timeline(i incident.Incident, text string) bool {
	for _, e := range i.Timeline {
		if strings.Contains(e.Text, text) {
			return true
		}
	}
	return false
}

// TestWhoseWordCounts: for a plan that one person has to approve.
func TestWhoseWordCounts(t *testing.T) {
	t.Parallel()
	type word struct {
		answer incident.Answer
		who    string
	}
	for name, tt := range map[string]struct {
		author string
		said   []word
		want   incident.Outcome
		by     string
	}{
		"an approver":                     {"", []word{{incident.Approve, jane}}, incident.Resolved, jane},
		"a stranger":                      {"", []word{{incident.Approve, stranger}}, incident.AwaitingApproval, ""},
		"a stranger's no is none":         {"", []word{{incident.Decline, stranger}, {incident.Approve, jane}}, incident.Resolved, jane},
		"the author alone":                {jane, []word{{incident.Approve, jane}}, incident.AwaitingApproval, ""},
		"the author in another session":   {adminToo, []word{{incident.Approve, admin}}, incident.AwaitingApproval, ""},
		"the author and then another one": {jane, []word{{incident.Approve, jane}, {incident.Approve, john}}, incident.Resolved, john},
		"another one and then the author": {jane, []word{{incident.Approve, john}, {incident.Approve, jane}}, incident.Resolved, john},
		"one no against two who say yes":  {"", []word{{incident.Approve, jane}, {incident.Decline, admin}, {incident.Approve, john}}, incident.Declined, ""},
		"a no that its giver took back":   {"", []word{{incident.Decline, admin}, {incident.Approve, adminToo}}, incident.Resolved, adminToo},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := ask(t, needOne)
			before := w.documents()
			if tt.author != "" {
				i := w.notes.Incidents()[0]
				i.Breaking = &incident.Call{Event: "PutKeyPolicy", Principal: tt.author, At: w.now}
				if _, err := w.notes.Record(t.Context(), i); err != nil {
					t.Fatal(err)
				}
			}
			for _, x := range tt.said {
				w.now = w.now.Add(time.Second)
				w.says(x.answer, x.who)
			}
			i, err := w.handle(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			w.expect(i, tt.want, before, tt.want == incident.Resolved)
			if i.Approver != tt.by {
				t.Errorf("on the word of %q, want %q", i.Approver, tt.by)
			}
		})
	}
}

// TestEveryApprovalIsUsedBeforeTheWrite: when the second cannot be, nothing is written.
func TestEveryApprovalIsUsedBeforeTheWrite(t *testing.T) {
	t.Parallel()
	w := ask(t, needTwo)
	before := w.documents()
	w.says(incident.Approve, jane)
	w.says(incident.Approve, john)
	w.onUse = func() error {
		if len(w.used) == 2 {
			return incident.ErrUsed
		}
		return nil
	}
	if _, err := w.handle(t.Context()); err == nil || w.puts > 0 || w.documents() != before {
		t.Errorf("%d writes, %v", w.puts, err)
	}
}

// TestProposal is what people can read before they answer.
func TestProposal(t *testing.T) {
	t.Parallel()
	w := ask(t, needOne)
	i := w.notes.Incidents()[0]
	p := i.Proposal
	if p.Plan != i.Plan || p.People != 1 || !p.At.Equal(w.now) || len(p.Reasons) == 0 || !strings.HasPrefix(p.Reasons[0], "mode: ") {
		t.Errorf("the proposal is %+v", p)
	}
	for _, want := range []string{"kms:Decrypt", roleRef.String(), keyRef.String(), "\n+"} {
		if !strings.Contains(p.Diff, want) {
			t.Errorf("the diff lacks %q:\n%s", want, p.Diff)
		}
	}
	if strings.Contains(p.Diff+strings.Join(p.Reasons, ""), objectKey) {
		t.Error("it names an object")
	}
	w.now = w.now.Add(time.Hour)
	if i, err := w.handle(t.Context()); err != nil || !i.Proposal.At.Equal(p.At) || len(w.messages) != 1 {
		t.Errorf("asked again at %s, %d messages, %v", i.Proposal.At, len(w.messages), err)
	}
}

// TestAnswersToAnotherStateAreVoid: somebody edits a document after people were asked. The plan starts from what is there now, people are
// asked anew, and the timeline says why.
func TestAnswersToAnotherStateAreVoid(t *testing.T) {
	t.Parallel()
	w := ask(t, needOne)
	old, key := w.notes.Incidents()[0], w.see().Document(keyRef)
	w.says(incident.Approve, jane)
	w.somebodyAdds(keyRef, `{"Sid": "Other", "Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::444455556666:root"}, "Action": "kms:DescribeKey", "Resource": "*"}`)
	before := w.documents()
	w.now = w.now.Add(time.Minute)
	i, err := w.handle(t.Context())
	if err != nil || i.Outcome != incident.AwaitingApproval || w.puts > 0 || w.documents() != before || len(w.used) > 0 {
		t.Fatalf("outcome %s, %d writes, %v", i.Outcome, w.puts, err)
	}
	if i.Plan == old.Plan || i.Proposal.Plan != i.Plan || !i.Proposal.At.Equal(w.now) || len(i.Proposal.Approvers) > 0 {
		t.Errorf("plan %s became %s, the proposal is %+v", old.Plan, i.Plan, i.Proposal)
	}
	if !timeline(i, "plan "+old.Plan+", which people were asked about, is void") || len(w.messages) != 2 {
		t.Errorf("%d messages: %v", len(w.messages), i.Timeline)
	}
	// Back as it was, it is the first plan again, and another question.
	if err := w.SetPolicy(keyRef, key); err != nil {
		t.Fatal(err)
	}
	if i, err = w.handle(t.Context()); err != nil || i.Plan != old.Plan || i.Outcome != incident.AwaitingApproval || w.puts > 0 {
		t.Errorf("outcome %s, plan %s, %d writes, %v", i.Outcome, i.Plan, w.puts, err)
	}
	if !timeline(i, "given before people were asked") {
		t.Errorf("the timeline does not say why the answer does not count: %v", i.Timeline)
	}
	w.says(incident.Approve, jane)
	if i, err = w.handle(t.Context()); err != nil || i.Outcome != incident.Resolved {
		t.Errorf("outcome %s, %v", i.Outcome, err)
	}
}

// TestAYesIsForOneCure: an approval that was given twice, the second time while the first was used, does not carry the plan out again after
// it was undone.
func TestAYesIsForOneCure(t *testing.T) {
	t.Parallel()
	w := ask(t, needOne)
	w.now = w.now.Add(time.Second)
	w.says(incident.Approve, jane)
	w.onPut = func(n int, _ snapshot.Ref) error {
		if n == 2 {
			return errPort
		}
		return nil
	}
	if i, err := w.handle(t.Context()); err == nil || i.Outcome != incident.Escalated {
		t.Fatalf("outcome %s, %v", i.Outcome, err)
	}
	w.onPut, w.puts, w.now = nil, 0, w.now.Add(time.Minute)
	w.fail("ledger/other.pdf")
	i, err := w.handle(t.Context())
	if err != nil || i.Outcome != incident.AwaitingApproval || w.puts > 0 {
		t.Fatalf("outcome %s, %d writes, %v: %v", i.Outcome, w.puts, err, i.Timeline)
	}
	w.now = w.now.Add(time.Second)
	w.says(incident.Approve, jane)
	if i, err := w.handle(t.Context()); err != nil || i.Outcome != incident.Resolved {
		t.Errorf("outcome %s, %v", i.Outcome, err)
	}
}

// TestOneAtATerminalIsNotTwo, and whoever sits there need not be an approver.
func TestOneAtATerminalIsNotTwo(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		change func(*settings.Settings)
		want   incident.Outcome
	}{{needTwo, incident.AwaitingApproval}, {needOne, incident.Resolved}} {
		w := newWorld(t, nil)
		w.approve(settings.Approve)
		tt.change(w.workflow.Settings)
		w.fail(objectKey)
		before := w.documents()
		w.workflow.Attended = true
		w.answer = func(i incident.Incident) incident.Approval {
			a := approving(i)
			a.Approver = stranger
			return a
		}
		i, err := w.handle(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		w.expect(i, tt.want, before, tt.want == incident.Resolved)
	}
}

// TestApprovalIsNotLostBetweenTwoWorkers: the second one looks while the first has used the approval up and not written yet.
func TestApprovalIsNotLostBetweenTwoWorkers(t *testing.T) {
	t.Parallel()
	w := ask(t, func(*settings.Settings) {})
	i := w.notes.Incidents()[0]
	w.now = w.now.Add(time.Minute)
	w.says(incident.Approve, jane)
	second := w.workflow
	second.Worker = "second"
	var other error
	w.onUse = func() error {
		w.onUse, w.said = nil, nil // it is used by now
		_, other = second.Resume(t.Context(), i.ID)
		return nil
	}
	i, err := w.workflow.Resume(t.Context(), i.ID)
	if err != nil || i.Outcome != incident.Resolved || w.puts != 2 {
		t.Errorf("outcome %s, %d writes, %v: %v", i.Outcome, w.puts, err, i.Timeline)
	}
	if !errors.Is(other, incident.ErrLocked) {
		t.Errorf("the second worker got %v", other)
	}
}
