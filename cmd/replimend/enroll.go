package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/replimend/replimend/internal/awscloud"
	"github.com/replimend/replimend/internal/enroll"
	"github.com/replimend/replimend/internal/policy"
	"github.com/replimend/replimend/internal/render"
	"github.com/replimend/replimend/internal/snapshot"
)

func (p *program) enrollCommand() *cobra.Command {
	var l live
	var notify, key string
	var yes bool
	cmd := &cobra.Command{
		Use:   "enroll BUCKET[/RULE] --notify ARN",
		Short: "Switch on what a live route needs to be heard, step by step",
		Long: `Switch on, under your own credentials, what a route needs so that its failures are heard: versioning, replication metrics of the
rule, and the notification of failures to the topic, queue or function of --notify, merged into what is there. With --replica-key
also the replication of objects that are encrypted with KMS. Each step is shown as a diff and asked for; what is so already is no
step. Nothing else writes configurations: no function of Replimend does.

What cannot be done here is told with who has to do it. It ends with the route's entry for replimend.yaml, in mode observe.

Exit code: 0 the route has all it needs, 1 something is left for a person to do, 2 an argument is wrong, or a step failed.`,
		Example: `  replimend enroll my-source-bucket/everything-to-dr --notify arn:aws:sns:us-east-1:111122223333:replimend --profile source --profile destination`,
		Args:    exactly("BUCKET[/RULE]", 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			var o enroll.Options
			for _, flag := range []struct {
				name, text string
				into       *policy.ARN
			}{{"notify", notify, &o.Target}, {"replica-key", key, &o.ReplicaKey}} {
				if flag.text == "" {
					continue
				}
				var err error
				if *flag.into, err = policy.ParseARN(flag.text); err != nil {
					return hinted(fmt.Errorf("--%s: %w", flag.name, err), cmd.CommandPath()+" --help shows an example")
				}
			}
			if notify == "" {
				return hinted(errors.New("--notify is missing: nobody would hear of failures"), cmd.CommandPath()+" --help shows an example")
			}
			return p.enroll(cmd.Context(), l, o, args[0], yes)
		},
	}
	l.flags(cmd)
	f := cmd.Flags()
	f.StringVar(&notify, "notify", "", "`ARN` of the topic, queue or function that hears of failures")
	f.StringVar(&key, "replica-key", "", "`ARN` of the key for the replicas of objects that are encrypted with KMS: opt in to replicating them")
	f.BoolVar(&yes, "yes", false, "do not ask: what is shown is meant")
	return cmd
}

func (p *program) enroll(ctx context.Context, l live, o enroll.Options, name string, yes bool) error {
	c, err := p.connect(ctx, l)
	if err != nil {
		return err
	}
	o.Accounts = c.own
	writer := awscloud.Enroller{Config: c.person, Settle: time.Second}
	for {
		// From what is live, each time: a step may be somebody else's by now.
		e, err := p.enrolment(ctx, c, writer, o, name)
		if err != nil {
			return err
		}
		if len(e.Steps) == 0 {
			p.enrolled(e, o)
			return nil
		}
		step := e.Steps[0]
		page := p.printer()
		fmt.Fprint(p.out, page.Heading(step.Title), page.Diff(step.Diff()), page.Line("note", step.Note))
		for _, n := range step.Needs {
			fmt.Fprint(p.out, page.Line("needs", n.Action+" on "+n.Resource))
		}
		agreed, err := p.ask(ctx, fmt.Sprintf("write the %s of bucket %s?", step.Kind.Document(), step.Bucket), yes)
		if err != nil {
			return err
		}
		if !agreed {
			o.Skip = append(o.Skip, step.Kind)
			continue
		}
		if _, err := writer.Write(ctx, step); err != nil {
			return hinted(err, "replimend enroll again starts from what is there now")
		}
		fmt.Fprint(p.out, page.Line("written", step.Title), "\n")
	}
}

// enrolment is what the route lacks now.
func (p *program) enrolment(ctx context.Context, c *cloud, writer awscloud.Enroller, o enroll.Options, name string) (enroll.Enrolment, error) {
	s, err := p.take(ctx, c, []string{name}, nil)
	if err != nil {
		return enroll.Enrolment{}, err
	}
	r, err := only(c, s, name)
	if err != nil {
		return enroll.Enrolment{}, err
	}
	live, err := writer.Live(ctx, placeOf(s, r.Source), placeOf(s, r.Destination))
	if err != nil {
		return enroll.Enrolment{}, hinted(err, "check the credentials; --profile takes others")
	}
	return enroll.New(r, s, live, o), nil
}

func placeOf(s *snapshot.Snapshot, bucket string) awscloud.Place {
	b := s.Buckets[bucket].V
	return awscloud.Place{Bucket: bucket, Account: b.Account, Region: b.Region}
}

// enrolled says what is left, and the route's entry.
func (p *program) enrolled(e enroll.Enrolment, o enroll.Options) {
	page := p.printer()
	for _, kind := range o.Skip {
		p.raise(exitBroken)
		fmt.Fprint(p.out, page.Line("declined", string(kind)))
	}
	for _, r := range e.Refusals {
		p.raise(exitBroken)
		fmt.Fprint(p.out, page.Heading("left to do: "+r.Title), page.Line("because", r.Reason))
		if r.Owner != "" {
			fmt.Fprint(p.out, page.Line("owner", r.Owner))
		}
		fmt.Fprintln(p.out, render.Clean(r.Do))
	}
	if e.Unpinned != "" {
		p.raise(exitBroken)
		p.note("the route's entry for replimend.yaml cannot be written: %s", e.Unpinned)
		return
	}
	fmt.Fprint(p.out, "\n", page.Heading("the entry for the routes of replimend.yaml, for review"), e.Route)
}
