package render_test

import (
	"strings"
	"testing"

	"github.com/replimend/replimend/internal/diagnose"
	"github.com/replimend/replimend/internal/patch"
	"github.com/replimend/replimend/internal/policy"
	"github.com/replimend/replimend/internal/render"
	"github.com/replimend/replimend/internal/route"
)

// TestPlansOfAccesses also wants a reason where there is no plan, and that a proposal is a comment.
func TestPlansOfAccesses(t *testing.T) {
	t.Parallel()
	lacks := diagnose.Finding{Cause: "key-policy-lacks-decrypt", Severity: diagnose.Fault, Remedy: patch.Approval}
	denies := diagnose.Finding{Cause: "explicit-deny", Severity: diagnose.Fault, Remedy: patch.Manual}
	for want, a := range map[string]diagnose.Access{
		"broken, then healthy; class approval":                      {Verdict: diagnose.Broken, Findings: []diagnose.Finding{lacks}, Plan: broken(t).Plan},
		"healthy, no edit is needed":                                {Verdict: diagnose.Healthy},
		"broken, no edit can or may cure explicit-deny":             {Verdict: diagnose.Broken, Findings: []diagnose.Finding{denies}},
		"broken, the cure hangs on what else is wrong or not known": {Verdict: diagnose.Broken, Findings: []diagnose.Finding{lacks, denies}},
		"unknown, no edit is known to cure it":                      {Verdict: diagnose.Unknown},
	} {
		if a.Plan != nil {
			a.Plan.Class = patch.Approval
		}
		a.Bucket, a.Key, a.Operation = "b", "\x1b[2J", route.Get
		a.Of = route.Access{Noun: "role", Principal: policy.ARN{Resource: "role/app/x"}}
		d := diagnose.Diagnosis{Accesses: []diagnose.Access{a}, Proposals: []diagnose.Proposal{{Role: "arn:aws:iam::111122223333:role/a\nb", Edits: broken(t).Plan.Edits}}}
		got := plain(80).Diffs(d)
		if !strings.HasPrefix(got, "# role x reads b/") || !strings.Contains(got, ": "+want+"\n") || strings.Contains(got, "\x1b") {
			t.Errorf("want %q:\n%s", want, got)
		}
		if last := got[strings.LastIndex(got[:len(got)-1], "\n")+1:]; !strings.HasPrefix(last, "# proposal: role arn:") {
			t.Errorf("the last line is %q", last)
		}
		if p := render.PlansOf(d); len(p.Accesses) != 1 || p.Accesses[0].Plan != a.Plan || p.Accesses[0].Verdict != a.Verdict || p.Routes == nil {
			t.Errorf("plans are %+v", p)
		}
	}
}

func TestFindingsAboutNoRouteAreSaidOnce(t *testing.T) {
	t.Parallel()
	d := diagnose.Diagnosis{Findings: []diagnose.Finding{{Cause: "event-of-another-rule", Severity: diagnose.Advice}}}
	if got := plain(80).Diagnosis(d); strings.Count(got, "event-of-another-rule") != 1 {
		t.Errorf("%s", got)
	}
}

func TestAccessIsPrintableAndSaysWhatIsNext(t *testing.T) {
	t.Parallel()
	a := diagnose.Access{
		Principal: "arn:aws:iam::111122223333:user/x", Bucket: "b", Operation: route.Put, Key: "\x1b[2J\u202ekey", Verdict: diagnose.Broken,
		Findings: []diagnose.Finding{{Cause: "explicit-deny", Severity: diagnose.Fault, Side: diagnose.ResourceSide, Message: "statement \x1b]0;x\a denies"}},
		Of:       route.Access{Noun: "user", Principal: policy.ARN{Resource: "user/x"}, Session: "\x1b[1madmin"},
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
