package template

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/replimend/replimend/internal/jsontree"
	"github.com/replimend/replimend/internal/policy"
)

// A plan says of an expression only its constant value or what it refers to, never how. So a reference is followed only where
// the expression has no other and the attribute takes nothing but what the reference gives: a role's ARN, a bucket's name. What a
// policy makes of an ARN is not known: "${aws_s3_bucket.x.arn}/*" and aws_s3_bucket.x.arn look alike.
// https://developer.hashicorp.com/terraform/internals/json-format#expression-representation

// scope is a module instance: its address, as "module.a[0]", "" for the root.
type scope struct{ module string }

var index = regexp.MustCompile(`\[(?:[0-9]+|"[^"\]]*")\]`)

// moduleConfig is the configuration of a module, and the call that makes it.
func (t *terraform) moduleConfig(address string) (config, call jsontree.Node) {
	config = t.root.Get("configuration").Get("root_module")
	for step := range strings.SplitSeq(index.ReplaceAllString(address, ""), "module.") {
		if name := strings.TrimSuffix(step, "."); name != "" {
			call = config.Get("module_calls").Get(name)
			config = call.Get("module")
		}
	}
	return config, call
}

func (t *terraform) configOf(r *resource) jsontree.Node {
	module := index.ReplaceAllString(r.module, "")
	key := func(mode, kind, name string) string { return mode + "\x00" + kind + "\x00" + name }
	if t.configs[module] == nil {
		config, _ := t.moduleConfig(module)
		t.configs[module] = make(map[string]jsontree.Node)
		for _, c := range config.Get("resources").Items {
			t.configs[module][key(c.Get("mode").Text, c.Get("type").Text, c.Get("name").Text)] = c
		}
	}
	mode := "managed"
	if r.data {
		mode = "data"
	}
	return t.configs[module][key(mode, r.kind, r.name)]
}

// attribute is one attribute of a resource: as planned, as it follows from others, or as its expression refers to it.
func (t *terraform) attribute(r *resource, name string) jsontree.Node {
	v := r.values.Get(name)
	_, open := unresolved(v)
	if v.Present() && v.Kind != jsontree.Null && !open {
		return v
	}
	if derived(r, name) {
		return t.derive(r, name)
	}
	if v.Kind == jsontree.Null {
		return jsontree.Node{}
	}
	return t.fill(scope{r.module}, v, r.config.Get("expressions").Get(name), name)
}

// derived says which attributes follow from others, so that what AWS makes up can have a stand-in.
func derived(r *resource, name string) bool {
	switch r.kind {
	case "aws_s3_bucket":
		return name == "bucket" || name == "id" || name == "arn"
	case "aws_iam_role":
		return name == "name" || name == "id" || name == "arn"
	case "aws_iam_policy":
		return name == "arn" || name == "id" || name == "name"
	case "aws_kms_key", "aws_kms_replica_key":
		return name == "arn" || name == "id" || name == "key_id"
	case "aws_kms_alias":
		return name == "arn" || name == "id" || name == "target_key_arn"
	case "aws_iam_policy_document":
		return name == "json" || name == "minified_json"
	default:
		return strings.HasPrefix(r.kind, "aws_s3_bucket_") && name == "id"
	}
}

// madeUp says whether the name is a stand-in.
func (t *terraform) madeUp(r *resource, name string) bool {
	v := r.values.Get(name)
	return v.Kind != jsontree.String && !r.config.Get("expressions").Get(name).Present()
}

