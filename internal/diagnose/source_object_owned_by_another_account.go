package diagnose

import (
	"slices"

	"github.com/replimend/replimend/internal/patch"
	"github.com/replimend/replimend/internal/route"
	"github.com/replimend/replimend/internal/snapshot"
)

// sourceObjectOwnedByAnotherAccount: S3 replicates only what the bucket's owner may read, ACL included. Where ACLs are in force,
// an object that another account wrote is its own, and nothing but its ACL, which no snapshot has, says who may read it.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/replication-what-is-isnot-replicated.html
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/replication-failure-codes.html (SrcGetAclNotPermitted)
var sourceObjectOwnedByAnotherAccount = Cause{
	Name:      "source-object-owned-by-another-account",
	Group:     OfObjects,
	Summary:   "the source object belongs to another account than its bucket, which may then not read it",
	Verdict:   Conditional,
	Side:      SourceSide,
	Documents: []snapshot.Kind{snapshot.ObjectKind},
	Remedy:    patch.Manual,
	Inspect: func(e *examination) []Finding {
		objects := e.foreignObjects(false)
		if len(objects) == 0 {
			return nil
		}
		rule := "ACLs are in force in bucket " + e.r.Source
		if e.w.Snapshot.Buckets[e.r.Source].V.Ownership.State == snapshot.Missing {
			rule = "whether ACLs are in force in bucket " + e.r.Source + " is not in the snapshot"
		}
		return []Finding{aboutObjects("source-object-owned-by-another-account", Warning, e.r.Partition, objects,
			"%s to account %s, the bucket to account %s, and %s: S3 cannot replicate %s unless the ACL lets the bucket's owner read object and ACL, as bucket-owner-full-control does",
			verb(objects, "belongs", "belong"), objects[0].Owner, e.r.SourceAccount, rule, verb(objects, "it", "them"))}
	},
}

// foreignObjects is the samples of other accounts that S3 has not replicated, or only those of them that are FAILED.
func (e *examination) foreignObjects(failed bool) []*snapshot.Object {
	b := &e.w.Snapshot.Buckets
	if len(e.samples) == 0 || e.r.SourceAccount == "" || (*b)[e.r.Source].V.Ownership.V == "BucketOwnerEnforced" {
		return nil
	}
	return e.certainly(func(o *route.Sample) bool {
		if o.DeleteMarker || o.Owner == "" || o.Owner == e.r.SourceAccount || o.ReplicationStatus.State == snapshot.Absent {
			return false
		}
		switch o.ReplicationStatus.V {
		case route.Completed, route.Replica:
			return false
		default:
			return !failed || o.ReplicationStatus.V == route.Failed
		}
	})
}

// foreignOwner makes the owner the fault when an object of another account FAILED and nothing else can explain it. It needs all
// other findings to be there.
func (e *examination) foreignOwner() {
	at := slices.IndexFunc(e.findings, func(f Finding) bool { return f.Cause == sourceObjectOwnedByAnotherAccount.Name })
	if at < 0 || e.w.Snapshot.Buckets[e.r.Source].V.Ownership.State == snapshot.Missing || len(e.foreignObjects(true)) == 0 {
		return
	}
	explains := func(f Finding) bool { return f.Severity == Fault }
	open := func(a asked) bool {
		denied, _ := a.hurts()
		return denied && (a.Need == route.Required || a.Need == route.Conditional)
	}
	if !slices.ContainsFunc(e.findings, explains) && !slices.ContainsFunc(e.asked, open) {
		e.findings[at].Severity = Fault
		e.findings[at].Message += ". It is FAILED, and nothing else in these documents explains that"
	}
}
