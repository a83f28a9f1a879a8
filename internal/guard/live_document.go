package guard

import (
	"strings"

	"github.com/replimend/replimend/internal/patch"
	"github.com/replimend/replimend/internal/snapshot"
)

// liveDocument: an edit starts from the document that is live, and no document is edited twice: the second edit would start
// from what the first one replaced.
var liveDocument = Rule{
	Name:    "live-document",
	Summary: "an edit starts from the live document, which the snapshot could read",
	judge: func(q *inquiry) []objection {
		var out []objection
		seen := map[snapshot.Ref]bool{}
		for _, e := range q.plan.Edits {
			live := q.snapshot.Document(e.Document)
			switch {
			case live.State == snapshot.Missing:
				out = append(out, refuse("%s is not known", e.Document))
			case !patch.Same(live, e.Before):
				out = append(out, refuse("%s: the edit does not start from the live document", e.Document))
			}
			if at := place(e.Document); seen[at] {
				out = append(out, refuse("%s is edited twice", e.Document))
			} else {
				seen[at] = true
			}
		}
		return out
	},
}

// place is where a document is stored: one key can be the source's and the replica's.
func place(ref snapshot.Ref) snapshot.Ref {
	if strings.HasSuffix(string(ref.Kind), "-key-policy") {
		ref.Kind = snapshot.SourceKeyPolicy
	}
	return ref
}
