package snapshot

import (
	"bytes"
	"encoding/json"
	"reflect"
)

// IsZero says whether the value is missing, and so left out where it would be printed.
func (v Value[T]) IsZero() bool { return v.State == Missing }

// MarshalJSON prints null for what is not present. A present list or map is never null, also when it is nil.
func (v Value[T]) MarshalJSON() ([]byte, error) {
	if v.State != Present {
		return []byte("null"), nil
	}
	return marshal(notNil(reflect.ValueOf(v.V)).Interface())
}

func notNil(v reflect.Value) reflect.Value {
	switch {
	case v.Kind() == reflect.Map && v.IsNil():
		return reflect.MakeMap(v.Type())
	case v.Kind() == reflect.Slice:
		out := reflect.MakeSlice(v.Type(), v.Len(), v.Len())
		for i := range v.Len() {
			out.Index(i).Set(notNil(v.Index(i)))
		}
		return out
	}
	return v
}

// MarshalJSON prints the snapshot so that Parse gives it back: in the contract's order, maps sorted by name, policies as they
// were read. The same snapshot always gives the same text.
func (s Snapshot) MarshalJSON() ([]byte, error) {
	type members Snapshot
	return marshal(struct {
		Schema string `json:"schema"`
		members
	}{Schema, members(s)})
}

// Indent is MarshalJSON with two spaces a level.
func (s *Snapshot) Indent() string {
	var out bytes.Buffer
	text, _ := s.MarshalJSON() // fails only where code put into a tree what no text can hold
	_ = json.Indent(&out, text, "", "  ")
	return out.String()
}

// marshal leaves <, > and & as they are: ARNs and patterns are for people to read.
func marshal(v any) ([]byte, error) {
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(out.Bytes(), []byte("\n")), nil
}
