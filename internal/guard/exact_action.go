package guard

import (
	"slices"

	"github.com/replimend/replimend/internal/patch"
	"github.com/replimend/replimend/internal/policy"
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
	pageLock        = "https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-lock-managing.html#object-lock-managing-replication"
)

// permission is one action that an edit of that kind of document may grant, on what, and the page that asks for it.
type permission struct {
	kind   snapshot.Kind
	action string
	on     target
	source string
}

// permitted is every permission that an edit may grant. It is written by hand and not taken from the requirements that plans
// are made of: a fault there must not be able to grant anything else. s3:PutBucketVersioning, which one of AWS's samples
// grants to the role of another account, is left out on purpose: nothing that S3 replicates needs it.
var permitted = []permission{
	{snapshot.RoleTrust, "sts:AssumeRole", theRole, pagePermissions},

	{snapshot.RolePolicy, "s3:GetReplicationConfiguration", sourceBucket, pagePermissions},
	{snapshot.RolePolicy, "s3:ListBucket", sourceBucket, pagePermissions},
	{snapshot.RolePolicy, "s3:GetObjectVersionForReplication", sourceObjects, pagePermissions},
	{snapshot.RolePolicy, "s3:GetObjectVersionAcl", sourceObjects, pagePermissions},
	{snapshot.RolePolicy, "s3:GetObjectVersionTagging", sourceObjects, pagePermissions},
	{snapshot.RolePolicy, "s3:GetObjectRetention", sourceObjects, pageLock},
	{snapshot.RolePolicy, "s3:GetObjectLegalHold", sourceObjects, pageLock},
	{snapshot.RolePolicy, "s3:ReplicateObject", destinationObjects, pagePermissions},
	{snapshot.RolePolicy, "s3:ReplicateDelete", destinationObjects, pagePermissions},
	{snapshot.RolePolicy, "s3:ReplicateTags", destinationObjects, pagePermissions},
	{snapshot.RolePolicy, "s3:ObjectOwnerOverrideToBucketOwner", destinationObjects, pageOwner},
	{snapshot.RolePolicy, "kms:Decrypt", sourceKey, pageKMS},
	{snapshot.RolePolicy, "kms:Encrypt", replicaKey, pageKMS},
	{snapshot.RolePolicy, "kms:GenerateDataKey", replicaKey, pageTrouble},
	{snapshot.RolePolicy, "kms:Decrypt", replicaKey, pageKMS},

	{snapshot.DestinationBucketPolicy, "s3:ReplicateObject", destinationObjects, pagePermissions},
	{snapshot.DestinationBucketPolicy, "s3:ReplicateDelete", destinationObjects, pagePermissions},
	{snapshot.DestinationBucketPolicy, "s3:ReplicateTags", destinationObjects, pagePermissions},
	{snapshot.DestinationBucketPolicy, "s3:ObjectOwnerOverrideToBucketOwner", destinationObjects, pageOwner},

	{snapshot.SourceKeyPolicy, "kms:Decrypt", theSourceKey, pageTrouble},
	{snapshot.SourceKeyPolicy, "kms:Encrypt", theReplicaKey, pageTrouble},
	{snapshot.SourceKeyPolicy, "kms:GenerateDataKey", theReplicaKey, pageTrouble},
	{snapshot.SourceKeyPolicy, "kms:Decrypt", theReplicaKey, pageKMS},
}

// targets is what the action may be granted on in a document of that kind: nothing for an action that is not permitted. One
// key can serve both ends, so that a key policy is one kind and the key itself says which end it is.
func targets(kind snapshot.Kind, action string) []target {
	var out []target
	kind = place(snapshot.Ref{Kind: kind}).Kind
	for _, p := range permitted {
		if p.kind == kind && p.action == action {
			out = append(out, p.on)
		}
	}
	return out
}

// exactAction: a grant lists actions of replication, letter by letter. A wildcard also means what AWS adds to a service later.
var exactAction = Rule{
	Name:    "exact-action",
	Summary: "a grant lists only actions of replication, without wildcards",
	judge: func(q *inquiry) []objection {
		return q.each(func(e patch.Edit, s policy.Statement, name string) []objection {
			if s.Action.Not || len(s.Action.Values) == 0 {
				return []objection{refuse("%s: want actions that are listed", name)}
			}
			var out []objection
			for i, action := range s.Action.Values {
				if len(targets(e.Document.Kind, action)) == 0 {
					out = append(out, refuse("%s: action %q is not one that replication needs there", name, action))
				}
				if slices.Contains(s.Action.Values[:i], action) {
					out = append(out, refuse("%s: action %q stands twice", name, action))
				}
			}
			return out
		})
	},
}
