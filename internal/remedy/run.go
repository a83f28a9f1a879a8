package remedy

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/replimend/replimend/internal/diagnose"
	"github.com/replimend/replimend/internal/guard"
	"github.com/replimend/replimend/internal/incident"
	"github.com/replimend/replimend/internal/patch"
	"github.com/replimend/replimend/internal/snapshot"
)

// run is one incident on its way.
type run struct {
	workflow  *Workflow
	view      view // before anything was written
	hints     evidence
	samples   []incident.Object
	changes   []incident.Call // that may have broken the route, as far as this run is told
	incident  incident.Incident
	approvals []incident.Approval    // of the plan, by everybody on whose word it is carried out; none: nobody was asked
	at        time.Time              // when this cure began to write
	judged    bool                   // this run gave the incident an outcome
	watching  bool                   // for a rule that nobody approved as it is, instead of a cure
	over      bool                   // nothing more is to be done now
	inForce   []incident.Suppression // of the route
	silent    bool                   // nothing is told of it now
	unlock    func() error           // gives back the documents; nil: none is locked

	route   diagnose.Route
	plan    patch.Plan
	verdict guard.Verdict
}

// do takes the incident as far as it goes, keeps it, and tells people what is new. Documents that it wrote stay locked until what
// became of them is kept: until then another worker would take this one for ended, and its changes back.
func (r *run) do(ctx context.Context) (err error) {
	defer func() {
		if r.unlock != nil {
			err = errors.Join(err, r.unlock())
		}
	}()
	err = r.cure(ctx)
	if err != nil && !r.judged {
		return err // nothing was done here; the signal comes again, or another worker has the incident
	}
	// What was done must be kept and told even when there is no time left for more.
	ctx = context.WithoutCancel(ctx)
	r.hush()
	if r.judged {
		r.argue()
		r.incident.Headline = r.headline()
	}
	if e := r.record(ctx); e != nil {
		err = errors.Join(err, fmt.Errorf("record incident: %w", e))
	} else {
		err = errors.Join(err, r.tidy(ctx))
	}
	return errors.Join(err, r.tell(ctx))
}

// tell tells people what is new, and keeps that they were told: a notice that failed, or that an ended worker owes, is made up for.
// One that cannot be kept may be made twice, never not at all. Who sits there asked, and is told each time.
func (r *run) tell(ctx context.Context) error {
	if untold := news(r.incident) != r.incident.Told; !r.workflow.Attended && !untold {
		return nil
	}
	if o := r.incident.Outcome; r.silent || (o == incident.Healthy || o == incident.Ignored) && r.incident.Told == "" && !leftBehind(r.incident) {
		return nil // silenced, or people never heard of it
	}
	if err := r.workflow.Notifier.Notify(ctx, r.message()); err != nil {
		r.log("the notice failed")
		return fmt.Errorf("notify: %w", err)
	}
	r.incident.Told = news(r.incident)
	if err := r.record(ctx); err != nil && !errors.Is(err, incident.ErrStale) {
		return fmt.Errorf("record that people were told: %w", err)
	}
	return nil
}

// news is what people have to be told about once: ten thousand more failures of the same kind are none. One more approval, where another
// one is still needed, is.
func news(i incident.Incident) string {
	out := string(i.Outcome) + " " + i.Plan
	if i.Outcome == incident.AwaitingApproval && i.Proposal != nil {
		out = strings.Join(append([]string{out}, i.Proposal.Approvers...), " ")
	}
	if leftBehind(i) {
		out += " and a canary object to remove"
	}
	return out
}

// record keeps the incident as it is now.
func (r *run) record(ctx context.Context) error {
	kept, err := r.workflow.Journal.Record(ctx, r.incident)
	if err == nil {
		r.incident = kept
	}
	return err
}

