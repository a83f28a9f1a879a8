package preflight

import (
	"fmt"
	"slices"
	"strings"

	"github.com/replimend/replimend/internal/authz"
	"github.com/replimend/replimend/internal/policy"
	"github.com/replimend/replimend/internal/settings"
	"github.com/replimend/replimend/internal/snapshot"
)

// roles finds what keeps Replimend out of accounts: in a member the roles that are not there, cannot be assumed or may too little;
// elsewhere the caller, who reads there in their stead.
func (c *checker) roles() {
	for _, a := range c.each() {
		if a.member == nil {
			c.caller(a)
			continue
		}
		for _, role := range c.needed(a) {
			c.assumed(a, role)
			c.role(a, role)
		}
	}
}

// assumed judges the attempt to assume a role. S3 assumes the role for batch jobs, Replimend never does.
func (c *checker) assumed(a *account, role settings.MemberRole) {
	if role == settings.Batch {
		return
	}
	arn := role.ARN(a.partition, a.id)
	i := slices.IndexFunc(c.f.Assumptions, func(x Assumption) bool { return x.Account == a.id && x.Role == role })
	switch {
	case i < 0:
		c.missing(Limits, a.id, arn.String(), "run preflight with credentials that may assume the role",
			"whether the role can be assumed is not known: nobody tried")
	case c.f.Assumptions[i].Code != "" && c.letsWorkerIn(a, arn, role):
	case c.f.Assumptions[i].Code != "":
		c.missing(a.roleSeverity(role), a.id, arn.String(), c.trust(a),
			"%s cannot assume the role: %s. Its trust policy needs this, with the path of the caller's role where it has one, "+
				"and the caller's own policies must allow both actions on the role", orUnknown(c.f.Base.ARN), c.f.Assumptions[i].Code)
	}
}

// letsWorkerIn judges a role that the caller cannot assume by whether it lets in the hub's worker, for which it is; false: no hub is
// known, or not the role's trust policy.
func (c *checker) letsWorkerIn(a *account, arn policy.ARN, role settings.MemberRole) bool {
	worker, ok := c.f.Settings.Hub.WorkerRole()
	live := c.f.Snapshot.Roles[arn]
	if !ok || live.State != snapshot.Present || live.V.Trust.State != snapshot.Present {
		return false
	}
	trust := authz.Compile(snapshot.Ref{Kind: snapshot.RoleTrust, ID: arn.String()}.String(), live.V.Trust.V)
	for _, action := range []string{"sts:AssumeRole", "sts:SetSourceIdentity"} {
		q := c.request(a, worker, action, arn)
		if id := a.member.ExternalID; id != "" {
			q.Context.Set("sts:ExternalId", id)
		} else {
			q.Context.SetAbsent("sts:ExternalId")
		}
		if id := c.f.Settings.Organization; id != "" {
			q.Context.Set("aws:PrincipalOrgID", id)
		}
		// What the hub's role may do by its own policies is in the templates: here they allow everything.
		switch authz.Decide(&q, &authz.Layers{Identity: []*authz.Policy{everything}, Resource: trust}).Outcome {
		case authz.Allowed:
		case authz.Unknown:
			c.missing(Limits, a.id, arn.String(), "look at the conditions of its trust policy",
				"whether the role lets in %s is not known: that hangs on conditions that only the request shows", worker)
			return true
		default:
			c.missing(a.roleSeverity(role), a.id, arn.String(), "deploy the stacks of the member again after those of the hub",
				"its trust policy does not let in %s: %s is not allowed", worker, action)
			return true
		}
	}
	return true
}

// trust is the statement by which a member's role lets the caller in. Replimend sets a source identity in every session.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_temp_control-access_monitor.html
func (c *checker) trust(a *account) string {
	p, err := authz.ParsePrincipal(c.f.Base.ARN)
	if err != nil {
		return "let the role trust whoever runs Replimend"
	}
	who := p.ARN
	if !p.Issuer.IsZero() {
		who = p.Issuer // of a session; the path of its role is not in the session's ARN
	}
	spec := policy.StatementSpec{
		Effect: policy.Allow, Principals: []policy.Principal{{Kind: policy.PrincipalAWS, Value: who.String()}},
		Actions: []string{"sts:AssumeRole", "sts:SetSourceIdentity"},
	}
	if id := a.member.ExternalID; id != "" {
		spec.Conditions = []policy.Condition{{Operator: policy.StringEquals, Key: "sts:ExternalId", Values: []string{id}}}
	}
	return statement(spec)
}

