package template

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/replimend/replimend/internal/jsontree"
	"github.com/replimend/replimend/internal/policy"
	"github.com/replimend/replimend/internal/snapshot"
)

// world gathers what all files create. Its maps are by identifier: names of buckets, ARNs of the others.
type world struct {
	options Options
	sources []Source
	files   int
	current int // index of the source that is being read
	notes   []Note
	stacks  []*stack

	buckets map[string]*bucket
	roles   map[policy.ARN]*role
	keys    map[policy.ARN]*key
	managed map[string]*document // by ARN
	later   []func()             // what attaches to owners that another file may make
	origins map[string]Origin

	madeUpBuckets, madeUpRoles []string // the stand-ins among the names
}

func newWorld(o Options) *world {
	return &world{
		options: o, buckets: make(map[string]*bucket), roles: make(map[policy.ARN]*role), keys: make(map[policy.ARN]*key),
		managed: make(map[string]*document), origins: make(map[string]Origin),
	}
}

// bucket is one bucket in the making. A member of config that is not there takes S3's default for new buckets.
type bucket struct {
	origin Origin
	home   Home
	config map[string]jsontree.Node // by the contract's name, in the API's shape
	policy *document
	// existing says that the bucket is there already: what the files do not say of it is then not S3's default but not known.
	existing bool
	// perhaps says that a policy exists whose bucket is not resolved, and which may be this one's.
	perhaps string
}

type role struct {
	origin   Origin
	trust    *document
	inline   map[string]*document // by policy name
	attached map[string]*document // by ARN
	boundary jsontree.Node        // an ARN, or none
	perhaps  string
}

type key struct {
	origin      Origin
	home        Home
	state       string
	spec, usage jsontree.Node
	multiRegion bool
	policy      *document // nil: the default key policy
	aliases     []string
	perhaps     string // why aliases may be missing
	granted     bool   // by a grant that is not read
}

// document is a policy of a file, as it was resolved.
type document struct {
	origin Origin
	node   jsontree.Node
}

func (w *world) note(o Origin, text string) {
	w.notes = append(w.notes, Note{File: o.File, Address: o.Address, Line: o.Line, Text: text})
}

// incomplete notes that a route may be missing.
func (w *world) incomplete(o Origin, text string) {
	w.note(o, text)
	w.notes[len(w.notes)-1].Incomplete = true
}

// addBucket refuses a name twice: bucket names are unique within a partition, and one of the two would be judged in the other's place.
func (w *world) addBucket(name string, b *bucket) error {
	if other, ok := w.buckets[name]; ok {
		return fmt.Errorf("%s makes bucket %s, which %s makes, too", b.origin, name, other.origin)
	}
	w.buckets[name] = b
	w.origins[name] = b.origin
	if b.origin.StandIn {
		w.madeUpBuckets = append(w.madeUpBuckets, name)
	}
	w.sources[w.current].Buckets++
	return nil
}

func (w *world) addRole(arn policy.ARN, r *role) error {
	if other, ok := w.roles[arn]; ok {
		return fmt.Errorf("%s makes role %s, which %s makes, too: are both files of one account?", r.origin, arn, other.origin)
	}
	w.roles[arn] = r
	w.origins[arn.String()] = r.origin
	if r.origin.StandIn {
		w.madeUpRoles = append(w.madeUpRoles, arn.Name())
	}
	w.sources[w.current].Roles++
	return nil
}

func (w *world) addKey(arn policy.ARN, k *key) error {
	if other, ok := w.keys[arn]; ok {
		return fmt.Errorf("%s makes key %s, which %s makes, too", k.origin, arn, other.origin)
	}
	w.keys[arn] = k
	w.origins[arn.String()] = k.origin
	w.sources[w.current].Keys++
	return nil
}

// roleNamed is the role of that name or ARN in an account: names are unique there, whatever the path.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
func (w *world) roleNamed(text, account string) *role {
	for arn, r := range w.roles {
		if arn.String() == text || arn.Account == account && strings.EqualFold(arn.Name(), text) {
			return r
		}
	}
	return nil
}

