// Package settings is replimend.yaml: the approved routes, how far Replimend may go on each, and the limits. A file is read
// whole: it is valid in all its parts, or every fault is reported at once, each with its place.
//
// This is where authority comes from. Functions read the settings that they were deployed with and can write none; what may
// be done is decided by package guard, which compares the settings with the live cloud. This package knows neither.
package settings

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/replimend/replimend/internal/policy"
)

// File is what the file is called where nobody says otherwise, and in what is deployed.
const File = "replimend.yaml"

// Version is the version of the file that this package reads.
const Version = 1

// Settings is the whole file.
type Settings struct {
	// The version of this file's format.
	Version int `json:"version" jsonschema:"required,enum=1"`
	// The routes that may be acted on. Everything else is reported only.
	Routes []ApprovedRoute `json:"routes" jsonschema:"required"`
	// The ids of the accounts that routes may lead from and to, in quotes. Without any it is those of the organization, where
	// they are known.
	Accounts []string `json:"accounts,omitempty" jsonschema:"pattern=^[0-9]{12}$"`
	// ARNs of the roles and users that change things in an incident, such as those of the security team and for emergencies: what
	// they changed of late is reported and never changed back. A star stands for any characters.
	Protected []policy.ARN `json:"protected,omitempty" jsonschema:"pattern=^arn:[^:]+:iam::([0-9]{12}|[*]):(role/.+|user/.+|root)$"`
	// ARNs of the roles, keys and buckets that belong to Replimend itself: nothing of them is edited. A star stands for any
	// characters.
	Self []policy.ARN `json:"self,omitempty" jsonschema:"pattern=^arn:[^:]+:(iam|kms|s3):.+$"`
	// The accounts whose documents are read and written through roles that trust Replimend. What belongs to an account that is
	// not here is read with the caller's own credentials, and not written by a function.
	Members []Member `json:"members,omitempty"`
	// Where Replimend itself runs. Without it nothing can be deployed.
	Hub Hub `json:"hub,omitzero"`
	// The id of the organization that the members belong to: their roles let in nobody from outside of it. Members outside of it have
	// an externalId.
	Organization string `json:"organization,omitempty" jsonschema:"pattern=^o-[a-z0-9]+$,minLength=12,maxLength=34"`
	// The id of the organization's management account, in quotes. With it a stack there sends what changes policies of the organization
	// to the hub; without it such changes are found by the sweep.
	ManagementAccount string `json:"managementAccount,omitempty" jsonschema:"pattern=^[0-9]{12}$"`
	// How often something may be changed. Every limit has a default that is on.
	Limits Limits `json:"limits,omitzero"`
	// Who may answer when a person is asked. Without it nobody may.
	Approvals Approvals `json:"approvals,omitzero"`
	// Who is told of incidents, and where. Without it the log is where it is said.
	Chat Chat `json:"chat,omitzero"`
}

// Hub is where Replimend itself runs.
type Hub struct {
	// The account's id, in quotes.
	Account string `json:"account" jsonschema:"required,pattern=^[0-9]{12}$"`
	// The Region of its functions, tables and queues.
	Region string `json:"region" jsonschema:"required"`
	// For how many days logs are kept: one of the numbers that CloudWatch Logs knows.
	// https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html
	LogDays int `json:"logDays,omitempty" jsonschema:"default=90"`
	// The ARN of an SNS topic that alarms are sent to. Without it alarms are seen on the dashboard alone.
	AlarmTopic policy.ARN `json:"alarmTopic,omitzero" jsonschema:"pattern=^arn:[^:]+:sns:[^:]+:[0-9]{12}:.+$"`
}

