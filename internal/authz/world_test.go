package authz_test

import (
	"flag"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/replimend/replimend/internal/authz"
	"github.com/replimend/replimend/internal/jsontree"
	"github.com/replimend/replimend/internal/policy"
	"pgregory.net/rapid"
)

// TestMain asks for more worlds than rapid's 100: three values, eight layers and 27 operators have many corners. The flag
// -rapid.checks still decides.
func TestMain(m *testing.M) {
	if err := flag.Set("rapid.checks", "3000"); err != nil {
		panic(err)
	}
	os.Exit(m.Run())
}

// world is a request with everything that decides it, in a form that properties can change. Its vocabulary is small, so that
// patterns, principals and values often meet.
type world struct {
	request authz.Request // without context
	open    bool
	closed  []string
	keys    []key

	identity, boundary, session, endpoint []document
	resource                              *document
	scps, rcps                            [][]document
	grants                                []authz.Grant
	missing                               authz.LayerSet
}

// key is one condition key. Absent keys have no values.
type key struct {
	name    string
	values  []string
	unknown bool
}

type document struct {
	version    string
	statements []jsontree.Node
}

// all is every document of the world.
func (w *world) all() []*document {
	var out []*document
	add := func(docs []document) {
		for i := range docs {
			out = append(out, &docs[i])
		}
	}
	for _, docs := range [][]document{w.identity, w.boundary, w.session, w.endpoint} {
		add(docs)
	}
	for _, levels := range [][][]document{w.scps, w.rcps} {
		for _, level := range levels {
			add(level)
		}
	}
	if w.resource != nil {
		out = append(out, w.resource)
	}
	return out
}

// unknown says whether nothing is known of a key.
func (w *world) unknown(name string) bool {
	for _, k := range w.keys {
		if strings.EqualFold(k.name, name) {
			return k.unknown
		}
	}
	return w.open && !slices.ContainsFunc(w.closed, func(p string) bool {
		return strings.HasPrefix(strings.ToLower(name), strings.ToLower(p))
	})
}

// settle gives an unknown key values, or makes it absent when there are none.
func (w *world) settle(name string, values ...string) {
	for i, k := range w.keys {
		if strings.EqualFold(k.name, name) {
			w.keys[i] = key{name: name, values: values}
			return
		}
	}
	w.keys = append(w.keys, key{name: name, values: values})
}

func (w *world) build(t fataler) (*authz.Request, *authz.Layers) {
	r := w.request
	r.Context = authz.Context{Open: w.open}
	r.Context.Close(w.closed...)
	for _, k := range w.keys {
		if k.unknown {
			r.Context.SetUnknown(k.name)
		} else {
			r.Context.Set(k.name, k.values...)
		}
	}
	levels := func(in [][]document) [][]*authz.Policy {
		var out [][]*authz.Policy
		for _, level := range in {
			out = append(out, compileAll(t, level))
		}
		return out
	}
	l := &authz.Layers{
		Identity: compileAll(t, w.identity), Boundary: compileAll(t, w.boundary), Session: compileAll(t, w.session),
		Endpoint: compileAll(t, w.endpoint), SCPs: levels(w.scps), RCPs: levels(w.rcps), Grants: w.grants, Missing: w.missing,
	}
	if w.resource != nil {
		l.Resource = w.resource.compile(t)
	}
	return &r, l
}

func (w *world) decide(t fataler) authz.Decision {
	r, l := w.build(t)
	return authz.Decide(r, l)
}

// fataler is what *testing.T, *testing.B and *rapid.T have in common.
type fataler interface{ Fatal(args ...any) }

func compileAll(t fataler, docs []document) []*authz.Policy {
	if docs == nil {
		return nil
	}
	out := make([]*authz.Policy, len(docs))
	for i := range docs {
		out[i] = docs[i].compile(t)
	}
	return out
}

func (d *document) compile(t fataler) *authz.Policy {
	n := jsontree.Obj()
	if d.version != "" {
		n = n.With("Version", jsontree.Str(d.version))
	}
	doc, err := policy.FromNode(n.With("Statement", jsontree.List(d.statements...)), "")
	if err != nil {
		t.Fatal(err)
	}
	return authz.Compile("doc", doc)
}

const (
	here      = "111122223333"
	elsewhere = "444455556666"
	roleID    = "AROAEXAMPLEEXAMPLE01"
	userID    = "AIDAEXAMPLEEXAMPLE01"
)

