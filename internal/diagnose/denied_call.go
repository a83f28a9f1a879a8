package diagnose

import (
	"fmt"
	"slices"
	"strings"

	"github.com/replimend/replimend/internal/authz"
	"github.com/replimend/replimend/internal/route"
	"github.com/replimend/replimend/internal/signal"
)

// observe marks the requests that CloudTrail recorded as denied. What AWS's pages dispute is then required on this route: S3 asks
// it there. The record is untrusted all the same, so that a person approves what rests on it.
func (e *examination) observe() {
	for _, d := range e.told.denials {
		for i := range e.asked {
			a := &e.asked[i]
			if !a.isCall(d) || a.decision.Outcome == authz.Allowed {
				continue
			}
			a.observed = stamp(d.Time)
			if a.Need != route.Required && a.decision.Outcome != authz.Unknown {
				a.raise(route.Required, "")
			}
		}
	}
}

// raise gives a requirement another need, for this examination only.
func (a *asked) raise(need route.Need, why string) {
	q := *a.Requirement
	q.Need = need
	a.Requirement, a.raised, a.why = &q, true, why
}

// isCall says whether a request is the one that a record tells of. Where the record gives no context, all of its key are meant; an
// object's ARN stands for those of the other objects of its bucket.
func (a *asked) isCall(d signal.Denial) bool {
	if a.Request.Action != d.Action || a.Request.Resource.String() != d.Key {
		return false
	}
	sent, _ := a.Request.Context.Values("kms:EncryptionContext:aws:s3:arn")
	if d.Context == "" || len(sent) != 1 {
		return true
	}
	bucket, _, isObject := contextOf(d.Context)
	ours, _, oursIsObject := contextOf(sent[0])
	return bucket == ours && isObject == oursIsObject
}

// compareCall holds a denied call against the model.
func (e *examination) compareCall(d signal.Denial) Hint {
	var found compared
	var expected []string
	for i := range e.asked {
		a := &e.asked[i]
		switch {
		case a.isCall(d):
			found.add(a)
		case a.Request.Action == d.Action && a.Request.Resource.String() == d.Key:
			sent, _ := a.Request.Context.Values("kms:EncryptionContext:aws:s3:arn")
			expected = append(expected, sent...)
		}
	}
	h := Hint{Reason: d.Action, Meaning: "KMS denied this call of S3 in a session of the role, as CloudTrail recorded", Agrees: found.verdict()}
	call := fmt.Sprintf("CloudTrail recorded at %s that KMS denied role %s %s on %s", stamp(d.Time), d.Role, d.Action, d.Key)
	if d.Context != "" {
		call += " for " + d.Context
	}
	if d.Policy != "" {
		call += " (by its text, " + blames(d) + ")"
	}
	switch {
	case h.Agrees == nil:
		h.Text = call + "; whether the documents allow it is not known"
	case *h.Agrees:
		h.Text = call + ", and by the documents it is denied"
	default:
		contradiction := "by the documents it is allowed"
		switch {
		case len(found.allowed) > 0:
		case len(expected) > 0:
			slices.Sort(expected)
			contradiction = "with this key the model expects the context " + strings.Join(slices.Compact(expected), " or ")
		default:
			contradiction = "no page of AWS says that S3 asks it of this route, so that nothing is granted for it"
		}
		h.Text = call + ", but " + contradiction
		e.contradict(h.Text, e.since("the call", d.Time), late, e.other())
	}
	return h
}

// blames is what the error's text says, in our words.
func blames(d signal.Denial) string {
	if d.Explicit {
		return "a Deny in the " + d.Policy
	}
	return "no " + d.Policy + " allows it"
}
