// Package policy is the grammar of IAM policies: Document, Statement, Principal, Action, Resource, Condition and ARN, read
// strictly and printed without loss.
//
// It decides nothing: package authz evaluates documents, package patch edits them. It knows no service by name beyond what
// the grammar itself names.
//
// The grammar is https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html. What AWS rejects is an
// error here, never silently true or false, and an element that the grammar does not have refuses the whole document: a
// statement that is only half understood must neither decide anything nor be written back.
package policy

import (
	"fmt"
	"strings"

	"github.com/replimend/replimend/internal/jsontree"
)

// MaxSize bounds the text of one document, in bytes. AWS's own limits are below 40 KB (key policies have 32 KB, inline role
// policies 10,240 characters without white space), so that nothing real comes near.
const MaxSize = 256 << 10

// Version is the version of the policy language that a document declares.
type Version string

// The versions of the policy language. A document without one is read as Version2008, which has no policy variables.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_version.html
const (
	VersionNone Version = ""
	Version2008 Version = "2008-10-17"
	Version2012 Version = "2012-10-17"
)

// Effect is what a matching statement does.
type Effect uint8

// The two effects. The zero Effect is none of them.
const (
	Allow Effect = iota + 1
	Deny
)

// String is "Allow", "Deny" or "none".
func (e Effect) String() string {
	switch e {
	case Allow:
		return "Allow"
	case Deny:
		return "Deny"
	default:
		return "none"
	}
}

// Document is one policy document. It is immutable: the methods that change it return another one. The zero Document has no
// statements and stands for no document.
type Document struct {
	Version    Version
	ID         string
	Statements []Statement

	node jsontree.Node // what was read, or what is to be printed
}

// Statement is one statement of a document. Its fields must not be changed; build another with StatementSpec.
type Statement struct {
	Sid        string
	Effect     Effect
	Principal  *PrincipalSet // nil in identity policies, boundaries and SCPs
	Action     StringSet
	Resource   StringSet // empty in role trust policies
	Conditions []Condition

	node jsontree.Node
}

// StringSet is the value of Action, NotAction, Resource or NotResource.
type StringSet struct {
	Not    bool // NotAction, NotResource
	Values []string
}

// Name is the statement's Sid or, without one, "#2" for the second statement: how reasons point at it.
func (s Statement) Name(index int) string {
	if s.Sid != "" {
		return s.Sid
	}
	return fmt.Sprintf("#%d", index+1)
}

// Position is where the statement stood in the text it was read from.
func (s Statement) Position() jsontree.Position { return s.node.Pos }

// Parse reads one document from its text. Errors are of type *jsontree.SyntaxError and name line, column and element.
func Parse(data []byte) (Document, error) {
	n, err := jsontree.Parse(data, MaxSize)
	if err != nil {
		return Document{}, err
	}
	return FromNode(n, "")
}

// FromNode reads one document that stands at path inside a larger text.
func FromNode(n jsontree.Node, path string) (Document, error) {
	if n.Kind != jsontree.Object {
		return Document{}, jsontree.Errorf(n, path, "a policy document must be an object, this is %s", n.Kind)
	}
	d := Document{node: n}
	seen := false
	for _, f := range n.Fields {
		at := jsontree.Join(path, f.Name)
		var err error
		switch f.Name {
		case "Version":
			d.Version, err = version(f.Value, at)
		case "Id":
			d.ID, err = text(f.Value, at)
		case "Statement":
			seen = true
			d.Statements, err = statements(f.Value, at)
		default:
			err = jsontree.Errorf(f.Value, at, "unknown element: a document has Version, Id and Statement")
		}
		if err != nil {
			return Document{}, err
		}
	}
	if !seen {
		return Document{}, jsontree.Errorf(n, path, "the document has no Statement")
	}
	return d, nil
}

// UnmarshalJSON reads the document as Parse does, and null as no document.
func (d *Document) UnmarshalJSON(data []byte) error {
	if string(data) == "null" {
		*d = Document{}
		return nil
	}
	parsed, err := Parse(data)
	if err != nil {
		return err
	}
	*d = parsed
	return nil
}

func version(n jsontree.Node, path string) (Version, error) {
	s, err := text(n, path)
	if err != nil {
		return "", err
	}
	if v := Version(s); v == Version2008 || v == Version2012 {
		return v, nil
	}
	return "", jsontree.Errorf(n, path, "unknown version %q: want 2012-10-17 or 2008-10-17", clip(s))
}

func text(n jsontree.Node, path string) (string, error) {
	if n.Kind != jsontree.String {
		return "", jsontree.Errorf(n, path, "want a string, got %s", n.Kind)
	}
	if hasControl(n.Text) {
		return "", controlError(n, path)
	}
	return n.Text, nil
}

// hasControl says whether a text holds a control character that AWS keeps out of policies: all but tab, line feed and
// carriage return. Package authz marks wildcards with two of them.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
func hasControl(s string) bool {
	return strings.ContainsFunc(s, func(r rune) bool { return r < ' ' && r != '\t' && r != '\n' && r != '\r' })
}

func controlError(n jsontree.Node, path string) error {
	return jsontree.Errorf(n, path, "a policy cannot hold this control character")
}

