package authz_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/replimend/replimend/internal/authz"
	"github.com/replimend/replimend/internal/policy"
)

// workload is a request of a replication role as it is in the field: the statement that lets it through stands last.
type workload struct {
	name              string
	identity, trusted string // the role's policy and the resource's
	request           authz.Request
}

func (w *workload) layers(t fataler) *authz.Layers {
	return &authz.Layers{
		Identity: []*authz.Policy{authz.Compile("role-policy", mustParse(t, w.identity))},
		Resource: authz.Compile("resource-policy", mustParse(t, w.trusted)),
	}
}

func mustParse(t fataler, text string) policy.Document {
	d, err := policy.Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func workloads() []workload {
	decrypt := authz.Request{
		Principal: authz.SessionOf(roleARN, "s3-replication", roleID), Action: "kms:Decrypt", Resource: keyARN, ResourceAccount: here,
	}
	for _, k := range []key{
		{name: "aws:PrincipalArn", values: []string{roleARN.String()}},
		{name: "aws:PrincipalAccount", values: []string{here}},
		{name: "aws:userid", values: []string{roleID + ":s3-replication"}},
		{name: "aws:SecureTransport", values: []string{"true"}},
		{name: "kms:CallerAccount", values: []string{here}},
		{name: "kms:ViaService", values: []string{"s3.us-east-1.amazonaws.com"}},
		{name: "kms:EncryptionContext:aws:s3:arn", values: []string{"arn:aws:s3:::orders-01/2026/11/22/invoice.pdf"}},
		{name: "kms:EncryptionContextKeys", values: []string{"aws:s3:arn"}},
	} {
		decrypt.Context.Set(k.name, k.values...)
	}
	read := authz.Request{
		Principal: mustPrincipal("arn:aws:iam::111122223333:user/alice"), Action: "s3:GetObject", Resource: objectARN, ResourceAccount: here,
	}
	read.Context.Set("aws:username", "alice")
	read.Context.Set("aws:PrincipalTag/team", "billing")
	read.Context.Set("s3:ExistingObjectTag/team", "billing")
	return []workload{
		{"5-identity-statements-and-key-policy", replicationPolicy(1), keyPolicy, decrypt},
		{"50-identity-statements-and-key-policy", replicationPolicy(10), keyPolicy, decrypt},
		{"policy-variables", variablesPolicy, bucketPolicy, read},
	}
}

// replicationPolicy is the policy of a role that replicates that many buckets, five statements each, bucket 1 last and in it
// the decryption of its objects.
func replicationPolicy(routes int) string {
	var statements []string
	for n := routes; n > 0; n-- {
		statements = append(statements, strings.NewReplacer("BUCKET", fmt.Sprintf("orders-%02d", n), "KEY", fmt.Sprintf("1234abcd%s", strings.Repeat("0", n-1))).Replace(`
{"Sid":"Configuration","Effect":"Allow","Action":["s3:GetReplicationConfiguration","s3:ListBucket"],"Resource":"arn:aws:s3:::BUCKET"},
{"Sid":"Read","Effect":"Allow","Action":["s3:GetObjectVersionForReplication","s3:GetObjectVersionAcl","s3:GetObjectVersionTagging"],
 "Resource":"arn:aws:s3:::BUCKET/*"},
{"Sid":"Write","Effect":"Allow","Action":["s3:ReplicateObject","s3:ReplicateDelete","s3:ReplicateTags"],"Resource":"arn:aws:s3:::BUCKET-replica/*"},
{"Sid":"Encrypt","Effect":"Allow","Action":["kms:Encrypt","kms:GenerateDataKey"],"Resource":"arn:aws:kms:eu-west-1:444455556666:key/KEY",
 "Condition":{"StringEquals":{"kms:ViaService":"s3.eu-west-1.amazonaws.com"},"StringLike":{"kms:EncryptionContext:aws:s3:arn":"arn:aws:s3:::BUCKET-replica/*"}}},
{"Sid":"Decrypt","Effect":"Allow","Action":"kms:Decrypt","Resource":"arn:aws:kms:us-east-1:111122223333:key/KEY",
 "Condition":{"StringEquals":{"kms:ViaService":"s3.us-east-1.amazonaws.com"},"StringLike":{"kms:EncryptionContext:aws:s3:arn":["arn:aws:s3:::BUCKET","arn:aws:s3:::BUCKET/*"]}}}`))
	}
	return `{"Version":"2012-10-17","Statement":[` + strings.Join(statements, ",") + `]}`
}

const keyPolicy = `{"Version":"2012-10-17","Statement":[
{"Sid":"Administrators","Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:role/key-admin"},"Action":["kms:Create*","kms:Describe*","kms:Put*"],"Resource":"*"},
{"Sid":"NoForeigners","Effect":"Deny","Principal":"*","Action":"kms:*","Resource":"*","Condition":{"StringNotEquals":{"kms:CallerAccount":["111122223333","444455556666"]}}},
{"Sid":"Account","Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:root"},"Action":"kms:*","Resource":"*"}]}`

const variablesPolicy = `{"Version":"2012-10-17","Statement":[
{"Effect":"Deny","Action":"s3:*","Resource":"arn:aws:s3:::bucket/*","Condition":{"StringNotEquals":{"s3:ExistingObjectTag/team":"${aws:PrincipalTag/team, 'none'}"}}},
{"Effect":"Allow","Action":"s3:Get*","Resource":"arn:aws:s3:::bucket/${aws:username}/*","Condition":{"StringLike":{"aws:username":"${aws:username}*"}}}]}`

const bucketPolicy = `{"Version":"2012-10-17","Statement":[
{"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":"arn:aws:s3:::bucket/private/${aws:username}/*","Condition":{"Bool":{"aws:SecureTransport":"false"}}}]}`

// operatorsPolicy has every kind of comparison that the deciding path is promised to make without allocating.
const operatorsPolicy = `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"arn:aws:s3:*:*:b*","Condition":{
"StringEqualsIgnoreCase":{"aws:username":"${aws:username}"},"StringLike":{"aws:username":"a*i*e"},"StringNotLike":{"aws:username":"b*"},
"NumericLessThan":{"s3:max-keys":"10"},"DateGreaterThan":{"aws:CurrentTime":"2026-01-01T00:00:00Z"},"Bool":{"aws:SecureTransport":"true"},
"NotIpAddress":{"aws:SourceIp":["10.0.0.0/8","2001:db8::/32"]},"ArnLike":{"aws:SourceArn":"arn:*:s3:::${aws:username}*"},
"ForAllValues:StringEquals":{"aws:TagKeys":["a","b"]},"Null":{"aws:userid":"true"}}}}`

func operators() workload {
	r := authz.Request{Principal: mustPrincipal("arn:aws:iam::111122223333:user/alice"), Action: "s3:ListBucket", Resource: policy.BucketARN("aws", "bucket"), ResourceAccount: here}
	for _, k := range []key{
		{name: "aws:username", values: []string{"alice"}},
		{name: "s3:max-keys", values: []string{"5"}},
		{name: "aws:CurrentTime", values: []string{"2026-11-22T12:00:00Z"}},
		{name: "aws:SecureTransport", values: []string{"true"}},
		{name: "aws:SourceIp", values: []string{"203.0.113.7"}},
		{name: "aws:SourceArn", values: []string{"arn:aws:s3:::alice-s"}},
		{name: "aws:TagKeys", values: []string{"a", "b"}},
	} {
		r.Context.Set(k.name, k.values...)
	}
	return workload{"every-kind-of-operator", operatorsPolicy, bucketPolicy, r}
}

func BenchmarkDecide(b *testing.B) {
	for _, w := range workloads() {
		b.Run(w.name, func(b *testing.B) {
			l := w.layers(b)
			b.ReportAllocs()
			for b.Loop() {
				if d := authz.Decide(&w.request, l); d.Outcome != authz.Allowed {
					b.Fatal(d.Outcome)
				}
			}
		})
	}
}

func BenchmarkExplain(b *testing.B) {
	for _, w := range workloads() {
		b.Run(w.name, func(b *testing.B) {
			l := w.layers(b)
			b.ReportAllocs()
			for b.Loop() {
				if e := authz.Explain(&w.request, l); e.Decision.Outcome != authz.Allowed {
					b.Fatal(e.Decision.Outcome)
				}
			}
		})
	}
}

func BenchmarkCompile(b *testing.B) {
	for _, w := range workloads() {
		b.Run(w.name, func(b *testing.B) {
			identity, resource := mustParse(b, w.identity), mustParse(b, w.trusted)
			b.ReportAllocs()
			for b.Loop() {
				authz.Compile("role-policy", identity)
				authz.Compile("resource-policy", resource)
			}
		})
	}
}

// TestDecideAllocatesNothing is not parallel: testing.AllocsPerRun counts what the whole process allocates.
func TestDecideAllocatesNothing(t *testing.T) {
	for _, w := range append(workloads(), operators()) {
		t.Run(w.name, func(t *testing.T) {
			l := w.layers(t)
			var d authz.Decision
			if n := testing.AllocsPerRun(100, func() { d = authz.Decide(&w.request, l) }); n != 0 {
				t.Errorf("Decide allocates %v times", n)
			}
			if d.Outcome != authz.Allowed {
				t.Errorf("decision is %s, want allowed", d.Outcome)
			}
		})
	}
}
