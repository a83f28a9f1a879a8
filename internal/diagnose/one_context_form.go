package diagnose

import (
	"fmt"

	"github.com/replimend/replimend/internal/authz"
	"github.com/replimend/replimend/internal/patch"
	"github.com/replimend/replimend/internal/policy"
	"github.com/replimend/replimend/internal/route"
	"github.com/replimend/replimend/internal/snapshot"
)

// oneContextForm: the bucket writes with a Bucket Key and the documents allow the source key under the bucket's ARN alone. Objects
// of before the Bucket Key, and of writers that ask for none, have the object's ARN as encryption context and would fail. It is
// said only where the Bucket Key is on: without one the object's ARN is what AWS's own samples allow, and nothing shows that
// objects with a Bucket Key exist.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/configuring-bucket-key.html
var oneContextForm = Cause{
	Name:      "one-context-form",
	Group:     OfKeys,
	Summary:   "objects without an S3 Bucket Key, which the bucket may still hold, could not be decrypted",
	Side:      SourceSide,
	Documents: []snapshot.Kind{snapshot.RolePolicy},
	Remedy:    patch.None,
	Inspect: func(e *examination) []Finding {
		if len(e.populations) != 1 || !e.populations[0].BucketKey || !e.populations[0].Default {
			return nil
		}
		for i := range e.asked {
			a := &e.asked[i]
			if a.Hop != route.DecryptSource || a.Need != route.Required || a.decision.Outcome != authz.Allowed {
				continue
			}
			other := a.Request
			other.Context = authz.Over(&a.Request.Context)
			other.Context.Set("kms:EncryptionContext:aws:s3:arn", policy.ObjectARN(e.r.Partition, e.r.Source, e.populations[0].ObjectKey).String())
			if d := authz.Decide(&other, &a.Layers); d.Outcome != authz.ImplicitDeny {
				continue
			}
			return []Finding{{
				Cause: "one-context-form", Side: SourceSide, Document: snapshot.Ref{Kind: snapshot.RolePolicy, ID: e.r.RoleText},
				Hop: a.Hop.String(), Severity: Advice, Evidence: route.Documented, Remedy: patch.None,
				Message: fmt.Sprintf("role %s may decrypt with key %s under the encryption context of objects with an S3 Bucket Key only, %s: objects of bucket %s that were written before the Bucket Key was switched on, or whose writers ask for none, would fail",
					e.r.RoleText, a.Request.Resource, policy.BucketARN(e.r.Partition, e.r.Source), e.r.Source),
			}}
		}
		return nil
	},
}
