package policy_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/replimend/replimend/internal/jsontree"
	"github.com/replimend/replimend/internal/policy"
)

// statement puts elements into the only statement of a document, on a line of its own.
func statement(elements string) string {
	return "{\"Version\": \"2012-10-17\", \"Statement\": [\n" + elements + "]}"
}

func TestParseRefuses(t *testing.T) {
	t.Parallel()
	tests := map[string]struct{ in, want string }{
		"a document that is no object":  {`["Version"]`, `1:1: a policy document must be an object, this is a list`},
		"a document that is null":       {`null`, `1:1: a policy document must be an object, this is null`},
		"a document without statements": {`{"Version": "2012-10-17"}`, `1:1: the document has no Statement`},
		"an unknown element": {
			`{"Statement": [], "Comment": "mine"}`,
			`1:30: Comment: unknown element: a document has Version, Id and Statement`,
		},
		"an element in another case": {
			`{"statement": []}`,
			`1:15: statement: unknown element: a document has Version, Id and Statement`,
		},
		"an unknown version":             {`{"Version": "2012-10-18"}`, `1:13: Version: unknown version "2012-10-18": want 2012-10-17 or 2008-10-17`},
		"a version that is no string":    {`{"Version": 2012}`, `1:13: Version: want a string, got a number`},
		"an Id that is no string":        {`{"Id": {}}`, `1:8: Id: want a string, got an object`},
		"an Id with a control character": {`{"Id": "a\u0000"}`, `1:8: Id: a policy cannot hold this control character`},
		"an element twice":               {`{"Statement": [], "Statement": []}`, `1:19: Statement: the element stands twice in one object`},
		"a Statement that is a string":   {`{"Statement": "Allow"}`, `1:15: Statement: want an object or a list of objects, got a string`},

		"a statement that is a list":   {statement(`[]`), `2:1: Statement[0]: want an object, got a list`},
		"a statement without Effect":   {statement(`{"Action": "*"}`), `2:1: Statement[0]: the statement has no Effect`},
		"a statement without Action":   {statement(`{"Effect": "Deny"}`), `2:1: Statement[0]: the statement has neither Action nor NotAction`},
		"an unknown statement element": {statement(`{"Effect": "Allow", "Unless": {}}`), `2:31: Statement[0].Unless: unknown element: it may limit the statement in a way that is not understood`},
		"the second statement": {
			statement("{\"Effect\": \"Allow\", \"Action\": \"*\"},\n\n {\"Effect\": 1}"),
			`4:13: Statement[1].Effect: want a string, got a number`,
		},
		"a single statement": {`{"Statement": {"Effect": true}}`, `1:26: Statement.Effect: want a string, got a boolean`},

		"a Sid that is no string":             {statement(`{"Sid": 7}`), `2:9: Statement[0].Sid: want a string, got a number`},
		"an unknown Effect":                   {statement(`{"Effect": "allow"}`), `2:12: Statement[0].Effect: unknown effect "allow": want Allow or Deny`},
		"Action and NotAction":                {statement(`{"Action": "*", "NotAction": "*"}`), `2:30: Statement[0].NotAction: Action and NotAction exclude each other`},
		"an empty list of actions":            {statement(`{"Action": []}`), `2:12: Statement[0].Action: the list is empty`},
		"an action that is null":              {statement(`{"Action": null}`), `2:12: Statement[0].Action: want a string or a list of strings, got null`},
		"an action that is a number":          {statement(`{"Action": ["s3:GetObject", 1]}`), `2:29: Statement[0].Action[1]: want a string, got a number`},
		"an action without service":           {statement(`{"Action": ["*", "GetObject"]}`), `2:18: Statement[0].Action[1]: invalid action "GetObject": want SERVICE:NAME or *`},
		"an action without name":              {statement(`{"Action": "s3:"}`), `2:12: Statement[0].Action: invalid action "s3:": want SERVICE:NAME or *`},
		"a wildcard in the service":           {statement(`{"Action": "s*:GetObject"}`), `2:12: Statement[0].Action: invalid action "s*:GetObject": the service prefix takes no wildcard`},
		"a space in an action":                {statement(`{"NotAction": "s3: GetObject"}`), `2:15: Statement[0].NotAction: invalid action "s3: GetObject": the name has a character that action names do not have`},
		"Resource and NotResource":            {statement(`{"NotResource": "*", "Resource": "*"}`), `2:34: Statement[0].Resource: Resource and NotResource exclude each other`},
		"an empty list of resources":          {statement(`{"Resource": []}`), `2:14: Statement[0].Resource: the list is empty`},
		"a resource that is an object":        {statement(`{"Resource": {}}`), `2:14: Statement[0].Resource: want a string or a list of strings, got an object`},
		"a resource that is no ARN":           {statement(`{"Resource": "bucket/*"}`), `2:14: Statement[0].Resource: invalid resource "bucket/*": want * or an ARN of six parts`},
		"an ARN that ends early":              {statement(`{"Resource": ["*", "arn:aws:s3"]}`), `2:20: Statement[0].Resource[1]: invalid resource "arn:aws:s3": want * or an ARN of six parts`},
		"a control character in a resource":   {statement(`{"Resource": "arn:aws:s3:::b/\u0000"}`), `2:14: Statement[0].Resource: a policy cannot hold this control character`},
		"Principal and NotPrincipal":          {statement(`{"Principal": "*", "NotPrincipal": "*"}`), `2:36: Statement[0].NotPrincipal: Principal and NotPrincipal exclude each other`},
		"a principal that is free text":       {statement(`{"Principal": "alice"}`), `2:15: Statement[0].Principal: invalid principal "alice": a string here can only be *`},
		"a principal that is a list":          {statement(`{"Principal": ["*"]}`), `2:15: Statement[0].Principal: want * or an object, got a list`},
		"a principal that names nobody":       {statement(`{"Principal": {"AWS": []}}`), `2:15: Statement[0].Principal: the element names no principal`},
		"an unknown kind of principal":        {statement(`{"Principal": {"aws": "*"}}`), `2:23: Statement[0].Principal.aws: unknown kind of principal "aws": want AWS, Service, Federated or CanonicalUser`},
		"a principal of another service":      {statement(`{"Principal": {"AWS": ["*", "arn:aws:s3:::b"]}}`), `2:29: Statement[0].Principal.AWS[1]: invalid principal "arn:aws:s3:::b": want *, an account, an ARN of IAM or STS, or a unique id`},
		"an account of eleven digits":         {statement(`{"Principal": {"AWS": "11112222333"}}`), `2:23: Statement[0].Principal.AWS: invalid principal "11112222333": want *, an account, an ARN of IAM or STS, or a unique id`},
		"an empty service principal":          {statement(`{"Principal": {"Service": ""}}`), `2:27: Statement[0].Principal.Service: a principal is empty`},
		"a service principal that is no text": {statement(`{"NotPrincipal": {"Service": [null]}}`), `2:31: Statement[0].NotPrincipal.Service[0]: want a string, got null`},
		"a condition that is a list":          {statement(`{"Condition": []}`), `2:15: Statement[0].Condition: want an object, got a list`},
		"an unknown operator":                 {statement(`{"Condition": {"StringIs": {}}}`), `2:28: Statement[0].Condition.StringIs: unknown condition operator "StringIs"`},
		"an operator that is IfExists":        {statement(`{"Condition": {"IfExists": {}}}`), `2:28: Statement[0].Condition.IfExists: unknown condition operator "IfExists"`},
		"an unknown qualifier":                {statement(`{"Condition": {"ForSome:StringEquals": {}}}`), `2:40: Statement[0].Condition.ForSome:StringEquals: unknown condition qualifier "ForSome": want ForAllValues or ForAnyValue`},
		"Null with IfExists":                  {statement(`{"Condition": {"NullIfExists": {}}}`), `2:32: Statement[0].Condition.NullIfExists: invalid condition operator "NullIfExists": Null takes neither IfExists nor a qualifier`},
		"Null with a qualifier":               {statement(`{"Condition": {"ForAnyValue:Null": {}}}`), `2:36: Statement[0].Condition.ForAnyValue:Null: invalid condition operator "ForAnyValue:Null": Null takes neither IfExists nor a qualifier`},
		"an operator without keys":            {statement(`{"Condition": {"Bool": "true"}}`), `2:24: Statement[0].Condition.Bool: want an object of condition keys, got a string`},
		"a condition value that is null":      {statement(`{"Condition": {"Bool": {"k": null}}}`), `2:30: Statement[0].Condition.Bool.k: want a string, a number or a boolean, got null`},
		"a list of lists":                     {statement(`{"Condition": {"StringLike": {"k": ["a", ["b"]]}}}`), `2:42: Statement[0].Condition.StringLike.k[1]: want a string, a number or a boolean, got a list`},
		"a control character in a value":      {statement(`{"Condition": {"StringLike": {"k": "\u0001"}}}`), `2:36: Statement[0].Condition.StringLike.k: a policy cannot hold this control character`},
		"a boolean that is none":              {statement(`{"Condition": {"Bool": {"k": "yes"}}}`), `2:30: Statement[0].Condition.Bool.k: invalid boolean "yes": want true or false`},
		"a number that is none":               {statement(`{"Condition": {"NumericEquals": {"k": ["1", "NaN"]}}}`), `2:45: Statement[0].Condition.NumericEquals.k[1]: invalid number "NaN"`},
		"a date that is none":                 {statement(`{"Condition": {"DateLessThan": {"k": "tomorrow"}}}`), `2:38: Statement[0].Condition.DateLessThan.k: invalid date "tomorrow": want ISO 8601 or seconds since 1970`},
		"an address that is none":             {statement(`{"Condition": {"NotIpAddress": {"k": "10.0.0.0/33"}}}`), `2:38: Statement[0].Condition.NotIpAddress.k: invalid address "10.0.0.0/33": want an IP address or a CIDR block`},
		"base64 that is none":                 {statement(`{"Condition": {"BinaryEquals": {"k": "%"}}}`), `2:38: Statement[0].Condition.BinaryEquals.k: invalid base64 text "%"`},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d, err := policy.Parse([]byte(test.in))
			if err == nil || err.Error() != test.want {
				t.Fatalf("Parse(%s)\n got error %v\nwant error %s", test.in, err, test.want)
			}
			if !d.IsZero() || d.Statements != nil {
				t.Errorf("an error came with a document: %+v", d)
			}
		})
	}
}

