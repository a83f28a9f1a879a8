package diagnose_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/replimend/replimend/internal/diagnose"
	"github.com/replimend/replimend/internal/patch"
	"github.com/replimend/replimend/internal/policy"
	"github.com/replimend/replimend/internal/route"
	"github.com/replimend/replimend/internal/signal"
	"github.com/replimend/replimend/internal/snapshot"
)

// What somebody who may write events and records would put there: names of the route, among others.
var (
	hostileBuckets = []string{"amzn-s3-demo-source", "amzn-s3-demo-destination", "attacker-bucket", "amzn-s3-demo-source*"}
	hostileKeys    = []string{
		theSourceKey, theReplicaKey, "arn:aws:kms:us-east-1:999999999999:key/attacker", "arn:aws:kms:*:*:key/*", "alias/source", "",
	}
	hostileActions = []string{
		"kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey", "kms:GenerateDataKeyWithoutPlaintext", "kms:CreateGrant", "kms:PutKeyPolicy", "kms:*",
		"iam:PassRole",
	}
	hostileObjects = []string{"", "/any-object", "/logs/a.txt", "/*", "/${aws:username}", "/\u202e\n"}
	hostileRoles   = []string{"replication", "attacker", "*", "service-role/replication"}
)

func drawSignals(t *rapid.T) []signal.Signal {
	var reasons []string
	for _, r := range diagnose.Reasons() {
		reasons = append(reasons, r.Name)
	}
	reasons = append(reasons, "", "Invented", "\u202e", "DstMultipartPartUploadNotPermitted")
	return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) signal.Signal {
		reason := rapid.SampledFrom(reasons).Draw(t, "reason")
		if rapid.Bool().Draw(t, "plausible") {
			return failed(rapid.SampledFrom([]string{reason, "DstPutObjectNotPermitted", "SrcGetObjectNotPermitted", ""}).Draw(t, "common reason"))
		}
		return signal.Signal{
			Kind: signal.Kind(rapid.IntRange(1, 4).Draw(t, "kind")), Bucket: rapid.SampledFrom(hostileBuckets).Draw(t, "bucket"),
			Rule: rapid.SampledFrom([]string{"r1", "r2", "*", "#1"}).Draw(t, "rule"), Destination: "arn:aws:s3:::" + rapid.SampledFrom(hostileBuckets).Draw(t, "destination"),
			Key: strings.TrimPrefix(rapid.SampledFrom(hostileObjects).Draw(t, "object"), "/"), Reason: reason,
		}
	}), 0, 4).Draw(t, "signals")
}

func drawDenials(t *rapid.T) []signal.Denial {
	return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) signal.Denial {
		d := signal.Denial{
			Account: rapid.SampledFrom([]string{"111122223333", "444455556666", "999999999999", "*"}).Draw(t, "account"),
			Role:    rapid.SampledFrom(append([]string{"replication", "replication"}, hostileRoles...)).Draw(t, "role"),
			Action:  rapid.SampledFrom(hostileActions).Draw(t, "action"), Key: rapid.SampledFrom(hostileKeys).Draw(t, "key"),
			Time: time.Date(2026, 11, 21, 0, 0, 0, 0, time.UTC),
		}
		if rapid.Bool().Draw(t, "plausible") {
			d.Account, d.Role = "111122223333", "replication"
			d.Action = rapid.SampledFrom(hostileActions[:3]).Draw(t, "common action")
			d.Key = rapid.SampledFrom(hostileKeys[:2]).Draw(t, "common key")
			d.Context = rapid.SampledFrom([]string{"", "arn:aws:s3:::amzn-s3-demo-source", "arn:aws:s3:::amzn-s3-demo-source/a.txt", "arn:aws:s3:::amzn-s3-demo-destination"}).Draw(t, "common context")
		} else if rapid.Bool().Draw(t, "with context") {
			d.Context = "arn:aws:s3:::" + rapid.SampledFrom(hostileBuckets).Draw(t, "context") + rapid.SampledFrom(hostileObjects).Draw(t, "object")
		}
		return d
	}), 0, 4).Draw(t, "denials")
}

