package remedy_test

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/replimend/replimend/internal/guard"
	"github.com/replimend/replimend/internal/incident"
	"github.com/replimend/replimend/internal/lab"
	"github.com/replimend/replimend/internal/patch"
	"github.com/replimend/replimend/internal/policy"
	"github.com/replimend/replimend/internal/remedy"
	"github.com/replimend/replimend/internal/route"
	"github.com/replimend/replimend/internal/settings"
	"github.com/replimend/replimend/internal/signal"
	"github.com/replimend/replimend/internal/snapshot"
)

// The route of testdata/world.json. Its role may not decrypt, and the policy of the replica's key does not name it: a cure
// takes two edits in two accounts.
const (
	source      = "amzn-s3-demo-source"
	destination = "amzn-s3-demo-destination"
	role        = "arn:aws:iam::111122223333:role/service-role/replication"
	replicaKey  = "arn:aws:kms:eu-west-1:444455556666:key/1234abcd-12ab-34cd-56ef-0987654321ab"
	objectKey   = "ledger/jane-doe-passport.pdf"
)

var (
	roleRef   = snapshot.Ref{Kind: snapshot.RolePolicy, ID: role, Name: "Replimend"}
	keyRef    = snapshot.Ref{Kind: snapshot.ReplicaKeyPolicy, ID: replicaKey}
	bucketRef = snapshot.Ref{Kind: snapshot.DestinationBucketPolicy, ID: destination}
)

// world is the lab with the workflow over it. The function fields come before what the lab does; an error of theirs is the
// port's.
type world struct {
	*lab.Cloud
	t        testing.TB
	workflow remedy.Workflow
	notes    *remedy.Notes
	now      time.Time
	messages []incident.Message

	onPut    func(n int, ref snapshot.Ref) error // n counts from 1
	afterPut func(n int, ref snapshot.Ref) error
	onReplay func() error
	onNotify func() error
	onLook   func(n int) error
	// onSnapshot changes what a look sees.
	onSnapshot func(*snapshot.Snapshot)
	onRecord   func(incident.Incident) error
	answer     func(incident.Incident) incident.Approval
	said       []incident.Approval // by several people, in place of answer
	onSwitch   func(n int) error
	onUse      func() error
	onAnswer   func() error

	slow               bool // S3 does not work replays off at once
	puts, looks, asked int
	by                 []incident.Authority // of each put
	used               []incident.Approval
	replays            []incident.Replay
	replayed           map[string][]snapshot.Object // by incident
	failedBy           []signal.Signal
}

func newWorld(t testing.TB, change func(*snapshot.Snapshot)) *world {
	t.Helper()
	data, err := os.ReadFile("testdata/world.json")
	if err != nil {
		t.Fatal(err)
	}
	s, err := snapshot.Parse(data)
	if err != nil {
		t.Fatal(err)
	}
	if change != nil {
		change(s)
	}
	w := &world{t: t, now: time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)}
	if w.Cloud, err = lab.New(s, lab.Options{}); err != nil {
		t.Fatal(err)
	}
	w.notes = &remedy.Notes{Now: func() time.Time { return w.now }}
	w.workflow = remedy.Workflow{
		Settings: &settings.Settings{
			Version: 1, Limits: settings.DefaultLimits(), Approvals: settings.Approvals{Approvers: []policy.ARN{
				{Partition: "aws", Service: "iam", Account: "111122223333", Resource: "role/admin"},
				{Partition: "aws", Service: "iam", Account: "111122223333", Resource: "user/*"},
			}},
		},
		Snapshotter: w, Store: w, Replayer: w,
		Journal: w, Locker: w.notes, Switches: w, Notifier: w, Approver: w, Now: func() time.Time { return w.now }, Worker: "test",
	}
	return w
}