// past is what was written before for the route, and in the last hour in every account.
func (r *run) past(ctx context.Context) (incident.Past, error) {
	past, err := r.workflow.Journal.Past(ctx, r.incident.Route, r.workflow.Now().Add(-time.Hour))
	if err != nil {
		return past, fmt.Errorf("read history: %w", err)
	}
	return past, nil
}

// history is what the guard has to know of what was done before.
func (r *run) history(ctx context.Context, past incident.Past) (guard.History, error) {
	thrown, err := r.workflow.thrown(ctx, r.plan)
	h := History(past, r.plan, r.workflow.Now())
	h.KillSwitches, h.Breaking = thrown, r.incident.Breaking
	return h, err
}

// blame keeps the change that broke the route. Of several it is the one that forbids the most, and else the first: whoever tells of
// another one, be it invented, cannot have that one forgotten.
func (r *run) blame(changes ...incident.Call) {
	r.changes = changes
	for _, c := range changes {
		if known := r.incident.Breaking; known != nil && r.workflow.judge(c).Decision <= r.workflow.judge(*known).Decision {
			continue
		}
		r.incident.Breaking = &c
		if r.watched() {
			r.log("its rules changed by %s", c)
		} else {
			r.log("broken by %s", c)
		}
	}
}

// judge is what the guard has against undoing a change.
func (w *Workflow) judge(c incident.Call) guard.Verdict {
	return guard.CheckChange(c, w.Settings, w.Now())
}

// thrown is where the kill switch is thrown, of the accounts that a plan writes in.
func (w *Workflow) thrown(ctx context.Context, p patch.Plan) ([]string, error) {
	if w.Switches == nil {
		return nil, nil
	}
	var accounts []string
	for _, e := range p.Edits {
		if !slices.Contains(accounts, e.Account) {
			accounts = append(accounts, e.Account)
		}
	}
	thrown, err := w.Switches.Thrown(ctx, accounts)
	if err != nil {
		return nil, fmt.Errorf("read kill switch: %w", err)
	}
	return thrown, nil
}

// cure decides, writes, verifies and proves.
func (r *run) cure(ctx context.Context) error {
	if err := r.settle(ctx); err != nil || r.over {
		return err
	}
	if err := r.suppressions(ctx); err != nil {
		return err
	}
	past, err := r.past(ctx)
	if err != nil {
		return err
	}
	// Nothing is judged while it cannot be told whether everything is stopped.
	if _, err := r.workflow.thrown(ctx, patch.Plan{}); err != nil {
		return err
	}
	if p := patched(past); !p.IsZero() && !r.incident.Failures.Last.After(p.Add(r.workflow.Propagation)) {
		// What failed before the last patch held says nothing of the route as it is now.
		r.view.diagnosis = diagnose.Diagnose(r.view.snapshot, nil, r.hints.denials...)
	}
	if r.watched() && r.stray() {
		return nil
	}
	if r.stands() {
		// It may have to be taken back.
		if r.unlock, err = r.workflow.lock(ctx, r.incident.ID, Standing(r.incident)); err != nil {
			return err
		}
		if r.view, err = r.workflow.look(ctx, r.incident.Route.Source, evidence{}, r.known()); err != nil {
			return err
		}
		r.judged = true
		if why := r.late(); why != "" {
			return r.giveUp(ctx, why)
		}
		return r.prove(ctx, r.view)
	}
	if !r.curable() {
		return nil
	}
	history, err := r.history(ctx, past)
	if err != nil {
		return err
	}
	r.verdict = guard.Check(r.plan, r.route.Of, r.view.snapshot, r.workflow.Settings, history)
	switch {
	case r.verdict.Decision == guard.Refuse:
		r.become(incident.Refused, "the guard refuses the plan")
		return nil
	case r.verdict.Decision == guard.Ask || r.workflow.Attended:
		// An approval that another worker is using up is neither used nor unused: whoever has the documents knows. A person at a
		// terminal takes their time, and answers to nobody else.
		if !r.workflow.Attended {
			if r.unlock, err = r.workflow.lock(ctx, r.incident.ID, r.plan); err != nil {
				return err
			}
		}
		if may, err := r.asked(ctx); !may || err != nil {
			return err
		}
	default:
		r.log("the guard allows the plan")
	}
	if err := r.workflow.timely(ctx, len(r.plan.Edits)); err != nil {
		return err
	}
	if done, err := r.write(ctx); !done {
		return err
	}
	// The failures are of before the write, and no hint of what is so after it.
	after, err := r.workflow.look(ctx, r.incident.Route.Source, evidence{}, r.known())
	if err != nil {
		r.become(incident.Escalated, "the documents are written, but the route could not be looked at again")
		return err
	}
	if fault := r.unproven(after); fault != "" {
		return r.giveUp(ctx, fault)
	}
	r.cured(after)
	r.become(incident.Applied, "the documents are as written, and the route is %s by them", r.plan.Proof.After)
	// A replay can take longer than this worker lives, or than its locks hold: the next one must not take the plan for half done.
	if err := r.record(ctx); err != nil {
		return fmt.Errorf("record incident: %w", err)
	}
	return r.prove(ctx, after)
}