// derive works an attribute out, without value where it cannot.
func (t *terraform) derive(r *resource, name string) jsontree.Node {
	if t.busy[r.address+"\x00"+name] {
		return unknown(r.pos, "%s needs itself", r.address)
	}
	t.busy[r.address+"\x00"+name] = true
	defer delete(t.busy, r.address+"\x00"+name)
	if v := r.values.Get(name); v.Kind == jsontree.String {
		return v
	}
	home := t.home(r)
	partition := policy.Partition(home.Region)
	arn := func(service, region, account, prefix string, name jsontree.Node) jsontree.Node {
		return prefixed("arn:"+partition+":"+service+":"+region+":"+account+":"+prefix, name)
	}
	switch {
	case r.kind == "aws_s3_bucket" && name == "arn":
		return arn("s3", "", "", "", t.own(r, "bucket", "bucket_prefix", 63, true))
	case r.kind == "aws_s3_bucket":
		return t.own(r, "bucket", "bucket_prefix", 63, true)
	case strings.HasPrefix(r.kind, "aws_iam_") && r.kind != "aws_iam_policy_document":
		n := t.own(r, "name", "name_prefix", 64, false)
		if r.kind == "aws_iam_role" && name != "arn" {
			return n
		}
		if name == "name" {
			return n
		}
		return arn("iam", "", home.Account, strings.TrimPrefix(r.kind, "aws_iam_")+textOr(r.values.Get("path"), "/"), n)
	case r.kind == "aws_kms_key" || r.kind == "aws_kms_replica_key":
		if name == "arn" {
			return arn("kms", home.Region, home.Account, "key/", t.keyID(r))
		}
		return t.keyID(r)
	case r.kind == "aws_kms_alias" && name == "target_key_arn":
		target := t.attribute(r, "target_key_id")
		if strings.HasPrefix(target.Text, "arn:") {
			return target
		}
		return arn("kms", home.Region, home.Account, "key/", target)
	case r.kind == "aws_kms_alias" && name == "id":
		return t.attribute(r, "name")
	case r.kind == "aws_kms_alias":
		return arn("kms", home.Region, home.Account, "", t.attribute(r, "name"))
	case r.kind == "aws_iam_policy_document":
		return t.policyDocument(r)
	case strings.HasPrefix(r.kind, "aws_s3_bucket_"):
		return t.attribute(r, "bucket")
	}
	return jsontree.Node{}
}

// own is a resource's own name: as written, as referred to, or a stand-in where the provider will make it up.
func (t *terraform) own(r *resource, name, prefix string, most int, lower bool) jsontree.Node {
	if v := r.values.Get(name); v.Kind == jsontree.String {
		return v
	}
	if expression := r.config.Get("expressions").Get(name); expression.Present() { // "${aws_s3_bucket.x.id}-copy" has one reference, too
		return unknown(expression, "it is known after apply, made from %.200s", describe(longest(references(expression))))
	}
	allowed := roleNames
	if lower {
		allowed = lowerNames
	}
	p := textOr(r.values.Get(prefix), "")
	if len(p) > 37 {
		p = p[:37]
	}
	return jsontree.Str(p + standIn(t.file.seed, r.address, allowed, most-len(p), lower))
}

func (t *terraform) keyID(r *resource) jsontree.Node {
	for _, name := range []string{"key_id", "id"} {
		if v := r.values.Get(name); v.Kind == jsontree.String {
			return v
		}
	}
	if r.kind == "aws_kms_replica_key" {
		primary := t.attribute(r, "primary_key_arn")
		if a, err := policy.ParseARN(primary.Text); err == nil && strings.HasPrefix(a.Resource, "key/mrk-") {
			return jsontree.Str(strings.TrimPrefix(a.Resource, "key/"))
		}
		return jsontree.Str(keyStandIn(t.file.seed, r.address, true))
	}
	multi := t.attribute(r, "multi_region")
	if isUnknown(multi) && r.config.Get("expressions").Get("multi_region").Present() {
		return multi
	}
	return jsontree.Str(keyStandIn(t.file.seed, r.address, isTrue(multi)))
}

// filled is those attributes of a resource with the references in their blocks followed.
func (t *terraform) filled(r *resource, names ...string) jsontree.Node {
	out := jsontree.Obj()
	for _, name := range names {
		out = set(out, name, t.fill(scope{r.module}, r.values.Get(name), r.config.Get("expressions").Get(name), name))
	}
	return out
}

// sets are the blocks whose instances a plan has in another order than the configuration.
var sets = []string{"inline_policy", "rules"}

// followed is the attributes that take nothing but what a reference gives, and what their value begins with.
var followed = map[string]string{
	"role": "", "bucket": "", "key_id": "", "target_key_id": "", "kms_master_key_id": "", "replica_kms_key_id": "", "account": "",
	"policy_arn": "arn:", "permissions_boundary": "arn:", "primary_key_arn": "arn:", "managed_policy_arns": "arn:",
	"policy": "{", "assume_role_policy": "{",
}

// fill puts into a planned value what its expression refers to.
func (t *terraform) fill(s scope, v, expression jsontree.Node, name string) jsontree.Node {
	if isUnknown(v) {
		return t.follow(s, v, expression, name)
	}
	switch v.Kind {
	case jsontree.Array:
		from := blocks(expression)
		if len(from) != len(v.Items) { // a dynamic block, or a list that is one expression
			return v
		}
		items := make([]jsontree.Node, len(v.Items))
		for i := range v.Items {
			items[i] = t.fill(s, v.Items[i], from[i], name)
		}
		v.Items = items
	case jsontree.Object:
		fields := make([]jsontree.Member, len(v.Fields))
		for i, f := range v.Fields {
			inner := expression.Get(f.Name)
			if slices.Contains(sets, f.Name) && len(blocks(inner)) > 1 {
				inner = jsontree.Node{}
			}
			fields[i] = jsontree.Member{Name: f.Name, Value: t.fill(s, f.Value, inner, f.Name)}
		}
		v.Fields = fields
	default:
	}
	return v
}

