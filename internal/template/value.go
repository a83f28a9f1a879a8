package template

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/replimend/replimend/internal/jsontree"
)

// In resolved trees a value that is not known is a node of kind Invalid with the reason as its text; one without text is no value
// at all. Whoever reads a resolved tree asks unresolved first: an unknown value must never pass for an absent one.

func unknown(at jsontree.Node, format string, args ...any) jsontree.Node {
	return jsontree.Node{Pos: at.Pos, Text: fmt.Sprintf(format, args...)}
}

func isUnknown(n jsontree.Node) bool { return n.Kind == jsontree.Invalid && n.Text != "" }

// unresolved is the first unknown value in a tree.
func unresolved(n jsontree.Node) (jsontree.Node, bool) {
	if isUnknown(n) {
		return n, true
	}
	for _, item := range n.Items {
		if u, ok := unresolved(item); ok {
			return u, true
		}
	}
	for _, f := range n.Fields {
		if u, ok := unresolved(f.Value); ok {
			return u, true
		}
	}
	return jsontree.Node{}, false
}

// text is a string, or a number or boolean as it was written: both sources write either.
func text(n jsontree.Node) (string, bool) {
	switch n.Kind {
	case jsontree.String, jsontree.Number:
		return n.Text, true
	case jsontree.Bool:
		return strconv.FormatBool(n.Bool), true
	default:
		return "", false
	}
}

func isTrue(n jsontree.Node) bool {
	s, _ := text(n)
	return strings.EqualFold(s, "true")
}

// textOr is the text, or what stands for an absent one.
func textOr(n jsontree.Node, fallback string) string {
	if s, ok := text(n); ok && s != "" {
		return s
	}
	return fallback
}

// form is what kind of value a member becomes.
type form uint8

const (
	aText   form = iota
	aNumber      // also from a string
	aFlag        // also from "true"
	texts        // a list of strings, also from one string
	one          // an object, also from a list of one
	many         // a list of objects, also from one object
	tagMap       // a list of keys and values, from an object
	ignored      // a text that nothing hangs on: left out where it is not known
)

// member says how one member of a source becomes a member of the AWS API's shape.
type member struct {
	from, to string
	form     form
	of       []member
}

// reshape is the tree with those members only, under the names and in the kinds that the AWS API has. Empty texts and null are
// left out: Terraform writes them for what is not set. Unknown values stay.
func reshape(n jsontree.Node, members []member) jsontree.Node {
	if isUnknown(n) {
		return n
	}
	out := jsontree.Node{Kind: jsontree.Object, Pos: n.Pos}
	for _, m := range members {
		v := m.convert(n.Get(m.from))
		if v.Present() || isUnknown(v) {
			out.Fields = append(out.Fields, jsontree.Member{Name: m.to, Value: v})
		}
	}
	return out
}

func (m member) convert(n jsontree.Node) jsontree.Node {
	if n.Kind == jsontree.Null || isUnknown(n) && m.form == ignored {
		return jsontree.Node{}
	}
	if n.Kind == jsontree.Invalid {
		return n
	}
	switch m.form {
	case one:
		if n.Kind == jsontree.Array {
			if len(n.Items) == 0 {
				return jsontree.Node{}
			}
			n = n.Items[0]
		}
		return reshape(n, m.of)
	case many:
		return list(n, func(n jsontree.Node) jsontree.Node { return reshape(n, m.of) })
	case tagMap:
		items := []jsontree.Node{}
		for _, f := range n.Fields {
			items = append(items, jsontree.Obj(jsontree.Member{Name: "Key", Value: jsontree.Str(f.Name)}, jsontree.Member{Name: "Value", Value: f.Value}))
		}
		return jsontree.List(items...)
	case texts:
		return list(n, func(n jsontree.Node) jsontree.Node { return member{form: aText}.convert(n) })
	default:
		return m.scalar(n)
	}
}

func (m member) scalar(n jsontree.Node) jsontree.Node {
	s, ok := text(n)
	if !ok {
		return unknown(n, "%s is %s where a text is wanted", m.from, n.Kind)
	}
	out := jsontree.Node{Kind: jsontree.String, Pos: n.Pos, Text: s}
	switch m.form {
	case aNumber:
		if _, err := strconv.Atoi(s); err != nil {
			return unknown(n, "%s is no number", m.from)
		}
		out.Kind = jsontree.Number
	case aFlag:
		out.Kind, out.Text, out.Bool = jsontree.Bool, "", strings.EqualFold(s, "true")
	default:
		if s == "" && m.to != "Prefix" && m.to != "Value" { // an empty prefix selects everything
			return jsontree.Node{}
		}
	}
	return out
}

// list is each of the elements converted; one value that is no list is a list of one.
func list(n jsontree.Node, convert func(jsontree.Node) jsontree.Node) jsontree.Node {
	items := n.Items
	if n.Kind != jsontree.Array {
		items = []jsontree.Node{n}
	}
	out := jsontree.Node{Kind: jsontree.Array, Pos: n.Pos, Items: []jsontree.Node{}}
	for _, item := range items {
		if v := convert(item); v.Present() || isUnknown(v) {
			out.Items = append(out.Items, v)
		}
	}
	return out
}
