package route

import (
	"fmt"
	"strings"

	"github.com/replimend/replimend/internal/authz"
	"github.com/replimend/replimend/internal/policy"
	"github.com/replimend/replimend/internal/snapshot"
)

// The pages that say what S3 asks of who reads and writes objects.
const (
	pageOperations = "https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-with-s3-policy-actions.html"
	pageSSEKMS     = "https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingKMSEncryption.html"
	pageMultipart  = "https://repost.aws/knowledge-center/s3-large-file-encryption-kms-key"
)

// Operation is what a principal does with objects.
type Operation string

// The operations.
const (
	Get Operation = "get" // GetObject of the current version
	Put Operation = "put" // PutObject without encryption headers, and multipart uploads
)

// ParseOperation reads an operation.
func ParseOperation(s string) (Operation, error) {
	if o := Operation(s); o == Get || o == Put {
		return o, nil
	}
	return "", fmt.Errorf("unknown operation %.40q: want get or put", s)
}

// Access is one principal that reads or writes the objects of one bucket.
type Access struct {
	Principal policy.ARN // the role or user; of a session, its role
	Noun      string     // role or user
	Session   string     // the name of the role's session, "" when it is not known
	Bucket    string
	Operation Operation
	Key       string // the one object, "" for any
	Partition string
	Account   string // the bucket's, "" when it is not in the snapshot
	Region    string // the bucket's, likewise
}

// NewAccess reads what people give of an access and completes it from the snapshot. The principal is the ARN of a role, a user
// or an assumed-role session; root, federated and service principals have no policies that could be mended and are refused.
func NewAccess(s *snapshot.Snapshot, principal, bucket string, operation Operation, key string) (Access, error) {
	a := Access{Bucket: bucket, Operation: operation, Key: key}
	if bucket == "" || strings.ContainsAny(bucket, ":/*") {
		return a, fmt.Errorf("invalid bucket %.80q: want its name", bucket)
	}
	p, err := authz.ParsePrincipal(principal)
	if err != nil || strings.ContainsAny(principal, "*?") || !policy.IsAccountID(p.Account) {
		return a, fmt.Errorf("invalid principal %.120q: want the ARN of a role, a user or a session of a role", principal)
	}
	a.Partition = p.ARN.Partition
	switch p.Kind {
	case authz.User:
		a.Principal, a.Noun = p.ARN, "user"
	case authz.Role:
		a.Principal, a.Noun = p.ARN, "role"
	case authz.Session:
		_, a.Session, _ = strings.Cut(strings.TrimPrefix(p.ARN.Resource, "assumed-role/"), "/")
		a.Principal, a.Noun = withPath(s, p.Issuer), "role"
	default:
		return a, fmt.Errorf("invalid principal %.120q: want a role, a user or a session of a role: only their policies say what they may do", principal)
	}
	b := s.Buckets[bucket].V
	a.Account, a.Region = b.Account, b.Region
	return a, nil
}

// withPath is the role of the snapshot that has that name: the ARN of a session does not say under which path its role stands,
// and no account has two roles of one name.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
func withPath(s *snapshot.Snapshot, role policy.ARN) policy.ARN {
	for arn, v := range s.Roles {
		if v.State == snapshot.Present && arn.Account == role.Account && arn.Name() == role.Name() {
			return arn
		}
	}
	return role
}

// CrossAccount says whether the bucket is known to belong to another account than the principal.
func (a Access) CrossAccount() bool { return a.Account != "" && a.Account != a.Principal.Account }

// Known is whether the snapshot has the principal.
func (a Access) Known(s *snapshot.Snapshot) snapshot.State {
	if a.Noun == "user" {
		return s.Users[a.Principal].State
	}
	return s.Roles[a.Principal].State
}

// DefaultKeyText is the key of the bucket's default encryption as it is configured, "" when that uses no KMS key.
func (a Access) DefaultKeyText(s *snapshot.Snapshot) string { return a.defaultPopulation(s).KeyText }

// NamesKey says whether a key is named so that every account means the same one by it. A key id or an alias means a key of
// whoever asks.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_ServerSideEncryptionByDefault.html
func NamesKey(text string) bool { return strings.HasPrefix(text, "arn:") }

// Populations is the kinds of objects that the diagnosis of an access stands for: what is read is as the snapshot's samples
// of the bucket are, what is written takes the bucket's default encryption. There are none of a bucket whose owner is not known:
// nobody can say which policies decide.
func (a Access) Populations(s *snapshot.Snapshot) []Population {
	var out []Population
	for i := range s.Objects {
		if o := &s.Objects[i]; a.Account != "" && a.Reads(o) && !o.DeleteMarker {
			out = join(out, a.ofSample(s, o))
		}
	}
	if len(out) == 0 && a.Account != "" {
		out = append(out, a.defaultPopulation(s))
	}
	return out
}

