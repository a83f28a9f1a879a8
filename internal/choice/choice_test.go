package choice_test

import (
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/replimend/replimend/internal/choice"
	"github.com/replimend/replimend/internal/incident"
)

const (
	id   = "inc-0123456789abcdef0123"
	plan = "sha256:3f9a1c0d5b7e2486a1f0c3d2e4b5968778695a4b3c2d1e0f9a8b7c6d5e4f3021"
)

func TestWhatIsWrittenIsRead(t *testing.T) {
	t.Parallel()
	all := []choice.Choice{
		{Incident: id, Answer: incident.Approve, Plan: plan},
		{Incident: id, Answer: incident.Decline, Plan: plan},
		{Incident: id, Answer: incident.Undo, Plan: plan},
		{Incident: id, Answer: incident.Approve, Plan: strings.TrimPrefix(plan, "sha256:")},
	}
	for _, d := range choice.Silences() {
		all = append(all, choice.Choice{Incident: id, Lasts: d})
	}
	seen := map[string]bool{}
	for _, c := range all {
		if !c.Valid() || len(c.Value()) > 150 || seen[c.Action()+c.Value()] {
			t.Errorf("%+v is %s %s", c, c.Action(), c.Value())
		}
		seen[c.Action()+c.Value()] = true
		if got, err := choice.Parse(c.Action(), c.Value()); err != nil || got != c {
			t.Errorf("%+v is read as %+v, %v", c, got, err)
		}
	}
}

func TestNothingElseIsRead(t *testing.T) {
	t.Parallel()
	for name, c := range map[string][2]string{
		"nothing":                  {"", ""},
		"no action":                {"", id + " " + plan},
		"another action":           {"apply", id + " " + plan},
		"an action in capitals":    {"Approve", id + " " + plan},
		"no plan":                  {"approve", id},
		"an empty plan":            {"approve", id + " "},
		"a short plan":             {"approve", id + " " + plan[:len(plan)-1]},
		"a plan in capitals":       {"approve", id + " " + strings.ToUpper(plan)},
		"no incident":              {"approve", plan},
		"an incident that is none": {"approve", "inc-0123456789abcdef012g " + plan},
		"two spaces":               {"approve", id + "  " + plan},
		"something before":         {"approve", " " + id + " " + plan},
		"something behind":         {"approve", id + " " + plan + "\n"},
		"a time for an answer":     {"undo", id + " 8h"},
		"a plan for a silence":     {"silence", id + " " + plan},
		"a time that is not one":   {"silence", id + " 2h"},
		"for ever":                 {"silence", id + " 87600h"},
		"another unit":             {"silence", id + " 7d"},
		"no time":                  {"silence", id + " 0h"},
	} {
		if got, err := choice.Parse(c[0], c[1]); err == nil || got != (choice.Choice{}) {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
	if (choice.Choice{Incident: id, Answer: incident.Approve, Plan: plan, Lasts: time.Hour}).Valid() {
		t.Error("an answer lasts for a time")
	}
}

// TestReadingIsExact: whatever is read is written as it came, so that there is one way to say it.
func TestReadingIsExact(t *testing.T) {
	t.Parallel()
	words := rapid.SampledFrom([]string{id, plan, " ", "1h", "8h", "24h", "168h", "silence", "approve", "undo", "decline", "inc-", "sha256:", "\n", "0"})
	text := rapid.Custom(func(t *rapid.T) string { return strings.Join(rapid.SliceOfN(words, 0, 4).Draw(t, "words"), "") })
	rapid.Check(t, func(t *rapid.T) {
		action, value := text.Draw(t, "action"), text.Draw(t, "value")
		c, err := choice.Parse(action, value)
		if err == nil && (c.Action() != action || c.Value() != value || !c.Valid()) {
			t.Fatalf("%q %q is read as %+v", action, value, c)
		}
	})
}
