package preflight

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/replimend/replimend/internal/authz"
	"github.com/replimend/replimend/internal/policy"
	"github.com/replimend/replimend/internal/route"
	"github.com/replimend/replimend/internal/settings"
	"github.com/replimend/replimend/internal/snapshot"
)

// identityOnly is the actions of KMS that no key policy can allow: they are about no key.
// https://docs.aws.amazon.com/kms/latest/developerguide/kms-api-permissions-reference.html
var identityOnly = []string{"kms:ListAliases", "kms:ListKeys"}

// admitters is the roles that a key's policy has to admit, with the Sid of the statement that does so.
var admitters = [...]struct {
	role settings.MemberRole
	sid  string
}{{settings.Reader, "ReplimendReader"}, {settings.ResourceWriter, "ReplimendWriter"}, {settings.CanaryWriter, "ReplimendCanary"}}

// keys finds keys that Replimend can neither read nor repair: a role may use a key only where the key's policy names the role, or
// lets the account decide by its own policies.
// https://docs.aws.amazon.com/kms/latest/developerguide/key-policies.html
func (c *checker) keys() {
	for _, a := range c.each() {
		if a.member == nil {
			continue // that the account is no member is said already
		}
		for _, key := range a.keys {
			c.key(a, key)
		}
	}
}

func (c *checker) key(a *account, arn policy.ARN) {
	subject := arn.String()
	key, ok := c.f.Snapshot.Keys[arn].Get()
	if c.f.Snapshot.Keys[arn].State == snapshot.Absent {
		c.missing(Blocks, a.id, subject, "name the key that is in use, and approve the route anew", "the key does not exist")
		return
	}
	if !ok || key.Policy.State != snapshot.Present {
		var statements []string
		for _, by := range admitters {
			if text := c.admission(a, arn, by.role, by.sid); text != "" {
				statements = append(statements, text)
			}
		}
		c.missing(Blocks, a.id, subject, strings.Join(statements, ",\n"),
			"the policy of the key is not known (%s), nor whether it admits Replimend's roles: its owner must look whether "+
				"it has these statements, or lets the account decide", c.unreadable("keys."+subject))
		return
	}
	compiled := authz.Compile(snapshot.Ref{Kind: snapshot.KeyPolicy, ID: subject}.String(), key.Policy.V)
	for _, by := range admitters {
		if by.role == settings.ResourceWriter && key.Manager == "AWS" {
			continue // nobody can change the policy of an AWS managed key
		}
		var lacks, unsure, denied []string
		for _, action := range c.keyActions(a, arn, by.role) {
			q := c.request(a, by.role.ARN(a.partition, a.id), action, arn)
			// What the role's own policies say is asked elsewhere: here they allow everything.
			l := authz.Layers{Identity: []*authz.Policy{everything}, Resource: compiled}
			switch authz.Decide(&q, &l).Outcome {
			case authz.Allowed:
			case authz.Unknown:
				unsure = append(unsure, action)
			case authz.ExplicitDeny:
				denied = append(denied, action)
			default:
				lacks = append(lacks, action)
			}
		}
		if len(lacks) > 0 {
			c.missing(a.roleSeverity(by.role), a.id, subject, c.admission(a, arn, by.role, by.sid),
				"the policy of the key admits neither role %s nor the account for %s: the owner of the key must add the "+
					"statement", by.role, strings.Join(lacks, ", "))
		}
		if len(denied) > 0 {
			c.missing(a.roleSeverity(by.role), a.id, subject, "find out why the Deny is there: Replimend removes none",
				"the policy of the key denies role %s %s", by.role, strings.Join(denied, ", "))
		}
		if len(unsure) > 0 {
			c.missing(Limits, a.id, subject, "look at the conditions, or add the statement\n"+c.admission(a, arn, by.role, by.sid),
				"whether the policy of the key admits role %s for %s is not known: it hangs on conditions that only the "+
					"request shows", by.role, strings.Join(unsure, ", "))
		}
	}
}

// everything allows every action on every resource.
var everything = func() *authz.Policy {
	allow, _ := policy.StatementSpec{Effect: policy.Allow, Actions: []string{"*"}, Resources: []string{"*"}}.Build() // never fails
	return authz.Compile("everything", policy.New(allow))
}()

