package diagnose

import (
	"fmt"
	"strings"

	"github.com/replimend/replimend/internal/authz"
	"github.com/replimend/replimend/internal/snapshot"
)

// documentUnreadable: a document that decides is not in the snapshot, or a condition tests a key that nobody can know.
// Nothing is planned on a guess.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
var documentUnreadable = Cause{
	Name:    "document-unreadable",
	Summary: "a document that decides is not known, or tests something that is not known",
	Recognise: func(e *examination, d denial) (Finding, bool) {
		if d.decision.Outcome != authz.Unknown {
			return Finding{}, false
		}
		ref := d.ref(e)
		if d.Layers.Missing.Has(d.layer) {
			message := fmt.Sprintf("%s is not in the snapshot, so that %s on %s cannot be decided", ref, d.Request.Action, d.Request.Resource)
			if why := e.unreadable(ref); why != "" {
				message += ": " + why
			}
			return d.finding(e, message), true
		}
		keys, _ := d.decision.HangsOn()
		return d.finding(e, fmt.Sprintf("%s on %s hangs on %s, which S3 may send with any value: %s", d.Request.Action, d.Request.Resource,
			strings.Join(keys, ", "), d.reason.Text)), true
	},
}

// unreadable is what the snapshot says of why a document is missing.
func (e *examination) unreadable(ref snapshot.Ref) string {
	for path, why := range e.w.Snapshot.Unreadable {
		if strings.Contains(path, ref.ID) {
			return why
		}
	}
	return ""
}
