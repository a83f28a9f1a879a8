package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"github.com/replimend/replimend/internal/awscloud"
	"github.com/replimend/replimend/internal/canary"
	"github.com/replimend/replimend/internal/policy"
	"github.com/replimend/replimend/internal/preflight"
	"github.com/replimend/replimend/internal/replay"
	"github.com/replimend/replimend/internal/settings"
	"github.com/replimend/replimend/internal/trails"
)

func (p *program) preflightCommand() *cobra.Command {
	var l live
	var format string
	cmd := &cobra.Command{
		Use:   "preflight",
		Short: "Say everything that is missing before Replimend can work",
		Long: `Check everything that Replimend needs for the approved routes and the members of the settings, and say all that is missing at
once: roles that cannot be assumed or lack a permission, keys whose policy admits none of them, with the statement that the key's owner
has to add, trails that are off or leave KMS out, and rules whose failures nobody hears of. What cannot be found out is said, too. It
only reads; each member role is assumed once.

Exit code: 0 nothing is missing, 1 something is missing without which a route cannot be diagnosed or cured, 3 something limits what is
seen or is not known, 2 an argument is wrong or AWS could not be asked.`,
		Example: `  replimend preflight --settings replimend.yaml --profile hub`,
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if !slices.Contains(textOrJSON, format) {
				return badFormat(cmd, format, "text or json")
			}
			c, err := p.connect(cmd.Context(), l)
			if err != nil {
				return err
			}
			if c.found == "" {
				return hinted(errors.New("there are no settings to check"), "--settings FILE; replimend routes adopt writes the entry of a route")
			}
			tell, end := p.counter("reading")
			found, err := p.missing(cmd.Context(), c, tell)
			end()
			if err != nil {
				return hinted(err, "check the connection and the credentials; --profile takes others")
			}
			for _, m := range found {
				if m.Severity == preflight.Blocks {
					p.raise(exitBroken)
				} else {
					p.raise(exitUnclear)
				}
			}
			if format == "json" {
				if found == nil {
					found = []preflight.Missing{}
				}
				return p.json(found)
			}
			fmt.Fprint(p.out, p.printer().Missing(found))
			return nil
		},
	}
	l.flags(cmd)
	formatFlag(cmd, &format)
	return cmd
}

// missing asks the accounts for everything that package preflight judges.
func (p *program) missing(ctx context.Context, c *cloud, tell func(done, total int)) ([]preflight.Missing, error) {
	f := preflight.Facts{Settings: c.settings, Needs: needs(), HubRegion: c.base.Region}
	var sources []string
	for _, r := range c.settings.Routes {
		if !slices.Contains(sources, r.Source.Bucket) {
			sources = append(sources, r.Source.Bucket)
		}
	}
	options := p.reading(c)
	options.Progress = tell
	for _, m := range c.settings.Members {
		for _, role := range memberRoles {
			if role == settings.CanaryWriter && !c.settings.WritesCanaries(m.Account) {
				continue
			}
			options.Roles = append(options.Roles, role.ARN(policy.Partition(m.Regions[0]), m.Account))
		}
	}
	watched := preflight.Watched(c.settings)
	f.Trails = make([]preflight.Trails, len(watched))
	f.Callers = make([]preflight.Caller, len(c.own))
	f.Assumptions = make([]preflight.Assumption, 0, len(c.settings.Members)*len(memberRoles))
	var tasks errgroup.Group
	tasks.Go(func() (err error) {
		f.Base, err = c.accounts.Base(ctx)
		return err
	})
	tasks.Go(func() (err error) {
		f.Snapshot, err = awscloud.NewReader(c.accounts, options).Survey(ctx, sources)
		return err
	})
	for i, account := range c.own {
		tasks.Go(func() (err error) {
			f.Callers[i], err = c.accounts.Caller(ctx, account)
			return err
		})
	}
	for i, place := range watched {
		tasks.Go(func() (err error) {
			f.Trails[i], err = trails.Read(ctx, c.accounts.Reader, place.Account, place.Region)
			return err
		})
	}
	for _, m := range c.settings.Members {
		for _, role := range memberRoles {
			if role == settings.Batch || role == settings.CanaryWriter && !c.settings.WritesCanaries(m.Account) {
				continue // S3 assumes the one, and nobody else may; the other need not be there
			}
			i := len(f.Assumptions)
			f.Assumptions = append(f.Assumptions, preflight.Assumption{})
			tasks.Go(func() (err error) {
				f.Assumptions[i], err = c.accounts.TryRole(ctx, m.Account, m.Regions[0], role)
				return err
			})
		}
	}
	if err := tasks.Wait(); err != nil {
		return nil, err
	}
	return preflight.Check(f), nil
}

var memberRoles = []settings.MemberRole{settings.Reader, settings.IdentityWriter, settings.ResourceWriter, settings.Replayer, settings.CanaryWriter, settings.Batch}

// needs is what every edge declares. What only an organization's management account can be asked is wanted of nobody.
func needs() []preflight.Need {
	out := slices.Concat(awscloud.Needs(), replay.Needs(), canary.Needs())
	for _, n := range awscloud.ReadNeeds() {
		if !strings.HasPrefix(n.Operation, "organizations:") && !strings.HasPrefix(n.Operation, "sts:") {
			out = append(out, n.Need)
		}
	}
	return out
}
