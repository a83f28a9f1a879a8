package lab

import (
	"cmp"
	"slices"
	"time"

	"github.com/replimend/replimend/internal/policy"
	"github.com/replimend/replimend/internal/snapshot"
)

// The kinds of server-side encryption, as the contract names them.
const (
	sseS3   = "AES256"
	sseKMS  = "aws:kms"
	sseDSSE = "aws:kms:dsse"
	sseC    = "SSE-C"
)

// The values of x-amz-replication-status.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/replication-status.html
const (
	statusPending   = "PENDING"
	statusCompleted = "COMPLETED"
	statusFailed    = "FAILED"
	statusReplica   = "REPLICA"
)

// PutOptions is what a PutObject request says. The zero PutOptions writes an empty object with the bucket's defaults.
type PutOptions struct {
	Encryption   string // AES256 | aws:kms | aws:kms:dsse | SSE-C; "": the bucket's default
	KMSKeyID     string // key id, alias or ARN of either; "": the AWS managed key, or the default's key with the default
	BucketKey    *bool  // nil: as the bucket says
	StorageClass string // "": STANDARD
	Owner        string // the account that writes; "": the bucket's owner
	ACL          string // the canned ACL; "": private
	Size         int64
	Tags         map[string]string
	Retention    bool // the version has a retention period
	LegalHold    bool // the version is under legal hold
}

// PutObject writes a new version and says what HeadObject would say of it. Its replication status is PENDING where a rule
// covers it and absent where it will never be replicated, of which S3 makes no failure and no event.
//
// Who writes is not asked: the caller has every permission. Refusals are of type *Error.
func (c *Cloud) PutObject(bucketName, key string, o PutOptions) (snapshot.Object, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	b := c.buckets[bucketName]
	if b == nil {
		return snapshot.Object{}, noSuchBucket(bucketName)
	}
	now := c.now()
	v := &version{
		Object: snapshot.Object{
			Bucket: bucketName, Key: key, StorageClass: cmp.Or(o.StorageClass, "STANDARD"), Owner: cmp.Or(o.Owner, b.Account),
			Size: o.Size, Tags: listed(snapshot.Of(o.Tags)),
		},
		requested: now, etag: c.identifier(hexadecimal, 32), acl: o.ACL, retention: o.Retention || b.retains(), legalHold: o.LegalHold,
	}
	if err := own(b, v); err != nil {
		return snapshot.Object{}, err
	}
	if err := c.encrypt(b, v, o, now); err != nil {
		return snapshot.Object{}, err
	}
	return c.write(b, v), nil
}

// DeleteObject writes a delete marker over the latest version, as a DELETE without version id does.
func (c *Cloud) DeleteObject(bucketName, key string) (snapshot.Object, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	b := c.buckets[bucketName]
	switch {
	case b == nil:
		return snapshot.Object{}, noSuchBucket(bucketName)
	case b.Versioning.State != snapshot.Present:
		return snapshot.Object{}, refuse("InvalidBucketState", "the bucket %s makes no delete markers: it was never versioned", bucketName)
	}
	v := &version{
		Object:    snapshot.Object{Bucket: bucketName, Key: key, Owner: b.Account, DeleteMarker: true},
		requested: c.now(),
	}
	return c.write(b, v), nil
}

// DeleteVersion deletes one version for good, as a DELETE with version id does, and tells nobody. One that is not there is no
// error; one under retention or legal hold stays.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/DeletingObjectVersions.html
func (c *Cloud) DeleteVersion(bucketName, key, versionID string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	b := c.buckets[bucketName]
	if b == nil {
		return noSuchBucket(bucketName)
	}
	if versionID == "" {
		return refuse("InvalidArgument", "a version is deleted by its id")
	}
	v := b.find(key, versionID)
	if v == nil {
		return nil
	}
	if v.retention || v.legalHold {
		return refuse("AccessDenied", "%s/%s version %s is locked", bucketName, key, versionID)
	}
	b.versions = slices.DeleteFunc(b.versions, func(o *version) bool { return o == v })
	return nil
}

// Head is what HeadObject says of a version, with "" of the latest. It also shows delete markers, for which S3 answers with an
// error and a header.
func (c *Cloud) Head(bucketName, key, versionID string) (snapshot.Object, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	b := c.buckets[bucketName]
	if b == nil {
		return snapshot.Object{}, noSuchBucket(bucketName)
	}
	v := b.find(key, versionID)
	if v == nil {
		return snapshot.Object{}, noSuchVersion(bucketName, key, versionID)
	}
	return v.shown(), nil
}

func noSuchVersion(bucketName, key, versionID string) error {
	if versionID == "" {
		return refuse("NoSuchKey", "%s/%s does not exist", bucketName, key)
	}
	return refuse("NoSuchVersion", "%s/%s has no version %s", bucketName, key, versionID)
}

