package diagnose

import (
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/replimend/replimend/internal/authz"
	"github.com/replimend/replimend/internal/patch"
	"github.com/replimend/replimend/internal/policy"
	"github.com/replimend/replimend/internal/route"
	"github.com/replimend/replimend/internal/snapshot"
)

// Proposal is a change that takes permissions away. People may make it; Replimend never does, and package guard refuses it.
type Proposal struct {
	Role       string   `json:"role"`
	Statements []string `json:"statements"` // that allow more than the routes need: "inline/name Sid"
	Routes     int      `json:"routes"`     // of the snapshot that the role serves
	Message    string   `json:"message"`
	// Edits adds what the routes need first and takes away after that, so that a stop in between harms nobody.
	Edits []patch.Edit `json:"edits"`
}

// narrower looks for roles that were given more than their routes need, as a hurried fix does: s3:* or a key of any name.
type narrower struct {
	w     *route.World
	roles map[policy.ARN]*wideRole // nil for roles that are narrow
}

// wideRole is a role with statements to narrow, and everything that its routes ask.
type wideRole struct {
	arn        policy.ARN
	statements []string
	stripped   map[string]policy.Document // inline policies without those statements, by name
	routes     []*examination
}

// see remembers the routes of wide roles.
func (n *narrower) see(e *examination) {
	if e.r.Role.IsZero() {
		return
	}
	role, seen := n.roles[e.r.Role]
	if !seen {
		role = widen(e.r.Role, n.w.Snapshot.Roles[e.r.Role].V.Inline.V)
		n.roles[e.r.Role] = role
	}
	if role != nil {
		role.routes = append(role.routes, e)
	}
}

// widen is the role with its wide statements, or nil when it has none.
func widen(arn policy.ARN, inline map[string]policy.Document) *wideRole {
	var out *wideRole
	for name, d := range inline {
		if !slices.ContainsFunc(d.Statements, wide) {
			continue
		}
		if out == nil {
			out = &wideRole{arn: arn, stripped: make(map[string]policy.Document)}
		}
		for i, s := range d.Statements {
			if wide(s) {
				out.statements = append(out.statements, "inline/"+name+" "+s.Name(i))
			}
		}
		out.stripped[name] = d.Without(func(_ int, s policy.Statement) bool { return wide(s) })
	}
	if out != nil {
		slices.Sort(out.statements)
	}
	return out
}

// dangers is actions that no replication role needs. A pattern that reaches one was not written for replication.
var dangers = []string{
	"s3:deleteobject", "s3:putbucketpolicy", "s3:putreplicationconfiguration", "kms:putkeypolicy", "kms:creategrant", "kms:schedulekeydeletion", "iam:passrole",
}

// wide says whether an Allow reaches further than a replication can need: an action that it never uses, or every bucket or key.
func wide(s policy.Statement) bool {
	if s.Effect != policy.Allow {
		return false
	}
	if s.Action.Not || s.Resource.Not {
		return true
	}
	ours := false
	for _, a := range s.Action.Values {
		a = strings.ToLower(a)
		ours = ours || strings.HasPrefix(a, "s3:") || strings.HasPrefix(a, "kms:")
		if strings.ContainsAny(a, "*?") && slices.ContainsFunc(dangers, func(d string) bool { ok, err := path.Match(a, d); return ok && err == nil }) {
			return true
		}
	}
	pinned := slices.ContainsFunc(s.Conditions, func(c policy.Condition) bool { return strings.EqualFold(c.Key, "kms:ViaService") })
	return ours && !pinned && slices.ContainsFunc(s.Resource.Values, func(r string) bool {
		return r == "*" || strings.HasSuffix(r, ":s3:::*") || strings.HasSuffix(r, ":key/*")
	})
}

// proposals is one proposal for every wide role whose routes would go on as before.
func (n *narrower) proposals() []Proposal {
	var out []Proposal
	for _, arn := range slices.SortedFunc(maps.Keys(n.roles), func(a, b policy.ARN) int { return strings.Compare(a.String(), b.String()) }) {
		if role := n.roles[arn]; role != nil {
			if p, ok := n.propose(role); ok {
				out = append(out, p)
			}
		}
	}
	return out
}

