package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/spf13/cobra"

	"github.com/replimend/replimend/internal/affected"
	"github.com/replimend/replimend/internal/awscloud"
	"github.com/replimend/replimend/internal/guard"
	"github.com/replimend/replimend/internal/incident"
	"github.com/replimend/replimend/internal/patch"
	"github.com/replimend/replimend/internal/policy"
	"github.com/replimend/replimend/internal/remedy"
	"github.com/replimend/replimend/internal/render"
	"github.com/replimend/replimend/internal/replay"
	"github.com/replimend/replimend/internal/settings"
	"github.com/replimend/replimend/internal/signal"
	"github.com/replimend/replimend/internal/snapshot"
)

// applying is the flags of apply.
type applying struct {
	live
	journal string
	yes     bool
	objects []string
	event   string
	replay  bool
	settle  time.Duration
	opinion bool
	batch   batch
}

func (p *program) applyCommand() *cobra.Command {
	var a applying
	cmd := &cobra.Command{
		Use:   "apply ROUTE|BUCKET[/RULE]",
		Short: "Cure one live route: diagnose, ask, write, verify, replay",
		Long: `Diagnose one live route, show the edits that cure it, and after a yes write them, each in a session that may make that one call
only. What stood there before is kept in the journal first; replimend undo brings it back.

The guard is asked as it is for the robot: what it refuses is not written, whoever says yes. So the route must be approved in
the settings, in mode approve or automatic. After the write the documents are read again and the route is diagnosed again; when
it is not what the plan promised, everything is taken back.

With --replay S3 replicates again what failed, as a batch job whose cost is told and asked for first; replimend waits for its end.
That needs --object of what failed, or failures that the journal knows.

Exit code: 0 the route is cured or nothing is wrong with it, 1 nothing was written or what was written was taken back, 2 an argument is
wrong, or something failed on the way.`,
		Example: `  replimend apply invoices-to-dr --profile source --profile destination
  replimend apply my-source-bucket/everything-to-dr --object 'ledger/2026-11-22.csv@VERSION' --replay`,
		Args: exactly("ROUTE|BUCKET[/RULE]", 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := a.batch.check(); err != nil {
				return hinted(err, "as in --batch-role arn:aws:iam::111122223333:role/replimend/replimend-batch")
			}
			return p.apply(cmd.Context(), a, args[0])
		},
	}
	a.live.flags(cmd)
	journalFlag(cmd, &a.journal)
	f := cmd.Flags()
	f.BoolVar(&a.yes, "yes", false, "do not ask: what is shown is meant")
	f.StringArrayVar(&a.objects, "object", nil, "an object that failed, `KEY@VERSION`: its own encryption is diagnosed, and a replay proves the cure with it")
	f.StringVar(&a.event, "event", "", "`FILE` of what CloudTrail recorded of the change that broke the route, or of calls that KMS denied: what a protected principal changed is not changed back")
	f.BoolVar(&a.replay, "replay", false, "have S3 replicate again what failed, after the cure")
	f.DurationVar(&a.settle, "settle", time.Minute, "`TIME` between the write and the replay: AWS needs some until a change holds everywhere")
	f.BoolVar(&a.opinion, "second-opinion", true, "ask IAM Access Analyzer about each document before it is written, where the caller may")
	a.batch.flags(cmd)
	return cmd
}

// exactly wants a number of arguments and names them.
func exactly(names string, n int) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) != n {
			return hinted(fmt.Errorf("%d arguments are given, %d wanted: %s", len(args), n, names), cmd.CommandPath()+" --help shows an example")
		}
		return nil
	}
}

