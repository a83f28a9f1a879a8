package diagnose

import (
	"fmt"

	"github.com/replimend/replimend/internal/patch"
	"github.com/replimend/replimend/internal/route"
	"github.com/replimend/replimend/internal/snapshot"
)

// objectOutsideRules: the bucket replicates, and no enabled rule covers the object: S3 skips it in silence.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/replication-add-config.html
var objectOutsideRules = Cause{
	Name:      "object-outside-rules",
	Group:     OfObjects,
	Summary:   "no enabled rule of the bucket covers the object, so that S3 skips it in silence",
	Side:      SourceSide,
	Documents: []snapshot.Kind{snapshot.ObjectKind},
	Remedy:    patch.Manual,
}

// outsideRules is the finding about objects of a bucket that no rule covers.
func outsideRules(rules *route.Rules, objects []*snapshot.Object) Finding {
	first := objects[0]
	message := fmt.Sprintf("%s covered by no enabled rule of bucket %s, so that S3 skips %s in silence. %s",
		verb(objects, "is", "are"), rules.Source, verb(objects, "it", "them"), nearest(rules, first))
	if first.ReplicationStatus.V == route.Failed {
		message += ". That S3 has tried shows that a rule covered it before"
	}
	return aboutObjects(objectOutsideRules.Name, Warning, partitionOf(rules), objects, "%s", message)
}

// nearest names the rule that comes closest to covering the object, and what keeps it from it.
func nearest(rules *route.Rules, o *snapshot.Object) string {
	var best *route.Route
	common := -1
	for i := range rules.Enabled {
		r := &rules.Enabled[i]
		prefix, _ := r.Filter()
		n := 0
		for n < len(prefix) && n < len(o.Key) && prefix[n] == o.Key[n] {
			n++
		}
		if n == len(prefix) {
			n += len(o.Key) // a whole prefix is nearer than any part of one
		}
		if n > common {
			best, common = r, n
		}
	}
	if best == nil {
		return "No rule is enabled"
	}
	prefix, tags := best.Filter()
	if common < len(prefix) || common < len(o.Key) {
		return fmt.Sprintf("The nearest, rule %s, covers names that begin with %q", best.RuleID, prefix)
	}
	for _, t := range tags {
		if v, ok := route.TagsOf(o)[t.Key]; !ok || v != t.Value {
			return fmt.Sprintf("The nearest, rule %s, covers objects with the tag %s=%s, which must be there from the upload on: a tag that is added later does not count", best.RuleID, t.Key, t.Value)
		}
	}
	return "The nearest is rule " + best.RuleID
}

func partitionOf(rules *route.Rules) string {
	for i := range rules.Enabled {
		return rules.Enabled[i].Partition
	}
	for i := range rules.Disabled {
		return rules.Disabled[i].Partition
	}
	return "aws"
}
