package mutation

import (
	"slices"
	"strconv"

	"github.com/replimend/replimend/internal/diagnose"
	"github.com/replimend/replimend/internal/route"
	"github.com/replimend/replimend/internal/snapshot"
)

// place is where a mutated document stands. What a finding calls it can depend on what is asked of it: one key can be the source
// objects' and the replicas'.
type place string

const (
	rolePolicy   place = "role policy"
	roleTrust    place = "role trust"
	boundary     place = "permissions boundary"
	bucketPolicy place = "bucket policy"
	keyPolicy    place = "key policy"
	keyGrant     place = "key grant"
	scp          place = "scp"
	rcp          place = "rcp"
	nowhere      place = "configuration"
)

// document is one policy document of a world.
type document struct {
	place place
	id    string // of its owner, as findings give it
	path  []any  // within the snapshot
	name  string // for people
}

// documents is every policy document of the world that can take part in a decision.
func documents(w tree) []document {
	var out []document
	for _, arn := range sortedKeys(w["roles"]) {
		out = append(out, document{roleTrust, arn, []any{"roles", arn, "trust"}, "trust of " + arn})
		for _, how := range []string{"inline", "attached"} {
			for _, name := range sortedKeys(step(w, "roles", arn, how)) {
				out = append(out, document{rolePolicy, arn, []any{"roles", arn, how, name}, how + " policy " + name})
			}
		}
		if b, ok := step(w, "roles", arn, "boundary").(tree); ok {
			out = append(out, document{boundary, b["arn"].(string), []any{"roles", arn, "boundary", "document"}, "boundary " + b["arn"].(string)})
		}
	}
	for _, arn := range sortedKeys(w["users"]) {
		out = append(out, userDocuments(w, arn)...)
	}
	for _, name := range sortedKeys(w["buckets"]) {
		if step(w, "buckets", name, "policy") != nil {
			out = append(out, document{bucketPolicy, name, []any{"buckets", name, "policy"}, "policy of bucket " + name})
		}
	}
	for _, arn := range sortedKeys(w["keys"]) {
		if step(w, "keys", arn, "policy") != nil {
			out = append(out, document{keyPolicy, arn, []any{"keys", arn, "policy"}, "policy of key " + arn})
		}
	}
	for _, account := range sortedKeys(w["guardrails"]) {
		for _, p := range []place{scp, rcp} {
			levels := list(step(w, "guardrails", account, string(p)+"s"))
			for i := range levels {
				for k := range list(levels[i]) {
					name := string(p) + " " + strconv.Itoa(i+1) + "." + strconv.Itoa(k+1) + " of " + account
					out = append(out, document{p, account, []any{"guardrails", account, string(p) + "s", i, k}, name})
				}
			}
		}
	}
	return out
}

// userDocuments is the policies of a user and of its groups.
func userDocuments(w tree, arn string) []document {
	var out []document
	holders := [][]any{{"users", arn}}
	for _, group := range sortedKeys(step(w, "users", arn, "groups")) {
		holders = append(holders, []any{"users", arn, "groups", group})
	}
	for _, holder := range holders {
		for _, how := range []string{"inline", "attached"} {
			for _, name := range sortedKeys(step(w, append(slices.Clone(holder), how)...)) {
				out = append(out, document{rolePolicy, arn, append(slices.Clone(holder), how, name), how + " policy " + name})
			}
		}
	}
	if b, ok := step(w, "users", arn, "boundary").(tree); ok {
		out = append(out, document{boundary, b["arn"].(string), []any{"users", arn, "boundary", "document"}, "boundary " + b["arn"].(string)})
	}
	return out
}

// atDestination says whether the destination owns what the request is about.
func atDestination(q *route.Requirement) bool {
	switch q.Hop {
	case route.WriteReplica, route.EncryptReplica, route.OwnReplica, route.WriteDeleteMarker:
		return true
	case route.WriteTags:
		return q.Request.Action == "s3:ReplicateTags"
	default:
		return false
	}
}

// ref is what a finding calls the document when that request is denied by it.
func (p place) ref(id string, q *route.Requirement) snapshot.Ref {
	kind := map[place]snapshot.Kind{
		rolePolicy: snapshot.RolePolicy, roleTrust: snapshot.RoleTrust, boundary: snapshot.PermissionsBoundary, keyGrant: snapshot.KeyGrant,
		scp: snapshot.SCP, rcp: snapshot.RCP, bucketPolicy: snapshot.SourceBucketPolicy, keyPolicy: snapshot.SourceKeyPolicy,
	}[p]
	switch {
	case ofConsumer(q) && p == rolePolicy:
		kind = q.Identity.Kind
	case ofConsumer(q) && p == bucketPolicy:
		kind = snapshot.BucketPolicy
	case ofConsumer(q) && p == keyPolicy:
		kind = snapshot.KeyPolicy
	case atDestination(q):
		switch p {
		case bucketPolicy:
			kind = snapshot.DestinationBucketPolicy
		case keyPolicy:
			kind = snapshot.ReplicaKeyPolicy
		default:
		}
	}
	return snapshot.Ref{Kind: kind, ID: id}
}

// side is whose document it is: everything of the role is the source's, whatever it is asked about.
func (p place) side(q *route.Requirement) diagnose.Side {
	switch p {
	case bucketPolicy, keyPolicy, keyGrant, rcp:
		switch {
		case ofConsumer(q):
			return diagnose.ResourceSide
		case atDestination(q):
			return diagnose.DestinationSide
		}
	default:
	}
	if ofConsumer(q) {
		return diagnose.PrincipalSide
	}
	return diagnose.SourceSide
}

// decides says whether the document takes part in the answer to the request at all.
func (d document) decides(q *route.Requirement) bool {
	if ofWriter(q) {
		return (d.place == bucketPolicy || d.place == keyPolicy) && d.place.ref(d.id, q) == q.Resource
	}
	trust := q.Hop == route.AssumeRole
	switch d.place {
	case roleTrust:
		return trust
	case rolePolicy, boundary, scp:
		own := d.place != rolePolicy || !ofConsumer(q) || d.id == q.Identity.ID
		return !trust && own && (d.place != scp || d.id == q.Request.Principal.Account)
	case rcp:
		return d.id == q.Request.ResourceAccount
	case keyGrant:
		return keyPolicy.ref(d.id, q) == q.Resource
	default:
		return d.place.ref(d.id, q) == q.Resource
	}
}
