package diagnose

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"

	"github.com/replimend/replimend/internal/patch"
	"github.com/replimend/replimend/internal/policy"
	"github.com/replimend/replimend/internal/snapshot"
)

// PolicyName is the name of the inline policy that holds every statement added to a role. It stands beside the role's own
// policies, so that an edit never rewrites what somebody else wrote and undoing it is deleting or restoring this one.
const PolicyName = "Replimend"

// plan is the smallest set of edits that cures what can be cured, proven by judging the patched snapshot. It is nil when
// nothing needs a cure, and when the edits would not mend the route: half a cure widens access and helps nobody.
func (e *examination) plan(before Verdict) *patch.Plan {
	if before == Healthy {
		return nil
	}
	p := patch.Plan{Class: patch.None, Proof: patch.Proof{Before: string(before)}}
	documents := e.curable()
	for _, ref := range documents {
		edit, ok := e.edit(ref)
		if !ok {
			return nil
		}
		p.Edits = append(p.Edits, edit)
		p.Class = patch.Stricter(p.Class, edit.Class)
	}
	if len(p.Edits) == 0 {
		return nil
	}
	patched := make(map[snapshot.Ref]snapshot.Value[policy.Document], len(p.Edits))
	for _, edit := range p.Edits {
		patched[edit.Document] = edit.After
	}
	after := e.judge(e.w.With(patched))
	if rank[after] >= rank[before] || after == Broken || after == Unknown {
		return nil
	}
	p.Proof.After = string(after)
	return &p
}

// curable is the documents that cures would change, in the order in which S3 asks them.
func (e *examination) curable() []snapshot.Ref {
	var out []snapshot.Ref
	for _, f := range e.findings {
		ref := editable(f.Document)
		if cures(f) && !slices.ContainsFunc(out, func(o snapshot.Ref) bool { return sameDocument(o, ref) }) {
			out = append(out, ref)
		}
	}
	return out
}

func cures(f Finding) bool {
	return len(f.Grants) > 0 && f.Severity != Advice && (f.Remedy == patch.Automatic || f.Remedy == patch.Approval)
}

func editable(ref snapshot.Ref) snapshot.Ref {
	if ref.Kind == snapshot.RolePolicy {
		ref.Name = PolicyName
	}
	return ref
}

// sameDocument says whether two refs are one document: a key can be the source objects' and the replicas'.
func sameDocument(a, b snapshot.Ref) bool {
	isKey := func(k snapshot.Kind) bool { return k == snapshot.SourceKeyPolicy || k == snapshot.ReplicaKeyPolicy }
	return a == b || a.ID == b.ID && isKey(a.Kind) && isKey(b.Kind)
}

// addition is one statement in the making: everything that one document grants on one resource under one set of conditions.
type addition struct {
	principal, resource string
	actions             []string
	conditions          []policy.Condition
}

func (e *examination) edit(ref snapshot.Ref) (patch.Edit, bool) {
	out := patch.Edit{Document: ref, Before: e.document(ref), Class: patch.None, Account: e.owner(ref)}
	if out.Before.State == snapshot.Missing {
		return out, false
	}
	var additions []addition
	for _, f := range e.findings {
		if !cures(f) || !sameDocument(editable(f.Document), ref) {
			continue
		}
		out.Class = patch.Stricter(out.Class, f.Remedy)
		if !slices.Contains(out.Cures, f.Cause) {
			out.Cures = append(out.Cures, f.Cause)
		}
		for _, t := range f.Grants {
			if !slices.Contains(out.Adds, t) {
				out.Adds = append(out.Adds, t)
			}
			additions = join(additions, t, f.Conditions)
		}
	}
	d := out.Before.V
	for _, a := range additions {
		s, err := a.statement(ref.Kind)
		if err != nil || d.Version != policy.Version2012 && !d.IsZero() && a.hasVariables() {
			return out, false // an older document would read an escaped character as text
		}
		if !slices.ContainsFunc(d.Statements, s.Equal) {
			d = d.Append(s)
		}
	}
	out.After = snapshot.Of(d)
	return out, true
}

func join(to []addition, t patch.Tuple, conditions []policy.Condition) []addition {
	for i := range to {
		if to[i].principal == t[0] && to[i].resource == t[2] && slices.EqualFunc(to[i].conditions, conditions, sameCondition) {
			if !slices.Contains(to[i].actions, t[1]) {
				to[i].actions = append(to[i].actions, t[1])
			}
			return to
		}
	}
	return append(to, addition{t[0], t[2], []string{t[1]}, conditions})
}

func sameCondition(a, b policy.Condition) bool {
	return a.OperatorText() == b.OperatorText() && a.Key == b.Key && slices.Equal(a.Values, b.Values)
}

// hasVariables says whether the statement escapes a character, which only the current version of the language understands.
func (a addition) hasVariables() bool {
	return policy.HasVariables(a.resource) || slices.ContainsFunc(a.conditions, func(c policy.Condition) bool {
		return slices.ContainsFunc(c.Values, policy.HasVariables)
	})
}

// statement builds the Allow: the exact principal where the document names principals, the exact actions and resource.
func (a addition) statement(kind snapshot.Kind) (policy.Statement, error) {
	spec := policy.StatementSpec{Sid: a.sid(), Effect: policy.Allow, Actions: a.actions, Resources: []string{a.resource}, Conditions: a.conditions}
	role := []policy.Principal{{Kind: policy.PrincipalAWS, Value: a.principal}}
	switch kind {
	case snapshot.RoleTrust:
		spec.Principals, spec.Resources = []policy.Principal{{Kind: policy.PrincipalService, Value: a.principal}}, nil
	case snapshot.SourceBucketPolicy, snapshot.DestinationBucketPolicy:
		spec.Principals = role
	case snapshot.SourceKeyPolicy, snapshot.ReplicaKeyPolicy:
		spec.Principals, spec.Resources = role, []string{"*"} // in a key policy * is the key itself
	default:
	}
	return spec.Build()
}

// sid is recognisable, valid in IAM (letters and digits only), and the same for the same grant, so that a plan that is made
// twice is the same plan.
func (a addition) sid() string {
	text := a.principal + "\n" + strings.Join(a.actions, ",") + "\n" + a.resource
	for _, c := range a.conditions {
		text += "\n" + c.OperatorText() + " " + c.Key + " " + strings.Join(c.Values, ",")
	}
	sum := sha256.Sum256([]byte(text))
	return "Replimend" + purpose(a.actions[0]) + strings.ToUpper(hex.EncodeToString(sum[:4]))
}

// purpose is the first action without its service: ReplicateObject, Decrypt.
func purpose(action string) string {
	_, name, _ := strings.Cut(action, ":")
	return name
}

// owner is the account that a document belongs to.
func (e *examination) owner(ref snapshot.Ref) string {
	switch ref.Kind {
	case snapshot.DestinationBucketPolicy, snapshot.SourceBucketPolicy:
		return e.w.Snapshot.Buckets[ref.ID].V.Account
	default:
		if a, err := policy.ParseARN(ref.ID); err == nil {
			return a.Account
		}
		return ""
	}
}
