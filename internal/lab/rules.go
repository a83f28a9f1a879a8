package lab

import (
	"strings"

	"github.com/replimend/replimend/internal/policy"
	"github.com/replimend/replimend/internal/snapshot"
)

// due is the rules that will replicate a version: of each destination's rules that select it the one of the highest priority,
// if that one takes objects of this kind. Nothing is due for replicas, in a bucket that is not versioned, or for archived
// objects.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/replication-add-config.html
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/replication-what-is-isnot-replicated.html
func (c *Cloud) due(b *bucket, v *version) []snapshot.Rule {
	if b.Versioning.V != "Enabled" || v.ReplicationStatus.V == statusReplica || archived(v.StorageClass) {
		return nil
	}
	eligible := selects
	if c.options.Disputed["opt-in-before-priority"] {
		eligible = func(r snapshot.Rule, v *version) bool { return selects(r, v) && (v.DeleteMarker || takes(r, v)) }
	}
	var out []snapshot.Rule
	for _, r := range highest(b.Replication.V.Rules, v, eligible) {
		if takes(r, v) {
			out = append(out, r)
		}
	}
	return out
}

// highest keeps for each destination the enabled rule of the highest priority that the version is eligible for. That a rule
// which then does not take the version still outranks those below it is deduced: priority decides between filters.
func highest(rules []snapshot.Rule, v *version, eligible func(snapshot.Rule, *version) bool) []snapshot.Rule {
	var out []snapshot.Rule
	at := map[string]int{}
	for _, r := range rules {
		if r.Status != "Enabled" || !eligible(r, v) {
			continue
		}
		i, ok := at[r.Destination.Bucket]
		switch {
		case !ok:
			at[r.Destination.Bucket] = len(out)
			out = append(out, r)
		case r.Priority > out[i].Priority:
			out[i] = r
		}
	}
	return out
}

// selects says whether the rule's filter covers the version. Prefixes are literal, and * is a character in them.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_ReplicationRuleFilter.html
func selects(r snapshot.Rule, v *version) bool {
	if r.Prefix != nil && !strings.HasPrefix(v.Key, *r.Prefix) {
		return false
	}
	f := r.Filter
	if f == nil {
		return true
	}
	if f.Prefix != nil && !strings.HasPrefix(v.Key, *f.Prefix) {
		return false
	}
	if f.And != nil && f.And.Prefix != nil && !strings.HasPrefix(v.Key, *f.And.Prefix) {
		return false
	}
	for _, t := range filterTags(f) {
		if value, ok := v.Tags.V[t.Key]; !ok || value != t.Value {
			return false
		}
	}
	return true
}

func filterTags(f *snapshot.Filter) []snapshot.Tag {
	var out []snapshot.Tag
	if f != nil && f.Tag != nil {
		out = append(out, *f.Tag)
	}
	if f != nil && f.And != nil {
		out = append(out, f.And.Tags...)
	}
	return out
}

// takes says whether the rule replicates versions of this kind. Objects under SSE-KMS and DSSE-KMS need the rule's consent, and
// delete markers too, but for rules of the first version of the configuration, which have no Filter.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/replication-config-for-kms-objects.html
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/delete-marker-replication.html
func takes(r snapshot.Rule, v *version) bool {
	if v.DeleteMarker {
		if r.Filter == nil && r.DeleteMarkerReplication == nil {
			return true
		}
		return r.DeleteMarkerReplication.On() && len(filterTags(r.Filter)) == 0
	}
	if kmsEncrypted(v.Encryption.V) {
		return r.SourceSelectionCriteria != nil && r.SourceSelectionCriteria.SseKmsEncryptedObjects.On()
	}
	return true
}

func kmsEncrypted(algorithm string) bool { return algorithm == sseKMS || algorithm == sseDSSE }

// archived names the storage classes from which S3 cannot replicate without a restore.
func archived(class string) bool { return class == "GLACIER" || class == "DEEP_ARCHIVE" }

// destinationName is the name of the bucket that a rule writes to, "" when the rule names none.
func destinationName(r snapshot.Rule) string {
	a, err := policy.ParseARN(r.Destination.Bucket)
	if err != nil || a.Service != "s3" {
		return ""
	}
	return a.Resource
}

// untimely says whether the rule asks for S3 Replication Time Control without the metrics that belong to it, or with another
// threshold than the one there is.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_ReplicationTimeValue.html
func untimely(r snapshot.Rule) bool {
	rtc, metrics := r.Destination.ReplicationTime, r.Destination.Metrics
	if rtc == nil || rtc.Status != "Enabled" {
		return false
	}
	return rtc.Time == nil || rtc.Time.Minutes != 15 || metrics == nil || metrics.Status != "Enabled" ||
		metrics.EventThreshold == nil || metrics.EventThreshold.Minutes != 15
}

// acceptRules says what PutBucketReplication would refuse. It does not look at keys: AWS answers 200 for keys that do not exist.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketReplication.html
func acceptRules(b *bucket, rules []snapshot.Rule) error {
	if b.Versioning.V != "Enabled" {
		return refuse("InvalidRequest", "versioning must be enabled on %s to apply a replication configuration", b.name)
	}
	priorities := map[int]bool{}
	for _, r := range rules {
		optIn := r.SourceSelectionCriteria != nil && r.SourceSelectionCriteria.SseKmsEncryptedObjects != nil
		key := r.Destination.EncryptionConfiguration != nil
		switch {
		case key && !optIn, !key && optIn && r.SourceSelectionCriteria.SseKmsEncryptedObjects.On():
			return refuse("InvalidRequest", "rule %s: SseKmsEncryptedObjects and EncryptionConfiguration must be given together", r.ID)
		case destinationName(r) == b.name:
			return refuse("InvalidRequest", "rule %s: the destination must not be the source bucket", r.ID)
		case strings.HasSuffix(destinationName(r), "--x-s3"), strings.HasSuffix(destinationName(r), "--table-s3"):
			// https://docs.aws.amazon.com/AmazonS3/latest/userguide/directory-bucket-naming-rules.html
			return refuse("InvalidRequest", "rule %s: the destination must be a general purpose bucket", r.ID)
		case untimely(r):
			return refuse("InvalidRequest", "rule %s: ReplicationTime needs Metrics, both with 15 minutes", r.ID)
		case r.DeleteMarkerReplication.On() && len(filterTags(r.Filter)) > 0:
			return refuse("InvalidRequest", "rule %s: delete marker replication is not supported with a tag filter", r.ID)
		case r.Destination.AccessControlTranslation != nil && r.Destination.Account == "":
			return refuse("InvalidRequest", "rule %s: AccessControlTranslation needs the destination's Account", r.ID)
		case r.Filter != nil && priorities[r.Priority]:
			return refuse("InvalidRequest", "rule %s: found overlapping priority %d", r.ID, r.Priority)
		}
		priorities[r.Priority] = true
	}
	return nil
}
