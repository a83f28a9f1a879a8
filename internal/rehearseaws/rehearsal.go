package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/charmbracelet/lipgloss"

	"github.com/replimend/replimend/internal/awserr"
	"github.com/replimend/replimend/internal/grants"
	"github.com/replimend/replimend/internal/incident"
	"github.com/replimend/replimend/internal/journal"
	"github.com/replimend/replimend/internal/render"
	"github.com/replimend/replimend/internal/settings"
)

// rehearsal is one run.
type rehearsal struct {
	Name                string
	Source, Destination account
	out                 io.Writer
	// make runs a target of the Makefile with a profile.
	make func(ctx context.Context, out io.Writer, profile string, args ...string) error
	// every is the time between two looks at something that is waited for, and patience how long it is waited for.
	every, patience time.Duration

	world world
	// fresh says that neither account had Replimend before this run: what is there of it is the run's.
	fresh bool
	// deploys says that this run began to deploy.
	deploys bool
	// stacksLeft says that stacks could not be removed.
	stacksLeft bool
}

func (r *rehearsal) say(format string, args ...any) {
	fmt.Fprintf(r.out, "%s  %s\n", time.Now().UTC().Format(time.TimeOnly), fmt.Sprintf(format, args...))
}

// rehearse tells the whole story and removes what it made, whatever happened.
func (r *rehearsal) rehearse(ctx context.Context) error {
	if err := r.untouched(ctx); err != nil {
		return err
	}
	r.fresh = true
	r.say("this run is %s", r.Name)
	err := r.story(ctx)
	if err != nil {
		r.say("it failed: %v", err)
	}
	// Who interrupts the run still wants it cleaned up.
	return errors.Join(err, r.clean(context.WithoutCancel(ctx)))
}

func (r *rehearsal) story(ctx context.Context) error {
	r.say("making buckets, keys and the role")
	if err := r.build(ctx); err != nil {
		return err
	}
	if err := r.deploy(ctx); err != nil {
		return err
	}
	if err := whole(ctx, r.listen); err != nil {
		return err
	}
	r.say("waiting for a first object to be replicated")
	first, err := r.put(ctx, "before")
	if err != nil {
		return err
	}
	if err := r.replicated(ctx, first); err != nil {
		return err
	}
	r.say("taking the permission on the replica key out of the role's policy")
	before, err := r.documents(ctx)
	if err != nil {
		return err
	}
	if err := whole(ctx, r.breakRoute); err != nil {
		return err
	}
	var failing []object
	for n := range 3 {
		o, err := r.put(ctx, fmt.Sprintf("after-%d", n))
		if err != nil {
			return err
		}
		failing = append(failing, o)
	}
	r.say("waiting until the incident is resolved; stop waiting with Ctrl-C")
	i, err := r.resolved(ctx)
	if i.ID != "" {
		fmt.Fprint(r.out, render.New(lipgloss.NewRenderer(r.out), 120).Incident(i))
	}
	if err != nil {
		return err
	}
	if err := r.replicated(ctx, failing...); err != nil {
		return err
	}
	after, err := r.documents(ctx)
	if err != nil {
		return err
	}
	if err := before.healed(after); err != nil {
		return err
	}
	r.say("cured: every object is COMPLETED, and the documents are whole")
	return nil
}

// untouched refuses accounts that have Replimend already: cleaning up would take away what somebody relies on.
func (r *rehearsal) untouched(ctx context.Context) error {
	for _, a := range []account{r.Source, r.Destination} {
		for _, role := range []string{string(settings.Reader), string(grants.Remedy)} { // of a member, and of a hub in any Region
			_, err := iam.NewFromConfig(a.cfg).GetRole(ctx, &iam.GetRoleInput{RoleName: &role})
			if err == nil {
				return fmt.Errorf("look for Replimend: account %s has role %s: rehearse where it is not deployed", a.ID, role)
			} else if !awserr.Is(err, awserr.Absent) {
				return fmt.Errorf("look for Replimend: get role %s of account %s: %w", role, a.ID, err)
			}
		}
		bucket := settings.ReportBucket(a.ID, a.Region)
		_, err := a.s3().HeadBucket(ctx, &s3.HeadBucketInput{Bucket: &bucket})
		if err == nil {
			return fmt.Errorf("look for Replimend: bucket %s is there: rehearse where it is not deployed, and was not before", bucket)
		} else if !awserr.Is(err, awserr.Absent) {
			return fmt.Errorf("look for Replimend: head bucket %s: %w", bucket, err)
		}
	}
	for _, table := range tables {
		_, err := dynamodb.NewFromConfig(r.Source.cfg).DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: &table})
		if err == nil {
			return fmt.Errorf("look for Replimend: account %s has table %s, with a journal: rehearse elsewhere", r.Source.ID, table)
		} else if !awserr.Is(err, awserr.Absent) {
			return fmt.Errorf("look for Replimend: describe table %s: %w", table, err)
		}
	}
	return nil
}

