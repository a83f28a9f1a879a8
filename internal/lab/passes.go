package lab

import "github.com/replimend/replimend/internal/authz"

// What each hop asks. Without a role and a destination S3 does not come beyond the hops that find them.

func (a *attempt) assumesRole() bool {
	return a.role != nil && a.roleARN.Partition == a.source.partition() && a.askTrust() == authz.Allowed
}

func (a *attempt) readsConfig() bool {
	return a.allowed(a.onSource("s3:GetReplicationConfiguration"))
}

func (a *attempt) listsSource() bool {
	return a.allowed(a.onSource("s3:ListBucket"))
}

// readsObject: s3:GetObjectVersion does as well, but not for objects under KMS.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/replication-config-for-kms-objects.html
func (a *attempt) readsObject() bool {
	if a.allowed(a.onVersion("s3:GetObjectVersionForReplication")) {
		return true
	}
	return !ofKMS(a) && a.allowed(a.onVersion("s3:GetObjectVersion"))
}

// readsACL: an object of another account than the bucket's needs that account's consent in its ACL, unless the bucket has done
// away with ACLs.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/setting-repl-config-perm-overview.html
func (a *attempt) readsACL() bool {
	foreign := a.version.Owner != "" && a.version.Owner != a.source.Account && !a.source.enforcesOwner()
	if foreign && a.version.acl != "bucket-owner-full-control" {
		return false
	}
	return a.allowed(a.onVersion("s3:GetObjectVersionAcl"))
}

// readsTags: without the permission the object is replicated without its tags.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/setting-repl-config-perm-overview.html
func (a *attempt) readsTags() bool {
	if a.allowed(a.onVersion("s3:GetObjectVersionTagging")) {
		return true
	}
	a.loseTags = true
	return !a.disputed("read-tags")
}

func (a *attempt) readsRetention() bool { return a.allowed(a.onVersion("s3:GetObjectRetention")) }
func (a *attempt) readsLegalHold() bool { return a.allowed(a.onVersion("s3:GetObjectLegalHold")) }

// decryptsSource: the encryption context is bound into the ciphertext when the object is written, so that it can only be the
// object's ARN for an object without Bucket Key, whatever the destination has.
// https://docs.aws.amazon.com/kms/latest/developerguide/encrypt_context.html
func (a *attempt) decryptsSource() bool {
	arn, key := a.sourceKey()
	if key == nil {
		return false
	}
	asBucket := a.version.BucketKey || a.bucketKey && a.disputed("bucket-context")
	return a.allowed(a.onKey("kms:Decrypt", arn, key, a.source, asBucket))
}

func (a *attempt) sourceKeyUsable() bool {
	_, key := a.sourceKey()
	return key != nil && usable(key)
}

// findsDestination: replication stays inside one partition; that a bucket of another one is not found is deduced.
// https://docs.aws.amazon.com/whitepapers/latest/aws-fault-isolation-boundaries/partitions.html
func (a *attempt) findsDestination() bool {
	return a.destination != nil && a.destination.partition() == a.source.partition()
}

func (a *attempt) accountAsConfigured() bool {
	account := a.rule.Destination.Account
	return account == "" || account == a.destination.Account
}

// ownerPays: a destination of another account cannot be Requester Pays.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/replication-troubleshoot.html
func (a *attempt) ownerPays() bool {
	return a.source.Account == a.destination.Account || a.destination.RequestPayer.V != "Requester"
}

func (a *attempt) destinationVersioned() bool { return a.destination.Versioning.V == "Enabled" }
func (a *attempt) destinationLocks() bool     { return a.destination.locks() }
func (a *attempt) takesSSEC() bool            { return !a.destination.blocksSSEC() }

func (a *attempt) writesReplica() bool { return a.allowed(a.onReplica("s3:ReplicateObject")) }

func (a *attempt) findsReplicaKey() bool { return a.key != nil }

// replicaKeyOwn: AWS managed keys do not allow cross-account use.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/replication-config-for-kms-objects.html
func (a *attempt) replicaKeyOwn() bool {
	return a.key != nil && (a.key.Manager != "AWS" || a.keyARN.Account == a.roleARN.Account)
}

func (a *attempt) encryptsReplica() bool { return a.uses("kms:Encrypt") }
func (a *attempt) generatesKey() bool    { return a.uses("kms:GenerateDataKey") }

// verifiesKey: S3 decrypts to verify the integrity of a Bucket Key; that the parts of a multipart upload need it, too, is the
// rule for uploads of other callers and deduced for replication.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/replication-config-for-kms-objects.html
// https://repost.aws/knowledge-center/s3-large-file-encryption-kms-key
func (a *attempt) verifiesKey() bool { return a.uses("kms:Decrypt") }

func (a *attempt) uses(action string) bool {
	return a.key != nil && a.allowed(a.onKey(action, a.keyARN, a.key, a.destination, a.bucketKey))
}

func (a *attempt) replicaKeyUsable() bool { return a.key != nil && usable(a.key) }

func (a *attempt) ownsReplica() bool {
	return a.allowed(a.onReplica("s3:ObjectOwnerOverrideToBucketOwner"))
}

func (a *attempt) takesPublicACL() bool { return !a.destination.blocksPublic("BlockPublicAcls") }

// writesTags: s3:ReplicateObject lets tags through, so that only a Deny of s3:ReplicateTags stops them: it is the destination's
// owner's way to take objects without their tags.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/setting-repl-config-perm-overview.html
func (a *attempt) writesTags() bool {
	switch a.decide(a.onReplica("s3:ReplicateTags")) {
	case authz.Allowed:
		return true
	case authz.ImplicitDeny:
		return !a.disputed("write-tags")
	default:
		a.loseTags = true
		return !a.disputed("deny-tags")
	}
}

func (a *attempt) writesRetention() bool { return a.writesLock("s3:PutObjectRetention") }
func (a *attempt) writesLegalHold() bool { return a.writesLock("s3:PutObjectLegalHold") }

// writesLock is for the two permissions that the list of reasons names and the list of permissions does not: the lab takes it
// that a Deny stops them and that nothing has to allow them.
func (a *attempt) writesLock(action string) bool {
	outcome := a.decide(a.onReplica(action))
	return outcome == authz.Allowed || outcome == authz.ImplicitDeny && !a.disputed("write-lock")
}

func (a *attempt) writesMarker() bool { return a.allowed(a.onReplica("s3:ReplicateDelete")) }
