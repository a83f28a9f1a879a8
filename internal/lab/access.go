package lab

import (
	"maps"
	"slices"
	"strings"

	"github.com/replimend/replimend/internal/authz"
	"github.com/replimend/replimend/internal/policy"
	"github.com/replimend/replimend/internal/snapshot"
)

// The pages that say what S3 asks of who reads and writes.
const (
	pageObjects   = "https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-auth-workflow-object-operation.html"
	pageUseKMS    = "https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingKMSEncryption.html"
	pageInParts   = "https://repost.aws/knowledge-center/s3-large-file-encryption-kms-key"
	pageArchived  = "https://docs.aws.amazon.com/AmazonS3/latest/userguide/restoring-objects.html"
	pageRequester = "https://docs.aws.amazon.com/AmazonS3/latest/userguide/RequesterPaysBuckets.html"
)

// userAddress is where requests of principals come from: somewhere on the Internet.
const userAddress = "203.0.113.10"

// Get is GetObject of the latest version by a role, a user or a session of a role, with the header that lets the requester pay.
// Refusals are of type *Error, with the page that says so in their message.
func (c *Cloud) Get(principal, bucketName, key string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	b := c.buckets[bucketName]
	if b == nil {
		return noSuchBucket(bucketName)
	}
	v := b.find(key, "")
	if v == nil || v.DeleteMarker {
		return noSuchVersion(bucketName, key, "")
	}
	by, err := c.calling(principal, b, v)
	if err != nil {
		return err
	}
	if !by.mayRead() {
		return refuse("AccessDenied", "%s may not read %s/%s: %s", principal, bucketName, key, pageObjects)
	}
	if v.StorageClass == "GLACIER" || v.StorageClass == "DEEP_ARCHIVE" {
		return refuse("InvalidObjectState", "%s/%s is archived: %s", bucketName, key, pageArchived)
	}
	if v.Encryption.V == sseC {
		return refuse("InvalidRequest", "%s/%s needs the key of the customer", bucketName, key)
	}
	if kmsEncrypted(v.Encryption.V) {
		arn, k := by.sourceKey()
		return by.useKey("kms:Decrypt", arn, k)
	}
	return nil
}

// PutAs is PutObject by a principal as in Get, without headers about encryption or ACL; inParts makes it a multipart upload.
func (c *Cloud) PutAs(principal, bucketName, key string, inParts bool) (snapshot.Object, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	b := c.buckets[bucketName]
	if b == nil {
		return snapshot.Object{}, noSuchBucket(bucketName)
	}
	v := &version{
		Object:    snapshot.Object{Bucket: bucketName, Key: key, StorageClass: "STANDARD", Tags: listed(snapshot.None[map[string]string]())},
		requested: c.now(), etag: c.identifier(hexadecimal, 32),
	}
	by, err := c.calling(principal, b, v)
	if err != nil {
		return snapshot.Object{}, err
	}
	v.Owner = by.account()
	if !by.allowed(by.onObject("s3:PutObject")) {
		return snapshot.Object{}, refuse("AccessDenied", "%s may not write to %s", principal, bucketName)
	}
	if err := own(b, v); err != nil {
		return snapshot.Object{}, err
	}
	// The key is looked up for the requester, whoever owns the version in the end.
	if err := c.encrypt(b, v, PutOptions{Owner: by.account()}, v.requested); err != nil {
		return snapshot.Object{}, err
	}
	if kmsEncrypted(v.Encryption.V) {
		actions := []string{"kms:GenerateDataKey"}
		if inParts {
			actions = append(actions, "kms:Decrypt") // pageInParts
		}
		arn, k := by.sourceKey()
		for _, action := range actions {
			if err := by.useKey(action, arn, k); err != nil {
				return snapshot.Object{}, err
			}
		}
	}
	return c.write(b, v), nil
}

// caller is a principal at work on one version. What S3 asks for it differs from a replication in the session and in where the
// request comes from.
type caller struct {
	*attempt
	user bool
}

