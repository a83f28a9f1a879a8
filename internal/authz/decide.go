package authz

import (
	"slices"
	"strings"

	"github.com/replimend/replimend/internal/policy"
)

// Layer is one kind of policy that takes part in a decision.
type Layer uint8

// The layers, in the order in which AWS's enforcement logic asks them.
const (
	LayerRCP Layer = iota
	LayerSCP
	LayerResource
	LayerGrant
	LayerIdentity
	LayerBoundary
	LayerSession
	LayerEndpoint
	layerCount
)

var layerNames = [...]string{
	"resource control policy", "service control policy", "resource policy", "grant", "identity policy",
	"permissions boundary", "session policy", "VPC endpoint policy",
}

// String names the layer as the IAM guide does.
func (l Layer) String() string { return layerNames[l] }

// Layers is every policy that a decision asks. A nil list means that there is no such policy; what could not be read is in
// Missing and makes the decisions that hang on it Unknown.
type Layers struct {
	Identity []*Policy
	Boundary []*Policy // any of them may allow; nil: no boundary
	Session  []*Policy // nil: no session policy
	Resource *Policy   // bucket policy, key policy or role trust; nil: the resource has none
	Endpoint []*Policy // nil: the request does not pass a VPC endpoint with a policy
	SCPs     [][]*Policy
	RCPs     [][]*Policy // levels from the root to the account; each level must allow
	Grants   []Grant     // of the KMS key
	Missing  LayerSet
}

// LayerSet is a set of layers.
type LayerSet uint8

// SetOf is the set of those layers.
func SetOf(layers ...Layer) LayerSet {
	var s LayerSet
	for _, l := range layers {
		s |= 1 << l
	}
	return s
}

// Has says whether the layer is in the set.
func (s LayerSet) Has(l Layer) bool { return s&(1<<l) != 0 }

// Outcome is the answer to a request.
type Outcome uint8

// The outcomes.
const (
	ImplicitDeny Outcome = iota // nothing allows it
	ExplicitDeny                // a Deny applies
	Allowed
	Unknown // what is not known decides
)

var outcomeNames = [...]string{"implicit_deny", "explicit_deny", "allowed", "unknown"}

// String is the outcome as the contract writes it.
func (o Outcome) String() string { return outcomeNames[o] }

// Decision is an outcome with what decided it. It is a flat value: making one allocates nothing.
type Decision struct {
	Outcome Outcome
	// Deciding is the layers that decide: those with a Deny, those that allow, those that lack an Allow, or those that hang.
	Deciding LayerSet
	hangs    [4]string
	more     bool
	mayDeny  bool
}

// MayDeny says, for Unknown, whether a Deny may apply, and not only whether something allows.
func (d Decision) MayDeny() bool { return d.mayDeny }

// HangsOn names, for Unknown, the condition keys that would settle the decision, in lower case; "kms:encryptioncontext" for
// pairs that an open context does not name; and "policy" when a layer was not readable. more says that there are others.
func (d Decision) HangsOn() (keys []string, more bool) {
	for _, k := range d.hangs {
		if k != "" {
			keys = append(keys, k)
		}
	}
	return keys, d.more
}

func (d *Decision) hang(key string) {
	for i, k := range d.hangs {
		if k == key {
			return
		}
		if k == "" {
			d.hangs[i] = key
			return
		}
	}
	d.more = true
}

// naming is how a resource policy's Principal names the caller; one statement may name it in several ways.
type naming uint8

const (
	namesCaller   naming = 1 << iota // the caller's own ARN: the user, the session, the service, the provider
	namesIssuer                      // the role of a session, the user of a federated user
	namesAccount                     // the caller's account
	namesEveryone                    // *
)

// bypass is, for a grant in a resource policy of the caller's own account, the layers whose silence does not matter.
//
//	user, by its ARN or *                identity policy and boundary
//	session, by its own ARN or *         identity policy, boundary and session policy
//	session, by its role                 identity policy only
//	federated user, by its ARN or *      identity policy, boundary and session policy
//	federated user, by the IAM user      identity policy only
//	any, by its account                  nothing: the account delegates
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic_policy-eval-basics.html and
// https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_boundaries.html#access_policies_boundaries-eval-logic
var bypass = map[naming]LayerSet{
	namesCaller:   SetOf(LayerIdentity, LayerBoundary, LayerSession),
	namesEveryone: SetOf(LayerIdentity, LayerBoundary, LayerSession),
	namesIssuer:   SetOf(LayerIdentity),
	namesAccount:  0,
}

