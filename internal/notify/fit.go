package notify

import (
	"slices"
	"sort"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/replimend/replimend/internal/incident"
)

// What a view may hold in any tool, in characters where nothing else is said. What has no more than its title and how to see the rest fits
// into the smallest of them.
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
	mostLink     = 300 // of a URL
	// leastCode is how much of the code stays while there are lines that can go instead.
	leastCode = 1_500
)

// fitted is as much of a view as fits takes. What goes first is the code beyond leastCode, by whole lines from its end; then lines, of all
// sections alike, so that each keeps its first; then sections without lines; then the rest of the code; and last, where a tool writes one
// character as five, the end of the lead. A view that lost nothing has no Cut.
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
	v = reduced(v, max(n-1, 0))
	for len(v.Lead) > 0 && !fits(v) {
		v.Lead = v.Lead[:len(v.Lead)-1]
	}
	return v
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
		if l = bound(l, mostLeadLine); !blank(l) {
			lead = append(lead, l)
		}
	}
	var sections []Section
	for _, s := range atMost(v.Sections, mostSections, &lost) {
		out := Section{Heading: something(bound(s.Heading, mostHeading))}
		for _, l := range atMost(s.Lines, mostOfLines, &lost) {
			if l = bound(l, len(l)); !blank(l) {
				out.Lines = append(out.Lines, l)
			}
		}
		var code []string
		for l := range strings.Lines(s.Code) {
			code = append(code, bound(strings.TrimRight(l, "\r\n"), len(l)))
		}
		if !blank(strings.Join(code, "")) {
			out.Code = strings.Join(code, "\n")
		}
		if len(out.Lines) > 0 || out.Code != "" {
			sections = append(sections, out)
		}
	}
	var fields []incident.Field
	for _, f := range atMost(v.Fields, mostFields, &lost) {
		if f = (incident.Field{Name: bound(f.Name, mostName), Value: bound(f.Value, mostValue)}); !blank(f.Value) {
			fields = append(fields, incident.Field{Name: something(f.Name), Value: f.Value})
		}
	}
	v.Lead, v.Sections, v.Fields = lead, sections, fields
	v.Title, v.Word, v.Incident = something(bound(v.Title, mostTitle)), something(bound(v.Word, mostWord)), bound(v.Incident, mostID)
	v.Severity = incident.Severity(bound(string(v.Severity), mostWord))
	v.Cut = clip(incident.Line(v.Cut), mostCut)
	// Nobody can do without these, and they are ours: they are no part of what goes.
	v.LinkText, v.Code = clip(incident.Line(v.LinkText), mostName), clip(incident.Line(v.Code), mostCut)
	if v.Link == "" || len(v.Link) > mostLink || blank(v.LinkText) {
		v.Link, v.LinkText, v.Code = "", "", ""
	}
	if blank(v.Code) {
		v.Code = ""
	}
	// Neither is what people can decide: it goes as a whole where it is not ours.
	v.Decisions = slices.DeleteFunc(slices.Clone(v.Decisions), func(d Decision) bool { return !d.Valid() || blank(d.Text) })
	return v, lost
}

// blank says whether there is nothing to see in a text: tools refuse a message with such a one where they want some.
func blank(s string) bool { return strings.TrimSpace(s) == "" }

// something is a text that is not blank.
func something(s string) string {
	if blank(s) {
		return "…"
	}
	return s
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

// withoutCode is a view without the sections of code, which the message that it follows shows.
func withoutCode(v View) View {
	v.Sections = slices.DeleteFunc(slices.Clone(v.Sections), func(s Section) bool { return s.Code != "" })
	return v
}

// withoutDecisions is a view in which nothing can be decided.
func withoutDecisions(v View) View {
	v.Decisions = nil
	return v
}
