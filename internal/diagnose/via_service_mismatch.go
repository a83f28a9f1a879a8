package diagnose

import (
	"github.com/replimend/replimend/internal/patch"
	"github.com/replimend/replimend/internal/route"
	"github.com/replimend/replimend/internal/snapshot"
)

// viaServiceMismatch: an Allow is there, but for another Region's S3: each key is used through the S3 of its own Region.
// https://docs.aws.amazon.com/kms/latest/developerguide/conditions-kms.html#conditions-kms-via-service
var viaServiceMismatch = Cause{
	Name:      "via-service-mismatch",
	Group:     OfConditions,
	Summary:   "an Allow is there, but its kms:ViaService names another Region or service",
	Documents: []snapshot.Kind{snapshot.RolePolicy, snapshot.SourceKeyPolicy, snapshot.ReplicaKeyPolicy},
	Remedy:    patch.Automatic,
	Recognise: func(e *examination, d denial) (Finding, bool) {
		if d.Need != route.Required && d.Evidence != route.Inferred || !d.mismatch(func(key string) bool { return key == "kms:viaservice" }) {
			return Finding{}, false
		}
		return d.cured(e, d.neverMatches("")), true
	},
}
