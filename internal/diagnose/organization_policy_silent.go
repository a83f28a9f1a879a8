package diagnose

import (
	"fmt"

	"github.com/replimend/replimend/internal/authz"
	"github.com/replimend/replimend/internal/patch"
	"github.com/replimend/replimend/internal/snapshot"
)

// organizationPolicySilent: an SCP or RCP level does not allow the action. Each level from the root to the account must.
// https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_scps_evaluation.html
var organizationPolicySilent = Cause{
	Name:      "organization-policy-silent",
	Group:     OfTheOrganization,
	Summary:   "a level of the organization's SCPs or RCPs does not allow the action",
	Documents: []snapshot.Kind{snapshot.SCP, snapshot.RCP},
	Remedy:    patch.Manual,
	Recognise: func(e *examination, d denial) (Finding, bool) {
		if d.decision.Outcome != authz.ImplicitDeny || d.layer != authz.LayerSCP && d.layer != authz.LayerRCP {
			return Finding{}, false
		}
		return d.finding(e, fmt.Sprintf("the organization's policies over account %s do not allow %s at every level: %s", d.ref(e).ID, d.Request.Action, d.reason.Text)), true
	},
}
