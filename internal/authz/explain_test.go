package authz_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/replimend/replimend/internal/authz"
	"github.com/replimend/replimend/internal/policy"
)

// question is a decryption by the replication role; only the documents and the context vary.
type question struct {
	identity, boundary, key string
	context                 map[string][]string
	unknown                 []string
	missing                 authz.LayerSet
}

func (q question) explain(t *testing.T) authz.Explanation {
	t.Helper()
	r := authz.Request{Principal: authz.SessionOf(roleARN, "s3-replication", roleID), Action: "kms:Decrypt", Resource: keyARN, ResourceAccount: here}
	for name, values := range q.context {
		r.Context.Set(name, values...)
	}
	r.Context.SetUnknown(q.unknown...)
	l := authz.Layers{Missing: q.missing}
	if q.identity != "" {
		l.Identity = []*authz.Policy{authz.Compile("role-policy copier inline/replication", mustParse(t, q.identity))}
	}
	if q.boundary != "" {
		l.Boundary = []*authz.Policy{authz.Compile("permissions-boundary copier", mustParse(t, q.boundary))}
	}
	if q.key != "" {
		l.Resource = authz.Compile("source-key-policy 1234abcd", mustParse(t, q.key))
	}
	return authz.Explain(&r, &l)
}

func policyOf(statements ...string) string {
	return `{"Version":"2012-10-17","Statement":[` + strings.Join(statements, ",") + `]}`
}

const (
	delegate   = `{"Sid":"Account","Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:root"},"Action":"kms:*","Resource":"*"}`
	readObject = `{"Effect":"Allow","Action":"s3:GetObject","Resource":"*"}`
	decryptVia = `{"Sid":"Decrypt","Effect":"Allow","Action":"kms:Decrypt","Resource":"*","Condition":{"StringLike":{"kms:EncryptionContext:aws:s3:arn":["arn:aws:s3:::orders","arn:aws:s3:::orders/*"]}}}`
)

