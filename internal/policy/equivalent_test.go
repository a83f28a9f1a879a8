package policy_test

import (
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/replimend/replimend/internal/policy"
)

// one is a document whose parts the cases below write in other ways.
const one = `{"Version": "2012-10-17", "Id": "d", "Statement": [
	{"Sid": "A", "Effect": "Allow", "Principal": {"AWS": ["arn:aws:iam::111122223333:root", "arn:aws:iam::444455556666:role/r"], "Service": "s3.amazonaws.com"},
	 "Action": ["s3:GetObject", "s3:PutObject"], "Resource": "arn:aws:s3:::b/*",
	 "Condition": {"Bool": {"aws:SecureTransport": "true"}, "StringLike": {"aws:PrincipalArn": ["x", "y"], "s3:prefix": "p"}}},
	{"Effect": "Deny", "NotPrincipal": {"AWS": "444455556666"}, "NotAction": "s3:*", "NotResource": "arn:aws:s3:::b"}
]}`

func TestEquivalent(t *testing.T) {
	for name, row := range map[string]struct {
		old, new string
		same     bool
	}{
		"nothing":                      {"", "", true},
		"a list of one":                {`"Resource": "arn:aws:s3:::b/*"`, `"Resource": ["arn:aws:s3:::b/*"]`, true},
		"a service in a list":          {`"Service": "s3.amazonaws.com"`, `"Service": ["s3.amazonaws.com"]`, true},
		"actions in another order":     {`["s3:GetObject", "s3:PutObject"]`, `["s3:PutObject", "s3:GetObject"]`, true},
		"an action twice":              {`["s3:GetObject", "s3:PutObject"]`, `["s3:PutObject", "s3:GetObject", "s3:PutObject"]`, true},
		"principals in another order":  {`["arn:aws:iam::111122223333:root", "arn:aws:iam::444455556666:role/r"]`, `["arn:aws:iam::444455556666:role/r", "arn:aws:iam::111122223333:root"]`, true},
		"an account by its id":         {`"arn:aws:iam::111122223333:root"`, `"111122223333"`, true},
		"an account by its root":       {`"444455556666"`, `"arn:aws:iam::444455556666:root"`, true},
		"a boolean":                    {`"aws:SecureTransport": "true"`, `"aws:SecureTransport": [true]`, true},
		"members in another order":     {`"Sid": "A", "Effect": "Allow"`, `"Effect": "Allow", "Sid": "A"`, true},
		"conditions in another order":  {`"aws:PrincipalArn": ["x", "y"], "s3:prefix": "p"`, `"s3:prefix": ["p"], "aws:PrincipalArn": ["y", "x"]`, true},
		"an empty Sid":                 {`{"Effect": "Deny"`, `{"Sid": "", "Effect": "Deny"`, true},
		"an account of a partition":    {`"arn:aws:iam::111122223333:root"`, `"arn:aws-cn:iam::111122223333:root"`, false},
		"another account":              {`"444455556666"`, `"111122223333"`, false},
		"one principal less":           {`, "arn:aws:iam::444455556666:role/r"`, ``, false},
		"a principal of another kind":  {`"Service": "s3.amazonaws.com"`, `"Federated": "s3.amazonaws.com"`, false},
		"the root of a role's account": {`"arn:aws:iam::444455556666:role/r"`, `"444455556666"`, false},
		"everybody but":                {`"NotPrincipal"`, `"Principal"`, false},
		"one action less":              {`["s3:GetObject", "s3:PutObject"]`, `"s3:GetObject"`, false},
		"one action more":              {`["s3:GetObject", "s3:PutObject"]`, `["s3:GetObject", "s3:PutObject", "s3:DeleteObject"]`, false},
		"every action but":             {`"NotAction"`, `"Action"`, false},
		"another resource":             {`"arn:aws:s3:::b/*"`, `"arn:aws:s3:::b/?"`, false},
		"every resource but":           {`"NotResource"`, `"Resource"`, false},
		"the other effect":             {`"Allow"`, `"Deny"`, false},
		"another Sid":                  {`"Sid": "A"`, `"Sid": "a"`, false},
		"no Sid":                       {`"Sid": "A", `, ``, false},
		"another version":              {`"2012-10-17"`, `"2008-10-17"`, false},
		"no version":                   {`"Version": "2012-10-17", `, ``, false},
		"another Id":                   {`"Id": "d"`, `"Id": "e"`, false},
		"another value":                {`"x", "y"`, `"x", "z"`, false},
		"another operator":             {`"StringLike"`, `"StringEquals"`, false},
		"an operator with IfExists":    {`"StringLike"`, `"StringLikeIfExists"`, false},
		"an operator with a qualifier": {`"StringLike"`, `"ForAnyValue:StringLike"`, false},
		"another key":                  {`"s3:prefix"`, `"s3:delimiter"`, false},
		"one condition less":           {`, "s3:prefix": "p"`, ``, false},
		"values of each other's key":   {`"aws:PrincipalArn": ["x", "y"], "s3:prefix": "p"`, `"aws:PrincipalArn": "p", "s3:prefix": ["x", "y"]`, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if !strings.Contains(one, row.old) {
				t.Fatalf("the document does not have %s", row.old)
			}
			a, b := parsed(t, one), parsed(t, strings.Replace(one, row.old, row.new, 1))
			if a.Equivalent(b, "aws") != row.same || b.Equivalent(a, "aws") != row.same {
				t.Errorf("want %t", row.same)
			}
		})
	}
}