// approve pins every route of the cloud as it is, in that mode.
func (w *world) approve(mode settings.Mode) {
	w.t.Helper()
	s := w.see()
	for _, r := range route.Routes(s) {
		a, err := guard.Pin(r, s)
		if err != nil {
			w.t.Fatal(err)
		}
		a.Mode, a.Allow.NoBoundary = mode, true
		w.workflow.Settings.Routes = append(w.workflow.Settings.Routes, a)
	}
}

// fail writes an object, lets S3 fail to replicate it, and keeps the event.
func (w *world) fail(key string) {
	w.t.Helper()
	if _, err := w.PutObject(source, key, lab.PutOptions{Size: 7}); err != nil {
		w.t.Fatal(err)
	}
	if err := w.Replicate(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
	for _, e := range w.Events() {
		found, err := signal.Parse(e)
		if err != nil {
			w.t.Fatal(err)
		}
		w.failedBy = append(w.failedBy, found...)
	}
	if len(w.failedBy) == 0 {
		w.t.Fatal("the route replicates: there is no failure to handle")
	}
}

// handle hands the failures to the workflow, which must answer with one incident.
func (w *world) handle(ctx context.Context) (incident.Incident, error) {
	w.t.Helper()
	incidents, err := w.workflow.Handle(ctx, w.failedBy)
	if len(incidents) != 1 {
		w.t.Fatalf("%d incidents, want one: %v", len(incidents), err)
	}
	return incidents[0], err
}

func (w *world) see() *snapshot.Snapshot {
	w.t.Helper()
	s, err := w.Cloud.Snapshot(w.t.Context(), source)
	if err != nil {
		w.t.Fatal(err)
	}
	return s
}

// documents is what the workflow may write, as text.
func (w *world) documents() string {
	s := w.see()
	var out []string
	for _, ref := range []snapshot.Ref{roleRef, keyRef, bucketRef} {
		d := s.Document(ref)
		if d.State == snapshot.Absent {
			out = append(out, ref.String()+" absent")
			continue
		}
		out = append(out, ref.String()+" "+d.V.Indent())
	}
	return strings.Join(out, "\n")
}

// somebodyAdds makes an edit that is not the workflow's.
func (w *world) somebodyAdds(ref snapshot.Ref, statement string) {
	w.t.Helper()
	d, err := policy.Parse([]byte(`{"Version": "2012-10-17", "Statement": [` + statement + `]}`))
	if err != nil {
		w.t.Fatal(err)
	}
	if err := w.SetPolicy(ref, snapshot.Of(w.see().Document(ref).V.Append(d.Statements...))); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) Snapshot(ctx context.Context, bucket string, samples []incident.Object) (*snapshot.Snapshot, error) {
	w.looks++
	if w.onLook != nil {
		if err := w.onLook(w.looks); err != nil {
			return nil, err
		}
	}
	s, err := w.Cloud.Snapshot(ctx, bucket)
	if err != nil {
		return nil, err
	}
	if w.onSnapshot != nil {
		w.onSnapshot(s)
	}
	for _, o := range samples {
		head, err := w.Cloud.Head(bucket, o.Key, o.VersionID)
		there := slices.ContainsFunc(s.Objects, func(k snapshot.Object) bool { return k.Key == o.Key && k.VersionID == o.VersionID })
		if err == nil && !there {
			s.Objects = append(s.Objects, head)
		}
	}
	return s, nil
}

func (w *world) Put(ctx context.Context, by incident.Authority, e patch.Edit) error {
	w.puts++
	w.by = append(w.by, by)
	if w.onPut != nil {
		if err := w.onPut(w.puts, e.Document); err != nil {
			return err
		}
	}
	n := w.puts
	if err := w.Cloud.Put(ctx, e.Document, e.Before, e.After); err != nil || w.afterPut == nil {
		return err
	}
	return w.afterPut(n, e.Document)
}

func (w *world) Replay(ctx context.Context, q incident.Replay) (incident.Job, error) {
	job := incident.Job{ID: q.Incident, State: incident.JobComplete}
	w.replays = append(w.replays, q)
	if w.replayed == nil {
		w.replayed = map[string][]snapshot.Object{}
	}
	if w.onReplay != nil {
		if err := w.onReplay(); err != nil {
			return incident.Job{}, err
		}
	}
	var objects []snapshot.Object
	for _, o := range q.Objects {
		objects = append(objects, snapshot.Object{Bucket: q.Bucket, Key: o.Key, VersionID: o.VersionID})
	}
	if len(q.Objects) == 0 { // S3 finds what failed by itself
		for _, o := range w.see().Objects {
			if o.Bucket == q.Bucket && o.ReplicationStatus.V == "FAILED" {
				objects = append(objects, o)
			}
		}
	}
	if err := w.Cloud.Replay(ctx, q.Bucket, objects); err != nil {
		return incident.Job{}, err
	}
	if w.slow {
		w.replayed[q.Incident] = append(w.replayed[q.Incident], objects...)
		job.State = incident.JobRunning
		return job, nil
	}
	if err := w.Replicate(ctx); err != nil {
		return job, err
	}
	w.replayed[q.Incident] = append(w.replayed[q.Incident], objects...)
	for _, o := range w.replayed[q.Incident] {
		if head, err := w.Cloud.Head(q.Bucket, o.Key, o.VersionID); err == nil && head.ReplicationStatus.V == "COMPLETED" {
			job.Succeeded++
		}
	}
	return job, nil
}

func (w *world) Head(_ context.Context, bucket, key, versionID string) (snapshot.Object, error) {
	o, err := w.Cloud.Head(bucket, key, versionID)
	if err != nil { // the one error that it has
		err = fmt.Errorf("%w: %w", incident.ErrGone, err)
	}
	return o, err
}

// deleteLatest deletes the latest version of an object for good.
func (w *world) deleteLatest(key string) error {
	o, err := w.Cloud.Head(source, key, "")
	if err != nil {
		return err
	}
	return w.DeleteVersion(source, key, o.VersionID)
}

func (w *world) Notify(ctx context.Context, m incident.Message) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if w.onNotify != nil {
		if err := w.onNotify(); err != nil {
			return err
		}
	}
	w.messages = append(w.messages, m)
	return nil
}

