package lab

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"time"

	"github.com/replimend/replimend/internal/jsontree"
	"github.com/replimend/replimend/internal/policy"
	"github.com/replimend/replimend/internal/snapshot"
)

// bucket is a bucket with its object versions, the oldest first.
type bucket struct {
	snapshot.Bucket
	name     string
	versions []*version
}

// version is an object version or a delete marker.
type version struct {
	snapshot.Object
	requested time.Time // when the request that wrote it came in
	etag      string
	acl       string // the canned ACL, "" for private
	retention bool
	legalHold bool
}

// shown is the version as callers may keep it.
func (v *version) shown() snapshot.Object {
	o := v.Object
	o.Tags = settledMap(o.Tags)
	return o
}

// put adds a version, or replaces the one of the same id: a null version, or a replica that is written again.
func (b *bucket) put(v *version) {
	b.versions = slices.DeleteFunc(b.versions, func(o *version) bool { return o.Key == v.Key && o.VersionID == v.VersionID })
	b.versions = append(b.versions, v)
}

// find is the version of that id, or with "" the latest of the key; nil: there is none.
func (b *bucket) find(key, versionID string) *version {
	for _, v := range slices.Backward(b.versions) {
		if v.Key == key && (versionID == "" || v.VersionID == versionID) {
			return v
		}
	}
	return nil
}

func (b *bucket) partition() string { return policy.Partition(b.Region) }

func (b *bucket) arn() policy.ARN { return policy.BucketARN(b.partition(), b.name) }

func (b *bucket) enforcesOwner() bool { return b.Ownership.V == "BucketOwnerEnforced" }

func (b *bucket) locks() bool { return b.ObjectLock.V.ObjectLockEnabled == "Enabled" }

// retains says whether every new version is under retention, replicas without retention of their own included.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-lock.html
func (b *bucket) retains() bool {
	rule := b.ObjectLock.V.Rule
	return b.locks() && rule != nil && rule.DefaultRetention != nil
}

// blocksPublic reads one switch of Block Public Access.
func (b *bucket) blocksPublic(name string) bool { return b.PublicAccessBlock.V.Get(name).Bool }

// settled is the value, or that it does not exist: in the lab nothing is merely not known.
func settled[T any](v snapshot.Value[T]) snapshot.Value[T] {
	if v.State == snapshot.Present {
		return v
	}
	return snapshot.None[T]()
}

// settledMap is settled with a copy of the map.
func settledMap[V any](v snapshot.Value[map[string]V]) snapshot.Value[map[string]V] {
	v = settled(v)
	v.V = maps.Clone(v.V)
	return v
}

// listed is the copy of a map that AWS lists: there it is empty and never absent.
func listed[V any](v snapshot.Value[map[string]V]) snapshot.Value[map[string]V] {
	out := make(map[string]V, len(v.V))
	if v.State == snapshot.Present {
		maps.Copy(out, v.V)
	}
	return snapshot.Of(out)
}

func settledBucket(b snapshot.Bucket) snapshot.Bucket {
	b.Versioning = settled(b.Versioning)
	b.Replication = settled(b.Replication)
	b.Replication.V.Rules = slices.Clone(b.Replication.V.Rules)
	b.Encryption = settled(b.Encryption)
	b.Policy = settled(b.Policy)
	b.Ownership = settled(b.Ownership)
	b.PublicAccessBlock = settled(b.PublicAccessBlock)
	b.ObjectLock = settled(b.ObjectLock)
	b.Tags = settledMap(b.Tags)
	if b.RequestPayer.State != snapshot.Present {
		b.RequestPayer = snapshot.Of("BucketOwner")
	}
	if b.Notifications.State != snapshot.Present { // GetBucketNotificationConfiguration answers {} where nothing is set
		b.Notifications = snapshot.Of(jsontree.Obj())
	}
	return b
}

func settledRole(r snapshot.Role) snapshot.Role {
	r.Inline = listed(r.Inline)
	r.Attached = listed(r.Attached)
	r.Boundary = settled(r.Boundary)
	r.Tags = settledMap(r.Tags)
	return r
}

func settledUser(u snapshot.User) snapshot.User {
	u.Inline = listed(u.Inline)
	u.Attached = listed(u.Attached)
	u.Groups = listed(u.Groups)
	u.Boundary = settled(u.Boundary)
	u.Tags = settledMap(u.Tags)
	return u
}

