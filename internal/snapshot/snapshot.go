// Package snapshot is what the cloud looks like around a replication route: the Snapshot contract, every value in one of
// three states. It reads and prints the contract and finds documents in it; it judges nothing.
//
// The inner shapes of AWS are those that the AWS API returns as JSON, so that people can paste the output of the AWS CLI.
package snapshot

import (
	"github.com/replimend/replimend/internal/jsontree"
	"github.com/replimend/replimend/internal/policy"
)

// Schema names the contract that this package reads and prints.
const Schema = "replimend/snapshot/v1"

// MaxSize bounds the text of a snapshot, in bytes: a thousand routes need less than a tenth of it.
const MaxSize = 64 << 20

// MaxObjects bounds the sample objects of a snapshot: each kind of object costs a diagnosis of its own.
const MaxObjects = 500

// State is whether a value is known.
type State uint8

// The states. Missing never means empty.
const (
	Missing State = iota // not asked for, or asked for and refused
	Absent               // asked for and does not exist: null
	Present
)

// Value is a value in one of three states; V means something only when it is Present.
type Value[T any] struct {
	State State
	V     T
}

// Of is a present value.
func Of[T any](v T) Value[T] { return Value[T]{Present, v} }

// None is a value that does not exist.
func None[T any]() Value[T] { return Value[T]{State: Absent} }

// Get is the value and whether it is present.
func (v Value[T]) Get() (T, bool) { return v.V, v.State == Present }

// Snapshot is the whole contract. The tags of these types say how Parse reads them, how MarshalJSON prints them and what
// docs/schema says of them. Numbers and booleans, which cannot say that they are missing, are always printed.
type Snapshot struct {
	TakenAt      string                     `json:"takenAt,omitzero" jsonschema:"format=date-time"` // RFC 3339, as written
	Organization *Organization              `json:"organization,omitzero"`
	Buckets      map[string]Value[Bucket]   `json:"buckets,omitzero"` // by name; null: the bucket does not exist
	Roles        map[policy.ARN]Value[Role] `json:"roles,omitzero"`   // by ARN; null: the role does not exist
	Users        map[policy.ARN]Value[User] `json:"users,omitzero"`   // by ARN, of accesses only; null: the user does not exist
	Keys         map[policy.ARN]Value[Key]  `json:"keys,omitzero"`    // by ARN; null: the key does not exist
	Objects      []Object                   `json:"objects,omitzero"`
	Guardrails   map[string]Guardrails      `json:"guardrails,omitzero"` // by account id; an account that is not there is not known
	Unreadable   map[string]string          `json:"unreadable,omitzero"` // path of a missing value to the error that made it so
}

// Organization is the AWS Organization of the accounts.
type Organization struct {
	ID       string   `json:"id,omitzero"`
	Accounts []string `json:"accounts,omitzero" jsonschema:"pattern=^[0-9]{12}$"`
}

// Bucket is the configuration of one bucket.
type Bucket struct {
	Account           string                   `json:"account,omitzero" jsonschema:"pattern=^[0-9]{12}$"` // the owner
	Region            string                   `json:"region,omitzero"`
	Versioning        Value[string]            `json:"versioning,omitzero" jsonschema:"enum=Enabled,enum=Suspended"` // null: never enabled
	Replication       Value[Replication]       `json:"replication,omitzero" wrapper:"ReplicationConfiguration"`
	Encryption        Value[Encryption]        `json:"encryption,omitzero" wrapper:"ServerSideEncryptionConfiguration"`
	Policy            Value[policy.Document]   `json:"policy,omitzero"`
	Ownership         Value[string]            `json:"ownership,omitzero" jsonschema:"enum=BucketOwnerEnforced,enum=BucketOwnerPreferred,enum=ObjectWriter"`
	PublicAccessBlock Value[jsontree.Node]     `json:"publicAccessBlock,omitzero" wrapper:"PublicAccessBlockConfiguration"` // as GetPublicAccessBlock returns it
	ObjectLock        Value[ObjectLock]        `json:"objectLock,omitzero" wrapper:"ObjectLockConfiguration"`
	RequestPayer      Value[string]            `json:"requestPayer,omitzero" jsonschema:"enum=BucketOwner,enum=Requester"`
	Notifications     Value[jsontree.Node]     `json:"notifications,omitzero"` // as GetBucketNotificationConfiguration returns it
	Tags              Value[map[string]string] `json:"tags,omitzero"`
}

