package remedy

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/replimend/replimend/internal/diagnose"
	"github.com/replimend/replimend/internal/guard"
	"github.com/replimend/replimend/internal/incident"
	"github.com/replimend/replimend/internal/patch"
	"github.com/replimend/replimend/internal/policy"
	"github.com/replimend/replimend/internal/settings"
	"github.com/replimend/replimend/internal/snapshot"
)

// message says what broke, what was changed, and who may undo it.
func (r *run) message() incident.Message {
	if r.watched() && r.incident.Outcome == incident.Refused {
		return r.warning()
	}
	i := r.incident
	broken := told(r.route.Findings)
	content := incident.Message{
		Headline: r.headline(),
		Broke:    broke(broken),
		Causes:   causes(broken),
		Undo:     undoing(i.Changes),
		ByHand:   r.byHand(),
		Steps:    r.steps(),
		Happened: r.happened(),
		Fields:   r.fields(),
		Accounts: r.accounts(),
		At:       r.workflow.Now(),
	}
	if a, ok := r.workflow.approved(i.Route); ok {
		content.Labels = a.Labels
	}
	if i.Outcome == incident.AwaitingApproval {
		content.Plan = i.Plan
	}
	if !r.unapproved() {
		content.Diff = r.plan.Diff()
		if r.owned() {
			content.Code = asCode(r.plan)
		}
	}
	for _, reason := range r.verdict.Reasons {
		content.Why = append(content.Why, reason.Rule+": "+reason.Text)
		if !slices.Contains(content.Rules, reason.Rule) {
			content.Rules = append(content.Rules, reason.Rule)
		}
	}
	hide := r.hider()
	for _, texts := range [][]string{content.Broke, content.Why, content.ByHand, content.Steps, content.Happened} {
		for n := range texts {
			texts[n] = hide.Replace(texts[n])
		}
	}
	return incident.NewMessage(i, content)
}

// headline is what happened, in the fewest words. A route can be in order where an object or a job is not.
func (r *run) headline() incident.Headline {
	switch o := r.incident.Outcome; {
	case o == incident.Refused && r.watched():
		if _, approved := guard.Differences(r.route.Of, r.view.snapshot, r.workflow.Settings); approved {
			return incident.HeadChangedRule
		}
		return incident.HeadUnapprovedRule
	case o == incident.Manual && r.route.Verdict == diagnose.Healthy:
		return incident.HeadNotReplicated
	case o == incident.Manual && r.route.Verdict == diagnose.Degraded:
		return incident.HeadDegraded
	case o == incident.Manual && r.route.Verdict != diagnose.Broken:
		return incident.HeadUnknown
	case o == incident.Escalated && r.forbidden():
		return incident.HeadOnPurpose
	case o == incident.Escalated && r.recalled() != "":
		return incident.HeadRecalled
	case o == incident.AwaitingApproval && r.incident.Proposal != nil && len(r.incident.Proposal.Approvers) > 0:
		return incident.HeadOneMore
	default:
		return o.Headline()
	}
}

// notWritable is the cause that stands in the way of a plan which is known.
const notWritable = "document-not-writable"

// told is the faults, or without one what comes nearest. Where the cure is known and cannot be written, that is told as well.
func told(findings []diagnose.Finding) []diagnose.Finding {
	var out []diagnose.Finding
	for _, severity := range []diagnose.Severity{diagnose.Fault, diagnose.Warning} {
		found := len(out)
		for _, f := range findings {
			if f.Severity == severity && (found == 0 || f.Cause == notWritable) {
				out = append(out, f)
			}
		}
	}
	return out
}

// broke is what the findings say.
func broke(findings []diagnose.Finding) []string {
	var out []string
	for _, f := range findings {
		out = append(out, fmt.Sprintf("%s (%s side): %s", f.Cause, f.Side, f.Message))
	}
	return out
}

// causes is the names of their causes, each once.
func causes(findings []diagnose.Finding) []string {
	var out []string
	for _, f := range findings {
		if !slices.Contains(out, f.Cause) {
			out = append(out, f.Cause)
		}
	}
	return out
}

