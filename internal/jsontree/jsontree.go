// Package jsontree reads JSON into an ordered tree that remembers where each value stood.
//
// It is the ground of the packages that read policies, snapshots and events: encoding/json maps lose the order of members,
// accept duplicate keys and cannot say on which line a wrong element stands, and a policy must print back as it was read.
// It knows nothing of AWS.
package jsontree

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Kind is the kind of a JSON value.
type Kind uint8

// The kinds of JSON values. The zero Node is Invalid: it stands for "no value here".
const (
	Invalid Kind = iota
	Null
	Bool
	Number
	String
	Array
	Object
)

var kindNames = [...]string{"nothing", "null", "a boolean", "a number", "a string", "a list", "an object"}

// String names the kind as it reads in an error: "a string", "an object".
func (k Kind) String() string { return kindNames[k] }

// Position is a place in a text, both counted from 1. Columns count bytes. The zero Position means that the value was made
// by code and not read.
type Position struct{ Line, Column int }

// String is "line:column", or "-" for a value that was not read.
func (p Position) String() string {
	if p.Line == 0 {
		return "-"
	}
	return fmt.Sprintf("%d:%d", p.Line, p.Column)
}

// Node is one JSON value. Nodes are values: a change makes a new node and leaves the old one as it was.
type Node struct {
	Kind   Kind
	Pos    Position
	Text   string   // the string, or the number as it was written
	Bool   bool     // the boolean
	Items  []Node   // the elements of an array
	Fields []Member // the members of an object, in order
}

// Member is one name and value of an object.
type Member struct {
	Name  string
	Value Node
}

// SyntaxError says what is wrong with a JSON text and where.
type SyntaxError struct {
	Pos  Position
	Path string // the element, such as "Statement[1].Condition", or "" for the whole text
	Msg  string
}

// Error is "line:column: path: message". What stood nowhere, such as an absent member, has no position.
func (e *SyntaxError) Error() string {
	s := e.Msg
	if e.Path != "" {
		s = e.Path + ": " + s
	}
	if e.Pos.Line > 0 {
		s = e.Pos.String() + ": " + s
	}
	return s
}

// Errorf makes a SyntaxError at a node. Of a path only so much is kept as a person reads: it holds names that whoever wrote
// the text could choose.
func Errorf(n Node, path, format string, args ...any) error {
	return &SyntaxError{Pos: n.Pos, Path: clip(path), Msg: fmt.Sprintf(format, args...)}
}

func clip(path string) string {
	const most = 200
	if len(path) > most {
		path = strings.ToValidUTF8(path[:most], "") + "…"
	}
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return utf8.RuneError
		}
		return r
	}, path)
}

// MaxDepth bounds nesting: deeper than any AWS document, shallow enough that no input can exhaust the stack.
const MaxDepth = 64

// MaxValues bounds how many values a text holds: a list of small ones takes fifty times the memory of its text. A snapshot of
// a thousand routes has a third of it.
const MaxValues = 1 << 20

// Parse reads exactly one JSON value of at most limit bytes. It refuses duplicate member names (AWS does so in policies, and
// two readers that disagree about a duplicate are a way to hide a statement), invalid UTF-8, nesting beyond MaxDepth and
// anything after the value. Errors are of type *SyntaxError.
func Parse(data []byte, limit int) (Node, error) {
	if len(data) > limit {
		return Node{}, &SyntaxError{
			Pos: Position{1, 1},
			Msg: fmt.Sprintf("the text has %d bytes, the limit is %d", len(data), limit),
		}
	}
	p := &parser{data: data, dec: json.NewDecoder(bytes.NewReader(data)), line: 1}
	if i := invalidUTF8(data); i >= 0 {
		return Node{}, &SyntaxError{Pos: p.position(i), Msg: "invalid UTF-8"}
	}
	p.dec.UseNumber()
	n, err := p.value()
	if err != nil {
		return Node{}, err
	}
	rest := data[p.dec.InputOffset():]
	if after := bytes.TrimLeft(rest, " \t\r\n"); len(after) > 0 {
		return Node{}, &SyntaxError{Pos: p.position(len(data) - len(after)), Msg: "unexpected text after the value"}
	}
	return n, nil
}

func invalidUTF8(data []byte) int {
	if utf8.Valid(data) {
		return -1
	}
	for i := 0; i < len(data); {
		r, size := utf8.DecodeRune(data[i:])
		if r == utf8.RuneError && size == 1 {
			return i
		}
		i += size
	}
	return -1
}