// Replication is GetBucketReplication's ReplicationConfiguration.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_ReplicationConfiguration.html
type Replication struct {
	Role  string `jsonschema:"required"` // as configured: an ARN, but whoever may write the rule may write anything
	Rules []Rule `jsonschema:"required"`
}

// Rule is one replication rule. A rule without Filter is of the first version of the configuration.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_ReplicationRule.html
type Rule struct {
	ID                        string `json:",omitzero"`
	Priority                  int
	Status                    string                   `jsonschema:"required,enum=Enabled,enum=Disabled"`
	Prefix                    *string                  `json:",omitzero"`
	Filter                    *Filter                  `json:",omitzero"`
	Destination               Destination              `jsonschema:"required"`
	DeleteMarkerReplication   *Switch                  `json:",omitzero"`
	ExistingObjectReplication *Switch                  `json:",omitzero"`
	SourceSelectionCriteria   *SourceSelectionCriteria `json:",omitzero"`
}

// Switch is a Status of Enabled or Disabled.
type Switch struct {
	Status string `json:",omitzero" jsonschema:"enum=Enabled,enum=Disabled"`
}

// On says whether the switch is there and Enabled.
func (s *Switch) On() bool { return s != nil && s.Status == "Enabled" }

// Filter selects objects by prefix and tags. Prefix is literal: * in it is a character.
type Filter struct {
	Prefix *string `json:",omitzero"`
	Tag    *Tag    `json:",omitzero"`
	And    *struct {
		Prefix *string `json:",omitzero"`
		Tags   []Tag   `json:",omitzero"`
	} `json:",omitzero"`
}

// Tag is one object tag.
type Tag struct {
	Key   string
	Value string
}

// Destination is where and how a rule writes replicas.
type Destination struct {
	Bucket                   string `jsonschema:"required"` // an ARN, as configured
	Account                  string `json:",omitzero"`
	StorageClass             string `json:",omitzero"`
	AccessControlTranslation *struct {
		Owner string `json:",omitzero"`
	} `json:",omitzero"`
	EncryptionConfiguration *struct {
		ReplicaKmsKeyID string `json:",omitzero"`
	} `json:",omitzero"`
	ReplicationTime *struct {
		Status string `json:",omitzero" jsonschema:"enum=Enabled,enum=Disabled"`
		Time   *struct {
			Minutes int
		} `json:",omitzero"`
	} `json:",omitzero"`
	Metrics *struct {
		Status         string `json:",omitzero" jsonschema:"enum=Enabled,enum=Disabled"`
		EventThreshold *struct {
			Minutes int
		} `json:",omitzero"`
	} `json:",omitzero"`
}

// SourceSelectionCriteria opts objects in.
type SourceSelectionCriteria struct {
	SseKmsEncryptedObjects *Switch `json:",omitzero"`
	ReplicaModifications   *Switch `json:",omitzero"`
}

// Encryption is GetBucketEncryption's ServerSideEncryptionConfiguration.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_ServerSideEncryptionConfiguration.html
type Encryption struct {
	Rules []EncryptionRule `jsonschema:"required"`
}