// calling finds the principal. A user is taken for a role with the policies of the user and of its groups.
func (c *Cloud) calling(principal string, b *bucket, v *version) (*caller, error) {
	p, err := authz.ParsePrincipal(principal)
	if err != nil {
		return nil, refuse("InvalidRequest", "%s", err)
	}
	a := &attempt{cloud: c, now: c.now(), source: b, version: v}
	switch p.Kind {
	case authz.User:
		user := c.users[p.ARN]
		if user == nil {
			return nil, refuse("InvalidAccessKeyId", "%s does not exist", principal)
		}
		p.UniqueID = user.UniqueID
		a.roleARN, a.session, a.role = p.ARN, p, asRole(user)
	case authz.Role, authz.Session:
		name := "session"
		if p.Kind == authz.Session {
			_, name, _ = strings.Cut(strings.TrimPrefix(p.ARN.Resource, "assumed-role/"), "/")
		}
		for arn, role := range c.roles {
			if role != nil && arn.Account == p.Account && (arn == p.Issuer || p.Kind == authz.Session && arn.Name() == p.Issuer.Name()) {
				a.roleARN, a.role, a.session = arn, role, authz.SessionOf(arn, name, role.UniqueID)
			}
		}
		if a.role == nil {
			return nil, refuse("InvalidClientTokenId", "%s does not exist", principal)
		}
	default:
		return nil, refuse("InvalidRequest", "%s is no role and no user", principal)
	}
	by := &caller{attempt: a, user: p.Kind == authz.User}
	if b.RequestPayer.V == "Requester" && by.account() != b.Account && !c.options.Requester {
		return nil, refuse("AccessDenied", "%s wants the requester to pay: %s", b.name, pageRequester)
	}
	return by, nil
}

func asRole(u *snapshot.User) *snapshot.Role {
	out := &snapshot.Role{UniqueID: u.UniqueID, Boundary: u.Boundary, Tags: u.Tags}
	inline, attached := maps.Clone(u.Inline.V), maps.Clone(u.Attached.V)
	for _, name := range slices.Sorted(maps.Keys(u.Groups.V)) {
		g := u.Groups.V[name]
		for n, d := range g.Inline.V {
			inline["group/"+name+"/"+n] = d
		}
		for n, d := range g.Attached.V {
			attached["group/"+name+"/"+n] = d
		}
	}
	out.Inline, out.Attached = snapshot.Of(inline), snapshot.Of(attached)
	return out
}

func (by *caller) account() string { return by.roleARN.Account }

// as completes the context of a request: its maker is somebody outside, and not S3.
func (by *caller) as(q *question) *question {
	ctx := &q.request.Context
	ctx.Set("aws:SourceIp", userAddress)
	if by.user {
		ctx.Set("aws:PrincipalType", "User")
		ctx.Set("aws:username", by.roleARN.Name())
		ctx.Set("aws:userid", by.role.UniqueID)
		ctx.SetAbsent("aws:MultiFactorAuthPresent", "aws:TokenIssueTime")
		return q
	}
	ctx.Set("aws:userid", by.role.UniqueID+":"+by.session.ARN.Name())
	return q
}

func (by *caller) onObject(action string) *question {
	return by.as(by.onBucket(action, by.source, policy.ObjectARN(by.source.partition(), by.source.name, by.version.Key)))
}

// mayRead asks the policies, and of an object of another owner its ACL: canned ACLs are all that the lab has. There the bucket's
// owner can deny but not allow, and the owner of the object allows by the ACL, or its own principals by their policies.
func (by *caller) mayRead() bool {
	v, b := by.version, by.source
	q := by.onObject("s3:GetObject")
	setTags(&q.request.Context, "s3:ExistingObjectTag/", v.Tags.V)
	if b.enforcesOwner() || v.Owner == b.Account {
		return by.allowed(q)
	}
	if by.decide(q) == authz.ExplicitDeny {
		return false
	}
	toBucketOwner := v.acl == "bucket-owner-full-control" || v.acl == "bucket-owner-read"
	if by.account() != v.Owner && (by.account() != b.Account || !toBucketOwner) {
		return false
	}
	q.request.ResourceAccount, q.layers.Resource = by.account(), nil
	return by.allowed(q)
}

// useKey is S3 using the key for the caller.
func (by *caller) useKey(action string, arn policy.ARN, key *snapshot.Key) error {
	switch {
	case key == nil:
		return refuse("KMS.NotFoundException", "the key %s does not exist", by.version.KMSKeyID)
	case arn.Region != by.source.Region:
		return refuse("IllegalLocationConstraintException", "the key %s is not of Region %s: %s", arn, by.source.Region, pageUseKMS)
	case !by.allowed(by.as(by.onKey(action, arn, key, by.source, by.version.BucketKey))):
		return refuse("AccessDenied", "%s on %s is not allowed: %s", action, arn, pageUseKMS)
	case !usable(key):
		return refuse("KMS.DisabledException", "%s is not usable", arn)
	}
	return nil
}
