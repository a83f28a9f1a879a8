package diagnose

import (
	"fmt"
	"slices"
	"strings"

	"github.com/replimend/replimend/internal/patch"
	"github.com/replimend/replimend/internal/policy"
	"github.com/replimend/replimend/internal/route"
	"github.com/replimend/replimend/internal/signal"
	"github.com/replimend/replimend/internal/snapshot"
)

// routeNotFound: an event or a record is about a rule that the snapshot does not have or has disabled, or about a key that no rule
// of the role names. The diagnosis is then not about what failed, which must be said.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/replication-troubleshoot.html
var routeNotFound = Cause{
	Name:      "route-not-found",
	Group:     OfReports,
	Summary:   "what was reported is about a rule, a destination or a key that no enabled rule of the snapshot names",
	Side:      SourceSide,
	Documents: []snapshot.Kind{snapshot.ReplicationConfig},
	Remedy:    patch.Manual,
}

// maxUnused bounds the findings about no route: a hostile message can name a thousand rules.
const maxUnused = 20

// unused is what is to be said of what concerned no route, once for each rule and each call.
func (h *heard) unused(s *snapshot.Snapshot, routes []Route) []Finding {
	var out []Finding
	more := 0
	say := func(id, message string) {
		f := Finding{
			Cause: routeNotFound.Name, Side: SourceSide, Document: snapshot.Ref{Kind: snapshot.ReplicationConfig, ID: id}, Severity: Warning,
			Evidence: route.Inferred, Remedy: patch.Manual, Message: message,
		}
		switch {
		case slices.ContainsFunc(out, func(o Finding) bool { return o.Message == message }):
		case len(out) == maxUnused:
			more++
		default:
			out = append(out, f)
		}
	}
	for i, sig := range h.signals {
		if !h.signalsUsed[i] {
			say(sig.Bucket, reportOf(sig)+"; "+unmet(s, sig))
		}
	}
	for i, d := range h.denials {
		if !h.denialsUsed[i] {
			say(unmetCall(d, routes))
		}
	}
	if more > 0 {
		out[len(out)-1].Message += fmt.Sprintf(". And %d more were reported that no route of the snapshot is about", more)
	}
	return out
}

// reportOf is what an event says.
func reportOf(sig signal.Signal) string {
	what := "an event of S3"
	if sig.Kind == signal.Failed {
		what = "S3 reports a failure"
		if sig.Reason != "" {
			what = "S3 reports " + sig.Reason
		}
		if r, ok := reasonOf(sig.Reason); ok {
			what += " (" + r.Meaning + ")"
		}
	}
	return fmt.Sprintf("%s for rule %s of bucket %s to %s", what, sig.Rule, sig.Bucket, sig.Destination)
}

// unmet is why no route is the one of the event.
func unmet(s *snapshot.Snapshot, sig signal.Signal) string {
	v := s.Buckets[sig.Bucket]
	bucket, ok := v.Get()
	if !ok {
		if v.State == snapshot.Absent {
			return "by the snapshot, too, the bucket does not exist"
		}
		return "the snapshot does not hold that bucket"
	}
	config, ok := bucket.Replication.Get()
	if !ok {
		if bucket.Replication.State == snapshot.Absent {
			return "by the snapshot the bucket has no replication configuration"
		}
		return "the snapshot does not hold the replication configuration of that bucket"
	}
	for _, rule := range config.Rules {
		if rule.ID != sig.Rule {
			continue
		}
		if rule.Status != "Enabled" {
			return "by the snapshot that rule is not enabled"
		}
		return "by the snapshot that rule replicates to " + rule.Destination.Bucket
	}
	return "by the snapshot the bucket has no rule of that id"
}

// unmetCall is why no route is the one of a denied call, and the bucket whose rules come nearest.
func unmetCall(d signal.Denial, routes []Route) (id, why string) {
	text := fmt.Sprintf("CloudTrail recorded at %s that KMS denied role %s of account %s %s on %s", stamp(d.Time), d.Role, d.Account, d.Action, d.Key)
	if d.Context != "" {
		text += " for " + d.Context
	}
	id = "of role " + d.Role + " in account " + d.Account
	var rules []string
	for _, r := range routes {
		if a, err := policy.ParseARN(r.Role); err == nil && a.Account == d.Account && a.Name() == d.Role {
			if len(rules) == 0 {
				id = r.Source
			}
			rules = append(rules, r.Source+"/"+r.Rule)
		}
	}
	if len(rules) == 0 {
		return id, text + "; no enabled rule of the snapshot has that role"
	}
	return id, text + "; the role replicates for " + strings.Join(rules[:min(5, len(rules))], ", ") + ", whose configuration names no such key for such objects. " +
		"Objects may be encrypted with another key than their bucket's default: add one to the snapshot's objects"
}