type parser struct {
	data []byte
	dec  *json.Decoder
	// Positions are asked for in rising order, so that lines are counted once.
	offset, line, lineStart int

	at     []step // where the parser is; the text of a path is made for errors only
	values int
}

// step is one step down the tree: into the member of that name or, without one, the element of that index.
type step struct {
	name  string
	index int
}

func (p *parser) path() string {
	path := ""
	for _, s := range p.at {
		if s.index >= 0 {
			path = Index(path, s.index)
		} else {
			path = Join(path, s.name)
		}
	}
	return path
}

func (p *parser) errorf(pos Position, format string, args ...any) error {
	return Errorf(Node{Pos: pos}, p.path(), format, args...)
}

// next is the offset of the first byte that belongs to the next token.
func (p *parser) next() int {
	i := int(p.dec.InputOffset())
	for i < len(p.data) {
		switch p.data[i] {
		case ' ', '\t', '\r', '\n', ',', ':':
			i++
		default:
			return i
		}
	}
	return i
}

func (p *parser) position(offset int) Position {
	if offset < p.offset {
		p.offset, p.line, p.lineStart = 0, 1, 0
	}
	for {
		i := bytes.IndexByte(p.data[p.offset:offset], '\n')
		if i < 0 {
			break
		}
		p.offset += i + 1
		p.lineStart = p.offset
		p.line++
	}
	p.offset = offset
	return Position{p.line, offset - p.lineStart + 1}
}

func (p *parser) token() (json.Token, Position, error) {
	pos := p.position(p.next())
	tok, err := p.dec.Token()
	if err == nil {
		return tok, pos, nil
	}
	var syn *json.SyntaxError
	switch {
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF),
		errors.As(err, &syn) && strings.Contains(syn.Error(), "unexpected end"):
		err = p.errorf(p.position(len(p.data)), "the text ends too early")
	default: // a json.SyntaxError has an Offset, but within the decoder's buffer; the token's start is right
		err = p.errorf(pos, "%s", err)
	}
	return nil, Position{}, err
}

func (p *parser) value() (Node, error) {
	tok, pos, err := p.token()
	if err != nil {
		return Node{}, err
	}
	if p.values++; p.values > MaxValues {
		return Node{}, p.errorf(pos, "the text has more than %d values", MaxValues)
	}
	n := Node{Pos: pos}
	switch t := tok.(type) {
	case nil:
		n.Kind = Null
	case bool:
		n.Kind, n.Bool = Bool, t
	case json.Number:
		n.Kind, n.Text = Number, t.String()
	case string:
		n.Kind, n.Text = String, t
	case json.Delim:
		if len(p.at) >= MaxDepth {
			return Node{}, p.errorf(pos, "nested deeper than %d levels", MaxDepth)
		}
		if t == '[' {
			return p.array(n)
		}
		return p.object(n)
	}
	return n, nil
}

func (p *parser) array(n Node) (Node, error) {
	n.Kind, n.Items = Array, []Node{}
	depth := len(p.at)
	for p.dec.More() {
		p.at = append(p.at[:depth], step{index: len(n.Items)})
		item, err := p.value()
		if err != nil {
			return Node{}, err
		}
		n.Items = append(n.Items, item)
	}
	p.at = p.at[:depth]
	_, _, err := p.token()
	return n, err
}

func (p *parser) object(n Node) (Node, error) {
	n.Kind, n.Fields = Object, []Member{}
	depth := len(p.at)
	var seen map[string]bool // only for objects too wide to be searched
	for p.dec.More() {
		p.at = p.at[:depth]
		tok, pos, err := p.token()
		if err != nil {
			return Node{}, err
		}
		name, ok := tok.(string)
		if !ok {
			return Node{}, p.errorf(pos, "a member name must be a string")
		}
		p.at = append(p.at, step{name: name, index: -1})
		duplicate := false
		if len(n.Fields) < 16 {
			duplicate = n.Get(name).Kind != Invalid
		} else {
			if seen == nil {
				seen = make(map[string]bool)
				for _, f := range n.Fields {
					seen[f.Name] = true
				}
			}
			duplicate = seen[name]
			seen[name] = true
		}
		if duplicate {
			return Node{}, p.errorf(pos, "the element stands twice in one object")
		}
		v, err := p.value()
		if err != nil {
			return Node{}, err
		}
		n.Fields = append(n.Fields, Member{name, v})
	}
	p.at = p.at[:depth]
	_, _, err := p.token()
	return n, err
}

