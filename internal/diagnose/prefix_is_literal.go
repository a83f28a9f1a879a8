package diagnose

import (
	"fmt"
	"strings"

	"github.com/replimend/replimend/internal/patch"
	"github.com/replimend/replimend/internal/route"
	"github.com/replimend/replimend/internal/snapshot"
)

// prefixIsLiteral: a prefix is compared character by character with the beginning of the key. A * at its end is an asterisk, and
// neither a slash nor the bucket's name stands before a key. A sample object that has the prefix shows that it is meant so.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_ReplicationRuleFilter.html
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-keys.html
var prefixIsLiteral = Cause{
	Name:      "prefix-is-literal",
	Group:     OfRules,
	Summary:   "the rule's prefix is written as a pattern, a path or a URL, and S3 takes it literally",
	Verdict:   Conditional,
	Side:      SourceSide,
	Documents: []snapshot.Kind{snapshot.ReplicationConfig},
	Remedy:    patch.Manual,
	Inspect: func(e *examination) []Finding {
		prefix, _ := e.r.Filter()
		if prefix == "" {
			return nil
		}
		severity, why, instead := e.mistaken(prefix)
		if why == "" || e.rules != nil && e.rules.Named(prefix) {
			return nil
		}
		return []Finding{{
			Cause: "prefix-is-literal", Side: SourceSide, Document: e.config(), Severity: severity, Evidence: route.Inferred, Remedy: patch.Manual,
			Message: fmt.Sprintf("rule %s has the prefix %q, and %s: only objects whose names begin with exactly these characters are replicated, and no sample object has such a name. %s",
				e.r.RuleID, prefix, why, instead),
		}}
	},
}

// mistaken says what somebody seems to have taken the prefix for. It is a fault where such names are next to impossible, and a
// question where some have them.
func (e *examination) mistaken(prefix string) (severity Severity, why, instead string) {
	const all = "For every object the prefix is empty"
	perhaps := func(meant string) string {
		if meant == "" {
			return all
		}
		return fmt.Sprintf("Perhaps %q is meant", meant)
	}
	rest, star := strings.CutSuffix(prefix, "*")
	switch {
	case prefix == "*":
		return Fault, "* is an asterisk there and no wildcard", all
	case star:
		return Fault, "* is an asterisk there and no wildcard", fmt.Sprintf("For what begins with %q the prefix is just that", rest)
	case strings.HasPrefix(prefix, "s3://"), strings.HasPrefix(prefix, "arn:"):
		return Fault, "names of objects are without scheme, ARN and bucket", all
	case strings.HasPrefix(prefix, "/"):
		return Warning, "names of objects usually begin without a slash", perhaps(prefix[1:])
	case strings.HasPrefix(prefix, e.r.Source+"/"):
		return Warning, "the bucket's name is not part of the names of its objects", perhaps(prefix[len(e.r.Source)+1:])
	default:
		return "", "", ""
	}
}
