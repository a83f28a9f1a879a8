package diagnose_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/replimend/replimend/internal/snapshot"
)

// tree is a snapshot as JSON, which a damage can change anywhere.
type tree = map[string]any

func readBases(t testing.TB) map[string][]byte {
	t.Helper()
	paths, err := filepath.Glob("testdata/base/*.json")
	if err != nil || len(paths) == 0 {
		t.Fatalf("no bases: %v", err)
	}
	out := make(map[string][]byte)
	for _, path := range paths {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		out[strings.TrimSuffix(filepath.Base(path), ".json")] = data
	}
	return out
}

// drawWorld is a base with a few random damages. What the snapshot's reader refuses is no world.
func drawWorld(t *rapid.T, bases map[string][]byte, damages []damage) *snapshot.Snapshot {
	name := rapid.SampledFrom(slices.Sorted(maps.Keys(bases))).Draw(t, "base")
	var w tree
	if err := json.Unmarshal(bases[name], &w); err != nil {
		t.Fatal(err)
	}
	for i := range rapid.IntRange(1, 5).Draw(t, "damages") {
		d := rapid.SampledFrom(damages).Draw(t, fmt.Sprintf("damage %d", i))
		d.do(t, w)
	}
	data, err := json.Marshal(w)
	if err != nil {
		t.Fatal(err)
	}
	s, err := snapshot.Parse(data)
	if err != nil {
		t.Skip(err)
	}
	return s
}

// damage is one way in which people break routes.
type damage struct {
	name string
	do   func(t *rapid.T, w tree)
}

func (d damage) String() string { return d.name }

// documents is every policy document of the tree, in the order of their paths.
func documents(v any) []tree {
	var out []tree
	switch v := v.(type) {
	case tree:
		if _, ok := v["Statement"].([]any); ok {
			return []tree{v}
		}
		for _, k := range slices.Sorted(maps.Keys(v)) {
			out = append(out, documents(v[k])...)
		}
	case []any:
		for _, item := range v {
			out = append(out, documents(item)...)
		}
	}
	return out
}

// members is every object of one kind in the tree: its buckets, its roles or its keys.
func members(w tree, kind string) []tree {
	var out []tree
	of, _ := w[kind].(tree)
	for _, k := range slices.Sorted(maps.Keys(of)) {
		if m, ok := of[k].(tree); ok {
			out = append(out, m)
		}
	}
	return out
}

// one draws an element, or nothing of an empty list.
func one[T any](t *rapid.T, of []T, label string) (out T, ok bool) {
	if len(of) == 0 {
		return out, false
	}
	return of[rapid.IntRange(0, len(of)-1).Draw(t, label)], true
}

func drawDocument(t *rapid.T, w tree) (tree, bool) { return one(t, documents(w), "document") }

func drawStatement(t *rapid.T, w tree) (tree, bool) {
	var all []tree
	for _, d := range documents(w) {
		for _, s := range d["Statement"].([]any) {
			all = append(all, s.(tree))
		}
	}
	return one(t, all, "statement")
}

func texts(v any) []any {
	switch v := v.(type) {
	case []any:
		return v
	case nil:
		return nil
	default:
		return []any{v}
	}
}

