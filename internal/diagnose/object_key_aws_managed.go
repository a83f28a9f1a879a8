package diagnose

import (
	"fmt"

	"github.com/replimend/replimend/internal/patch"
	"github.com/replimend/replimend/internal/route"
	"github.com/replimend/replimend/internal/snapshot"
)

// objectKeyAWSManaged: AWS managed keys, such as aws/s3, let only principals of their own account in, and nobody can change their
// policies. Which account's key an upload from another account would get is a deduction.
// https://docs.aws.amazon.com/kms/latest/developerguide/concepts.html#aws-managed-cmk
var objectKeyAWSManaged = Cause{
	Name:      "object-key-aws-managed",
	Group:     OfAccesses,
	Summary:   "the objects are encrypted with an AWS managed key, which no other account can use",
	Side:      ResourceSide,
	Documents: []snapshot.Kind{snapshot.BucketConfig, snapshot.KeyState},
	Remedy:    patch.Manual,
	InspectAccess: func(e *examination) []Finding {
		for _, p := range e.populations {
			k, known := e.w.Snapshot.Keys[p.Key].Get()
			managed := known && k.Manager == "AWS" || p.KMS() && isS3Alias(p.KeyText)
			foreign := e.access.CrossAccount() && (p.Key.IsZero() || p.Key.Account != e.access.Principal.Account)
			if !managed || !foreign {
				continue
			}
			if e.access.Operation == route.Get {
				return []Finding{accessFinding("object-key-aws-managed", ResourceSide, e.bucketConfig(), Broken, route.Documented,
					fmt.Sprintf("the objects of bucket %s are encrypted with the AWS managed key %s, which principals of account %s cannot use; no policy edit changes that",
						e.access.Bucket, p.KeyText, e.access.Principal.Account))}
			}
			return []Finding{accessFinding("object-key-aws-managed", ResourceSide, e.bucketConfig(), Conditional, route.Inferred,
				fmt.Sprintf("the default encryption of bucket %s is under the AWS managed key %s, which accounts cannot share: an upload from account %s fails, "+
					"or its object gets that account's own key and account %s cannot read it", e.access.Bucket, p.KeyText, e.access.Principal.Account, e.access.Account))}
		}
		return nil
	},
}