func TestExplainTellsWhatDecides(t *testing.T) {
	t.Parallel()
	const label, keyLabel = "role-policy copier inline/replication", "source-key-policy 1234abcd"
	const contextKey = "kms:EncryptionContext:aws:s3:arn"
	wanted := []string{"arn:aws:s3:::orders", "arn:aws:s3:::orders/*"}
	tests := map[string]struct {
		question question
		outcome  authz.Outcome
		lacking  authz.LayerSet
		reasons  []authz.Reason
	}{
		"an Allow whose condition wants another value": {
			question{
				identity: policyOf(readObject, decryptVia), key: policyOf(delegate),
				context: map[string][]string{contextKey: {"arn:aws:s3:::invoices/1.pdf"}},
			},
			authz.ImplicitDeny, authz.SetOf(authz.LayerIdentity),
			[]authz.Reason{{
				Layer: authz.LayerIdentity, Document: label, Statement: "Decrypt", Index: 1,
				Miss: &authz.Miss{Element: "Condition", Operator: "StringLike", Key: contextKey, Want: wanted, Got: []string{"arn:aws:s3:::invoices/1.pdf"}},
				Text: "does not apply: condition StringLike kms:EncryptionContext:aws:s3:arn: wanted arn:aws:s3:::orders or arn:aws:s3:::orders/*, got arn:aws:s3:::invoices/1.pdf",
			}},
		},
		"an Allow whose condition key is absent": {
			question{identity: policyOf(decryptVia), key: policyOf(delegate)},
			authz.ImplicitDeny, authz.SetOf(authz.LayerIdentity),
			[]authz.Reason{{
				Layer: authz.LayerIdentity, Document: label, Statement: "Decrypt", Index: 0,
				Miss: &authz.Miss{Element: "Condition", Operator: "StringLike", Key: contextKey, Want: wanted},
				Text: "does not apply: condition StringLike kms:EncryptionContext:aws:s3:arn: wanted arn:aws:s3:::orders or arn:aws:s3:::orders/*, got no such key",
			}},
		},
		"the first of two elements that do not match": {
			question{
				identity: policyOf(`{"Effect":"Allow","Action":"kms:*","Resource":"*","Condition":{"Bool":{"a":"true"},"Null":{"b":"false"}}}`),
				key:      policyOf(delegate), context: map[string][]string{"a": {"false"}},
			},
			authz.ImplicitDeny, authz.SetOf(authz.LayerIdentity),
			[]authz.Reason{{
				Layer: authz.LayerIdentity, Document: label, Statement: "#1", Index: 0,
				Miss: &authz.Miss{Element: "Condition", Operator: "Bool", Key: "a", Want: []string{"true"}, Got: []string{"false"}},
				Text: "does not apply: condition Bool a: wanted true, got false",
			}},
		},
		"an element that does not match after one that is not known": {
			question{
				identity: policyOf(`{"Effect":"Allow","Action":"kms:*","Resource":"*","Condition":{"Bool":{"a":"true"},"Null":{"b":"false"}}}`),
				key:      policyOf(delegate), unknown: []string{"a"},
			},
			authz.ImplicitDeny, authz.SetOf(authz.LayerIdentity),
			[]authz.Reason{{
				Layer: authz.LayerIdentity, Document: label, Statement: "#1", Index: 0,
				Miss: &authz.Miss{Element: "Condition", Operator: "Null", Key: "b", Want: []string{"false"}},
				Text: "does not apply: condition Null b: wanted false, got no such key",
			}},
		},
		"an Allow for another key": {
			question{
				identity: policyOf(`{"Effect":"Allow","Action":"kms:*","Resource":"arn:aws:kms:us-east-1:111122223333:key/other"}`),
				key:      policyOf(delegate),
			},
			authz.ImplicitDeny, authz.SetOf(authz.LayerIdentity),
			[]authz.Reason{{
				Layer: authz.LayerIdentity, Document: label, Statement: "#1", Index: 0,
				Miss: &authz.Miss{Element: "Resource", Want: []string{"arn:aws:kms:us-east-1:111122223333:key/other"}, Got: []string{keyARN.String()}},
				Text: "does not apply: resource: wanted arn:aws:kms:us-east-1:111122223333:key/other, got " + keyARN.String(),
			}},
		},
		"no statement that comes near, and no boundary statement": {
			question{identity: policyOf(readObject), boundary: policyOf(), key: policyOf(delegate)},
			authz.ImplicitDeny, authz.SetOf(authz.LayerIdentity, authz.LayerBoundary),
			[]authz.Reason{
				{Layer: authz.LayerIdentity, Document: label, Index: -1, Text: "no statement allows kms:Decrypt on " + keyARN.String()},
				{Layer: authz.LayerBoundary, Index: -1, Text: "there is no permissions boundary that allows kms:Decrypt"},
			},
		},
		"a key policy for somebody else": {
			question{
				identity: policyOf(`{"Effect":"Allow","Action":"kms:*","Resource":"*"}`),
				key:      policyOf(`{"Sid":"Admin","Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:role/admin"},"Action":"kms:*","Resource":"*"}`),
			},
			authz.ImplicitDeny, authz.SetOf(authz.LayerResource),
			[]authz.Reason{{
				Layer: authz.LayerResource, Document: keyLabel, Statement: "Admin", Index: 0,
				Miss: &authz.Miss{
					Element: "Principal", Want: []string{"arn:aws:iam::111122223333:role/admin"},
					Got: []string{"arn:aws:sts::111122223333:assumed-role/copier/s3-replication", roleARN.String()},
				},
				Text: "does not apply: principal: wanted arn:aws:iam::111122223333:role/admin, " +
					"got arn:aws:sts::111122223333:assumed-role/copier/s3-replication or " + roleARN.String(),
			}},
		},
		"an explicit Deny": {
			question{
				identity: policyOf(`{"Effect":"Allow","Action":"kms:*","Resource":"*"}`),
				key:      policyOf(delegate, `{"Sid":"NotFromS3","Effect":"Deny","Principal":"*","Action":"kms:Decrypt","Resource":"*"}`),
			},
			authz.ExplicitDeny, 0,
			[]authz.Reason{{
				Layer: authz.LayerResource, Document: keyLabel, Statement: "NotFromS3", Index: 1, Effect: policy.Deny,
				Text: "explicit deny of kms:Decrypt",
			}},
		},
		"an Allow that hangs on a key": {
			question{identity: policyOf(decryptVia), key: policyOf(delegate), unknown: []string{contextKey}},
			authz.Unknown, 0,
			[]authz.Reason{{
				Layer: authz.LayerIdentity, Document: label, Statement: "Decrypt", Index: 0,
				Miss: &authz.Miss{Element: "Condition", Operator: "StringLike", Key: contextKey, Want: wanted, Unknown: true},
				Text: "may allow: condition StringLike kms:EncryptionContext:aws:s3:arn: wanted arn:aws:s3:::orders or arn:aws:s3:::orders/*, got a value that is not known",
			}},
		},
		"an Allow": {
			question{
				identity: policyOf(decryptVia), key: policyOf(delegate),
				context: map[string][]string{contextKey: {"arn:aws:s3:::orders"}},
			},
			authz.Allowed, 0,
			[]authz.Reason{
				{Layer: authz.LayerResource, Document: keyLabel, Statement: "Account", Index: 0, Effect: policy.Allow, Text: "allow of kms:Decrypt"},
				{Layer: authz.LayerIdentity, Document: label, Statement: "Decrypt", Index: 0, Effect: policy.Allow, Text: "allow of kms:Decrypt"},
			},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := test.question.explain(t)
			if e.Decision.Outcome != test.outcome || e.Lacking != test.lacking {
				t.Errorf("outcome is %s and lacking %b, want %s and %b", e.Decision.Outcome, e.Lacking, test.outcome, test.lacking)
			}
			if diff := cmp.Diff(test.reasons, e.Reasons); diff != "" {
				t.Errorf("reasons (-want +got):\n%s", diff)
			}
			if delegated := test.question.key != "" && strings.Contains(test.question.key, ":root"); e.Delegated != delegated {
				t.Errorf("delegated is %t, want %t", e.Delegated, delegated)
			}
		})
	}
}