// Approvals is who may answer when a person is asked, and for how long an answer counts.
type Approvals struct {
	// ARNs of the roles and users that may approve and reject. A star stands for any characters. Without any nobody may, and what
	// would need an answer is not done.
	Approvers []policy.ARN `json:"approvers,omitempty" jsonschema:"pattern=^arn:[^:]+:iam::([0-9]{12}|[*]):(role/.+|user/.+)$"`
	// ARNs of roles each of whose sessions is named after the person who has it, because their trust policies see to it. Every other
	// role but those of IAM Identity Center counts as one person, however many have it: whoever assumes a role may choose the
	// session's name. A star stands for any characters.
	NamedSessions []policy.ARN `json:"namedSessions,omitempty" jsonschema:"pattern=^arn:[^:]+:iam::([0-9]{12}|[*]):role/.+$"`
	// For how many hours an approval counts.
	Hours int `json:"hours,omitempty" jsonschema:"minimum=1,maximum=72,default=4"`
	// Whether two people have to approve a plan that edits a key policy.
	TwoForKeyPolicies bool `json:"twoForKeyPolicies,omitempty"`
	// Who some of them are to Slack and to the provider of the page.
	People []Identity `json:"people,omitempty"`
	// The app of Slack whose buttons are answers. Without it the messages have none.
	Slack SlackApp `json:"slack,omitzero"`
	// The page of incidents. Without it there is none, and the messages have no link.
	Page Page `json:"page,omitzero"`
}

// DefaultApprovalHours is for how many hours an approval counts where the file does not say.
const DefaultApprovalHours = 4

// Lasts is for how long an approval counts.
func (a Approvals) Lasts() time.Duration {
	return time.Duration(cmp.Or(a.Hours, DefaultApprovalHours)) * time.Hour
}

// ApprovedRoute is one route as it was approved. Every member but Mode, Allow and Labels is a pin: when the live route differs
// from one of them, it is no longer the route that somebody approved.
type ApprovedRoute struct {
	// A name for people: small letters, digits and hyphens.
	Name string `json:"name" jsonschema:"required,pattern=^[a-z0-9][a-z0-9-]*$,maxLength=63"`
	// How far Replimend may go on its own.
	Mode Mode `json:"mode,omitempty" jsonschema:"enum=observe,enum=approve,enum=automatic,default=observe"`
	// The bucket that is replicated, which owns the role.
	Source Bucket `json:"source" jsonschema:"required"`
	// The bucket that replicas are written to.
	Destination Bucket `json:"destination" jsonschema:"required"`
	// The replication rule.
	Rule Rule `json:"rule" jsonschema:"required"`
	// The role that S3 assumes for the rule.
	Role Role `json:"role" jsonschema:"required"`
	// ARNs of the keys that objects in the rule's scope are encrypted with. None for SSE-S3 and SSE-C.
	SourceKeys []policy.ARN `json:"sourceKeys,omitempty"`
	// ARN of the key that replicas are encrypted with.
	ReplicaKey policy.ARN `json:"replicaKey,omitzero" jsonschema:"pattern=^arn:[^:]+:kms:[^:]+:[0-9]{12}:key/.+$"`
	// What is off unless this route opts in.
	Allow Allow `json:"allow,omitzero"`
	// Words by which targets of chat choose routes, such as a team's name. They are no pins.
	Labels []string `json:"labels,omitempty" jsonschema:"pattern=^[a-z0-9][a-z0-9-]*$"`
}

// Bucket is a bucket with its owner. The ARN of a bucket does not say who owns it, so the name alone pins nothing.
type Bucket struct {
	// The bucket's name.
	Bucket string `json:"bucket" jsonschema:"required,minLength=3,maxLength=255"`
	// The id of the account that owns the bucket, in quotes.
	Account string `json:"account" jsonschema:"required,pattern=^[0-9]{12}$"`
	// The bucket's Region.
	Region string `json:"region" jsonschema:"required"`
}

// Rule is a replication rule in one form, whichever of its forms the configuration uses.
type Rule struct {
	// The rule's ID.
	ID string `json:"id" jsonschema:"required,minLength=1,maxLength=255"`
	// What the keys of replicated objects start with, literally. Without it the rule covers every key.
	Prefix string `json:"prefix,omitempty" jsonschema:"maxLength=1024"`
	// The tags that a replicated object must all have.
	Tags map[string]string `json:"tags,omitempty"`
	// Whether the rule replicates delete markers.
	DeleteMarkers bool `json:"deleteMarkers,omitempty"`
	// Whether replicas belong to the owner of the destination bucket.
	OwnerOverride bool `json:"ownerOverride,omitempty"`
	// Whether the rule replicates objects that are encrypted with KMS. Without it only the keys are pinned.
	KMSObjects *bool `json:"kmsObjects,omitempty"`
	// Whether the rule replicates what is changed on objects that are replicas themselves. Without it that is no pin.
	ReplicaModifications *bool `json:"replicaModifications,omitempty"`
}

