package notify_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/replimend/replimend/internal/incident"
	"github.com/replimend/replimend/internal/notify"
	"github.com/replimend/replimend/internal/notifytest"
	"github.com/replimend/replimend/internal/settings"
)

// pressed are the actions that the blocks of a request offer.
func pressed(t *testing.T, r notify.Request) []string {
	t.Helper()
	var m struct {
		Blocks []struct {
			Type     string
			Elements []struct {
				Action string `json:"action_id"`
			}
		}
	}
	if err := json.Unmarshal(r.Body, &m); err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, b := range m.Blocks {
		for _, e := range b.Elements {
			if b.Type == "actions" {
				out = append(out, e.Action)
			}
		}
	}
	return out
}

// TestDecisions: a card has the buttons of what can be decided now, and nothing else of Slack has any.
func TestDecisions(t *testing.T) {
	t.Parallel()
	all := notifytest.Messages()
	changed := func(kind string, change func(*incident.Message)) incident.Message {
		m := all[kind]
		change(&m)
		return m
	}
	const plan = "3f9a1c0d5b7e2486a1f0c3d2e4b5968778695a4b3c2d1e0f9a8b7c6d5e4f3021"
	for name, c := range map[string]struct {
		m    incident.Message
		want string
	}{
		"asked":                       {all["proposal"], "approve decline silence"},
		"one more":                    {all["one-more-approval"], "approve decline silence"},
		"asked, and some stands":      {changed("proposal", func(m *incident.Message) { m.Stands = plan }), "approve decline undo silence"},
		"declined":                    {all["declined"], "silence"},
		"written":                     {all["applied"], "undo silence"},
		"over, and it stands":         {all["resolved"], "undo"},
		"over, and nothing stands":    {changed("resolved", func(m *incident.Message) { m.Stands = "" }), ""},
		"a rule that nobody approved": {changed("unapproved-rule", func(m *incident.Message) { m.Stands = plan }), "undo"},
		"of no incident":              {changed("proposal", func(m *incident.Message) { m.Incident = "" }), ""},
		"a plan that is none":         {changed("proposal", func(m *incident.Message) { m.Plan = "<!channel>" }), "silence"},
		"a diff that was cut":         {changed("proposal", func(m *incident.Message) { m.Diff = strings.Repeat("+ a line\n", 2_000) }), "decline silence"},
		"a diff that is cut here":     {changed("proposal", func(m *incident.Message) { m.Diff = strings.Repeat("+ \"a line\"\n", 1_000) }), "decline silence"},
		"a diff that came cut": {changed("proposal", func(m *incident.Message) {
			*m = incident.NewMessage(incident.Incident{ID: m.Incident, Outcome: m.Outcome}, incident.Message{Plan: m.Plan, Diff: strings.Repeat("+ a line\n", 5_000)})
		}), "decline silence"},
	} {
		to := target(settings.Slack, settings.English)
		v := notify.Of(c.m, to)
		for _, before := range []notify.Ref{{}, earlier(settings.Slack)} {
			r, err := notify.Compose(to, v, before)
			if err != nil {
				t.Fatal(err)
			}
			if got := strings.Join(pressed(t, r), " "); got != c.want {
				t.Errorf("%s: the card has %q, want %q", name, got, c.want)
			}
			for _, then := range r.Then {
				if got := pressed(t, then); len(got) > 0 {
					t.Errorf("%s: the thread has %v", name, got)
				}
			}
		}
		hook := target(settings.SlackWebhook, settings.English)
		r, err := notify.Compose(hook, v, notify.Ref{})
		if err != nil {
			t.Fatal(err)
		}
		if got := pressed(t, r); len(got) > 0 {
			t.Errorf("%s: the message of a webhook has %v", name, got)
		}
	}
}

// TestNobodyApprovesWhatCameCut: also in a tool that has room for what is left of a diff.
func TestNobodyApprovesWhatCameCut(t *testing.T) {
	t.Parallel()
	approves := func(m incident.Message) bool {
		return slices.ContainsFunc(notify.Of(m, target(settings.Slack, settings.English)).Decisions, func(d notify.Decision) bool { return d.Answer == incident.Approve })
	}
	m := notifytest.Messages()["proposal"]
	if !approves(m) {
		t.Error("nobody can approve what is whole")
	}
	content := incident.Message{Plan: m.Plan, Diff: strings.Repeat("+ a line\n", 5_000)}
	if approves(incident.NewMessage(incident.Incident{ID: m.Incident, Outcome: m.Outcome}, content)) {
		t.Error("what came cut can be approved")
	}
	if m.Diff = content.Diff; approves(m) {
		t.Error("what is cut here can be approved")
	}
}

// TestQuestionsNameWhatIsDecided: in both languages, and also where names are as long as they can be.
func TestQuestionsNameWhatIsDecided(t *testing.T) {
	t.Parallel()
	m := notifytest.Messages()["proposal"]
	m.Stands = m.Plan
	m.Route = incident.Route{Source: strings.Repeat("s", 63), Rule: strings.Repeat("r", 255), Destination: strings.Repeat("d", 63)}
	for _, l := range settings.Languages() {
		asked := 0
		for _, d := range notify.Of(m, target(settings.Slack, l)).Decisions {
			q := d.Confirm
			if q == nil {
				if d.Answer == incident.Approve || d.Answer == incident.Undo {
					t.Errorf("%s: %s is sent without a question", l, d.Answer)
				}
				continue
			}
			asked++
			if !strings.Contains(q.Title, "3f9a1c0d5b7e") || !strings.Contains(q.Text, m.Incident) || !strings.Contains(q.Text, strings.Repeat("s", 63)) {
				t.Errorf("%s: %+v", l, q)
			}
			if len([]rune(q.Title)) > 100 || len([]rune(q.Text)) > 300 || len([]rune(q.Yes)) > 30 || len([]rune(q.No)) > 30 {
				t.Errorf("%s: it is cut: %+v", l, q)
			}
		}
		if asked != 2 {
			t.Errorf("%s: %d questions", l, asked)
		}
	}
}

// TestNobodyDecidesWhereNobodyTakesIt: without an app of Slack a card has no buttons.
func TestNobodyDecidesWhereNobodyTakesIt(t *testing.T) {
	bubble(t, func(t *testing.T) {
		for _, decides := range []bool{true, false} {
			w := newWorld(t, []settings.Target{named("chat", settings.Slack, nil)})
			w.Decides = decides
			if got := w.tell(t, message(t, "proposal"), "")["chat"]; got != notify.Sent {
				t.Fatalf("%s; log:\n%s", got, &w.log)
			}
			if got := strings.Contains(w.requests()[0].body, `"action_id":"approve"`); got != decides {
				t.Errorf("decides %t: the card has buttons: %t", decides, got)
			}
		}
	})
}
