package rehearsal_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"os"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/replimend/replimend/internal/diagnose"
	"github.com/replimend/replimend/internal/lab"
	"github.com/replimend/replimend/internal/patch"
	"github.com/replimend/replimend/internal/route"
	"github.com/replimend/replimend/internal/snapshot"
)

// TestMain asks for more worlds than rapid's 100. The flag -rapid.checks still decides.
func TestMain(m *testing.M) {
	if err := flag.Set("rapid.checks", "500"); err != nil {
		panic(err)
	}
	os.Exit(m.Run())
}

type tree = map[string]any

const (
	consumersBucket = "amzn-s3-demo-bucket"
	consumersKey    = "arn:aws:kms:ap-northeast-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"
)

var consumers = []string{
	"arn:aws:iam::111122223333:role/app/consumer", "arn:aws:iam::444455556666:role/app/consumer",
	"arn:aws:iam::111122223333:user/hoge", "arn:aws:iam::444455556666:user/hoge",
	"arn:aws:sts::444455556666:assumed-role/consumer/batch",
}

// statements is every statement of the world, each with the list that holds it.
func statements(v any, visit func(doc tree, i int)) {
	switch v := v.(type) {
	case tree:
		if list, ok := v["Statement"].([]any); ok {
			for i := range list {
				visit(v, i)
			}
			return
		}
		for _, k := range slices.Sorted(maps.Keys(v)) {
			if k != "trust" {
				statements(v[k], visit)
			}
		}
	case []any:
		for _, item := range v {
			statements(item, visit)
		}
	}
}

// disturb makes a random change to one statement, of those that people make.
func disturb(t *rapid.T, w tree) {
	type place struct {
		doc tree
		i   int
	}
	var all []place
	statements(w, func(doc tree, i int) { all = append(all, place{doc, i}) })
	if len(all) == 0 {
		return
	}
	p := rapid.SampledFrom(all).Draw(t, "statement")
	list := p.doc["Statement"].([]any)
	s := list[p.i].(tree)
	switch rapid.SampledFrom([]string{"drop", "action", "resource", "principal", "condition", "deny"}).Draw(t, "change") {
	case "drop":
		if len(list) > 1 {
			p.doc["Statement"] = slices.Delete(list, p.i, p.i+1)
		}
	case "action":
		s["Action"] = rapid.SampledFrom([]any{"s3:GetObject", "s3:PutObject", "kms:Decrypt", "kms:GenerateDataKey*", "kms:*", "s3:*"}).Draw(t, "action")
	case "resource":
		s["Resource"] = rapid.SampledFrom([]any{
			"*", "arn:aws:s3:::" + consumersBucket + "/*", "arn:aws:s3:::" + consumersBucket + "/a*", "arn:aws:s3:::" + consumersBucket, consumersKey,
		}).Draw(t, "resource")
	case "principal":
		if s["Principal"] != nil {
			s["Principal"] = tree{"AWS": rapid.SampledFrom(append([]string{
				"*", "arn:aws:iam::111122223333:root", "arn:aws:iam::444455556666:root", "arn:aws:iam::444455556666:role/consumer",
			}, consumers...)).Draw(t, "principal")}
		}
	case "condition":
		s["Condition"] = rapid.SampledFrom([]tree{
			{"StringEquals": tree{"kms:ViaService": "s3.ap-northeast-1.amazonaws.com"}},
			{"StringEquals": tree{"kms:ViaService": "s3.us-east-1.amazonaws.com"}},
			{"StringLike": tree{"kms:EncryptionContext:aws:s3:arn": "arn:aws:s3:::" + consumersBucket + "/*"}},
			{"StringEquals": tree{"kms:EncryptionContext:aws:s3:arn": "arn:aws:s3:::" + consumersBucket}},
			{"StringEquals": tree{"aws:SourceVpce": "vpce-1a2b3c4d"}},
			{"IpAddress": tree{"aws:SourceIp": "203.0.113.0/24"}},
			{"StringNotEquals": tree{"s3:x-amz-server-side-encryption": "aws:kms"}},
			{"Bool": tree{"aws:SecureTransport": "false"}},
			{"StringEquals": tree{"aws:username": "hoge"}},
			{"StringLike": tree{"aws:userid": "*:batch"}},
			{"StringEquals": tree{"aws:PrincipalType": "User"}},
			{"Bool": tree{"aws:MultiFactorAuthPresent": "true"}},
		}).Draw(t, "condition")
	case "deny":
		s["Effect"] = "Deny"
	}
}

