package render

import (
	"fmt"
	"slices"
	"strings"

	"github.com/charmbracelet/lipgloss"

	"github.com/replimend/replimend/internal/diagnose"
	"github.com/replimend/replimend/internal/patch"
	"github.com/replimend/replimend/internal/route"
	"github.com/replimend/replimend/internal/snapshot"
)

// Plan is what a plan changes, what that adds, whose it is and what it proves.
func (p Printer) Plan(plan patch.Plan) string {
	var b strings.Builder
	noun := "edits"
	if len(plan.Edits) == 1 {
		noun = "edit"
	}
	text := fmt.Sprintf("plan: %d %s, proven: %s before, %s after; %s",
		len(plan.Edits), noun, Clean(plan.Proof.Before), Clean(plan.Proof.After), remedy(plan.Class))
	p.paragraph(&b, 0, 2, p.bold, text)
	p.choice(&b, plan)
	for _, e := range plan.Edits {
		p.edit(&b, e)
	}
	return b.String()
}

// choice says what the plan costs, whose halves it has, and why the other ways were not taken.
func (p Printer) choice(b *strings.Builder, plan patch.Plan) {
	for i, h := range plan.Owners {
		label := "owners"
		if i > 0 {
			label = ""
		}
		kinds := make([]string, len(h.Documents))
		for k, d := range h.Documents {
			kinds[k] = string(d.Kind)
		}
		p.fact(b, label, Clean(fmt.Sprintf("account %s changes its %s", h.Account, strings.Join(kinds, " and its "))))
	}
	for _, a := range plan.Alternatives {
		names := make([]string, len(a.Documents))
		for i, d := range a.Documents {
			names[i] = string(d.Kind)
		}
		p.fact(b, "not taken", Clean(fmt.Sprintf("%s: %s", strings.Join(names, " and "), a.Why)))
	}
}

// proposals is what roles could do without, each with the diff that a person may apply.
func (p Printer) proposals(b *strings.Builder, all []diagnose.Proposal) {
	for _, o := range all {
		b.WriteByte('\n')
		p.paragraph(b, 0, 2, p.warn, "proposal: narrow role "+Clean(o.Role[strings.LastIndex(o.Role, "/")+1:]))
		p.fact(b, "because", Clean(o.Message))
		for i, e := range o.Edits {
			label := "first"
			if i > 0 {
				label = "then"
			}
			p.fact(b, label, change(e)+" "+document(e.Document))
			b.WriteString(p.Diff(e.Diff()))
		}
	}
}

func (p Printer) edit(b *strings.Builder, e patch.Edit) {
	p.fact(b, change(e), document(e.Document))
	if e.Account != "" {
		p.fact(b, "owner", "account "+Clean(e.Account))
	}
	for i, t := range e.Adds {
		label := "adds"
		if i > 0 {
			label = ""
		}
		p.fact(b, label, Clean(fmt.Sprintf("%s may %s on %s", t[0], t[1], t[2])))
	}
	if len(e.Cures) > 0 {
		p.fact(b, "cures", Clean(strings.Join(e.Cures, ", ")))
	}
	p.fact(b, "class", remedy(e.Class))
	b.WriteString(p.Diff(e.Diff()))
}

func change(e patch.Edit) string {
	switch {
	case e.Before.State != snapshot.Present:
		return "create"
	case e.After.State != snapshot.Present:
		return "delete"
	default:
		return "edit"
	}
}

// Diff is a unified diff in colours. Its lines are not wrapped: patch(1) and eyes both want them whole.
func (p Printer) Diff(diff string) string {
	var b strings.Builder
	if diff == "" {
		return ""
	}
	for _, line := range cleanLines(diff) {
		style := p.plain
		switch {
		case strings.HasPrefix(line, "--- "), strings.HasPrefix(line, "+++ "):
			style = p.bold
		case strings.HasPrefix(line, "@@"):
			style = p.accent
		case strings.HasPrefix(line, "+"):
			style = p.good
		case strings.HasPrefix(line, "-"):
			style = p.bad
		}
		b.WriteString(styled(style, line) + "\n")
	}
	return b.String()
}

// styled is the text with the style alone: lipgloss would also trim and pad it.
func styled(s lipgloss.Style, text string) string {
	if text == "" {
		return ""
	}
	return s.Inline(true).Render(text)
}

// PlanSchema names the contract of Plans.
const PlanSchema = "replimend/plan/v1"

// Plans is what replimend plan prints: the cure of every route or access, without the diagnosis that led to it.
type Plans struct {
	Schema string      `json:"schema"`
	Routes []PlanRoute `json:"routes"`
	// Accesses is what was asked about principals that read or write a bucket.
	Accesses []PlanAccess `json:"accesses,omitempty"`
}

