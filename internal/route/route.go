// Package route is the domain: the routes of a snapshot, the hops of a replication, and the exact requests that S3 makes at
// each, with the evidence that it makes them. It evaluates nothing; package diagnose does.
//
// Every requirement names where it comes from. Where AWS's pages disagree, the requirement says so in its Evidence, and no
// code here may turn a dispute into a certainty.
package route

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/replimend/replimend/internal/policy"
	"github.com/replimend/replimend/internal/snapshot"
)

// PartitionOf is the partition of a Region.
// https://docs.aws.amazon.com/whitepapers/latest/aws-fault-isolation-boundaries/partitions.html
func PartitionOf(region string) string {
	switch {
	case strings.HasPrefix(region, "cn-"):
		return China
	case strings.HasPrefix(region, "us-gov-"):
		return "aws-us-gov"
	default:
		return "aws"
	}
}

// Route is one enabled rule of a source bucket and its destination, as the configuration has it.
type Route struct {
	Partition          string
	Source             string
	SourceAccount      string
	SourceRegion       string
	Rule               snapshot.Rule
	RuleID             string // the rule's ID, or "#2" for the second rule without one
	Role               policy.ARN
	RoleText           string // as configured; Role is zero when it is no role ARN
	Destination        string
	DestinationAccount string // "" when the destination bucket is not in the snapshot
	DestinationRegion  string
	ReplicaKey         policy.ARN // zero without one, or when it cannot be resolved
	ReplicaKeyText     string     // as configured
}

// String is "src → dst (rule r1)".
func (r Route) String() string {
	return fmt.Sprintf("%s → %s (rule %s)", r.Source, r.Destination, r.RuleID)
}

// CrossAccount says whether role and destination belong to different accounts. Without the destination's account it is
// taken to be the source's.
func (r Route) CrossAccount() bool {
	return r.DestinationAccount != "" && r.DestinationAccount != r.SourceAccount
}

// RoleAccount is the account of the role, or the source bucket's where the rule names no role.
func (r Route) RoleAccount() string { return cmp.Or(r.Role.Account, r.SourceAccount) }

// OwnerOverride says whether the replica is to belong to the destination's owner.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/replication-change-owner.html
func (r Route) OwnerOverride() bool {
	t := r.Rule.Destination.AccessControlTranslation
	return t != nil && t.Owner == "Destination"
}

// Reverse is the routes back: the enabled rules of the destination bucket that write to the source.
func (w *World) Reverse(r *Route) []Route {
	rules := w.Rules(r.Destination)
	if rules == nil {
		return nil
	}
	var out []Route
	for _, back := range rules.Enabled {
		if back.Destination == r.Source {
			out = append(out, back)
		}
	}
	return out
}

// Routes is every enabled rule of every bucket, in the order of bucket names and rules.
func Routes(s *snapshot.Snapshot) []Route {
	return NewWorld(s).Routes()
}

func (w *World) newRoute(source string, b *snapshot.Bucket, role string, rule snapshot.Rule, index int) Route {
	r := Route{
		Partition: PartitionOf(b.Region), Source: source, SourceAccount: b.Account, SourceRegion: b.Region,
		Rule: rule, RuleID: rule.ID, RoleText: role,
	}
	if r.RuleID == "" {
		r.RuleID = fmt.Sprintf("#%d", index+1)
	}
	if a, err := policy.ParseARN(role); err == nil && a.Service == "iam" && strings.HasPrefix(a.Resource, "role/") {
		r.Role = a
		if b.Region == "" {
			r.Partition = a.Partition
		}
	}
	r.Destination = rule.Destination.Bucket
	if a, err := policy.ParseARN(rule.Destination.Bucket); err == nil && a.Service == "s3" {
		r.Destination = a.Resource
	}
	if dst, ok := w.Snapshot.Buckets[r.Destination].Get(); ok {
		r.DestinationAccount, r.DestinationRegion = dst.Account, dst.Region
	}
	if e := rule.Destination.EncryptionConfiguration; e != nil {
		r.ReplicaKeyText = e.ReplicaKmsKeyID
		// What is not named by ARN means a key of the requester's account, which is the role's, in the destination's Region.
		// https://docs.aws.amazon.com/AmazonS3/latest/API/API_EncryptionConfiguration.html
		r.ReplicaKey = w.resolveKey(e.ReplicaKmsKeyID, r.Partition, r.RoleAccount(), r.DestinationRegion)
	}
	return r
}