var (
	roleARN    = mustARN("arn:aws:iam::111122223333:role/replication/copier")
	serviceARN = mustARN("arn:aws:iam::111122223333:role/aws-service-role/s3.amazonaws.com/AWSServiceRoleForS3")
	objectARN  = mustARN("arn:aws:s3:::bucket/alice/report")
	keyARN     = mustARN("arn:aws:kms:us-east-1:111122223333:key/1234abcd")
)

func mustARN(s string) policy.ARN {
	a, err := policy.ParseARN(s)
	if err != nil {
		panic(err)
	}
	return a
}

func mustPrincipal(s string) authz.Principal {
	p, err := authz.ParsePrincipal(s)
	if err != nil {
		panic(err)
	}
	return p
}

var callers = func() []authz.Principal {
	alice, federated := mustPrincipal("arn:aws:iam::111122223333:user/alice"), mustPrincipal("arn:aws:sts::111122223333:federated-user/bob")
	alice.UniqueID = userID
	federated.Issuer, federated.UniqueID = alice.ARN, userID
	role := mustPrincipal(roleARN.String())
	role.UniqueID = roleID
	return []authz.Principal{
		authz.SessionOf(roleARN, "s3-replication", roleID),
		alice, role, federated,
		mustPrincipal("anonymous"),
		mustPrincipal("s3.amazonaws.com"),
		mustPrincipal("arn:aws:iam::111122223333:root"),
		mustPrincipal("arn:aws:iam::111122223333:oidc-provider/idp.example.com"),
		authz.SessionOf(serviceARN, "linked", ""),
	}
}()

// target is a kind of resource with actions on it and patterns that name it or nearly do.
type target struct {
	resource  policy.ARN
	actions   []string
	resources []string
}

var targets = []target{
	{
		objectARN,
		[]string{"s3:GetObject", "s3:ReplicateObject"},
		[]string{
			"arn:aws:s3:::bucket/*", "arn:aws:s3:::bucket/${aws:username}/*", "arn:aws:s3:::bucket/${aws:PrincipalTag/team, 'alice'}/rep?rt",
			"arn:aws:s3:::other/*", "arn:aws:s3:*", "arn:*:*:*:*:bucket/alice/report", "arn:aws:s3:::bucket/${*}",
		},
	},
	{
		keyARN,
		[]string{"kms:Decrypt", "kms:RetireGrant"},
		[]string{"arn:aws:kms:*:111122223333:key/*", keyARN.String(), "arn:aws:kms:us-east-1:444455556666:key/1234abcd"},
	},
	{
		roleARN,
		[]string{"sts:AssumeRole", "sts:TagSession", "iam:GetRole"},
		[]string{roleARN.String(), "arn:aws:iam::*:role/*", "arn:aws:iam::111122223333:role/${aws:username}"},
	},
	{policy.ARN{}, []string{"s3:CreateJob"}, []string{"arn:aws:s3:::*"}},
}

var principalNodes = []jsontree.Node{
	jsontree.Str("*"),
	member("AWS", "*"),
	member("AWS", here), member("AWS", elsewhere),
	member("AWS", "arn:aws:iam::111122223333:root"),
	member("AWS", roleARN.String(), "arn:aws:iam::111122223333:user/alice"),
	member("AWS", "arn:aws:iam::111122223333:user/alice"),
	member("AWS", "arn:aws:sts::111122223333:assumed-role/copier/s3-replication"),
	member("AWS", "arn:aws:sts::111122223333:federated-user/bob"),
	member("AWS", roleID), member("AWS", userID),
	member("Service", "s3.amazonaws.com"),
	member("Federated", "arn:aws:iam::111122223333:oidc-provider/idp.example.com"),
}

func member(name string, values ...string) jsontree.Node {
	return jsontree.Obj(jsontree.Member{Name: name, Value: jsontree.Strings(values...)})
}

// keyNames are the condition keys; the values are such as some operator can compare.
var (
	keyNames = []string{
		"aws:username", "aws:PrincipalTag/team", "aws:SourceArn", "aws:TagKeys",
		"kms:EncryptionContext:aws:s3:arn", "kms:EncryptionContext:app",
	}
	texts   = []string{"alice", "ALICE", "", "arn:aws:s3:::bucket", "arn:aws:s3:::bucket/alice/report", "5", "true", "2026-01-01", "10.0.0.1", "YQ=="}
	numbers = []string{"5", "7.0", "-1"}
	dates   = []string{"2026-01-01", "9999-12-31T00:00:00Z", "1767225600"}
	places  = []string{"10.0.0.0/8", "10.0.0.1", "2001:db8::/32"}
)

