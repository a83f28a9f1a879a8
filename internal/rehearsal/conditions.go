package rehearsal

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/replimend/replimend/internal/diagnose"
	"github.com/replimend/replimend/internal/incident"
	"github.com/replimend/replimend/internal/jsontree"
	"github.com/replimend/replimend/internal/patch"
	"github.com/replimend/replimend/internal/policy"
	"github.com/replimend/replimend/internal/remedy"
	"github.com/replimend/replimend/internal/signal"
	"github.com/replimend/replimend/internal/snapshot"
)

// The verbs for everything around a route: other owners' changes, what cannot be read, what was done before.

// changeWorld lets somebody change buckets, roles, keys or guardrails, as a merge patch of the snapshot says; null deletes.
func changeWorld(ctx context.Context, st *stage, args []string) error {
	st.tell(Step{Title: "fault", Text: "somebody changes the world: " + compact([]byte(st.parts[args[0]]))})
	return st.change(ctx, args[0])
}

func (st *stage) change(ctx context.Context, file string) error {
	s, patch, err := st.merged(ctx, file)
	if err != nil {
		return err
	}
	for _, f := range patch.Get("buckets").Fields {
		if err := st.changeBucket(f.Name, s.Buckets[f.Name]); err != nil {
			return err
		}
	}
	for _, f := range patch.Get("roles").Fields {
		arn, err := policy.ParseARN(f.Name)
		if err != nil {
			return err
		}
		if role, ok := s.Roles[arn].Get(); !ok {
			err = st.cloud.DeleteRole(arn)
		} else {
			err = st.cloud.EditRole(arn, func(r *snapshot.Role) { *r = role })
		}
		if err != nil {
			return err
		}
	}
	for _, f := range patch.Get("keys").Fields {
		arn, err := policy.ParseARN(f.Name)
		if err != nil {
			return err
		}
		if key, ok := s.Keys[arn].Get(); !ok {
			err = st.cloud.DeleteKey(arn)
		} else {
			err = st.cloud.EditKey(arn, func(k *snapshot.Key) { *k = key })
		}
		if err != nil {
			return err
		}
	}
	for _, f := range patch.Get("guardrails").Fields {
		st.cloud.SetGuardrails(f.Name, s.Guardrails[f.Name])
	}
	return nil
}

// changeBucket changes a bucket, deletes it, or gives a name that is free to a new one.
func (st *stage) changeBucket(name string, v snapshot.Value[snapshot.Bucket]) error {
	b, ok := v.Get()
	if !ok {
		return st.cloud.DeleteBucket(name)
	}
	if err := st.cloud.EditBucket(name, func(live *snapshot.Bucket) { *live = b }); err != nil {
		return st.cloud.CreateBucket(name, b)
	}
	return nil
}

// merged is the world with the merge patch of a file on it, and the patch.
func (st *stage) merged(ctx context.Context, file string) (*snapshot.Snapshot, jsontree.Node, error) {
	s, err := st.cloud.Snapshot(ctx, st.bucket)
	if err != nil {
		return nil, jsontree.Node{}, err
	}
	patch, err := jsontree.Parse([]byte(st.parts[file]), snapshot.MaxSize)
	if err != nil {
		return nil, patch, fmt.Errorf("%s: %w", file, err)
	}
	out, err := patched(s, patch)
	return out, patch, err
}

// patched is the snapshot with a merge patch on it.
func patched(s *snapshot.Snapshot, patch jsontree.Node) (*snapshot.Snapshot, error) {
	base, err := jsontree.Parse([]byte(s.Indent()), snapshot.MaxSize)
	if err != nil {
		return nil, err
	}
	return snapshot.Parse([]byte(merge(base, patch).Indent()))
}

// meanwhile has somebody change the world in the middle of the cure: before S3 replays.
func meanwhile(_ context.Context, st *stage, args []string) error {
	st.meanwhile = args[0]
	return nil
}

// unread keeps the product from reading what a merge patch of the snapshot says is "not read". The cloud goes on as it is.
func unread(_ context.Context, st *stage, args []string) error {
	n, err := jsontree.Parse([]byte(st.parts[args[0]]), snapshot.MaxSize)
	if err != nil {
		return fmt.Errorf("%s: %w", args[0], err)
	}
	st.unread = n
	st.tell(Step{Title: "view", Text: "what cannot be read: " + compact([]byte(st.parts[args[0]]))})
	return nil
}

// seen is the cloud as the product can read it.
func (st *stage) seen(ctx context.Context, source string) (*snapshot.Snapshot, error) {
	s, err := st.cloud.Snapshot(ctx, source)
	if err != nil || !st.unread.Present() {
		return s, err
	}
	return patched(s, st.unread)
}

