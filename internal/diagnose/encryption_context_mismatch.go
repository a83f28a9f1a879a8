package diagnose

import (
	"strings"

	"github.com/replimend/replimend/internal/patch"
	"github.com/replimend/replimend/internal/route"
	"github.com/replimend/replimend/internal/snapshot"
)

// encryptionContextMismatch: an Allow is there, but its condition wants another encryption context than S3 sends: the
// object's ARN where a Bucket Key makes it the bucket's, or the other way round. Denials of this kind read "no policy allows".
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/replication-config-for-kms-objects.html#bk-replication
var encryptionContextMismatch = Cause{
	Name:      "encryption-context-mismatch",
	Group:     OfConditions,
	Summary:   "an Allow is there, but wants another encryption context than S3 sends, as after a Bucket Key switch",
	Documents: []snapshot.Kind{snapshot.RolePolicy, snapshot.SourceKeyPolicy, snapshot.ReplicaKeyPolicy},
	Remedy:    patch.Automatic,
	Recognise: func(e *examination, d denial) (Finding, bool) {
		if d.Need != route.Required || !d.mismatch(func(key string) bool { return strings.HasPrefix(key, "kms:encryptioncontext") }) {
			return Finding{}, false
		}
		why := ", as it does for objects without an S3 Bucket Key"
		if got, _ := d.Request.Context.Values("kms:EncryptionContext:aws:s3:arn"); len(got) == 1 && !strings.Contains(got[0], "/") {
			why = ", as it does for objects with an S3 Bucket Key"
		}
		return d.cured(e, d.neverMatches(why)), true
	},
}