// keyNamed is the key of that ARN, or of that id in an account and Region.
func (w *world) keyNamed(text string, home Home) *key {
	for arn, k := range w.keys {
		if arn.String() == text || arn.Account == home.Account && arn.Region == home.Region && arn.Resource == "key/"+text {
			return k
		}
	}
	return nil
}

// attachInline gives roles a policy. Whose roles are not all resolved may belong to any role of the account.
func (w *world) attachInline(owners jsontree.Node, account, name string, d *document) {
	w.later = append(w.later, func() {
		for _, owner := range owners.Items {
			if s, ok := text(owner); !ok {
				w.perhapsOfRoles(account, fmt.Sprintf("%s attaches a policy to a role that is not resolved: %s", d.origin, owner.Text))
			} else if r := w.roleNamed(s, account); r != nil {
				r.inline[name] = d
			}
		}
	})
}

func (w *world) attachManaged(owner jsontree.Node, account, arn string, at Origin) {
	w.later = append(w.later, func() {
		s, ok := text(owner)
		if !ok {
			w.perhapsOfRoles(account, fmt.Sprintf("%s attaches a policy to a role that is not resolved: %s", at, owner.Text))
			return
		}
		r := w.roleNamed(s, account)
		if r == nil {
			return
		}
		if d, ok := w.managed[arn]; ok {
			r.attached[arn] = d
			return
		}
		if d, ok := managedByAWS(arn, at); ok {
			r.attached[arn] = d
			return
		}
		r.attached[arn] = &document{at, unknown(jsontree.Node{}, "managed policy %.200s is made by none of the files", arn)}
	})
}

func (w *world) perhapsOfRoles(account, why string) {
	for arn, r := range w.roles {
		if arn.Account == account && r.perhaps == "" {
			r.perhaps = why
		}
	}
}

// setBucketPolicy gives a bucket its policy. One whose bucket is not resolved may be that of any bucket of the account.
func (w *world) setBucketPolicy(owner jsontree.Node, account string, d *document) {
	w.later = append(w.later, func() {
		if s, ok := text(owner); ok {
			if b := w.buckets[s]; b != nil {
				b.policy = d
			}
			return
		}
		for _, b := range w.buckets {
			if b.home.Account == account {
				b.perhaps = fmt.Sprintf("%s is the policy of a bucket that is not resolved: %s", d.origin, owner.Text)
			}
		}
	})
}

func (w *world) addAlias(alias, target jsontree.Node, home Home, at Origin) {
	w.later = append(w.later, func() {
		name, named := text(alias)
		id, known := text(target)
		if k := w.keyNamed(id, home); named && known && k != nil {
			k.aliases = append(k.aliases, name)
			return
		}
		for arn, k := range w.keys {
			if (!named || !known) && arn.Account == home.Account && arn.Region == home.Region {
				k.perhaps = fmt.Sprintf("%s is an alias of which name or key are not resolved", at)
			}
		}
	})
}

// managedByAWS is a policy of AWS whose document every account has alike. Others are not held here: they change, and most have
// nothing to do with replication.
// https://docs.aws.amazon.com/aws-managed-policy/latest/reference/AdministratorAccess.html
// https://docs.aws.amazon.com/aws-managed-policy/latest/reference/AmazonS3FullAccess.html
func managedByAWS(arn string, at Origin) (*document, bool) {
	actions, ok := map[string][]string{
		"iam::aws:policy/AdministratorAccess": {"*"},
		"iam::aws:policy/AmazonS3FullAccess":  {"s3:*", "s3-object-lambda:*"},
	}[strings.Join(strings.SplitN(arn, ":", 3)[min(2, strings.Count(arn, ":")):], "")]
	if !ok {
		return nil, false
	}
	return &document{at, statement("Allow", jsontree.Strings(actions...), jsontree.Node{})}, true
}

