package rehearsal

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/replimend/replimend/internal/awserr"
	"github.com/replimend/replimend/internal/diagnose"
	"github.com/replimend/replimend/internal/guard"
	"github.com/replimend/replimend/internal/incident"
	"github.com/replimend/replimend/internal/jsontree"
	"github.com/replimend/replimend/internal/lab"
	"github.com/replimend/replimend/internal/patch"
	"github.com/replimend/replimend/internal/policy"
	"github.com/replimend/replimend/internal/remedy"
	"github.com/replimend/replimend/internal/settings"
	"github.com/replimend/replimend/internal/signal"
	"github.com/replimend/replimend/internal/snapshot"
)

// stage is one scenario as it plays: the cloud, and everything that the workflow needs from it.
type stage struct {
	cloud    *lab.Cloud
	parts    map[string]string
	settings *settings.Settings
	tell     func(Step)
	now      time.Time
	bucket   string // any bucket of the world: looking at one shows the whole world

	signals []signal.Signal // of events that nobody handled yet
	route   *diagnose.Route // as last looked at
	// What somebody asked about, and what the last diagnosis said that concerns no route.
	samples  [][2]string // bucket and key
	findings []diagnose.Finding
	access   *diagnose.Access
	notes    *remedy.Notes
	written  []snapshot.Object // every object that was put, as it was when S3 had tried
	writes   int
	shown    int // of the writes: those after which the route was looked at
	told     int // messages
	consent  bool
	recalls  bool // somebody wants the last cure back

	unread    jsontree.Node  // what the product may not read: a merge patch of what it sees
	breaking  *incident.Call // what CloudTrail knows of the change that broke the route
	meanwhile string         // the file of what somebody changes before the next replay
}

func newStage(s Scenario, options lab.Options, tell func(Step)) (*stage, error) {
	st := &stage{
		parts: s.parts, tell: tell,
		settings: &settings.Settings{Limits: settings.DefaultLimits(), Approvals: settings.Approvals{Approvers: []policy.ARN{onCall}}},
		now:      time.Date(2026, time.November, 22, 3, 0, 0, 0, time.UTC),
	}
	for name := range s.world.Buckets {
		st.bucket = max(st.bucket, name)
	}
	options.Now = st.clock
	if readings := strings.Fields(s.parts["readings"]); len(readings) > 0 {
		options.Disputed = map[string]bool{}
		for _, r := range readings {
			options.Disputed[r] = true
		}
	}
	st.notes = &remedy.Notes{Now: st.clock}
	var err error
	st.cloud, err = lab.New(s.world, options)
	return st, err
}

// clock is the one time of cloud and workflow: it advances by a second a look, so that the same story tells the same times.
func (st *stage) clock() time.Time {
	st.now = st.now.Add(time.Second)
	return st.now
}

func (st *stage) workflow() *remedy.Workflow {
	return &remedy.Workflow{
		Settings: st.settings, Snapshotter: snapshotter{st}, Store: store{st}, Replayer: replayer{st}, Journal: journal{st.notes, st.breaking},
		Locker: st.notes, Switches: st.notes, Notifier: notifier{st}, Approver: approver{st}, Now: st.clock, Worker: "rehearsal",
	}
}

// look diagnoses the route as it is now.
func (st *stage) look(ctx context.Context, source, rule string) error {
	s, err := st.snapshot(ctx, source)
	if err != nil {
		return err
	}
	d := diagnose.Diagnose(s, st.signals)
	st.findings = d.Findings
	i := slices.IndexFunc(d.Routes, func(r diagnose.Route) bool { return r.Source == source && r.Rule == rule })
	if i < 0 {
		return fmt.Errorf("there is no enabled rule %s of bucket %s", rule, source)
	}
	st.route = &d.Routes[i]
	st.tell(Step{Title: "diagnosis", Route: st.route})
	if st.route.Plan != nil {
		st.tell(Step{Title: "plan", Plan: st.route.Plan})
	}
	return nil
}

// snapshot is the cloud as it is, with the objects that somebody asked about.
func (st *stage) snapshot(ctx context.Context, source string) (*snapshot.Snapshot, error) {
	s, err := st.seen(ctx, source)
	if err != nil {
		return nil, err
	}
	for _, name := range st.samples {
		o, err := st.latest(name[0], name[1])
		if err != nil {
			return nil, err
		}
		same := func(other snapshot.Object) bool {
			return other.Bucket == o.Bucket && other.Key == o.Key && other.VersionID == o.VersionID
		}
		if !slices.ContainsFunc(s.Objects, same) {
			s.Objects = append(s.Objects, o)
		}
	}
	return s, nil
}