// EncryptionRule is one rule of Encryption; a bucket has one.
type EncryptionRule struct {
	ApplyServerSideEncryptionByDefault *struct {
		SSEAlgorithm   string `jsonschema:"required"` // AES256 | aws:kms | aws:kms:dsse, and what AWS adds
		KMSMasterKeyID string `json:",omitzero"`
	} `json:",omitzero"`
	BucketKeyEnabled       bool
	BlockedEncryptionTypes *struct {
		EncryptionType []string `json:",omitzero"`
	} `json:",omitzero"`
}

// ObjectLock is GetObjectLockConfiguration's ObjectLockConfiguration.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_ObjectLockConfiguration.html
type ObjectLock struct {
	ObjectLockEnabled string          `json:",omitzero"`
	Rule              *ObjectLockRule `json:",omitzero"`
}

// ObjectLockRule is what a bucket does to every new version.
type ObjectLockRule struct {
	DefaultRetention *Retention `json:",omitzero"`
}

// Retention is for how long a version cannot be deleted: days or years.
type Retention struct {
	Mode  string `json:",omitzero"` // GOVERNANCE | COMPLIANCE
	Days  int    `json:",omitzero"`
	Years int    `json:",omitzero"`
}

// Role is an IAM role with its policies.
type Role struct {
	UniqueID string                            `json:"uniqueId,omitzero"`
	Trust    Value[policy.Document]            `json:"trust,omitzero"`
	Inline   Value[map[string]policy.Document] `json:"inline,omitzero"`   // by policy name
	Attached Value[map[string]policy.Document] `json:"attached,omitzero"` // by policy ARN
	Boundary Value[Boundary]                   `json:"boundary,omitzero"`
	Tags     Value[map[string]string]          `json:"tags,omitzero"`
}

// User is an IAM user with its policies and those of its groups.
type User struct {
	UniqueID string                            `json:"uniqueId,omitzero"`
	Inline   Value[map[string]policy.Document] `json:"inline,omitzero"`   // by policy name
	Attached Value[map[string]policy.Document] `json:"attached,omitzero"` // by policy ARN
	Groups   Value[map[string]Group]           `json:"groups,omitzero"`   // by group name
	Boundary Value[Boundary]                   `json:"boundary,omitzero"`
	Tags     Value[map[string]string]          `json:"tags,omitzero"`
}

// Group is an IAM group that a user is in. Its policies count as the user's own, but edits leave them alone: they reach others.
type Group struct {
	Inline   Value[map[string]policy.Document] `json:"inline,omitzero"`   // by policy name
	Attached Value[map[string]policy.Document] `json:"attached,omitzero"` // by policy ARN
}

// Boundary is a permissions boundary. Without its document it would deny everything, so that it has one or is missing.
type Boundary struct {
	ARN      string          `json:"arn,omitzero"`
	Document policy.Document `json:"document" jsonschema:"required"`
}

// Key is a KMS key.
type Key struct {
	State       string                   `json:"state,omitzero"` // DescribeKey's KeyState: Enabled, Disabled, PendingDeletion, …
	Manager     string                   `json:"manager,omitzero" jsonschema:"enum=CUSTOMER,enum=AWS"`
	Spec        string                   `json:"spec,omitzero"`  // SYMMETRIC_DEFAULT, …
	Usage       string                   `json:"usage,omitzero"` // ENCRYPT_DECRYPT, …
	MultiRegion bool                     `json:"multiRegion"`
	Policy      Value[policy.Document]   `json:"policy,omitzero"`
	Grants      Value[[]Grant]           `json:"grants,omitzero" wrapper:"Grants"`
	Aliases     Value[[]string]          `json:"aliases,omitzero"`
	Tags        Value[map[string]string] `json:"tags,omitzero"`
}

// Grant is one entry of ListGrants.
// https://docs.aws.amazon.com/kms/latest/APIReference/API_GrantListEntry.html
type Grant struct {
	GrantID          string            `json:"GrantId,omitzero"`
	GranteePrincipal string            `json:",omitzero"`
	Operations       []string          `json:",omitzero"`
	Constraints      *GrantConstraints `json:",omitzero"`
}

