package jsontree_test

import (
	"errors"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/replimend/replimend/internal/jsontree"
)

// upper is a name that only upper case may spell.
type upper string

func (u *upper) UnmarshalText(text []byte) error {
	if s := string(text); s != strings.ToUpper(s) {
		return errors.New("want upper case")
	}
	*u = upper(text)
	return nil
}

// sealed is a type that the decoder is told how to read.
type sealed struct{ text string }

type record struct {
	Name   string            `json:"name" jsonschema:"required"`
	Colour string            `json:"colour" jsonschema:"enum=red,enum=light blue"`
	Codes  []string          `json:"codes" jsonschema:"pattern=^[0-9]+$"`
	At     string            `json:"at" jsonschema:"format=date-time"`
	Count  int64             `json:"count"`
	Small  int               `json:"small"`
	On     bool              `json:"on"`
	Next   *record           `json:"next" wrapper:"Record"`
	Items  []record          `json:"items"`
	Named  map[upper]int     `json:"named"`
	Plain  map[string]string `json:"plain"`
	Sealed sealed            `json:"sealed"`
	Bare   string
	Wrong  float64 `json:"wrong"`
}

var decoder = jsontree.Decoder{Types: map[reflect.Type]func(jsontree.Node, string) (any, error){
	reflect.TypeFor[sealed](): func(n jsontree.Node, path string) (any, error) {
		if n.Text != "open" {
			return nil, jsontree.Errorf(n, path, "stays shut")
		}
		return sealed{n.Text}, nil
	},
}}

func decode(t *testing.T, text string) (record, error) {
	t.Helper()
	n, err := jsontree.Parse([]byte(text), limit)
	if err != nil {
		t.Fatal(err)
	}
	var r record
	return r, decoder.Decode(n, "", &r)
}

func TestDecodeReads(t *testing.T) {
	t.Parallel()
	got, err := decode(t, `{"name": "a", "colour": "light blue", "codes": ["1", "22"], "at": "2026-11-22T00:00:00.5+09:00",
		"count": -9007199254740993, "small": 7, "on": true, "next": {"Record": {"name": "inner"}, "RequestId": "x"},
		"items": [{"name": ""}], "named": {"A": 1}, "plain": {"": ""}, "sealed": "open", "Bare": "tagless", "unknown": [{}]}`)
	want := record{
		Name: "a", Colour: "light blue", Codes: []string{"1", "22"}, At: "2026-11-22T00:00:00.5+09:00",
		Count: -9007199254740993, Small: 7, On: true, Next: &record{Name: "inner"},
		Items: []record{{}}, Named: map[upper]int{"A": 1}, Plain: map[string]string{"": ""}, Sealed: sealed{"open"}, Bare: "tagless",
	}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(sealed{})); diff != "" || err != nil {
		t.Errorf("error %v, and (-want +got):\n%s", err, diff)
	}
}

func TestDecodeLeavesOutWhatIsNull(t *testing.T) {
	t.Parallel()
	got, err := decode(t, `{"name": "a", "colour": null, "codes": null, "count": null, "next": null, "named": null, "sealed": null}`)
	if diff := cmp.Diff(record{Name: "a"}, got, cmp.AllowUnexported(sealed{})); diff != "" || err != nil {
		t.Errorf("error %v, and (-want +got):\n%s", err, diff)
	}
}

func TestDecodeRefuses(t *testing.T) {
	t.Parallel()
	tests := map[string]struct{ in, want string }{
		"no object":             {`[]`, "1:1: want an object, got a list"},
		"required missing":      {`{"items": [{}]}`, "1:1: name: is missing"},
		"required deep below":   {`{"name": "", "items": [{"name": ""}, {}]}`, "1:38: items[1].name: is missing"},
		"required null":         {`{"name": null}`, "1:1: name: is missing"},
		"case of a name":        {`{"Name": "a"}`, "1:1: name: is missing"},
		"number for string":     {"{\"name\":\n 1}", "2:2: name: want a string, got a number"},
		"string for number":     {`{"name": "", "count": "1"}`, "1:23: count: want a number, got a string"},
		"string for boolean":    {`{"name": "", "on": "true"}`, "1:20: on: want a boolean, got a string"},
		"object for list":       {`{"name": "", "codes": {}}`, "1:23: codes: want a list, got an object"},
		"list for map":          {`{"name": "", "plain": []}`, "1:23: plain: want an object, got a list"},
		"null element":          {`{"name": "", "codes": [null]}`, "1:24: codes[0]: want a string, got null"},
		"null in map":           {`{"name": "", "plain": {"a": null}}`, "1:29: plain.a: want a string, got null"},
		"fraction":              {`{"name": "", "count": 1.5}`, "1:23: count: want a whole number, got 1.5"},
		"exponent":              {`{"name": "", "count": 1e2}`, "1:23: count: want a whole number, got 1e2"},
		"too large":             {`{"name": "", "count": 9223372036854775808}`, "count: want a whole number"},
		"not in the set":        {`{"name": "", "colour": "blue"}`, `1:24: colour: unknown value "blue": want red, light blue`},
		"pattern":               {`{"name": "", "codes": ["1", "x"]}`, `1:29: codes[1]: "x" does not match ^[0-9]+$`},
		"time":                  {`{"name": "", "at": "yesterday"}`, `1:20: at: "yesterday" is no time as in RFC 3339`},
		"inside a wrapper":      {`{"name": "", "next": {"Record": {"name": true}}}`, "1:42: next.Record.name: want a string, got a boolean"},
		"a name that is no key": {`{"name": "", "named": {"a": 1}}`, "1:29: named.a: want upper case"},
		"a type of another":     {`{"name": "", "sealed": "sesame"}`, "1:24: sealed: stays shut"},
		"a kind without a rule": {`{"name": "", "wrong": 1}`, "1:23: wrong: nothing can be read into float64"},
		"long values are cut":   {`{"name": "", "colour": "` + strings.Repeat("x", 5000) + `"}`, strings.Repeat("x", 80) + `": want red`},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := decode(t, test.in)
			var syntax *jsontree.SyntaxError
			if !errors.As(err, &syntax) || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error %v, want %q", err, test.want)
			}
		})
	}
}
