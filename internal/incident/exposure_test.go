package incident_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/replimend/replimend/internal/incident"
)

// TestExposure: what is told of an incident from the first event on, and how long it was when it is over.
func TestExposure(t *testing.T) {
	t.Parallel()
	written := noon.Add(-6 * time.Hour)
	i := incident.Incident{ID: "inc-1", Failures: incident.Failures{First: noon, Last: noon.Add(5 * time.Minute)}}
	now := noon.Add(12 * time.Minute)
	if e := i.Exposure(); !e.Empty() || e.Text(now) != "" || e.Amount() != "" {
		t.Errorf("nothing failed, and it says %q", e.Text(now))
	}
	i.Failures.Versions.Add(incident.Object{Key: "a", Size: 1_500}, incident.Object{Key: "b", Size: 600})
	for name, tt := range map[string]struct {
		change func(*incident.Incident)
		want   string
	}{
		"nobody says when it was written": {func(*incident.Incident) {}, "at least 2 versions / 2.1 kB not replicated, the oldest for more than 12 m (first reported at 2026-11-22T12:00:00Z)"},
		"events say it": {
			func(i *incident.Incident) { i.Failures.Written = written },
			"at least 2 versions / 2.1 kB not replicated, the oldest for 6 h 12 m (since 2026-11-22T06:00:00Z)",
		},
		"resolved": {
			func(i *incident.Incident) {
				i.Failures.Written = written
				i.Become(incident.Resolved, noon.Add(72*time.Hour), "done")
			},
			"at least 2 versions / 2.1 kB were not replicated for 3 d 6 h (from 2026-11-22T06:00:00Z to 2026-11-25T12:00:00Z)",
		},
		"and again not": {
			func(i *incident.Incident) {
				i.Become(incident.Resolved, noon, "done")
				i.Become(incident.Escalated, noon, "not done")
			},
			"at least 2 versions / 2.1 kB not replicated, the oldest for more than 12 m (first reported at 2026-11-22T12:00:00Z)",
		},
		"by a clock that is behind": {
			func(i *incident.Incident) { i.Failures.Written = now.Add(time.Hour) },
			"at least 2 versions / 2.1 kB not replicated, the oldest for 0 s (since 2026-11-22T13:12:00Z)",
		},
		"no time at all": {func(i *incident.Incident) { i.Failures.First = time.Time{} }, "at least 2 versions / 2.1 kB not replicated"},
	} {
		i := i
		tt.change(&i)
		if got := i.Exposure().Text(now); got != tt.want {
			t.Errorf("%s: %q, want %q", name, got, tt.want)
		}
		summary := i.Summary()
		if n, exact := i.Failures.Count(); summary.Failed != n || summary.Exact != exact || summary.Exposure != i.Exposure() {
			t.Errorf("%s: the summary is %+v", name, summary)
		}
	}
	many := incident.Incident{}
	many.Failures.Versions.Add(versions(0, 41_233)...)
	if got := many.Exposure(); got.Exact || !strings.HasPrefix(got.Amount(), "about 4") || !strings.Contains(got.Amount(), ",") || !strings.Contains(got.Amount(), " MB") {
		t.Errorf("%+v: %q", got, got.Amount())
	}
	if got := (incident.Exposure{Versions: 1_234_567, Bytes: 2_100_000_000, Exact: true}).Amount(); got != "at least 1,234,567 versions / 2.1 GB" {
		t.Errorf("%q", got)
	}
}

// failures draws some that share reasons, and have texts that are none.
func failures() *rapid.Generator[incident.Failures] {
	return rapid.Custom(func(t *rapid.T) incident.Failures {
		var f incident.Failures
		reasons := rapid.OneOf(
			rapid.SampledFrom([]string{"DstPutObjectNotPermitted", "SrcGetObjectNotPermitted", "", "a b", "\x1b[31m", "ü", strings.Repeat("x", 129)}),
			rapid.Map(rapid.IntRange(0, 60), func(n int) string { return fmt.Sprintf("Reason%02d", n) }),
		)
		for _, r := range rapid.SliceOfN(reasons, 0, 50).Draw(t, "reasons") {
			f.AddReason(r)
		}
		f.Versions = tallies().Draw(t, "versions")
		f.First = noon.Add(time.Duration(rapid.IntRange(0, 3).Draw(t, "first")) * time.Hour)
		return f
	})
}

