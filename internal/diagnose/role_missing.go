package diagnose

import (
	"fmt"

	"github.com/replimend/replimend/internal/patch"
	"github.com/replimend/replimend/internal/route"
	"github.com/replimend/replimend/internal/snapshot"
)

// roleMissing: the role of the rule does not exist, or what the rule names is no role. Creating roles is for people.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/replication-metrics-events.html
var roleMissing = Cause{
	Name:      "role-missing",
	Group:     OfTheRole,
	Summary:   "the replication role does not exist",
	Verdict:   Broken,
	Side:      SourceSide,
	Documents: []snapshot.Kind{snapshot.ReplicationConfig, snapshot.RoleTrust},
	Remedy:    patch.Manual,
	Inspect: func(e *examination) []Finding {
		f := Finding{
			Cause: "role-missing", Side: SourceSide, Document: snapshot.Ref{Kind: snapshot.RoleTrust, ID: e.r.RoleText},
			Severity: Fault, Evidence: route.Documented, Remedy: patch.Manual,
		}
		switch {
		case e.r.Role.IsZero():
			f.Document = e.config()
			f.Message = fmt.Sprintf("the rule names %q as its role, which is no role ARN", e.r.RoleText)
		case e.w.Snapshot.Roles[e.r.Role].State == snapshot.Absent:
			f.Message = fmt.Sprintf("role %s does not exist; a role under another path has another ARN", e.r.RoleText)
		default:
			return nil
		}
		return []Finding{f}
	},
}

// config is the replication configuration that the route comes from.
func (e *examination) config() snapshot.Ref {
	return snapshot.Ref{Kind: snapshot.ReplicationConfig, ID: e.r.Source}
}
