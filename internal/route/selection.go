package route

import (
	"cmp"
	"slices"
	"strings"

	"github.com/replimend/replimend/internal/snapshot"
)

// Rules is the replication rules of one source bucket, indexed by what they select, so that finding the rules of an object
// does not look at all of them.
//
// S3 replicates an object by every rule that covers it, but of those to one destination bucket only by the one with the
// highest Priority number: https://docs.aws.amazon.com/AmazonS3/latest/API/API_ReplicationRule.html
type Rules struct {
	Source   string
	Enabled  []Route // in the order of the configuration
	Disabled []Route

	ids       map[string][]int    // by RuleID, of Enabled
	covering  map[filterKey][]int // by prefix and first tag
	tagged    map[string][]int    // by prefix: those that filter by tags, for objects whose tags nobody knows
	enclosing map[scopeKey][]int  // by destination, prefix and first tag
	lengths   []int               // of the prefixes, ascending
	samples   [][]Sample          // by position in Enabled
	off       *Rules              // the disabled ones, as if they were enabled; made when first asked for
	lookups   int                 // how often a rule was looked at: the work of the selection
	objects   []*snapshot.Object  // samples of the bucket
	outside   []*snapshot.Object  // samples that no enabled rule covers, for certain
}

// filterKey is one way in which a rule's filter can be looked up: its prefix and the first of its tags, "" without tags.
type filterKey struct{ prefix, tag, value string }

// scopeKey is filterKey for the rules to one destination.
type scopeKey struct {
	destination string
	filterKey
}

// Claim is how sure it is that a rule takes a sample object.
type Claim uint8

// The claims.
const (
	// Taken: the rule covers the object, and no rule to the same destination outranks it.
	Taken Claim = iota
	// TagsUnknown: it depends on tags of the object that the snapshot does not have.
	TagsUnknown
	// OptInOutranked: a rule of higher priority covers the object and does not opt in to KMS objects, this one does. Nowhere
	// does AWS say whether priority is decided before or after the opt-in, which it calls an additional filter:
	// https://docs.aws.amazon.com/AmazonS3/latest/API/API_SourceSelectionCriteria.html
	OptInOutranked
)

// Sample is a sample object that a rule takes or may take.
type Sample struct {
	*snapshot.Object
	Claim Claim
	// Other is the rule that claims the object as well where Claim is OptInOutranked, on either of the two.
	Other string
	// Elsewhere says that rules to other destinations cover the object, too: its one status is of all that replicate it.
	Elsewhere bool
}

// newRules indexes the rules. A configuration with one enabled rule needs no index.
func newRules(source string, enabled, disabled []Route, objects []*snapshot.Object) *Rules {
	rs := &Rules{Source: source, Enabled: enabled, Disabled: disabled, objects: objects}
	if len(enabled) > 1 {
		rs.index()
	}
	if len(objects) > 0 {
		rs.assign()
	}
	return rs
}

func (rs *Rules) index() {
	n := len(rs.Enabled)
	rs.ids = make(map[string][]int, n)
	rs.covering, rs.enclosing = make(map[filterKey][]int, n), make(map[scopeKey][]int, n)
	rs.tagged = make(map[string][]int)
	for i := range rs.Enabled {
		r := &rs.Enabled[i]
		prefix, tags := r.Filter()
		key := filterKey{prefix: prefix}
		if len(tags) > 0 {
			key.tag, key.value = tags[0].Key, tags[0].Value
			rs.tagged[prefix] = append(rs.tagged[prefix], i)
		}
		rs.ids[r.RuleID] = append(rs.ids[r.RuleID], i)
		rs.covering[key] = append(rs.covering[key], i)
		rs.enclosing[scopeKey{r.Destination, key}] = append(rs.enclosing[scopeKey{r.Destination, key}], i)
		if at, ok := slices.BinarySearch(rs.lengths, len(prefix)); !ok {
			rs.lengths = slices.Insert(rs.lengths, at, len(prefix))
		}
	}
}

