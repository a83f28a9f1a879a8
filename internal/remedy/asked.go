package remedy

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/replimend/replimend/internal/guard"
	"github.com/replimend/replimend/internal/incident"
)

// errEarly is why an answer does not count that was given before the question: it was to one that is settled.
var errEarly = errors.New("the approval was given before people were asked")

// asked says whether enough people approved this very plan. It asks them where they were not asked yet.
func (r *run) asked(ctx context.Context) (bool, error) {
	people := guard.PeopleFor(r.plan, r.workflow.Settings)
	r.propose(people)
	answers, refused, err := r.answers(ctx)
	if err != nil {
		return false, fmt.Errorf("ask for approval: %w", err)
	}
	q := r.quorum(people, answers)
	r.incident.Proposal.Approvers = q.Approvers()
	switch {
	case q.Decline.Answer != incident.NoAnswer:
		r.become(incident.Declined, "declined by %s", q.Decline.Approver)
	case q.Enough():
		r.approvals, r.incident.Approver = q.Approvals, r.decided(q)
		r.log("%s", q)
		return true, nil
	case len(q.Approvals) > 0 || len(answers) > 0:
		r.become(incident.AwaitingApproval, "%s", q)
	case refused != nil:
		r.become(incident.AwaitingApproval, "%s", refused)
	default:
		r.become(incident.AwaitingApproval, "nobody answered yet: %s", q)
	}
	return false, nil
}

// answers is what people said to this question, and why the latest of what they said to another one does not count.
func (r *run) answers(ctx context.Context) (answers []incident.Approval, refused, err error) {
	if r.workflow.Approver == nil {
		return nil, nil, nil
	}
	all, err := r.workflow.Approver.Answers(ctx, Question{r.incident, r.route, r.plan, r.verdict})
	switch {
	case incident.Void(err): // there was an answer, and it is none to this question: somebody has to be asked again
		return nil, err, nil
	case err != nil:
		return nil, nil, err
	}
	for _, a := range all {
		err := a.Counts(r.incident.Plan, r.workflow.Now())
		if err == nil && a.At.Before(r.incident.Proposal.At) {
			err = errEarly
		}
		if err != nil {
			refused = cmp.Or(refused, err)
			continue
		}
		answers = append(answers, a)
	}
	return answers, refused, nil
}

// quorum is what answers to the plan come to.
func (r *run) quorum(people int, answers []incident.Approval) guard.Quorum {
	if r.workflow.Attended {
		return guard.CheckAttended(people, answers, r.workflow.Settings)
	}
	return guard.CheckApprovals(people, answers, r.incident.Breaking, r.workflow.Settings)
}

// decided is whose word made the approvals enough.
func (r *run) decided(q guard.Quorum) string {
	for n := len(q.Approvals) - 1; n > 0; n-- {
		if r.quorum(q.People, q.Approvals[n:]).Enough() {
			return q.Approvals[n].Approver
		}
	}
	return q.Approvals[0].Approver
}

// propose says in the incident what people are asked. A plan that was carried out once and is to be again is another question: who
// approved it then, and perhaps twice, did not approve it now.
func (r *run) propose(people int) {
	at := r.workflow.Now()
	if p := r.incident.Proposal; p != nil && p.Plan == r.incident.Plan && !r.carriedOut() {
		at = p.At
	}
	hide := r.hider()
	var reasons []string
	for _, reason := range r.verdict.Reasons {
		reasons = append(reasons, hide.Replace(reason.Rule+": "+reason.Text))
	}
	r.incident.Proposal = incident.NewProposal(r.incident.Plan, at, r.plan.Diff(), reasons, people)
}

// withdraw takes a proposal back that is not of this plan, "" for none: what people were asked about is no longer what would be done.
func (r *run) withdraw(plan string) {
	p := r.incident.Proposal
	if p == nil || p.Plan == plan || r.carriedOut() {
		return
	}
	r.log("plan %s, which people were asked about, is void with every answer to it: "+
		"the documents or the route are no longer as it has them", p.Plan)
	r.incident.Proposal = nil
}

// carriedOut says whether a cure began since people were asked.
func (r *run) carriedOut() bool {
	return slices.ContainsFunc(r.incident.Changes, func(c incident.Change) bool { return !c.At.Before(r.incident.Proposal.At) })
}