// stands says whether a cure was applied before, is as it was written, and leaves nothing more to cure: then it is proof that is
// wanted.
func (r *run) stands() bool {
	if r.incident.Outcome != incident.Applied && r.incident.Outcome != incident.Proven {
		return false
	}
	route, ok := r.view.route(r.incident.Route)
	if !ok || route.Plan != nil {
		return false
	}
	for _, c := range r.incident.Changes {
		if !c.Stands() {
			continue
		}
		r.at = c.At // of the last cure
		if !patch.Alike(r.view.snapshot.Document(refOf(c)), valueOf(c.After), route.Of.Partition) {
			return false
		}
	}
	r.route = route
	return !r.at.IsZero()
}

// late says why a cure that stands must be taken back, "" where it need not: CloudTrail's record of the change that broke the route
// can come after the cure, and when somebody protected made that change, the guard would have refused to change it back. A change
// that was made after the cure broke nothing that the cure mended.
func (r *run) late() string {
	told := r.changes
	if c := r.incident.Breaking; c != nil {
		told = append(slices.Clone(told), *c)
	}
	for _, c := range told {
		if v := r.workflow.judge(c); v.Decision == guard.Refuse && !c.At.After(r.at) {
			r.incident.Breaking, r.verdict = &c, v
			return "what broke the route is known only now: " + v.Reasons[0].Text
		}
	}
	return ""
}

// curable looks for a plan. Without one the incident has its outcome.
func (r *run) curable() bool {
	var ok bool
	if r.route, ok = r.view.route(r.incident.Route); !ok { // it was there when the incident was opened
		r.silent = len(incident.Silenced(r.inForce, nil)) > 0
		r.become(incident.Ignored, "the bucket has no such enabled rule")
		return false
	}
	r.looked(r.route)
	r.incident.Causes = nil
	for _, f := range r.route.Findings {
		if f.Severity == diagnose.Fault && !slices.Contains(r.incident.Causes, f.Cause) {
			r.incident.Causes = append(r.incident.Causes, f.Cause)
		}
	}
	for _, o := range r.failed(r.view) { // also those that no event told of
		r.incident.Failures.Add(incident.Object{Key: o.Key, VersionID: o.VersionID, Size: o.Size}, time.Time{})
	}
	if r.route.Plan == nil {
		r.withdraw("")
	}
	switch reported := forPeople(r.route.Findings); {
	case r.suppressed():
		return false
	case r.route.Verdict == diagnose.Healthy && len(reported) > 0:
		r.become(incident.Manual, "the route is healthy by its documents; what S3 reports is for people: %s", strings.Join(reported, ", "))
		return false
	case r.route.Verdict == diagnose.Healthy:
		r.become(incident.Healthy, "nothing is wrong with the route now")
		return false
	case r.route.Plan == nil:
		r.become(incident.Manual, "the route is %s, and no edit of a policy can or may cure it", r.route.Verdict)
		return false
	}
	r.plan = *r.route.Plan
	r.incident.Plan, r.incident.Approver = r.plan.Hash(), "" // who approved an earlier plan did not approve this one
	r.withdraw(r.incident.Plan)
	r.log("the route is %s; plan %s would make it %s", r.plan.Proof.Before, r.incident.Plan, r.plan.Proof.After)
	return true
}

