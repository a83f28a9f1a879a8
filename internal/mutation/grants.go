package mutation

import (
	"slices"
	"strings"

	"github.com/replimend/replimend/internal/authz"
	"github.com/replimend/replimend/internal/diagnose"
	"github.com/replimend/replimend/internal/patch"
	"github.com/replimend/replimend/internal/policy"
	"github.com/replimend/replimend/internal/route"
	"github.com/replimend/replimend/internal/snapshot"
)

// Actions that an edit might allow: everything that replication asks, its lookalikes, and what would do harm.
var s3Actions = []string{
	"s3:GetReplicationConfiguration", "s3:ListBucket", "s3:GetObjectVersionForReplication", "s3:GetObjectVersion", "s3:GetObjectVersionAcl",
	"s3:GetObjectVersionTagging", "s3:ReplicateObject", "s3:ReplicateDelete", "s3:ReplicateTags", "s3:ObjectOwnerOverrideToBucketOwner",
	"s3:GetObjectRetention", "s3:GetObjectLegalHold", "s3:GetObject", "s3:PutObject", "s3:DeleteObject", "s3:DeleteObjectVersion",
	"s3:PutBucketPolicy", "s3:PutBucketVersioning", "s3:PutReplicationConfiguration", "s3:InitiateReplication",
	"s3:BypassGovernanceRetention", "s3:PutObjectRetention", "s3:PutObjectLegalHold", "s3:PutObjectAcl",
}

var kmsActions = []string{
	"kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey", "kms:GenerateDataKeyWithoutPlaintext", "kms:ReEncryptFrom", "kms:ReEncryptTo",
	"kms:DescribeKey", "kms:CreateGrant", "kms:PutKeyPolicy", "kms:ScheduleKeyDeletion", "kms:DisableKey",
}

var roleActions = []string{"sts:AssumeRole", "sts:TagSession", "sts:SetSourceIdentity", "iam:PassRole"}

// overGrants asks of each edited document, before and after, everything that anybody might do, and misses what became allowed
// without being needed or listed. The document is asked alone, all others allowing everything, so that nothing hides what it
// gives away.
func (t *trial) overGrants(edits []patch.Edit) {
	for _, e := range edits {
		before, after := alone(e.Before, e.Document), alone(e.After, e.Document)
		for _, q := range t.attempts(e.Document, concerned(e)) {
			if after.decide(&q) != authz.Allowed || before.decide(&q) == authz.Allowed {
				continue
			}
			if !t.needs(&q) {
				t.result.overGrant = true
				t.result.miss("over-grant: %s now allows %s %s on %s, which S3 does not need", e.Document, q.Principal, q.Action, q.Resource)
			} else if !lists(e, &q) {
				t.result.overGrant = true
				t.result.miss("over-grant: %s now allows %s %s on %s and does not list it", e.Document, q.Principal, q.Action, q.Resource)
			}
		}
	}
}

// lone is one document in a world that allows everything else.
type lone struct {
	kind snapshot.Kind
	own  []*authz.Policy
}

func alone(d snapshot.Value[policy.Document], ref snapshot.Ref) lone {
	l := lone{kind: ref.Kind, own: []*authz.Policy{}}
	if v, ok := d.Get(); ok {
		l.own = append(l.own, authz.Compile("own", v))
	}
	return l
}

func (l lone) decide(q *authz.Request) authz.Outcome {
	alone := *q
	var layers authz.Layers
	if l.kind == snapshot.RolePolicy || l.kind == snapshot.UserPolicy {
		layers.Identity = l.own
		alone.ResourceAccount = stranger // both sides must allow, and the other one does
		layers.Resource = everybody
	} else {
		layers.Identity = []*authz.Policy{anything}
		if len(l.own) > 0 {
			layers.Resource = l.own[0]
		}
		if q.Principal.Account == q.ResourceAccount && q.Principal.Kind != authz.Service {
			alone.ResourceAccount = stranger
		}
	}
	return authz.Decide(&alone, &layers).Outcome
}

var (
	anything  = compiled(`{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}`)
	everybody = compiled(`{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}]}`)
)

func compiled(text string) *authz.Policy {
	d, err := policy.Parse([]byte(text))
	if err != nil {
		panic(err) // a literal of this file
	}
	return authz.Compile("lab", d)
}

