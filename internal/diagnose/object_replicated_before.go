package diagnose

import (
	"github.com/replimend/replimend/internal/patch"
	"github.com/replimend/replimend/internal/route"
	"github.com/replimend/replimend/internal/snapshot"
)

// objectReplicatedBefore: the route is broken, and an object of it is COMPLETED: something has changed since, or that object is
// of another kind than those that fail.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/replication-status.html
var objectReplicatedBefore = Cause{
	Name:      "object-replicated-before",
	Group:     OfObjects,
	Summary:   "the route is broken now, and has replicated an object before",
	Side:      SourceSide,
	Documents: []snapshot.Kind{snapshot.ObjectKind},
	Remedy:    patch.None,
}

// replicatedBefore adds the finding; it needs the verdict.
func (e *examination) replicatedBefore() {
	if len(e.samples) == 0 {
		return
	}
	objects := e.certainly(func(o *route.Sample) bool { return o.ReplicationStatus.V == route.Completed && !o.Stands(&e.r) })
	if len(objects) == 0 || e.verdict() != Broken {
		return
	}
	f := aboutObjects(objectReplicatedBefore.Name, Advice, e.r.Partition, objects,
		"%s COMPLETED: the route has worked for %s. What the faults name has changed since, or concerns objects of another kind",
		verb(objects, "is", "are"), verb(objects, "it", "them"))
	f.Remedy = patch.None
	e.add(f)
}
