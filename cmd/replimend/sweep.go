package main

import (
	"errors"
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"github.com/replimend/replimend/internal/diagnose"
	"github.com/replimend/replimend/internal/render"
	"github.com/replimend/replimend/internal/signal"
)

func (p *program) sweepCommand() *cobra.Command {
	var l live
	var format string
	var all bool
	cmd := &cobra.Command{
		Use:   "sweep [BUCKET|ROUTE…]",
		Short: "Diagnose every approved route, or every route of accounts",
		Long: `Diagnose many live routes in one run, in which what they share is read once: the approved routes, or the given ones, or with --all
every route of the accounts of the profiles. It finds what no event tells: rules without metrics or notification, keys that are
about to be deleted, routes that are no longer what was approved. It only reads.

Exit code: that of diagnose for all of them: 0 healthy or degraded, 1 some route is broken, 3 none is broken but one is conditional or
unknown, 2 an argument is wrong or a bucket could not be read. A route that differs from its approval counts as unknown.`,
		Example: `  replimend sweep --profile source --profile destination
  replimend sweep --all --format json`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if !slices.Contains(textOrJSON, format) {
				return badFormat(cmd, format, "text or json")
			}
			c, err := p.connect(cmd.Context(), l)
			if err != nil {
				return err
			}
			if len(args) == 0 && !all {
				for _, r := range c.settings.Routes {
					args = append(args, r.Name)
				}
				if len(args) == 0 {
					return hinted(errors.New("no route is approved"), "name buckets, or --all for every bucket of the accounts; replimend routes adopt writes an approval")
				}
			}
			sources, err := p.sources(cmd.Context(), c, args)
			if err != nil || len(sources) == 0 {
				return err
			}
			d, s, err := p.look(cmd.Context(), c, sources, signal.Evidence{})
			if err != nil {
				return err
			}
			for _, r := range d.Routes {
				p.raise(exitOf(r.Verdict))
			}
			lines := standings(s, c.settings, &d)
			for _, line := range lines {
				if line.Name != "" && len(line.Against) > 0 {
					p.raise(exitUnclear)
				}
			}
			p.unread(s)
			if format == "json" {
				return p.json(d)
			}
			p.told(d, lines)
			return nil
		},
	}
	l.flags(cmd)
	formatFlag(cmd, &format)
	cmd.Flags().BoolVar(&all, "all", false, "every route of the accounts of the profiles, approved or not")
	return cmd
}

// told is the diagnosis, and how each route stands to its approval.
func (p *program) told(d diagnose.Diagnosis, lines []render.Standing) {
	page := p.printer()
	fmt.Fprint(p.out, page.Diagnosis(d), "\n", page.Standings(lines))
}
