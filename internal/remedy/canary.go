package remedy

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/replimend/replimend/internal/guard"
	"github.com/replimend/replimend/internal/incident"
	"github.com/replimend/replimend/internal/settings"
	"github.com/replimend/replimend/internal/signal"
	"github.com/replimend/replimend/internal/snapshot"
)

// try proves a cure that no replay can prove by a canary object, where the route opted in. Otherwise the next object does. Why there is
// no replay is said already, or there is nothing to replay.
func (r *run) try(ctx context.Context, after view) error {
	t := r.incident.Canary
	if t != nil && t.For.Equal(r.at) && t.State != incident.TrialIntended {
		return nil // it is seen to by watch, or it was
	}
	if a, _ := guard.Approval(r.route.Of, after.snapshot, r.workflow.Settings); r.workflow.Canary == nil || !a.Allow.Canary {
		r.log("the next object will prove the cure")
		return nil
	}
	c, v := guard.CheckCanary(r.route.Of, after.snapshot, r.workflow.Settings, r.incident.ID, r.incident.Approver != "")
	switch {
	case v.Decision != guard.Allow:
		r.log("no canary object is written: %s; the next object will prove the cure", v.Reasons[0].Text)
		return nil
	case t != nil && !t.For.Equal(r.at) && t.State != incident.TrialRemoved && t.State != incident.TrialRefused:
		r.log("no canary object is written while that of an earlier cure is there")
		return nil
	}
	if from := r.holds(); r.workflow.Now().Before(from) {
		r.log("the canary object waits until %s: before, what was written may not hold everywhere", from.UTC().Format(time.RFC3339))
		return nil
	}
	stopped, err := r.stoppedFor(ctx, c.Account)
	switch {
	case err != nil:
		return err
	case stopped != "":
		r.log("no canary object is written: the kill switch of %s is thrown", stopped)
		return nil
	}
	if err := r.workflow.timely(ctx, 1); err != nil {
		return err
	}
	if t == nil || !t.For.Equal(r.at) {
		// Kept before S3 is asked: who goes on when this worker ends must know that there may be an object.
		r.incident.Canary = &incident.Trial{
			Key: c.Key, Tags: c.Tags, Account: c.Account, Region: c.Region, At: r.workflow.Now(), For: r.at, State: incident.TrialIntended,
		}
		if err := r.record(ctx); err != nil {
			return fmt.Errorf("record incident: %w", err)
		}
	}
	version, err := r.workflow.Canary.Write(ctx, r.incident.Canary.Of(r.incident))
	t = r.incident.Canary
	switch {
	case errors.Is(err, incident.ErrRefused):
		t.State = incident.TrialRefused
		r.log("no canary object: %s; the next object will prove the cure", err)
		return nil
	case err != nil:
		r.log("the canary object could not be written")
		return fmt.Errorf("write canary: %w", err)
	}
	t.State, t.VersionID = incident.TrialWritten, version
	r.log("wrote a canary object to see S3 replicate it")
	return nil
}

// watch looks what became of the canary of this cure, and says whether that settles the incident for now: it proves the cure when S3
// replicated it, and the cure is undone when S3 failed to. What S3 has not replicated after a day proves nothing.
func (r *run) watch(ctx context.Context, after view) (settled bool, err error) {
	t := r.incident.Canary
	if !t.Stands() || t.State == incident.TrialOver || !t.For.Equal(r.at) {
		return false, nil
	}
	late := r.workflow.Now().Sub(t.At) >= patience
	if t.State != incident.TrialWritten {
		if late {
			t.State = incident.TrialOver
			r.log("the canary object could not be written in a day")
		}
		return false, nil
	}
	head, err := r.workflow.Replayer.Head(ctx, r.incident.Route.Source, t.Key, t.VersionID)
	switch {
	case errors.Is(err, incident.ErrGone):
		t.State = incident.TrialOver
		r.log("somebody removed the canary object before it was seen replicated, which proves nothing; the next object will prove the cure")
		return false, nil
	case err != nil && late:
		t.State = incident.TrialOver
		r.log("the canary object could not be looked at for a day, which proves nothing")
		return false, nil
	case err != nil:
		r.log("the canary object could not be looked at")
		return false, fmt.Errorf("look at canary: %w", err)
	}
	switch status := head.ReplicationStatus; {
	case status.V == completed && r.waits(after):
		t.State = incident.TrialOver
		r.become(incident.Proven, "S3 replicated the canary object; what failed before waits for a replay")
	case status.V == completed:
		t.State = incident.TrialOver
		r.become(incident.Resolved, "S3 replicated the canary object, and nothing that failed waits")
		return true, nil
	case status.V == failed && r.incident.Outcome == incident.Proven:
		t.State = incident.TrialOver
		r.log("the canary object failed, although S3 replicated something after the cure: a person must look")
	case status.V == failed:
		t.State = incident.TrialOver
		return true, r.giveUp(ctx, "the canary object, which was written after the cure, failed")
	case status.State == snapshot.Absent:
		t.State = incident.TrialOver
		r.log("S3 replicates the canary object by no rule, which proves nothing")
	case late:
		t.State = incident.TrialOver
		r.log("S3 did not replicate the canary object in a day, which proves nothing")
	}
	return false, nil
}

// waits says whether something that failed may still have no replica.
func (r *run) waits(v view) bool {
	n, exact := r.incident.Failures.Count()
	return !exact || n > int64(r.replicated(v)) || len(r.failed(v)) > 0
}