// namings is the order in which the ways through a resource policy are asked.
var namings = [...]naming{namesCaller, namesEveryone, namesIssuer, namesAccount}

// bypassOf is bypass as an array, because a map costs time on the deciding path.
var bypassOf = func() (out [len(namings)]LayerSet) {
	for i, n := range namings {
		out[i] = bypass[n]
	}
	return out
}()

// result is what one layer says: whether an Allow and whether a Deny of it applies.
type result struct{ allow, deny tri }

// results is what every layer says about one request.
type results struct {
	layers [layerCount]result
	ways   [len(namings)]tri // LayerResource's Allow by the way in which it names the caller
}

// shape is the kind of request, which decides how the layers combine.
type shape uint8

const (
	sameAccount   shape = iota // identity or resource policy
	crossAccount               // identity and resource policy
	keyOrTrust                 // like sameAccount, but the resource policy must grant or delegate: KMS keys, role trust
	resourceAlone              // services, anonymous callers, federated identities: only the resource policy can allow
	rootUser                   // the root user of the resource's account needs no Allow, but for keys and trust
)

// shapeOf finds the shape of a request.
//
// That a KMS key obeys its key policy before anything else: https://docs.aws.amazon.com/kms/latest/developerguide/key-policies.html
// That a role obeys its trust policy: https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_create_policy-examples.html
func shapeOf(r *Request) shape {
	p := &r.Principal
	if p.Kind == Anonymous || p.Kind == Service || p.Kind == Federated {
		return resourceAlone
	}
	if p.Account != r.ResourceAccount {
		return crossAccount
	}
	if r.guarded() {
		return keyOrTrust
	}
	if p.Kind == Root {
		return rootUser
	}
	return sameAccount
}

// beyondRCPs says whether resource control policies do not reach the request: service-linked roles, as callers and as the
// role that is assumed, and kms:RetireGrant.
// https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_rcps.html
func (r *Request) beyondRCPs() bool {
	return r.Principal.serviceLinked() || strings.HasPrefix(r.Resource.Resource, "role/aws-service-role/") ||
		equalFold("kms:retiregrant", r.Action)
}

// guarded says whether the resource is one that nobody may use whom its own policy does not let in.
func (r *Request) guarded() bool {
	return r.Resource.Service == "kms" && strings.HasPrefix(r.Resource.Resource, "key/") || r.asksTrust()
}

// asksTrust says whether the resource policy is a role's trust policy: sts:AssumeRole, and sts:TagSession and
// sts:SetSourceIdentity, which go with it.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/id_session-tags.html
func (r *Request) asksTrust() bool {
	return r.Resource.Service == "iam" && strings.HasPrefix(r.Resource.Resource, "role/") && hasPrefixFold(r.Action, "sts:")
}

func hasPrefixFold(s, lowered string) bool {
	return len(s) >= len(lowered) && equalFold(lowered, s[:len(lowered)])
}

// allow combines the layers of one request.
func (res *results) allow(s shape, r *Request, l *Layers) tri {
	identity, resource := res.layers[LayerIdentity].allow, res.layers[LayerResource].allow
	boundary, session := yes, yes
	if l.Boundary != nil || l.Missing.Has(LayerBoundary) {
		boundary = res.layers[LayerBoundary].allow
	}
	if l.Session != nil || l.Missing.Has(LayerSession) || r.Principal.Kind == FederatedUser {
		// A federated session that was opened without a session policy has no permissions of its own.
		// https://docs.aws.amazon.com/STS/latest/APIReference/API_GetFederationToken.html
		session = res.layers[LayerSession].allow
	}
	if r.Principal.Kind == Root {
		identity = yes
	}
	grant := res.layers[LayerGrant].allow

	var out tri
	switch s {
	case resourceAlone:
		out = or(resource, grant)
	case crossAccount:
		// A grant lets an external grantee in as the key policy would; its own account must still allow the call.
		out = and(or(resource, grant), and(identity, and(boundary, session)))
	case rootUser:
		out = yes
	default:
		if s == sameAccount {
			out = and(identity, and(boundary, session))
		}
		for i := range namings {
			way := res.ways[i]
			if way == no {
				continue
			}
			over := bypassOf[i]
			for _, need := range [...]struct {
				layer Layer
				value tri
			}{{LayerIdentity, identity}, {LayerBoundary, boundary}, {LayerSession, session}} {
				if !over.Has(need.layer) {
					way = and(way, need.value)
				}
			}
			out = or(out, way)
		}
		// A grant names the grantee as a key policy names a role: a boundary and a session policy still limit it.
		out = or(out, and(grant, and(boundary, session)))
	}
	for _, layer := range [...]Layer{LayerSCP, LayerRCP, LayerEndpoint} {
		out = and(out, res.layers[layer].allow)
	}
	return out
}

