package guard_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/replimend/replimend/internal/guard"
	"github.com/replimend/replimend/internal/settings"
	"github.com/replimend/replimend/internal/snapshot"
)

// TestPinIsWhatCheckCompares: a route that is pinned, printed and read back is approved as it is, and only in mode observe.
func TestPinIsWhatCheckCompares(t *testing.T) {
	t.Parallel()
	s := load(t, nil)
	pinned, err := guard.Pin(s.route, s.snapshot)
	if err != nil {
		t.Fatal(err)
	}
	file := &settings.Settings{Version: 1, Routes: []settings.ApprovedRoute{pinned}, Limits: settings.DefaultLimits()}
	read, err := settings.Parse([]byte(file.YAML()))
	if err != nil {
		t.Fatalf("%v\n%s", err, file.YAML())
	}
	if diff := cmp.Diff(file, read); diff != "" {
		t.Errorf("settings (-pinned +read):\n%s", diff)
	}
	s.settings = read
	if got, want := text(s.check()), "refuse\nmode: refuse: the route is in mode observe: reported only\n"; got != want {
		t.Errorf("verdict %q, want %q", got, want)
	}
}

func TestPinNamesEverythingThatIsNotKnown(t *testing.T) {
	t.Parallel()
	s := load(t, map[string]string{"snapshot.json": `{
		"buckets": {"amzn-s3-demo-destination": null, "amzn-s3-demo-source": {"encryption": "delete me"}},
		"roles": {"arn:aws:iam::111122223333:role/service-role/replication": {"uniqueId": "delete me", "trust": "delete me"}}
	}`})
	_, err := guard.Pin(s.route, s.snapshot)
	if err == nil {
		t.Fatal("pinned a route that is half known")
	}
	for _, want := range []string{"owner of the destination bucket", "unique id", "trust policy", "keys that objects"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("error does not name the %s: %v", want, err)
		}
	}
}

// TestCheckJudgesTheLiveRoute: what the caller says of the route decides nothing.
func TestCheckJudgesTheLiveRoute(t *testing.T) {
	t.Parallel()
	forged := load(t, map[string]string{"snapshot.json": `{"buckets": {"amzn-s3-demo-source": {"replication": {"Rules": {"0": {"Filter": {"Prefix": ""}}}}}}}`})
	forged.route = load(t, nil).route
	if v := forged.check(); !strings.Contains(text(v), "rule prefix") {
		t.Errorf("a widened filter went unseen: %s", text(v))
	}
	gone := load(t, nil)
	gone.route.RuleID = "r2"
	if v := gone.check(); v.Decision != guard.Refuse || !strings.Contains(text(v), "no enabled rule") {
		t.Errorf("verdict on a rule that is not there: %s", text(v))
	}
}

func TestNothingIsAllowedWithoutSettings(t *testing.T) {
	t.Parallel()
	s := load(t, nil)
	s.settings = nil
	if v := s.check(); v.Decision != guard.Refuse {
		t.Errorf("verdict without settings: %s", text(v))
	}
}

// TestReplayNeedsEveryRuleApproved: S3 Batch Replication runs all rules of a bucket.
func TestReplayNeedsEveryRuleApproved(t *testing.T) {
	t.Parallel()
	const second = `{"buckets": {"amzn-s3-demo-source": {"replication": {"Rules": {"1": {
		"ID": "r2", "Status": "Enabled", "Filter": {"Prefix": ""}, "Destination": {"Bucket": "arn:aws:s3:::attackers-bucket"}}}}}}}`
	tests := map[string]struct {
		snapshot, settings string
		want               guard.Decision
	}{
		"all approved":          {"", "", guard.Allow},
		"all approved, observe": {"", `{"routes": {"0": {"mode": "observe"}}}`, guard.Allow},
		"one unapproved":        {second, "", guard.Refuse},
		"of another bucket":     {`{"buckets": {"amzn-s3-demo-destination": {"replication": {"Role": "arn:aws:iam::444455556666:role/other", "Rules": [{"ID": "r2", "Status": "Enabled", "Filter": {"Prefix": ""}, "Destination": {"Bucket": "arn:aws:s3:::attackers-bucket"}}]}}}}`, "", guard.Allow},
		"unapproved, disabled":  {strings.Replace(second, `"Enabled"`, `"Disabled"`, 1), "", guard.Allow},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := load(t, map[string]string{"snapshot.json": tt.snapshot, "settings.json": tt.settings})
			v := guard.CheckReplay("amzn-s3-demo-source", s.snapshot, s.settings)
			if v.Decision != tt.want {
				t.Errorf("verdict %s", text(v))
			}
		})
	}
}

// TestReplayOfNothingIsRefused: what was not judged is not allowed.
func TestReplayOfNothingIsRefused(t *testing.T) {
	t.Parallel()
	const source = "amzn-s3-demo-source"
	tests := map[string]struct {
		bucket string
		change func(s *situation, b *snapshot.Bucket)
		want   string
	}{
		"bucket not in the snapshot": {"amzn-s3-demo-other", nil, "does not have bucket amzn-s3-demo-other"},
		"bucket that is not there": {source, func(s *situation, _ *snapshot.Bucket) {
			s.snapshot.Buckets[source] = snapshot.None[snapshot.Bucket]()
		}, "does not have bucket"},
		"without replication": {"amzn-s3-demo-destination", nil, "no replication configuration"},
		"replication not read": {source, func(s *situation, b *snapshot.Bucket) {
			b.Replication = snapshot.Value[snapshot.Replication]{}
			s.snapshot.Buckets[source] = snapshot.Of(*b)
		}, "no replication configuration"},
		"no enabled rule": {source, func(_ *situation, b *snapshot.Bucket) {
			b.Replication.V.Rules[0].Status = "Disabled"
		}, "no enabled replication rule"},
		"without settings": {source, func(s *situation, _ *snapshot.Bucket) { s.settings = nil }, "no settings"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := load(t, nil)
			if tt.change != nil {
				b := s.snapshot.Buckets[source].V
				tt.change(&s, &b)
			}
			v := guard.CheckReplay(tt.bucket, s.snapshot, s.settings)
			if v.Decision != guard.Refuse || !strings.Contains(text(v), tt.want) {
				t.Errorf("verdict %s", text(v))
			}
		})
	}
}

func TestDecisionsReadWhatTheyPrint(t *testing.T) {
	t.Parallel()
	for _, d := range []guard.Decision{guard.Allow, guard.Ask, guard.Refuse} {
		if got, err := guard.ParseDecision(d.String()); err != nil || got != d {
			t.Errorf("ParseDecision(%q) = %v, %v", d, got, err)
		}
	}
	if got, err := guard.ParseDecision("yes"); err == nil || got != guard.Refuse {
		t.Errorf("ParseDecision(yes) = %v, %v", got, err)
	}
}
