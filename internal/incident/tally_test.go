package incident_test

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/replimend/replimend/internal/incident"
)

// version is the n-th of many versions.
func version(n int) incident.Object {
	return incident.Object{Key: fmt.Sprintf("logs/%d", n), VersionID: "v", Size: int64(n%1000) + 1}
}

// versions is n of them, from that one on.
func versions(from, n int) []incident.Object {
	var out []incident.Object
	for i := range n {
		out = append(out, version(from+i))
	}
	return out
}

func tallyOf(objects ...incident.Object) incident.Tally {
	var t incident.Tally
	t.Add(objects...)
	return t
}

// tallies draws some that share versions, have names that cannot be printed, and are smaller and larger than what is kept.
func tallies() *rapid.Generator[incident.Tally] {
	few := rapid.Map(rapid.SliceOfN(rapid.Custom(func(t *rapid.T) incident.Object {
		return incident.Object{
			Key:       rapid.OneOf(rapid.SampledFrom([]string{"", "a", "b", "\xff", strings.Repeat("\x01", 1000)}), rapid.String()).Draw(t, "key"),
			VersionID: rapid.SampledFrom([]string{"", "1", "2"}).Draw(t, "version"),
			Size:      rapid.SampledFrom([]int64{-1, 0, 1, 5, math.MaxInt64}).Draw(t, "size"),
		}
	}), 0, 40), func(o []incident.Object) incident.Tally { return tallyOf(o...) })
	many := rapid.Custom(func(t *rapid.T) incident.Tally {
		from := rapid.IntRange(0, 2000).Draw(t, "from")
		return tallyOf(versions(from, rapid.IntRange(900, 1300).Draw(t, "versions"))...)
	})
	return rapid.OneOf(few, few, many)
}

func TestMergingTalliesKeepsItsLaws(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		a, b, c := tallies().Draw(t, "a"), tallies().Draw(t, "b"), tallies().Draw(t, "c")
		before := [2]incident.Tally{a, b}
		for law, pair := range map[string][2]incident.Tally{
			"idempotent":  {a.Merge(a), a},
			"commutative": {a.Merge(b), b.Merge(a)},
			"associative": {a.Merge(b).Merge(c), a.Merge(b.Merge(c))},
			"absorbing":   {a.Merge(b).Merge(b), a.Merge(b)},
			"neutral":     {a.Merge(incident.Tally{}), incident.Tally{}.Merge(a)},
		} {
			if !pair[0].Equal(pair[1]) {
				t.Errorf("not %s: %s and %s", law, pair[0], pair[1])
			}
		}
		if !before[0].Equal(a) || !before[1].Equal(b) {
			t.Error("merging changed what was merged")
		}
	})
}

func TestTalliesAreReadAsWritten(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		want := tallies().Draw(t, "tally")
		text, err := json.Marshal(want)
		if err != nil {
			t.Fatal(err)
		}
		var got incident.Tally
		if err := json.Unmarshal(text, &got); err != nil || !got.Equal(want) {
			t.Fatalf("%v: %s", err, text)
		}
		// Most of an item of a table stays free: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html
		if len(text) > 100_000 {
			t.Errorf("%d bytes", len(text))
		}
	})
}

