package lab

import "maps"

// Where the hops come from. What a comment calls deduced is written on none of these pages.
const (
	pagePermissions = "https://docs.aws.amazon.com/AmazonS3/latest/userguide/setting-repl-config-perm-overview.html"
	pageEncryption  = "https://docs.aws.amazon.com/AmazonS3/latest/userguide/replication-config-for-kms-objects.html"
	pageReasons     = "https://docs.aws.amazon.com/AmazonS3/latest/userguide/replication-failure-codes.html"
	pageTrouble     = "https://docs.aws.amazon.com/AmazonS3/latest/userguide/replication-troubleshoot.html"
	pageOwner       = "https://docs.aws.amazon.com/AmazonS3/latest/userguide/replication-change-owner.html"
	pageSSEC        = "https://docs.aws.amazon.com/AmazonS3/latest/userguide/blocking-unblocking-s3-c-encryption-gpb.html"
	pageMarkers     = "https://docs.aws.amazon.com/AmazonS3/latest/userguide/delete-marker-replication.html"
)

// hop is one thing that S3 needs on the way from a version to its replica. The first hop that does not pass gives the version's
// failure its reason.
type hop struct {
	name   string
	when   func(*attempt) bool // whether S3 needs it for this version and rule
	passes func(*attempt) bool
	reason string // https://docs.aws.amazon.com/AmazonS3/latest/userguide/replication-failure-codes.html
	large  string // the reason instead, for objects that S3 can only write in parts; "": the same
	page   string // where the requirement is written
}

// hops is everything that S3 needs, in the order in which it works: it becomes the role, reads the source, looks at the
// destination, writes. That order is deduced; the documentation gives none.
//
// A denial by KMS has no reason of its own. On the replica key the documentation says which one it becomes; that a denial on
// the source key becomes SrcGetObjectNotPermitted is deduced from it.
var hops = []hop{
	// The role.
	{"assume-role", always, (*attempt).assumesRole, "AssumeRoleNotPermitted", "", pagePermissions},

	// The source. Nothing says what S3 answers without GetReplicationConfiguration or ListBucket: deduced are the reason for a
	// source that does not let itself be read, and the one for a version that S3 cannot look up.
	{"read-config", always, (*attempt).readsConfig, "SrcGetObjectNotPermitted", "", pagePermissions},
	{"list-source", always, (*attempt).listsSource, "SrcHeadObjectNotPermitted", "", pagePermissions},
	{"read-object", ofObject, (*attempt).readsObject, "SrcGetObjectNotPermitted", "", pagePermissions},
	{"read-acl", ofObject, (*attempt).readsACL, "SrcGetAclNotPermitted", "", pageReasons},
	{"read-tags", ofTagged, (*attempt).readsTags, "SrcGetTaggingNotPermitted", "", pagePermissions},
	{"read-retention", ofLocked, (*attempt).readsRetention, "SrcGetRetentionNotPermitted", "", pagePermissions},
	{"read-legal-hold", ofLocked, (*attempt).readsLegalHold, "SrcGetLegalHoldNotPermitted", "", pagePermissions},
	{"decrypt-source", ofKMS, (*attempt).decryptsSource, "SrcGetObjectNotPermitted", "", pageEncryption},
	{"source-key-state", ofKMS, (*attempt).sourceKeyUsable, "SrcKmsKeyInvalidState", "", pageReasons},

	// The destination, before anything is written. That another owner than the rule says, and a requester who is to pay, fail
	// the write is documented; their reason is deduced.
	{"find-destination", always, (*attempt).findsDestination, "DstBucketNotFound", "", pageReasons},
	{"destination-account", always, (*attempt).accountAsConfigured, "DstPutObjectNotPermitted", "", pageOwner},
	{"destination-payer", always, (*attempt).ownerPays, "DstPutObjectNotPermitted", "", pageTrouble},
	{"destination-versioning", always, (*attempt).destinationVersioned, "DstBucketUnversioned", "", pageReasons},
	{"destination-lock", ofLocked, (*attempt).destinationLocks, "DstBucketObjectLockConfigMissing", "", pageReasons},
	{"destination-sse-c", ofSSEC, (*attempt).takesSSEC, "DstPutObjectNotPermitted", "", pageSSEC},
	{"find-replica-key", toKMS, (*attempt).findsReplicaKey, "DstKmsKeyNotFound", "", pageEncryption},

	// The replica.
	{"write-replica", ofObject, (*attempt).writesReplica, "DstPutObjectNotPermitted", "DstMultipartInitNotPermitted", pagePermissions},
	{"replica-key-manager", toKMS, (*attempt).replicaKeyOwn, "DstPutObjectNotPermitted", "", pageEncryption},
	{"encrypt-replica", encrypts, (*attempt).encryptsReplica, "DstPutObjectNotPermitted", "DstMultipartInitNotPermitted", pageEncryption},
	{"generate-replica-key", generates, (*attempt).generatesKey, "DstPutObjectNotPermitted", "DstMultipartInitNotPermitted", pageEncryption},
	{"verify-replica-key", verifies, (*attempt).verifiesKey, "DstPutObjectNotPermitted", "DstMultipartUploadNotPermitted", pageEncryption},
	{"replica-key-state", toKMS, (*attempt).replicaKeyUsable, "DstKmsKeyInvalidState", "", pageReasons},
	{"own-replica", toOtherOwner, (*attempt).ownsReplica, "DstPutObjectNotPermitted", "", pageOwner},
	{"write-acl", withPublicACL, (*attempt).takesPublicACL, "DstPutAclNotPermitted", "", pageReasons},
	{"write-tags", withTags, (*attempt).writesTags, "DstPutTaggingNotPermitted", "", pagePermissions},
	{"write-retention", withRetention, (*attempt).writesRetention, "DstPutRetentionNotPermitted", "", pageReasons},
	{"write-legal-hold", withLegalHold, (*attempt).writesLegalHold, "DstPutLegalHoldNotPermitted", "", pageReasons},
	{"write-delete-marker", ofMarker, (*attempt).writesMarker, "DstDelObjNotPermitted", "", pageMarkers},
}