// PlanRoute is the plan of one route. Plan is null when nothing needs a cure, or when no edit can or may cure it.
type PlanRoute struct {
	Source      string           `json:"source"`
	Rule        string           `json:"rule"`
	Destination string           `json:"destination"`
	Role        string           `json:"role"`
	Verdict     diagnose.Verdict `json:"verdict"`
	Plan        *patch.Plan      `json:"plan"`
}

// PlanAccess is the plan of one access. Plan is null as in a PlanRoute; a person always has to agree to it.
type PlanAccess struct {
	Principal string           `json:"principal"` // the role or user
	Bucket    string           `json:"bucket"`
	Operation route.Operation  `json:"operation"`
	Key       string           `json:"key,omitempty"`
	Verdict   diagnose.Verdict `json:"verdict"`
	Plan      *patch.Plan      `json:"plan"`
}

// PlansOf is the plans of a diagnosis.
func PlansOf(d diagnose.Diagnosis) Plans {
	out := Plans{Schema: PlanSchema, Routes: make([]PlanRoute, 0, len(d.Routes))}
	for _, r := range d.Routes {
		out.Routes = append(out.Routes, PlanRoute{r.Source, r.Rule, r.Destination, r.Role, r.Verdict, r.Plan})
	}
	for _, a := range d.Accesses {
		out.Accesses = append(out.Accesses, PlanAccess{a.Principal, a.Bucket, a.Operation, a.Key, a.Verdict, a.Plan})
	}
	return out
}

// Diffs is the plans as unified diffs. Lines that begin with # name the route or access, or say that there is a proposal;
// patch(1) passes over them.
func (p Printer) Diffs(d diagnose.Diagnosis) string {
	var b strings.Builder
	for _, r := range d.Routes {
		p.diffs(&b, PlanTitle(r), r.Plan)
	}
	for _, a := range d.Accesses {
		p.diffs(&b, AccessPlanTitle(a), a.Plan)
	}
	for _, o := range d.Proposals {
		b.WriteString(styled(p.warn, "# "+ProposalTitle(o)) + "\n")
	}
	return b.String()
}

func (p Printer) diffs(b *strings.Builder, title string, plan *patch.Plan) {
	b.WriteString(styled(p.bold, "# "+title) + "\n")
	if plan == nil {
		return
	}
	for _, e := range plan.Edits {
		for _, t := range e.Adds {
			b.WriteString(styled(p.faint, Clean(fmt.Sprintf("# adds: %s may %s on %s", t[0], t[1], t[2]))) + "\n")
		}
		b.WriteString(p.Diff(e.Diff()))
	}
}

// PlanTitle is one line about a route: its verdict, and what its plan makes of it or why it has none.
func PlanTitle(r diagnose.Route) string {
	return planTitle(name(r), r.Verdict, r.Plan, noPlan(r.Verdict, r.Findings))
}

// AccessPlanTitle is one line about an access, as PlanTitle is about a route.
func AccessPlanTitle(a diagnose.Access) string {
	none := noPlan(a.Verdict, a.Findings)
	if a.Verdict == diagnose.Broken && curable(a) {
		none = "the cure hangs on what else is wrong or not known"
	}
	return planTitle(accessName(a), a.Verdict, a.Plan, none)
}

// ProposalTitle is one line that says that there is a proposal. A plan never has its edits: they take permissions away.
func ProposalTitle(o diagnose.Proposal) string {
	return Clean(fmt.Sprintf("proposal: role %s may do more than its replications need; replimend diagnose shows how to narrow it", o.Role))
}

func planTitle(name string, v diagnose.Verdict, plan *patch.Plan, none string) string {
	title := fmt.Sprintf("%s: %s", name, v)
	if plan == nil || len(plan.Edits) == 0 {
		return title + ", " + none
	}
	return fmt.Sprintf("%s, then %s; class %s", title, Clean(plan.Proof.After), plan.Class)
}

func noPlan(v diagnose.Verdict, findings []diagnose.Finding) string {
	if v == diagnose.Healthy || v == diagnose.Degraded {
		return "no edit is needed"
	}
	var causes []string
	for _, f := range findings {
		if c := Clean(f.Cause); f.Remedy == patch.Manual && !slices.Contains(causes, c) {
			causes = append(causes, c)
		}
	}
	if len(causes) == 0 {
		return "no edit is known to cure it"
	}
	return "no edit can or may cure " + strings.Join(causes, ", ")
}