// TestCountsAreExactOrClose: up to 1,024 versions are counted, and more are estimated. Over many draws the mean is the truth and the
// standard deviation is what the paper says.
func TestCountsAreExactOrClose(t *testing.T) {
	t.Parallel()
	var t1024 incident.Tally
	for n := range 1024 {
		t1024.Add(version(n))
		t1024.Add(version(n / 2))
	}
	if n, exact := t1024.Count(); n != 1024 || !exact {
		t.Fatalf("counted %d, exact: %t", n, exact)
	}
	if n, exact := t1024.Bytes(); n != 1000*1001/2+24*25/2 || !exact {
		t.Fatalf("%d bytes, exact: %t", n, exact)
	}
	t1024.Add(version(1024))
	if n, exact := t1024.Count(); exact || n <= 1024 {
		t.Fatalf("counted %d of 1025, exact: %t", n, exact)
	}

	const draws, many = 100, 5000
	var sum, squares, bytes float64
	for d := range draws {
		objects := versions(0, many)
		for n := range objects {
			objects[n].VersionID = fmt.Sprint(d)
		}
		tally := tallyOf(objects...)
		n, _ := tally.Count()
		b, _ := tally.Bytes()
		off := float64(n)/many - 1
		sum, squares, bytes = sum+off, squares+off*off, bytes+float64(b)/(many*1001/2)-1
	}
	// The standard error of the mean is 0.028/sqrt(100) = 0.0028, and of the deviation half of its own twentieth.
	bias, deviation := sum/draws, math.Sqrt(squares/draws)
	t.Logf("count: bias %.4f, standard deviation %.4f; bytes: bias %.4f", bias, deviation, bytes/draws)
	if math.Abs(bias) > 0.01 || deviation > 0.04 || deviation < 0.02 || math.Abs(bytes/draws) > 0.015 {
		t.Errorf("bias %.4f, standard deviation %.4f, bias of bytes %.4f", bias, deviation, bytes/draws)
	}
}

func TestTheSampleNamesWhatItCan(t *testing.T) {
	t.Parallel()
	tally := tallyOf(incident.Object{Key: "a", Size: 3}, incident.Object{Key: "a", Size: 7}, incident.Object{Key: "\xff"})
	if n, _ := tally.Count(); n != 2 {
		t.Errorf("counted %d", n)
	}
	if diff := cmp.Diff([]incident.Object{{Key: "a", Size: 7}}, tally.Sample()); diff != "" {
		t.Error(diff)
	}
	many := tallyOf(versions(0, 3000)...)
	sample := many.Sample()
	for _, o := range sample {
		if o.Key == "" || !strings.HasPrefix(o.Key, "logs/") {
			t.Errorf("sampled %v", o)
		}
	}
	if len(sample) != 25 || !strings.HasPrefix(many.String(), "about ") {
		t.Errorf("sampled %d of %s", len(sample), many)
	}
	if key := (incident.Object{Key: "a", VersionID: "b"}); tallyOf(key).Equal(tallyOf(incident.Object{Key: "", VersionID: "ab"})) {
		t.Error("a key and a version ID can be taken for others")
	}
}

// TestDamagedTalliesAreRefused: a sketch that counts nothing, or what nobody counted, is no tally.
func TestDamagedTalliesAreRefused(t *testing.T) {
	t.Parallel()
	text, err := json.Marshal(tallyOf(version(1), version(2)))
	if err != nil {
		t.Fatal(err)
	}
	var good incident.Tallied
	if err := json.Unmarshal(text, &good); err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*incident.Tallied){
		"no sketch":       func(t *incident.Tallied) { t.Sketch = nil },
		"unknown mark":    func(t *incident.Tallied) { t.Sketch[0] = 2 },
		"cut":             func(t *incident.Tallied) { t.Sketch = t.Sketch[:len(t.Sketch)-1] },
		"not in order":    func(t *incident.Tallied) { t.Sketch = append(t.Sketch, t.Sketch[1:]...) },
		"too few":         func(t *incident.Tallied) { t.Sketch[0] = 1 },
		"invented sample": func(t *incident.Tallied) { t.Sample = append(t.Sample, version(3)) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			bad := good
			bad.Sketch, bad.Sample = slices.Clone(good.Sketch), slices.Clone(good.Sample)
			change(&bad)
			text, err := json.Marshal(bad)
			if err != nil {
				t.Fatal(err)
			}
			var got incident.Tally
			if err := json.Unmarshal(text, &got); err == nil || !got.IsZero() {
				t.Errorf("read %s with error %v", got, err)
			}
		})
	}
}

func BenchmarkAdd(b *testing.B) {
	var t incident.Tally
	for n := range b.N {
		t.Add(version(n))
	}
}
