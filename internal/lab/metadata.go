package lab

import (
	"maps"
	"slices"

	"github.com/replimend/replimend/internal/snapshot"
)

// SetTags replaces the tags of the latest version of a key. On a source object the change is replicated as the object was; on a
// replica it stays, unless the rules of both buckets sync changes of replicas. A refusal is of type *Error.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/replication-for-metadata-changes.html
func (c *Cloud) SetTags(bucketName, key string, tags map[string]string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	b := c.buckets[bucketName]
	if b == nil {
		return noSuchBucket(bucketName)
	}
	v := b.find(key, "")
	if v == nil {
		return noSuchVersion(bucketName, key, "")
	}
	v.Tags = listed(snapshot.Of(tags))
	if v.ReplicationStatus.V == statusReplica {
		c.sendBack(b, v)
	} else if len(c.due(b, v)) > 0 {
		v.ReplicationStatus = snapshot.Of(statusPending)
	}
	return nil
}

// sendBack replicates the tags of a replica to the object that it is a replica of, at once. The way back asks what every route asks.
// That the replica shows REPLICA all the time is a simplification: it can be PENDING or FAILED meanwhile.
func (c *Cloud) sendBack(b *bucket, v *version) {
	for _, r := range highest(b.Replication.V.Rules, v, selects) {
		origin := c.buckets[destinationName(r)]
		if !syncsReplicas(r) || !takes(r, v) || origin == nil || !slices.ContainsFunc(origin.Replication.V.Rules, func(there snapshot.Rule) bool {
			return there.Status == "Enabled" && destinationName(there) == b.name && syncsReplicas(there)
		}) {
			continue
		}
		target := origin.find(v.Key, v.VersionID)
		if target == nil {
			continue
		}
		now := c.now()
		a := c.attempt(b, v, r, now)
		if reason := a.run(); reason != "" {
			c.emit(b, v, r, reason, now)
		} else if !a.loseTags {
			target.Tags = snapshot.Of(maps.Clone(v.Tags.V))
		}
	}
}

func syncsReplicas(r snapshot.Rule) bool {
	return r.SourceSelectionCriteria != nil && r.SourceSelectionCriteria.ReplicaModifications.On()
}
