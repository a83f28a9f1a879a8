package remedy_test

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/replimend/replimend/internal/diagnose"
	"github.com/replimend/replimend/internal/guard"
	"github.com/replimend/replimend/internal/policy"
	"github.com/replimend/replimend/internal/settings"
	"github.com/replimend/replimend/internal/snapshot"
)

// TestNothingIsMovedUnasked: a role whose inline policies are full has its permissions put into the policies of buckets and
// keys. Whoever can fill them up must not have that done without a person, and the policy of the source bucket is no way at all.
func TestNothingIsMovedUnasked(t *testing.T) {
	t.Parallel()
	asked := 0
	for _, world := range []string{"same-account-kms.json", "same-account-sse-s3.json"} {
		path := filepath.Join("../diagnose/testdata/base", world)
		for _, prefix := range []string{"s3:", "kms:"} {
			s := full(t, path, prefix)
			for _, d := range diagnose.Diagnose(s, nil).Routes {
				if d.Plan == nil {
					continue
				}
				a, err := guard.Pin(d.Of, s)
				if err != nil {
					t.Fatal(err)
				}
				a.Mode = settings.Automatic
				v := guard.Check(*d.Plan, d.Of, s, &settings.Settings{Routes: []settings.ApprovedRoute{a}, Limits: settings.DefaultLimits()}, guard.History{})
				for _, e := range d.Plan.Edits {
					if e.Document.Kind == snapshot.RolePolicy {
						t.Errorf("%s: %s is full and edited all the same", path, e.Document)
					}
					if e.Document.Kind == snapshot.SourceBucketPolicy {
						t.Errorf("%s: the source bucket's policy is planned", path)
					}
				}
				if v.Decision != guard.Ask {
					t.Errorf("%s: want ask, got %s: %v", path, v.Decision, v.Reasons)
				}
				asked++
			}
		}
	}
	if asked == 0 {
		t.Error("no plan was moved: the test saw nothing")
	}
}

// full is a snapshot whose roles have lost what they may do with one service, and have no room for another statement.
func full(t *testing.T, path, lost string) *snapshot.Snapshot {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	s, err := snapshot.Parse(data)
	if err != nil {
		t.Fatal(err)
	}
	for arn, role := range s.Roles {
		inline := maps.Clone(role.V.Inline.V)
		used := 0
		for name, d := range inline {
			inline[name] = d.Without(func(_ int, s policy.Statement) bool {
				return slices.ContainsFunc(s.Action.Values, func(a string) bool { return strings.HasPrefix(a, lost) })
			})
			used += inline[name].Size()
		}
		filler, err := policy.StatementSpec{
			Effect: policy.Allow, Actions: []string{"s3:ListAllMyBuckets"}, Resources: []string{"arn:aws:s3:::" + strings.Repeat("x", max(10_100-used, 1))},
		}.Build()
		if err != nil {
			t.Fatal(err)
		}
		inline["filler"] = policy.New(filler)
		role.V.Inline = snapshot.Of(inline)
		s.Roles[arn] = role
	}
	return s
}
