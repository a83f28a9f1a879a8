package diagnose_test

import (
	"encoding/json"
	"fmt"
	"runtime"
	"testing"

	"github.com/replimend/replimend/internal/diagnose"
	"github.com/replimend/replimend/internal/snapshot"
)

// account is a snapshot of one account with n routes that share 50 roles and 100 keys: a bucket each, or rules of one bucket with
// a prefix each. The keys are named by alias. Without decrypt no role may decrypt, so that every route is broken and has a plan.
type account struct {
	n         int
	oneBucket bool
	samples   int // FAILED objects, spread over the routes
	decrypt   bool
	own       bool // each route has a role and a key of its own
	wide      bool // every role may do everything with S3, so that a narrower one is proposed
}

func (a account) snapshot(t testing.TB) *snapshot.Snapshot {
	t.Helper()
	const id, region = "111122223333", "us-east-1"
	document := func(statements ...tree) tree { return tree{"Version": "2012-10-17", "Statement": statements} }
	allow := func(actions ...string) tree { return tree{"Effect": "Allow", "Action": actions, "Resource": "*"} }
	// No role but a wide one is so wide that a narrower one would be proposed, which is work of another kind.
	allowKMS := func(actions ...string) tree {
		s := allow(actions...)
		s["Condition"] = tree{"StringEquals": tree{"kms:ViaService": "s3." + region + ".amazonaws.com"}}
		return s
	}
	allowS3 := allow("s3:GetReplicationConfiguration", "s3:ListBucket", "s3:GetObjectVersionForReplication", "s3:GetObjectVersionAcl", "s3:GetObjectVersionTagging",
		"s3:ReplicateObject", "s3:ReplicateDelete", "s3:ReplicateTags")
	allowS3["Resource"] = []string{"arn:aws:s3:::source*", "arn:aws:s3:::destination-*"}
	if a.wide {
		allowS3 = allow("s3:*")
	}
	buckets, roles, keys := tree{}, tree{}, tree{}
	roleCount, keyCount := 50, 100
	if a.own {
		roleCount, keyCount = a.n, a.n
	}
	alias := func(i int) string { return fmt.Sprintf("alias/key-%d", i%keyCount) }
	role := func(i int) string { return fmt.Sprintf("arn:aws:iam::%s:role/replication-%d", id, i%roleCount) }
	rule := func(i int) tree {
		return tree{
			"ID": fmt.Sprintf("r%d", i), "Priority": i, "Status": "Enabled", "Filter": tree{"Prefix": fmt.Sprintf("p%05d/", i)},
			"SourceSelectionCriteria": tree{"SseKmsEncryptedObjects": tree{"Status": "Enabled"}}, "DeleteMarkerReplication": tree{"Status": "Disabled"},
			"Destination": tree{
				"Bucket": fmt.Sprintf("arn:aws:s3:::destination-%d", i%10), "Metrics": tree{"Status": "Enabled"},
				"EncryptionConfiguration": tree{"ReplicaKmsKeyID": alias(i + 1)},
			},
		}
	}
	bucket := func(replication any, key string) tree {
		return tree{
			"account": id, "region": region, "versioning": "Enabled", "replication": replication, "policy": nil, "ownership": "BucketOwnerEnforced",
			"encryption":   tree{"Rules": []tree{{"ApplyServerSideEncryptionByDefault": tree{"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": key}}}},
			"requestPayer": "BucketOwner", "objectLock": nil,
			"notifications": tree{"QueueConfigurations": []tree{{"Id": "f", "QueueArn": "arn:aws:sqs:us-east-1:" + id + ":f", "Events": []string{"s3:Replication:*"}}}},
		}
	}
	for i := range 10 {
		buckets[fmt.Sprintf("destination-%d", i)] = bucket(nil, alias(i))
	}
	source := func(i int) string { return fmt.Sprintf("source-%05d", i) }
	var rules []tree
	for i := range a.n {
		if !a.oneBucket {
			buckets[source(i)] = bucket(tree{"Role": role(i), "Rules": []tree{rule(i)}}, alias(i))
		}
		rules = append(rules, rule(i))
	}
	if a.oneBucket {
		source = func(int) string { return "source" }
		buckets["source"] = bucket(tree{"Role": role(0), "Rules": rules}, alias(0))
	}
	for i := range roleCount {
		statements := []tree{allowS3, allowKMS("kms:Encrypt", "kms:GenerateDataKey")}
		if a.decrypt {
			statements = append(statements, allowKMS("kms:Decrypt"))
		}
		trust := document(tree{"Effect": "Allow", "Principal": tree{"Service": "s3.amazonaws.com"}, "Action": "sts:AssumeRole"})
		roles[role(i)] = tree{"uniqueId": fmt.Sprintf("AROAEXAMPLE%010d", i), "trust": trust, "inline": tree{"replication": document(statements...)}, "attached": tree{}, "boundary": nil, "tags": tree{}}
	}
	for i := range keyCount {
		delegation := allow("kms:*")
		delegation["Principal"] = tree{"AWS": "arn:aws:iam::" + id + ":root"}
		keys[fmt.Sprintf("arn:aws:kms:%s:%s:key/%08d-12ab-34cd-56ef-1234567890ab", region, id, i)] = tree{
			"state": "Enabled", "manager": "CUSTOMER", "spec": "SYMMETRIC_DEFAULT", "usage": "ENCRYPT_DECRYPT", "multiRegion": false,
			"policy": document(delegation), "grants": []tree{}, "aliases": []string{alias(i)}, "tags": tree{},
		}
	}
	var objects []tree
	for i := range a.samples {
		at := i % a.n
		objects = append(objects, tree{
			"bucket": source(at), "key": fmt.Sprintf("p%05d/%d", at, i), "replicationStatus": "FAILED", "encryption": "aws:kms", "kmsKeyId": alias(i),
			"bucketKey": i%2 == 0, "tags": tree{},
		})
	}
	data, err := json.Marshal(tree{
		"schema": "replimend/snapshot/v1", "buckets": buckets, "roles": roles, "keys": keys, "objects": objects,
		"guardrails": tree{id: tree{"scps": []any{}, "rcps": []any{}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	s, err := snapshot.Parse(data)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// accounts is the shapes in which routes come in numbers, for n of them.
func accounts(n int) map[string]account {
	return map[string]account{
		"healthy buckets":         {n: n, decrypt: true},
		"broken buckets":          {n: n},
		"healthy rules":           {n: n, oneBucket: true, decrypt: true},
		"broken, nothing shared":  {n: n, own: true},
		"healthy, nothing shared": {n: n, own: true, decrypt: true},
		"wide, nothing shared":    {n: n, own: true, decrypt: true, wide: true},
		"broken rules, samples":   {n: n, oneBucket: true, samples: n / 2},
		"broken buckets, samples": {n: n, samples: n / 2},
	}
}

// BenchmarkDiagnoseAccount is the diagnosis of a thousand routes in one run.
func BenchmarkDiagnoseAccount(b *testing.B) {
	for name, a := range accounts(1000) {
		b.Run(name, func(b *testing.B) {
			s := a.snapshot(b)
			b.ReportAllocs()
			for b.Loop() {
				if d := diagnose.Diagnose(s, nil); len(d.Routes) != a.n {
					b.Fatalf("%d routes", len(d.Routes))
				}
			}
		})
	}
}

// TestWorkGrowsWithTheRoutes counts the bytes that a diagnosis allocates: what copies or scans the account once for each of its
// routes shows as growth with the square of them.
func TestWorkGrowsWithTheRoutes(t *testing.T) {
	work := func(a account) float64 {
		s := a.snapshot(t)
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		d := diagnose.Diagnose(s, nil)
		runtime.ReadMemStats(&after)
		if a.wide && len(d.Proposals) != a.n {
			t.Fatalf("%d proposals for %d wide roles", len(d.Proposals), a.n)
		}
		for _, r := range d.Routes {
			if want := map[bool]diagnose.Verdict{true: diagnose.Healthy, false: diagnose.Broken}[a.decrypt]; r.Verdict != want || !a.decrypt && r.Plan == nil {
				t.Fatalf("%s is %s, want %s: %+v", r.Of, r.Verdict, want, r.Findings)
			}
		}
		return float64(after.TotalAlloc - before.TotalAlloc)
	}
	const few, many = 100, 400
	for name, small := range accounts(few) {
		large := accounts(many)[name]
		if x, y := work(small), work(large); y > x*many/few*1.1 {
			t.Errorf("%s: %d routes cost %.0f bytes, %d cost %.0f: %.1f times as much", name, few, x, many, y, y/x)
		}
	}
}
