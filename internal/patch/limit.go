package patch

import (
	"bytes"
	"fmt"
	"unicode/utf8"

	"github.com/replimend/replimend/internal/policy"
	"github.com/replimend/replimend/internal/snapshot"
)

// The most that AWS stores of each kind of document. IAM counts characters without white space, and all inline policies of a
// role or user together; S3 and KMS count bytes.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/add-bucket-policy.html
// https://docs.aws.amazon.com/kms/latest/APIReference/API_PutKeyPolicy.html
const (
	inlineLimit       = 10_240
	userInlineLimit   = 2_048
	trustLimit        = 2_048
	raisedTrustLimit  = 4_096 // the most that the quota can be raised to
	bucketPolicyLimit = 20 << 10
	keyPolicyLimit    = 32 << 10
)

// Unwritable says why AWS would refuse to store the document that an edit leaves, or "" when nothing is known against it.
// Others is the size of the principal's other inline policies, which count together. AWS refuses a document whole, so that this
// has to be known before the first document of a plan is written.
func (e Edit) Unwritable(others int) string {
	if e.After.State != snapshot.Present {
		return ""
	}
	size, limit := e.After.V.Size(), 0
	switch e.Document.Kind {
	case snapshot.RolePolicy:
		size, limit = size+others, inlineLimit
	case snapshot.UserPolicy:
		size, limit = size+others, userInlineLimit
	case snapshot.RoleTrust:
		limit = trustLimit
		if e.Before.V.Size() > trustLimit {
			limit = raisedTrustLimit // somebody had the quota raised
		}
	case snapshot.SourceBucketPolicy, snapshot.DestinationBucketPolicy, snapshot.BucketPolicy:
		limit = bucketPolicyLimit
	case snapshot.SourceKeyPolicy, snapshot.ReplicaKeyPolicy, snapshot.KeyPolicy:
		limit = keyPolicyLimit
	default:
		return "it is no document that an edit may change"
	}
	if size > limit {
		return fmt.Sprintf("it would have %d characters, and AWS stores %d", size, limit)
	}
	if e.Document.Kind == snapshot.RolePolicy || e.Document.Kind == snapshot.UserPolicy {
		return foreignCharacter(e.After.V)
	}
	return stalePrincipal(e.After.V)
}

// foreignCharacter: IAM stores U+0020 to U+00FF and line breaks only, and the key prefix of a rule may hold anything.
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_PutRolePolicy.html
func foreignCharacter(d policy.Document) string {
	text, _ := d.MarshalJSON()
	i := bytes.IndexFunc(text, func(r rune) bool { return r > 0xFF })
	if i < 0 {
		return ""
	}
	r, _ := utf8.DecodeRune(text[i:])
	return fmt.Sprintf("it would hold the character %q, which IAM does not store in a policy", r)
}

// stalePrincipal: a document that names a principal that is gone is refused when it is stored again, and a unique id is what
// AWS shows in the place of such a principal.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html
func stalePrincipal(d policy.Document) string {
	for i, s := range d.Statements {
		if s.Principal == nil {
			continue
		}
		for _, p := range s.Principal.Values {
			if p.IsUniqueID() {
				return fmt.Sprintf("its statement %s names %s, the unique id of a principal that is gone, and AWS stores no document that names one", s.Name(i), p.Value)
			}
		}
	}
	return ""
}
