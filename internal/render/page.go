package render

import (
	"strings"

	"github.com/replimend/replimend/internal/diagnose"
)

// Page is a page of the documentation, in Markdown, for a terminal: paragraphs wrapped, code as it is.
func (p Printer) Page(markdown string) string {
	var b strings.Builder
	code := false
	for _, line := range strings.Split(strings.TrimRight(markdown, "\n"), "\n") {
		switch text := strings.TrimLeft(line, " "); {
		case strings.HasPrefix(line, "```"):
			code = !code
		case code:
			b.WriteString("  " + styled(p.accent, Clean(strings.ReplaceAll(line, "\t", "    "))) + "\n")
		case strings.HasPrefix(line, "#"):
			b.WriteString(styled(p.bold, Clean(strings.TrimLeft(line, "# "))) + "\n")
		case line == "":
			b.WriteByte('\n')
		case strings.HasPrefix(text, "|"):
			b.WriteString(Clean(line) + "\n")
		case strings.HasPrefix(text, "- "):
			p.paragraph(&b, len(line)-len(text), 2, p.plain, Clean(text))
		default:
			p.paragraph(&b, 0, 0, p.plain, Clean(line))
		}
	}
	return b.String()
}

// Causes is the catalogue as a table.
func (p Printer) Causes(causes []diagnose.Cause) string {
	var b strings.Builder
	names := make([]string, len(causes))
	rows := make([][]cell, len(causes))
	for i, c := range causes {
		names[i] = c.Name
		rows[i] = []cell{{c.Name, p.plain}, {string(c.Remedy), p.faint}, {Clean(c.Summary), p.plain}}
	}
	p.grid(&b, 0, []column{widest(names, 0, 44), widest([]string{"automatic"}, 0, 9)}, append([][]cell{{{"cause", p.faint}, {"at most", p.faint}, {"what it is", p.faint}}}, rows...))
	return b.String()
}
