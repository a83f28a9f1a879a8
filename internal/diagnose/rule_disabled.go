package diagnose

import (
	"fmt"
	"slices"

	"github.com/replimend/replimend/internal/patch"
	"github.com/replimend/replimend/internal/route"
	"github.com/replimend/replimend/internal/signal"
	"github.com/replimend/replimend/internal/snapshot"
)

// ruleDisabled: the rule that covers the object, or all rules of the bucket, are disabled. Somebody decided that, so that only
// people enable them.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/replication-add-config.html
var ruleDisabled = Cause{
	Name:      "rule-disabled",
	Group:     OfRules,
	Summary:   "the rule that covers the object is disabled, or all rules of the bucket are",
	Side:      SourceSide,
	Documents: []snapshot.Kind{snapshot.ReplicationConfig},
	Remedy:    patch.Manual,
}

// outside is what concerns no route: objects that no enabled rule covers, and buckets without an enabled rule.
func outside(w *route.World, hints []signal.Signal) []Finding {
	var out []Finding
	named := hinted(w, hints)
	for _, rules := range w.AllRules() {
		if len(rules.Enabled) == 0 && len(rules.Disabled) > 0 {
			out = append(out, disabled(rules, &rules.Disabled[0], nil))
		}
		objects := append(uncovered(rules), named[rules]...)
		if len(objects) == 0 {
			continue
		}
		var left []*snapshot.Object
		by := make(map[*route.Route][]*snapshot.Object)
		var order []*route.Route
		for _, o := range objects {
			r := rules.DisabledFor(o)
			if r == nil {
				left = append(left, o)
				continue
			}
			if by[r] == nil {
				order = append(order, r)
			}
			by[r] = append(by[r], o)
		}
		for _, r := range order {
			out = append(out, disabled(rules, r, by[r]))
		}
		if len(left) > 0 {
			out = append(out, outsideRules(rules, left))
		}
	}
	return out
}

func disabled(rules *route.Rules, r *route.Route, objects []*snapshot.Object) Finding {
	f := Finding{
		Cause: ruleDisabled.Name, Side: SourceSide, Severity: Warning, Evidence: route.Documented, Remedy: patch.Manual,
		Document: snapshot.Ref{Kind: snapshot.ReplicationConfig, ID: rules.Source},
	}
	if len(objects) == 0 {
		f.Message = fmt.Sprintf("no replication rule of bucket %s is enabled, %d are disabled: S3 replicates nothing of it", rules.Source, len(rules.Disabled))
		return f
	}
	f.Message = fmt.Sprintf("%s %s covered by rule %s of bucket %s, which is disabled, and by no other: S3 skips %s in silence",
		names(objects), verb(objects, "is", "are"), r.RuleID, rules.Source, verb(objects, "it", "them"))
	return f
}

// uncovered is the samples that nobody replicated and no enabled rule covers. Delete markers without a rule are as they should be.
func uncovered(rules *route.Rules) []*snapshot.Object {
	var out []*snapshot.Object
	for _, o := range rules.Outside() {
		if !o.DeleteMarker && o.ReplicationStatus.V != route.Completed && o.ReplicationStatus.V != route.Replica {
			out = append(out, o)
		}
	}
	return out
}

// hinted is the objects that signals name, no sample is, and certainly no enabled rule covers. What is not sampled has no tags
// that anybody knows.
func hinted(w *route.World, hints []signal.Signal) map[*route.Rules][]*snapshot.Object {
	out := make(map[*route.Rules][]*snapshot.Object)
	for i := range hints {
		h := &hints[i]
		rules := w.Rules(h.Bucket)
		if h.Kind != signal.Failed && h.Kind != signal.NotTracked || h.Key == "" || rules == nil || rules.Covered(h.Key) {
			continue
		}
		same := func(o *snapshot.Object) bool { return o.Key == h.Key }
		if !slices.ContainsFunc(rules.Outside(), same) && !slices.ContainsFunc(out[rules], same) {
			o := &snapshot.Object{Bucket: h.Bucket, Key: h.Key, VersionID: h.VersionID}
			if h.Kind == signal.Failed {
				o.ReplicationStatus = snapshot.Of(route.Failed)
			}
			out[rules] = append(out[rules], o)
		}
	}
	return out
}
