package diagnose

import (
	"fmt"

	"github.com/replimend/replimend/internal/patch"
	"github.com/replimend/replimend/internal/route"
	"github.com/replimend/replimend/internal/snapshot"
)

// objectOwnedByAnotherAccount: while ACLs are in force, an object belongs to who wrote it: another account, or the source's
// owner of a replica without owner override. Then its ACL decides, which no snapshot has, and the bucket's owner can only deny.
// https://github.com/aws-solutions/workload-discovery-on-aws/issues/59
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-auth-workflow-object-operation.html
var objectOwnedByAnotherAccount = Cause{
	Name:      "object-owned-by-another-account",
	Group:     OfAccesses,
	Summary:   "the object belongs to another account than the bucket, whose policies then do not open it",
	Side:      ResourceSide,
	Documents: []snapshot.Kind{snapshot.ObjectKind, snapshot.BucketConfig},
	Remedy:    patch.Manual,
	InspectAccess: func(e *examination) []Finding {
		s, a := e.w.Snapshot, e.access
		ownership := e.bucket().V.Ownership
		if e.bucket().State != snapshot.Present || ownership.V == "BucketOwnerEnforced" {
			return nil
		}
		if a.Operation == route.Put {
			return e.ownUpload()
		}
		var out []Finding
		told := make(map[string]bool) // one object of each owner is enough
		seen := false
		for i := range s.Objects {
			o := &s.Objects[i]
			seen = seen || a.Reads(o) && o.Owner != ""
			if !a.Reads(o) || o.DeleteMarker || !a.OwnedElsewhere(s, o) || told[o.Owner] {
				continue
			}
			told[o.Owner] = true
			text := fmt.Sprintf("object %s of bucket %s belongs to account %s: its ACL, which the snapshot does not hold, decides whether %s may read it, and the bucket policy can only deny",
				o.Key, a.Bucket, o.Owner, e.subject)
			if a.Principal.Account == o.Owner {
				text = fmt.Sprintf("object %s of bucket %s belongs to account %s, as does %s: the policies of that account must allow, and the bucket policy can only deny",
					o.Key, a.Bucket, o.Owner, e.subject)
			}
			out = append(out, accessFinding("object-owned-by-another-account", ResourceSide,
				snapshot.Ref{Kind: snapshot.ObjectKind, ID: o.Bucket + "/" + o.Key}, Conditional, route.Documented, text+ownershipCure))
		}
		if seen {
			return out
		}
		return append(out, e.suspectReplicas()...)
	},
}

const ownershipCure = ". Object Ownership BucketOwnerEnforced gives all objects to the bucket's owner"

// ownUpload is an upload from another account, which keeps what it writes.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/about-object-ownership.html
func (e *examination) ownUpload() []Finding {
	a := e.access
	if !a.CrossAccount() {
		return nil
	}
	verdict, text := Degraded, "objects that %s writes to bucket %s belong to account %s, so that the owner of the bucket can read them only if the upload grants that in the object's ACL"
	if e.bucket().V.Ownership.State == snapshot.Missing {
		verdict, text = Conditional, "unless Object Ownership enforces the owner, which the snapshot does not say, "+text
	}
	return []Finding{accessFinding("object-owned-by-another-account", ResourceSide, e.bucketConfig(), verdict, route.Documented,
		fmt.Sprintf(text, e.subject, a.Bucket, a.Principal.Account)+ownershipCure)}
}

// suspectReplicas is the rules that leave replicas in the bucket to another account. No sample says whose the objects are.
func (e *examination) suspectReplicas() []Finding {
	var out []Finding
	for _, r := range route.Routes(e.w.Snapshot) {
		if r.Destination == e.access.Bucket && r.CrossAccount() && !r.OwnerOverride() {
			out = append(out, accessFinding("object-owned-by-another-account", ResourceSide, e.bucketConfig(), Conditional, route.Inferred,
				fmt.Sprintf("rule %s of bucket %s writes replicas to bucket %s without the owner override: probably they belong to account %s, and %s cannot read them. A sample object with its owner would tell",
					r.RuleID, r.Source, r.Destination, r.SourceAccount, e.subject)+ownershipCure))
		}
	}
	return out
}
