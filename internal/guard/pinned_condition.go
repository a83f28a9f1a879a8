package guard

import (
	"slices"
	"strings"

	"github.com/replimend/replimend/internal/patch"
	"github.com/replimend/replimend/internal/policy"
)

// The condition keys that an edit carries.
// https://docs.aws.amazon.com/kms/latest/developerguide/conditions-kms.html
const (
	viaService        = "kms:ViaService"
	encryptionContext = "kms:EncryptionContext:aws:s3:arn"
)

// pinnedCondition: what a role may do with a key it may do through S3 alone, in the Region of the bucket that the key serves,
// and for that bucket alone, as the encryption context names it. The policy of a key is no other: whatever it grants, it grants
// to the role itself. Other conditions are none that a plan has reason to write.
var pinnedCondition = Rule{
	Name:    "pinned-condition",
	Summary: "a grant on a key holds through S3 and for the key's own bucket only, and no condition is wider than the route",
	judge: func(q *inquiry) []objection {
		return q.each(func(e patch.Edit, s policy.Statement, name string) []objection {
			for _, c := range s.Conditions {
				if e.After.V.Version != policy.Version2012 && slices.ContainsFunc(c.Values, policy.HasVariables) {
					return []objection{refuse("%s: a document of version %q reads the condition values %q as plain text", name, e.After.V.Version, c.Values)}
				}
			}
			keys := q.keysOf(e, s)
			if len(keys) == 0 {
				return unpinned(s, name, nil)
			}
			ends := q.endsOf(e, s, keys)
			if len(ends) == 0 {
				return []objection{refuse("%s: its keys and actions are not those of one end of the route", name)}
			}
			best := unpinned(s, name, &ends[0])
			for _, end := range ends[1:] {
				if out := unpinned(s, name, &end); len(out) < len(best) {
					best = out
				}
			}
			return best
		})
	},
}

// end is one end of a route: what the conditions of a grant on its keys must say.
type end struct {
	keys    []policy.ARN
	on      []target // what actions on these keys are granted on
	service string   // S3 in the bucket's Region
	context []string // the bucket, and its objects that the rule covers
}

// endsOf is the ends of the route that all keys and all actions of a statement belong to. One key can serve both, with actions
// of its own at each. An action that belongs nowhere is the matter of another rule.
func (q *inquiry) endsOf(e patch.Edit, s policy.Statement, keys []policy.ARN) []end {
	r := q.route
	at := func(bucket, region string, keys []policy.ARN, on ...target) end {
		prefix, _ := r.Filter()
		return end{keys, on, s3In(r.Partition, region), []string{
			policy.BucketARN(r.Partition, bucket).String(), policy.ObjectARN(r.Partition, bucket, escape.Replace(prefix)+"*").String(),
		}}
	}
	var out []end
	for _, end := range []end{
		at(r.Source, r.SourceRegion, q.sourceKeys(), sourceKey, theSourceKey),
		at(r.Destination, r.DestinationRegion, []policy.ARN{r.ReplicaKey}, replicaKey, theReplicaKey),
	} {
		belongs := func(action string) bool {
			on := q.targets(e.Document.Kind, action)
			return len(on) == 0 || slices.ContainsFunc(on, func(t target) bool { return slices.Contains(end.on, t) })
		}
		if every(keys, func(k policy.ARN) bool { return slices.Contains(end.keys, k) }) && every(s.Action.Values, belongs) {
			out = append(out, end)
		}
	}
	return out
}

// unpinned is what a statement's conditions lack to pin it to an end of the route, or for nil, what they have too much.
func unpinned(s policy.Statement, name string, at *end) []objection {
	var out []objection
	for _, c := range s.Conditions {
		if at == nil || !at.mayCarry(c) {
			out = append(out, refuse("%s: condition %s %s [%s] is not one that pins it to the route", name, c.OperatorText(), c.Key, strings.Join(c.Values, ", ")))
		}
	}
	for _, key := range []string{viaService, encryptionContext} {
		if at != nil && !slices.ContainsFunc(s.Conditions, func(c policy.Condition) bool { return strings.EqualFold(c.Key, key) }) {
			out = append(out, refuse("%s: want a condition on %s", name, key))
		}
	}
	return out
}

// keysOf is the keys that a statement grants something on.
func (q *inquiry) keysOf(e patch.Edit, s policy.Statement) []policy.ARN {
	var out []policy.ARN
	for _, resource := range append(slices.Clone(s.Resource.Values), e.Document.ID) {
		if a, err := policy.ParseARN(resource); err == nil && a.Service == "kms" {
			out = append(out, a)
		}
	}
	return out
}

func (at *end) mayCarry(c policy.Condition) bool {
	if c.IfExists || c.Qualifier != policy.NoQualifier || len(c.Values) == 0 {
		return false
	}
	switch {
	case strings.EqualFold(c.Key, viaService):
		return c.Operator == policy.StringEquals && every(c.Values, func(v string) bool { return v == at.service })
	case strings.EqualFold(c.Key, encryptionContext):
		return (c.Operator == policy.StringEquals || c.Operator == policy.StringLike) &&
			every(c.Values, func(v string) bool { return slices.Contains(at.context, v) })
	default:
		return false
	}
}

func every[T any](values []T, ok func(T) bool) bool {
	return !slices.ContainsFunc(values, func(v T) bool { return !ok(v) })
}

// s3In is S3 in a Region, as KMS names it.
// https://docs.aws.amazon.com/kms/latest/developerguide/conditions-kms.html#conditions-kms-via-service
func s3In(partition, region string) string {
	suffix := "amazonaws.com"
	if partition == "aws-cn" {
		suffix = "amazonaws.com.cn"
	}
	return "s3." + region + "." + suffix
}
