package guard

import (
	"github.com/replimend/replimend/internal/policy"
	"github.com/replimend/replimend/internal/snapshot"
)

// addsOnly: what was there stays, statement by statement and in its order. No Deny is ever removed, and an Allow that
// somebody else relies on is neither; a change of the version would change what every statement means.
var addsOnly = Rule{
	Name:    "adds-only",
	Summary: "an edit keeps every statement and the version, and adds at least one statement",
	judge: func(q *inquiry) []objection {
		var out []objection
		for _, e := range q.plan.Edits {
			after, ok := e.After.Get()
			if !ok {
				out = append(out, refuse("%s: the edit removes the document", e.Document))
				continue
			}
			before := e.Before.V
			if len(after.Statements) <= len(before.Statements) {
				out = append(out, refuse("%s: the edit adds no statement", e.Document))
			}
			for i, s := range before.Statements {
				if i >= len(after.Statements) || !after.Statements[i].Equal(s) {
					out = append(out, refuse("%s: statement %s (%s) does not stay as and where it was", e.Document, s.Name(i), s.Effect))
				}
			}
			switch {
			case e.Before.State == snapshot.Absent && after.Version != policy.Version2012:
				out = append(out, refuse("%s: want a new document of version %s, got %q", e.Document, policy.Version2012, after.Version))
			case e.Before.State == snapshot.Present && after.Version != before.Version:
				out = append(out, refuse("%s: the edit changes the version from %q to %q", e.Document, before.Version, after.Version))
			}
			if e.Before.State == snapshot.Present && after.ID != before.ID {
				out = append(out, refuse("%s: the edit changes the document's Id", e.Document))
			}
		}
		return out
	},
}
