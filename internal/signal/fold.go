package signal

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"
)

const (
	// MaxReasons bounds the distinct reasons that a Group names.
	MaxReasons = 16
	// MaxSample bounds the objects that a Group names.
	MaxSample = 10
)

// Group is what any number of signals say of one rule: as large for ten thousand failures as for ten.
type Group struct {
	Bucket      string `json:"bucket"`
	Rule        string `json:"rule"`
	Destination string `json:"destination"`
	Region      string `json:"region"` // of the bucket, as the newest signal says
	Owner       string `json:"owner"`  // of the bucket, as the newest signal says

	Failed          int `json:"failed"`
	MissedThreshold int `json:"missed_threshold"`
	NotTracked      int `json:"not_tracked"`
	// First and Last are the times of the events that these three count; zero when there are none.
	First time.Time `json:"first,omitzero"`
	Last  time.Time `json:"last,omitzero"`

	// Recovered counts apart what was replicated late: a good sign. LastRecovered is the time of the last such event.
	Recovered     int       `json:"recovered"`
	LastRecovered time.Time `json:"last_recovered,omitzero"`

	// Reasons are the most frequent ones of Failed. Other counts those that found no place among them, and together they fall
	// short of Failed where events gave no reason.
	Reasons []ReasonCount `json:"reasons,omitempty"`
	Other   int           `json:"other_reasons,omitempty"`

	// Sample holds the first objects concerned, those that recovered left out. It stays out of the JSON form, which is the form
	// for logs: keys may tell what a log's reader must not know.
	Sample []Object `json:"-"`
}

// ReasonCount is how often a failure was given this reason.
type ReasonCount struct {
	Reason string `json:"reason"`
	Count  int    `json:"count"`
}

// Object is one version of an object.
type Object struct{ Key, VersionID string }

// Fold groups signals by bucket, rule and destination, and sorts the groups so. Neither the order of the signals nor a signal
// that comes twice changes the result: S3 and SQS deliver at least once and in no order.
func Fold(signals []Signal) []Group {
	sorted := slices.SortedFunc(slices.Values(signals), compare)
	sorted = slices.CompactFunc(sorted, func(a, b Signal) bool { return compare(a, b) == 0 })
	var groups []Group
	for len(sorted) > 0 {
		n := 1
		for n < len(sorted) && compareRule(sorted[0], sorted[n]) == 0 {
			n++
		}
		groups = append(groups, foldRule(sorted[:n]))
		sorted = sorted[n:]
	}
	return groups
}

// foldRule folds the signals of one rule, which are sorted by time.
func foldRule(signals []Signal) Group {
	newest := signals[len(signals)-1]
	g := Group{
		Bucket: newest.Bucket, Rule: newest.Rule, Destination: newest.Destination,
		Region: newest.Region, Owner: newest.Owner,
	}
	reasons := map[string]int{}
	for _, s := range signals {
		switch s.Kind {
		case ReplicatedAfterThreshold:
			g.Recovered++
			g.LastRecovered = s.EventTime
			continue
		case Failed:
			g.Failed++
			if s.Reason != "" {
				reasons[s.Reason]++
			}
		case MissedThreshold:
			g.MissedThreshold++
		case NotTracked:
			g.NotTracked++
		}
		if g.First.IsZero() {
			g.First = s.EventTime
		}
		g.Last = s.EventTime
		object := Object{s.Key, s.VersionID}
		if len(g.Sample) < MaxSample && !slices.Contains(g.Sample, object) {
			g.Sample = append(g.Sample, object)
		}
	}
	g.Reasons, g.Other = mostFrequent(reasons)
	return g
}

// mostFrequent counts all before it leaves any out, so that invented reasons cannot push out the common one by being first.
func mostFrequent(reasons map[string]int) (most []ReasonCount, other int) {
	for _, name := range slices.Sorted(maps.Keys(reasons)) {
		most = append(most, ReasonCount{name, reasons[name]})
	}
	slices.SortStableFunc(most, func(a, b ReasonCount) int { return cmp.Compare(b.Count, a.Count) })
	for len(most) > MaxReasons {
		other += most[len(most)-1].Count
		most = most[:len(most)-1]
	}
	return most, other
}

func compareRule(a, b Signal) int {
	return cmp.Or(
		strings.Compare(a.Bucket, b.Bucket), strings.Compare(a.Rule, b.Rule), strings.Compare(a.Destination, b.Destination),
	)
}

// compare orders signals by rule, then by time, and is zero for equal signals alone.
func compare(a, b Signal) int {
	return cmp.Or(
		compareRule(a, b), a.EventTime.Compare(b.EventTime), strings.Compare(a.Key, b.Key),
		strings.Compare(a.VersionID, b.VersionID), cmp.Compare(a.Kind, b.Kind), strings.Compare(a.Reason, b.Reason),
		strings.Compare(a.Region, b.Region), strings.Compare(a.Owner, b.Owner), cmp.Compare(a.Size, b.Size),
		strings.Compare(a.Operation, b.Operation), a.RequestTime.Compare(b.RequestTime),
	)
}
