package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/replimend/replimend/internal/diagnose"
	"github.com/replimend/replimend/internal/render"
	"github.com/replimend/replimend/internal/signal"
)

func (p *program) diagnoseCommand() *cobra.Command {
	var in inputs
	var format string
	cmd := &cobra.Command{
		Use:   "diagnose --snapshot FILE|- [FILE…] | --live BUCKET",
		Short: "Explain, hop by hop, why a route replicates or fails",
		Long: `Explain every enabled replication rule of a snapshot: each request that S3 makes, the statement that decides it, what is
missing, in whose document, and the smallest edit that cures the route.

A snapshot is a JSON file of what the cloud looks like; replimend snapshot writes one, and so does docs/take-snapshot.py with the
AWS CLI. With --live the same is read from AWS at once, with the credentials of each --profile. Further files may follow, so that
--snapshot takes a pattern of the shell. With --format json each file and live bucket gives one document, in the order of the
arguments, live ones last; what cannot be read gives an error and no document.

With --principal it explains instead why a role or user can or cannot read or write the objects of a bucket; docs/consumers.md
shows how.

Exit code: 0 all routes are healthy or degraded, 1 some route is broken, 2 an argument or a file is wrong, 3 none is broken
but one is conditional or unknown. Of several files the worst one counts: 2 before 1 before 3.`,
		Example: `  replimend diagnose --snapshot docs/examples/role-lacks-decrypt.json
  replimend diagnose --snapshot docs/examples/role-lacks-decrypt.json --event docs/examples/events/s3.json
  replimend diagnose --format json --snapshot docs/examples/*.json
  replimend diagnose --principal arn:aws:iam::444455556666:role/app/consumer --bucket amzn-s3-demo-bucket --operation get --snapshot docs/examples/consumers/article.json`,
		RunE: func(cmd *cobra.Command, args []string) error {
			show, ok := map[string]func(diagnose.Diagnosis) error{"text": p.showText, "json": p.showJSON}[format]
			if !ok {
				return badFormat(cmd, format, "text or json")
			}
			return p.diagnoses(cmd, in, args, func(name string, several bool, d diagnose.Diagnosis) error {
				for _, r := range d.Routes {
					p.raise(exitOf(r.Verdict))
				}
				for _, a := range d.Accesses {
					p.raise(exitOf(a.Verdict))
				}
				if several && format == "text" {
					fmt.Fprintf(p.out, "== %s\n", render.Clean(label(name)))
				}
				return show(d)
			})
		},
	}
	in.flags(cmd)
	in.access.flags(cmd)
	cmd.Flags().StringVar(&format, "format", "text", "`FORMAT` of the output: text or json")
	_ = cmd.RegisterFlagCompletionFunc("format", cobra.FixedCompletions([]string{"text", "json"}, cobra.ShellCompDirectiveNoFileComp))
	return cmd
}

func (in *inputs) flags(cmd *cobra.Command) {
	cmd.Flags().StringArrayVar(&in.snapshots, "snapshot", nil, "snapshot `FILE`, or - for standard input")
	cmd.Flags().StringVar(&in.event, "event", "", "`FILE` of a failure event of S3, in a message or not, or of denied KMS calls or changes as CloudTrail records them")
	cmd.Flags().StringArrayVar(&in.buckets, "live", nil, "read the routes of this `BUCKET`, the one BUCKET/RULE or an approved route from AWS instead of a file")
	in.live.flags(cmd)
	cmd.Flags().StringVar(&in.route, "route", "", "only this `SOURCE/RULE`: a bucket and the id of its rule")
}

func badFormat(cmd *cobra.Command, format, want string) error {
	return hinted(fmt.Errorf("unknown format %q: want %s", format, want), cmd.CommandPath()+" --help shows an example")
}

// each diagnoses every file and every live bucket and hands the diagnosis on. One that cannot be read does not stop the others.
func (p *program) each(cmd *cobra.Command, in inputs, args []string, show func(name string, several bool, d diagnose.Diagnosis) error) error {
	var files []string
	var err error
	if len(in.buckets) == 0 || len(in.snapshots)+len(args) > 0 {
		if files, err = in.files(args, cmd.CommandPath()); err != nil {
			return err
		}
	}
	hints, err := p.hints(in.event)
	if err != nil {
		return err
	}
	several := len(files)+len(in.buckets) > 1
	hand := func(name, chosen string, d diagnose.Diagnosis, err error) {
		if err == nil {
			d.Routes, err = meant(name, chosen, d.Routes)
		}
		if err == nil {
			p.warnUnmet(in.event, name, hints.Signals, d)
			err = show(name, several, d)
		}
		p.fail(err)
	}
	for _, name := range files {
		d, err := p.diagnosis(name, hints)
		hand(name, in.route, d, err)
	}
	if len(in.buckets) == 0 {
		return nil
	}
	c, err := p.connect(cmd.Context(), in.live)
	if err != nil {
		return err
	}
	for _, name := range in.buckets {
		d, s, err := p.look(cmd.Context(), c, []string{name}, hints)
		if err == nil {
			p.unread(s)
		}
		chosen := in.route
		if source, rule := c.route(name); chosen == "" && rule != "" {
			chosen = source + "/" + rule
		}
		hand(name, chosen, d, err)
	}
	return nil
}

// meant is the routes that SOURCE/RULE means, all when it is empty.
func meant(name, chosen string, routes []diagnose.Route) ([]diagnose.Route, error) {
	if chosen == "" {
		return routes, nil
	}
	var there []string
	for _, r := range routes {
		there = append(there, r.Source+"/"+r.Rule)
	}
	found := slices.DeleteFunc(slices.Clone(routes), func(r diagnose.Route) bool { return r.Source+"/"+r.Rule != chosen })
	if len(found) > 0 {
		return found, nil
	}
	hint := "there is no enabled rule in it"
	if len(there) > 0 {
		const most = 5
		hint = "it has " + strings.Join(there[:min(most, len(there))], ", ")
		if len(there) > most {
			hint += fmt.Sprintf(" and %d more", len(there)-most)
		}
	}
	return nil, hinted(fmt.Errorf("%s: no route %s", label(name), chosen), hint)
}

// warnUnmet says that the event speaks of no route of the snapshot: the diagnosis is then not about what failed.
func (p *program) warnUnmet(event, name string, hints []signal.Signal, d diagnose.Diagnosis) {
	for _, h := range hints {
		if !slices.ContainsFunc(d.Routes, func(r diagnose.Route) bool { return r.Source == h.Bucket && r.Rule == h.Rule }) {
			text := fmt.Sprintf("note: %s is about %s/%s, which is no route of %s", label(event), h.Bucket, h.Rule, label(name))
			fmt.Fprintln(p.stderr, render.Clean(text))
			return
		}
	}
}

func exitOf(v diagnose.Verdict) int {
	switch v {
	case diagnose.Healthy, diagnose.Degraded:
		return exitFine
	case diagnose.Broken:
		return exitBroken
	default:
		return exitUnclear
	}
}

func (p *program) showText(d diagnose.Diagnosis) error {
	fmt.Fprint(p.out, p.printer().Diagnosis(d))
	return nil
}

func (p *program) showJSON(d diagnose.Diagnosis) error { return p.json(d) }

func (p *program) json(v any) error {
	text, err := render.JSON(v)
	if err != nil {
		return err
	}
	_, err = p.out.Write(text)
	return err
}