// follow is what an unknown value refers to.
func (t *terraform) follow(s scope, v, expression jsontree.Node, name string) jsontree.Node {
	if !expression.Get("references").Present() {
		return v
	}
	begins, ok := followed[name]
	if !ok {
		return unknown(v, "it is known after apply, made from %.200s", describe(longest(references(expression))))
	}
	out := t.value(s, expression)
	if begin, _ := text(out); out.Kind == jsontree.Object && begins == "{" || out.Kind == jsontree.String && strings.HasPrefix(begin, begins) || isUnknown(out) {
		return out
	}
	return unknown(v, "it is known after apply, made from %.200s", describe(longest(references(expression))))
}

func references(expression jsontree.Node) []string {
	var refs []string
	for _, r := range expression.Get("references").Items {
		refs = append(refs, r.Text)
	}
	return refs
}

// blocks is the expressions of nested blocks, of which one may stand alone.
func blocks(n jsontree.Node) []jsontree.Node {
	switch n.Kind {
	case jsontree.Array:
		return n.Items
	case jsontree.Object:
		return []jsontree.Node{n}
	default:
		return nil
	}
}

// value is an expression that is constant or refers to one thing.
func (t *terraform) value(s scope, expression jsontree.Node) jsontree.Node {
	if t.steps++; t.steps > maxSteps || len(t.busy) > jsontree.MaxDepth {
		return unknown(expression, "the references of the plan need too many steps")
	}
	if v := expression.Get("constant_value"); v.Present() {
		return v
	}
	refs := longest(references(expression))
	if len(refs) != 1 {
		return unknown(expression, "it is known after apply, made from %.200s", describe(refs))
	}
	key := "ref " + s.module + "\x00" + refs[0]
	if t.busy[key] {
		return unknown(expression, "%.200s needs itself", refs[0])
	}
	t.busy[key] = true
	defer delete(t.busy, key)
	return t.reference(s, refs[0])
}

func describe(refs []string) string {
	if len(refs) == 0 {
		return "what the plan does not say"
	}
	return strings.Join(refs, ", ")
}

// longest is the references without those that begin another: a plan lists aws_iam_role.x beside aws_iam_role.x.arn.
func longest(refs []string) []string {
	var out []string
	for _, r := range refs {
		begins := slices.ContainsFunc(refs, func(o string) bool { return strings.HasPrefix(o, r+".") || strings.HasPrefix(o, r+"[") })
		if !begins && !slices.Contains(out, r) {
			out = append(out, r)
		}
	}
	return out
}

var (
	resourceRef = regexp.MustCompile(`^((?:data\.)?[a-z0-9_]+\.[A-Za-z0-9_-]+(?:\[(?:[0-9]+|"[^"\]]*")\])?)\.([a-z0-9_]+)$`)
	moduleRef   = regexp.MustCompile(`^(module\.[A-Za-z0-9_-]+(?:\[(?:[0-9]+|"[^"\]]*")\])?)\.([A-Za-z0-9_-]+)$`)
)

func (t *terraform) reference(s scope, ref string) jsontree.Node {
	none := func(why string) jsontree.Node {
		return unknown(jsontree.Node{}, "it is known after apply, made from %.200s%s", ref, why)
	}
	if name, ok := strings.CutPrefix(ref, "var."); ok {
		return t.variable(s, name, none)
	}
	if m := moduleRef.FindStringSubmatch(ref); m != nil {
		inner := t.instance(within(s.module, m[1]))
		if inner == "" {
			inner = within(s.module, m[1])
		}
		config, _ := t.moduleConfig(inner)
		if output := config.Get("outputs").Get(m[2]).Get("expression"); output.Present() {
			return t.value(scope{inner}, output)
		}
		return none("")
	}
	if m := resourceRef.FindStringSubmatch(ref); m != nil {
		if r := t.resources[t.instance(within(s.module, m[1]))]; r != nil {
			if v := t.attribute(r, m[2]); v.Present() || isUnknown(v) {
				return v
			}
		}
	}
	return none("")
}

func within(module, address string) string {
	if module == "" {
		return address
	}
	return module + "." + address
}

