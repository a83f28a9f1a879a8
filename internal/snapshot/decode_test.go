package snapshot_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/replimend/replimend/internal/jsontree"
	"github.com/replimend/replimend/internal/policy"
	"github.com/replimend/replimend/internal/snapshot"
)

// full is a snapshot with every member of the contract, each present at least once.
func full(t testing.TB) string {
	t.Helper()
	data, err := os.ReadFile("testdata/full.json")
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSuffix(string(data), "\n")
}

// withBucket is a snapshot with one bucket of those members.
func withBucket(members string) string {
	return "{\"schema\": \"replimend/snapshot/v1\", \"buckets\": {\"src\": {\n" + members + "}}}"
}

func mustParse(t testing.TB, text string) *snapshot.Snapshot {
	t.Helper()
	s, err := snapshot.Parse([]byte(text))
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	return s
}

// saying compares what two snapshots say, wherever it stood in its text.
var saying = cmp.Options{cmp.Comparer(jsontree.Equal), cmpopts.EquateEmpty()}

func same(a, b *snapshot.Snapshot) bool { return cmp.Equal(a, b, saying) }

func diff(a, b *snapshot.Snapshot) string { return cmp.Diff(a, b, saying) }

// wantFault checks that a text is refused whole, with an error that has a position.
func wantFault(t *testing.T, text, want string) {
	t.Helper()
	s, err := snapshot.Parse([]byte(text))
	var syntax *jsontree.SyntaxError
	if !errors.As(err, &syntax) || syntax.Pos.Line == 0 || !strings.Contains(err.Error(), want) {
		t.Errorf("error %v, want %q with a position", err, want)
	}
	if s != nil {
		t.Error("an error came with a snapshot")
	}
}

func TestParseKnowsThreeStates(t *testing.T) {
	t.Parallel()
	s := mustParse(t, `{
		"schema": "replimend/snapshot/v1",
		"buckets": {"present": {"versioning": "Enabled", "policy": null}, "absent": null},
		"roles": {"arn:aws:iam::111122223333:role/r": {"boundary": null, "inline": {}}},
		"guardrails": {"111122223333": {"scps": null}, "444455556666": null}
	}`)
	b := s.Buckets["present"].V
	role := s.Roles[policy.ARN{Partition: "aws", Service: "iam", Account: "111122223333", Resource: "role/r"}].V
	for name, test := range map[string]struct{ got, want snapshot.State }{
		"bucket":            {s.Buckets["present"].State, snapshot.Present},
		"no bucket":         {s.Buckets["absent"].State, snapshot.Absent},
		"bucket not asked":  {s.Buckets["other"].State, snapshot.Missing},
		"versioning":        {b.Versioning.State, snapshot.Present},
		"no bucket policy":  {b.Policy.State, snapshot.Absent},
		"encryption":        {b.Encryption.State, snapshot.Missing},
		"no boundary":       {role.Boundary.State, snapshot.Absent},
		"inline, but empty": {role.Inline.State, snapshot.Present},
		"attached":          {role.Attached.State, snapshot.Missing},
		"no SCP":            {s.Guardrails["111122223333"].SCPs.State, snapshot.Absent},
		"RCP":               {s.Guardrails["111122223333"].RCPs.State, snapshot.Missing},
		"no organization":   {s.Guardrails["444455556666"].RCPs.State, snapshot.Absent},
		"account not asked": {s.Guardrails["999999999999"].RCPs.State, snapshot.Missing},
	} {
		if test.got != test.want {
			t.Errorf("%s: state %d, want %d", name, test.got, test.want)
		}
	}
}

