package diagnose

import (
	"fmt"

	"github.com/replimend/replimend/internal/patch"
	"github.com/replimend/replimend/internal/route"
	"github.com/replimend/replimend/internal/snapshot"
)

// kmsObjectsNotSelected: without SseKmsEncryptedObjects S3 skips KMS objects in silence: they are not FAILED and no event is
// sent. Switching it on sends data out of the bucket, so that only people do.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/replication-config-for-kms-objects.html
var kmsObjectsNotSelected = Cause{
	Name:      "kms-objects-not-selected",
	Group:     OfRules,
	Summary:   "the rule does not opt in to KMS objects, so that S3 skips them in silence",
	Verdict:   Broken,
	Side:      SourceSide,
	Documents: []snapshot.Kind{snapshot.ReplicationConfig},
	Remedy:    patch.Manual,
	Inspect: func(e *examination) []Finding {
		if e.r.SelectsKMS() {
			return nil
		}
		for _, p := range e.populations {
			if p.KMS() && !p.DeleteMarker && !p.Unsure() {
				return []Finding{{
					Cause: "kms-objects-not-selected", Side: SourceSide, Document: e.config(), Severity: Fault,
					Evidence: route.Documented, Remedy: patch.Manual,
					Message: fmt.Sprintf("rule %s does not set SourceSelectionCriteria.SseKmsEncryptedObjects to Enabled: S3 skips %s without FAILED and without an event",
						e.r.RuleID, p.Text),
				}}
			}
		}
		return nil
	},
}

// kmsPopulation is the first population whose replicas need the rule's key.
func (e *examination) kmsPopulation() (route.Population, bool) {
	for _, p := range e.populations {
		if p.KMS() && !p.DeleteMarker && e.r.SelectsKMS() {
			return p, true
		}
	}
	return route.Population{}, false
}
