package template

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/replimend/replimend/internal/jsontree"
	"github.com/replimend/replimend/internal/policy"
)

// terraform is the output of terraform show -json: of a plan, or of a state, where everything is known.
// https://developer.hashicorp.com/terraform/internals/json-format
type terraform struct {
	world     *world
	file      File
	root      jsontree.Node
	plan      bool
	resources map[string]*resource // by address
	order     []*resource
	homes     map[string]Home // by key of the provider configuration
	busy      map[string]bool
	instances map[string][]string // addresses without the index at their end, of resources and modules, to those with it
	configs   map[string]map[string]jsontree.Node
	assumed   []string
	steps     int
}

// resource is one instance of a resource or data source.
type resource struct {
	address, module, kind, name string
	data                        bool
	values                      jsontree.Node // what is known after apply is unknown
	config                      jsontree.Node // of its configuration; no value in a state
	provider                    string        // key of the provider configuration
	pos                         jsontree.Node
}

func newTerraform(w *world, f File, root jsontree.Node) (reader, error) {
	version, _ := text(root.Get("format_version"))
	if major, _, _ := strings.Cut(version, "."); major != "0" && major != "1" {
		return nil, jsontree.Errorf(root.Get("format_version"), "format_version", "version %.20q is not read: want 1.x", version)
	}
	t := &terraform{
		world: w, file: f, root: root, resources: make(map[string]*resource), homes: make(map[string]Home), busy: make(map[string]bool),
		instances: make(map[string][]string), configs: make(map[string]map[string]jsontree.Node),
	}
	switch {
	case root.Get("planned_values").Present():
		t.plan = true
		t.module(root.Get("planned_values").Get("root_module"), "")
		t.changes()
		t.module(root.Get("prior_state").Get("values").Get("root_module"), "data")
	case root.Get("values").Present():
		t.module(root.Get("values").Get("root_module"), "")
	default:
		return nil, jsontree.Errorf(root, "", "neither planned_values nor values: give what terraform show -json prints of a plan or a state")
	}
	return t, t.settleHomes()
}

// module reads the resources of a module and of those in it. With only set it reads resources of that mode.
func (t *terraform) module(n jsontree.Node, only string) {
	for _, r := range n.Get("resources").Items {
		if only == "" || r.Get("mode").Text == only {
			t.add(r, n.Get("address").Text, r.Get("values"))
		}
	}
	for _, child := range n.Get("child_modules").Items {
		t.module(child, only)
	}
}

func (t *terraform) add(n jsontree.Node, module string, values jsontree.Node) {
	address := n.Get("address").Text
	if address == "" || t.resources[address] != nil {
		return
	}
	r := &resource{
		address: address, module: module, kind: n.Get("type").Text, name: n.Get("name").Text, data: n.Get("mode").Text == "data", values: values, pos: n,
	}
	if t.plan {
		r.config = t.configOf(r)
	}
	r.provider = r.config.Get("provider_config_key").Text
	t.resources[address] = r
	for _, a := range []string{address, module} {
		if base := indexless(a); !slices.Contains(t.instances[base], a) {
			t.instances[base] = append(t.instances[base], a)
		}
	}
	t.order = append(t.order, r)
}

// changes marks what is known after apply, and finds the data sources that are read then.
func (t *terraform) changes() {
	for _, c := range t.root.Get("resource_changes").Items {
		change := c.Get("change")
		after := overlay(change.Get("after"), change.Get("after_unknown"))
		if r := t.resources[c.Get("address").Text]; r != nil {
			r.values = after
		} else if c.Get("mode").Text == "data" {
			t.add(c, c.Get("module_address").Text, after)
		}
	}
}

// overlay is the planned values with what after_unknown marks as unknown.
func overlay(after, mark jsontree.Node) jsontree.Node {
	switch {
	case mark.Kind == jsontree.Bool && mark.Bool:
		return unknown(jsontree.Node{}, "it is known after apply")
	case mark.Kind == jsontree.Object:
		out := jsontree.Node{Kind: jsontree.Object, Pos: after.Pos, Fields: slices.Clone(after.Fields)}
		for _, f := range mark.Fields {
			out = set(out, f.Name, overlay(after.Get(f.Name), f.Value))
		}
		return out
	case mark.Kind == jsontree.Array && after.Kind != jsontree.Invalid:
		out := jsontree.Node{Kind: jsontree.Array, Pos: after.Pos, Items: slices.Clone(after.Items)}
		for i, m := range mark.Items {
			if i < len(out.Items) {
				out.Items[i] = overlay(out.Items[i], m)
			} else {
				out.Items = append(out.Items, overlay(jsontree.Node{}, m))
			}
		}
		return out
	default:
		return after
	}
}

