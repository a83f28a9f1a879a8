package awscloud_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	iamtypes "github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	kmstypes "github.com/aws/aws-sdk-go-v2/service/kms/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/google/go-cmp/cmp"

	"github.com/replimend/replimend/internal/awscloud"
	"github.com/replimend/replimend/internal/incident"
	"github.com/replimend/replimend/internal/mototest"
	"github.com/replimend/replimend/internal/snapshot"
)

// taken is the snapshot that docs/take-snapshot.py takes at an address, through a client that others wrote.
func taken(t *testing.T, address, bucket, account, destinationAccount string) *snapshot.Snapshot {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), mototest.Python(t), "testdata/take_snapshot.py", "../../docs/take-snapshot.py", bucket,
		"--profile", account, "--destination-profile", destinationAccount)
	cmd.Env = append(os.Environ(), "AWS_ENDPOINT_URL="+address, "AWS_ACCESS_KEY_ID=test", "AWS_SECRET_ACCESS_KEY=test",
		"AWS_DEFAULT_REGION="+sourceRegion, "PYTHONDONTWRITEBYTECODE=1", "AWS_CONFIG_FILE=/dev/null", "NO_PROXY=*")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("take-snapshot: %v\n%s", err, &stderr)
	}
	s, err := snapshot.Parse(out)
	if err != nil {
		t.Fatalf("what the script printed is no snapshot: %v\n%s", err, out)
	}
	return s
}

// same compares two snapshots as JSON, without the time and the samples, which the script does not read.
func same(t *testing.T, independent, read *snapshot.Snapshot) {
	t.Helper()
	plain := func(s *snapshot.Snapshot) map[string]any {
		c := *s
		c.TakenAt, c.Objects = "", nil
		var v map[string]any
		if err := json.Unmarshal([]byte(c.Indent()), &v); err != nil {
			t.Fatal(err)
		}
		return v
	}
	if diff := cmp.Diff(plain(independent), plain(read)); diff != "" {
		t.Errorf("snapshot differs (-independent client +reader):\n%s", diff)
	}
}

// TestTheSameMotoReadByAnotherClient: a cross-account KMS route in moto, member by member.
func TestTheSameMotoReadByAnotherClient(t *testing.T) {
	t.Parallel()
	w := newMoto(t)
	r := awscloud.NewReader(awscloud.NewAccounts(w.access()), awscloud.ReadOptions{Region: sourceRegion})
	s, err := r.Snapshot(t.Context(), w.source, []incident.Object{{Key: "reports/1 ü.txt", VersionID: w.version}, {Key: "gone", VersionID: w.marker}})
	if err != nil {
		t.Fatal(err)
	}
	checkSnapshot(t, s)
	if len(s.Unreadable) > 0 {
		t.Errorf("unreadable: %v", s.Unreadable)
	}
	same(t, taken(t, w.address, w.source, w.a, w.b), s)

	// That both say the same of nothing would be no proof.
	role := s.Roles[arn(w.role)].V
	if len(role.Inline.V) != 1 || len(role.Attached.V) != 1 || role.Boundary.V.ARN == "" || len(role.Tags.V) != 1 || role.Trust.State != snapshot.Present {
		t.Errorf("role: %+v", role)
	}
	key := s.Keys[arn(w.sourceKey)].V
	if key.State != "Enabled" || len(key.Grants.V) != 1 || key.Grants.V[0].Constraints.EncryptionContextSubset["k"] != "v" || len(key.Aliases.V) != 1 || len(key.Tags.V) != 1 {
		t.Errorf("source key: %+v", key)
	}
	if s.Buckets[w.destination].V.Account != w.b || len(s.Keys) != 3 {
		t.Errorf("destination of %q, %d keys", s.Buckets[w.destination].V.Account, len(s.Keys))
	}
	if len(s.Objects) != 2 || s.Objects[0].KMSKeyID != w.sourceKey || s.Objects[0].Encryption.V != "aws:kms" || s.Objects[0].Size != 5 ||
		s.Objects[0].Tags.V["t"] != "1" || !s.Objects[1].DeleteMarker {
		t.Errorf("objects: %+v", s.Objects)
	}
}