// Decide answers a request. It allocates only for what is rare: base64, dates in a short form, values that their operator
// cannot read, and variables that expand beyond 256 bytes.
func Decide(r *Request, l *Layers) Decision {
	var res results
	scan(&res, r, l)
	d := conclude(&res, r, l)
	if d.Outcome == Unknown {
		name(&d, r, l)
	}
	return d
}

// conclude turns what the layers say into a decision. Decide and Explain both end here, each with results of its own.
func conclude(res *results, r *Request, l *Layers) Decision {
	var certain, possible LayerSet
	for i := Layer(0); i < layerCount; i++ {
		switch res.layers[i].deny {
		case yes:
			certain |= 1 << i
		case unknown:
			possible |= 1 << i
		case no:
		}
	}
	if certain != 0 {
		return Decision{Outcome: ExplicitDeny, Deciding: certain}
	}
	s := shapeOf(r)
	switch res.allow(s, r, l) {
	case no:
		return Decision{Outcome: ImplicitDeny, Deciding: res.lacking(s, r, l)}
	case yes:
		if possible == 0 {
			return Decision{Outcome: Allowed, Deciding: res.with(yes)}
		}
		return Decision{Outcome: Unknown, Deciding: possible, mayDeny: true}
	default:
		deciding := res.with(unknown) | possible
		if slices.Contains(res.ways[:], unknown) { // beside a certain Allow that does not reach as far
			deciding |= SetOf(LayerResource)
		}
		return Decision{Outcome: Unknown, Deciding: deciding, mayDeny: possible != 0}
	}
}

// with is the layers whose Allow has that value.
func (res *results) with(v tri) LayerSet {
	var out LayerSet
	for i := Layer(0); i < layerCount; i++ {
		if res.layers[i].allow == v {
			out |= 1 << i
		}
	}
	return out
}

// lacking is the layers that would have to allow for the request to pass and certainly do not.
func (res *results) lacking(s shape, r *Request, l *Layers) LayerSet {
	var out LayerSet
	need := func(layer Layer) {
		if res.layers[layer].allow == no {
			out |= 1 << layer
		}
	}
	need(LayerSCP)
	need(LayerRCP)
	need(LayerEndpoint)
	if s == rootUser {
		return out
	}
	if s != sameAccount && res.layers[LayerGrant].allow == no {
		need(LayerResource)
	}
	if s != resourceAlone {
		if r.Principal.Kind != Root && !res.identityBypassed(s) {
			need(LayerIdentity)
		}
		if l.Boundary != nil {
			need(LayerBoundary)
		}
		if l.Session != nil || r.Principal.Kind == FederatedUser {
			need(LayerSession)
		}
	}
	return out
}

// identityBypassed says whether the resource's policy or a grant lets the caller in by name, so that the identity policies may
// be silent. An organization's policy or a boundary can deny all the same, and then it alone is what lacks.
func (res *results) identityBypassed(s shape) bool {
	if s != sameAccount && s != keyOrTrust {
		return false
	}
	for i := range namings {
		if res.ways[i] == yes && bypassOf[i].Has(LayerIdentity) {
			return true
		}
	}
	return res.layers[LayerGrant].allow == yes
}

// scan asks every layer.
func scan(res *results, r *Request, l *Layers) {
	s := shapeOf(r)
	for i := range res.layers {
		res.layers[i].deny = is(false)
	}
	if s == resourceAlone {
		// Identity policies, boundaries, session policies and SCPs belong to principals of an account.
		res.layers[LayerSCP].allow = yes
	} else {
		res.layers[LayerIdentity] = scanAny(l.Identity, r, l)
		res.layers[LayerBoundary] = scanAny(l.Boundary, r, l)
		res.layers[LayerSession] = scanAny(l.Session, r, l)
		res.layers[LayerSCP] = scanLevels(l.SCPs, r.Principal.serviceLinked(), r, l)
	}
	res.layers[LayerRCP] = scanLevels(l.RCPs, r.beyondRCPs(), r, l)
	res.layers[LayerEndpoint] = result{allow: yes}
	if l.Endpoint != nil {
		res.layers[LayerEndpoint] = scanAny(l.Endpoint, r, l)
	}
	if l.Resource != nil {
		scanResource(res, l.Resource, r, l)
	}
	for i := range l.Grants {
		res.layers[LayerGrant].allow = or(res.layers[LayerGrant].allow, l.Grants[i].allows(r))
	}
	for i := Layer(0); i < layerCount; i++ {
		if l.Missing.Has(i) {
			missing(res, i, s)
		}
	}
}

