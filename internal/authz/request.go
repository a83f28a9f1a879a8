// Package authz is AWS's evaluation logic: may this principal make this request, and if not, what is missing?
//
// It compiles policy documents once, decides without allocating, and explains on demand. It knows the layers of the IAM
// evaluation logic and nothing of S3 replication; it reads no clock and no network, and a decision cannot fail: what the
// given facts do not settle is Unknown.
//
// The rules are those of https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html and of
// https://docs.aws.amazon.com/kms/latest/developerguide/control-access.html; testdata/decisions holds requests labelled by
// hand from AWS's documentation, which is where the truth of this package comes from.
package authz

import (
	"fmt"
	"strings"

	"github.com/replimend/replimend/internal/policy"
)

// PrincipalKind says what makes a request.
type PrincipalKind uint8

// The kinds of callers.
const (
	Anonymous     PrincipalKind = iota // unsigned requests
	Service                            // an AWS service on its own behalf, such as s3.amazonaws.com
	Root                               // the root user of an account
	User                               // an IAM user
	Role                               // a role whose session is not named
	Session                            // a session of an assumed role
	FederatedUser                      // a session made by GetFederationToken
	Federated                          // an identity of an OIDC or SAML provider, before it has a session
)

// Principal is the caller of a request.
type Principal struct {
	Kind     PrincipalKind
	ARN      policy.ARN // the caller's own ARN: the user's, the session's; zero for services and anonymous callers
	Issuer   policy.ARN // the IAM role (with its path) of a session, the IAM user of a federated user where known
	Account  string     // empty for services and anonymous callers
	Name     string     // the service principal or the federated provider, for those kinds
	UniqueID string     // AROA… or AIDA… of the role or user, "" when not known
}

// ParsePrincipal reads a caller as simulate and CloudTrail write it: an ARN, "anonymous", or a service principal. A session's
// role is taken to stand under no path, because a session ARN does not say; set Issuer where the path is known.
func ParsePrincipal(s string) (Principal, error) {
	if s == "anonymous" {
		return Principal{Kind: Anonymous}, nil
	}
	if !strings.HasPrefix(s, "arn:") {
		if strings.Contains(s, ".amazonaws.com") && !strings.ContainsAny(s, " /:*") {
			return Principal{Kind: Service, Name: s}, nil
		}
		return Principal{}, fmt.Errorf("invalid principal %.120q: want an ARN, anonymous, or a service principal", s)
	}
	a, err := policy.ParseARN(s)
	if err != nil {
		return Principal{}, err
	}
	p := Principal{ARN: a, Account: a.Account}
	kind, rest, _ := strings.Cut(a.Resource, "/")
	switch {
	case a.Service == "iam" && a.Resource == "root":
		p.Kind = Root
	case a.Service == "iam" && kind == "user":
		p.Kind = User
	case a.Service == "iam" && kind == "role":
		p.Kind, p.Issuer = Role, a
	case a.Service == "iam" && (kind == "oidc-provider" || kind == "saml-provider"):
		p.Kind, p.Name = Federated, s
	case a.Service == "sts" && kind == "assumed-role":
		role, session, ok := strings.Cut(rest, "/")
		if !ok || role == "" || session == "" {
			return Principal{}, fmt.Errorf("invalid principal %.120q: want assumed-role/ROLE/SESSION", s)
		}
		p.Kind = Session
		p.Issuer = policy.ARN{Partition: a.Partition, Service: "iam", Account: a.Account, Resource: "role/" + role}
	case a.Service == "sts" && kind == "federated-user":
		p.Kind = FederatedUser
	default:
		return Principal{}, fmt.Errorf("invalid principal %.120q: want a user, role, session or root", s)
	}
	return p, nil
}

// SessionOf is the principal that a session of the role is.
func SessionOf(role policy.ARN, session, uniqueID string) Principal {
	return Principal{
		Kind:     Session,
		ARN:      policy.ARN{Partition: role.Partition, Service: "sts", Account: role.Account, Resource: "assumed-role/" + role.Name() + "/" + session},
		Issuer:   role,
		Account:  role.Account,
		UniqueID: uniqueID,
	}
}

// String is the caller's ARN, service principal or provider, or "anonymous".
func (p Principal) String() string {
	switch {
	case !p.ARN.IsZero():
		return p.ARN.String()
	case p.Name != "":
		return p.Name
	default:
		return "anonymous"
	}
}

// serviceLinked says whether the caller is a service-linked role, which SCPs and RCPs do not reach.
// https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_scps.html
func (p *Principal) serviceLinked() bool {
	return strings.HasPrefix(p.Issuer.Resource, "role/aws-service-role/")
}

// bounded says whether the caller is of a kind that can have a permissions boundary.
func (p *Principal) bounded() bool {
	return p.Kind == User || p.Kind == Role || p.Kind == Session || p.Kind == FederatedUser
}

