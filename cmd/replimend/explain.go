package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/replimend/replimend/docs/causes"
	"github.com/replimend/replimend/internal/diagnose"
	"github.com/replimend/replimend/internal/render"
)

func (p *program) explainCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "explain [CAUSE]",
		Short: "Say what a cause is, how to see it and how to cure it",
		Long: `Show the page of a cause that a diagnosis names: how to see it, why it happens, the fix as JSON, AWS CLI, Terraform and CDK,
how sure that is, and the sources. Without a cause, list all of them.

It needs no network: the pages of docs/causes are part of the program.`,
		Example: `  replimend explain role-lacks-source-decrypt
  replimend explain`,
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return causeNames(), cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			switch len(args) {
			case 0:
				fmt.Fprint(p.out, p.printer().Causes(diagnose.Causes()))
				return nil
			case 1:
				return p.explain(args[0])
			default:
				return hinted(fmt.Errorf("%s takes one cause, got %d", cmd.Name(), len(args)), cmd.CommandPath()+" --help shows an example")
			}
		},
	}
}

func (p *program) explain(cause string) error {
	page, ok := causes.Page(cause)
	if !ok || !slices.Contains(causeNames(), cause) {
		return hinted(fmt.Errorf("unknown cause %q", cause), near(cause))
	}
	fmt.Fprint(p.out, p.printer().Page(page))
	return nil
}

func causeNames() []string {
	all := diagnose.Causes()
	out := make([]string, len(all))
	for i, c := range all {
		out[i] = c.Name
	}
	return out
}

// near is the causes that share most words with what was asked for: people remember "decrypt", not the whole name.
func near(asked string) string {
	words := strings.FieldsFunc(strings.ToLower(asked), func(r rune) bool { return r == '-' || r == '_' || r == ' ' })
	best, found := 0, []string(nil)
	for _, name := range causeNames() {
		shared := 0
		for _, w := range words {
			if len(w) > 2 && strings.Contains(name, w) {
				shared++
			}
		}
		switch {
		case shared == 0 || shared < best:
		case shared > best:
			best, found = shared, []string{name}
		default:
			found = append(found, name)
		}
	}
	if len(found) == 0 {
		return "replimend explain lists the causes"
	}
	const most = 4
	return "did you mean " + render.Clean(strings.Join(found[:min(most, len(found))], " or ")) + "?"
}