// TestMergingFailuresKeepsItsLaws: events come twice, late and in any order, and say the same in the end.
func TestMergingFailuresKeepsItsLaws(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		a, b, c := failures().Draw(t, "a"), failures().Draw(t, "b"), failures().Draw(t, "c")
		before := slices.Clone(a.Reasons)
		for law, pair := range map[string][2]incident.Failures{
			"idempotent":  {a.Merge(a), a},
			"commutative": {a.Merge(b), b.Merge(a)},
			"associative": {a.Merge(b).Merge(c), a.Merge(b.Merge(c))},
			"absorbing":   {a.Merge(b).Merge(a), a.Merge(b)},
		} {
			if !pair[0].Equal(pair[1]) {
				t.Fatalf("not %s: %v and %v", law, pair[0].Reasons, pair[1].Reasons)
			}
		}
		got := a.Merge(b).Reasons
		if len(got) > 32 || !slices.IsSorted(got) || len(slices.Compact(slices.Clone(got))) != len(got) {
			t.Fatalf("reasons %v", got)
		}
		for _, r := range got {
			if len(r) > 128 || strings.ContainsAny(r, " \x1bü") || r == "" {
				t.Fatalf("%q is no reason", r)
			}
			got[0] = "changed" // nobody else's
		}
		if !slices.Equal(a.Reasons, before) {
			t.Fatalf("merging changed %v to %v", before, a.Reasons)
		}
		text, err := json.Marshal(a)
		if err != nil {
			t.Fatal(err)
		}
		var back incident.Failures
		if err := json.Unmarshal(text, &back); err != nil || !back.Equal(a) {
			t.Fatalf("read back as %v, %v: %s", back.Reasons, err, cmp.Diff(a.Reasons, back.Reasons))
		}
	})
}

// TestReasonsAreBounded, whoever invents them.
func TestReasonsAreBounded(t *testing.T) {
	t.Parallel()
	var f incident.Failures
	for n := range 100 {
		f.AddReason(fmt.Sprintf("Reason%02d", 99-n))
	}
	if len(f.Reasons) != 32 || f.Reasons[0] != "Reason00" || f.Reasons[31] != "Reason31" {
		t.Errorf("%d reasons: %v", len(f.Reasons), f.Reasons)
	}
}

// TestReasonsKeepAnIncidentOpen: who closes an incident must know every reason that S3 gave, and a reason that comes after the end
// is no repetition.
func TestReasonsKeepAnIncidentOpen(t *testing.T) {
	t.Parallel()
	var l incident.Ledger
	open := func(reason string) incident.Incident {
		i := incident.Incident{ID: "inc-1", Outcome: incident.Open, Opened: noon, Failures: incident.Failures{First: noon, Last: noon}}
		i.Failures.Versions.Add(incident.Object{Key: "a", VersionID: "1"})
		i.Failures.AddReason(reason)
		kept, err := l.Open(i)
		if err != nil {
			t.Fatal(err)
		}
		return kept
	}
	read := open("SrcGetObjectNotPermitted")
	if again := open("SrcGetObjectNotPermitted"); !again.Failures.Equal(read.Failures) || len(l.Incidents) != 1 {
		t.Errorf("the same again is %v", again.Failures.Reasons)
	}
	open("DstPutObjectNotPermitted")
	closing := read
	closing.Become(incident.Resolved, noon, "done")
	if _, err := l.Record(closing); err == nil {
		t.Error("closed without a reason that came meanwhile")
	}
	closing, err := l.Get("inc-1")
	if err != nil {
		t.Fatal(err)
	}
	closing.Become(incident.Resolved, noon, "done")
	if closing, err = l.Record(closing); err != nil {
		t.Fatal(err)
	}
	if late := open("SrcGetObjectNotPermitted"); !late.Over() {
		t.Errorf("what comes late opens %s", late.ID)
	}
	if other := open("DstBucketNotFound"); other.Over() || len(l.Incidents) != 2 {
		t.Errorf("a reason that is new is the old incident, %s", other.Outcome)
	}
	closing.Failures.Reasons[0] = "changed"
	if got, _ := l.Get("inc-1"); got.Failures.Reasons[0] == "changed" {
		t.Error("what is returned is what is kept")
	}
}
