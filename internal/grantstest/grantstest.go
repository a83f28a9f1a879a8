// Package grantstest is the table of what each role of Replimend can do and, above all, cannot. Package grants holds its documents
// against it, package infra its templates. Only tests import it.
package grantstest

import (
	"strings"
	"testing"

	"github.com/replimend/replimend/internal/authz"
	"github.com/replimend/replimend/internal/grants"
	"github.com/replimend/replimend/internal/policy"
	"github.com/replimend/replimend/internal/settings"
)

// The accounts of Settings.
const (
	Hub       = "999999999999"
	Source    = "111122223333"
	Target    = "444455556666" // outside of the organization, with an external id
	Elsewhere = "777788889999" // no member
)

const text = `version: 1
hub: {account: "999999999999", region: eu-west-1}
organization: o-a1b2c3d4e5
accounts: ["111122223333", "444455556666"]
members:
- {account: "111122223333", regions: [eu-west-1, us-east-1]}
- {account: "444455556666", regions: [eu-central-1], externalId: partner-7}
self: ["arn:aws:iam::*:role/ours-*"]
approvals:
  approvers: ["arn:aws:iam::999999999999:role/oncall"]
  slack: {secret: "arn:aws:secretsmanager:eu-west-1:999999999999:secret:replimend/slack-app-AbCdEf", team: T0123456789}
  page:
    secret: "arn:aws:secretsmanager:eu-west-1:999999999999:secret:replimend/page-AbCdEf"
    issuer: https://login.example.com
    client: replimend
    clientSecret: "arn:aws:secretsmanager:eu-west-1:999999999999:secret:replimend/client-AbCdEf"
chat:
  targets:
  - {name: oncall, tool: pagerduty, secret: "arn:aws:secretsmanager:eu-west-1:999999999999:secret:replimend/pagerduty-AbCdEf"}
  - {name: team, tool: slack, secret: "arn:aws:secretsmanager:eu-west-1:999999999999:secret:replimend/slack-AbCdEf", channel: C0123456789}
  - {name: mail, tool: email, topic: "arn:aws:sns:eu-west-1:999999999999:replication"}
routes:
- name: orders
  mode: automatic
  source: {bucket: orders, account: "111122223333", region: eu-west-1}
  destination: {bucket: orders-copy, account: "444455556666", region: eu-central-1}
  rule: {id: all, prefix: "2026/"}
  role: {arn: "arn:aws:iam::111122223333:role/replication/orders", uniqueId: AROAEXAMPLEORDERS0001, trust: [s3.amazonaws.com]}
  sourceKeys: ["arn:aws:kms:eu-west-1:111122223333:key/1111aaaa-0000-4000-8000-000000000001"]
  replicaKey: "arn:aws:kms:eu-central-1:444455556666:key/4444aaaa-0000-4000-8000-000000000001"
  allow: {canary: true}
- name: invoices
  mode: approve
  source: {bucket: invoices, account: "111122223333", region: us-east-1}
  destination: {bucket: invoices-copy, account: "444455556666", region: eu-central-1}
  rule: {id: all}
  role: {arn: "arn:aws:iam::111122223333:role/invoices", uniqueId: AROAEXAMPLEINVOICE001, trust: [s3.amazonaws.com]}
  allow: {roleTrust: true}
- name: audit
  mode: observe
  source: {bucket: audit, account: "111122223333", region: eu-west-1}
  destination: {bucket: audit-copy, account: "444455556666", region: eu-central-1}
  rule: {id: all}
  role: {arn: "arn:aws:iam::111122223333:role/audit", uniqueId: AROAEXAMPLEAUDIT00001, trust: [s3.amazonaws.com]}
  sourceKeys: ["arn:aws:kms:eu-west-1:111122223333:key/1111aaaa-0000-4000-8000-00000000000a"]
  allow: {roleTrust: true, canary: true}
`

// Settings is what the table is about: a route of each mode, from Source to Target.
func Settings(tb testing.TB) *settings.Settings {
	tb.Helper()
	set, err := settings.Parse([]byte(text))
	if err != nil {
		tb.Fatal(err)
	}
	return set
}

// World is roles and policies of resources, made from Settings: by package grants, or read from templates.
type World struct {
	Roles map[policy.ARN]grants.Role
	// Resources is the policies of queues, topics, the bus, the key of the seal and the buckets of reports.
	Resources map[policy.ARN]policy.Document
}