// concerned is the actions whose answer the edit can change: those that an added statement names, and all once a statement is
// gone that may have denied.
func concerned(e patch.Edit) func(action string) bool {
	var patterns []string
	own := e.Before.V.Statements
	for i, s := range e.After.V.Statements {
		if i < len(own) && s.Equal(own[i]) {
			continue
		}
		if i < len(own) || s.Action.Not {
			return func(string) bool { return true }
		}
		patterns = append(patterns, s.Action.Values...)
	}
	if len(e.After.V.Statements) < len(own) {
		return func(string) bool { return true }
	}
	return func(action string) bool {
		return slices.ContainsFunc(patterns, func(p string) bool {
			prefix, _, _ := strings.Cut(p, "*")
			return p == action || prefix != p && strings.HasPrefix(action, prefix)
		})
	}
}

func only(all []string, some func(string) bool) []string {
	return slices.DeleteFunc(slices.Clone(all), func(s string) bool { return !some(s) })
}

// attempts is every request that the document could decide: all callers, the concerned actions, all resources and contexts.
func (t *trial) attempts(ref snapshot.Ref, some func(string) bool) []authz.Request {
	onRoles, onBuckets, onKeys := only(roleActions, some), only(s3Actions, some), only(kmsActions, some)
	var out []authz.Request
	callers := t.callers()
	if ref.Kind == snapshot.RolePolicy || ref.Kind == snapshot.UserPolicy {
		callers = callers[:1] // a role's policies reach its sessions alone
	}
	for _, p := range callers {
		switch ref.Kind {
		case snapshot.RoleTrust:
			for _, action := range onRoles {
				out = append(out, request(p, action, parseARN(ref.ID), nil))
			}
			continue
		case snapshot.RolePolicy, snapshot.UserPolicy:
			out = append(out, t.onBuckets(p, onBuckets)...)
			out = append(out, t.onKeys(p, t.keys(), onKeys)...)
			for _, action := range onRoles {
				out = append(out, request(p, action, parseARN(ref.ID), nil))
			}
		case snapshot.SourceKeyPolicy, snapshot.ReplicaKeyPolicy, snapshot.KeyPolicy:
			out = append(out, t.onKeys(p, []policy.ARN{parseARN(ref.ID)}, onKeys)...)
		default:
			out = append(out, t.onBuckets(p, onBuckets)...)
		}
	}
	return out
}

// self is who acts: a session of the role, as S3 names it, or who reads and writes.
func (t *trial) self() authz.Principal {
	role := t.routes[0].Of.Role
	if t.world.access != nil {
		for _, a := range t.world.answers {
			return a.Request.Principal
		}
	}
	return authz.SessionOf(role, route.Session, t.after.Roles[role].V.UniqueID)
}

// callers is the role's session first, then everybody who resembles it, and strangers.
func (t *trial) callers() []authz.Principal {
	role := t.routes[0].Of.Role
	self := t.self()
	noun, _, _ := strings.Cut(role.Resource, "/")
	out := []authz.Principal{
		self,
		principalOf(self, role.Account, noun+"/"+role.Name()), principalOf(self, role.Account, noun+"/stranger"), principalOf(self, stranger, role.Resource),
		{Kind: authz.Anonymous},
	}
	for _, service := range []string{"s3.amazonaws.com", "batchoperations.s3.amazonaws.com", "lambda.amazonaws.com"} {
		out = append(out, authz.Principal{Kind: authz.Service, Name: service})
	}
	for _, account := range []string{role.Account, t.routes[0].Of.DestinationAccount, stranger} {
		root := policy.ARN{Partition: role.Partition, Service: "iam", Account: account, Resource: "root"}
		out = append(out, authz.Principal{Kind: authz.Root, ARN: root, Account: account})
	}
	return out
}

func request(p authz.Principal, action string, resource policy.ARN, context map[string]string) authz.Request {
	q := authz.Request{Principal: p, Action: action, Resource: resource, ResourceAccount: resource.Account}
	for _, key := range []string{"kms:ViaService", encryptionContext} {
		if v := context[key]; v != "" {
			q.Context.Set(key, v)
		}
	}
	q.Context.Set("aws:SecureTransport", "true")
	return q
}

const encryptionContext = "kms:EncryptionContext:aws:s3:arn"

// names is every bucket of the world, one that is named almost like the first, and a stranger's.
func (t *trial) names() []string {
	names := sortedNames(t.after.Buckets)
	return append(names, names[0]+"2", "amzn-s3-demo-stranger")
}

func (t *trial) onBuckets(p authz.Principal, actions []string) []authz.Request {
	var out []authz.Request
	for _, name := range t.names() {
		for _, key := range t.objects() {
			resource := policy.BucketARN(t.routes[0].Of.Partition, name)
			if key != "" {
				resource = policy.ObjectARN(t.routes[0].Of.Partition, name, key)
			}
			for _, action := range actions {
				out = append(out, request(p, action, resource, nil))
			}
		}
	}
	return out
}