// motoWorld is a cross-account KMS route in moto.
type motoWorld struct {
	address                   string
	a, b                      string // accounts
	in, out                   aws.Config
	source, destination, role string
	sourceKey, replicaKey     string
	version, marker           string
}

func (w *motoWorld) access() awscloud.Access {
	return awscloud.Access{Base: w.in, Direct: map[string]aws.Config{w.a: w.in, w.b: w.out}}
}

func newMoto(t *testing.T) *motoWorld {
	t.Helper()
	m := mototest.Start(t)
	owners := make(map[string]string)
	address := strict(t, m, owners)
	w := &motoWorld{address: address, a: m.Account(), b: m.Account(), source: m.Name(t, "source"), destination: m.Name(t, "destination")}
	owners[w.source], owners[w.destination] = w.a, w.b
	w.in, w.out = m.ConfigAt(t, address, w.a, sourceRegion), m.ConfigAt(t, address, w.b, destinationRegion)
	w.sourceKey, w.replicaKey = makeKey(t, w.in, "source", w.a), makeKey(t, w.out, "replica", w.a)
	w.role = makeRole(t, w.in, w.a)

	src, dst := client(w.in), client(w.out)
	for name, c := range map[string]*s3.Client{w.source: src, w.destination: dst} {
		must(c.CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: &name, CreateBucketConfiguration: &s3types.CreateBucketConfiguration{
			LocationConstraint: s3types.BucketLocationConstraint(c.Options().Region),
		}}))(t)
		must(c.PutBucketVersioning(t.Context(), &s3.PutBucketVersioningInput{Bucket: &name, VersioningConfiguration: &s3types.VersioningConfiguration{Status: "Enabled"}}))(t)
	}
	must(src.PutBucketEncryption(t.Context(), encryption(w.source, "alias/source")))(t)
	must(dst.PutBucketEncryption(t.Context(), encryption(w.destination, "")))(t)
	must(src.PutBucketTagging(t.Context(), &s3.PutBucketTaggingInput{Bucket: &w.source, Tagging: &s3types.Tagging{TagSet: []s3types.Tag{{Key: aws.String("team"), Value: aws.String("a & b")}}}}))(t)
	must(src.PutBucketOwnershipControls(t.Context(), &s3.PutBucketOwnershipControlsInput{Bucket: &w.source, OwnershipControls: &s3types.OwnershipControls{
		Rules: []s3types.OwnershipControlsRule{{ObjectOwnership: s3types.ObjectOwnershipBucketOwnerEnforced}},
	}}))(t)
	must(dst.PutPublicAccessBlock(t.Context(), &s3.PutPublicAccessBlockInput{Bucket: &w.destination, PublicAccessBlockConfiguration: &s3types.PublicAccessBlockConfiguration{
		BlockPublicAcls: aws.Bool(true), BlockPublicPolicy: aws.Bool(false), IgnorePublicAcls: aws.Bool(true), RestrictPublicBuckets: aws.Bool(false),
	}}))(t)
	must(dst.PutBucketPolicy(t.Context(), &s3.PutBucketPolicyInput{Bucket: &w.destination, Policy: aws.String(
		`{"Version":"2012-10-17","Statement":[{"Sid":"in","Effect":"Allow","Principal":{"AWS":"` + w.role + `"},"Action":["s3:ReplicateObject","s3:ReplicateDelete"],"Resource":"arn:aws:s3:::` + w.destination + `/*"}]}`,
	)}))(t)
	must(src.PutBucketReplication(t.Context(), &s3.PutBucketReplicationInput{Bucket: &w.source, ReplicationConfiguration: w.replication()}))(t)
	put, err := src.PutObject(t.Context(), &s3.PutObjectInput{
		Bucket: &w.source, Key: aws.String("reports/1 ü.txt"), Body: strings.NewReader("hello"), Tagging: aws.String("t=1"),
		ServerSideEncryption: s3types.ServerSideEncryptionAwsKms, SSEKMSKeyId: &w.sourceKey,
	})
	must(put, err)(t)
	must(src.PutObject(t.Context(), &s3.PutObjectInput{Bucket: &w.source, Key: aws.String("gone")}))(t)
	deleted, err := src.DeleteObject(t.Context(), &s3.DeleteObjectInput{Bucket: &w.source, Key: aws.String("gone")})
	must(deleted, err)(t)
	w.version, w.marker = aws.ToString(put.VersionId), aws.ToString(deleted.VersionId)
	return w
}

