package replay_test

import (
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/replimend/replimend/internal/incident"
	"github.com/replimend/replimend/internal/replay"
)

// TestEstimate holds the sums against those of the price list, worked out by hand.
func TestEstimate(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		q     incident.Replay
		want  replay.Cost
		total string
	}{
		"not known": {incident.Replay{}, replay.Cost{Job: 250_000, Listing: true}, "$0.25"},
		"million": {
			incident.Replay{Versions: 1_000_000, Bytes: 5 << 30},
			replay.Cost{Versions: 1_000_000, Bytes: 5 << 30, Job: 250_000, Operations: 1_000_000, Requests: 5_000_000, Listing: true},
			"$6.25",
		},
		"listed": {
			incident.Replay{Versions: 7, Objects: []incident.Object{{Key: "a", VersionID: "v", Size: 3}, {Key: "b", VersionID: "w", Size: 4}}},
			replay.Cost{Versions: 2, Bytes: 7, Job: 250_000, Operations: 2, Requests: 10}, // 25.0012 cents
			"$0.26",
		},
		"without a version": {
			incident.Replay{Versions: 1, Objects: []incident.Object{{Key: "a"}}},
			replay.Cost{Versions: 1, Job: 250_000, Operations: 1, Requests: 5, Listing: true},
			"$0.26",
		},
		"nonsense": {incident.Replay{Versions: -1, Bytes: -1}, replay.Cost{Job: 250_000, Listing: true}, "$0.25"},
		"more than there can be": {
			incident.Replay{Versions: math.MaxInt64},
			replay.Cost{Versions: 20_000_000_000, Job: 250_000, Operations: 20_000_000_000, Requests: 100_000_000_000, Listing: true},
			"$120000.25",
		},
	} {
		got := replay.Estimate(test.q)
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
		if got.Total().String() != test.total {
			t.Errorf("%s: total %s, want %s", name, got.Total(), test.total)
		}
	}
}

// TestCostSaysWhatItIs: a bound where nothing was counted, the prices with their date, and what is left out.
func TestCostSaysWhatItIs(t *testing.T) {
	t.Parallel()
	known := replay.Estimate(incident.Replay{Versions: 1_000_000, Bytes: 5 << 30}).String()
	const want = "about $6.25: $0.25 for the job, $1.00 for the objects (1000000), $5.00 for their PUTs " +
		"(S3's price list for us-east-1 of 2026-09-28); " +
		"not in it: the list of what failed, $0.015 for each million objects in the bucket; transfer of 5.0 GB to another Region; " +
		"requests to KMS; storage of the replicas"
	if known != want {
		t.Errorf("known:\n%s\nwant\n%s", known, want)
	}
	got := replay.Estimate(incident.Replay{}).String()
	if !strings.HasPrefix(got, "at least $0.25: ") || !strings.Contains(got, "transfer to another Region") {
		t.Errorf("not known: %s", got)
	}
	listed := replay.Estimate(incident.Replay{Objects: []incident.Object{{Key: "a", VersionID: "v", Size: 3}}}).String()
	if strings.Contains(listed, "list of what failed") || !strings.Contains(listed, "less than 0.1 GB") {
		t.Errorf("listed: %s", listed)
	}
}