// Role is a replication role. A role that was deleted and made again under the same name has another unique id.
type Role struct {
	// The role's ARN, path included.
	ARN policy.ARN `json:"arn" jsonschema:"required,pattern=^arn:[^:]+:iam::[0-9]{12}:role/.+$"`
	// The role's unique id (RoleId), which starts with AROA.
	UniqueID string `json:"uniqueId" jsonschema:"required,pattern=^AROA[A-Z0-9]+$"`
	// Everybody who may assume the role: service principals such as s3.amazonaws.com as they are, others after their kind as in
	// AWS:arn:aws:iam::111122223333:role/operator.
	Trust []string `json:"trust" jsonschema:"required,minItems=1"`
}

// Allow is what a route opts in to.
type Allow struct {
	// Whether the trust policy of the role may be repaired. Each time a person is asked.
	RoleTrust bool `json:"roleTrust,omitempty"`
	// Whether the role's policy may be edited without asking although the role has no permissions boundary. Every verdict
	// that makes use of it says so.
	NoBoundary bool `json:"noBoundary,omitempty"`
	// Whether documents of resources that belong to a CloudFormation stack may be edited without asking. The stack's next
	// deployment may take the edit out again. Every verdict that makes use of it says so.
	StackDrift bool `json:"stackDrift,omitempty"`
	// Whether a small object may be written to the source bucket after a cure, to see S3 replicate it, and be removed from both
	// buckets. Its key is the rule's prefix, CanaryPrefix and the incident's ID.
	Canary bool `json:"canary,omitempty"`
}

// Limits bounds what is done. The limits of the file replace the defaults one by one.
type Limits struct {
	// How many patches one route may get in an hour.
	PatchesPerRoutePerHour int `json:"patchesPerRoutePerHour,omitempty" jsonschema:"minimum=0,maximum=100,default=2"`
	// How many patches may change documents of one account in an hour.
	PatchesPerAccountPerHour int `json:"patchesPerAccountPerHour,omitempty" jsonschema:"minimum=0,maximum=1000,default=6"`
	// After how many failed cures in a row a route is left to people.
	FailedCuresBeforeOpen int `json:"failedCuresBeforeOpen,omitempty" jsonschema:"minimum=1,maximum=10,default=2"`
	// After how many times that a statement of Replimend was taken out of a document the document is left to people.
	RemovalsBeforeOpen int `json:"removalsBeforeOpen,omitempty" jsonschema:"minimum=1,maximum=10,default=3"`
	// For how many hours a change of a protected principal is taken to belong to an incident that is not over.
	IncidentHours int `json:"incidentHours,omitempty" jsonschema:"minimum=1,maximum=720,default=24"`
}

// Member is an account that lets Replimend in, by roles of its own with fixed names: see MemberRole.
type Member struct {
	// The account's id, in quotes.
	Account string `json:"account" jsonschema:"required,pattern=^[0-9]{12}$"`
	// The Regions of its buckets and keys.
	Regions []string `json:"regions" jsonschema:"required,minItems=1"`
	// What the trust policies of its roles ask for as sts:ExternalId, where the account is outside of the organization. It is no
	// secret.
	// https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_common-scenarios_third-party.html
	ExternalID string `json:"externalId,omitempty" jsonschema:"minLength=2,maxLength=1224"`
}

// MemberRole is one of the roles that a member account has for Replimend.
type MemberRole string

// The roles of a member, by the name that they have under the path /replimend/.
const (
	Reader         MemberRole = "replimend-reader"          // reads everything that a snapshot has, writes nothing
	IdentityWriter MemberRole = "replimend-identity-writer" // writes the inline and trust policies of approved replication roles
	ResourceWriter MemberRole = "replimend-resource-writer" // writes the key and bucket policies of approved routes
	Replayer       MemberRole = "replimend-replayer"        // makes batch jobs, and passes the batch role
	CanaryWriter   MemberRole = "replimend-canary"          // writes and removes canary objects of routes that opted in
	Batch          MemberRole = "replimend-batch"           // S3 Batch Operations assumes it to replicate again; Replimend never does
)

