package diagnose

import (
	"github.com/replimend/replimend/internal/authz"
	"github.com/replimend/replimend/internal/patch"
	"github.com/replimend/replimend/internal/signal"
	"github.com/replimend/replimend/internal/snapshot"
)

// Cause is one entry of the catalogue: how to recognise it. Its name is the name of its file with hyphens, of its folder of
// cases under testdata, and of its page under docs/causes.
type Cause struct {
	Name string
	// Group is what it concerns, for the index.
	Group Group
	// Summary says in one line what the cause is, for the index.
	Summary string
	// Side is whose document is at fault, empty where it can be either's.
	Side Side
	// Documents is the kinds of documents that it can be found in, and Remedy what its cure may be at most, for the index too.
	Documents []snapshot.Kind
	Remedy    patch.Class
	// Recognise says whether a denial is this cause, and then what to say; nil for causes that no request shows.
	Recognise func(e *examination, d denial) (Finding, bool)
	// Inspect finds the cause in the configuration; nil for causes that only a request shows.
	Inspect func(e *examination) []Finding
	// InspectAccess is Inspect for an access.
	InspectAccess func(e *examination) []Finding
	// Report says what there is to say when S3 itself reports the cause by its reason, which is nil where it is not known; nil for
	// causes that the documents show.
	Report func(e *examination, s signal.Signal, r *Reason) Finding
	// Verdict is what the route is at best when the cause is found by Inspect; empty when its requests say it.
	Verdict Verdict
}

// catalogue is every cause. A denial is given to the first one that recognises it, so that the special come before the
// general.
var catalogue = []Cause{
	roleMissing,
	destinationBucketMissing,
	sourceVersioningNotEnabled,
	destinationVersioningNotEnabled,
	kmsObjectsNotSelected,
	replicaKeyNotConfigured,
	replicaKeyUnresolved,
	replicaKeyWrongRegion,
	replicaKeyNotUsable,
	replicaKeyAWSManaged,
	sourceKeyNotUsable,
	destinationBlocksSSEC,
	destinationRequesterPays,
	destinationAccountMismatch,
	destinationLacksObjectLock,
	partitionMismatch,
	bucketTypeNotSupported,
	destinationIsSource,
	roleInAnotherAccount,
	ownerOverrideWithoutAccount,
	ownerOverrideSameAccount,
	replicaOwnedBySource,
	replicaModificationsOneSided,
	replicationTimeIncomplete,
	missedThresholdNotNotified,
	publicACLBlocked,
	prefixIsLiteral,
	ruleShadowed,
	kmsOptInOutranked,
	objectArchived,
	sourceObjectOwnedByAnotherAccount,
	objectIsReplica,
	objectPredatesRule,
	objectPending,
	objectReplicatedBefore,
	oneContextForm,
	objectOutsideRules,
	ruleDisabled,
	configurationUnknown,
	sourceEncryptionUnknown,
	metricsNotEnabled,
	failureNotificationMissing,
	guardrailsNotRead,
	eventContradictsModel,
	routeNotFound,
	failureReasonUnknown,
	objectGone,
	objectAlreadyReplicated,
	objectNotEligible,
	versionNotAtDestination,
	replicaHardDeleted,
	batchRoleLacksInitiateReplication,
	batchJobWrongRegion,
	documentUnreadable,
	documentNotWritable,
	serviceWriterDenied,

	principalMissing,
	bucketMissing,
	accessNotKnown,
	keyAliasResolvesInCallerAccount,
	objectKeyAWSManaged,
	objectKeyNotUsable,
	objectOwnedByAnotherAccount,
	objectNotReadable,
	requesterPaysHeader,

	explicitDeny,
	organizationPolicySilent,
	permissionsBoundarySilent,
	trustLacksS3,
	encryptionContextMismatch,
	viaServiceMismatch,
	conditionMismatch,
	principalMismatch,
	replicaKeyActionsDisputed,
	replicaKeyActionsAdvised,
	sourceKeyContextDisputed,
	replicateTagsDisputed,
	roleLacksReadConfig,
	roleLacksReadObject,
	roleLacksSourceDecrypt,
	roleLacksReplicateObject,
	roleLacksReplicaEncrypt,
	roleLacksOwnerOverride,
	roleLacksReadTags,
	roleLacksReplicateDelete,
	roleLacksReadLock,
	roleLacksWriteLock,
	destinationPolicyLacksWriteLock,
	destinationPolicyLacksReplicateObject,
	destinationPolicyLacksOwnerOverride,
	destinationPolicyLacksReplicateDelete,
	sourceBucketPolicySilent,
	sourceKeyPolicyLacksDecrypt,
	replicaKeyPolicyLacksEncrypt,
	principalLacksGetObject,
	principalLacksPutObject,
	principalLacksDecrypt,
	principalLacksGenerateDataKey,
	bucketPolicyLacksGetObject,
	bucketPolicyLacksPutObject,
	keyPolicyLacksDecrypt,
	keyPolicyLacksGenerateDataKey,
}

// verdictOf is the Verdict of the causes that Inspect finds.
var verdictOf = func() map[string]Verdict {
	out := make(map[string]Verdict)
	for _, c := range catalogue {
		if c.Verdict != "" {
			out[c.Name] = c.Verdict
		}
	}
	return out
}()

// Causes is the catalogue, for indexes and for people who ask what a name means.
func Causes() []Cause { return append([]Cause(nil), catalogue...) }

// denial is one layer of a requirement that is not allowed: one document at fault.
type denial struct {
	*asked
	layer  authz.Layer
	reason authz.Reason // the statement that denies or comes nearest
}
