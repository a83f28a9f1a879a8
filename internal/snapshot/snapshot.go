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

// Snapshot is the whole contract.
type Snapshot struct {
	TakenAt      string // RFC 3339, as written
	Organization *Organization
	Buckets      map[string]Value[Bucket]
	Roles        map[policy.ARN]Value[Role]
	Keys         map[policy.ARN]Value[Key]
	Objects      []Object
	Guardrails   map[string]Guardrails // by account id; an account that is not there is not known
	Unreadable   map[string]string     // path of a missing value to the error that made it so
}

// Organization is the AWS Organization of the accounts.
type Organization struct {
	ID       string   `json:"id"`
	Accounts []string `json:"accounts,omitempty"`
}

// Bucket is the configuration of one bucket.
type Bucket struct {
	Account           string
	Region            string
	Versioning        Value[string] // Enabled | Suspended; absent: never enabled
	Replication       Value[Replication]
	Encryption        Value[Encryption]
	Policy            Value[policy.Document]
	Ownership         Value[string] // BucketOwnerEnforced | BucketOwnerPreferred | ObjectWriter
	PublicAccessBlock Value[jsontree.Node]
	ObjectLock        Value[ObjectLock]
	RequestPayer      Value[string] // BucketOwner | Requester
	Notifications     Value[jsontree.Node]
	Tags              Value[map[string]string]
}

// Replication is GetBucketReplication's ReplicationConfiguration.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_ReplicationConfiguration.html
type Replication struct {
	Role  string // as configured: an ARN, but whoever may write the rule may write anything
	Rules []Rule
}

// Rule is one replication rule. A rule without Filter is of the first version of the configuration.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_ReplicationRule.html
type Rule struct {
	ID                        string
	Priority                  int
	Status                    string // Enabled | Disabled
	Prefix                    *string
	Filter                    *Filter
	Destination               Destination
	DeleteMarkerReplication   *Switch
	ExistingObjectReplication *Switch
	SourceSelectionCriteria   *SourceSelectionCriteria
}

// Switch is a Status of Enabled or Disabled.
type Switch struct{ Status string }

// On says whether the switch is there and Enabled.
func (s *Switch) On() bool { return s != nil && s.Status == "Enabled" }

// Filter selects objects by prefix and tags. Prefix is literal: * in it is a character.
type Filter struct {
	Prefix *string
	Tag    *Tag
	And    *struct {
		Prefix *string
		Tags   []Tag
	}
}

// Tag is one object tag.
type Tag struct{ Key, Value string }

// Destination is where and how a rule writes replicas.
type Destination struct {
	Bucket                   string // an ARN, as configured
	Account                  string
	StorageClass             string
	AccessControlTranslation *struct{ Owner string }
	EncryptionConfiguration  *struct {
		ReplicaKmsKeyID string `json:"ReplicaKmsKeyID"`
	}
	ReplicationTime *struct {
		Status string
		Time   *struct{ Minutes int }
	}
	Metrics *struct {
		Status         string
		EventThreshold *struct{ Minutes int }
	}
}

// SourceSelectionCriteria opts objects in.
type SourceSelectionCriteria struct {
	SseKmsEncryptedObjects *Switch
	ReplicaModifications   *Switch
}

// Encryption is GetBucketEncryption's ServerSideEncryptionConfiguration.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_ServerSideEncryptionConfiguration.html
type Encryption struct{ Rules []EncryptionRule }

// EncryptionRule is one rule of Encryption; a bucket has one.
type EncryptionRule struct {
	ApplyServerSideEncryptionByDefault *struct {
		SSEAlgorithm   string // AES256 | aws:kms | aws:kms:dsse
		KMSMasterKeyID string
	}
	BucketKeyEnabled       bool
	BlockedEncryptionTypes *struct{ EncryptionType []string }
}

// ObjectLock is GetObjectLockConfiguration's ObjectLockConfiguration.
type ObjectLock struct{ ObjectLockEnabled string }

// Role is an IAM role with its policies.
type Role struct {
	UniqueID string
	Trust    Value[policy.Document]
	Inline   Value[map[string]policy.Document] // by policy name
	Attached Value[map[string]policy.Document] // by policy ARN
	Boundary Value[Boundary]
	Tags     Value[map[string]string]
}