// role judges what a role of a member may do.
func (c *checker) role(a *account, role settings.MemberRole) {
	arn := role.ARN(a.partition, a.id)
	live, ok := c.f.Snapshot.Roles[arn].Get()
	switch {
	case c.f.Snapshot.Roles[arn].State == snapshot.Absent:
		c.missing(a.roleSeverity(role), a.id, arn.String(), "deploy Replimend's roles into the account",
			"the role does not exist")
		return
	case !ok || live.Inline.State == snapshot.Missing || live.Attached.State == snapshot.Missing ||
		live.Boundary.State == snapshot.Missing:
		c.missing(Limits, a.id, arn.String(), "let whoever runs preflight read the role and its policies",
			"what the role may do is not known: %s", c.unreadable("roles."+arn.String()))
		return
	}
	c.allowed(a, role, authz.SessionOf(arn, "replimend", live.UniqueID), arn)
}

// caller judges what the caller may read in an account that has no roles of Replimend.
func (c *checker) caller(a *account) {
	if len(a.routes) == 0 {
		return
	}
	caller := c.f.Base
	if i := slices.IndexFunc(c.f.Callers, func(x Caller) bool { return x.Account == a.id }); i >= 0 {
		caller = c.f.Callers[i]
	}
	if caller.Code != "" {
		return // said already
	}
	p, err := authz.ParsePrincipal(caller.ARN)
	arn := p.ARN
	known := false
	switch {
	case err != nil:
	case p.Kind == authz.User:
		known = c.f.Snapshot.Users[arn].State == snapshot.Present
	case p.Kind == authz.Session:
		// The ARN of a session does not say under which path its role stands, and no account has two roles of one name.
		// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
		for role, v := range c.f.Snapshot.Roles {
			if v.State == snapshot.Present && role.Account == p.Account && role.Name() == p.Issuer.Name() {
				arn, known = role, true
				p.Issuer, p.UniqueID = role, v.V.UniqueID
			}
		}
	}
	if !known {
		var reads []string
		for _, n := range c.f.Needs {
			if n.Role == settings.Reader {
				reads = add(reads, n.Action)
			}
		}
		c.missing(Limits, a.id, orUnknown(caller.ARN), "make sure that it may do what a reader does: "+strings.Join(reads, ", "),
			"what the caller may read in the account is not known: its policies are not in the snapshot")
		return
	}
	c.allowed(a, settings.Reader, p, arn)
}

func orUnknown(arn string) string {
	if arn == "" {
		return "the caller"
	}
	return arn
}

// accountOf is the account of a caller.
func accountOf(arn string) string {
	a, err := policy.ParseARN(arn)
	if err != nil {
		return ""
	}
	return a.Account
}

// gap is actions that are not allowed for one reason on one resource.
type gap struct {
	outcome  authz.Outcome
	resource string
	reason   string // of an explicit deny, of what is not known, or of what the role's own policy cannot mend
	actions  []string
	why      string
	// conditions is what the permission can be tied to.
	conditions []policy.Condition
}

// allowed asks for every need of a role whether a principal is allowed it.
func (c *checker) allowed(a *account, role settings.MemberRole, p authz.Principal, arn policy.ARN) {
	var gaps []*gap
	for _, n := range c.f.Needs {
		if n.Role != role {
			continue
		}
		for _, t := range c.targets(a, n) {
			q := c.request(a, arn, n.Action, t.ARN)
			q.Principal = p
			l := c.layers(q)
			for key, value := range n.Sample(t) {
				q.Context.Set(key, value)
			}
			d := authz.Explain(&q, &l)
			if d.Decision.Outcome != authz.Allowed && t.ARN.Service == "kms" && a.member != nil {
				// What the key's policy does is told of the key. Here it lets the account decide.
				l.Resource, l.Missing = delegating(a), l.Missing&^authz.SetOf(authz.LayerResource, authz.LayerGrant)
				d = authz.Explain(&q, &l)
			}
			if d.Decision.Outcome == authz.Allowed {
				continue
			}
			g := &gap{outcome: d.Decision.Outcome, resource: t.Text, reason: reason(d), why: n.Why, conditions: n.Conditions}
			i := slices.IndexFunc(gaps, func(o *gap) bool {
				return o.outcome == g.outcome && o.resource == g.resource && o.reason == g.reason
			})
			if i < 0 {
				i, gaps = len(gaps), append(gaps, g)
			}
			gaps[i].actions = add(gaps[i].actions, n.Action)
		}
	}
	for _, g := range gaps {
		c.tell(a, role, arn, g)
	}
}