const lastOperator = policy.Null

func drawCondition(t *rapid.T) policy.Condition {
	c := policy.Condition{
		Operator: policy.Operator(rapid.IntRange(1, int(lastOperator)).Draw(t, "operator")),
		Key:      rapid.SampledFrom(keyNames).Draw(t, "key"),
	}
	if c.Operator != policy.Null {
		c.Qualifier = rapid.SampledFrom([]policy.Qualifier{policy.NoQualifier, policy.ForAllValues, policy.ForAnyValue}).Draw(t, "qualifier")
		c.IfExists = rapid.Bool().Draw(t, "ifExists")
	}
	from := []string{"alice", "al*", "?????", "arn:aws:s3:::bucket", "arn:aws:s3:::*", "arn:aws:s3:::bucket/alice/*"}
	switch name := c.Operator.String(); {
	case strings.HasPrefix(name, "Numeric"):
		from = numbers
	case strings.HasPrefix(name, "Date"):
		from = dates
	case strings.HasSuffix(name, "IpAddress"):
		from = places
	case name == "Bool" || name == "Null":
		from = []string{"true", "false"}
	case name == "BinaryEquals":
		from = []string{"YQ==", "Yg=="}
	}
	if c.Operator != policy.Null {
		from = append(slices.Clone(from), "${aws:username}", "${aws:PrincipalTag/team, 'alice'}")
	}
	c.Values = rapid.SliceOfN(rapid.SampledFrom(from), 1, 2).Draw(t, "values")
	return c
}

func drawStatement(t *rapid.T, on target, effect policy.Effect, withPrincipal bool) jsontree.Node {
	n := jsontree.Obj(jsontree.Member{Name: "Effect", Value: jsontree.Str(effect.String())})
	if withPrincipal {
		name := rapid.SampledFrom([]string{"Principal", "Principal", "Principal", "NotPrincipal", ""}).Draw(t, "principal element")
		if name != "" {
			n = n.With(name, rapid.SampledFrom(principalNodes).Draw(t, "principal"))
		}
	}
	actions := append([]string{"*", "s3:*", "kms:D*", "STS:assumerole", "kms:RetireGrant"}, on.actions...)
	name := rapid.SampledFrom([]string{"Action", "Action", "Action", "NotAction"}).Draw(t, "action element")
	n = n.With(name, jsontree.Strings(rapid.SliceOfN(rapid.SampledFrom(actions), 1, 2).Draw(t, "actions")...))
	name = rapid.SampledFrom([]string{"Resource", "Resource", "Resource", "NotResource", ""}).Draw(t, "resource element")
	if name != "" {
		resources := append([]string{"*"}, on.resources...)
		n = n.With(name, jsontree.Strings(rapid.SliceOfN(rapid.SampledFrom(resources), 1, 2).Draw(t, "resources")...))
	}
	conditions := jsontree.Obj()
	for range rapid.SampledFrom([]int{0, 0, 1, 2}).Draw(t, "conditions") {
		c := drawCondition(t)
		op := conditions.Get(c.OperatorText())
		if !op.Present() {
			op = jsontree.Obj()
		}
		conditions = conditions.With(c.OperatorText(), op.With(c.Key, jsontree.Strings(c.Values...)))
	}
	if len(conditions.Fields) > 0 {
		n = n.With("Condition", conditions)
	}
	return n
}

func drawDocument(t *rapid.T, on target, withPrincipal bool) document {
	d := document{version: rapid.SampledFrom([]string{"2012-10-17", "2012-10-17", ""}).Draw(t, "version")}
	for range rapid.SampledFrom([]int{1, 2, 3, 0}).Draw(t, "statements") {
		effect := rapid.SampledFrom([]policy.Effect{policy.Allow, policy.Allow, policy.Allow, policy.Deny}).Draw(t, "effect")
		d.statements = append(d.statements, drawStatement(t, on, effect, withPrincipal))
	}
	return d
}

func drawDocuments(t *rapid.T, on target, withPrincipal bool) []document {
	n := rapid.SampledFrom([]int{-1, 1, 2, 0}).Draw(t, "documents")
	if n < 0 {
		return nil
	}
	out := make([]document, n)
	for i := range out {
		out[i] = drawDocument(t, on, withPrincipal)
	}
	return out
}

// permitAll is a document that allows everything.
func permitAll() document {
	return document{version: "2012-10-17", statements: []jsontree.Node{jsontree.Obj(
		jsontree.Member{Name: "Effect", Value: jsontree.Str("Allow")},
		jsontree.Member{Name: "Action", Value: jsontree.Str("*")},
		jsontree.Member{Name: "Resource", Value: jsontree.Str("*")},
	)}}
}

