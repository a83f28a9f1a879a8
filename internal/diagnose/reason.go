package diagnose

import (
	"slices"

	"github.com/replimend/replimend/internal/route"
	"github.com/replimend/replimend/internal/snapshot"
)

// ReasonClass is what a failure reason calls for.
type ReasonClass string

// The classes.
const (
	OfPolicies      ReasonClass = "policy"        // a policy may lack something, which a plan can add
	OfConfiguration ReasonClass = "configuration" // a bucket, a job or a rule is set up otherwise than it has to be
	ForPeople       ReasonClass = "person"        // something is gone, or must not be changed by a program
	NothingToDo     ReasonClass = "nothing"       // there is nothing left to replicate, or it is replicated already
)

// Reason is one failureReason of S3, as events and the reports of Batch Replication name it, and what is made of it.
type Reason struct {
	Name string
	// Former is how older editions of AWS's page spell it, empty where they spell it so, too.
	Former  string
	Meaning string
	// BatchOnly says that only S3 Batch Replication gives it.
	BatchOnly bool
	// Hops is where S3 stopped. Without hops no request of a route shows it.
	Hops []route.Hop
	// Documents is what can be at fault.
	Documents []snapshot.Kind
	// Policies says whether a policy can be at fault at all.
	Policies bool
	Class    ReasonClass
	// Causes is the causes that explain it beside the denials at its hops. Where there is no hop, the first one may be a cause that
	// only S3 can report.
	Causes []string
	// Checks is what is compared with it, for the index.
	Checks string
}

// PageReasons is where AWS lists the reasons. Its editions differ: the set is open.
const PageReasons = "https://docs.aws.amazon.com/AmazonS3/latest/userguide/replication-failure-codes.html"

// The documents that can be at fault for a whole family of reasons.
var (
	sourceDocuments = []snapshot.Kind{snapshot.RolePolicy, snapshot.SourceBucketPolicy, snapshot.PermissionsBoundary, snapshot.SCP, snapshot.RCP}
	writeDocuments  = []snapshot.Kind{snapshot.RolePolicy, snapshot.DestinationBucketPolicy, snapshot.PermissionsBoundary, snapshot.SCP, snapshot.RCP}
	replicaPolicies = []snapshot.Kind{
		snapshot.RolePolicy, snapshot.DestinationBucketPolicy, snapshot.ReplicaKeyPolicy, snapshot.KeyGrant, snapshot.PermissionsBoundary, snapshot.SCP,
		snapshot.RCP, snapshot.BucketConfig,
	}
	sourcePolicies = []snapshot.Kind{
		snapshot.RolePolicy, snapshot.SourceBucketPolicy, snapshot.SourceKeyPolicy, snapshot.KeyGrant, snapshot.PermissionsBoundary, snapshot.SCP,
		snapshot.RCP,
	}
)

// writeHops is where a replica is written. S3 has no reason for a denied KMS call: AWS's page says of DstPutObjectNotPermitted that
// the key's policy may be at fault, and that the parts of a large object fail alike is inferred.
var writeHops = []route.Hop{route.WriteReplica, route.EncryptReplica, route.OwnReplica}

// writeCauses is what stands in the configuration and makes writing replicas fail.
var writeCauses = []string{
	destinationBlocksSSEC.Name, replicaKeyAWSManaged.Name, replicaKeyNotConfigured.Name, replicaKeyWrongRegion.Name, replicaKeyUnresolved.Name,
	replicaKeyNotUsable.Name, destinationRequesterPays.Name, destinationAccountMismatch.Name,
}

