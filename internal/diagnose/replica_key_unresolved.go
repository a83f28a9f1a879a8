package diagnose

import (
	"fmt"

	"github.com/replimend/replimend/internal/patch"
	"github.com/replimend/replimend/internal/route"
)

// replicaKeyUnresolved: the key is configured by an alias that the snapshot does not settle. S3 stores what it is given
// without checking it.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/replication-config-for-kms-objects.html
var replicaKeyUnresolved = Cause{
	Name:    "replica-key-unresolved",
	Summary: "the replica key is an alias that nobody could resolve",
	Verdict: Unknown,
	Inspect: func(e *examination) []Finding {
		if _, ok := e.kmsPopulation(); !ok || e.r.ReplicaKeyText == "" || !e.r.ReplicaKey.IsZero() {
			return nil
		}
		return []Finding{{
			Cause: "replica-key-unresolved", Side: SourceSide, Document: e.config(), Severity: Warning,
			Evidence: route.Documented, Remedy: patch.Manual,
			Message: fmt.Sprintf("rule %s names the replica key as %q, which no key of the snapshot answers to; a key ARN settles it", e.r.RuleID, e.r.ReplicaKeyText),
		}}
	},
}