// strict is the address of a moto that knows who owns buckets, and who pays for requests. Names of buckets and their owners are put
// into the map before the first call about them.
func strict(t *testing.T, m *mototest.Server, owners map[string]string) string {
	return m.Proxy(t, func(w http.ResponseWriter, r *http.Request) bool {
		bucket, _, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
		expected := r.Header.Get("X-Amz-Expected-Bucket-Owner")
		switch {
		case expected != "" && owners[bucket] != expected:
			w.WriteHeader(http.StatusForbidden)
			_, _ = w.Write([]byte("<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>"))
		case r.URL.Query().Has("requestPayment"):
			_, _ = w.Write([]byte("<RequestPaymentConfiguration><Payer>BucketOwner</Payer></RequestPaymentConfiguration>"))
		default:
			return false
		}
		return true
	})
}

// replication has every form of a rule.
func (w *motoWorld) replication() *s3types.ReplicationConfiguration {
	tag := s3types.Tag{Key: aws.String("class"), Value: aws.String("x")}
	rule := func(n int32, filter *s3types.ReplicationRuleFilter) s3types.ReplicationRule {
		return s3types.ReplicationRule{
			ID: aws.String("r" + string(rune('0'+n))), Priority: &n, Status: s3types.ReplicationRuleStatusEnabled, Filter: filter,
			DeleteMarkerReplication: &s3types.DeleteMarkerReplication{Status: s3types.DeleteMarkerReplicationStatusDisabled},
			Destination:             &s3types.Destination{Bucket: aws.String("arn:aws:s3:::" + w.destination), Account: &w.b},
		}
	}
	full := rule(1, &s3types.ReplicationRuleFilter{And: &s3types.ReplicationRuleAndOperator{Prefix: aws.String("reports/"), Tags: []s3types.Tag{tag, {Key: aws.String("b"), Value: aws.String("")}}}})
	full.ExistingObjectReplication = &s3types.ExistingObjectReplication{Status: s3types.ExistingObjectReplicationStatusEnabled}
	full.SourceSelectionCriteria = &s3types.SourceSelectionCriteria{
		SseKmsEncryptedObjects: &s3types.SseKmsEncryptedObjects{Status: s3types.SseKmsEncryptedObjectsStatusEnabled},
		ReplicaModifications:   &s3types.ReplicaModifications{Status: s3types.ReplicaModificationsStatusEnabled},
	}
	full.Destination.StorageClass = s3types.StorageClassStandardIa
	full.Destination.AccessControlTranslation = &s3types.AccessControlTranslation{Owner: s3types.OwnerOverrideDestination}
	full.Destination.EncryptionConfiguration = &s3types.EncryptionConfiguration{ReplicaKmsKeyID: &w.replicaKey}
	full.Destination.ReplicationTime = &s3types.ReplicationTime{Status: s3types.ReplicationTimeStatusEnabled, Time: &s3types.ReplicationTimeValue{Minutes: aws.Int32(15)}}
	full.Destination.Metrics = &s3types.Metrics{Status: s3types.MetricsStatusEnabled, EventThreshold: &s3types.ReplicationTimeValue{Minutes: aws.Int32(15)}}
	disabled := rule(4, &s3types.ReplicationRuleFilter{Prefix: aws.String("")})
	disabled.Status = s3types.ReplicationRuleStatusDisabled
	return &s3types.ReplicationConfiguration{Role: &w.role, Rules: []s3types.ReplicationRule{
		full, rule(2, &s3types.ReplicationRuleFilter{Prefix: aws.String("logs/")}), rule(3, &s3types.ReplicationRuleFilter{Tag: &tag}), disabled,
	}}
}

func encryption(bucket, key string) *s3.PutBucketEncryptionInput {
	by := &s3types.ServerSideEncryptionByDefault{SSEAlgorithm: s3types.ServerSideEncryptionAwsKms}
	if key != "" {
		by.KMSMasterKeyID = &key
	}
	return &s3.PutBucketEncryptionInput{Bucket: &bucket, ServerSideEncryptionConfiguration: &s3types.ServerSideEncryptionConfiguration{
		Rules: []s3types.ServerSideEncryptionRule{{ApplyServerSideEncryptionByDefault: by, BucketKeyEnabled: aws.Bool(true)}},
	}}
}

