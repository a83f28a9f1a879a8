package incident_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/replimend/replimend/internal/incident"
)

// looks draws looks of any size, with texts that whoever writes policies chooses.
func looks() *rapid.Generator[incident.Look] {
	texts := rapid.OneOf(
		rapid.String(),
		rapid.SampledFrom([]string{"", "decrypt-source", "\x1b[31m", "\u202etxt.exe", "<script>", strings.Repeat("<\U0001F512", 700), "a\nb"}),
	)
	return rapid.Custom(func(t *rapid.T) incident.Look {
		text := func(name string) string { return texts.Draw(t, name) }
		decider := func() incident.Decider {
			return incident.Decider{Document: text("document"), Statement: text("sid"), Effect: text("effect"), Reason: text("reason")}
		}
		l := incident.Look{
			At: noon, Verdict: text("verdict"), Role: text("role"), ReplicaKey: text("key"),
			Source:      incident.Place{Bucket: text("source"), Account: text("account"), Region: text("region")},
			Destination: incident.Place{Bucket: text("destination")},
			SourceKeys:  rapid.SliceOfN(texts, 0, 20).Draw(t, "keys"),
		}
		for range rapid.IntRange(0, 20).Draw(t, "hops") {
			h := incident.Hop{Name: text("hop"), Verdict: text("verdict"), Allowed: 1}
			if rapid.Bool().Draw(t, "by") {
				by := decider()
				h.By = &by
			}
			for range rapid.IntRange(0, 15).Draw(t, "requests") {
				h.Others = append(h.Others, incident.Request{Action: text("action"), Resource: text("resource"), By: []incident.Decider{decider(), decider()}})
			}
			l.Hops = append(l.Hops, h)
		}
		for range rapid.IntRange(0, 30).Draw(t, "findings") {
			l.Findings = append(l.Findings, incident.Finding{Cause: text("cause"), Message: text("message")})
			l.Against = append(l.Against, incident.Argument{Rule: text("rule"), Text: text("argument")})
		}
		return l
	})
}

// TestLooksAreBounded: a journal's row has 400 KB, and who writes policies does not decide how much of it a look takes.
func TestLooksAreBounded(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		given := looks().Draw(t, "look")
		before, err := json.Marshal(given)
		if err != nil {
			t.Fatal(err)
		}
		got := incident.NewLook(given)
		text, err := json.Marshal(got)
		if err != nil {
			t.Fatal(err)
		}
		// What cannot be left out is the route itself.
		if len(text) > 32<<10 {
			t.Fatalf("%d bytes", len(text))
		}
		if strings.ContainsAny(string(text), "\x1b\u202e") || strings.Contains(string(text), `\n`) {
			t.Fatalf("%s", text)
		}
		if got.LeftOut == 0 && (len(got.Findings) != len(given.Findings) || len(got.Hops) != len(given.Hops)) {
			t.Fatal("something is left out, and it does not say so")
		}
		if after, err := json.Marshal(given); err != nil || string(after) != string(before) {
			t.Fatal("what was given is changed")
		}
		if again := incident.NewLook(*got); !cmp.Equal(again, got) {
			t.Fatalf("made again: %s", cmp.Diff(got, again))
		}
	})
}

// TestTheLongestLookIsBounded, where every text is as long as it can be.
func TestTheLongestLookIsBounded(t *testing.T) {
	t.Parallel()
	l := incident.Look{SourceKeys: make([]string, 20), Findings: make([]incident.Finding, 20), Against: make([]incident.Argument, 20)}
	for range 20 {
		l.Hops = append(l.Hops, incident.Hop{By: &incident.Decider{}, Others: []incident.Request{{By: make([]incident.Decider, 10)}}})
	}
	text, err := json.Marshal(incident.NewLook(*l.Each(func(string) string { return strings.Repeat("<", 700) })))
	if err != nil || len(text) > 32<<10 {
		t.Errorf("%d bytes, %v", len(text), err)
	}
}

// TestALookIsNobodyElses: what a journal gives is not what it keeps.
func TestALookIsNobodyElses(t *testing.T) {
	t.Parallel()
	var l incident.Ledger
	i, err := l.Open(incident.Incident{ID: "inc-1", Outcome: incident.Open, Opened: noon, Failures: incident.Failures{First: noon, Last: noon}})
	if err != nil {
		t.Fatal(err)
	}
	look := incident.NewLook(incident.Look{
		At: noon, Verdict: "broken", SourceKeys: []string{"k"}, Findings: []incident.Finding{{Cause: "c"}}, Against: []incident.Argument{{Text: "a"}},
		Hops: []incident.Hop{{
			Name: "h", By: &incident.Decider{Statement: "s"}, Others: []incident.Request{{Action: "a", By: []incident.Decider{{Statement: "s"}}}},
		}},
	})
	i.Look, i.After = look, look
	kept, err := l.Record(i)
	if err != nil {
		t.Fatal(err)
	}
	want := kept.Look.Each(func(s string) string { return s })
	spoil := func(s string) string { return s + "!" }
	if spoiled := kept.Look.Each(spoil); cmp.Equal(spoiled, want) {
		t.Fatal("nothing is changed, so that nothing is seen")
	}
	for _, l := range []*incident.Look{kept.Look, kept.After, look} {
		l.SourceKeys[0], l.Findings[0].Cause, l.Against[0].Text = "!", "!", "!"
		l.Hops[0].By.Statement, l.Hops[0].Others[0].By[0].Statement, l.Hops[0].Others[0].Action, l.Hops[0].Name = "!", "!", "!", "!"
	}
	got, err := l.Get("inc-1")
	if err != nil || !cmp.Equal(got.Look, want) || !cmp.Equal(got.After, want) {
		t.Errorf("%v %s", err, cmp.Diff(want, got.Look))
	}
}