// policyDamages are those that a policy document can suffer.
var policyDamages = []damage{
	{"drop a statement", func(t *rapid.T, w tree) {
		if d, ok := drawDocument(t, w); ok && len(d["Statement"].([]any)) > 1 {
			all := d["Statement"].([]any)
			i := rapid.IntRange(0, len(all)-1).Draw(t, "index")
			d["Statement"] = slices.Delete(slices.Clone(all), i, i+1)
		}
	}},
	{"drop an action", func(t *rapid.T, w tree) {
		if s, ok := drawStatement(t, w); ok {
			all := texts(s["Action"])
			if len(all) > 1 {
				i := rapid.IntRange(0, len(all)-1).Draw(t, "index")
				s["Action"] = slices.Delete(slices.Clone(all), i, i+1)
			} else {
				s["Action"] = "s3:ListAllMyBuckets"
			}
		}
	}},
	{"another resource", func(t *rapid.T, w tree) {
		if s, ok := drawStatement(t, w); ok && s["Resource"] != nil && s["Resource"] != "*" {
			s["Resource"] = rapid.SampledFrom([]any{
				"arn:aws:s3:::amzn-s3-demo-other/*", "arn:aws:s3:::amzn-s3-demo-destination", "arn:aws:kms:us-east-1:111122223333:alias/source",
			}).Draw(t, "resource")
		}
	}},
	{"drop the conditions", func(t *rapid.T, w tree) {
		if s, ok := drawStatement(t, w); ok {
			delete(s, "Condition")
		}
	}},
	{"another condition", func(t *rapid.T, w tree) {
		if s, ok := drawStatement(t, w); ok {
			s["Condition"] = rapid.SampledFrom([]any{
				tree{"StringLike": tree{"kms:EncryptionContext:aws:s3:arn": "arn:aws:s3:::amzn-s3-demo-source/*"}},
				tree{"StringLike": tree{"kms:EncryptionContext:aws:s3:arn": "arn:aws:s3:::amzn-s3-demo-source"}},
				tree{"StringEquals": tree{"kms:EncryptionContext:aws:s3:arn": []any{"arn:aws:s3:::amzn-s3-demo-destination"}}},
				tree{"StringEquals": tree{"kms:ViaService": "s3.us-east-1.amazonaws.com"}},
				tree{"StringEquals": tree{"aws:SourceAccount": "111122223333"}},
				tree{"StringEquals": tree{"aws:SourceVpce": "vpce-1a2b3c4d"}},
				tree{"Bool": tree{"aws:SecureTransport": "true"}},
				tree{"StringEquals": tree{"s3:ExistingObjectTag/team": "data"}},
			}).Draw(t, "condition")
		}
	}},
	{"another principal", func(t *rapid.T, w tree) {
		if s, ok := drawStatement(t, w); ok && s["Principal"] != nil {
			s["Principal"] = tree{"AWS": rapid.SampledFrom([]any{
				"arn:aws:iam::111122223333:role/replication", "arn:aws:iam::111122223333:role/other", "AROADELETEDROLEEXAMPL",
				"arn:aws:sts::111122223333:assumed-role/replication/s3-replication", "111122223333", "*",
			}).Draw(t, "principal")}
		}
	}},
	{"add a Deny", func(t *rapid.T, w tree) {
		d, ok := drawDocument(t, w)
		if !ok {
			return
		}
		deny := tree{"Sid": "Denied", "Effect": "Deny", "Resource": "*", "Action": rapid.SampledFrom([]any{
			"s3:ReplicateTags", "s3:ReplicateObject", "kms:Encrypt", "kms:GenerateDataKey", "s3:PutObject", "s3:GetObjectVersionTagging",
		}).Draw(t, "action")}
		first := d["Statement"].([]any)
		if len(first) > 0 && first[0].(tree)["Principal"] != nil {
			deny["Principal"] = "*"
		}
		if rapid.Bool().Draw(t, "conditional") {
			deny["Condition"] = tree{"Bool": tree{"aws:SecureTransport": "false"}}
		}
		d["Statement"] = append(slices.Clone(first), deny)
	}},
	{"drop key delegation", func(t *rapid.T, w tree) {
		if k, ok := one(t, members(w, "keys"), "key"); ok {
			for _, d := range documents(k) {
				kept := slices.DeleteFunc(slices.Clone(d["Statement"].([]any)), func(s any) bool {
					return strings.Contains(fmt.Sprint(s.(tree)["Principal"]), ":root")
				})
				if len(kept) > 0 {
					d["Statement"] = kept
				}
			}
		}
	}},
	{"no inline policies", func(t *rapid.T, w tree) {
		if r, ok := one(t, members(w, "roles"), "role"); ok {
			r["inline"] = tree{}
		}
	}},
	{"no bucket policy", func(t *rapid.T, w tree) {
		if b, ok := one(t, members(w, "buckets"), "bucket"); ok {
			b["policy"] = nil
		}
	}},
	{"a boundary", func(t *rapid.T, w tree) {
		if r, ok := one(t, members(w, "roles"), "role"); ok {
			allowed := rapid.SampledFrom([]any{"*", "s3:*", []any{"kms:*", "s3:Get*", "s3:List*", "s3:Replicate*"}, untagged}).Draw(t, "allowed")
			r["boundary"] = tree{"arn": "arn:aws:iam::111122223333:policy/boundary", "document": tree{
				"Version": "2012-10-17", "Statement": []any{tree{"Effect": "Allow", "Action": allowed, "Resource": "*"}},
			}}
		}
	}},
}

