package guard_test

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/replimend/replimend/internal/guard"
	"github.com/replimend/replimend/internal/incident"
	"github.com/replimend/replimend/internal/patch"
	"github.com/replimend/replimend/internal/policy"
	"github.com/replimend/replimend/internal/settings"
	"github.com/replimend/replimend/internal/snapshot"
)

const (
	jane      = "arn:aws:sts::111122223333:assumed-role/AWSReservedSSO_Approve_1234567890abcdef/jane"
	janeToo   = "arn:aws:sts::111122223333:assumed-role/AWSReservedSSO_Approve_abcdef1234567890/Jane"
	janeAway  = "arn:aws:sts::444455556666:assumed-role/AWSReservedSSO_Other_1234567890abcdef/jane"
	john      = "arn:aws:sts::111122223333:assumed-role/AWSReservedSSO_Approve_1234567890abcdef/john"
	onCall    = "arn:aws:sts::111122223333:assumed-role/on-call/jane"
	onCallToo = "arn:aws:sts::111122223333:assumed-role/on-call/john"
	stranger  = "arn:aws:iam::111122223333:user/mallory"
	rootUser  = "arn:aws:iam::111122223333:root"
)

func approvers(t interface{ Fatal(...any) }, two bool) *settings.Settings {
	set := &settings.Settings{Approvals: settings.Approvals{TwoForKeyPolicies: two}}
	for _, s := range []string{"arn:aws:iam::111122223333:role/aws-reserved/sso.amazonaws.com/AWSReservedSSO_Approve_*", "arn:aws:iam::111122223333:role/on-call"} {
		a, err := policy.ParseARN(s)
		if err != nil {
			t.Fatal(err)
		}
		set.Approvals.Approvers = append(set.Approvals.Approvers, a)
	}
	return set
}

var noon = time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC)

func said(answer incident.Answer, approver string, minute int) incident.Approval {
	return incident.Approval{Plan: "abc", Answer: answer, Approver: approver, At: noon.Add(time.Duration(minute) * time.Minute)}
}

func TestPeopleForAPlan(t *testing.T) {
	t.Parallel()
	plan := func(kinds ...snapshot.Kind) patch.Plan {
		var p patch.Plan
		for _, k := range kinds {
			p.Edits = append(p.Edits, patch.Edit{Document: snapshot.Ref{Kind: k, ID: "x"}})
		}
		return p
	}
	one, two := approvers(t, false), approvers(t, true)
	for name, tt := range map[string]struct {
		plan patch.Plan
		set  *settings.Settings
		want int
	}{
		"a key policy":                  {plan(snapshot.RolePolicy, snapshot.ReplicaKeyPolicy), two, 2},
		"the key policy of the source":  {plan(snapshot.SourceKeyPolicy), two, 2},
		"a key policy, and one is told": {plan(snapshot.ReplicaKeyPolicy), one, 1},
		"other policies":                {plan(snapshot.RolePolicy, snapshot.DestinationBucketPolicy), two, 1},
		"no settings":                   {plan(snapshot.ReplicaKeyPolicy), nil, 1},
	} {
		if got := guard.PeopleFor(tt.plan, tt.set); got != tt.want {
			t.Errorf("%s: %d", name, got)
		}
	}
}

