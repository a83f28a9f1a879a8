package policy

import (
	"encoding/base64"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/replimend/replimend/internal/jsontree"
)

// Operator is a base condition operator, without qualifier and IfExists.
type Operator uint8

// The condition operators.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
const (
	StringEquals Operator = iota + 1
	StringNotEquals
	StringEqualsIgnoreCase
	StringNotEqualsIgnoreCase
	StringLike
	StringNotLike
	NumericEquals
	NumericNotEquals
	NumericLessThan
	NumericLessThanEquals
	NumericGreaterThan
	NumericGreaterThanEquals
	DateEquals
	DateNotEquals
	DateLessThan
	DateLessThanEquals
	DateGreaterThan
	DateGreaterThanEquals
	Bool
	BinaryEquals
	IPAddress
	NotIPAddress
	ARNEquals
	ARNLike
	ARNNotEquals
	ARNNotLike
	Null
)

var operatorNames = [...]string{
	"", "StringEquals", "StringNotEquals", "StringEqualsIgnoreCase", "StringNotEqualsIgnoreCase", "StringLike", "StringNotLike",
	"NumericEquals", "NumericNotEquals", "NumericLessThan", "NumericLessThanEquals", "NumericGreaterThan",
	"NumericGreaterThanEquals", "DateEquals", "DateNotEquals", "DateLessThan", "DateLessThanEquals", "DateGreaterThan",
	"DateGreaterThanEquals", "Bool", "BinaryEquals", "IpAddress", "NotIpAddress", "ArnEquals", "ArnLike", "ArnNotEquals",
	"ArnNotLike", "Null",
}

// String is the operator's name in a document.
func (o Operator) String() string { return operatorNames[o] }

// Negated says whether the operator is the negation of another one: it is true when the key is absent.
func (o Operator) Negated() bool {
	switch o {
	case StringNotEquals, StringNotEqualsIgnoreCase, StringNotLike, NumericNotEquals, DateNotEquals, NotIPAddress, ARNNotEquals, ARNNotLike:
		return true
	default:
		return false
	}
}

// Qualifier is the set qualifier of an operator, for context keys of several values.
type Qualifier uint8

// The qualifiers.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-single-vs-multi-valued-context-keys.html
const (
	NoQualifier Qualifier = iota
	ForAllValues
	ForAnyValue
)

// Condition is one key of a Condition element with its operator. The conditions of a statement must all hold.
type Condition struct {
	Operator  Operator
	Qualifier Qualifier
	IfExists  bool
	Key       string   // as it was written; keys compare without case
	Values    []string // any of them; booleans and numbers as they were written
}

// OperatorText is the operator with qualifier and IfExists, as a document writes it.
func (c Condition) OperatorText() string {
	s := c.Operator.String()
	switch c.Qualifier {
	case ForAllValues:
		s = "ForAllValues:" + s
	case ForAnyValue:
		s = "ForAnyValue:" + s
	case NoQualifier:
	}
	if c.IfExists {
		s += "IfExists"
	}
	return s
}

// parseOperator reads operator, qualifier and IfExists into c. Operators compare without case.
func (c *Condition) parseOperator(s string) error {
	name := s
	if prefix, rest, ok := strings.Cut(s, ":"); ok {
		switch strings.ToLower(prefix) {
		case "forallvalues":
			c.Qualifier = ForAllValues
		case "foranyvalue":
			c.Qualifier = ForAnyValue
		default:
			return fmt.Errorf("unknown condition qualifier %q: want ForAllValues or ForAnyValue", clip(prefix))
		}
		name = rest
	}
	if n := len(name) - len("IfExists"); n > 0 && strings.EqualFold(name[n:], "IfExists") {
		c.IfExists, name = true, name[:n]
	}
	for o, known := range operatorNames {
		if o > 0 && strings.EqualFold(known, name) {
			c.Operator = Operator(o)
		}
	}
	if c.Operator == 0 {
		return fmt.Errorf("unknown condition operator %q", clip(s))
	}
	if c.Operator == Null && (c.IfExists || c.Qualifier != NoQualifier) {
		return fmt.Errorf("invalid condition operator %q: Null takes neither IfExists nor a qualifier", clip(s))
	}
	return nil
}

func conditions(n jsontree.Node, path string) ([]Condition, error) {
	if n.Kind != jsontree.Object {
		return nil, jsontree.Errorf(n, path, "want an object, got %s", n.Kind)
	}
	var out []Condition
	for _, op := range n.Fields {
		at := jsontree.Join(path, op.Name)
		var c Condition
		if err := c.parseOperator(op.Name); err != nil {
			return nil, jsontree.Errorf(op.Value, at, "%s", err)
		}
		if op.Value.Kind != jsontree.Object {
			return nil, jsontree.Errorf(op.Value, at, "want an object of condition keys, got %s", op.Value.Kind)
		}
		for _, f := range op.Value.Fields {
			c.Key = f.Name
			var err error
			if c.Values, err = conditionValues(c.Operator, f.Value, jsontree.Join(at, f.Name)); err != nil {
				return nil, err
			}
			out = append(out, c)
		}
	}
	return out, nil
}