func TestParseReadsEveryElement(t *testing.T) {
	t.Parallel()
	d, err := policy.Parse([]byte(`{
  "Version": "2012-10-17", "Id": "key-default-1",
  "Statement": [
    {"Sid": "Use", "Effect": "Allow",
     "Principal": {"AWS": ["111122223333", "arn:aws:iam::111122223333:role/copier"], "Service": "s3.amazonaws.com"},
     "Action": ["kms:Decrypt", "kms:Generate*"], "Resource": "*",
     "Condition": {
       "StringEquals": {"kms:ViaService": "s3.us-east-1.amazonaws.com"},
       "forallvalues:stringlikeifexists": {"aws:TagKeys": ["a", "b*"], "aws:PrincipalTag/n": 5},
       "Bool": {"aws:SecureTransport": true}}},
    {"Effect": "Deny", "NotPrincipal": "*", "NotAction": "kms:*", "NotResource": "arn:aws:s3:*"}]}`))
	if err != nil {
		t.Fatal(err)
	}
	want := policy.Document{Version: policy.Version2012, ID: "key-default-1", Statements: []policy.Statement{
		{
			Sid: "Use", Effect: policy.Allow,
			Principal: &policy.PrincipalSet{Values: []policy.Principal{
				{Kind: policy.PrincipalAWS, Value: "111122223333"},
				{Kind: policy.PrincipalAWS, Value: "arn:aws:iam::111122223333:role/copier"},
				{Kind: policy.PrincipalService, Value: "s3.amazonaws.com"},
			}},
			Action:   policy.StringSet{Values: []string{"kms:Decrypt", "kms:Generate*"}},
			Resource: policy.StringSet{Values: []string{"*"}},
			Conditions: []policy.Condition{
				{Operator: policy.StringEquals, Key: "kms:ViaService", Values: []string{"s3.us-east-1.amazonaws.com"}},
				{Operator: policy.StringLike, Qualifier: policy.ForAllValues, IfExists: true, Key: "aws:TagKeys", Values: []string{"a", "b*"}},
				{Operator: policy.StringLike, Qualifier: policy.ForAllValues, IfExists: true, Key: "aws:PrincipalTag/n", Values: []string{"5"}},
				{Operator: policy.Bool, Key: "aws:SecureTransport", Values: []string{"true"}},
			},
		},
		{
			Effect:    policy.Deny,
			Principal: &policy.PrincipalSet{Not: true, Values: []policy.Principal{{Kind: policy.PrincipalAWS, Value: "*"}}},
			Action:    policy.StringSet{Not: true, Values: []string{"kms:*"}},
			Resource:  policy.StringSet{Not: true, Values: []string{"arn:aws:s3:*"}},
		},
	}}
	if diff := diffSaid(want, d); diff != "" {
		t.Errorf("Parse (-want +got):\n%s", diff)
	}
	if got := d.Statements[1].Position().String(); got != "11:5" {
		t.Errorf("the second statement stands at %s, want 11:5", got)
	}
	if a, b := d.Statements[0].Name(0), d.Statements[1].Name(1); a != "Use" || b != "#2" {
		t.Errorf("the statements are named %s and %s, want Use and #2", a, b)
	}
}

