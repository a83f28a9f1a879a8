package diagnose

import (
	"fmt"

	"github.com/replimend/replimend/internal/patch"
	"github.com/replimend/replimend/internal/route"
	"github.com/replimend/replimend/internal/snapshot"
)

// objectNotReadable: permissions are not all: an archived object is read after it was restored, a delete marker hides an
// object, and SSE-C objects open to who sends their key.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/DeleteMarker.html
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/ServerSideEncryptionCustomerKeys.html
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/restoring-objects.html
var objectNotReadable = Cause{
	Name:      "object-not-readable",
	Group:     OfAccesses,
	Summary:   "the object is archived or deleted, or needs a key that only the reader has",
	Side:      ResourceSide,
	Documents: []snapshot.Kind{snapshot.ObjectKind},
	Remedy:    patch.Manual,
	InspectAccess: func(e *examination) []Finding {
		var out []Finding
		told := make(map[string]bool) // one object of each kind is enough
		for i := range e.w.Snapshot.Objects {
			o := &e.w.Snapshot.Objects[i]
			if !e.access.Reads(o) {
				continue
			}
			text := ""
			switch {
			case o.DeleteMarker:
				text = "has a delete marker: while that is the latest version, GetObject answers 404 NoSuchKey"
			case o.StorageClass == "GLACIER" || o.StorageClass == "DEEP_ARCHIVE":
				text = "is archived in " + o.StorageClass + ": unless a restored copy is there, GetObject answers 403 InvalidObjectState"
			case o.Encryption.V == route.SSEC:
				text = "is encrypted with SSE-C: only who sends its key reads it, and no policy replaces that"
			default:
				continue
			}
			if told[text] {
				continue
			}
			told[text] = true
			out = append(out, accessFinding("object-not-readable", ResourceSide, snapshot.Ref{Kind: snapshot.ObjectKind, ID: o.Bucket + "/" + o.Key},
				Conditional, route.Documented, fmt.Sprintf("object %s of bucket %s %s", o.Key, o.Bucket, text)))
		}
		return out
	},
}
