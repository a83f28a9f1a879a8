package lab

import (
	"context"
	"fmt"
	"maps"

	"github.com/replimend/replimend/internal/authz"
	"github.com/replimend/replimend/internal/policy"
	"github.com/replimend/replimend/internal/snapshot"
)

// Put writes one document in place of the one that was read before, and nothing else. An absent document after deletes it.
//
// When the live document is the one after already, nothing is to be done. Another one that is not the one before gives
// snapshot.ErrDrift. A document that AWS would not take gives an *Error with
// AWS's code, as does one that belongs to nothing that exists. In both cases nothing is written.
func (c *Cloud) Put(ctx context.Context, ref snapshot.Ref, before, after snapshot.Value[policy.Document]) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	live, err := c.place(ref)
	if err != nil {
		return fmt.Errorf("put %s: %w", ref, err)
	}
	switch {
	case same(live.document, after):
		return nil // writing twice is writing once
	case !same(live.document, before):
		return fmt.Errorf("put %s: %w", ref, snapshot.ErrDrift)
	}
	return c.store(ref, live, after, c.caller)
}

// SetPolicy writes a document without looking at the one before: somebody else's edit. It takes what Put takes.
func (c *Cloud) SetPolicy(ref snapshot.Ref, after snapshot.Value[policy.Document]) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	live, err := c.place(ref)
	if err != nil {
		return fmt.Errorf("put %s: %w", ref, err)
	}
	return c.store(ref, live, after, nil)
}

func (c *Cloud) store(ref snapshot.Ref, live place, after snapshot.Value[policy.Document], by *authz.Principal) error {
	var err error
	switch after.State {
	case snapshot.Present:
		err = c.accept(live, after.V, by)
	case snapshot.Absent:
		if live.remove == nil {
			err = refuse("InvalidRequest", "nothing exists without its %s", ref.Kind)
		}
	default:
		err = refuse("InvalidRequest", "the document to write is not known")
	}
	if err != nil {
		return fmt.Errorf("put %s: %w", ref, err)
	}
	if after.State == snapshot.Absent {
		live.remove()
	} else {
		live.set(after.V)
	}
	return nil
}

// same says whether the live document is the one that was read. What was not read is not the same as anything.
func same(live, before snapshot.Value[policy.Document]) bool {
	if live.State != before.State {
		return false
	}
	return live.State == snapshot.Absent || live.V.Equal(before.V)
}

// place is where a document stands: what is there, what form it must have, and how it is changed.
type place struct {
	form     *form
	document snapshot.Value[policy.Document]
	others   map[string]policy.Document // the other inline policies of the role, which share its limit
	bucket   *bucket
	keyARN   policy.ARN
	key      *snapshot.Key
	set      func(policy.Document)
	remove   func() // nil: the document cannot be deleted
}

// place finds the document that ref points at. The kinds are those that somebody may write one document of.
func (c *Cloud) place(ref snapshot.Ref) (place, error) {
	switch ref.Kind {
	case snapshot.RolePolicy, snapshot.RoleTrust:
		return c.placeOfRole(ref)
	case snapshot.UserPolicy:
		return c.placeOfUser(ref)
	case snapshot.SourceBucketPolicy, snapshot.DestinationBucketPolicy, snapshot.BucketPolicy:
		b := c.buckets[ref.ID]
		if b == nil {
			return place{}, noSuchBucket(ref.ID)
		}
		return place{
			form: &bucketForm, document: b.Policy, bucket: b,
			set:    func(d policy.Document) { b.Policy = snapshot.Of(d) },
			remove: func() { b.Policy = snapshot.None[policy.Document]() },
		}, nil
	case snapshot.SourceKeyPolicy, snapshot.ReplicaKeyPolicy, snapshot.KeyPolicy:
		arn, key, err := lookup(c.keys, ref.ID, "NotFoundException")
		if err != nil {
			return place{}, err
		}
		if key.Manager == "AWS" {
			return place{}, refuse("AccessDeniedException", "the key policy of an AWS managed key cannot be changed")
		}
		return place{
			form: &keyForm, document: key.Policy, keyARN: arn, key: key,
			set: func(d policy.Document) { key.Policy = snapshot.Of(d) },
		}, nil
	default:
		return place{}, refuse("InvalidRequest", "a %s is not a policy document that can be put", ref.Kind)
	}
}

func (c *Cloud) placeOfRole(ref snapshot.Ref) (place, error) {
	_, role, err := lookup(c.roles, ref.ID, "NoSuchEntity")
	if err != nil {
		return place{}, err
	}
	if ref.Kind == snapshot.RoleTrust {
		return place{
			form: &trustForm, document: role.Trust,
			set: func(d policy.Document) { role.Trust = snapshot.Of(d) },
		}, nil
	}
	return placeOfInline(role.Inline.V, ref.Name, &inlineForm)
}

func (c *Cloud) placeOfUser(ref snapshot.Ref) (place, error) {
	_, user, err := lookup(c.users, ref.ID, "NoSuchEntity")
	if err != nil {
		return place{}, err
	}
	return placeOfInline(user.Inline.V, ref.Name, &userForm)
}

func placeOfInline(inline map[string]policy.Document, name string, f *form) (place, error) {
	if name == "" {
		return place{}, refuse("ValidationError", "an inline policy needs its name")
	}
	at := place{form: f, document: snapshot.None[policy.Document](), others: maps.Clone(inline)}
	if d, ok := inline[name]; ok {
		at.document = snapshot.Of(d)
	}
	delete(at.others, name)
	at.set = func(d policy.Document) { inline[name] = d }
	at.remove = func() { delete(inline, name) }
	return at, nil
}

// lookup finds what has that ARN, or refuses with that code.
func lookup[T any](in map[policy.ARN]*T, id, code string) (policy.ARN, *T, error) {
	arn, err := policy.ParseARN(id)
	if err != nil {
		return arn, nil, refuse("ValidationError", "%s", err)
	}
	if in[arn] == nil {
		return arn, nil, refuse(code, "%s does not exist", arn)
	}
	return arn, in[arn], nil
}