// TestParseTakesTheOutputOfTheCLI holds each wrapper of the AWS CLI against what it wraps.
func TestParseTakesTheOutputOfTheCLI(t *testing.T) {
	t.Parallel()
	const document = `{"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "s3:*", "Resource": "*"}]}`
	quoted, err := json.Marshal(document)
	if err != nil {
		t.Fatal(err)
	}
	const key = `{"schema": "replimend/snapshot/v1", "keys": {"arn:aws:kms:us-east-1:111122223333:key/k": {%s}}}`
	const role = `{"schema": "replimend/snapshot/v1", "roles": {"arn:aws:iam::111122223333:role/r": {%s}}}`
	const guardrails = `{"schema": "replimend/snapshot/v1", "guardrails": {"111122223333": {%s}}}`
	tests := map[string]struct{ format, plain, wrapped string }{
		"get-bucket-replication": {
			withBucket("%s"),
			`"replication": {"Role": "r", "Rules": []}`,
			`"replication": {"ReplicationConfiguration": {"Role": "r", "Rules": []}}`,
		},
		"get-bucket-encryption": {
			withBucket("%s"),
			`"encryption": {"Rules": [{"BucketKeyEnabled": true}]}`,
			`"encryption": {"ServerSideEncryptionConfiguration": {"Rules": [{"BucketKeyEnabled": true}]}}`,
		},
		"get-public-access-block": {
			withBucket("%s"),
			`"publicAccessBlock": {"BlockPublicAcls": true}`,
			`"publicAccessBlock": {"PublicAccessBlockConfiguration": {"BlockPublicAcls": true}}`,
		},
		"get-object-lock-configuration": {
			withBucket("%s"),
			`"objectLock": {"ObjectLockEnabled": "Enabled"}`,
			`"objectLock": {"ObjectLockConfiguration": {"ObjectLockEnabled": "Enabled"}}`,
		},
		"get-bucket-policy": {
			withBucket("%s"), `"policy": ` + document, `"policy": {"Policy": ` + string(quoted) + `}`,
		},
		"a policy as text": {
			withBucket("%s"), `"policy": ` + document, `"policy": ` + string(quoted),
		},
		"get-key-policy": {
			key, `"policy": ` + document, `"policy": {"Policy": ` + string(quoted) + `, "PolicyName": "default"}`,
		},
		"list-grants": {
			key, `"grants": [{"GrantId": "g"}]`, `"grants": {"Grants": [{"GrantId": "g", "IssuingAccount": "x"}], "Truncated": false}`,
		},
		"get-role-policy": {
			role, `"inline": {"p": ` + document + `}`,
			`"inline": {"p": {"RoleName": "r", "PolicyName": "p", "PolicyDocument": ` + document + `}}`,
		},
		"a service control policy as text": {
			guardrails, `"scps": [[` + document + `]]`, `"scps": [[` + string(quoted) + `]]`,
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			plain, wrapped := mustParse(t, fmt.Sprintf(test.format, test.plain)), mustParse(t, fmt.Sprintf(test.format, test.wrapped))
			if d := diff(plain, wrapped); d != "" {
				t.Errorf("(-plain +wrapped):\n%s", d)
			}
			if got, want := wrapped.Indent(), plain.Indent(); got != want {
				t.Errorf("the wrapped one prints\n%s\nwant\n%s", got, want)
			}
		})
	}
}

