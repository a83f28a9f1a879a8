// Package diagnose finds out why a route fails: the catalogue of causes, one file each, over the decisions of the evaluator
// on every request that S3 makes. It also finds the smallest plan that cures the route and proves it by evaluating again.
//
// A diagnosis cannot fail: what it cannot decide is unknown, with the evidence that is missing. Package guard judges its
// plans; nothing here writes.
package diagnose

import (
	"encoding/json"
	"slices"

	"github.com/replimend/replimend/internal/authz"
	"github.com/replimend/replimend/internal/patch"
	"github.com/replimend/replimend/internal/policy"
	"github.com/replimend/replimend/internal/route"
	"github.com/replimend/replimend/internal/snapshot"
)

// Schema names the contract of a Diagnosis.
const Schema = "replimend/diagnosis/v1"

// Verdict is what a route is.
type Verdict string

// The verdicts.
const (
	Healthy     Verdict = "healthy"     // every request that S3 makes is certainly allowed
	Degraded    Verdict = "degraded"    // objects arrive, something is lost or unseen
	Conditional Verdict = "conditional" // it depends on what the evidence disputes, or on which objects are meant
	Broken      Verdict = "broken"      // objects in the rule's scope certainly fail or are silently skipped
	Unknown     Verdict = "unknown"     // a document that decides was missing
)

// HopVerdict is what a hop is.
type HopVerdict string

// The verdicts of a hop.
const (
	HopAllowed HopVerdict = "allowed"
	HopDenied  HopVerdict = "denied"
	HopUnknown HopVerdict = "unknown"
)

// Severity is how much a finding matters. Only a fault blames.
type Severity string

// The severities.
const (
	Fault   Severity = "fault"
	Warning Severity = "warning"
	Advice  Severity = "advice"
)

// Side is whose document is at fault: the source's, which owns the role, or the destination's.
type Side string

// The sides.
const (
	SourceSide      Side = "source"
	DestinationSide Side = "destination"
	// The sides of an access: whoever asks, and the owner of the bucket or key.
	PrincipalSide Side = "principal"
	ResourceSide  Side = "resource"
)

// Diagnosis is the whole answer, one entry per enabled rule and destination.
type Diagnosis struct {
	Schema string  `json:"schema"`
	Routes []Route `json:"routes"`
	// Proposals is what roles could do without; it is never part of a plan.
	Proposals []Proposal `json:"proposals,omitempty"`
	// Accesses is what was asked about principals that read or write a bucket.
	Accesses []Access `json:"accesses,omitempty"`
	// Findings is what concerns no route of the snapshot: an event or an object that is about another rule or bucket.
	Findings []Finding `json:"findings,omitempty"`
}

// Route is the diagnosis of one route.
type Route struct {
	Source      string    `json:"source"`
	Rule        string    `json:"rule"`
	Destination string    `json:"destination"`
	Role        string    `json:"role"`
	Verdict     Verdict   `json:"verdict"`
	Hops        []Hop     `json:"hops"`
	Findings    []Finding `json:"findings"`
	// Plan is null when nothing needs a cure, or when no edit can or may cure it.
	Plan *patch.Plan `json:"plan"`
	// Objects says, in words, which objects the diagnosis stands for.
	Objects []string `json:"objects,omitempty"`
	// Writers is the services that the source bucket's policy lets deliver logs into it. No plan touches their statements.
	Writers []string `json:"writers,omitempty"`
	// Hints is what others said of failures of the route, each held against what the documents say.
	Hints []Hint `json:"hints,omitempty"`

	Of route.Route `json:"-"`
}

// Ailments is the causes of the route's state, each once: its faults, or without one its warnings.
func (r Route) Ailments() []string {
	for _, severity := range []Severity{Fault, Warning} {
		var out []string
		for _, f := range r.Findings {
			if f.Severity == severity && !slices.Contains(out, f.Cause) {
				out = append(out, f.Cause)
			}
		}
		if len(out) > 0 {
			return out
		}
	}
	return nil
}

// Hint is what an event or a record says, and what the model says of it. It is untrusted: it can raise a question, no more.
type Hint struct {
	// Reason is the failureReason of an event of S3, or the action of a KMS call that CloudTrail recorded as denied.
	Reason string `json:"reason"`
	// Meaning is what AWS means by it, empty where that is not known.
	Meaning string `json:"meaning,omitempty"`
	// Agrees says whether the model finds what the hint blames; it is left out where the model cannot tell.
	Agrees *bool `json:"agrees,omitempty"`
	// Text compares the two, for people.
	Text string `json:"text"`
}

// Hop is one step of S3 with everything it asks.
type Hop struct {
	Hop      route.Hop  `json:"hop"`
	Verdict  HopVerdict `json:"verdict"`
	Requests []Request  `json:"requests"`
}

// Request is one authorization request of a hop with its decision.
type Request struct {
	Principal string  `json:"principal"`
	Action    string  `json:"action"`
	Resource  string  `json:"resource"`
	Context   Context `json:"context"`
	Decision  string  `json:"decision"`
	Why       Why     `json:"why"`
	// Evidence says how sure it is that S3 makes this request at all; Need says what its denial means.
	Evidence route.Evidence `json:"evidence,omitempty"`
	Need     route.Need     `json:"need,omitempty"`
}

// Why is the statements that decide a request, a list in the contract. Of allowed requests it is made when somebody asks, as Context
// is: nearly all are allowed.
type Why struct {
	reasons []authz.Why
	of      *route.Requirement // nil: reasons is all
}

// WhyOf is a list of reasons.
func WhyOf(reasons ...authz.Why) Why { return Why{reasons: reasons} }

// All is every reason, never nil.
func (w Why) All() []authz.Why {
	switch {
	case w.of != nil:
		return authz.Explain(&w.of.Request, &w.of.Layers).Why()
	case w.reasons == nil:
		return []authz.Why{}
	default:
		return w.reasons
	}
}

// MarshalJSON is the contract's shape.
func (w Why) MarshalJSON() ([]byte, error) { return json.Marshal(w.All()) }

// Context is the condition keys that a request certainly carries, an object of lists in the contract. It is read from the request
// when it is printed: most diagnoses are read by people, who never see it.
type Context struct{ keys *authz.Context }

// ContextOf is the context of a request. The request must not change afterwards.
func ContextOf(c *authz.Context) Context { return Context{c} }

// MarshalJSON is the contract's shape.
func (c Context) MarshalJSON() ([]byte, error) {
	out := make(map[string][]string)
	if c.keys != nil {
		for key, values := range c.keys.Given() {
			out[key] = values
		}
	}
	return json.Marshal(out)
}

// Finding is one cause, where it is and what may be done.
type Finding struct {
	Cause    string         `json:"cause"`
	Side     Side           `json:"side"`
	Document snapshot.Ref   `json:"document"`
	Severity Severity       `json:"severity"`
	Evidence route.Evidence `json:"evidence"`
	Remedy   patch.Class    `json:"remedy"`
	Message  string         `json:"message"`
	// Hop is the hop that fails for it, where one does.
	Hop string `json:"hop,omitempty"`
	// Observed is when CloudTrail recorded that KMS denied S3 this, RFC 3339; empty where no record says so.
	Observed string `json:"observed,omitempty"`
	// Grants is what is missing, as principal, action, resource.
	Grants []patch.Tuple `json:"grants,omitempty"`
	// Conditions is what a cure would pin the grants to.
	Conditions []policy.Condition `json:"-"`
	// Verdict is what is judged at best because of the finding, where its cause alone does not say.
	Verdict Verdict `json:"-"`
}
