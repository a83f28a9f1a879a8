package policy

import (
	"fmt"

	"github.com/replimend/replimend/internal/jsontree"
)

// PrincipalKind is the member of the Principal element under which a value stands.
type PrincipalKind uint8

// The kinds of principals.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html
const (
	PrincipalAWS PrincipalKind = iota + 1
	PrincipalService
	PrincipalFederated
	PrincipalCanonicalUser
)

var principalKinds = [...]string{"", "AWS", "Service", "Federated", "CanonicalUser"}

// String is the member's name in a document.
func (k PrincipalKind) String() string { return principalKinds[k] }

// ParsePrincipalKind reads the member's name.
func ParsePrincipalKind(s string) (PrincipalKind, error) {
	for k, name := range principalKinds {
		if k > 0 && name == s {
			return PrincipalKind(k), nil
		}
	}
	return 0, fmt.Errorf("unknown kind of principal %q: want AWS, Service, Federated or CanonicalUser", clip(s))
}

// Principal is one value of a Principal element. "*" alone reads as {PrincipalAWS, "*"}: AWS treats both alike in
// resource-based policies.
type Principal struct {
	Kind  PrincipalKind
	Value string
}

// PrincipalSet is the value of Principal or NotPrincipal.
type PrincipalSet struct {
	Not    bool
	Values []Principal
}

// AccountOf is the account that a value names as a whole, as 111122223333 or arn:aws:iam::111122223333:root, or "".
func (p Principal) AccountOf() string {
	if p.Kind != PrincipalAWS {
		return ""
	}
	if IsAccountID(p.Value) {
		return p.Value
	}
	if a, err := ParseARN(p.Value); err == nil && a.Service == "iam" && a.Resource == "root" {
		return a.Account
	}
	return ""
}

// IsUniqueID says whether the value is the unique id of a user or role, as AWS leaves it behind in a document when the
// principal that was named by ARN is deleted.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html#identifiers-unique-ids
func (p Principal) IsUniqueID() bool {
	if p.Kind != PrincipalAWS || len(p.Value) < 16 || p.Value[0] != 'A' {
		return false
	}
	for _, c := range p.Value {
		if (c < 'A' || c > 'Z') && (c < '0' || c > '9') {
			return false
		}
	}
	return true
}

func principals(n jsontree.Node, path string, not bool) (*PrincipalSet, error) {
	out := &PrincipalSet{Not: not}
	if n.Kind == jsontree.String {
		if n.Text != "*" {
			return nil, jsontree.Errorf(n, path, "invalid principal %q: a string here can only be *", clip(n.Text))
		}
		out.Values = []Principal{{PrincipalAWS, "*"}}
		return out, nil
	}
	if n.Kind != jsontree.Object {
		return nil, jsontree.Errorf(n, path, "want * or an object, got %s", n.Kind)
	}
	for _, f := range n.Fields {
		at := jsontree.Join(path, f.Name)
		kind, err := ParsePrincipalKind(f.Name)
		if err != nil {
			return nil, jsontree.Errorf(f.Value, at, "%s", err)
		}
		values, err := stringList(f.Value, at)
		if err != nil {
			return nil, err
		}
		for i, v := range values {
			p := Principal{kind, v}
			if fault := checkPrincipal(p); fault != "" {
				item, at := element(f.Value, at, i)
				return nil, jsontree.Errorf(item, at, "%s", fault)
			}
			out.Values = append(out.Values, p)
		}
	}
	if len(out.Values) == 0 {
		return nil, jsontree.Errorf(n, path, "the element names no principal")
	}
	return out, nil
}

// checkPrincipal refuses what AWS refuses: an ARN that is neither of IAM nor of STS, free text. A wildcard inside an ARN is
// kept, because not every service checks for it when it stores a document; it stands for itself and so names nobody.
func checkPrincipal(p Principal) string {
	switch {
	case p.Value == "":
		return "a principal is empty"
	case p.Kind != PrincipalAWS || p.Value == "*" || IsAccountID(p.Value) || p.IsUniqueID():
		return ""
	}
	a, err := ParseARN(p.Value)
	if err != nil || (a.Service != "iam" && a.Service != "sts") {
		return fmt.Sprintf("invalid principal %q: want *, an account, an ARN of IAM or STS, or a unique id", clip(p.Value))
	}
	return ""
}