// forPeople is the causes that no document shows, that only S3 reports, and that somebody has to do something about, such as a
// batch job whose role may not replicate.
func forPeople(findings []diagnose.Finding) []string {
	var out []string
	for _, c := range diagnose.Causes() {
		if c.Report != nil && slices.ContainsFunc(findings, func(f diagnose.Finding) bool { return f.Cause == c.Name && f.Severity == diagnose.Warning }) {
			out = append(out, c.Name)
		}
	}
	return out
}

// unproven says why the world after the write is not what the plan promised; "" when it is.
func (r *run) unproven(after view) string {
	for _, e := range r.plan.Edits {
		if !patch.Alike(after.snapshot.Document(e.Document), e.After, r.route.Of.Partition) {
			return fmt.Sprintf("%s is not as it was written", e.Document)
		}
	}
	d, ok := after.route(r.incident.Route)
	switch {
	case !ok:
		return "the rule is gone"
	case d.Verdict != diagnose.Healthy && string(d.Verdict) != r.plan.Proof.After:
		return fmt.Sprintf("the route is %s, and not %s as the plan promised", d.Verdict, r.plan.Proof.After)
	}
	return ""
}

// prove replays what failed and looks what becomes of it; where there is nothing to replay, a canary object is written instead. One
// version that S3 completed proves the route; the cure is undone only when S3 failed every one of them again.
func (r *run) prove(ctx context.Context, after view) error {
	source := r.incident.Route.Source
	if settled, err := r.watch(ctx, after); settled || err != nil {
		return err
	}
	if v := guard.CheckReplay(source, after.snapshot, r.workflow.Settings); v.Decision != guard.Allow {
		r.log("not replayed: %s", v.Reasons[0].Text)
		return r.try(ctx, after)
	}
	objects := r.failed(after)
	asked := r.incident.Job.For.Equal(r.at) // for a replay that is to prove this cure, and no earlier one of the incident
	if !asked && len(objects) == 0 {
		return r.try(ctx, after)
	}
	if from := r.holds(); !asked && r.workflow.Now().Before(from) {
		r.log("the replay waits until %s: before, what was written may not hold everywhere", from.UTC().Format(time.RFC3339))
		return nil
	}
	if by := incident.Silenced(r.inForce, nil); !asked && len(by) > 0 {
		r.log("not replayed: silenced by %s", by[0])
		return nil
	}
	if !asked {
		// Kept before S3 is asked: who goes on when this worker ends must know that there may be a job.
		r.incident.Job = incident.Job{State: incident.JobRunning, For: r.at}
		if err := r.record(ctx); err != nil {
			return fmt.Errorf("record incident: %w", err)
		}
	}
	job, err := r.workflow.Replayer.Replay(ctx, r.replay(after, objects))
	if err != nil {
		r.log("the replay could not be started")
		return fmt.Errorf("replay: %w", err)
	}
	if job.ID != "" && job.ID != r.incident.Job.ID {
		r.log("S3 replicates what failed again, in job %s", job.ID)
	}
	job.For = r.at
	r.incident.Job = job
	if !job.Over() {
		return nil
	}
	count := map[string]int{}
	if job.Succeeded > 0 { // else what is COMPLETED was so before
		count[completed] = r.replicated(after)
	}
	for _, o := range objects {
		now, err := r.workflow.Replayer.Head(ctx, source, o.Key, o.VersionID)
		if err != nil {
			r.log("a replayed version could not be looked at")
			return fmt.Errorf("look at a replayed version: %w", err)
		}
		count[now.ReplicationStatus.V]++
	}
	switch {
	case count[completed] > 0 && count[failed] == 0 && job.State == incident.JobComplete && job.Failed == 0:
		r.become(incident.Resolved, "S3 replicated what failed: %d of the versions that were looked at", count[completed])
	case count[completed] > 0:
		r.become(incident.Proven, "S3 replicated %d of the versions that were looked at, %d failed", count[completed], count[failed])
	case count[failed] > 0 && count[failed] == len(objects) && job.State == incident.JobComplete && r.incident.Outcome != incident.Proven:
		return r.giveUp(ctx, "the replayed versions failed again")
	default:
		r.log("of the versions that were looked at none is replicated yet")
	}
	return nil
}

