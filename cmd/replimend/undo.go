package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/replimend/replimend/internal/awscloud"
	"github.com/replimend/replimend/internal/incident"
	"github.com/replimend/replimend/internal/remedy"
	"github.com/replimend/replimend/internal/render"
	"github.com/replimend/replimend/internal/worker"
)

func (p *program) undoCommand() *cobra.Command {
	var l live
	var journal string
	var yes bool
	cmd := &cobra.Command{
		Use:   "undo INCIDENT",
		Short: "Bring back the documents that an incident changed",
		Long: `Bring back what stood there before each document that an incident changed, the last change first. A document that somebody
changed since is theirs and left as it is. A policy that did not exist before is deleted.

Exit code: 0 everything is as it was, 1 something was left as it is or nothing was done, 2 an argument is wrong, or something failed
on the way.`,
		Example: `  replimend undo inc-0123456789abcdef0123 --profile source --profile destination`,
		Args:    exactly("INCIDENT", 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return p.undo(cmd.Context(), l, journal, args[0], yes)
		},
	}
	l.flags(cmd)
	journalFlag(cmd, &journal)
	cmd.Flags().BoolVar(&yes, "yes", false, "do not ask: what is shown is meant")
	return cmd
}

func (p *program) undo(ctx context.Context, l live, journal, id string, yes bool) error {
	c, err := p.connect(ctx, l)
	if err != nil {
		return err
	}
	kept, leave, err := p.attend(ctx, journal, c.base)
	if err != nil {
		return err
	}
	defer leave()
	i, err := kept.Get(ctx, id)
	if err != nil {
		return noIncident(err)
	}
	plan := remedy.Standing(i)
	if len(plan.Edits) == 0 {
		return hinted(remedy.ErrNothingToUndo, "replimend incidents show "+id+" tells what it changed, and what became of that")
	}
	fmt.Fprint(p.out, p.printer().Diff(plan.Diff()))
	agreed, err := p.ask(ctx, fmt.Sprintf("write %s?", extent(plan)), yes)
	if err != nil {
		return err
	}
	if !agreed {
		p.raise(exitBroken)
		fmt.Fprintln(p.out, "nothing was written")
		return nil
	}
	s, err := p.take(ctx, c, []string{i.Route.Source}, nil)
	if err != nil {
		return err
	}
	w := &remedy.Workflow{
		Settings: c.settings, Store: awscloud.NewWriter(c.accounts, awscloud.WriteOptions{Owner: located(s), Trust: true}),
		Journal: kept, Locker: kept, Switches: p.switches(c), Now: time.Now, Worker: fmt.Sprintf("%s %d", c.caller, os.Getpid()),
	}
	if c.settings != nil {
		w.Canary = worker.NewCanary(c.accounts, c.settings) // what a function wrote is removed with what it changed
	}
	i, err = w.Undo(ctx, i, incident.Authority{Incident: i.ID, Approver: c.caller})
	switch {
	case errors.Is(err, remedy.ErrStopped):
		p.raise(exitBroken)
		fmt.Fprintf(p.out, "nothing was written: %s\n", render.Clean(err.Error()))
		return nil
	case err != nil:
		return astray(err, id)
	}
	for _, change := range i.Changes {
		if change.State == incident.Overrun {
			p.raise(exitBroken)
		}
		fmt.Fprintf(p.out, "%s of %s: %s\n", change.Kind, change.ID, change.State)
	}
	return nil
}

func noIncident(err error) error {
	if errors.Is(err, incident.ErrNotFound) {
		return hinted(err, "replimend incidents list names those that there are; --journal names another journal")
	}
	return unkept(err)
}
