package policy_test

import (
	"strings"
	"testing"

	"github.com/replimend/replimend/internal/policy"
)

func TestBuildPrintsInTheUsualOrder(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		spec policy.StatementSpec
		want string
	}{
		"everything": {
			policy.StatementSpec{
				Sid: "ReplimendDecrypt", Effect: policy.Allow,
				Principals: []policy.Principal{
					{Kind: policy.PrincipalService, Value: "s3.amazonaws.com"},
					{Kind: policy.PrincipalAWS, Value: "111122223333"},
					{Kind: policy.PrincipalAWS, Value: "arn:aws:iam::444455556666:role/copier"},
				},
				Actions:   []string{"kms:Decrypt", "kms:DescribeKey"},
				Resources: []string{"*"},
				Conditions: []policy.Condition{
					{Operator: policy.StringEquals, Key: "kms:ViaService", Values: []string{"s3.us-east-1.amazonaws.com"}},
					{Operator: policy.StringLike, Key: "kms:EncryptionContext:aws:s3:arn", Values: []string{"arn:aws:s3:::b", "arn:aws:s3:::b/*"}},
					{Operator: policy.StringEquals, Key: "kms:CallerAccount", Values: []string{"111122223333"}},
				},
			},
			`{"Sid":"ReplimendDecrypt","Effect":"Allow",` +
				`"Principal":{"AWS":["111122223333","arn:aws:iam::444455556666:role/copier"],"Service":"s3.amazonaws.com"},` +
				`"Action":["kms:Decrypt","kms:DescribeKey"],"Resource":"*","Condition":{` +
				`"StringEquals":{"kms:ViaService":"s3.us-east-1.amazonaws.com","kms:CallerAccount":"111122223333"},` +
				`"StringLike":{"kms:EncryptionContext:aws:s3:arn":["arn:aws:s3:::b","arn:aws:s3:::b/*"]}}}`,
		},
		"trust": {
			policy.StatementSpec{Effect: policy.Allow, Principals: []policy.Principal{{Kind: policy.PrincipalService, Value: "s3.amazonaws.com"}}, Actions: []string{"sts:AssumeRole"}},
			`{"Effect":"Allow","Principal":{"Service":"s3.amazonaws.com"},"Action":"sts:AssumeRole"}`,
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, err := test.spec.Build()
			if err != nil {
				t.Fatal(err)
			}
			if got := compact(t, s); got != test.want {
				t.Errorf("Build printed\n%s, want\n%s", got, test.want)
			}
			read := mustParse(t, `{"Version":"2012-10-17","Statement":[`+test.want+`]}`)
			if diff := diffSaid(read, policy.New(s)); diff != "" || !s.Equal(read.Statements[0]) {
				t.Errorf("what was built is not what is read from its text (-read +built):\n%s", diff)
			}
		})
	}
}

func TestBuildRefuses(t *testing.T) {
	t.Parallel()
	condition := policy.Condition{Operator: policy.StringLike, Key: "k", Values: []string{"a"}}
	tests := map[string]struct {
		change func(*policy.StatementSpec)
		want   string
	}{
		"no effect":            {func(s *policy.StatementSpec) { s.Effect = 0 }, `Statement.Effect: unknown effect "none": want Allow or Deny`},
		"no action":            {func(s *policy.StatementSpec) { s.Actions = nil }, `Statement.Action: the list is empty`},
		"an invalid action":    {func(s *policy.StatementSpec) { s.Actions = []string{"Decrypt"} }, `Statement.Action: invalid action "Decrypt": want SERVICE:NAME or *`},
		"an invalid resource":  {func(s *policy.StatementSpec) { s.Resources = []string{"key"} }, `Statement.Resource: invalid resource "key": want * or an ARN of six parts`},
		"an invalid principal": {func(s *policy.StatementSpec) { s.Principals[0].Value = "bob" }, `Statement.Principal.AWS: invalid principal "bob": want *, an account, an ARN of IAM or STS, or a unique id`},
		"a principal of no kind": {
			func(s *policy.StatementSpec) {
				s.Principals = append(s.Principals, policy.Principal{Value: "111122223333"})
			},
			`build statement: the principal "111122223333" has no kind`,
		},
		"no operator": {
			func(s *policy.StatementSpec) { s.Conditions[0].Operator = 0 },
			`Statement.Condition.: unknown condition operator ""`,
		},
		"a value of the wrong kind": {
			func(s *policy.StatementSpec) { s.Conditions[0].Operator = policy.Bool },
			`Statement.Condition.Bool.k: invalid boolean "a": want true or false`,
		},
		"a condition that would replace another": {
			func(s *policy.StatementSpec) {
				s.Conditions = append(s.Conditions, policy.Condition{Operator: policy.StringLike, Key: "k", Values: []string{"*"}})
			},
			`build statement: two conditions StringLike on "k"`,
		},
		"a control character": {
			func(s *policy.StatementSpec) { s.Resources = []string{"arn:aws:s3:::b/\x00"} },
			`Statement.Resource: a policy cannot hold this control character`,
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			spec := policy.StatementSpec{
				Effect: policy.Allow, Principals: []policy.Principal{{Kind: policy.PrincipalAWS, Value: "*"}},
				Actions: []string{"kms:Decrypt"}, Resources: []string{"*"}, Conditions: []policy.Condition{condition},
			}
			if _, err := spec.Build(); err != nil {
				t.Fatal(err)
			}
			test.change(&spec)
			if s, err := spec.Build(); err == nil || err.Error() != test.want {
				t.Errorf("Build = %+v\n got error %v\nwant error %s", s, err, test.want)
			}
		})
	}
}

