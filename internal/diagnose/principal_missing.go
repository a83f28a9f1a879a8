package diagnose

import (
	"fmt"

	"github.com/replimend/replimend/internal/patch"
	"github.com/replimend/replimend/internal/route"
	"github.com/replimend/replimend/internal/snapshot"
)

// principalMissing: the role or user does not exist.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html
var principalMissing = Cause{
	Name:      "principal-missing",
	Group:     OfAccesses,
	Summary:   "the role or user that is to read or write does not exist",
	Side:      PrincipalSide,
	Documents: []snapshot.Kind{snapshot.RolePolicy, snapshot.UserPolicy},
	Remedy:    patch.Manual,
	InspectAccess: func(e *examination) []Finding {
		if e.access.Known(e.w.Snapshot) != snapshot.Absent {
			return nil
		}
		return []Finding{accessFinding("principal-missing", PrincipalSide, e.policies(), Broken, route.Documented,
			fmt.Sprintf("%s does not exist; one under another path has another ARN", e.subject))}
	},
}
