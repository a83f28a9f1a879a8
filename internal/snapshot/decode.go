package snapshot

import (
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/replimend/replimend/internal/jsontree"
	"github.com/replimend/replimend/internal/policy"
)

// Parse reads a snapshot. Where the contract has an inner structure of AWS or a policy, the output of the AWS CLI that holds
// it may stand instead. Members that are not known are left out, because AWS adds some, but not within policies and grant
// constraints, where they could be limits. Errors are of type *jsontree.SyntaxError.
func Parse(data []byte) (*Snapshot, error) {
	root, err := jsontree.Parse(data, MaxSize)
	if err != nil {
		return nil, err
	}
	if err := checkSchema(root); err != nil {
		return nil, err
	}
	if objects := root.Get("objects"); len(objects.Items) > MaxObjects {
		return nil, jsontree.Errorf(objects.Items[MaxObjects], jsontree.Index("objects", MaxObjects),
			"too many sample objects: a diagnosis needs a few of those that failed, at most %d", MaxObjects)
	}
	var s Snapshot
	if err := decoder.Decode(root, "", &s); err != nil {
		return nil, err
	}
	if err := checkNames(root); err != nil {
		return nil, err
	}
	if err := checkUnreadable(root, "", slices.Sorted(maps.Keys(s.Unreadable))); err != nil {
		return nil, err
	}
	return &s, nil
}

var decoder = jsontree.Decoder{Types: map[reflect.Type]func(jsontree.Node, string) (any, error){
	reflect.TypeFor[policy.Document](): func(n jsontree.Node, path string) (any, error) { return document(n, path) },
	reflect.TypeFor[jsontree.Node]():   func(n jsontree.Node, path string) (any, error) { return object(n, path) },
}}

func checkSchema(root jsontree.Node) error {
	switch n := root.Get("schema"); {
	case root.Kind != jsontree.Object:
		return jsontree.Errorf(root, "", "want an object, got %s", root.Kind)
	case !n.Present():
		return jsontree.Errorf(root, "schema", "is missing: a snapshot has the schema %s", Schema)
	case n.Kind != jsontree.String:
		return jsontree.Errorf(n, "schema", "want a string, got %s", n.Kind)
	case n.Text != Schema:
		return jsontree.Errorf(n, "schema", "unknown schema %.80q: want %s", n.Text, Schema)
	}
	return nil
}

// DecodeNode reads null as absent. What is not in the text is not read at all and stays missing.
func (v *Value[T]) DecodeNode(d jsontree.Decoder, n jsontree.Node, path string) error {
	if n.Kind == jsontree.Null {
		*v = None[T]()
		return nil
	}
	v.State = Present
	return d.Decode(n, path, &v.V)
}

// DecodeNode reads null as an account that no policy of an organization reaches.
func (g *Guardrails) DecodeNode(d jsontree.Decoder, n jsontree.Node, path string) error {
	if n.Kind == jsontree.Null {
		*g = Guardrails{SCPs: None[[][]policy.Document](), RCPs: None[[][]policy.Document]()}
		return nil
	}
	type members Guardrails
	return d.Decode(n, path, (*members)(g))
}

// DecodeNode refuses a constraint that is not known.
func (c *GrantConstraints) DecodeNode(d jsontree.Decoder, n jsontree.Node, path string) error {
	type members GrantConstraints
	for _, f := range n.Fields {
		if _, known := reflect.TypeFor[members]().FieldByName(f.Name); !known {
			return jsontree.Errorf(f.Value, jsontree.Join(path, f.Name), "unknown constraint: it may limit the grant in a way that is not understood")
		}
	}
	return d.Decode(n, path, (*members)(c))
}

func object(n jsontree.Node, path string) (jsontree.Node, error) {
	if n.Kind != jsontree.Object {
		return jsontree.Node{}, jsontree.Errorf(n, path, "want an object, got %s", n.Kind)
	}
	return n, nil
}