func (p *program) apply(ctx context.Context, a applying, name string) error {
	c, err := p.connect(ctx, a.live)
	if err != nil {
		return err
	}
	kept, leave, err := p.attend(ctx, a.journal, c.base)
	if err != nil {
		return err
	}
	defer leave()
	found, err := p.hints(a.event)
	if err != nil {
		return err
	}
	samples := sampled(a.objects)
	// Only to know which route is meant: the workflow looks for itself.
	s, err := p.take(ctx, c, []string{name}, nil)
	if err != nil {
		return err
	}
	r, err := only(c, s, name)
	if err != nil {
		return err
	}
	w := p.workflow(c, kept, located(s), a)
	silences, err := kept.Suppressed(ctx, incident.Route{Source: r.Source, Rule: r.RuleID, Destination: r.Destination})
	if err != nil {
		return unkept(err)
	}
	for _, x := range silences {
		p.note("the route is silenced by %s; this run asks all the same", x)
	}
	known := remedy.Known{
		Samples: samples, Changes: p.blamed(c, found.Changes, r.Source, r.RuleID), Denials: p.denied(c, found.Denials, r.Source, r.RuleID),
	}
	if n := len(found.Signals); n > 0 {
		p.note("%d events of S3 in %s are not counted here: --object says which versions failed, and replimend diagnose --event explains them", n, a.event)
	}
	i, err := w.Cure(ctx, incident.Route{Source: r.Source, Rule: r.RuleID, Destination: r.Destination}, known)
	if err != nil {
		return astray(err, i.ID)
	}
	return p.cured(i)
}

// blamed is the changes that may have broken the route, the latest first, which Replimend did not make itself.
func (p *program) blamed(c *cloud, changes []signal.Change, source, rule string) []incident.Call {
	var out []incident.Call
	for _, change := range changes {
		switch {
		case change.MadeBy(c.settings.Self):
			p.note("%s: made by Replimend itself, and not counted", change)
		case !slices.ContainsFunc(affected.Routes(change, c.settings), named(source, rule)):
			p.note("%s: it does not concern this route as the settings have it, and is not counted", change)
		default:
			out = append(out, incident.Call{Event: change.Event, Principal: change.Principal, At: change.At})
		}
	}
	slices.SortStableFunc(out, func(a, b incident.Call) int { return b.At.Compare(a.At) })
	return out
}

// named chooses a route of the settings by its bucket and rule.
func named(source, rule string) func(settings.ApprovedRoute) bool {
	return func(r settings.ApprovedRoute) bool { return r.Source.Bucket == source && r.Rule.ID == rule }
}

// denied is the denied calls that concern the route.
func (p *program) denied(c *cloud, denials []signal.Denial, source, rule string) []signal.Denial {
	var out []signal.Denial
	for _, d := range denials {
		if slices.ContainsFunc(affected.Denied(d, c.settings), named(source, rule)) {
			out = append(out, d)
			continue
		}
		p.note("%s of role %s, denied at %s: it does not concern this route as the settings have it, and is not counted", d.Action, d.Role, d.Time.Format(time.RFC3339))
	}
	return out
}

// cured says what became of the incident.
func (p *program) cured(i incident.Incident) error {
	switch i.Outcome {
	case incident.Healthy:
		fmt.Fprintln(p.out, "nothing is wrong with the route now: nothing was written")
	case incident.Ignored:
		return hinted(fmt.Errorf("%s: %s", i.Route, last(i)), "replimend routes list shows the rules that there are now")
	case incident.Applied, incident.Proven, incident.Resolved:
		fmt.Fprintf(p.out, "\nincident %s, %s: replimend undo %s takes it back\n", i.ID, i.Outcome, i.ID)
	case incident.AwaitingApproval:
		p.raise(exitBroken)
		fmt.Fprintln(p.out, "nothing was written")
	case incident.Open, incident.Refused, incident.Manual, incident.Declined, incident.Escalated, incident.Suppressed:
		p.raise(exitBroken)
	}
	return nil
}

// last is what happened last, in words.
func last(i incident.Incident) string {
	if n := len(i.Timeline); n > 0 {
		return render.Clean(i.Timeline[n-1].Text)
	}
	return string(i.Outcome)
}

// workflow is the one that the robot runs, with a person at the other end.
func (p *program) workflow(c *cloud, kept record, where locator, a applying) *remedy.Workflow {
	reader := p.reader(c, nil)
	person := &terminal{program: p, settings: c.settings, caller: c.caller, yes: a.yes, since: time.Now()}
	return &remedy.Workflow{
		Settings: c.settings, Snapshotter: reader,
		Store: awscloud.NewWriter(c.accounts, awscloud.WriteOptions{
			Owner: where, Trust: true, Opinion: a.opinion, Note: func(text string) { p.note("%s", text) },
		}),
		Replayer: &asking{program: p, replayer: p.replayer(c, where, a.batch), wanted: a.replay, yes: a.yes, settle: a.settle},
		Journal:  kept, Locker: kept, Suppressions: kept, Switches: p.switches(c), Notifier: person, Approver: person,
		Now: time.Now, Worker: fmt.Sprintf("%s %d", c.caller, os.Getpid()), Attended: true,
	}
}