// write gives the version its id and its replication status.
func (c *Cloud) write(b *bucket, v *version) snapshot.Object {
	v.VersionID = "null" // https://docs.aws.amazon.com/AmazonS3/latest/userguide/AddingObjectstoVersionSuspendedBuckets.html
	if b.Versioning.V == "Enabled" {
		v.VersionID = c.identifier(versionText, 32)
	}
	v.ReplicationStatus = snapshot.None[string]()
	if len(c.due(b, v)) > 0 {
		v.ReplicationStatus = snapshot.Of(statusPending)
	}
	b.put(v)
	return v.shown()
}

// own settles who owns the version and whether its ACL may be.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/about-object-ownership.html
func own(b *bucket, v *version) error {
	full := v.acl == "bucket-owner-full-control"
	switch {
	case b.enforcesOwner() && v.acl != "" && !full:
		return refuse("AccessControlListNotSupported", "the bucket %s does not allow ACLs", b.name)
	case v.public() && b.blocksPublic("BlockPublicAcls"):
		return refuse("AccessDenied", "public ACLs are blocked by the bucket %s", b.name)
	case b.enforcesOwner(), full && b.Ownership.V == "BucketOwnerPreferred":
		v.Owner = b.Account
	}
	return nil
}

// public says whether the canned ACL lets in everybody.
func (v *version) public() bool {
	return v.acl == "public-read" || v.acl == "public-read-write" || v.acl == "authenticated-read"
}

// encryptedSince is when S3 began to encrypt every new object.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/default-encryption-faq.html
var encryptedSince = time.Date(2023, 1, 5, 0, 0, 0, 0, time.UTC)

// bucketDefault is the default encryption of a bucket. Before S3 encrypted everything, a bucket could have none.
func bucketDefault(b *bucket, now time.Time) (algorithm, keyID string, bucketKey bool) {
	for _, r := range b.Encryption.V.Rules {
		bucketKey = r.BucketKeyEnabled
		if by := r.ApplyServerSideEncryptionByDefault; by != nil {
			return by.SSEAlgorithm, by.KMSMasterKeyID, bucketKey
		}
	}
	if now.Before(encryptedSince) {
		return "", "", bucketKey
	}
	return sseS3, "", bucketKey
}

// blocksSSEC says whether the bucket refuses objects with keys of the customer, replicas included.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/blocking-unblocking-s3-c-encryption-gpb.html
func (b *bucket) blocksSSEC() bool {
	for _, r := range b.Encryption.V.Rules {
		if r.BlockedEncryptionTypes == nil {
			continue
		}
		for _, t := range r.BlockedEncryptionTypes.EncryptionType {
			if t == sseC {
				return true
			}
		}
	}
	return false
}

// encrypt fixes the encryption of a new version. The Bucket Key is a property of the version from then on, and DSSE-KMS never
// has one.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucket-key.html
func (c *Cloud) encrypt(b *bucket, v *version, o PutOptions, now time.Time) error {
	algorithm, keyID, bucketKey := bucketDefault(b, now)
	if o.Encryption != "" {
		algorithm, keyID = o.Encryption, o.KMSKeyID
	}
	switch algorithm {
	case "":
		v.Encryption = snapshot.None[string]()
		return nil
	case sseC:
		if b.blocksSSEC() {
			return refuse("AccessDenied", "the bucket %s blocks SSE-C", b.name)
		}
	case sseS3:
	case sseKMS, sseDSSE:
		arn, err := c.keyFor(keyID, cmp.Or(o.Owner, b.Account), b.Region)
		if err != nil {
			return err
		}
		if o.BucketKey != nil {
			bucketKey = *o.BucketKey
		}
		v.KMSKeyID = arn.String()
		v.BucketKey = bucketKey && algorithm == sseKMS
	default:
		return refuse("InvalidArgument", "there is no encryption %q", algorithm)
	}
	v.Encryption = snapshot.Of(algorithm)
	return nil
}

// keyFor is the key that encrypts a new object, or KMS's refusal as S3 passes it on.
func (c *Cloud) keyFor(keyID, requester, region string) (policy.ARN, error) {
	if keyID == "" {
		arn, _ := c.managed(requester, region)
		return arn, nil
	}
	arn, key := c.resolve(keyID, requester, region)
	switch {
	case key == nil:
		return arn, refuse("KMS.NotFoundException", "the key %s does not exist in %s", keyID, region)
	case key.State == "Disabled":
		return arn, refuse("KMS.DisabledException", "%s is disabled", arn)
	case !usable(key):
		return arn, refuse("KMS.KMSInvalidStateException", "%s cannot encrypt: it is %s, %s for %s", arn, key.State, key.Spec, key.Usage)
	}
	return arn, nil
}
