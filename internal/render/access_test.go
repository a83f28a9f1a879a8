package render_test

import (
	"strings"
	"testing"

	"github.com/replimend/replimend/internal/diagnose"
	"github.com/replimend/replimend/internal/policy"
	"github.com/replimend/replimend/internal/route"
)

func TestAccessIsPrintableAndSaysWhatIsNext(t *testing.T) {
	t.Parallel()
	a := diagnose.Access{
		Principal: "arn:aws:iam::111122223333:user/x", Bucket: "b", Operation: route.Put, Key: "\x1b[2J\u202ekey", Verdict: diagnose.Broken,
		Findings: []diagnose.Finding{{Cause: "explicit-deny", Severity: diagnose.Fault, Side: diagnose.ResourceSide, Message: "statement \x1b]0;x\a denies"}},
		Of:       route.Access{Noun: "user", Principal: policy.ARN{Resource: "user/x"}, Session: "\r\nadmin"},
	}
	got := plain(80).Diagnosis(diagnose.Diagnosis{Accesses: []diagnose.Access{a}})
	if strings.ContainsAny(got, "\x1b\a\r\u202e") {
		t.Errorf("not printable: %q", got)
	}
	for verdict, want := range map[diagnose.Verdict]string{
		diagnose.Healthy: "nothing to do", diagnose.Degraded: "succeeds", diagnose.Broken: "no edit of a policy", diagnose.Conditional: "try it",
		diagnose.Unknown: "add what is not known",
	} {
		a.Verdict = verdict
		if text := plain(80).Access(a); !strings.Contains(text, "user x writes b/") || !strings.Contains(text, want) {
			t.Errorf("%s: %s", verdict, text)
		}
	}
}
