package guard_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/replimend/replimend/internal/authz"
	"github.com/replimend/replimend/internal/guard"
	"github.com/replimend/replimend/internal/patch"
	"github.com/replimend/replimend/internal/policy"
	"github.com/replimend/replimend/internal/snapshot"
)

// TestAttackedPlansAreRefused: a good plan is attacked in every way that a plan can be written, and the evaluator, which knows
// none of the rules, says what the documents allow after it that they did not allow before. Anything but the route's role, with
// actions of replication, on the route's own buckets and keys, must be refused; so must anything that was allowed and is not.
func TestAttackedPlansAreRefused(t *testing.T) {
	t.Parallel()
	base := load(t, map[string]string{"settings.json": `{"routes": {"0": {"allow": {"roleTrust": true}}}}`})
	questions := ask()
	before := answers(questions, base.snapshot)
	harmful, harmless := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		s := base
		s.plan.Edits = slices.Clone(base.plan.Edits)
		for range rapid.IntRange(1, 3).Draw(t, "attacks") {
			attack(t, &s)
		}
		v := s.check()
		harm := harmFrom(questions, before, written(s.plan, s.snapshot))
		switch {
		case harm == "" && v.Decision != guard.Refuse:
			harmless++
		case harm != "":
			harmful++
			if v.Decision != guard.Refuse {
				t.Fatalf("%s, and the verdict is %s%s", harm, text(v), s.plan.Diff())
			}
		}
	})
	// Plans of one kind only would prove nothing.
	if harmful == 0 || harmless == 0 {
		t.Errorf("%d harmful plans, %d that may be done: want both", harmful, harmless)
	}
}

// TestGoodPlanDoesNoHarm: what the evaluator calls harm is not what the plan of the base does; it does grant something.
func TestGoodPlanDoesNoHarm(t *testing.T) {
	t.Parallel()
	base := load(t, nil)
	questions := ask()
	before := answers(questions, base.snapshot)
	after := answers(questions, written(base.plan, base.snapshot))
	if harm := harmFrom(questions, before, written(base.plan, base.snapshot)); harm != "" {
		t.Error(harm)
	}
	if slices.Equal(before, after) {
		t.Error("the evaluator sees no difference")
	}
}

// written is the cloud after a store has written every edit, whatever the edit says of what was there before.
func written(p patch.Plan, s *snapshot.Snapshot) *snapshot.Snapshot {
	for _, e := range p.Edits {
		s, _ = s.WithDocument(e.Document, e.After)
	}
	return s
}

// question is one request, and which policies of the snapshot are asked for it.
type question struct {
	request  authz.Request
	identity string       // "real": of the role; "all": a policy that allows everything; "none"
	resource snapshot.Ref // zero: a policy that allows everybody everything
	expected bool         // whether a plan may grant it
}

func (q question) String() string {
	var context []string
	for key, values := range q.request.Context.Given() {
		context = append(context, key+"="+strings.Join(values, ","))
	}
	return fmt.Sprintf("%s %s on %s with %v (identity policies: %s)", q.request.Principal, q.request.Action, q.request.Resource, context, q.identity)
}

// everything is a policy that keeps nothing back, so that the other layer of a request across accounts decides alone.
var everything = authz.Compile("everything", mustParse(`{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}}`))

var everyIdentity = authz.Compile("everything", mustParse(`{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}`))

func mustParse(s string) policy.Document {
	d, err := policy.Parse([]byte(s))
	if err != nil {
		panic(err)
	}
	return d
}

func mustARN(s string) policy.ARN {
	a, err := policy.ParseARN(s)
	if err != nil {
		panic(err)
	}
	return a
}

// answers is whether each question is allowed.
func answers(questions []question, s *snapshot.Snapshot) []bool {
	documents := map[snapshot.Ref]*authz.Policy{}
	for _, q := range questions {
		if d, ok := s.Document(q.resource).Get(); ok && documents[q.resource] == nil {
			documents[q.resource] = authz.Compile(q.resource.String(), d)
		}
	}
	var real []*authz.Policy
	for _, name := range slices.Sorted(maps.Keys(s.Roles[mustARN(approvedRole)].V.Inline.V)) {
		real = append(real, authz.Compile(name, s.Roles[mustARN(approvedRole)].V.Inline.V[name]))
	}
	out := make([]bool, len(questions))
	for i, q := range questions {
		layers := authz.Layers{Resource: documents[q.resource]}
		if q.resource == (snapshot.Ref{}) {
			layers.Resource = everything
		}
		switch q.identity {
		case "real":
			layers.Identity = real
		case "all":
			layers.Identity = []*authz.Policy{everyIdentity}
		}
		out[i] = authz.Decide(&q.request, &layers).Outcome == authz.Allowed
	}
	return out
}