// statement is a document of one statement about every resource.
func statement(effect string, actions, principal jsontree.Node) jsontree.Node {
	s := jsontree.Obj(jsontree.Member{Name: "Effect", Value: jsontree.Str(effect)})
	if principal.Present() {
		s = s.With("Principal", principal)
	}
	return documentOf(s.With("Action", actions).With("Resource", jsontree.Str("*")))
}

// defaultKeyPolicy is what KMS gives a key that is made without a policy.
// https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-default.html
func defaultKeyPolicy(partition, account string) jsontree.Node {
	root := jsontree.Obj(jsontree.Member{Name: "AWS", Value: jsontree.Str("arn:" + partition + ":iam::" + account + ":root")})
	return statement("Allow", jsontree.Str("kms:*"), root)
}

// standIn is a name in place of the one that AWS will make up: the same for the same file and address, the address readable in
// it, and of a form that AWS takes.
func standIn(file, address, allowed string, most int, lower bool) string {
	sum := sha256.Sum256([]byte(file + "\x00" + address))
	name := address
	if lower {
		name = strings.ToLower(name)
	}
	name = strings.Trim(strings.Map(func(r rune) rune {
		if strings.ContainsRune(allowed, r) {
			return r
		}
		return '-'
	}, name), "-")
	if name == "" {
		name = "x"
	}
	suffix := "-" + hex.EncodeToString(sum[:4])
	return name[:min(len(name), most-len(suffix))] + suffix
}

const (
	lowerNames = "abcdefghijklmnopqrstuvwxyz0123456789"
	roleNames  = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
)

func bucketStandIn(file, address string) string { return standIn(file, address, lowerNames, 63, true) }

func roleStandIn(file, address string) string { return standIn(file, address, roleNames, 64, false) }

// keyStandIn is a key id: of the form of a UUID, or of that of a multi-Region key.
// https://docs.aws.amazon.com/kms/latest/developerguide/concepts.html#key-id-key-id
func keyStandIn(file, address string, multiRegion bool) string {
	sum := sha256.Sum256([]byte(file + "\x00" + address))
	h := hex.EncodeToString(sum[:16])
	if multiRegion {
		return "mrk-" + h
	}
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}

// result makes the Snapshots once every file has been read.
func (w *world) result() (*Result, error) {
	for _, attach := range w.later {
		attach()
	}
	exact, best := &view{world: w}, &view{world: w, atBest: true}
	out := &Result{Snapshot: exact.snapshot(), Sources: w.sources, Origins: w.origins}
	if exact.unresolved {
		out.AtBest = best.snapshot()
	}
	out.Notes = append([]Note{}, w.notes...)
	slices.SortStableFunc(out.Notes, func(a, b Note) int {
		if a.File != b.File {
			return strings.Compare(a.File, b.File)
		}
		return a.Line - b.Line
	})
	out.Notes = slices.Compact(out.Notes)
	// What is returned reads again as it was printed; a name that breaks the contract must not pass.
	for _, s := range []*snapshot.Snapshot{out.Snapshot, out.AtBest} {
		if s == nil {
			continue
		}
		printed, err := s.MarshalJSON()
		if err == nil {
			_, err = snapshot.Parse(printed)
		}
		if err != nil {
			return nil, fmt.Errorf("make a snapshot of the files: %w", err)
		}
	}
	return out, nil
}

// view makes one of the two Snapshots.
type view struct {
	*world
	atBest     bool
	unresolved bool // something of a policy was not resolved
	out        *snapshot.Snapshot
}

func (v *view) snapshot() *snapshot.Snapshot {
	v.out = &snapshot.Snapshot{
		Buckets: make(map[string]snapshot.Value[snapshot.Bucket]), Roles: make(map[policy.ARN]snapshot.Value[snapshot.Role]),
		Keys: make(map[policy.ARN]snapshot.Value[snapshot.Key]), Unreadable: make(map[string]string),
	}
	for _, name := range slices.Sorted(maps.Keys(v.buckets)) {
		v.out.Buckets[name] = snapshot.Of(v.bucket(name, v.buckets[name]))
	}
	for _, arn := range sortedARNs(v.roles) {
		v.out.Roles[arn] = snapshot.Of(v.role(arn, v.roles[arn]))
	}
	for _, arn := range sortedARNs(v.keys) {
		v.out.Keys[arn] = snapshot.Of(v.key(arn, v.keys[arn]))
	}
	return v.out
}

