package guard

import (
	"regexp"
	"slices"

	"github.com/replimend/replimend/internal/patch"
	"github.com/replimend/replimend/internal/policy"
	"github.com/replimend/replimend/internal/snapshot"
)

// document: only the policies of the route itself are edited: its role's, its destination bucket's, its keys'. Guardrails
// (boundaries, SCPs, RCPs), grants and every kind of configuration are for people.
var document = Rule{
	Name:    "document",
	Summary: "only policies of the route's own role, bucket and keys are edited",
	judge: func(q *inquiry) []objection {
		var out []objection
		for _, e := range q.plan.Edits {
			owner, ok := q.owner(e)
			switch {
			case !ok && q.isDefaultKey(e.Document):
				out = append(out, refuse("%s is the policy of the destination bucket's default key, which objects without encryption get: no approved route pins it, and it changes when the bucket's owner sets another; encrypt the objects, or grant it by hand", e.Document))
			case !ok:
				out = append(out, refuse("%s is not a document that may be edited for this route", e.Document))
			case e.Account != owner:
				out = append(out, refuse("%s: want the owner to be account %q, got %q", e.Document, owner, e.Account))
			}
			if e.Document.Kind == snapshot.RolePolicy && (len(e.Document.Name) > longestPolicyName || !policyName.MatchString(e.Document.Name)) {
				out = append(out, refuse("%q is not the name of an inline policy", e.Document.Name))
			}
		}
		return out
	},
}

// isDefaultKey says whether a document is the policy of the key that the destination bucket encrypts with by default.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/replication-config-for-kms-objects.html
func (q *inquiry) isDefaultKey(ref snapshot.Ref) bool {
	_, key, _, _ := q.route.DefaultKey(q.snapshot)
	return key.String() == ref.ID
}

// https://docs.aws.amazon.com/IAM/latest/APIReference/API_PutRolePolicy.html
const longestPolicyName = 128

var policyName = regexp.MustCompile(`^[A-Za-z0-9_+=,.@-]+$`)

// owner is the account that the edit's document belongs to, and whether it is a document of the route.
func (q *inquiry) owner(e patch.Edit) (string, bool) {
	r := q.route
	switch e.Document.Kind {
	case snapshot.RolePolicy, snapshot.RoleTrust:
		return r.Role.Account, !r.Role.IsZero() && e.Document.ID == r.Role.String()
	case snapshot.DestinationBucketPolicy:
		return r.DestinationAccount, e.Document.ID == r.Destination
	case snapshot.SourceKeyPolicy, snapshot.ReplicaKeyPolicy:
		key, err := policy.ParseARN(e.Document.ID)
		return key.Account, err == nil && (slices.Contains(q.sourceKeys(), key) || key == r.ReplicaKey)
	default:
		return "", false
	}
}
