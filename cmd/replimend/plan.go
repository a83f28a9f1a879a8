package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/replimend/replimend/internal/diagnose"
	"github.com/replimend/replimend/internal/render"
)

func (p *program) planCommand() *cobra.Command {
	var in inputs
	var format string
	cmd := &cobra.Command{
		Use:   "plan --snapshot FILE|- [FILE…]",
		Short: "Print the smallest edits that cure the routes of a snapshot",
		Long: `Print the smallest set of edits that makes each route healthy, as proven by evaluating the edited documents. Nothing is
written anywhere.

With --format diff each edit is a unified diff of the document; lines that begin with # say which route it cures and what it
adds. With --format json each file gives one document with one entry per route; its plan is null where no edit is needed or
none can cure the route.

Exit code: 0 every route has its plan or needs none, 1 a route is broken and no edit cures it, 2 an argument or a file is
wrong, 3 a route without a plan is conditional or unknown. Of several files the worst one counts: 2 before 1 before 3.`,
		Example: `  replimend plan --snapshot docs/examples/role-lacks-decrypt.json
  replimend plan --format json --snapshot docs/examples/cross-account-kms-key-policy.json`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if format != "diff" && format != "json" {
				return badFormat(cmd, format, "diff or json")
			}
			return p.each(cmd, in, args, func(name string, several bool, d diagnose.Diagnosis) error {
				for _, r := range d.Routes {
					if r.Plan == nil || len(r.Plan.Edits) == 0 {
						p.raise(exitOf(r.Verdict))
					}
				}
				if format == "json" {
					return p.json(render.PlansOf(d))
				}
				if several {
					fmt.Fprintf(p.out, "# %s\n", render.Clean(label(name)))
				}
				fmt.Fprint(p.out, p.printer().Diffs(d))
				return nil
			})
		},
	}
	in.flags(cmd)
	cmd.Flags().StringVar(&format, "format", "diff", "`FORMAT` of the output: diff or json")
	_ = cmd.RegisterFlagCompletionFunc("format", cobra.FixedCompletions([]string{"diff", "json"}, cobra.ShellCompDirectiveNoFileComp))
	return cmd
}
