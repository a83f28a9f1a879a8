package lab

import (
	"cmp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/replimend/replimend/internal/authz"
	"github.com/replimend/replimend/internal/policy"
)

// form is what AWS demands of one kind of document.
type form struct {
	malformed string // the code of a refusal for the document's form
	tooLong   string // the code of a refusal for its size
	limit     int
	principal bool // the statements must name a principal, or must not
	resource  bool // the statements must name a resource, or must not
	iam       bool // IAM's alphabet and its Sids
}

// The forms. IAM counts characters without white space, and all inline policies of a role together; the trust policy's limit is
// the default of a quota that can be raised.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-iam-policies.html
// https://docs.aws.amazon.com/kms/latest/APIReference/API_PutKeyPolicy.html
var (
	inlineForm = form{malformed: "MalformedPolicyDocument", tooLong: "LimitExceeded", limit: 10240, resource: true, iam: true}
	userForm   = form{malformed: "MalformedPolicyDocument", tooLong: "LimitExceeded", limit: 2048, resource: true, iam: true}
	trustForm  = form{malformed: "MalformedPolicyDocument", tooLong: "LimitExceeded", limit: 2048, principal: true, iam: true}
	bucketForm = form{malformed: "MalformedPolicy", tooLong: "PolicyTooLarge", limit: 20 << 10, principal: true, resource: true}
	keyForm    = form{
		malformed: "MalformedPolicyDocumentException", tooLong: "LimitExceededException", limit: 32 << 10, principal: true, resource: true,
	}
)

// accept refuses a document that AWS would not take at that place.
func (c *Cloud) accept(at place, d policy.Document, by *authz.Principal) error {
	if err := at.form.acceptForm(d); err != nil {
		return err
	}
	size := at.form.size(d)
	for _, other := range at.others {
		size += at.form.size(other)
	}
	if size > at.form.limit {
		return refuse(at.form.tooLong, "the policy is too long: %d, and the limit is %d", size, at.form.limit)
	}
	if err := c.acceptPrincipals(at.form, d); err != nil {
		return err
	}
	switch {
	case at.bucket != nil:
		return at.bucket.acceptPolicy(d)
	case at.key != nil:
		return c.acceptKeeper(at, d, by)
	case at.form == &trustForm:
		return acceptTrust(d)
	}
	return nil
}

func (f *form) size(d policy.Document) int {
	text, _ := d.MarshalJSON() // never fails
	if f.iam {
		return utf8.RuneCount(text)
	}
	return len(text)
}

func (f *form) acceptForm(d policy.Document) error {
	if len(d.Statements) == 0 {
		return refuse(f.malformed, "the policy has no statement")
	}
	sids := map[string]bool{}
	for i, s := range d.Statements {
		name := s.Name(i)
		switch {
		case s.Sid != "" && sids[s.Sid]:
			return refuse(f.malformed, "statement ids must be unique: %s is not", s.Sid)
		case f.iam && !alphanumeric(s.Sid):
			return refuse(f.malformed, "statement ids must be alphanumeric: %q is not", s.Sid)
		case f.principal != (s.Principal != nil):
			return refuse(f.malformed, "statement %s: missing or prohibited field Principal", name)
		case f.resource != (len(s.Resource.Values) > 0):
			return refuse(f.malformed, "statement %s: missing or prohibited field Resource", name)
		}
		sids[s.Sid] = true
	}
	if text, _ := d.MarshalJSON(); f.iam && strings.ContainsFunc(string(text), outsideIAM) {
		return refuse(f.malformed, "the policy has a character outside of U+0020 to U+00FF")
	}
	return nil
}

