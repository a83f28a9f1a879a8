// Package render turns a diagnosis, its plans and what follows from them into text for people at a terminal.
//
// It writes what others decided and decides nothing; cmd/replimend and the rehearsal print what it returns. Width and colours
// are values, so that the same input gives the same text everywhere, and the words are the same with and without colours.
// Names in a diagnosis come from policies and rules that anybody may have written: everything passes through Clean.
package render

import (
	"cmp"
	"fmt"
	"maps"
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

// Diagnosis is the text of a whole diagnosis. Several routes begin with a table of what is wrong, the worst first. Of routes
// that are ill alike one is described and the others are named; healthy ones are counted. What concerns no route stands below.
func (p Printer) Diagnosis(d diagnose.Diagnosis) string {
	if len(d.Accesses) > 0 {
		return p.accesses(d.Accesses)
	}
	var b strings.Builder
	switch len(d.Routes) {
	case 0:
		b.WriteString(p.plain.Render("no enabled replication rule: there is nothing to diagnose") + "\n")
	case 1:
		b.WriteString(p.Route(d.Routes[0]))
	default:
		p.routes(&b, d.Routes)
	}
	if len(d.Findings) > 0 {
		b.WriteByte('\n')
		p.paragraph(&b, 0, 2, p.bold, "about no route above:")
		p.findings(&b, d.Findings)
	}
	p.proposals(&b, d.Proposals)
	return b.String()
}

func (p Printer) routes(b *strings.Builder, routes []diagnose.Route) {
	wards := wardsOf(routes)
	p.summary(b, routes, wards)
	for _, w := range wards {
		if w.verdict != diagnose.Healthy {
			b.WriteByte('\n')
			p.ward(b, w)
		}
	}
	if n := healthy(routes); n > 0 {
		b.WriteByte('\n')
		p.paragraph(b, 0, 2, p.faint, count(n, "healthy route is", "healthy routes are")+" not described; --route SOURCE/RULE describes one")
	}
}

// ward is routes that are ill alike: the same causes in the same kinds of documents.
type ward struct {
	verdict   diagnose.Verdict
	causes    []string
	documents []string
	routes    []diagnose.Route
}

// wardsOf puts together what one reader has to understand once: the worst first, then the largest.
func wardsOf(routes []diagnose.Route) []*ward {
	var out []*ward
	at := make(map[string]*ward)
	for _, r := range routes {
		key := string(r.Verdict)
		var causes []string
		told := telling(r)
		for _, f := range told {
			key += "\n" + f.Cause + " " + string(f.Document.Kind)
			if c := Clean(f.Cause); !slices.Contains(causes, c) {
				causes = append(causes, c)
			}
		}
		w := at[key]
		if w == nil {
			w = &ward{verdict: r.Verdict, causes: causes}
			at[key] = w
			out = append(out, w)
		}
		w.routes = append(w.routes, r)
		for _, f := range told {
			if d := document(f.Document); !slices.Contains(w.documents, d) {
				w.documents = append(w.documents, d)
			}
		}
	}
	slices.SortStableFunc(out, func(a, b *ward) int {
		return cmp.Or(urgency[a.verdict]-urgency[b.verdict], len(b.routes)-len(a.routes))
	})
	return out
}

// telling is the findings that make a route what it is: the faults, or without any the warnings, or else the advice. A healthy
// route is healthy whatever it is advised.
func telling(r diagnose.Route) []diagnose.Finding {
	if r.Verdict == diagnose.Healthy {
		return nil
	}
	for _, s := range []diagnose.Severity{diagnose.Fault, diagnose.Warning, diagnose.Advice} {
		var out []diagnose.Finding
		for _, f := range r.Findings {
			if f.Severity == s {
				out = append(out, f)
			}
		}
		if len(out) > 0 {
			return out
		}
	}
	return nil
}

// mostNames is how many routes or documents of a ward are named: more make a page that nobody reads.
const mostNames = 10

func (p Printer) ward(b *strings.Builder, w *ward) {
	if len(w.routes) > 1 {
		p.paragraph(b, 0, 2, p.bold, fmt.Sprintf("%d %s routes alike: %s", len(w.routes), w.verdict, strings.Join(w.causes, ", ")))
		p.listed(b, "in", w.documents)
		names := make([]string, len(w.routes))
		for i, r := range w.routes {
			names[i] = name(r)
		}
		p.listed(b, "routes", names)
		p.paragraph(b, 2, 0, p.faint, "The first of them; --route SOURCE/RULE describes another:")
		b.WriteByte('\n')
	}
	b.WriteString(p.Route(w.routes[0]))
}

// listed is the first of many, and how many more there are.
func (p Printer) listed(b *strings.Builder, label string, all []string) {
	for i, text := range all {
		if i > 0 {
			label = ""
		}
		if left := len(all) - i; i == mostNames-1 && left > 1 {
			text = fmt.Sprintf("and %d more, which --format json lists", left)
			p.fact(b, label, text)
			return
		}
		p.fact(b, label, text)
	}
}

func healthy(routes []diagnose.Route) int {
	n := 0
	for _, r := range routes {
		if r.Verdict == diagnose.Healthy {
			n++
		}
	}
	return n
}

func count(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

// urgency is the order in which a reader wants to see routes.
var urgency = map[diagnose.Verdict]int{
	diagnose.Broken: 0, diagnose.Unknown: 1, diagnose.Conditional: 2, diagnose.Degraded: 3, diagnose.Healthy: 4,
}

func (p Printer) summary(b *strings.Builder, routes []diagnose.Route, wards []*ward) {
	counts := make(map[diagnose.Verdict]int)
	var verdicts []string
	for _, r := range routes {
		counts[r.Verdict]++
		verdicts = append(verdicts, string(r.Verdict))
	}
	parts := make([]string, 0, len(urgency))
	for _, v := range slices.SortedFunc(maps.Keys(counts), func(a, b diagnose.Verdict) int { return urgency[a] - urgency[b] }) {
		parts = append(parts, fmt.Sprintf("%d %s", counts[v], v))
	}
	p.paragraph(b, 0, 2, p.bold, fmt.Sprintf("%d routes: %s", len(routes), strings.Join(parts, ", ")))
	rows := [][]cell{{{"routes", p.faint}, {"verdict", p.faint}, {"because", p.faint}, {"first route", p.faint}}}
	var causes []string
	for _, w := range wards {
		causes = append(causes, w.causes...)
		first := name(w.routes[0])
		if w.verdict == diagnose.Healthy && len(w.routes) > 1 {
			first = ""
		}
		rows = append(rows, []cell{
			{fmt.Sprintf("%6d", len(w.routes)), p.plain}, {string(w.verdict), p.verdict(w.verdict)}, {strings.Join(w.causes, "\n"), p.plain}, {first, p.plain},
		})
	}
	p.grid(b, 0, []column{6, widest(verdicts, len("verdict"), 12), widest(causes, len("because"), p.width*2/5)}, rows)
}

func name(r diagnose.Route) string {
	return Clean(fmt.Sprintf("%s → %s (rule %s)", r.Source, r.Destination, r.Rule))
}

func blames(f diagnose.Finding) bool { return f.Severity == diagnose.Fault }

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
		p.hops(&b, r.Hops)
	}
	if len(r.Findings) > 0 {
		b.WriteByte('\n')
		p.findings(&b, r.Findings)
	}
	return b.String()
}