// Hops names every hop in the order in which S3 takes them: what Options.Ignore may hold.
func Hops() []string {
	out := make([]string, len(hops))
	for i, h := range hops {
		out[i] = h.name
	}
	return out
}

// Readings is the readings of the documentation that are not the lab's own, with what S3 does under each: what
// Options.Disputed may hold. A conclusion that holds under one reading only is not certain.
func Readings() map[string]string { return maps.Clone(readings) }

var readings = map[string]string{
	"opt-in-before-priority": "lets a rule that does not opt in to KMS objects outrank no other for them, as the words \"additional filters\" of " +
		"https://docs.aws.amazon.com/AmazonS3/latest/API/API_SourceSelectionCriteria.html can be read",
	"generate-replica-key": "asks for kms:GenerateDataKey on the replica key of every object under KMS, as " + pageTrouble +
		" wants; AWS staff replicated without it: https://github.com/awslabs/landing-zone-accelerator-on-aws/issues/1144",
	"bucket-context": "decrypts an object without Bucket Key under the bucket's ARN when the destination has a Bucket Key, as " +
		pageEncryption + " can be read",
	"object-context": "encrypts the replica of an object without Bucket Key under the object's ARN though the destination has a " +
		"Bucket Key, as https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucket-key.html can be read",
	"read-tags": "fails a tagged object whose tags it may not read, as " + pageReasons + " has a reason for; " + pagePermissions +
		" says that it is replicated without tags",
	"write-tags": "fails a tagged object without s3:ReplicateTags, as https://repost.aws/knowledge-center/s3-troubleshoot-cross-account-replication " +
		"can be read; " + pagePermissions + " says that s3:ReplicateObject is enough",
	"deny-tags": "fails a tagged object where a Deny of s3:ReplicateTags applies, as " + pageReasons + " has a reason for; " +
		pagePermissions + " calls such a Deny the owner's way to take objects without tags",
	"global-suffix": "sends kms:ViaService with the suffix amazonaws.com in China, too; no page gives the value",
	"write-lock": "asks for s3:PutObjectRetention and s3:PutObjectLegalHold at the destination, as " + pageReasons + " has reasons for; " +
		pagePermissions + " names only two permissions at the source",
	"source-context": "sends aws:SourceAccount and aws:SourceArn when it assumes the role; no page says that it does",
}
