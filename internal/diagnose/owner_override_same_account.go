package diagnose

import (
	"fmt"

	"github.com/replimend/replimend/internal/patch"
	"github.com/replimend/replimend/internal/route"
	"github.com/replimend/replimend/internal/snapshot"
)

// ownerOverrideSameAccount: S3 does not check whether the accounts differ. It applies the override and stops sending changes of
// the source objects' ACLs.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/replication-change-owner.html
var ownerOverrideSameAccount = Cause{
	Name:      "owner-override-same-account",
	Group:     OfReplicas,
	Summary:   "the rule changes the replicas' owner inside one account, so that changes of ACLs no longer replicate",
	Side:      SourceSide,
	Documents: []snapshot.Kind{snapshot.ReplicationConfig},
	Remedy:    patch.None,
	Inspect: func(e *examination) []Finding {
		enforced := e.w.Snapshot.Buckets[e.r.Source].V.Ownership.V == "BucketOwnerEnforced" // no ACLs, nothing to lose
		if !e.r.OwnerOverride() || e.r.DestinationAccount == "" || e.r.CrossAccount() || enforced {
			return nil
		}
		return []Finding{{
			Cause: "owner-override-same-account", Side: SourceSide, Document: e.config(), Severity: Advice,
			Evidence: route.Documented, Remedy: patch.None,
			Message: fmt.Sprintf("rule %s changes the replicas' owner although account %s owns both buckets: S3 then no longer replicates changes of the source objects' ACLs",
				e.r.RuleID, e.r.SourceAccount),
		}}
	},
}
