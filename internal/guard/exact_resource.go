package guard

import (
	"slices"
	"strings"

	"github.com/replimend/replimend/internal/patch"
	"github.com/replimend/replimend/internal/policy"
	"github.com/replimend/replimend/internal/snapshot"
)

// exactResource: a grant lists what the route itself replicates from and to: its buckets, the objects that its rule covers,
// its keys. Every action is checked with every resource of its statement, as AWS combines them.
var exactResource = Rule{
	Name:    "exact-resource",
	Summary: "a grant lists only the route's own buckets and keys, each with the actions that belong to it",
	judge: func(q *inquiry) []objection {
		return q.each(func(e patch.Edit, s policy.Statement, name string) []objection {
			if e.Document.Kind == snapshot.RoleTrust {
				if len(s.Resource.Values) > 0 {
					return []objection{refuse("%s: a trust policy names no resource", name)}
				}
				return nil
			}
			if s.Resource.Not || len(s.Resource.Values) == 0 {
				return []objection{refuse("%s: want resources that are listed", name)}
			}
			var out []objection
			for _, resource := range s.Resource.Values {
				if policy.HasVariables(resource) && e.After.V.Version != policy.Version2012 {
					out = append(out, refuse("%s: a document of version %q reads %q as plain text", name, e.After.V.Version, resource))
				}
				for _, action := range s.Action.Values {
					on := q.targets(e.Document.Kind, action)
					if len(on) > 0 && !slices.ContainsFunc(on, func(t target) bool { return q.is(t, e, resource) }) {
						out = append(out, refuse("%s: %q is not what %s is needed on", name, resource, action))
					}
				}
			}
			return out
		})
	},
}

// is says whether a resource is exactly that target of the route.
func (q *inquiry) is(t target, e patch.Edit, resource string) bool {
	r := q.route
	switch t {
	case sourceBucket:
		return resource == policy.BucketARN(r.Partition, r.Source).String()
	case sourceObjects:
		return q.objects(r.Source, resource)
	case destinationObjects:
		return q.objects(r.Destination, resource)
	case sourceKey:
		return slices.ContainsFunc(q.sourceKeys(), func(key policy.ARN) bool { return resource == key.String() })
	case replicaKey:
		return !r.ReplicaKey.IsZero() && resource == r.ReplicaKey.String()
	case theSourceKey:
		return itself(e, resource) && q.is(sourceKey, e, e.Document.ID)
	case theReplicaKey:
		return itself(e, resource) && q.is(replicaKey, e, e.Document.ID)
	default:
		return false
	}
}

// itself says whether a resource is the key that a key policy belongs to. In a key policy * is that key and no other.
// https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-overview.html
func itself(e patch.Edit, resource string) bool { return resource == "*" || resource == e.Document.ID }

// objects says whether a resource is the objects of a bucket that the rule's prefix covers, all of them and no others.
func (q *inquiry) objects(bucket, resource string) bool {
	prefix, _ := q.route.Filter()
	return resource == policy.ObjectARN(q.route.Partition, bucket, escape.Replace(prefix)+"*").String()
}

// In a rule's prefix * and ? are characters; policies write them so.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html#policy-vars-specialchars
var escape = strings.NewReplacer("$", "${$}", "*", "${*}", "?", "${?}")