func TestParseRefuses(t *testing.T) {
	t.Parallel()
	const head = `{"schema": "replimend/snapshot/v1", `
	tests := map[string]struct{ in, want string }{
		"nothing":          {``, "1:1: the text ends too early"},
		"a list":           {`[]`, "1:1: want an object, got a list"},
		"no schema":        {`{"buckets": {}}`, "1:1: schema: is missing: a snapshot has the schema replimend/snapshot/v1"},
		"no schema text":   {`{"schema": 1}`, "1:12: schema: want a string, got a number"},
		"another schema":   {`{"schema": "replimend/diagnosis/v1"}`, `1:12: schema: unknown schema "replimend/diagnosis/v1": want replimend/snapshot/v1`},
		"no time":          {head + `"takenAt": "today"}`, `1:48: takenAt: "today" is no time`},
		"account too long": {withBucket(`"account": "1111222233334"`), `2:12: buckets.src.account: "1111222233334" does not match ^[0-9]{12}$`},
		"account a number": {withBucket(`"account": 111122223333`), "2:12: buckets.src.account: want a string, got a number"},
		"account of the organization": {
			head + `"organization": {"accounts": ["111122223333", "x"]}}`, `organization.accounts[1]: "x" does not match`,
		},
		"account of guardrails": {head + "\n" + `"guardrails": {"root": {}}}`, "2:24: guardrails.root: want an account id of 12 digits"},
		"role by name":          {head + `"roles": {"replication": null}}`, `roles.replication: invalid ARN "replication"`},
		"key by alias name":     {head + `"keys": {"alias/app": null}}`, `keys.alias/app: invalid ARN "alias/app"`},
		"account in an ARN": {
			head + `"keys": {"arn:aws:kms:us-east-1:1111:key/k": {}}}`, `keys.arn:aws:kms:us-east-1:1111:key/k: invalid ARN: the account "1111" has not 12 digits`,
		},

		"versioning":        {withBucket(`"versioning": "enabled"`), `2:15: buckets.src.versioning: unknown value "enabled": want Enabled, Suspended`},
		"versioning, whole": {withBucket(`"versioning": {"Status": "Enabled"}`), "buckets.src.versioning: want a string, got an object"},
		"ownership":         {withBucket(`"ownership": "x"`), "want BucketOwnerEnforced, BucketOwnerPreferred, ObjectWriter"},
		"payer":             {withBucket(`"requestPayer": "x"`), "want BucketOwner, Requester"},
		"rule status": {
			withBucket("\"replication\": {\"Role\": \"r\", \"Rules\": [\n{\"Status\": \"On\", \"Destination\": {\"Bucket\": \"b\"}}]}"),
			`3:12: buckets.src.replication.Rules[0].Status: unknown value "On": want Enabled, Disabled`,
		},
		"rule priority": {
			withBucket(`"replication": {"Role": "r", "Rules": [{"Status": "Enabled", "Priority": "1", "Destination": {"Bucket": "b"}}]}`),
			"buckets.src.replication.Rules[0].Priority: want a number, got a string",
		},
		"rule without status":           {withBucket(`"replication": {"Role": "r", "Rules": [{"Destination": {"Bucket": "b"}}]}`), "replication.Rules[0].Status: is missing"},
		"rule without destination":      {withBucket(`"replication": {"Role": "r", "Rules": [{"Status": "Enabled"}]}`), "replication.Rules[0].Destination: is missing"},
		"another command's output":      {withBucket(`"replication": {"Rules": [{"BucketKeyEnabled": true}]}`), "buckets.src.replication.Role: is missing"},
		"no public access block":        {withBucket(`"publicAccessBlock": true`), "buckets.src.publicAccessBlock: want an object, got a boolean"},
		"object status":                 {head + `"objects": [{"replicationStatus": "REPLICATED"}]}`, "objects[0].replicationStatus: unknown value \"REPLICATED\": want PENDING, COMPLETED, FAILED, REPLICA"},
		"object encryption":             {head + `"objects": [{}, {"encryption": "SSE-KMS"}]}`, "objects[1].encryption: unknown value \"SSE-KMS\": want AES256, aws:kms, aws:kms:dsse, SSE-C"},
		"object owner":                  {head + `"objects": [{"owner": "me"}]}`, "objects[0].owner"},
		"key manager":                   {head + `"keys": {"arn:aws:kms:us-east-1:111122223333:key/k": {"manager": "me"}}}`, "want CUSTOMER, AWS"},
		"boundary without its document": {head + `"roles": {"arn:aws:iam::111122223333:role/r": {"boundary": {"arn": "a"}}}}`, "boundary.document: is missing"},
		"grant constraint": {
			head + "\"keys\": {\"arn:aws:kms:us-east-1:111122223333:key/k\": {\"grants\": [{\"Constraints\": {\n\"SourceVpc\": \"v\"}}]}}}",
			"2:14: keys.arn:aws:kms:us-east-1:111122223333:key/k.grants[0].Constraints.SourceVpc: unknown constraint",
		},

		"policy element": {
			withBucket("\"policy\": {\"Statement\": [\n{\"Effect\": \"Allow\", \"Action\": \"s3:*\", \"Conditions\": {}}]}"),
			"3:53: buckets.src.policy.Statement[0].Conditions: unknown element",
		},
		"policy as text": {
			withBucket(`"policy": {"Policy": "{\"Statement\": [\n  {\"Effect\": \"allow\", \"Action\": \"s3:*\"}]}"}`),
			`2:22: buckets.src.policy.Policy: 2:14: Statement[0].Effect: unknown effect "allow"`,
		},
		"policy as text, cut off": {
			withBucket(`"policy": "{\"Statement\": ["`), "2:11: buckets.src.policy: 1:16: Statement: the text ends too early",
		},
		"policy in a policy":    {withBucket(`"policy": {"Policy": "{}", "Statement": []}`), "buckets.src.policy.Policy: unknown element"},
		"policy list":           {withBucket(`"policy": [{"Statement": []}]`), "buckets.src.policy: a policy document must be an object, this is a list"},
		"inline policy is null": {head + `"roles": {"arn:aws:iam::111122223333:role/r": {"inline": {"p": null}}}}`, "role/r.inline.p: a policy document must be an object, this is null"},
		"level is no list":      {head + `"guardrails": {"111122223333": {"scps": [{"Statement": []}]}}}`, "guardrails.111122223333.scps[0]: want a list, got an object"},
		"unreadable, no reason": {head + `"unreadable": {"buckets.src.policy": null}}`, "unreadable.buckets.src.policy: want a string, got null"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			wantFault(t, test.in, test.want)
		})
	}
}

