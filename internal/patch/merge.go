package patch

import (
	"fmt"
	"slices"

	"github.com/replimend/replimend/internal/policy"
	"github.com/replimend/replimend/internal/snapshot"
)

// Merge is the edits of several plans with one edit per document, in the order in which documents are written: two routes
// share a role, a bucket or a key, and carrying out their plans one after the other would take back the first.
//
// It only adds up: it refuses an edit that does anything but append statements, edits of one document that do not start from
// the same text or name different owners, and different statements under one Sid.
func Merge(plans ...Plan) ([]Edit, error) {
	var out []Edit
	for _, p := range plans {
		for _, e := range p.Edits {
			if _, err := e.added(); err != nil {
				return nil, err
			}
			i := slices.IndexFunc(out, func(o Edit) bool { return sameDocument(o.Document, e.Document) })
			if i < 0 {
				out = append(out, e)
				continue
			}
			merged, err := join(out[i], e)
			if err != nil {
				return nil, err
			}
			out[i] = merged
		}
	}
	slices.SortStableFunc(out, func(a, b Edit) int { return Rank(a.Document.Kind) - Rank(b.Document.Kind) })
	return out, nil
}

// sameDocument knows that one bucket can be a source, a destination and what a principal uses, and that one key can serve them all.
func sameDocument(a, b snapshot.Ref) bool {
	whose := func(k snapshot.Kind) snapshot.Kind {
		switch {
		case k.OfBucket():
			return snapshot.BucketPolicy
		case k.OfKey():
			return snapshot.KeyPolicy
		default:
			return k
		}
	}
	return whose(a.Kind) == whose(b.Kind) && a.ID == b.ID && a.Name == b.Name
}

func join(a, b Edit) (Edit, error) {
	switch {
	case !Same(a.Before, b.Before):
		return Edit{}, fmt.Errorf("merge edits of %s: they start from different documents", a.Document)
	case a.Account != b.Account:
		return Edit{}, fmt.Errorf("merge edits of %s: they name the owners %q and %q", a.Document, a.Account, b.Account)
	}
	added, err := b.added()
	if err != nil {
		return Edit{}, err
	}
	after := a.After.V
	for _, s := range added {
		if slices.ContainsFunc(after.Statements, s.Equal) {
			continue
		}
		if s.Sid != "" && slices.ContainsFunc(after.Statements, func(o policy.Statement) bool { return o.Sid == s.Sid }) {
			return Edit{}, fmt.Errorf("merge edits of %s: they have different statements under the Sid %q", a.Document, s.Sid)
		}
		after = after.Append(s)
	}
	a.After = snapshot.Of(after)
	a.Adds = union(a.Adds, b.Adds)
	a.Cures = union(a.Cures, b.Cures)
	a.Class = Stricter(a.Class, b.Class)
	return a, nil
}

// added is the statements that the edit appends.
func (e Edit) added() ([]policy.Statement, error) {
	before, after := e.Before.V.Statements, e.After.V.Statements
	if e.Before.State == snapshot.Missing || e.After.State != snapshot.Present || len(after) < len(before) {
		return nil, fmt.Errorf("merge edit of %s: it does more than add statements", e.Document)
	}
	added := after[len(before):]
	if len(added) > 0 && !e.Before.V.Append(added...).Equal(e.After.V) || len(added) == 0 && !e.Before.V.Equal(e.After.V) {
		return nil, fmt.Errorf("merge edit of %s: it does more than add statements", e.Document)
	}
	return added, nil
}

// union is a new list: the edits that are merged keep theirs.
func union[T comparable](a, b []T) []T {
	out := slices.Clone(a)
	for _, v := range b {
		if !slices.Contains(out, v) {
			out = append(out, v)
		}
	}
	return out
}