// set is With that leaves out what is no value: with that member, an object would print null for it.
func set(n jsontree.Node, name string, v jsontree.Node) jsontree.Node {
	if !v.Present() && !isUnknown(v) {
		return n
	}
	return n.With(name, v)
}

func (t *terraform) source() Source {
	format := TerraformState
	if t.plan {
		format = TerraformPlan
	}
	s := Source{Label: t.file.Label, Format: format, Assumed: slices.Compact(slices.Sorted(slices.Values(t.assumed)))}
	accounts, regions := make(map[string]bool), make(map[string]bool)
	for _, r := range t.order {
		if h := t.homes[r.provider]; replicates(r.kind) && !r.data {
			accounts[h.Account], regions[h.Region] = true, true
		}
	}
	s.Account, s.Region = strings.Join(slices.Sorted(maps.Keys(accounts)), " and "), strings.Join(slices.Sorted(maps.Keys(regions)), " and ")
	return s
}

func replicates(kind string) bool {
	return strings.HasPrefix(kind, "aws_s3_bucket") || strings.HasPrefix(kind, "aws_iam_role") || kind == "aws_iam_policy" || strings.HasPrefix(kind, "aws_kms_")
}

// settleHomes finds for each provider configuration where it deploys: as people say, as it says itself, as its resources show.
func (t *terraform) settleHomes() error {
	accounts, regions := placesIn(t.root)
	if err := t.oneAccount(); err != nil {
		return err
	}
	for _, r := range t.order {
		if _, done := t.homes[r.provider]; done || r.data || !replicates(r.kind) {
			continue
		}
		given, shown := t.world.options.Providers[cmp.Or(r.provider, "aws")], t.shown(r.provider)
		h := Home{cmp.Or(given.Account, shown.Account, t.file.Account), cmp.Or(given.Region, shown.Region, t.file.Region)}
		several := t.file.several || len(t.homes) > 0
		if h.Account == "" && (len(accounts) > 0 || several) {
			return &PlaceError{"account", accounts, cmp.Or(r.provider, "aws")}
		}
		if h.Region == "" && (len(regions) > 0 || several) {
			return &PlaceError{"Region", regions, cmp.Or(r.provider, "aws")}
		}
		if h.Account == "" {
			t.assumed = append(t.assumed, "account")
		}
		if h.Region == "" {
			t.assumed = append(t.assumed, "Region")
		}
		t.homes[r.provider] = Home{cmp.Or(h.Account, AssumedAccount), cmp.Or(h.Region, AssumedRegion)}
	}
	for _, h := range t.homes {
		if !policy.IsAccountID(h.Account) {
			return fmt.Errorf("account %q: want 12 digits", h.Account)
		}
	}
	return nil
}

// oneAccount refuses a state of several accounts: the ARN of a bucket names none, and a state has no provider configurations.
func (t *terraform) oneAccount() error {
	first := ""
	for _, r := range t.order {
		a, err := policy.ParseARN(r.values.Get("arn").Text)
		switch {
		case t.plan || r.data || err != nil || a.Account == "" || !replicates(r.kind):
		case first != "" && a.Account != first:
			return fmt.Errorf("the state has resources of accounts %.20s and %.20s, and does not say whose its buckets are: give a plan of it", first, a.Account)
		default:
			first = a.Account
		}
	}
	return nil
}