// untagged is everything that a replication of untagged objects asks.
var untagged = []any{
	"kms:*", "s3:GetReplicationConfiguration", "s3:ListBucket", "s3:GetObjectVersionForReplication", "s3:GetObjectVersionAcl",
	"s3:ReplicateObject", "s3:ObjectOwnerOverrideToBucketOwner",
}

// configurationDamages are those of everything else.
var configurationDamages = []damage{
	{"toggle a Bucket Key", func(t *rapid.T, w tree) {
		if b, ok := one(t, members(w, "buckets"), "bucket"); ok {
			if rule, ok := encryptionRule(b); ok {
				on, _ := rule["BucketKeyEnabled"].(bool)
				rule["BucketKeyEnabled"] = !on
			}
		}
	}},
	{"another default encryption", func(t *rapid.T, w tree) {
		if b, ok := one(t, members(w, "buckets"), "bucket"); ok {
			if rule, ok := encryptionRule(b); ok {
				rule["ApplyServerSideEncryptionByDefault"] = tree{"SSEAlgorithm": rapid.SampledFrom([]any{"AES256", "aws:kms", "aws:kms:dsse"}).Draw(t, "algorithm")}
			}
		}
	}},
	{"change a rule", func(t *rapid.T, w tree) {
		r, ok := drawRule(t, w)
		if !ok {
			return
		}
		rapid.SampledFrom([]func(){
			func() { delete(r, "SourceSelectionCriteria") },
			func() { delete(r, "Filter") },
			func() { r["Filter"] = tree{"Prefix": "logs/"} },
			func() { r["Filter"] = tree{"Prefix": "a*b?${c}/"} },
			func() { r["DeleteMarkerReplication"] = tree{"Status": "Enabled"} },
			func() { delete(r["Destination"].(tree), "Metrics") },
			func() { delete(r["Destination"].(tree), "EncryptionConfiguration") },
			func() { delete(r["Destination"].(tree), "AccessControlTranslation") },
			func() { r["Destination"].(tree)["AccessControlTranslation"] = tree{"Owner": "Destination"} },
			func() {
				r["Destination"].(tree)["EncryptionConfiguration"] = tree{"ReplicaKmsKeyID": "alias/replica"}
			},
		}).Draw(t, "change")()
	}},
	{"nobody hears", func(t *rapid.T, w tree) {
		if r, ok := drawRule(t, w); ok {
			delete(r["Destination"].(tree), "Metrics")
		}
		for _, b := range members(w, "buckets") {
			b["notifications"] = tree{}
		}
	}},
	{"another region", func(t *rapid.T, w tree) {
		if b, ok := one(t, members(w, "buckets"), "bucket"); ok {
			b["region"] = rapid.SampledFrom([]any{"us-east-1", "eu-west-1", "ap-northeast-1"}).Draw(t, "region")
		}
	}},
	{"another owner", func(t *rapid.T, w tree) {
		if b, ok := one(t, members(w, "buckets"), "bucket"); ok {
			b["account"] = rapid.SampledFrom([]any{"111122223333", "444455556666"}).Draw(t, "account")
		}
	}},
	{"versioning", func(t *rapid.T, w tree) {
		if b, ok := one(t, members(w, "buckets"), "bucket"); ok {
			b["versioning"] = rapid.SampledFrom([]any{"Suspended", nil}).Draw(t, "versioning")
		}
	}},
	{"Object Lock", func(t *rapid.T, w tree) {
		for _, b := range members(w, "buckets") {
			b["objectLock"] = tree{"ObjectLockEnabled": "Enabled"}
		}
	}},
	{"sample objects", func(t *rapid.T, w tree) {
		for range rapid.IntRange(1, 3).Draw(t, "objects") {
			w["objects"] = append(texts(w["objects"]), drawObject(t))
		}
	}},
	{"another rule", func(t *rapid.T, w tree) {
		b, ok := one(t, members(w, "buckets"), "bucket")
		if !ok {
			return
		}
		replication, _ := b["replication"].(tree)
		rules, _ := replication["Rules"].([]any)
		if len(rules) == 0 {
			return
		}
		data, err := json.Marshal(rules[0])
		if err != nil {
			t.Fatal(err)
		}
		var r tree
		if err := json.Unmarshal(data, &r); err != nil {
			t.Fatal(err)
		}
		r["ID"], r["Priority"] = fmt.Sprintf("drawn-%d", len(rules)), rapid.IntRange(-1, 1).Draw(t, "rank")*100+len(rules)
		r["Status"] = rapid.SampledFrom([]any{"Enabled", "Enabled", "Disabled"}).Draw(t, "status")
		r["Filter"] = rapid.SampledFrom([]any{
			tree{"Prefix": ""}, tree{"Prefix": "logs/"}, tree{"Prefix": "any-object"}, tree{"Prefix": "*"}, tree{"Prefix": "/logs/"}, tree{"Tag": tree{"Key": "team", "Value": "data"}},
		}).Draw(t, "filter")
		if rapid.Bool().Draw(t, "no opt-in") {
			delete(r, "SourceSelectionCriteria")
		}
		replication["Rules"] = append(rules, r)
	}},
	{"grants", func(t *rapid.T, w tree) {
		if k, ok := one(t, members(w, "keys"), "key"); ok {
			k["grants"] = []any{tree{
				"GrantId": "0123", "GranteePrincipal": "arn:aws:iam::111122223333:role/service-role/replication",
				"Operations": []any{"Encrypt", "Decrypt"},
			}}
		}
	}},
	{"forget a value", func(t *rapid.T, w tree) {
		all := slices.Concat(members(w, "buckets"), members(w, "roles"), members(w, "keys"))
		if m, ok := one(t, all, "owner"); ok {
			if name, ok := one(t, slices.Sorted(maps.Keys(m)), "value"); ok {
				delete(m, name)
			}
		}
	}},
}

