package rehearsal_test

import (
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/replimend/replimend/internal/diagnose"
	"github.com/replimend/replimend/internal/lab"
	"github.com/replimend/replimend/internal/policy"
	"github.com/replimend/replimend/internal/route"
	"github.com/replimend/replimend/internal/snapshot"
)

// The world in which every policy allows, so that rules alone decide: one source bucket and two destinations of one account.
const (
	account    = "111122223333"
	region     = "us-east-1"
	sourceName = "source"
	roleText   = "arn:aws:iam::111122223333:role/replication"
	keyText    = "arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"
)

var destinations = []string{"first", "second"}

func mustParse[T any](t *rapid.T, text string, parse func(string) (T, error)) T {
	v, err := parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func document(t *rapid.T, text string) snapshot.Value[policy.Document] {
	return snapshot.Of(mustParse(t, text, func(s string) (policy.Document, error) { return policy.Parse([]byte(s)) }))
}

func openWorld(t *rapid.T, rules []snapshot.Rule) *snapshot.Snapshot {
	role, key := mustParse(t, roleText, policy.ParseARN), mustParse(t, keyText, policy.ParseARN)
	bucket := snapshot.Bucket{
		Account: account, Region: region, Versioning: snapshot.Of("Enabled"), Replication: snapshot.None[snapshot.Replication](),
		Encryption: snapshot.None[snapshot.Encryption](), Policy: snapshot.None[policy.Document](), Ownership: snapshot.Of("ObjectWriter"),
		ObjectLock: snapshot.None[snapshot.ObjectLock](), RequestPayer: snapshot.Of("BucketOwner"),
	}
	buckets := map[string]snapshot.Value[snapshot.Bucket]{}
	for _, name := range destinations {
		buckets[name] = snapshot.Of(bucket)
	}
	bucket.Replication = snapshot.Of(snapshot.Replication{Role: roleText, Rules: rules})
	buckets[sourceName] = snapshot.Of(bucket)
	return &snapshot.Snapshot{
		TakenAt: "2026-11-22T00:00:00Z",
		Buckets: buckets,
		Roles: map[policy.ARN]snapshot.Value[snapshot.Role]{role: snapshot.Of(snapshot.Role{
			UniqueID: "AROAEXAMPLE", Attached: snapshot.Of(map[string]policy.Document{}), Boundary: snapshot.None[snapshot.Boundary](),
			Trust: document(t, `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"s3.amazonaws.com"},"Action":"sts:AssumeRole"}]}`),
			Inline: snapshot.Of(map[string]policy.Document{
				"all": document(t, `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["s3:*","kms:*"],"Resource":"*"}]}`).V,
			}),
		})},
		Keys: map[policy.ARN]snapshot.Value[snapshot.Key]{key: snapshot.Of(snapshot.Key{
			State: "Enabled", Manager: "CUSTOMER", Spec: "SYMMETRIC_DEFAULT", Usage: "ENCRYPT_DECRYPT", Grants: snapshot.Of([]snapshot.Grant{}),
			Policy: document(t, `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:root"},"Action":"kms:*","Resource":"*"}]}`),
		})},
		Guardrails: map[string]snapshot.Guardrails{account: {SCPs: snapshot.Of([][]policy.Document{}), RCPs: snapshot.Of([][]policy.Document{})}},
	}
}

// classes are storage classes that tell replicas of one rule from those of another.
var classes = []string{"STANDARD", "STANDARD_IA", "ONEZONE_IA", "INTELLIGENT_TIERING", "GLACIER_IR", "REDUCED_REDUNDANCY"}

func drawRules(t *rapid.T) []snapshot.Rule {
	priorities := rapid.Permutation([]int{1, 2, 3, 4, 5, 6}).Draw(t, "priorities")
	var rules []snapshot.Rule
	for i := range rapid.IntRange(1, len(classes)).Draw(t, "rules") {
		label := func(what string) string { return fmt.Sprintf("%s of rule %d", what, i) }
		prefix := rapid.SampledFrom([]string{"", "a", "a/", "a/b", "b/", "*", "/"}).Draw(t, label("prefix"))
		r := snapshot.Rule{
			ID: fmt.Sprint("r", i), Priority: priorities[i], Filter: &snapshot.Filter{Prefix: &prefix},
			Status:                  rapid.SampledFrom([]string{"Enabled", "Enabled", "Enabled", "Disabled"}).Draw(t, label("status")),
			DeleteMarkerReplication: &snapshot.Switch{Status: "Disabled"},
		}
		if rapid.IntRange(0, 3).Draw(t, label("tag")) == 0 {
			r.Filter = &snapshot.Filter{Tag: &snapshot.Tag{Key: "class", Value: "public"}}
		}
		r.Destination.Bucket = "arn:aws:s3:::" + rapid.SampledFrom(destinations).Draw(t, label("destination"))
		r.Destination.StorageClass = classes[i]
		if rapid.Bool().Draw(t, label("opt-in")) {
			r.SourceSelectionCriteria = &snapshot.SourceSelectionCriteria{SseKmsEncryptedObjects: &snapshot.Switch{Status: "Enabled"}}
			r.Destination.EncryptionConfiguration = fresh(r.Destination.EncryptionConfiguration)
			r.Destination.EncryptionConfiguration.ReplicaKmsKeyID = keyText
		}
		rules = append(rules, r)
	}
	return rules
}

func fresh[T any](*T) *T { return new(T) }

// TestDiagnosisAndLabSelectAlike writes random objects under random rules, lets the lab's S3 replicate, and compares which rule
// replicated where with which rule the product says takes the object. Where AWS leaves open whether priority counts before the
// opt-in, the lab plays both readings, and the product must say that it does not know whenever they differ.
func TestDiagnosisAndLabSelectAlike(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		rules := drawRules(t)
		world := openWorld(t, rules)
		put := lab.PutOptions{
			Encryption:   rapid.SampledFrom([]string{"AES256", "aws:kms", "aws:kms:dsse"}).Draw(t, "encryption"),
			StorageClass: rapid.SampledFrom([]string{"STANDARD", "STANDARD", "GLACIER", "DEEP_ARCHIVE", "GLACIER_IR"}).Draw(t, "class"),
			Owner:        rapid.SampledFrom([]string{account, account, "444455556666"}).Draw(t, "owner"),
			Tags:         rapid.SampledFrom([]map[string]string{{}, {"class": "public"}, {"class": "secret"}}).Draw(t, "tags"),
		}
		if put.Encryption != "AES256" {
			put.KMSKeyID = keyText
		}
		key := rapid.SampledFrom([]string{"a", "a/x", "a/b/x", "b/x", "c", "*", "/a"}).Draw(t, "key")
		first, object := replicas(t, world, key, put, nil)
		other, _ := replicas(t, world, key, put, map[string]bool{"opt-in-before-priority": true})

		world.Objects = []snapshot.Object{object}
		w := route.NewWorld(world)
		d := diagnose.Diagnose(world, nil)
		foreign := put.Owner != account
		for i, r := range w.Routes() {
			bySample := w.Rules(sourceName).Samples(&r)
			says := func(cause string) bool {
				return slices.ContainsFunc(d.Routes[i].Findings, func(f diagnose.Finding) bool { return f.Cause == cause })
			}
			class := r.Rule.Destination.StorageClass
			did, would := first[r.Destination] == class, other[r.Destination] == class
			taken := len(bySample) == 1 && bySample[0].Claim == route.Taken
			skips := put.Encryption != "AES256" && !r.SelectsKMS()
			switch {
			case taken && archived(put.StorageClass):
				if did || would || !says("object-archived") {
					t.Errorf("%s: archived object replicated %t, %t: %+v", r, did, would, d.Routes[i].Findings)
				}
			case taken && skips:
				if did || would || !says("kms-objects-not-selected") {
					t.Errorf("%s: KMS object replicated %t, %t: %+v", r, did, would, d.Routes[i].Findings)
				}
			case taken && foreign:
				if did || would || object.ReplicationStatus.V != "FAILED" || !says("source-object-owned-by-another-account") || d.Routes[i].Verdict != diagnose.Broken {
					t.Errorf("%s: foreign object replicated %t, %t: %+v", r, did, would, d.Routes[i].Findings)
				}
			case taken && (!did || !would):
				t.Errorf("%s takes the object for certain, and it is replicated %t in one reading, %t in the other", r, did, would)
			case !taken && len(bySample) == 0 && (did || would):
				t.Errorf("%s takes nothing, and the object is replicated %t in one reading, %t in the other", r, did, would)
			case !taken && len(bySample) == 1 && bySample[0].Claim != route.OptInOutranked:
				t.Errorf("%s: all tags are known, and the claim is %d", r, bySample[0].Claim)
			}
			if did != would && !(len(bySample) == 1 && bySample[0].Claim == route.OptInOutranked) {
				t.Errorf("%s: the readings differ, and the product is certain", r)
			}
		}
		covered := slices.ContainsFunc(w.Routes(), func(r route.Route) bool { return len(w.Rules(sourceName).Samples(&r)) > 0 })
		outside := slices.ContainsFunc(d.Findings, func(f diagnose.Finding) bool {
			return f.Cause == "object-outside-rules" || f.Cause == "rule-disabled" && f.Message != ""
		})
		if !covered && !outside {
			t.Errorf("no rule covers the object, and nothing says so: %+v", d.Findings)
		}
	})
}

// replicas writes an object into a new cloud and says in which storage class each destination has it.
func replicas(t *rapid.T, world *snapshot.Snapshot, key string, put lab.PutOptions, readings map[string]bool) (map[string]string, snapshot.Object) {
	c, err := lab.New(world, lab.Options{Disputed: readings})
	if err != nil {
		t.Fatal(err)
	}
	v, err := c.PutObject(sourceName, key, put)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Replicate(t.Context()); err != nil {
		t.Fatal(err)
	}
	if v, err = c.Head(sourceName, key, v.VersionID); err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	for _, name := range destinations {
		if replica, err := c.Head(name, key, v.VersionID); err == nil {
			out[name] = replica.StorageClass
		}
	}
	return out, v
}

func archived(class string) bool { return class == "GLACIER" || class == "DEEP_ARCHIVE" }
