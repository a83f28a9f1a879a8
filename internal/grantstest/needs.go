package grantstest

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/replimend/replimend/internal/grants"
	"github.com/replimend/replimend/internal/needs"
	"github.com/replimend/replimend/internal/policy"
	"github.com/replimend/replimend/internal/preflight"
	"github.com/replimend/replimend/internal/settings"
)

// MemberNeeds is what the code needs of the roles of members.
func MemberNeeds() []preflight.Need { return needs.Member() }

// HubNeeds is what the code needs in the hub of the settings.
func HubNeeds(set *settings.Settings) []grants.Need {
	return needs.Hub(grants.NamesOf(set), set.Chat.Targets, set.Approvals)
}

// RunNeeds compares both ways: every need is allowed on everything that it is about, no action is allowed that no need declares, and
// none on a resource that none is about.
func RunNeeds(t *testing.T, set *settings.Settings, w World) {
	t.Helper()
	for _, fault := range compare(set, w, MemberNeeds(), HubNeeds(set)) {
		t.Error(fault)
	}
}

// compare is what is missing and what is left over.
func compare(set *settings.Settings, w World, member []preflight.Need, functions []grants.Need) (faults []string) {
	// What each role declares, by its actions: the resources as a policy names them.
	declared := map[policy.ARN]map[string][]string{}
	declare := func(who policy.ARN, action string, on ...string) {
		if declared[who] == nil {
			declared[who] = map[string][]string{}
		}
		declared[who][action] = append(declared[who][action], on...)
	}
	ask := func(c Case) {
		if got := Ask(w, c); got != "allowed" {
			faults = append(faults, fmt.Sprintf("%s needs %s on %s, which is %s", c.Who, c.Action, c.On, got))
		}
	}
	for _, m := range set.Members {
		for _, n := range member {
			who := n.Role.ARN(policy.Partition(m.Regions[0]), m.Account)
			targets, err := n.Targets(set, m.Account, "")
			if err != nil {
				faults = append(faults, err.Error())
			}
			if _, ok := w.Roles[who]; !ok && !slices.ContainsFunc(targets, func(t preflight.Target) bool { return t.Text != "*" }) {
				continue // nothing in the account is the role's business
			}
			for _, target := range targets {
				declare(who, n.Action, target.Text)
				c := Case{Who: who, Action: n.Action, On: target.ARN.String(), Given: n.Sample(target)}
				if target.ARN.IsZero() {
					c.On = "*"
				}
				if n.Action == "iam:PassRole" {
					c.Given["iam:PassedToService"] = "batchoperations.s3.amazonaws.com"
				}
				ask(c)
			}
			if n.Role == settings.Reader { // whose documents nobody approved yet, too
				declare(who, n.Action, everywhere[n.Resource]...)
			}
		}
	}
	h := grants.NamesOf(set)
	for _, n := range functions {
		who := h.Role(string(n.Function))
		for _, action := range n.Actions {
			declare(who, action, n.Resources...)
			for _, on := range n.Resources {
				c := Case{Who: who, Action: action, On: strings.ReplaceAll(on, "*", "any"), Given: map[string]string{}}
				for _, condition := range n.Conditions {
					c.Given[condition.Key] = strings.ReplaceAll(condition.Values[0], "*", "any")
				}
				ask(c)
			}
		}
	}
	// What is no need of a function: who enters members, who sends events and starts sweeps.
	for _, m := range set.Members {
		for _, n := range member {
			for _, f := range grants.AssumedBy(n.Role) {
				if role := n.Role.ARN(h.Partition, m.Account); w.Roles[role].Name != "" {
					for _, action := range []string{"sts:AssumeRole", "sts:SetSourceIdentity"} {
						declare(h.Role(string(f)), action, role.String())
					}
				}
			}
		}
	}
	declare(h.Role(grants.Schedules), "lambda:InvokeFunction", h.Function(grants.Sweep).String())
	for _, who := range slices.SortedFunc(maps.Keys(w.Roles), func(a, b policy.ARN) int { return strings.Compare(a.String(), b.String()) }) {
		role := w.Roles[who]
		if role.Name == grants.Events || role.Name == grants.OrganizationEvents {
			declare(who, "events:PutEvents", h.Bus().String())
		}
		for _, p := range append(role.Policies, role.Managed...) {
			for _, s := range p.Document.Statements {
				if s.Effect == policy.Allow {
					faults = append(faults, leftOver(who, s, declared[who])...)
				}
			}
		}
	}
	return faults
}

// everywhere is where a reader reads what a need is about.
var everywhere = map[string][]string{"role": {"arn:aws:iam::*:role/*"}, "key": {"arn:aws:kms:*:*:key/*"}, "bucket": {"arn:aws:s3:::*"}}

// leftOver is what a statement allows that nothing declares.
func leftOver(who policy.ARN, s policy.Statement, declared map[string][]string) (faults []string) {
	if s.Action.Not || s.Resource.Not {
		return []string{fmt.Sprintf("%s allows what it does not name: %s", who, s.Name(0))}
	}
	for _, action := range s.Action.Values {
		for _, on := range s.Resource.Values {
			if slices.Contains(declared[action], on) {
				continue
			}
			// A reader's star is over one account.
			general := strings.ReplaceAll(strings.Replace(on, ":"+who.Account+":", ":*:", 1), "arn:"+who.Partition+":", "arn:aws:")
			if slices.Contains(declared[action], general) {
				continue
			}
			faults = append(faults, fmt.Sprintf("%s is allowed %s on %s, and no part of the code declares that", who, action, on))
		}
	}
	return faults
}
