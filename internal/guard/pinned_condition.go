package guard

import (
	"slices"
	"strings"

	"github.com/replimend/replimend/internal/patch"
	"github.com/replimend/replimend/internal/policy"
	"github.com/replimend/replimend/internal/snapshot"
)

// The condition keys that an edit carries.
// https://docs.aws.amazon.com/kms/latest/developerguide/conditions-kms.html
const (
	viaService        = "kms:ViaService"
	encryptionContext = "kms:EncryptionContext:aws:s3:arn"
)

// pinnedCondition: what a role may do with a key it may do through S3 alone, in the Region of the key, and where the
// encryption context is named, for the route's own bucket. Other conditions are none that a plan has reason to write.
var pinnedCondition = Rule{
	Name:    "pinned-condition",
	Summary: "a role's grant on a key holds through S3 only, and no condition is wider than the route",
	judge: func(q *inquiry) []objection {
		return q.each(func(e patch.Edit, s policy.Statement, name string) []objection {
			var out []objection
			keys := q.keysOf(e, s)
			pinned := false
			for _, c := range s.Conditions {
				if !q.mayCarry(c, keys) {
					out = append(out, refuse("%s: condition %s %s [%s] is not one that pins it to the route", name, c.OperatorText(), c.Key, strings.Join(c.Values, ", ")))
				}
				pinned = pinned || strings.EqualFold(c.Key, viaService)
			}
			if len(keys) > 0 && !pinned && e.Document.Kind == snapshot.RolePolicy {
				out = append(out, refuse("%s: want a condition on %s", name, viaService))
			}
			return out
		})
	},
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

func (q *inquiry) mayCarry(c policy.Condition, keys []policy.ARN) bool {
	if c.IfExists || c.Qualifier != policy.NoQualifier || len(c.Values) == 0 || len(keys) == 0 {
		return false
	}
	switch {
	case strings.EqualFold(c.Key, viaService):
		return (c.Operator == policy.StringEquals || c.Operator == policy.StringLike) && every(c.Values, func(v string) bool {
			return slices.ContainsFunc(keys, func(k policy.ARN) bool { return v == s3In(k) })
		})
	case strings.EqualFold(c.Key, encryptionContext):
		return slices.Contains([]policy.Operator{policy.StringEquals, policy.StringLike, policy.ARNEquals, policy.ARNLike}, c.Operator) &&
			every(c.Values, func(v string) bool {
				return slices.ContainsFunc([]string{q.route.Source, q.route.Destination}, func(bucket string) bool {
					return v == policy.BucketARN(q.route.Partition, bucket).String() || q.objects(bucket, v)
				})
			})
	default:
		return false
	}
}

func every(values []string, ok func(string) bool) bool {
	return !slices.ContainsFunc(values, func(v string) bool { return !ok(v) })
}

// s3In is S3 in a key's Region, as KMS names it.
// https://docs.aws.amazon.com/kms/latest/developerguide/conditions-kms.html#conditions-kms-via-service
func s3In(key policy.ARN) string {
	suffix := "amazonaws.com"
	if key.Partition == "aws-cn" {
		suffix = "amazonaws.com.cn"
	}
	return "s3." + key.Region + "." + suffix
}
