package template

import (
	"errors"
	"strings"
	"unicode/utf8"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"

	"github.com/replimend/replimend/internal/jsontree"
)

// The YAML parser needs time that grows with the square of nesting and of the names in one mapping. CloudFormation takes 1 MB and
// 500 resources.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html
const (
	maxYAML      = 1 << 20
	maxYAMLDepth = 48
	maxYAMLNames = 1000
)

// parseYAML reads YAML into a tree with positions. The short forms of functions become their long forms. Anchors, aliases and
// merge keys are refused: they let a short text grow without bound.
func parseYAML(data []byte) (jsontree.Node, error) {
	start := jsontree.Node{Pos: jsontree.Position{Line: 1, Column: 1}}
	if len(data) > maxYAML {
		return jsontree.Node{}, jsontree.Errorf(start, "", "the text has %d bytes, the limit for YAML is %d", len(data), maxYAML)
	}
	if !utf8.Valid(data) {
		return jsontree.Node{}, jsontree.Errorf(start, "", "invalid UTF-8")
	}
	tokens := lexer.Tokenize(string(data))
	if err := checkTokens(tokens); err != nil {
		return jsontree.Node{}, err
	}
	file, err := parser.Parse(tokens, 0, parser.AllowDuplicateMapKey())
	if err != nil {
		return jsontree.Node{}, yamlError(err)
	}
	var c converter
	for _, d := range file.Docs {
		if d.Body != nil {
			return c.node(d.Body, "", 0)
		}
	}
	return jsontree.Node{}, jsontree.Errorf(start, "", "the file is empty")
}

func yamlError(err error) error {
	n := jsontree.Node{Pos: jsontree.Position{Line: 1, Column: 1}}
	message := err.Error()
	var e yaml.Error
	if errors.As(err, &e) && e.GetToken() != nil && e.GetToken().Position != nil {
		n.Pos, message = tokenPosition(e.GetToken()), e.GetMessage()
	}
	message, _, _ = strings.Cut(message, "\n")
	return jsontree.Errorf(n, "", "%.200s", message)
}

func tokenPosition(t *token.Token) jsontree.Position {
	if t == nil || t.Position == nil {
		return jsontree.Position{Line: 1, Column: 1}
	}
	return jsontree.Position{Line: t.Position.Line, Column: t.Position.Column}
}

// level is one open level of the text: where its names begin, 0 in a flow collection, and how many it has.
type level struct{ column, names int }

// checkTokens refuses what the parser must not be asked to parse.
func checkTokens(tokens token.Tokens) error {
	var open []level
	content := false
	for _, t := range tokens {
		at := jsontree.Node{Pos: tokenPosition(t)}
		switch t.Type {
		case token.AnchorType, token.AliasType, token.MergeKeyType:
			return jsontree.Errorf(at, "", "anchors, aliases and merge keys are not read: write the value out")
		case token.DocumentHeaderType:
			if content {
				return jsontree.Errorf(at, "", "a second document in one file: give each a file of its own")
			}
		case token.DirectiveType, token.MappingKeyType:
			return jsontree.Errorf(at, "", "directives and ? are not read")
		case token.SequenceStartType, token.MappingStartType:
			open = append(open, level{})
		case token.SequenceEndType, token.MappingEndType:
			for len(open) > 0 && open[len(open)-1].column > 0 {
				open = open[:len(open)-1]
			}
			open = open[:max(len(open)-1, 0)]
		case token.SequenceEntryType:
			open = append(closed(open, t.Position.Column), level{column: t.Position.Column})
		case token.MappingValueType:
			open = named(open, t)
			if n := len(open); open[n-1].names > maxYAMLNames {
				return jsontree.Errorf(at, "", "more than %d names in one mapping", maxYAMLNames)
			}
		case token.TagType:
			// A chain of tags nests without any other mark.
			if t.Next != nil && t.Next.Type == token.TagType {
				return jsontree.Errorf(at, "", "two functions in short form in a row: write one in its long form")
			}
		default:
		}
		content = content || t.Type != token.CommentType
		if len(open) > maxYAMLDepth {
			return jsontree.Errorf(at, "", "nested deeper than %d levels", maxYAMLDepth)
		}
	}
	return nil
}

// closed is the levels that stay open before a token at that column.
func closed(open []level, column int) []level {
	for len(open) > 0 && open[len(open)-1].column >= column {
		open = open[:len(open)-1]
	}
	return open
}

// named counts the name before a colon to its mapping.
func named(open []level, colon *token.Token) []level {
	if n := len(open); n > 0 && open[n-1].column == 0 {
		open[n-1].names++
		return open
	}
	column := colon.Position.Column
	if colon.Prev != nil {
		column = colon.Prev.Position.Column
	}
	open = closed(open, column+1)
	if n := len(open); n > 0 && open[n-1].column == column {
		open[n-1].names++
		return open
	}
	return append(open, level{column: column, names: 1})
}

