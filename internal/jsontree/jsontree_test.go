package jsontree_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/replimend/replimend/internal/jsontree"
)

const limit = 1 << 20

func TestParseRefuses(t *testing.T) {
	t.Parallel()
	tests := map[string]struct{ in, want string }{
		"empty":               {"", "1:1: the text ends too early"},
		"truncated":           {"{\"a\": [1,\n 2", "2:3: a: the text ends too early"},
		"truncated in string": {"{\"a\": \"b", "1:9: a: the text ends too early"},
		"duplicate member":    {"{\"a\": {\"b\": 1,\n\"b\": 2}}", "2:1: a.b: the element stands twice in one object"},
		"two values":          {"{} {}", "1:4: unexpected text after the value"},
		"bad literal":         {"[1,\n tru]", "2:2: [1]: invalid character ']' in literal true (expecting 'e')"},
		"invalid UTF-8":       {"\"a\xff\"", "1:3: invalid UTF-8"},
		"too deep":            {strings.Repeat("[", 70), "nested deeper than 64 levels"},
		"trailing comma":      {"[1,]", "invalid character ']'"},
		"too large":           {strings.Repeat(" ", limit+1), "1:1: the text has 1048577 bytes, the limit is 1048576"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n, err := jsontree.Parse([]byte(test.in), limit)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Fatalf("Parse = %v, %v; want an error with %q", n, err, test.want)
			}
			if n.Present() {
				t.Errorf("an error came with a value: %v", n)
			}
		})
	}
}

func TestWideObjectsRefuseDuplicates(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	b.WriteString("{")
	for i := range 40 {
		b.WriteString(`"k` + strings.Repeat("x", i) + `":1,`)
	}
	b.WriteString(`"kxxx":2}`)
	if _, err := jsontree.Parse([]byte(b.String()), limit); err == nil || !strings.Contains(err.Error(), "stands twice") {
		t.Fatalf("err = %v, want a duplicate", err)
	}
}

func TestPositions(t *testing.T) {
	t.Parallel()
	n, err := jsontree.Parse([]byte("{\n  \"a\": [true,\n    {\"b\": null}]\n}"), limit)
	if err != nil {
		t.Fatal(err)
	}
	if got := n.Get("a").Items[1].Get("b").Pos.String(); got != "3:11" {
		t.Errorf("position of a[1].b = %s, want 3:11", got)
	}
}

// TestParseBoundsTheNumberOfValues guards the memory: the tree of a list of small values is many times its text.
func TestParseBoundsTheNumberOfValues(t *testing.T) {
	t.Parallel()
	text := "[" + strings.Repeat("[],", jsontree.MaxValues-1) + "[]]"
	const want = "1:3145727: [1048575]: the text has more than 1048576 values"
	if _, err := jsontree.Parse([]byte(text), len(text)); err == nil || err.Error() != want {
		t.Errorf("error %v, want %q", err, want)
	}
}

// FuzzParse holds the reader against encoding/json: what this package accepts, encoding/json accepts with the same value,
// and printing gives back the same tree.
func FuzzParse(f *testing.F) {
	for _, s := range []string{`{"a":[1,"b",null,true],"c":{}}`, `"\u00e9\n"`, `[]`, `-1.5e3`, "{\"a\":1,\"a\":2}"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		n, err := jsontree.Parse(data, limit)
		if err != nil {
			if n.Present() {
				t.Fatal("an error came with a value")
			}
			return
		}
		var want any
		if err := json.Unmarshal(data, &want); err != nil {
			t.Fatalf("accepted what encoding/json refuses: %v", err)
		}
		for _, text := range [][]byte{[]byte(n.Indent()), must(n.MarshalJSON())} {
			again, err := jsontree.Parse(text, 1<<30)
			if err != nil || !jsontree.Equal(n, again) {
				t.Fatalf("printing %q gave %q, %v", data, text, err)
			}
			var got any
			if err := json.Unmarshal(text, &got); err != nil || !bytes.Equal(must(json.Marshal(got)), must(json.Marshal(want))) {
				t.Fatalf("printed value differs: %q from %q", text, data)
			}
		}
	})
}

func must(b []byte, err error) []byte {
	if err != nil {
		panic(err)
	}
	return b
}