// Context holds the condition keys of a request. Each key is given, absent or unknown; absent, unknown and empty differ.
// The zero Context is complete and empty: every key is absent.
type Context struct {
	// Open makes every key that was not set unknown instead of absent.
	Open    bool
	base    *Context // see Over
	entries []entry
	closed  []string // in lower case, see Close
}

type entry struct {
	key    string // in lower case
	name   string // as it was set
	values []string
	state  keyState
}

type keyState uint8

const (
	keyAbsent keyState = iota
	keyGiven
	keyUnknown
)

// Set gives a key its values. A key that AWS knows to be there without values is absent.
func (c *Context) Set(key string, values ...string) {
	state := keyGiven
	if len(values) == 0 {
		state = keyAbsent
	}
	c.put(entry{fold(key), key, values, state})
}

// SetAbsent says that the request carries no such key.
func (c *Context) SetAbsent(keys ...string) {
	for _, key := range keys {
		c.put(entry{key: fold(key), name: key, state: keyAbsent})
	}
}

// SetUnknown says that the key may be there with any value.
func (c *Context) SetUnknown(keys ...string) {
	for _, key := range keys {
		c.put(entry{key: fold(key), name: key, state: keyUnknown})
	}
}

// folded is the lower case of the keys that most requests carry: folding them anew costs more than the rest of Set.
var folded = func() map[string]string {
	out := make(map[string]string)
	for _, key := range []string{
		"aws:CurrentTime", "aws:PrincipalAccount", "aws:PrincipalArn", "aws:PrincipalIsAWSService", "aws:PrincipalOrgID", "aws:PrincipalServiceName",
		"aws:PrincipalType", "aws:RequestedRegion", "aws:ResourceAccount", "aws:ResourceOrgID", "aws:SecureTransport", "kms:CallerAccount",
		"kms:EncryptionAlgorithm", "kms:EncryptionContext:aws:s3:arn", "kms:EncryptionContextKeys", "kms:ResourceAliases", "kms:ViaService",
		"s3:ResourceAccount", "s3:x-amz-server-side-encryption", "s3:x-amz-server-side-encryption-aws-kms-key-id",
	} {
		out[key] = strings.ToLower(key)
	}
	return out
}()

// fold is the key as conditions compare it: without regard to case.
func fold(key string) string {
	if lower, ok := folded[key]; ok {
		return lower
	}
	return strings.ToLower(key)
}

// Close says that, in an open context, keys with that prefix are absent unless they are set: all tags of a role are known.
func (c *Context) Close(prefixes ...string) {
	for _, p := range prefixes {
		c.closed = append(c.closed, strings.ToLower(p))
	}
}

func (c *Context) put(e entry) {
	for i := range c.entries {
		if c.entries[i].key == e.key {
			c.entries[i] = e
			return
		}
	}
	c.entries = append(c.entries, e)
}

// Over is a context on top of another one, with everything that it says until a key is set here. The other one must not change
// from then on: many requests of one caller share it.
func Over(base *Context) Context {
	return Context{Open: base.Open, base: base, entries: make([]entry, 0, 12)}
}

// all is every entry that counts: what is set on top hides what is set below.
func (c *Context) all(yield func(*entry) bool) {
	for x := c; x != nil; x = x.base {
		for i := range x.entries {
			if e := &x.entries[i]; !c.hides(x, e.key) && !yield(e) {
				return
			}
		}
	}
}

// hides says whether a key of the context below is set between it and c.
func (c *Context) hides(below *Context, key string) bool {
	for x := c; x != below; x = x.base {
		for i := range x.entries {
			if x.entries[i].key == key {
				return true
			}
		}
	}
	return false
}

// Values is what the context gives for a key, and whether the key is known to be there.
func (c *Context) Values(key string) ([]string, bool) {
	values, state := c.lookup(fold(key))
	return values, state == keyGiven
}

// Given is every key that is known to be there, with its values.
func (c *Context) Given() func(yield func(key string, values []string) bool) {
	return func(yield func(string, []string) bool) {
		for e := range c.all {
			if e.state == keyGiven && !yield(e.name, e.values) {
				return
			}
		}
	}
}

func (c *Context) lookup(lower string) ([]string, keyState) {
	for x := c; x != nil; x = x.base {
		for i := range x.entries {
			if x.entries[i].key == lower {
				return x.entries[i].values, x.entries[i].state
			}
		}
	}
	return nil, c.unset(lower)
}

// unset is the state of a key that was not set, or of all keys with a prefix.
func (c *Context) unset(lower string) keyState {
	if !c.Open {
		return keyAbsent
	}
	for x := c; x != nil; x = x.base {
		for _, p := range x.closed {
			if strings.HasPrefix(lower, p) {
				return keyAbsent
			}
		}
	}
	return keyUnknown
}

// Request is one call that a principal makes.
type Request struct {
	Principal       Principal
	Action          string     // "kms:Decrypt", in any case
	Resource        policy.ARN // zero for actions without resource-level permissions: only * matches them
	ResourceAccount string     // the account that owns the resource
	Context         Context
}
