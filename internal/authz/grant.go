package authz

import (
	"strings"

	"github.com/replimend/replimend/internal/policy"
)

// Grant is a KMS grant, the fields of a ListGrants entry that decide.
// https://docs.aws.amazon.com/kms/latest/APIReference/API_GrantListEntry.html
type Grant struct {
	ID         string
	Grantee    string   // an ARN, a service principal, or an account id
	Operations []string // "Decrypt", without the service prefix
	// Subset and Equals are the encryption context constraints; nil: none.
	Subset, Equals map[string]string
	// SourceARN is the constraint on aws:SourceArn, "" without one.
	SourceARN string
}

// contextPrefix is the condition key of one pair of the encryption context.
const contextPrefix = "kms:encryptioncontext:"

// allows says whether the grant permits the request: grantee, operation and constraints. Grant constraints compare the
// encryption context exactly, case and all, and grants know no wildcards.
// https://docs.aws.amazon.com/kms/latest/APIReference/API_GrantConstraints.html
func (g *Grant) allows(r *Request) tri {
	if !g.names(&r.Principal) {
		return no
	}
	operation := false
	for _, op := range g.Operations {
		if len(r.Action) == 4+len(op) && hasPrefixFold(r.Action, "kms:") && strings.EqualFold(r.Action[4:], op) {
			operation = true
			break
		}
	}
	if !operation {
		return no
	}
	out := and(g.context(g.Subset, r), g.context(g.Equals, r))
	if g.Equals != nil {
		out = and(out, g.noOther(r))
	}
	if g.SourceARN != "" {
		values, state := r.Context.lookup("aws:sourcearn")
		switch {
		case state == keyUnknown:
			out = and(out, unknown)
		case state != keyGiven || len(values) != 1 || values[0] != g.SourceARN:
			return no
		}
	}
	return out
}

func (g *Grant) names(p *Principal) bool {
	if p.Kind == Service {
		return g.Grantee == p.Name
	}
	if p.Account == "" {
		return false
	}
	v := policy.Principal{Kind: policy.PrincipalAWS, Value: g.Grantee}
	return g.Grantee != "" && (g.Grantee == p.UniqueID && p.UniqueID != "" || nameOf(&v, p)&^namesEveryone != 0)
}

func (g *Grant) context(want map[string]string, r *Request) tri {
	out := yes
	for k, v := range want {
		values, state := r.Context.exact(contextPrefix, k)
		switch {
		case state == keyUnknown:
			out = and(out, unknown)
		case state != keyGiven || len(values) != 1 || values[0] != v:
			return no
		}
	}
	return out
}

// exact looks a key up whose last part compares with case, as the pairs of an encryption context do in grants.
func (c *Context) exact(prefix, name string) ([]string, keyState) {
	for i := range c.entries {
		e := &c.entries[i]
		if strings.HasPrefix(e.key, prefix) && e.name[len(prefix):] == name {
			return e.values, e.state
		}
	}
	if c.Open {
		return nil, keyUnknown
	}
	return nil, keyAbsent
}

// noOther says whether the request's encryption context has no pair beyond those that EncryptionContextEquals lists.
func (g *Grant) noOther(r *Request) tri {
	given := 0
	for i := range r.Context.entries {
		e := &r.Context.entries[i]
		if !strings.HasPrefix(e.key, contextPrefix) {
			continue
		}
		if e.state == keyUnknown {
			return unknown
		}
		if e.state == keyGiven {
			given++
		}
	}
	if given > len(g.Equals) {
		return no
	}
	return yes
}