// Boundary is a permissions boundary.
type Boundary struct {
	ARN      string          `json:"arn"`
	Document policy.Document `json:"document"`
}

// Key is a KMS key.
type Key struct {
	State       string // DescribeKey's KeyState: Enabled, Disabled, PendingDeletion, …
	Manager     string // CUSTOMER | AWS
	Spec        string // SYMMETRIC_DEFAULT, …
	Usage       string // ENCRYPT_DECRYPT, …
	MultiRegion bool
	Policy      Value[policy.Document]
	Grants      Value[[]Grant]
	Aliases     Value[[]string]
	Tags        Value[map[string]string]
}

// Grant is one entry of ListGrants.
// https://docs.aws.amazon.com/kms/latest/APIReference/API_GrantListEntry.html
type Grant struct {
	GrantID          string `json:"GrantId"`
	GranteePrincipal string
	Operations       []string
	Constraints      *GrantConstraints
}

// GrantConstraints limits a grant. A member that is not listed here refuses the snapshot: a grant read without its limit
// would allow too much.
type GrantConstraints struct {
	EncryptionContextSubset map[string]string
	EncryptionContextEquals map[string]string
	SourceArn               string
}

// Object is one sample object, normally one that failed.
type Object struct {
	Bucket            string
	Key               string
	VersionID         string
	ReplicationStatus Value[string] // PENDING | COMPLETED | FAILED | REPLICA
	Encryption        Value[string] // AES256 | aws:kms | aws:kms:dsse | SSE-C; absent: plaintext
	KMSKeyID          string
	BucketKey         bool
	StorageClass      string
	Owner             string // account id
	Size              int64
	DeleteMarker      bool
	Tags              Value[map[string]string]
}

// Guardrails is the organization's policies over one account; the outer list has one entry per level, root to account.
type Guardrails struct {
	SCPs Value[[][]policy.Document]
	RCPs Value[[][]policy.Document]
}

// Kind is the kind of a document that can be at fault, as findings and edits name it.
type Kind string

// The document kinds of the contract.
const (
	RolePolicy              Kind = "role-policy"
	RoleTrust               Kind = "role-trust"
	PermissionsBoundary     Kind = "permissions-boundary"
	SourceBucketPolicy      Kind = "source-bucket-policy"
	DestinationBucketPolicy Kind = "destination-bucket-policy"
	SourceKeyPolicy         Kind = "source-key-policy"
	ReplicaKeyPolicy        Kind = "replica-key-policy"
	KeyGrant                Kind = "key-grant"
	KeyState                Kind = "key-state"
	ReplicationConfig       Kind = "replication-config"
	BucketConfig            Kind = "bucket-config"
	ObjectKind              Kind = "object"
	SCP                     Kind = "scp"
	RCP                     Kind = "rcp"
)

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

// Document is the policy document that ref points at: an inline policy of a role (by Name), a trust, a bucket policy or a
// key policy. Other kinds, and documents of what is not in the snapshot, are Missing.
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
		if role.Inline.State == Missing {
			return Value[policy.Document]{}
		}
		if d, ok := role.Inline.V[ref.Name]; ok {
			return Of(d)
		}
		return None[policy.Document]()
	case SourceBucketPolicy, DestinationBucketPolicy:
		return s.Buckets[ref.ID].V.Policy
	case SourceKeyPolicy, ReplicaKeyPolicy:
		key, _ := lookupARN(s.Keys, ref.ID)
		return key.Policy
	default:
		return Value[policy.Document]{}
	}
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
			inline := make(map[string]policy.Document, len(role.V.Inline.V)+1)
			for name, doc := range role.V.Inline.V {
				inline[name] = doc
			}
			delete(inline, ref.Name)
			if doc, ok := d.Get(); ok {
				inline[ref.Name] = doc
			}
			role.V.Inline = Of(inline)
		}
		out.Roles = replace(s.Roles, arn, role)
	case SourceBucketPolicy, DestinationBucketPolicy:
		bucket, ok := s.Buckets[ref.ID]
		if !ok || bucket.State != Present {
			return s, false
		}
		bucket.V.Policy = d
		out.Buckets = replace(s.Buckets, ref.ID, bucket)
	case SourceKeyPolicy, ReplicaKeyPolicy:
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
