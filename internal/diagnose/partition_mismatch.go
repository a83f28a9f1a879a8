package diagnose

import (
	"fmt"

	"github.com/replimend/replimend/internal/patch"
	"github.com/replimend/replimend/internal/policy"
	"github.com/replimend/replimend/internal/route"
	"github.com/replimend/replimend/internal/snapshot"
)

// partitionMismatch: partitions share no identities and no replication; what a rule names in another one does not exist for S3.
// https://docs.aws.amazon.com/whitepapers/latest/aws-fault-isolation-boundaries/partitions.html
var partitionMismatch = Cause{
	Name:      "partition-mismatch",
	Group:     OfRules,
	Summary:   "the rule names a bucket, role or key of another partition (aws, aws-cn, aws-us-gov)",
	Verdict:   Broken,
	Side:      SourceSide,
	Documents: []snapshot.Kind{snapshot.ReplicationConfig},
	Remedy:    patch.Manual,
	Inspect: func(e *examination) []Finding {
		if e.r.SourceRegion == "" {
			return nil
		}
		home := route.PartitionOf(e.r.SourceRegion)
		var out []Finding
		check := func(what, name, partition string) {
			if partition == "" || partition == home {
				return
			}
			out = append(out, Finding{
				Cause: "partition-mismatch", Side: SourceSide, Document: e.config(), Severity: Fault, Evidence: route.Documented, Remedy: patch.Manual,
				Message: fmt.Sprintf("%s %s of rule %s is in partition %s, and bucket %s is in %s: S3 replicates inside one partition only", what, name, e.r.RuleID, partition, e.r.Source, home),
			})
		}
		if e.r.DestinationRegion != "" {
			check("destination", e.r.Destination, route.PartitionOf(e.r.DestinationRegion))
		} else if a, err := policy.ParseARN(e.r.Rule.Destination.Bucket); err == nil {
			check("destination", e.r.Rule.Destination.Bucket, a.Partition)
		}
		check("role", e.r.RoleText, e.r.Role.Partition)
		if _, ok := e.kmsPopulation(); ok {
			check("replica key", e.r.ReplicaKeyText, e.r.ReplicaKey.Partition)
		}
		return out
	},
}

// otherPartition says that a statement would have matched but for the partition of what it names.
func (d denial) otherPartition() string {
	m := d.reason.Miss
	if m == nil {
		return ""
	}
	for _, want := range m.Want {
		a, err := policy.ParseARN(want)
		if home := d.Request.Resource.Partition; err == nil && a.Partition != home && (a.Partition == "aws" || a.Partition == route.China || a.Partition == "aws-us-gov") {
			return fmt.Sprintf("; %s is in partition %s, and an ARN of another partition than %s never matches here", want, a.Partition, home)
		}
	}
	return ""
}
