// Package guard is what may be done without asking: one file per rule, over a plan, the live snapshot, the settings and what
// was done before. It rechecks the edits themselves and trusts nobody who made them: who can make a route fail can also make
// somebody plan a cure for it.
//
// Package remedy asks it before every write; the command line asks it to explain. It reads no clock, and it does not know how
// a diagnosis is made.
package guard

import (
	"fmt"
	"slices"
	"time"

	"github.com/replimend/replimend/internal/incident"
	"github.com/replimend/replimend/internal/patch"
	"github.com/replimend/replimend/internal/policy"
	"github.com/replimend/replimend/internal/route"
	"github.com/replimend/replimend/internal/settings"
	"github.com/replimend/replimend/internal/snapshot"
)

// Decision is what may be done with a plan.
type Decision uint8

// The decisions, from the mildest to the strictest.
const (
	Allow  Decision = iota // it may be done now
	Ask                    // a person must approve exactly this plan
	Refuse                 // it is not done, whoever approves
)

var decisionNames = [...]string{"allow", "ask", "refuse"}

// String is allow, ask or refuse.
func (d Decision) String() string { return decisionNames[d] }

// MarshalText is String.
func (d Decision) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText is ParseDecision.
func (d *Decision) UnmarshalText(text []byte) error {
	parsed, err := ParseDecision(string(text))
	*d = parsed
	return err
}

// ParseDecision reads a decision. What cannot be read is the strictest one.
func ParseDecision(s string) (Decision, error) {
	if i := slices.Index(decisionNames[:], s); i >= 0 {
		return Decision(i), nil
	}
	return Refuse, fmt.Errorf("unknown decision %q: want allow, ask or refuse", s)
}

// Reason is one thing that a rule has against doing the plan at once.
type Reason struct {
	Rule     string   `json:"rule"`
	Decision Decision `json:"decision"`
	Text     string   `json:"text"`
}

// Verdict is the strictest of what the rules say, with everything that they said, in the order of the rules. A plan that may
// be done has no reasons but those of decision allow: they name what the route waives in the settings and the plan made use of.
type Verdict struct {
	Decision Decision `json:"decision"`
	Reasons  []Reason `json:"reasons"`
}

// History is what was done before, as far as a rule depends on it.
type History struct {
	// RoutePatches is how many patches the route got in the last hour.
	RoutePatches int
	// AccountPatches is how many patches changed documents of an account in that hour, by account id.
	AccountPatches map[string]int
	// FailedCures is how many cures of the route failed since the last one that was proven.
	FailedCures int
	// KillSwitches is where the kill switch is thrown: account ids, or Hub for everywhere.
	KillSwitches []string
	// Now is the time by the caller's clock; this package has none.
	Now time.Time
	// Breaking is the change that broke the route; nil: not known.
	Breaking *incident.Call
	// Recalled is who had the last cure of the route taken back; "": nobody.
	Recalled string
	// Removed is how often statements that Replimend added were taken out again, by document.
	Removed []Removal
}

// Removal is how often a document lost statements of Replimend.
type Removal struct {
	Document snapshot.Ref
	Times    int
}

// Hub is the kill switch that stops everything.
const Hub = incident.Hub

// Stopped says whether a kill switch forbids writing in an account.
func (h History) Stopped(account string) bool {
	return slices.Contains(h.KillSwitches, Hub) || slices.Contains(h.KillSwitches, account)
}

// Rule is one thing that a plan is held against.
type Rule struct {
	// Name is the rule's in verdicts, that of its file with hyphens for underscores, and that of its folder of cases.
	Name string
	// Summary says in one line what the rule demands, for indexes.
	Summary string

	judge func(q *inquiry) []objection
}

// Rules is every rule in the order of a verdict's reasons, for indexes and for people who ask what a name means.
func Rules() []Rule { return slices.Clone(rules) }

var rules = []Rule{
	approvedRoute,
	lookAlikeDestination,
	knownAccounts,
	mode,
	class,
	boundaryForAutomatic,
	document,
	ownResources,
	awsManaged,
	centralOwner,
	stackOwner,
	liveDocument,
	addsOnly,
	stalePrincipal,
	allowWithSid,
	exactPrincipal,
	exactAction,
	exactResource,
	pinnedCondition,
	listedAdds,
	documentSize,
	characterSet,
	roleTrust,
	trustAdmitsOthers,
	proof,
	protectedChange,
	removedAgain,
	recalled,
	rateLimit,
	circuitBreaker,
	killSwitch,
}

