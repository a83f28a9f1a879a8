package diagnose

import (
	"slices"
	"strings"

	"github.com/replimend/replimend/internal/authz"
	"github.com/replimend/replimend/internal/patch"
	"github.com/replimend/replimend/internal/policy"
	"github.com/replimend/replimend/internal/route"
	"github.com/replimend/replimend/internal/signal"
	"github.com/replimend/replimend/internal/snapshot"
)

// Diagnose judges every enabled rule of the snapshot. Hints are what events said, and denials what CloudTrail recorded: they choose
// the objects that stand for their route and what is asked of them, and are held against the result, but no decision rests on
// them. What concerns no route of the snapshot is in the findings of the diagnosis itself.
func Diagnose(s *snapshot.Snapshot, hints []signal.Signal, denials ...signal.Denial) Diagnosis {
	d := Diagnosis{Schema: Schema, Routes: []Route{}}
	w := route.NewWorld(s)
	n := narrower{w: w, roles: make(map[policy.ARN]*wideRole)}
	h := heard{hints, denials, make([]bool, len(hints)), make([]bool, len(denials))}
	for _, r := range w.Routes() {
		e := examine(w, r, h.of(w, r))
		d.Routes = append(d.Routes, e.route())
		n.see(e)
	}
	d.Findings = append(outside(w, hints), h.unused(s, d.Routes)...)
	d.Proposals = n.proposals()
	return d
}

// route is the diagnosis of what was examined.
func (e *examination) route() Route {
	r := e.r
	out := Route{
		Source: r.Source, Rule: r.RuleID, Destination: r.Destination, Role: r.RoleText,
		Verdict: e.verdict(), Hops: e.hops(), Hints: e.hints, Of: r,
	}
	for _, p := range e.populations {
		out.Objects = append(out.Objects, p.Text)
	}
	for _, w := range e.writers {
		out.Writers = append(out.Writers, w.Service.Name+" ("+w.Service.Principal+")")
	}
	if text, ok := e.wayBack(); ok {
		out.Objects = append(out.Objects, text)
	}
	out.Plan = e.plan(out.Verdict)
	out.Findings = e.findings // making a plan finds what stands in its way
	return out
}

// examination is one route, or one access, with everything that was asked about it.
type examination struct {
	w           *route.World
	r           route.Route
	access      *route.Access // nil: a route is examined
	subject     subject
	hint        *signal.Signal // the first failure that is reported, nil without one
	told        told
	populations []route.Population
	known       int          // how many of them the snapshot shows; what follows was told
	passes      *passes      // see passing; nil: not asked yet
	rules       *route.Rules // of the source bucket
	samples     []route.Sample
	asked       []asked
	findings    []Finding
	writers     []route.Writer
	hints       []Hint
}

// asked is one requirement with its answer. A proof leaves expl as it was: nobody reads it.
type asked struct {
	*route.Requirement
	decision authz.Decision
	session  string // of the role, for which the answer would be another one: then it is unknown
	expl     authz.Explanation
	// of is the populations that ask it, by position; it is not kept where there is only one.
	of []int

	raised   bool   // asked, or as needed as it is, only for what somebody else said
	why      string // what that was, for people
	leading  bool   // it is the leading hypothesis
	observed string // when CloudTrail saw it denied
}

// examine asks every requirement of every population and looks for every cause.
func examine(w *route.World, r route.Route, t told) *examination {
	e := &examination{w: w, r: r, subject: subjectOf(&r), told: t}
	key := ""
	if len(t.failures) > 0 {
		e.hint = &t.failures[0]
		key = e.hint.Key
	}
	e.populations = w.Judged(&e.r, key)
	e.known = len(e.populations)
	e.populations = append(e.populations, t.populations(e.populations, r)...)
	if e.rules = w.Rules(r.Source); e.rules != nil {
		e.samples = e.rules.Samples(&e.r)
	}
	e.examine()
	return e
}

