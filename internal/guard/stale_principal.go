package guard

import (
	"github.com/replimend/replimend/internal/policy"
	"github.com/replimend/replimend/internal/snapshot"
)

// stalePrincipal: where a user or a role was deleted, AWS shows its unique id in the documents that named it. Such a document is
// in force, but is refused when it is written back, whatever was added to it: its owner must take the principal out first, and
// that may be a Deny that somebody relies on. A wildcard inside an ARN and a role that is not there are refused likewise.
//
// S3: https://repost.aws/knowledge-center/s3-invalid-principal-in-policy-error
// All: https://repost.aws/knowledge-center/iam-resource-policy-format
// KMS: https://docs.aws.amazon.com/kms/latest/APIReference/API_PutKeyPolicy.html
var stalePrincipal = Rule{
	Name:    "stale-principal",
	Summary: "a document that names a principal which is not there cannot be written back",
	judge: func(q *inquiry) []objection {
		var out []objection
		for _, e := range q.plan.Edits {
			for i, s := range e.Before.V.Statements {
				if s.Principal == nil {
					continue
				}
				for _, p := range s.Principal.Values {
					if fault := q.stale(p); fault != "" {
						out = append(out, refuse("%s: statement %s names %q, %s: AWS would refuse the whole document until its owner takes that out", e.Document, s.Name(i), p.Value, fault))
					}
				}
			}
		}
		return out
	},
}

// stale says what is wrong with a principal that a document names, "" for nothing that can be seen.
func (q *inquiry) stale(p policy.Principal) string {
	if p.IsUniqueID() {
		return "the unique id of a user or role that was deleted"
	}
	arn, _ := policy.ParseARN(p.Value) // the others name no role
	switch role, ok := q.snapshot.Roles[arn]; {
	case arn.HasWildcard():
		return "which is no principal: a wildcard inside an ARN stands for itself"
	case ok && role.State == snapshot.Absent:
		return "a role that does not exist"
	}
	return ""
}