// title is what is judged and the verdict.
func (p Printer) title(b *strings.Builder, title string, v diagnose.Verdict) {
	verdict := string(v)
	lines := wrap(title+": "+verdict, p.width)
	for i, line := range lines {
		if rest, ok := strings.CutSuffix(line, verdict); ok && i == len(lines)-1 {
			line = p.bold.Render(strings.TrimRight(rest, " ")) + " " + p.verdict(v).Render(verdict)
		} else {
			line = p.bold.Render(line)
		}
		b.WriteString(strings.TrimLeft(line, " ") + "\n")
	}
}

func (p Printer) header(b *strings.Builder, r diagnose.Route) {
	p.title(b, name(r), r.Verdict)
	p.fact(b, "role", Clean(r.Role))
	p.fact(b, "from", place(r.Source, r.Of.SourceAccount, r.Of.SourceRegion))
	p.fact(b, "to", place(r.Destination, r.Of.DestinationAccount, r.Of.DestinationRegion))
	if r.Of.ReplicaKeyText != "" {
		p.fact(b, "replica key", Clean(r.Of.ReplicaKeyText))
	}
	for _, o := range r.Objects {
		p.fact(b, "stands for", Clean(o))
	}
	for _, w := range r.Writers {
		p.fact(b, "written by", Clean(w))
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
