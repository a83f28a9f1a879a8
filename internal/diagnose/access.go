package diagnose

import (
	"github.com/replimend/replimend/internal/patch"
	"github.com/replimend/replimend/internal/route"
	"github.com/replimend/replimend/internal/snapshot"
)

// Access is the diagnosis of one principal that reads or writes a bucket.
type Access struct {
	Principal string          `json:"principal"` // the role or user
	Bucket    string          `json:"bucket"`
	Operation route.Operation `json:"operation"`
	Key       string          `json:"key,omitempty"`
	Verdict   Verdict         `json:"verdict"`
	Hops      []Hop           `json:"hops"`
	Findings  []Finding       `json:"findings"`
	// Plan is null when nothing needs a cure, or when no edit can or may cure it. A person always has to agree.
	Plan *patch.Plan `json:"plan"`
	// Objects says, in words, which objects the diagnosis stands for.
	Objects []string `json:"objects,omitempty"`

	Of route.Access `json:"-"`
}

// DiagnoseAccess judges one access to a bucket, as Diagnose judges a route. Its plan never leaves anything in doubt: nobody
// widens access for a maybe.
func DiagnoseAccess(s *snapshot.Snapshot, a route.Access) Access {
	e := &examination{w: route.NewWorld(s), access: &a, subject: subjectOfAccess(&a), populations: a.Populations(s)}
	e.examine()
	e.disarm()
	out := Access{
		Principal: a.Principal.String(), Bucket: a.Bucket, Operation: a.Operation, Key: a.Key,
		Verdict: e.verdict(), Hops: e.hops(), Of: a,
	}
	for _, p := range e.populations {
		out.Objects = append(out.Objects, p.Text)
	}
	p := e.plan(out.Verdict)
	if p != nil && (p.Proof.After == string(Healthy) || p.Proof.After == string(Degraded)) {
		out.Plan = p
	}
	out.Findings = e.findings // making a plan finds what stands in its way
	return out
}

// disarm takes the cures away from an access of a principal that is not in the snapshot: the role of a session may stand under
// a path that its ARN does not show, and a grant must name who is meant.
func (e *examination) disarm() {
	if e.access.Known(e.w.Snapshot) == snapshot.Present {
		return
	}
	for i := range e.findings {
		e.findings[i].Grants, e.findings[i].Conditions = nil, nil
	}
}

// policies is the policies of an access's principal, as a document.
func (e *examination) policies() snapshot.Ref {
	if e.access.Noun == "user" {
		return snapshot.Ref{Kind: snapshot.UserPolicy, ID: e.subject.text}
	}
	return snapshot.Ref{Kind: snapshot.RolePolicy, ID: e.subject.text}
}

// bucket is the bucket of an access.
func (e *examination) bucket() snapshot.Value[snapshot.Bucket] {
	return e.w.Snapshot.Buckets[e.access.Bucket]
}

// bucketConfig is the configuration of an access's bucket, as a document.
func (e *examination) bucketConfig() snapshot.Ref {
	return snapshot.Ref{Kind: snapshot.BucketConfig, ID: e.access.Bucket}
}

// accessFinding is a finding of an access that no edit cures.
func accessFinding(cause string, side Side, document snapshot.Ref, v Verdict, evidence route.Evidence, message string) Finding {
	f := Finding{
		Cause: cause, Side: side, Document: document, Severity: Warning, Evidence: evidence, Remedy: patch.Manual, Message: message, Verdict: v,
	}
	if v == Broken {
		f.Severity = Fault
	}
	return f
}

// accessLacks is a cause that is a silent document of an access at one hop: of the principal, or of the bucket or key. An
// upload in parts asks for two actions at the same hop.
func accessLacks(name, summary string, action string, kinds ...snapshot.Kind) Cause {
	side := PrincipalSide
	if len(kinds) == 1 {
		side = ResourceSide
	}
	return Cause{Name: name, Group: OfAccesses, Summary: summary, Side: side, Documents: kinds, Remedy: patch.Approval, Recognise: func(e *examination, d denial) (Finding, bool) {
		if e.access == nil || !d.silent(e, action, kinds) {
			return Finding{}, false
		}
		return d.cured(e, d.lacks(e)), true
	}}
}