// instance is the address itself where there is such a thing, or the only instance of it, or none.
func (t *terraform) instance(address string) string {
	all := t.instances[indexless(address)]
	if slices.Contains(all, address) {
		return address
	}
	if len(all) == 1 && indexless(address) == address {
		return all[0]
	}
	return ""
}

// indexless is an address without the index at its end.
func indexless(address string) string {
	if i := strings.LastIndexByte(address, '['); i >= 0 && strings.HasSuffix(address, "]") {
		return address[:i]
	}
	return address
}

func (t *terraform) variable(s scope, name string, none func(string) jsontree.Node) jsontree.Node {
	if s.module == "" {
		if v := t.root.Get("variables").Get(name).Get("value"); v.Present() {
			return v
		}
	}
	config, call := t.moduleConfig(s.module)
	if expression := call.Get("expressions").Get(name); expression.Present() {
		parent := ""
		if i := strings.LastIndex(s.module, ".module."); i >= 0 {
			parent = s.module[:i]
		}
		return t.value(scope{parent}, expression)
	}
	if v := config.Get("variables").Get(name).Get("default"); v.Present() {
		return v
	}
	return none("")
}

// policyDocument is a data source aws_iam_policy_document that is read only when the plan is applied.
// https://registry.terraform.io/providers/hashicorp/aws/latest/docs/data-sources/iam_policy_document
func (t *terraform) policyDocument(r *resource) jsontree.Node {
	for _, name := range []string{"source_policy_documents", "override_policy_documents", "source_json", "override_json"} {
		if v := r.values.Get(name); isUnknown(v) || len(v.Items) > 0 || v.Kind == jsontree.String {
			return unknown(r.pos, "%s is made from other documents, and known after apply", r.address)
		}
	}
	// What a resource or principal is made from is not followed: a list may hold further ones, and a reference may be a part of one.
	statements := t.filled(r, "statement").Get("statement")
	if isUnknown(statements) || !statements.Present() {
		return unknown(r.pos, "%s is known after apply", r.address)
	}
	var out []jsontree.Node
	for i, s := range statements.Items {
		out = append(out, textual(t.policyStatement(s), Origin{Address: fmt.Sprintf("%s, statement %d", r.address, i+1)}))
	}
	return documentOf(out...).With("Version", jsontree.Str(textOr(r.values.Get("version"), "2012-10-17")))
}

func (t *terraform) policyStatement(s jsontree.Node) jsontree.Node {
	if isUnknown(s) {
		return s
	}
	out := jsontree.Obj(jsontree.Member{Name: "Effect", Value: jsontree.Str(textOr(s.Get("effect"), "Allow"))})
	if isUnknown(s.Get("effect")) {
		out = out.With("Effect", s.Get("effect"))
	}
	if sid := textOr(s.Get("sid"), ""); sid != "" {
		out = out.With("Sid", jsontree.Str(sid))
	}
	for _, m := range [][2]string{{"principals", "Principal"}, {"not_principals", "NotPrincipal"}} {
		if v := s.Get(m[0]); isUnknown(v) || len(v.Items) > 0 {
			out = out.With(m[1], policyPrincipals(v))
		}
	}
	for _, m := range [][2]string{{"actions", "Action"}, {"not_actions", "NotAction"}, {"resources", "Resource"}, {"not_resources", "NotResource"}} {
		if v := s.Get(m[0]); isUnknown(v) || len(v.Items) > 0 {
			out = out.With(m[1], v)
		}
	}
	if v := s.Get("condition"); isUnknown(v) || len(v.Items) > 0 {
		out = out.With("Condition", policyConditions(v))
	}
	return out
}

func policyPrincipals(n jsontree.Node) jsontree.Node {
	if isUnknown(n) {
		return n
	}
	out := jsontree.Obj()
	for _, p := range n.Items {
		kind, ok := text(p.Get("type"))
		if !ok {
			return unknown(p, "the type of a principal is known after apply")
		}
		if ids := p.Get("identifiers"); kind == "*" {
			return jsontree.Str("*")
		} else if before := out.Get(kind); before.Present() && !isUnknown(ids) {
			out = out.With(kind, jsontree.List(append(slices.Clone(before.Items), ids.Items...)...))
		} else {
			out = out.With(kind, ids)
		}
	}
	return out
}

func policyConditions(n jsontree.Node) jsontree.Node {
	if isUnknown(n) {
		return n
	}
	out := jsontree.Obj()
	for _, c := range n.Items {
		test, ok := text(c.Get("test"))
		variable, also := text(c.Get("variable"))
		if !ok || !also {
			return unknown(c, "a condition is known after apply")
		}
		out = out.With(test, out.Get(test).With(variable, c.Get("values")))
	}
	return out
}
