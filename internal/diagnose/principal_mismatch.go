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
// purpose, and AWS refuses to save a document that still has it, so that nothing can be added: a person replaces it.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html
var principalMismatch = Cause{
	Name:      "principal-mismatch",
	Group:     OfConditions,
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
			message := fmt.Sprintf("statement %s of %s allows %s to %s, but the %s is %s", r.Statement, r.Document, d.Request.Action, want, e.subject.noun, e.subject.text)
			if unique {
				return d.finding(e, message+"; a unique id stands where the "+e.subject.noun+" that it meant was deleted, and AWS refuses to save the document while it is there. "+
					fmt.Sprintf("If the %s is meant, replace \"AWS\": %q by \"AWS\": %q in that statement", e.subject.noun, want, e.subject.text)), true
			}
			return d.cured(e, message), true
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