// makeKey makes a key with an alias, a tag and a grant.
func makeKey(t *testing.T, cfg aws.Config, alias, grantee string) string {
	t.Helper()
	c := kms.NewFromConfig(cfg)
	key, err := c.CreateKey(t.Context(), &kms.CreateKeyInput{Policy: aws.String(anyKeyPolicy), Tags: []kmstypes.Tag{{TagKey: aws.String("k"), TagValue: aws.String("v")}}})
	must(key, err)(t)
	must(c.CreateAlias(t.Context(), &kms.CreateAliasInput{AliasName: aws.String("alias/" + alias), TargetKeyId: key.KeyMetadata.KeyId}))(t)
	must(c.CreateGrant(t.Context(), &kms.CreateGrantInput{
		KeyId: key.KeyMetadata.Arn, GranteePrincipal: aws.String("arn:aws:iam::" + grantee + ":role/x"), Operations: []kmstypes.GrantOperation{"Decrypt"},
		Constraints: &kmstypes.GrantConstraints{EncryptionContextSubset: map[string]string{"k": "v"}},
	}))(t)
	return aws.ToString(key.KeyMetadata.Arn)
}

const anyKeyPolicy = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"*"},"Action":"kms:*","Resource":"*"}]}`

// makeRole makes a role with a path, an inline policy, an attached policy in its second version, and a boundary.
func makeRole(t *testing.T, cfg aws.Config, account string) string {
	t.Helper()
	c := iam.NewFromConfig(cfg)
	attached, err := c.CreatePolicy(t.Context(), &iam.CreatePolicyInput{PolicyName: aws.String("attached"), PolicyDocument: aws.String(anyPolicy)})
	must(attached, err)(t)
	must(c.CreatePolicyVersion(t.Context(), &iam.CreatePolicyVersionInput{
		PolicyArn: attached.Policy.Arn, SetAsDefault: true, PolicyDocument: aws.String(strings.Replace(anyPolicy, "s3:*", "s3:Get*", 1)),
	}))(t)
	boundary, err := c.CreatePolicy(t.Context(), &iam.CreatePolicyInput{PolicyName: aws.String("boundary"), PolicyDocument: aws.String(anyPolicy)})
	must(boundary, err)(t)
	name := aws.String("replication")
	role, err := c.CreateRole(t.Context(), &iam.CreateRoleInput{
		RoleName: name, Path: aws.String("/app/"), PermissionsBoundary: boundary.Policy.Arn, Tags: []iamtypes.Tag{{Key: aws.String("k"), Value: aws.String("v")}},
		AssumeRolePolicyDocument: aws.String(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"s3.amazonaws.com"},"Action":"sts:AssumeRole"}]}`),
	})
	must(role, err)(t)
	must(c.PutRolePolicy(t.Context(), &iam.PutRolePolicyInput{RoleName: name, PolicyName: aws.String("own"), PolicyDocument: aws.String(strings.Replace(anyPolicy, `"*"`, `"arn:aws:s3:::a+b %25/*"`, 1))}))(t)
	must(c.AttachRolePolicy(t.Context(), &iam.AttachRolePolicyInput{RoleName: name, PolicyArn: attached.Policy.Arn}))(t)
	return aws.ToString(role.Role.Arn)
}

func client(cfg aws.Config) *s3.Client {
	return s3.NewFromConfig(cfg, func(o *s3.Options) { o.UsePathStyle = true })
}

// must fails the test when a call did.
func must[T any](_ T, err error) func(*testing.T) {
	return func(t *testing.T) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
}