// diffSaid compares what two documents say, and not, as their Equal does, what they print.
func diffSaid(a, b policy.Document) string {
	type document policy.Document // without the method Equal, which cmp would call
	type statement policy.Statement
	said := cmp.Transformer("said", func(s policy.Statement) statement { return statement(s) })
	return cmp.Diff(document(a), document(b), said, cmpopts.IgnoreUnexported(document{}, statement{}), cmpopts.EquateEmpty())
}

func TestPrintingKeepsWhatWasRead(t *testing.T) {
	t.Parallel()
	tests := map[string]string{
		"order of elements":          `{"Statement":[{"Resource":"*","Action":"s3:*","Effect":"Deny","Sid":"B"}],"Id":"x","Version":"2008-10-17"}`,
		"strings and lists":          `{"Statement":[{"Effect":"Allow","Action":["s3:Get*"],"Resource":"*"},{"Effect":"Allow","Action":"s3:Get*","Resource":["*"]}]}`,
		"a single statement":         `{"Statement":{"Effect":"Allow","Principal":"*","Action":"sts:AssumeRole"}}`,
		"a list of one statement":    `{"Statement":[{"Effect":"Allow","Principal":{"AWS":"*"},"Action":"sts:AssumeRole"}]}`,
		"Sids, also empty ones":      `{"Statement":[{"Sid":"","Effect":"Allow","Action":"*"},{"Sid":"Ä \"1\"","Effect":"Allow","Action":"*"}]}`,
		"numbers and booleans":       `{"Statement":[{"Effect":"Allow","Action":"*","Condition":{"NumericEquals":{"k":[1.50,"2"]},"Bool":{"k":false}}}]}`,
		"operators and keys as were": `{"Statement":[{"Effect":"Allow","Action":"*","Condition":{"stringLIKE":{"KMS:viaservice":"*"},"StringLike":{}}}]}`,
		"an empty condition":         `{"Statement":[{"Effect":"Allow","Action":"*","Condition":{}}]}`,
		"no statement":               `{"Statement":[]}`,
	}
	for name, text := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := mustParse(t, text)
			if got := compact(t, d); got != text {
				t.Errorf("printed\n%s, want\n%s", got, text)
			}
			again := mustParse(t, d.Indent())
			if !d.Equal(again) {
				t.Errorf("indented, it reads as another document:\n%s", d.Indent())
			}
			if d.Size() != len(text) {
				t.Errorf("size is %d, want %d", d.Size(), len(text))
			}
		})
	}
}

