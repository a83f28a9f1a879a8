package diagnose

import (
	"strings"

	"github.com/replimend/replimend/internal/policy"
	"github.com/replimend/replimend/internal/route"
	"github.com/replimend/replimend/internal/snapshot"
)

// subject is whose requests an examination judges, and for which objects: what blame and plan need to know of a route.
type subject struct {
	principal policy.ARN // the role or user whose policies decide; zero when what is named is neither
	text      string     // its ARN as it is configured or given: what findings and edits name
	noun      string     // role or user, as ARNs have it
	partition string
	objectKey string // what the names of the objects begin with that a cure is for
	exact     bool   // it is the whole name of the one object

	source, destination string // the buckets; an access has one
}

func subjectOf(r *route.Route) subject {
	prefix, _ := r.Filter()
	return subject{
		principal: r.Role, text: r.RoleText, noun: "role", partition: r.Partition, objectKey: prefix,
		source: r.Source, destination: r.Destination,
	}
}

func subjectOfAccess(a *route.Access) subject {
	return subject{
		principal: a.Principal, text: a.Principal.String(), noun: a.Noun, partition: a.Partition, objectKey: a.Key, exact: a.Key != "",
		source: a.Bucket, destination: a.Bucket,
	}
}

// String is "role arn:aws:iam::111122223333:role/r".
func (s subject) String() string { return s.noun + " " + s.text }

// objects is the pattern of every object of a bucket that a cure is for.
func (s *subject) objects(bucket string) string {
	pattern := literal(s.objectKey)
	if !s.exact {
		pattern += "*"
	}
	return policy.ObjectARN(s.partition, bucket, pattern).String()
}

// bucketOf is the bucket whose objects a key encrypts, by the kind of the key's policy.
func (s *subject) bucketOf(key snapshot.Kind) string {
	if key == snapshot.ReplicaKeyPolicy {
		return s.destination
	}
	return s.source
}

// literal escapes what a policy would read as a wildcard or a variable: in an object's name, * is a character.
func literal(name string) string { return escape.Replace(name) }

var escape = strings.NewReplacer("$", "${$}", "*", "${*}", "?", "${?}")

// boundary is the permissions boundary of the principal.
func (e *examination) boundary() snapshot.Value[snapshot.Boundary] {
	if e.subject.noun == "user" {
		return e.w.Snapshot.Users[e.subject.principal].V.Boundary
	}
	return e.w.Snapshot.Roles[e.subject.principal].V.Boundary
}
