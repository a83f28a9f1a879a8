package guard

import (
	"slices"

	"github.com/replimend/replimend/internal/patch"
	"github.com/replimend/replimend/internal/policy"
	"github.com/replimend/replimend/internal/route"
	"github.com/replimend/replimend/internal/snapshot"
)

// target is what an action is granted on.
type target uint8

const (
	sourceBucket target = iota + 1
	sourceObjects
	destinationObjects
	sourceKey
	replicaKey
	theSourceKey  // in its own policy
	theReplicaKey // in its own policy
	theRole       // of the trust policy, which names no resource
)

// The pages that say what a replication role needs.
const (
	pagePermissions = "https://docs.aws.amazon.com/AmazonS3/latest/userguide/setting-repl-config-perm-overview.html"
	pageKMS         = "https://docs.aws.amazon.com/AmazonS3/latest/userguide/replication-config-for-kms-objects.html"
	pageTrouble     = "https://docs.aws.amazon.com/AmazonS3/latest/userguide/replication-troubleshoot.html"
	pageOwner       = "https://docs.aws.amazon.com/AmazonS3/latest/userguide/replication-change-owner.html"
	pageFailures    = "https://docs.aws.amazon.com/AmazonS3/latest/userguide/replication-metrics-events.html"
	pageLock        = "https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-lock-managing.html#object-lock-managing-replication"
)

// permission is one action that an edit of that kind of document may grant, on what, for which routes, and the page that asks
// for it.
type permission struct {
	kind   snapshot.Kind
	action string
	on     target
	needed func(q *inquiry) bool
	source string
}

// The routes that a permission is needed for. What somebody approved decides where it is a pin.

func always(*inquiry) bool { return true }

func deleteMarkers(q *inquiry) bool { return q.pinned().Rule.DeleteMarkers }

func ownerOverride(q *inquiry) bool { return q.pinned().Rule.OwnerOverride }

func kmsObjects(q *inquiry) bool { return q.route.SelectsKMS() }

func objectLock(q *inquiry) bool { return q.locked(q.route.Source) == snapshot.Present }

// bothLocked is the routes whose replicas can be locked. What is not known of the destination does not speak against it.
func bothLocked(q *inquiry) bool {
	return objectLock(q) && q.locked(q.route.Destination) != snapshot.Absent
}

// locked is whether a bucket has Object Lock.
func (q *inquiry) locked(bucket string) snapshot.State {
	lock := q.snapshot.Buckets[bucket].V.ObjectLock
	if lock.State == snapshot.Present && lock.V.ObjectLockEnabled != "Enabled" {
		return snapshot.Absent
	}
	return lock.State
}

// onlyAsked is the actions that one page says S3 failed for and no page asks for: who may lock replicas can make them stay for
// good, so that a person decides.
var onlyAsked = []string{"s3:PutObjectRetention", "s3:PutObjectLegalHold"}

// kmsOrPlaintext is the routes of KMS objects, and those of objects without encryption: their replicas take the destination
// bucket's default key, whatever the rule selects.
func kmsOrPlaintext(q *inquiry) bool {
	if kmsObjects(q) {
		return true
	}
	_, key, _, _ := q.route.DefaultKey(q.snapshot)
	return !key.IsZero() && key == q.route.ReplicaKey &&
		slices.ContainsFunc(route.Populations(q.snapshot, q.route, ""), func(p route.Population) bool {
			return !p.DeleteMarker && p.EncryptionKnown && p.Encryption == route.Plaintext
		})
}

