package diagnose

import (
	"fmt"

	"github.com/replimend/replimend/internal/patch"
	"github.com/replimend/replimend/internal/policy"
	"github.com/replimend/replimend/internal/route"
	"github.com/replimend/replimend/internal/snapshot"
)

// replicaKeyNotUsable: the key is gone, is not Enabled, or is no symmetric encryption key. Enabling a key or cancelling its
// deletion is for people: somebody had a reason.
// https://docs.aws.amazon.com/kms/latest/developerguide/key-state.html
var replicaKeyNotUsable = Cause{
	Name:    "replica-key-not-usable",
	Summary: "the replica key is gone, disabled, pending deletion, or no symmetric encryption key",
	Verdict: Broken,
	Inspect: func(e *examination) []Finding {
		if _, ok := e.kmsPopulation(); !ok {
			return nil
		}
		return e.keyState("replica-key-not-usable", DestinationSide, e.r.ReplicaKey, "encrypt replicas")
	},
}

func (e *examination) keyState(cause string, side Side, arn policy.ARN, purpose string) []Finding {
	v := e.w.Snapshot.Keys[arn]
	fault := ""
	switch k := v.V; {
	case arn.IsZero() || v.State == snapshot.Missing:
		return nil
	case v.State == snapshot.Absent:
		fault = "does not exist"
	case k.State != "" && k.State != "Enabled":
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
