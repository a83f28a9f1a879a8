package guard

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/replimend/replimend/internal/incident"
	"github.com/replimend/replimend/internal/patch"
	"github.com/replimend/replimend/internal/settings"
)

// Quorum is what people's answers to a plan come to.
type Quorum struct {
	// People is how many have to approve.
	People int
	// Approvals are those that count: the latest of each person, the latest first.
	Approvals []incident.Approval
	// Decline is the latest no; the zero Approval: nobody declined. It stands against everybody's yes.
	Decline incident.Approval
	// Missing says who still has to approve, in words; "": nobody.
	Missing string
}

// Enough says whether the plan may be carried out.
func (q Quorum) Enough() bool { return q.Missing == "" && q.Decline.Answer == incident.NoAnswer }

// Approvers is the ARNs of whose approvals count, in their order.
func (q Quorum) Approvers() []string {
	var out []string
	for _, a := range q.Approvals {
		out = append(out, a.Approver)
	}
	return out
}

// PeopleFor is how many people have to approve a plan.
func PeopleFor(plan patch.Plan, set *settings.Settings) int {
	ofKey := func(e patch.Edit) bool { return e.Document.Kind.OfKey() }
	if set != nil && set.Approvals.TwoForKeyPolicies && slices.ContainsFunc(plan.Edits, ofKey) {
		return 2
	}
	return 1
}

// CheckApprovals judges whether what people answered lets a plan be carried out that so many have to approve. Answers are taken to be given
// to that plan and to be in force; who is not an approver of the settings does not count, neither with a yes nor with a no. Of one
// person the latest answer counts, in whichever session it was given.
//
// Who made the change that broke the route cannot be the only one to approve that it is mended: where somebody took a permission away
// on purpose, another person has to know. Where it is not known who made the change, or that was nobody, such as root or a service,
// nobody is left out: the guard asks all the same, and the settings can demand two people.
//
// Whoever has the code of a message can decline, and is not known: an approver who approves after that overrules it.
func CheckApprovals(people int, answers []incident.Approval, breaking *incident.Call, set *settings.Settings) Quorum {
	if set == nil {
		set = &settings.Settings{}
	}
	author := settings.Person("")
	if breaking != nil {
		author = set.Approvals.Person(breaking.Principal)
	}
	return judge(people, answers, author, func(principal string) (settings.Person, bool) {
		return set.Approvals.Person(principal), set.Approvals.Admits(principal)
	})
}

// CheckAttended is CheckApprovals for answers of somebody who sits at a terminal. They write with their own credentials what these let
// them write, so that neither the approvers of the settings nor the author of a change matter. How many people it takes does.
func CheckAttended(people int, answers []incident.Approval, set *settings.Settings) Quorum {
	return judge(people, answers, "", func(principal string) (settings.Person, bool) {
		if set != nil {
			if p := set.Approvals.Person(principal); p != "" {
				return p, true
			}
		}
		return settings.Person(principal), principal != ""
	})
}

func judge(people int, answers []incident.Approval, author settings.Person, who func(principal string) (settings.Person, bool)) Quorum {
	q := Quorum{People: people}
	latest := slices.Clone(answers)
	slices.SortFunc(latest, func(a, b incident.Approval) int { // of two at the same time the no counts
		return cmp.Or(b.At.Compare(a.At), cmp.Compare(no(b), no(a)), incident.Latest(a, b))
	})
	heard := map[settings.Person]bool{}
	others := 0 // who approved and did not make the change
	for _, a := range latest {
		person, counts := who(a.Approver)
		if a.Approver == incident.ByCode {
			person, counts = incident.ByCode, a.Answer == incident.Decline && len(q.Approvals) == 0
		}
		if !counts || person == "" || heard[person] {
			continue
		}
		heard[person] = true
		switch {
		case a.Answer == incident.Decline && q.Decline.Answer == incident.NoAnswer:
			q.Decline = a
		case a.Answer == incident.Approve:
			q.Approvals = append(q.Approvals, a)
			if person != author {
				others++
			}
		}
	}
	q.Missing = missing(max(people, 1)-len(q.Approvals), len(q.Approvals) > 0, others > 0)
	return q
}

func no(a incident.Approval) int {
	if a.Answer == incident.Decline {
		return 1
	}
	return 0
}

// missing says who still has to approve where so many have not yet.
func missing(left int, some, others bool) string {
	switch {
	case left > 1:
		return fmt.Sprintf("%d people have to approve it", left)
	case left == 1 && some:
		return "one more person has to approve it"
	case left == 1:
		return "a person has to approve it"
	case !others:
		return "somebody who did not make the change that broke the route has to approve it, too"
	}
	return ""
}

// String is who approved or declined, and who still has to.
func (q Quorum) String() string {
	var out []string
	if len(q.Approvals) > 0 {
		out = append(out, "approved by "+strings.Join(q.Approvers(), " and "))
	}
	if q.Decline.Answer != incident.NoAnswer {
		out = append(out, "declined by "+q.Decline.Approver)
	} else if q.Missing != "" {
		out = append(out, q.Missing)
	}
	return strings.Join(out, "; ")
}