// Join is the path of a member of the object at path.
func Join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

// Index is the path of an element of the array at path.
func Index(path string, i int) string { return path + "[" + strconv.Itoa(i) + "]" }

// Get is the member of that name, or the zero Node when there is none or n is not an object.
func (n Node) Get(name string) Node {
	for i := range n.Fields {
		if n.Fields[i].Name == name {
			return n.Fields[i].Value
		}
	}
	return Node{}
}

// Present says whether the node holds a value; null is a value.
func (n Node) Present() bool { return n.Kind != Invalid }

// With is n with that member set: replaced in place, or added at the end.
func (n Node) With(name string, v Node) Node {
	fields := make([]Member, 0, len(n.Fields)+1)
	done := false
	for _, f := range n.Fields {
		if f.Name == name {
			f.Value, done = v, true
		}
		fields = append(fields, f)
	}
	if !done {
		fields = append(fields, Member{name, v})
	}
	n.Kind, n.Fields = Object, fields
	return n
}

// Str makes a string node.
func Str(s string) Node { return Node{Kind: String, Text: s} }

// List makes an array node.
func List(items ...Node) Node {
	if items == nil {
		items = []Node{}
	}
	return Node{Kind: Array, Items: items}
}

// Strings makes a string node of one value and an array node of any other number: the way in which AWS prints such lists.
func Strings(values ...string) Node {
	if len(values) == 1 {
		return Str(values[0])
	}
	items := make([]Node, len(values))
	for i, v := range values {
		items[i] = Str(v)
	}
	return List(items...)
}

// Obj makes an object node of those members.
func Obj(members ...Member) Node {
	if members == nil {
		members = []Member{}
	}
	return Node{Kind: Object, Fields: members}
}

// Equal says whether two nodes hold the same values in the same order, wherever they stood.
func Equal(a, b Node) bool {
	if a.Kind != b.Kind || a.Text != b.Text || a.Bool != b.Bool || len(a.Items) != len(b.Items) || len(a.Fields) != len(b.Fields) {
		return false
	}
	for i := range a.Items {
		if !Equal(a.Items[i], b.Items[i]) {
			return false
		}
	}
	for i := range a.Fields {
		if a.Fields[i].Name != b.Fields[i].Name || !Equal(a.Fields[i].Value, b.Fields[i].Value) {
			return false
		}
	}
	return true
}

// MarshalJSON prints the node without white space, members in their order, characters unescaped where JSON allows it.
func (n Node) MarshalJSON() ([]byte, error) { return n.append(nil, "", ""), nil }

// Indent prints the node with members on lines of their own, two spaces a level.
func (n Node) Indent() string { return string(n.append(nil, "\n", "  ")) }

func (n Node) append(out []byte, newline, indent string) []byte {
	inner := newline
	if newline != "" {
		inner += indent
	}
	switch n.Kind {
	case Invalid, Null:
		return append(out, "null"...)
	case Bool:
		if n.Bool {
			return append(out, "true"...)
		}
		return append(out, "false"...)
	case Number:
		return append(out, n.Text...)
	case String:
		return appendString(out, n.Text)
	case Array:
		if len(n.Items) == 0 {
			return append(out, "[]"...)
		}
		out = append(out, '[')
		for i, item := range n.Items {
			if i > 0 {
				out = append(out, ',')
			}
			out = append(out, inner...)
			out = item.append(out, inner, indent)
		}
		out = append(out, newline...)
		return append(out, ']')
	}
	if len(n.Fields) == 0 {
		return append(out, "{}"...)
	}
	out = append(out, '{')
	for i, f := range n.Fields {
		if i > 0 {
			out = append(out, ',')
		}
		out = append(out, inner...)
		out = appendString(out, f.Name)
		out = append(out, ':')
		if newline != "" {
			out = append(out, ' ')
		}
		out = f.Value.append(out, inner, indent)
	}
	out = append(out, newline...)
	return append(out, '}')
}

func appendString(out []byte, s string) []byte {
	const hex = "0123456789abcdef"
	out = append(out, '"')
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '"' || c == '\\':
			out = append(out, '\\', c)
		case c == '\n':
			out = append(out, '\\', 'n')
		case c == '\r':
			out = append(out, '\\', 'r')
		case c == '\t':
			out = append(out, '\\', 't')
		case c < 0x20:
			out = append(out, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
		default:
			out = append(out, c)
		}
	}
	return append(out, '"')
}