func alphanumeric(s string) bool {
	return !strings.ContainsFunc(s, func(c rune) bool {
		return (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9')
	})
}

func outsideIAM(c rune) bool { return c != '\t' && c != '\n' && c != '\r' && (c < 0x20 || c > 0xFF) }

// acceptPrincipals refuses principals that do not exist: AWS turns an ARN into the unique id of what it names when it stores a
// document, and a unique id whose owner is gone cannot be stored again. A role that the lab has never heard of may exist.
// https://repost.aws/knowledge-center/s3-invalid-principal-in-policy-error
// https://docs.aws.amazon.com/kms/latest/APIReference/API_PutKeyPolicy.html
func (c *Cloud) acceptPrincipals(f *form, d policy.Document) error {
	for i, s := range d.Statements {
		if s.Principal == nil {
			continue
		}
		for _, p := range s.Principal.Values {
			if p.Kind == policy.PrincipalAWS && !c.exists(p) {
				return refuse(f.malformed, "statement %s: invalid principal in policy: %s", s.Name(i), p.Value)
			}
		}
	}
	return nil
}

func (c *Cloud) exists(p policy.Principal) bool {
	if p.IsUniqueID() {
		for _, role := range c.roles {
			if role != nil && role.UniqueID == p.Value {
				return true
			}
		}
		return false
	}
	arn, err := policy.ParseARN(p.Value)
	if err != nil {
		return true
	}
	role, known := c.roles[arn]
	return !known || role != nil
}

// acceptTrust: https://docs.aws.amazon.com/IAM/latest/APIReference/API_UpdateAssumeRolePolicy.html
func acceptTrust(d policy.Document) error {
	for i, s := range d.Statements {
		for _, action := range s.Action.Values {
			if !hasPrefixFold(action, "sts:") {
				return refuse("MalformedPolicyDocument", "statement %s: a trust policy may only specify STS AssumeRole actions", s.Name(i))
			}
		}
	}
	return nil
}

func hasPrefixFold(s, prefix string) bool {
	return len(s) >= len(prefix) && strings.EqualFold(s[:len(prefix)], prefix)
}

// Actions of S3 that apply to objects only and to buckets only, as far as replication has to do with them.
// https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazons3.html
var (
	objectActions = []string{
		"s3:GetObject", "s3:PutObject", "s3:GetObjectVersion", "s3:GetObjectVersionForReplication", "s3:GetObjectVersionAcl",
		"s3:GetObjectVersionTagging", "s3:GetObjectRetention", "s3:GetObjectLegalHold", "s3:PutObjectRetention",
		"s3:PutObjectLegalHold", "s3:ReplicateObject", "s3:ReplicateDelete", "s3:ReplicateTags",
		"s3:ObjectOwnerOverrideToBucketOwner", "s3:InitiateReplication",
	}
	bucketActions = []string{
		"s3:ListBucket", "s3:GetReplicationConfiguration", "s3:GetBucketVersioning", "s3:PutBucketVersioning",
	}
)

// acceptPolicy is what S3 demands of a bucket policy: S3's actions, on this bucket, each on a resource of its kind, and under
// Block Public Access nothing public. That a bare * is no resource of a bucket is deduced from people's reports.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/security_iam_service-with-iam.html
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html
func (b *bucket) acceptPolicy(d policy.Document) error {
	for i, s := range d.Statements {
		name := s.Name(i)
		onBucket, onObjects := false, false
		for _, resource := range s.Resource.Values {
			bucket, objects := b.covers(resource)
			if !bucket && !objects {
				return refuse("MalformedPolicy", "statement %s: policy has invalid resource: %s", name, resource)
			}
			onBucket, onObjects = onBucket || bucket, onObjects || objects
		}
		for _, action := range s.Action.Values {
			switch {
			case action != "*" && !hasPrefixFold(action, "s3:"):
				return refuse("MalformedPolicy", "statement %s: policy has invalid action: %s", name, action)
			case s.Action.Not || s.Resource.Not:
			case containsFold(objectActions, action) && !onObjects, containsFold(bucketActions, action) && !onBucket:
				return refuse("MalformedPolicy", "statement %s: action does not apply to any resource(s) in statement: %s", name, action)
			}
		}
		everyone := s.Effect == policy.Allow && len(s.Conditions) == 0 && slices.ContainsFunc(s.Principal.Values, isEveryone)
		if everyone && b.blocksPublic("BlockPublicPolicy") {
			return refuse("AccessDenied", "statement %s: public policies are blocked by the bucket", name)
		}
	}
	return nil
}

// covers says whether a resource of a bucket policy is the bucket itself, and whether it is objects in it. One that ends in a
// wildcard before the first slash can be both.
func (b *bucket) covers(resource string) (itself, objects bool) {
	rest, ok := strings.CutPrefix(resource, policy.BucketARN(b.partition(), "").String())
	at, _, inside := strings.Cut(rest, "/")
	if cut := strings.IndexAny(at, "*?"); ok && cut > 0 && strings.HasPrefix(b.name, at[:cut]) {
		return !inside, true
	}
	ok = ok && at == b.name
	return ok && !inside, ok && inside
}

func isEveryone(p policy.Principal) bool { return p.Kind == policy.PrincipalAWS && p.Value == "*" }

func containsFold(in []string, s string) bool {
	return slices.ContainsFunc(in, func(one string) bool { return strings.EqualFold(one, s) })
}

// acceptKeeper is KMS's lock-out check: the caller, or where none is named anybody of the key's account whom the policy names,
// must be able to put the next key policy. What IAM policies allow is not KMS's concern.
// https://docs.aws.amazon.com/kms/latest/APIReference/API_PutKeyPolicy.html
func (c *Cloud) acceptKeeper(at place, d policy.Document, by *authz.Principal) error {
	keepers := []authz.Principal{{Kind: authz.Root, Account: at.keyARN.Account, ARN: rootOf(at.keyARN)}}
	for _, s := range d.Statements {
		for _, p := range s.Principal.Values {
			if who, err := authz.ParsePrincipal(p.Value); err == nil && who.Account == at.keyARN.Account {
				keepers = append(keepers, who)
			}
		}
	}
	if by != nil {
		keepers = []authz.Principal{*by}
	}
	own := authz.Compile("key-policy "+at.keyARN.String(), d)
	if !slices.ContainsFunc(keepers, func(p authz.Principal) bool { return c.mayPutPolicy(p, at.keyARN, own) }) {
		return refuse("MalformedPolicyDocumentException", "the new key policy will not allow you to update the key policy in the future")
	}
	return nil
}

func rootOf(arn policy.ARN) policy.ARN {
	return policy.ARN{Partition: arn.Partition, Service: "iam", Account: arn.Account, Resource: "root"}
}

func (c *Cloud) mayPutPolicy(p authz.Principal, arn policy.ARN, own *authz.Policy) bool {
	r := &authz.Request{Principal: p, Action: "kms:PutKeyPolicy", Resource: arn, ResourceAccount: arn.Account}
	r.Context.Set("aws:PrincipalArn", cmp.Or(p.Issuer, p.ARN).String())
	r.Context.Set("aws:PrincipalAccount", p.Account)
	r.Context.Set("kms:CallerAccount", p.Account)
	r.Context.Set("kms:BypassPolicyLockoutSafetyCheck", "false")
	r.Context.Set("aws:SecureTransport", "true")
	if id, ok := c.inOrganization(p.Account); ok {
		r.Context.Set("aws:PrincipalOrgID", id)
	}
	l := &authz.Layers{Identity: []*authz.Policy{allowAll}, Resource: own}
	return authz.Decide(r, l).Outcome == authz.Allowed
}

var allowAll = authz.Compile("everything", policy.New(must(
	policy.StatementSpec{Effect: policy.Allow, Actions: []string{"*"}, Resources: []string{"*"}}.Build(),
)))