// harmFrom is the first answer that changed and should not have, "" without one.
func harmFrom(questions []question, before []bool, after *snapshot.Snapshot) string {
	for i, allowed := range answers(questions, after) {
		switch q := questions[i]; {
		case allowed && !before[i] && !q.expected:
			return q.String() + " becomes possible"
		case before[i] && !allowed:
			return q.String() + " is no longer possible"
		}
	}
	return ""
}

// thing is something that is asked for.
type thing struct {
	arn, account string
	policy       snapshot.Ref // zero: of no document of the route
}

// ask is every question: everybody, for everything that an attacker would like and for everything that replication needs.
func ask() []question {
	bucket := func(name, account string, kind snapshot.Kind) []thing {
		ref := snapshot.Ref{Kind: kind, ID: name}
		if kind == "" {
			ref = snapshot.Ref{}
		}
		var out []thing
		for _, resource := range []string{name, name + "/ledger/a", name + "/ledge", name + "/other/a"} {
			out = append(out, thing{"arn:aws:s3:::" + resource, account, ref})
		}
		return out
	}
	buckets := slices.Concat(
		bucket(sourceName, "111122223333", snapshot.SourceBucketPolicy), bucket(destName, "444455556666", snapshot.DestinationBucketPolicy),
		bucket("attackers-bucket", "777788889999", ""), bucket(destName+"2", "777788889999", ""), bucket("x", "777788889999", ""),
	)
	keys := []thing{
		{sourceKeyARN, "111122223333", snapshot.Ref{Kind: snapshot.SourceKeyPolicy, ID: sourceKeyARN}},
		{replicaKey, "444455556666", snapshot.Ref{Kind: snapshot.ReplicaKeyPolicy, ID: replicaKey}},
		{"arn:aws:kms:us-east-1:777788889999:key/1234abcd-12ab-34cd-56ef-1234567890ab", "777788889999", snapshot.Ref{}},
		{"arn:aws:kms:eu-west-1:777788889999:key/x", "777788889999", snapshot.Ref{}},
	}
	roles := []thing{
		{approvedRole, "111122223333", snapshot.Ref{Kind: snapshot.RoleTrust, ID: approvedRole}},
		{"arn:aws:iam::777788889999:role/admin", "777788889999", snapshot.Ref{}},
	}
	var out []question
	for _, c := range contextsOf(nil, "") {
		for _, on := range buckets {
			for _, action := range []string{
				"s3:GetReplicationConfiguration", "s3:ListBucket", "s3:GetObjectVersionForReplication", "s3:GetObjectVersionAcl",
				"s3:GetObjectVersionTagging", "s3:ReplicateObject", "s3:ReplicateDelete", "s3:ReplicateTags", "s3:ObjectOwnerOverrideToBucketOwner",
				"s3:GetObject", "s3:PutObject", "s3:DeleteObject", "s3:PutBucketPolicy", "s3:PutBucketVersioning", "s3:BypassGovernanceRetention",
			} {
				out = append(out, asked(action, on, c)...)
			}
		}
	}
	for _, c := range contextsOf([]string{"s3.us-east-1.amazonaws.com", "s3.eu-west-1.amazonaws.com", "ec2.us-east-1.amazonaws.com", ""}, sourceName, destName) {
		for _, on := range keys {
			for _, action := range []string{"kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey", "kms:CreateGrant", "kms:PutKeyPolicy"} {
				out = append(out, asked(action, on, c)...)
			}
		}
	}
	for _, on := range roles {
		for _, action := range []string{"sts:AssumeRole", "iam:PassRole", "iam:PutRolePolicy", "sts:TagSession"} {
			out = append(out, asked(action, on, authz.Context{})...)
		}
	}
	return out
}