func (w *world) Thrown(ctx context.Context, accounts []string) ([]string, error) {
	w.asked++
	if w.onSwitch != nil {
		if err := w.onSwitch(w.asked); err != nil {
			return nil, err
		}
	}
	return w.notes.Thrown(ctx, accounts)
}

func (w *world) Open(ctx context.Context, i incident.Incident) (incident.Incident, error) {
	return w.notes.Open(ctx, i)
}

func (w *world) Get(ctx context.Context, id string) (incident.Incident, error) {
	return w.notes.Get(ctx, id)
}

func (w *world) List(ctx context.Context, f incident.Filter) ([]incident.Summary, error) {
	return w.notes.List(ctx, f)
}

func (w *world) Past(ctx context.Context, r incident.Route, since time.Time) (incident.Past, error) {
	return w.notes.Past(ctx, r, since)
}

func (w *world) Record(ctx context.Context, i incident.Incident) (incident.Incident, error) {
	if err := ctx.Err(); err != nil {
		return i, err
	}
	if w.onRecord != nil {
		if err := w.onRecord(i); err != nil {
			return i, err
		}
	}
	return w.notes.Record(ctx, i)
}

func (w *world) Use(_ context.Context, a incident.Approval) error {
	w.used = append(w.used, a)
	if w.onUse != nil {
		return w.onUse()
	}
	return nil
}

func (w *world) Answers(_ context.Context, q remedy.Question) ([]incident.Approval, error) {
	if w.onAnswer != nil {
		if err := w.onAnswer(); err != nil {
			return nil, err
		}
	}
	if w.answer == nil {
		return w.said, nil
	}
	return []incident.Approval{w.answer(q.Incident)}, nil
}