// examine asks everything of the populations and looks for every cause.
func (e *examination) examine() {
	e.findings = []Finding{}
	e.ask()
	e.observe()
	e.inspect()
	e.hypothesise()
	for i := range e.asked {
		if a := &e.asked[i]; a.decision.Outcome != authz.Allowed {
			a.expl = authz.Explain(&a.Request, &a.Layers)
		}
	}
	for i := range e.asked {
		e.blame(&e.asked[i])
	}
	e.foreignOwner()
	e.compare()
	e.replicatedBefore()
}

// impossible says whether no permission can help: then S3 asks nothing, and nobody is blamed for lacking one.
func (e *examination) impossible() bool {
	return slices.ContainsFunc([]Cause{partitionMismatch, bucketTypeNotSupported, destinationIsSource}, func(c Cause) bool { return len(c.Inspect(e)) > 0 })
}

// judge is the verdict on the same requests in another world: the proof of a plan, whose edits change policies and so what
// decides a request, but never which requests S3 makes.
func (e *examination) judge(w *route.World) (verdict Verdict, unmet int) {
	after := &examination{
		w: w, r: e.r, access: e.access, subject: e.subject, hint: e.hint, populations: e.populations, rules: e.rules, samples: e.samples,
		asked: make([]asked, len(e.asked)),
	}
	for i, a := range e.asked {
		if a.decision.Outcome != authz.Allowed { // an edit adds Allows alone, which deny nothing that was allowed
			layers := w.Layers(a.Requirement)
			a.decision = authz.Decide(&a.Request, &layers)
			after.settle(&a, &layers)
		}
		after.asked[i] = a
	}
	after.inspect()
	// A failure that the documents do not explain stays unexplained. Where something is certainly wrong, the proof is about that.
	for _, f := range e.findings {
		if f.Cause == eventContradictsModel.Name && !e.explained() || f.Cause == sourceObjectOwnedByAnotherAccount.Name {
			after.add(f)
		}
	}
	return after.verdict(), after.unmet()
}

// inspect looks for the causes that stand in the configuration.
func (e *examination) inspect() {
	if e.access == nil && len(e.populations) == 0 {
		e.add(ruleShadowed.Inspect(e)...) // of a rule that takes nothing there is nothing else to say
		return
	}
	for i := range catalogue {
		inspect := catalogue[i].Inspect
		if e.access != nil {
			inspect = catalogue[i].InspectAccess
		}
		if inspect != nil {
			e.add(inspect(e)...)
		}
	}
}

// ask decides every requirement; what several populations ask alike is asked once.
func (e *examination) ask() {
	if e.access == nil {
		for i := range e.populations {
			e.populations[i].LockWrite = lockWrite(e.told.failures)
		}
		if e.impossible() {
			return
		}
	}
	e.asked = make([]asked, 0, 16*len(e.populations))
	var known map[question]int
	if len(e.populations) > 1 {
		known = make(map[question]int, 16*len(e.populations))
	}
	for population, p := range e.populations {
		requirements := e.requirements(p)
		for i := range requirements {
			q := &requirements[i]
			a := asked{Requirement: q}
			if known != nil {
				key := questionOf(q)
				if at, ok := known[key]; ok {
					e.asked[at].of = append(e.asked[at].of, population)
					continue
				}
				known[key] = len(e.asked)
				a.of = []int{population}
			}
			a.decision = authz.Decide(&q.Request, &q.Layers)
			if e.access == nil && population >= e.known {
				a.raised, a.why = true, ". It is asked for "+p.Text
			}
			if a.decision.Outcome != authz.Allowed && a.decision.Outcome != authz.ExplicitDeny && q.Instead != "" {
				instead := q.Request
				instead.Action = q.Instead
				if d := authz.Decide(&instead, &q.Layers); d.Outcome == authz.Allowed {
					a.decision, a.Request = d, instead
				}
			}
			e.settle(&a, &q.Layers)
			a.doubtSuffix()
			e.settleHeaders(&a)
			e.asked = append(e.asked, a)
		}
	}
}

