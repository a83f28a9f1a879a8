package template

import (
	"strconv"
	"strings"

	"github.com/replimend/replimend/internal/jsontree"
	"github.com/replimend/replimend/internal/policy"
)

// maxSteps and maxText bound what functions can make of a short template: they nest, and each may repeat what it is given.
const (
	maxSteps = 1 << 20
	maxText  = 64 << 10
)

// resolve is a value with its functions worked out. What cannot be is unknown, and AWS::NoValue is no value at all.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/intrinsic-function-reference.html
func (s *stack) resolve(n jsontree.Node) jsontree.Node {
	if s.steps++; s.steps > maxSteps {
		return unknown(n, "the functions of the template make more than %d values", maxSteps)
	}
	switch n.Kind {
	case jsontree.String:
		if strings.Contains(n.Text, "{{resolve:") {
			return unknown(n, "the dynamic reference %.80s is read when the stack is deployed", n.Text)
		}
	case jsontree.Array:
		items := make([]jsontree.Node, 0, len(n.Items))
		for _, item := range n.Items {
			if v := s.resolve(item); v.Present() || isUnknown(v) {
				items = append(items, v)
			}
		}
		n.Items = items
	case jsontree.Object:
		if len(n.Fields) == 1 {
			name := n.Fields[0].Name
			if f := functionOf(name); f != nil {
				return s.call(f, n)
			}
			if strings.HasPrefix(name, "Fn::") {
				return unknown(n, "the function %.40s is not worked out here", name)
			}
		}
		fields := make([]jsontree.Member, 0, len(n.Fields))
		for _, f := range n.Fields {
			if v := s.resolve(f.Value); v.Present() || isUnknown(v) {
				fields = append(fields, jsontree.Member{Name: f.Name, Value: v})
			}
		}
		n.Fields = fields
	default:
	}
	return n
}

// function works out one function of a value; at is the whole call.
type function func(s *stack, at, argument jsontree.Node) jsontree.Node

func functionOf(name string) function {
	switch name {
	case "Ref":
		return (*stack).ref
	case "Fn::GetAtt":
		return (*stack).getAtt
	case "Fn::Sub":
		return (*stack).sub
	case "Fn::Join":
		return (*stack).join
	case "Fn::Select":
		return (*stack).choose
	case "Fn::Split":
		return (*stack).split
	case "Fn::If":
		return (*stack).ifThen
	case "Fn::FindInMap":
		return (*stack).findInMap
	case "Fn::ImportValue":
		return (*stack).importValue
	default:
		return nil
	}
}

func (s *stack) call(f function, n jsontree.Node) jsontree.Node {
	if s.depth++; s.depth > 4*jsontree.MaxDepth {
		s.depth--
		return unknown(n, "functions nested too deep")
	}
	defer func() { s.depth-- }()
	out := f(s, n, n.Fields[0].Value)
	if out.Pos.Line == 0 || !isUnknown(out) {
		out.Pos = n.Pos
	}
	if len(out.Text) > maxText {
		return unknown(n, "the text is longer than %d bytes", maxText)
	}
	return out
}

func (s *stack) ref(at, argument jsontree.Node) jsontree.Node {
	if argument.Kind != jsontree.String {
		return unknown(at, "Ref wants a name")
	}
	return s.refTo(at, argument.Text)
}

func (s *stack) refTo(at jsontree.Node, name string) jsontree.Node {
	if given, ok := s.world.options.Parameters[name]; ok && strings.HasPrefix(name, "AWS::") {
		return jsontree.Str(given)
	}
	switch name {
	case "AWS::AccountId":
		return jsontree.Str(s.home.Account)
	case "AWS::Region":
		return jsontree.Str(s.home.Region)
	case "AWS::Partition":
		return jsontree.Str(policy.Partition(s.home.Region))
	case "AWS::URLSuffix":
		if policy.Partition(s.home.Region) == "aws-cn" {
			return jsontree.Str("amazonaws.com.cn")
		}
		return jsontree.Str("amazonaws.com")
	case "AWS::NoValue":
		return jsontree.Node{}
	}
	if strings.HasPrefix(name, "AWS::") {
		return unknown(at, "%.60s is known when the stack is deployed: give --parameter %.60s=VALUE", name, name)
	}
	if p := s.root.Get("Parameters").Get(name); p.Present() {
		return s.parameter(at, name, p)
	}
	return s.attribute(at, name, "Ref")
}

