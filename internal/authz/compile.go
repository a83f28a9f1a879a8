package authz

import (
	"encoding/base64"
	"net/netip"
	"strings"
	"time"

	"github.com/replimend/replimend/internal/policy"
)

// tri is a truth value of three. The order matters: and is not the minimum, see below.
type tri uint8

const (
	no tri = iota
	yes
	unknown
)

func and(a, b tri) tri {
	if a == no || b == no {
		return no
	}
	if a == unknown || b == unknown {
		return unknown
	}
	return yes
}

func or(a, b tri) tri {
	if a == yes || b == yes {
		return yes
	}
	if a == unknown || b == unknown {
		return unknown
	}
	return no
}

func not(a tri) tri {
	switch a {
	case yes:
		return no
	case no:
		return yes
	default:
		return unknown
	}
}

func is(b bool) tri {
	if b {
		return yes
	}
	return no
}

// Policy is a compiled document. It is immutable and may be used by many decisions at once.
type Policy struct {
	Label      string // how reasons name the document: "role-policy arn:… inline/replication"
	Document   policy.Document
	statements []statement
}

type statement struct {
	effect     policy.Effect
	principals []policy.Principal
	notPrinc   bool
	hasPrinc   bool
	actions    []glob
	notAction  bool
	resources  []resource
	notRes     bool
	hasRes     bool
	conditions []condition
}

// Compile prepares a document for decisions. Documents that policy.Parse accepts always compile.
func Compile(label string, d policy.Document) *Policy {
	p := &Policy{Label: label, Document: d, statements: make([]statement, len(d.Statements))}
	variables := d.Version == policy.Version2012
	for i, s := range d.Statements {
		p.statements[i] = compileStatement(s, variables)
	}
	return p
}

func compileStatement(s policy.Statement, variables bool) statement {
	out := statement{
		effect:    s.Effect,
		notAction: s.Action.Not,
		notRes:    s.Resource.Not,
		hasRes:    len(s.Resource.Values) > 0,
	}
	if s.Principal != nil {
		out.hasPrinc, out.notPrinc, out.principals = true, s.Principal.Not, s.Principal.Values
	}
	for _, a := range s.Action.Values {
		if a == "*:*" {
			a = "*"
		}
		out.actions = append(out.actions, compileGlob(strings.ToLower(a)))
	}
	for _, r := range s.Resource.Values {
		out.resources = append(out.resources, compileResource(r, variables))
	}
	for _, c := range s.Conditions {
		out.conditions = append(out.conditions, compileCondition(c, variables))
	}
	return out
}

// In compiled patterns the wildcards are these two bytes, so that a * that came out of a policy variable or of ${*} is text.
const (
	anyRun = 0x00
	anyOne = 0x01
)

var encodeWildcards = strings.NewReplacer("*", "\x00", "?", "\x01")

type globKind uint8

const (
	globExact globKind = iota
	globAny
	globPrefix
	globGeneral
)

// glob is a pattern whose common shapes need no search.
type glob struct {
	kind globKind
	text string // the whole pattern, encoded
}

func compileGlob(s string) glob { return classify(encodeWildcards.Replace(s)) }

func classify(encoded string) glob {
	first := strings.IndexAny(encoded, "\x00\x01")
	switch {
	case first < 0:
		return glob{globExact, encoded}
	case encoded == "\x00":
		return glob{globAny, encoded}
	case first == len(encoded)-1 && encoded[first] == anyRun:
		return glob{globPrefix, encoded}
	default:
		return glob{globGeneral, encoded}
	}
}

func (g *glob) match(s string) bool {
	switch g.kind {
	case globExact:
		return g.text == s
	case globAny:
		return true
	case globPrefix:
		return strings.HasPrefix(s, g.text[:len(g.text)-1])
	default:
		return match(g.text, s, false)
	}
}

// matchFold is match for actions, which compare without case. The pattern is in lower case.
func (g *glob) matchFold(s string) bool {
	switch g.kind {
	case globExact:
		return equalFold(g.text, s)
	case globAny:
		return true
	case globPrefix:
		n := len(g.text) - 1
		return len(s) >= n && equalFold(g.text[:n], s[:n])
	default:
		return match(g.text, s, true)
	}
}