// delegating is the policy of a key that leaves everything to the account's own policies.
// https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-default.html
func delegating(a *account) *authz.Policy {
	root := policy.ARN{Partition: a.partition, Service: "iam", Account: a.id, Resource: "root"}
	s, err := policy.StatementSpec{
		Effect: policy.Allow, Principals: []policy.Principal{{Kind: policy.PrincipalAWS, Value: root.String()}},
		Actions: []string{"kms:*"}, Resources: []string{"*"},
	}.Build()
	if err != nil {
		return nil // then nothing is allowed
	}
	return authz.Compile("delegating", policy.New(s))
}

// reason is why something is not allowed, as far as the role's own policies alone do not mend it.
func reason(e authz.Explanation) string {
	switch e.Decision.Outcome {
	case authz.ExplicitDeny:
		for _, r := range e.Reasons {
			if r.Effect == policy.Deny {
				return fmt.Sprintf("statement %s of %s", r.Statement, r.Document)
			}
		}
	case authz.Unknown:
		keys, _ := e.Decision.HangsOn()
		if slices.Contains(keys, "policy") || len(keys) == 0 {
			return "a policy that decides was not read"
		}
		return "it hangs on " + strings.Join(keys, ", ") + ", which only the request shows"
	}
	var lacking []string
	for _, layer := range []authz.Layer{authz.LayerBoundary, authz.LayerSCP, authz.LayerRCP} {
		if e.Lacking.Has(layer) {
			lacking = append(lacking, layer.String())
		}
	}
	return strings.Join(lacking, " and ")
}

func (c *checker) tell(a *account, role settings.MemberRole, arn policy.ARN, g *gap) {
	on := " on " + g.resource
	if g.resource == "*" {
		on = ""
	}
	actions := strings.Join(g.actions, ", ")
	allow := statement(policy.StatementSpec{Effect: policy.Allow, Actions: g.actions, Resources: []string{g.resource}, Conditions: g.conditions})
	switch {
	case g.outcome == authz.Unknown:
		c.missing(Limits, a.id, arn.String(), "let whoever runs preflight read the policies, or look at the conditions",
			"whether it may call %s%s is not known: %s", actions, on, g.reason)
	case g.outcome == authz.ExplicitDeny:
		c.missing(a.roleSeverity(role), a.id, arn.String(), "find out why the Deny is there: Replimend removes none",
			"it is denied %s%s by %s", actions, on, g.reason)
	case g.reason != "":
		c.missing(a.roleSeverity(role), a.id, arn.String(), allow, "it may not call %s%s: %s. Its %s must allow it, too",
			actions, on, g.why, g.reason)
	default:
		c.missing(a.roleSeverity(role), a.id, arn.String(), allow, "it may not call %s%s: %s", actions, on, g.why)
	}
}

// targets is everything of an account that a need is about.
func (c *checker) targets(a *account, n Need) []Target {
	out, err := n.Targets(c.f.Settings, a.id, c.f.HubRegion)
	if err != nil {
		c.missing(Limits, a.id, "needs", "", "%s", err)
	}
	return out
}

// needed is the roles that an account needs, sorted: those of which a need is about something that it has.
func (c *checker) needed(a *account) []settings.MemberRole {
	var out []settings.MemberRole
	for _, n := range c.f.Needs {
		if slices.ContainsFunc(c.targets(a, n), func(t Target) bool { return n.Role == settings.Reader || t.Text != anything }) {
			out = add(out, n.Role)
		}
	}
	slices.Sort(out)
	return out
}