func TestParseRefusesWhatIsThereAndUnreadable(t *testing.T) {
	t.Parallel()
	const role = "roles.arn:aws:iam::111122223333:role/a.b"
	tests := map[string]struct{ unreadable, want string }{
		"a document":           {"buckets.src.policy", "3:44: buckets.src.policy: is there, although unreadable lists it"},
		"what does not exist":  {"buckets.src.encryption", "buckets.src.encryption: is there"},
		"a bucket":             {"buckets.src", "buckets.src: is there"},
		"a document of a role": {role + ".inline.p", role + ".inline.p: is there"},
		"of a sample":          {"objects[0].tags", "objects[0].tags: is there"},
		"a sample":             {"objects[0]", "objects[0]: is there"},
		"of an account":        {"guardrails.111122223333.scps", "guardrails.111122223333.scps: is there"},
		"below what is not":    {"buckets.gone.tags", "buckets.gone: does not exist, although unreadable lists buckets.gone.tags"},
		"below a longer name":  {"buckets.none.such.tags", ""}, // near miss: none is not there, none.such is
		"a bucket with a dot":  {"buckets.src.tags", ""},       // near miss: src has no tags, and src.tags is a bucket
		"missing":              {"buckets.src.replication", ""},
		"missing in a role":    {role + ".attached", ""},
		"missing in a sample":  {"objects[0].encryption", ""},
		"of a missing owner":   {"keys.arn:aws:kms:us-east-1:111122223333:key/k", ""},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			text := `{"schema": "replimend/snapshot/v1",
				"buckets": {
					"src": {"encryption": null, "policy": {"Statement": []}}, "src.tags": {},
					"gone": null, "none": null, "none.such": {}},
				"roles": {"arn:aws:iam::111122223333:role/a.b": {"inline": {"p": {"Statement": []}}}},
				"objects": [{"tags": {}}],
				"guardrails": {"111122223333": {"scps": []}},
				"unreadable": {"` + test.unreadable + `": "AccessDenied"}}`
			if test.want != "" {
				wantFault(t, text, test.want)
				return
			}
			if got := mustParse(t, text).Unreadable[test.unreadable]; got != "AccessDenied" {
				t.Errorf("the reason reads %q", got)
			}
		})
	}
}

// A place is where one value stands in a tree. set gives the whole tree with another value there, or without it.
type place struct {
	path  string
	value jsontree.Node
	set   func(jsontree.Node) jsontree.Node
}

// closed matches what holds elements that are not the contract's: policies, and what is kept as AWS wrote it.
var closed = regexp.MustCompile(`\.(policy|trust|document|publicAccessBlock|notifications|(inline|attached)\..+|(scps|rcps)\[\d+\]\[\d+\])$`)

// places are all values of the contract below n.
func places(n jsontree.Node, path string, set func(jsontree.Node) jsontree.Node) []place {
	out := []place{{path, n, set}}
	if closed.MatchString(path) {
		return out
	}
	for i, f := range n.Fields {
		out = append(out, places(f.Value, jsontree.Join(path, f.Name), func(v jsontree.Node) jsontree.Node {
			fields := slices.Clone(n.Fields)
			fields[i].Value = v
			if !v.Present() {
				fields = slices.Delete(fields, i, i+1)
			}
			return set(jsontree.Obj(fields...))
		})...)
	}
	for i, item := range n.Items {
		out = append(out, places(item, jsontree.Index(path, i), func(v jsontree.Node) jsontree.Node {
			items := slices.Clone(n.Items)
			items[i] = v
			return set(jsontree.List(items...))
		})...)
	}
	return out
}

func fullPlaces(t *testing.T) []place {
	t.Helper()
	out := places(tree(t, full(t)), "", func(n jsontree.Node) jsontree.Node { return n })
	if len(out) < 170 {
		t.Fatalf("%d places: the test looks at too little", len(out))
	}
	return out
}

