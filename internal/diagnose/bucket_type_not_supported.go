package diagnose

import (
	"fmt"
	"strings"

	"github.com/replimend/replimend/internal/patch"
	"github.com/replimend/replimend/internal/policy"
	"github.com/replimend/replimend/internal/route"
	"github.com/replimend/replimend/internal/snapshot"
)

// bucketTypeNotSupported: replication is for general purpose buckets. Directory and table buckets show in the end of their name.
// https://repost.aws/knowledge-center/s3-troubleshoot-replication
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/directory-bucket-naming-rules.html
var bucketTypeNotSupported = Cause{
	Name:      "bucket-type-not-supported",
	Group:     OfBuckets,
	Summary:   "a bucket of the rule is a directory or table bucket, which S3 replication does not support",
	Verdict:   Broken,
	Documents: []snapshot.Kind{snapshot.ReplicationConfig},
	Remedy:    patch.Manual,
	Inspect: func(e *examination) []Finding {
		var out []Finding
		check := func(side Side, name, service string) {
			kind := bucketType(name, service)
			if kind == "" {
				return
			}
			out = append(out, Finding{
				Cause: "bucket-type-not-supported", Side: side, Document: e.config(), Severity: Fault, Evidence: route.Documented, Remedy: patch.Manual,
				Message: fmt.Sprintf("%s of rule %s is a %s bucket: S3 replication takes general purpose buckets only", name, e.r.RuleID, kind),
			})
		}
		check(SourceSide, e.r.Source, "")
		a, _ := policy.ParseARN(e.r.Rule.Destination.Bucket) // the zero ARN of no service
		check(DestinationSide, e.r.Destination, a.Service)
		return out
	},
}

// bucketType is "directory" or "table", or "" for a general purpose bucket.
func bucketType(name, service string) string {
	switch {
	case strings.HasSuffix(name, "--x-s3"), service == "s3express":
		return "directory"
	case strings.HasSuffix(name, "--table-s3"), service == "s3tables":
		return "table"
	default:
		return ""
	}
}
