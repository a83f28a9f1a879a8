package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/spf13/cobra"

	"github.com/replimend/replimend/internal/incident"
	"github.com/replimend/replimend/internal/settings"
)

func (p *program) suppressionsCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "suppressions list|add|lift",
		Short: "Silence a route for a time, and show who silenced what until when",
		Args:  cobra.NoArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(p.suppressionsListCommand(), p.suppressionsAddCommand(), p.suppressionsLiftCommand())
	return cmd
}

func (p *program) suppressionsListCommand() *cobra.Command {
	var l live
	var journal, format string
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List suppressions, the one that ends first before the others",
		Long: `List the suppressions of a journal, the one that ends first before the others: the route, who answers for it until when, and why. One
that has ended is listed until the sweep has told people.

Exit code: 0 they are listed, also when there are none, 2 an argument is wrong or the journal cannot be read.`,
		Example: `  replimend suppressions list --journal dynamodb:replimend-incidents --profile hub`,
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if !slices.Contains(textOrJSON, format) {
				return badFormat(cmd, format, "text or json")
			}
			kept, err := p.openNamed(cmd.Context(), journal, l)
			if err != nil {
				return err
			}
			all, err := kept.Silences(cmd.Context())
			if err != nil {
				return unkept(err)
			}
			if format == "json" {
				if all == nil {
					all = []incident.Suppression{}
				}
				return p.json(all)
			}
			fmt.Fprint(p.out, p.printer().Suppressions(all, time.Now()))
			return nil
		},
	}
	l.flags(cmd)
	journalFlag(cmd, &journal)
	formatFlag(cmd, &format)
	return cmd
}

func (p *program) suppressionsAddCommand() *cobra.Command {
	var l live
	var journal string
	var s incident.Suppression
	var lasts time.Duration
	cmd := &cobra.Command{
		Use:   "add ROUTE|BUCKET[/RULE]",
		Short: "Silence a route, or one cause of its failing, for a time",
		Long: `Silence a route for a time: Replimend plans, writes, replays and tells nothing of it. What fails is still kept, and when the time is over
people are told once, and the route is treated as any other. A later suppression of the same route and cause takes the place of
this one. With --cause the route is silent only as long as it has no other fault.

Whoever cures it with replimend apply meanwhile is told, and asked as always. What has to be silent for longer than 90 days belongs in
replimend.yaml.

Exit code: 0 the route is silent, 2 an argument is wrong, there is no such route or the journal cannot be written.`,
		Example: `  replimend suppressions add invoices-to-dr --for 48h --reason 'migration, ticket 42' --profile source --profile destination
  replimend suppressions add my-source-bucket/everything-to-dr --for 2h --reason 'key rotation' --owner 'storage team' --cause key-policy-lacks-decrypt`,
		Args: exactly("ROUTE|BUCKET[/RULE]", 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			switch {
			case lasts <= 0:
				return hinted(errors.New("--for is missing: for how long is the route to be silent?"), "as in --for 48h")
			case s.Reason == "":
				return hinted(errors.New("--reason is missing: why is the route to be silent?"), "as in --reason 'migration, ticket 42'")
			case s.Cause != "" && !slices.Contains(causeNames(), s.Cause):
				return hinted(fmt.Errorf("there is no cause %q", s.Cause), "replimend explain lists the causes")
			}
			s.Expires = time.Now().Add(lasts).UTC().Truncate(time.Second)
			return p.suppress(cmd.Context(), l, journal, args[0], s)
		},
	}
	l.flags(cmd)
	journalFlag(cmd, &journal)
	f := cmd.Flags()
	f.DurationVar(&lasts, "for", 0, "for how much `TIME`, such as 48h")
	f.StringVar(&s.Reason, "reason", "", "`TEXT` that says why")
	f.StringVar(&s.Owner, "owner", "", "`NAME` of who answers for it; without it the ARN of the first profile")
	f.StringVar(&s.Cause, "cause", "", "silence only this `CAUSE`, such as replica-key-policy-lacks-encrypt")
	_ = cmd.RegisterFlagCompletionFunc("cause", cobra.FixedCompletions(causeNames(), cobra.ShellCompDirectiveNoFileComp))
	return cmd
}