// accounts is whose the source and the destination are, as far as that is known.
func (r *run) accounts() []string {
	of := []string{r.route.Of.DestinationAccount}
	if s := r.view.snapshot; s != nil {
		of = append(of, s.Buckets[r.incident.Route.Source].V.Account)
	}
	if a, ok := r.workflow.approved(r.incident.Route); ok {
		of = append(of, a.Source.Account, a.Destination.Account)
	}
	of = slices.DeleteFunc(of, func(account string) bool { return account == "" })
	slices.Sort(of)
	return slices.Compact(of)
}

// approved is the approved route of that source, rule and destination.
func (w *Workflow) approved(r incident.Route) (settings.ApprovedRoute, bool) {
	return w.Settings.Approved(r.Source, r.Rule, r.Destination)
}

// unapproved says whether the route is not one that somebody approved. Then the message proposes no grant: who made the route
// may be waiting for somebody to grant it.
func (r *run) unapproved() bool {
	return slices.ContainsFunc(r.verdict.Reasons, func(x guard.Reason) bool { return x.Rule == guard.ApprovedRoute })
}

// forbidden says whether somebody protected broke the route.
func (r *run) forbidden() bool {
	return r.incident.Breaking != nil && r.workflow.judge(*r.incident.Breaking).Decision == guard.Refuse
}

// owned says whether something takes out again what is added: most likely the documents are kept as code, and the fix has to go there.
func (r *run) owned() bool {
	return slices.ContainsFunc(r.verdict.Reasons, func(x guard.Reason) bool { return x.Rule == guard.RemovedAgain })
}

// asCode is what each document of a plan lacks, as a policy document. Terraform takes one in source_policy_documents, CloudFormation and
// the CDK take its statements as they are. The other forms of package iac are printed by the command line: they are more than a function
// should carry.
func asCode(p patch.Plan) string {
	var b strings.Builder
	for _, e := range p.Edits {
		lacks := policy.New(added(e.Before, e.After)...)
		fmt.Fprintf(&b, "# %s, in account %s, lacks\n%s\n", e.Document, e.Account, lacks.Indent())
	}
	return b.String()
}

// mostTold is how much of a timeline is told, the last of it: a message that is cut at its end would lose what happened just now.
const mostTold = 10

// happened is what the timeline says since the incident was opened.
func (r *run) happened() []string {
	var out []string
	for _, e := range r.incident.Timeline {
		out = append(out, e.Text)
	}
	out = out[min(1, len(out)):]
	if more := len(out) - mostTold; more > 0 {
		return append([]string{fmt.Sprintf("%d entries before", more)}, out[more:]...)
	}
	return out
}

// undoing says for each document that stands changed who may undo it, and how.
func undoing(changes []incident.Change) []string {
	var out []string
	for _, c := range changes {
		if c.State == incident.Undone || c.State == incident.Unmade {
			continue
		}
		who := fmt.Sprintf("whoever may write the %s of %s in account %s", c.Kind, c.ID, c.Account)
		if c.State == incident.Overrun {
			out = append(out, fmt.Sprintf("%s: somebody changed it since; look whether it still has %s", who, strings.Join(sids(c), ", ")))
			continue
		}
		if arn, err := policy.ParseARN(c.ID); err == nil && c.Before == nil && c.Kind == string(snapshot.RolePolicy) {
			out = append(out, fmt.Sprintf("%s: aws iam delete-role-policy --role-name %s --policy-name %s", who, arn.Name(), c.Name))
			continue
		}
		out = append(out, fmt.Sprintf("%s: take out %s", who, strings.Join(sids(c), ", ")))
	}
	return out
}

// sids is the statements that a change added.
func sids(c incident.Change) []string {
	var before []policy.Statement
	if c.Before != nil {
		before = c.Before.Statements
	}
	var out []string
	if c.After != nil {
		for i, s := range c.After.Statements {
			if !slices.ContainsFunc(before, s.Equal) {
				out = append(out, "statement "+s.Name(i))
			}
		}
	}
	return out
}

