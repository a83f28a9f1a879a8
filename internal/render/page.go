package render

import (
	"regexp"
	"strings"

	"github.com/charmbracelet/lipgloss"

	"github.com/replimend/replimend/internal/diagnose"
)

// Page is a page of the documentation, in Markdown, for a terminal: paragraphs filled, tables in columns, code as it is. Addresses
// and code between backticks stay in one piece, so that they can be clicked and copied, even where a line gets too long by it.
func (p Printer) Page(markdown string) string {
	var b strings.Builder
	code := false
	var table []string
	for _, line := range strings.Split(strings.TrimRight(markdown, "\n"), "\n") {
		text := strings.TrimLeft(line, " ")
		if row := !code && strings.HasPrefix(text, "|"); row {
			table = append(table, text)
			continue
		}
		p.table(&b, table)
		table = nil
		switch {
		case strings.HasPrefix(line, "```"):
			code = !code
		case code:
			b.WriteString(strings.TrimRight("  "+styled(p.accent, Clean(strings.ReplaceAll(line, "\t", "    "))), " ") + "\n")
		case strings.HasPrefix(line, "#"):
			b.WriteString(styled(p.bold, Clean(strings.TrimLeft(line, "# "))) + "\n")
		case line == "":
			b.WriteByte('\n')
		case strings.HasPrefix(text, "- "):
			p.fill(&b, strings.Repeat(" ", len(line)-len(text))+"- ", strings.TrimPrefix(text, "- "))
		default:
			p.fill(&b, "", line)
		}
	}
	p.table(&b, table)
	return b.String()
}

// fill writes a paragraph behind a mark, its further lines as far in as the first. Words are never broken.
func (p Printer) fill(b *strings.Builder, mark, text string) {
	line := ""
	end := func() {
		b.WriteString(mark + p.plain.Render(line) + "\n")
		mark = strings.Repeat(" ", len(mark))
	}
	for _, word := range words(prose(text)) {
		switch {
		case line == "":
			line = word
		case len(mark)+lipgloss.Width(line)+1+lipgloss.Width(word) > p.width:
			end()
			line = word
		default:
			line += " " + word
		}
	}
	end()
}

var (
	codeSpan = regexp.MustCompile("`[^`]*`")
	markup   = []struct {
		mark *regexp.Regexp
		text string
	}{
		{regexp.MustCompile(`\*\*([^*]+)\*\*`), "$1"},
		{regexp.MustCompile(`<(https?://[^ >]+)>`), "$1"},
		{regexp.MustCompile(`\[([^\]]+)\]\([^)]+\)`), "$1"},
	}
)

// prose is text without the marks of Markdown that only a browser needs. Those of code stay: they are quotation marks.
func prose(text string) string {
	var b strings.Builder
	for text != "" {
		span := codeSpan.FindStringIndex(text)
		if span == nil {
			span = []int{len(text), len(text)}
		}
		words := text[:span[0]]
		for _, m := range markup {
			words = m.mark.ReplaceAllString(words, m.text)
		}
		b.WriteString(words + text[span[0]:span[1]])
		text = text[span[1]:]
	}
	return Clean(b.String())
}

var wordOrCode = regexp.MustCompile("(?:`[^`]*`|[^ `]|`)+")

// words is what a line may be broken between: code between backticks is one, with what touches it.
func words(text string) []string { return wordOrCode.FindAllString(text, -1) }

// table lays the rows of a Markdown table out in columns, as wide as they need to be where there is room.
func (p Printer) table(b *strings.Builder, lines []string) {
	var rows [][]cell
	var widths []int
	for i, line := range lines {
		if i == 1 { // the line of dashes
			continue
		}
		style := p.plain
		if i == 0 {
			style = p.faint
		}
		var row []cell
		for k, text := range strings.Split(strings.Trim(line, "| "), "|") {
			text = prose(strings.TrimSpace(text))
			row = append(row, cell{text, style})
			if k == len(widths) {
				widths = append(widths, 0)
			}
			widths[k] = max(widths[k], lipgloss.Width(text))
		}
		rows = append(rows, row)
	}
	if len(widths) == 0 {
		return
	}
	p.grid(b, 0, fitted(widths, p.width-gap*(len(widths)-1)), rows)
}

// fitted is the widths of all columns but the last, the widest made narrower until they and the last one have room.
func fitted(widths []int, room int) []column {
	most := room
	for ; most > 1; most-- {
		sum := 0
		for _, w := range widths {
			sum += min(w, most)
		}
		if sum <= room {
			break
		}
	}
	out := make([]column, len(widths)-1)
	for i := range out {
		out[i] = column(min(widths[i], most))
	}
	return out
}

// Causes is the catalogue by groups: each cause with what its remedy is at most, and what it is.
func (p Printer) Causes(causes []diagnose.Cause) string {
	var b strings.Builder
	for i, g := range diagnose.Groups() {
		if i > 0 {
			b.WriteByte('\n')
		}
		b.WriteString(styled(p.bold, string(g)) + "\n")
		for _, c := range causes {
			if c.Group == g {
				b.WriteString("  " + p.plain.Render(c.Name) + " " + styled(p.faint, "("+string(c.Remedy)+")") + "\n")
				p.paragraph(&b, 6, 0, p.plain, Clean(c.Summary))
			}
		}
	}
	return b.String()
}
