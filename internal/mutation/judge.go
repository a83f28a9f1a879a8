package mutation

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/replimend/replimend/internal/authz"
	"github.com/replimend/replimend/internal/diagnose"
	"github.com/replimend/replimend/internal/patch"
	"github.com/replimend/replimend/internal/route"
	"github.com/replimend/replimend/internal/snapshot"
)

// result is what the oracles say of one mutant. Problems are for people; the flags are what is counted.
type result struct {
	apart string // why no decision changes, "" where one does

	cause, side, verdict bool
	curable, cured       bool
	hangsOn              []string // disputed readings of the documentation under which the world was whole and the cure is not
	planned              bool
	falseCure, overGrant bool
	problems             []string
}

func (r *result) miss(format string, args ...any) {
	r.problems = append(r.problems, fmt.Sprintf(format, args...))
}

// The reasons why a mutant changes no decision.
const (
	apartRefused   = "no such snapshot: the reader refuses it"
	apartWider     = "an Allow without its condition, or a Deny narrowed, allows more"
	apartHarmless  = "what was added never applies, or always"
	apartNotAsked  = "S3 does not ask for what was dropped: not for objects of this kind, or it is implied by something else"
	apartElsewhere = "granted elsewhere"
	apartDisputed  = "AWS's pages dispute that S3 needs it: named as a warning"
	apartAdvised   = "only one AWS page lists it: named as advice"
	apartAssumed   = "organization policies that were not read are assumed to be silent: said as advice"
	apartUnused    = "this configuration is not used by objects of this kind"
)

// trial is one mutant on its way through the oracles.
type trial struct {
	world   *world
	mutant  mutant
	after   *snapshot.Snapshot
	routes  []diagnose.Route
	answers map[string]answer
	lost    []string
	alone   []map[string]answer // with one of several faults
	residue []string            // of what is lost, what no edit may give back
	found   []diagnose.Finding
	result  result

	promised map[string]string // the verdict that the proof of each carried out plan gives its rule
}

// judge asks every oracle about one mutant.
func (w *world) judge(m mutant) result {
	t := &trial{world: w, mutant: m}
	s, err := w.mutated(m.change...)
	if err != nil {
		return result{apart: apartRefused}
	}
	t.after = s
	t.routes = w.diagnoses(s)
	t.answers = w.asks(s)
	t.lost = lost(w.answers, t.answers)
	t.found = w.newFindings(t.routes)
	if len(m.change) > 1 {
		for i := range m.parts {
			alone, err := w.mutated(m.change[i])
			if err != nil {
				return result{apart: apartRefused}
			}
			t.alone = append(t.alone, w.asks(alone))
		}
	}
	t.classify()
	t.blamed()
	t.rehearsed()
	t.planned()
	return t.result
}

// newFindings is what the diagnosis says that it did not say of the healthy world.
func (w *world) newFindings(routes []diagnose.Route) []diagnose.Finding {
	var out []diagnose.Finding
	for _, r := range routes {
		for _, f := range r.Findings {
			said := slices.ContainsFunc(w.routes, func(o diagnose.Route) bool {
				return o.Rule == r.Rule && slices.ContainsFunc(o.Findings, func(of diagnose.Finding) bool {
					return of.Cause == f.Cause && of.Document == f.Document && of.Hop == f.Hop && of.Message == f.Message
				})
			})
			if !said {
				out = append(out, f)
			}
		}
	}
	return out
}

// classify says why nothing is to be blamed, where nothing is.
func (t *trial) classify() {
	e := t.mutant.expect
	if e != nil {
		if len(e.blames) == 0 {
			t.result.apart = apartUnused
		}
		return
	}
	disputed, advised := false, false
	for _, key := range t.lost {
		switch t.answers[key].Need {
		case route.Advisory:
			advised = true
		case route.Conditional:
			disputed = true
		default:
			return
		}
	}
	class := t.mutant.class
	switch {
	case disputed:
		t.result.apart = apartDisputed
	case advised:
		t.result.apart = apartAdvised
	case class == "document unreadable" && (t.in(scp) || t.in(rcp)):
		t.result.apart = apartAssumed
	case class == "drop a condition", class == "drop a document" && t.in(boundary):
		t.result.apart = apartWider
	case strings.HasSuffix(class, "a false condition"), class == "a condition that S3 meets":
		t.result.apart = apartHarmless
	case strings.HasSuffix(class, "action"), strings.HasPrefix(class, "add a Deny"):
		t.result.apart = apartNotAsked
	default:
		t.result.apart = apartElsewhere
	}
}

func (t *trial) in(at place) bool {
	return slices.ContainsFunc(t.mutant.parts, func(p part) bool { return p.place == at })
}