func conditionValues(o Operator, n jsontree.Node, path string) ([]string, error) {
	items := []jsontree.Node{n}
	if n.Kind == jsontree.Array {
		items = n.Items
	}
	out := make([]string, 0, len(items))
	for i, item := range items {
		at := path
		if n.Kind == jsontree.Array {
			at = jsontree.Index(path, i)
		}
		var v string
		switch item.Kind {
		case jsontree.String, jsontree.Number:
			if v = item.Text; hasControl(v) {
				return nil, controlError(item, at)
			}
		case jsontree.Bool:
			v = strconv.FormatBool(item.Bool)
		default:
			return nil, jsontree.Errorf(item, at, "want a string, a number or a boolean, got %s", item.Kind)
		}
		if !strings.Contains(v, "${") {
			if err := checkLiteral(o, v); err != nil {
				return nil, jsontree.Errorf(item, at, "%s", err)
			}
		}
		out = append(out, v)
	}
	return out, nil
}

// checkLiteral refuses a value that its operator can never compare.
func checkLiteral(o Operator, v string) error {
	var err error
	switch o {
	case NumericEquals, NumericNotEquals, NumericLessThan, NumericLessThanEquals, NumericGreaterThan, NumericGreaterThanEquals:
		_, err = ParseNumber(v)
	case DateEquals, DateNotEquals, DateLessThan, DateLessThanEquals, DateGreaterThan, DateGreaterThanEquals:
		_, err = ParseDate(v)
	case IPAddress, NotIPAddress:
		_, err = ParsePrefix(v)
	case Bool, Null:
		_, err = ParseBool(v)
	case BinaryEquals:
		if _, decode := base64.StdEncoding.DecodeString(v); decode != nil {
			err = fmt.Errorf("invalid base64 text %q", clip(v))
		}
	default:
	}
	return err
}

// ParseNumber reads the value of a Numeric operator.
func ParseNumber(s string) (float64, error) {
	f, err := strconv.ParseFloat(s, 64)
	if err != nil || strings.Trim(s, "0123456789+-.eE") != "" { // no infinity, hexadecimal or underscore of Go
		return 0, fmt.Errorf("invalid number %q", clip(s))
	}
	return f, nil
}

// ParseBool reads the value of Bool and Null: true or false, in any case.
func ParseBool(s string) (bool, error) {
	switch {
	case strings.EqualFold(s, "true"):
		return true, nil
	case strings.EqualFold(s, "false"):
		return false, nil
	default:
		return false, fmt.Errorf("invalid boolean %q: want true or false", clip(s))
	}
}

var dateLayouts = [...]string{
	time.RFC3339Nano, "2006-01-02T15:04:05Z0700", "2006-01-02T15:04Z07:00", "2006-01-02T15:04:05", "2006-01-02T15:04",
	"2006-01-02Z07:00", "2006-01-02", "2006-01", "2006",
}

// ParseDate reads the value of a Date operator: one of the W3C profiles of ISO 8601, or seconds since 1970.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html#Conditions_Date
func ParseDate(s string) (time.Time, error) {
	if seconds := strings.TrimPrefix(s, "-"); len(s) != 4 && strings.Trim(seconds, "0123456789") == "" { // four digits are a year
		if n, err := strconv.ParseInt(s, 10, 64); err == nil {
			return time.Unix(n, 0).UTC(), nil
		}
	}
	for _, layout := range dateLayouts {
		if t, err := time.Parse(layout, s); err == nil {
			return t.UTC(), nil
		}
	}
	return time.Time{}, fmt.Errorf("invalid date %q: want ISO 8601 or seconds since 1970", clip(s))
}

// ParsePrefix reads the value of IpAddress: an address or a CIDR block, IPv4 or IPv6. An IPv4 address that is written as IPv6
// is that IPv4 address.
func ParsePrefix(s string) (netip.Prefix, error) {
	if p, err := netip.ParsePrefix(s); err == nil {
		const mapped = 96 // the bits before an IPv4 address that is written as IPv6
		if p.Addr().Is4In6() && p.Bits() >= mapped {
			p = netip.PrefixFrom(p.Addr().Unmap(), p.Bits()-mapped)
		}
		return p.Masked(), nil
	}
	if a, err := netip.ParseAddr(s); err == nil && a.Zone() == "" {
		a = a.Unmap()
		return netip.PrefixFrom(a, a.BitLen()), nil
	}
	return netip.Prefix{}, fmt.Errorf("invalid address %q: want an IP address or a CIDR block", clip(s))
}
