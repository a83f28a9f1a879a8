package notify_test

import (
	"flag"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"pgregory.net/rapid"

	"github.com/replimend/replimend/internal/catalogue"
	"github.com/replimend/replimend/internal/incident"
	"github.com/replimend/replimend/internal/notify"
	"github.com/replimend/replimend/internal/notifytest"
	"github.com/replimend/replimend/internal/settings"
)

var update = flag.Bool("update", false, "write the golden files")

// TestViews holds each kind of message in each language against its golden file, and finds no file of a kind that is gone.
func TestViews(t *testing.T) {
	t.Parallel()
	var names []string
	for kind, m := range notifytest.Messages() {
		for _, l := range settings.Languages() {
			name := kind + "-" + l.String() + ".txt"
			names = append(names, name)
			got := notify.Of(m, settings.Target{Language: l}).Text()
			path := filepath.Join("testdata", "view", name)
			if *update {
				if err := os.WriteFile(path, []byte(got), 0o600); err != nil {
					t.Fatal(err)
				}
				continue
			}
			want, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if got != string(want) {
				t.Errorf("%s: go test ./internal/notify -update writes it anew:\n%s", name, got)
			}
		}
	}
	files, err := os.ReadDir(filepath.Join("testdata", "view"))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if !slices.Contains(names, f.Name()) {
			t.Errorf("%s: no such kind of message", f.Name())
		}
	}
}

// TestProposalsDoNotReadLikeChanges: only what was written stands under the heading of what was.
func TestProposalsDoNotReadLikeChanges(t *testing.T) {
	t.Parallel()
	seen := 0
	for kind, m := range notifytest.Messages() {
		for _, l := range settings.Languages() {
			v := notify.Of(m, settings.Target{Language: l})
			wrote := kind == "applied" || kind == "resolved"
			for _, s := range v.Sections {
				if wrong := s.Heading == catalogue.Changed.Heading(l) && !wrote || s.Heading == catalogue.Would.Heading(l) && wrote; wrong {
					t.Errorf("%s in %s: a section reads %q", kind, l, s.Heading)
				}
				if s.Code != "" {
					seen++
				}
			}
			if v.Awaits != strings.Contains(v.Text(), "replimend approve "+notifytest.ID) && kind != "declined" {
				t.Errorf("%s in %s: awaits %t, which its steps do not say:\n%s", kind, l, v.Awaits, v.Text())
			}
		}
	}
	if seen == 0 {
		t.Error("no view has a diff")
	}
}

// TestUnapprovedRulesGetNoHelp: what such a route lacks is nobody's to grant, also where a message says it.
func TestUnapprovedRulesGetNoHelp(t *testing.T) {
	t.Parallel()
	proposal := notifytest.Messages()["proposal"]
	changes := map[string]func(*incident.Message){
		"rule that nobody approved": func(m *incident.Message) { m.Headline = incident.HeadUnapprovedRule },
		"rule that was changed":     func(m *incident.Message) { m.Headline = incident.HeadChangedRule },
		"cause":                     func(m *incident.Message) { m.Causes = append(m.Causes, catalogue.Unapproved) },
		"rule of the guard":         func(m *incident.Message) { m.Rules = []string{catalogue.ApprovedRoute} },
	}
	for name, change := range changes {
		for _, l := range settings.Languages() {
			m := proposal
			m.Causes, m.Code = slices.Clone(m.Causes), "kms:Encrypt"
			change(&m)
			text := notify.Of(m, settings.Target{Language: l}).Text()
			for _, help := range []string{"ReplimendReplicaEncrypt", "kms:Encrypt", "replimend approve", "suppressions add"} {
				if strings.Contains(text, help) {
					t.Errorf("%s in %s: says %q:\n%s", name, l, help, text)
				}
			}
		}
	}
}

