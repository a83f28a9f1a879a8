package diagnose

import (
	"strings"

	"github.com/replimend/replimend/internal/patch"
	"github.com/replimend/replimend/internal/route"
	"github.com/replimend/replimend/internal/snapshot"
)

// conditionMismatch: an Allow is there, but one of its other conditions does not hold for S3's requests. The condition may be
// meant, so that a person decides.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition.html
var conditionMismatch = Cause{
	Name:      "condition-mismatch",
	Group:     OfConditions,
	Summary:   "an Allow is there, but another of its conditions does not hold for S3's requests",
	Documents: []snapshot.Kind{snapshot.RolePolicy, snapshot.SourceBucketPolicy, snapshot.DestinationBucketPolicy, snapshot.SourceKeyPolicy, snapshot.ReplicaKeyPolicy},
	Remedy:    patch.Approval,
	Recognise: func(e *examination, d denial) (Finding, bool) {
		if d.Need != route.Required || d.Hop == route.AssumeRole || !d.mismatch(func(string) bool { return true }) {
			return Finding{}, false
		}
		note := ""
		if strings.HasPrefix(strings.ToLower(d.reason.Miss.Key), "s3:x-amz-server-side-encryption") {
			note = "; the replica's encryption counts here, and its key in the form of an ARN"
		}
		f := d.cured(e, d.neverMatches(note))
		f.Remedy = stricterApproval(f.Remedy)
		return f, true
	},
}
