package diagnose_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/replimend/replimend/internal/diagnose"
	"github.com/replimend/replimend/internal/policy"
	"github.com/replimend/replimend/internal/signal"
	"github.com/replimend/replimend/internal/snapshot"
)

// erode takes random members out of a tree, at any depth, or makes them null. Policy documents go whole or stay: the reader
// refuses those that are not, and every world with them.
func erode(t *rapid.T, v any, odds int) {
	switch v := v.(type) {
	case tree:
		if v["Statement"] != nil {
			return
		}
		for _, k := range slices.Sorted(maps.Keys(v)) {
			switch {
			case k == "schema" || rapid.IntRange(0, odds).Draw(t, "hit") != 0:
				erode(t, v[k], odds)
			case rapid.IntRange(0, 2).Draw(t, "null") == 0:
				v[k] = nil
			default:
				delete(v, k)
			}
		}
	case []any:
		for _, item := range v {
			erode(t, item, odds)
		}
	}
}

func TestDiagnosisOfAnErodedSnapshotDoesNotPanic(t *testing.T) {
	t.Parallel()
	bases := readBases(t)
	rapid.Check(t, func(t *rapid.T) {
		var w tree
		if err := json.Unmarshal(bases[rapid.SampledFrom(slices.Sorted(maps.Keys(bases))).Draw(t, "base")], &w); err != nil {
			t.Fatal(err)
		}
		erode(t, w, rapid.SampledFrom([]int{20, 60}).Draw(t, "odds"))
		data, err := json.Marshal(w)
		if err != nil {
			t.Fatal(err)
		}
		s, err := snapshot.Parse(data)
		if err != nil {
			t.Skip(err)
		}
		d := diagnose.Diagnose(s, nil)
		if _, err := json.Marshal(d); err != nil {
			t.Error(err)
		}
		for _, r := range d.Routes {
			if r.Plan != nil {
				if _, err := r.Plan.Apply(s); err != nil {
					t.Errorf("a plan that does not apply: %v", err)
				}
			}
		}
	})
}

// TestDegenerateSnapshotsAreDiagnosed holds values that no reader lets through, but that a program can make.
func TestDegenerateSnapshotsAreDiagnosed(t *testing.T) {
	t.Parallel()
	rule := snapshot.Rule{Status: "Enabled"}
	bucket := func(r snapshot.Replication) map[string]snapshot.Value[snapshot.Bucket] {
		return map[string]snapshot.Value[snapshot.Bucket]{"src": snapshot.Of(snapshot.Bucket{Replication: snapshot.Of(r)})}
	}
	kms := snapshot.Of(snapshot.Bucket{
		Replication: snapshot.Of(snapshot.Replication{Role: "arn:aws:iam::111122223333:role/r", Rules: []snapshot.Rule{{
			Status: "Enabled", SourceSelectionCriteria: &snapshot.SourceSelectionCriteria{SseKmsEncryptedObjects: &snapshot.Switch{Status: "Enabled"}},
		}}}),
	})
	for name, s := range map[string]*snapshot.Snapshot{
		"nothing":        {},
		"no rules":       {Buckets: bucket(snapshot.Replication{})},
		"empty rule":     {Buckets: bucket(snapshot.Replication{Rules: []snapshot.Rule{rule}})},
		"role is no ARN": {Buckets: bucket(snapshot.Replication{Role: "replication", Rules: []snapshot.Rule{rule}})},
		"role is a user": {Buckets: bucket(snapshot.Replication{Role: "arn:aws:iam::111122223333:user/u", Rules: []snapshot.Rule{rule}})},
		"absent bucket":  {Buckets: map[string]snapshot.Value[snapshot.Bucket]{"src": snapshot.None[snapshot.Bucket]()}},
		"encryption without rules": {Buckets: map[string]snapshot.Value[snapshot.Bucket]{"src": snapshot.Of(snapshot.Bucket{
			Replication: kms.V.Replication, Encryption: snapshot.Of(snapshot.Encryption{}),
		})}},
		"empty names":      {Buckets: map[string]snapshot.Value[snapshot.Bucket]{"": kms}},
		"zero ARNs":        {Buckets: map[string]snapshot.Value[snapshot.Bucket]{"src": kms}, Roles: map[policy.ARN]snapshot.Value[snapshot.Role]{{}: {}}, Keys: map[policy.ARN]snapshot.Value[snapshot.Key]{{}: {}}},
		"odd sample":       {Buckets: map[string]snapshot.Value[snapshot.Bucket]{"src": kms}, Objects: []snapshot.Object{{Bucket: "src"}, {Bucket: "src", DeleteMarker: true}, {}}},
		"empty guardrails": {Buckets: map[string]snapshot.Value[snapshot.Bucket]{"src": kms}, Guardrails: map[string]snapshot.Guardrails{"": {}}},
		"levels without policies": {Buckets: map[string]snapshot.Value[snapshot.Bucket]{"src": kms}, Guardrails: map[string]snapshot.Guardrails{
			"111122223333": {SCPs: snapshot.Of([][]policy.Document{{}, nil, {{}}})},
		}},
		"role without documents": {
			Buckets: map[string]snapshot.Value[snapshot.Bucket]{"src": kms},
			Roles:   map[policy.ARN]snapshot.Value[snapshot.Role]{arn("arn:aws:iam::111122223333:role/r"): snapshot.Of(snapshot.Role{Inline: snapshot.Of[map[string]policy.Document](nil)})},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, hints := range [][]signal.Signal{nil, {{}}, {{Kind: signal.Failed, Bucket: "src", Rule: "#1", Key: "k"}}} {
				d := diagnose.Diagnose(s, hints)
				if _, err := json.Marshal(d); err != nil {
					t.Error(err)
				}
				for _, r := range d.Routes {
					if r.Verdict == diagnose.Healthy {
						t.Errorf("%s is healthy without a document", fmt.Sprint(r.Of))
					}
				}
			}
		})
	}
}

func TestAliasOfTwoKeysSettlesNothing(t *testing.T) {
	t.Parallel()
	change := `{"keys": {"arn:aws:kms:eu-west-1:111122223333:key/00000000-0000-0000-0000-000000000000": {"state": "Enabled", "aliases": ["alias/replica"]}},
		"buckets": {"amzn-s3-demo-source": {"replication": {"Rules": [{"ID": "r1", "Priority": 1, "Status": "Enabled", "Filter": {"Prefix": ""},
			"SourceSelectionCriteria": {"SseKmsEncryptedObjects": {"Status": "Enabled"}}, "DeleteMarkerReplication": {"Status": "Disabled"},
			"Destination": {"Bucket": "arn:aws:s3:::amzn-s3-demo-destination", "Metrics": {"Status": "Enabled"},
				"EncryptionConfiguration": {"ReplicaKmsKeyID": "alias/replica"}}}]}}}}`
	s := readBase(t, "base/same-account-kms", change)
	for range 20 {
		if r := diagnose.Diagnose(s, nil).Routes[0]; r.Verdict != diagnose.Unknown {
			t.Fatalf("an alias of two keys is taken for one of them: %s", r.Verdict)
		}
	}
}