// TestAccountsAreMasked in every text of every kind of message, and everything else stays.
func TestAccountsAreMasked(t *testing.T) {
	t.Parallel()
	for kind, m := range notifytest.Messages() {
		for _, l := range settings.Languages() {
			open := notify.Of(m, settings.Target{Language: l}).Text()
			got := notify.Of(m, settings.Target{Language: l, MaskAccounts: true}).Text()
			want := strings.NewReplacer(
				notifytest.Source, "xxxxxxxx3333", notifytest.Destination, "xxxxxxxx6666", "999988887777", "xxxxxxxx7777",
			).Replace(open)
			if got != want {
				t.Errorf("%s in %s: got\n%s\nwant\n%s", kind, l, got, want)
			}
			if kind == "proposal" && got == open {
				t.Errorf("%s in %s: nothing is masked", kind, l)
			}
		}
	}
}

func TestMasks(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"arn:aws:iam::111122223333:role/r":                       "arn:aws:iam::xxxxxxxx3333:role/r",
		"bucket logs-111122223333-eu":                            "bucket logs-xxxxxxxx3333-eu",
		"arn%3Aaws%3Aiam%3A%3A111122223333%3Arole":               "arn%3Aaws%3Aiam%3A%3Axxxxxxxx3333%3Arole",
		"account 777788889999, which is not among the message's": "account xxxxxxxx9999, which is not among the message's",
		"1111-2222-3333":                                         "xxxx-xxxx-3333",
		"logs-11112222333320261128":                              "logs-xxxxxxxx333320261128",
		"a number of thirteen, 1234567890123":                    "a number of thirteen, 1234567890123",
		"202611280305":                                           "xxxxxxxx0305", // nothing tells it from an account id
		"2026-11-28T03:05:00Z":                                   "2026-11-28T03:05:00Z",
		"41233 of the versions":                                  "41233 of the versions",
		"key/0d5c6a1e-7b2f-4c3d-9e8a-123456789012":               "key/0d5c6a1e-7b2f-4c3d-9e8a-123456789012",
		"key/mrk-12345678901234567890123456789012":               "key/mrk-12345678901234567890123456789012",
		"inc-123456789012abcdef01":                               "inc-123456789012abcdef01",
		"a text that was cut: 11112222…":                         "a text that was cut: …",
	} {
		m := incident.Message{Accounts: []string{notifytest.Source}, Happened: []string{in}}
		v := notify.Of(m, settings.Target{Language: settings.English, MaskAccounts: true})
		last := v.Sections[len(v.Sections)-1]
		if got := last.Lines[0]; got != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
}

// TestNoKeysOfObjects: what reads a record of an incident has them, and no message does. What a message may be given is what it has.
func TestNoKeysOfObjects(t *testing.T) {
	t.Parallel()
	i := incident.Incident{ID: notifytest.ID, Outcome: incident.Applied, Opened: time.Unix(1_800_000_000, 0)}
	i.Failures.Add(incident.Object{Key: "jane-doe-diagnosis.pdf", VersionID: "v1", Size: 7}, i.Opened)
	i.Canary = &incident.Trial{Key: "canary-of-jane"}
	i.Job = incident.Job{ID: "job", State: incident.JobFailed, Reason: "jane-doe-diagnosis.pdf is gone"}
	for _, l := range settings.Languages() {
		text := notify.Of(incident.NewMessage(i, incident.Message{Headline: incident.HeadApplied}), settings.Target{Language: l}).Text()
		if strings.Contains(text, "jane") {
			t.Errorf("in %s: %s", l, text)
		}
		if !strings.Contains(text, "7 B") {
			t.Errorf("in %s: what failed is not told at all: %s", l, text)
		}
	}
}