// settle makes the answer for a role unknown that its sessions get differently.
func (e *examination) settle(a *asked, layers *authz.Layers) {
	if e.access == nil || a.decision.Outcome == authz.ExplicitDeny {
		return
	}
	if a.session = e.bySession(a, layers); a.session != "" {
		a.decision = authz.Decision{Outcome: authz.Unknown}
	}
}

func (e *examination) requirements(p route.Population) []route.Requirement {
	if e.access != nil {
		return route.AccessRequirements(e.w, *e.access, p)
	}
	return route.Requirements(e.w, e.r, p)
}

// question is what tells requirements apart that several populations ask.
type question struct {
	hop               route.Hop
	action            string
	resource          policy.ARN
	need              route.Need
	context, encoding string
}

func questionOf(q *route.Requirement) question {
	value := func(key string) string {
		v, _ := q.Request.Context.Values(key)
		return strings.Join(v, "\n")
	}
	return question{
		q.Hop, q.Request.Action, q.Request.Resource, q.Need,
		value("kms:EncryptionContext:aws:s3:arn"), value("s3:x-amz-server-side-encryption"),
	}
}

// add keeps findings; those that say the same of one document and hop become one.
func (e *examination) add(found ...Finding) {
	for _, f := range found {
		i := slices.IndexFunc(e.findings, func(o Finding) bool { return sameFinding(o, f) })
		if i < 0 {
			e.findings = append(e.findings, f)
			continue
		}
		o := &e.findings[i]
		if len(o.Grants) == 0 {
			o.Conditions = f.Conditions
		}
		o.Grants = appendNew(o.Grants, f.Grants)
		o.Remedy = patch.Stricter(o.Remedy, f.Remedy)
		switch {
		case strings.Contains(o.Message, f.Message):
		case len(o.Message) < mostText:
			o.Message += ". " + f.Message
		case !strings.HasSuffix(o.Message, andMore):
			o.Message += andMore
		}
	}
}

// mostText is the length, in bytes, from which a message takes no further sentence: hundreds of keys can lack the same.
const (
	mostText = 4000
	andMore  = ". There is more of the same: the grants name it all"
)

func sameFinding(a, b Finding) bool {
	return a.Cause == b.Cause && a.Document == b.Document && a.Severity == b.Severity && a.Hop == b.Hop && a.Side == b.Side
}

func appendNew(to, from []patch.Tuple) []patch.Tuple {
	for _, t := range from {
		if !slices.Contains(to, t) {
			to = append(to, t)
		}
	}
	return to
}

// hurts says what the answer means: whether the requirement is not met, and whether that is certain.
func (a *asked) hurts() (denied, certain bool) {
	switch a.decision.Outcome {
	case authz.Allowed:
		return false, true
	case authz.Unknown:
		// A permission that another one implies is lost only to a Deny, and what only some page lists cannot decide.
		return a.Need != route.Advisory && (a.Need != route.DenyOnly || a.decision.MayDeny()), false
	case authz.ImplicitDeny:
		return a.Need != route.DenyOnly && a.Need != route.Advisory, true
	default:
		return a.Need != route.Advisory, true
	}
}

// mayHurt says whether the answer means, or may mean, that the requirement is not met.
func (a *asked) mayHurt() bool {
	denied, _ := a.hurts()
	return denied
}

// doubtSuffix lowers a denial that stands or falls with the DNS suffix of China to what it is: a deduction.
func (a *asked) doubtSuffix() {
	if a.Need != route.Required || a.decision.Outcome == authz.Allowed {
		return
	}
	other, ok := route.OtherSuffix(&a.Request)
	if !ok || authz.Decide(&other, &a.Layers).Outcome != authz.Allowed {
		return
	}
	a.Need, a.Evidence = route.Conditional, route.Inferred
}

