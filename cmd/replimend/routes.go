package main

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/replimend/replimend/internal/diagnose"
	"github.com/replimend/replimend/internal/guard"
	"github.com/replimend/replimend/internal/render"
	"github.com/replimend/replimend/internal/route"
	"github.com/replimend/replimend/internal/settings"
	"github.com/replimend/replimend/internal/snapshot"
)

func (p *program) routesCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "routes list|adopt",
		Short: "List live routes, and write the approval of one for review",
		Args:  cobra.NoArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(p.routesListCommand(), p.routesAdoptCommand())
	return cmd
}

func (p *program) routesListCommand() *cobra.Command {
	var l live
	cmd := &cobra.Command{
		Use:   "list [BUCKET|ROUTE…]",
		Short: "List the live routes of accounts or buckets, and which of them are approved",
		Long: `List every enabled replication rule of the given buckets, or without any of all buckets in the accounts of the profiles: where it
leads, whether it is an approved route, and in what it differs from what was approved. It only reads.

Exit code: 0 they are listed, also when there are none, 2 an argument is wrong or a bucket could not be read.`,
		Example: `  replimend routes list --profile source --profile destination`,
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := p.connect(cmd.Context(), l)
			if err != nil {
				return err
			}
			sources, err := p.sources(cmd.Context(), c, args)
			if err != nil || len(sources) == 0 {
				return err
			}
			s, err := p.take(cmd.Context(), c, sources, nil)
			if err != nil {
				return err
			}
			fmt.Fprint(p.out, p.printer().Standings(standings(s, c.settings, nil)))
			return nil
		},
	}
	l.flags(cmd)
	return cmd
}

// sources is the buckets that the arguments name, or every bucket of the profiles' accounts that replicates.
func (p *program) sources(ctx context.Context, c *cloud, names []string) ([]string, error) {
	if len(names) > 0 {
		return names, nil
	}
	reader := p.reader(c, nil)
	var out []string
	for _, account := range c.own {
		found, unread, err := reader.Replicating(ctx, account)
		if err != nil {
			return nil, hinted(fmt.Errorf("list buckets of account %s: %w", account, err), "s3:ListAllMyBuckets is needed; or name the buckets")
		}
		for _, bucket := range slices.Sorted(maps.Keys(unread)) {
			p.note("the replication configuration of bucket %s is not known: %s", bucket, unread[bucket])
		}
		out = append(out, found...)
	}
	if len(out) == 0 {
		fmt.Fprintln(p.out, "no bucket of these accounts replicates")
	}
	return out, nil
}

// standings is every route of a snapshot with its approval, and with its verdict where there is a diagnosis.
func standings(s *snapshot.Snapshot, set *settings.Settings, d *diagnose.Diagnosis) []render.Standing {
	var out []render.Standing
	for _, r := range route.Routes(s) {
		approved, against := guard.Approval(r, s, set)
		line := render.Standing{Source: r.Source, Rule: r.RuleID, Destination: r.Destination, Name: approved.Name, Mode: string(approved.Mode), Against: against}
		if d != nil {
			for _, v := range d.Routes {
				if v.Source == r.Source && v.Rule == r.RuleID && v.Destination == r.Destination {
					line.Verdict, line.Causes = v.Verdict, v.Ailments()
				}
			}
		}
		out = append(out, line)
	}
	return out
}

func (p *program) routesAdoptCommand() *cobra.Command {
	var l live
	cmd := &cobra.Command{
		Use:   "adopt BUCKET[/RULE]",
		Short: "Print the approval of a live route, for review",
		Long: `Print the entry that pins live routes in replimend.yaml, in mode observe. It approves nothing: a person reviews it, puts it into
the file and chooses the mode. Without settings the entry stands in a whole file. Of a route that is approved already it is told in
what it differs. What cannot be pinned because AWS does not show it is an error that names all of it.

Exit code: 0 every route is printed, 2 an argument is wrong or a route cannot be pinned.`,
		Example: `  replimend routes adopt my-source-bucket --profile source --profile destination > adopted.yaml`,
		Args:    exactly("BUCKET[/RULE]", 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := p.connect(cmd.Context(), l)
			if err != nil {
				return err
			}
			s, err := p.take(cmd.Context(), c, args, nil)
			if err != nil {
				return err
			}
			return p.adopt(c, s, args[0])
		},
	}
	l.flags(cmd)
	return cmd
}

// adopted says how a route that is approved already differs from that.
func (p *program) adopted(r route.Route, s *snapshot.Snapshot, set *settings.Settings) {
	approved, against := guard.Approval(r, s, set)
	switch {
	case approved.Name == "":
	case len(against) == 0:
		p.note("it is approved already as %s, in mode %s, and is as it was then", approved.Name, approved.Mode)
	default:
		p.note("it is approved already as %s, in mode %s, and differs: %s", approved.Name, approved.Mode, strings.Join(against, "; "))
	}
}

func (p *program) adopt(c *cloud, s *snapshot.Snapshot, name string) error {
	source, rule := c.route(name)
	printed := 0
	for _, r := range route.Routes(s) {
		if r.Source != source || rule != "" && r.RuleID != rule {
			continue
		}
		a, err := guard.Pin(r, s)
		if err != nil {
			return hinted(err, "give a --profile that may read it, for each account")
		}
		if printed == 0 && c.found == "" {
			fmt.Fprintf(p.out, "version: %d\nroutes:\n", settings.Version)
		}
		printed++
		fmt.Fprint(p.out, a.YAML())
		p.adopted(r, s, c.settings)
	}
	if printed > 0 && c.found != "" {
		p.note("what is printed belongs under routes in %s", c.found)
	}
	if printed == 0 {
		_, err := only(c, s, name) // which says what there is
		return err
	}
	return nil
}
