package main

import (
	"fmt"
	"regexp"
	"strings"
)

// page is what a page of docs/causes holds: its title, and its sections by their titles, in order.
type page struct {
	title    string
	intro    string
	headings []string
	sections map[string]string
}

var heading = regexp.MustCompile(`(?m)^## (.*)\n`)

// readPage takes a page apart. A line that begins with ## inside a code block would be taken for a heading; no language of the
// pages has such a line.
func readPage(text string) (page, error) {
	title, body, ok := strings.Cut(text, "\n")
	name, marked := strings.CutPrefix(title, "# ")
	if !ok || !marked {
		return page{}, fmt.Errorf("read page: it does not begin with a title")
	}
	p := page{title: name, sections: make(map[string]string)}
	at := heading.FindAllStringSubmatchIndex(body, -1)
	p.intro = body
	for i, m := range at {
		if i == 0 {
			p.intro = body[:m[0]]
		}
		end := len(body)
		if i+1 < len(at) {
			end = at[i+1][0]
		}
		h := body[m[2]:m[3]]
		p.headings = append(p.headings, h)
		p.sections[h] = body[m[1]:end]
	}
	return p, nil
}

var fenced = regexp.MustCompile("(?ms)^```([a-z]*)\n(.*?)^```$")

// block is a code block: the word behind its fence, and its lines.
type block struct{ language, text string }

func blocks(text string) []block {
	var out []block
	for _, m := range fenced.FindAllStringSubmatch(text, -1) {
		out = append(out, block{m[1], m[2]})
	}
	return out
}
