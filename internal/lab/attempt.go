package lab

import (
	"time"

	"github.com/replimend/replimend/internal/authz"
	"github.com/replimend/replimend/internal/policy"
	"github.com/replimend/replimend/internal/snapshot"
)

// attempt is S3 at work on one version under one rule.
type attempt struct {
	cloud       *Cloud
	now         time.Time
	source      *bucket
	version     *version
	rule        snapshot.Rule
	roleARN     policy.ARN
	role        *snapshot.Role // nil: there is none
	session     authz.Principal
	destination *bucket // nil: there is none
	loseTags    bool

	// How the replica is to be encrypted.
	encryption snapshot.Value[string]
	bucketKey  bool
	keyARN     policy.ARN
	key        *snapshot.Key // nil: none is used, or it does not exist
}

func (c *Cloud) attempt(b *bucket, v *version, r snapshot.Rule, now time.Time) *attempt {
	a := &attempt{cloud: c, now: now, source: b, version: v, rule: r, destination: c.buckets[destinationName(r)]}
	if arn, err := policy.ParseARN(b.Replication.V.Role); err == nil {
		a.roleARN, a.role = arn, c.roles[arn]
	}
	if a.role != nil {
		a.session = authz.SessionOf(a.roleARN, sessionName, a.role.UniqueID)
	}
	if a.destination != nil && !v.DeleteMarker {
		a.plan()
	}
	return a
}

// plan settles the encryption of the replica: that of the source, under the key that the rule names; only what was not
// encrypted at all takes the destination's default. What is not named by ARN is resolved for the role.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/replication-config-for-kms-objects.html
func (a *attempt) plan() {
	c, requester, region := a.cloud, a.roleARN.Account, a.destination.Region
	algorithm, keyID, bucketKey := bucketDefault(a.destination, a.now)
	a.encryption = a.version.Encryption
	switch {
	case a.version.Encryption.State != snapshot.Present:
		if algorithm != "" {
			a.encryption = snapshot.Of(algorithm)
		}
		if kmsEncrypted(algorithm) && keyID == "" {
			a.keyARN, a.key = c.managed(requester, region)
		} else if kmsEncrypted(algorithm) {
			a.keyARN, a.key = c.resolve(keyID, requester, region)
		}
		a.bucketKey = bucketKey && algorithm == sseKMS
	case kmsEncrypted(a.version.Encryption.V):
		if e := a.rule.Destination.EncryptionConfiguration; e != nil {
			a.keyARN, a.key = c.resolve(e.ReplicaKmsKeyID, requester, region)
		}
		inherits := bucketKey && !c.options.Disputed["object-context"]
		a.bucketKey = a.version.Encryption.V == sseKMS && (a.version.BucketKey || inherits)
	}
}

// run takes the hops and returns the reason for the failure, "" when every hop passes.
func (a *attempt) run() string {
	for _, h := range hops {
		if !h.when(a) || h.passes(a) || a.ignores(h.name) {
			continue
		}
		if h.large != "" && a.inParts() {
			return h.large
		}
		return h.reason
	}
	return ""
}

// ignores says whether a hop that did not pass is let pass. A role or a destination that does not exist is not conjured up.
func (a *attempt) ignores(name string) bool {
	return a.cloud.options.Ignore[name] && (name != "assume-role" || a.role != nil) && (name != "find-destination" || a.destination != nil)
}

func (a *attempt) disputed(reading string) bool { return a.cloud.options.Disputed[reading] }

// maxPut is the largest object that one PutObject can write.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/upload-objects.html
const maxPut = 5 << 30

// inParts says whether S3 must write the replica by a multipart upload. It may do so for smaller ones, too.
func (a *attempt) inParts() bool { return a.version.Size > maxPut }

// The conditions of the hops.

func always(*attempt) bool      { return true }
func ofMarker(a *attempt) bool  { return a.version.DeleteMarker }
func ofObject(a *attempt) bool  { return !a.version.DeleteMarker }
func ofTagged(a *attempt) bool  { return ofObject(a) && len(a.version.Tags.V) > 0 }
func ofLocked(a *attempt) bool  { return ofObject(a) && a.source.locks() }
func ofKMS(a *attempt) bool     { return ofObject(a) && kmsEncrypted(a.version.Encryption.V) }
func ofSSEC(a *attempt) bool    { return ofObject(a) && a.version.Encryption.V == sseC }
func toKMS(a *attempt) bool     { return ofObject(a) && kmsEncrypted(a.encryption.V) }
func encrypts(a *attempt) bool  { return toKMS(a) && ofKMS(a) }
func generates(a *attempt) bool { return toKMS(a) && (!ofKMS(a) || a.disputed("generate-replica-key")) }

func verifies(a *attempt) bool      { return toKMS(a) && (a.bucketKey || a.inParts()) }
func withTags(a *attempt) bool      { return ofTagged(a) && !a.loseTags }
func withRetention(a *attempt) bool { return ofLocked(a) && a.version.retention }
func withLegalHold(a *attempt) bool { return ofLocked(a) && a.version.legalHold }

// toOtherOwner: inside one account S3 applies the owner override without asking.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/replication-change-owner.html
func toOtherOwner(a *attempt) bool {
	return ofObject(a) && a.overrides() && a.source.Account != a.destination.Account
}

func withPublicACL(a *attempt) bool {
	return ofObject(a) && a.version.public() && !a.overrides() && !a.destination.enforcesOwner()
}

func (a *attempt) overrides() bool {
	t := a.rule.Destination.AccessControlTranslation
	return t != nil && t.Owner == "Destination"
}
