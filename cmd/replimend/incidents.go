package main

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/replimend/replimend/internal/incident"
	"github.com/replimend/replimend/internal/remedy"
	"github.com/replimend/replimend/internal/render"
)

func (p *program) incidentsCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "incidents list|show",
		Short: "Show what was done, when, and on whose word",
		Args:  cobra.NoArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(p.incidentsListCommand(), p.incidentsShowCommand())
	return cmd
}

func (p *program) incidentsListCommand() *cobra.Command {
	var l live
	var journal, format string
	var filter incident.Filter
	var since time.Duration
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List incidents, the newest first",
		Long: `List the incidents of a journal, the newest first, a line each: 100 at most.

Exit code: 0 they are listed, also when there are none, 2 an argument is wrong or the journal cannot be read.`,
		Example: `  replimend incidents list --open
  replimend incidents list --journal dynamodb:replimend-incidents --profile hub --since 48h`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if !slices.Contains(textOrJSON, format) {
				return badFormat(cmd, format, "text or json")
			}
			if since < 0 || filter.Limit < 0 {
				return hinted(errors.New("--since and --limit take no negative value"), cmd.CommandPath()+" --help shows an example")
			}
			kept, err := p.openNamed(cmd.Context(), journal, l)
			if err != nil {
				return err
			}
			if since > 0 {
				filter.Since = time.Now().Add(-since)
			}
			all, err := kept.List(cmd.Context(), filter)
			if err != nil {
				return unkept(err)
			}
			if format == "json" {
				if all == nil {
					all = []incident.Summary{}
				}
				return p.json(all)
			}
			fmt.Fprint(p.out, p.printer().Incidents(all))
			return nil
		},
	}
	l.flags(cmd)
	journalFlag(cmd, &journal)
	f := cmd.Flags()
	f.BoolVar(&filter.Open, "open", false, "only incidents that somebody still has to do something about")
	f.StringVar(&filter.Source, "bucket", "", "only incidents of routes that leave this `BUCKET`")
	f.DurationVar(&since, "since", 0, "only incidents of the last `TIME`, such as 48h")
	f.IntVar(&filter.Limit, "limit", 0, "at most this `NUMBER`; 0 is as many as there are, up to 100")
	formatFlag(cmd, &format)
	return cmd
}

var textOrJSON = []string{"text", "json"}

func formatFlag(cmd *cobra.Command, into *string) {
	cmd.Flags().StringVar(into, "format", "text", "`FORMAT` of the output: text or json")
	_ = cmd.RegisterFlagCompletionFunc("format", cobra.FixedCompletions(textOrJSON, cobra.ShellCompDirectiveNoFileComp))
}

func (p *program) incidentsShowCommand() *cobra.Command {
	var l live
	var journal, format string
	cmd := &cobra.Command{
		Use:   "show INCIDENT",
		Short: "Show one incident: what failed, what was changed, what stood there before",
		Long: `Show one incident of a journal: its route, what failed since when, what was changed on whose word, and everything that happened.
With --format json it also has the whole documents before and after, and a sample of the objects that failed.

Exit code: 0 it is shown, 2 an argument is wrong, there is no such incident or the journal cannot be read.`,
		Example: `  replimend incidents show inc-0123456789abcdef0123
  replimend incidents show inc-0123456789abcdef0123 --format json`,
		Args: exactly("INCIDENT", 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if !slices.Contains(textOrJSON, format) {
				return badFormat(cmd, format, "text or json")
			}
			kept, err := p.openNamed(cmd.Context(), journal, l)
			if err != nil {
				return err
			}
			i, err := kept.Get(cmd.Context(), args[0])
			if err != nil {
				return noIncident(err)
			}
			if format == "json" {
				return p.json(i)
			}
			page := p.printer()
			fmt.Fprint(p.out, page.Incident(i))
			if plan := remedy.Standing(i); len(plan.Edits) > 0 {
				fmt.Fprint(p.out, "\n", page.Heading("replimend undo "+render.Clean(i.ID)+" would write"), page.Diff(plan.Diff()))
			}
			return nil
		},
	}
	l.flags(cmd)
	journalFlag(cmd, &journal)
	formatFlag(cmd, &format)
	return cmd
}