// GrantConstraints limits a grant. A member that is not listed here refuses the snapshot: a grant read without its limit
// would allow too much.
type GrantConstraints struct {
	EncryptionContextSubset map[string]string `json:",omitzero"`
	EncryptionContextEquals map[string]string `json:",omitzero"`
	SourceArn               string            `json:",omitzero"`
}

// Object is one sample object, normally one that failed.
type Object struct {
	Bucket            string                   `json:"bucket,omitzero"`
	Key               string                   `json:"key,omitzero"`
	VersionID         string                   `json:"versionId,omitzero"`
	ReplicationStatus Value[string]            `json:"replicationStatus,omitzero" jsonschema:"enum=PENDING,enum=COMPLETED,enum=FAILED,enum=REPLICA"`
	Encryption        Value[string]            `json:"encryption,omitzero" jsonschema:"enum=AES256,enum=aws:kms,enum=aws:kms:dsse,enum=SSE-C"` // null: plaintext
	KMSKeyID          string                   `json:"kmsKeyId,omitzero"`
	BucketKey         bool                     `json:"bucketKey"`
	StorageClass      string                   `json:"storageClass,omitzero"`
	Owner             string                   `json:"owner,omitzero" jsonschema:"pattern=^[0-9]{12}$"` // account id
	Size              int64                    `json:"size"`
	DeleteMarker      bool                     `json:"deleteMarker"`
	Tags              Value[map[string]string] `json:"tags,omitzero"`
}

// Guardrails is the organization's policies over one account; the outer list has one entry per level, root to account.
type Guardrails struct {
	SCPs Value[[][]policy.Document] `json:"scps,omitzero"`
	RCPs Value[[][]policy.Document] `json:"rcps,omitzero"`
}

// Kind is the kind of a document that can be at fault, as findings and edits name it.
type Kind string

// The document kinds of the contract.
const (
	RolePolicy              Kind = "role-policy"
	UserPolicy              Kind = "user-policy"
	RoleTrust               Kind = "role-trust"
	PermissionsBoundary     Kind = "permissions-boundary"
	SourceBucketPolicy      Kind = "source-bucket-policy"
	DestinationBucketPolicy Kind = "destination-bucket-policy"
	SourceKeyPolicy         Kind = "source-key-policy"
	ReplicaKeyPolicy        Kind = "replica-key-policy"
	BucketPolicy            Kind = "bucket-policy" // of an access, which knows no source and no destination
	KeyPolicy               Kind = "key-policy"    // likewise
	KeyGrant                Kind = "key-grant"
	KeyState                Kind = "key-state"
	ReplicationConfig       Kind = "replication-config"
	BucketConfig            Kind = "bucket-config"
	ObjectKind              Kind = "object"
	SCP                     Kind = "scp"
	RCP                     Kind = "rcp"
)

// OfKey says whether it is the policy of a KMS key, in whatever part.
func (k Kind) OfKey() bool { return k == SourceKeyPolicy || k == ReplicaKeyPolicy || k == KeyPolicy }

// OfBucket says whether it is the policy of a bucket, in whatever part.
func (k Kind) OfBucket() bool {
	return k == SourceBucketPolicy || k == DestinationBucketPolicy || k == BucketPolicy
}

// Ref points at one document: its kind and the ARN, bucket name or account id of what it belongs to. Name is the policy's
// name where the owner can have several, as a role can have inline policies.
type Ref struct {
	Kind Kind   `json:"kind"`
	ID   string `json:"id"`
	Name string `json:"name,omitempty"`
}

// String is "role-policy arn:aws:iam::111122223333:role/r inline/replication".
func (r Ref) String() string {
	s := string(r.Kind) + " " + r.ID
	if r.Name != "" {
		s += " inline/" + r.Name
	}
	return s
}

