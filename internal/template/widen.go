package template

import (
	"slices"
	"strings"

	"github.com/replimend/replimend/internal/jsontree"
	"github.com/replimend/replimend/internal/policy"
)

// widened is a policy that allows whatever the policy might allow, and denies only what it denies for certain: an element that is
// not certain is taken at its widest in an Allow, and a Deny that has one is left out.
func (v *view) widened(n jsontree.Node, ofResource bool) jsontree.Node {
	statements := n.Get("Statement")
	var out []jsontree.Node
	switch statements.Kind {
	case jsontree.Array:
		for _, s := range statements.Items {
			out = append(out, v.widenedStatement(s, ofResource)...)
		}
	case jsontree.Object:
		out = v.widenedStatement(statements, ofResource)
	default:
		out = append(out, everything(ofResource))
	}
	return documentOf(out...)
}

func documentOf(statements ...jsontree.Node) jsontree.Node {
	return jsontree.Obj(
		jsontree.Member{Name: "Version", Value: jsontree.Str("2012-10-17")},
		jsontree.Member{Name: "Statement", Value: jsontree.List(statements...)},
	)
}

func everything(ofResource bool) jsontree.Node {
	principal := jsontree.Node{}
	if ofResource {
		principal = jsontree.Str("*")
	}
	return statement("Allow", jsontree.Str("*"), principal).Get("Statement").Items[0]
}

// widenedStatement is none or one statement.
func (v *view) widenedStatement(s jsontree.Node, ofResource bool) []jsontree.Node {
	if v.certain(s) && valid(s) {
		return []jsontree.Node{s}
	}
	if effect, _ := text(s.Get("Effect")); effect == "Deny" {
		return nil
	}
	out := everything(ofResource)
	for _, element := range []string{"Action", "Resource", "Principal"} {
		if value := s.Get(element); value.Present() && v.certain(value) && !s.Get("Not"+element).Present() && !isUnknown(s.Get("Not"+element)) {
			if kept := out.With(element, value); valid(kept) {
				out = kept
			}
		}
	}
	return []jsontree.Node{out}
}

func valid(statement jsontree.Node) bool {
	_, err := policy.FromNode(documentOf(statement), "")
	return err == nil
}

func (v *view) certain(n jsontree.Node) bool {
	_, open := unresolved(n)
	_, hangs := v.hangsOnName(n)
	return !open && !hangs
}

// hangsOnName finds a pattern that may or may not match a name which AWS will make up, as arn:aws:s3:::prod-* may. A pattern that
// holds the stand-in itself, or that matches every name, is certain.
func (v *view) hangsOnName(n jsontree.Node) (pattern string, found bool) {
	if n.Kind == jsontree.String && strings.ContainsAny(n.Text, "*?") && v.hangs(n.Text) {
		return n.Text, true
	}
	for _, item := range n.Items {
		if pattern, found := v.hangsOnName(item); found {
			return pattern, true
		}
	}
	for _, f := range n.Fields {
		if pattern, found := v.hangsOnName(f.Value); found {
			return pattern, true
		}
	}
	return "", false
}

func (v *view) hangs(pattern string) bool {
	a, err := policy.ParseARN(pattern)
	if err != nil {
		return false
	}
	var name string
	var standIns []string
	switch {
	case strings.HasPrefix(a.Service, "s3"):
		name, _, _ = strings.Cut(a.Resource, "/")
		standIns = v.madeUpBuckets
	case a.Service == "iam" && strings.HasPrefix(a.Resource, "role/"), a.Service == "sts":
		name = strings.TrimPrefix(a.Resource, "role/")
		standIns = v.madeUpRoles
	}
	if len(standIns) == 0 || !strings.ContainsAny(name, "*?") || strings.Trim(name, "*") == "" {
		return false
	}
	return !slices.ContainsFunc(standIns, func(s string) bool { return strings.Contains(name, s) })
}