func TestUnknownNamesItsKeys(t *testing.T) {
	t.Parallel()
	anything := policyOf(`{"Effect":"Allow","Action":"*","Resource":"*"}`)
	tests := map[string]struct {
		question question
		want     []string
		more     bool
	}{
		"keys in lower case, those of variables too": {
			question{
				identity: policyOf(`{"Effect":"Allow","Action":"kms:Decrypt","Resource":"*","Condition":{"StringEquals":{"kms:ViaService":"${aws:PrincipalTag/Via}"}}}`),
				key:      policyOf(delegate), unknown: []string{"kms:ViaService", "aws:PrincipalTag/Via", "aws:SourceIp"},
			},
			[]string{"kms:viaservice", "aws:principaltag/via"},
			false,
		},
		"a Deny that may apply": {
			question{
				identity: anything, key: policyOf(delegate, `{"Effect":"Deny","Principal":"*","Action":"*","Resource":"*","Condition":{"NotIpAddress":{"aws:SourceIp":"10.0.0.0/8"}}}`),
				unknown: []string{"aws:SourceIp"},
			},
			[]string{"aws:sourceip"},
			false,
		},
		"an Allow of the role beside a certain one of its account, which does not reach as far": {
			question{
				key:     policyOf(delegate, `{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:role/replication/copier"},"Action":"*","Resource":"*","Condition":{"Bool":{"a":"true"}}}`),
				unknown: []string{"a"},
			},
			[]string{"a"},
			false,
		},
		"more keys than there is room for": {
			question{
				identity: policyOf(`{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"StringEquals":{"a":"1","b":"1","c":"1","d":"1","e":"1"}}}`),
				key:      policyOf(delegate), unknown: []string{"a", "b", "c", "d", "e"},
			},
			[]string{"a", "b", "c", "d"},
			true,
		},
		"a layer that could not be read": {
			question{identity: anything, missing: authz.SetOf(authz.LayerResource)},
			[]string{"policy"},
			false,
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := test.question.explain(t)
			keys, more := e.Decision.HangsOn()
			if e.Decision.Outcome != authz.Unknown || !cmp.Equal(keys, test.want) || more != test.more {
				t.Fatalf("%s hangs on %v, more %t; want unknown, %v, %t", e.Decision.Outcome, keys, more, test.want, test.more)
			}
			why := e.Why()
			last := why[len(why)-1]
			if !strings.HasPrefix(last.Reason, "hangs on "+strings.Join(test.want, ", ")) || strings.HasSuffix(last.Reason, " and others") != test.more {
				t.Errorf("why ends with %+v", last)
			}
		})
	}
}

func TestWhyFillsWhatReasonsLeaveOpen(t *testing.T) {
	t.Parallel()
	q := question{identity: policyOf(readObject), boundary: policyOf(), key: policyOf(delegate)}
	want := []authz.Why{
		{Document: "role-policy copier inline/replication", Effect: "none", Reason: "no statement allows kms:Decrypt on " + keyARN.String()},
		{Document: "permissions boundary", Effect: "none", Reason: "there is no permissions boundary that allows kms:Decrypt"},
	}
	if diff := cmp.Diff(want, q.explain(t).Why()); diff != "" {
		t.Errorf("why (-want +got):\n%s", diff)
	}
	if why := (authz.Explanation{}).Why(); why == nil {
		t.Error("why is nil without reasons; JSON would say null")
	}
}

// TestExplainLacksNoIdentityPolicyWhereTheKeyNamesTheRole: beside a boundary that is silent, the role's policies may be.
func TestExplainLacksNoIdentityPolicyWhereTheKeyNamesTheRole(t *testing.T) {
	t.Parallel()
	named := `{"Effect":"Allow","Principal":{"AWS":"` + roleARN.String() + `"},"Action":"kms:Decrypt","Resource":"*"}`
	for key, want := range map[string]authz.LayerSet{
		named:    authz.SetOf(authz.LayerBoundary),
		delegate: authz.SetOf(authz.LayerIdentity, authz.LayerBoundary),
	} {
		e := question{identity: policyOf(readObject), boundary: policyOf(readObject), key: policyOf(key)}.explain(t)
		if e.Decision.Outcome != authz.ImplicitDeny || e.Lacking != want {
			t.Errorf("with %s the decision is %s and lacks %b, want %b", key, e.Decision.Outcome, e.Lacking, want)
		}
	}
}