// converter turns the YAML parser's tree into ours.
type converter struct{ values int }

func position(n ast.Node) jsontree.Position {
	t := n.GetToken()
	switch n := n.(type) {
	case *ast.MappingValueNode: // its own token is the colon
		t = n.Key.GetToken()
	case *ast.MappingNode:
		if !n.IsFlowStyle && len(n.Values) > 0 {
			t = n.Values[0].Key.GetToken()
		}
	default:
	}
	return tokenPosition(t)
}

func (c *converter) node(n ast.Node, path string, depth int) (jsontree.Node, error) {
	out := jsontree.Node{}
	if n == nil { // a tag without a value
		out.Kind = jsontree.Null
		return out, nil
	}
	out.Pos = position(n)
	if c.values++; depth > jsontree.MaxDepth || c.values > jsontree.MaxValues {
		return jsontree.Node{}, jsontree.Errorf(out, path, "nested deeper than %d levels, or more than %d values", jsontree.MaxDepth, jsontree.MaxValues)
	}
	switch n := n.(type) {
	case *ast.NullNode:
		out.Kind = jsontree.Null
	case *ast.BoolNode:
		out.Kind, out.Bool = jsontree.Bool, n.Value
	case *ast.IntegerNode:
		// 012345678901 is an account and no octal number, whatever YAML says: the text is what CloudFormation gets as a string.
		out.Kind, out.Text = scalarKind(n.GetToken().Value), n.GetToken().Value
	case *ast.FloatNode, *ast.InfinityNode, *ast.NanNode:
		out.Kind, out.Text = scalarKind(n.GetToken().Value), n.GetToken().Value
	case *ast.StringNode:
		out.Kind, out.Text = jsontree.String, n.Value
	case *ast.LiteralNode:
		out.Kind, out.Text = jsontree.String, n.Value.Value
	case *ast.TagNode:
		return c.tag(out, n, path, depth)
	case *ast.SequenceNode:
		out.Kind, out.Items = jsontree.Array, []jsontree.Node{}
		for i, item := range n.Values {
			v, err := c.node(item, jsontree.Index(path, i), depth+1)
			if err != nil {
				return jsontree.Node{}, err
			}
			out.Items = append(out.Items, v)
		}
	case *ast.MappingNode:
		return c.mapping(out, n.Values, path, depth)
	case *ast.MappingValueNode:
		return c.mapping(out, []*ast.MappingValueNode{n}, path, depth)
	default:
		return jsontree.Node{}, jsontree.Errorf(out, path, "%s is not read here", n.Type())
	}
	return out, nil
}

// scalarKind is Number for what JSON would take as one.
func scalarKind(s string) jsontree.Kind {
	if n, err := jsontree.Parse([]byte(s), len(s)); err == nil && n.Kind == jsontree.Number {
		return jsontree.Number
	}
	return jsontree.String
}

func (c *converter) mapping(out jsontree.Node, values []*ast.MappingValueNode, path string, depth int) (jsontree.Node, error) {
	out.Kind, out.Fields = jsontree.Object, []jsontree.Member{}
	seen := make(map[string]bool, len(values))
	for _, v := range values {
		name := ""
		switch key := v.Key.(type) {
		case *ast.StringNode:
			name = key.Value
		case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode: // a mapping by account id
			name = key.GetToken().Value
		default:
			return jsontree.Node{}, jsontree.Errorf(jsontree.Node{Pos: position(v)}, path, "a name must be a string")
		}
		at := jsontree.Join(path, name)
		if seen[name] {
			return jsontree.Node{}, jsontree.Errorf(jsontree.Node{Pos: position(v)}, at, "the name stands twice in one mapping")
		}
		seen[name] = true
		value, err := c.node(v.Value, at, depth+1)
		if err != nil {
			return jsontree.Node{}, err
		}
		if value.Kind == jsontree.Object || value.Pos.Line == 0 { // a resource begins at its name, as it does in JSON
			value.Pos = position(v)
		}
		out.Fields = append(out.Fields, jsontree.Member{Name: name, Value: value})
	}
	return out, nil
}

// tag is a function in its short form.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/intrinsic-function-reference.html
func (c *converter) tag(out jsontree.Node, n *ast.TagNode, path string, depth int) (jsontree.Node, error) {
	short := n.Start.Value
	name := strings.TrimPrefix(short, "!")
	if name == short || name == "" || strings.HasPrefix(name, "!") {
		return jsontree.Node{}, jsontree.Errorf(out, path, "the tag %.40q is not read", short)
	}
	v, err := c.node(n.Value, path, depth+1)
	if err != nil {
		return jsontree.Node{}, err
	}
	if name != "Ref" && name != "Condition" {
		name = "Fn::" + name
	}
	if v.Pos.Line == 0 {
		v.Pos = out.Pos
	}
	return jsontree.Node{Kind: jsontree.Object, Pos: out.Pos, Fields: []jsontree.Member{{Name: name, Value: v}}}, nil
}
