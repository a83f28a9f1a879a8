package remedy

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/replimend/replimend/internal/guard"
	"github.com/replimend/replimend/internal/incident"
	"github.com/replimend/replimend/internal/route"
	"github.com/replimend/replimend/internal/snapshot"
)

// Unapproved is the cause of incidents about rules that nobody approved as they are.
const Unapproved = "unapproved-route"

// ErrUnowned says that no account that can be read owns a bucket.
var ErrUnowned = errors.New("no account that can be read owns the bucket")

// Watch looks at every enabled rule of a bucket after its replication was changed, and warns people of each that nobody approved as it
// is: whoever may write a rule can have S3 copy a bucket elsewhere, and the rule stays when they lose access. It opens an incident
// for each, or joins the open one, and tells of it once. It plans and writes nothing, and nothing that it tells helps the rule to work.
// Open incidents of rules that are gone are ignored from then on.
// https://hackingthe.cloud/aws/exploitation/s3-bucket-replication-exfiltration/
// https://attack.mitre.org/techniques/T1537/
//
// Changes are the calls that changed the rules, as CloudTrail recorded them; the latest is told of. The error is ErrUnowned when the
// bucket is of no account that can be read; with any other error a later call may see more.
func (w *Workflow) Watch(ctx context.Context, bucket string, changes []incident.Call) ([]incident.Incident, error) {
	out, err := w.watch(ctx, bucket, changes)
	if err != nil {
		err = fmt.Errorf("watch bucket %s: %w", bucket, err)
	}
	return out, err
}

func (w *Workflow) watch(ctx context.Context, bucket string, changes []incident.Call) ([]incident.Incident, error) {
	v, err := w.look(ctx, bucket, evidence{}, nil)
	if err != nil {
		return nil, err
	}
	if b := v.snapshot.Buckets[bucket]; b.State == snapshot.Missing || b.State == snapshot.Present && b.V.Replication.State == snapshot.Missing {
		if b.V.Account == "" && len(w.Settings.From(bucket)) == 0 {
			return nil, ErrUnowned
		}
		return nil, errors.New("its replication configuration cannot be read")
	}
	var latest []incident.Call
	if len(changes) > 0 {
		latest = []incident.Call{slices.MaxFunc(changes, func(a, b incident.Call) int { return a.At.Compare(b.At) })}
	}
	open, err := w.Journal.List(ctx, incident.Filter{Open: true, Source: bucket})
	if err != nil {
		return nil, err
	}
	var out []incident.Incident
	var errs []error
	follow := func(i incident.Incident, watching bool) {
		r := run{workflow: w, view: v, incident: i, watching: watching}
		if watching {
			r.blame(latest...)
		}
		if err := r.do(ctx); err != nil {
			errs = append(errs, fmt.Errorf("incident %s: %w", r.incident.ID, err))
		}
		out = append(out, r.incident)
	}
	for _, d := range v.diagnosis.Routes {
		if d.Source != bucket || !w.strayed(d.Of, v.snapshot) {
			continue
		}
		c := concern{route: incident.Route{Source: d.Source, Rule: d.Rule, Destination: d.Destination}}
		i, err := w.Journal.Open(ctx, c.open(w.Now()))
		if err != nil {
			errs = append(errs, fmt.Errorf("open incident of %s: %w", c.route, err))
			continue
		}
		follow(i, true)
	}
	for _, s := range open {
		if _, there := v.route(s.Route); there {
			continue
		}
		i, err := w.Journal.Get(ctx, s.ID)
		switch {
		case err != nil:
			errs = append(errs, err)
		case !i.Over():
			follow(i, false)
		}
	}
	return out, errors.Join(errs...)
}

// strayed says whether a route is not an approved one, or is known to differ from it.
func (w *Workflow) strayed(r route.Route, s *snapshot.Snapshot) bool {
	differ, approved := guard.Differences(r, s, w.Settings)
	return !approved || len(differ) > 0
}

// watched says whether the incident is about a rule that nobody approved as it is.
func (r *run) watched() bool { return r.watching || slices.Contains(r.incident.Causes, Unapproved) }

