package mutation

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"

	"github.com/replimend/replimend/internal/diagnose"
	"github.com/replimend/replimend/internal/route"
	"github.com/replimend/replimend/internal/snapshot"
)

// Worlds is where the complete routes are, by their paths from the root of the repository. Between them they cover the same and
// another account, every encryption, Bucket Keys on either side, owner override, Object Lock, delete markers, tags, prefixes,
// keys that delegate and keys that name the role, grants, split and wildcard policies, a boundary with SCPs and RCPs,
// multi-Region keys, three partitions, overlapping rules with priorities and two destinations, a two-way pair that syncs changes of
// replicas, waiting objects with and without a Bucket Key, and a service that delivers logs.
var Worlds = []string{
	"docs/examples/cross-account-kms.json",
	"docs/examples/same-account-dsse-kms.json",
	"docs/examples/same-account-sse-c.json",
	"docs/examples/same-account-sse-kms.json",
	"docs/examples/same-account-sse-s3.json",
	"internal/diagnose/testdata/base/cross-account-bucket-keys.json",
	"internal/diagnose/testdata/base/cross-account-delete-markers.json",
	"internal/diagnose/testdata/base/cross-account-dsse-kms.json",
	"internal/diagnose/testdata/base/cross-account-kms.json",
	"internal/diagnose/testdata/base/cross-account-object-lock.json",
	"internal/diagnose/testdata/base/cross-account-prefix.json",
	"internal/diagnose/testdata/base/keys-without-delegation.json",
	"internal/diagnose/testdata/base/one-key-for-both.json",
	"internal/diagnose/testdata/base/same-account-kms.json",
	"internal/diagnose/testdata/base/same-account-plaintext.json",
	"internal/diagnose/testdata/base/same-account-sse-c.json",
	"internal/diagnose/testdata/base/same-account-sse-s3.json",
	"internal/diagnose/testdata/base/two-rules-one-role.json",
	"internal/diagnose/testdata/base/version-1-rule.json",
	"internal/mutation/testdata/bucket-key-at-the-destination.json",
	"internal/mutation/testdata/bucket-key-at-the-source.json",
	"internal/mutation/testdata/china-cross-account-kms.json",
	"internal/mutation/testdata/govcloud-cross-account-kms.json",
	"internal/mutation/testdata/guarded-cross-account.json",
	"internal/mutation/testdata/log-delivery.json",
	"internal/mutation/testdata/multi-region-keys.json",
	"internal/mutation/testdata/overlapping-prefixes.json",
	"internal/mutation/testdata/overlapping-rules.json",
	"internal/mutation/testdata/records-archive.json",
	"internal/mutation/testdata/replica-key-grant.json",
	"internal/mutation/testdata/source-key-names-the-role.json",
	"internal/mutation/testdata/split-policies.json",
	"internal/mutation/testdata/two-bucket-key-populations.json",
	"internal/mutation/testdata/two-way.json",
	"internal/mutation/testdata/wildcard-policies.json",
}

// tree is a snapshot as JSON, in which a mutation can change anything.
type tree = map[string]any

// world is one complete route with what the oracles say of it before anything is changed.
type world struct {
	name      string
	diagnoses func(*snapshot.Snapshot) []diagnose.Route
	tree      tree
	routes    []diagnose.Route
	answers   map[string]answer
	rehearsed rehearsal
	access    *route.Access // nil: the world is of replication
}

// readWorld reads a world and refuses one that is no complete route: nothing could be learned from breaking it.
func readWorld(files fs.FS, path string, plant func(*diagnose.Route)) (*world, error) {
	w, err := parseWorld(files, path)
	if err != nil {
		return nil, err
	}
	for _, o := range list(w.tree["objects"]) {
		o.(tree)["replicationStatus"] = route.Pending // what S3 has replicated already does not stand for what it makes of a mutant
	}
	w.diagnoses = func(s *snapshot.Snapshot) []diagnose.Route {
		return planted(plant, asRoutes(diagnose.Diagnose(s, nil)))
	}
	s, err := w.mutated()
	if err == nil {
		err = w.complete(s)
	}
	if err != nil {
		return nil, fmt.Errorf("read world %s: %w", path, err)
	}
	w.rehearsed.readings = readingsOf(s, w.rehearsed)
	return w, nil
}

