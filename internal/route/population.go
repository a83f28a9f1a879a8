package route

import (
	"cmp"
	"fmt"

	"github.com/replimend/replimend/internal/policy"
	"github.com/replimend/replimend/internal/snapshot"
)

// The encryptions of an object, as HeadObject names them; an object of before 2023 may have none.
const (
	Plaintext = ""
	SSES3     = "AES256"
	SSEKMS    = "aws:kms"
	DSSEKMS   = "aws:kms:dsse"
	SSEC      = "SSE-C"
)

// Population is the objects of a route that S3 treats alike.
type Population struct {
	Encryption      string
	EncryptionKnown bool
	Key             policy.ARN // of KMS objects; zero when it cannot be resolved
	KeyText         string
	BucketKey       bool
	Tagged          bool // some object has tags, or nobody knows
	DeleteMarker    bool
	ObjectKey       string // the object whose name stands for all
	Owner           string // the account that owns them, where an access finds that it is not the bucket's
	Failed          bool   // some object of it is FAILED
	Claim           Claim  // Taken when the rule certainly takes an object of it
	Default         bool   // it is what the source bucket's default encryption writes
	Older           bool   // it is not what the bucket writes now, as Text says
	Text            string // in words
	// LockWrite is the action with which S3 would write the replica's lock, where an event says that it could not; else "".
	LockWrite string
}

// Unsure says that it is not certain that the rule takes any object of it.
func (p Population) Unsure() bool { return p.Claim != Taken }

// KMS says whether the objects are encrypted with a KMS key.
func (p Population) KMS() bool { return p.Encryption == SSEKMS || p.Encryption == DSSEKMS }

// Populations is every kind of object in the rule's scope that the snapshot knows of: those of its samples, whatever became of
// them, or else objects written with the source bucket's default encryption. key, when not empty, is the name of an object that
// failed.
func Populations(s *snapshot.Snapshot, r Route, key string) []Population {
	w := NewWorld(s)
	var k kinds
	for i := range s.Objects {
		o := &s.Objects[i]
		if o.Bucket != r.Source || o.ReplicationStatus.V == Replica || o.DeleteMarker && !r.ReplicatesDeleteMarkers() {
			continue
		}
		if covers, certain := r.Covers(o.Key, TagsOf(o)); covers || !certain {
			k.add(w.ofObject(&r, Sample{Object: o}))
		}
	}
	if len(k.all) == 0 {
		k.add(w.ofDefault(&r, key))
	}
	return k.all
}

// The values of a replication status.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/replication-status.html
const (
	Pending   = "PENDING"
	Completed = "COMPLETED"
	Failed    = "FAILED"
	Replica   = "REPLICA"
)

// Judged is the kinds of objects that the diagnosis of a route stands for: those of the samples that the rule takes and that S3
// has not replicated although it should have, that is FAILED, PENDING or not known. Without any that is certain, objects
// written with the source bucket's default encryption join them; objects that are COMPLETED never take their place. There are
// none at all when another rule takes every object of this one. key, when not empty, is the name of an object that failed.
func (w *World) Judged(r *Route, key string) []Population {
	rules := w.Rules(r.Source)
	if rules == nil {
		return []Population{w.ofDefault(r, key)}
	}
	var k kinds
	certain := false
	for _, o := range rules.Samples(r) {
		if o.Stands(r) {
			k.add(w.ofObject(r, o))
			certain = certain || o.Claim == Taken && o.ReplicationStatus.V != Completed
		}
	}
	if len(k.all) > 0 {
		now := w.ofDefault(r, "")
		for i := range k.all {
			if age := k.all[i].age(&now); age != "" {
				k.all[i].Older, k.all[i].Text = true, k.all[i].Text+age
			}
		}
	}
	if !certain {
		w.addDefault(&k, rules, r, key)
	}
	return k.all
}

// addDefault adds the objects that the bucket's default encryption makes, unless another rule takes them all.
func (w *World) addDefault(k *kinds, rules *Rules, r *Route, key string) {
	p := w.ofDefault(r, key)
	if len(rules.Enabled) > 1 {
		above := rules.Above(r)
		plain := p.EncryptionKnown && !p.KMS()
		switch {
		case above != nil && (plain || above.SelectsKMS() || !r.SelectsKMS()):
			return
		case above != nil, !plain && !r.SelectsKMS() && rules.OptInBelow(r) != nil:
			p.Claim = OptInOutranked
		}
	}
	k.add(p)
}

// Stands says whether the sample stands for what fails: S3 should have replicated it by the rule and has not, or nobody knows.
// A rule that does not opt in skips a KMS object in silence: the object has no status, or that of its other destinations.
func (o Sample) Stands(r *Route) bool {
	skipped := kmsObject(o.Object) && !r.SelectsKMS()
	switch {
	case o.DeleteMarker && !r.ReplicatesDeleteMarkers():
		return false // S3 leaves it where it is
	case o.ReplicationStatus.State == snapshot.Absent:
		return skipped
	case o.ReplicationStatus.V == Completed:
		return skipped && o.Elsewhere
	case o.ReplicationStatus.State == snapshot.Missing:
		return !o.Archived()
	default:
		return o.ReplicationStatus.V == Failed || o.ReplicationStatus.V == Pending
	}
}

// Archived says whether the object is in a storage class that S3 replicates nothing from before it is restored. The archive
// tiers of INTELLIGENT_TIERING are such places, too, and no storage class shows them.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/replication-what-is-isnot-replicated.html
func (o Sample) Archived() bool {
	return o.StorageClass == "GLACIER" || o.StorageClass == "DEEP_ARCHIVE"
}