var tables = []string{grants.IncidentTable, grants.ApprovalTable}

// A turn is stacks that are deployed with the credentials of one account.
type turn struct {
	of     account
	stacks []string
}

// turns is the order in which everything finds what it needs. Removing goes the other way.
func (r *rehearsal) turns() []turn {
	member := func(a account) []string {
		return []string{"replimend-member-" + a.ID, "replimend-region-" + a.ID + "-" + a.Region, "replimend-relay-" + a.ID}
	}
	return []turn{
		{r.Source, []string{"replimend-hub"}},
		{r.Source, member(r.Source)},
		{r.Destination, member(r.Destination)},
		{r.Source, []string{"replimend-subscriptions"}},
	}
}

// deploy has the stacks deployed, each with the credentials of its account.
func (r *rehearsal) deploy(ctx context.Context) error {
	file, err := r.writeSettings()
	if err != nil {
		return err
	}
	defer os.Remove(file)
	r.deploys = true
	for _, t := range r.turns() {
		r.say("deploying %s", strings.Join(t.stacks, " "))
		err := r.make(ctx, r.out, t.of.Profile, "deploy", "CONFIG="+file, "STACKS="+strings.Join(t.stacks, " "),
			"OPTIONS=--require-approval never --tags "+prefix+"="+r.Name)
		if err != nil {
			return err
		}
	}
	return nil
}

// writeSettings writes the settings of this world into a file, which the caller removes.
func (r *rehearsal) writeSettings() (file string, err error) {
	f, err := os.CreateTemp("", r.Name+"-*.yaml")
	if err != nil {
		return "", fmt.Errorf("write settings: %w", err)
	}
	_, err = f.WriteString(r.settings().YAML())
	if err = errors.Join(err, f.Close()); err != nil {
		os.Remove(f.Name())
		return "", fmt.Errorf("write settings: %w", err)
	}
	return f.Name(), nil
}

// until looks again and again until something is so, an error comes or patience ends.
func (r *rehearsal) until(ctx context.Context, what string, look func(context.Context) (bool, error)) error {
	ctx, cancel := context.WithTimeoutCause(ctx, r.patience, fmt.Errorf("it is not so after %s", r.patience))
	defer cancel()
	for {
		done, err := look(ctx)
		if err == nil && done {
			return nil
		}
		if err == nil {
			select {
			case <-ctx.Done():
			case <-time.After(r.every):
				continue
			}
			err = context.Cause(ctx)
		}
		return fmt.Errorf("wait until %s: %w", what, err)
	}
}

// replicated waits until S3 says of all objects that they are replicated. One that failed may still become so.
func (r *rehearsal) replicated(ctx context.Context, objects ...object) error {
	return r.until(ctx, "S3 says COMPLETED of what was written", func(ctx context.Context) (bool, error) {
		for _, o := range objects {
			head, err := r.Source.s3().HeadObject(ctx, &s3.HeadObjectInput{
				Bucket: aws.String(r.sourceBucket()), Key: &o.key, VersionId: &o.version,
			})
			if err != nil {
				return false, err
			}
			// S3 says COMPLETED where its SDK has a constant of another word.
			// https://docs.aws.amazon.com/AmazonS3/latest/userguide/replication-status.html
			if status := string(head.ReplicationStatus); !slices.Contains([]string{"COMPLETED", "COMPLETE"}, status) {
				return false, nil
			}
		}
		return true, nil
	})
}

// ends is the outcomes with which an incident of this route is not going to be resolved by itself.
var ends = []incident.Outcome{
	incident.Refused, incident.Manual, incident.AwaitingApproval, incident.Declined, incident.Suppressed, incident.Escalated,
}

// resolved waits until the journal has the incident as resolved, and gives it back as far as it is known.
func (r *rehearsal) resolved(ctx context.Context) (incident.Incident, error) {
	kept := &journal.Table{Client: dynamodb.NewFromConfig(r.Source.cfg), Name: grants.IncidentTable, Now: time.Now}
	var found incident.Incident
	said := ""
	err := r.until(ctx, "the incident is resolved", func(ctx context.Context) (bool, error) {
		all, err := kept.List(ctx, incident.Filter{Source: r.sourceBucket()})
		if err != nil {
			return false, err
		}
		for _, s := range all {
			i, err := kept.Get(ctx, s.ID)
			if err != nil {
				return false, err
			}
			if i.Over() && !i.Wrote() {
				continue // a look at a route that was in order
			}
			found = i
			if now := i.ID + ": " + i.Outcome.String(); now != said {
				said = now
				r.say("%s", render.Clean(now))
			}
			if slices.Contains(ends, i.Outcome) {
				return false, fmt.Errorf("incident %s is %s", i.ID, i.Outcome)
			}
			return i.Outcome == incident.Resolved, nil
		}
		return false, nil
	})
	return found, err
}
