package main

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/replimend/replimend/internal/diagnose"
)

const reasonsHead = `# Failure reasons

<!-- Written by make generate from the table in internal/diagnose/reason.go. Edit the table. -->

What S3 gives as ` + "`failureReason`" + ` in the event of a failure, and in the report of S3 Batch Replication, and what Replimend makes of
it. A reason is a hint: it comes with an event that anybody may have written. It is compared with what the documents say, the route says
in its ` + "`hints`" + ` whether the two agree, and where they do not there is a finding
([event-contradicts-model](causes/event-contradicts-model.md)). No permission is granted because of a reason alone without a person's
approval.

S3 has no reason of its own for a denied KMS call, an organization's policy, a permissions boundary or blocked SSE-C: they are
reported as that the object may not be read or written. A record of CloudTrail of the denied KMS call says more; ` + "`diagnose --event`" + `
takes it, too. The list has grown with every edition of AWS's page; a reason that is not here is reported as
[failure-reason-unknown](causes/failure-reason-unknown.md).

The hop is where S3 stopped, as the diagnosis calls it. "Batch" marks what only S3 Batch Replication gives.

| Reason | What it means | Hops | What Replimend checks | What it may do | Source |
|---|---|---|---|---|---|
`

// reasonIndex is the whole file of reasons.
func reasonIndex(reasons []diagnose.Reason) string {
	var b strings.Builder
	b.WriteString(reasonsHead)
	for _, r := range reasons {
		name := "`" + r.Name + "`"
		if r.Former != "" {
			name += ", formerly `" + r.Former + "`"
		}
		if r.BatchOnly {
			name += " (batch)"
		}
		hops := make([]string, len(r.Hops))
		for i, h := range r.Hops {
			hops[i] = h.String()
		}
		links := make([]string, len(r.Causes))
		for i, c := range r.Causes {
			links[i] = fmt.Sprintf("[%s](causes/%s.md)", c, c)
		}
		may := mayDo(r)
		if len(links) > 0 {
			may += " Causes: " + strings.Join(links, ", ") + "."
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s | [AWS](%s) |\n", name, cell(r.Meaning), cmp.Or(strings.Join(hops, ", "), "none"), cell(r.Checks),
			cell(may), diagnose.PageReasons)
	}
	return b.String()
}

// mayDo is what a reason of that class can lead to at most.
func mayDo(r diagnose.Reason) string {
	switch {
	case r.Class == diagnose.OfPolicies && len(r.Hops) > 0:
		return "Plan the permission that the documents lack, as the page of its cause says."
	case r.Class == diagnose.OfPolicies:
		return "Say what to add: the document is not in a snapshot."
	case r.Class == diagnose.OfConfiguration:
		return "Say what a person has to set up."
	case r.Class == diagnose.ForPeople:
		return "Say what is gone or must not be changed by a program."
	default:
		return "Nothing: there is nothing to cure."
	}
}