func settledKey(k snapshot.Key) snapshot.Key {
	k.State = cmp.Or(k.State, "Enabled")
	k.Manager = cmp.Or(k.Manager, "CUSTOMER")
	k.Spec = cmp.Or(k.Spec, "SYMMETRIC_DEFAULT")
	k.Usage = cmp.Or(k.Usage, "ENCRYPT_DECRYPT")
	k.Grants = snapshot.Of(slices.Clone(k.Grants.V))
	k.Aliases = snapshot.Of(slices.Clone(k.Aliases.V))
	k.Tags = settledMap(k.Tags)
	return k
}

// sampleSize bounds the objects that a snapshot shows.
const sampleSize = 10

// Snapshot is the whole world as the contract shows it, everything known, with the latest FAILED versions of that source
// bucket as objects, at most ten.
func (c *Cloud) Snapshot(ctx context.Context, source string) (*snapshot.Snapshot, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.buckets[source] == nil {
		return nil, noSuchBucket(source)
	}
	out := &snapshot.Snapshot{
		TakenAt:    c.now().Format(time.RFC3339),
		Buckets:    map[string]snapshot.Value[snapshot.Bucket]{},
		Roles:      map[policy.ARN]snapshot.Value[snapshot.Role]{},
		Keys:       map[policy.ARN]snapshot.Value[snapshot.Key]{},
		Guardrails: maps.Clone(c.guardrails),
	}
	if c.organization != nil {
		out.Organization = &snapshot.Organization{ID: c.organization.ID, Accounts: slices.Clone(c.organization.Accounts)}
	}
	for name, b := range c.buckets {
		out.Buckets[name] = snapshot.None[snapshot.Bucket]()
		if b != nil {
			shown := settledBucket(b.Bucket)
			shown.Encryption = c.shownEncryption(b)
			out.Buckets[name] = snapshot.Of(shown)
		}
	}
	for arn, r := range c.roles {
		out.Roles[arn] = snapshot.None[snapshot.Role]()
		if r != nil {
			out.Roles[arn] = snapshot.Of(settledRole(*r))
		}
	}
	if len(c.users) > 0 {
		out.Users = map[policy.ARN]snapshot.Value[snapshot.User]{}
	}
	for arn, u := range c.users {
		out.Users[arn] = snapshot.None[snapshot.User]()
		if u != nil {
			out.Users[arn] = snapshot.Of(settledUser(*u))
		}
	}
	for arn, k := range c.keys {
		out.Keys[arn] = snapshot.None[snapshot.Key]()
		if k != nil {
			out.Keys[arn] = snapshot.Of(settledKey(*k))
		}
	}
	for _, v := range slices.Backward(c.buckets[source].versions) {
		if v.ReplicationStatus.V == statusFailed && len(out.Objects) < sampleSize {
			out.Objects = append(out.Objects, v.shown())
		}
	}
	slices.Reverse(out.Objects)
	return out, nil
}

// shownEncryption is what GetBucketEncryption says: since S3 encrypts everything, there is always something to say.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/default-encryption-faq.html
func (c *Cloud) shownEncryption(b *bucket) snapshot.Value[snapshot.Encryption] {
	algorithm, _, _ := bucketDefault(b, c.now())
	if b.Encryption.State == snapshot.Present || algorithm == "" {
		return b.Encryption
	}
	var r snapshot.EncryptionRule
	r.ApplyServerSideEncryptionByDefault = fresh(r.ApplyServerSideEncryptionByDefault)
	r.ApplyServerSideEncryptionByDefault.SSEAlgorithm = algorithm
	return snapshot.Of(snapshot.Encryption{Rules: []snapshot.EncryptionRule{r}})
}

// fresh is a new value of the type that a nil pointer has, for types without a name.
func fresh[T any](*T) *T { return new(T) }

func noSuchBucket(name string) error {
	return refuse("NoSuchBucket", "the bucket %s does not exist", name)
}

// inOrganization is the id of the organization when it holds the account.
func (c *Cloud) inOrganization(account string) (string, bool) {
	if c.organization == nil || !slices.Contains(c.organization.Accounts, account) {
		return "", false
	}
	return c.organization.ID, true
}
