package awscloud

import (
	"reflect"
	"strconv"
	"time"

	"github.com/replimend/replimend/internal/jsontree"
	"github.com/replimend/replimend/internal/snapshot"
)

// answer is a structure of the SDK as JSON, as the AWS CLI prints it: the SDK's members have the names of the API's. What was
// not in the answer is not in the JSON: nil pointers and lists, and words of a closed set that are empty. Empty texts and empty
// structures that were in the answer are: a Filter without members makes a rule one of the second version. Times are left out, of
// which the contract has none.
func answer(v any) jsontree.Node {
	return node(reflect.ValueOf(v))
}

func node(v reflect.Value) jsontree.Node {
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			return node(v.Elem())
		}
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[time.Time]() {
			break
		}
		out := jsontree.Obj()
		for i := range v.NumField() {
			f := v.Type().Field(i)
			if member := node(v.Field(i)); f.IsExported() && f.Name != "ResultMetadata" && member.Present() {
				out.Fields = append(out.Fields, jsontree.Member{Name: f.Name, Value: member})
			}
		}
		return out
	case reflect.Slice:
		if v.IsNil() {
			break
		}
		out := jsontree.List()
		for i := range v.Len() {
			out.Items = append(out.Items, node(v.Index(i)))
		}
		return out
	case reflect.Map:
		if v.IsNil() {
			break
		}
		out := jsontree.Obj()
		for it := v.MapRange(); it.Next(); {
			out.Fields = append(out.Fields, jsontree.Member{Name: it.Key().String(), Value: node(it.Value())})
		}
		return out
	case reflect.String:
		if v.Type() == reflect.TypeFor[string]() || v.Len() > 0 {
			return jsontree.Str(v.String())
		}
	case reflect.Bool:
		return jsontree.Node{Kind: jsontree.Bool, Bool: v.Bool()}
	case reflect.Int32, reflect.Int64:
		return jsontree.Node{Kind: jsontree.Number, Text: strconv.FormatInt(v.Int(), 10)}
	}
	return jsontree.Node{}
}

// as reads a structure of the SDK as the contract has it. It refuses what the contract refuses, such as a constraint of a grant
// that is not understood.
func as[T any](v any) (snapshot.Value[T], error) {
	var out T
	if err := (jsontree.Decoder{}).Decode(answer(v), "", &out); err != nil {
		return snapshot.Value[T]{}, unusable("read answer: %w", err)
	}
	return snapshot.Of(out), nil
}
