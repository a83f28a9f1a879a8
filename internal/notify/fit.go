package notify

import (
	"slices"
	"sort"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/replimend/replimend/internal/incident"
)

// What a view may hold in any tool, in characters where nothing else is said. What has no more than its title, its lead and how to see
// the rest fits into the smallest of them.
const (
	mostTitle    = 150
	mostWord     = 40
	mostID       = 100
	mostLead     = 4 // lines
	mostLeadLine = 300
	mostSections = 20
	mostHeading  = 100
	mostOfLines  = 64 // lines of a section
	mostName     = 60
	mostValue    = 300
	mostCut      = 200
	// leastCode is how much of the code stays while there are lines that can go instead.
	leastCode = 1_500
)

// fitted is as much of a view as fits takes. What goes first is the code beyond leastCode, by whole lines from its end; then lines, of all
// sections alike, so that each keeps its first; then sections without lines; and last the rest of the code. A view that lost nothing has
// no Cut.
func fitted(v View, fits func(View) bool) View {
	v, lost := bounded(v)
	if whole := v; !lost {
		whole.Cut = ""
		if fits(whole) {
			return whole
		}
	}
	all := lines(v) + code(v)
	n := sort.Search(all+1, func(n int) bool { return !fits(reduced(v, n)) })
	return reduced(v, max(n-1, 0))
}

// bounded is a view with every text clean and within the bounds that all tools keep, and whether anything was lost by it.
func bounded(v View) (View, bool) {
	lost := false
	bound := func(s string, most int) string {
		out := incident.Line(s)
		if utf8.RuneCountInString(out) < utf8.RuneCountInString(s) {
			lost = true
		}
		if kept := clip(out, most); kept != out {
			lost, out = true, kept
		}
		return out
	}
	var lead []string
	for _, l := range atMost(v.Lead, mostLead, &lost) {
		lead = append(lead, bound(l, mostLeadLine))
	}
	var sections []Section
	for _, s := range atMost(v.Sections, mostSections, &lost) {
		out := Section{Heading: bound(s.Heading, mostHeading)}
		for _, l := range atMost(s.Lines, mostOfLines, &lost) {
			out.Lines = append(out.Lines, bound(l, len(l)))
		}
		var code []string
		for l := range strings.Lines(s.Code) {
			code = append(code, bound(strings.TrimRight(l, "\r\n"), len(l)))
		}
		if out.Code = strings.Join(code, "\n"); len(out.Lines) > 0 || out.Code != "" {
			sections = append(sections, out)
		}
	}
	var fields []incident.Field
	for _, f := range atMost(v.Fields, mostFields, &lost) {
		fields = append(fields, incident.Field{Name: bound(f.Name, mostName), Value: bound(f.Value, mostValue)})
	}
	v.Lead, v.Sections, v.Fields = lead, sections, fields
	v.Title, v.Word, v.Incident = bound(v.Title, mostTitle), bound(v.Word, mostWord), bound(v.Incident, mostID)
	v.Severity = incident.Severity(bound(string(v.Severity), mostWord))
	v.Cut = clip(incident.Line(v.Cut), mostCut)
	return v, lost
}

// atMost is the first of a list.
func atMost[T any](of []T, most int, lost *bool) []T {
	if len(of) > most {
		*lost = true
		return of[:most]
	}
	return of
}

// reduced is a view with n of its lines and of the characters of its code: first leastCode of the code, then the lines, then the rest of
// the code.
func reduced(v View, n int) View {
	least := min(code(v), leastCode)
	ofLines := min(max(n-least, 0), lines(v))
	ofCode := min(n, least) + max(n-least-lines(v), 0)

	sections, keep := make([]Section, 0, len(v.Sections)), make([]int, len(v.Sections)+1)
	for round := 0; ofLines > 0; round++ {
		for i := range keep {
			has := len(v.Fields)
			if i < len(v.Sections) {
				has = len(v.Sections[i].Lines)
			}
			if round < has && ofLines > 0 {
				keep[i]++
				ofLines--
			}
		}
	}
	for i, s := range v.Sections {
		s.Lines = s.Lines[:keep[i]]
		s.Code = firstLines(s.Code, &ofCode)
		if len(s.Lines) > 0 || s.Code != "" {
			sections = append(sections, s)
		}
	}
	v.Sections, v.Fields = sections, v.Fields[:keep[len(v.Sections)]]
	return v
}