func sortedARNs[T any](m map[policy.ARN]T) []policy.ARN {
	return slices.SortedFunc(maps.Keys(m), func(a, b policy.ARN) int { return strings.Compare(a.String(), b.String()) })
}

// say notes something once, although two views are made.
func (v *view) say(o Origin, text string, incomplete bool) {
	switch {
	case v.atBest:
	case incomplete:
		v.incomplete(o, text)
	default:
		v.note(o, text)
	}
}

// read decodes one value of the contract. What is not resolved, or cannot be, stays missing and is noted.
func read[T any](v *view, o Origin, path, what string, n jsontree.Node, incomplete bool) snapshot.Value[T] {
	if u, ok := unresolved(n); ok {
		v.say(placed(o, u), fmt.Sprintf("%s is not resolved: %s", what, u.Text), incomplete)
		v.out.Unreadable[path] = o.String() + ": " + u.Text
		return snapshot.Value[T]{}
	}
	if !n.Present() || n.Kind == jsontree.Null {
		return snapshot.None[T]()
	}
	var out T
	if err := decoder.Decode(n, "", &out); err != nil {
		v.say(placed(o, n), fmt.Sprintf("%s is not read: %s", what, err), incomplete)
		v.out.Unreadable[path] = o.String() + ": " + err.Error()
		return snapshot.Value[T]{}
	}
	return snapshot.Of(out)
}

// placed is the origin at the line of a value. Lines of a plan, which nobody wrote, are not told.
func placed(o Origin, n jsontree.Node) Origin {
	if n.Pos.Line > 0 && o.Line > 0 {
		o.Line = n.Pos.Line
	}
	return o
}

func (v *view) bucket(name string, b *bucket) snapshot.Bucket {
	path := func(member string) string { return "buckets." + name + "." + member }
	out := snapshot.Bucket{Account: b.home.Account, Region: b.home.Region, RequestPayer: snapshot.Of("BucketOwner")}
	out.Versioning = read[string](v, b.origin, path("versioning"), "versioning", b.config["versioning"], false)
	out.Replication = read[snapshot.Replication](v, b.origin, path("replication"), "the replication configuration, whose rules are not judged,", b.config["replication"], true)
	out.Encryption = read[snapshot.Encryption](v, b.origin, path("encryption"), "the default encryption", orDefault(b.config["encryption"], sses3), false)
	out.ObjectLock = read[snapshot.ObjectLock](v, b.origin, path("objectLock"), "Object Lock", b.config["objectLock"], false)
	if n, ok := b.known("ownership", jsontree.Str("BucketOwnerEnforced")); ok {
		out.Ownership = read[string](v, b.origin, path("ownership"), "object ownership", n, false)
	}
	if n, ok := b.known("publicAccessBlock", jsontree.Node{}); ok {
		out.PublicAccessBlock = read[jsontree.Node](v, b.origin, path("publicAccessBlock"), "the public access block", n, false)
	}
	if n, ok := b.known("notifications", jsontree.Obj()); ok {
		out.Notifications = read[jsontree.Node](v, b.origin, path("notifications"), "the notification configuration", n, false)
	}
	out.Tags = read[map[string]string](v, b.origin, path("tags"), "tags", orDefault(b.config["tags"], jsontree.Obj()), false)
	if payer, ok := b.config["requestPayer"]; ok {
		out.RequestPayer = read[string](v, b.origin, path("requestPayer"), "who pays requests", payer, false)
	}
	switch {
	case b.policy != nil:
		out.Policy = v.document(b.policy, path("policy"), "the bucket policy", true)
		v.origins[snapshot.Ref{Kind: snapshot.SourceBucketPolicy, ID: name}.String()] = b.policy.origin
		v.origins[snapshot.Ref{Kind: snapshot.DestinationBucketPolicy, ID: name}.String()] = b.policy.origin
	case b.perhaps != "":
		out.Policy = v.perhaps(b.origin, path("policy"), b.perhaps, true)
	default:
		out.Policy = snapshot.None[policy.Document]()
	}
	return out
}