// stoppedFor asks for the kill switches of the source's account and of the destination's: what is written in one bucket arrives in
// the other.
func (r *run) stoppedFor(ctx context.Context, source string) (string, error) {
	accounts := []string{source}
	if a, ok := r.workflow.approved(r.incident.Route); ok {
		accounts = append(accounts, a.Destination.Account)
	}
	for _, account := range accounts {
		if stopped, err := r.workflow.stopped(ctx, account); stopped != "" || err != nil {
			return stopped, err
		}
	}
	return "", nil
}

// maxRemovals is how often it is tried to remove a canary before that is left to people.
const maxRemovals = 5

// tidy removes a canary that is of no more use, whatever became of the incident. What cannot be removed now is tried again at later
// looks, and in the end told to people. Under a thrown kill switch it stays where it is.
func (r *run) tidy(ctx context.Context) error {
	t := r.incident.Canary
	if !t.Stands() || r.workflow.Canary == nil || t.State != incident.TrialOver && r.incident.Outcome == incident.Applied && t.For.Equal(lastCure(r.incident)) {
		return nil
	}
	if stopped, err := r.stoppedFor(ctx, t.Account); stopped != "" || err != nil {
		return err
	}
	switch err := r.workflow.Canary.Remove(ctx, t.Of(r.incident)); {
	case err == nil:
		t.State = incident.TrialRemoved
		r.log("removed the canary object from both buckets")
	case t.Failed+1 >= maxRemovals:
		t.State, t.Failed = incident.TrialLeft, t.Failed+1
		r.log("the canary object could not be removed, which is left to people: %s", err)
	default:
		t.State, t.Failed = incident.TrialOver, t.Failed+1
		r.log("the canary object could not be removed, and will be tried again: %s", err)
	}
	if err := r.record(ctx); err != nil {
		return fmt.Errorf("record what became of the canary: %w", err)
	}
	return nil
}

// lastCure is when the last cure of an incident began to write.
func lastCure(i incident.Incident) time.Time {
	var last time.Time
	for _, c := range i.Changes {
		if c.Stands() {
			last = c.At
		}
	}
	return last
}

// Tidy removes the canary of an incident, where it is of no more use, and does nothing else.
func (w *Workflow) Tidy(ctx context.Context, id string) (incident.Incident, error) {
	i, err := w.Journal.Get(ctx, id)
	if err != nil {
		return i, err
	}
	r := run{workflow: w, incident: i}
	if err := errors.Join(r.tidy(ctx), r.tell(ctx)); err != nil {
		return r.incident, fmt.Errorf("tidy incident %s: %w", id, err)
	}
	return r.incident, nil
}

// OnlyTidies says that an incident waits for the removal of its canary and for nothing else: who looks at it because that is due
// must not take it for one to cure again.
func OnlyTidies(i incident.Incident) bool {
	return i.Canary.Stands() && i.Outcome != incident.Applied && i.Outcome != incident.Proven
}

// leftBehind says whether a person has to remove a canary that Replimend could not remove.
func leftBehind(i incident.Incident) bool {
	return i.Canary != nil && i.Canary.State == incident.TrialLeft
}

// byHand is the commands with which a person removes that canary and its replica, nil where there is none. Each names the owner of its
// bucket, where that is known: the name of a bucket that was deleted is anybody's.
func (r *run) byHand() []string {
	i := r.incident
	if !leftBehind(i) {
		return nil
	}
	t, out := i.Canary, []string(nil)
	for _, bucket := range []string{i.Route.Source, i.Route.Destination} {
		owner := t.Account
		if bucket != i.Route.Source {
			a, _ := r.workflow.approved(i.Route)
			owner = a.Destination.Account
		}
		command := fmt.Sprintf("remove the canary object: aws s3api delete-object --bucket %s --key %s --version-id %s", bucket, quoted(t.Key), quoted(t.VersionID))
		if t.VersionID == "" {
			command = fmt.Sprintf("find and delete the versions of the canary object: aws s3api list-object-versions --bucket %s --prefix %s", bucket, quoted(t.Key))
		}
		if owner != "" {
			command += " --expected-bucket-owner " + owner
		}
		out = append(out, command)
	}
	return out
}

// quoted is one word of a POSIX shell.
func quoted(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }

// canaryOf is the ID that the key of a canary ends with; false: it is the key of none.
func canaryOf(key string) (id string, ok bool) {
	at := strings.LastIndex(key, settings.CanaryPrefix)
	if at < 0 {
		return "", false
	}
	id = key[at+len(settings.CanaryPrefix):]
	return id, incident.IsID(id)
}

// maxCanaries bounds the incidents that are looked up for one batch: whoever may write objects may give them such names.
const maxCanaries = 10

// Canaries is a test for signals about canaries, which are no failures of anybody's objects: of the very version that a known incident
// wrote. Everything else under the reserved prefix counts like any other object, whoever put it there, so that nobody can hide
// failures there.
func (w *Workflow) Canaries(ctx context.Context, signals []signal.Signal) (func(signal.Signal) bool, error) {
	known := map[string]incident.Incident{}
	for _, s := range signals {
		id, ok := canaryOf(s.Key)
		if !ok || len(known) == maxCanaries {
			continue
		}
		if _, ok := known[id]; ok {
			continue
		}
		i, err := w.Journal.Get(ctx, id)
		if err != nil && !errors.Is(err, incident.ErrNotFound) {
			return nil, fmt.Errorf("look up the incident of a canary: %w", err)
		}
		known[id] = i
	}
	return func(s signal.Signal) bool {
		id, ok := canaryOf(s.Key)
		i := known[id]
		t := i.Canary
		return ok && t != nil && t.Key == s.Key && i.Route.Source == s.Bucket && (t.VersionID == "" || t.VersionID == s.VersionID)
	}, nil
}