// permitted is every permission that an edit may grant. It is written by hand and not taken from the requirements that plans
// are made of: a fault there must not be able to grant anything else. s3:PutBucketVersioning, which one of AWS's samples
// grants to the role of another account, is left out on purpose: nothing that S3 replicates needs it.
var permitted = []permission{
	{snapshot.RoleTrust, "sts:AssumeRole", theRole, always, pagePermissions},

	{snapshot.RolePolicy, "s3:GetReplicationConfiguration", sourceBucket, always, pagePermissions},
	{snapshot.RolePolicy, "s3:ListBucket", sourceBucket, always, pagePermissions},
	{snapshot.RolePolicy, "s3:GetObjectVersionForReplication", sourceObjects, always, pagePermissions},
	{snapshot.RolePolicy, "s3:GetObjectVersionAcl", sourceObjects, always, pagePermissions},
	{snapshot.RolePolicy, "s3:GetObjectVersionTagging", sourceObjects, always, pagePermissions},
	{snapshot.RolePolicy, "s3:GetObjectRetention", sourceObjects, objectLock, pageLock},
	{snapshot.RolePolicy, "s3:GetObjectLegalHold", sourceObjects, objectLock, pageLock},
	{snapshot.RolePolicy, "s3:ReplicateObject", destinationObjects, always, pagePermissions},
	{snapshot.RolePolicy, "s3:ReplicateDelete", destinationObjects, deleteMarkers, pagePermissions},
	{snapshot.RolePolicy, "s3:ReplicateTags", destinationObjects, always, pagePermissions},
	{snapshot.RolePolicy, "s3:ObjectOwnerOverrideToBucketOwner", destinationObjects, ownerOverride, pageOwner},
	{snapshot.RolePolicy, "s3:PutObjectRetention", destinationObjects, bothLocked, pageFailures},
	{snapshot.RolePolicy, "s3:PutObjectLegalHold", destinationObjects, bothLocked, pageFailures},
	{snapshot.RolePolicy, "kms:Decrypt", sourceKey, kmsObjects, pageKMS},
	{snapshot.RolePolicy, "kms:Encrypt", replicaKey, kmsObjects, pageKMS},
	{snapshot.RolePolicy, "kms:GenerateDataKey", replicaKey, kmsOrPlaintext, pageTrouble},
	{snapshot.RolePolicy, "kms:Decrypt", replicaKey, kmsObjects, pageKMS},

	{snapshot.DestinationBucketPolicy, "s3:ReplicateObject", destinationObjects, always, pagePermissions},
	{snapshot.DestinationBucketPolicy, "s3:ReplicateDelete", destinationObjects, deleteMarkers, pagePermissions},
	{snapshot.DestinationBucketPolicy, "s3:ReplicateTags", destinationObjects, always, pagePermissions},
	{snapshot.DestinationBucketPolicy, "s3:ObjectOwnerOverrideToBucketOwner", destinationObjects, ownerOverride, pageOwner},
	{snapshot.DestinationBucketPolicy, "s3:PutObjectRetention", destinationObjects, bothLocked, pageFailures},
	{snapshot.DestinationBucketPolicy, "s3:PutObjectLegalHold", destinationObjects, bothLocked, pageFailures},

	{snapshot.SourceKeyPolicy, "kms:Decrypt", theSourceKey, kmsObjects, pageTrouble},
	{snapshot.SourceKeyPolicy, "kms:Encrypt", theReplicaKey, kmsObjects, pageTrouble},
	{snapshot.SourceKeyPolicy, "kms:GenerateDataKey", theReplicaKey, kmsOrPlaintext, pageTrouble},
	{snapshot.SourceKeyPolicy, "kms:Decrypt", theReplicaKey, kmsObjects, pageKMS},
}

// targets is what the action may be granted on in a document of that kind: nothing for an action that is not permitted, or
// that this route has no use for. One key can serve both ends, so that a key policy is one kind and the key itself says which
// end it is.
func (q *inquiry) targets(kind snapshot.Kind, action string) []target {
	var out []target
	for _, p := range permissions(kind, action) {
		if p.needed(q) {
			out = append(out, p.on)
		}
	}
	return out
}

func permissions(kind snapshot.Kind, action string) []permission {
	var out []permission
	kind = place(snapshot.Ref{Kind: kind}).Kind
	for _, p := range permitted {
		if p.kind == kind && p.action == action {
			out = append(out, p)
		}
	}
	return out
}

// exactAction: a grant lists actions that this route replicates with, letter by letter. A wildcard also means what AWS adds to
// a service later.
var exactAction = Rule{
	Name:    "exact-action",
	Summary: "a grant lists only actions that the route replicates with, without wildcards",
	judge: func(q *inquiry) []objection {
		return q.each(func(e patch.Edit, s policy.Statement, name string) []objection {
			if s.Action.Not || len(s.Action.Values) == 0 {
				return []objection{refuse("%s: want actions that are listed", name)}
			}
			var out []objection
			for i, action := range s.Action.Values {
				switch {
				case len(permissions(e.Document.Kind, action)) == 0:
					out = append(out, refuse("%s: action %q is not one that replication needs there", name, action))
				case len(q.targets(e.Document.Kind, action)) == 0:
					out = append(out, refuse("%s: action %q is not one that this route has use for", name, action))
				case slices.Contains(onlyAsked, action):
					out = append(out, ask("%s: action %q can make replicas stay for good, and AWS's pages disagree on whether replication needs it", name, action))
				}
				if slices.Contains(s.Action.Values[:i], action) {
					out = append(out, refuse("%s: action %q stands twice", name, action))
				}
			}
			return out
		})
	},
}