func mustParse(t *testing.T, text string) policy.Document {
	t.Helper()
	d, err := policy.Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func compact(t *testing.T, v json.Marshaler) string {
	t.Helper()
	text, err := v.MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestNoDocumentIsNull(t *testing.T) {
	t.Parallel()
	var d policy.Document
	text, err := json.Marshal(d)
	if err != nil || string(text) != "null" {
		t.Fatalf("no document prints as %s, %v; want null", text, err)
	}
	d = mustParse(t, `{"Statement":[]}`)
	if err := json.Unmarshal(text, &d); err != nil || !d.IsZero() {
		t.Errorf("null reads as %+v, %v; want no document", d, err)
	}
	if err := json.Unmarshal([]byte(`{"Statement":[{}]}`), &d); err == nil || !d.IsZero() {
		t.Errorf("a wrong document reads as %+v, %v; want an error", d, err)
	}
}

func TestParseRefusesTooLargeATextUnread(t *testing.T) {
	t.Parallel()
	_, err := policy.Parse(hugePolicy())
	const want = "1:1: the text has 10485760 bytes, the limit is 262144"
	if err == nil || err.Error() != want {
		t.Fatalf("error is %v, want %s", err, want)
	}
}

// hugePolicy is a policy of 10 MB that is right but for its size.
func hugePolicy() []byte {
	const one = `{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::bucket/*"}`
	var b bytes.Buffer
	b.WriteString(`{"Statement":[` + one)
	for b.Len() < 10<<20-len(one)-10 {
		b.WriteString("," + one)
	}
	b.WriteString("]}")
	b.Write(bytes.Repeat([]byte(" "), 10<<20-b.Len()))
	return b.Bytes()
}

func BenchmarkParse(b *testing.B) {
	for _, test := range []struct {
		name string
		text []byte
	}{
		{"2-statements", []byte(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["s3:ReplicateObject","s3:ReplicateDelete"],"Resource":"arn:aws:s3:::replica/*"},{"Effect":"Allow","Action":"kms:Decrypt","Resource":"*","Condition":{"StringEquals":{"kms:ViaService":"s3.us-east-1.amazonaws.com"}}}]}`)},
		{"largest-that-is-read", []byte(largestPolicy())},
		{"10-MB-refused", hugePolicy()},
	} {
		b.Run(test.name, func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(test.text)))
			for b.Loop() {
				if _, err := policy.Parse(test.text); (err != nil) != (len(test.text) > policy.MaxSize) {
					b.Fatal(err)
				}
			}
		})
	}
}

// largestPolicy is a policy of just the size that is still read.
func largestPolicy() string {
	text := `{"Statement":[{"Effect":"Allow","Action":["s3:*"` + strings.Repeat(`,"s3:GetObject"`, 10000)
	text += strings.Repeat(`,"s3:*"`, (policy.MaxSize-len(text)-len(`],"Resource":"*"}]}`))/len(`,"s3:*"`))
	return text + `],"Resource":"*"}]}`
}

// longest bounds the error texts: they go to logs and chats, and whoever writes a policy must not be able to flood these.
const longest = 1200

func TestErrorsAboutHostileDocumentsAreShort(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("A", 200_000)
	tests := map[string]string{
		"deep nesting":                 strings.Repeat(`{"Statement":`, 10_000),
		"deep lists":                   `{"Statement":` + strings.Repeat("[", 100_000),
		"a huge unknown element":       fmt.Sprintf(`{%q: 1}`, long),
		"a huge element twice":         fmt.Sprintf(`{%q: 1, %q: 1}`, long[:50_000], long[:50_000]),
		"a huge statement element":     statement(fmt.Sprintf(`{%q: 1}`, long)),
		"a huge version":               fmt.Sprintf(`{"Version": %q}`, long),
		"a huge effect":                statement(fmt.Sprintf(`{"Effect": %q}`, long)),
		"a huge action":                statement(fmt.Sprintf(`{"Action": %q}`, long)),
		"a huge service":               statement(fmt.Sprintf(`{"Action": "%s*:x"}`, long)),
		"a huge resource":              statement(fmt.Sprintf(`{"Resource": %q}`, long)),
		"a huge principal":             statement(fmt.Sprintf(`{"Principal": %q}`, long)),
		"a huge AWS principal":         statement(fmt.Sprintf(`{"Principal": {"AWS": %q}}`, "arn:"+long)),
		"a huge kind of principal":     statement(fmt.Sprintf(`{"Principal": {%q: "*"}}`, long)),
		"a huge operator":              statement(fmt.Sprintf(`{"Condition": {%q: {}}}`, long)),
		"a huge qualifier":             statement(fmt.Sprintf(`{"Condition": {"%s:Bool": {}}}`, long)),
		"a huge condition key":         statement(fmt.Sprintf(`{"Condition": {"Bool": {%q: "x"}}}`, long)),
		"a huge condition value":       statement(fmt.Sprintf(`{"Condition": {"Bool": {"k": %q}}}`, long)),
		"a huge value of wide letters": statement(fmt.Sprintf(`{"Condition": {"Bool": {"k": %q}}}`, strings.Repeat("世", 60_000))),
		"a value of control letters":   statement(`{"Condition": {"NumericEquals": {"k": "` + strings.Repeat(`\u0085`, 10_000) + `"}}}`),
		"a huge number":                statement(`{"Condition": {"NumericEquals": {"k": 1e` + strings.Repeat("9", 200_000) + `}}}`),
		"a huge literal":               `{"Version": t` + long + `}`,
	}
	for name, text := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d, err := policy.Parse([]byte(text))
			if err == nil || !d.IsZero() {
				t.Fatalf("Parse = %+v, %v; want an error alone", d, err)
			}
			checkError(t, err)
		})
	}
}

// TestEveryTruncationIsRefused cuts a document at every byte.
func TestEveryTruncationIsRefused(t *testing.T) {
	t.Parallel()
	const text = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["s3:*"],"Resource":"*","Condition":{"Bool":{"k":true}}}]}`
	mustParse(t, text)
	for i := range len(text) {
		if d, err := policy.Parse([]byte(text[:i])); err == nil || !d.IsZero() {
			t.Errorf("Parse(%q) = %+v, %v; want an error alone", text[:i], d, err)
		}
	}
}

func checkError(t *testing.T, err error) {
	t.Helper()
	if n := len(err.Error()); n > longest {
		t.Errorf("the error has %d bytes, more than %d: %.300s…", n, longest, err)
	}
	if strings.ContainsFunc(err.Error(), func(r rune) bool { return r < ' ' }) {
		t.Errorf("the error has control characters: %q", err)
	}
	var syntax *jsontree.SyntaxError
	if !errors.As(err, &syntax) || syntax.Pos.Line < 1 || syntax.Pos.Column < 1 {
		t.Errorf("the error does not say where: %v", err)
	}
}

// FuzzParse: what is accepted prints as the very values that were read and reads back as the same document, and an error
// never comes with a document.
func FuzzParse(f *testing.F) {
	for _, text := range []string{
		`{"Version":"2012-10-17","Id":"i","Statement":{"Sid":"s","Effect":"Allow","Principal":"*","Action":"sts:AssumeRole"}}`,
		`{"Statement":[{"Effect":"Deny","NotPrincipal":{"AWS":["111122223333","AROAEXAMPLEEXAMPLE01"],"Service":"s3.amazonaws.com"},"NotAction":["s3:*","*:*"],"NotResource":"arn:aws:s3:::b/${aws:username}/*"}]}`,
		`{"Statement":[{"Effect":"Allow","Action":"*","Resource":["*"],"Condition":{"ForAnyValue:StringLikeIfExists":{"aws:TagKeys":["a",1,true]},"DateLessThan":{"k":"2026-01-01"},"IpAddress":{"k":"10.0.0.0/8"},"BinaryEquals":{"k":"YQ=="},"Null":{"k":"true"}}}]}`,
		`{"Statement":[]}`, `{"Statement":[{"Effect":"Allow","Action":"\u0073\u0033:\u002a"}]}`, `null`, `{"Statement":[{}`,
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		d, err := policy.Parse(data)
		if err != nil {
			if !d.IsZero() || d.Statements != nil || d.Version != "" || d.ID != "" {
				t.Fatalf("an error came with a document: %+v", d)
			}
			checkError(t, err)
			return
		}
		in, err := jsontree.Parse(data, policy.MaxSize)
		if err != nil {
			t.Fatal(err)
		}
		for _, text := range []string{compact(t, d), d.Indent()} {
			out, err := jsontree.Parse([]byte(text), 1<<30)
			if err != nil || !jsontree.Equal(in, out) {
				t.Fatalf("read %s\nprinted %s, %v", data, text, err)
			}
			again, err := policy.FromNode(out, "")
			if err != nil || !d.Equal(again) {
				t.Fatalf("printed %s, which reads as %+v, %v", text, again, err)
			}
			if diff := diffSaid(d, again); diff != "" {
				t.Fatalf("printed %s, which says something else:\n%s", text, diff)
			}
		}
		for i, s := range d.Statements {
			if s.Effect != policy.Allow && s.Effect != policy.Deny || len(s.Action.Values) == 0 {
				t.Fatalf("statement %d was accepted half understood: %+v", i, s)
			}
			for _, c := range s.Conditions {
				if c.Operator == 0 || slices.ContainsFunc(c.Values, func(v string) bool { return strings.ContainsAny(v, "\x00\x01") }) {
					t.Fatalf("statement %d was accepted with the condition %+v", i, c)
				}
			}
		}
	})
}