// expectations is the findings that must be made, each with its alternatives, and the verdict.
func (t *trial) expectations() ([][]blame, diagnose.Verdict) {
	if e := t.mutant.expect; e != nil {
		if len(e.blames) == 0 {
			return nil, e.verdict
		}
		return [][]blame{e.blames}, e.verdict
	}
	var answers []answer
	for _, key := range t.lost {
		answers = append(answers, t.answers[key])
	}
	var out [][]blame
	for i, key := range t.lost {
		a := answers[i]
		if a.Need == route.Advisory && a.outcome == authz.Unknown {
			continue // that nobody can decide what need not be allowed is not worth a word
		}
		var any []blame
		for i, p := range t.mutant.parts {
			if !t.takes(i, key) {
				continue
			}
			any = append(any, p.blames(a, answers)...)
		}
		out = append(out, any)
	}
	return out, verdictOf(answers)
}

// takes says whether a part of the mutant has to do with that answer: of several faults those that lose it by themselves, or
// all where none does.
func (t *trial) takes(i int, key string) bool {
	if !t.mutant.parts[i].tests(t.answers[key]) {
		return false // a Bucket Key was switched, and this document is about another key
	}
	return t.alone == nil || t.alone[i][key].hurt() || t.nobodyAlone(key)
}

func (t *trial) nobodyAlone(key string) bool {
	return !slices.ContainsFunc(t.alone, func(alone map[string]answer) bool { return alone[key].hurt() })
}

// outcome is the answer with one of several faults alone, where that is enough to lose it.
func (t *trial) outcome(i int, key string) answer {
	if t.alone != nil && t.alone[i][key].hurt() {
		return t.alone[i][key]
	}
	return t.answers[key]
}

// tests says whether the document takes part in the answer.
func (p part) tests(a answer) bool { return document{place: p.place, id: p.id}.decides(&a.Requirement) }

// blamed holds the findings against what must be blamed: each fault by its cause, and nobody else.
func (t *trial) blamed() {
	r := &t.result
	r.cause, r.side, r.verdict = true, true, true
	want, verdict := t.expectations()
	for _, any := range want {
		hit, right := false, false
		for _, f := range t.found {
			for _, b := range any {
				hit = hit || b.matches(f)
				right = right || b.matches(f) && b.side == f.Side
			}
		}
		switch {
		case !hit:
			r.cause = false
			r.miss("want %s", choice(any))
		case !right:
			r.side = false
			r.miss("side: want %s", choice(any))
		}
	}
	for _, f := range t.found {
		t.rightSide(f, want)
	}
	for _, f := range t.found {
		if f.Severity == diagnose.Advice || t.tolerated(f) {
			continue
		}
		if !slices.ContainsFunc(want, func(any []blame) bool { return slices.ContainsFunc(any, func(b blame) bool { return b.names(f) }) }) {
			r.cause = false
			r.miss("blames another document: %s", said(f))
		}
	}
	if got := t.verdict(); got != verdict && (t.mutant.expect == nil || !slices.Contains(t.mutant.expect.instead, got)) {
		r.verdict, r.cause = false, false
		r.miss("verdict %s, want %s", got, verdict)
	}
	if !r.cause || !r.side {
		for _, f := range t.found {
			r.miss("got %s", said(f))
		}
	}
	r.problems = compact(r.problems)
}

// rightSide holds a finding that names a fault against the side of that fault: one document can stand on both.
func (t *trial) rightSide(f diagnose.Finding, want [][]blame) {
	matched := false
	for _, any := range want {
		for _, b := range any {
			if b.matches(f) && b.side == f.Side {
				return
			}
			matched = matched || b.matches(f)
		}
	}
	if matched {
		t.result.side = false
		t.result.miss("side: %s of %s at %s is on the side %s", f.Cause, f.Document, f.Hop, f.Side)
	}
}

