package diagnose

import (
	"fmt"

	"github.com/replimend/replimend/internal/patch"
	"github.com/replimend/replimend/internal/route"
	"github.com/replimend/replimend/internal/snapshot"
)

// objectKeyNotUsable: objects under a key that is not Enabled can be neither read nor written, and S3 uses keys of the bucket's own Region
// only. https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingKMSEncryption.html
// https://docs.aws.amazon.com/kms/latest/developerguide/key-state.html
var objectKeyNotUsable = Cause{
	Name:      "object-key-not-usable",
	Group:     OfAccesses,
	Summary:   "the objects' key is gone, disabled, pending deletion, of another Region, or no symmetric encryption key",
	Side:      ResourceSide,
	Documents: []snapshot.Kind{snapshot.KeyState, snapshot.BucketConfig},
	Remedy:    patch.Manual,
	InspectAccess: func(e *examination) []Finding {
		var out []Finding
		for _, p := range e.populations {
			if !p.KMS() || p.Key.IsZero() {
				continue
			}
			purpose := map[route.Operation]string{route.Get: "decrypt objects", route.Put: "encrypt objects"}[e.access.Operation]
			out = append(out, e.keyState("object-key-not-usable", ResourceSide, p.Key, purpose)...)
			if e.access.Region != "" && p.Key.Region != e.access.Region {
				out = append(out, accessFinding("object-key-not-usable", ResourceSide, e.bucketConfig(), Broken, route.Documented,
					fmt.Sprintf("key %s is of Region %s, and S3 in %s uses keys of its own Region only", p.Key, p.Key.Region, e.access.Region)))
			}
		}
		for i := range out {
			out[i].Verdict = Broken
		}
		return out
	},
}
