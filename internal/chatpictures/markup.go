package main

import (
	"fmt"
	"html"
	"regexp"
	"strings"
)

// A markup is what of a tool's markup messages are written in: lines, of which some are headings and some have a bullet, and fences around
// code.
type markup struct {
	heading string   // before and after the text of a heading
	bullets []string // before the text of a line of a list
	text    func(string) (string, error)
}

// read is a text as HTML. Markup that is none of ours is an error.
func (m markup) read(s string) (string, error) {
	const fence = "```"
	var out, inside []string
	open := false
	for l := range strings.SplitSeq(s, "\n") {
		if strings.HasPrefix(l, fence) {
			if open {
				out = append(out, code(strings.Join(inside, "\n")))
			}
			open, inside = !open, nil
			continue
		}
		if open {
			inside = append(inside, l)
			continue
		}
		h, err := m.line(l)
		if err != nil {
			return "", fmt.Errorf("%w in %q", err, l)
		}
		out = append(out, h)
	}
	if open {
		return "", fmt.Errorf("code without an end: %q", s)
	}
	return strings.Join(out, ""), nil
}

func (m markup) line(l string) (string, error) {
	class := "line"
	if inner, ok := strings.CutPrefix(l, m.heading); ok && m.heading != "" && strings.HasSuffix(inner, m.heading) {
		class, l = "heading", strings.TrimSuffix(inner, m.heading)
	}
	for _, b := range m.bullets {
		if inner, ok := strings.CutPrefix(l, b); ok {
			class, l = "item", inner
		}
	}
	h, err := m.text(l)
	if l == "" {
		class = "gap"
	}
	return within("div", class, h), err
}

// address is one at the end of a line, which tools link as it stands: a Markdown of ours has no other link.
var address = regexp.MustCompile(`https://[^ \\]+$`)

// escaped reads a text whose special characters each have a backslash before them.
func escaped(special string) func(string) (string, error) {
	return func(s string) (string, error) {
		link := address.FindString(s)
		var b strings.Builder
		rest := []rune(strings.TrimSuffix(s, link))
		for i := 0; i < len(rest); i++ {
			switch {
			case rest[i] == '\\' && i+1 < len(rest):
				i++
			case strings.ContainsRune(special, rest[i]):
				return "", fmt.Errorf("markup %q", rest[i])
			}
			b.WriteRune(rest[i])
		}
		return text(b.String()) + within("a", "", text(link)), nil
	}
}

// discordText, mattermostText and amazonQText are the markups of package notify read back.
var (
	discordText    = markup{"**", []string{"• "}, escaped("\\`*_~|[]<>#@")}
	mattermostText = markup{"**", []string{"* "}, escaped("\\`*_{}[]()#+-!>~|")}
	amazonQText    = markup{"*", []string{"• "}, entities}
)

// entities reads a text with entities, and code between backticks, outside of which nothing could be emphasis.
func entities(s string) (string, error) {
	link := address.FindString(s)
	var out []string
	for i, part := range strings.Split(strings.TrimSuffix(s, link), "`") {
		if i%2 == 1 {
			out = append(out, within("code", "", text(html.UnescapeString(part))))
			continue
		}
		if strings.ContainsAny(part, "*_~[<>") {
			return "", fmt.Errorf("markup")
		}
		out = append(out, text(html.UnescapeString(part)))
	}
	if len(out)%2 == 0 {
		return "", fmt.Errorf("code without an end")
	}
	return strings.Join(out, "") + within("a", "", text(link)), nil
}

// tag is what Chatwork could read as a tag of its own.
var tag = regexp.MustCompile(`\[[/ ]*[A-Za-z]`)

// chatworkText reads Chatwork's notation: a title and a text, in which there may be code.
func chatworkText(s string) (string, error) {
	inner, ok := strings.CutPrefix(s, "[info][title]")
	title, inner, titled := strings.Cut(inner, "[/title]")
	inner, ended := strings.CutSuffix(inner, "[/info]")
	if !ok || !titled || !ended {
		return "", fmt.Errorf("no [info] with a [title]: %q", s)
	}
	lines := markup{"", []string{"・"}, func(l string) (string, error) {
		if tag.MatchString(l) {
			return "", fmt.Errorf("a tag")
		}
		if h, ok := strings.CutPrefix(l, "■ "); ok {
			return within("b", "", text("■ "+h)), nil
		}
		return text(l), nil
	}}
	out := []string{block("title", title)}
	for i, part := range strings.Split(inner, "[code]") {
		inside, after, ok := strings.Cut(part, "[/code]")
		if i == 0 {
			after = part
		} else if !ok || tag.MatchString(inside) {
			return "", fmt.Errorf("code without an end: %q", part)
		} else {
			out = append(out, code(inside))
		}
		h, err := lines.read(strings.TrimPrefix(strings.TrimSuffix(after, "\n"), "\n"))
		if err != nil {
			return "", err
		}
		out = append(out, h)
	}
	return strings.Join(out, ""), nil
}