// objects is object keys within and without the prefixes of the rules; "" is the bucket.
func (t *trial) objects() []string {
	out := []string{"", "outside"}
	for _, r := range t.routes {
		if prefix, _ := r.Of.Filter(); !slices.Contains(out, prefix+"deep/er") {
			out = append(out, prefix+"deep/er", strings.TrimSuffix(prefix, "/")+"-lookalike")
		}
	}
	return out
}

func (t *trial) keys() []policy.ARN {
	var out []policy.ARN
	for _, name := range sortedKeys(t.world.tree["keys"]) {
		k := parseARN(name)
		out = append(out, k)
		k.Resource = "key/00000000-0000-0000-0000-000000000000"
		out = append(out, k)
	}
	return out
}

func (t *trial) onKeys(p authz.Principal, keys []policy.ARN, actions []string) []authz.Request {
	partition := t.routes[0].Of.Partition
	var out []authz.Request
	for _, key := range keys {
		suffix := ".amazonaws.com"
		if partition == "aws-cn" {
			suffix += ".cn"
		}
		for _, through := range []string{"s3." + key.Region + suffix, "s3.sa-east-1" + suffix, "ec2." + key.Region + suffix, ""} {
			contexts := []string{""}
			for _, name := range t.names() {
				contexts = append(contexts, policy.BucketARN(partition, name).String())
				for _, object := range t.objects()[1:] {
					contexts = append(contexts, policy.ObjectARN(partition, name, object).String())
				}
			}
			for _, context := range contexts {
				for _, action := range actions {
					out = append(out, request(p, action, key, map[string]string{"kms:ViaService": through, encryptionContext: context}))
				}
			}
		}
	}
	return out
}

// needs says whether S3 makes that very request for objects of some rule: the exact caller, action and resource, and for keys
// through S3 of the key's Region with the context of the bucket or of an object in the rule's scope.
func (t *trial) needs(q *authz.Request) bool {
	for _, key := range sortedAnswers(t.answers) {
		a := t.answers[key]
		n := &a.Request
		if n.Action != q.Action || n.Principal.String() != q.Principal.String() || n.Principal.Issuer != q.Principal.Issuer {
			continue
		}
		if ofWriter(&a.Requirement) || a.Need == route.Advisory || a.Need == route.DenyOnly {
			continue
		}
		if n.Resource.Service != "s3" {
			if n.Resource == q.Resource && t.sameContext(n, q) {
				return true
			}
			continue
		}
		bucket, object, _ := strings.Cut(n.Resource.Resource, "/")
		if got, name, _ := strings.Cut(q.Resource.Resource, "/"); got == bucket && (object == "") == (name == "") && (name == "" || t.inScope(bucket, name)) {
			return true
		}
	}
	return false
}

func (t *trial) sameContext(n, q *authz.Request) bool {
	value := func(r *authz.Request, key string) string {
		v, _ := r.Context.Values(key)
		return strings.Join(v, " ")
	}
	if value(n, "kms:ViaService") != value(q, "kms:ViaService") {
		return false
	}
	want, got := value(n, encryptionContext), value(q, encryptionContext)
	if want == "" {
		return got == ""
	}
	bucket, _, _ := strings.Cut(parseARN(want).Resource, "/")
	name, object, _ := strings.Cut(parseARNOr(got).Resource, "/")
	return name == bucket && (object == "" || t.inScope(bucket, object))
}

func parseARNOr(text string) policy.ARN {
	if text == "" {
		return policy.ARN{}
	}
	return parseARN(text)
}

// inScope says whether some rule from or to the bucket covers the object.
func (t *trial) inScope(bucket, object string) bool {
	return slices.ContainsFunc(t.routes, func(r diagnose.Route) bool {
		prefix, _ := r.Of.Filter()
		return (r.Of.Source == bucket || r.Of.Destination == bucket) && strings.HasPrefix(object, prefix)
	})
}

// lists says whether the edit says of itself that it adds this.
func lists(e patch.Edit, q *authz.Request) bool {
	caller := q.Principal.Issuer.String()
	switch q.Principal.Kind {
	case authz.Service:
		caller = q.Principal.Name
	case authz.User:
		caller = q.Principal.ARN.String()
	default:
	}
	return slices.ContainsFunc(e.Adds, func(tuple patch.Tuple) bool {
		resource := unescape.Replace(tuple[2])
		prefix, wild := strings.CutSuffix(resource, "*")
		named := q.Resource.String() == resource || wild && strings.HasPrefix(q.Resource.String(), prefix)
		return tuple[0] == caller && tuple[1] == q.Action && named
	})
}

var unescape = strings.NewReplacer("${*}", "*", "${?}", "?", "${$}", "$")
