package diagnose

import (
	"fmt"
	"strings"

	"github.com/replimend/replimend/internal/authz"
	"github.com/replimend/replimend/internal/patch"
	"github.com/replimend/replimend/internal/policy"
	"github.com/replimend/replimend/internal/route"
	"github.com/replimend/replimend/internal/snapshot"
)

// principalMismatch: a statement is there for a role that looks like this one: the same name under another path, or the unique
// id that AWS leaves behind when a role is deleted and made again. A unique id may also mean that the role was replaced on
// purpose, so that a person decides then.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html
var principalMismatch = Cause{
	Name:      "principal-mismatch",
	Summary:   "a statement names a role of the same name under another path, or the unique id of a deleted role",
	Documents: []snapshot.Kind{snapshot.SourceBucketPolicy, snapshot.DestinationBucketPolicy, snapshot.SourceKeyPolicy, snapshot.ReplicaKeyPolicy},
	Remedy:    patch.Automatic,
	Recognise: func(e *examination, d denial) (Finding, bool) {
		if d.decision.Outcome != authz.ImplicitDeny || d.layer != authz.LayerResource || d.Need != route.Required {
			return Finding{}, false
		}
		for _, r := range d.expl.Reasons { // several statements can come equally near
			if r.Layer != d.layer || r.Miss == nil || r.Miss.Element != "Principal" {
				continue
			}
			want, unique, ok := e.lookalike(r.Miss.Want)
			if !ok {
				continue
			}
			f := d.cured(e, fmt.Sprintf("statement %s of %s allows %s to %s, but the %s is %s", r.Statement, r.Document, d.Request.Action, want, e.subject.noun, e.subject.text))
			if unique {
				f.Remedy = stricterApproval(f.Remedy)
				f.Message += "; a unique id stands where the " + e.subject.noun + " it meant was deleted"
			}
			return f, true
		}
		return Finding{}, false
	},
}

// lookalike is the first principal that may have been meant for the role, and whether it is a unique id.
func (e *examination) lookalike(principals []string) (principal string, unique, ok bool) {
	for _, want := range principals {
		a, err := policy.ParseARN(want)
		if err == nil && a.Account == e.subject.principal.Account && a.Name() == e.subject.principal.Name() && strings.HasPrefix(a.Resource, e.subject.noun+"/") {
			return want, false, true
		}
		if p := (policy.Principal{Kind: policy.PrincipalAWS, Value: want}); p.IsUniqueID() {
			return want, true, true
		}
	}
	return "", false, false
}

// stricterApproval keeps manual and makes everything else ask.
func stricterApproval(c patch.Class) patch.Class { return patch.Stricter(c, patch.Approval) }