// objection is what a rule says against a plan.
type objection struct {
	decision Decision
	text     string
}

func refuse(format string, args ...any) objection {
	return objection{Refuse, fmt.Sprintf(format, args...)}
}

func ask(format string, args ...any) objection { return objection{Ask, fmt.Sprintf(format, args...)} }

// unless is the objections of a rule that a route can waive. A waiver keeps what it silences in the verdict under its name: who
// reads what was done has to see that nobody was asked, and why.
func (q *inquiry) unless(waived bool, name string, objections []objection) []objection {
	if waived {
		for i, o := range objections {
			objections[i] = objection{Allow, fmt.Sprintf("%s; route %s waives that it is asked about (allow.%s)", o.text, q.approved.Name, name)}
		}
	}
	return objections
}

// inquiry is everything that the rules look at.
type inquiry struct {
	plan     patch.Plan
	route    route.Route // as the snapshot has it
	found    int         // how many such routes the snapshot has
	snapshot *snapshot.Snapshot
	settings *settings.Settings
	history  History

	live     settings.ApprovedRoute  // what would have to be approved
	unknown  []string                // what of it the snapshot does not say
	approved *settings.ApprovedRoute // what comes nearest to it; nil: nothing
}

// Check judges a plan for a route of the snapshot. Every rule is asked, whatever the others say; the strictest wins.
func Check(plan patch.Plan, r route.Route, s *snapshot.Snapshot, set *settings.Settings, h History) Verdict {
	q := newInquiry(r, s, set)
	q.plan, q.history = plan, h
	v := Verdict{Decision: Allow, Reasons: []Reason{}}
	for _, rule := range rules {
		v.add(rule.Name, rule.judge(q))
	}
	return v
}

func (v *Verdict) add(rule string, objections []objection) {
	for _, o := range objections {
		v.Decision = max(v.Decision, o.decision)
		v.Reasons = append(v.Reasons, Reason{Rule: rule, Decision: o.decision, Text: o.text})
	}
}

// newInquiry takes the route from the snapshot rather than from the caller: what is judged is what is live.
func newInquiry(r route.Route, s *snapshot.Snapshot, set *settings.Settings) *inquiry {
	if s == nil {
		s = &snapshot.Snapshot{}
	}
	q := &inquiry{route: r, snapshot: s, settings: set}
	for _, live := range route.Routes(s) {
		if live.Source == r.Source && live.RuleID == r.RuleID && live.Destination == r.Destination {
			q.route = live
			q.found++
		}
	}
	q.live, q.unknown = pins(q.route, s)
	q.approved = nearest(q.route, q.live, set)
	return q
}

// added is the statements of an edit that its document does not have yet. Statements that an edit changes count: they are
// judged as new ones.
func added(e patch.Edit) []policy.Statement {
	old := slices.Clone(e.Before.V.Statements)
	var out []policy.Statement
	for _, s := range e.After.V.Statements {
		if i := slices.IndexFunc(old, s.Equal); i >= 0 {
			old = slices.Delete(old, i, i+1)
			continue
		}
		out = append(out, s)
	}
	return out
}

// each asks about every added statement of every edit.
func (q *inquiry) each(judge func(e patch.Edit, s policy.Statement, name string) []objection) []objection {
	var out []objection
	for _, e := range q.plan.Edits {
		for i, s := range added(e) {
			out = append(out, judge(e, s, fmt.Sprintf("added statement %s of %s", s.Name(i), e.Document))...)
		}
	}
	return out
}

// pinned is the route as it was approved, or else as it is.
func (q *inquiry) pinned() settings.ApprovedRoute {
	if q.approved != nil {
		return *q.approved
	}
	return q.live
}

// sourceKeys is the keys that the route may decrypt with: those that were approved, or else those in use.
func (q *inquiry) sourceKeys() []policy.ARN { return q.pinned().SourceKeys }
