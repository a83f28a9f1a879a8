package diagnose_test

import (
	"testing"

	"github.com/replimend/replimend/internal/diagnose"
	"github.com/replimend/replimend/internal/route"
)

// TestNothingIsProposedForWhoIsNotThere asks for a session whose role the snapshot lacks: nobody knows its path, and a grant would
// name somebody else.
func TestNothingIsProposedForWhoIsNotThere(t *testing.T) {
	t.Parallel()
	s := readBase(t, "access/cross-account", `{"roles": {"arn:aws:iam::444455556666:role/app/consumer": "delete me"}}`)
	a, err := route.NewAccess(s, "arn:aws:sts::444455556666:assumed-role/consumer/batch", "amzn-s3-demo-bucket", route.Get, "")
	if err != nil {
		t.Fatal(err)
	}
	d := diagnose.DiagnoseAccess(s, a)
	if d.Plan != nil || d.Verdict != diagnose.Broken {
		t.Errorf("verdict %s, plan %v", d.Verdict, d.Plan)
	}
	for _, f := range d.Findings {
		if len(f.Grants) > 0 {
			t.Errorf("%s grants %v", f.Cause, f.Grants)
		}
	}
}

func TestPrincipalsWithoutPoliciesAreRefused(t *testing.T) {
	t.Parallel()
	s := readBase(t, "access/cross-account", "")
	for _, principal := range []string{
		"", "*", "anonymous", "s3.amazonaws.com", "arn:aws:iam::444455556666:root", "arn:aws:iam::444455556666:role/*", "arn:aws:iam::4444:role/r",
		"arn:aws:sts::444455556666:federated-user/f", "arn:aws:iam::444455556666:oidc-provider/example.com", "arn:aws:sts::444455556666:assumed-role/r",
		"arn:aws:iam::444455556666:group/g",
	} {
		if a, err := route.NewAccess(s, principal, "amzn-s3-demo-bucket", route.Get, ""); err == nil {
			t.Errorf("%q is taken for %+v", principal, a)
		}
	}
}
