package grants

import (
	"fmt"
	"slices"

	"github.com/replimend/replimend/internal/policy"
	"github.com/replimend/replimend/internal/preflight"
	"github.com/replimend/replimend/internal/settings"
)

// Hub is the roles of the functions, from what they need and from the roles that members have for them, and that of the schedule. Keys
// are granted by their own policies: see SealKeyPolicy.
func Hub(set *settings.Settings, needs []Need, member []preflight.Need) ([]Role, error) {
	h := NamesOf(set)
	var out []Role
	for _, f := range Functions() {
		var s statements
		for _, n := range needs {
			if n.Function == f {
				s.add(allow{actions: n.Actions, resources: n.Resources, conditions: n.Conditions})
			}
		}
		exact, short, err := assumed(set, f, member)
		if err != nil {
			return nil, err
		}
		var denials []policy.StatementSpec
		assume := []string{"sts:AssumeRole", "sts:SetSourceIdentity"}
		if len(exact) > 0 {
			s.add(allow{actions: assume, resources: exact, wide: &allow{resources: short}})
			denials = append(denials, policy.StatementSpec{
				Sid: "OnlyMembers", Effect: policy.Deny, Actions: []string{"sts:*"},
				NotResources: []string{arn(h.Partition, "iam", "", "*", "role"+settings.RolePath+"replimend-*")},
			})
		}
		role := Role{Name: string(f), Path: settings.RolePath, Description: "The function " + string(f), MaxSession: session}
		denials = append(denials, nothingElse(append(s.actions(), byKeyPolicy(f)...)))
		if !slices.ContainsFunc(s, func(a allow) bool { return slices.Contains(a.resources, h.Table(ApprovalTable).String()) }) {
			denials = append(denials, policy.StatementSpec{
				Sid: "NoApprovals", Effect: policy.Deny, Actions: []string{"dynamodb:*"},
				Resources: []string{h.Table(ApprovalTable).String(), h.Table(ApprovalTable).String() + "/*"},
			})
		}
		if role.Policies, role.Managed, err = build(role.Name, s, denials); err != nil {
			return nil, err
		}
		// https://docs.aws.amazon.com/lambda/latest/dg/lambda-intro-execution-role.html
		if role.Trust, err = serviceTrust("lambda.amazonaws.com"); err != nil {
			return nil, err
		}
		out = append(out, role)
	}
	schedule, err := scheduler(h)
	return append(out, schedule), err
}

// assumed is the roles of members that a function assumes, and the same with one pattern a member where they are too many to name: no
// role under that pattern lets in a function that has no business with it.
func assumed(set *settings.Settings, f Function, needs []preflight.Need) (exact, short []string, err error) {
	for _, m := range set.Members {
		partition, some := policy.Partition(m.Regions[0]), false
		for _, r := range members {
			_, needed, err := memberStatements(set, m, r.role, needs)
			if err != nil {
				return nil, nil, fmt.Errorf("find roles of account %s: %w", m.Account, err)
			}
			if needed && slices.Contains(r.by, f) {
				exact, some = append(exact, r.role.ARN(partition, m.Account).String()), true
			}
		}
		if some {
			short = append(short, arn(partition, "iam", "", m.Account, "role"+settings.RolePath+"replimend-*"))
		}
	}
	return exact, short, nil
}

// scheduler is the role with which EventBridge Scheduler starts a sweep.
// https://docs.aws.amazon.com/scheduler/latest/UserGuide/cross-service-confused-deputy-prevention.html
func scheduler(h HubNames) (Role, error) {
	role := Role{
		Name: Schedules, Path: settings.RolePath, Description: "EventBridge Scheduler starts the sweep with it", MaxSession: session,
	}
	var s statements
	s.add(allow{actions: []string{"lambda:InvokeFunction"}, resources: []string{h.Function(Sweep).String()}})
	var err error
	if role.Policies, _, err = build(role.Name, s, []policy.StatementSpec{nothingElse(s.actions())}); err != nil {
		return Role{}, err
	}
	role.Trust, err = serviceTrust("scheduler.amazonaws.com", equals("aws:SourceAccount", h.Account))
	return role, err
}
