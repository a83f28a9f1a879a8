package mutation

import (
	"slices"
	"strings"

	"github.com/replimend/replimend/internal/diagnose"
	"github.com/replimend/replimend/internal/route"
	"github.com/replimend/replimend/internal/snapshot"
)

// ruleAt is where the route's rule stands in the configuration.
func ruleAt(w *world, r route.Route) int {
	return slices.IndexFunc(list(step(w.tree, "buckets", r.Source, "replication", "Rules")), func(rule any) bool {
		id, _ := rule.(tree)["ID"].(string)
		return id == r.RuleID
	})
}

// rivals is the routes of the same bucket to the same destination.
func (w *world) rivals(r route.Route) []route.Route {
	var out []route.Route
	for _, o := range w.routes {
		if o.Of.Source == r.Source && o.Of.Destination == r.Destination && o.Of.RuleID != r.RuleID {
			out = append(out, o.Of)
		}
	}
	return out
}

// optsInBelow says whether a rule of lower priority to the same destination covers all that the rule covers and opts in to KMS objects.
func (w *world) optsInBelow(r route.Route) bool {
	prefix, _ := r.Filter()
	return slices.ContainsFunc(w.rivals(r), func(o route.Route) bool {
		encloses, tags := o.Filter()
		return o.Rule.Priority < r.Rule.Priority && o.SelectsKMS() && len(tags) == 0 && strings.HasPrefix(prefix, encloses)
	})
}

// shadowed says whether other rules take all that the rule covers.
func (w *world) shadowed(r route.Route) bool {
	s, err := w.mutated()
	return err == nil && len(route.NewWorld(s).Judged(&r, "")) == 0
}

// selectionMutants is every mutant of what a rule selects, and of what it promises beside the replicas. None of them fails an
// object, so that the lab sees them only where it replicates less.
func selectionMutants(w *world, i int, r route.Route) []mutant {
	at := func(t tree) tree { return list(step(t, "buckets", r.Source, "replication", "Rules"))[i].(tree) }
	out := []mutant{w.ruleDisabled(r, at)}
	for _, o := range w.rivals(r) {
		if o.Rule.Priority < r.Rule.Priority {
			out = append(out, w.priorities(r, o))
		}
	}
	if w.shadowed(r) {
		return out
	}
	config := func(v diagnose.Verdict, cause, bucket string, side diagnose.Side) *expectation {
		e := expected(v, cause, snapshot.ReplicationConfig, bucket, side)
		e.unseen, e.warnings = true, v == diagnose.Broken
		return e
	}
	out = append(
		out,
		configured("prefix with *", r.RuleID, config(diagnose.Broken, "prefix-is-literal", r.Source, diagnose.SourceSide), func(t tree) {
			rule := at(t)
			if filter, ok := rule["Filter"].(tree); ok && filter["And"] != nil {
				rule = object(filter, "And")
			} else if ok {
				rule = filter
			}
			prefix, _ := rule["Prefix"].(string)
			rule["Prefix"] = prefix + "*"
		}),
		configured("Replication Time Control without metrics", r.RuleID, config(diagnose.Degraded, "replication-time-incomplete", r.Source, diagnose.SourceSide), func(t tree) {
			destination := object(at(t), "Destination")
			destination["ReplicationTime"] = tree{"Status": "Enabled", "Time": tree{"Minutes": 15}}
			delete(destination, "Metrics")
		}),
	)
	oneSided := func(t tree) {
		criteria, ok := at(t)["SourceSelectionCriteria"].(tree)
		if !ok {
			criteria = tree{}
			at(t)["SourceSelectionCriteria"] = criteria
		}
		status := "Enabled"
		if criteria["ReplicaModifications"] != nil {
			status = "Disabled"
		}
		criteria["ReplicaModifications"] = tree{"Status": status}
	}
	lacking := r.Destination // sends no changes back
	if c := r.Rule.SourceSelectionCriteria; c != nil && c.ReplicaModifications.On() {
		lacking = r.Source
	}
	return append(out, configured("ReplicaModifications on one side", r.RuleID,
		config(diagnose.Degraded, "replica-modifications-one-sided", lacking, diagnose.DestinationSide), oneSided))
}

// ruleDisabled is noticed where it was the only one, and where the rule below takes its KMS objects and does not opt in to them. Otherwise it is
// somebody's decision.
func (w *world) ruleDisabled(r route.Route, at func(tree) tree) mutant {
	e := nothing()
	alone := !slices.ContainsFunc(w.routes, func(o diagnose.Route) bool { return o.Of.Source == r.Source && o.Of.RuleID != r.RuleID })
	heir := slices.ContainsFunc(w.rivals(r), func(o route.Route) bool { return !o.SelectsKMS() })
	switch {
	case alone && len(w.routes) == 1:
		e = expected(diagnose.Healthy, "rule-disabled", snapshot.ReplicationConfig, r.Source, diagnose.SourceSide)
	case alone: // the other way of a pair lacks its counterpart
		e = expected(diagnose.Degraded, "replica-modifications-one-sided", snapshot.ReplicationConfig, r.Source, diagnose.DestinationSide)
		e.warnings = true
	case heir && w.kms() && !w.shadowed(r):
		e = expected(diagnose.Broken, "kms-objects-not-selected", snapshot.ReplicationConfig, r.Source, diagnose.SourceSide)
	}
	e.unseen = true
	return configured("rule disabled", r.RuleID, e, func(t tree) { at(t)["Status"] = "Disabled" })
}

// priorities swaps the priorities of two rules to one destination, of which the first has won. Where only one of them opts in to KMS objects,
// AWS does not say which counts.
func (w *world) priorities(won, lost route.Route) mutant {
	e := nothing()
	if w.kms() && won.SelectsKMS() && !lost.SelectsKMS() {
		e = expected(diagnose.Conditional, "kms-opt-in-outranked", snapshot.ReplicationConfig, won.Source, diagnose.SourceSide)
		e.unseen = true
	}
	return configured("priorities swapped", won.RuleID+" and "+lost.RuleID, e, func(t tree) {
		rules := list(step(t, "buckets", won.Source, "replication", "Rules"))
		rules[ruleAt(w, won)].(tree)["Priority"] = lost.Rule.Priority
		rules[ruleAt(w, lost)].(tree)["Priority"] = won.Rule.Priority
	})
}
