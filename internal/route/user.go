package route

import (
	"maps"
	"slices"

	"github.com/replimend/replimend/internal/authz"
	"github.com/replimend/replimend/internal/policy"
	"github.com/replimend/replimend/internal/snapshot"
)

// user is the layers of a user: its own policies and those of its groups. What is not in the snapshot is missing.
func (w *World) user(arn policy.ARN) roleLayers {
	if w.base != nil && !w.changes(snapshot.UserPolicy, arn.String()) {
		return w.base.user(arn)
	}
	if l, ok := w.roles[arn]; ok {
		return l
	}
	var l roleLayers
	user, ok := w.Snapshot.Users[arn].Get()
	if !ok {
		l.missing = authz.SetOf(authz.LayerIdentity, authz.LayerBoundary)
		return l
	}
	owner := string(snapshot.UserPolicy) + " " + arn.String()
	add := func(prefix string, v snapshot.Value[map[string]policy.Document]) {
		if v.State == snapshot.Missing {
			l.missing |= authz.SetOf(authz.LayerIdentity)
		}
		for _, name := range slices.Sorted(maps.Keys(v.V)) {
			l.identity = append(l.identity, w.compile(owner+prefix+name, v.V[name]))
		}
	}
	if user.Inline.State == snapshot.Missing {
		l.missing |= authz.SetOf(authz.LayerIdentity)
	}
	inline := w.inline(snapshot.UserPolicy, arn, user.Inline.V)
	for _, name := range slices.Sorted(maps.Keys(inline)) {
		l.identity = append(l.identity, w.compileRef(snapshot.Ref{Kind: snapshot.UserPolicy, ID: arn.String(), Name: name}, inline[name]))
	}
	add(" attached/", user.Attached)
	if user.Groups.State == snapshot.Missing {
		l.missing |= authz.SetOf(authz.LayerIdentity)
	}
	for _, name := range slices.Sorted(maps.Keys(user.Groups.V)) {
		add(" group/"+name+" inline/", user.Groups.V[name].Inline)
		add(" group/"+name+" attached/", user.Groups.V[name].Attached)
	}
	w.bound(&l, user.Boundary)
	l.scps = w.levels(snapshot.SCP, arn.Account, w.Snapshot.Guardrails[arn.Account].SCPs)
	w.roles[arn] = l
	return l
}

// bound adds a permissions boundary.
func (w *World) bound(l *roleLayers, v snapshot.Value[snapshot.Boundary]) {
	if b, ok := v.Get(); ok {
		l.boundary = []*authz.Policy{w.compile(snapshot.Ref{Kind: snapshot.PermissionsBoundary, ID: b.ARN}.String(), b.Document)}
	}
	if v.State == snapshot.Missing {
		l.missing |= authz.SetOf(authz.LayerBoundary)
	}
}