// shown is what the file itself says of a provider configuration.
func (t *terraform) shown(key string) Home {
	var h Home
	config := t.root.Get("configuration").Get("provider_config").Get(key).Get("expressions")
	h.Region, _ = text(t.value(scope{}, config.Get("region")))
	for _, assumed := range blocks(config.Get("assume_role")) {
		if s, ok := text(t.value(scope{}, assumed.Get("role_arn"))); ok {
			a, _ := policy.ParseARN(s)
			h.Account = a.Account
		}
	}
	if allowed := config.Get("allowed_account_ids").Get("constant_value").Items; h.Account == "" && len(allowed) == 1 {
		h.Account, _ = text(allowed[0])
	}
	var accounts, regions []string
	for _, r := range t.order {
		if r.provider != key {
			continue
		}
		switch a, err := policy.ParseARN(r.values.Get("arn").Text); {
		case r.kind == "aws_caller_identity":
			accounts = append(accounts, textOr(r.values.Get("account_id"), ""))
		case r.kind == "aws_region":
			regions = append(regions, textOr(r.values.Get("region"), textOr(r.values.Get("name"), "")))
		case err == nil && !r.data:
			accounts, regions = append(accounts, a.Account), append(regions, a.Region)
		}
		if !r.data {
			regions = append(regions, textOr(r.values.Get("region"), ""))
		}
	}
	return Home{cmp.Or(h.Account, only(accounts)), cmp.Or(h.Region, only(regions))}
}

// only is the text that all agree on, empty ones left out.
func only(texts []string) string {
	out := ""
	for _, s := range texts {
		if s != "" && out != "" && s != out {
			return ""
		}
		out = cmp.Or(out, s)
	}
	return out
}

// home is where a resource is made. In a state, which has no provider configurations, its own ARN says so, or nothing does.
func (t *terraform) home(r *resource) Home {
	h := t.homes[r.provider]
	h.Region = textOr(r.values.Get("region"), h.Region)
	if a, err := policy.ParseARN(r.values.Get("arn").Text); err == nil {
		h.Account, h.Region = cmp.Or(a.Account, h.Account), cmp.Or(a.Region, h.Region)
	}
	return h
}

func (t *terraform) origin(r *resource) Origin {
	return Origin{File: t.file.Label, Address: r.address}
}

func (t *terraform) read() error {
	for _, c := range t.root.Get("resource_changes").Items {
		if actions := c.Get("change").Get("actions").Items; len(actions) == 1 && actions[0].Text == "delete" {
			t.deleted(c)
		}
	}
	for _, r := range t.order {
		if r.data {
			continue
		}
		if err := t.readResource(r); err != nil {
			return err
		}
	}
	return nil
}

// deleted keeps in mind what the plan takes away: the bucket or role may still show it, and what then holds is not known.
func (t *terraform) deleted(c jsontree.Node) {
	before := c.Get("change").Get("before")
	r := &resource{address: c.Get("address").Text, kind: c.Get("type").Text, values: before}
	o := t.origin(r)
	gone := unknown(jsontree.Node{}, "%s is deleted by the plan", r.address)
	account := t.homes[t.configOf(r).Get("provider_config_key").Text].Account
	if member, ok := bucketMembers[r.kind]; ok {
		t.configure(r, member, gone)
		return
	}
	switch r.kind {
	case "aws_s3_bucket_policy":
		t.world.setBucketPolicy(before.Get("bucket"), account, &document{o, gone})
	case "aws_iam_role_policy", "aws_iam_role_policy_attachment":
		t.world.attachInline(jsontree.List(before.Get("role")), t.accountOfRole(before.Get("role").Text, account), textOr(before.Get("name"), r.address), &document{o, gone})
	}
}

// accountOfRole is the account of the file's role of that name: a deleted resource has no configuration that says where it was.
func (t *terraform) accountOfRole(name, otherwise string) string {
	for _, r := range t.order {
		if r.kind == "aws_iam_role" && !r.data && r.values.Get("name").Text == name {
			return t.home(r).Account
		}
	}
	return otherwise
}

// bucketMembers is the resources that configure a bucket, and what of it.
var bucketMembers = map[string]string{
	"aws_s3_bucket_replication_configuration": "replication", "aws_s3_bucket_versioning": "versioning",
	"aws_s3_bucket_server_side_encryption_configuration": "encryption", "aws_s3_bucket_ownership_controls": "ownership",
	"aws_s3_bucket_public_access_block": "publicAccessBlock", "aws_s3_bucket_object_lock_configuration": "objectLock",
	"aws_s3_bucket_notification": "notifications", "aws_s3_bucket_request_payment_configuration": "requestPayer",
}

