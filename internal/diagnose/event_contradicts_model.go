package diagnose

import (
	"fmt"
	"slices"
	"strings"

	"github.com/replimend/replimend/internal/authz"
	"github.com/replimend/replimend/internal/patch"
	"github.com/replimend/replimend/internal/route"
	"github.com/replimend/replimend/internal/signal"
	"github.com/replimend/replimend/internal/snapshot"
)

// eventContradictsModel: S3 or CloudTrail reports a failure where the model finds that everything is allowed. The finding says what
// is blamed, what the model says of it, and what could explain it.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/replication-metrics-events.html
var eventContradictsModel = Cause{
	Name:      "event-contradicts-model",
	Group:     OfReports,
	Summary:   "S3 reports a failure that the documents do not explain",
	Verdict:   Conditional,
	Side:      SourceSide,
	Documents: []snapshot.Kind{snapshot.ReplicationConfig},
	Remedy:    patch.Manual,
}

// compare holds everything that was reported against the model; it needs all other findings to be there.
func (e *examination) compare() {
	for _, s := range e.told.failures {
		e.hints = append(e.hints, e.compareFailure(s))
	}
	for _, d := range e.told.denials {
		e.hints = append(e.hints, e.compareCall(d))
	}
}

// compareFailure holds a failure event against the model.
func (e *examination) compareFailure(s signal.Signal) Hint {
	h := Hint{Reason: s.Reason}
	r, known := reasonOf(s.Reason)
	what := "S3 reports a failure without a reason"
	if s.Reason != "" {
		what = fmt.Sprintf("S3 reports %s", s.Reason)
	}
	if !known {
		if s.Reason != "" {
			e.report(failureReasonUnknown, s, nil)
		}
		if h.Text = what + ", which could be anything"; e.explained() {
			h.Text = what + "; the documents explain failures of this route"
			return h
		}
		e.contradict(what+" for rule "+e.r.RuleID+", but nothing in these documents certainly denies", e.since("the failure", s.EventTime), late, throttled, e.other())
		return h
	}
	h.Meaning = r.Meaning
	what += " (" + r.Meaning + ")"
	if c := reportable(r); c != nil {
		e.report(*c, s, r)
		h.Text = what + ": " + e.findings[len(e.findings)-1].Message
		return h
	}
	found := e.at(r)
	switch h.Agrees = found.verdict(); {
	case h.Agrees == nil:
		h.Text = what + "; a document that decides is not known: " + strings.Join(found.unknown, ", ")
	case *h.Agrees:
		h.Text = what + ", and the model finds it: " + strings.Join(found.denied, ", ")
	default:
		h.Text = what + ", but " + e.instead(r, found)
		if slices.Contains(r.Causes, destinationBucketMissing.Name) {
			h.Text += takeover
		}
		could := []string{e.since("the failure", s.EventTime)}
		if len(r.Hops) > 0 {
			could = append(could, late, e.other())
		}
		if slices.ContainsFunc(r.Hops, usesKMS) {
			could = append(could, throttled)
		}
		if strings.HasPrefix(r.Name, "DstMultipart") && e.replicaWithoutDecrypt() {
			could = append(could, parts)
		}
		e.contradict(h.Text, could...)
	}
	return h
}

// at is what the model says of the hops and the causes that a reason blames.
func (e *examination) at(r *Reason) compared {
	var found compared
	for i := range e.asked {
		if a := &e.asked[i]; slices.Contains(r.Hops, a.Hop) {
			found.add(a)
		}
	}
	for _, f := range e.findings {
		if slices.Contains(r.Causes, f.Cause) {
			found.denied = append(found.denied, f.Cause)
		}
	}
	return found
}

// instead is what the model says in place of what a reason blames.
func (e *examination) instead(r *Reason, found compared) string {
	text := "the snapshot shows nothing of it"
	if len(found.allowed) > 0 {
		text = "the documents allow " + strings.Join(found.allowed, ", ")
	} else if len(r.Hops) > 0 {
		text = "by this configuration S3 asks nothing there"
	}
	for _, h := range route.Hops() {
		i := slices.IndexFunc(e.findings, func(f Finding) bool { return f.Severity == Fault && f.Hop == h.String() })
		if i < 0 {
			continue
		}
		order := "would stop earlier"
		if len(r.Hops) > 0 && h > slices.Max(r.Hops) {
			order = "would stop later"
		}
		return fmt.Sprintf("%s; by them S3 %s, at %s (%s)", text, order, h, e.findings[i].Cause)
	}
	return text
}

// takeover is what a bucket that was not found can mean.
const takeover = ". If the bucket was deleted and made again, make sure whose it is: anybody can take the name of a deleted bucket"

func usesKMS(h route.Hop) bool { return h == route.DecryptSource || h == route.EncryptReplica }

// What can explain a contradiction, beside a document that was changed.
const (
	late      = "a change that IAM or KMS has not applied everywhere yet"
	throttled = "a KMS quota that was exceeded"
	// https://repost.aws/knowledge-center/s3-large-file-encryption-kms-key says it of callers who upload in parts.
	parts = "an object that S3 can only write in parts: other callers need kms:Decrypt on the key for that, and nothing here says that the role has it on the replica key"
)

// replicaWithoutDecrypt says whether replicas go under a KMS key and the model did not find that the role may decrypt with it.
func (e *examination) replicaWithoutDecrypt() bool {
	used := false
	for i := range e.asked {
		a := &e.asked[i]
		used = used || a.Hop == route.EncryptReplica
		if a.Hop == route.EncryptReplica && a.Request.Action == "kms:Decrypt" && a.decision.Outcome == authz.Allowed {
			return false
		}
	}
	return used
}

// other is an object unlike those that the diagnosis stands for.
func (e *examination) other() string {
	return "an object that another account owns, or that is unlike those that this stands for (" + e.stands() + ")"
}

// contradict adds the finding: what contradicts, and what could explain it.
func (e *examination) contradict(what string, could ...string) {
	if e.has(guardrailsNotRead.Name) {
		could = append(could, "an organization policy that the snapshot does not hold")
	}
	e.add(Finding{
		Cause: eventContradictsModel.Name, Side: SourceSide, Document: e.config(), Severity: Warning, Evidence: route.Inferred,
		Remedy: patch.Manual, Message: what + ". What could explain it: " + strings.Join(could, "; "),
	})
}

// stands is the objects that the diagnosis stands for.
func (e *examination) stands() string {
	if len(e.populations) == 0 {
		return "none is known"
	}
	return e.standsFor()
}

func (e *examination) has(cause string) bool {
	return slices.ContainsFunc(e.findings, func(f Finding) bool { return f.Cause == cause })
}