// switches reads the kill switches, and tells of those that are thrown.
func (p *program) switches(c *cloud) remedy.Switches {
	return awscloud.NewSwitches(c.accounts, func(text string) { p.note("%s", text) })
}

// locator is who owns a bucket and where it is; false: it is not known for certain.
type locator func(bucket string) (account, region string, ok bool)

// located knows the buckets of a snapshot, whose owners the reader has verified.
func located(s *snapshot.Snapshot) locator {
	return func(bucket string) (string, string, bool) {
		b, ok := s.Buckets[bucket].Get()
		return b.Account, b.Region, ok && b.Account != "" && b.Region != ""
	}
}

// terminal asks whoever sits there, and tells them what became of it.
type terminal struct {
	*program
	settings *settings.Settings
	caller   string
	yes      bool
	since    time.Time // of this run
	asked    bool      // what broke, and what would be done about it, was shown
}

func (t *terminal) Notify(_ context.Context, m incident.Message) error {
	if t.asked {
		m.Broke, m.Why, m.Diff, m.Fields = nil, nil, "", nil
	}
	fmt.Fprint(t.out, "\n", t.printer().Message(m))
	return t.out.Flush()
}

// approvalTime is how long a yes at a terminal counts: the write follows at once.
const approvalTime = 15 * time.Minute

func (t *terminal) Answers(ctx context.Context, q remedy.Question) ([]incident.Approval, error) {
	page := t.printer()
	fmt.Fprint(t.out, page.Explanation(q.Route), "\n", page.Plan(q.Plan), "\n", page.Heading("the guard says"), page.Verdict(q.Verdict))
	// Before anything is written, so that what a killed run did can be found.
	fmt.Fprint(t.out, page.Line("incident", t.kept(q.Incident)))
	t.asked = true
	if people := guard.PeopleFor(q.Plan, t.settings); people > 1 {
		t.note("%d people have to approve this plan, because it edits a key policy (approvals.twoForKeyPolicies): nobody can at a terminal, where one "+
			"sits. They can with replimend approve, once the deployed functions have the incident", people)
		return nil, nil
	}
	yes, err := t.ask(ctx, fmt.Sprintf("write %s?", extent(q.Plan)), t.yes)
	if err != nil {
		return nil, err
	}
	now := time.Now()
	answer := incident.Decline
	if yes {
		answer = incident.Approve
	}
	return []incident.Approval{{
		Incident: q.Incident.ID, Plan: q.Incident.Plan, Answer: answer, Approver: t.caller, At: now, Expires: now.Add(approvalTime),
	}}, nil
}

// kept says where what is done now is kept: in an incident of this run, or in the open one of the route.
func (t *terminal) kept(i incident.Incident) string {
	if i.Opened.Before(t.since) {
		return fmt.Sprintf("%s, open since %s, which this run joins", i.ID, i.Opened.UTC().Format(time.RFC3339))
	}
	return i.ID + ", a new one"
}

// Use does nothing: what somebody said yes to at the terminal is written at once, and nobody else hears of it.
func (t *terminal) Use(context.Context, incident.Approval) error { return nil }

// extent is how much a plan writes, in words.
func extent(plan patch.Plan) string {
	accounts := map[string]bool{}
	for _, e := range plan.Edits {
		accounts[e.Account] = true
	}
	text := "this document"
	if n := len(plan.Edits); n > 1 {
		text = fmt.Sprintf("these %d documents", n)
	}
	if len(accounts) > 1 {
		text += fmt.Sprintf(" in %d accounts", len(accounts))
	}
	return text
}

// batch is the flags of who runs batch jobs.
type batch struct {
	role, bucket string
	arn          policy.ARN // of the role, once it was checked
}

func (b *batch) check() (err error) {
	if b.role == "" {
		return nil
	}
	if b.arn, err = policy.ParseARN(b.role); err != nil {
		return fmt.Errorf("--batch-role: %w", err)
	}
	return nil
}

