package mototest_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/replimend/replimend/internal/mototest"
)

func TestMain(m *testing.M) { mototest.Main(m) }

// TestAccountsAreApart: two accounts answer with their own ids.
func TestAccountsAreApart(t *testing.T) {
	t.Parallel()
	s := mototest.Start(t)
	a, b := s.Account(), s.Account()
	if a == b || len(a) != 12 {
		t.Fatalf("accounts %s and %s", a, b)
	}
	for _, account := range []string{a, b} {
		who, err := sts.NewFromConfig(s.Config(t, account, "eu-west-1")).GetCallerIdentity(t.Context(), &sts.GetCallerIdentityInput{})
		if err != nil {
			t.Fatal(err)
		}
		if aws.ToString(who.Account) != account {
			t.Errorf("the session of %s is in %s", account, aws.ToString(who.Account))
		}
	}
}
