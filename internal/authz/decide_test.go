package authz_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/replimend/replimend/internal/authz"
	"github.com/replimend/replimend/internal/policy"
)

// The requests here are those that testdata/decisions cannot pose: its contract knows neither open contexts nor layers that
// could not be read, nor callers in every form.

func TestGrantsInOpenContexts(t *testing.T) {
	t.Parallel()
	const bucket = "arn:aws:s3:::bucket"
	pair := map[string]string{"aws:s3:arn": bucket}
	tests := map[string]struct {
		grant   authz.Grant
		context func(*authz.Context)
		outcome authz.Outcome
		hangs   []string
	}{
		"a subset is settled by its pairs": {
			authz.Grant{Subset: pair},
			func(c *authz.Context) { c.Set("kms:EncryptionContext:aws:s3:arn", bucket) },
			authz.Allowed, nil,
		},
		"an equal context is not settled by its pairs, others may come": {
			authz.Grant{Equals: pair},
			func(c *authz.Context) { c.Set("kms:EncryptionContext:aws:s3:arn", bucket) },
			authz.Unknown,
			[]string{"kms:encryptioncontext"},
		},
		"an equal context is settled when no other pair can come": {
			authz.Grant{Equals: pair},
			func(c *authz.Context) {
				c.Set("kms:EncryptionContext:aws:s3:arn", bucket)
				c.Close("kms:EncryptionContext:")
			},
			authz.Allowed, nil,
		},
		"a pair that is not known": {
			authz.Grant{Subset: pair},
			func(c *authz.Context) {
				c.Close("kms:EncryptionContext:")
				c.SetUnknown("kms:EncryptionContext:AWS:S3:ARN")
			},
			authz.Unknown,
			[]string{"kms:encryptioncontext:aws:s3:arn"},
		},
		"a pair that differs": {
			authz.Grant{Subset: pair},
			func(c *authz.Context) { c.Set("kms:EncryptionContext:aws:s3:arn", "arn:aws:s3:::other") },
			authz.ImplicitDeny, nil,
		},
		"a source that is not known": {authz.Grant{SourceARN: bucket}, func(*authz.Context) {}, authz.Unknown, []string{"aws:sourcearn"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := authz.Request{Principal: authz.SessionOf(roleARN, "s", roleID), Action: "kms:Decrypt", Resource: keyARN, ResourceAccount: here}
			r.Context.Open = true
			test.context(&r.Context)
			test.grant.Grantee, test.grant.Operations = roleARN.String(), []string{"Decrypt"}
			d := authz.Decide(&r, &authz.Layers{Grants: []authz.Grant{test.grant}})
			if keys, _ := d.HangsOn(); d.Outcome != test.outcome || !cmp.Equal(keys, test.hangs) {
				t.Errorf("decision is %s and hangs on %v, want %s and %v", d.Outcome, keys, test.outcome, test.hangs)
			}
		})
	}
}

func TestGrantToAServiceLetsItIn(t *testing.T) {
	t.Parallel()
	r := authz.Request{Principal: mustPrincipal("s3.amazonaws.com"), Action: "kms:Decrypt", Resource: keyARN, ResourceAccount: here}
	for grantee, want := range map[string]authz.Outcome{"s3.amazonaws.com": authz.Allowed, "sns.amazonaws.com": authz.ImplicitDeny} {
		l := authz.Layers{Grants: []authz.Grant{{Grantee: grantee, Operations: []string{"Decrypt"}}}}
		if d := authz.Decide(&r, &l); d.Outcome != want {
			t.Errorf("a grant to %s: %s, want %s", grantee, d.Outcome, want)
		}
	}
}

// TestForeignRootLacksTheResourcePolicyOnly: root users have no identity policy, so none is missing.
func TestForeignRootLacksTheResourcePolicyOnly(t *testing.T) {
	t.Parallel()
	r := authz.Request{Principal: mustPrincipal("arn:aws:iam::444455556666:root"), Action: "s3:GetObject", Resource: objectARN, ResourceAccount: here}
	e := authz.Explain(&r, &authz.Layers{})
	if e.Lacking != authz.SetOf(authz.LayerResource) || len(e.Reasons) != 1 {
		t.Errorf("lacking %b because of %+v, want the resource policy alone", e.Lacking, e.Reasons)
	}
}