// document reads a policy as the contract has it, or as the AWS CLI prints it: get-bucket-policy and get-key-policy give the
// text of the document as a string in Policy, get-role-policy gives the document in PolicyDocument.
func document(n jsontree.Node, path string) (policy.Document, error) {
	for _, name := range []string{"Policy", "PolicyDocument"} {
		if inner := n.Get(name); inner.Present() && !n.Get("Statement").Present() {
			n, path = inner, jsontree.Join(path, name)
			break
		}
	}
	if n.Kind == jsontree.String {
		d, err := policy.Parse([]byte(n.Text))
		if err != nil {
			return policy.Document{}, jsontree.Errorf(n, path, "%s", err) // the inner error has the inner line
		}
		return d, nil
	}
	// Measured before it is read: package policy bounds texts, but not what others have read.
	if text, _ := n.MarshalJSON(); len(text) > policy.MaxSize {
		return policy.Document{}, jsontree.Errorf(n, path, "the policy has %d bytes, the limit is %d", len(text), policy.MaxSize)
	}
	return policy.FromNode(n, path)
}

// checkNames checks what stands as a member's name.
func checkNames(root jsontree.Node) error {
	for _, section := range []string{"roles", "users", "keys"} {
		for _, f := range root.Get(section).Fields {
			if a, _ := policy.ParseARN(f.Name); !policy.IsAccountID(a.Account) { // it is an ARN: it was read as one
				return jsontree.Errorf(f.Value, jsontree.Join(section, f.Name), "invalid ARN: the account %.20q has not 12 digits", a.Account)
			}
		}
	}
	for _, f := range root.Get("guardrails").Fields {
		if !policy.IsAccountID(f.Name) {
			return jsontree.Errorf(f.Value, jsontree.Join("guardrails", f.Name), "want an account id of 12 digits")
		}
	}
	return nil
}

// maxPath bounds the paths that are compared. It is longer than what the longest names of AWS make.
const maxPath = 4096

// checkUnreadable refuses a value that is there, or below one that does not exist, although unreadable lists it. The paths
// are sorted.
func checkUnreadable(n jsontree.Node, path string, paths []string) error {
	if _, found := below(paths, path); !found || len(path) > maxPath {
		return nil
	}
	for _, f := range n.Fields {
		at := jsontree.Join(path, f.Name)
		if listed, _ := below(paths, at); listed == at && !isMissingElsewhere(n, f.Name) {
			return jsontree.Errorf(f.Value, at, "is there, although unreadable lists it")
		}
		if listed, found := below(paths, at+"."); found && f.Value.Kind == jsontree.Null && !beginsAnother(n, f.Name) {
			return jsontree.Errorf(f.Value, at, "does not exist, although unreadable lists %.200s", listed)
		}
		if err := checkUnreadable(f.Value, at, paths); err != nil {
			return err
		}
	}
	for i, item := range n.Items {
		at := jsontree.Index(path, i)
		if listed, _ := below(paths, at); listed == at {
			return jsontree.Errorf(item, at, "is there, although unreadable lists it")
		}
		if err := checkUnreadable(item, at, paths); err != nil {
			return err
		}
	}
	return nil
}

// below is the first of the sorted paths that begin so.
func below(paths []string, prefix string) (string, bool) {
	i, _ := slices.BinarySearch(paths, prefix)
	if i < len(paths) && strings.HasPrefix(paths[i], prefix) {
		return paths[i], true
	}
	return "", false
}

// isMissingElsewhere says whether the name of a member of n is also that of a member which another member of n lacks: names
// have dots, so that buckets.a.policy is the policy of bucket a, or the bucket a.policy.
func isMissingElsewhere(n jsontree.Node, name string) bool {
	i := strings.LastIndexByte(name, '.')
	if i < 0 {
		return false
	}
	other := n.Get(name[:i])
	return other.Kind == jsontree.Object && !other.Get(name[i+1:]).Present()
}

// beginsAnother says whether another member of n has a name that begins as one below this name would.
func beginsAnother(n jsontree.Node, name string) bool {
	return slices.ContainsFunc(n.Fields, func(f jsontree.Member) bool { return strings.HasPrefix(f.Name, name+".") })
}