func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}

func equalFold(lowered, s string) bool {
	if len(lowered) != len(s) {
		return false
	}
	for i := 0; i < len(s); i++ {
		if lowered[i] != lower(s[i]) {
			return false
		}
	}
	return true
}

// match holds an encoded pattern against a text, in time proportional to their product at worst. fold compares the text
// in lower case. ? stands for one character, and text is read as UTF-8 for it.
func match[P, S string | []byte](pattern P, s S, fold bool) bool {
	var p, i int
	star, mark := -1, 0
	for i < len(s) {
		switch {
		case p < len(pattern) && pattern[p] == anyRun:
			star, mark = p, i
			p++
			continue
		case p < len(pattern) && pattern[p] == anyOne:
			p++
			i += runeLen(s[i:])
			continue
		case p < len(pattern) && (pattern[p] == s[i] || fold && pattern[p] == lower(s[i])):
			p++
			i++
			continue
		case star < 0:
			return false
		}
		mark += runeLen(s[mark:])
		p, i = star+1, mark
	}
	for p < len(pattern) && pattern[p] == anyRun {
		p++
	}
	return p == len(pattern)
}

func runeLen[S string | []byte](s S) int {
	if s[0] < 0x80 {
		return 1
	}
	n := 1
	for n < len(s) && n < 4 && s[n]&0xC0 == 0x80 {
		n++
	}
	return n
}

// resource is a compiled Resource value: * or a pattern for each part of an ARN.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html
type resource struct {
	any   bool
	parts []glob   // of partition, service, region, account and resource; fewer when a star ends the pattern early
	tail  template // the resource part where it has variables
	// runsOn says that a part before the last one ends with a star, which then may run past the colon.
	runsOn bool
}

const arnParts = 5 // after "arn:"

func compileResource(s string, variables bool) resource {
	if s == "*" {
		return resource{any: true}
	}
	p := strings.SplitN(s, ":", arnParts+1)[1:]
	out := resource{parts: make([]glob, len(p)), runsOn: len(p) < arnParts}
	for i, text := range p {
		out.parts[i] = compileGlob(text)
		if i < arnParts-1 && strings.HasSuffix(text, "*") {
			out.runsOn = true
		}
	}
	if last := p[len(p)-1]; variables && len(p) == arnParts && policy.HasVariables(last) {
		if out.tail = compileTemplate(last); len(out.tail) == 1 && out.tail[0].key == "" {
			out.parts[arnParts-1], out.tail = classify(out.tail[0].text), nil
		}
	}
	return out
}

func (r *resource) match(a *policy.ARN, c *Context) tri {
	if r.any {
		return yes
	}
	if a.Resource == "" {
		return no
	}
	if len(r.parts) == arnParts && r.parts[0].match(a.Partition) && r.parts[1].match(a.Service) && r.parts[2].match(a.Region) && r.parts[3].match(a.Account) {
		if v := r.matchTail(a.Resource, c); v != no {
			return v
		}
	}
	if !r.runsOn || r.tail != nil {
		return no
	}
	var buf [1280]byte // longer than any ARN of an S3 object
	text := append(buf[:0], a.Partition...)
	for _, part := range [...]string{a.Service, a.Region, a.Account, a.Resource} {
		text = append(append(text, ':'), part...)
	}
	matched, _ := runOn(r.parts, text)
	return is(matched)
}

func (r *resource) matchTail(s string, c *Context) tri {
	if r.tail == nil {
		return is(r.parts[arnParts-1].match(s))
	}
	var buf [256]byte
	pattern, state := r.tail.expand(buf[:0], c)
	if state != yes {
		return state
	}
	return is(match(pattern, s, false))
}

// runOn matches part by part, letting a part that ends with a star take further colons. hopeless says that such a part fits
// and what follows it does not, wherever it ends: a part before it that takes more leaves less to find, so that nobody who
// chooses an object's name can make the search long.
func runOn(parts []glob, text []byte) (matched, hopeless bool) {
	if len(parts) == 1 {
		return match(parts[0].text, text, false), false
	}
	pattern := parts[0].text
	fits, endless := false, pattern != "" && pattern[len(pattern)-1] == anyRun
	for i, c := range text {
		if c != ':' {
			continue
		}
		if fits = fits || match(pattern, text[:i], false); fits {
			if matched, hopeless = runOn(parts[1:], text[i+1:]); matched || hopeless {
				return matched, hopeless
			}
		}
		if !endless {
			return false, false
		}
	}
	return false, fits
}

