package diagnose

import (
	"fmt"

	"github.com/replimend/replimend/internal/patch"
	"github.com/replimend/replimend/internal/policy"
	"github.com/replimend/replimend/internal/route"
	"github.com/replimend/replimend/internal/snapshot"
)

// sourceEncryptionUnknown: without the encryption of the objects, or the key that their alias means, nobody can say which KMS
// permissions S3 needs.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/replication-config-for-kms-objects.html
var sourceEncryptionUnknown = Cause{
	Name:      "source-encryption-unknown",
	Group:     OfWhatIsUnread,
	Summary:   "the encryption of the source objects, or the key behind their alias, is not known",
	Verdict:   Unknown,
	Side:      SourceSide,
	Documents: []snapshot.Kind{snapshot.BucketConfig},
	Remedy:    patch.Manual,
	Inspect: func(e *examination) []Finding {
		for _, p := range e.populations {
			message := ""
			switch {
			case p.DeleteMarker:
			case !p.EncryptionKnown:
				message = fmt.Sprintf("the default encryption of bucket %s is not in the snapshot", e.r.Source)
			case p.KMS() && p.KeyText == "":
				message = fmt.Sprintf("%s are encrypted under a KMS key that the snapshot does not name: their kmsKeyId is missing", e.sampleOf(p))
			case p.KMS() && p.Key.IsZero():
				message = fmt.Sprintf("no key of the snapshot answers to %s, under which the source objects are encrypted", p.KeyText)
			}
			if message != "" {
				return []Finding{{
					Cause: "source-encryption-unknown", Side: SourceSide, Severity: Warning, Evidence: route.Documented, Remedy: patch.Manual,
					Document: snapshot.Ref{Kind: snapshot.BucketConfig, ID: e.r.Source}, Message: message,
				}}
			}
		}
		return nil
	},
}

// sampleOf names the objects whose key is not known by one of them, by its ARN: see package remedy, which takes it out of what
// not everybody may read.
func (e *examination) sampleOf(p route.Population) string {
	return "objects such as " + policy.ObjectARN(e.r.Partition, e.r.Source, p.ObjectKey).String()
}
