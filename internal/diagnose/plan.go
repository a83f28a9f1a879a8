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

// plan is the cheapest set of edits that cures what can be cured, proven by judging the patched snapshot. It is nil when nothing
// needs a cure, and when the edits would not mend the route: half a cure widens access and helps nobody.
func (e *examination) plan(before Verdict) *patch.Plan {
	if before == Healthy {
		return nil
	}
	first := e.cures()
	if len(first) == 0 {
		return nil
	}
	ways := e.ways(first)
	for i := range ways {
		if p := e.prove(&ways[i], before); p != nil {
			p.Alternatives = e.alternatives(ways, i)
			return p
		}
	}
	e.notWritable(ways)
	return nil
}

// prove is the plan of a way, or nil when AWS would not store one of its documents or the route would be no better for it.
func (e *examination) prove(w *way, before Verdict) *patch.Plan {
	p := patch.Plan{Class: patch.None, Proof: patch.Proof{Before: string(before)}, Cost: w.cost}
	patched := make(map[snapshot.Ref]snapshot.Value[policy.Document], len(w.documents))
	for _, ref := range w.documents {
		edit, fault := e.edit(ref, w.cures)
		if fault != "" {
			w.unwritable, w.fault = ref, fault
			return nil
		}
		p.Edits = append(p.Edits, edit)
		p.Class = patch.Stricter(p.Class, edit.Class)
		patched[edit.Document] = edit.After
	}
	after, unmet := e.judge(e.w.With(patched))
	if !better(before, after, e.unmet(), unmet) {
		return nil
	}
	p.Proof.After = string(after)
	if halves := p.Halves(); len(halves) > 1 {
		p.Owners = halves
	}
	return &p
}

// better says whether a cure is worth its edits. A route that still fails is not. One that loses less than before is, even when
// something else of it stays lost; where objects may still fail for what is left, nothing is granted in vain.
func better(before, after Verdict, unmetBefore, unmetAfter int) bool {
	switch {
	case after == Broken || after == Unknown:
		return false
	case after == Conditional && before == Conditional:
		return unmetAfter == 0 && unmetBefore > 0 // what is left is no permission
	default:
		return rank[after] < rank[before] || after == before && unmetAfter < unmetBefore
	}
}

// unmet is how many requirements are not met, as far as that matters to the verdict.
func (e *examination) unmet() int {
	n := 0
	for i := range e.asked {
		if denied, _ := e.asked[i].hurts(); denied {
			n++
		}
	}
	return n
}

func cures(f Finding) bool {
	return len(f.Grants) > 0 && f.Severity != Advice && (f.Remedy == patch.Automatic || f.Remedy == patch.Approval)
}

func editable(ref snapshot.Ref) snapshot.Ref {
	if ref.Kind == snapshot.RolePolicy || ref.Kind == snapshot.UserPolicy {
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

// edit adds to a document what the cures put there. The fault says why it cannot be written, or is empty.
func (e *examination) edit(ref snapshot.Ref, cures []cure) (edit patch.Edit, fault string) {
	out := patch.Edit{Document: ref, Before: e.document(ref), Class: patch.None, Account: e.owner(ref)}
	if out.Before.State == snapshot.Missing {
		return out, "it is not known, and what is not known is not overwritten"
	}
	var additions []addition
	for _, c := range cures {
		if !sameDocument(c.document, ref) {
			continue
		}
		out.Class = patch.Stricter(out.Class, c.class)
		if !slices.Contains(out.Cures, c.cause) {
			out.Cures = append(out.Cures, c.cause)
		}
		if !slices.Contains(out.Adds, c.tuple) {
			out.Adds = append(out.Adds, c.tuple)
		}
		additions = join(additions, c.tuple, c.conditions)
	}
	d := out.Before.V
	for _, a := range additions {
		s, err := a.statement(ref.Kind)
		if err != nil {
			return out, err.Error()
		}
		if d.Version != policy.Version2012 && !d.IsZero() && a.hasVariables() {
			return out, "it is of version 2008-10-17, which would read an escaped character of the rule's prefix as text"
		}
		if !slices.ContainsFunc(d.Statements, s.Equal) {
			d = d.Append(s)
		}
	}
	out.After = snapshot.Of(d)
	return out, out.Unwritable(e.otherInline(ref))
}

// otherInline is the size of the principal's inline policies but for that one.
func (e *examination) otherInline(ref snapshot.Ref) int {
	var inline map[string]policy.Document
	switch ref.Kind {
	case snapshot.RolePolicy:
		inline = e.w.Snapshot.Roles[e.subject.principal].V.Inline.V
	case snapshot.UserPolicy:
		inline = e.w.Snapshot.Users[e.subject.principal].V.Inline.V
	default:
	}
	total := 0
	for name := range inline {
		if name != ref.Name {
			total += e.document(snapshot.Ref{Kind: ref.Kind, ID: ref.ID, Name: name}).V.Size()
		}
	}
	return total
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
	case snapshot.SourceBucketPolicy, snapshot.DestinationBucketPolicy, snapshot.BucketPolicy:
		spec.Principals = role
	case snapshot.SourceKeyPolicy, snapshot.ReplicaKeyPolicy, snapshot.KeyPolicy:
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
	case snapshot.DestinationBucketPolicy, snapshot.SourceBucketPolicy, snapshot.BucketPolicy:
		return e.w.Snapshot.Buckets[ref.ID].V.Account
	default:
		if a, err := policy.ParseARN(ref.ID); err == nil {
			return a.Account
		}
		return ""
	}
}