// reported is an event that S3 sends for a reason that the lab does not play, or that somebody else makes up. It names the destination,
// as every event does: that of the rule, none where the bucket has no such rule.
func reported(ctx context.Context, st *stage, args []string) error {
	bucket, rule, key, reason := args[0], args[1], args[2], args[3]
	s, err := st.cloud.Snapshot(ctx, bucket)
	if err != nil {
		return err
	}
	var to string
	for _, r := range s.Buckets[bucket].V.Replication.V.Rules {
		if r.ID == rule {
			to = r.Destination.Bucket
		}
	}
	st.signals = append(st.signals, signal.Signal{
		Kind: signal.Failed, Bucket: bucket, Rule: rule, Destination: to, Key: key, Operation: "OBJECT_PUT", Reason: reason, EventTime: st.clock(),
	})
	st.tell(Step{Title: "event", Text: fmt.Sprintf("S3 is said to report %s of %s in %s, rule %s", reason, key, bucket, rule)})
	return nil
}

// setSettings merges a file into the settings, all but the routes.
func setSettings(_ context.Context, st *stage, args []string) error {
	if err := json.Unmarshal([]byte(st.parts[args[0]]), st.settings); err != nil {
		return fmt.Errorf("%s: %w", args[0], err)
	}
	st.tell(Step{Title: "set-up", Text: "settings: " + compact([]byte(st.parts[args[0]]))})
	return nil
}

func throwSwitch(_ context.Context, st *stage, args []string) error {
	st.notes.Throw(args[0])
	st.tell(Step{Title: "set-up", Text: "the kill switch is thrown: " + args[0]})
	return nil
}

// breaking says what CloudTrail would: who made the change that broke the route.
func breaking(_ context.Context, st *stage, args []string) error {
	st.breaking = &incident.Call{Event: args[0], Principal: args[1], At: st.clock()}
	st.tell(Step{Title: "history", Text: fmt.Sprintf("CloudTrail has %s by %s", args[0], args[1])})
	return nil
}

// wait lets hours pass.
func wait(_ context.Context, st *stage, args []string) error {
	hours, err := strconv.Atoi(args[0])
	if err != nil {
		return err
	}
	st.now = st.now.Add(time.Duration(hours) * time.Hour)
	st.tell(Step{Title: "history", Text: args[0] + " hours pass"})
	return nil
}

// journal is the notes, and what CloudTrail knows.
type journal struct {
	*remedy.Notes
	breaking *incident.Call
}

func (j journal) Open(ctx context.Context, i incident.Incident) (incident.Incident, error) {
	i.Breaking = j.breaking
	return j.Notes.Open(ctx, i)
}

// forge replaces what an edit of the plan writes by a document of somebody's own making, with the proof that such a plan has. The
// guard is asked about that plan then; the workflow plans for itself, so that it cannot be given one.
func forge(ctx context.Context, st *stage, args []string) error {
	kind, ok := documentKinds[args[0]]
	if !ok || st.route == nil || st.route.Plan == nil {
		return fmt.Errorf("there is no plan with an edit of %s", args[0])
	}
	plan := *st.route.Plan
	plan.Edits = slices.Clone(plan.Edits)
	i := slices.IndexFunc(plan.Edits, func(e patch.Edit) bool { return e.Document.Kind == kind })
	if i < 0 {
		return fmt.Errorf("the plan has no edit of %s", args[0])
	}
	d, err := policy.Parse([]byte(st.parts[args[1]]))
	if err != nil {
		return fmt.Errorf("%s: %w", args[1], err)
	}
	plan.Edits[i].After = snapshot.Of(d)
	if plan.Proof.After, err = st.proven(ctx, plan); err != nil {
		return err
	}
	st.route.Plan = &plan
	st.tell(Step{Title: "forgery", Text: "somebody hands in another plan"})
	st.tell(Step{Title: "plan", Plan: &plan})
	return nil
}

// proven is what the route would be with the plan.
func (st *stage) proven(ctx context.Context, plan patch.Plan) (string, error) {
	s, err := st.seen(ctx, st.route.Source)
	if err != nil {
		return "", err
	}
	after, err := plan.Apply(s)
	if err != nil {
		return "", err
	}
	for _, r := range diagnose.Diagnose(after, nil).Routes {
		if r.Source == st.route.Source && r.Rule == st.route.Rule {
			return string(r.Verdict), nil
		}
	}
	return "", fmt.Errorf("the plan leaves no route")
}

// fill makes an inline policy of a role about that many characters longer, with what has nothing to do with replication.
func fill(ctx context.Context, st *stage, args []string) error {
	r := snapshot.Ref{Kind: snapshot.RolePolicy, ID: args[0], Name: args[1]}
	n, err := strconv.Atoi(args[2])
	if err != nil {
		return err
	}
	live, err := st.live(ctx, r)
	if err != nil {
		return err
	}
	spec := policy.StatementSpec{Effect: policy.Allow, Actions: []string{"sns:Publish"}, Sid: "Elsewhere"}
	for i := range n / 50 {
		spec.Resources = append(spec.Resources, fmt.Sprintf("arn:aws:sns:us-east-1:111122223333:%s%03d", strings.Repeat("x", 7), i))
	}
	s, err := spec.Build()
	if err != nil {
		return err
	}
	st.tell(Step{Title: "fault", Text: fmt.Sprintf("somebody makes %s longer by %d characters", r, n)})
	return st.cloud.SetPolicy(r, snapshot.Of(live.V.Append(s)))
}