func (w *World) ofObject(r *Route, o Sample) Population {
	p := Population{
		Encryption: o.Encryption.V, EncryptionKnown: o.Encryption.State != snapshot.Missing,
		KeyText: o.KMSKeyID, BucketKey: o.BucketKey && o.Encryption.V == SSEKMS, DeleteMarker: o.DeleteMarker, ObjectKey: o.Key,
		Tagged: o.Tags.State == snapshot.Missing || len(o.Tags.V) > 0,
		Failed: o.ReplicationStatus.V == Failed, Claim: o.Claim,
	}
	if p.KMS() && !p.DeleteMarker {
		p.Key = w.resolveKey(o.KMSKeyID, r.Partition, r.SourceAccount, r.SourceRegion)
	}
	return p
}

func (w *World) ofDefault(r *Route, key string) Population {
	p := Population{Tagged: true, EncryptionKnown: true, Failed: key != "", Default: true}
	if rules := w.Rules(r.Source); rules != nil {
		p.ObjectKey = rules.stands(r)
	} else {
		prefix, _ := r.Filter()
		p.ObjectKey = prefix + anyObject
	}
	if covers, certain := r.Covers(key, nil); key != "" && (covers || !certain) {
		p.ObjectKey = key
	}
	encryption := w.Snapshot.Buckets[r.Source].V.Encryption
	switch encryption.State {
	case snapshot.Missing:
		p.EncryptionKnown = false
		return p
	case snapshot.Absent:
		p.Encryption = SSES3 // every upload since January 2023 is encrypted at least so
	case snapshot.Present:
		p.Encryption = SSES3
		for _, rule := range encryption.V.Rules {
			if d := rule.ApplyServerSideEncryptionByDefault; d != nil {
				p.Encryption, p.KeyText = d.SSEAlgorithm, d.KMSMasterKeyID
			}
			p.BucketKey = rule.BucketKeyEnabled
		}
	}
	p.BucketKey = p.BucketKey && p.Encryption == SSEKMS
	if p.KMS() {
		if p.KeyText == "" {
			p.KeyText = "alias/aws/s3"
		}
		p.Key = w.resolveKey(p.KeyText, r.Partition, r.SourceAccount, r.SourceRegion)
	}
	return p
}

// kinds collects populations; samples that S3 treats alike are one.
type kinds struct {
	all []Population
	at  map[kind]int // made with the second kind
}

// kind is what tells populations apart.
type kind struct {
	encryption, key                string
	known, bucketKey, deleteMarker bool
	claim                          Claim
}

func (p *Population) kind() kind {
	return kind{p.Encryption, cmp.Or(keyText(p.Key), p.KeyText), p.EncryptionKnown, p.BucketKey, p.DeleteMarker, p.Claim}
}

func keyText(key policy.ARN) string {
	if key.IsZero() {
		return ""
	}
	return key.String()
}

func (k *kinds) add(p Population) {
	if len(k.all) == 0 {
		p.Text = p.text()
		k.all = append(k.all, p)
		return
	}
	if k.at == nil {
		k.at = map[kind]int{k.all[0].kind(): 0}
	}
	i, known := k.at[p.kind()]
	if !known {
		k.at[p.kind()] = len(k.all)
		p.Text = p.text()
		k.all = append(k.all, p)
		return
	}
	q := &k.all[i]
	q.Tagged = q.Tagged || p.Tagged
	if p.Failed && !q.Failed {
		q.Failed, q.ObjectKey = true, p.ObjectKey
	}
}

// text is the population in words.
func (p *Population) text() string {
	switch {
	case p.DeleteMarker:
		return "delete markers"
	case !p.Default:
		return describe(*p) + ", as the sample objects are"
	case !p.EncryptionKnown:
		return "objects whose encryption is not known"
	default:
		return describe(*p) + ", the source bucket's default"
	}
}

// age says how samples differ from what the bucket writes now. They are older than its default encryption, or whoever wrote
// them asked for something else: encryption is a property of each object.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/configuring-bucket-key.html
func (p *Population) age(now *Population) string {
	const otherwise = ", unless their writer asked for it"
	switch {
	case p.DeleteMarker || !p.EncryptionKnown || !now.EncryptionKnown:
		return ""
	case p.Encryption != now.Encryption:
		return ": written before the default encryption of the bucket became " + encryptionName(now.Encryption) + otherwise
	case p.KMS() && p.Key != now.Key && !p.Key.IsZero() && !now.Key.IsZero():
		return ": written before the default key of the bucket became " + now.Key.String() + otherwise
	case p.BucketKey && !now.BucketKey:
		return ": written before the Bucket Key of the bucket was switched off" + otherwise
	case !p.BucketKey && now.BucketKey:
		return ": written before the Bucket Key of the bucket was switched on" + otherwise
	default:
		return ""
	}
}

func describe(p Population) string {
	switch {
	case !p.EncryptionKnown:
		return "objects whose encryption is not known"
	case p.Encryption == Plaintext:
		return "objects without encryption"
	case !p.KMS():
		return "objects encrypted with " + encryptionName(p.Encryption)
	}
	key := "without"
	if p.BucketKey {
		key = "with"
	}
	return fmt.Sprintf("objects encrypted with %s under %s, %s an S3 Bucket Key", encryptionName(p.Encryption), p.KeyText, key)
}

func encryptionName(algorithm string) string {
	switch algorithm {
	case SSES3:
		return "SSE-S3"
	case SSEKMS:
		return "SSE-KMS"
	case DSSEKMS:
		return "DSSE-KMS"
	default:
		return algorithm
	}
}
