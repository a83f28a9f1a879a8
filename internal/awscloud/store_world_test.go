package awscloud_test

import (
	"context"
	"net/url"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/replimend/replimend/internal/awscloud"
	"github.com/replimend/replimend/internal/awserr"
	"github.com/replimend/replimend/internal/incident"
	"github.com/replimend/replimend/internal/mototest"
	"github.com/replimend/replimend/internal/patch"
	"github.com/replimend/replimend/internal/policy"
	"github.com/replimend/replimend/internal/settings"
	"github.com/replimend/replimend/internal/snapshot"
)

const storeRegion = "eu-west-1"

// storeWorld is a member account with a role under a path, a key and a bucket, and the account of the hub, in moto.
type storeWorld struct {
	hub, member string
	role        string // its ARN
	roleName    string
	key         string // its ARN
	bucket      string
	iam         *iam.Client // of the member's own administrator, past every proxy
	kms         *kms.Client
	s3          *s3.Client
}

func newStoreWorld(t *testing.T) *storeWorld {
	t.Helper()
	s := mototest.Start(t)
	w := &storeWorld{hub: s.Account(), member: s.Account(), roleName: "replication", bucket: s.Name(t, "store")}
	cfg := s.Config(t, w.member, storeRegion)
	w.iam, w.kms = iam.NewFromConfig(cfg), kms.NewFromConfig(cfg)
	w.s3 = s3.NewFromConfig(cfg, func(o *s3.Options) { o.UsePathStyle = true })
	role, err := w.iam.CreateRole(t.Context(), &iam.CreateRoleInput{
		RoleName: &w.roleName, Path: aws.String("/service-role/"),
		AssumeRolePolicyDocument: aws.String(`{"Version":"2012-10-17","Statement":[` +
			`{"Effect":"Allow","Principal":{"Service":"s3.amazonaws.com"},"Action":"sts:AssumeRole"}]}`),
	})
	if err != nil {
		t.Fatal(err)
	}
	w.role = aws.ToString(role.Role.Arn)
	key, err := w.kms.CreateKey(t.Context(), &kms.CreateKeyInput{})
	if err != nil {
		t.Fatal(err)
	}
	w.key = aws.ToString(key.KeyMetadata.Arn)
	if _, err := w.s3.CreateBucket(t.Context(), &s3.CreateBucketInput{
		Bucket: &w.bucket, CreateBucketConfiguration: &s3types.CreateBucketConfiguration{LocationConstraint: storeRegion},
	}); err != nil {
		t.Fatal(err)
	}
	return w
}

// writer writes to the world through an address, such as that of a proxy; "" is moto itself. It does not wait.
func (w *storeWorld) writer(t *testing.T, address string, o awscloud.WriteOptions) *awscloud.Writer {
	t.Helper()
	s := mototest.Start(t)
	if address == "" {
		address = s.URL
	}
	if o.Owner == nil {
		o.Owner = func(bucket string) (string, string, bool) { return w.member, storeRegion, bucket == w.bucket }
	}
	out := awscloud.NewWriter(awscloud.NewAccounts(awscloud.Access{
		Base:    s.ConfigAt(t, address, w.hub, storeRegion),
		Members: []settings.Member{{Account: w.member, Regions: []string{storeRegion}}},
	}), o)
	out.Waits(func(ctx context.Context, _ time.Duration) error { return ctx.Err() })
	return out
}

func (w *storeWorld) rolePolicy() snapshot.Ref {
	return snapshot.Ref{Kind: snapshot.RolePolicy, ID: w.role, Name: "Replimend"}
}

func (w *storeWorld) trust() snapshot.Ref { return snapshot.Ref{Kind: snapshot.RoleTrust, ID: w.role} }

func (w *storeWorld) keyPolicy() snapshot.Ref {
	return snapshot.Ref{Kind: snapshot.ReplicaKeyPolicy, ID: w.key}
}

func (w *storeWorld) bucketPolicy() snapshot.Ref {
	return snapshot.Ref{Kind: snapshot.DestinationBucketPolicy, ID: w.bucket}
}

func (w *storeWorld) documents() []snapshot.Ref {
	return []snapshot.Ref{w.rolePolicy(), w.trust(), w.keyPolicy(), w.bucketPolicy()}
}

// storeApproved is somebody's word for a write.
var storeApproved = incident.Authority{Incident: "inc-0123456789", Approver: "arn:aws:iam::111122223333:user/on-call"}

// set writes a document as its owner, whoever else wants to.
func (w *storeWorld) set(t *testing.T, ref snapshot.Ref, d snapshot.Value[policy.Document]) {
	t.Helper()
	text, there := "", d.State == snapshot.Present
	if there {
		printed, err := d.V.MarshalJSON()
		if err != nil {
			t.Fatal(err)
		}
		text = string(printed)
	}
	w.setText(t, ref, text)
}

