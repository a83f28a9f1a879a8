package incident

import (
	"fmt"
	"slices"
	"time"
)

// Asked is what the approval function shows of an incident to whoever may answer. It names no objects, because their keys may hold what
// not everybody may know.
type Asked struct {
	// The ID of the incident.
	Incident string  `json:"incident"`
	Route    Route   `json:"route"`
	Outcome  Outcome `json:"outcome"`
	// The causes, in kebab-case.
	Causes []string `json:"causes,omitempty"`
	// The change that broke the route, where one is known.
	Breaking *Call `json:"breaking,omitempty"`
	// What people are asked; absent: nothing.
	Proposal *Proposal `json:"proposal,omitempty"`
	// What can be taken back; absent: nothing stands.
	Standing *Standing `json:"standing,omitempty"`
	// From when on an answer that is given now would not count any more.
	Expires time.Time `json:"expires"`
}

// Asked is what people are shown who may answer until then.
func (i Incident) Asked(expires time.Time) Asked {
	return Asked{i.ID, i.Route, i.Outcome, i.Causes, i.Breaking, i.Proposal, i.standing(), expires}
}

// Standing is what was written for an incident and was not taken back.
type Standing struct {
	// The hash of the plan that an answer to take it back names.
	Plan string `json:"plan"`
	// The documents, in the order in which they were written.
	Documents []string `json:"documents"`
}

func (i Incident) standing() *Standing {
	if !i.Stands() {
		return nil
	}
	s := Standing{Plan: i.Plan}
	for _, c := range i.Changes {
		if c.Stands() {
			s.Documents = append(s.Documents, Line(fmt.Sprintf("%s of %s in account %s", c.Kind, c.ID, c.Account)))
		}
	}
	return &s
}

// Answerable says whether people are asked about the plan of the incident. A no can be taken back by who said it.
func (i Incident) Answerable() bool {
	return (i.Outcome == AwaitingApproval || i.Outcome == Declined) && i.Proposal != nil && i.Plan != "" && i.Proposal.Plan == i.Plan
}

// Stands says whether something that was written for the incident, or may have been, was not taken back.
func (i Incident) Stands() bool { return slices.ContainsFunc(i.Changes, Change.Stands) }

// Stands says whether the change may have been written and was not taken back.
func (c Change) Stands() bool { return c.State == Written || c.State == Intended || c.State == Undoing }

// Said is an answer as somebody sends it.
type Said struct {
	// The hash of the plan that was shown.
	Plan   string `json:"plan"`
	Answer Answer `json:"answer"`
	// Why, for the log; at most 200 characters of it.
	Reason string `json:"reason,omitempty"`
}

// Taken is what the approval function says to an answer that it kept.
type Taken struct {
	Incident string `json:"incident"`
	Plan     string `json:"plan"`
	Answer   Answer `json:"answer"`
	// Who gave it: an ARN, or ByCode.
	Approver string    `json:"approver"`
	Expires  time.Time `json:"expires"`
	// Who still has to approve, as far as is known now; absent: nobody.
	Missing string `json:"missing,omitempty"`
}