// parameter is what was given for a parameter, or its default. What is given for one that names an SSM parameter is its value.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/parameters-section-structure.html
func (s *stack) parameter(at jsontree.Node, name string, p jsontree.Node) jsontree.Node {
	kind := p.Get("Type").Text
	value, ok := s.world.options.Parameters[name]
	if !ok {
		if strings.HasPrefix(kind, "AWS::SSM::Parameter::Value") {
			return unknown(at, "parameter %.80s is read from SSM when the stack is deployed: give --parameter %.80s=VALUE", name, name)
		}
		if value, ok = text(p.Get("Default")); !ok {
			return unknown(at, "parameter %.80s has no default: give --parameter %.80s=VALUE", name, name)
		}
	}
	if kind == "CommaDelimitedList" || strings.Contains(kind, "List<") {
		var items []jsontree.Node
		for part := range strings.SplitSeq(value, ",") {
			items = append(items, jsontree.Str(strings.TrimSpace(part)))
		}
		return jsontree.List(items...)
	}
	return s.resolve(jsontree.Str(value))
}

func (s *stack) getAtt(at, argument jsontree.Node) jsontree.Node {
	name, attribute := argument.Text, ""
	if argument.Kind == jsontree.Array && len(argument.Items) == 2 {
		name = argument.Items[0].Text
		resolved := s.resolve(argument.Items[1])
		if isUnknown(resolved) {
			return resolved
		}
		attribute = resolved.Text
	} else {
		name, attribute, _ = strings.Cut(name, ".")
	}
	return s.attribute(at, name, attribute)
}

func (s *stack) sub(at, argument jsontree.Node) jsontree.Node {
	template, values := argument, jsontree.Node{}
	if argument.Kind == jsontree.Array && len(argument.Items) == 2 {
		template, values = argument.Items[0], argument.Items[1]
	}
	if template.Kind != jsontree.String {
		return unknown(at, "Fn::Sub wants a text")
	}
	if strings.Contains(template.Text, "{{resolve:") {
		return s.resolve(template)
	}
	local := make(map[string]jsontree.Node, len(values.Fields))
	for _, f := range values.Fields {
		local[f.Name] = s.resolve(f.Value)
	}
	var out strings.Builder
	for rest := template.Text; ; {
		before, after, found := strings.Cut(rest, "${")
		out.WriteString(before)
		if !found {
			return jsontree.Str(out.String())
		}
		name, tail, closed := strings.Cut(after, "}")
		if !closed {
			return unknown(at, "Fn::Sub has a ${ without }")
		}
		rest = tail
		if literal, ok := strings.CutPrefix(name, "!"); ok { // ${!Name} stays as ${Name}
			out.WriteString("${" + literal + "}")
			continue
		}
		v, ok := local[strings.TrimSpace(name)]
		if !ok {
			v = s.named(at, strings.TrimSpace(name))
		}
		part, ok := text(v)
		if !ok {
			return notText(at, v, "Fn::Sub: ${"+name+"}")
		}
		if out.WriteString(part); out.Len() > maxText {
			return unknown(at, "the text is longer than %d bytes", maxText)
		}
	}
}

// named is ${Name} or ${Name.Attribute}.
func (s *stack) named(at jsontree.Node, name string) jsontree.Node {
	if id, attribute, ok := strings.Cut(name, "."); ok {
		return s.attribute(at, id, attribute)
	}
	return s.refTo(at, name)
}

func notText(at, v jsontree.Node, what string) jsontree.Node {
	if u, ok := unresolved(v); ok {
		return u
	}
	return unknown(at, "%.100s is no text", what)
}

