package mutation

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/replimend/replimend/internal/lab"
	"github.com/replimend/replimend/internal/policy"
	"github.com/replimend/replimend/internal/snapshot"
)

// rehearsal is what the lab's S3, which knows nothing of the product's list of requests, makes of a world: what became of each
// object, and its replica.
type rehearsal struct {
	outcome  []string
	readings map[string]bool // of the documentation, under which the lab does the same
}

func (r rehearsal) arrives() bool {
	return slices.ContainsFunc(r.outcome, func(s string) bool { return strings.HasPrefix(s, completed) })
}

func (r rehearsal) same(o rehearsal) bool { return slices.Equal(r.outcome, o.outcome) }

const completed = "COMPLETED"

// rehearse replicates one object of every kind that the world has, and a delete marker, in the lab.
func rehearse(s *snapshot.Snapshot, readings map[string]bool) (rehearsal, error) {
	world := *s
	world.Objects = probes(s)
	c, err := lab.New(&world, lab.Options{Disputed: readings})
	if err != nil {
		return rehearsal{}, err
	}
	if err := c.Replicate(context.Background()); err != nil {
		return rehearsal{}, err
	}
	var out rehearsal
	for _, o := range world.Objects {
		at, err := c.Head(o.Bucket, o.Key, "")
		if err != nil {
			return rehearsal{}, err
		}
		text := at.ReplicationStatus.V
		for _, name := range sortedNames(s.Buckets) {
			if name == o.Bucket || s.Buckets[name].State != snapshot.Present {
				continue
			}
			if r, err := c.Head(name, o.Key, ""); err == nil {
				text += fmt.Sprintf(" %s owner=%s encryption=%s key=%s tags=%v marker=%v", name, r.Owner, r.Encryption.V, r.KMSKeyID, r.Tags.V, r.DeleteMarker)
			}
		}
		out.outcome = append(out.outcome, text)
	}
	return out, nil
}

func sortedNames(of map[string]snapshot.Value[snapshot.Bucket]) []string {
	var out []string
	for name := range of {
		out = append(out, name)
	}
	slices.Sort(out)
	return out
}

// probes is what waits to be replicated: the sample objects of the snapshot, or one tagged object of the bucket's default under
// each rule's prefix, and a delete marker beside it.
func probes(s *snapshot.Snapshot) []snapshot.Object {
	pending := snapshot.Of("PENDING")
	tags := snapshot.Of(map[string]string{"team": "data"})
	var out []snapshot.Object
	for _, o := range s.Objects {
		o.ReplicationStatus = pending
		if !o.DeleteMarker && o.Tags.State == snapshot.Missing {
			o.Tags = tags
		}
		out = append(out, o)
	}
	for _, name := range sortedNames(s.Buckets) {
		for i, r := range s.Buckets[name].V.Replication.V.Rules {
			prefix := ""
			switch {
			case r.Prefix != nil:
				prefix = *r.Prefix
			case r.Filter != nil && r.Filter.Prefix != nil:
				prefix = *r.Filter.Prefix
			}
			marker := snapshot.Object{Bucket: name, Key: fmt.Sprintf("%sdeleted-%s-%d", prefix, name, i), VersionID: "m1", ReplicationStatus: pending, DeleteMarker: true}
			object := snapshot.Object{Bucket: name, Key: fmt.Sprintf("%sreport-%s-%d", prefix, name, i), VersionID: "v1", ReplicationStatus: pending, Tags: tags}
			if len(s.Objects) == 0 {
				out = append(out, object)
			}
			out = append(out, marker)
		}
	}
	return out
}

// readingsOf is every disputed reading of the documentation that makes no difference to that world. A cure that is only good
// under the lab's own readings is none.
func readingsOf(s *snapshot.Snapshot, before rehearsal) map[string]bool {
	out := map[string]bool{}
	for name := range lab.Readings() {
		if r, err := rehearse(s, map[string]bool{name: true}); err == nil && r.same(before) {
			out[name] = true
		}
	}
	if r, err := rehearse(s, out); err != nil || !r.same(before) {
		return nil
	}
	return out
}

// parseARN is for ARNs that stand in worlds of this repository, or in plans.
func parseARN(text string) policy.ARN {
	a, err := policy.ParseARN(text)
	if err != nil {
		panic(err)
	}
	return a
}