func (b *batch) flags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&b.role, "batch-role", "", "`ARN` of the role that S3 Batch Operations assumes; without it "+settings.RolePath+string(settings.Batch)+" of the source's account")
	f.StringVar(&b.bucket, "report-bucket", "", "`BUCKET` for the manifests and reports of batch jobs; without it "+settings.ReportBucket("ACCOUNT", "REGION"))
}

func (p *program) replayer(c *cloud, where locator, b batch) *replay.Replayer {
	return replay.New(replay.Options{
		Config: func(account, region, incident string) (aws.Config, error) {
			role, reports := b.of(account, region)
			may, err := replay.SessionPolicy(account, region, role, reports)
			if err != nil {
				return aws.Config{}, err
			}
			return c.accounts.Narrowed(account, region, awscloud.Purpose{Role: settings.Replayer, Policy: may, Incident: incident, Approver: c.caller})
		},
		Read:   c.accounts.Reader,
		Batch:  b.of,
		Locate: where,
	})
}

// of is who runs batch jobs in an account and Region, and where their manifests and reports go.
func (b *batch) of(account, region string) (policy.ARN, string) {
	role := b.arn
	if role.IsZero() {
		role = settings.Batch.ARN(policy.Partition(region), account)
	}
	return role, cmp.Or(b.bucket, settings.ReportBucket(account, region))
}

// asking tells what a replay costs and asks before it is started, and then waits for its end.
type asking struct {
	*program
	replayer *replay.Replayer
	wanted   bool
	yes      bool
	settle   time.Duration
}

func (a *asking) Replay(ctx context.Context, q incident.Replay) (incident.Job, error) {
	declined := incident.Job{State: incident.JobCancelled, Reason: "nobody asked for a replay"}
	if !a.wanted {
		a.note("what failed is not replicated again without --replay")
		return declined, nil
	}
	fmt.Fprintf(a.out, "\n%s\n", render.Clean(replay.Estimate(q).String()))
	yes, err := a.ask(ctx, "start the replay?", a.yes)
	if err != nil || !yes {
		return declined, err
	}
	if err := a.rest(ctx); err != nil {
		return declined, err
	}
	job, err := a.replayer.Replay(ctx, q)
	if err != nil {
		return job, err
	}
	tell, end := a.counter("replicating again")
	defer end()
	job, err = a.replayer.Follow(ctx, q, job, func(j incident.Job) {
		if tell != nil && j.Total > 0 {
			tell(int(j.Succeeded+j.Failed), int(j.Total))
		}
	})
	if err != nil && ctx.Err() != nil {
		a.note("job %s goes on without replimend; replimend apply again looks what became of it", job.ID)
		return job, nil
	}
	return job, err
}

// rest waits until what was written holds everywhere: IAM, KMS and S3 are eventually consistent, an incident has one replay, and one
// that fails for being early would be taken for a cure that does not help.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot.html#troubleshoot_general_eventual-consistency
// https://docs.aws.amazon.com/kms/latest/developerguide/accessing-kms.html#programming-eventual-consistency
func (a *asking) rest(ctx context.Context) error {
	if a.settle <= 0 {
		return nil
	}
	a.note("waiting %s until what was written holds everywhere", a.settle)
	timer := time.NewTimer(a.settle)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

func (a *asking) Head(ctx context.Context, bucket, key, versionID string) (snapshot.Object, error) {
	return a.replayer.Head(ctx, bucket, key, versionID)
}

// ask asks a question that yes alone agrees to. Without anybody to ask, the answer is an error: nothing is done unasked.
func (p *program) ask(ctx context.Context, question string, yes bool) (bool, error) {
	if err := p.out.Flush(); err != nil {
		return false, err
	}
	if yes {
		return true, nil
	}
	fmt.Fprintf(p.stderr, "%s Type yes: ", render.Clean(question))
	answer, err := p.line(ctx)
	if err != nil {
		fmt.Fprintln(p.stderr)
		err = fmt.Errorf("ask %q: %w", question, err)
		if errors.Is(err, errNobody) {
			err = hinted(err, "--yes does what is shown without asking")
		}
		return false, err
	}
	return answer == "yes", nil
}

var errNobody = errors.New("there is nobody to answer")