// keyActions is what a role needs of the policy of a key, in the order of the needs.
func (c *checker) keyActions(a *account, key policy.ARN, role settings.MemberRole) []string {
	var out []string
	for _, n := range c.f.Needs {
		if n.Role == role && strings.HasPrefix(n.Action, "kms:") && !slices.Contains(identityOnly, n.Action) &&
			slices.ContainsFunc(c.targets(a, n), func(t Target) bool { return t.ARN == key }) {
			out = add(out, n.Action)
		}
	}
	return out
}

// admission is the statement that lets a role in for everything that it needs, "" when it needs nothing of the key. In a key policy *
// is the key itself.
// https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-overview.html
func (c *checker) admission(a *account, key policy.ARN, role settings.MemberRole, sid string) string {
	actions := c.keyActions(a, key, role)
	if len(actions) == 0 {
		return ""
	}
	return statement(policy.StatementSpec{
		Sid: sid, Effect: policy.Allow, Actions: actions, Resources: []string{"*"},
		Principals: []policy.Principal{{Kind: policy.PrincipalAWS, Value: role.ARN(a.partition, a.id).String()}},
	})
}

// statement prints a statement that always builds: its parts come from settings that were validated.
func statement(spec policy.StatementSpec) string {
	s, err := spec.Build()
	if err != nil {
		return fmt.Sprintf("no statement can be made: %s", err)
	}
	text, _ := s.MarshalJSON() // never fails
	var out bytes.Buffer
	_ = json.Indent(&out, text, "", "  ")
	return out.String()
}

// request is what a role of Replimend asks for. Only the keys that every such request has are known.
func (c *checker) request(a *account, role policy.ARN, action string, resource policy.ARN) authz.Request {
	q := authz.Request{
		Principal: authz.SessionOf(role, "replimend", c.f.Snapshot.Roles[role].V.UniqueID), Action: action,
		Resource: resource, ResourceAccount: a.id,
	}
	q.Context.Open = true
	q.Context.Set("aws:PrincipalArn", role.String())
	c.fill(&q, role.Account)
	return q
}

// fill sets what every call of Replimend has.
func (c *checker) fill(q *authz.Request, caller string) {
	x := &q.Context
	x.Set("aws:PrincipalAccount", caller)
	x.Set("aws:ResourceAccount", q.ResourceAccount)
	x.Set("aws:PrincipalIsAWSService", "false")
	x.Set("aws:ViaAWSService", "false")
	x.Set("aws:SecureTransport", "true")
	x.SetAbsent("aws:PrincipalServiceName", "aws:SourceArn", "aws:SourceAccount", "kms:ViaService")
	if q.Resource.Region != "" {
		x.Set("aws:RequestedRegion", q.Resource.Region)
	}
	if q.Resource.Service == "kms" {
		x.Set("kms:CallerAccount", caller)
	}
	if o := c.f.Snapshot.Organization; o != nil && o.ID != "" && slices.Contains(o.Accounts, caller) {
		x.Set("aws:PrincipalOrgID", o.ID)
	}
	if at := c.f.Snapshot.TakenAt; at != "" {
		x.Set("aws:CurrentTime", at)
	}
	var tags snapshot.Value[map[string]string]
	switch q.Resource.Service {
	case "kms":
		tags = c.f.Snapshot.Keys[q.Resource].V.Tags
	case "iam":
		tags = c.f.Snapshot.Roles[q.Resource].V.Tags
	}
	for name, value := range tags.V {
		x.Set("aws:ResourceTag/"+name, value)
	}
	if tags.State != snapshot.Missing {
		x.Close("aws:resourcetag/")
	}
}

// layers is the policies that decide a request of the snapshot's roles and users.
func (c *checker) layers(q authz.Request) authz.Layers {
	ref := snapshot.Ref{}
	switch r := q.Resource; r.Service {
	case "kms":
		ref = snapshot.Ref{Kind: snapshot.KeyPolicy, ID: r.String()}
	case "s3":
		bucket, _, _ := strings.Cut(r.Resource, "/")
		ref = snapshot.Ref{Kind: snapshot.BucketPolicy, ID: bucket}
	}
	l := c.w.Layers(&route.Requirement{Request: q, Resource: ref})
	if ref.Kind == "" || strings.HasPrefix(ref.ID, settings.ReportBucket(q.ResourceAccount, "")) {
		// Actions of IAM and those without a resource know no resource policy; the bucket of reports is Replimend's own.
		l.Missing &^= authz.SetOf(authz.LayerResource)
	}
	return l
}
