package policy_test

import (
	"testing"

	"github.com/replimend/replimend/internal/policy"
)

func TestPrincipalNames(t *testing.T) {
	t.Parallel()
	tests := []struct {
		in       policy.Principal
		account  string
		uniqueID bool
	}{
		{policy.Principal{Kind: policy.PrincipalAWS, Value: "111122223333"}, "111122223333", false},
		{policy.Principal{Kind: policy.PrincipalAWS, Value: "arn:aws:iam::111122223333:root"}, "111122223333", false},
		{policy.Principal{Kind: policy.PrincipalAWS, Value: "arn:aws-cn:iam::111122223333:root"}, "111122223333", false},
		{policy.Principal{Kind: policy.PrincipalAWS, Value: "arn:aws:iam::111122223333:user/root"}, "", false},
		{policy.Principal{Kind: policy.PrincipalAWS, Value: "arn:aws:sts::111122223333:root"}, "", false},
		{policy.Principal{Kind: policy.PrincipalAWS, Value: "*"}, "", false},
		{policy.Principal{Kind: policy.PrincipalCanonicalUser, Value: "111122223333"}, "", false},
		{policy.Principal{Kind: policy.PrincipalAWS, Value: "AROAEXAMPLEEXAMPLE01"}, "", true},
		{policy.Principal{Kind: policy.PrincipalAWS, Value: "AIDAEXAMPLEEXAMPLE01"}, "", true},
		{policy.Principal{Kind: policy.PrincipalAWS, Value: "AROAEXAMPLE"}, "", false},
		{policy.Principal{Kind: policy.PrincipalAWS, Value: "AROAexampleexample01"}, "", false},
		{policy.Principal{Kind: policy.PrincipalAWS, Value: "XROAEXAMPLEEXAMPLE01"}, "", false},
		{policy.Principal{Kind: policy.PrincipalService, Value: "AROAEXAMPLEEXAMPLE01"}, "", false},
	}
	for _, test := range tests {
		t.Run(test.in.Kind.String()+" "+test.in.Value, func(t *testing.T) {
			t.Parallel()
			if got := test.in.AccountOf(); got != test.account {
				t.Errorf("AccountOf = %q, want %q", got, test.account)
			}
			if got := test.in.IsUniqueID(); got != test.uniqueID {
				t.Errorf("IsUniqueID = %t, want %t", got, test.uniqueID)
			}
		})
	}
}

func TestParsePrincipalKindReadsWhatItPrints(t *testing.T) {
	t.Parallel()
	for kind := policy.PrincipalAWS; kind <= policy.PrincipalCanonicalUser; kind++ {
		if got, err := policy.ParsePrincipalKind(kind.String()); err != nil || got != kind {
			t.Errorf("ParsePrincipalKind(%s) = %v, %v", kind, got, err)
		}
	}
	for _, text := range []string{"", "aws", "Aws"} {
		if got, err := policy.ParsePrincipalKind(text); err == nil || got != 0 {
			t.Errorf("ParsePrincipalKind(%q) = %v, %v; want an error", text, got, err)
		}
	}
}