// known is a part of the configuration, by default that of a new bucket; false says that nobody told.
func (b *bucket) known(member string, byDefault jsontree.Node) (jsontree.Node, bool) {
	n := b.config[member]
	if set := n.Present() || isUnknown(n); set || b.existing {
		return n, set
	}
	return byDefault, true
}

// decoder reads what the API's shapes hold beside plain values.
var decoder = jsontree.Decoder{Types: map[reflect.Type]func(jsontree.Node, string) (any, error){
	reflect.TypeFor[jsontree.Node](): func(n jsontree.Node, _ string) (any, error) { return n, nil },
}}

// sses3 is the encryption of new buckets. Which types they block decides nothing where there are no objects.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/default-encryption-faq.html
var sses3 = jsontree.Obj(jsontree.Member{Name: "Rules", Value: jsontree.List(jsontree.Obj(jsontree.Member{
	Name: "ApplyServerSideEncryptionByDefault", Value: jsontree.Obj(jsontree.Member{Name: "SSEAlgorithm", Value: jsontree.Str("AES256")}),
}))})

func orDefault(n, fallback jsontree.Node) jsontree.Node {
	if n.Present() || isUnknown(n) {
		return n
	}
	return fallback
}

func (v *view) role(arn policy.ARN, r *role) snapshot.Role {
	path := func(member string) string { return "roles." + arn.String() + "." + member }
	inline := make(map[string]policy.Document)
	attached := make(map[string]policy.Document)
	out := snapshot.Role{
		Trust:  v.document(r.trust, path("trust"), "the trust policy", true),
		Inline: snapshot.Of(inline), Attached: snapshot.Of(attached), Boundary: snapshot.None[snapshot.Boundary](), Tags: snapshot.Of(map[string]string{}),
	}
	fill := func(into map[string]policy.Document, from map[string]*document, member string, to *snapshot.Value[map[string]policy.Document]) {
		for _, name := range slices.Sorted(maps.Keys(from)) {
			d := v.document(from[name], path(member), "policy "+name, false)
			if into[name] = d.V; d.State != snapshot.Present {
				*to = snapshot.Value[map[string]policy.Document]{}
			}
			ref := snapshot.Ref{Kind: snapshot.RolePolicy, ID: arn.String(), Name: name}
			if member == "attached" {
				ref.Name = ""
				ref.ID = name
			}
			v.origins[ref.String()] = from[name].origin
		}
	}
	fill(inline, r.inline, "inline", &out.Inline)
	fill(attached, r.attached, "attached", &out.Attached)
	if r.perhaps != "" {
		if d := v.perhaps(r.origin, path("inline"), r.perhaps, false); d.State == snapshot.Present {
			inline["unresolved"] = d.V
		} else {
			out.Inline = snapshot.Value[map[string]policy.Document]{}
		}
	}
	if r.boundary.Present() || isUnknown(r.boundary) {
		out.Boundary = v.boundary(r, path("boundary"))
	}
	return out
}

func (v *view) boundary(r *role, path string) snapshot.Value[snapshot.Boundary] {
	arn, ok := text(r.boundary)
	d := v.managed[arn]
	if d == nil {
		why := unknown(r.boundary, "it is made by none of the files")
		if !ok {
			why = r.boundary
		}
		d = &document{r.origin, why}
		if aws, known := managedByAWS(arn, r.origin); known {
			d = aws
		}
	}
	doc := v.document(d, path, "the permissions boundary", false)
	if doc.State != snapshot.Present {
		return snapshot.Value[snapshot.Boundary]{}
	}
	return snapshot.Of(snapshot.Boundary{ARN: arn, Document: doc.V})
}