// Document is the policy document that ref points at: an inline policy of a role or user (by Name), a trust, a bucket policy
// or a key policy. Other kinds, and documents of what is not in the snapshot, are Missing.
func (s *Snapshot) Document(ref Ref) Value[policy.Document] {
	switch ref.Kind {
	case RolePolicy, RoleTrust:
		role, ok := lookupARN(s.Roles, ref.ID)
		if !ok {
			return Value[policy.Document]{}
		}
		if ref.Kind == RoleTrust {
			return role.Trust
		}
		return named(role.Inline, ref.Name)
	case UserPolicy:
		user, _ := lookupARN(s.Users, ref.ID)
		return named(user.Inline, ref.Name)
	case SourceBucketPolicy, DestinationBucketPolicy, BucketPolicy:
		return s.Buckets[ref.ID].V.Policy
	case SourceKeyPolicy, ReplicaKeyPolicy, KeyPolicy:
		key, _ := lookupARN(s.Keys, ref.ID)
		return key.Policy
	default:
		return Value[policy.Document]{}
	}
}

// named is one of the documents that stand under names.
func named(of Value[map[string]policy.Document], name string) Value[policy.Document] {
	if of.State == Missing {
		return Value[policy.Document]{}
	}
	if d, ok := of.V[name]; ok {
		return Of(d)
	}
	return None[policy.Document]()
}

// WithDocument is the snapshot with that document in place of the one that ref points at; an absent document removes it.
// The receiver stays as it was. A ref to what the snapshot does not have gives the snapshot unchanged and false.
func (s *Snapshot) WithDocument(ref Ref, d Value[policy.Document]) (*Snapshot, bool) {
	out := *s
	switch ref.Kind {
	case RolePolicy, RoleTrust:
		arn, err := policy.ParseARN(ref.ID)
		role, ok := s.Roles[arn]
		if err != nil || !ok || role.State != Present {
			return s, false
		}
		if ref.Kind == RoleTrust {
			role.V.Trust = d
		} else {
			role.V.Inline = withNamed(role.V.Inline, ref.Name, d)
		}
		out.Roles = replace(s.Roles, arn, role)
	case UserPolicy:
		arn, err := policy.ParseARN(ref.ID)
		user, ok := s.Users[arn]
		if err != nil || !ok || user.State != Present {
			return s, false
		}
		user.V.Inline = withNamed(user.V.Inline, ref.Name, d)
		out.Users = replace(s.Users, arn, user)
	case SourceBucketPolicy, DestinationBucketPolicy, BucketPolicy:
		bucket, ok := s.Buckets[ref.ID]
		if !ok || bucket.State != Present {
			return s, false
		}
		bucket.V.Policy = d
		out.Buckets = replace(s.Buckets, ref.ID, bucket)
	case SourceKeyPolicy, ReplicaKeyPolicy, KeyPolicy:
		arn, err := policy.ParseARN(ref.ID)
		key, ok := s.Keys[arn]
		if err != nil || !ok || key.State != Present {
			return s, false
		}
		key.V.Policy = d
		out.Keys = replace(s.Keys, arn, key)
	default:
		return s, false
	}
	return &out, true
}

func withNamed(of Value[map[string]policy.Document], name string, d Value[policy.Document]) Value[map[string]policy.Document] {
	out := make(map[string]policy.Document, len(of.V)+1)
	for n, doc := range of.V {
		out[n] = doc
	}
	delete(out, name)
	if doc, ok := d.Get(); ok {
		out[name] = doc
	}
	return Of(out)
}

func lookupARN[T any](m map[policy.ARN]Value[T], id string) (T, bool) {
	arn, err := policy.ParseARN(id)
	if err != nil {
		var zero T
		return zero, false
	}
	return m[arn].Get()
}

func replace[K comparable, V any](m map[K]V, k K, v V) map[K]V {
	out := make(map[K]V, len(m)+1)
	for key, value := range m {
		out[key] = value
	}
	out[k] = v
	return out
}
