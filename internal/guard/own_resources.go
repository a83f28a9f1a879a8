package guard

import (
	"strings"

	"github.com/replimend/replimend/internal/patch"
	"github.com/replimend/replimend/internal/policy"
	"github.com/replimend/replimend/internal/snapshot"
)

// ownPath is the path of Replimend's own roles, which need not be named in the settings.
const ownPath = "role/replimend/"

// ownResources: what Replimend could change about itself, somebody who misleads it could change. A route whose role is one of
// Replimend's grants it something, whatever document is edited.
var ownResources = Rule{
	Name:    "own-resources",
	Summary: "nothing that belongs to Replimend itself is edited, and nothing is granted to it",
	judge: func(q *inquiry) []objection {
		var out []objection
		if q.own(q.route.Role) {
			out = append(out, refuse("role %s belongs to Replimend itself: nothing is granted to it", q.route.Role))
		}
		for _, e := range q.plan.Edits {
			if arn, ok := q.subjectOf(e); ok && arn != q.route.Role && q.own(arn) {
				out = append(out, refuse("%s belongs to Replimend itself", e.Document))
			}
		}
		return out
	},
}

// subjectOf is the ARN of what an edit's document belongs to.
func (q *inquiry) subjectOf(e patch.Edit) (policy.ARN, bool) {
	switch e.Document.Kind {
	case snapshot.SourceBucketPolicy, snapshot.DestinationBucketPolicy:
		return policy.BucketARN(q.route.Partition, e.Document.ID), true
	default:
		arn, err := policy.ParseARN(e.Document.ID)
		return arn, err == nil
	}
}

func (q *inquiry) own(arn policy.ARN) bool {
	if strings.HasPrefix(arn.Resource, ownPath) {
		return true
	}
	if q.settings == nil {
		return false
	}
	for _, pattern := range q.settings.Self {
		if policy.Star(pattern.String(), arn.String()) {
			return true
		}
	}
	return false
}