func TestCheckApprovals(t *testing.T) {
	t.Parallel()
	yes := func(minute int, who ...string) (out []incident.Approval) {
		for i, w := range who {
			out = append(out, said(incident.Approve, w, minute+i))
		}
		return out
	}
	no := func(minute int, who string) incident.Approval { return said(incident.Decline, who, minute) }
	const (
		nobody = "a person has to approve it"
		more   = "one more person has to approve it"
		other  = "somebody who did not make the change that broke the route has to approve it, too"
	)
	for name, tt := range map[string]struct {
		people  int
		answers []incident.Approval
		author  string // "-": no change is known
		missing string
		by      []string
		no      string
	}{
		"nobody answered":               {1, nil, "-", nobody, nil, ""},
		"nobody answered, and two must": {2, nil, "-", "2 people have to approve it", nil, ""},
		"one":                           {1, yes(0, jane), "-", "", []string{jane}, ""},
		"one of two":                    {2, yes(0, jane), "-", more, []string{jane}, ""},
		"two":                           {2, yes(0, jane, john), "-", "", []string{john, jane}, ""},
		"one person in two sessions":    {2, yes(0, jane, janeToo), "-", more, []string{janeToo}, ""},
		"one role in two sessions":      {2, yes(0, onCall, onCallToo), "-", more, []string{onCallToo}, ""},
		"a person and a role":           {2, yes(0, jane, onCall), "-", "", []string{onCall, jane}, ""},
		"a stranger":                    {1, yes(0, stranger), "-", nobody, nil, ""},
		"a stranger beside one of two":  {2, yes(0, jane, stranger), "-", more, []string{jane}, ""},
		"root":                          {1, yes(0, rootUser), "-", nobody, nil, ""},
		"the author":                    {1, yes(0, jane), jane, other, []string{jane}, ""},
		"the author, who made it in another role":  {1, yes(0, jane), janeAway, other, []string{jane}, ""},
		"the author, whose role is one person":     {1, yes(0, onCall), onCallToo, other, []string{onCall}, ""},
		"the author and somebody else":             {1, yes(0, jane, john), jane, "", []string{john, jane}, ""},
		"the author of two":                        {2, yes(0, jane), jane, more, []string{jane}, ""},
		"the author and a second":                  {2, yes(0, jane, john), jane, "", []string{john, jane}, ""},
		"somebody else than the author":            {1, yes(0, john), jane, "", []string{john}, ""},
		"an author who is not known":               {1, yes(0, jane), "", "", []string{jane}, ""},
		"an author who is nobody":                  {1, yes(0, jane), rootUser, "", []string{jane}, ""},
		"one declines":                             {1, []incident.Approval{no(0, john), said(incident.Approve, jane, 1)}, "-", "", []string{jane}, john},
		"two approve and one declines":             {2, append(yes(1, jane, onCall), no(0, john)), "-", "", []string{onCall, jane}, john},
		"declined, and then approved":              {1, []incident.Approval{no(0, jane), said(incident.Approve, jane, 1)}, "-", "", []string{jane}, ""},
		"declined, and approved in a new session":  {1, []incident.Approval{no(0, jane), said(incident.Approve, janeToo, 1)}, "-", "", []string{janeToo}, ""},
		"approved, and declined in a new session":  {1, []incident.Approval{said(incident.Approve, jane, 0), no(1, janeToo)}, "-", nobody, nil, janeToo},
		"approved and declined at the same moment": {1, []incident.Approval{said(incident.Approve, jane, 0), no(0, janeToo)}, "-", nobody, nil, janeToo},
		"a stranger declines":                      {1, append(yes(0, jane), no(1, stranger)), "-", "", []string{jane}, ""},
		"no number of people is none":              {0, nil, "-", nobody, nil, ""},
		"nobody's yes":                             {1, yes(0, ""), "-", nobody, nil, ""},
		"no answer at all":                         {1, []incident.Approval{said(incident.NoAnswer, jane, 0)}, "-", nobody, nil, ""},
	} {
		var breaking *incident.Call
		if tt.author != "-" {
			breaking = &incident.Call{Event: "PutKeyPolicy", Principal: tt.author, At: noon}
		}
		q := guard.CheckApprovals(tt.people, tt.answers, breaking, approvers(t, true))
		if q.Missing != tt.missing || q.Decline.Approver != tt.no || q.Enough() != (tt.missing == "" && tt.no == "") {
			t.Errorf("%s: missing %q, declined by %q, enough: %t", name, q.Missing, q.Decline.Approver, q.Enough())
		}
		if diff := cmp.Diff(tt.by, q.Approvers()); diff != "" {
			t.Errorf("%s: approvers (-want +got):\n%s", name, diff)
		}
	}
	if q := guard.CheckApprovals(1, yes(0, jane), nil, nil); q.Enough() {
		t.Error("somebody approved without settings")
	}
	if q := guard.CheckApprovals(1, yes(0, jane), nil, &settings.Settings{}); q.Enough() {
		t.Error("somebody approved, and nobody may")
	}
}

// TestCheckAttended: who sits there writes with credentials of their own, but is one person.
func TestCheckAttended(t *testing.T) {
	t.Parallel()
	set := approvers(t, true)
	for _, who := range []string{jane, stranger, rootUser, onCall} {
		answers := []incident.Approval{said(incident.Approve, who, 0), said(incident.Approve, who, 1)}
		if q := guard.CheckAttended(1, answers, set); !q.Enough() {
			t.Errorf("%s at a terminal is not enough: %s", who, q)
		}
		if q := guard.CheckAttended(2, answers, set); q.Enough() {
			t.Errorf("%s at a terminal is two people", who)
		}
	}
	if q := guard.CheckAttended(1, []incident.Approval{said(incident.Approve, "", 0)}, nil); q.Enough() {
		t.Error("nobody at a terminal is enough")
	}
	if q := guard.CheckAttended(1, []incident.Approval{said(incident.Decline, jane, 0)}, set); q.Enough() || q.Decline.Approver != jane {
		t.Errorf("declined at a terminal: %s", q)
	}
}

// TestQuorum holds the judgement against one that counts in another way: whatever is answered by whomever in whatever order.
func TestQuorum(t *testing.T) {
	t.Parallel()
	everybody := []string{jane, janeToo, janeAway, john, onCall, onCallToo, stranger, rootUser, ""}
	human := map[string]string{jane: "jane", janeToo: "jane", janeAway: "jane", john: "john", onCall: "a role", onCallToo: "a role", stranger: "mallory"}
	allowed := []string{jane, janeToo, john, onCall, onCallToo}
	enough, not := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		people := rapid.IntRange(1, 2).Draw(t, "people")
		var answers []incident.Approval
		for i := range rapid.IntRange(0, 6).Draw(t, "answers") {
			answer := rapid.SampledFrom([]incident.Answer{incident.Approve, incident.Approve, incident.Approve, incident.Decline}).Draw(t, "answer")
			answers = append(answers, said(answer, rapid.SampledFrom(everybody).Draw(t, "who"), i))
		}
		var breaking *incident.Call
		if author := rapid.SampledFrom(everybody).Draw(t, "author"); rapid.Bool().Draw(t, "known") {
			breaking = &incident.Call{Principal: author}
		}
		last := map[string]incident.Answer{}
		for _, a := range answers {
			if slices.Contains(allowed, a.Approver) {
				last[human[a.Approver]] = a.Answer
			}
		}
		approved, declined, others := 0, false, 0
		for who, answer := range last {
			declined = declined || answer == incident.Decline
			if answer == incident.Approve {
				approved++
				if breaking == nil || human[breaking.Principal] != who {
					others++
				}
			}
		}
		want := !declined && approved >= people && others > 0
		set := approvers(t, true)
		got := guard.CheckApprovals(people, rapid.Permutation(answers).Draw(t, "order"), breaking, set)
		if got.Enough() != want || len(got.Approvals) != approved {
			t.Fatalf("%d people, %v: %s; want enough: %t", people, answers, got, want)
		}
		if want {
			enough++
		} else {
			not++
		}
	})
	if enough == 0 || not == 0 {
		t.Errorf("%d were enough, %d not: want both", enough, not)
	}
}
