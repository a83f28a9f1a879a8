package enroll_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/replimend/replimend/internal/enroll"
	"github.com/replimend/replimend/internal/jsontree"
	"github.com/replimend/replimend/internal/route"
)

// configuration draws a notification configuration that S3 would hold: no two of its entries overlap.
func configuration(t *rapid.T, target string) jsontree.Node {
	out := jsontree.Obj()
	targets := map[string][]string{
		"TopicConfigurations":          {"TopicArn", target, "arn:aws:sns:us-east-1:111122223333:other"},
		"QueueConfigurations":          {"QueueArn", "arn:aws:sqs:us-east-1:111122223333:other"},
		"LambdaFunctionConfigurations": {"LambdaFunctionArn", "arn:aws:lambda:us-east-1:111122223333:function:other"},
	}
	for i := range rapid.IntRange(0, 5).Draw(t, "entries") {
		list := rapid.SampledFrom([]string{
			"TopicConfigurations", "QueueConfigurations",
			"LambdaFunctionConfigurations",
		}).Draw(t, "list")
		to := targets[list]
		id := rapid.SampledFrom([]string{
			fmt.Sprint("other-", i), enroll.NotificationID,
			fmt.Sprint(enroll.NotificationID, "-", i+2),
		}).Draw(t, "id")
		events := rapid.SliceOfNDistinct(rapid.SampledFrom([]string{
			"s3:Replication:*", "s3:Replication:OperationFailedReplication", "s3:Replication:OperationMissedThreshold",
			"s3:Replication:OperationNotTracked", "s3:ObjectCreated:*",
		}), 1, 3, rapid.ID[string]).Draw(t, "events")
		var asked []jsontree.Node
		for _, e := range events {
			asked = append(asked, jsontree.Str(e))
		}
		entry := jsontree.Obj().With("Id", jsontree.Str(id)).With("Events", jsontree.List(asked...)).
			With(to[0], jsontree.Str(rapid.SampledFrom(to[1:]).Draw(t, "target")))
		var rules []jsontree.Node
		for _, filter := range [][]string{{"Prefix", "", "led", "ledger/", "ledger/a/", "x/"}, {"suffix", "", ".csv"}} {
			name := filter[0]
			if v := rapid.SampledFrom(filter[1:]).Draw(t, name); v != "" {
				rules = append(rules, jsontree.Obj().With("Name", jsontree.Str(name)).With("Value", jsontree.Str(v)))
			}
		}
		if rules != nil {
			entry = entry.With("Filter", jsontree.Obj().With("Key", jsontree.Obj().With("FilterRules", jsontree.List(rules...))))
		}
		next := out.With(list, jsontree.List(append(slices.Clone(out.Get(list).Items), entry)...))
		if valid(next) {
			out = next
		}
	}
	return out
}

// valid says whether S3 would hold the configuration.
func valid(n jsontree.Node) bool {
	all := route.Notifications(n)
	for i, a := range all {
		for _, b := range all[:i] {
			if a.ID == b.ID || len(a.Overlaps(b)) > 0 {
				return false
			}
		}
	}
	return true
}

// TestMergeLeavesOthersAlone: an enrolled notification is one that S3 holds, tells the target of everything that the rule covers, has
// every entry of others as it was, and is not touched by a second run. What is refused names an entry that overlaps.
func TestMergeLeavesOthersAlone(t *testing.T) {
	t.Parallel()
	r, s, live, o := base(t)
	rapid.Check(t, func(t *rapid.T) {
		live := live
		before := configuration(t, o.Target.String())
		live.Notification = present(before)
		e := enroll.New(r, s, live, o)
		if len(e.Steps) > 1 || len(e.Steps) == 1 && len(e.Refusals) > 0 {
			t.Fatalf("%d steps and %d refusals", len(e.Steps), len(e.Refusals))
		}
		after := before
		if len(e.Steps) == 1 {
			after = e.Steps[0].After
		}
		if len(e.Refusals) == 0 {
			for _, event := range []string{
				"s3:Replication:OperationFailedReplication", "s3:Replication:OperationMissedThreshold",
				"s3:Replication:OperationReplicatedAfterThreshold", "s3:Replication:OperationNotTracked",
			} {
				if !slices.ContainsFunc(route.Notifications(after), func(n route.Notification) bool {
					return n.Target == o.Target.String() && n.Asks(event) && n.Covers("ledger/")
				}) {
					t.Fatalf("nobody hears of %s:\n%s", event, after.Indent())
				}
			}
		}
		for _, n := range route.Notifications(before) {
			if !strings.HasPrefix(n.ID, enroll.NotificationID) || n.Suffix != "" || len(e.Steps) == 0 {
				continue
			}
			if n.Asks(route.FailureEvent) && !slices.ContainsFunc(route.Notifications(after), func(m route.Notification) bool {
				return m.Asks(route.FailureEvent) && m.Covers(n.Prefix)
			}) {
				t.Fatalf("keys with %q are no longer heard of:\n%s\nmade of\n%s", n.Prefix, after.Indent(), before.Indent())
			}
		}
		if !valid(after) {
			t.Fatalf("S3 would not hold\n%s\nmade of\n%s", after.Indent(), before.Indent())
		}
		if got, want := others(after), others(before); !slices.EqualFunc(got, want, jsontree.Equal) {
			t.Fatalf("entries of others changed:\n%s\nwere\n%s", after.Indent(), before.Indent())
		}
		live.Notification = present(after)
		again := enroll.New(r, s, live, o)
		if len(again.Steps) > 0 || len(again.Refusals) != len(e.Refusals) {
			t.Fatalf("a second run finds %s\nafter\n%s", show(again), after.Indent())
		}
	})
}

