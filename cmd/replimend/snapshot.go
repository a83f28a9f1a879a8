package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/replimend/replimend/internal/diagnose"
	"github.com/replimend/replimend/internal/incident"
	"github.com/replimend/replimend/internal/jsontree"
	"github.com/replimend/replimend/internal/route"
	"github.com/replimend/replimend/internal/signal"
	"github.com/replimend/replimend/internal/snapshot"
)

func (p *program) snapshotCommand() *cobra.Command {
	var l live
	var objects []string
	cmd := &cobra.Command{
		Use:   "snapshot BUCKET|ROUTE [BUCKET|ROUTE…]",
		Short: "Read the configuration of live routes into a snapshot",
		Long: `Read everything that decides about the replication of a source bucket, in both accounts, and print it as a snapshot, which
diagnose, plan and support tickets take. It only reads. What AWS refuses to show is left out and listed under "unreadable".

ROUTE is the name of an approved route. Give one --profile for each account; without one for the destination's account its
documents are read with the first profile, as far as they allow it. Accounts that are members in the settings are read
through their reader roles.

Exit code: 0 a snapshot was printed, 2 an argument is wrong or a bucket could not be read at all. Then it has the other buckets.`,
		Example: `  replimend snapshot my-source-bucket --profile source --profile destination > snapshot.json
  replimend snapshot my-source-bucket --object 'ledger/2026-11-22.csv@VERSION' > snapshot.json`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return hinted(errors.New("no bucket is given"), cmd.CommandPath()+" BUCKET")
			}
			c, err := p.connect(cmd.Context(), l)
			if err != nil {
				return err
			}
			s, err := p.take(cmd.Context(), c, args, sampled(objects))
			if err != nil {
				return err
			}
			p.unread(s)
			_, err = fmt.Fprintln(p.out, s.Indent())
			return err
		},
	}
	l.flags(cmd)
	cmd.Flags().StringArrayVar(&objects, "object", nil, "also look at the object `KEY[@VERSION]` of the bucket, such as one that failed")
	return cmd
}

// sampled is the objects of flags. A key may hold an @: what follows the last one is the version.
func sampled(flags []string) []incident.Object {
	var out []incident.Object
	for _, f := range flags {
		o := incident.Object{Key: f}
		if i := strings.LastIndexByte(f, '@'); i > 0 {
			o.Key, o.VersionID = f[:i], f[i+1:]
		}
		out = append(out, o)
	}
	return out
}

// take reads buckets. One bucket is read with its samples; several are read in one run, in which what they share is read once.
func (p *program) take(ctx context.Context, c *cloud, names []string, samples []incident.Object) (*snapshot.Snapshot, error) {
	var sources []string
	for _, name := range names {
		if source, _ := c.route(name); !slices.Contains(sources, source) {
			sources = append(sources, source)
		}
	}
	tell, end := p.counter("reading")
	defer end()
	r := p.reader(c, tell)
	var s *snapshot.Snapshot
	var err error
	if len(sources) == 1 {
		s, err = r.Snapshot(ctx, sources[0], samples)
	} else {
		s, err = r.Survey(ctx, sources)
	}
	if err != nil {
		return nil, hinted(err, "check the bucket's name and the credentials; --profile takes others")
	}
	return s, p.lost(s, sources)
}

// lost tells of the buckets that are not there or could not be read at all: nothing found is not the same as nothing wrong. It is an
// error when nothing is left.
func (p *program) lost(s *snapshot.Snapshot, sources []string) error {
	var errs []error
	for _, name := range sources {
		switch s.Buckets[name].State {
		case snapshot.Absent:
			errs = append(errs, hinted(fmt.Errorf("there is no bucket %s", name), "check its name, and that the settings still mean it"))
		case snapshot.Missing:
			why := cmp.Or(s.Unreadable[jsontree.Join("buckets", name)], "AWS does not say whose it is")
			errs = append(errs, hinted(fmt.Errorf("read bucket %s: %s", name, why), "check its name, and give a --profile of its account that may read it"))
		}
	}
	if len(errs) == len(sources) {
		last := len(errs) - 1
		for _, err := range errs[:last] {
			p.fail(err)
		}
		return errs[last]
	}
	for _, err := range errs {
		p.fail(err)
	}
	return nil
}

// look is the diagnosis of live buckets, with what events say of them.
func (p *program) look(ctx context.Context, c *cloud, names []string, hints signal.Evidence) (diagnose.Diagnosis, *snapshot.Snapshot, error) {
	var samples []incident.Object
	for _, h := range hints.Signals {
		samples = append(samples, incident.Object{Key: h.Key, VersionID: h.VersionID, Size: h.Size})
	}
	s, err := p.take(ctx, c, names, samples)
	if err != nil {
		return diagnose.Diagnosis{}, nil, err
	}
	return p.judge(strings.Join(names, ", "), s, hints), s, nil
}

// unread says what AWS refused to show: a diagnosis that lacks it is weaker than it looks.
func (p *program) unread(s *snapshot.Snapshot) {
	for _, path := range slices.Sorted(maps.Keys(s.Unreadable)) {
		p.note("not read: %s: %s", path, s.Unreadable[path])
	}
}

// only is the one live route that a name means.
func only(c *cloud, s *snapshot.Snapshot, name string) (route.Route, error) {
	source, rule := c.route(name)
	var found []route.Route
	var there []string
	for _, r := range route.Routes(s) {
		if r.Source != source {
			continue
		}
		there = append(there, r.Source+"/"+r.RuleID)
		if rule == "" || r.RuleID == rule {
			found = append(found, r)
		}
	}
	if len(found) == 1 {
		return found[0], nil
	}
	hint := "the bucket has no enabled replication rule"
	if len(there) > 0 {
		hint = "it has " + strings.Join(there, ", ")
	}
	if len(found) == 0 {
		return route.Route{}, hinted(fmt.Errorf("there is no route %s", name), hint)
	}
	return route.Route{}, hinted(fmt.Errorf("bucket %s has several routes", source), hint)
}