// configure makes a random change to the bucket, the key or a guardrail.
func configure(t *rapid.T, w tree) {
	bucket := w["buckets"].(tree)[consumersBucket].(tree)
	key := w["keys"].(tree)[consumersKey].(tree)
	rule := bucket["encryption"].(tree)["Rules"].([]any)[0].(tree)
	by := rule["ApplyServerSideEncryptionByDefault"].(tree)
	switch rapid.SampledFrom([]string{"bucket key", "dsse", "sse-s3", "alias", "key id", "managed", "ownership", "state", "no policy", "scp", "rcp", "payer", "region"}).Draw(t, "configuration") {
	case "bucket key":
		rule["BucketKeyEnabled"] = true
	case "dsse":
		by["SSEAlgorithm"] = "aws:kms:dsse"
	case "sse-s3":
		by["SSEAlgorithm"] = "AES256"
		delete(by, "KMSMasterKeyID")
	case "alias":
		by["KMSMasterKeyID"] = "alias/app"
	case "key id":
		by["KMSMasterKeyID"] = "1234abcd-12ab-34cd-56ef-1234567890ab"
	case "managed":
		delete(by, "KMSMasterKeyID")
	case "ownership":
		bucket["ownership"] = rapid.SampledFrom([]any{"ObjectWriter", "BucketOwnerPreferred", nil}).Draw(t, "ownership")
	case "state":
		key["state"] = "Disabled"
	case "no policy":
		bucket["policy"] = nil
	case "scp":
		w["guardrails"].(tree)["444455556666"] = tree{"scps": []any{[]any{policyOf("Allow", "s3:*")}}, "rcps": []any{}}
	case "rcp":
		w["guardrails"].(tree)["111122223333"] = tree{"scps": []any{}, "rcps": []any{[]any{policyOf("Allow", "*"), policyOf("Deny", "kms:Decrypt")}}}
	case "payer":
		bucket["requestPayer"] = "Requester"
	case "region":
		bucket["region"] = "us-east-1"
	}
}

func policyOf(effect, action string) tree {
	s := tree{"Effect": effect, "Action": action, "Resource": "*"}
	if effect == "Deny" {
		s["Principal"] = "*"
	}
	return tree{"Version": "2012-10-17", "Statement": []any{s}}
}