func (t *terraform) readResource(r *resource) error {
	switch r.kind {
	case "aws_s3_bucket":
		return t.readBucket(r)
	case "aws_iam_role":
		return t.readRole(r)
	case "aws_kms_key", "aws_kms_replica_key":
		return t.readKey(r)
	}
	w, o, home := t.world, t.origin(r), t.home(r)
	get := func(name string) jsontree.Node { return t.attribute(r, name) }
	if member, ok := bucketMembers[r.kind]; ok {
		t.configure(r, member, t.configuration(r))
		return nil
	}
	switch r.kind {
	case "aws_s3_bucket_policy":
		w.setBucketPolicy(get("bucket"), home.Account, &document{o, get("policy")})
	case "aws_iam_role_policy":
		w.attachInline(jsontree.List(get("role")), home.Account, textOr(get("name"), r.address), &document{o, get("policy")})
	case "aws_iam_policy":
		if arn, ok := text(get("arn")); ok {
			w.managed[arn] = &document{o, get("policy")}
			w.origins[arn] = o
		}
	case "aws_iam_role_policy_attachment":
		t.attach(get("role"), get("policy_arn"), home.Account, o)
	case "aws_iam_policy_attachment":
		for _, owner := range get("roles").Items {
			t.attach(owner, get("policy_arn"), home.Account, o)
		}
	case "aws_kms_key_policy":
		t.setKeyPolicy(get("key_id"), home, &document{o, get("policy")})
	case "aws_kms_grant":
		id := get("key_id")
		w.later = append(w.later, func() {
			for arn, k := range w.keys {
				if s, ok := text(id); !ok || s == arn.String() || s == arn.Name() {
					k.granted = true
				}
			}
		})
	case "aws_kms_alias":
		w.addAlias(get("name"), get("target_key_id"), home, o)
	}
	return nil
}

// configuration is what a resource says of a bucket, in the API's shape.
func (t *terraform) configuration(r *resource) jsontree.Node {
	switch r.kind {
	case "aws_s3_bucket_replication_configuration":
		return reshape(t.filled(r, "role", "rule"), tfReplication)
	case "aws_s3_bucket_versioning":
		status := at(t.attribute(r, "versioning_configuration"), "0", "status")
		if s, ok := text(status); ok && s == "Disabled" { // as never enabled
			return jsontree.Node{}
		}
		return status
	case "aws_s3_bucket_server_side_encryption_configuration":
		return reshape(t.filled(r, "rule"), tfEncryption)
	case "aws_s3_bucket_ownership_controls":
		return at(t.attribute(r, "rule"), "0", "object_ownership")
	case "aws_s3_bucket_public_access_block":
		return reshape(r.values, tfPublicAccess)
	case "aws_s3_bucket_object_lock_configuration":
		return objectLock(jsontree.Str("true"))
	case "aws_s3_bucket_notification":
		return reshape(r.values, tfNotifications)
	default:
		return t.attribute(r, "payer")
	}
}

func (t *terraform) attach(owner, arn jsontree.Node, account string, o Origin) {
	if s, ok := text(arn); ok {
		t.world.attachManaged(owner, account, s, o)
		return
	}
	t.world.attachInline(jsontree.List(owner), account, o.Address, &document{o, arn})
}

// configure sets one part of a bucket's configuration. One whose bucket is not resolved may be any bucket's of the file.
func (t *terraform) configure(r *resource, member string, n jsontree.Node) {
	o, owner := t.origin(r), t.attribute(r, "bucket")
	n = textual(n, o)
	t.world.later = append(t.world.later, func() {
		if name, ok := text(owner); ok {
			if b := t.world.buckets[name]; b != nil {
				b.config[member] = n
			} else if member == "replication" {
				t.world.incomplete(o, "its rules are not judged: bucket "+name+" is made by none of the files")
			}
			return
		}
		if member == "replication" {
			t.world.incomplete(o, "its rules are not judged, its bucket is not resolved: "+owner.Text)
		}
		for _, b := range t.world.buckets {
			if _, set := b.config[member]; b.origin.File == o.File && !set {
				b.config[member] = unknown(r.pos, "%s configures a bucket that is not resolved: %s", o.Address, owner.Text)
			}
		}
	})
}