func (v *view) key(arn policy.ARN, k *key) snapshot.Key {
	path := "keys." + arn.String()
	out := snapshot.Key{
		State: k.state, Manager: "CUSTOMER", MultiRegion: k.multiRegion,
		Spec: textOr(k.spec, "SYMMETRIC_DEFAULT"), Usage: textOr(k.usage, "ENCRYPT_DECRYPT"),
		Grants: snapshot.Of([]snapshot.Grant{}), Aliases: snapshot.Of(slices.Sorted(slices.Values(k.aliases))), Tags: snapshot.Of(map[string]string{}),
	}
	for what, n := range map[string]jsontree.Node{"key spec": k.spec, "key usage": k.usage} {
		if isUnknown(n) {
			v.say(k.origin, fmt.Sprintf("the %s is not resolved: %s", what, n.Text), false)
			out.State = "" // whether S3 can use the key is then not known
		}
	}
	if k.granted {
		out.Grants = snapshot.Value[[]snapshot.Grant]{}
		v.say(k.origin, "its grants are not read here: what they allow is not known", false)
	}
	if k.perhaps != "" {
		out.Aliases = snapshot.Value[[]string]{}
		v.say(k.origin, k.perhaps, false)
	}
	d := k.policy
	if d == nil {
		d = &document{k.origin, defaultKeyPolicy(arn.Partition, arn.Account)}
	}
	out.Policy = v.document(d, path+".policy", "the key policy", true)
	return out
}

// perhaps stands for a policy that may be there: missing, or at best one that allows all.
func (v *view) perhaps(o Origin, path, why string, ofResource bool) snapshot.Value[policy.Document] {
	return v.document(&document{o, unknown(jsontree.Node{}, "%s", why)}, path, "whether there is a further policy", ofResource)
}

// document reads a policy. One that is not resolved is missing or, at best, allows all that it might.
func (v *view) document(d *document, path, what string, ofResource bool) snapshot.Value[policy.Document] {
	n := d.node
	if n.Kind == jsontree.String { // Terraform has policies as texts, and CloudFormation takes them so
		parsed, err := jsontree.Parse([]byte(n.Text), policy.MaxSize)
		if err != nil {
			parsed = unknown(n, "it is no JSON: %s", err)
		}
		n = parsed
	}
	n = asTexts(n)
	why := ""
	if u, ok := unresolved(n); ok {
		why = u.Text
		v.say(placed(d.origin, u), fmt.Sprintf("%s is not resolved: %s", what, why), false)
	} else if pattern, ok := v.hangsOnName(n); ok {
		why = fmt.Sprintf("the pattern %s may match a name that AWS will make up", pattern)
		v.say(d.origin, fmt.Sprintf("%s cannot be judged: %s; give what it is for a name of its own", what, why), false)
	}
	if why == "" {
		out, err := policy.FromNode(n, "")
		if err == nil {
			return snapshot.Of(out)
		}
		why = "AWS would refuse it: " + err.Error()
		v.say(d.origin, fmt.Sprintf("%s is no valid policy: %s", what, err), false)
	}
	v.unresolved = true
	if v.atBest {
		if out, err := policy.FromNode(v.widened(n, ofResource), ""); err == nil {
			return snapshot.Of(out)
		}
	}
	v.out.Unreadable[path] = d.origin.String() + ": " + why
	return snapshot.Value[policy.Document]{}
}

// asTexts has numbers as strings, as both tools send them: an account id in YAML is a number.
func asTexts(n jsontree.Node) jsontree.Node {
	switch n.Kind {
	case jsontree.Number:
		n.Kind = jsontree.String
	case jsontree.Array:
		items := make([]jsontree.Node, len(n.Items))
		for i, item := range n.Items {
			items[i] = asTexts(item)
		}
		n.Items = items
	case jsontree.Object:
		fields := make([]jsontree.Member, len(n.Fields))
		for i, f := range n.Fields {
			fields[i] = jsontree.Member{Name: f.Name, Value: asTexts(f.Value)}
		}
		n.Fields = fields
	default:
	}
	return n
}
