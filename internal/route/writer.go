package route

import (
	"slices"
	"strings"

	"github.com/replimend/replimend/internal/authz"
	"github.com/replimend/replimend/internal/policy"
	"github.com/replimend/replimend/internal/snapshot"
)

// LogService is an AWS service that delivers logs into a bucket as itself.
type LogService struct {
	Name      string
	Principal string
	Bucket    []string // what it does with the bucket and its objects
	Key       []string // what it does with the key of the objects
	ACL       bool     // it asks for the ACL bucket-owner-full-control, which policies test
	SSES3Only bool     // it cannot write into a bucket whose default encryption is KMS
	Source    string   // the page that says so
}

// LogServices is the services that are recognised.
func LogServices() []LogService { return slices.Clone(logServices) }

var logServices = []LogService{
	{
		Name: "GuardDuty", Principal: "guardduty.amazonaws.com",
		Bucket: []string{"s3:GetBucketLocation", "s3:PutObject"}, Key: []string{"kms:GenerateDataKey"},
		Source: "https://docs.aws.amazon.com/guardduty/latest/ug/guardduty_exportfindings.html",
	},
	{
		Name: "CloudTrail", ACL: true, Principal: "cloudtrail.amazonaws.com",
		Bucket: []string{"s3:GetBucketAcl", "s3:PutObject"}, Key: []string{"kms:GenerateDataKey"},
		Source: "https://docs.aws.amazon.com/awscloudtrail/latest/userguide/create-kms-key-policy-for-cloudtrail.html",
	},
	{
		Name: "AWS Config", ACL: true, Principal: "config.amazonaws.com",
		Bucket: []string{"s3:GetBucketAcl", "s3:PutObject"}, Key: []string{"kms:GenerateDataKey", "kms:Decrypt"},
		Source: "https://docs.aws.amazon.com/config/latest/developerguide/s3-kms-key-policy.html",
	},
	{
		Name: "VPC flow logs and other vended logs", ACL: true, Principal: "delivery.logs.amazonaws.com",
		Bucket: []string{"s3:GetBucketAcl", "s3:PutObject"}, Key: []string{"kms:GenerateDataKey"},
		Source: "https://docs.aws.amazon.com/vpc/latest/userguide/flow-logs-s3-cmk-policy.html",
	},
	{
		Name: "S3 server access logs", Principal: "logging.s3.amazonaws.com",
		Bucket: []string{"s3:PutObject"}, SSES3Only: true,
		Source: "https://docs.aws.amazon.com/AmazonS3/latest/userguide/enable-server-access-logging.html",
	},
	{
		Name: "load balancer access logs", Principal: "logdelivery.elasticloadbalancing.amazonaws.com",
		Bucket: []string{"s3:PutObject"}, SSES3Only: true,
		Source: "https://docs.aws.amazon.com/elasticloadbalancing/latest/application/enable-access-logging.html",
	},
}

// Writer is a log service that the policies of a source name, with everything that it has to be allowed there.
type Writer struct {
	Service  LogService
	Requests []Requirement
	KMS      bool // the bucket's default encryption is KMS
}

// Writers is the log services that the policy of the source bucket allows something. A bucket that they cannot write to has
// nothing of theirs to replicate. A key that names one says less: it can serve other buckets.
//
// Which trail, detector or account they write for is not in a snapshot, so that conditions on it stay unknown.
func Writers(w *World, r Route) []Writer {
	bucket := w.Snapshot.Buckets[r.Source].V
	var out []Writer
	for _, s := range logServices {
		if !allows(bucket.Policy.V, s.Principal) {
			continue
		}
		p := w.ofDefault(&r, "")
		a := asker{w: w, r: r, p: p}
		for _, action := range s.Bucket {
			resource := policy.BucketARN(r.Partition, r.Source)
			if action == "s3:PutObject" {
				resource = policy.ObjectARN(r.Partition, r.Source, probe(bucket.Policy.V, s.Principal, r.Source))
			}
			a.service(s, action, snapshot.Ref{Kind: snapshot.SourceBucketPolicy, ID: r.Source}, resource, r.SourceAccount)
		}
		if p.KMS() && !p.Key.IsZero() {
			for _, action := range s.Key {
				a.service(s, action, snapshot.Ref{Kind: snapshot.SourceKeyPolicy, ID: p.Key.String()}, p.Key, p.Key.Account)
			}
		}
		out = append(out, Writer{Service: s, Requests: a.out, KMS: p.KMS()})
	}
	return out
}

// allows says whether some statement allows the service anything.
func allows(d policy.Document, service string) bool {
	return slices.ContainsFunc(d.Statements, func(s policy.Statement) bool { return s.Effect == policy.Allow && names(s, service) })
}

func names(s policy.Statement, service string) bool {
	return s.Principal != nil && !s.Principal.Not && slices.Contains(s.Principal.Values, policy.Principal{Kind: policy.PrincipalService, Value: service})
}

// probe is the name of an object that the service is meant to write, from a statement that lets it: services write under
// prefixes of their own, as AWSLogs/111122223333/.
func probe(d policy.Document, service, bucket string) string {
	for _, s := range d.Statements {
		if s.Effect != policy.Allow || !names(s, service) {
			continue
		}
		for _, v := range s.Resource.Values {
			if _, key, ok := strings.Cut(v, ":"+bucket+"/"); ok && !policy.HasVariables(key) {
				return strings.NewReplacer("*", anyObject, "?", "x").Replace(key)
			}
		}
	}
	return anyObject
}

// service is one request that a service makes as itself.
func (a *asker) service(s LogService, action string, ref snapshot.Ref, resource policy.ARN, account string) {
	q := authz.Request{
		Principal: authz.Principal{Kind: authz.Service, Name: s.Principal}, Action: action, Resource: resource, ResourceAccount: account,
	}
	q.Context.Open = true
	q.Context.Set("aws:PrincipalIsAWSService", "true")
	q.Context.Set("aws:PrincipalServiceName", s.Principal)
	q.Context.Set("aws:SecureTransport", "true")
	if account != "" {
		q.Context.Set("aws:ResourceAccount", account)
	}
	if s.ACL {
		q.Context.Set("s3:x-amz-acl", "bucket-owner-full-control")
	}
	q.Context.SetAbsent("aws:PrincipalOrgID", "aws:PrincipalArn", "aws:SourceVpce", "aws:SourceVpc", "aws:SourceIp")
	a.time(&q.Context)
	r := Requirement{Request: q, Need: Required, Evidence: Documented, Source: s.Source, Resource: ref}
	r.Layers = a.w.Layers(&r)
	a.out = append(a.out, r)
}
