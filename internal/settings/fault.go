package settings

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/replimend/replimend/internal/jsontree"
)

// maxFaults bounds what one file can make us print.
const maxFaults = 100

// Fault is one thing that is wrong with a file.
type Fault struct {
	Line, Column int    // both counted from 1
	Path         string // such as routes[0].source.account, or "" for the whole file
	Text         string
}

// String is "line:column: path: text".
func (f Fault) String() string {
	s := fmt.Sprintf("%d:%d: ", f.Line, f.Column)
	if f.Path != "" {
		s += printable(f.Path) + ": "
	}
	return s + printable(f.Text)
}

// printable keeps what a file says from steering the terminal that shows it.
func printable(s string) string {
	var b strings.Builder
	for _, r := range s {
		if jsontree.Visible(r) {
			b.WriteRune(r)
		} else {
			b.WriteString(strings.Trim(strconv.QuoteRune(r), "'"))
		}
	}
	return b.String()
}

// Error is every fault of a file, in the order of the text.
type Error struct{ Faults []Fault }

// Error is one fault a line.
func (e *Error) Error() string {
	lines := make([]string, len(e.Faults))
	for i, f := range e.Faults {
		lines[i] = f.String()
	}
	return strings.Join(lines, "\n")
}

// In is the faults with the name of the file before each, as compilers write them.
func (e *Error) In(file string) error {
	lines := make([]string, len(e.Faults))
	for i, f := range e.Faults {
		lines[i] = fmt.Sprintf("%s:%s", file, f)
	}
	return errors.New(strings.Join(lines, "\n"))
}

func newError(faults []Fault) *Error {
	slices.SortStableFunc(faults, func(a, b Fault) int { return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column)) })
	return &Error{Faults: faults[:min(len(faults), maxFaults)]}
}

// reader reads values out of a tree and collects the faults that it meets.
type reader struct{ faults []Fault }

func (r *reader) fault(n jsontree.Node, path, format string, args ...any) {
	p := n.Pos
	if p.Line == 0 {
		p = jsontree.Position{Line: 1, Column: 1}
	}
	r.faults = append(r.faults, Fault{Line: p.Line, Column: p.Column, Path: path, Text: fmt.Sprintf(format, args...)})
}

// read reads one value that stands at path.
type read func(n jsontree.Node, path string)

// member is one name that an object may have.
type member struct {
	name     string
	required bool
	read     read
}

// object reads the members of an object; it reports those that are not known and those that are missing.
func (r *reader) object(n jsontree.Node, path string, members ...member) {
	if n.Kind != jsontree.Object {
		r.fault(n, path, "want names and values, this is %s", n.Kind)
		return
	}
	for _, f := range n.Fields {
		i := slices.IndexFunc(members, func(m member) bool { return m.name == f.Name })
		if i < 0 {
			r.fault(f.Value, jsontree.Join(path, clip(f.Name)), "unknown name: want %s", names(members))
			continue
		}
		members[i].read(f.Value, jsontree.Join(path, f.Name))
	}
	for _, m := range members {
		if m.required && !n.Get(m.name).Present() {
			r.fault(n, path, "%s is missing", m.name)
		}
	}
}

func names(members []member) string {
	out := make([]string, len(members))
	for i, m := range members {
		out[i] = m.name
	}
	return strings.Join(out, ", ")
}

// text reads a string. check says what is wrong with it, "" for nothing; nil accepts every string.
func (r *reader) text(into *string, check func(string) string) read {
	return func(n jsontree.Node, path string) {
		if n.Kind != jsontree.String {
			hint := ""
			if n.Kind == jsontree.Number || n.Kind == jsontree.Bool {
				hint = ": write it in quotes"
			}
			r.fault(n, path, "want a string, this is %s%s", n.Kind, hint)
			return
		}
		if check != nil {
			if fault := check(n.Text); fault != "" {
				r.fault(n, path, "%s", fault)
				return
			}
		}
		*into = n.Text
	}
}

func (r *reader) flag(into *bool) read {
	return func(n jsontree.Node, path string) {
		if n.Kind != jsontree.Bool {
			r.fault(n, path, "want true or false, this is %s", n.Kind)
			return
		}
		*into = n.Bool
	}
}

// optional reads a flag that is not the same when it is left out as when it is false.
func (r *reader) optional(into **bool) read {
	return func(n jsontree.Node, path string) {
		var v bool
		r.flag(&v)(n, path)
		*into = &v
	}
}

func (r *reader) number(into *int, least, most int) read {
	return func(n jsontree.Node, path string) {
		v, err := strconv.Atoi(n.Text)
		if n.Kind != jsontree.Number || err != nil || v < least || v > most {
			r.fault(n, path, "want a whole number from %d to %d", least, most)
			return
		}
		*into = v
	}
}

// list reads each item of a list.
func (r *reader) list(item func(n jsontree.Node, path string)) read {
	return func(n jsontree.Node, path string) {
		if n.Kind != jsontree.Array {
			r.fault(n, path, "want a list, this is %s", n.Kind)
			return
		}
		for i, v := range n.Items {
			item(v, jsontree.Index(path, i))
		}
	}
}