// contextsOf is what requests carry: plain or encrypted ways for S3; for keys, through whom and for which object.
func contextsOf(services []string, buckets ...string) []authz.Context {
	var out []authz.Context
	if services == nil {
		for _, secure := range []string{"true", "false"} {
			var c authz.Context
			c.Set("aws:SecureTransport", secure)
			c.Set("aws:PrincipalTag/x", "y")
			out = append(out, c)
		}
		return out
	}
	objects := []string{"", "arn:aws:s3:::attackers-bucket/ledger/a"}
	for _, b := range buckets {
		objects = append(objects, "arn:aws:s3:::"+b, "arn:aws:s3:::"+b+"/ledger/a", "arn:aws:s3:::"+b+"/other/a")
	}
	for _, service := range services {
		for _, object := range objects {
			var c authz.Context
			c.Set("aws:PrincipalTag/x", "y")
			if service != "" {
				c.Set("kms:ViaService", service)
			}
			if object != "" {
				c.Set("kms:EncryptionContext:aws:s3:arn", object)
			}
			out = append(out, c)
		}
	}
	return out
}

// asked is one request by everybody. The role is asked about twice, with one of the two layers kept open each time, because a
// plan may grant in one document what another does not allow yet. Others have every permission in their own account, or none.
func asked(action string, on thing, c authz.Context) []question {
	arn := mustARN(on.arn)
	request := func(p authz.Principal, owner string) authz.Request {
		return authz.Request{Principal: p, Action: action, Resource: arn, ResourceAccount: owner, Context: c}
	}
	role := authz.SessionOf(mustARN(approvedRole), "s3-replication", "AROAEXAMPLEREPLICATN")
	fits := mayBeGranted(action, on.arn, &c)
	out := []question{
		{request(role, on.account), "all", on.policy, fits},
		{request(role, "000000000000"), "real", snapshot.Ref{}, fits}, // only the role's own policies can say no
	}
	for _, p := range others {
		for _, identity := range []string{"all", "none"} {
			assumes := action == "sts:AssumeRole" && on.arn == approvedRole && p.Name == "s3.amazonaws.com"
			out = append(out, question{request(p, on.account), identity, on.policy, assumes})
		}
	}
	return out
}

var others = func() []authz.Principal {
	var out []authz.Principal
	for _, s := range []string{
		"arn:aws:sts::111122223333:assumed-role/operator/s", "arn:aws:sts::111122223333:assumed-role/replication/s",
		"arn:aws:sts::444455556666:assumed-role/analysts/s", "arn:aws:sts::777788889999:assumed-role/attacker/s",
		"arn:aws:iam::777788889999:user/attacker", "arn:aws:iam::777788889999:root", "arn:aws:iam::444455556666:user/u",
		"anonymous", "s3.amazonaws.com", "batchoperations.s3.amazonaws.com", "ec2.amazonaws.com",
	} {
		p, err := authz.ParsePrincipal(s)
		if err != nil {
			panic(err)
		}
		out = append(out, p)
	}
	// The role of the same name that somebody made under no path has a unique id of its own.
	out[1].UniqueID = "AROAOTHER"
	return out
}()

// mayBeGranted is what replication of the base's route needs, written by hand.
func mayBeGranted(action, resource string, c *authz.Context) bool {
	value := func(key string) string {
		v, _ := c.Values(key)
		return strings.Join(v, ",")
	}
	service, object := value("kms:ViaService"), value("kms:EncryptionContext:aws:s3:arn")
	forBucket := func(name string) bool {
		return object == "arn:aws:s3:::"+name || strings.HasPrefix(object, "arn:aws:s3:::"+name+"/ledger/")
	}
	switch action {
	case "s3:GetReplicationConfiguration", "s3:ListBucket":
		return resource == "arn:aws:s3:::"+sourceName
	case "s3:GetObjectVersionForReplication", "s3:GetObjectVersionAcl", "s3:GetObjectVersionTagging":
		return strings.HasPrefix(resource, "arn:aws:s3:::"+sourceName+"/ledger/")
	case "s3:ReplicateObject", "s3:ReplicateTags", "s3:ObjectOwnerOverrideToBucketOwner":
		return strings.HasPrefix(resource, "arn:aws:s3:::"+destName+"/ledger/")
	case "kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey":
		return action == "kms:Decrypt" && resource == sourceKeyARN && service == "s3.us-east-1.amazonaws.com" && forBucket(sourceName) ||
			resource == replicaKey && service == "s3.eu-west-1.amazonaws.com" && forBucket(destName)
	default:
		return false
	}
}

