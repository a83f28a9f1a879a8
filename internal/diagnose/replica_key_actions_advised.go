package diagnose

import (
	"github.com/replimend/replimend/internal/patch"
	"github.com/replimend/replimend/internal/route"
	"github.com/replimend/replimend/internal/snapshot"
)

// replicaKeyActionsAdvised: without Bucket Keys, kms:GenerateDataKey on the replica key is listed by one page and was not
// needed in a reported test. It is advice, never a fault.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/replication-troubleshoot.html
// https://github.com/awslabs/landing-zone-accelerator-on-aws/issues/1144
var replicaKeyActionsAdvised = Cause{
	Name:      "replica-key-actions-advised",
	Group:     OfKeys,
	Summary:   "kms:GenerateDataKey on the replica key is missing; one page lists it, a test replicated without it",
	Documents: []snapshot.Kind{snapshot.RolePolicy, snapshot.ReplicaKeyPolicy},
	Remedy:    patch.None,
	Recognise: func(e *examination, d denial) (Finding, bool) {
		if d.Need != route.Advisory {
			return Finding{}, false
		}
		f := d.finding(e, d.lacks(e))
		f.Remedy, f.Severity = patch.None, Advice
		return f, true
	},
}