// template is a text with policy variables, as a list of literal and variable parts.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html
type template []part

type part struct {
	text       string // an encoded literal, or the default of a variable
	key        string // the variable's key in lower case, "" for a literal
	hasDefault bool
}

func compileTemplate(s string) template {
	var out template
	literal := func(encoded string) {
		if encoded == "" {
			return
		}
		if n := len(out); n > 0 && out[n-1].key == "" {
			out[n-1].text += encoded
			return
		}
		out = append(out, part{text: encoded})
	}
	for {
		before, rest, ok := strings.Cut(s, "${")
		if !ok {
			literal(encodeWildcards.Replace(s))
			break
		}
		name, after, closed := strings.Cut(rest, "}")
		if !closed {
			literal(encodeWildcards.Replace(s)) // not a variable: the text stands for itself
			break
		}
		literal(encodeWildcards.Replace(before))
		switch name {
		case "*", "?", "$":
			literal(name)
		case "":
			literal("${}") // not a variable either
		default:
			v := part{key: strings.ToLower(strings.TrimSpace(name))}
			if key, def, ok := strings.Cut(name, ","); ok {
				def = strings.TrimSpace(def)
				if len(def) >= 2 && def[0] == '\'' && def[len(def)-1] == '\'' {
					v = part{key: strings.ToLower(strings.TrimSpace(key)), text: def[1 : len(def)-1], hasDefault: true}
				}
			}
			out = append(out, v)
		}
		s = after
	}
	if out == nil {
		out = template{{}}
	}
	return out
}

// multivalued is the keys that hold lists by nature and can be no variables, however many values a request has.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-single-vs-multi-valued-context-keys.html
var multivalued = map[string]bool{
	"aws:calledvia": true, "aws:principalorgpaths": true, "aws:principalservicenameslist": true, "aws:resourceorgpaths": true,
	"aws:tagkeys": true, "kms:encryptioncontextkeys": true, "kms:grantoperations": true, "kms:resourcealiases": true,
}

// expand appends the text with its variables replaced. A variable without value and default gives no: nothing equals it. An
// empty value is none.
func (t template) expand(buf []byte, c *Context) ([]byte, tri) {
	for i := range t {
		p := &t[i]
		if p.key == "" {
			buf = append(buf, p.text...)
			continue
		}
		values, state := c.lookup(p.key)
		switch {
		case state == keyUnknown:
			return buf, unknown
		case state == keyGiven && len(values) == 1 && values[0] != "" && !multivalued[p.key] && strings.IndexByte(values[0], anyRun) < 0 && strings.IndexByte(values[0], anyOne) < 0:
			buf = append(buf, values[0]...)
		case (state == keyAbsent || null(values)) && p.hasDefault:
			buf = append(buf, p.text...)
		default:
			return buf, no
		}
	}
	return buf, yes
}

type condition struct {
	operator  policy.Operator
	qualifier policy.Qualifier
	ifExists  bool
	key       string // in lower case
	values    []value
}

// value is one value of a condition with everything pre-parsed that its operator compares.
type value struct {
	pattern glob     // String and Arn operators
	tmpl    template // where there are variables
	number  float64
	date    time.Time
	prefix  netip.Prefix
	flag    bool
	bytes   string
	// invalid says that the operator cannot read the value at all: it equals nothing, and nothing is before or after it.
	invalid bool
}

func compileCondition(c policy.Condition, variables bool) condition {
	out := condition{operator: c.Operator, qualifier: c.Qualifier, ifExists: c.IfExists, key: strings.ToLower(c.Key)}
	for _, v := range c.Values {
		out.values = append(out.values, compileValue(c.Operator, v, variables))
	}
	return out
}

