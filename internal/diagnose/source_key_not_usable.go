package diagnose

import (
	"github.com/replimend/replimend/internal/patch"
	"github.com/replimend/replimend/internal/snapshot"
)

// sourceKeyNotUsable: objects under a key that is not Enabled can be read by nobody.
// https://docs.aws.amazon.com/kms/latest/developerguide/key-state.html
var sourceKeyNotUsable = Cause{
	Name:      "source-key-not-usable",
	Group:     OfKeys,
	Summary:   "the source objects' key is gone, disabled, pending deletion, or no symmetric encryption key",
	Verdict:   Broken,
	Side:      SourceSide,
	Documents: []snapshot.Kind{snapshot.KeyState},
	Remedy:    patch.Manual,
	Inspect: func(e *examination) []Finding {
		var out []Finding
		for _, p := range e.populations {
			if p.KMS() && !p.DeleteMarker && !p.Unsure() && e.r.SelectsKMS() {
				out = append(out, e.keyState("source-key-not-usable", SourceSide, p.Key, "decrypt source objects")...)
			}
		}
		return out
	},
}
