package diagnose

import (
	"fmt"
	"strings"

	"github.com/replimend/replimend/internal/patch"
	"github.com/replimend/replimend/internal/policy"
	"github.com/replimend/replimend/internal/route"
	"github.com/replimend/replimend/internal/snapshot"
)

// certainly is the samples of the route that it certainly takes and that have the property.
func (e *examination) certainly(is func(o *route.Sample) bool) []*snapshot.Object {
	var out []*snapshot.Object
	for i := range e.samples {
		if o := &e.samples[i]; o.Claim == route.Taken && is(o) {
			out = append(out, o.Object)
		}
	}
	return out
}

// aboutObjects is a finding about samples of one bucket: it stands at the first, and its message begins with their names.
func aboutObjects(cause string, severity Severity, partition string, objects []*snapshot.Object, format string, args ...any) Finding {
	return Finding{
		Cause: cause, Side: SourceSide, Severity: severity, Evidence: route.Documented, Remedy: patch.Manual,
		Document: snapshot.Ref{Kind: snapshot.ObjectKind, ID: policy.ObjectARN(partition, objects[0].Bucket, objects[0].Key).String()},
		Message:  names(objects) + " " + fmt.Sprintf(format, args...),
	}
}

// mostNames is how many objects a message names.
const mostNames = 3

// names is "object a.txt" or "objects a.txt, b.txt, c.txt and 4 others".
func names(objects []*snapshot.Object) string {
	if len(objects) == 1 {
		return "object " + objects[0].Key
	}
	var keys []string
	for _, o := range objects[:min(len(objects), mostNames)] {
		keys = append(keys, o.Key)
	}
	text := "objects " + strings.Join(keys, ", ")
	if more := len(objects) - mostNames; more > 0 {
		text += fmt.Sprintf(" and %d others", more)
	}
	return text
}

// verb is one of two words, by number.
func verb(objects []*snapshot.Object, one, many string) string {
	if len(objects) == 1 {
		return one
	}
	return many
}