func compact(all []string) []string {
	var out []string
	for _, s := range all {
		if !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	return out
}

// tolerated says whether the finding only warns of what a change of the configuration took out of sight.
func (t *trial) tolerated(f diagnose.Finding) bool {
	e := t.mutant.expect
	return e != nil && (e.warnings && f.Severity == diagnose.Warning || slices.Contains(e.also, f.Document.Kind))
}

// verdict is the worst of the routes.
func (t *trial) verdict() diagnose.Verdict { return worst(t.routes) }

func worst(routes []diagnose.Route) diagnose.Verdict {
	v := diagnose.Healthy
	for _, r := range routes {
		if severityRank(r.Verdict) > severityRank(v) {
			v = r.Verdict
		}
	}
	return v
}

// severityRank orders verdicts by how much they demand of a person.
func severityRank(v diagnose.Verdict) int {
	return slices.Index([]diagnose.Verdict{diagnose.Healthy, diagnose.Degraded, diagnose.Conditional, diagnose.Unknown, diagnose.Broken}, v)
}

func choice(any []blame) string {
	out := make([]string, len(any))
	for i, b := range any {
		out[i] = b.String()
	}
	return strings.Join(out, ", or ")
}

func said(f diagnose.Finding) string {
	return fmt.Sprintf("%s %s of %s (%s) at %s: %s", f.Severity, f.Cause, f.Document, f.Side, f.Hop, f.Message)
}

// rehearsed holds the requirements against the lab: what the one calls denied must not arrive whole in the other, and what the
// one calls unchanged must arrive as before.
func (t *trial) rehearsed() {
	r, err := t.world.rehearses(t.after, nil)
	if err != nil || t.mutant.expect != nil && t.mutant.expect.unseen {
		return // the lab makes no world of what is not known
	}
	same := r.same(t.world.rehearsed)
	_, verdict := t.expectations()
	certain := verdict == diagnose.Broken || verdict == diagnose.Degraded
	switch {
	case verdict == diagnose.Degraded && !r.arrives():
		t.result.cause = false
		t.result.miss("oracles disagree: %s, and the lab delivers nothing", verdict)
	case certain && same && t.seen():
		t.result.cause = false
		t.result.miss("oracles disagree: %s, and the lab replicates as before", verdict)
	case verdict == diagnose.Healthy && !same:
		t.result.cause = false
		t.result.miss("oracles disagree: nothing is denied, and the lab gives %s", strings.Join(r.outcome, "; "))
	}
}

// seen says whether the lab has objects of the kind that loses something: it replicates what the world's own objects are.
func (t *trial) seen() bool {
	return t.mutant.expect != nil || slices.ContainsFunc(t.lost, func(key string) bool {
		a := t.answers[key]
		return !ofWriter(&a.Requirement) && a.outcome != authz.Unknown && a.Need != route.Conditional && a.Need != route.Advisory
	})
}

// planned applies what the diagnosis plans and asks the oracles again.
func (t *trial) planned() {
	r := &t.result
	t.curability()
	patched, edits, healthy, err := t.carryOut()
	if err != nil {
		r.miss("the plan does not apply: %v", err)
		r.falseCure = true
		return
	}
	if r.planned = len(edits) > 0; !r.planned {
		if r.curable && r.apart == "" {
			r.miss("no plan, and an edit could cure it; verdict %s", t.verdict())
		}
		return
	}
	aside := t.rightDocuments(edits)
	if !r.curable && !aside {
		r.falseCure = true
		r.miss("a plan for what no edit may cure: %s", listed(edits))
	}
	t.overGrants(edits)
	t.cured(patched, healthy)
}

// cured asks the oracles again of the patched world: it must be as the healthy one was, but for what no edit may give back.
func (t *trial) cured(patched *snapshot.Snapshot, healthy bool) {
	r := &t.result
	again := t.world.diagnoses(patched)
	left := slices.DeleteFunc(t.world.newFindings(again), func(f diagnose.Finding) bool {
		return f.Severity == diagnose.Advice || slices.ContainsFunc(t.residue, func(key string) bool { return t.answers[key].Hop.String() == f.Hop })
	})
	lab, err := t.world.rehearses(patched, nil)
	whole := err == nil && lab.same(t.world.rehearsed)
	for _, name := range slices.Sorted(maps.Keys(t.world.rehearsed.readings)) {
		if !whole {
			break
		}
		if disputed, err := t.world.rehearses(patched, map[string]bool{name: true}); err != nil || !disputed.same(t.world.rehearsed) {
			r.hangsOn = append(r.hangsOn, name)
		}
	}
	if len(t.residue) > 0 {
		r.cured = len(left) == 0 && severityRank(worst(again)) <= severityRank(t.verdict()) && t.kept(again)
	} else {
		r.cured = whole && len(left) == 0 && worst(again) == worst(t.world.routes) && t.kept(again)
	}
	if r.cured {
		return
	}
	r.falseCure = r.falseCure || healthy
	r.miss("the plan leaves the route %s; its proof says healthy: %v", worst(again), healthy)
	if !whole {
		r.miss("after the plan the lab gives %v, before the fault %v", lab.outcome, t.world.rehearsed.outcome)
	}
	for _, f := range left {
		r.miss("left: %s", said(f))
	}
}

// kept says whether every rule with a plan has become what its proof said.
func (t *trial) kept(again []diagnose.Route) bool {
	return !slices.ContainsFunc(again, func(r diagnose.Route) bool {
		after, planned := t.promised[r.Rule]
		return planned && after != string(r.Verdict)
	})
}

// curability is whether a plan must be made: what is lost may be given back by an edit, or what stays lost is the lesser evil.
func (t *trial) curability() {
	if t.mutant.expect != nil {
		return
	}
	all, stays := map[string][]answer{}, map[string][]answer{} // by rule: each has a plan of its own
	for _, key := range t.lost {
		if t.answers[key].Need == route.Advisory {
			continue
		}
		rule := t.answers[key].rule
		all[rule] = append(all[rule], t.answers[key])
		for i, p := range t.mutant.parts {
			if t.takes(i, key) && !p.curable(t.outcome(i, key)) {
				t.residue, stays[rule] = append(t.residue, key), append(stays[rule], t.outcome(i, key))
				break
			}
		}
	}
	for rule := range all {
		before, after := severityRank(verdictOf(all[rule])), severityRank(verdictOf(stays[rule]))
		less := after < before || after == before && after == severityRank(diagnose.Degraded) && len(stays[rule]) < len(all[rule])
		t.result.curable = t.result.curable || less && after < severityRank(diagnose.Unknown)
	}
}

// rightDocuments: a plan edits what is at fault, and nothing else. Inside the role's account it may mend the policy of the bucket
// or key in its stead, where that cures what no edit of the document at fault does: aside says so. A person must be asked then, and
// the whole route must be cured.
func (t *trial) rightDocuments(edits []patch.Edit) (aside bool) {
	want, _ := t.expectations()
	at := func(e patch.Edit, any []blame) bool {
		return slices.ContainsFunc(any, func(b blame) bool { return sameDocument(b.ref, e.Document) })
	}
	faulty := t.faulty()
	for _, e := range edits {
		switch {
		case t.mutant.expect == nil && !at(e, faulty) && mayStandIn(e, t.routes[0].Of.Role.Account):
			aside = true
		case !slices.ContainsFunc(want, func(any []blame) bool { return at(e, any) }):
			t.result.falseCure = true
			t.result.miss("the plan edits another document: %s", e.Document)
		}
	}
	if aside {
		t.result.curable, t.residue = true, nil
	}
	return aside
}

// faulty is the documents that an edit can give what they lack.
func (t *trial) faulty() []blame {
	var out []blame
	for _, key := range t.lost {
		for i, p := range t.mutant.parts {
			if a := t.outcome(i, key); t.takes(i, key) && p.curable(a) {
				out = append(out, p.blames(a, nil)...)
			}
		}
	}
	return out
}

// mayStandIn says whether the edit can give the role of that account what its own policies lack.
func mayStandIn(e patch.Edit, account string) bool {
	switch e.Document.Kind {
	case snapshot.SourceKeyPolicy, snapshot.ReplicaKeyPolicy, snapshot.SourceBucketPolicy, snapshot.DestinationBucketPolicy,
		snapshot.BucketPolicy, snapshot.KeyPolicy:
		return e.Account == account && patch.Stricter(e.Class, patch.Approval) == e.Class
	default:
		return false
	}
}

func sameDocument(a, b snapshot.Ref) bool {
	key := func(k snapshot.Kind) bool { return k == snapshot.SourceKeyPolicy || k == snapshot.ReplicaKeyPolicy }
	return a.ID == b.ID && (a.Kind == b.Kind || key(a.Kind) && key(b.Kind))
}

// carryOut applies the plan of one route after the other, as the workflow would. healthy says whether every proof promised it.
func (t *trial) carryOut() (*snapshot.Snapshot, []patch.Edit, bool, error) {
	s, routes := t.after, t.routes
	var edits []patch.Edit
	healthy := true
	t.promised = make(map[string]string)
	for range routes {
		i := slices.IndexFunc(routes, func(r diagnose.Route) bool { return r.Plan != nil })
		if i < 0 {
			break
		}
		next, err := routes[i].Plan.Apply(s)
		if err != nil {
			return nil, edits, false, err
		}
		healthy = healthy && routes[i].Plan.Proof.After == string(diagnose.Healthy)
		t.promised[routes[i].Rule] = routes[i].Plan.Proof.After
		edits = append(edits, routes[i].Plan.Edits...)
		s = next
		routes = t.world.diagnoses(s)
	}
	return s, edits, healthy, nil
}

func listed(edits []patch.Edit) string {
	out := make([]string, len(edits))
	for i, e := range edits {
		out[i] = fmt.Sprintf("%s %v", e.Document, e.Adds)
	}
	return strings.Join(out, "; ")
}
