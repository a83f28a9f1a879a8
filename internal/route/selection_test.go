package route

import (
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/replimend/replimend/internal/snapshot"
)

// bucketOf is the rules of a bucket "src" with those samples.
func bucketOf(rules []snapshot.Rule, objects ...snapshot.Object) *Rules {
	s := &snapshot.Snapshot{Objects: objects, Buckets: map[string]snapshot.Value[snapshot.Bucket]{
		"src": snapshot.Of(snapshot.Bucket{Replication: snapshot.Of(snapshot.Replication{Role: "arn:aws:iam::111122223333:role/r", Rules: rules})}),
	}}
	return NewWorld(s).Rules("src")
}

func rule(id string, priority int, destination, prefix string, kms bool, tags ...snapshot.Tag) snapshot.Rule {
	r := snapshot.Rule{ID: id, Priority: priority, Status: "Enabled", Filter: &snapshot.Filter{Prefix: &prefix}}
	if len(tags) > 0 {
		r.Filter = &snapshot.Filter{}
		r.Filter.And = fresh(r.Filter.And)
		r.Filter.And.Prefix, r.Filter.And.Tags = &prefix, tags
	}
	r.Destination.Bucket = "arn:aws:s3:::" + destination
	if kms {
		r.SourceSelectionCriteria = &snapshot.SourceSelectionCriteria{SseKmsEncryptedObjects: &snapshot.Switch{Status: "Enabled"}}
	}
	return r
}

func fresh[T any](*T) *T { return new(T) }

// taken is "rule:claim" of every rule that takes the only sample, in the order of the configuration.
func taken(rs *Rules) []string {
	var out []string
	for i := range rs.Enabled {
		for _, o := range rs.Samples(&rs.Enabled[i]) {
			out = append(out, rs.Enabled[i].RuleID+":"+[]string{"taken", "tags", "opt-in"}[o.Claim])
		}
	}
	return out
}

func TestWhichRuleTakesAnObject(t *testing.T) {
	t.Parallel()
	x := snapshot.Tag{Key: "k", Value: "v"}
	object := func(encryption string, tags map[string]string) snapshot.Object {
		o := snapshot.Object{Bucket: "src", Key: "logs/a.txt", Encryption: snapshot.Of(encryption)}
		if tags != nil {
			o.Tags = snapshot.Of(tags)
		}
		return o
	}
	plain := object(SSES3, map[string]string{})
	for name, c := range map[string]struct {
		rules  []snapshot.Rule
		object snapshot.Object
		want   []string
	}{
		"one rule":                           {[]snapshot.Rule{rule("a", 1, "d", "logs/", true)}, plain, []string{"a:taken"}},
		"another prefix":                     {[]snapshot.Rule{rule("a", 1, "d", "data/", true)}, plain, nil},
		"higher of two":                      {[]snapshot.Rule{rule("a", 1, "d", "", true), rule("b", 2, "d", "logs/", true)}, plain, []string{"b:taken"}},
		"higher comes first":                 {[]snapshot.Rule{rule("a", 2, "d", "", true), rule("b", 1, "d", "logs/", true)}, plain, []string{"a:taken"}},
		"two destinations":                   {[]snapshot.Rule{rule("a", 1, "d", "", true), rule("b", 2, "e", "logs/", true)}, plain, []string{"a:taken", "b:taken"}},
		"higher wants a tag that is missing": {[]snapshot.Rule{rule("a", 1, "d", "", true), rule("b", 2, "d", "", true, x)}, plain, []string{"a:taken"}},
		"higher wants a tag that is there": {
			[]snapshot.Rule{rule("a", 1, "d", "", true), rule("b", 2, "d", "", true, x)}, object(SSES3, map[string]string{"k": "v"}), []string{"b:taken"},
		},
		"higher wants a tag that nobody knows": {
			[]snapshot.Rule{rule("a", 1, "d", "", true), rule("b", 2, "d", "", true, x)}, object(SSES3, nil), []string{"a:tags", "b:tags"},
		},
		"lower wants a tag that nobody knows": {
			[]snapshot.Rule{rule("a", 2, "d", "", true), rule("b", 1, "d", "", true, x)}, object(SSES3, nil), []string{"a:taken"},
		},
		"higher does not opt in, KMS": {
			[]snapshot.Rule{rule("a", 1, "d", "", true), rule("b", 2, "d", "", false)}, object(SSEKMS, nil), []string{"a:opt-in", "b:opt-in"},
		},
		"higher does not opt in, SSE-S3": {[]snapshot.Rule{rule("a", 1, "d", "", true), rule("b", 2, "d", "", false)}, plain, []string{"b:taken"}},
		"nobody opts in": {
			[]snapshot.Rule{rule("a", 1, "d", "", false), rule("b", 2, "d", "", false)}, object(SSEKMS, nil), []string{"b:taken"},
		},
		"equal priorities, which S3 refuses": {[]snapshot.Rule{rule("a", 1, "d", "", true), rule("b", 1, "d", "", true)}, plain, []string{"a:taken", "b:taken"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := taken(bucketOf(c.rules, c.object)); !slices.Equal(got, c.want) {
				t.Errorf("taken by %v, want %v", got, c.want)
			}
		})
	}
}

