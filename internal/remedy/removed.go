package remedy

import (
	"slices"
	"strings"

	"github.com/replimend/replimend/internal/guard"
	"github.com/replimend/replimend/internal/incident"
	"github.com/replimend/replimend/internal/patch"
	"github.com/replimend/replimend/internal/policy"
	"github.com/replimend/replimend/internal/snapshot"
)

// removed counts, for each document of the plan, how often a change of it had to grant what an earlier one had granted: in between
// somebody took it out. It is deduced from our own changes and not from what stands there now, because a grant that
// somebody took over under another Sid, or widened, is not taken out, and one that is not missed is nobody's concern.
func removed(changes []incident.Change, plan patch.Plan) []guard.Removal {
	var out []guard.Removal
	for _, e := range plan.Edits {
		times := 0
		var granted []policy.Statement
		for _, c := range changes {
			if !of(c, e.Document) || c.State != incident.Written && c.State != incident.Overrun || c.After == nil {
				continue
			}
			before := snapshot.None[policy.Document]()
			if c.Before != nil {
				before = snapshot.Of(*c.Before)
			}
			next := added(before, snapshot.Of(*c.After))
			if repeats(granted, next) {
				times++
			}
			granted = append(granted, next...)
		}
		if repeats(granted, added(e.Before, e.After)) {
			times++
		}
		if times > 0 {
			out = append(out, guard.Removal{Document: e.Document, Times: times})
		}
	}
	return out
}

// of says whether a change was one of that document. All inline policies of a role are one: a statement may come back in another.
func of(c incident.Change, ref snapshot.Ref) bool {
	return c.Kind == string(ref.Kind) && c.ID == ref.ID
}

// added is the statements that the second document has and the first has not.
func added(before, after snapshot.Value[policy.Document]) []policy.Statement {
	var out []policy.Statement
	for _, s := range after.V.Statements {
		if !slices.ContainsFunc(before.V.Statements, s.Equal) {
			out = append(out, s)
		}
	}
	return out
}

// repeats says whether some statement grants again what one of the others granted: an action on a resource to a principal, under
// the same conditions. A cure with another condition, such as another encryption context, is not one that comes back.
func repeats(earlier, later []policy.Statement) bool {
	return slices.ContainsFunc(later, func(s policy.Statement) bool {
		return slices.ContainsFunc(earlier, func(o policy.Statement) bool { return overlap(s, o) })
	})
}

func overlap(a, b policy.Statement) bool {
	if a.Effect != b.Effect || !slices.EqualFunc(a.Conditions, b.Conditions, sameCondition) {
		return false
	}
	if (a.Principal == nil) != (b.Principal == nil) || a.Principal != nil && !meet(a.Principal.Values, b.Principal.Values) {
		return false
	}
	return meet(a.Action.Values, b.Action.Values) && (len(a.Resource.Values) == 0 || meet(a.Resource.Values, b.Resource.Values))
}

func sameCondition(a, b policy.Condition) bool {
	return a.OperatorText() == b.OperatorText() && strings.EqualFold(a.Key, b.Key) && slices.Equal(a.Values, b.Values)
}

func meet[T comparable](a, b []T) bool {
	return slices.ContainsFunc(a, func(v T) bool { return slices.Contains(b, v) })
}
