package settings

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"

	"github.com/replimend/replimend/internal/jsontree"
)

// MaxSize bounds the text of the file, in bytes: a thousand approved routes have about two thirds of it.
const MaxSize = 1 << 20

// The parser needs time that grows with the square of nesting and of the names in one mapping. No file comes near these.
const (
	maxDepth = 16
	maxNames = 64
)

// tree reads the text into the ordered tree of package jsontree. Of YAML it takes what JSON has too: anchors, aliases, tags,
// merge keys and further documents make one text mean something else than it shows, and this text is reviewed by people.
func tree(data []byte) (jsontree.Node, []Fault) {
	if len(data) > MaxSize {
		return jsontree.Node{}, []Fault{{Line: 1, Column: 1, Text: fmt.Sprintf("the file has %d bytes, the limit is %d", len(data), MaxSize)}}
	}
	if !utf8.Valid(data) {
		return jsontree.Node{}, []Fault{{Line: 1, Column: 1, Text: "the file is not valid UTF-8"}}
	}
	tokens := lexer.Tokenize(strings.TrimPrefix(string(data), "\ufeff")) // some editors write a byte order mark
	if faults := checkTokens(tokens); len(faults) > 0 {
		return jsontree.Node{}, faults
	}
	file, err := parser.Parse(tokens, 0, parser.AllowDuplicateMapKey())
	if err != nil {
		return jsontree.Node{}, []Fault{syntaxFault(err)}
	}
	var c converter
	var n jsontree.Node
	for _, d := range file.Docs { // at most one
		if d.Body != nil {
			n = c.node(d.Body, "", 0)
		}
	}
	return n, c.faults
}

func syntaxFault(err error) Fault {
	var e yaml.Error
	if !errors.As(err, &e) || e.GetToken() == nil || e.GetToken().Position == nil {
		return Fault{Line: 1, Column: 1, Text: clip(err.Error())}
	}
	p := e.GetToken().Position
	return Fault{Line: p.Line, Column: p.Column, Text: clip(e.GetMessage())}
}

// block is one open level of the text: of a mapping the names, of a flow collection what it holds.
type block struct {
	column int // of the names; 0 in a flow collection
	names  int
}

// checkTokens refuses what the parser must not be asked to parse.
func checkTokens(tokens token.Tokens) []Fault {
	var faults []Fault
	var open []block
	content := false
	for _, t := range tokens {
		fault := func(text string) {
			faults = append(faults, Fault{Line: t.Position.Line, Column: t.Position.Column, Text: text})
		}
		switch t.Type {
		case token.AnchorType, token.AliasType, token.MergeKeyType:
			fault("anchors and aliases are not read: write the value out")
		case token.DocumentHeaderType, token.DocumentEndType:
			if content || t.Type == token.DocumentEndType {
				fault("a second document in one file")
				return faults
			}
		case token.TagType, token.DirectiveType, token.MappingKeyType:
			fault("tags, directives and ? are not read: write plain names and values")
		case token.SequenceStartType, token.MappingStartType:
			open = append(open, block{})
		case token.SequenceEndType, token.MappingEndType:
			for len(open) > 0 && open[len(open)-1].column > 0 {
				open = open[:len(open)-1]
			}
			open = open[:max(len(open)-1, 0)]
		case token.SequenceEntryType:
			open = closeAt(open, t.Position.Column)
			open = append(open, block{column: t.Position.Column})
		case token.MappingValueType:
			open = name(open, t)
			if n := len(open); n > 0 && open[n-1].names == maxNames+1 {
				fault(fmt.Sprintf("more than %d names in one mapping", maxNames))
			}
		default:
		}
		content = content || t.Type != token.CommentType
		if len(open) > maxDepth {
			fault(fmt.Sprintf("nested deeper than %d levels", maxDepth))
			return faults
		}
		if len(faults) >= maxFaults {
			return faults
		}
	}
	return faults
}

// closeAt drops the levels that a token at that column ends.
func closeAt(open []block, column int) []block {
	for len(open) > 0 && open[len(open)-1].column >= column {
		open = open[:len(open)-1]
	}
	return open
}

// name counts the name before a colon to its mapping.
func name(open []block, colon *token.Token) []block {
	if n := len(open); n > 0 && open[n-1].column == 0 {
		open[n-1].names++
		return open
	}
	column := colon.Position.Column
	if colon.Prev != nil {
		column = colon.Prev.Position.Column
	}
	open = closeAt(open, column+1)
	if n := len(open); n > 0 && open[n-1].column == column {
		open[n-1].names++
		return open
	}
	return append(open, block{column: column, names: 1})
}

// converter turns the parser's tree into ours.
type converter struct{ faults []Fault }

func (c *converter) fault(n ast.Node, path, text string) {
	p := position(n)
	c.faults = append(c.faults, Fault{Line: p.Line, Column: p.Column, Path: path, Text: text})
}

func position(n ast.Node) jsontree.Position {
	t := n.GetToken()
	if m, ok := n.(*ast.MappingValueNode); ok { // its own token is the colon
		t = m.Key.GetToken()
	}
	if m, ok := n.(*ast.MappingNode); ok && !m.IsFlowStyle && len(m.Values) > 0 {
		t = m.Values[0].Key.GetToken()
	}
	if t == nil || t.Position == nil {
		return jsontree.Position{Line: 1, Column: 1}
	}
	return jsontree.Position{Line: t.Position.Line, Column: t.Position.Column}
}

func (c *converter) node(n ast.Node, path string, depth int) jsontree.Node {
	out := jsontree.Node{Pos: position(n)}
	if depth > maxDepth {
		c.fault(n, path, fmt.Sprintf("nested deeper than %d levels", maxDepth))
		return out
	}
	switch n := n.(type) {
	case *ast.NullNode:
		out.Kind = jsontree.Null
	case *ast.BoolNode:
		out.Kind, out.Bool = jsontree.Bool, n.Value
	case *ast.IntegerNode, *ast.FloatNode, *ast.InfinityNode, *ast.NanNode:
		out.Kind, out.Text = jsontree.Number, n.GetToken().Value
	case *ast.StringNode:
		out.Kind, out.Text = jsontree.String, n.Value
	case *ast.LiteralNode:
		out.Kind, out.Text = jsontree.String, n.Value.Value
	case *ast.SequenceNode:
		out.Kind, out.Items = jsontree.Array, []jsontree.Node{}
		for i, item := range n.Values {
			out.Items = append(out.Items, c.node(item, jsontree.Index(path, i), depth+1))
		}
	case *ast.MappingNode:
		return c.mapping(out, n.Values, path, depth)
	case *ast.MappingValueNode:
		return c.mapping(out, []*ast.MappingValueNode{n}, path, depth)
	default:
		c.fault(n, path, fmt.Sprintf("%s is not read here", n.Type()))
	}
	return out
}

func (c *converter) mapping(out jsontree.Node, values []*ast.MappingValueNode, path string, depth int) jsontree.Node {
	out.Kind, out.Fields = jsontree.Object, []jsontree.Member{}
	for _, v := range values {
		key, ok := v.Key.(*ast.StringNode)
		if !ok {
			c.fault(v, path, fmt.Sprintf("the name %s is not a string: write it in quotes", clip(v.Key.GetToken().Value)))
			continue
		}
		at := jsontree.Join(path, clip(key.Value))
		if out.Get(key.Value).Present() {
			c.fault(v, at, "the name stands twice in one mapping")
			continue
		}
		out.Fields = append(out.Fields, jsontree.Member{Name: key.Value, Value: c.node(v.Value, at, depth+1)})
	}
	return out
}