// steps is what a person can do next.
func (r *run) steps() []string {
	switch r.incident.Outcome {
	case incident.Refused:
		if r.unapproved() {
			return []string{
				"find out who made the route as it is: whoever may write replication rules can make it fail and wait for help",
				"when it is meant to be, pin it as it is now in replimend.yaml",
			}
		}
		if r.owned() {
			return []string{
				"what is added is taken out again: add it to the code that the documents are kept as",
				"replimend plan --live " + r.incident.Route.Source + " --format terraform prints it for Terraform; cloudformation, cdk and awscli are other formats",
			}
		}
		return []string{"make the change by hand after a review, or change what the reasons name in replimend.yaml"}
	case incident.AwaitingApproval:
		return []string{fmt.Sprintf(
			"replimend approve %[1]s shows plan %[2]s and asks, replimend reject %[1]s declines it; without an answer nothing is done", r.incident.ID, r.incident.Plan,
		)}
	case incident.Escalated:
		if r.recalled() != "" {
			return []string{"the next failure is looked at like any other, but a person has to agree to the next cure"}
		}
		if r.forbidden() {
			return []string{"ask " + r.incident.Breaking.Principal + " whether the route may replicate; Replimend does not mend it while that change is recent"}
		}
		return []string{"a person has to look at the causes above"}
	case incident.Manual:
		return []string{"a person has to look at the causes above"}
	case incident.Applied:
		return []string{"replay the versions that failed, or write one object under the rule and see it replicate"}
	case incident.Open, incident.Ignored, incident.Healthy, incident.Declined, incident.Proven, incident.Resolved, incident.Suppressed:
	}
	return nil
}

func (r *run) fields() []incident.Field {
	i := r.incident
	fields := []incident.Field{
		{Name: "route", Value: i.Route.String()},
		{Name: "role", Value: r.route.Role},
		{Name: "broken by", Value: brokenBy(i)},
		{Name: "approved by", Value: i.Approver},
		{Name: "taken back by", Value: r.recalled()},
		{Name: "exposure", Value: i.Exposure().Text(r.workflow.Now())},
		{Name: "not in it", Value: notCounted(i)},
		{Name: "S3's reasons", Value: strings.Join(i.Failures.Reasons, ", ")},
		{Name: "first failure", Value: moment(i.Failures.First)},
		{Name: "last failure", Value: moment(i.Failures.Last)},
		{Name: "plan", Value: i.Plan},
	}
	if p := r.plan.Proof; p.After != "" {
		fields = append(fields, incident.Field{Name: "verdict", Value: p.Before + ", and " + p.After + " with the plan"})
	}
	return fields
}

// notCounted is what the exposure of an incident does not know, where it says anything.
func notCounted(i incident.Incident) string {
	if i.Exposure().Empty() {
		return ""
	}
	return incident.NotCounted
}

func moment(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}

// hider takes the keys of objects out of texts: a key may hold what not everybody in a chat may know. Findings name objects
// by ARN only.
func (r *run) hider() *strings.Replacer {
	var keys []string
	if s := r.view.snapshot; s != nil {
		for _, o := range s.Objects {
			keys = append(keys, o.Key)
		}
	}
	for _, h := range r.hints.signals {
		keys = append(keys, h.Key)
	}
	for _, d := range r.hints.denials {
		if arn, err := policy.ParseARN(d.Context); err == nil {
			_, key, _ := strings.Cut(arn.Resource, "/")
			keys = append(keys, key)
		}
	}
	// The longest first: one key can be the beginning of another.
	slices.SortFunc(keys, func(a, b string) int { return len(b) - len(a) })
	var pairs []string
	for _, bucket := range []string{r.incident.Route.Source, r.incident.Route.Destination} {
		for _, key := range keys {
			if key != "" {
				pairs = append(pairs, bucket+"/"+key, bucket+"/(an object)")
			}
		}
	}
	return strings.NewReplacer(pairs...)
}

func brokenBy(i incident.Incident) string {
	if i.Breaking == nil {
		return ""
	}
	return i.Breaking.String()
}