// TestEveryMemberIsOfItsKind puts values of all other kinds in the place of every value.
func TestEveryMemberIsOfItsKind(t *testing.T) {
	t.Parallel()
	others := []jsontree.Node{
		jsontree.Str("?"), {Kind: jsontree.Number, Text: "1"}, {Kind: jsontree.Bool}, jsontree.List(), jsontree.Obj(),
	}
	for _, p := range fullPlaces(t) {
		for _, other := range others {
			if p.value.Kind == jsontree.Null || p.value.Kind == other.Kind {
				continue
			}
			wantFault(t, p.set(other).Indent(), p.path)
		}
	}
}

// TestEveryMemberMayBeMissing takes away every member in turn: either the text is refused, or what is printed has all the
// others and not this one.
func TestEveryMemberMayBeMissing(t *testing.T) {
	t.Parallel()
	required := []string{"schema", "Role", "Rules", "Status", "Destination", "Bucket", "SSEAlgorithm", "document"}
	for _, p := range fullPlaces(t) {
		name := p.path[strings.LastIndexByte(p.path, '.')+1:]
		if p.path == "" || strings.HasSuffix(p.path, "]") {
			continue // the whole, and elements: a list without one is another list
		}
		without := p.set(jsontree.Node{})
		s, err := snapshot.Parse([]byte(without.Indent()))
		if err != nil {
			if !slices.Contains(required, name) || !strings.HasSuffix(err.Error(), p.path+": is missing") && name != "schema" {
				t.Errorf("without %s: %v", p.path, err)
			}
			continue
		}
		want := without.Indent()
		switch {
		case p.value.Kind == jsontree.Number:
			want = p.set(jsontree.Node{Kind: jsontree.Number, Text: "0"}).Indent()
		case p.value.Kind == jsontree.Bool:
			want = p.set(jsontree.Node{Kind: jsontree.Bool}).Indent()
		case strings.HasSuffix(p.path, ".Tag.Key"), strings.HasSuffix(p.path, ".Tag.Value"), strings.Contains(p.path, ".And.Tags["):
			want = p.set(jsontree.Str("")).Indent()
		}
		if d := cmp.Diff(want, s.Indent()); d != "" {
			t.Errorf("without %s (-want +got):\n%s", p.path, d)
		}
	}
}

// TestEveryMemberMayBeNull puts null in the place of every value: what is printed then has null there, or has no such member.
func TestEveryMemberMayBeNull(t *testing.T) {
	t.Parallel()
	null := jsontree.Node{Kind: jsontree.Null}
	nulls := 0
	for _, p := range fullPlaces(t) {
		s, err := snapshot.Parse([]byte(p.set(null).Indent()))
		if err != nil {
			if !strings.Contains(err.Error(), p.path) {
				t.Errorf("%s is null: %v", p.path, err)
			}
			continue
		}
		if s.Indent() == p.set(null).Indent() {
			nulls++
		}
		if d := diff(s, mustParse(t, s.Indent())); d != "" {
			t.Errorf("%s is null (-read +printed and read):\n%s", p.path, d)
		}
	}
	if nulls < 40 {
		t.Errorf("%d values were absent, want at least the 40 that the contract lets be", nulls)
	}
}

// TestUnknownMembers adds one everywhere: it is left out where AWS may add some, and refused where it could be a limit.
func TestUnknownMembers(t *testing.T) {
	t.Parallel()
	want := full(t)
	for _, p := range fullPlaces(t) {
		if p.value.Kind != jsontree.Object || strings.HasSuffix(p.path, ".publicAccessBlock") || strings.HasSuffix(p.path, ".notifications") {
			continue
		}
		named := []string{"buckets", "roles", "keys", "guardrails", "unreadable", ".tags", ".inline", ".attached", "EncryptionContextSubset", "EncryptionContextEquals"}
		if slices.ContainsFunc(named, func(s string) bool { return strings.HasSuffix(p.path, s) }) {
			continue // the names are the user's
		}
		text := p.set(p.value.With("NewInAWS", jsontree.Obj())).Indent()
		if closed.MatchString(p.path) || strings.HasSuffix(p.path, ".Constraints") {
			wantFault(t, text, p.path+".NewInAWS: unknown")
		} else if got := mustParse(t, text).Indent(); got != want {
			t.Errorf("%s with an unknown member prints differently (-want +got):\n%s", p.path, cmp.Diff(want, got))
		}
	}
}