func compileValue(o policy.Operator, s string, variables bool) value {
	wild := o == policy.StringLike || o == policy.StringNotLike || arnOperator(o)
	if variables && policy.HasVariables(s) && expands(o) {
		t := compileTemplate(s)
		if !wild { // escapes are meant for wildcards, but are replaced everywhere; literal * stays text
			for i := range t {
				if t[i].key == "" {
					t[i].text = decodeWildcards.Replace(t[i].text)
				}
			}
		}
		if len(t) > 1 || t[0].key != "" {
			return value{tmpl: t}
		}
		v := parseValue(o, t[0].text)
		if wild {
			v.pattern = classify(t[0].text)
		}
		return v
	}
	v := parseValue(o, s)
	if wild {
		v.pattern = compileGlob(s)
		if arnOperator(o) { // ARNs compare part by part, never as one text
			v.pattern = glob{globGeneral, encodeWildcards.Replace(s)}
		}
	}
	return v
}

var decodeWildcards = strings.NewReplacer("\x00", "*", "\x01", "?")

func arnOperator(o policy.Operator) bool {
	return o == policy.ARNEquals || o == policy.ARNLike || o == policy.ARNNotEquals || o == policy.ARNNotLike
}

// expands says whether values of the operator may hold policy variables. In the others ${…} is text, which they cannot read.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
func expands(o policy.Operator) bool {
	switch o {
	case policy.StringEquals, policy.StringNotEquals, policy.StringEqualsIgnoreCase, policy.StringNotEqualsIgnoreCase,
		policy.StringLike, policy.StringNotLike, policy.Bool:
		return true
	default:
		return arnOperator(o)
	}
}

// parseValue parses for the operator. Package policy has checked literals, but not the values that hold ${.
func parseValue(o policy.Operator, s string) value {
	var err error
	v := value{pattern: glob{globExact, s}}
	switch o {
	case policy.NumericEquals, policy.NumericNotEquals, policy.NumericLessThan, policy.NumericLessThanEquals,
		policy.NumericGreaterThan, policy.NumericGreaterThanEquals:
		v.number, err = policy.ParseNumber(s)
	case policy.DateEquals, policy.DateNotEquals, policy.DateLessThan, policy.DateLessThanEquals, policy.DateGreaterThan,
		policy.DateGreaterThanEquals:
		v.date, err = policy.ParseDate(s)
	case policy.IPAddress, policy.NotIPAddress:
		v.prefix, err = policy.ParsePrefix(s)
	case policy.Bool, policy.Null:
		v.flag, err = policy.ParseBool(s)
	case policy.BinaryEquals:
		var b []byte
		b, err = base64.StdEncoding.DecodeString(s)
		v.bytes = string(b)
	default:
	}
	v.invalid = err != nil
	return v
}

// holds says whether the condition is met.
func (c *condition) holds(ctx *Context) tri {
	values, state := ctx.lookup(c.key)
	if state == keyUnknown {
		return unknown
	}
	if c.operator == policy.Null {
		absent := state == keyAbsent || null(values)
		for i := range c.values {
			if v := &c.values[i]; !v.invalid && v.flag == absent {
				return yes
			}
		}
		return no
	}
	if state == keyAbsent {
		return is(c.ifExists || c.qualifier == policy.ForAllValues || c.qualifier == policy.NoQualifier && c.operator.Negated())
	}
	switch c.qualifier {
	case policy.ForAllValues:
		if null(values) {
			return yes
		}
		out := yes
		for _, v := range values {
			out = and(out, c.one(v, ctx))
		}
		return out
	case policy.ForAnyValue:
		out := no
		for _, v := range values {
			out = or(out, c.one(v, ctx))
		}
		return out
	default:
		// A key of several values under an operator without qualifier: any value may match; a negated operator wants none.
		out := no
		for _, v := range values {
			out = or(out, c.any(v, ctx))
		}
		if c.operator.Negated() {
			return not(out)
		}
		return out
	}
}

// null says whether the values are what AWS calls a null data set: ForAllValues is true for one, and Null is what guards it.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
func null(values []string) bool { return len(values) == 1 && values[0] == "" }

// one is the operator, negation included, on one value of the request.
func (c *condition) one(s string, ctx *Context) tri {
	m := c.any(s, ctx)
	if c.operator.Negated() {
		return not(m)
	}
	return m
}