// others is the entries that are not Replimend's, in their order.
func others(n jsontree.Node) []jsontree.Node {
	var out []jsontree.Node
	for _, l := range route.NotificationLists {
		for _, entry := range n.Get(l.List).Items {
			if !strings.HasPrefix(entry.Get("Id").Text, enroll.NotificationID) {
				out = append(out, entry)
			}
		}
	}
	return out
}

// TestMetricsTouchNothingElse: a step on the replication configuration changes one place of one rule.
func TestMetricsTouchNothingElse(t *testing.T) {
	t.Parallel()
	r, s, live, o := base(t)
	rapid.Check(t, func(t *rapid.T) {
		live := live
		rules := slices.Clone(live.Replication.V.Get("Rules").Items)
		rules[0] = rules[0].With("Destination", without(rules[0].Get("Destination"), "Metrics")).
			With("Future", jsontree.Str(rapid.String().Draw(t, "future")))
		n := rapid.IntRange(0, 3).Draw(t, "more rules")
		for i := range n {
			rules = append(rules, rules[1].With("ID", jsontree.Str(fmt.Sprint("more", i))).With("Priority",
				jsontree.Node{Kind: jsontree.Number, Text: fmt.Sprint(i + 3)}))
		}
		rules = rapid.Permutation(rules).Draw(t, "order")
		before := live.Replication.V.With("Rules", jsontree.List(rules...))
		live.Replication = present(before)
		e := enroll.New(r, s, live, o)
		if len(e.Steps) != 1 || e.Steps[0].Kind != enroll.Metrics {
			t.Fatalf("steps %s", show(e))
		}
		after := slices.Clone(e.Steps[0].After.Get("Rules").Items)
		for i, rule := range after {
			if rule.Get("ID").Text == r.RuleID {
				after[i] = rule.With("Destination", without(rule.Get("Destination"), "Metrics"))
			}
		}
		if !jsontree.Equal(before, e.Steps[0].After.With("Rules", jsontree.List(after...))) {
			t.Fatalf("more than the metrics changed:\n%s", e.Steps[0].Diff())
		}
	})
}

func without(n jsontree.Node, name string) jsontree.Node {
	out := jsontree.Obj()
	for _, f := range n.Fields {
		if f.Name != name {
			out = out.With(f.Name, f.Value)
		}
	}
	return out
}

func TestSameKnowsSets(t *testing.T) {
	t.Parallel()
	const two = `{"Rules": [{"ID": "a"}, {"ID": "b", "Priority": 2}]}`
	tests := map[string]struct {
		live, wanted string
		holds, same  bool
	}{
		"itself":         {two, two, true, true},
		"another order":  {`{"Rules": [{"Priority": 2, "ID": "b"}, {"ID": "a"}]}`, two, true, true},
		"a default more": {`{"Rules": [{"ID": "a", "Priority": 1}, {"ID": "b", "Priority": 2}]}`, two, true, false},
		"a rule more":    {`{"Rules": [{"ID": "a"}, {"ID": "b", "Priority": 2}, {"ID": "c"}]}`, two, false, false},
		"a rule less":    {`{"Rules": [{"ID": "a"}]}`, two, false, false},
		"another value":  {`{"Rules": [{"ID": "a"}, {"ID": "b", "Priority": 3}]}`, two, false, false},
		"a member less":  {`{"Rules": [{"ID": "a"}, {"ID": "b"}]}`, two, false, false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			live, wanted := node(t, tt.live), node(t, tt.wanted)
			if got := enroll.Holds(live, wanted); got != tt.holds {
				t.Errorf("holds %t, want %t", got, tt.holds)
			}
			if got := enroll.Same(live, wanted); got != tt.same {
				t.Errorf("same %t, want %t", got, tt.same)
			}
		})
	}
}
