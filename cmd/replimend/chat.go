package main

import (
	"fmt"
	"maps"
	"mime"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"github.com/replimend/replimend/internal/incident"
	"github.com/replimend/replimend/internal/jsontree"
	"github.com/replimend/replimend/internal/notify"
	"github.com/replimend/replimend/internal/policy"
	"github.com/replimend/replimend/internal/render"
	"github.com/replimend/replimend/internal/settings"
)

// chatting is the flags that say how a message is shown.
type chatting struct {
	tools    []string // words of the settings, or all
	language string
}

const allTools = "all"

func (c *chatting) flags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringSliceVar(&c.tools, "chat", nil, "show the last message of each scenario as these `TOOLS` get it, or all")
	f.StringVar(&c.language, "lang", string(settings.English), "`LANGUAGE` of those messages, and of pages: en or ja")
	words := []cobra.Completion{allTools}
	for _, t := range settings.Tools() {
		words = append(words, string(t))
	}
	_ = cmd.RegisterFlagCompletionFunc("chat", cobra.FixedCompletions(words, cobra.ShellCompDirectiveNoFileComp))
	_ = cmd.RegisterFlagCompletionFunc("lang", cobra.FixedCompletions([]string{"en", "ja"}, cobra.ShellCompDirectiveNoFileComp))
}

// targets is a target for each tool that was asked for, as settings could have it.
func (c chatting) targets() ([]settings.Target, error) {
	if !slices.Contains(settings.Languages(), settings.Language(c.language)) {
		return nil, hinted(fmt.Errorf("unknown language %q: want en or ja", c.language), "replimend rehearse --help shows an example")
	}
	var out []settings.Target
	for _, word := range c.tools {
		if word != allTools && !slices.Contains(settings.Tools(), settings.Tool(word)) {
			var words []string
			for _, t := range settings.Tools() {
				words = append(words, string(t))
			}
			return nil, hinted(fmt.Errorf("unknown tool %q", word), "the tools are all, "+strings.Join(words, ", "))
		}
	}
	for _, tool := range settings.Tools() {
		if slices.Contains(c.tools, string(tool)) || slices.Contains(c.tools, allTools) {
			out = append(out, settings.Target{
				Name: "demo", Tool: tool, Language: settings.Language(c.language), Channel: "C0123ABCD",
				URL:   "https://hooks.example.com/replimend",
				Topic: policy.ARN{Partition: "aws", Service: "sns", Region: "eu-west-1", Account: "111122223333", Resource: "incidents"},
			})
		}
	}
	return out, nil
}

// payloads is a message as each target gets it. Nothing is sent.
func payloads(page render.Printer, m incident.Message, targets []settings.Target) (string, error) {
	var b strings.Builder
	for _, t := range targets {
		kind, body, err := notify.Payload(t, notify.Of(m, t))
		if err != nil {
			return "", err
		}
		title := "as " + string(t.Tool) + " gets it"
		if kind != "" {
			title += " (" + kind + ")"
		}
		b.WriteString("\n" + page.Heading(title) + "\n")
		for line := range strings.Lines(readable(kind, body)) {
			b.WriteString(render.Clean(strings.TrimRight(line, "\n")) + "\n")
		}
	}
	return b.String(), nil
}

// lineOfJSON is how long a value may be that stands on one line.
const lineOfJSON = 118

// broken is a value of JSON whose parts stand on one line each where they fit: tools nest a text in up to six of them.
func broken(n jsontree.Node, indent int) string {
	whole := onOneLine(n)
	if n.Kind != jsontree.Object && n.Kind != jsontree.Array || indent+utf8.RuneCountInString(whole) <= lineOfJSON {
		return whole
	}
	var parts []string
	for _, f := range n.Fields {
		parts = append(parts, onOneLine(jsontree.Str(f.Name))+": "+broken(f.Value, indent+2))
	}
	for _, item := range n.Items {
		parts = append(parts, broken(item, indent+2))
	}
	inner := "\n" + strings.Repeat(" ", indent+2)
	brackets := "{}"
	if n.Kind == jsontree.Array {
		brackets = "[]"
	}
	return brackets[:1] + inner + strings.Join(parts, ","+inner) + "\n" + strings.Repeat(" ", indent) + brackets[1:]
}

func onOneLine(n jsontree.Node) string {
	var parts []string
	switch n.Kind {
	case jsontree.Object:
		for _, f := range n.Fields {
			parts = append(parts, onOneLine(jsontree.Str(f.Name))+": "+onOneLine(f.Value))
		}
		return "{" + strings.Join(parts, ", ") + "}"
	case jsontree.Array:
		for _, item := range n.Items {
			parts = append(parts, onOneLine(item))
		}
		return "[" + strings.Join(parts, ", ") + "]"
	case jsontree.String:
		text, err := render.JSONLine(n.Text)
		if err != nil {
			return strconv.Quote(n.Text) // a string always prints
		}
		return strings.TrimRight(string(text), "\n")
	case jsontree.Number:
		return n.Text
	case jsontree.Bool:
		return strconv.FormatBool(n.Bool)
	case jsontree.Null, jsontree.Invalid:
	}
	return "null"
}

// readable is a body for eyes: JSON with indents, a form field by field, and everything else as it is.
func readable(kind string, body []byte) string {
	kind, _, _ = mime.ParseMediaType(kind)
	switch kind {
	case "application/json":
		if n, err := jsontree.Parse(body, len(body)); err == nil {
			return broken(n, 0) + "\n"
		}
	case "application/x-www-form-urlencoded":
		form, err := url.ParseQuery(string(body))
		if err != nil {
			break
		}
		var b strings.Builder
		for _, name := range slices.Sorted(maps.Keys(form)) {
			fmt.Fprintf(&b, "%s = %s\n", name, strings.Join(form[name], ", "))
		}
		return b.String()
	}
	return string(body) + "\n"
}