// textual keeps the address with what is unknown in a tree.
func textual(n jsontree.Node, o Origin) jsontree.Node {
	switch {
	case isUnknown(n) && !strings.Contains(n.Text, o.Address):
		return unknown(n, "%s: %s", o.Address, n.Text)
	case n.Kind == jsontree.Array:
		items := make([]jsontree.Node, len(n.Items))
		for i, item := range n.Items {
			items[i] = textual(item, o)
		}
		n.Items = items
	case n.Kind == jsontree.Object:
		fields := make([]jsontree.Member, len(n.Fields))
		for i, f := range n.Fields {
			fields[i] = jsontree.Member{Name: f.Name, Value: textual(f.Value, o)}
		}
		n.Fields = fields
	default:
	}
	return n
}

func (t *terraform) setKeyPolicy(id jsontree.Node, home Home, d *document) {
	t.world.later = append(t.world.later, func() {
		if s, ok := text(id); ok {
			if k := t.world.keyNamed(s, home); k != nil {
				k.policy = d
			}
			return
		}
		for arn, k := range t.world.keys {
			if arn.Account == home.Account {
				k.policy = &document{d.origin, unknown(id, "%s is the policy of a key that is not resolved: %s", d.origin, id.Text)}
			}
		}
	})
}

func (t *terraform) readBucket(r *resource) error {
	o := t.origin(r)
	name := t.attribute(r, "bucket")
	n, ok := text(name)
	if !ok {
		t.world.incomplete(o, "the bucket and its rules are not judged, its name is not resolved: "+name.Text)
		return nil
	}
	o.StandIn = t.madeUp(r, "bucket")
	b := &bucket{origin: o, home: t.home(r), config: make(map[string]jsontree.Node), existing: r.values.Get("arn").Kind == jsontree.String}
	t.inline(r, b)
	return t.world.addBucket(n, b)
}

// inline reads the deprecated attributes of the bucket itself, which the provider also fills in from what S3 says: so in a fresh plan
// they are unknown without anybody having set them, and mean nothing.
func (t *terraform) inline(r *resource, b *bucket) {
	value := func(name string) jsontree.Node {
		v := t.filled(r, name).Get(name)
		if isUnknown(v) && !r.config.Get("expressions").Get(name).Present() {
			return jsontree.Node{}
		}
		return v
	}
	switch enabled := at(value("versioning"), "0", "enabled"); {
	case isUnknown(enabled):
		b.config["versioning"] = enabled
	case isTrue(enabled):
		b.config["versioning"] = jsontree.Str("Enabled")
	}
	if v := value("replication_configuration"); isUnknown(v) {
		b.config["replication"] = v
	} else if len(v.Items) > 0 {
		b.config["replication"] = reshape(modern(v), tfReplication)
	}
	if v := at(value("server_side_encryption_configuration"), "0"); v.Present() || isUnknown(v) {
		b.config["encryption"] = reshape(v, tfEncryption)
	}
	b.config["objectLock"] = objectLock(value("object_lock_enabled"))
	if v := value("request_payer"); v.Kind == jsontree.String && v.Text != "" || isUnknown(v) {
		b.config["requestPayer"] = v
	}
	if v := value("policy"); isUnknown(v) || v.Kind == jsontree.String && v.Text != "" {
		b.policy = &document{b.origin, v}
	}
}

// modern is the deprecated inline form in the shape of the resource of its own: other names, statuses for booleans.
// https://registry.terraform.io/providers/hashicorp/aws/4.67.0/docs/resources/s3_bucket#replication_configuration
func modern(n jsontree.Node) jsontree.Node {
	config := at(n, "0")
	rules := list(config.Get("rules"), func(rule jsontree.Node) jsontree.Node {
		if s := rule.Get("delete_marker_replication_status"); s.Kind == jsontree.String && s.Text != "" {
			rule = rule.With("delete_marker_replication", jsontree.Obj(jsontree.Member{Name: "status", Value: s}))
		}
		if f := at(rule.Get("filter"), "0"); len(f.Get("tags").Fields) > 0 {
			and := jsontree.Obj(jsontree.Member{Name: "prefix", Value: f.Get("prefix")}, jsontree.Member{Name: "tags", Value: f.Get("tags")})
			rule = rule.With("filter", jsontree.Obj(jsontree.Member{Name: "and", Value: and}))
		}
		if kms := at(rule.Get("source_selection_criteria"), "0", "sse_kms_encrypted_objects", "0", "enabled"); kms.Kind == jsontree.Bool {
			status := jsontree.Str("Disabled")
			if kms.Bool {
				status = jsontree.Str("Enabled")
			}
			switched := jsontree.Obj(jsontree.Member{Name: "status", Value: status})
			rule = rule.With("source_selection_criteria", jsontree.Obj(jsontree.Member{Name: "sse_kms_encrypted_objects", Value: switched}))
		}
		return rule.With("destination", modernDestination(at(rule.Get("destination"), "0")))
	})
	return jsontree.Obj(jsontree.Member{Name: "role", Value: config.Get("role")}, jsontree.Member{Name: "rule", Value: rules})
}