func TestResourcePolicyWithoutPrincipalOpensToNobody(t *testing.T) {
	t.Parallel()
	r := authz.Request{Principal: mustPrincipal("anonymous"), Action: "s3:GetObject", Resource: objectARN, ResourceAccount: here}
	l := authz.Layers{Resource: authz.Compile("bucket-policy", mustParse(t, policyOf(`{"Effect":"Allow","Action":"*","Resource":"*"}`)))}
	e := authz.Explain(&r, &l)
	if e.Decision.Outcome != authz.ImplicitDeny {
		t.Fatalf("decision is %s", e.Decision.Outcome)
	}
	if m := e.Reasons[0].Miss; m == nil || m.Element != "Principal" {
		t.Errorf("reason is %+v, want the principal that is not named", e.Reasons[0])
	}
}

// TestMissingLayersDecideNothing: what could not be read is not empty, and what was read beside it still counts.
func TestMissingLayersDecideNothing(t *testing.T) {
	t.Parallel()
	permit := []*authz.Policy{authz.Compile("all", mustParse(t, policyOf(`{"Effect":"Allow","Action":"*","Resource":"*"}`)))}
	forbid := []*authz.Policy{authz.Compile("none", mustParse(t, policyOf(`{"Effect":"Deny","Action":"*","Resource":"*"}`)))}
	user := mustPrincipal("arn:aws:iam::111122223333:user/alice")
	tests := map[string]struct {
		caller authz.Principal
		layers authz.Layers
		want   authz.Outcome
	}{
		"an Allow elsewhere":                      {user, authz.Layers{Identity: permit}, authz.Unknown},
		"no Allow elsewhere":                      {user, authz.Layers{}, authz.Unknown},
		"a Deny elsewhere":                        {user, authz.Layers{Identity: forbid}, authz.ExplicitDeny},
		"a guardrail that is silent anyway":       {user, authz.Layers{Identity: permit, SCPs: [][]*authz.Policy{{}}}, authz.ImplicitDeny},
		"layers that do not concern the service":  {mustPrincipal("s3.amazonaws.com"), authz.Layers{}, authz.ImplicitDeny},
		"layers that do not concern a passer-by":  {mustPrincipal("anonymous"), authz.Layers{}, authz.ImplicitDeny},
		"a boundary that could reach the grantee": {user, authz.Layers{Boundary: permit, Identity: permit}, authz.Unknown},
	}
	for name, test := range tests {
		for _, layer := range []authz.Layer{authz.LayerIdentity, authz.LayerBoundary, authz.LayerSession} {
			if name == "no Allow elsewhere" && layer != authz.LayerIdentity {
				continue // a boundary and a session policy only limit
			}
			t.Run(name+", "+layer.String()+" missing", func(t *testing.T) {
				t.Parallel()
				r := authz.Request{Principal: test.caller, Action: "s3:GetObject", Resource: objectARN, ResourceAccount: here}
				l := test.layers
				l.Missing = authz.SetOf(layer)
				if d := authz.Decide(&r, &l); d.Outcome != test.want {
					t.Errorf("decision is %s, want %s", d.Outcome, test.want)
				}
			})
		}
	}
}

// TestNotPrincipalHeedsBoundariesOfThoseWhoCanHaveOne: a Deny with NotPrincipal reaches whomever has a boundary, and no
// document can give a service one.
func TestNotPrincipalHeedsBoundariesOfThoseWhoCanHaveOne(t *testing.T) {
	t.Parallel()
	permit := authz.Compile("all", mustParse(t, policyOf(`{"Effect":"Allow","Action":"*","Resource":"*"}`)))
	bucket := authz.Compile("bucket-policy", mustParse(t, policyOf(
		`{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*"}`,
		`{"Effect":"Deny","NotPrincipal":{"AWS":"arn:aws:iam::111122223333:user/alice","Service":"s3.amazonaws.com"},"Action":"*","Resource":"*"}`)))
	for caller, want := range map[string]authz.Outcome{
		"arn:aws:iam::111122223333:user/alice": authz.ExplicitDeny,
		"arn:aws:iam::111122223333:user/bob":   authz.ExplicitDeny,
		"s3.amazonaws.com":                     authz.Allowed,
		"sns.amazonaws.com":                    authz.ExplicitDeny,
	} {
		r := authz.Request{Principal: mustPrincipal(caller), Action: "s3:GetObject", Resource: objectARN, ResourceAccount: here}
		if d := authz.Decide(&r, &authz.Layers{Boundary: []*authz.Policy{permit}, Resource: bucket}); d.Outcome != want {
			t.Errorf("%s: %s, want %s", caller, d.Outcome, want)
		}
	}
}

