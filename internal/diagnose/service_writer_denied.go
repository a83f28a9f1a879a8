package diagnose

import (
	"fmt"

	"github.com/replimend/replimend/internal/authz"
	"github.com/replimend/replimend/internal/patch"
	"github.com/replimend/replimend/internal/route"
	"github.com/replimend/replimend/internal/snapshot"
)

// serviceWriterDenied: GuardDuty, CloudTrail and their like are meant to write into the source bucket and cannot. The route is
// sound and has nothing of theirs to replicate. Replimend grants nothing to services, so that a person has to.
// https://docs.aws.amazon.com/guardduty/latest/ug/guardduty_exportfindings.html
var serviceWriterDenied = Cause{
	Name:      "service-writer-denied",
	Group:     OfBuckets,
	Summary:   "a service that delivers logs into the source bucket may not write there, or not use its key",
	Side:      SourceSide,
	Documents: []snapshot.Kind{snapshot.SourceBucketPolicy, snapshot.SourceKeyPolicy, snapshot.BucketConfig},
	Remedy:    patch.Manual,
	Verdict:   Degraded,
	Inspect: func(e *examination) []Finding {
		var out []Finding
		e.writers = route.Writers(e.w, e.r)
		for _, w := range e.writers {
			for i := range w.Requests {
				if f, ok := denied(w.Service, &w.Requests[i]); ok {
					out = append(out, f)
				}
			}
			if w.Service.SSES3Only && w.KMS {
				f := writerFinding(w.Service, snapshot.Ref{Kind: snapshot.BucketConfig, ID: e.r.Source})
				f.Message = fmt.Sprintf("%s (%s) cannot be delivered into bucket %s, whose default encryption is KMS: the service writes with SSE-S3 only", w.Service.Name, w.Service.Principal, e.r.Source)
				out = append(out, f)
			}
		}
		return out
	},
}

// denied is the finding of a request that is certainly not allowed. What depends on the trail or detector is not certain.
func denied(s route.LogService, q *route.Requirement) (Finding, bool) {
	x := authz.Explain(&q.Request, &q.Layers)
	outcome := authz.Decide(&q.Request, &q.Layers).Outcome
	if outcome != authz.ImplicitDeny && outcome != authz.ExplicitDeny {
		return Finding{}, false
	}
	f := writerFinding(s, q.Resource)
	f.Message = fmt.Sprintf("%s (%s) delivers into the source bucket and may not %s on %s", s.Name, s.Principal, q.Request.Action, q.Request.Resource)
	if len(x.Reasons) > 0 && x.Reasons[0].Statement != "" {
		f.Message += fmt.Sprintf(": statement %s of %s %s", x.Reasons[0].Statement, x.Reasons[0].Document, x.Reasons[0].Text)
	}
	return f, true
}

func writerFinding(s route.LogService, ref snapshot.Ref) Finding {
	return Finding{
		Cause: "service-writer-denied", Side: SourceSide, Document: ref, Severity: Warning, Evidence: route.Documented, Remedy: patch.Manual,
	}
}