func parseWorld(files fs.FS, path string) (*world, error) {
	data, err := fs.ReadFile(files, path)
	if err != nil {
		return nil, fmt.Errorf("read world: %w", err)
	}
	name := strings.TrimSuffix(strings.TrimPrefix(strings.TrimPrefix(path, "internal/"), "docs/"), ".json")
	w := &world{name: strings.ReplaceAll(name, "/testdata/", "/"), tree: tree{}}
	if err := json.Unmarshal(data, &w.tree); err != nil {
		return nil, fmt.Errorf("read world %s: %w", path, err)
	}
	return w, nil
}

// complete asks the oracles of the world before anything is changed. An error says that it is broken already.
func (w *world) complete(s *snapshot.Snapshot) error {
	w.routes = w.diagnoses(s)
	for _, r := range w.routes {
		if r.Verdict != diagnose.Healthy {
			return fmt.Errorf("rule %s is %s before any mutation", r.Rule, r.Verdict)
		}
	}
	w.answers = w.asks(s)
	var err error
	if w.rehearsed, err = w.rehearses(s, nil); err == nil && !w.rehearsed.arrives() {
		err = errors.New("nothing of it arrives in the lab")
	}
	return err
}

// asks is what the evaluator says of everything that S3 asks in that world.
func (w *world) asks(s *snapshot.Snapshot) map[string]answer {
	if w.access != nil {
		return answersOfAccess(s, *w.access)
	}
	return answersOf(s)
}

// rehearses is what the lab makes of that world.
func (w *world) rehearses(s *snapshot.Snapshot, readings map[string]bool) (rehearsal, error) {
	if w.access != nil {
		return rehearseAccess(s, *w.access)
	}
	return rehearse(s, readings)
}

// asRoutes is the routes of a diagnosis, and what it says of no route as if it were one.
func asRoutes(d diagnose.Diagnosis) []diagnose.Route {
	if len(d.Findings) == 0 {
		return d.Routes
	}
	return append(d.Routes, diagnose.Route{Verdict: diagnose.Healthy, Findings: d.Findings})
}

// planted is the routes with the fault that a test plants in the diagnosis; nil plants none.
func planted(plant func(*diagnose.Route), routes []diagnose.Route) []diagnose.Route {
	for i := range routes {
		if plant != nil {
			plant(&routes[i])
		}
	}
	return routes
}

// mutated is the world's snapshot after a change. An error says that no snapshot can look so.
func (w *world) mutated(changes ...func(tree)) (*snapshot.Snapshot, error) {
	t := clone(w.tree).(tree)
	for _, change := range changes {
		change(t)
	}
	data, err := json.Marshal(t)
	if err != nil {
		return nil, err
	}
	return snapshot.Parse(data)
}

func clone(v any) any {
	switch v := v.(type) {
	case tree:
		out := make(tree, len(v))
		for k, item := range v {
			out[k] = clone(item)
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, item := range v {
			out[i] = clone(item)
		}
		return out
	default:
		return v
	}
}

// step follows a path of member names and indexes; what is not there is nil.
func step(v any, path ...any) any {
	for _, p := range path {
		switch p := p.(type) {
		case string:
			m, _ := v.(tree)
			v = m[p]
		case int:
			v = v.([]any)[p]
		}
	}
	return v
}

// object is step where an object must be.
func object(v any, path ...any) tree { return step(v, path...).(tree) }

func sortedKeys(v any) []string {
	m, _ := v.(tree)
	return slices.Sorted(maps.Keys(m))
}

// list is a value or a list of values, as policies write both.
func list(v any) []any {
	switch v := v.(type) {
	case []any:
		return v
	case nil:
		return nil
	default:
		return []any{v}
	}
}

func without(all []any, i int) []any { return slices.Delete(slices.Clone(all), i, i+1) }

func with(all []any, i int, v any) []any {
	out := slices.Clone(all)
	out[i] = v
	return out
}
