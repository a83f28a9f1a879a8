package diagnose

import (
	"fmt"

	"github.com/replimend/replimend/internal/patch"
	"github.com/replimend/replimend/internal/route"
	"github.com/replimend/replimend/internal/snapshot"
)

// replicaModificationsOneSided: changes of a replica's tags, ACL or lock travel back only where the rules of both buckets say so.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/replication-for-metadata-changes.html
var replicaModificationsOneSided = Cause{
	Name:      "replica-modifications-one-sided",
	Group:     OfReplicas,
	Summary:   "the rule syncs changes of replicas, and no rule of the destination bucket sends them back",
	Verdict:   Degraded,
	Side:      DestinationSide,
	Documents: []snapshot.Kind{snapshot.ReplicationConfig},
	Remedy:    patch.Manual,
	Inspect: func(e *examination) []Finding {
		replication := e.w.Snapshot.Buckets[e.r.Destination].V.Replication
		if !syncsReplicas(e.r.Rule) || replication.State == snapshot.Missing {
			return nil
		}
		what := "has no enabled rule back to bucket " + e.r.Source
		for _, back := range e.w.Reverse(&e.r) {
			if syncsReplicas(back.Rule) {
				return nil
			}
			what = fmt.Sprintf("sends back by rule %s, which does not set ReplicaModifications to Enabled", back.RuleID)
		}
		return []Finding{{
			Cause: "replica-modifications-one-sided", Side: DestinationSide, Severity: Warning, Evidence: route.Documented, Remedy: patch.Manual,
			Document: snapshot.Ref{Kind: snapshot.ReplicationConfig, ID: e.r.Destination},
			Message: fmt.Sprintf("rule %s of bucket %s syncs changes of replicas, which both buckets must enable: bucket %s %s, so that tags, ACLs and locks that are set on a replica stay there",
				e.r.RuleID, e.r.Source, e.r.Destination, what),
		}}
	},
}

func syncsReplicas(r snapshot.Rule) bool {
	return r.SourceSelectionCriteria != nil && r.SourceSelectionCriteria.ReplicaModifications.On()
}

// wayBack says, for a rule that syncs changes of replicas, by which route they travel: it needs a role and permissions of its own.
func (e *examination) wayBack() (text string, ok bool) {
	if !syncsReplicas(e.r.Rule) {
		return "", false
	}
	for _, back := range e.w.Reverse(&e.r) {
		if syncsReplicas(back.Rule) {
			return fmt.Sprintf("changes of replicas travel back by %s, under role %s: see its own diagnosis", back, back.RoleText), true
		}
	}
	return "", false
}
