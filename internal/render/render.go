// Package render turns a diagnosis, its plans and what follows from them into text for people at a terminal.
//
// It writes what others decided and decides nothing; cmd/replimend and the rehearsal print what it returns. Width and colours
// are values, so that the same input gives the same text everywhere, and the words are the same with and without colours.
// Names in a diagnosis come from policies and rules that anybody may have written: everything passes through Clean.
package render

import (
	"fmt"
	"slices"
	"strings"

	"github.com/charmbracelet/lipgloss"

	"github.com/replimend/replimend/internal/diagnose"
	"github.com/replimend/replimend/internal/patch"
	"github.com/replimend/replimend/internal/snapshot"
)

// MinWidth is the narrowest page; a narrower terminal breaks the lines itself.
const MinWidth = 60

// Printer is a page: how wide it is, and how words look.
type Printer struct {
	width                      int
	plain, bold, faint, accent lipgloss.Style
	good, bad, warn            lipgloss.Style
}

// New is a page of that width. The renderer's colour profile says which colours there are; with none, all styles are plain.
func New(r *lipgloss.Renderer, width int) Printer {
	colour := func(c string) lipgloss.Style { return r.NewStyle().Foreground(lipgloss.Color(c)) }
	return Printer{
		width: max(width, MinWidth),
		plain: r.NewStyle(), bold: r.NewStyle().Bold(true), faint: r.NewStyle().Faint(true), accent: colour("6"),
		good: colour("2"), bad: colour("1").Bold(true), warn: colour("3"),
	}
}

// Diagnosis is the text of a whole diagnosis: its routes, and below them what concerns none of them.
func (p Printer) Diagnosis(d diagnose.Diagnosis) string {
	var b strings.Builder
	b.WriteString(p.routes(d))
	if len(d.Findings) > 0 {
		b.WriteByte('\n')
		p.paragraph(&b, 0, 2, p.bold, "about no route above:")
		p.findings(&b, d.Findings)
	}
	return b.String()
}

// routes is every route. Several begin with a table, those that need a person first; healthy ones are then not described one
// by one.
func (p Printer) routes(d diagnose.Diagnosis) string {
	switch len(d.Routes) {
	case 0:
		return p.plain.Render("no enabled replication rule: there is nothing to diagnose") + "\n"
	case 1:
		return p.Route(d.Routes[0])
	}
	routes := slices.Clone(d.Routes)
	slices.SortStableFunc(routes, func(a, b diagnose.Route) int { return urgency[a.Verdict] - urgency[b.Verdict] })

	var b strings.Builder
	p.summary(&b, routes)
	healthy := 0
	for _, r := range routes {
		if r.Verdict == diagnose.Healthy {
			healthy++
			continue
		}
		b.WriteString("\n" + p.Route(r))
	}
	switch {
	case healthy == 1:
		b.WriteByte('\n')
		p.paragraph(&b, 0, 2, p.faint, "1 healthy route is not described; --route SOURCE/RULE describes one")
	case healthy > 1:
		b.WriteByte('\n')
		p.paragraph(&b, 0, 2, p.faint, fmt.Sprintf("%d healthy routes are not described; --route SOURCE/RULE describes one", healthy))
	}
	return b.String()
}

// urgency is the order in which a reader wants to see routes.
var urgency = map[diagnose.Verdict]int{
	diagnose.Broken: 0, diagnose.Unknown: 1, diagnose.Conditional: 2, diagnose.Degraded: 3, diagnose.Healthy: 4,
}

func (p Printer) summary(b *strings.Builder, routes []diagnose.Route) {
	counts := make(map[diagnose.Verdict]int)
	var verdicts, names []string
	for _, r := range routes {
		counts[r.Verdict]++
		verdicts, names = append(verdicts, string(r.Verdict)), append(names, name(r))
	}
	parts := make([]string, 0, len(urgency))
	for _, v := range slices.SortedFunc(keys(counts), func(a, b diagnose.Verdict) int { return urgency[a] - urgency[b] }) {
		parts = append(parts, fmt.Sprintf("%d %s", counts[v], v))
	}
	p.paragraph(b, 0, 2, p.bold, fmt.Sprintf("%d routes: %s", len(routes), strings.Join(parts, ", ")))
	columns := []column{widest(verdicts, len("verdict"), 12), widest(names, len("route"), p.width/2)}
	rows := [][]cell{{{"verdict", p.faint}, {"route", p.faint}, {"first cause", p.faint}}}
	for _, r := range routes {
		cause := ""
		if i := slices.IndexFunc(r.Findings, blames); i >= 0 {
			cause = Clean(r.Findings[i].Cause)
			if more := faults(r) - 1; more > 0 {
				cause += fmt.Sprintf(" and %d more", more)
			}
		} else if len(r.Findings) > 0 {
			cause = Clean(r.Findings[0].Cause)
		}
		rows = append(rows, []cell{{string(r.Verdict), p.verdict(r.Verdict)}, {name(r), p.plain}, {cause, p.plain}})
	}
	p.grid(b, 0, columns, rows)
}

func keys[K comparable, V any](m map[K]V) func(func(K) bool) {
	return func(yield func(K) bool) {
		for k := range m {
			if !yield(k) {
				return
			}
		}
	}
}

