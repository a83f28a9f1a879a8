package jsontree

import (
	"encoding"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Decoder reads nodes into Go values by the json tags that encoding/json prints them by. Unlike encoding/json it compares
// names exactly, takes nothing of another kind, and says in every error where the value stood: errors are of type
// *SyntaxError. Members without a field are left out, and null leaves a field as it is.
//
// It honours those words of the jsonschema tag that can be honoured alone, so that what it refuses and what a schema made
// from the same type refuses do not drift apart: required, enum=, pattern= and format=date-time. A tag wrapper:"Name" lets
// the value also stand in an object, as its member of that name.
type Decoder struct {
	// Types reads the types that belong to packages which do not know this one's decoder.
	Types map[reflect.Type]func(n Node, path string) (any, error)
}

// NodeDecoder is a type that reads itself. It gets null, too.
type NodeDecoder interface {
	DecodeNode(d Decoder, n Node, path string) error
}

// Decode reads the node that stands at path into what out points at. On an error, what it points at is not to be used.
func (d Decoder) Decode(n Node, path string, out any) error {
	return d.value(n, path, reflect.ValueOf(out).Elem())
}

func (d Decoder) value(n Node, path string, v reflect.Value) error {
	if self, ok := v.Addr().Interface().(NodeDecoder); ok {
		return self.DecodeNode(d, n, path)
	}
	if read, ok := d.Types[v.Type()]; ok {
		value, err := read(n, path)
		if err != nil {
			return err
		}
		v.Set(reflect.ValueOf(value))
		return nil
	}
	switch v.Kind() {
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		return d.value(n, path, v.Elem())
	case reflect.Struct:
		return d.fields(n, path, v)
	case reflect.Map:
		return d.members(n, path, v)
	case reflect.Slice:
		return d.items(n, path, v)
	case reflect.String:
		if n.Kind != String {
			return Errorf(n, path, "want %s, got %s", String, n.Kind)
		}
		v.SetString(n.Text)
	case reflect.Bool:
		if n.Kind != Bool {
			return Errorf(n, path, "want %s, got %s", Bool, n.Kind)
		}
		v.SetBool(n.Bool)
	case reflect.Int, reflect.Int64:
		if n.Kind != Number {
			return Errorf(n, path, "want %s, got %s", Number, n.Kind)
		}
		i, err := strconv.ParseInt(n.Text, 10, v.Type().Bits())
		if err != nil {
			return Errorf(n, path, "want a whole number, got %.40s", n.Text)
		}
		v.SetInt(i)
	default:
		return Errorf(n, path, "nothing can be read into %s", v.Type())
	}
	return nil
}

func (d Decoder) fields(n Node, path string, v reflect.Value) error {
	if n.Kind != Object {
		return Errorf(n, path, "want %s, got %s", Object, n.Kind)
	}
	for i := range v.NumField() {
		f := v.Type().Field(i)
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if name == "" {
			name = f.Name
		}
		member, at := n.Get(name), Join(path, name)
		if w := f.Tag.Get("wrapper"); w != "" && member.Get(w).Present() {
			member, at = member.Get(w), Join(at, w)
		}
		words := strings.FieldsFunc(f.Tag.Get("jsonschema"), func(r rune) bool { return r == ',' })
		_, self := v.Field(i).Addr().Interface().(NodeDecoder)
		if !member.Present() || member.Kind == Null && !self {
			if slices.Contains(words, "required") {
				return Errorf(n, at, "is missing")
			}
			continue
		}
		if len(words) > 0 {
			if err := checkWords(member, at, words); err != nil {
				return err
			}
		}
		if err := d.value(member, at, v.Field(i)); err != nil {
			return err
		}
	}
	return nil
}

// checkWords holds a string, or the strings of a list, against the words of a jsonschema tag.
func checkWords(n Node, path string, words []string) error {
	for i, item := range n.Items {
		if err := checkWords(item, Index(path, i), words); err != nil {
			return err
		}
	}
	if n.Kind != String {
		return nil // of another kind than wanted, which is refused elsewhere
	}
	var enum []string
	for _, word := range words {
		switch key, value, _ := strings.Cut(word, "="); {
		case key == "enum":
			enum = append(enum, value)
		case key == "pattern":
			if ok, err := regexp.MatchString(value, n.Text); err != nil || !ok {
				return Errorf(n, path, "%.80q does not match %s", n.Text, value)
			}
		case word == "format=date-time":
			if _, err := time.Parse(time.RFC3339, n.Text); err != nil {
				return Errorf(n, path, "%.80q is no time as in RFC 3339: want 2006-01-02T15:04:05Z", n.Text)
			}
		}
	}
	if enum != nil && !slices.Contains(enum, n.Text) {
		return Errorf(n, path, "unknown value %.80q: want %s", n.Text, strings.Join(enum, ", "))
	}
	return nil
}

func (d Decoder) members(n Node, path string, v reflect.Value) error {
	if n.Kind != Object {
		return Errorf(n, path, "want %s, got %s", Object, n.Kind)
	}
	v.Set(reflect.MakeMapWithSize(v.Type(), len(n.Fields)))
	for _, f := range n.Fields {
		at := Join(path, f.Name)
		key := reflect.New(v.Type().Key())
		if text, ok := key.Interface().(encoding.TextUnmarshaler); ok {
			if err := text.UnmarshalText([]byte(f.Name)); err != nil {
				return Errorf(f.Value, at, "%s", err)
			}
		} else {
			key.Elem().SetString(f.Name)
		}
		value := reflect.New(v.Type().Elem()).Elem()
		if err := d.value(f.Value, at, value); err != nil {
			return err
		}
		v.SetMapIndex(key.Elem(), value)
	}
	return nil
}

func (d Decoder) items(n Node, path string, v reflect.Value) error {
	if n.Kind != Array {
		return Errorf(n, path, "want %s, got %s", Array, n.Kind)
	}
	v.Set(reflect.MakeSlice(v.Type(), len(n.Items), len(n.Items)))
	for i, item := range n.Items {
		if err := d.value(item, Index(path, i), v.Index(i)); err != nil {
			return err
		}
	}
	return nil
}