// verdict is what the guard says of the plan of the route.
func (st *stage) verdict(ctx context.Context) (guard.Verdict, error) {
	if st.route == nil || st.route.Plan == nil {
		return guard.Verdict{}, fmt.Errorf("there is no plan to judge")
	}
	s, err := st.seen(ctx, st.route.Source)
	if err != nil {
		return guard.Verdict{}, err
	}
	now := st.clock()
	past, err := st.notes.Past(ctx, incident.Route{Source: st.route.Source, Rule: st.route.Rule, Destination: st.route.Destination}, now.Add(-time.Hour))
	if err != nil {
		return guard.Verdict{}, err
	}
	h := remedy.History(past, *st.route.Plan, now)
	h.Breaking = st.breaking
	if h.KillSwitches, err = st.notes.Thrown(ctx, nil); err != nil {
		return guard.Verdict{}, err
	}
	v := guard.Check(*st.route.Plan, st.route.Of, s, st.settings, h)
	st.tell(Step{Title: "guard", Verdict: &v})
	return v, nil
}

// snapshotter is the cloud as it is. After a patch the workflow looks again, and so does whoever watches.
type snapshotter struct{ *stage }

func (s snapshotter) Snapshot(ctx context.Context, source string, _ []incident.Object) (*snapshot.Snapshot, error) {
	out, err := s.seen(ctx, source)
	if err != nil || s.shown == s.writes || s.route == nil {
		return out, err
	}
	s.shown = s.writes
	for _, r := range diagnose.Diagnose(out, nil).Routes {
		if r.Source == s.route.Source && r.Rule == s.route.Rule {
			s.tell(Step{Title: "verification", Route: &r})
		}
	}
	return out, nil
}

// store is the cloud's documents, counted.
type store struct{ *stage }

func (s store) Put(ctx context.Context, _ incident.Authority, e patch.Edit) error {
	if err := s.cloud.Put(ctx, e.Document, e.Before, e.After); err != nil {
		return err
	}
	s.writes++
	s.tell(Step{Title: "patch", Text: "wrote " + e.Document.String()})
	return nil
}

// replayer is S3 Batch Replication, which in the lab is done at once.
type replayer struct{ *stage }

func (r replayer) Replay(ctx context.Context, q incident.Replay) (incident.Job, error) {
	if err := r.replayed(ctx, q); err != nil {
		return incident.Job{}, err
	}
	return incident.Job{ID: q.Incident, State: incident.JobComplete}, nil
}

func (r replayer) replayed(ctx context.Context, q incident.Replay) error {
	s, err := r.cloud.Snapshot(ctx, q.Bucket)
	if err != nil {
		return err
	}
	// Without a list S3 finds what failed by itself.
	var objects []snapshot.Object
	for _, o := range s.Objects {
		listed := slices.ContainsFunc(q.Objects, func(l incident.Object) bool { return l.Key == o.Key && l.VersionID == o.VersionID })
		if o.Bucket == q.Bucket && (listed || len(q.Objects) == 0 && o.ReplicationStatus.V == "FAILED") {
			objects = append(objects, o)
		}
	}
	r.tell(Step{Title: "replay", Text: fmt.Sprintf("S3 replicates %d failed versions of %s again", len(objects), q.Bucket)})
	if file := r.meanwhile; file != "" {
		r.meanwhile = ""
		if err := changeWorld(ctx, r.stage, []string{file}); err != nil {
			return err
		}
	}
	if err := r.cloud.Replay(ctx, q.Bucket, objects); err != nil {
		return err
	}
	return r.cloud.Replicate(ctx)
}

func (r replayer) Head(_ context.Context, bucket, key, versionID string) (snapshot.Object, error) {
	o, err := r.cloud.Head(bucket, key, versionID)
	if awserr.Is(err, awserr.Absent) {
		return o, fmt.Errorf("head version %.80q in bucket %s: %w", versionID, bucket, incident.ErrGone)
	}
	if err == nil {
		r.tell(Step{Title: "proof", Text: fmt.Sprintf("%s of %s is %s", key, bucket, o.ReplicationStatus.V)})
	}
	return o, err
}

type notifier struct{ *stage }

func (n notifier) Notify(_ context.Context, m incident.Message) error {
	n.told++
	n.tell(Step{Title: "chat message", Message: &m})
	return nil
}

// onCall is who answers.
var onCall = policy.ARN{Partition: "aws", Service: "iam", Account: "111122223333", Resource: "user/on-call"}

// approver answers as the script said, and nothing when it said nothing.
type approver struct{ *stage }

func (a approver) Answers(_ context.Context, q remedy.Question) ([]incident.Approval, error) {
	said, text := incident.Approve, "approves"
	switch {
	case a.recalls:
		said, text = incident.Undo, "wants back what was written for"
	case !a.consent || q.Incident.Stands():
		return nil, nil
	}
	a.tell(Step{Title: "answer", Text: fmt.Sprintf("%s %s plan %s", onCall, text, q.Incident.Plan[:12])})
	now := a.clock()
	return []incident.Approval{{
		Plan: q.Incident.Plan, Answer: said, Approver: onCall.String(), At: now, Expires: now.Add(time.Hour),
	}}, nil
}

func (a approver) Use(context.Context, incident.Approval) error { return nil }

// latest is the newest version of a key.
func (st *stage) latest(bucket, key string) (snapshot.Object, error) {
	return st.cloud.Head(bucket, key, "")
}

// kinds is the names of the document kinds, for people who mistype one.
func kinds() []string { return slices.Sorted(maps.Keys(documentKinds)) }