// setText is set with a text; "" deletes.
func (w *storeWorld) setText(t *testing.T, ref snapshot.Ref, text string) {
	t.Helper()
	ctx := context.WithoutCancel(t.Context())
	var err error
	switch {
	case ref.Kind == snapshot.RolePolicy && text == "":
		_, err = w.iam.DeleteRolePolicy(ctx, &iam.DeleteRolePolicyInput{RoleName: &w.roleName, PolicyName: &ref.Name})
	case ref.Kind == snapshot.RolePolicy:
		_, err = w.iam.PutRolePolicy(ctx, &iam.PutRolePolicyInput{RoleName: &w.roleName, PolicyName: &ref.Name, PolicyDocument: &text})
	case ref.Kind == snapshot.RoleTrust:
		_, err = w.iam.UpdateAssumeRolePolicy(ctx, &iam.UpdateAssumeRolePolicyInput{RoleName: &w.roleName, PolicyDocument: &text})
	case ref.Kind.OfKey():
		_, err = w.kms.PutKeyPolicy(ctx, &kms.PutKeyPolicyInput{KeyId: &w.key, PolicyName: aws.String("default"), Policy: &text})
	case text == "":
		_, err = w.s3.DeleteBucketPolicy(ctx, &s3.DeleteBucketPolicyInput{Bucket: &w.bucket})
	default:
		_, err = w.s3.PutBucketPolicy(ctx, &s3.PutBucketPolicyInput{Bucket: &w.bucket, Policy: &text})
	}
	if err != nil && !(text == "" && awserr.Is(err, awserr.Absent)) {
		t.Fatal(err)
	}
}

// text is what is stored, as it is stored; "" is nothing.
func (w *storeWorld) text(t *testing.T, ref snapshot.Ref) string {
	t.Helper()
	ctx := context.WithoutCancel(t.Context())
	var text *string
	var err error
	switch {
	case ref.Kind == snapshot.RolePolicy:
		var out *iam.GetRolePolicyOutput
		if out, err = w.iam.GetRolePolicy(ctx, &iam.GetRolePolicyInput{RoleName: &w.roleName, PolicyName: &ref.Name}); err == nil {
			text = storeUnescaped(t, out.PolicyDocument)
		}
	case ref.Kind == snapshot.RoleTrust:
		var out *iam.GetRoleOutput
		if out, err = w.iam.GetRole(ctx, &iam.GetRoleInput{RoleName: &w.roleName}); err == nil {
			text = storeUnescaped(t, out.Role.AssumeRolePolicyDocument)
		}
	case ref.Kind.OfKey():
		var out *kms.GetKeyPolicyOutput
		if out, err = w.kms.GetKeyPolicy(ctx, &kms.GetKeyPolicyInput{KeyId: &w.key, PolicyName: aws.String("default")}); err == nil {
			text = out.Policy
		}
	default:
		var out *s3.GetBucketPolicyOutput
		if out, err = w.s3.GetBucketPolicy(ctx, &s3.GetBucketPolicyInput{Bucket: &w.bucket}); err == nil {
			text = out.Policy
		}
	}
	if err != nil && !awserr.Is(err, awserr.Absent) {
		t.Fatal(err)
	}
	return aws.ToString(text)
}

func storeUnescaped(t *testing.T, text *string) *string {
	t.Helper()
	out, err := url.PathUnescape(aws.ToString(text))
	if err != nil {
		t.Fatal(err)
	}
	return &out
}

// read is the document that is stored.
func (w *storeWorld) read(t *testing.T, ref snapshot.Ref) snapshot.Value[policy.Document] {
	t.Helper()
	text := w.text(t, ref)
	if text == "" {
		return snapshot.None[policy.Document]()
	}
	return snapshot.Of(storeDocument(t, text))
}

func storeDocument(t *testing.T, text string) policy.Document {
	t.Helper()
	d, err := policy.Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// edit adds a statement to what is stored, in the way of every edit.
func (w *storeWorld) edit(t *testing.T, ref snapshot.Ref) patch.Edit {
	t.Helper()
	before := w.read(t, ref)
	return patch.Edit{Document: ref, Before: before, After: snapshot.Of(before.V.Append(w.statement(t, ref, "ReplimendA"))), Account: w.member}
}

func (w *storeWorld) statement(t *testing.T, ref snapshot.Ref, sid string) policy.Statement {
	t.Helper()
	spec := policy.StatementSpec{Sid: sid, Effect: policy.Allow}
	role := []policy.Principal{{Kind: policy.PrincipalAWS, Value: w.role}}
	switch {
	case ref.Kind == snapshot.RolePolicy:
		spec.Actions, spec.Resources = []string{"s3:ReplicateObject"}, []string{"arn:aws:s3:::" + w.bucket + "/*"}
	case ref.Kind == snapshot.RoleTrust:
		spec.Actions = []string{"sts:AssumeRole"}
		spec.Principals = []policy.Principal{{Kind: policy.PrincipalService, Value: "batchoperations.s3.amazonaws.com"}}
	case ref.Kind.OfKey():
		spec.Actions, spec.Resources, spec.Principals = []string{"kms:Decrypt"}, []string{"*"}, role
	default:
		spec.Actions, spec.Resources, spec.Principals = []string{"s3:ReplicateObject"}, []string{"arn:aws:s3:::" + w.bucket + "/*"}, role
	}
	s, err := spec.Build()
	if err != nil {
		t.Fatal(err)
	}
	return s
}