// TestViewsOfAnything are clean and bounded, whatever a message says that came over a queue.
func TestViewsOfAnything(t *testing.T) {
	t.Parallel()
	word := rapid.OneOf(
		rapid.String(), rapid.Just("\x1b[2J\u202eevil\u200b\x00"), rapid.Just(strings.Repeat("長い\n", 300)),
		rapid.Just("%[1]s%!d(MISSING)"), rapid.Just("111122223333"),
	)
	document := rapid.OneOf(word, rapid.Just(strings.Repeat("長い\n", 5_000)))
	list := rapid.SliceOfN(word, 0, 40)
	times := rapid.Map(rapid.Int64Range(0, 4_000_000_000), func(s int64) time.Time { return time.Unix(s, 0) })
	kinds := slices.Sorted(maps.Keys(notifytest.Messages()))
	rapid.Check(t, func(t *rapid.T) {
		m := notifytest.Messages()[rapid.SampledFrom(kinds).Draw(t, "kind")]
		text := func(name string, s *string) {
			if rapid.Bool().Draw(t, name+" is other") {
				*s = word.Draw(t, name)
			}
		}
		text("incident", &m.Incident)
		text("title", &m.Title)
		text("headline", (*string)(&m.Headline))
		text("outcome", (*string)(&m.Outcome))
		text("severity", (*string)(&m.Severity))
		text("source", &m.Route.Source)
		text("rule", &m.Route.Rule)
		text("destination", &m.Route.Destination)
		m.Diff, m.Code = document.Draw(t, "diff"), document.Draw(t, "code")
		text("plan", &m.Plan)
		for name, lines := range map[string]*[]string{
			"broke": &m.Broke, "causes": &m.Causes, "why": &m.Why, "rules": &m.Rules, "undo": &m.Undo, "by hand": &m.ByHand,
			"steps": &m.Steps, "happened": &m.Happened, "accounts": &m.Accounts,
		} {
			*lines = list.Draw(t, name)
		}
		m.Fields = nil
		for _, s := range list.Draw(t, "fields") {
			m.Fields = append(m.Fields, incident.Field{Name: s, Value: s})
		}
		m.Breaking = &incident.Call{Event: word.Draw(t, "event"), Principal: word.Draw(t, "principal"), At: times.Draw(t, "at")}
		m.Opened, m.At = times.Draw(t, "opened"), times.Draw(t, "now")
		m.Exposure = incident.Exposure{
			Versions: rapid.Int64().Draw(t, "versions"), Bytes: rapid.Int64().Draw(t, "bytes"), Exact: rapid.Bool().Draw(t, "exact"),
			Since: times.Draw(t, "since"), Until: times.Draw(t, "until"), Reported: rapid.Bool().Draw(t, "reported"),
		}
		target := settings.Target{Language: rapid.SampledFrom(settings.Languages()).Draw(t, "language"), MaskAccounts: rapid.Bool().Draw(t, "mask")}
		v := notify.Of(m, target)
		line := func(what, s string) {
			if strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) && r != utf8.RuneError }) || utf8.RuneCountInString(s) > 700 {
				t.Fatalf("%s: %q", what, s)
			}
		}
		line("incident", v.Incident)
		line("title", v.Title)
		line("word", v.Word)
		line("cut", v.Cut)
		for _, s := range v.Lead {
			line("lead", s)
		}
		for _, f := range v.Fields {
			line("name of a field", f.Name)
			line("field", f.Value)
		}
		for _, s := range v.Sections {
			line("heading", s.Heading)
			if (len(s.Lines) > 0) == (s.Code != "") || len(s.Lines) > 64 || utf8.RuneCountInString(s.Code) > 14_000 {
				t.Fatalf("%s: %d lines and %d bytes of code", s.Heading, len(s.Lines), len(s.Code))
			}
			for _, l := range s.Lines {
				line("line", l)
			}
			for l := range strings.Lines(s.Code) {
				line("line of code", strings.TrimSuffix(l, "\n"))
			}
		}
		if target.MaskAccounts && strings.Contains(v.Text(), "111122223333") {
			t.Fatalf("masked view shows an account id:\n%s", v.Text())
		}
	})
}
