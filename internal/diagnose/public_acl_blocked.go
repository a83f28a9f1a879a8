package diagnose

import (
	"fmt"

	"github.com/replimend/replimend/internal/jsontree"
	"github.com/replimend/replimend/internal/patch"
	"github.com/replimend/replimend/internal/route"
	"github.com/replimend/replimend/internal/signal"
	"github.com/replimend/replimend/internal/snapshot"
)

// publicACLBlocked: S3 reports that it may not write an ACL, and the destination refuses public ones. A snapshot holds no ACLs of
// objects, so that this is a hypothesis.
// https://repost.aws/knowledge-center/s3-troubleshoot-replication
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html
var publicACLBlocked = Cause{
	Name:      "public-acl-blocked",
	Group:     OfReplicas,
	Summary:   "S3 reports that it may not write an ACL, and the destination bucket blocks public ACLs",
	Verdict:   Conditional,
	Side:      DestinationSide,
	Documents: []snapshot.Kind{snapshot.BucketConfig},
	Remedy:    patch.Manual,
	Inspect: func(e *examination) []Finding {
		d, ok := e.w.Snapshot.Buckets[e.r.Destination].Get()
		reported := e.hint != nil && e.hint.Kind == signal.Failed && e.hint.Reason == "DstPutAclNotPermitted"
		if !reported || !ok || !blocksPublicACLs(d.PublicAccessBlock.V) || e.r.OwnerOverride() || d.Ownership.V == "BucketOwnerEnforced" {
			return nil
		}
		return []Finding{{
			Cause: "public-acl-blocked", Side: DestinationSide, Severity: Warning, Evidence: route.Inferred, Remedy: patch.Manual,
			Document: snapshot.Ref{Kind: snapshot.BucketConfig, ID: e.r.Destination},
			Message: fmt.Sprintf("S3 reports DstPutAclNotPermitted, and bucket %s has BlockPublicAcls on: that the object's ACL is public is a hypothesis, which aws s3api get-object-acl on the source object settles",
				e.r.Destination),
		}}
	},
}

func blocksPublicACLs(block jsontree.Node) bool { return block.Get("BlockPublicAcls").Bool }
