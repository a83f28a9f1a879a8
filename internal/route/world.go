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

	base    *World // what is not changed is compiled there; nil: this is no changed world
	changed map[snapshot.Ref]snapshot.Value[policy.Document]
}

// NewWorld prepares a snapshot.
func NewWorld(s *snapshot.Snapshot) *World {
	return &World{
		Snapshot: s, compiled: make(map[string]*authz.Policy), roles: make(map[policy.ARN]roleLayers),
		rcps: make(map[string][][]*authz.Policy), policies: make(map[snapshot.Ref]snapshot.Value[*authz.Policy]),
	}
}

// With is the world with those documents in place of its own. It shares everything else, so that it costs what it changes; its
// Snapshot is the one of before, and only Document knows the others.
func (w *World) With(documents map[snapshot.Ref]snapshot.Value[policy.Document]) *World {
	out := NewWorld(w.Snapshot)
	out.base, out.index, out.changed = w, w.look(), make(map[snapshot.Ref]snapshot.Value[policy.Document], len(documents))
	for ref, d := range documents {
		out.changed[sameKey(ref)] = d
	}
	return out
}

// sameKey is the ref of a document with one kind for key policies and one for bucket policies: one key can be the source's and
// the replica's.
func sameKey(ref snapshot.Ref) snapshot.Ref {
	switch {
	case ref.Kind.OfKey():
		ref.Kind = snapshot.KeyPolicy
	case ref.Kind == snapshot.SourceBucketPolicy || ref.Kind == snapshot.DestinationBucketPolicy:
		ref.Kind = snapshot.BucketPolicy
	}
	return ref
}

// Document is the policy document that ref points at.
func (w *World) Document(ref snapshot.Ref) snapshot.Value[policy.Document] {
	if d, ok := w.changed[sameKey(ref)]; ok {
		return d
	}
	if w.base != nil {
		return w.base.Document(ref)
	}
	return w.Snapshot.Document(ref)
}

// changes says whether a document of that kind and owner is another one than in the base.
func (w *World) changes(kind snapshot.Kind, id string) bool {
	for ref := range w.changed {
		if ref.Kind == kind && ref.ID == id {
			return true
		}
	}
	return false
}

// inline is the inline policies of a role or user.
func (w *World) inline(kind snapshot.Kind, arn policy.ARN, of map[string]policy.Document) map[string]policy.Document {
	if w.base == nil {
		return of
	}
	out := maps.Clone(w.base.inline(kind, arn, of))
	if out == nil {
		out = make(map[string]policy.Document)
	}
	for ref, d := range w.changed {
		switch {
		case ref.Kind != kind || ref.ID != arn.String():
		case d.State == snapshot.Present:
			out[ref.Name] = d.V
		default:
			delete(out, ref.Name)
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
	if w.base != nil {
		return w.base.compile(label, d)
	}
	p := authz.Compile(label, d)
	w.compiled[label] = p
	return p
}

// compileRef is compile for a document that may be another one than in the base.
func (w *World) compileRef(ref snapshot.Ref, d policy.Document) *authz.Policy {
	label := ref.String()
	if _, changed := w.changed[sameKey(ref)]; !changed {
		return w.compile(label, d)
	}
	p, ok := w.compiled[label]
	if !ok {
		p = authz.Compile(label, d)
		w.compiled[label] = p
	}
	return p
}

// role is the layers of a role. Those of a role that is not in the snapshot, or not read whole, are missing.
func (w *World) role(arn policy.ARN) roleLayers {
	if w.base != nil && !w.changes(snapshot.RolePolicy, arn.String()) {
		return w.base.role(arn)
	}
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
	inline := w.inline(snapshot.RolePolicy, arn, role.Inline.V)
	for _, name := range slices.Sorted(maps.Keys(inline)) {
		ref := snapshot.Ref{Kind: snapshot.RolePolicy, ID: arn.String(), Name: name}
		l.identity = append(l.identity, w.compileRef(ref, inline[name]))
	}
	for _, name := range slices.Sorted(maps.Keys(role.Attached.V)) {
		label := string(snapshot.RolePolicy) + " " + arn.String() + " attached/" + name
		l.identity = append(l.identity, w.compile(label, role.Attached.V[name]))
	}
	w.bound(&l, role.Boundary)
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
	switch p := &q.Request.Principal; {
	case !p.Issuer.IsZero():
		r := w.role(p.Issuer)
		l.Identity, l.Boundary, l.SCPs, l.Missing = r.identity, r.boundary, r.scps, r.missing
	case p.Kind == authz.User:
		r := w.user(p.ARN)
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
	if !q.Resource.Kind.OfKey() {
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
	if w.base != nil {
		return w.base.rcpsOf(account)
	}
	levels, ok := w.rcps[account]
	if !ok {
		levels = w.levels(snapshot.RCP, account, w.Snapshot.Guardrails[account].RCPs)
		w.rcps[account] = levels
	}
	return levels
}

// policy is the policy of a resource.
func (w *World) policy(ref snapshot.Ref) snapshot.Value[*authz.Policy] {
	if w.base != nil {
		if _, changed := w.changed[sameKey(ref)]; !changed {
			return w.base.policy(ref)
		}
	}
	out, ok := w.policies[ref]
	if !ok {
		d := w.Document(ref)
		if out.State = d.State; d.State == snapshot.Present {
			out.V = w.compileRef(ref, d.V)
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
