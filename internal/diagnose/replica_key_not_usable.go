package diagnose

import (
	"fmt"
	"slices"

	"github.com/replimend/replimend/internal/patch"
	"github.com/replimend/replimend/internal/policy"
	"github.com/replimend/replimend/internal/route"
	"github.com/replimend/replimend/internal/snapshot"
)

// replicaKeyNotUsable: the key is gone, is not Enabled, or is no symmetric encryption key. Enabling a key or cancelling its
// deletion is for people: somebody had a reason.
// https://docs.aws.amazon.com/kms/latest/developerguide/key-state.html
var replicaKeyNotUsable = Cause{
	Name:      "replica-key-not-usable",
	Group:     OfKeys,
	Summary:   "the replica key is gone, disabled, pending deletion, or no symmetric encryption key",
	Verdict:   Broken,
	Side:      DestinationSide,
	Documents: []snapshot.Kind{snapshot.KeyState},
	Remedy:    patch.Manual,
	Inspect: func(e *examination) []Finding {
		var out []Finding
		if _, ok := e.kmsPopulation(); ok {
			out = e.keyState("replica-key-not-usable", DestinationSide, e.r.ReplicaKey, "encrypt replicas")
		}
		if e.hasPlaintext() {
			_, key, _ := e.defaultKey()
			out = append(out, e.keyState("replica-key-not-usable", DestinationSide, key, "encrypt replicas")...)
		}
		return out
	},
}

// hasPlaintext says whether some objects have no encryption: their replicas get the destination bucket's default.
func (e *examination) hasPlaintext() bool {
	return slices.ContainsFunc(e.populations, func(p route.Population) bool {
		return p.EncryptionKnown && p.Encryption == route.Plaintext && !p.DeleteMarker
	})
}

func (e *examination) keyState(cause string, side Side, arn policy.ARN, purpose string) []Finding {
	v := e.w.Snapshot.Keys[arn]
	fault := ""
	switch k := v.V; {
	case arn.IsZero() || v.State == snapshot.Missing:
		return nil
	case v.State == snapshot.Absent:
		fault = "does not exist"
	case k.State != "" && k.State != "Enabled" && k.State != "Updating": // a multi-Region key at work
		fault = "is in state " + k.State
	case k.Spec != "" && k.Spec != "SYMMETRIC_DEFAULT":
		fault = "is of spec " + k.Spec + ", and S3 uses symmetric keys only"
	case k.Usage != "" && k.Usage != "ENCRYPT_DECRYPT":
		fault = "is for " + k.Usage
	default:
		return nil
	}
	return []Finding{{
		Cause: cause, Side: side, Document: snapshot.Ref{Kind: snapshot.KeyState, ID: arn.String()}, Severity: Fault,
		Evidence: route.Documented, Remedy: patch.Manual,
		Message: fmt.Sprintf("key %s %s: S3 cannot %s with it", arn, fault, purpose),
	}}
}