// Worker is the name of the function that works in members, and of its role in the hub.
const Worker = "replimend-remedy"

// WorkerRole is the role of the function that works in members; false: no hub is known.
func (h Hub) WorkerRole() (policy.ARN, bool) {
	return policy.ARN{Partition: policy.Partition(h.Region), Service: "iam", Account: h.Account, Resource: "role" + RolePath + Worker}, h.Account != ""
}

// RolePath is the path of every role of Replimend.
const RolePath = "/replimend/"

// ARN is the role's in an account.
func (r MemberRole) ARN(partition, account string) policy.ARN {
	return policy.ARN{Partition: partition, Service: "iam", Account: account, Resource: "role" + RolePath + string(r)}
}

// ReportBucket is the name of the bucket that batch jobs of a member's Region write their manifests and reports to.
func ReportBucket(account, region string) string {
	return "replimend-reports-" + account + "-" + region
}

// CanaryPrefix is what the keys of canary objects begin with, after the rule's own prefix. Nobody else's objects should.
const CanaryPrefix = "replimend-canary/"

// CanaryKey is the key of the canary of an incident with that ID: the only one that is touched for it.
func (a ApprovedRoute) CanaryKey(id string) string { return a.Rule.Prefix + CanaryPrefix + id }

// Member is the member of that account.
func (s *Settings) Member(account string) (Member, bool) {
	for _, m := range s.Members {
		if m.Account == account {
			return m, true
		}
	}
	return Member{}, false
}

// DefaultLimits are the limits of a file that names none.
func DefaultLimits() Limits {
	return Limits{PatchesPerRoutePerHour: 2, PatchesPerAccountPerHour: 6, FailedCuresBeforeOpen: 2, RemovalsBeforeOpen: 3, IncidentHours: 24}
}

// Mode is how far Replimend may go on a route.
type Mode string

// The modes, from the most careful one on.
const (
	Observe   Mode = "observe"   // diagnose and report, write nothing
	Approve   Mode = "approve"   // write what a person approved
	Automatic Mode = "automatic" // write what the guard lets pass
)

// String is the mode's word in the file.
func (m Mode) String() string { return string(m) }

// Acts says whether something may be written in that mode, with an approval or without.
func (m Mode) Acts() bool { return m == Approve || m == Automatic }

// ParseMode reads the mode's word.
func ParseMode(s string) (Mode, error) {
	switch m := Mode(s); m {
	case Observe, Approve, Automatic:
		return m, nil
	}
	return "", fmt.Errorf("unknown mode %q: want observe, approve or automatic", clip(s))
}

// Route is the approved route of that name.
func (s *Settings) Route(name string) (ApprovedRoute, bool) {
	for _, r := range s.Routes {
		if r.Name == name {
			return r, true
		}
	}
	return ApprovedRoute{}, false
}

// From is every approved route that leaves a bucket, in the order of the file.
func (s *Settings) From(bucket string) []ApprovedRoute {
	var out []ApprovedRoute
	for _, r := range s.Routes {
		if r.Source.Bucket == bucket {
			out = append(out, r)
		}
	}
	return out
}

// Approved is the approved route of that source bucket, rule and destination bucket.
func (s *Settings) Approved(source, rule, destination string) (ApprovedRoute, bool) {
	for _, r := range s.From(source) {
		if r.Rule.ID == rule && r.Destination.Bucket == destination {
			return r, true
		}
	}
	return ApprovedRoute{}, false
}

// WritesCanaries says whether some route that may be acted on opts in to a canary in that account, at its source or its destination.
func (s *Settings) WritesCanaries(account string) bool {
	return slices.ContainsFunc(s.Routes, func(r ApprovedRoute) bool {
		return r.Allow.Canary && r.Mode.Acts() && (r.Source.Account == account || r.Destination.Account == account)
	})
}

// clip bounds what a file can put into an error.
func clip(s string) string {
	const most = 120
	if len(s) <= most {
		return s
	}
	return s[:most] + "…"
}
