package diagnose

import (
	"fmt"

	"github.com/replimend/replimend/internal/patch"
	"github.com/replimend/replimend/internal/route"
	"github.com/replimend/replimend/internal/snapshot"
)

// documentNotWritable: the cure is known, and AWS would refuse to store the document that holds it. It is found where a plan is
// made, since no request shows it.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
var documentNotWritable = Cause{
	Name:      "document-not-writable",
	Group:     OfConditions,
	Summary:   "AWS would refuse to store the document with the cure: too long, a character it does not take, or a principal that is gone",
	Documents: []snapshot.Kind{snapshot.RolePolicy, snapshot.RoleTrust, snapshot.SourceBucketPolicy, snapshot.DestinationBucketPolicy, snapshot.SourceKeyPolicy, snapshot.ReplicaKeyPolicy, snapshot.UserPolicy, snapshot.BucketPolicy, snapshot.KeyPolicy},
	Remedy:    patch.Manual,
}

// notWritable says which document stands in the way of every plan. What it would have cured is then a person's work.
func (e *examination) notWritable(ways []way) {
	w := ways[0] // the others are dearer, and fail for it or for a document of their own
	if w.fault == "" {
		return
	}
	for i := range e.findings {
		if f := &e.findings[i]; cures(*f) {
			f.Remedy = patch.Manual
		}
	}
	side := SourceSide
	switch w.unwritable.Kind {
	case snapshot.DestinationBucketPolicy, snapshot.ReplicaKeyPolicy:
		side = DestinationSide
	case snapshot.BucketPolicy, snapshot.KeyPolicy:
		side = ResourceSide
	default:
		if e.access != nil {
			side = PrincipalSide
		}
	}
	e.add(Finding{
		Cause: documentNotWritable.Name, Side: side, Document: w.unwritable, Severity: Warning, Evidence: route.Documented, Remedy: patch.Manual,
		Message: fmt.Sprintf("%s cannot take what is missing: %s", w.unwritable, w.fault),
	})
}