// drawObject is a sample of any kind and in any state.
func drawObject(t *rapid.T) tree {
	object := tree{
		"bucket": "amzn-s3-demo-source", "key": rapid.SampledFrom([]any{"logs/a.txt", "*.txt", "b.txt"}).Draw(t, "key"),
		"replicationStatus": rapid.SampledFrom([]any{"FAILED", "FAILED", "FAILED", "PENDING", "COMPLETED", "REPLICA", nil}).Draw(t, "status"),
		"encryption":        rapid.SampledFrom([]any{nil, "AES256", "aws:kms", "aws:kms:dsse", "SSE-C"}).Draw(t, "encryption"),
		"storageClass":      rapid.SampledFrom([]any{"STANDARD", "STANDARD", "GLACIER", "DEEP_ARCHIVE", "GLACIER_IR", "INTELLIGENT_TIERING"}).Draw(t, "class"),
		"owner":             rapid.SampledFrom([]any{"111122223333", "444455556666"}).Draw(t, "owner"),
		"deleteMarker":      rapid.IntRange(0, 9).Draw(t, "delete marker") == 0,
	}
	if tags := rapid.SampledFrom([]any{"not known", tree{}, tree{"team": "data"}}).Draw(t, "tags"); tags != "not known" {
		object["tags"] = tags
	}
	if rapid.IntRange(0, 5).Draw(t, "status is not known") == 0 {
		delete(object, "replicationStatus")
	}
	if e := object["encryption"]; e == "aws:kms" || e == "aws:kms:dsse" {
		object["kmsKeyId"] = "arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"
		object["bucketKey"] = rapid.Bool().Draw(t, "Bucket Key")
	}
	return object
}

func encryptionRule(bucket tree) (tree, bool) {
	encryption, _ := bucket["encryption"].(tree)
	rules, _ := encryption["Rules"].([]any)
	if len(rules) == 0 {
		return nil, false
	}
	return rules[0].(tree), true
}

func drawRule(t *rapid.T, w tree) (tree, bool) {
	var all []tree
	for _, b := range members(w, "buckets") {
		replication, _ := b["replication"].(tree)
		rules, _ := replication["Rules"].([]any)
		for _, r := range rules {
			all = append(all, r.(tree))
		}
	}
	return one(t, all, "rule")
}