func TestContextTellsUnsetKeysApart(t *testing.T) {
	t.Parallel()
	var c authz.Context
	c.Set("aws:SourceIp", "10.0.0.1")
	c.Set("aws:TagKeys", "a", "b")
	c.Set("aws:username")
	c.SetUnknown("aws:PrincipalTag/team")
	c.SetAbsent("aws:SourceVpce")
	over := authz.Over(&c)
	over.Set("AWS:SOURCEIP", "10.0.0.2")
	over.Set("aws:PrincipalTag/team", "data")

	for key, want := range map[string][]string{
		"aws:sourceip": {"10.0.0.1"}, "AWS:TAGKEYS": {"a", "b"}, "aws:username": nil, "aws:PrincipalTag/team": nil, "aws:SourceVpce": nil, "aws:userid": nil,
	} {
		got, known := c.Values(key)
		if !cmp.Equal(got, want) || known != (want != nil) {
			t.Errorf("%s has the values %v, %t; want %v", key, got, known, want)
		}
	}
	var given []string
	for key, values := range over.Given() {
		given = append(given, key+"="+strings.Join(values, ","))
	}
	if want := []string{"AWS:SOURCEIP=10.0.0.2", "aws:PrincipalTag/team=data", "aws:TagKeys=a,b"}; !cmp.Equal(given, want) {
		t.Errorf("what stands over it gives %v, want %v", given, want)
	}
	for range over.Given() {
		break // an iterator must bear it
	}
}

func TestParsePrincipal(t *testing.T) {
	t.Parallel()
	arn := mustARN
	tests := map[string]authz.Principal{
		"anonymous":                         {Kind: authz.Anonymous},
		"s3.amazonaws.com":                  {Kind: authz.Service, Name: "s3.amazonaws.com"},
		"s3.cn-north-1.amazonaws.com.cn":    {Kind: authz.Service, Name: "s3.cn-north-1.amazonaws.com.cn"},
		"arn:aws:iam::111122223333:root":    {Kind: authz.Root, ARN: arn("arn:aws:iam::111122223333:root"), Account: here},
		"arn:aws:iam::111122223333:user/al": {Kind: authz.User, ARN: arn("arn:aws:iam::111122223333:user/al"), Account: here},
		roleARN.String():                    {Kind: authz.Role, ARN: roleARN, Issuer: roleARN, Account: here},
		"arn:aws:sts::111122223333:assumed-role/copier/s3": {
			Kind: authz.Session, ARN: arn("arn:aws:sts::111122223333:assumed-role/copier/s3"),
			Issuer: arn("arn:aws:iam::111122223333:role/copier"), Account: here,
		},
		"arn:aws:sts::111122223333:federated-user/bob": {Kind: authz.FederatedUser, ARN: arn("arn:aws:sts::111122223333:federated-user/bob"), Account: here},
		"arn:aws:iam::111122223333:saml-provider/corp": {
			Kind: authz.Federated, ARN: arn("arn:aws:iam::111122223333:saml-provider/corp"), Account: here, Name: "arn:aws:iam::111122223333:saml-provider/corp",
		},
	}
	for text, want := range tests {
		got, err := authz.ParsePrincipal(text)
		if err != nil || got != want {
			t.Errorf("ParsePrincipal(%s) = %+v, %v; want %+v", text, got, err, want)
		}
		if got.String() != text {
			t.Errorf("ParsePrincipal(%s) prints as %s", text, got)
		}
	}
}

