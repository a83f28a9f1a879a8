package diagnose

import (
	"fmt"

	"github.com/replimend/replimend/internal/patch"
	"github.com/replimend/replimend/internal/route"
	"github.com/replimend/replimend/internal/snapshot"
)

// keyAliasResolvesInCallerAccount: the bucket's default encryption names its key by an alias or a key id, and the writer is
// of another account. The API reference says that KMS resolves an alias in the requester's account; AWS's knowledge centre says in
// the account of the bucket's owner. Both say that the key's ARN is needed.
// https://repost.aws/knowledge-center/cross-account-access-denied-error-s3
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_ServerSideEncryptionByDefault.html
var keyAliasResolvesInCallerAccount = Cause{
	Name:      "key-alias-resolves-in-caller-account",
	Group:     OfAccesses,
	Summary:   "the bucket's default key is an alias or key id, which may mean another key to a writer of another account",
	Side:      ResourceSide,
	Documents: []snapshot.Kind{snapshot.BucketConfig},
	Remedy:    patch.Manual,
	InspectAccess: func(e *examination) []Finding {
		for _, p := range e.populations {
			if e.keyOfCaller(p) {
				return []Finding{accessFinding("key-alias-resolves-in-caller-account", ResourceSide, e.bucketConfig(), Conditional, route.Disputed,
					fmt.Sprintf("the default encryption of bucket %s names its key as %s. For a writer of another account that may mean a key of account %s, "+
						"and not one of the bucket's owner: then the upload fails, or the owner of the bucket cannot read it. AWS's pages disagree; give the key's ARN instead",
						e.access.Bucket, p.KeyText, e.access.Principal.Account))}
			}
		}
		return nil
	},
}

// keyOfCaller says whether the writer's account may be the one in which the key's name is looked up.
func (e *examination) keyOfCaller(p route.Population) bool {
	return p.KMS() && e.access.Operation == route.Put && e.access.CrossAccount() && !route.NamesKey(p.KeyText) && !isS3Alias(p.KeyText)
}