// propose takes the wide statements away, gives the role exactly what its routes lose by that, and proves that every request of
// every route is decided as before.
func (n *narrower) propose(role *wideRole) (Proposal, bool) {
	plan, ok := n.edits(role)
	if !ok {
		return Proposal{}, false
	}
	if !role.unchanged(n.with(plan.Edits)) {
		return Proposal{}, false
	}
	return Proposal{
		Role: role.arn.String(), Statements: role.statements, Routes: len(role.routes), Edits: plan.Edits,
		Message: fmt.Sprintf("role %s may do more than the replications of this snapshot need (%s); if it serves nothing else, these edits take the rest away, "+
			"and every request of these replications is decided as before. Replimend never makes them", role.arn, strings.Join(role.statements, ", ")),
	}, true
}

// with is the world after the edits.
func (n *narrower) with(edits []patch.Edit) *route.World {
	documents := make(map[snapshot.Ref]snapshot.Value[policy.Document], len(edits))
	for _, e := range edits {
		documents[e.Document] = e.After
	}
	return n.w.With(documents)
}

// edits is what narrows the role, the addition first.
func (n *narrower) edits(role *wideRole) (patch.Plan, bool) {
	var plan patch.Plan
	var removals []patch.Edit
	for _, name := range slices.Sorted(maps.Keys(role.stripped)) {
		ref := snapshot.Ref{Kind: snapshot.RolePolicy, ID: role.arn.String(), Name: name}
		removals = append(removals, patch.Edit{
			Document: ref, Before: n.w.Document(ref), After: present(role.stripped[name]), Account: role.arn.Account, Class: patch.Manual,
		})
	}
	bare := n.with(removals)
	needs := role.lost(bare)
	if len(needs) == 0 {
		plan.Edits = removals
		return plan, true
	}
	first := *role.routes[0]
	first.w = bare // what is added stands beside what is left
	ours, fault := first.edit(needs[0].document, needs)
	if fault != "" {
		return plan, false
	}
	ours.Class, ours.Cures = patch.Manual, nil
	if i := slices.IndexFunc(removals, func(e patch.Edit) bool { return e.Document == ours.Document }); i >= 0 {
		removals[i].After, removals[i].Adds = ours.After, ours.Adds
		plan.Edits = removals
		return plan, true
	}
	plan.Edits = append([]patch.Edit{ours}, removals...)
	return plan, true
}

func present(d policy.Document) snapshot.Value[policy.Document] {
	if d.IsZero() {
		return snapshot.None[policy.Document]()
	}
	return snapshot.Of(d)
}

// lost is what the routes are allowed now and would not be in the other world. Advice counts: what may be needed is kept.
func (role *wideRole) lost(bare *route.World) []cure {
	var out []cure
	seen := make(map[string]bool)
	for _, e := range role.routes {
		for i := range e.asked {
			a := &e.asked[i]
			layers := bare.Layers(a.Requirement)
			if a.decision.Outcome != authz.Allowed || authz.Decide(&a.Request, &layers).Outcome == authz.Allowed {
				continue
			}
			tuples, conditions := e.grant(denial{asked: a, layer: authz.LayerIdentity})
			for _, t := range tuples {
				key := fmt.Sprint(t, conditions) // one key can serve several buckets, each with a context of its own
				if seen[key] {
					continue
				}
				seen[key] = true
				out = append(out, cure{tuple: t, conditions: conditions, document: editable(a.Identity), class: patch.Manual})
			}
		}
	}
	return out
}

// unchanged says whether every request of every route is decided as before.
func (role *wideRole) unchanged(w *route.World) bool {
	for _, e := range role.routes {
		for i := range e.asked {
			a := &e.asked[i]
			layers := w.Layers(a.Requirement)
			if authz.Decide(&a.Request, &layers).Outcome != a.decision.Outcome {
				return false
			}
		}
	}
	return true
}