// TestAccessesAreJudgedAsTheLabDoes lets the lab, which knows nothing of the diagnosis, answer the same requests: what is healthy
// passes, what is broken fails, and what the plan's edits prove is so.
func TestAccessesAreJudgedAsTheLabDoes(t *testing.T) {
	t.Parallel()
	base, err := os.ReadFile("worlds/consumers.json")
	if err != nil {
		t.Fatal(err)
	}
	seen, plans := map[diagnose.Verdict]int{}, 0
	rapid.Check(t, func(t *rapid.T) {
		var w tree
		if err := json.Unmarshal(base, &w); err != nil {
			t.Fatal(err)
		}
		for range rapid.IntRange(0, 2).Draw(t, "configurations") {
			configure(t, w)
		}
		for range rapid.IntRange(0, 3).Draw(t, "disturbances") {
			disturb(t, w)
		}
		text, _ := json.Marshal(w)
		s, err := snapshot.Parse(text)
		if err != nil {
			t.Skip(err)
		}
		cloud, err := lab.New(s, lab.Options{Requester: true})
		if err != nil {
			t.Skip(err)
		}
		principal := rapid.SampledFrom(consumers).Draw(t, "principal")
		operation := rapid.SampledFrom([]route.Operation{route.Get, route.Put}).Draw(t, "operation")
		if operation == route.Get {
			owner := rapid.SampledFrom([]string{"111122223333", "444455556666"}).Draw(t, "owner")
			o, err := cloud.PutObject(consumersBucket, "a.csv", lab.PutOptions{Owner: owner})
			if err != nil {
				t.Skip(err)
			}
			s.Objects = append(s.Objects, o)
			if s, err = withManaged(t, cloud, s); err != nil {
				t.Fatal(err)
			}
		}
		a, err := route.NewAccess(s, principal, consumersBucket, operation, "a.csv")
		if err != nil {
			t.Fatal(err)
		}
		d := diagnose.DiagnoseAccess(s, a)
		seen[d.Verdict]++
		if principal == consumers[1] && rapid.Bool().Draw(t, "batch") {
			principal = consumers[4] // what is said of a role holds for each of its sessions
		}
		compare(t, cloud, principal, operation, string(d.Verdict))
		if d.Plan == nil {
			return
		}
		plans++
		needsEachEdit(t, s, a, d)
		for _, e := range d.Plan.Edits {
			if err := cloud.Put(t.Context(), e.Document, e.Before, e.After); err != nil {
				t.Skip(err) // AWS would not take the document, edited or not
			}
		}
		compare(t, cloud, principal, operation, d.Plan.Proof.After)
	})
	if n := seen[diagnose.Healthy] + seen[diagnose.Broken]; n >= 60 && (seen[diagnose.Healthy]*20 < n || seen[diagnose.Broken]*20 < n || plans*20 < n) {
		t.Errorf("verdicts %v, %d plans: the property saw too little", seen, plans)
	}
}

// needsEachEdit holds that a plan with one edit less does not prove what it proves, and that a person has to agree to it.
func needsEachEdit(t *rapid.T, s *snapshot.Snapshot, a route.Access, d diagnose.Access) {
	if d.Plan.Class != patch.Approval {
		t.Errorf("the plan's class is %s", d.Plan.Class)
	}
	for i := range d.Plan.Edits {
		less := patch.Plan{Edits: slices.Delete(slices.Clone(d.Plan.Edits), i, i+1)}
		patched, err := less.Apply(s)
		if err != nil {
			t.Fatal(err)
		}
		if got := diagnose.DiagnoseAccess(patched, a).Verdict; string(got) == d.Plan.Proof.After {
			t.Errorf("%s without the edit of %s, too", got, d.Plan.Edits[i].Document)
		}
	}
}

// withManaged adds the AWS managed keys that the lab made for the object, as anybody would who reads the keys afterwards.
func withManaged(t *rapid.T, cloud *lab.Cloud, s *snapshot.Snapshot) (*snapshot.Snapshot, error) {
	now, err := cloud.Snapshot(t.Context(), consumersBucket)
	if err != nil {
		return nil, err
	}
	now.Objects = s.Objects
	return now, nil
}

// compare holds a verdict against what the lab answers.
func compare(t *rapid.T, cloud *lab.Cloud, principal string, operation route.Operation, verdict string) {
	answers := map[string]error{}
	if operation == route.Get {
		answers["get"] = cloud.Get(principal, consumersBucket, "a.csv")
	} else {
		_, answers["put"] = cloud.PutAs(principal, consumersBucket, "a.csv", false)
		_, answers["put in parts"] = cloud.PutAs(principal, consumersBucket, "a.csv", true)
	}
	for what, err := range answers {
		switch {
		case err != nil && (verdict == "healthy" || verdict == "degraded"):
			t.Errorf("%s, but the lab refuses %s by %s: %v", verdict, what, principal, err)
		case err == nil && verdict == "broken":
			t.Errorf("broken, but the lab lets %s %s", principal, fmt.Sprint(what))
		}
	}
}
