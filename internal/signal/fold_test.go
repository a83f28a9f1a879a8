package signal_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/replimend/replimend/internal/signal"
)

var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

// failure is the sample, at that minute after noon, of an object of its own.
func failure(minute int, change ...func(*signal.Signal)) signal.Signal {
	s := sample
	s.Key = fmt.Sprintf("key-%05d", minute)
	s.EventTime = noon.Add(time.Duration(minute) * time.Minute)
	for _, c := range change {
		c(&s)
	}
	return s
}

func of(k signal.Kind) func(*signal.Signal) {
	return func(s *signal.Signal) { s.Kind, s.Reason = k, "" }
}

func because(reason string) func(*signal.Signal) {
	return func(s *signal.Signal) { s.Reason = reason }
}

func TestFoldOfManyFailuresIsOneGroup(t *testing.T) {
	t.Parallel()
	var signals []signal.Signal
	for i := range 10_000 {
		signals = append(signals, failure(i))
	}
	var sampled []signal.Object
	for i := range signal.MaxSample {
		sampled = append(sampled, signal.Object{Key: fmt.Sprintf("key-%05d", i), VersionID: "v1"})
	}
	want := []signal.Group{{
		Bucket: sample.Bucket, Rule: sample.Rule, Destination: sample.Destination, Region: sample.Region, Owner: sample.Owner,
		Failed: 10_000, First: noon, Last: noon.Add(9_999 * time.Minute),
		Reasons: []signal.ReasonCount{{Reason: sample.Reason, Count: 10_000}},
		Sample:  sampled,
	}}
	if diff := cmp.Diff(want, signal.Fold(signals)); diff != "" {
		t.Error(diff)
	}
}