// missing makes a layer that could not be read say nothing certain beyond what was read of it.
func missing(res *results, layer Layer, s shape) {
	if s == resourceAlone && (layer == LayerSCP || layer == LayerIdentity || layer == LayerBoundary || layer == LayerSession) {
		return
	}
	one := &res.layers[layer]
	one.allow = or(one.allow, unknown)
	if layer != LayerGrant {
		one.deny = or(one.deny, unknown)
	}
	if layer == LayerResource {
		for i := range res.ways {
			res.ways[i] = or(res.ways[i], unknown)
		}
	}
}

func scanAny(policies []*Policy, r *Request, l *Layers) result {
	var out result
	for _, p := range policies {
		for i := range p.statements {
			st := &p.statements[i]
			if !useful(st, out) {
				continue
			}
			v, _ := st.applies(r, l)
			if st.effect == policy.Deny {
				out.deny = or(out.deny, v)
			} else {
				out.allow = or(out.allow, v)
			}
		}
	}
	return out
}

// useful says whether the statement can still change what its layer says.
func useful(st *statement, so result) bool {
	if st.effect == policy.Deny {
		return so.deny != yes
	}
	return so.allow != yes
}

// scanLevels asks policies that stand at several levels, each of which must allow.
func scanLevels(levels [][]*Policy, exempt bool, r *Request, l *Layers) result {
	out := result{allow: yes}
	if exempt {
		return out
	}
	for _, level := range levels {
		one := scanAny(level, r, l)
		out.allow = and(out.allow, one.allow)
		out.deny = or(out.deny, one.deny)
	}
	return out
}

func scanResource(res *results, p *Policy, r *Request, l *Layers) {
	out := &res.layers[LayerResource]
	for i := range p.statements {
		st := &p.statements[i]
		if st.effect == policy.Deny && out.deny == yes || st.opensToNobody() {
			continue
		}
		v, how := st.applies(r, l)
		if v == no {
			continue
		}
		if st.effect == policy.Deny {
			out.deny = or(out.deny, v)
			continue
		}
		out.allow = or(out.allow, v)
		for k, n := range namings {
			if how&n != 0 {
				res.ways[k] = or(res.ways[k], v)
			}
		}
	}
}

// opensToNobody says whether the statement allows without a Principal. AWS stores no resource policy with such a statement;
// read from elsewhere, it must not open the resource to everyone.
func (st *statement) opensToNobody() bool { return st.effect == policy.Allow && !st.hasPrinc }

// applies says whether the statement applies to the request, and how its Principal names the caller.
func (st *statement) applies(r *Request, l *Layers) (tri, naming) {
	if !st.actionMatches(r.Action) {
		return no, 0
	}
	v, how := yes, namesEveryone
	if st.hasPrinc {
		if v, how = st.names(r, l); v == no {
			return no, 0
		}
	}
	v = and(v, st.resourceMatches(r))
	for i := range st.conditions {
		if v == no {
			return no, 0
		}
		v = and(v, st.conditions[i].holds(&r.Context))
	}
	return v, how
}

func (st *statement) actionMatches(action string) bool {
	for i := range st.actions {
		if st.actions[i].matchFold(action) {
			return !st.notAction
		}
	}
	return st.notAction
}

func (st *statement) resourceMatches(r *Request) tri {
	if !st.hasRes {
		// Trust policies have no Resource: the role itself is meant. Elsewhere AWS refuses the document, but for key policies,
		// where the statement has no effect: https://docs.aws.amazon.com/kms/latest/APIReference/API_PutKeyPolicy.html
		return is(r.asksTrust())
	}
	out := no
	for i := range st.resources {
		if out = or(out, st.resources[i].match(&r.Resource, &r.Context)); out == yes {
			break
		}
	}
	if st.notRes {
		return not(out)
	}
	return out
}

