package route

import (
	"maps"
	"slices"

	"github.com/replimend/replimend/internal/authz"
	"github.com/replimend/replimend/internal/policy"
	"github.com/replimend/replimend/internal/snapshot"
)

// World is a snapshot whose documents are compiled once, however many routes share them. It is not safe for concurrent use.
type World struct {
	Snapshot *snapshot.Snapshot
	compiled map[string]*authz.Policy // by label
	roles    map[policy.ARN]roleLayers
	rcps     map[string][][]*authz.Policy                   // by account
	policies map[snapshot.Ref]snapshot.Value[*authz.Policy] // of resources
	index    *index                                         // nil: nobody asked yet
}

// NewWorld prepares a snapshot.
func NewWorld(s *snapshot.Snapshot) *World {
	return &World{
		Snapshot: s, compiled: make(map[string]*authz.Policy), roles: make(map[policy.ARN]roleLayers),
		rcps: make(map[string][][]*authz.Policy), policies: make(map[snapshot.Ref]snapshot.Value[*authz.Policy]),
	}
}

// Patched is the world of another snapshot that differs in those documents only: the rest stays compiled.
func (w *World) Patched(s *snapshot.Snapshot, changed []snapshot.Ref) *World {
	out := NewWorld(s)
	maps.Copy(out.compiled, w.compiled)
	for _, ref := range changed {
		delete(out.compiled, ref.String())
		// One key can be the source's and the replica's.
		switch ref.Kind {
		case snapshot.SourceKeyPolicy, snapshot.ReplicaKeyPolicy:
			delete(out.compiled, snapshot.Ref{Kind: snapshot.SourceKeyPolicy, ID: ref.ID}.String())
			delete(out.compiled, snapshot.Ref{Kind: snapshot.ReplicaKeyPolicy, ID: ref.ID}.String())
		default:
		}
	}
	return out
}

// roleLayers is what a role brings to every request that it makes.
type roleLayers struct {
	identity, boundary []*authz.Policy
	scps               [][]*authz.Policy
	missing            authz.LayerSet
}

func (w *World) compile(label string, d policy.Document) *authz.Policy {
	if p, ok := w.compiled[label]; ok {
		return p
	}
	p := authz.Compile(label, d)
	w.compiled[label] = p
	return p
}

// role is the layers of a role. Those of a role that is not in the snapshot, or not read whole, are missing.
func (w *World) role(arn policy.ARN) roleLayers {
	if l, ok := w.roles[arn]; ok {
		return l
	}
	var l roleLayers
	role, ok := w.Snapshot.Roles[arn].Get()
	if !ok {
		l.missing = authz.SetOf(authz.LayerIdentity, authz.LayerBoundary)
		return l
	}
	if role.Inline.State == snapshot.Missing || role.Attached.State == snapshot.Missing {
		l.missing |= authz.SetOf(authz.LayerIdentity)
	}
	for _, name := range slices.Sorted(maps.Keys(role.Inline.V)) {
		ref := snapshot.Ref{Kind: snapshot.RolePolicy, ID: arn.String(), Name: name}
		l.identity = append(l.identity, w.compile(ref.String(), role.Inline.V[name]))
	}
	for _, name := range slices.Sorted(maps.Keys(role.Attached.V)) {
		label := string(snapshot.RolePolicy) + " " + arn.String() + " attached/" + name
		l.identity = append(l.identity, w.compile(label, role.Attached.V[name]))
	}
	if b, ok := role.Boundary.Get(); ok {
		l.boundary = []*authz.Policy{w.compile(snapshot.Ref{Kind: snapshot.PermissionsBoundary, ID: b.ARN}.String(), b.Document)}
	}
	if role.Boundary.State == snapshot.Missing {
		l.missing |= authz.SetOf(authz.LayerBoundary)
	}
	// Organization policies that nobody could read are taken not to be in force; package diagnose says so out loud. They can
	// only deny, so that the assumption can hide a denial but never justify a grant.
	l.scps = w.levels(snapshot.SCP, arn.Account, w.Snapshot.Guardrails[arn.Account].SCPs)
	w.roles[arn] = l
	return l
}

func (w *World) levels(kind snapshot.Kind, account string, v snapshot.Value[[][]policy.Document]) [][]*authz.Policy {
	levels, ok := v.Get()
	if !ok {
		return nil
	}
	out := make([][]*authz.Policy, len(levels))
	for i, level := range levels {
		out[i] = make([]*authz.Policy, len(level))
		for k, d := range level {
			label := snapshot.Ref{Kind: kind, ID: account}.String() + " level " + digits(i+1) + " policy " + digits(k+1)
			out[i][k] = w.compile(label, d)
		}
	}
	return out
}

func digits(n int) string {
	if n < 10 {
		return string(rune('0' + n))
	}
	return digits(n/10) + digits(n%10)
}

// Layers is every policy of this world that decides the requirement.
func (w *World) Layers(q *Requirement) authz.Layers {
	var l authz.Layers
	if role := q.Request.Principal.Issuer; !role.IsZero() {
		r := w.role(role)
		l.Identity, l.Boundary, l.SCPs, l.Missing = r.identity, r.boundary, r.scps, r.missing
	}
	d := w.policy(q.Resource)
	l.Resource = d.V
	if d.State == snapshot.Missing {
		l.Missing |= authz.SetOf(authz.LayerResource)
	}
	if q.Request.ResourceAccount == "" {
		// Whose it is decides which policies must allow: without the owner nothing is certain.
		l.Missing |= authz.SetOf(authz.LayerIdentity, authz.LayerResource)
	}
	if q.Resource.Kind != snapshot.SourceKeyPolicy && q.Resource.Kind != snapshot.ReplicaKeyPolicy {
		l.RCPs = w.rcpsOf(q.Request.ResourceAccount)
		return l
	}
	key := w.Snapshot.Keys[q.Request.Resource]
	if key.V.Manager != "AWS" { // RCPs do not reach AWS managed keys
		l.RCPs = w.rcpsOf(q.Request.ResourceAccount)
	}
	if key.State != snapshot.Present || key.V.Grants.State == snapshot.Missing {
		l.Missing |= authz.SetOf(authz.LayerGrant)
	}
	l.Grants = grants(key.V.Grants.V)
	return l
}

func (w *World) rcpsOf(account string) [][]*authz.Policy {
	levels, ok := w.rcps[account]
	if !ok {
		levels = w.levels(snapshot.RCP, account, w.Snapshot.Guardrails[account].RCPs)
		w.rcps[account] = levels
	}
	return levels
}

// policy is the policy of a resource.
func (w *World) policy(ref snapshot.Ref) snapshot.Value[*authz.Policy] {
	out, ok := w.policies[ref]
	if !ok {
		d := w.Snapshot.Document(ref)
		if out.State = d.State; d.State == snapshot.Present {
			out.V = w.compile(ref.String(), d.V)
		}
		w.policies[ref] = out
	}
	return out
}

// grants is the grants of a key as the evaluator takes them.
func grants(of []snapshot.Grant) []authz.Grant {
	out := make([]authz.Grant, len(of))
	for i, g := range of {
		out[i] = authz.Grant{ID: g.GrantID, Grantee: g.GranteePrincipal, Operations: g.Operations}
		if c := g.Constraints; c != nil {
			out[i].Subset, out[i].Equals, out[i].SourceARN = c.EncryptionContextSubset, c.EncryptionContextEquals, c.SourceArn
		}
	}
	return out
}