func statements(n jsontree.Node, path string) ([]Statement, error) {
	if n.Kind == jsontree.Object {
		s, err := statement(n, path)
		if err != nil {
			return nil, err
		}
		return []Statement{s}, nil
	}
	if n.Kind != jsontree.Array {
		return nil, jsontree.Errorf(n, path, "want an object or a list of objects, got %s", n.Kind)
	}
	out := make([]Statement, 0, len(n.Items))
	for i, item := range n.Items {
		s, err := statement(item, jsontree.Index(path, i))
		if err != nil {
			return nil, err
		}
		out = append(out, s)
	}
	return out, nil
}

func statement(n jsontree.Node, path string) (Statement, error) {
	if n.Kind != jsontree.Object {
		return Statement{}, jsontree.Errorf(n, path, "want an object, got %s", n.Kind)
	}
	s := Statement{node: n}
	var action, resource bool
	for _, f := range n.Fields {
		at := jsontree.Join(path, f.Name)
		var err error
		switch f.Name {
		case "Sid":
			s.Sid, err = text(f.Value, at)
		case "Effect":
			s.Effect, err = effect(f.Value, at)
		case "Principal", "NotPrincipal":
			if s.Principal != nil {
				return Statement{}, jsontree.Errorf(f.Value, at, "Principal and NotPrincipal exclude each other")
			}
			s.Principal, err = principals(f.Value, at, f.Name == "NotPrincipal")
		case "Action", "NotAction":
			if action {
				return Statement{}, jsontree.Errorf(f.Value, at, "Action and NotAction exclude each other")
			}
			action = true
			s.Action, err = stringSet(f.Value, at, f.Name == "NotAction", checkAction)
		case "Resource", "NotResource":
			if resource {
				return Statement{}, jsontree.Errorf(f.Value, at, "Resource and NotResource exclude each other")
			}
			resource = true
			s.Resource, err = stringSet(f.Value, at, f.Name == "NotResource", checkResource)
		case "Condition":
			s.Conditions, err = conditions(f.Value, at)
		default:
			err = jsontree.Errorf(f.Value, at, "unknown element: it may limit the statement in a way that is not understood")
		}
		if err != nil {
			return Statement{}, err
		}
	}
	if s.Effect == 0 {
		return Statement{}, jsontree.Errorf(n, path, "the statement has no Effect")
	}
	if !action {
		return Statement{}, jsontree.Errorf(n, path, "the statement has neither Action nor NotAction")
	}
	return s, nil
}

func effect(n jsontree.Node, path string) (Effect, error) {
	s, err := text(n, path)
	if err != nil {
		return 0, err
	}
	switch s {
	case "Allow":
		return Allow, nil
	case "Deny":
		return Deny, nil
	}
	return 0, jsontree.Errorf(n, path, "unknown effect %q: want Allow or Deny", clip(s))
}

// stringList reads a string or a list of strings.
func stringList(n jsontree.Node, path string) ([]string, error) {
	switch n.Kind {
	case jsontree.String:
		s, err := text(n, path)
		return []string{s}, err
	case jsontree.Array:
		out := make([]string, 0, len(n.Items))
		for i, item := range n.Items {
			s, err := text(item, jsontree.Index(path, i))
			if err != nil {
				return nil, err
			}
			out = append(out, s)
		}
		return out, nil
	default:
		return nil, jsontree.Errorf(n, path, "want a string or a list of strings, got %s", n.Kind)
	}
}

// element is the place of one value of a string or a list of strings.
func element(n jsontree.Node, path string, i int) (jsontree.Node, string) {
	if n.Kind == jsontree.Array {
		return n.Items[i], jsontree.Index(path, i)
	}
	return n, path
}

func stringSet(n jsontree.Node, path string, not bool, check func(string) string) (StringSet, error) {
	values, err := stringList(n, path)
	if err != nil {
		return StringSet{}, err
	}
	if len(values) == 0 {
		return StringSet{}, jsontree.Errorf(n, path, "the list is empty")
	}
	for i, v := range values {
		if fault := check(v); fault != "" {
			item, at := element(n, path, i)
			return StringSet{}, jsontree.Errorf(item, at, "%s", fault)
		}
	}
	return StringSet{Not: not, Values: values}, nil
}

// checkAction says what is wrong with an action pattern: "*", "*:*" or a service prefix, a colon and a name with wildcards.
func checkAction(s string) string {
	if s == "*" {
		return ""
	}
	service, name, ok := strings.Cut(s, ":")
	if !ok || service == "" || name == "" {
		return fmt.Sprintf("invalid action %q: want SERVICE:NAME or *", clip(s))
	}
	if service != "*" && !only(service, "-") {
		return fmt.Sprintf("invalid action %q: the service prefix takes no wildcard", clip(s))
	}
	if !only(name, "*?-_.") {
		return fmt.Sprintf("invalid action %q: the name has a character that action names do not have", clip(s))
	}
	return ""
}

// checkResource says what is wrong with a resource pattern: "*" or an ARN of six parts, wildcards and variables allowed. A
// star at the end may stand for the parts that are left out.
func checkResource(s string) string {
	if s == "*" {
		return ""
	}
	if colons := strings.Count(s, ":"); !strings.HasPrefix(s, "arn:") || colons < 5 && !(colons > 2 && strings.HasSuffix(s, "*")) {
		return fmt.Sprintf("invalid resource %q: want * or an ARN of six parts", clip(s))
	}
	return ""
}

func only(s, extra string) bool {
	for _, c := range s {
		if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && !strings.ContainsRune(extra, c) {
			return false
		}
	}
	return true
}

// clip bounds what hostile input can put into an error.
func clip(s string) string {
	const most = 120
	if len(s) <= most {
		return s
	}
	return s[:most] + "…"
}