// any says whether the value of the request matches any value of the condition, negation left aside.
func (c *condition) any(s string, ctx *Context) tri {
	out := no
	for i := range c.values {
		out = or(out, c.compare(&c.values[i], s, ctx))
		if out == yes {
			return yes
		}
	}
	return out
}

func (c *condition) compare(v *value, s string, ctx *Context) tri {
	if v.tmpl == nil {
		return is(compareLiteral(c.operator, v, s))
	}
	var buf [256]byte
	text, state := v.tmpl.expand(buf[:0], ctx)
	if state != yes {
		return state
	}
	switch c.operator {
	case policy.StringEquals, policy.StringNotEquals:
		return is(string(text) == s)
	case policy.StringEqualsIgnoreCase, policy.StringNotEqualsIgnoreCase:
		return is(strings.EqualFold(string(text), s))
	case policy.StringLike, policy.StringNotLike:
		return is(match(text, s, false))
	case policy.ARNEquals, policy.ARNLike, policy.ARNNotEquals, policy.ARNNotLike:
		return is(matchARN(text, s))
	default:
		parsed := parseValue(c.operator, string(text))
		return is(compareLiteral(c.operator, &parsed, s))
	}
}

func compareLiteral(o policy.Operator, v *value, s string) bool {
	if v.invalid {
		return false
	}
	switch o {
	case policy.StringEquals, policy.StringNotEquals:
		return v.pattern.text == s
	case policy.StringEqualsIgnoreCase, policy.StringNotEqualsIgnoreCase:
		return strings.EqualFold(v.pattern.text, s)
	case policy.StringLike, policy.StringNotLike:
		return v.pattern.match(s)
	case policy.ARNEquals, policy.ARNLike, policy.ARNNotEquals, policy.ARNNotLike:
		return matchARN(v.pattern.text, s)
	case policy.NumericEquals, policy.NumericNotEquals, policy.NumericLessThan, policy.NumericLessThanEquals,
		policy.NumericGreaterThan, policy.NumericGreaterThanEquals:
		got, err := policy.ParseNumber(s)
		return err == nil && ordered(o, got, v.number)
	case policy.DateEquals, policy.DateNotEquals, policy.DateLessThan, policy.DateLessThanEquals, policy.DateGreaterThan,
		policy.DateGreaterThanEquals:
		got, err := policy.ParseDate(s)
		return err == nil && ordered(o, float64(got.Compare(v.date)), 0)
	case policy.Bool:
		got, err := policy.ParseBool(s)
		return err == nil && got == v.flag
	case policy.BinaryEquals:
		got, err := base64.StdEncoding.DecodeString(s)
		return err == nil && string(got) == v.bytes
	case policy.IPAddress, policy.NotIPAddress:
		got, err := netip.ParseAddr(s)
		return err == nil && v.prefix.Contains(got.Unmap())
	default:
		return false
	}
}

func ordered(o policy.Operator, got, want float64) bool {
	switch o {
	case policy.NumericLessThan, policy.DateLessThan:
		return got < want
	case policy.NumericLessThanEquals, policy.DateLessThanEquals:
		return got <= want
	case policy.NumericGreaterThan, policy.DateGreaterThan:
		return got > want
	case policy.NumericGreaterThanEquals, policy.DateGreaterThanEquals:
		return got >= want
	default: // Equals and, negated by the caller, NotEquals
		return got == want
	}
}

// matchARN compares two ARNs part by part; a wildcard matches within its part only, and what stands after the fifth colon
// is one part. A text that is no ARN matches nothing.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html#Conditions_ARN
func matchARN[P string | []byte](pattern P, s string) bool {
	for range 5 {
		p, i := indexColon(pattern), strings.IndexByte(s, ':')
		if p < 0 || i < 0 || !match(pattern[:p], s[:i], false) {
			return false
		}
		pattern, s = pattern[p+1:], s[i+1:]
	}
	return match(pattern, s, false)
}

func indexColon[P string | []byte](p P) int {
	for i := 0; i < len(p); i++ {
		if p[i] == ':' {
			return i
		}
	}
	return -1
}