// position is where the rule of a route stands in Enabled, -1 when it is not one of them.
func (rs *Rules) position(r *Route) int {
	if len(rs.Enabled) == 1 && rs.Enabled[0].RuleID == r.RuleID {
		return 0
	}
	for _, i := range rs.ids[r.RuleID] {
		if rs.Enabled[i].Destination == r.Destination {
			return i
		}
	}
	return -1
}

// candidate is a rule whose filter selects an object, or may.
type candidate struct {
	at      int
	certain bool
}

// candidates is the enabled rules that cover the key, in the order of the configuration. Nil tags are not known.
func (rs *Rules) candidates(key string, tags map[string]string) []candidate {
	var out []candidate
	try := func(at int) {
		rs.lookups++
		if covers, certain := rs.Enabled[at].Covers(key, tags); covers || !certain {
			out = append(out, candidate{at, certain})
		}
	}
	if len(rs.Enabled) <= 1 {
		for i := range rs.Enabled {
			try(i)
		}
		return out
	}
	for _, n := range rs.lengths {
		if n > len(key) {
			break
		}
		prefix := key[:n]
		for _, at := range rs.covering[filterKey{prefix: prefix}] {
			try(at)
		}
		if tags == nil {
			for _, at := range rs.tagged[prefix] {
				try(at)
			}
		}
		for tag, value := range tags {
			for _, at := range rs.covering[filterKey{prefix, tag, value}] {
				try(at)
			}
		}
	}
	slices.SortFunc(out, func(a, b candidate) int { return cmp.Compare(a.at, b.at) })
	return out
}

// assign gives every sample of the bucket to the rules that take it.
func (rs *Rules) assign() {
	rs.samples = make([][]Sample, len(rs.Enabled))
	for _, o := range rs.objects {
		found := rs.candidates(o.Key, TagsOf(o))
		if len(found) == 0 {
			rs.outside = append(rs.outside, o)
		}
		// Those to one destination side by side, the highest priority first.
		slices.SortStableFunc(found, func(a, b candidate) int {
			x, y := &rs.Enabled[a.at], &rs.Enabled[b.at]
			return cmp.Or(strings.Compare(x.Destination, y.Destination), cmp.Compare(y.Rule.Priority, x.Rule.Priority))
		})
		elsewhere := len(found) > 0 && rs.Enabled[found[0].at].Destination != rs.Enabled[found[len(found)-1].at].Destination
		for len(found) > 0 {
			n := 1
			for n < len(found) && rs.Enabled[found[n].at].Destination == rs.Enabled[found[0].at].Destination {
				n++
			}
			rs.award(Sample{Object: o, Elsewhere: elsewhere}, found[:n])
			found = found[n:]
		}
	}
}

// award gives a sample to one of the rules to one destination, the highest priority first. Rules of the same priority, which
// S3 refuses, share it.
func (rs *Rules) award(o Sample, ranked []candidate) {
	give := func(at int, claim Claim, other string) {
		o.Claim, o.Other = claim, other
		rs.samples[at] = append(rs.samples[at], o)
	}
	claim := Taken
	winner := -1 // a rule that takes the object for certain
	for _, c := range ranked {
		r := &rs.Enabled[c.at]
		if winner >= 0 && r.Rule.Priority < rs.Enabled[winner].Rule.Priority {
			if high := &rs.Enabled[winner]; c.certain && kmsObject(o.Object) && r.SelectsKMS() && !high.SelectsKMS() {
				give(c.at, OptInOutranked, high.RuleID)
				last := rs.samples[winner]
				last[len(last)-1].Claim, last[len(last)-1].Other = OptInOutranked, r.RuleID
				return
			}
			continue
		}
		if !c.certain {
			claim = TagsUnknown // and whatever stands below is not sure either
			give(c.at, TagsUnknown, "")
			continue
		}
		give(c.at, claim, "")
		winner = c.at
	}
}

func kmsObject(o *snapshot.Object) bool {
	return !o.DeleteMarker && (o.Encryption.V == SSEKMS || o.Encryption.V == DSSEKMS)
}

// TagsOf is the tags of an object, nil when they are not known. Delete markers have none.
func TagsOf(o *snapshot.Object) map[string]string {
	if o.DeleteMarker || o.Tags.State == snapshot.Absent || o.Tags.State == snapshot.Present && o.Tags.V == nil {
		return map[string]string{}
	}
	return o.Tags.V
}

