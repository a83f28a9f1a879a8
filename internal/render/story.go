package render

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/charmbracelet/lipgloss"

	"github.com/replimend/replimend/internal/guard"
	"github.com/replimend/replimend/internal/incident"
)

// Heading is a title over what follows.
func (p Printer) Heading(title string) string {
	var b strings.Builder
	p.paragraph(&b, 0, 2, p.bold, Clean(title))
	return b.String()
}

// Line is one thing that happened: what kind of thing, and what.
func (p Printer) Line(label, text string) string {
	var b strings.Builder
	p.grid(&b, 0, []column{14}, [][]cell{{{Clean(label), p.accent}, {Clean(text), p.plain}}})
	return b.String()
}

// Verdict is what the guard says of a plan, rule by rule.
func (p Printer) Verdict(v guard.Verdict) string {
	var b strings.Builder
	words := map[guard.Decision]struct {
		text  string
		style lipgloss.Style
	}{
		guard.Allow:  {"allow: the plan may be carried out now", p.good},
		guard.Ask:    {"ask: a person must approve exactly this plan", p.warn},
		guard.Refuse: {"refuse: this is not done, whoever approves", p.bad},
	}
	p.paragraph(&b, 2, 2, words[v.Decision].style, words[v.Decision].text)
	for _, r := range v.Reasons {
		p.fact(&b, r.Decision.String(), Clean(r.Rule+": "+r.Text))
	}
	return b.String()
}

// Message is the message of an incident as a chat tool without formatting would show it.
func (p Printer) Message(m incident.Message) string {
	var b strings.Builder
	for _, line := range cleanLines(m.Text()) {
		// Two spaces open an item, or a line of the diff, which stays whole.
		text := strings.TrimLeft(line, " ")
		switch indent := len(line) - len(text); {
		case text == "":
			b.WriteString("  |\n")
		case indent >= 2 && !strings.HasPrefix(text, "- "), lipgloss.Width(line)+4 <= p.width:
			b.WriteString("  | " + line + "\n")
		default:
			for i, part := range wrap(text, p.width-4-indent-2) {
				hang := strings.Repeat(" ", indent+2*min(i, 1))
				b.WriteString("  | " + hang + part + "\n")
			}
		}
	}
	return b.String()
}

// Score is how one scenario of a rehearsal ended.
type Score struct {
	Name   string
	Passed bool
	Writes int    // documents that were written
	Checks int    // expectations that held
	Text   string // what was not as expected
}

// Scoreboard is the table at the end of a rehearsal.
func (p Printer) Scoreboard(scores []Score) string {
	var b strings.Builder
	var names []string
	passed := 0
	for _, s := range scores {
		names = append(names, Clean(s.Name))
		if s.Passed {
			passed++
		}
	}
	columns := []column{widest(names, len("scenario"), p.width/2), 6, 6}
	rows := [][]cell{{{"scenario", p.faint}, {"result", p.faint}, {"writes", p.faint}, {"checks", p.faint}}}
	for _, s := range scores {
		result, rest := cell{"green", p.good}, strconv.Itoa(s.Checks)
		if !s.Passed {
			result, rest = cell{"failed", p.bad}, fmt.Sprintf("%d, then %s", s.Checks, s.Text)
		}
		rows = append(rows, []cell{{Clean(s.Name), p.plain}, result, {strconv.Itoa(s.Writes), p.plain}, {Clean(rest), p.plain}})
	}
	p.grid(&b, 0, columns, rows)
	style := p.good
	if passed < len(scores) {
		style = p.bad
	}
	b.WriteString("\n" + style.Render(fmt.Sprintf("%d of %d scenarios are green", passed, len(scores))) + "\n")
	return b.String()
}