func TestParsePrincipalRefuses(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"nothing":                     "",
		"an account":                  here,
		"everyone":                    "*",
		"a unique id":                 roleID,
		"a host of another domain":    "s3.example.com",
		"a URL":                       "https://s3.amazonaws.com",
		"a pattern":                   "*.amazonaws.com",
		"an ARN of five parts":        "arn:aws:iam::111122223333",
		"an ARN of a resource":        "arn:aws:s3:::bucket",
		"a group":                     "arn:aws:iam::111122223333:group/admins",
		"a role without session":      "arn:aws:sts::111122223333:assumed-role/copier",
		"a role with empty session":   "arn:aws:sts::111122223333:assumed-role/copier/",
		"a user of the wrong service": "arn:aws:sts::111122223333:user/alice",
		"something endless":           "arn:aws:iam::111122223333:" + strings.Repeat("x", 1<<20),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p, err := authz.ParsePrincipal(text)
			if err == nil || p != (authz.Principal{}) {
				t.Fatalf("ParsePrincipal = %+v, %v; want an error alone", p, err)
			}
			if len(err.Error()) > 1500 {
				t.Errorf("the error has %d bytes", len(err.Error()))
			}
		})
	}
}

// FuzzParsePrincipal: a caller that is accepted prints as it was written and belongs to the account in its ARN.
func FuzzParsePrincipal(f *testing.F) {
	for _, p := range callers {
		f.Add(p.String())
	}
	f.Add("arn:aws:sts::111122223333:assumed-role/copier/")
	f.Fuzz(func(t *testing.T, text string) {
		p, err := authz.ParsePrincipal(text)
		if err != nil {
			if p != (authz.Principal{}) || len(err.Error()) > 1500 {
				t.Fatalf("ParsePrincipal(%q) = %+v, %v", text, p, err)
			}
			return
		}
		if p.String() != text {
			t.Fatalf("ParsePrincipal(%q) prints as %q", text, p)
		}
		if a, err := policy.ParseARN(text); err == nil && a.Account != p.Account {
			t.Fatalf("ParsePrincipal(%q) is of the account %q", text, p.Account)
		}
	})
}

func TestNotPrincipalWithoutTheAccountIsNotCertain(t *testing.T) {
	t.Parallel()
	const account, role, session = "arn:aws:iam::111122223333:root", "arn:aws:iam::111122223333:role/app", "arn:aws:sts::111122223333:assumed-role/app/s"
	for name, test := range map[string]struct {
		listed []string
		want   authz.Outcome
	}{
		"role alone":           {[]string{role}, authz.Unknown},
		"session alone":        {[]string{session}, authz.Unknown},
		"account alone":        {[]string{account}, authz.Unknown},
		"role and account":     {[]string{role, account}, authz.Allowed},
		"everyone":             {[]string{"*"}, authz.Allowed},
		"somebody else's role": {[]string{"arn:aws:iam::111122223333:role/other", "arn:aws:iam::444455556666:root"}, authz.ExplicitDeny},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			listed, err := json.Marshal(test.listed)
			if err != nil {
				t.Fatal(err)
			}
			d, err := policy.Parse([]byte(`{"Version":"2012-10-17","Statement":[{"Effect":"Deny","NotPrincipal":{"AWS":` + string(listed) + `},"Action":"*","Resource":"*"}]}`))
			if err != nil {
				t.Fatal(err)
			}
			allow, err := policy.Parse([]byte(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}`))
			if err != nil {
				t.Fatal(err)
			}
			caller, err := authz.ParsePrincipal(session)
			if err != nil {
				t.Fatal(err)
			}
			object := policy.ObjectARN("aws", "bucket", "key")
			r := authz.Request{Principal: caller, Action: "s3:GetObject", Resource: object, ResourceAccount: "111122223333"}
			r.Context.Open = true
			l := authz.Layers{Identity: []*authz.Policy{authz.Compile("identity", allow)}, Resource: authz.Compile("bucket", d)}
			if got := authz.Decide(&r, &l); got.Outcome != test.want {
				t.Errorf("outcome %s, want %s", got.Outcome, test.want)
			}
		})
	}
}