// Reads says whether a sample is one of the objects that the access reads.
func (a Access) Reads(o *snapshot.Object) bool {
	return a.Operation == Get && o.Bucket == a.Bucket && (a.Key == "" || o.Key == a.Key)
}

// OwnedElsewhere says whether S3 decides on a sample by the ACL of another account than the bucket's.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-auth-workflow-object-operation.html
func (a Access) OwnedElsewhere(s *snapshot.Snapshot, o *snapshot.Object) bool {
	return o.Owner != "" && a.Account != "" && o.Owner != a.Account && s.Buckets[a.Bucket].V.Ownership.V != "BucketOwnerEnforced"
}

func (a Access) ofSample(s *snapshot.Snapshot, o *snapshot.Object) Population {
	p := Population{
		Encryption: o.Encryption.V, EncryptionKnown: o.Encryption.State != snapshot.Missing, KeyText: o.KMSKeyID,
		BucketKey: o.BucketKey && o.Encryption.V == SSEKMS, ObjectKey: o.Key,
	}
	if a.OwnedElsewhere(s, o) {
		p.Owner = o.Owner
	}
	if p.KMS() {
		p.Key = ResolveKey(s, o.KMSKeyID, a.Partition, a.Account, a.Region)
	}
	p.Text = describe(p) + ", as the sample objects are"
	return p
}

// join adds a kind of objects that is not there yet.
func join(all []Population, p Population) []Population {
	for _, q := range all {
		q.ObjectKey, q.Text = p.ObjectKey, p.Text
		if p == q {
			return all
		}
	}
	return append(all, p)
}

func (a Access) defaultPopulation(s *snapshot.Snapshot) Population {
	p := Population{ObjectKey: a.Key, Encryption: SSES3, EncryptionKnown: true} // every upload since January 2023 is encrypted at least so
	if p.ObjectKey == "" {
		p.ObjectKey = anyObject
	}
	encryption := s.Buckets[a.Bucket].V.Encryption
	if encryption.State == snapshot.Missing {
		p.EncryptionKnown = false
		p.Text = "objects whose encryption is not known"
		return p
	}
	for _, rule := range encryption.V.Rules {
		if d := rule.ApplyServerSideEncryptionByDefault; d != nil {
			p.Encryption, p.KeyText = d.SSEAlgorithm, d.KMSMasterKeyID
		}
		p.BucketKey = rule.BucketKeyEnabled
	}
	p.BucketKey = p.BucketKey && p.Encryption == SSEKMS
	if p.KMS() {
		if p.KeyText == "" {
			p.KeyText = "alias/aws/s3"
		}
		// What the owner's account means by an id or alias, another account need not mean.
		if a.Operation == Get || !a.CrossAccount() || NamesKey(p.KeyText) {
			p.Key = ResolveKey(s, p.KeyText, a.Partition, a.Account, a.Region)
		}
	}
	p.Text = describe(p) + ", the bucket's default"
	return p
}

// AccessRequirements is every request that S3 authorises for the principal and the objects of a population.
func AccessRequirements(w *World, a Access, p Population) []Requirement {
	r := accessAsker{asker: asker{w: w, p: p}, of: a}
	r.newSession()
	object := policy.ObjectARN(a.Partition, a.Bucket, p.ObjectKey)
	if a.Operation == Get {
		r.s3(GetObject, "s3:GetObject", object)
		if p.KMS() {
			r.kms(DecryptObject, "kms:Decrypt", Required, pageSSEKMS)
		}
		return r.out
	}
	r.s3(PutObject, "s3:PutObject", object)
	if p.KMS() {
		r.kms(EncryptObject, "kms:GenerateDataKey", Required, pageSSEKMS)
		// S3 reads the parts of a multipart upload to put them together. Clients upload in parts as they see fit.
		r.kms(EncryptObject, "kms:Decrypt", Conditional, pageMultipart)
	}
	return r.out
}

// accessAsker collects the requirements of one population of an access.
type accessAsker struct {
	asker
	of Access
}

// newSession is what every request of the principal carries. Where it comes from, whether with MFA, and under which session
// name is not known, so that a condition on these makes a decision unknown instead of wrong. It comes over TLS: S3 takes
// nothing else for objects under KMS, and no SDK sends anything else of itself.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
func (r *accessAsker) newSession() {
	a := r.of
	c := authz.Over(&direct)
	c.Set("aws:PrincipalArn", a.Principal.String())
	c.Set("aws:PrincipalAccount", a.Principal.Account)
	c.Set("aws:PrincipalIsAWSService", "false")
	c.Set("aws:SecureTransport", "true")
	var known snapshot.Value[map[string]string]
	if a.Noun == "user" {
		user := r.w.Snapshot.Users[a.Principal].V
		r.principal = authz.Principal{Kind: authz.User, ARN: a.Principal, Account: a.Principal.Account, UniqueID: user.UniqueID}
		c.Set("aws:PrincipalType", "User")
		c.Set("aws:username", a.Principal.Name())
		if user.UniqueID != "" {
			c.Set("aws:userid", user.UniqueID)
		}
		known = user.Tags
	} else {
		role := r.w.Snapshot.Roles[a.Principal].V
		r.principal = authz.Principal{Kind: authz.Role, ARN: a.Principal, Issuer: a.Principal, Account: a.Principal.Account, UniqueID: role.UniqueID}
		c.Set("aws:PrincipalType", "AssumedRole")
		c.SetAbsent("aws:username")
		if a.Session != "" {
			r.principal = authz.SessionOf(a.Principal, a.Session, role.UniqueID)
		}
		if a.Session != "" && role.UniqueID != "" {
			c.Set("aws:userid", role.UniqueID+":"+a.Session)
		}
		known = role.Tags
	}
	r.organization(&c, "aws:PrincipalOrgID", a.Principal.Account)
	r.principalTags(&c, known)
	r.time(&c)
	r.session = &c
}