// TestIndexFindsWhatAScanFinds holds the index against looking at every rule.
func TestIndexFindsWhatAScanFinds(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		names := rapid.SampledFrom([]string{"", "a", "a/", "a/b", "b", "b/", "a/b/c"})
		values := rapid.SampledFrom([]string{"x", "y"})
		tags := func(label string) (out []snapshot.Tag) {
			for _, k := range []string{"k", "l"} {
				if rapid.Bool().Draw(t, label+k) {
					out = append(out, snapshot.Tag{Key: k, Value: values.Draw(t, label+k+" value")})
				}
			}
			return out
		}
		var rules []snapshot.Rule
		for i := range rapid.IntRange(2, 12).Draw(t, "rules") {
			rules = append(rules, rule(fmt.Sprint("r", i), i, rapid.SampledFrom([]string{"d", "e"}).Draw(t, "destination"), names.Draw(t, "prefix"), rapid.Bool().Draw(t, "kms"), tags("rule ")...))
		}
		rs := bucketOf(rules)
		key := names.Draw(t, "key")
		var of map[string]string
		if rapid.Bool().Draw(t, "tags are known") {
			of = map[string]string{}
			for _, tag := range tags("object ") {
				of[tag.Key] = tag.Value
			}
		}
		var want []candidate
		for i := range rs.Enabled {
			if covers, certain := rs.Enabled[i].Covers(key, of); covers || !certain {
				want = append(want, candidate{i, certain})
			}
		}
		if got := rs.candidates(key, of); !slices.Equal(got, want) {
			t.Errorf("candidates %v, want %v", got, want)
		}
		for i := range rs.Enabled {
			r := &rs.Enabled[i]
			prefix, want := r.Filter()
			covered := make(map[string]string)
			for _, tag := range want {
				covered[tag.Key] = tag.Value
			}
			encloses := func(o *Route) bool {
				covers, certain := o.Covers(prefix, covered)
				return covers && certain && o.Destination == r.Destination && o.Rule.Priority > r.Rule.Priority
			}
			exists := slices.ContainsFunc(rs.Enabled, func(o Route) bool { return encloses(&o) })
			if above := rs.Above(r); (above != nil) != exists || above != nil && !encloses(above) {
				t.Errorf("above %v is %v, but one exists: %t", r, above, exists)
			}
		}
	})
}

// TestSelectionLooksAtFewRules counts how many rules are looked at: with a prefix each, it grows with rules and samples and not
// with their product.
func TestSelectionLooksAtFewRules(t *testing.T) {
	t.Parallel()
	looks := func(n int) int {
		var rules []snapshot.Rule
		var objects []snapshot.Object
		for i := range n {
			prefix := fmt.Sprintf("p%05d/", i)
			rules = append(rules, rule(prefix, i, "d", prefix, true))
			objects = append(objects, snapshot.Object{Bucket: "src", Key: prefix + "a.txt"})
		}
		rs := bucketOf(rules, objects...)
		for i := range rs.Enabled {
			rs.Above(&rs.Enabled[i])
			rs.stands(&rs.Enabled[i])
		}
		return rs.lookups
	}
	if few, many := looks(100), looks(1000); few < 100 || many > 10*few {
		t.Errorf("100 rules with a sample each cost %d looks, 1000 cost %d", few, many)
	}
}