// settleHeaders decides a request at the replica that is open only because nobody knows whether it carries the headers of the
// write: where both answers agree, as under an IfExists condition, it does not matter.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/replication-config-for-kms-objects.html
func (e *examination) settleHeaders(a *asked) {
	if a.decision.Outcome != authz.Unknown || a.Hop != route.OwnReplica && a.Hop != route.WriteTags {
		return
	}
	i := slices.IndexFunc(e.asked, func(o asked) bool { return o.Hop == route.WriteReplica && o.Request.Resource == a.Request.Resource })
	if i < 0 {
		return
	}
	base := a.Request.Context
	with, without := a.Request, a.Request
	with.Context, without.Context = authz.Over(&base), authz.Over(&base)
	for _, header := range []string{"s3:x-amz-server-side-encryption", "s3:x-amz-server-side-encryption-aws-kms-key-id"} {
		values, _ := e.asked[i].Request.Context.Values(header)
		with.Context.Set(header, values...)
		without.Context.SetAbsent(header)
	}
	if d := authz.Decide(&with, &a.Layers); d.Outcome != authz.Unknown && d.Outcome == authz.Decide(&without, &a.Layers).Outcome {
		a.decision, a.Request = d, without
	}
}

// verdict judges the route: the worst of what its requirements and its faults say.
func (e *examination) verdict() Verdict {
	v := Healthy
	worse := func(to Verdict) {
		if rank[to] > rank[v] {
			v = to
		}
	}
	for i := range e.asked {
		a := &e.asked[i]
		denied, certain := a.hurts()
		if !denied {
			continue
		}
		switch {
		case a.Need == route.Required && !e.settles(a):
			if some, _ := e.passing(); !certain && !some {
				worse(Unknown) // which kind is meant does not matter: of none is it known that it arrives
			} else {
				worse(Conditional)
			}
		case !certain && a.Need == route.Required:
			worse(Unknown)
		case a.Need == route.Required:
			worse(Broken)
		case !certain, a.Need == route.Conditional, a.Need == route.DenyOnly:
			worse(Conditional)
		default:
			worse(Degraded)
		}
	}
	for _, f := range e.findings {
		switch t := verdictOf[f.Cause]; {
		case t == Conditional && f.Severity == Fault:
			worse(Broken) // what makes it certain has made it a fault
		case t != "" && f.Severity != Advice:
			worse(t)
		}
		if f.Verdict != "" {
			worse(f.Verdict)
		}
	}
	return v
}

// rank orders verdicts by how much they demand of a person. A certain fault outranks what is not known.
var rank = map[Verdict]int{Healthy: 0, Degraded: 1, Conditional: 2, Unknown: 3, Broken: 4}

// hops is every hop that has something to ask, with the decision on each request.
func (e *examination) hops() []Hop {
	out := []Hop{}
	for _, h := range route.Hops() {
		hop := Hop{Hop: h, Verdict: HopAllowed, Requests: []Request{}}
		for i := range e.asked {
			a := &e.asked[i]
			if a.Hop != h {
				continue
			}
			hop.Requests = append(hop.Requests, a.request())
			if denied, certain := a.hurts(); denied && certain && a.Need != route.Conditional {
				hop.Verdict = HopDenied
			} else if denied && hop.Verdict == HopAllowed {
				hop.Verdict = HopUnknown
			}
		}
		if len(hop.Requests) > 0 {
			out = append(out, hop)
		}
	}
	return out
}

func (a *asked) request() Request {
	return Request{
		Principal: a.Request.Principal.String(), Action: a.Request.Action, Resource: a.Request.Resource.String(), Context: ContextOf(&a.Request.Context),
		Decision: a.decision.Outcome.String(), Why: a.whyOf(), Evidence: a.Evidence, Need: a.Need,
	}
}

// whyOf is the explanation of what is not allowed, and of the rest the promise of one.
func (a *asked) whyOf() Why {
	if a.decision.Outcome == authz.Allowed {
		return Why{of: a.Requirement}
	}
	return WhyOf(a.expl.Why()...)
}

// document finds a document of the examined snapshot.
func (e *examination) document(ref snapshot.Ref) snapshot.Value[policy.Document] {
	return e.w.Document(ref)
}