// principalTags sets the tags of a user; a session of a role may bring more tags than its role has, and other values.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/id_session-tags.html
func (r *accessAsker) principalTags(c *authz.Context, v snapshot.Value[map[string]string]) {
	const prefix = "aws:PrincipalTag/"
	if r.of.Noun == "user" {
		tags(c, prefix, v)
		return
	}
	for k, value := range v.V {
		c.Set(prefix+k, value)
	}
}

// direct is what no request of a principal's own carries, made to the bucket itself and not through an access point.
var direct = func() (c authz.Context) {
	c.Open = true
	c.Close("aws:PrincipalServiceName", "aws:PrincipalServiceNamesList", "aws:SourceAccount", "aws:SourceArn", "aws:SourceOrg",
		"s3:DataAccessPointArn", "s3:DataAccessPointAccount", "s3:AccessPointNetworkOrigin", "kms:GrantIsForAWSResource")
	return c
}()

// s3 is the request to S3. What is written comes without headers about encryption: the policy sees the request before the
// bucket's default is applied. Other headers are the client's to choose.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucket-encryption.html
func (r *accessAsker) s3(hop Hop, action string, object policy.ARN) {
	account := r.of.Account
	if r.p.Owner == r.of.Principal.Account && r.p.Owner != "" {
		account = r.p.Owner // its own account's policies decide, the bucket's owner can only deny
	}
	q := r.request(action, object, account, r.of.Region)
	c := &q.Context
	if r.of.Account != "" {
		c.Set("aws:ResourceAccount", r.of.Account)
		c.Set("s3:ResourceAccount", r.of.Account)
	}
	c.Set("aws:ViaAWSService", "false")
	if r.of.Operation == Put {
		c.SetAbsent("s3:x-amz-server-side-encryption", "s3:x-amz-server-side-encryption-aws-kms-key-id", "s3:x-amz-server-side-encryption-customer-algorithm")
	}
	r.add(hop, q, snapshot.Ref{Kind: snapshot.BucketPolicy, ID: r.of.Bucket}, Required, pageOperations)
}

// kms is the request that S3 makes to KMS for the principal.
func (r *accessAsker) kms(hop Hop, action string, need Need, source string) {
	key := r.p.Key
	if key.IsZero() {
		return // a finding of its own says that the key is not known
	}
	region := r.of.Region
	if region == "" {
		region = key.Region // the bucket is not in the snapshot; S3 uses a key of its own Region only
	}
	context := policy.ObjectARN(r.of.Partition, r.of.Bucket, r.p.ObjectKey)
	if r.p.BucketKey {
		context = policy.BucketARN(r.of.Partition, r.of.Bucket)
	}
	q := r.request(action, key, key.Account, region)
	c := &q.Context
	c.Set("aws:ViaAWSService", "true")
	c.Set("kms:ViaService", "s3."+region+"."+dnsSuffix(r.of.Partition))
	c.Set("kms:CallerAccount", r.of.Principal.Account)
	c.Set("kms:EncryptionContext:aws:s3:arn", context.String())
	c.Set("kms:EncryptionContextKeys", "aws:s3:arn")
	if k, ok := r.w.Snapshot.Keys[key].Get(); ok {
		if aliases, ok := k.Aliases.Get(); ok {
			c.Set("kms:ResourceAliases", aliases...)
		}
		tags(c, "aws:ResourceTag/", k.Tags)
	}
	r.add(hop, q, snapshot.Ref{Kind: snapshot.KeyPolicy, ID: key.String()}, need, source)
}

func (r *accessAsker) add(hop Hop, q authz.Request, ref snapshot.Ref, need Need, source string) {
	kind := snapshot.RolePolicy
	if r.of.Noun == "user" {
		kind = snapshot.UserPolicy
	}
	one := Requirement{
		Hop: hop, Request: q, Need: need, Evidence: Documented, Source: source,
		Identity: snapshot.Ref{Kind: kind, ID: r.of.Principal.String()}, Resource: ref,
	}
	one.Layers = r.w.Layers(&one)
	r.out = append(r.out, one)
}