func TestFoldCountsRecoveriesApart(t *testing.T) {
	t.Parallel()
	got := signal.Fold([]signal.Signal{
		failure(1, of(signal.ReplicatedAfterThreshold)), failure(2, of(signal.MissedThreshold)), failure(3, of(signal.NotTracked)),
		failure(4, because("")), failure(5, of(signal.ReplicatedAfterThreshold)),
	})
	want := []signal.Group{{
		Bucket: sample.Bucket, Rule: sample.Rule, Destination: sample.Destination, Region: sample.Region, Owner: sample.Owner,
		Failed: 1, MissedThreshold: 1, NotTracked: 1, First: noon.Add(2 * time.Minute), Last: noon.Add(4 * time.Minute),
		Recovered: 2, LastRecovered: noon.Add(5 * time.Minute),
		Sample: []signal.Object{{Key: "key-00002", VersionID: "v1"}, {Key: "key-00003", VersionID: "v1"}, {Key: "key-00004", VersionID: "v1"}},
	}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestFoldKeepsTheMostFrequentReasons(t *testing.T) {
	t.Parallel()
	var signals []signal.Signal
	for i := range 40 {
		signals = append(signals, failure(i, because(fmt.Sprintf("Invented%02d", i))))
	}
	for i := range 3 {
		signals = append(signals, failure(100+i, because("AssumeRoleNotPermitted")))
	}
	g := signal.Fold(signals)[0]
	if len(g.Reasons) != signal.MaxReasons || g.Reasons[0] != (signal.ReasonCount{Reason: "AssumeRoleNotPermitted", Count: 3}) {
		t.Errorf("reasons are %v", g.Reasons)
	}
	if want := 40 - (signal.MaxReasons - 1); g.Other != want {
		t.Errorf("%d other reasons, want %d", g.Other, want)
	}
}

func TestFoldTellsRulesApart(t *testing.T) {
	t.Parallel()
	signals := []signal.Signal{
		failure(1, func(s *signal.Signal) { s.Destination += "2" }),
		failure(2, func(s *signal.Signal) { s.Rule = "another" }),
		failure(3, func(s *signal.Signal) { s.Bucket = "another-bucket" }),
		failure(4),
		failure(5, func(s *signal.Signal) { s.Region, s.Owner, s.Operation = "eu-west-3", "444455556666", "OBJECT_PUT_TAG" }),
	}
	var got []string
	for _, g := range signal.Fold(signals) {
		got = append(got, fmt.Sprintf("%s %s %s %s %s %d", g.Bucket, g.Rule, g.Destination, g.Region, g.Owner, g.Failed))
	}
	want := []string{
		"another-bucket all arn:aws:s3:::destination-bucket eu-west-1 111122223333 1",
		"source-bucket all arn:aws:s3:::destination-bucket eu-west-3 444455556666 2",
		"source-bucket all arn:aws:s3:::destination-bucket2 eu-west-1 111122223333 1",
		"source-bucket another arn:aws:s3:::destination-bucket eu-west-1 111122223333 1",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// TestFoldIgnoresOrderAndDuplicates: delivery is at least once and in no order.
func TestFoldIgnoresOrderAndDuplicates(t *testing.T) {
	t.Parallel()
	var signals []signal.Signal
	for i := range 60 {
		kind := signal.Kind(i%4 + 1)
		signals = append(signals, failure(i/3, of(kind), func(s *signal.Signal) {
			s.Rule = fmt.Sprintf("rule-%d", i%2)
			s.VersionID = fmt.Sprintf("v%d", i%3)
			if kind == signal.Failed {
				s.Reason = fmt.Sprintf("Reason%d", i%20)
			}
			s.Region = fmt.Sprintf("eu-west-%d", i%5)
		}))
	}
	want := signal.Fold(signals)
	random := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		delivered := slices.Concat(signals, signals[:random.IntN(len(signals))])
		random.Shuffle(len(delivered), func(i, j int) { delivered[i], delivered[j] = delivered[j], delivered[i] })
		if diff := cmp.Diff(want, signal.Fold(delivered)); diff != "" {
			t.Fatal(diff)
		}
	}
}

// TestFoldKeepsWhatDiffers: events that differ in one field alone are different events.
func TestFoldKeepsWhatDiffers(t *testing.T) {
	t.Parallel()
	signals := []signal.Signal{
		failure(1), failure(2), failure(1, because("Another")), failure(1, of(signal.MissedThreshold)),
		failure(1, func(s *signal.Signal) { s.Kind = signal.NotTracked }),
		failure(1, func(s *signal.Signal) { s.Region = "eu-west-9" }),
		failure(1, func(s *signal.Signal) { s.Owner = "444455556666" }),
		failure(1, func(s *signal.Signal) { s.Key = "another" }),
		failure(1, func(s *signal.Signal) { s.VersionID = "v2" }),
		failure(1, func(s *signal.Signal) { s.Size++ }),
		failure(1, func(s *signal.Signal) { s.Operation = "OBJECT_PUT_TAG" }),
		failure(1, func(s *signal.Signal) { s.RequestTime = noon }),
		failure(1, func(s *signal.Signal) { s.EventTime = noon }),
	}
	got := signal.Fold(signals)
	if len(got) != 1 || got[0].Failed+got[0].MissedThreshold+got[0].NotTracked != len(signals) {
		t.Errorf("got %+v, want one group of %d events", got, len(signals))
	}
	objects := []signal.Object{{Key: "key-00001", VersionID: "v1"}, {Key: "another", VersionID: "v1"}, {Key: "key-00001", VersionID: "v2"}, {Key: "key-00002", VersionID: "v1"}}
	if diff := cmp.Diff(objects, got[0].Sample); diff != "" {
		t.Errorf("each object is sampled once: %s", diff)
	}
}

func TestFoldOfNothingIsNothing(t *testing.T) {
	t.Parallel()
	if got := signal.Fold(nil); got != nil {
		t.Errorf("got %v", got)
	}
}

func TestGroupAsJSONHoldsNoObjects(t *testing.T) {
	t.Parallel()
	secret := failure(1, func(s *signal.Signal) { s.Key, s.VersionID = "secret-key", "secret-version" })
	text, err := json.Marshal(signal.Fold([]signal.Signal{secret}))
	if err != nil || strings.Contains(string(text), "secret") || !strings.Contains(string(text), sample.Reason) {
		t.Errorf("got %s, %v", text, err)
	}
}

func BenchmarkFold(b *testing.B) {
	var signals []signal.Signal
	for i := range 10_000 {
		signals = append(signals, failure(i))
	}
	for b.Loop() {
		signal.Fold(signals)
	}
}
