package diagnose

import (
	"fmt"

	"github.com/replimend/replimend/internal/authz"
	"github.com/replimend/replimend/internal/patch"
	"github.com/replimend/replimend/internal/snapshot"
)

// permissionsBoundarySilent: the boundary does not allow the action, whatever the role's policies say. Boundaries are set to
// hold roles back, and nothing here widens one.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_boundaries.html
var permissionsBoundarySilent = Cause{
	Name:      "permissions-boundary-silent",
	Group:     OfTheOrganization,
	Summary:   "the role's permissions boundary does not allow the action",
	Side:      SourceSide,
	Documents: []snapshot.Kind{snapshot.PermissionsBoundary},
	Remedy:    patch.Manual,
	Recognise: func(e *examination, d denial) (Finding, bool) {
		if d.decision.Outcome != authz.ImplicitDeny || d.layer != authz.LayerBoundary {
			return Finding{}, false
		}
		return d.finding(e, fmt.Sprintf("the permissions boundary %s of %s does not allow %s on %s", d.ref(e).ID, e.subject, d.Request.Action, d.Request.Resource)), true
	},
}
