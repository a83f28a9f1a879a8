package diagnose

import (
	"fmt"

	"github.com/replimend/replimend/internal/patch"
	"github.com/replimend/replimend/internal/route"
	"github.com/replimend/replimend/internal/snapshot"
)

// replicaKeyNotConfigured: a rule that selects KMS objects must name the key of their replicas.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_EncryptionConfiguration.html
var replicaKeyNotConfigured = Cause{
	Name:      "replica-key-not-configured",
	Group:     OfKeys,
	Summary:   "the rule selects KMS objects and names no key for their replicas",
	Verdict:   Broken,
	Side:      SourceSide,
	Documents: []snapshot.Kind{snapshot.ReplicationConfig},
	Remedy:    patch.Manual,
	Inspect: func(e *examination) []Finding {
		if _, ok := e.kmsPopulation(); !ok || e.r.ReplicaKeyText != "" {
			return nil
		}
		return []Finding{{
			Cause: "replica-key-not-configured", Side: SourceSide, Document: e.config(), Severity: Fault,
			Evidence: route.Documented, Remedy: patch.Manual,
			Message: fmt.Sprintf("rule %s selects KMS objects and has no Destination.EncryptionConfiguration.ReplicaKmsKeyID", e.r.RuleID),
		}}
	},
}