// reasons is every reason that AWS's page has listed, in its order.
var reasons = []Reason{
	{
		Name: "AssumeRoleNotPermitted", Meaning: "S3 may not assume the role of the rule, or of the batch job",
		Hops: []route.Hop{route.AssumeRole}, Documents: []snapshot.Kind{snapshot.RoleTrust, snapshot.RCP}, Policies: true, Class: OfPolicies,
		Causes: []string{roleMissing.Name}, Checks: "whether the role exists under this path, and whether its trust policy lets s3.amazonaws.com in",
	},
	{
		Name: "DstBucketInvalidRegion", Meaning: "the destination bucket is in another Region than the batch job says", BatchOnly: true,
		Documents: []snapshot.Kind{snapshot.BucketConfig}, Class: OfConfiguration, Causes: []string{batchJobWrongRegion.Name},
		Checks: "nothing: a snapshot holds no jobs. It names the Regions of both buckets",
	},
	{
		Name: "DstBucketNotFound", Meaning: "the destination bucket of the rule does not exist",
		Documents: []snapshot.Kind{snapshot.BucketConfig}, Class: ForPeople, Causes: []string{destinationBucketMissing.Name},
		Checks: "whether the bucket exists. Anybody may take the name of a deleted bucket, so that nothing is ever made of this by itself",
	},
	{
		Name: "DstBucketObjectLockConfigMissing", Meaning: "the source bucket has Object Lock and the destination bucket has not",
		Documents: []snapshot.Kind{snapshot.BucketConfig}, Class: ForPeople, Causes: []string{destinationLacksObjectLock.Name},
		Checks: "Object Lock of both buckets. Enabling it cannot be undone",
	},
	{
		Name: "DstBucketUnversioned", Meaning: "versioning of the destination bucket is not enabled",
		Documents: []snapshot.Kind{snapshot.BucketConfig}, Class: OfConfiguration, Causes: []string{destinationVersioningNotEnabled.Name},
		Checks: "versioning of the destination bucket",
	},
	{
		Name: "DstDelObjNotPermitted", Meaning: "S3 may not write the delete marker at the destination",
		Hops: []route.Hop{route.WriteDeleteMarker}, Documents: writeDocuments, Policies: true, Class: OfPolicies, Causes: writeCauses,
		Checks: "s3:ReplicateDelete, in the role and, across accounts, in the destination's bucket policy",
	},
	{
		Name: "DstKmsKeyInvalidState", Meaning: "the replica key is in a state in which KMS does not use it",
		Documents: []snapshot.Kind{snapshot.KeyState}, Class: ForPeople, Causes: []string{replicaKeyNotUsable.Name},
		Checks: "the state, type and use of the replica key",
	},
	{
		Name: "DstKmsKeyNotFound", Meaning: "the key that the rule names for replicas does not exist",
		Documents: []snapshot.Kind{snapshot.ReplicationConfig, snapshot.KeyState, snapshot.BucketConfig}, Class: OfConfiguration,
		Causes: []string{replicaKeyUnresolved.Name, replicaKeyWrongRegion.Name, replicaKeyNotUsable.Name, replicaKeyNotConfigured.Name, replicaKeyAWSManaged.Name},
		Checks: "whether the key exists, what an alias means, and whether the key is in the destination's Region",
	},
	{
		Name: "DstMultipartCompleteNotPermitted", Meaning: "S3 may not complete the upload of a large object at the destination",
		Hops: writeHops, Documents: replicaPolicies, Policies: true, Class: OfPolicies, Causes: writeCauses, Checks: checksWrite,
	},
	{
		Name: "DstMultipartInitNotPermitted", Meaning: "S3 may not begin the upload of a large object at the destination",
		Hops: writeHops, Documents: replicaPolicies, Policies: true, Class: OfPolicies, Causes: writeCauses, Checks: checksWrite,
	},
	{
		Name: "DstMultipartUploadNotPermitted", Former: "DstMultipartPartUploadNotPermitted",
		Meaning: "S3 may not upload the parts of a large object at the destination",
		Hops:    writeHops, Documents: replicaPolicies, Policies: true, Class: OfPolicies, Causes: writeCauses, Checks: checksWrite,
	},
	{
		Name: "DstObjectHardDeleted", Meaning: "this version of the replica was deleted by its id, and Batch Replication does not write it again", BatchOnly: true,
		Documents: []snapshot.Kind{snapshot.ObjectKind}, Class: ForPeople, Causes: []string{replicaHardDeleted.Name},
		Checks: "nothing: only S3 knows it",
	},
	{
		Name: "DstPutAclNotPermitted", Meaning: "S3 may not write the object's ACL at the destination",
		Hops: []route.Hop{route.WriteReplica, route.OwnReplica}, Documents: writeDocuments, Policies: true, Class: OfPolicies, Causes: writeCauses,
		Checks: "s3:ReplicateObject, which implies it, and the owner override. Public ACLs that the destination blocks are not modelled",
	},
	{
		Name: "DstPutLegalHoldNotPermitted", Meaning: "S3 may not put the legal hold of the object on its replica",
		Hops: []route.Hop{route.LockReplica}, Documents: writeDocuments, Policies: true, Class: OfPolicies, Causes: []string{destinationLacksObjectLock.Name},
		Checks: "the requests for Object Lock. AWS's pages disagree on whether s3:PutObjectLegalHold is needed",
	},
	{
		Name: "DstPutObjectNotPermitted", Meaning: "S3 may not write the replica: the bucket, the change of its owner, or the replica key refuses",
		Hops: writeHops, Documents: replicaPolicies, Policies: true, Class: OfPolicies, Causes: writeCauses, Checks: checksWrite,
	},
	{
		Name: "DstPutRetentionNotPermitted", Meaning: "S3 may not put the retention of the object on its replica",
		Hops: []route.Hop{route.LockReplica}, Documents: writeDocuments, Policies: true, Class: OfPolicies, Causes: []string{destinationLacksObjectLock.Name},
		Checks: "the requests for Object Lock. AWS's pages disagree on whether s3:PutObjectRetention is needed",
	},
	{
		Name: "DstPutTaggingNotPermitted", Meaning: "S3 may not write the object's tags at the destination",
		Hops: []route.Hop{route.WriteTags}, Documents: writeDocuments, Policies: true, Class: OfPolicies,
		Checks: "s3:ReplicateTags. One page says that s3:ReplicateObject implies it; a Deny of it may be the owner's choice and is never removed",
	},
	{
		Name: "DstVersionNotFound", Meaning: "the version whose metadata changed is not at the destination",
		Documents: []snapshot.Kind{snapshot.ObjectKind}, Class: ForPeople, Causes: []string{versionNotAtDestination.Name},
		Checks: "nothing: only S3 knows it",
	},
	{
		Name: "InitiateReplicationNotPermitted", Meaning: "the role of the batch job may not have objects replicated", BatchOnly: true,
		Documents: []snapshot.Kind{snapshot.RolePolicy}, Policies: true, Class: OfPolicies, Causes: []string{batchRoleLacksInitiateReplication.Name},
		Checks: "nothing: a snapshot holds no batch role. The page of the cause says how to look",
	},
	{
		Name: "SrcBucketInvalidRegion", Meaning: "the source bucket is in another Region than the batch job", BatchOnly: true,
		Documents: []snapshot.Kind{snapshot.BucketConfig}, Class: OfConfiguration, Causes: []string{batchJobWrongRegion.Name},
		Checks: "nothing: a snapshot holds no jobs. It names the Regions of both buckets",
	},
	{
		Name: "SrcBucketNotFound", Meaning: "the source bucket does not exist",
		Documents: []snapshot.Kind{snapshot.BucketConfig}, Class: ForPeople, Causes: []string{routeNotFound.Name},
		Checks: "whether the snapshot has the bucket",
	},
	{
		Name: "SrcBucketReplicationConfigMissing", Meaning: "the source bucket has no replication configuration",
		Documents: []snapshot.Kind{snapshot.ReplicationConfig}, Class: ForPeople, Causes: []string{routeNotFound.Name},
		Checks: "whether the bucket has a configuration and the rule. Making one decides where data goes, which is for people",
	},
	{
		Name: "SrcGetAclNotPermitted", Meaning: "S3 may not read the object's ACL: the role lacks it, or the object belongs to another account",
		Hops: []route.Hop{route.ReadObject}, Documents: sourceDocuments, Policies: true, Class: OfPolicies,
		Checks: "s3:GetObjectVersionAcl",
	},
	{
		Name: "SrcGetLegalHoldNotPermitted", Meaning: "S3 may not read the object's legal hold",
		Hops: []route.Hop{route.LockReplica}, Documents: sourceDocuments, Policies: true, Class: OfPolicies, Checks: "s3:GetObjectLegalHold",
	},
	{
		Name: "SrcGetObjectNotPermitted", Meaning: "S3 may not read the object, or may not decrypt it",
		Hops: []route.Hop{route.ReadObject, route.DecryptSource, route.ReadConfig}, Documents: sourcePolicies, Policies: true, Class: OfPolicies,
		Causes: []string{sourceKeyNotUsable.Name},
		Checks: "s3:GetObjectVersionForReplication and, for KMS objects, kms:Decrypt with the context that S3 sends. That a denied kms:Decrypt is reported so is inferred",
	},
	{
		Name: "SrcGetRetentionNotPermitted", Meaning: "S3 may not read the object's retention",
		Hops: []route.Hop{route.LockReplica}, Documents: sourceDocuments, Policies: true, Class: OfPolicies, Checks: "s3:GetObjectRetention",
	},
	{
		Name: "SrcGetTaggingNotPermitted", Meaning: "S3 may not read the object's tags",
		Hops: []route.Hop{route.WriteTags}, Documents: sourceDocuments, Policies: true, Class: OfPolicies,
		Checks: "s3:GetObjectVersionTagging. Another page says that objects then arrive without their tags",
	},
	{
		Name: "SrcHeadObjectNotPermitted", Meaning: "S3 may not read the object's metadata",
		Hops: []route.Hop{route.ReadObject, route.ReadConfig}, Documents: sourceDocuments, Policies: true, Class: OfPolicies,
		Checks: "s3:GetObjectVersionForReplication and s3:ListBucket",
	},
	{
		Name: "SrcKeyNotFound", Meaning: "the object was deleted before it was replicated",
		Documents: []snapshot.Kind{snapshot.ObjectKind}, Class: NothingToDo, Causes: []string{objectGone.Name}, Checks: "nothing: only S3 knows it",
	},
	{
		Name: "SrcKmsKeyInvalidState", Meaning: "the key of the source object is in a state in which KMS does not use it",
		Documents: []snapshot.Kind{snapshot.KeyState}, Class: ForPeople, Causes: []string{sourceKeyNotUsable.Name},
		Checks: "the state, type and use of the source objects' key",
	},
	{
		Name: "SrcObjectNotEligible", Meaning: "the object's storage class or tags exclude it from replication",
		Documents: []snapshot.Kind{snapshot.ObjectKind, snapshot.ReplicationConfig}, Class: OfConfiguration, Causes: []string{objectNotEligible.Name},
		Checks: "nothing: only S3 knows what the object was at that moment",
	},
	{
		Name: "SrcObjectNotFound", Meaning: "the object does not exist",
		Documents: []snapshot.Kind{snapshot.ObjectKind}, Class: NothingToDo, Causes: []string{objectGone.Name}, Checks: "nothing: only S3 knows it",
	},
	{
		Name: "SrcReplicationNotPending", Meaning: "the object is replicated already",
		Documents: []snapshot.Kind{snapshot.ObjectKind}, Class: NothingToDo, Causes: []string{objectAlreadyReplicated.Name}, Checks: "nothing: only S3 knows it",
	},
	{
		Name: "SrcVersionNotFound", Meaning: "this version of the object does not exist, or no longer",
		Documents: []snapshot.Kind{snapshot.ObjectKind}, Class: NothingToDo, Causes: []string{objectGone.Name}, Checks: "nothing: only S3 knows it",
	},
}

const checksWrite = "s3:ReplicateObject, the owner override, and what S3 asks of the replica key, in the role and in the destination's policies; what blocks SSE-C; " +
	"the replica key itself"

// Reasons is every known reason, for indexes.
func Reasons() []Reason { return slices.Clone(reasons) }

// reasonOf finds a reason by either spelling.
func reasonOf(name string) (*Reason, bool) {
	i := slices.IndexFunc(reasons, func(r Reason) bool { return name != "" && (r.Name == name || r.Former == name) })
	if i < 0 {
		return nil, false
	}
	return &reasons[i], true
}