func TestAppendKeepsWhatWasThere(t *testing.T) {
	t.Parallel()
	added := mustParse(t, `{"Statement":[{"Sid":"New","Effect":"Allow","Action":"s3:*"}]}`).Statements[0]
	const addedText = `{"Sid":"New","Effect":"Allow","Action":"s3:*"}`
	tests := map[string]struct{ before, after string }{
		"a list": {
			`{"Id":"x","Statement":[{"Effect":"Deny","Action":["*"]}],"Version":"2008-10-17"}`,
			`{"Id":"x","Statement":[{"Effect":"Deny","Action":["*"]},` + addedText + `],"Version":"2008-10-17"}`,
		},
		"an empty list": {`{"Statement":[]}`, `{"Statement":[` + addedText + `]}`},
		"a single statement": {
			`{"Version":"2012-10-17","Statement":{"Effect":"Deny","Action":"*"}}`,
			`{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"*"},` + addedText + `]}`,
		},
		"no document": {`null`, `{"Version":"2012-10-17","Statement":[` + addedText + `]}`},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var before policy.Document
			if err := before.UnmarshalJSON([]byte(test.before)); err != nil {
				t.Fatal(err)
			}
			after := before.Append(added)
			if got := compact(t, after); got != test.after {
				t.Errorf("Append printed\n%s, want\n%s", got, test.after)
			}
			if got := compact(t, before); got != test.before {
				t.Errorf("Append changed the document it was called on to\n%s", got)
			}
			if diff := diffSaid(mustParse(t, test.after), after); diff != "" {
				t.Errorf("Append says something else than its text (-text +got):\n%s", diff)
			}
		})
	}
}

// TestAppendTwiceFromOneDocument guards against two documents that share the room behind their statements.
func TestAppendTwiceFromOneDocument(t *testing.T) {
	t.Parallel()
	statements := mustParse(t, `{"Statement":[{"Sid":"A","Effect":"Allow","Action":"*"},{"Sid":"B","Effect":"Allow","Action":"*"}]}`).Statements
	base := policy.New(statements...).Append(statements[0])
	a, b := base.Append(statements[0]), base.Append(statements[1])
	for doc, want := range map[*policy.Document]string{&a: "A B A A", &b: "A B A B"} {
		var sids []string
		for _, s := range doc.Statements {
			sids = append(sids, s.Sid)
		}
		if got := strings.Join(sids, " "); got != want {
			t.Errorf("Sids are %s, want %s", got, want)
		}
		if read := mustParse(t, compact(t, *doc)); !read.Equal(*doc) || diffSaid(read, *doc) != "" {
			t.Errorf("printed %s", compact(t, *doc))
		}
	}
}

func TestEqualHeedsOrderAndShape(t *testing.T) {
	t.Parallel()
	base := mustParse(t, `{"Statement":[{"Effect":"Allow","Action":"s3:*"}]}`)
	for text, want := range map[string]bool{
		"{\"Statement\": [ {\"Effect\":\n\"Allow\", \"Action\":\"s3:\\u002a\"} ]}": true,
		`{"Statement":[{"Action":"s3:*","Effect":"Allow"}]}`:                       false,
		`{"Statement":[{"Effect":"Allow","Action":["s3:*"]}]}`:                     false,
		`{"Statement":{"Effect":"Allow","Action":"s3:*"}}`:                         false,
	} {
		if got := base.Equal(mustParse(t, text)); got != want {
			t.Errorf("Equal to %s = %t", text, got)
		}
	}
}

func TestWithoutTakesStatementsAndNothingElse(t *testing.T) {
	t.Parallel()
	const text = `{"Id":"x","Statement":[{"Sid":"A","Effect":"Allow","Action":"s3:ListBucket","Resource":"*"},{"Sid":"B","Effect":"Deny","Action":["s3:*"],"Resource":"*"}],"Version":"2012-10-17"}`
	d, err := policy.Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"":  text,
		"A": `{"Id":"x","Statement":[{"Sid":"B","Effect":"Deny","Action":["s3:*"],"Resource":"*"}],"Version":"2012-10-17"}`,
		"*": "null",
	} {
		left := d.Without(func(i int, s policy.Statement) bool { return name == "*" || s.Name(i) == name })
		got, err := left.MarshalJSON()
		if err != nil || string(got) != want {
			t.Errorf("without %q: got %s %v, want %s", name, got, err, want)
		}
	}
	if len(d.Statements) != 2 {
		t.Error("the document itself changed")
	}
}