// TestTheSameAnswersReadByAnotherClient: what moto does not keep, such as blocked encryption types and rules of the first version,
// and words that are empty or not there.
func TestTheSameAnswersReadByAnotherClient(t *testing.T) {
	t.Parallel()
	for name, documents := range map[string]map[string]string{
		"first version of the rules": {
			"replication": `<ReplicationConfiguration><Role>arn:aws:iam::111122223333:role/replication/r0</Role><Rule><ID>old</ID><Prefix></Prefix><Status>Enabled</Status>
				<Destination><Bucket>arn:aws:s3:::source-0</Bucket><StorageClass>GLACIER</StorageClass></Destination></Rule></ReplicationConfiguration>`,
		},
		"empty filter, tag without value": {
			"replication": `<ReplicationConfiguration><Role>arn:aws:iam::111122223333:role/replication/r0</Role>
				<Rule><Priority>0</Priority><Filter></Filter><Status>Disabled</Status><Destination><Bucket>arn:aws:s3:::source-0</Bucket></Destination></Rule>
				<Rule><Priority>7</Priority><Filter><And><Prefix>a&amp;b</Prefix><Tag><Key>k</Key><Value></Value></Tag></And></Filter><Status>Enabled</Status>
				<DeleteMarkerReplication></DeleteMarkerReplication><Destination><Bucket>arn:aws:s3:::source-0</Bucket><Metrics><Status>Disabled</Status></Metrics></Destination></Rule>
				</ReplicationConfiguration>`,
		},
		"blocked encryption types": {
			"encryption": `<ServerSideEncryptionConfiguration><Rule><ApplyServerSideEncryptionByDefault><SSEAlgorithm>AES256</SSEAlgorithm></ApplyServerSideEncryptionByDefault>
				<BucketKeyEnabled>false</BucketKeyEnabled><BlockedEncryptionTypes><EncryptionType>SSE-C</EncryptionType></BlockedEncryptionTypes></Rule></ServerSideEncryptionConfiguration>`,
		},
		"notifications": {
			"notification": `<NotificationConfiguration><QueueConfiguration><Id>q</Id><Queue>arn:aws:sqs:eu-west-1:111122223333:q</Queue><Event>s3:Replication:OperationFailedReplication</Event><Event>s3:ObjectCreated:*</Event>
				<Filter><S3Key><FilterRule><Name>Prefix</Name><Value>a/</Value></FilterRule><FilterRule><Name>suffix</Name><Value></Value></FilterRule></S3Key></Filter></QueueConfiguration>
				<TopicConfiguration><Id>t</Id><Topic>arn:aws:sns:eu-west-1:111122223333:t</Topic><Event>s3:Replication:*</Event></TopicConfiguration>
				<CloudFunctionConfiguration><Id>f</Id><CloudFunction>arn:aws:lambda:eu-west-1:111122223333:function:f</CloudFunction><Event>s3:ObjectRemoved:*</Event></CloudFunctionConfiguration>
				<EventBridgeConfiguration></EventBridgeConfiguration></NotificationConfiguration>`,
		},
		"the rest": {
			"versioning":        `<VersioningConfiguration></VersioningConfiguration>`,
			"publicAccessBlock": `<PublicAccessBlockConfiguration><BlockPublicAcls>true</BlockPublicAcls><RestrictPublicBuckets>false</RestrictPublicBuckets></PublicAccessBlockConfiguration>`,
			"object-lock":       `<ObjectLockConfiguration><ObjectLockEnabled>Enabled</ObjectLockEnabled><Rule><DefaultRetention><Mode>GOVERNANCE</Mode><Days>1</Days></DefaultRetention></Rule></ObjectLockConfiguration>`,
			"requestPayment":    `<RequestPaymentConfiguration><Payer>Requester</Payer></RequestPaymentConfiguration>`,
			"tagging":           `<Tagging><TagSet><Tag><Key>a</Key><Value></Value></Tag></TagSet></Tagging>`,
			"ownershipControls": `<OwnershipControls><Rule><ObjectOwnership>ObjectWriter</ObjectOwnership></Rule></OwnershipControls>`,
			"policy":            anyPolicy,
		},
		"nothing": {},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, _ := network(1, 1, 2)
			c.wait, c.lax = 0, true
			c.buckets = map[string]cloudBucket{"source-0": {sourceAccount, sourceRegion, documents}}
			server := httptest.NewServer(c)
			defer server.Close()
			s, err := awscloud.NewReader(awscloud.NewAccounts(c.access(both)), awscloud.ReadOptions{}).Snapshot(t.Context(), "source-0", nil)
			if err != nil {
				t.Fatal(err)
			}
			checkSnapshot(t, s)
			same(t, taken(t, server.URL, "source-0", sourceAccount, sourceAccount), s)
		})
	}
}
