package mutation

import (
	"fmt"
	"io/fs"
	"slices"

	"github.com/replimend/replimend/internal/authz"
	"github.com/replimend/replimend/internal/diagnose"
	"github.com/replimend/replimend/internal/lab"
	"github.com/replimend/replimend/internal/policy"
	"github.com/replimend/replimend/internal/route"
	"github.com/replimend/replimend/internal/snapshot"
)

// Consumers is where the worlds are in which every role and user may read and write every bucket, by their paths from the root of the
// repository.
var Consumers = []string{
	"internal/mutation/testdata/guarded-consumers.json",
	"internal/rehearsal/worlds/consumers.json",
}

// readConsumers reads a world as one world for each principal and operation. An access that is not healthy is refused.
func readConsumers(files fs.FS, path string, plant func(*diagnose.Route)) ([]*world, error) {
	base, err := parseWorld(files, path)
	if err != nil {
		return nil, err
	}
	s, err := base.mutated()
	if err != nil {
		return nil, fmt.Errorf("read world %s: %w", path, err)
	}
	var out []*world
	for _, arn := range slices.Concat(sortedKeys(base.tree["roles"]), sortedKeys(base.tree["users"])) {
		for _, operation := range []route.Operation{route.Get, route.Put} {
			for _, bucket := range sortedNames(s.Buckets) {
				a, err := route.NewAccess(s, arn, bucket, operation, "")
				if err != nil {
					return nil, fmt.Errorf("read world %s: %w", path, err)
				}
				w := &world{name: fmt.Sprintf("%s: %s %ss %s", base.name, a.Principal.Resource, operation, bucket), tree: base.tree, access: &a}
				w.diagnoses = func(s *snapshot.Snapshot) []diagnose.Route { return planted(plant, asRoute(s, a)) }
				if err := w.complete(s); err != nil {
					return nil, fmt.Errorf("read world %s: %w", w.name, err)
				}
				out = append(out, w)
			}
		}
	}
	return out, nil
}

// asRoute is the diagnosis of an access in the form of a route's, which is what the oracles judge.
func asRoute(s *snapshot.Snapshot, of route.Access) []diagnose.Route {
	a, err := route.NewAccess(s, of.Principal.String(), of.Bucket, of.Operation, of.Key)
	if err != nil {
		a = of
	}
	d := diagnose.DiagnoseAccess(s, a)
	return []diagnose.Route{{
		Source: d.Bucket, Rule: d.Principal + " " + string(d.Operation), Role: d.Principal, Verdict: d.Verdict, Findings: d.Findings, Plan: d.Plan,
		Of: route.Route{
			Source: a.Bucket, SourceAccount: a.Account, DestinationAccount: a.Account, Partition: a.Partition,
			Role: a.Principal, RoleText: d.Principal,
		},
	}}
}

// answersOfAccess asks everything that S3 asks for the access.
func answersOfAccess(s *snapshot.Snapshot, of route.Access) map[string]answer {
	out := make(map[string]answer)
	a, err := route.NewAccess(s, of.Principal.String(), of.Bucket, of.Operation, of.Key)
	if err != nil {
		return out
	}
	w := route.NewWorld(s)
	kinds := a.Populations(s)
	for i, p := range kinds {
		for _, q := range route.AccessRequirements(w, a, p) {
			one := answer{Requirement: q, outcome: authz.Decide(&q.Request, &q.Layers).Outcome, kinds: kinds}
			key := q.Hop.String() + "|" + q.Request.Action + "|" + q.Request.Resource.String()
			one.of = append(out[key].of, i)
			out[key] = one
		}
	}
	return out
}

// rehearseAccess has the principal read or write an object in the lab, once as a whole and once in parts.
func rehearseAccess(s *snapshot.Snapshot, a route.Access) (rehearsal, error) {
	c, err := lab.New(s, lab.Options{})
	if err != nil {
		return rehearsal{}, err
	}
	said := func(err error) string {
		if err != nil {
			return "refused"
		}
		return completed
	}
	const key = "report.csv"
	if a.Operation == route.Put {
		_, whole := c.PutAs(a.Principal.String(), a.Bucket, key, false)
		_, parts := c.PutAs(a.Principal.String(), a.Bucket, key, true)
		return rehearsal{outcome: []string{said(whole), said(parts)}}, nil
	}
	if _, err := c.PutObject(a.Bucket, key, lab.PutOptions{}); err != nil {
		return rehearsal{outcome: []string{"nothing to read"}}, nil
	}
	return rehearsal{outcome: []string{said(c.Get(a.Principal.String(), a.Bucket, key))}}, nil
}

// consumerMutants is every mutant of an access that is not in a policy: its principal, bucket or key gone, the key not usable.
func consumerMutants(w *world) []mutant {
	a := w.access
	kind, member := snapshot.RolePolicy, "roles"
	if a.Noun == "user" {
		kind, member = snapshot.UserPolicy, "users"
	}
	principal := expected(diagnose.Broken, "principal-missing", kind, a.Principal.String(), diagnose.PrincipalSide)
	bucket := expected(diagnose.Broken, "bucket-missing", snapshot.BucketConfig, a.Bucket, diagnose.ResourceSide)
	return append(
		keyMutants(w),
		configured("no principal", a.Principal.String(), principal, func(t tree) { object(t, member)[a.Principal.String()] = nil }),
		configured("no bucket", a.Bucket, bucket, func(t tree) { object(t, "buckets")[a.Bucket] = nil }),
	)
}

// ofConsumer says whether a request is made for who reads or writes, and not for replication.
func ofConsumer(q *route.Requirement) bool { return q.Hop >= route.GetObject }

// consumerLacks is the cause when a document says nothing about the request of an access.
func (p part) consumerLacks(q *route.Requirement) string {
	verb := map[string]string{
		"s3:GetObject": "get-object", "s3:PutObject": "put-object", "kms:Decrypt": "decrypt", "kms:GenerateDataKey": "generate-data-key",
	}[q.Request.Action]
	switch p.place {
	case rolePolicy:
		return "principal-lacks-" + verb
	case bucketPolicy:
		return "bucket-policy-lacks-" + verb
	case keyPolicy, keyGrant:
		return "key-policy-lacks-" + verb
	case boundary:
		return "permissions-boundary-silent"
	default:
		return "organization-policy-silent"
	}
}

// principalOf is the account's principal with another name.
func principalOf(like authz.Principal, account, resource string) authz.Principal {
	arn := policy.ARN{Partition: like.ARN.Partition, Service: "iam", Account: account, Resource: resource}
	if like.Kind == authz.User {
		return authz.Principal{Kind: authz.User, ARN: arn, Account: account, UniqueID: "AIDASTRANGER"}
	}
	return authz.SessionOf(arn, route.Session, "AROASTRANGER")
}
