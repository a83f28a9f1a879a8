package signal

import (
	"strconv"
	"strings"

	"github.com/replimend/replimend/internal/jsontree"
)

// An element is a place in the tree, whether or not a value stands there.
type element struct {
	node jsontree.Node
	near jsontree.Node // the value, or the closest one around the place where it is missing
	path string
}

func (e element) get(name string) element {
	return e.child(e.node.Get(name), jsontree.Join(e.path, name))
}

func (e element) child(n jsontree.Node, path string) element {
	if n.Present() {
		return element{n, n, path}
	}
	return element{n, e.near, path}
}

func (e element) errorf(format string, args ...any) error {
	return jsontree.Errorf(e.near, e.path, format, args...)
}

// records returns the elements of the member Records.
func (e element) records() ([]element, error) { return e.list("Records", MaxRecords) }

// list returns the elements of a member that is a list of at most so many objects.
func (e element) list(name string, most int) ([]element, error) {
	list := e.get(name)
	if list.node.Kind != jsontree.Array {
		return nil, list.errorf("want a list, found %s", list.node.Kind)
	}
	if n := len(list.node.Items); n > most {
		return nil, list.errorf("%d records, the limit is %d", n, most)
	}
	elements := make([]element, len(list.node.Items))
	for i, item := range list.node.Items {
		elements[i] = list.child(item, jsontree.Index(list.path, i))
		if item.Kind != jsontree.Object {
			return nil, elements[i].errorf("want an object, found %s", item.Kind)
		}
	}
	return elements, nil
}

// A fields reads values out of elements and keeps the first error, after which it gives only zero values.
type fields struct{ err error }

// A check says what is wrong with a text, or "".
type check func(string) string

// text is a string that must be there and must not be empty.
func (f *fields) text(e element, wrong check) string {
	switch {
	case f.err != nil:
	case !e.node.Present():
		f.err = e.errorf("is missing")
	case e.node.Kind != jsontree.String:
		f.err = e.errorf("want a string, found %s", e.node.Kind)
	case e.node.Text == "":
		f.err = e.errorf("is empty")
	default:
		if msg := wrong(e.node.Text); msg != "" {
			f.err = e.errorf("%s", msg)
			break
		}
		return e.node.Text
	}
	return ""
}

// optional is a string of which absent, null and empty say the same: nothing.
func (f *fields) optional(e element, wrong check) string {
	if !e.node.Present() || e.node.Kind == jsontree.Null || e.node.Kind == jsontree.String && e.node.Text == "" {
		return ""
	}
	return f.text(e, wrong)
}

// count is a whole number that may be absent.
func (f *fields) count(e element) int64 {
	if f.err != nil || !e.node.Present() || e.node.Kind == jsontree.Null {
		return 0
	}
	if e.node.Kind != jsontree.Number {
		f.err = e.errorf("want a number, found %s", e.node.Kind)
		return 0
	}
	n, err := strconv.ParseInt(e.node.Text, 10, 64)
	if err != nil || n < 0 {
		f.err = e.errorf("want a whole number that is not negative, found %s", clip(e.node.Text))
		return 0
	}
	return n
}

// quote makes a text of others fit to print: bounded, and ASCII only, so that it can neither break a line nor turn the
// direction of what follows it.
func quote(s string) string { return strconv.QuoteToASCII(clip(s)) }

func clip(s string) string {
	const most = 100
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + "..."
}
