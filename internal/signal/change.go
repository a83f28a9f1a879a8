package signal

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/replimend/replimend/internal/jsontree"
	"github.com/replimend/replimend/internal/policy"
)

// Change is a call that changed something that replication depends on, as a record of CloudTrail tells it: who, when, and pointers to
// what. What it was changed to is not taken from the record but read from the cloud. Every field was written by somebody else and
// is untrusted, as those of a Signal are.
type Change struct {
	Event  string // its name, such as PutKeyPolicy
	Source string // the service, such as kms.amazonaws.com
	// Account and Region are where the call was recorded, or those of the key's ARN; "": not known.
	Account, Region string
	Principal       string    // the ARN of who made it; "": not known
	Issuer          string    // the ARN of the role behind a session, path included; "": no session, or not known
	SourceIdentity  string    // of the session; "": none
	EventID         string    // "": not known
	At              time.Time // of the call, in UTC

	// The pointers, as far as the event has them.
	Bucket string // a bucket's name
	Role   string // a role's name
	Policy string // the ARN of a managed policy
	Key    string // a key's ARN or id
	Alias  string // such as alias/replicas
	Target string // the account, organizational unit or root, or else the policy, that a change of an organization is about
}

// String is "PutKeyPolicy of arn:… by arn:… at 2026-11-28T03:00:00Z".
func (c Change) String() string {
	of, by := c.Source, c.Principal
	for _, pointer := range []string{c.Bucket, c.Role, c.Policy, c.Alias, c.Key, c.Target} {
		if pointer != "" {
			of = pointer
			break
		}
	}
	if by == "" {
		by = "somebody who is not known"
	}
	return fmt.Sprintf("%s of %s by %s at %s", c.Event, of, by, c.At.Format(time.RFC3339))
}

// ownIdentity and ownPath mark the sessions in which Replimend writes what nobody was asked about.
const (
	ownIdentity = "replimend"
	ownPath     = "role/replimend/"
)

// MadeBy says whether one of the principals that the patterns mean made the change, or Replimend did in a session of its own. In a
// pattern a star stands for any characters.
func (c Change) MadeBy(patterns []policy.ARN) bool {
	issuer, err := policy.ParseARN(c.Issuer)
	if err == nil && issuer.Service == "iam" && c.SourceIdentity == ownIdentity && strings.HasPrefix(issuer.Resource, ownPath) {
		return true
	}
	return slices.ContainsFunc(patterns, func(p policy.ARN) bool {
		return policy.Star(p.String(), c.Principal) || policy.Star(p.String(), c.Issuer)
	})
}

// changes is every call that can break or mend a route, and what of its record points at what it changed. The names are CloudTrail's,
// which are not always those of the API.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/cloudtrail-logging-s3-info.html
// https://docs.aws.amazon.com/IAM/latest/UserGuide/cloudtrail-integration.html
// https://docs.aws.amazon.com/kms/latest/developerguide/understanding-kms-entries.html
// https://docs.aws.amazon.com/organizations/latest/userguide/orgs_cloudtrail-integration.html
var changes = []struct {
	source string
	point  func(f *fields, record element, c *Change)
	events []string
}{
	{"s3.amazonaws.com", toBucket, []string{
		"CreateBucket", "DeleteBucket",
		"PutBucketReplication", "DeleteBucketReplication",
		"PutBucketPolicy", "DeleteBucketPolicy",
		"PutBucketEncryption", "DeleteBucketEncryption",
		"PutBucketVersioning",
		"PutBucketOwnershipControls", "DeleteBucketOwnershipControls",
		"PutBucketPublicAccessBlock", "DeleteBucketPublicAccessBlock",
		"PutBucketRequestPayment", "PutBucketAcl", "PutBucketNotification", "PutBucketLifecycle",
		"PutObjectLockConfiguration", "PutBucketObjectLockConfiguration",
	}},
	{"s3.amazonaws.com", toAccount, []string{"PutAccountPublicAccessBlock", "DeleteAccountPublicAccessBlock"}},
	{"iam.amazonaws.com", toRole, []string{
		"PutRolePolicy", "DeleteRolePolicy",
		"AttachRolePolicy", "DetachRolePolicy",
		"UpdateAssumeRolePolicy",
		"CreateRole", "DeleteRole", "UpdateRole",
		"PutRolePermissionsBoundary", "DeleteRolePermissionsBoundary",
	}},
	{"iam.amazonaws.com", toPolicy, []string{"CreatePolicyVersion", "SetDefaultPolicyVersion", "DeletePolicyVersion", "DeletePolicy"}},
	{"kms.amazonaws.com", toKey, []string{
		"PutKeyPolicy",
		"DisableKey", "EnableKey", "ScheduleKeyDeletion", "CancelKeyDeletion", "DeleteKey",
		"CreateGrant", "RevokeGrant",
		"ReplicateKey", "UpdatePrimaryRegion", "DeleteImportedKeyMaterial",
	}},
	// The grantee names no key, and a key store has many.
	{"kms.amazonaws.com", toKeyIfNamed, []string{"RetireGrant", "DisconnectCustomKeyStore"}},
	{"kms.amazonaws.com", toAlias, []string{"CreateAlias", "UpdateAlias", "DeleteAlias"}},
	{"organizations.amazonaws.com", toTarget, []string{
		"AttachPolicy", "DetachPolicy", "UpdatePolicy", "CreatePolicy", "DeletePolicy", "EnablePolicyType", "MoveAccount", "LeaveOrganization",
	}},
}