// suppress connects only where it has to: an approved route, an owner and a file need no AWS.
func (p *program) suppress(ctx context.Context, l live, journal, name string, s incident.Suppression) error {
	set, _, err := p.readSettings(l.settings)
	if err != nil {
		return err
	}
	var known bool
	s.Route, known = approvedAs(set, name)
	var base aws.Config
	if !known || s.Owner == "" || strings.HasPrefix(journal, tablePrefix) {
		c, err := p.connect(ctx, l)
		if err != nil {
			return err
		}
		base = c.base
		if s.Owner == "" {
			s.Owner = c.caller
		}
		if !known {
			taken, err := p.take(ctx, c, []string{name}, nil)
			if err != nil {
				return err
			}
			r, err := only(c, taken, name)
			if err != nil {
				return err
			}
			s.Route = incident.Route{Source: r.Source, Rule: r.RuleID, Destination: r.Destination}
		}
	}
	if err := s.Check(time.Now()); err != nil {
		return hinted(err, "replimend suppressions add --help shows an example")
	}
	kept, leave, err := p.attend(ctx, journal, base)
	if err != nil {
		return err
	}
	defer leave()
	if err := kept.Suppress(ctx, s); err != nil {
		return unkept(err)
	}
	fmt.Fprint(p.out, p.printer().Suppressions([]incident.Suppression{s}, time.Now()))
	return nil
}

// approvedAs is the one approved route of that name, or of that BUCKET or BUCKET/RULE.
func approvedAs(set *settings.Settings, name string) (incident.Route, bool) {
	var found []incident.Route
	for _, r := range set.Routes {
		if r.Name == name || r.Source.Bucket == name || r.Source.Bucket+"/"+r.Rule.ID == name {
			found = append(found, incident.Route{Source: r.Source.Bucket, Rule: r.Rule.ID, Destination: r.Destination.Bucket})
		}
	}
	if len(found) != 1 {
		return incident.Route{}, false
	}
	return found[0], true
}

func (p *program) suppressionsLiftCommand() *cobra.Command {
	var l live
	var journal, cause string
	cmd := &cobra.Command{
		Use:   "lift ROUTE|BUCKET[/RULE]",
		Short: "End the suppressions of a route before their time",
		Long: `End every suppression of a route, or of a bucket's routes, before its time; with --cause only that of this cause. What was silent is
gone on with at the next failure, or by the next sweep. Nobody is told: who lifts it knows.

Exit code: 0 they are lifted, 2 an argument is wrong, nothing is silent there, or the journal cannot be written.`,
		Example: `  replimend suppressions lift invoices-to-dr
  replimend suppressions lift my-source-bucket/everything-to-dr --journal dynamodb:replimend-incidents --profile hub`,
		Args: exactly("ROUTE|BUCKET[/RULE]", 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return p.lift(cmd.Context(), l, journal, args[0], cause)
		},
	}
	l.flags(cmd)
	journalFlag(cmd, &journal)
	cmd.Flags().StringVar(&cause, "cause", "", "lift only the suppression of this `CAUSE`")
	_ = cmd.RegisterFlagCompletionFunc("cause", cobra.FixedCompletions(causeNames(), cobra.ShellCompDirectiveNoFileComp))
	return cmd
}

func (p *program) lift(ctx context.Context, l live, journal, name, cause string) error {
	set, _, err := p.readSettings(l.settings)
	if err != nil {
		return err
	}
	var base aws.Config
	if strings.HasPrefix(journal, tablePrefix) {
		c, err := p.connect(ctx, l)
		if err != nil {
			return err
		}
		base = c.base
	}
	kept, leave, err := p.attend(ctx, journal, base)
	if err != nil {
		return err
	}
	defer leave()
	all, err := kept.Silences(ctx)
	if err != nil {
		return unkept(err)
	}
	route, known := approvedAs(set, name)
	var lifted []incident.Suppression
	for _, s := range all {
		named := known && s.Route == route || s.Route.Source == name || s.Route.Source+"/"+s.Route.Rule == name
		if !named || cause != "" && s.Cause != cause {
			continue
		}
		if err := kept.Lift(ctx, s); err != nil {
			return unkept(err)
		}
		lifted = append(lifted, s)
	}
	if len(lifted) == 0 {
		return hinted(fmt.Errorf("nothing silences %s", name), "replimend suppressions list shows what is silent")
	}
	for _, s := range lifted {
		fmt.Fprintf(p.out, "lifted: %s, silenced by %s\n", incident.Line(s.Route.String()), s)
	}
	return nil
}