// Samples is the sample objects that the rule takes or may take.
func (rs *Rules) Samples(r *Route) []Sample {
	if at := rs.position(r); at >= 0 && rs.samples != nil {
		return rs.samples[at]
	}
	return nil
}

// Outside is the samples of the bucket that certainly no enabled rule covers.
func (rs *Rules) Outside() []*snapshot.Object { return rs.outside }

// Named says whether the name of a sample of the bucket begins with the prefix.
func (rs *Rules) Named(prefix string) bool {
	return slices.ContainsFunc(rs.objects, func(o *snapshot.Object) bool { return strings.HasPrefix(o.Key, prefix) })
}

// Covered says whether an enabled rule covers an object of that name, or may, as its tags are not known.
func (rs *Rules) Covered(key string) bool { return len(rs.candidates(key, nil)) > 0 }

// DisabledFor is a disabled rule that would cover the object for certain, nil without one.
func (rs *Rules) DisabledFor(o *snapshot.Object) *Route {
	if rs.off == nil {
		rs.off = newRules(rs.Source, rs.Disabled, nil, nil)
	}
	for _, c := range rs.off.candidates(o.Key, TagsOf(o)) {
		if c.certain {
			return &rs.Disabled[c.at]
		}
	}
	return nil
}

// Above is a rule of higher priority to the same destination that covers everything that the rule of the route covers, nil
// when there is none. One that opts in to KMS objects, or does not where the route's does not either, comes before others.
func (rs *Rules) Above(r *Route) *Route {
	return rs.enclose(r, func(o *Route) bool { return o.Rule.Priority > r.Rule.Priority }, func(o *Route) bool {
		return o.SelectsKMS() || !r.SelectsKMS()
	})
}

// OptInBelow is a rule of lower priority to the same destination that covers everything that the rule of the route covers and
// opts in to KMS objects, nil when there is none.
func (rs *Rules) OptInBelow(r *Route) *Route {
	return rs.enclose(r, func(o *Route) bool { return o.Rule.Priority < r.Rule.Priority && o.SelectsKMS() }, func(*Route) bool { return true })
}

func (rs *Rules) enclose(r *Route, fits, better func(*Route) bool) *Route {
	if len(rs.Enabled) < 2 {
		return nil
	}
	prefix, tags := r.Filter()
	var found *Route
	try := func(key filterKey) {
		for _, at := range rs.enclosing[scopeKey{r.Destination, key}] {
			rs.lookups++
			o := &rs.Enabled[at]
			if fits(o) && o.encloses(tags) && (found == nil || !better(found) && better(o)) {
				found = o
			}
		}
	}
	for _, n := range rs.lengths {
		if n > len(prefix) {
			break
		}
		try(filterKey{prefix: prefix[:n]})
		for _, t := range tags {
			try(filterKey{prefix[:n], t.Key, t.Value})
		}
	}
	return found
}

// encloses says whether objects with these tags have all that the rule's filter wants.
func (r *Route) encloses(tags []snapshot.Tag) bool {
	_, want := r.Filter()
	for _, t := range want {
		if !slices.Contains(tags, t) {
			return false
		}
	}
	return true
}

// anyObject is the name that stands for all names under a prefix.
const anyObject = "any-object"

// stands is a name in the rule's scope that no rule of higher priority to the same destination takes from it.
func (rs *Rules) stands(r *Route) string {
	prefix, _ := r.Filter()
	name := prefix + anyObject
	if len(rs.Enabled) < 2 {
		return name
	}
	for n := 0; n < len(rs.Enabled) && rs.outranked(r, name); n++ {
		name = prefix + digits(n) + anyObject
	}
	return name
}

// outranked says whether an object of that name, whatever its tags, goes to a rule of higher priority.
func (rs *Rules) outranked(r *Route, key string) bool {
	return slices.ContainsFunc(rs.candidates(key, nil), func(c candidate) bool {
		o := &rs.Enabled[c.at]
		return c.certain && o.Destination == r.Destination && o.Rule.Priority > r.Rule.Priority
	})
}
