package diagnose

import (
	"fmt"
	"slices"

	"github.com/replimend/replimend/internal/patch"
	"github.com/replimend/replimend/internal/policy"
	"github.com/replimend/replimend/internal/route"
	"github.com/replimend/replimend/internal/snapshot"
)

// configurationUnknown: a value that every replication hangs on is not in the snapshot. Missing never means that all is well.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/replication-requirements.html
var configurationUnknown = Cause{
	Name:      "configuration-unknown",
	Group:     OfWhatIsUnread,
	Summary:   "an account, a Region, versioning, Object Lock or a key's state is not in the snapshot",
	Verdict:   Unknown,
	Documents: []snapshot.Kind{snapshot.BucketConfig, snapshot.KeyState},
	Remedy:    patch.Manual,
	Inspect: func(e *examination) []Finding {
		var out []Finding
		unknown := func(side Side, kind snapshot.Kind, id, what string) {
			out = append(out, Finding{
				Cause: "configuration-unknown", Side: side, Document: snapshot.Ref{Kind: kind, ID: id}, Severity: Warning,
				Evidence: route.Documented, Remedy: patch.Manual,
				Message: fmt.Sprintf("the %s of %s is not in the snapshot, so that nobody can say whether objects replicate", what, id),
			})
		}
		bucket := func(side Side, name string) {
			b, ok := e.w.Snapshot.Buckets[name].Get()
			if !ok {
				return
			}
			if b.Account == "" {
				unknown(side, snapshot.BucketConfig, name, "owner")
			}
			if b.Region == "" {
				unknown(side, snapshot.BucketConfig, name, "Region")
			}
			if b.Versioning.State == snapshot.Missing {
				unknown(side, snapshot.BucketConfig, name, "versioning")
			}
			ssec := func(p route.Population) bool { return p.Encryption == route.SSEC }
			if side == DestinationSide && b.Encryption.State == snapshot.Missing && slices.ContainsFunc(e.populations, ssec) {
				unknown(side, snapshot.BucketConfig, name, "encryption, which may block SSE-C,")
			}
			locked := e.w.Snapshot.Buckets[e.r.Source].V.ObjectLock.V.ObjectLockEnabled == "Enabled"
			if side == DestinationSide && locked && b.ObjectLock.State == snapshot.Missing {
				unknown(side, snapshot.BucketConfig, name, "Object Lock, which the source bucket has,")
			}
		}
		key := func(side Side, arn policy.ARN) {
			if k, ok := e.w.Snapshot.Keys[arn].Get(); ok && k.State == "" {
				unknown(side, snapshot.KeyState, arn.String(), "state")
			}
		}
		bucket(SourceSide, e.r.Source)
		bucket(DestinationSide, e.r.Destination)
		if p, ok := e.kmsPopulation(); ok {
			key(SourceSide, p.Key)
			key(DestinationSide, e.r.ReplicaKey)
		}
		return out
	},
}