// ResolveKey finds the key that a key ARN, key id, alias ARN or alias name means in an account and Region. It is zero when
// the snapshot does not settle it.
// https://docs.aws.amazon.com/kms/latest/developerguide/concepts.html#key-id
func ResolveKey(s *snapshot.Snapshot, text, partition, account, region string) policy.ARN {
	return resolve(text, partition, account, region, func(wanted alias) policy.ARN {
		var found policy.ARN
		for arn, key := range s.Keys {
			if arn.Account == wanted.account && arn.Region == wanted.region && slices.Contains(key.V.Aliases.V, wanted.name) {
				if !found.IsZero() {
					return policy.ARN{}
				}
				found = arn
			}
		}
		return found
	})
}

// resolveKey is ResolveKey by the index, for many questions about one snapshot.
func (w *World) resolveKey(text, partition, account, region string) policy.ARN {
	return resolve(text, partition, account, region, func(wanted alias) policy.ARN { return w.look().aliases(w.Snapshot)[wanted] })
}

func resolve(text, partition, account, region string, answering func(alias) policy.ARN) policy.ARN {
	if a, err := policy.ParseARN(text); err == nil {
		if strings.HasPrefix(a.Resource, "key/") {
			return a
		}
		partition, account, region, text = a.Partition, a.Account, a.Region, a.Resource
	}
	if text == "" {
		return policy.ARN{}
	}
	if !strings.HasPrefix(text, "alias/") {
		return policy.ARN{Partition: partition, Service: "kms", Region: region, Account: account, Resource: "key/" + text}
	}
	return answering(alias{account, region, text})
}

// Covers says whether the rule's filter selects an object of that key and those tags. A nil map of tags stands for tags that
// are not known: then a tag filter answers false for certain.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_ReplicationRuleFilter.html
func (r Route) Covers(key string, tags map[string]string) (covers, certain bool) {
	prefix, want := r.Filter()
	if !strings.HasPrefix(key, prefix) {
		return false, true
	}
	for _, t := range want {
		if tags == nil {
			return false, false
		}
		if v, ok := tags[t.Key]; !ok || v != t.Value {
			return false, true
		}
	}
	return true, true
}

// Filter is the rule's filter in one form: a literal prefix, and tags that an object must all have.
func (r Route) Filter() (prefix string, tags []snapshot.Tag) {
	text := func(p *string) {
		if p != nil {
			prefix = *p
		}
	}
	text(r.Rule.Prefix)
	if f := r.Rule.Filter; f != nil {
		text(f.Prefix)
		if f.Tag != nil {
			tags = append(tags, *f.Tag)
		}
		if f.And != nil {
			text(f.And.Prefix)
			tags = append(tags, f.And.Tags...)
		}
	}
	return prefix, tags
}

// ReplicatesDeleteMarkers says whether the rule sends delete markers on: rules of the first version, without Filter, do, and
// rules that filter by tags never.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/delete-marker-replication.html
func (r Route) ReplicatesDeleteMarkers() bool {
	if _, tags := r.Filter(); len(tags) > 0 {
		return false
	}
	if r.Rule.DeleteMarkerReplication != nil {
		return r.Rule.DeleteMarkerReplication.On()
	}
	return r.Rule.Filter == nil
}

// DefaultKey is the key of the destination bucket's default encryption, as text and resolved: what the replicas of objects
// without encryption get. The text is empty when the default uses none; known is false when the default is not in the snapshot.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/replication-config-for-kms-objects.html
func (r Route) DefaultKey(s *snapshot.Snapshot) (text string, key policy.ARN, rule snapshot.EncryptionRule, known bool) {
	text, rule, known = r.defaultKey(s)
	return text, ResolveKey(s, text, r.Partition, r.DestinationAccount, r.DestinationRegion), rule, known
}

// DefaultKey is that of the route, by the index of the world.
func (w *World) DefaultKey(r *Route) (text string, key policy.ARN, rule snapshot.EncryptionRule, known bool) {
	text, rule, known = r.defaultKey(w.Snapshot)
	return text, w.resolveKey(text, r.Partition, r.DestinationAccount, r.DestinationRegion), rule, known
}

func (r *Route) defaultKey(s *snapshot.Snapshot) (text string, rule snapshot.EncryptionRule, known bool) {
	encryption := s.Buckets[r.Destination].V.Encryption
	for _, rule := range encryption.V.Rules {
		d := rule.ApplyServerSideEncryptionByDefault
		if d == nil || d.SSEAlgorithm != SSEKMS && d.SSEAlgorithm != DSSEKMS {
			continue
		}
		return cmp.Or(d.KMSMasterKeyID, "alias/aws/s3"), rule, true
	}
	return "", snapshot.EncryptionRule{}, encryption.State != snapshot.Missing
}

// SelectsKMS says whether the rule opts in to KMS objects; without that S3 skips them in silence.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/replication-config-for-kms-objects.html
func (r Route) SelectsKMS() bool {
	c := r.Rule.SourceSelectionCriteria
	return c != nil && c.SseKmsEncryptedObjects.On()
}