func drawLevels(t *rapid.T, on target) [][]document {
	var out [][]document
	for range rapid.SampledFrom([]int{0, 0, 1, 2}).Draw(t, "levels") {
		level := drawDocuments(t, on, false)
		if rapid.Bool().Draw(t, "full access") {
			level = append(level, permitAll()) // silent guardrails would hide what the other layers say
		}
		out = append(out, level)
	}
	return out
}

func drawKeyValues(t *rapid.T) []string {
	return rapid.SliceOfN(rapid.SampledFrom(texts), 0, 2).Draw(t, "values of the key")
}

func drawGrant(t *rapid.T) authz.Grant {
	pairs := func(label string) map[string]string {
		return rapid.SampledFrom([]map[string]string{
			nil, nil, {"app": "alice"}, {"aws:s3:arn": "arn:aws:s3:::bucket"}, {"App": "alice"}, {"app": "alice", "aws:s3:arn": "5"},
		}).Draw(t, label)
	}
	return authz.Grant{
		ID: "grant",
		Grantee: rapid.SampledFrom([]string{
			roleARN.String(), here, "arn:aws:iam::111122223333:user/alice", "s3.amazonaws.com", roleID,
			"arn:aws:sts::111122223333:assumed-role/copier/s3-replication",
		}).Draw(t, "grantee"),
		Operations: []string{rapid.SampledFrom([]string{"Decrypt", "Decrypt", "RetireGrant"}).Draw(t, "operation")},
		Subset:     pairs("subset"),
		Equals:     pairs("equals"),
		SourceARN:  rapid.SampledFrom([]string{"", "", "arn:aws:s3:::bucket"}).Draw(t, "source of the grant"),
	}
}

// drawWorld makes a world; one with gaps has unknown keys and layers that could not be read.
func drawWorld(t *rapid.T, gaps bool) world {
	on := rapid.SampledFrom(targets).Draw(t, "target")
	w := world{request: authz.Request{
		Principal:       rapid.SampledFrom(callers).Draw(t, "caller"),
		Action:          rapid.SampledFrom(on.actions).Draw(t, "action"),
		Resource:        on.resource,
		ResourceAccount: rapid.SampledFrom([]string{here, here, elsewhere}).Draw(t, "owner"),
	}}
	for _, name := range keyNames {
		switch rapid.IntRange(0, 3).Draw(t, "state of "+name) {
		case 0:
			w.keys = append(w.keys, key{name: name, values: drawKeyValues(t)})
		case 1:
			if gaps {
				w.keys = append(w.keys, key{name: name, unknown: true})
			}
		}
	}
	if gaps && rapid.IntRange(0, 3).Draw(t, "open") == 0 {
		w.open = true
		w.closed = rapid.SliceOfN(rapid.SampledFrom([]string{"kms:EncryptionContext:", "aws:PrincipalTag/", "kms:EncryptionContext:aws"}), 0, 1).Draw(t, "closed")
	}
	w.identity = drawDocuments(t, on, false)
	if rapid.Bool().Draw(t, "has a boundary") {
		w.boundary = drawDocuments(t, on, false)
	}
	if rapid.Bool().Draw(t, "has a session policy") {
		w.session = drawDocuments(t, on, false)
	}
	if rapid.IntRange(0, 3).Draw(t, "through an endpoint") == 0 {
		w.endpoint = drawDocuments(t, on, true)
	}
	if rapid.IntRange(0, 3).Draw(t, "resource policy") > 0 {
		d := drawDocument(t, on, true)
		w.resource = &d
	}
	w.scps, w.rcps = drawLevels(t, on), drawLevels(t, on)
	if on.resource == keyARN {
		for range rapid.SampledFrom([]int{0, 1, 2}).Draw(t, "grants") {
			w.grants = append(w.grants, drawGrant(t))
		}
	}
	if gaps {
		for _, layer := range rapid.SliceOfN(rapid.SampledFrom(allLayers), 0, 2).Draw(t, "missing layers") {
			w.missing |= authz.SetOf(layer)
		}
	}
	return w
}

var allLayers = []authz.Layer{
	authz.LayerRCP, authz.LayerSCP, authz.LayerResource, authz.LayerGrant, authz.LayerIdentity, authz.LayerBoundary,
	authz.LayerSession, authz.LayerEndpoint,
}