func (s *stack) join(at, argument jsontree.Node) jsontree.Node {
	if len(argument.Items) != 2 {
		return unknown(at, "Fn::Join wants a delimiter and a list")
	}
	values := s.resolve(argument.Items[1])
	if isUnknown(values) {
		return values
	}
	var parts []string
	size := 0
	for _, v := range values.Items {
		part, ok := text(v)
		if !ok {
			return notText(at, v, "an element of Fn::Join")
		}
		if size += len(part); size > maxText {
			return unknown(at, "the text is longer than %d bytes", maxText)
		}
		parts = append(parts, part)
	}
	if values.Kind != jsontree.Array {
		return notText(at, values, "the list of Fn::Join")
	}
	if len(argument.Items[0].Text)*len(parts) > maxText {
		return unknown(at, "the text is longer than %d bytes", maxText)
	}
	return jsontree.Str(strings.Join(parts, argument.Items[0].Text))
}

func (s *stack) split(at, argument jsontree.Node) jsontree.Node {
	if len(argument.Items) != 2 || argument.Items[0].Text == "" {
		return unknown(at, "Fn::Split wants a delimiter and a text")
	}
	v := s.resolve(argument.Items[1])
	whole, ok := text(v)
	if !ok {
		return notText(at, v, "what Fn::Split splits")
	}
	parts := strings.Split(whole, argument.Items[0].Text)
	if s.steps += len(parts); s.steps > maxSteps {
		return unknown(at, "the functions of the template make more than %d values", maxSteps)
	}
	items := make([]jsontree.Node, len(parts))
	for i, part := range parts {
		items[i] = jsontree.Str(part)
	}
	return jsontree.List(items...)
}

func (s *stack) choose(at, argument jsontree.Node) jsontree.Node {
	if len(argument.Items) != 2 {
		return unknown(at, "Fn::Select wants an index and a list")
	}
	v := s.resolve(argument.Items[1])
	if isUnknown(v) {
		return v
	}
	index, _ := text(s.resolve(argument.Items[0]))
	i, err := strconv.Atoi(index)
	if err != nil || i < 0 || i >= len(v.Items) {
		return unknown(at, "Fn::Select has no element %.20q", index)
	}
	return v.Items[i]
}

func (s *stack) ifThen(at, argument jsontree.Node) jsontree.Node {
	if len(argument.Items) != 3 {
		return unknown(at, "Fn::If wants a condition and two values")
	}
	switch v := s.condition(argument.Items[0].Text); {
	case isUnknown(v):
		return v
	case v.Bool:
		return s.resolve(argument.Items[1])
	default:
		return s.resolve(argument.Items[2])
	}
}

func (s *stack) findInMap(at, argument jsontree.Node) jsontree.Node {
	if len(argument.Items) < 3 {
		return unknown(at, "Fn::FindInMap wants a map and two keys")
	}
	v := s.root.Get("Mappings")
	for _, step := range argument.Items[:3] {
		resolved := s.resolve(step)
		name, ok := text(resolved)
		if !ok {
			return notText(at, resolved, "a key of Fn::FindInMap")
		}
		if v = v.Get(name); !v.Present() {
			if len(argument.Items) == 4 && argument.Items[3].Get("DefaultValue").Present() {
				return s.resolve(argument.Items[3].Get("DefaultValue"))
			}
			return unknown(at, "the Mappings have no %.80s", name)
		}
	}
	return s.resolve(v)
}

// importValue is what was given for an export, or what another template of the same account and Region exports.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-cfn-stack-exports.html
func (s *stack) importValue(at, argument jsontree.Node) jsontree.Node {
	v := s.resolve(argument)
	name, ok := text(v)
	if !ok {
		return notText(at, v, "what Fn::ImportValue imports")
	}
	if given, ok := s.world.options.Imports[name]; ok {
		return jsontree.Str(given)
	}
	for _, other := range s.world.stacks {
		if other.home != s.home || other == s {
			continue
		}
		for _, f := range other.root.Get("Outputs").Fields {
			if exported, _ := text(other.exportName(f.Name, f.Value)); exported == name {
				return other.guarded("output "+f.Name, at, func() jsontree.Node { return other.resolve(f.Value.Get("Value")) })
			}
		}
	}
	return unknown(at, "the export %.120s is in none of the files: give its template, too, or --import %.120s=VALUE", name, name)
}

