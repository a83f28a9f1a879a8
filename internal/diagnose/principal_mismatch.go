package diagnose

import (
	"fmt"
	"strings"

	"github.com/replimend/replimend/internal/authz"
	"github.com/replimend/replimend/internal/patch"
	"github.com/replimend/replimend/internal/policy"
	"github.com/replimend/replimend/internal/route"
)

// principalMismatch: a statement is there for a role that looks like this one: the same name under another path, or the unique
// id that AWS leaves behind when a role is deleted and made again. A unique id may also mean that the role was replaced on
// purpose, so that a person decides then.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html
var principalMismatch = Cause{
	Name:    "principal-mismatch",
	Summary: "a statement names a role of the same name under another path, or the unique id of a deleted role",
	Recognise: func(e *examination, d denial) (Finding, bool) {
		m := d.reason.Miss
		if d.decision.Outcome != authz.ImplicitDeny || d.layer != authz.LayerResource || d.Need != route.Required || m == nil || m.Element != "Principal" {
			return Finding{}, false
		}
		for _, want := range m.Want {
			p := policy.Principal{Kind: policy.PrincipalAWS, Value: want}
			a, err := policy.ParseARN(want)
			sameName := err == nil && a.Account == e.r.Role.Account && a.Name() == e.r.Role.Name() && strings.HasPrefix(a.Resource, "role/")
			if !sameName && !p.IsUniqueID() {
				continue
			}
			f := d.cured(e, fmt.Sprintf("statement %s of %s allows %s to %s, but the role is %s", d.reason.Statement, d.reason.Document, d.Request.Action, want, e.r.RoleText))
			if p.IsUniqueID() {
				f.Remedy = stricterApproval(f.Remedy)
				f.Message += "; a unique id stands where the role it meant was deleted"
			}
			return f, true
		}
		return Finding{}, false
	},
}

// stricterApproval keeps manual and makes everything else ask.
func stricterApproval(c patch.Class) patch.Class { return patch.Stricter(c, patch.Approval) }
