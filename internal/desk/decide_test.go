package desk_test

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/replimend/replimend/internal/desk"
	"github.com/replimend/replimend/internal/guard"
	"github.com/replimend/replimend/internal/incident"
)

const mallory = "arn:aws:iam::111122223333:user/mallory"

// standing has something written for the incident that was not taken back.
func standing(i *incident.Incident) {
	i.Outcome, i.Proposal = incident.Applied, nil
	i.Changes = []incident.Change{{Kind: "role-policy", ID: "arn:aws:iam::111122223333:role/r", Account: "111122223333", State: incident.Written}}
}

func (d *office) incident() incident.Incident {
	d.t.Helper()
	i, err := d.kept.Get(d.t.Context(), d.id)
	if err != nil {
		d.t.Fatal(err)
	}
	return i
}

// code is that of a refusal; "" for nil.
func code(t *testing.T, err error) string {
	t.Helper()
	var no *desk.Refused
	if err != nil && !errors.As(err, &no) {
		t.Fatal(err)
	}
	if no == nil {
		return ""
	}
	return no.Code
}

// TestWhoMayDecideWhat holds every decision to who gives it and where the incident is.
func TestWhoMayDecideWhat(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		change func(*incident.Incident)
		answer incident.Answer
		who    string
		code   string
	}{
		"an approver approves":         {as, incident.Approve, jane, ""},
		"an approver declines":         {as, incident.Decline, jane, ""},
		"an approver takes back":       {standing, incident.Undo, jane, ""},
		"nothing stands":               {as, incident.Undo, jane, "nothing-to-undo"},
		"a stranger takes back":        {standing, incident.Undo, mallory, "not-an-approver"},
		"a stranger declines":          {as, incident.Decline, mallory, "not-an-approver"},
		"nobody declines":              {as, incident.Decline, "", "not-an-approver"},
		"a code declines":              {as, incident.Decline, incident.ByCode, ""},
		"a code approves":              {as, incident.Approve, incident.ByCode, "not-an-approver"},
		"a code takes back":            {standing, incident.Undo, incident.ByCode, "not-an-approver"},
		"a code declines what is over": {standing, incident.Decline, incident.ByCode, "not-asked"},
	} {
		d := newDesk(t, tt.change)
		_, err := d.Answer(t.Context(), d.incident(), incident.Said{Plan: plan, Answer: tt.answer}, tt.who)
		kept := d.answers()
		if got := code(t, err); got != tt.code || (len(kept) == 1) != (tt.code == "") || (len(d.sent) == 1) != (tt.code == "") {
			t.Errorf("%s: %q, kept %d, sent %d", name, got, len(kept), len(d.sent))
		}
		if tt.code == "" && (kept[0].Approver != tt.who || kept[0].Answer != tt.answer) {
			t.Errorf("%s: kept %+v", name, kept[0])
		}
	}
}

// TestWhoeverHasTheCodeIsOverruled by an approver who approves after that, and not before.
func TestWhoeverHasTheCodeIsOverruled(t *testing.T) {
	t.Parallel()
	d := newDesk(t, as)
	give := func(answer incident.Answer, who string) {
		t.Helper()
		d.now = d.now.Add(time.Minute)
		if _, err := d.Answer(t.Context(), d.incident(), incident.Said{Plan: plan, Answer: answer}, who); err != nil {
			t.Fatal(err)
		}
	}
	enough := func() bool { return guard.CheckApprovals(1, d.answers(), nil, d.Settings).Enough() }
	give(incident.Approve, jane)
	if give(incident.Decline, incident.ByCode); enough() {
		t.Error("a no of whoever has the code does not count")
	}
	if give(incident.Approve, john); !enough() {
		t.Error("it stands against who is known")
	}
}

// TestSilenceIsOfWhatIsKnown: each cause by itself, so that another one is heard, and of everything where there is none.
func TestSilenceIsOfWhatIsKnown(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		change func(*incident.Incident)
		lasts  time.Duration
		who    string
		want   []string
		code   string
	}{
		"two causes":  {func(i *incident.Incident) { i.Causes = []string{"b", "a"} }, time.Hour, jane, []string{"a", "b"}, ""},
		"no cause":    {as, desk.LongestSilence, jane, []string{""}, ""},
		"a code":      {as, time.Hour, incident.ByCode, []string{""}, ""},
		"a stranger":  {as, time.Hour, mallory, nil, "not-an-approver"},
		"for ever":    {as, desk.LongestSilence + 1, jane, nil, "time"},
		"for no time": {as, 0, jane, nil, "time"},
		"over":        {func(i *incident.Incident) { i.Outcome = incident.Resolved }, time.Hour, jane, nil, "over"},
	} {
		d := newDesk(t, tt.change)
		d.Silences = d.kept
		err := d.Silence(t.Context(), d.incident(), tt.lasts, tt.who, "  maintenance\x1b[31m ")
		all, e := d.kept.Silences(t.Context())
		if e != nil {
			t.Fatal(e)
		}
		var causes []string
		for _, s := range all {
			causes = append(causes, s.Cause)
			if s.Owner != tt.who || !s.Expires.Equal(d.now.Add(tt.lasts)) || !strings.Contains(s.Reason, "maintenance") || strings.Contains(s.Reason, "\x1b") {
				t.Errorf("%s: %+v", name, s)
			}
		}
		slices.Sort(causes)
		if got := code(t, err); got != tt.code || !slices.Equal(causes, tt.want) || (len(d.sent) == 1) != (tt.code == "") {
			t.Errorf("%s: %q, %q, sent %d", name, got, causes, len(d.sent))
		}
	}
}

// TestTakingBackBySignedRequest goes the way of every other answer.
func TestTakingBackBySignedRequest(t *testing.T) {
	t.Parallel()
	d := newDesk(t, standing)
	r := d.post()
	r.Body = []byte(`{"plan":"` + plan + `","answer":"undo"}`)
	if got := d.Handle(t.Context(), r); got.Status != http.StatusOK || len(d.answers()) != 1 || d.answers()[0].Answer != incident.Undo {
		t.Errorf("%d %s", got.Status, got.Body)
	}
}
