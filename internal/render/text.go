package render

import (
	"strings"
	"unicode/utf8"

	"github.com/charmbracelet/lipgloss"
)

// wrap breaks text into lines of at most width cells: at spaces, and inside a longer word where ARNs and actions have joints.
// Nothing is left out.
func wrap(text string, width int) []string {
	width = max(width, 8)
	var lines []string
	line := ""
	for _, word := range strings.Fields(text) {
		if line != "" && lipgloss.Width(line)+1+lipgloss.Width(word) <= width {
			line += " " + word
			continue
		}
		if line != "" {
			lines = append(lines, line)
		}
		for lipgloss.Width(word) > width {
			n := joint(word, width)
			lines = append(lines, word[:n])
			word = word[n:]
		}
		line = word
	}
	if line != "" || lines == nil {
		lines = append(lines, line)
	}
	return lines
}

// joints is where a word that is too long is broken, the best first: between the parts of an ARN or a path, between words of
// a name, and before a capital of an action.
var joints = []func(before, after rune) bool{
	func(before, _ rune) bool { return before == '/' || before == ':' },
	func(before, _ rune) bool { return strings.ContainsRune("-,_.|", before) },
	func(_, after rune) bool { return after >= 'A' && after <= 'Z' },
}

// joint is after how many bytes a word is broken so that the first part fits: at the best joint of its second half, or where
// it is full.
func joint(word string, width int) int {
	at := make([]int, len(joints))
	full, cells, before := 0, 0, rune(0)
	for i, r := range word {
		for k, fits := range joints {
			if cells > width/2 && fits(before, r) {
				at[k] = i
			}
		}
		cells += lipgloss.Width(string(r))
		if cells > width {
			break
		}
		full, before = i+utf8.RuneLen(r), r
	}
	for _, i := range at {
		if i > 0 {
			return i
		}
	}
	return max(full, 1)
}

// cell is text with one style; lines of its own stay so.
type cell struct {
	text  string
	style lipgloss.Style
}

// column is the width of a column; the last one of a grid has what is left.
type column int

const gap = 2

// grid lays rows out in columns, each cell wrapped.
func (p Printer) grid(b *strings.Builder, indent int, columns []column, rows [][]cell) {
	for _, row := range rows {
		cells := make([][]string, len(row))
		height := 0
		used := indent
		for i, c := range row {
			width := p.width - used
			if i < len(columns) {
				width = int(columns[i])
			}
			for _, line := range strings.Split(c.text, "\n") {
				cells[i] = append(cells[i], wrap(line, width)...)
			}
			height = max(height, len(cells[i]))
			used += width + gap
		}
		for y := range height {
			var line strings.Builder
			line.WriteString(strings.Repeat(" ", indent))
			pad := 0
			for i := range row {
				text := ""
				if y < len(cells[i]) {
					text = cells[i][y]
				}
				if text != "" {
					line.WriteString(strings.Repeat(" ", pad))
					line.WriteString(row[i].style.Render(text))
					pad = 0
				}
				if i < len(columns) {
					pad += int(columns[i]) + gap - lipgloss.Width(text)
				}
			}
			b.WriteString(strings.TrimRight(line.String(), " "))
			b.WriteByte('\n')
		}
	}
}

// paragraph writes text wrapped and indented; lines after the first are indented by hang more.
func (p Printer) paragraph(b *strings.Builder, indent, hang int, style lipgloss.Style, text string) {
	for i, line := range wrap(text, p.width-indent-hang) {
		n := indent
		if i > 0 {
			n += hang
		}
		b.WriteString(strings.Repeat(" ", n))
		b.WriteString(style.Render(line))
		b.WriteByte('\n')
	}
}

// widest is the widest text, at least low and at most high.
func widest(texts []string, low, high int) column {
	n := low
	for _, t := range texts {
		n = max(n, lipgloss.Width(t))
	}
	return column(min(n, max(low, high)))
}