// names says whether the statement's Principal names the caller, and how.
func (st *statement) names(r *Request, l *Layers) (tri, naming) {
	p := &r.Principal
	var how naming
	for i := range st.principals {
		how |= nameOf(&st.principals[i], p)
	}
	switch {
	case !st.notPrinc:
		return is(how != 0), how
	case how == 0:
		return yes, namesEveryone
	case st.effect != policy.Deny:
		return no, 0
	case l.Boundary != nil && p.bounded():
		// NotPrincipal with Deny reaches every principal that has a boundary, whomever it lists.
		// https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_boundaries.html
		return yes, namesEveryone
	case r.Context.Open && p.Account != "" && how&namesEveryone == 0 && (how&namesAccount == 0 || how == namesAccount):
		// AWS says that a Deny which does not list the account beside the principal might reach it nevertheless. Only a request
		// whose facts are said to be complete is taken at the word of the list.
		// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_notprincipal.html
		return unknown, namesEveryone
	default:
		return no, 0
	}
}

func nameOf(v *policy.Principal, p *Principal) naming {
	switch v.Kind {
	case policy.PrincipalService:
		if p.Kind == Service && v.Value == p.Name {
			return namesCaller
		}
		return 0
	case policy.PrincipalFederated:
		if p.Kind == Federated && v.Value == p.Name {
			return namesCaller
		}
		return 0
	case policy.PrincipalCanonicalUser:
		return 0 // names an account by an id of S3 that no request context carries
	}
	if v.Value == "*" {
		return namesEveryone
	}
	if p.Account == "" || p.Kind == Federated { // an identity of a provider is not yet one of the provider's account
		return 0
	}
	if v.Value[0] == 'A' { // a unique id
		if v.Value != p.UniqueID {
			return 0
		}
		if p.Kind == User {
			return namesCaller
		}
		return namesIssuer
	}
	if v.Value[0] != 'a' { // an account id
		if v.Value == p.Account {
			return namesAccount
		}
		return 0
	}
	var how naming
	if equalARN(v.Value, &p.Issuer) {
		how |= namesIssuer
	}
	if p.Kind != Role && equalARN(v.Value, &p.ARN) {
		how |= namesCaller
	}
	if equalARN(v.Value, &policy.ARN{Partition: p.ARN.Partition, Service: "iam", Account: p.Account, Resource: "root"}) {
		how |= namesAccount
	}
	return how
}

// equalARN compares a text with an ARN without building its text.
func equalARN(s string, a *policy.ARN) bool {
	if a.Resource == "" || !strings.HasSuffix(s, a.Resource) || !strings.HasPrefix(s, "arn:") {
		return false
	}
	s = s[4:]
	for _, part := range [...]string{a.Partition, a.Service, a.Region, a.Account} {
		if !strings.HasPrefix(s, part) || len(s) == len(part) || s[len(part)] != ':' {
			return false
		}
		s = s[len(part)+1:]
	}
	return s == a.Resource
}

// name collects what an unknown decision hangs on, from the layers that decide.
func name(d *Decision, r *Request, l *Layers) {
	each := func(layer Layer, policies []*Policy) {
		if !d.Deciding.Has(layer) {
			return
		}
		for _, p := range policies {
			for i := range p.statements {
				st := &p.statements[i]
				if v, _ := st.applies(r, l); v != unknown {
					continue
				}
				if v, _ := st.names(r, l); st.hasPrinc && v == unknown {
					d.hang("notprincipal")
				}
				for k := range st.conditions {
					st.conditions[k].hangs(&r.Context, d)
				}
				for k := range st.resources {
					st.resources[k].tail.hangs(&r.Context, d)
				}
			}
		}
	}
	each(LayerIdentity, l.Identity)
	each(LayerBoundary, l.Boundary)
	each(LayerSession, l.Session)
	each(LayerEndpoint, l.Endpoint)
	for _, level := range l.SCPs {
		each(LayerSCP, level)
	}
	for _, level := range l.RCPs {
		each(LayerRCP, level)
	}
	if l.Resource != nil && d.Deciding.Has(LayerResource) {
		one := [1]*Policy{l.Resource}
		each(LayerResource, one[:])
	}
	if d.Deciding.Has(LayerGrant) {
		for i := range l.Grants {
			if l.Grants[i].allows(r) == unknown {
				l.Grants[i].hangs(&r.Context, d)
			}
		}
	}
	if d.Deciding&l.Missing != 0 {
		d.hang("policy")
	}
}

func (c *condition) hangs(ctx *Context, d *Decision) {
	if _, state := ctx.lookup(c.key); state == keyUnknown {
		d.hang(c.key)
	}
	for i := range c.values {
		c.values[i].tmpl.hangs(ctx, d)
	}
}

func (t template) hangs(ctx *Context, d *Decision) {
	for i := range t {
		if t[i].key == "" {
			continue
		}
		if _, state := ctx.lookup(t[i].key); state == keyUnknown {
			d.hang(t[i].key)
		}
	}
}