func modernDestination(d jsontree.Node) jsontree.Node {
	if key := d.Get("replica_kms_key_id"); isUnknown(key) || key.Kind == jsontree.String && key.Text != "" {
		d = d.With("encryption_configuration", jsontree.Obj(jsontree.Member{Name: "replica_kms_key_id", Value: key}))
	}
	if account := d.Get("account_id"); account.Kind == jsontree.String {
		d = d.With("account", account)
	}
	return d
}

func (t *terraform) readRole(r *resource) error {
	o := t.origin(r)
	o.StandIn = t.madeUp(r, "name")
	v := t.attribute(r, "arn")
	arn, err := policy.ParseARN(v.Text)
	if isUnknown(v) || err != nil {
		t.world.note(o, "the role is not judged, its name is not resolved: "+v.Text)
		return nil
	}
	out := &role{origin: o, trust: &document{o, t.attribute(r, "assume_role_policy")}, inline: make(map[string]*document), attached: make(map[string]*document)}
	if b := t.attribute(r, "permissions_boundary"); isUnknown(b) || b.Kind == jsontree.String && b.Text != "" {
		out.boundary = b
	}
	// Both are also filled in by the provider, so that in a fresh plan they are unknown without anybody having set them.
	if inline := t.filled(r, "inline_policy").Get("inline_policy"); isUnknown(inline) && r.config.Get("expressions").Get("inline_policy").Present() {
		out.perhaps = inline.Text
	} else {
		for i, p := range inline.Items {
			if name := textOr(p.Get("name"), fmt.Sprintf("#%d", i+1)); p.Get("policy").Present() || isUnknown(p.Get("policy")) {
				out.inline[name] = &document{o, p.Get("policy")}
			}
		}
	}
	if err := t.world.addRole(arn, out); err != nil {
		return err
	}
	attached := t.attribute(r, "managed_policy_arns")
	if isUnknown(attached) && r.config.Get("expressions").Get("managed_policy_arns").Present() {
		out.perhaps = attached.Text
	}
	for _, a := range attached.Items {
		t.attach(jsontree.Str(arn.String()), a, arn.Account, o)
	}
	return nil
}

func (t *terraform) readKey(r *resource) error {
	o := t.origin(r)
	o.StandIn = t.madeUp(r, "key_id")
	v := t.attribute(r, "arn")
	arn, err := policy.ParseARN(v.Text)
	if isUnknown(v) || err != nil {
		t.world.note(o, "the key is not judged, its ARN is not resolved: "+v.Text)
		return nil
	}
	k := &key{
		origin: o, home: t.home(r), state: "Enabled", multiRegion: strings.HasPrefix(arn.Resource, "key/mrk-"),
		spec: t.attribute(r, "customer_master_key_spec"), usage: t.attribute(r, "key_usage"),
	}
	for _, n := range []*jsontree.Node{&k.spec, &k.usage} {
		if isUnknown(*n) && r.config.Present() && r.kind == "aws_kms_replica_key" { // a replica has those of its primary
			*n = jsontree.Node{}
		}
	}
	switch enabled := r.values.Get("is_enabled"); {
	case isUnknown(enabled):
		k.state = ""
	case enabled.Kind == jsontree.Bool && !enabled.Bool, r.kind == "aws_kms_replica_key" && r.values.Get("enabled").Kind == jsontree.Bool && !r.values.Get("enabled").Bool:
		k.state = "Disabled"
	}
	// Without a policy of its own the key gets the default one, which the plan does not know before KMS has made it.
	d := t.attribute(r, "policy")
	if configured := r.config.Get("expressions").Get("policy").Present(); isUnknown(d) && (configured || !t.plan) || d.Kind == jsontree.String && d.Text != "" {
		k.policy = &document{o, d}
	}
	return t.world.addKey(arn, k)
}
