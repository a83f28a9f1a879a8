package render

import (
	"fmt"
	"slices"
	"strings"

	"github.com/replimend/replimend/internal/diagnose"
	"github.com/replimend/replimend/internal/patch"
	"github.com/replimend/replimend/internal/route"
)

func (p Printer) accesses(all []diagnose.Access) string {
	var out []string
	for _, a := range all {
		out = append(out, p.Access(a))
	}
	return strings.Join(out, "\n")
}

// Access is one access from its header to the next step.
func (p Printer) Access(a diagnose.Access) string {
	var b strings.Builder
	b.WriteString(p.AccessExplanation(a))
	if a.Plan != nil {
		b.WriteString("\n" + p.Plan(*a.Plan))
	}
	b.WriteByte('\n')
	p.fact(&b, "next step", nextAccessStep(a))
	return b.String()
}

// AccessExplanation is an access without its plan: the header, the hops and the findings.
func (p Printer) AccessExplanation(a diagnose.Access) string {
	var b strings.Builder
	p.title(&b, accessName(a), a.Verdict)
	p.fact(&b, a.Of.Noun, Clean(a.Principal))
	if a.Of.Session != "" {
		p.fact(&b, "session", Clean(a.Of.Session))
	}
	p.fact(&b, "bucket", place(a.Bucket, a.Of.Account, a.Of.Region))
	for _, o := range a.Objects {
		p.fact(&b, "stands for", Clean(o))
	}
	if len(a.Hops) > 0 {
		b.WriteByte('\n')
		p.hops(&b, a.Hops)
	}
	if len(a.Findings) > 0 {
		b.WriteByte('\n')
		p.findings(&b, a.Findings)
	}
	return b.String()
}

// accessName is "role consumer reads amzn-s3-demo-bucket/a.csv".
func accessName(a diagnose.Access) string {
	verb := map[route.Operation]string{route.Get: "reads", route.Put: "writes"}[a.Operation]
	what := a.Bucket
	if a.Key != "" {
		what += "/" + a.Key
	}
	return Clean(fmt.Sprintf("%s %s %s %s", a.Of.Noun, a.Of.Principal.Name(), verb, what))
}

// curable says whether an edit would cure one of the faults.
func curable(a diagnose.Access) bool {
	return slices.ContainsFunc(a.Findings, func(f diagnose.Finding) bool { return blames(f) && f.Remedy == patch.Approval })
}

// nextAccessStep is what a person does with this verdict.
func nextAccessStep(a diagnose.Access) string {
	switch {
	case a.Verdict == diagnose.Healthy:
		return "nothing to do. If the request still fails, look at what the snapshot does not hold: session policies, VPC endpoint policies, other request headers"
	case a.Plan != nil && len(a.Plan.Edits) > 0:
		return "have the owner of each document agree to its edit above and apply it, then try again"
	case a.Verdict == diagnose.Degraded:
		return "the request succeeds; the findings say what is lost, and whether that matters is yours to decide"
	case a.Verdict == diagnose.Broken && curable(a):
		return "the cure hangs on what else is wrong or not known: see to that first, and diagnose again"
	case a.Verdict == diagnose.Broken:
		return "no edit of a policy can or may cure this; the findings say what a person has to change"
	case a.Verdict == diagnose.Unknown:
		return "add what is not known to the snapshot, or ask about the session that fails, and diagnose again"
	default:
		return "try it with one object; the findings say what it depends on"
	}
}