// mayAsk is everything that S3 can ask of the route by its own configuration: of its objects as they are known, with a Bucket Key and
// without, and with either lock to write.
func mayAsk(s *snapshot.Snapshot, r route.Route) func(tuple patch.Tuple) bool {
	type question struct{ action, resource string }
	all := map[question]bool{}
	w := route.NewWorld(s)
	for _, p := range append(route.Populations(s, r, ""), w.Judged(&r, "")...) {
		for _, bucketKey := range []bool{false, true} {
			p.BucketKey = bucketKey && p.Encryption == route.SSEKMS
			for _, p.LockWrite = range []string{"s3:PutObjectRetention", "s3:PutObjectLegalHold"} {
				for _, q := range route.Requirements(w, r, p) {
					all[question{q.Request.Action, scope(q.Request.Resource)}] = true
				}
			}
		}
	}
	return func(tuple patch.Tuple) bool {
		arn, err := policy.ParseARN(tuple[2])
		return err == nil && all[question{tuple[1], scope(arn)}] && (tuple[0] == r.RoleText || tuple[0] == "s3.amazonaws.com" && tuple[1] == "sts:AssumeRole")
	}
}

// scope is a resource without the name of its object: a plan grants for the whole scope of the rule.
func scope(arn policy.ARN) string {
	if bucket, _, isObject := strings.Cut(arn.Resource, "/"); isObject && arn.Service == "s3" {
		arn.Resource = bucket + "/"
	}
	return arn.String()
}

// forgetDisputed is what makes hints matter: the actions on which AWS's pages disagree are missing.
var forgetDisputed = damage{"no disputed action", func(t *rapid.T, w tree) {
	for _, d := range documents(w) {
		for _, s := range d["Statement"].([]any) {
			statement := s.(tree)
			kept := slices.DeleteFunc(slices.Clone(texts(statement["Action"])), func(a any) bool { return a == "kms:GenerateDataKey" || a == "s3:ReplicateTags" })
			if len(kept) > 0 {
				statement["Action"] = kept
			}
		}
	}
}}

// TestHostileHintsGrantNothingOfTheirOwn: whatever events and records say, a plan stays within what S3 asks of the route by its own
// configuration, for its own role, and what rests on their word alone needs approval.
func TestHostileHintsGrantNothingOfTheirOwn(t *testing.T) {
	t.Parallel()
	bases := readBases(t)
	damages := slices.Concat(policyDamages, configurationDamages, slices.Repeat([]damage{forgetDisputed}, 40))
	worlds, moved, raised := 0, 0, 0
	t.Cleanup(func() {
		if worlds >= 100 && (moved*4 < worlds || raised*20 < worlds) {
			t.Errorf("of %d worlds the hints moved %d, and %d plans: the property saw too little", worlds, moved, raised)
		}
	})
	rapid.Check(t, func(t *rapid.T) {
		s := drawWorld(t, bases, damages)
		signals, denials := drawSignals(t), drawDenials(t)
		before, after := diagnose.Diagnose(s, nil), diagnose.Diagnose(s, signals, denials...)
		worlds++
		for i, r := range after.Routes {
			if r.Verdict != before.Routes[i].Verdict || len(r.Hints) > 0 {
				moved++
			}
			if r.Plan == nil {
				continue
			}
			may := mayAsk(s, r.Of)
			var known []patch.Tuple
			if p := before.Routes[i].Plan; p != nil {
				for _, e := range p.Edits {
					known = append(known, e.Adds...)
				}
			}
			for _, e := range r.Plan.Edits {
				for _, tuple := range e.Adds {
					if !may(tuple) {
						t.Errorf("%s: %s gets %v, which S3 does not ask", r.Of, e.Document, tuple)
					}
					if !slices.Contains(known, tuple) {
						raised++
						if r.Plan.Class == patch.Automatic {
							t.Errorf("%s: %s gets %v automatically on the word of a hint", r.Of, e.Document, tuple)
						}
					}
				}
			}
		}
	})
}