// attack changes one thing of a plan. What cannot be written as a document is left as it was.
func attack(t *rapid.T, s *situation) {
	i := rapid.IntRange(0, len(s.plan.Edits)-1).Draw(t, "edit")
	e := &s.plan.Edits[i]
	switch rapid.SampledFrom([]string{
		"mutate", "mutate", "text", "text", "text", "statement", "statement", "document", "again", "before", "remove", "account", "empty", "drift",
	}).Draw(t, "attack") {
	case "mutate":
		mutate(t, e)
	case "text":
		rewrite(t, e)
	case "statement":
		inject(t, e)
	case "document":
		e.Document = rapid.SampledFrom([]snapshot.Ref{
			{Kind: snapshot.SourceBucketPolicy, ID: sourceName},
			{Kind: snapshot.DestinationBucketPolicy, ID: sourceName},
			{Kind: snapshot.SourceKeyPolicy, ID: sourceKeyARN},
			{Kind: snapshot.ReplicaKeyPolicy, ID: sourceKeyARN},
			{Kind: snapshot.SourceKeyPolicy, ID: replicaKey},
			{Kind: snapshot.RoleTrust, ID: approvedRole},
			{Kind: snapshot.RolePolicy, ID: approvedRole, Name: "replication"},
			{Kind: snapshot.PermissionsBoundary, ID: approvedRole},
			{Kind: snapshot.SCP, ID: "111122223333"},
		}).Draw(t, "document")
		if rapid.Bool().Draw(t, "live") {
			added := e.After.V.Statements[min(len(e.Before.V.Statements), len(e.After.V.Statements)):]
			e.Before = s.snapshot.Document(e.Document)
			e.After = snapshot.Of(e.Before.V.Append(added...))
			e.Account = ownerOf(e.Document.ID)
		}
	case "again":
		s.plan.Edits = append(s.plan.Edits, *e)
		e = &s.plan.Edits[len(s.plan.Edits)-1]
		mutate(t, e)
	case "before":
		e.Before = e.After
	case "remove":
		e.After = snapshot.None[policy.Document]()
	case "account":
		e.Account = rapid.SampledFrom([]string{"", "111122223333", "777788889999"}).Draw(t, "account")
	case "empty":
		s.plan.Edits = slices.Concat(s.plan.Edits[:i], s.plan.Edits[i+1:])
		if len(s.plan.Edits) == 0 {
			s.plan.Edits = []patch.Edit{*e}
		}
		return
	case "drift":
		e.Before = snapshot.None[policy.Document]()
	}
	if rapid.Bool().Draw(t, "list") {
		e.Adds = adds(*e)
	}
}

// rewrite changes characters of any text of a document: a wildcard at any place, another account, partition, Region or bucket.
func rewrite(t *rapid.T, e *patch.Edit) {
	text, err := json.Marshal(e.After.V)
	if err != nil {
		t.Fatal(err)
	}
	var d any
	if err := json.Unmarshal(text, &d); err != nil {
		return // there is no document
	}
	var places []func(func(string) string)
	texts(d, &places)
	if len(places) == 0 {
		return
	}
	rapid.SampledFrom(places).Draw(t, "place")(func(old string) string {
		at := rapid.IntRange(0, len(old)).Draw(t, "at")
		to := rapid.IntRange(at, len(old)).Draw(t, "to")
		return rapid.SampledFrom([]string{
			old[:at] + "*" + old[to:], old[:at] + "?" + old[min(at+1, len(old)):], old[:at] + "*", old[:at],
			strings.Replace(old, "111122223333", "777788889999", 1), strings.Replace(old, "444455556666", "111122223333", 1),
			strings.Replace(old, ":aws:", ":aws-cn:", 1), strings.Replace(old, "ledger/", "", 1), strings.Replace(old, "ledger/", "${aws:PrincipalTag/x}", 1),
			strings.Replace(old, "service-role/", "", 1), strings.ToUpper(old), old + " ", "*", old[:at] + "${*}" + old[at:],
			strings.Replace(old, "source", "destination", 1), strings.Replace(old, "eu-west-1", "us-east-1", 1), strings.Replace(old, "Equals", "NotEquals", 1),
			strings.Replace(old, "Decrypt", "Encrypt", 1), "Deny", "Allow",
		}).Draw(t, "text")
	})
	if text, err = json.Marshal(d); err != nil {
		t.Fatal(err)
	}
	if after, err := policy.Parse(text); err == nil {
		e.After = snapshot.Of(after)
	}
}