// Changes is the names of the calls of a service, such as kms.amazonaws.com, that can break or mend a route, sorted. Whoever sends
// events here sends these.
func Changes(source string) []string {
	var out []string
	for _, c := range changes {
		if c.source == source {
			out = append(out, c.events...)
		}
	}
	slices.Sort(out)
	return out
}

// ChangeSources is the services that Changes knows, sorted.
func ChangeSources() []string {
	var out []string
	for _, c := range changes {
		out = append(out, c.source)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// ReplicationSessions is the names of the sessions in which S3 replicates, with a star at its end: Denials are of these.
const ReplicationSessions = replicationSession + "*"

// isChange says whether a record is of a call of the table, and how to read its pointers.
func isChange(record element) (point func(*fields, element, *Change), ok bool) {
	source, name := record.get("eventSource").node.Text, record.get("eventName").node.Text
	for _, c := range changes {
		if c.source == source && slices.Contains(c.events, name) {
			return c.point, true
		}
	}
	return nil, false
}

// readChange reads the record of such a call, or says why it is of no concern: what failed changed nothing.
// https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html
func readChange(record element, point func(*fields, element, *Change)) (c Change, ignored string, err error) {
	code, read := record.get("errorCode"), record.get("readOnly")
	switch {
	case code.node.Present() && code.node.Kind != jsontree.Null:
		return Change{}, code.path + ": " + quote(code.node.Text), nil
	case read.node.Bool || read.node.Text == "true":
		return Change{}, read.path + ": true", nil
	}
	var f fields
	f.text(record.get("eventVersion"), recordVersion)
	who := record.get("userIdentity")
	session := who.get("sessionContext")
	c = Change{
		Event: record.get("eventName").node.Text, Source: record.get("eventSource").node.Text,
		Account: f.optional(record.get("recipientAccountId"), accountID), Region: f.text(record.get("awsRegion"), region),
		Principal: f.optional(who.get("arn"), principalARN), Issuer: f.optional(session.get("sessionIssuer").get("arn"), principalARN),
		SourceIdentity: f.optional(session.get("sourceIdentity"), sourceIdentity),
		EventID:        f.optional(record.get("eventID"), identifier),
	}
	c.At = instant(f.text(record.get("eventTime"), timestamp))
	point(&f, record, &c)
	if f.err != nil {
		return Change{}, "", f.err
	}
	return c, "", nil
}

// toBucket takes the name alone. Records of old have lists of one text where newer ones have the text.
func toBucket(f *fields, record element, c *Change) {
	name := record.get("requestParameters").get("bucketName")
	if items := name.node.Items; len(items) == 1 {
		name = name.child(items[0], jsontree.Index(name.path, 0))
	}
	c.Bucket = f.text(name, bucketName(true))
}

// toAccount is for what concerns every bucket of the account.
func toAccount(*fields, element, *Change) {}

func toRole(f *fields, record element, c *Change) {
	c.Role = f.text(record.get("requestParameters").get("roleName"), roleName)
}

func toPolicy(f *fields, record element, c *Change) {
	c.Policy = f.text(record.get("requestParameters").get("policyArn"), policyARN)
}

// toKey wants the key.
func toKey(f *fields, record element, c *Change) {
	toKeyIfNamed(f, record, c)
	if f.err == nil && c.Key == "" {
		f.err = record.get("resources").errorf("names no key, and no parameter does")
	}
}

// toKeyIfNamed takes the key's ARN from the resources, which CloudTrail fills in, or else the key as the caller named it. The ARN says
// where the key is: in one of AWS's own samples the record was made in another Region.
// https://docs.aws.amazon.com/kms/latest/developerguide/ct-disablekey.html
func toKeyIfNamed(f *fields, record element, c *Change) {
	c.Key = keyOf(record)
	for _, named := range []element{record.get("requestParameters").get("keyId"), record.get("requestParameters").get("targetKeyId"), record.get("responseElements").get("keyId")} {
		if c.Key == "" {
			c.Key = f.optional(named, keyName)
		}
	}
	if arn, err := policy.ParseARN(c.Key); err == nil {
		c.Account, c.Region = arn.Account, arn.Region
	}
}

// toAlias takes the alias, and its key where the record names one. Where the alias is its ARN says, as that of a key does.
func toAlias(f *fields, record element, c *Change) {
	c.Alias = f.text(record.get("requestParameters").get("aliasName"), aliasName)
	for _, r := range record.get("resources").node.Items {
		arn, err := policy.ParseARN(r.Get("ARN").Text)
		if err == nil && arn.Service == "kms" && arn.Resource == c.Alias && accountID(arn.Account) == "" && arn.Region != "" && region(arn.Region) == "" {
			c.Account, c.Region = arn.Account, arn.Region
		}
	}
	toKeyIfNamed(f, record, c)
}

// toTarget takes the account or whatever else the change is about. Whoever leaves an organization names nothing.
func toTarget(f *fields, record element, c *Change) {
	for _, name := range []string{"targetId", "accountId", "rootId", "policyId"} {
		if c.Target == "" {
			c.Target = f.optional(record.get("requestParameters").get(name), identifier)
		}
	}
}

func accountID(s string) string {
	if !policy.IsAccountID(s) {
		return fmt.Sprintf("%s is not the id of an account", quote(s))
	}
	return ""
}

// principalARN wants an ARN of printable ASCII, which paths of IAM are limited to, without wildcards.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
func principalARN(s string) string {
	const most = 2048
	arn, err := policy.ParseARN(s)
	if err != nil || len(s) > most || arn.HasWildcard() || strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return fmt.Sprintf("%s is not the ARN of a principal", quote(s))
	}
	return ""
}

// sourceIdentity checks by https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
func sourceIdentity(s string) string {
	if len(s) > 64 || !all(s, "_+=,.@-", lower, upper, digit) {
		return fmt.Sprintf("%s is not a source identity", quote(s))
	}
	return ""
}

func roleName(s string) string {
	if len(s) > 64 || !all(s, "_+=,.@-", lower, upper, digit) {
		return fmt.Sprintf("%s is not the name of a role", quote(s))
	}
	return ""
}

func policyARN(s string) string {
	arn, err := policy.ParseARN(s)
	if err != nil || principalARN(s) != "" || arn.Service != "iam" || !strings.HasPrefix(arn.Resource, "policy/") {
		return fmt.Sprintf("%s is not the ARN of a managed policy", quote(s))
	}
	return ""
}

// keyName wants a key's id; its ARN is one as well. An alias is no key: which one it means may have changed since.
func keyName(s string) string {
	if !isKeyARN(s) && (len(s) > 128 || !all(s, "-", lower, upper, digit)) {
		return fmt.Sprintf("%s is not a key", quote(s))
	}
	return ""
}

// aliasName checks by https://docs.aws.amazon.com/kms/latest/APIReference/API_CreateAlias.html
func aliasName(s string) string {
	name, ok := strings.CutPrefix(s, "alias/")
	if !ok || len(s) > 256 || !all(name, "/_-", lower, upper, digit) {
		return fmt.Sprintf("%s is not an alias", quote(s))
	}
	return ""
}
