package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/replimend/replimend/internal/diagnose"
	"github.com/replimend/replimend/internal/iac"
	"github.com/replimend/replimend/internal/render"
)

func (p *program) planCommand() *cobra.Command {
	var in inputs
	var format string
	formats := append([]string{"diff", "json"}, iac.Formats()...)
	cmd := &cobra.Command{
		Use:   "plan --snapshot FILE|- [FILE…] | --live BUCKET",
		Short: "Print the smallest edits that cure the routes of a snapshot, or an access",
		Long: `Print the smallest set of edits that makes each route healthy, as proven by evaluating the edited documents. Nothing is
written anywhere.

With --format diff each edit is a unified diff of the document; lines that begin with # say which route it cures and what it
adds. With --format json each file gives one document with one entry per route; its plan is null where no edit is needed or
none can cure the route.

The other formats print the edits of all routes and files as one piece of code, for whoever keeps the documents as code: a
patch from outside is taken back the next time that code is applied. Edits of the same document are merged, and what belongs
to one account stands together.
  terraform        resources of the aws provider
  cloudformation   a YAML template for each account, and the properties of keys and roles that only their own template can hold
  cdk              a Go file with constructs of aws-cdk-go
  awscli           a POSIX shell script; run it once under the credentials of each account. It needs python3, keeps the documents
                   as they were, and writes nothing where one has changed since the snapshot

With --principal it prints instead the plan of an access, as diagnose --principal finds it: the edits with which a role or user
can read or write the objects of a bucket. docs/consumers.md shows how. In --format json it stands in accesses.

A comment that begins with "proposal:" says that a role may do more than its replications need. What narrows it is no part of a
plan; replimend diagnose shows it.

Exit code: 0 every route or access has its plan or needs none, 1 one is broken and no edit cures it, 2 an argument or a file is
wrong, 3 one without a plan is conditional or unknown. Of several files the worst one counts: 2 before 1 before 3.`,
		Example: `  replimend plan --snapshot docs/examples/role-lacks-decrypt.json
  replimend plan --format json --snapshot docs/examples/cross-account-kms-key-policy.json
  replimend plan --format terraform --snapshot docs/examples/role-lacks-decrypt.json
  replimend plan --format awscli --snapshot docs/examples/cross-account-kms-key-policy.json
  replimend plan --principal arn:aws:iam::444455556666:role/app/consumer --bucket amzn-s3-demo-bucket --operation get --snapshot docs/examples/consumers/article.json`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if !slices.Contains(formats, format) {
				last := len(formats) - 1
				return badFormat(cmd, format, strings.Join(formats[:last], ", ")+" or "+formats[last])
			}
			var plans []iac.Route
			err := p.diagnoses(cmd, in, args, func(name string, several bool, d diagnose.Diagnosis) error {
				p.raiseUnplanned(d)
				switch format {
				case "json":
					return p.json(render.PlansOf(d))
				case "diff":
					if several {
						fmt.Fprintf(p.out, "# %s\n", render.Clean(label(name)))
					}
					fmt.Fprint(p.out, p.printer().Diffs(d))
				default:
					plans = append(plans, titled(d)...)
				}
				return nil
			})
			if err != nil || format == "json" || format == "diff" {
				return err
			}
			return p.infrastructure(format, plans)
		},
	}
	in.flags(cmd)
	in.access.flags(cmd)
	cmd.Flags().StringVar(&format, "format", "diff", "`FORMAT` of the output: "+strings.Join(formats, ", "))
	_ = cmd.RegisterFlagCompletionFunc("format", cobra.FixedCompletions(formats, cobra.ShellCompDirectiveNoFileComp))
	return cmd
}

// raiseUnplanned raises the exit code for what has no plan.
func (p *program) raiseUnplanned(d diagnose.Diagnosis) {
	for _, r := range d.Routes {
		if r.Plan == nil || len(r.Plan.Edits) == 0 {
			p.raise(exitOf(r.Verdict))
		}
	}
	for _, a := range d.Accesses {
		if a.Plan == nil || len(a.Plan.Edits) == 0 {
			p.raise(exitOf(a.Verdict))
		}
	}
}

// titled is the plans of a diagnosis as package iac takes them. A proposal is a title alone, which every format prints as a
// comment: no code that people apply takes permissions away.
func titled(d diagnose.Diagnosis) []iac.Route {
	var out []iac.Route
	for _, r := range d.Routes {
		out = append(out, iac.Route{Title: render.PlanTitle(r), Plan: r.Plan})
	}
	for _, a := range d.Accesses {
		out = append(out, iac.Route{Title: render.AccessPlanTitle(a), Plan: a.Plan})
	}
	for _, o := range d.Proposals {
		out = append(out, iac.Route{Title: render.ProposalTitle(o)})
	}
	return out
}

// infrastructure prints the plans as code. Nothing is printed of plans that cannot be printed whole.
func (p *program) infrastructure(format string, routes []iac.Route) error {
	text, err := iac.Render(format, routes)
	if err != nil {
		return hinted(err, "--format diff shows every edit as it is; --route chooses one route")
	}
	fmt.Fprint(p.out, text)
	return nil
}
