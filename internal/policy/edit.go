package policy

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/replimend/replimend/internal/jsontree"
)

// MarshalJSON prints the document as it was read: the same members in the same order, strings and lists as they were,
// without white space. The zero Document is null.
func (d Document) MarshalJSON() ([]byte, error) { return d.node.MarshalJSON() }

// Indent is MarshalJSON with two spaces a level, the form in which people see diffs.
func (d Document) Indent() string { return d.node.Indent() }

// IsZero says whether there is no document.
func (d Document) IsZero() bool { return !d.node.Present() }

// Equal says whether two documents print alike.
func (d Document) Equal(o Document) bool { return jsontree.Equal(d.node, o.node) }

// Size is the length of the document in bytes, without white space between elements: how AWS measures role policies.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
func (d Document) Size() int {
	text, _ := d.node.MarshalJSON()
	return len(text)
}

// StatementSpec says what a new statement holds. Only what is set is printed, in AWS's usual order.
type StatementSpec struct {
	Sid          string
	Effect       Effect
	Principals   []Principal // none in identity policies
	Actions      []string
	NotActions   []string // in place of Actions
	Resources    []string // none in trust policies
	NotResources []string // in place of Resources
	Conditions   []Condition
}

// Build makes the statement. It fails where Parse would refuse the same text, and where a document could not say what the
// spec says: a statement has no room for two conditions on the same key with the same operator.
func (spec StatementSpec) Build() (Statement, error) {
	var m []jsontree.Member
	add := func(name string, v jsontree.Node) { m = append(m, jsontree.Member{Name: name, Value: v}) }
	if spec.Sid != "" {
		add("Sid", jsontree.Str(spec.Sid))
	}
	add("Effect", jsontree.Str(spec.Effect.String()))
	for _, p := range spec.Principals {
		if p.Kind < PrincipalAWS || p.Kind > PrincipalCanonicalUser {
			return Statement{}, fmt.Errorf("build statement: the principal %q has no kind", clip(p.Value))
		}
	}
	if len(spec.Principals) > 0 {
		add("Principal", principalNode(spec.Principals))
	}
	if len(spec.NotActions) > 0 {
		add("NotAction", jsontree.Strings(spec.NotActions...))
	}
	if len(spec.Actions) > 0 || len(spec.NotActions) == 0 {
		add("Action", jsontree.Strings(spec.Actions...))
	}
	if len(spec.Resources) > 0 {
		add("Resource", jsontree.Strings(spec.Resources...))
	}
	if len(spec.NotResources) > 0 {
		add("NotResource", jsontree.Strings(spec.NotResources...))
	}
	if len(spec.Conditions) > 0 {
		node, err := conditionNode(spec.Conditions)
		if err != nil {
			return Statement{}, err
		}
		add("Condition", node)
	}
	return statement(jsontree.Obj(m...), "Statement")
}

func principalNode(values []Principal) jsontree.Node {
	out := jsontree.Obj()
	for kind := PrincipalAWS; kind <= PrincipalCanonicalUser; kind++ {
		var of []string
		for _, p := range values {
			if p.Kind == kind {
				of = append(of, p.Value)
			}
		}
		if len(of) > 0 {
			out = out.With(kind.String(), jsontree.Strings(of...))
		}
	}
	return out
}

func conditionNode(conditions []Condition) (jsontree.Node, error) {
	out := jsontree.Obj()
	for _, c := range conditions {
		op := c.OperatorText()
		keys := out.Get(op)
		if !keys.Present() {
			keys = jsontree.Obj()
		}
		if keys.Get(c.Key).Present() {
			return jsontree.Node{}, fmt.Errorf("build statement: two conditions %s on %q", op, clip(c.Key))
		}
		out = out.With(op, keys.With(c.Key, jsontree.Strings(c.Values...)))
	}
	return out, nil
}

// New makes a document of those statements in the current version of the language.
func New(statements ...Statement) Document {
	items := make([]jsontree.Node, len(statements))
	for i, s := range statements {
		items[i] = s.node
	}
	return Document{
		Version:    Version2012,
		Statements: slices.Clone(statements),
		node: jsontree.Obj(
			jsontree.Member{Name: "Version", Value: jsontree.Str(string(Version2012))},
			jsontree.Member{Name: "Statement", Value: jsontree.List(items...)},
		),
	}
}

// Allowing is the text of a document that allows what the specs say and nothing else, such as one that narrows a session. Their effect
// need not be set.
func Allowing(specs ...StatementSpec) (string, error) {
	statements := make([]Statement, len(specs))
	for i, spec := range specs {
		spec.Effect = Allow
		var err error
		if statements[i], err = spec.Build(); err != nil {
			return "", err
		}
	}
	text, err := New(statements...).MarshalJSON()
	return string(text), err
}

// Append is the document with those statements after its own. Everything that was there stays as it was, but for a single
// statement that was no list and becomes the first of one.
func (d Document) Append(statements ...Statement) Document {
	if d.IsZero() {
		return New(statements...)
	}
	old := d.node.Get("Statement")
	items := []jsontree.Node{old}
	if old.Kind == jsontree.Array {
		items = slices.Clone(old.Items)
	}
	for _, s := range statements {
		items = append(items, s.node)
	}
	d.node = d.node.With("Statement", jsontree.List(items...))
	d.Statements = slices.Concat(d.Statements, statements)
	return d
}

// Without is the document without the statements that the predicate takes. It is the zero Document when none is left, because
// AWS stores no document without a statement.
func (d Document) Without(take func(i int, s Statement) bool) Document {
	var items []jsontree.Node
	var left []Statement
	for i, s := range d.Statements {
		if !take(i, s) {
			items, left = append(items, s.node), append(left, s)
		}
	}
	if len(left) == 0 {
		return Document{}
	}
	if len(left) < len(d.Statements) {
		d.node = d.node.With("Statement", jsontree.List(items...))
		d.Statements = left
	}
	return d
}

// HasVariables says whether a text holds a policy variable.
func HasVariables(s string) bool { return strings.Contains(s, "${") }

// Equal says whether two statements print alike.
func (s Statement) Equal(o Statement) bool { return jsontree.Equal(s.node, o.node) }

// MarshalJSON prints the statement as it was read.
func (s Statement) MarshalJSON() ([]byte, error) { return s.node.MarshalJSON() }

var (
	_ json.Marshaler   = Document{}
	_ json.Unmarshaler = (*Document)(nil)
)