// TestEquivalentStatements: the order of statements tells documents apart, a single statement and a list of it do not.
func TestEquivalentStatements(t *testing.T) {
	t.Parallel()
	const a, b = `{"Sid":"A","Effect":"Allow","Action":"s3:*","Resource":"*"}`, `{"Sid":"B","Effect":"Deny","Action":"s3:*","Resource":"*"}`
	of := func(statement string) policy.Document { return parsed(t, `{"Statement":`+statement+`}`) }
	for _, row := range []struct {
		a, b policy.Document
		same bool
	}{
		{of(a), of(`[` + a + `]`), true},
		{of(a), parsed(t, `{"Version":"2008-10-17","Statement":`+a+`}`), true},
		{of(`[` + a + `,` + b + `]`), of(`[` + b + `,` + a + `]`), false},
		{of(a), of(`[` + a + `,` + a + `]`), false},
		{of(`[]`), of(a), false},
		{policy.Document{}, of(`[]`), false},
		{policy.Document{}, policy.Document{}, true},
	} {
		if row.a.Equivalent(row.b, "aws") != row.same || row.b.Equivalent(row.a, "aws") != row.same {
			t.Errorf("%s and %s: want %t", row.a.Indent(), row.b.Indent(), row.same)
		}
	}
}

// TestEquivalentAfterStorage: what S3 makes of a document is equivalent to it, and what a single value is exchanged in is not.
func TestEquivalentAfterStorage(t *testing.T) {
	t.Parallel()
	values := []string{"a", "b", "c", "d"}
	rapid.Check(t, func(t *rapid.T) {
		set := rapid.SliceOfNDistinct(rapid.SampledFrom(values), 1, 3, rapid.ID[string]).Draw(t, "set")
		spec := policy.StatementSpec{Sid: "S", Effect: policy.Allow}
		build := func(v []string) policy.Document {
			spec := spec
			for _, one := range v {
				spec.Actions = append(spec.Actions, "s3:"+one)
				spec.Resources = append(spec.Resources, "arn:aws:s3:::"+one)
				spec.Principals = append(spec.Principals, policy.Principal{Kind: policy.PrincipalAWS, Value: "arn:aws:iam::111122223333:role/" + one})
			}
			spec.Conditions = []policy.Condition{{Operator: policy.StringEquals, Key: "k", Values: v}}
			s, err := spec.Build()
			if err != nil {
				t.Fatal(err)
			}
			return policy.New(s)
		}
		d := build(set)
		if !d.Equivalent(build(rapid.Permutation(set).Draw(t, "order")), "aws") {
			t.Fatal("the order of values tells documents apart")
		}
		other := rapid.SliceOfNDistinct(rapid.SampledFrom(values), 1, 3, rapid.ID[string]).Draw(t, "other")
		same := len(set) == len(other)
		for _, v := range other {
			same = same && strings.Contains(strings.Join(set, ""), v)
		}
		if d.Equivalent(build(other), "aws") != same {
			t.Fatalf("%v and %v: want %t", set, other, same)
		}
	})
}

func parsed(t *testing.T, text string) policy.Document {
	t.Helper()
	d, err := policy.Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return d
}
