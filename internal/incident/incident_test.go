package incident_test

import (
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/replimend/replimend/internal/incident"
	"github.com/replimend/replimend/internal/jsontree"
)

var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

func TestApprovalIsForOnePlanAndATime(t *testing.T) {
	t.Parallel()
	good := incident.Approval{Plan: "abc", Answer: incident.Approve, Approver: "arn:aws:iam::111122223333:role/admin", Expires: noon.Add(time.Hour)}
	with := func(change func(*incident.Approval)) incident.Approval {
		a := good
		change(&a)
		return a
	}
	tests := map[string]struct {
		approval incident.Approval
		plan     string
		now      time.Time
		want     bool
	}{
		"approved":          {good, "abc", noon, true},
		"another plan":      {good, "abd", noon, false},
		"at the last":       {good, "abc", noon.Add(time.Hour - 1), true},
		"expired":           {good, "abc", noon.Add(time.Hour), false},
		"no plan":           {with(func(a *incident.Approval) { a.Plan = "" }), "", noon, false},
		"the zero approval": {incident.Approval{}, "", noon, false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if err := tt.approval.Counts(tt.plan, tt.now); (err == nil) != tt.want {
				t.Errorf("Counts = %v, want an error: %t", err, !tt.want)
			}
		})
	}
}

func TestIsID(t *testing.T) {
	t.Parallel()
	id := incident.ID(incident.Route{Source: "a", Rule: "r", Destination: "b"}, noon)
	if !incident.IsID(id) {
		t.Errorf("%s is none", id)
	}
	for _, s := range []string{"", "inc-", id[4:], id[:len(id)-1], id + "0", strings.ToUpper(id), "inc-0123456789abcdefg012", "inc-0123456789/bcdef0123", id + "\n", "x" + id} {
		if incident.IsID(s) {
			t.Errorf("%q is one", s)
		}
	}
}

func TestIDTellsIncidentsApart(t *testing.T) {
	t.Parallel()
	r := incident.Route{Source: "a", Rule: "r", Destination: "b"}
	id := incident.ID(r, noon)
	if again := incident.ID(r, noon.In(time.FixedZone("x", 3600))); again != id {
		t.Errorf("the same failure gives %s and %s", id, again)
	}
	for name, other := range map[string]string{
		"another time":        incident.ID(r, noon.Add(1)),
		"another rule":        incident.ID(incident.Route{Source: "a", Rule: "s", Destination: "b"}, noon),
		"the same characters": incident.ID(incident.Route{Source: "a\nr", Rule: "", Destination: "b"}, noon),
	} {
		if other == id {
			t.Errorf("%s gives the same id", name)
		}
	}
	if len(id) > 64 {
		t.Errorf("%s does not fit into the token of a batch job", id)
	}
}

func TestOutcomesAreReadAsPrinted(t *testing.T) {
	t.Parallel()
	for _, o := range []incident.Outcome{incident.AwaitingApproval, incident.Proven, incident.Escalated} {
		if got, err := incident.ParseOutcome(o.String()); err != nil || got != o {
			t.Errorf("ParseOutcome(%q) = %q, %v", o, got, err)
		}
	}
	if _, err := incident.ParseOutcome("cured"); err == nil {
		t.Error("read an outcome that is none")
	}
}

func TestTextIsInTheOrderOfReading(t *testing.T) {
	t.Parallel()
	i := incident.Incident{ID: "inc-1"}
	i.Become(incident.Proven, noon, "an object replicated")
	m := incident.NewMessage(i, incident.Message{
		Title: "cured: a → b",
		Broke: []string{"role-lacks-source-decrypt: the role may not decrypt"},
		Diff:  "--- /dev/null\n+++ role-policy\n+{}\n",
		Steps: []string{"nothing"}, Happened: []string{"wrote role-policy"},
		Undo:   []string{"whoever may write the role's policies: aws iam delete-role-policy …"},
		Fields: []incident.Field{{"route", "a → b"}, {"empty", ""}},
	})
	const want = `[info] cured: a → b

What broke
  - role-lacks-source-decrypt: the role may not decrypt

What was changed
  --- /dev/null
  +++ role-policy
  +{}

Who may undo it, and how
  - whoever may write the role's policies: aws iam delete-role-policy …

Next
  - nothing

What happened
  - wrote role-policy

route: a → b
incident: inc-1, proven
`
	if diff := cmp.Diff(want, m.Text()); diff != "" {
		t.Errorf("text (-want +got):\n%s", diff)
	}
}