func (s *stack) exportName(output string, n jsontree.Node) jsontree.Node {
	name := n.Get("Export").Get("Name")
	if !name.Present() {
		return name
	}
	return s.guarded("export "+output, n, func() jsontree.Node { return s.resolve(name) })
}

// guarded works a value out once and stops where it needs itself.
func (s *stack) guarded(name string, at jsontree.Node, work func() jsontree.Node) jsontree.Node {
	if v, ok := s.done[name]; ok {
		return v
	}
	if s.busy[name] || len(s.busy) > jsontree.MaxDepth {
		return unknown(at, "%.80s needs itself, or too many others, to be worked out", name)
	}
	s.busy[name] = true
	v := work()
	delete(s.busy, name)
	s.done[name] = v
	return v
}

// condition is true, false or unknown.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/conditions-section-structure.html
func (s *stack) condition(name string) jsontree.Node {
	n := s.root.Get("Conditions").Get(name)
	if !n.Present() {
		return unknown(n, "there is no condition %.80s", name)
	}
	return s.guarded("condition "+name, n, func() jsontree.Node { return s.test(n) })
}

func (s *stack) test(n jsontree.Node) jsontree.Node {
	if s.steps++; s.steps > maxSteps || s.depth > 4*jsontree.MaxDepth {
		return unknown(n, "the conditions need too many steps")
	}
	if len(n.Fields) != 1 {
		return unknown(n, "a condition is one function")
	}
	argument := n.Fields[0].Value
	switch n.Fields[0].Name {
	case "Condition":
		return s.condition(argument.Text)
	case "Fn::Equals":
		return s.equals(n, argument)
	case "Fn::Not":
		if len(argument.Items) != 1 {
			return unknown(n, "Fn::Not wants one condition")
		}
		v := s.test(argument.Items[0])
		v.Bool = !v.Bool
		return v
	case "Fn::And":
		return s.all(n, argument, true)
	case "Fn::Or":
		return s.all(n, argument, false)
	default:
		return unknown(n, "the condition %.40s is not worked out here", n.Fields[0].Name)
	}
}

func truth(b bool) jsontree.Node { return jsontree.Node{Kind: jsontree.Bool, Bool: b} }

func (s *stack) equals(at, argument jsontree.Node) jsontree.Node {
	if len(argument.Items) != 2 {
		return unknown(at, "Fn::Equals wants two values")
	}
	a, b := s.resolve(argument.Items[0]), s.resolve(argument.Items[1])
	for _, v := range []jsontree.Node{a, b} {
		if u, ok := unresolved(v); ok {
			return u
		}
	}
	x, ok := text(a)
	y, also := text(b)
	if ok && also {
		return truth(x == y)
	}
	return truth(jsontree.Equal(a, b))
}

// all is whether all conditions are true (want) or any is (not want); one that decides outweighs those that are not known.
func (s *stack) all(at, argument jsontree.Node, want bool) jsontree.Node {
	var open []jsontree.Node
	for _, item := range argument.Items {
		switch v := s.test(item); {
		case isUnknown(v):
			open = append(open, v)
		case v.Bool != want:
			return truth(!want)
		}
	}
	if len(open) > 0 {
		return open[0]
	}
	if len(argument.Items) == 0 {
		return unknown(at, "a condition of no conditions")
	}
	return truth(want)
}

// exists says whether a resource is made: true, false or unknown.
func (s *stack) exists(resource jsontree.Node) jsontree.Node {
	c := resource.Get("Condition")
	if c.Kind != jsontree.String {
		return truth(true)
	}
	return s.condition(c.Text)
}
