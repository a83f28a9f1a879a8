package notify

import (
	"strings"

	"github.com/replimend/replimend/internal/incident"
)

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

// body is the lead and the sections, and with fields the fields, then the link, and what stands for the rest.
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
	if v.Link != "" {
		b.WriteString("\n" + m.text(v.LinkText) + ": " + v.Link + "\n") // each tool makes a link of a URL that stands by itself
	}
	if v.Code != "" {
		b.WriteString(m.text(v.Code) + "\n")
	}
	if v.Cut != "" {
		b.WriteString("\n" + m.text(v.Cut) + "\n")
	}
	return strings.TrimRight(b.String(), "\n")
}

// plainText is a view as text without any markup, with what stands for the rest at its end.
func plainText(v View) string {
	text := v.Text()
	if v.Cut != "" {
		text += "\n" + v.Cut + "\n"
	}
	return text
}

// headline is the severity and the title on one line.
func headline(v View) string { return "[" + v.Word + "] " + v.Title }

// loud says whether news are for people who are not looking: an edit rings nobody.
func loud(v View) bool { return v.Awaits || v.Severity == incident.Critical }

// fence is code between three backticks, which nothing in it can end, and of which a tool may know the language.
func fence(code, language string) string {
	return "```" + language + "\n" + strings.ReplaceAll(code, "```", "ˋˋˋ") + "\n```"
}

// fenced is a fence around code that says so if it is a diff.
func fenced(code string) string {
	if strings.HasPrefix(code, "--- ") {
		return fence(code, "diff")
	}
	return fence(code, "")
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

// indented is a line of code for a tool that takes several spaces for one: those at its beginning, also after the sign of a diff, are such
// as stay.
func indented(line string) string {
	rest := strings.TrimLeft(line, "+- ")
	return strings.ReplaceAll(line[:len(line)-len(rest)], " ", "\u00a0") + rest
}
