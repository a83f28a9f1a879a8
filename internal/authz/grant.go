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
		values, state := r.Context.pair(k)
		switch {
		case state == keyUnknown:
			out = and(out, unknown)
		case state != keyGiven || len(values) != 1 || values[0] != v:
			return no
		}
	}
	return out
}

// pair looks up a pair of the encryption context by its exact name. An unknown key may have any case.
func (c *Context) pair(name string) ([]string, keyState) {
	for e := range c.all {
		if !strings.HasPrefix(e.key, contextPrefix) {
			continue
		}
		if got := e.name[len(contextPrefix):]; got == name || e.state == keyUnknown && strings.EqualFold(got, name) {
			return e.values, e.state
		}
	}
	return nil, c.unset(contextPrefix)
}

// noOther says whether the request's encryption context has no pair beyond those that EncryptionContextEquals lists.
func (g *Grant) noOther(r *Request) tri {
	given := 0
	for e := range r.Context.all {
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
	if r.Context.unset(contextPrefix) == keyUnknown {
		return unknown
	}
	return yes
}

// hangs collects what an unknown answer of allows hangs on.
func (g *Grant) hangs(c *Context, d *Decision) {
	for e := range c.all {
		if e.state == keyUnknown && strings.HasPrefix(e.key, contextPrefix) && g.asks(e.name[len(contextPrefix):]) {
			d.hang(e.key)
		}
	}
	if (g.Subset != nil || g.Equals != nil) && c.unset(contextPrefix) == keyUnknown {
		d.hang("kms:encryptioncontext")
	}
	if _, state := c.lookup("aws:sourcearn"); g.SourceARN != "" && state == keyUnknown {
		d.hang("aws:sourcearn")
	}
}

// asks says whether a constraint looks at that pair of the encryption context.
func (g *Grant) asks(pair string) bool {
	if g.Equals != nil {
		return true
	}
	for name := range g.Subset {
		if strings.EqualFold(name, pair) {
			return true
		}
	}
	return false
}
