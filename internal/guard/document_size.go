package guard

import (
	"github.com/replimend/replimend/internal/snapshot"
)

// The limits of a document. IAM does not count white space, and neither is any written; the others count bytes.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/add-bucket-policy.html
// https://docs.aws.amazon.com/kms/latest/APIReference/API_PutKeyPolicy.html
const (
	maxInline      = 10_240 // of all inline policies of a role together
	maxTrust       = 2_048
	maxRaisedTrust = 4_096 // the most that the quota can be raised to
	maxBucket      = 20 << 10
	maxKey         = 32 << 10
)

// documentSize: a document that AWS would not take is not sent, because the refusal comes after half of a plan is written.
var documentSize = Rule{
	Name:    "document-size",
	Summary: "no document grows beyond what AWS stores",
	judge: func(q *inquiry) []objection {
		var out []objection
		for _, e := range q.plan.Edits {
			size, limit := e.After.V.Size(), 0
			switch e.Document.Kind {
			case snapshot.RolePolicy:
				others, known := q.otherInline(e.Document)
				if !known {
					out = append(out, refuse("the inline policies of %s are not known", e.Document.ID))
				}
				size, limit = size+others, maxInline
			case snapshot.RoleTrust:
				limit = maxRaisedTrust
				if size > maxTrust && size <= limit && e.Before.V.Size() <= maxTrust {
					out = append(out, ask("%s would have %d bytes, and IAM takes %d unless the account has the quota raised", e.Document, size, maxTrust))
				}
			case snapshot.DestinationBucketPolicy:
				limit = maxBucket
			case snapshot.SourceKeyPolicy, snapshot.ReplicaKeyPolicy:
				limit = maxKey
			default:
				continue
			}
			if size > limit {
				out = append(out, refuse("%s would have %d bytes, the limit is %d", e.Document, size, limit))
			}
		}
		return out
	},
}

// otherInline is the size of the role's other inline policies as they will be, and whether they are known.
func (q *inquiry) otherInline(ref snapshot.Ref) (int, bool) {
	inline := q.snapshot.Roles[q.route.Role].V.Inline
	total := 0
	for name, d := range inline.V {
		if name != ref.Name {
			total += d.Size()
		}
	}
	for _, e := range q.plan.Edits {
		if e.Document.Kind == ref.Kind && e.Document.Name != ref.Name {
			total += e.After.V.Size() - e.Before.V.Size()
		}
	}
	return total, inline.State != snapshot.Missing
}
