package route

import (
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
	Text            string // in words
	// LockWrite is the action with which S3 would write the replica's lock, where an event says that it could not; else "".
	LockWrite string
}

// KMS says whether the objects are encrypted with a KMS key.
func (p Population) KMS() bool { return p.Encryption == SSEKMS || p.Encryption == DSSEKMS }

// anyObject is the name that stands for all names under a prefix.
const anyObject = "any-object"

// Populations is the kinds of objects that the diagnosis of a route stands for: those of the snapshot's samples in the
// rule's scope, or else objects written with the source bucket's default encryption. key, when not empty, is the name of an
// object that failed.
func Populations(s *snapshot.Snapshot, r Route, key string) []Population {
	var out []Population
	for i := range s.Objects {
		o := &s.Objects[i]
		if o.Bucket != r.Source || o.ReplicationStatus.V == "REPLICA" {
			continue
		}
		if o.DeleteMarker && !r.ReplicatesDeleteMarkers() {
			continue // S3 leaves it where it is
		}
		if covers, certain := r.Covers(o.Key, o.Tags.V); !covers && certain {
			continue
		}
		out = merge(out, ofObject(s, r, o))
	}
	if len(out) > 0 {
		return out
	}
	return []Population{ofDefault(s, r, key)}
}

func ofObject(s *snapshot.Snapshot, r Route, o *snapshot.Object) Population {
	p := Population{
		Encryption: o.Encryption.V, EncryptionKnown: o.Encryption.State != snapshot.Missing,
		KeyText: o.KMSKeyID, BucketKey: o.BucketKey && o.Encryption.V == SSEKMS, DeleteMarker: o.DeleteMarker, ObjectKey: o.Key,
		Tagged: o.Tags.State == snapshot.Missing || len(o.Tags.V) > 0,
		Failed: o.ReplicationStatus.V == "FAILED",
	}
	if p.DeleteMarker {
		p.Text = "delete markers"
		return p
	}
	if p.KMS() {
		p.Key = ResolveKey(s, o.KMSKeyID, r.Partition, r.SourceAccount, r.SourceRegion)
	}
	p.Text = describe(p) + ", as the sample objects are"
	return p
}

func ofDefault(s *snapshot.Snapshot, r Route, key string) Population {
	prefix, _ := r.Filter()
	p := Population{ObjectKey: prefix + anyObject, Tagged: true, EncryptionKnown: true, Failed: key != ""}
	if covers, certain := r.Covers(key, nil); key != "" && (covers || !certain) {
		p.ObjectKey = key
	}
	encryption := s.Buckets[r.Source].V.Encryption
	switch encryption.State {
	case snapshot.Missing:
		p.EncryptionKnown = false
		p.Text = "objects whose encryption is not known"
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
		p.Key = ResolveKey(s, p.KeyText, r.Partition, r.SourceAccount, r.SourceRegion)
	}
	p.Text = describe(p) + ", the source bucket's default"
	return p
}

func describe(p Population) string {
	switch p.Encryption {
	case Plaintext:
		return "objects without encryption"
	case SSES3:
		return "objects encrypted with SSE-S3"
	case SSEC:
		return "objects encrypted with SSE-C"
	}
	name := "SSE-KMS"
	if p.Encryption == DSSEKMS {
		name = "DSSE-KMS"
	}
	key := "without"
	if p.BucketKey {
		key = "with"
	}
	return fmt.Sprintf("objects encrypted with %s under %s, %s an S3 Bucket Key", name, p.KeyText, key)
}

func merge(all []Population, p Population) []Population {
	for i := range all {
		q := &all[i]
		if q.Encryption == p.Encryption && q.Key == p.Key && q.BucketKey == p.BucketKey && q.DeleteMarker == p.DeleteMarker && q.EncryptionKnown == p.EncryptionKnown {
			q.Tagged = q.Tagged || p.Tagged
			if p.Failed && !q.Failed {
				q.Failed, q.ObjectKey = true, p.ObjectKey
			}
			return all
		}
	}
	return append(all, p)
}
