package main

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/replimend/replimend/internal/diagnose"
)

const head = `# Causes

<!-- Written by make generate from the catalogue in internal/diagnose. Edit the catalogue. -->

Every finding of a diagnosis names one of these causes. Each has a page: how to see it, why it happens, what cures it, and how
sure that is. *Side* is whose document is at fault. *Remedy at most* is what a cure may be before anything else is asked:
` + "`automatic`, `approval`" + ` (a person must agree), ` + "`manual`" + ` (no edit can or may cure it) or ` + "`none`" + `.
`

const columns = `
| Cause | Side | Found in | Remedy at most | What it is |
|---|---|---|---|---|
`

// index is the whole file: a table for each group that has causes.
func index(causes []diagnose.Cause) string {
	var b strings.Builder
	b.WriteString(head)
	for _, g := range diagnose.Groups() {
		rows := ""
		for _, c := range causes {
			if c.Group == g {
				rows += row(c)
			}
		}
		if rows != "" {
			fmt.Fprintf(&b, "\n## %s\n%s%s", g, columns, rows)
		}
	}
	return b.String()
}

func row(c diagnose.Cause) string {
	documents := make([]string, len(c.Documents))
	for i, d := range c.Documents {
		documents[i] = string(d)
	}
	side := cmp.Or(string(c.Side), "either")
	return fmt.Sprintf("| [%s](%s.md) | %s | %s | %s | %s |\n", c.Name, c.Name, side, strings.Join(documents, ", "), c.Remedy, cell(c.Summary))
}

// cell is a text that cannot end its cell.
func cell(s string) string { return strings.ReplaceAll(s, "|", `\|`) }
