package diagnose

import (
	"github.com/replimend/replimend/internal/authz"
	"github.com/replimend/replimend/internal/patch"
	"github.com/replimend/replimend/internal/snapshot"
)

// roleLacksReadObject: the role may not read source objects for replication.
// For KMS objects s3:GetObjectVersion does not serve in place of s3:GetObjectVersionForReplication.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/replication-config-for-kms-objects.html
var roleLacksReadObject = Cause{
	Name:      "role-lacks-read-object",
	Group:     OfTheRole,
	Summary:   "the role may not read source objects for replication",
	Side:      SourceSide,
	Documents: []snapshot.Kind{snapshot.RolePolicy},
	Remedy:    patch.Automatic,
	Recognise: func(e *examination, d denial) (Finding, bool) {
		silent := d.decision.Outcome == authz.ImplicitDeny && d.ref(e).Kind == snapshot.RolePolicy
		switch d.Request.Action {
		case "s3:GetObjectVersionForReplication", "s3:GetObjectVersionAcl":
			if !silent {
				return Finding{}, false
			}
			return d.cured(e, d.lacks(e)+d.olderPermission()), true
		default:
			return Finding{}, false
		}
	},
}

// olderPermission says that the permission of before is there and does not serve for objects under KMS.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/replication-config-for-kms-objects.html
func (d denial) olderPermission() string {
	if d.Request.Action != "s3:GetObjectVersionForReplication" || d.Instead != "" {
		return ""
	}
	older := d.Request
	older.Action = "s3:GetObjectVersion"
	if authz.Decide(&older, &d.Layers).Outcome != authz.Allowed {
		return ""
	}
	return "; it may use s3:GetObjectVersion, with which S3 replicates objects without KMS encryption, but not objects under a KMS key"
}