// SealKey is the ARN that the key of the seal has in a World.
var SealKey = policy.ARN{
	Partition: "aws", Service: "kms", Region: "eu-west-1", Account: Hub, Resource: "key/9999aaaa-0000-4000-8000-000000000001",
}

// A Case is one request and what becomes of it.
type Case struct {
	Who             policy.ARN // a role; its session makes the request
	Service         string     // in place of Who: a service principal
	Action          string
	On              string // an ARN, or * for actions that know no resource
	ResourceAccount string // where On does not say
	Given           map[string]string
	Allowed         bool
	// Denied says that there must be an explicit Deny.
	Denied bool
	Why    string
}

// Run asks for every case of the table.
func Run(t *testing.T, w World) {
	t.Helper()
	for _, c := range Cases() {
		if got := Ask(w, c); got != want(c) {
			t.Errorf("%s%s %s on %s %v: %s, want %s: %s", c.Service, c.Who, c.Action, c.On, c.Given, got, want(c), c.Why)
		}
	}
}

// want is what becomes of the case, in the words of Ask.
func want(c Case) string {
	switch {
	case c.Allowed:
		return "allowed"
	case c.Denied:
		return "denied"
	}
	return "not allowed"
}

// Ask is allowed, denied where there is an explicit Deny, or not allowed. Of a role that is not there, everything is not allowed.
//
// Whatever is in another account, and has no policy in the World, lets everybody in: the role's own policies have to keep it out. A key
// without a policy in the World leaves everything to the policies of its account.
func Ask(w World, c Case) string {
	q := authz.Request{Action: c.Action, ResourceAccount: c.ResourceAccount}
	if c.On != "*" {
		q.Resource, _ = policy.ParseARN(c.On) // a case that names no resource is asked about none, and fails
	}
	l := authz.Layers{}
	x := &q.Context
	x.Set("aws:SecureTransport", "true")
	if c.Service != "" {
		q.Principal = authz.Principal{Kind: authz.Service, Name: c.Service}
		x.Set("aws:PrincipalIsAWSService", "true")
	} else {
		q.Principal = authz.SessionOf(c.Who, "replimend", "")
		x.Set("aws:PrincipalArn", c.Who.String())
		x.Set("aws:PrincipalAccount", c.Who.Account)
		role := w.Roles[c.Who]
		for _, p := range append(role.Policies, role.Managed...) {
			l.Identity = append(l.Identity, authz.Compile(p.Name, p.Document))
		}
		if q.ResourceAccount == "" {
			q.ResourceAccount = c.Who.Account
		}
	}
	if q.Resource.Account != "" {
		q.ResourceAccount = q.Resource.Account
	}
	x.Set("aws:ResourceAccount", q.ResourceAccount)
	for key, value := range c.Given {
		x.Set(key, value)
	}
	l.Resource = w.resource(c, q)
	switch authz.Decide(&q, &l).Outcome {
	case authz.Allowed:
		return "allowed"
	case authz.ExplicitDeny:
		return "denied"
	case authz.Unknown:
		return "unknown"
	default:
		return "not allowed"
	}
}

func (w World) resource(c Case, q authz.Request) *authz.Policy {
	name, _, _ := strings.Cut(q.Resource.Resource, "/")
	bucket := policy.BucketARN(q.Resource.Partition, name)
	if d, ok := w.Resources[q.Resource]; ok {
		return authz.Compile("resource", d)
	}
	if d, ok := w.Resources[bucket]; ok && q.Resource.Service == "s3" {
		return authz.Compile("resource", d)
	}
	if role, ok := w.Roles[q.Resource]; ok && (c.Action == "sts:AssumeRole" || c.Action == "sts:SetSourceIdentity") {
		return authz.Compile("trust", role.Trust)
	}
	switch {
	case q.Resource.Service == "kms" && q.Resource.Account == c.Who.Account:
		return lets(policy.ARN{Partition: "aws", Service: "iam", Account: c.Who.Account, Resource: "root"}.String())
	case q.ResourceAccount != c.Who.Account && c.Service == "":
		return lets("*")
	}
	return nil
}

// lets is a policy by which a principal may do everything.
func lets(who string) *authz.Policy {
	s, err := policy.StatementSpec{
		Effect: policy.Allow, Principals: []policy.Principal{{Kind: policy.PrincipalAWS, Value: who}},
		Actions: []string{"*"}, Resources: []string{"*"},
	}.Build()
	if err != nil {
		return nil // and the case fails
	}
	return authz.Compile("lets in", policy.New(s))
}