// TestProposalDoesNotReadLikeAChange: a reader must not take what was only proposed for done.
func TestProposalDoesNotReadLikeAChange(t *testing.T) {
	t.Parallel()
	for outcome, changed := range map[incident.Outcome]bool{
		incident.Refused: false, incident.Declined: false, incident.AwaitingApproval: false, incident.Manual: false,
		incident.Applied: true, incident.Proven: true, incident.Escalated: true,
	} {
		m := incident.NewMessage(incident.Incident{Outcome: outcome}, incident.Message{Diff: "+x"})
		if got := strings.Contains(m.Text(), "What was changed"); got != changed {
			t.Errorf("%s: says that something was changed: %t, want %t", outcome, got, changed)
		}
	}
}

// TestMessagesAreCleanAndBounded: whatever the names in it say, a message steers no terminal and fits its bounds.
func TestMessagesAreCleanAndBounded(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.OneOf(
			rapid.String(),
			rapid.Just("\x1b[2J\u202eabc\u200b\r\n\x00\x7f\u009b"),
			rapid.Map(rapid.IntRange(1, 30_000), func(n int) string { return strings.Repeat("é", n) }),
		)
		list := rapid.SliceOfN(text, 0, 40)
		m := incident.NewMessage(incident.Incident{ID: text.Draw(t, "id"), Outcome: incident.Refused}, incident.Message{
			Title: text.Draw(t, "title"), Broke: list.Draw(t, "broke"), Why: list.Draw(t, "why"), Diff: text.Draw(t, "diff"),
			Undo: list.Draw(t, "undo"), ByHand: list.Draw(t, "by hand"), Steps: list.Draw(t, "steps"), Happened: list.Draw(t, "happened"),
			Fields: rapid.SliceOfN(rapid.Custom(func(t *rapid.T) incident.Field {
				return incident.Field{Name: text.Draw(t, "name"), Value: text.Draw(t, "value")}
			}), 0, 30).Draw(t, "fields"),
		})
		out := m.Text()
		if i := strings.IndexFunc(out, func(r rune) bool { return r != '\n' && !jsontree.Visible(r) }); i >= 0 {
			t.Fatalf("%q at %d", out[i:min(i+4, len(out))], i)
		}
		if n := utf8.RuneCountInString(out); n > 60_000 || len(m.Broke) > 12 || len(m.Fields) > 16 {
			t.Fatalf("%d characters, %d causes, %d fields", n, len(m.Broke), len(m.Fields))
		}
	})
}

// TestNamesThatLookAlikeDoNot: characters that print as nothing do not make two names look the same.
func TestNamesThatLookAlikeDoNot(t *testing.T) {
	t.Parallel()
	named := func(bucket string) string {
		return incident.NewMessage(incident.Incident{}, incident.Message{Title: "refused: " + bucket}).Text()
	}
	if got := named("ledger\u3164\ufe0f"); !strings.Contains(got, "ledger\ufffd\ufffd") {
		t.Errorf("%q", got)
	}
}

func TestTheTimelineIsClean(t *testing.T) {
	t.Parallel()
	var i incident.Incident
	i.Log(noon, "rule %s\n", "\x1b[31m")
	if got := i.Timeline[0].Text; strings.ContainsAny(got, "\x1b\n") {
		t.Errorf("timeline holds %q", got)
	}
}