// replicated is how many of the versions that the incident knows failed S3 says are COMPLETED. It means something only when S3 says
// that the replay replicated something: who makes an event up can name versions that never failed.
func (r *run) replicated(v view) int {
	sample := r.incident.Failures.Versions.Sample()
	n := 0
	for _, o := range v.snapshot.Objects {
		if o.Bucket == r.incident.Route.Source && o.ReplicationStatus.V == completed &&
			slices.ContainsFunc(sample, func(k incident.Object) bool { return k.Key == o.Key && k.VersionID == o.VersionID }) {
			n++
		}
	}
	return n
}

// replay is what S3 is asked for: exactly the versions that failed where the snapshot has every one of them, and otherwise what
// failed in the outage.
func (r *run) replay(v view, objects []snapshot.Object) incident.Replay {
	bucket := v.snapshot.Buckets[r.incident.Route.Source].V
	f := r.incident.Failures
	versions, exact := f.Versions.Count()
	bytes, _ := f.Versions.Bytes()
	out := incident.Replay{
		Incident: r.replayID(), Bucket: r.incident.Route.Source, Account: bucket.Account, Region: bucket.Region,
		Since: f.Written, Until: r.workflow.Now(), Versions: versions, Bytes: bytes,
	}
	if exact && versions <= int64(len(objects)) {
		for _, o := range objects {
			out.Objects = append(out.Objects, incident.Object{Key: o.Key, VersionID: o.VersionID, Size: o.Size})
		}
	}
	return out
}

// replayID is under what S3 is asked for a replay at most once: the incident's ID, and for each further cure of it another one,
// because what became of a replay says nothing of a later cure.
func (r *run) replayID() string {
	if n := len(cures(r.incident)); n > 1 {
		return fmt.Sprintf("%s-%d", r.incident.ID, n)
	}
	return r.incident.ID
}

// known is the versions to look at: those that were asked for, and those that the incident remembers.
func (r *run) known() []incident.Object {
	out := slices.Clone(r.samples)
	for _, o := range r.incident.Failures.Versions.Sample() {
		if !slices.ContainsFunc(out, func(other incident.Object) bool { return other.Key == o.Key && other.VersionID == o.VersionID }) {
			out = append(out, o)
		}
	}
	return out
}

// The statuses that settle a replay.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/replication-status.html
const (
	completed = "COMPLETED"
	failed    = "FAILED"
)

// failed is the versions that S3 says failed and that the rule covers. What an event says failed is not asked.
func (r *run) failed(v view) []snapshot.Object {
	var out []snapshot.Object
	for _, o := range v.snapshot.Objects {
		if o.Bucket != r.incident.Route.Source || o.ReplicationStatus.V != failed {
			continue
		}
		if c := r.incident.Canary; c != nil && c.Key == o.Key {
			continue
		}
		if covers, certain := r.route.Of.Covers(o.Key, o.Tags.V); covers && certain {
			out = append(out, o)
		}
	}
	return out
}

func (r *run) become(o incident.Outcome, format string, args ...any) {
	r.judged = true
	r.incident.Become(o, r.workflow.Now(), format, args...)
}

func (r *run) log(format string, args ...any) { r.incident.Log(r.workflow.Now(), format, args...) }