func name(r diagnose.Route) string {
	return Clean(fmt.Sprintf("%s → %s (rule %s)", r.Source, r.Destination, r.Rule))
}

func blames(f diagnose.Finding) bool { return f.Severity == diagnose.Fault }

func faults(r diagnose.Route) int {
	n := 0
	for _, f := range r.Findings {
		if blames(f) {
			n++
		}
	}
	return n
}

// Route is one route from its header to the next step.
func (p Printer) Route(r diagnose.Route) string {
	var b strings.Builder
	b.WriteString(p.Explanation(r))
	if r.Plan != nil {
		b.WriteString("\n" + p.Plan(*r.Plan))
	}
	b.WriteByte('\n')
	p.fact(&b, "next step", nextStep(r))
	return b.String()
}

// Explanation is a route without its plan: the header, the hops and the findings.
func (p Printer) Explanation(r diagnose.Route) string {
	var b strings.Builder
	p.header(&b, r)
	if len(r.Hops) > 0 {
		b.WriteByte('\n')
		p.hops(&b, r)
	}
	if len(r.Findings) > 0 {
		b.WriteByte('\n')
		p.findings(&b, r.Findings)
	}
	return b.String()
}

func (p Printer) header(b *strings.Builder, r diagnose.Route) {
	title, verdict := name(r), string(r.Verdict)
	lines := wrap(title+": "+verdict, p.width)
	for i, line := range lines {
		if rest, ok := strings.CutSuffix(line, verdict); ok && i == len(lines)-1 {
			line = p.bold.Render(strings.TrimRight(rest, " ")) + " " + p.verdict(r.Verdict).Render(verdict)
		} else {
			line = p.bold.Render(line)
		}
		b.WriteString(strings.TrimLeft(line, " ") + "\n")
	}
	p.fact(b, "role", Clean(r.Role))
	p.fact(b, "from", place(r.Source, r.Of.SourceAccount, r.Of.SourceRegion))
	p.fact(b, "to", place(r.Destination, r.Of.DestinationAccount, r.Of.DestinationRegion))
	if r.Of.ReplicaKeyText != "" {
		p.fact(b, "replica key", Clean(r.Of.ReplicaKeyText))
	}
	for _, o := range r.Objects {
		p.fact(b, "stands for", Clean(o))
	}
	for _, h := range r.Hints {
		p.fact(b, "reported", Clean(h.Text))
	}
}

// place is "src, account 111122223333, eu-west-1".
func place(bucket, account, region string) string {
	s := bucket
	if account != "" {
		s += ", account " + account
	}
	if region != "" {
		s += ", " + region
	}
	return Clean(s)
}

// fact is one line of a label and what it says, aligned with the others.
func (p Printer) fact(b *strings.Builder, label, text string) {
	p.grid(b, 2, []column{12}, [][]cell{{{label, p.faint}, {text, p.plain}}})
}

func (p Printer) verdict(v diagnose.Verdict) lipgloss.Style {
	switch v {
	case diagnose.Healthy:
		return p.good
	case diagnose.Broken:
		return p.bad
	default:
		return p.warn
	}
}

// nextStep is what a person does with this verdict.
func nextStep(r diagnose.Route) string {
	switch {
	case r.Verdict == diagnose.Healthy:
		return "nothing to do. Objects that are FAILED from before stay so until S3 Batch Replication sends them again"
	case r.Plan != nil && len(r.Plan.Edits) > 0:
		return "have the owners apply the edits above (replimend plan prints them alone), then let S3 Batch Replication send the " +
			"FAILED objects again: S3 does not retry by itself"
	case r.Verdict == diagnose.Degraded:
		return "objects arrive; the findings say what is lost or unseen, and whether that matters is yours to decide"
	case r.Verdict == diagnose.Broken:
		return "no edit of a policy can or may cure this; the findings say what a person has to change"
	case r.Verdict == diagnose.Unknown:
		return "add what could not be read to the snapshot and diagnose again"
	default:
		return "write one object through the route and look at its replication status; that settles what the evidence does not"
	}
}

// findings are faults first: they are what the reader came for.
func (p Printer) findings(b *strings.Builder, findings []diagnose.Finding) {
	sorted := slices.Clone(findings)
	slices.SortStableFunc(sorted, func(a, b diagnose.Finding) int { return weight[a.Severity] - weight[b.Severity] })
	for i, f := range sorted {
		if i > 0 {
			b.WriteByte('\n')
		}
		style := p.warn
		if blames(f) {
			style = p.bad
		}
		title := Clean(fmt.Sprintf("%s: %s, on the %s side", f.Severity, f.Cause, f.Side))
		p.paragraph(b, 0, 2, style, title)
		p.fact(b, "because", Clean(f.Message))
		p.fact(b, "in", document(f.Document))
		p.fact(b, "evidence", evidence(f.Evidence))
		if f.Remedy != patch.None {
			p.fact(b, "remedy", remedy(f.Remedy))
		}
	}
}

var weight = map[diagnose.Severity]int{diagnose.Fault: 0, diagnose.Warning: 1, diagnose.Advice: 2}

// document is "role-policy arn:aws:iam::111122223333:role/r inline/replication".
func document(r snapshot.Ref) string { return Clean(r.String()) }
