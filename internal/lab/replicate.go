package lab

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/replimend/replimend/internal/snapshot"
)

// Replicate lets S3 work off every version that is PENDING. Each becomes COMPLETED when all its destinations have it, or FAILED
// with one event for each rule that failed. FAILED is final: S3 does not try again by itself.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/replication-status.html
func (c *Cloud) Replicate(ctx context.Context) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, name := range slices.Sorted(maps.Keys(c.buckets)) {
		b := c.buckets[name]
		if b == nil {
			continue
		}
		for _, v := range slices.Clone(b.versions) {
			if v.ReplicationStatus.V != statusPending {
				continue
			}
			if err := ctx.Err(); err != nil {
				return err
			}
			c.replicate(b, v)
		}
	}
	return nil
}

// replicate works off one version under the rules of this moment. A version that they no longer cover fails in silence, because
// metrics, and with them events, belong to a rule.
func (c *Cloud) replicate(b *bucket, v *version) {
	if b.Versioning.V != "Enabled" {
		return // deduced: nothing works the version off until the bucket is versioned again
	}
	rules := c.due(b, v)
	status := statusCompleted
	if len(rules) == 0 {
		status = statusFailed
	}
	for _, r := range rules {
		now := c.now()
		a := c.attempt(b, v, r, now)
		if reason := a.run(); reason != "" {
			status = statusFailed
			c.emit(b, v, r, reason, now)
			continue
		}
		a.deliver()
	}
	v.ReplicationStatus = snapshot.Of(status)
}

// deliver writes the replica, which keeps key, version id, metadata and, unless the rule says otherwise, class and owner.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/replication-what-is-isnot-replicated.html
func (a *attempt) deliver() {
	replica := *a.version
	replica.Bucket = a.destination.name
	replica.retention = replica.retention || a.destination.retains()
	replica.ReplicationStatus = snapshot.Of(statusReplica)
	if a.version.DeleteMarker {
		replica.Owner = a.destination.Account
		a.destination.put(&replica)
		return
	}
	replica.Encryption, replica.BucketKey, replica.KMSKeyID = a.encryption, a.bucketKey, ""
	if kmsEncrypted(a.encryption.V) {
		replica.KMSKeyID = a.keyARN.String()
	}
	replica.Tags = snapshot.Of(maps.Clone(a.version.Tags.V))
	if a.loseTags {
		replica.Tags = snapshot.Of(map[string]string{})
	}
	if class := a.rule.Destination.StorageClass; class != "" {
		replica.StorageClass = class
	}
	if a.overrides() || a.destination.enforcesOwner() {
		replica.Owner, replica.acl = a.destination.Account, ""
	}
	a.destination.put(&replica)
}

// Replay makes versions PENDING again that FAILED or were never replicated, as a job of S3 Batch Replication does. Versions
// that are PENDING or COMPLETED stay as they are, so that a replay may come twice. It refuses replicas, versions that do not
// exist, and versions that no rule covers, and then changes nothing.
//
// The job's own role is not asked for; the copy is made by the replication role.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/s3-batch-replication-batch.html
func (c *Cloud) Replay(ctx context.Context, bucketName string, objects []snapshot.Object) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	b := c.buckets[bucketName]
	if b == nil {
		return fmt.Errorf("replay %s: %w", bucketName, noSuchBucket(bucketName))
	}
	var again []*version
	for _, o := range objects {
		v, err := c.replayable(b, o)
		if err != nil {
			return fmt.Errorf("replay %s: %w", bucketName, err)
		}
		if v.ReplicationStatus.State != snapshot.Present || v.ReplicationStatus.V == statusFailed {
			again = append(again, v)
		}
	}
	for _, v := range again {
		v.ReplicationStatus = snapshot.Of(statusPending)
	}
	return nil
}

func (c *Cloud) replayable(b *bucket, o snapshot.Object) (*version, error) {
	if o.Bucket != "" && o.Bucket != b.name {
		return nil, refuse("InvalidRequest", "%s/%s is not in %s", o.Bucket, o.Key, b.name)
	}
	if o.VersionID == "" {
		return nil, refuse("InvalidRequest", "%s/%s is given without its version", b.name, o.Key)
	}
	v := b.find(o.Key, o.VersionID)
	switch {
	case v == nil:
		return nil, noSuchVersion(b.name, o.Key, o.VersionID)
	case v.ReplicationStatus.V == statusReplica:
		return nil, refuse("InvalidRequest", "%s/%s version %s is a replica", b.name, o.Key, o.VersionID)
	case len(c.due(b, v)) == 0:
		return nil, refuse("SrcObjectNotEligible", "no rule covers %s/%s version %s", b.name, o.Key, o.VersionID)
	}
	return v, nil
}