// TestParseRefusesTruncatedText cuts a snapshot off at every seventh byte.
func TestParseRefusesTruncatedText(t *testing.T) {
	t.Parallel()
	text := full(t)
	for i := 0; i < len(text); i += 7 {
		lines := strings.Count(text[:i], "\n") + 1
		wantFault(t, text[:i], fmt.Sprintf("%d:", lines))
	}
}

func TestParseRefusesHostileText(t *testing.T) {
	t.Parallel()
	statement := `{"Sid":"` + strings.Repeat("x", 1000) + `","Effect":"Allow","Action":"s3:GetObject","Resource":"*"},`
	statements := strings.Repeat(statement, 10<<20/len(statement)+1)
	tests := map[string]struct{ in, want string }{
		"a policy of 10 MB": {
			withBucket(`"policy": {"Statement": [` + strings.TrimSuffix(statements, ",") + `]}`), "2:11: buckets.src.policy: the policy has 10",
		},
		"a policy of 10 MB in one text": {
			withBucket(`"policy": {"Policy": "` + strings.Repeat("x", 10<<20) + `"}`), "2:22: buckets.src.policy.Policy: 1:1: the text has 10485760 bytes, the limit is 262144",
		},
		"a condition of 10 MB":      {withBucket(`"policy": {"Statement": {"Sid": "` + strings.Repeat("x", 10<<20) + `"}}`), "2:11: buckets.src.policy: the policy has 10"},
		"more than the limit":       {strings.Repeat(" ", snapshot.MaxSize+1), "1:1: the text has 67108865 bytes"},
		"deep nesting":              {withBucket(`"tags": ` + strings.Repeat("[", 1<<20)), "2:70: buckets.src.tags[0]"},
		"deep nesting in a text":    {withBucket(`"policy": "` + strings.Repeat("[", 1<<17) + `"`), "2:11: buckets.src.policy: 1:65: "},
		"a member twice":            {withBucket("\"policy\": null,\n\"policy\": {}"), "3:1: buckets.src.policy: the element stands twice in one object"},
		"an escaped member twice":   {withBucket("\"policy\": null,\n\"polic\\u0079\": {}"), "3:1: buckets.src.policy: the element stands twice"},
		"a member twice in a text":  {withBucket(`"policy": "{\"Statement\": [], \"Statement\": []}"`), "2:11: buckets.src.policy: 1:19: Statement: the element stands twice"},
		"invalid UTF-8":             {withBucket("\"region\": \"a\xff\""), "2:13: invalid UTF-8"},
		"a byte order mark":         {"\xef\xbb\xbf{}", "1:1: invalid character"},
		"a number that is too long": {withBucket(`"replication": {"Role": "", "Rules": [{"Status": "Enabled", "Priority": ` + strings.Repeat("9", 1<<16) + `, "Destination": {"Bucket": ""}}]}`), "Rules[0].Priority: want a whole number, got 9999"},
		"a huge number":             {`{"schema": "replimend/snapshot/v1", "objects": [{"size": 1e999999999}]}`, "objects[0].size: want a whole number, got 1e999999999"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			start := time.Now()
			wantFault(t, test.in, test.want)
			// It takes less than a second on an idle core, without the race detector. What is guarded against takes minutes.
			if took := time.Since(start); took > 20*time.Second {
				t.Errorf("the text of %d bytes was refused after %v", len(test.in), took)
			}
		})
	}
}

func TestParseBoundsTheSampleObjects(t *testing.T) {
	t.Parallel()
	text := func(n int) []byte {
		objects := strings.TrimSuffix(strings.Repeat(`{"bucket":"src","key":"a"},`, n), ",")
		return []byte(`{"schema":"` + snapshot.Schema + `","objects":[` + objects + `]}`)
	}
	if _, err := snapshot.Parse(text(snapshot.MaxObjects)); err != nil {
		t.Errorf("as many as allowed are refused: %v", err)
	}
	if _, err := snapshot.Parse(text(snapshot.MaxObjects + 1)); err == nil || !strings.Contains(err.Error(), "objects[500]: too many sample objects") {
		t.Errorf("err = %v, want one that names the first object too many", err)
	}
}