// firstLines is as many whole lines of a text as the room holds, which it takes; a line with an ellipsis stands for the others.
func firstLines(s string, room *int) string {
	if n := utf8.RuneCountInString(s); n <= *room {
		*room -= n
		return s
	}
	var kept []string
	for l := range strings.Lines(s) {
		n := utf8.RuneCountInString(l)
		if n > *room {
			break
		}
		*room -= n
		kept = append(kept, strings.TrimSuffix(l, "\n"))
	}
	*room = 0
	if len(kept) == 0 {
		return ""
	}
	return strings.Join(append(kept, "…"), "\n")
}

// lines is how many lines a view has in its sections and fields, and code how many characters of code.
func lines(v View) int {
	n := len(v.Fields)
	for _, s := range v.Sections {
		n += len(s.Lines)
	}
	return n
}

func code(v View) int {
	n := 0
	for _, s := range v.Sections {
		n += utf8.RuneCountInString(s.Code)
	}
	return n
}

// units is the length of a text in UTF-16 code units, which is never less than its characters: tools count the one or the other, and few
// say which.
func units(s string) int {
	n := 0
	for _, r := range s {
		n += max(utf16.RuneLen(r), 1)
	}
	return n
}

// clip is a text, or as much of it as leaves room for an ellipsis within that many code units.
func clip(s string, most int) string {
	n, end := 0, 0
	for i, r := range s {
		if n < most {
			end = i
		}
		if n += max(utf16.RuneLen(r), 1); n > most {
			return s[:end] + "…"
		}
	}
	return s
}

// within is a text as it is written, clipped before it is so that what is written has at most that many code units.
func within(s string, most int, written func(string) string) string {
	if out := written(s); units(out) <= most {
		return out
	}
	n := sort.Search(most, func(n int) bool { return units(written(clip(s, n+1))) > most })
	return written(clip(s, n))
}

// A markup is how a tool that shows text writes a view.
type markup struct {
	text    func(string) string // a text in which nothing is taken for markup
	heading func(string) string // around such a text
	bullet  string
	code    func(string) string
	field   func(name, value string) string // around such texts
}

// lead is the lead of a view.
func (m markup) lead(v View) string {
	var b strings.Builder
	for _, l := range v.Lead {
		b.WriteString(m.text(l) + "\n")
	}
	return b.String()
}

// body is the lead and the sections, and with fields the fields, and what stands for the rest.
func (m markup) body(v View, fields bool) string {
	var b strings.Builder
	b.WriteString(m.lead(v))
	for _, s := range v.Sections {
		b.WriteString("\n" + m.heading(m.text(s.Heading)) + "\n")
		for _, l := range s.Lines {
			b.WriteString(m.bullet + m.text(l) + "\n")
		}
		if s.Code != "" {
			b.WriteString(m.code(s.Code) + "\n")
		}
	}
	if fields && len(v.Fields) > 0 {
		b.WriteString("\n")
		for _, f := range v.Fields {
			b.WriteString(m.field(m.text(f.Name), m.text(f.Value)) + "\n")
		}
	}
	if v.Cut != "" {
		b.WriteString("\n" + m.text(v.Cut) + "\n")
	}
	return strings.TrimRight(b.String(), "\n")
}

// headline is the severity and the title on one line.
func headline(v View) string { return "[" + v.Word + "] " + v.Title }

// loud says whether news are for people who are not looking: an edit rings nobody.
func loud(v View) bool { return v.Awaits || v.Severity == incident.Critical }

// fence is code between three backticks, which nothing in it can end.
func fence(code string) string {
	language := ""
	if strings.HasPrefix(code, "--- ") {
		language = "diff"
	}
	return "```" + language + "\n" + strings.ReplaceAll(code, "```", "ˋˋˋ") + "\n```"
}

// escaped puts a backslash before each of the characters.
func escaped(s, characters string) string {
	var b strings.Builder
	for _, r := range s {
		if strings.ContainsRune(characters, r) {
			b.WriteByte('\\')
		}
		b.WriteRune(r)
	}
	return b.String()
}

// indented is a line of code for a tool that takes several spaces for one: those at its beginning are such as stay.
func indented(line string) string {
	rest := strings.TrimLeft(line, " ")
	return strings.Repeat("\u00a0", len(line)-len(rest)) + rest
}

// withoutCode is a view without the sections of code, which the message that it follows shows.
func withoutCode(v View) View {
	v.Sections = slices.DeleteFunc(slices.Clone(v.Sections), func(s Section) bool { return s.Code != "" })
	return v
}