// stray says whether the rule is there and still is as nobody approved it, and has the incident say so.
func (r *run) stray() bool {
	d, ok := r.view.route(r.incident.Route)
	if !ok || !r.workflow.strayed(d.Of, r.view.snapshot) {
		return false
	}
	r.route, r.judged = d, true
	r.strange(d.Of, r.view.snapshot)
	r.incident.Plan, r.incident.Approver, r.incident.Proposal = "", "", nil
	if !slices.Equal(r.incident.Causes, []string{Unapproved}) || r.incident.Outcome != incident.Refused {
		r.incident.Causes = []string{Unapproved}
		r.become(incident.Refused, "nobody approved the rule as it is; people are warned, and nothing is done for it")
	}
	return true
}

// warning is what people are told of a rule that nobody approved as it is. It says nothing of what the rule may lack to work.
func (r *run) warning() incident.Message {
	of := r.route.Of
	differ, _ := guard.Differences(of, r.view.snapshot, r.workflow.Settings)
	made := "who changed the rules of the bucket is not known: no record of CloudTrail says"
	if c := r.incident.Breaking; c != nil {
		made = "the rules of the bucket were changed by " + c.String()
	}
	return incident.NewMessage(r.incident, incident.Message{
		Severity: incident.Critical,
		Headline: r.headline(),
		Causes:   []string{Unapproved},
		Accounts: r.accounts(),
		At:       r.workflow.Now(),
		Broke:    append([]string{r.leads(), r.owner(), made}, differ...),
		Steps: []string{
			"ask whoever made the rule what it is for",
			fmt.Sprintf("when nobody answers for it, delete rule %q of bucket %s: S3 copies as long as it is there, also when who made it has lost access", of.RuleID, of.Source),
			fmt.Sprintf("when it is meant to be, pin it with replimend routes adopt %s, and have the entry reviewed", of.Source),
		},
		Undo:     undoing(r.incident.Changes),
		Happened: r.happened(),
		Fields: []incident.Field{
			{Name: "route", Value: r.incident.Route.String()},
			{Name: "role", Value: of.RoleText},
			{Name: "replica key", Value: of.ReplicaKeyText},
		},
	})
}

// leads says what the rule copies, and whereto.
func (r *run) leads() string {
	of := r.route.Of
	what := "everything that is written to bucket " + of.Source
	if prefix, tags := of.Filter(); prefix != "" || len(tags) > 0 {
		what = fmt.Sprintf("what is written to bucket %s under prefix %q", of.Source, prefix)
		if len(tags) > 0 {
			what += " with the tags of its filter"
		}
	}
	return fmt.Sprintf("rule %q has S3 copy %s to bucket %s", of.RuleID, what, of.Destination)
}

// owner says whose the destination is, and whether they belong here. The account that the rule names is a claim of whoever wrote it.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_Destination.html
func (r *run) owner() string {
	of := r.route.Of
	if of.DestinationAccount == "" {
		text := fmt.Sprintf("who owns bucket %s is not known: no account that can be read does", of.Destination)
		if claimed := of.Rule.Destination.Account; claimed != "" {
			text += fmt.Sprintf("; the rule says account %s (%s)", claimed, r.belongs(claimed))
		}
		return text
	}
	return fmt.Sprintf("bucket %s is of account %s (%s)", of.Destination, of.DestinationAccount, r.belongs(of.DestinationAccount))
}

// belongs says in words whether an account is one of ours.
func (r *run) belongs(account string) string {
	set := r.workflow.Settings
	var of []string
	if slices.Contains(set.Accounts, account) {
		of = append(of, "an account of the settings")
	}
	if _, ok := set.Member(account); ok {
		of = append(of, "a member")
	}
	if o := r.view.snapshot.Organization; o != nil && slices.Contains(o.Accounts, account) {
		of = append(of, "of organization "+o.ID)
	}
	if len(of) == 0 {
		return "neither an account of the settings nor a member"
	}
	return strings.Join(of, ", ")
}
