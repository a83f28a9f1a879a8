package diagnose

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/replimend/replimend/internal/patch"
	"github.com/replimend/replimend/internal/policy"
	"github.com/replimend/replimend/internal/route"
	"github.com/replimend/replimend/internal/signal"
	"github.com/replimend/replimend/internal/snapshot"
)

// report adds the finding of a cause that only S3 knows.
func (e *examination) report(c Cause, s signal.Signal, r *Reason) {
	f := c.Report(e, s, r)
	f.Cause = c.Name
	e.add(f)
}

// reportable is the cause that a reason is all there is to know of, nil when the documents can show it.
func reportable(r *Reason) *Cause {
	for i := range catalogue {
		if c := &catalogue[i]; c.Report != nil && slices.Contains(r.Causes, c.Name) {
			return c
		}
	}
	return nil
}

// reported is a finding on S3's word alone.
func (e *examination) reported(side Side, ref snapshot.Ref, severity Severity, remedy patch.Class, message string) Finding {
	return Finding{Side: side, Document: ref, Severity: severity, Evidence: route.Inferred, Remedy: remedy, Message: message}
}

// object is the object of an event; where that is not known, any object of the bucket.
func (e *examination) object(s signal.Signal) snapshot.Ref {
	return snapshot.Ref{Kind: snapshot.ObjectKind, ID: policy.ObjectARN(e.r.Partition, e.r.Source, cmp.Or(s.Key, "*")).String()}
}

// replica is where the replica of that object would be.
func (e *examination) replica(s signal.Signal) snapshot.Ref {
	return snapshot.Ref{Kind: snapshot.ObjectKind, ID: policy.ObjectARN(e.r.Partition, e.r.Destination, cmp.Or(s.Key, "*")).String()}
}

// batchRole stands for a role that no snapshot holds.
func (e *examination) batchRole() snapshot.Ref {
	return snapshot.Ref{Kind: snapshot.RolePolicy, ID: "of the batch jobs of " + e.r.Source}
}

// sourceObjects is the resource on which s3:InitiateReplication has to be allowed.
func (e *examination) sourceObjects() string {
	return policy.ObjectARN(e.r.Partition, e.r.Source, "*").String()
}

// regions is where the buckets of the route are, as far as it is known.
func (e *examination) regions() string {
	known := func(region string) string {
		if region == "" {
			return "a Region that the snapshot does not hold"
		}
		return region
	}
	return fmt.Sprintf("Bucket %s is in %s, bucket %s in %s", e.r.Source, known(e.r.SourceRegion), e.r.Destination, known(e.r.DestinationRegion))
}