// texts is every place of a document that holds a text, the names of condition operators and keys included.
func texts(d any, out *[]func(func(string) string)) {
	switch d := d.(type) {
	case map[string]any:
		for _, k := range slices.Sorted(maps.Keys(d)) {
			if s, ok := d[k].(string); ok {
				*out = append(*out, func(f func(string) string) { d[k] = f(s) })
			}
			if k != "Statement" && k != "Condition" && !slices.Contains([]string{"Version", "Effect", "Sid", "Principal", "Action", "Resource"}, k) {
				*out = append(*out, func(f func(string) string) {
					v := d[k]
					delete(d, k)
					d[f(k)] = v
				})
			}
			texts(d[k], out)
		}
	case []any:
		for i := range d {
			if s, ok := d[i].(string); ok {
				*out = append(*out, func(f func(string) string) { d[i] = f(s) })
			}
			texts(d[i], out)
		}
	}
}

// inject puts a statement of its own behind those of a document.
func inject(t *rapid.T, e *patch.Edit) {
	pick := func(label string, values ...string) string { return rapid.SampledFrom(values).Draw(t, label) }
	s := map[string]any{
		"Sid":    pick("sid", "ReplimendX", "", "ReplimendEncrypt1"),
		"Effect": pick("effect", "Allow", "Allow", "Allow", "Deny"),
		pick("action element", "Action", "Action", "Action", "NotAction"): pick("action", "kms:Decrypt", "kms:Encrypt", "s3:ReplicateObject",
			"s3:ReplicateDelete", "s3:GetObjectVersionForReplication", "s3:ListBucket", "s3:GetObject", "sts:AssumeRole", "iam:PassRole", "s3:*", "*", "ec2:*"),
	}
	if s["Sid"] == "" {
		delete(s, "Sid")
	}
	if e.Document.Kind != snapshot.RolePolicy || rapid.Bool().Draw(t, "with principal") {
		kind := pick("kind", "AWS", "AWS", "Service", "Federated")
		s[pick("principal element", "Principal", "Principal", "Principal", "NotPrincipal")] = map[string]any{
			kind: pick("principal", approvedRole, approvedRole, "*", "111122223333", "777788889999", "arn:aws:iam::777788889999:role/attacker",
				"arn:aws:sts::111122223333:assumed-role/replication/s", "arn:aws:iam::111122223333:role/replication", "s3.amazonaws.com", "ec2.amazonaws.com", "AROAEXAMPLEREPLICATN"),
		}
	}
	if e.Document.Kind != snapshot.RoleTrust || rapid.Bool().Draw(t, "with resource") {
		s[pick("resource element", "Resource", "Resource", "Resource", "NotResource")] = pick("resource", "*", sourceKeyARN, replicaKey,
			"arn:aws:s3:::"+sourceName, "arn:aws:s3:::"+sourceName+"/*", "arn:aws:s3:::"+sourceName+"/ledger/*", "arn:aws:s3:::"+destName+"/ledger/*", "arn:aws:s3:::"+destName+"*",
			"arn:aws:s3:::attackers-bucket/*", "arn:aws:kms:*:777788889999:key/*", "arn:aws:iam::777788889999:role/admin")
	}
	if rapid.Bool().Draw(t, "with condition") {
		s["Condition"] = map[string]any{
			pick("operator", "StringEquals", "StringLike", "StringEqualsIfExists", "ForAllValues:StringLike", "ForAnyValue:StringLike", "StringNotEquals", "Null"): map[string]any{
				pick("key", "kms:ViaService", "kms:EncryptionContext:aws:s3:arn", "aws:PrincipalTag/x", "aws:SourceArn", "KMS:viaservice"): pick("value",
					"s3.us-east-1.amazonaws.com", "s3.eu-west-1.amazonaws.com", "*", "y", "true", "arn:aws:s3:::"+destName+"/ledger/*", "arn:aws:s3:::"+sourceName),
			},
		}
	}
	text, err := json.Marshal(map[string]any{"Version": "2012-10-17", "Statement": s})
	if err != nil {
		t.Fatal(err)
	}
	d, err := policy.Parse(text)
	if err != nil || e.After.State != snapshot.Present {
		return
	}
	e.After = snapshot.Of(e.After.V.Append(d.Statements...))
}
