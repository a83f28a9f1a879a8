package lab

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/replimend/replimend/internal/authz"
	"github.com/replimend/replimend/internal/policy"
	"github.com/replimend/replimend/internal/snapshot"
)

// sessionName is the name of the session in which S3 uses a replication role.
// https://hackingthe.cloud/aws/exploitation/s3-bucket-replication-exfiltration/
const sessionName = "s3-replication"

// service is who assumes the role.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/setting-repl-config-perm-overview.html
const service = "s3.amazonaws.com"

// question is one request and the policies that answer it.
type question struct {
	request authz.Request
	layers  authz.Layers
}

func (a *attempt) decide(q *question) authz.Outcome {
	return authz.Decide(&q.request, &q.layers).Outcome
}

func (a *attempt) allowed(q *question) bool { return a.decide(q) == authz.Allowed }

// askTrust is S3 calling sts:AssumeRole on its own behalf: SCPs do not reach a service, RCPs of the role's account do.
// https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_rcps.html
func (a *attempt) askTrust() authz.Outcome {
	q := &question{
		request: authz.Request{
			Principal: authz.Principal{Kind: authz.Service, Name: service},
			Action:    "sts:AssumeRole", Resource: a.roleARN, ResourceAccount: a.roleARN.Account,
		},
		layers: authz.Layers{
			Resource: authz.Compile("role-trust "+a.roleARN.String(), a.role.Trust.V),
			RCPs:     compileLevels("rcp "+a.roleARN.Account, a.cloud.guardrails[a.roleARN.Account].RCPs),
		},
	}
	ctx := &q.request.Context
	a.common(ctx, a.source.Region, a.roleARN.Account)
	ctx.Set("aws:PrincipalIsAWSService", "true")
	ctx.Set("aws:PrincipalServiceName", service)
	ctx.Set("sts:RoleSessionName", sessionName)
	setTags(ctx, "aws:ResourceTag/", a.role.Tags.V)
	setTags(ctx, "iam:ResourceTag/", a.role.Tags.V)
	if a.disputed("source-context") {
		ctx.Set("aws:SourceAccount", a.source.Account)
		ctx.Set("aws:SourceArn", a.source.arn().String())
		if id, ok := a.cloud.inOrganization(a.source.Account); ok {
			ctx.Set("aws:SourceOrgID", id)
		}
	}
	return a.decide(q)
}

// ask is a request of the role's session to a resource with a policy of its own.
func (a *attempt) ask(action string, resource policy.ARN, account, region string, own *authz.Policy) *question {
	rcps := compileLevels("rcp "+account, a.cloud.guardrails[account].RCPs)
	q := &question{
		request: authz.Request{Principal: a.session, Action: action, Resource: resource, ResourceAccount: account},
		layers: authz.Layers{
			Identity: append(
				compileAll("role-policy "+a.roleARN.String()+" inline/", a.role.Inline.V),
				compileAll("role-policy "+a.roleARN.String()+" attached/", a.role.Attached.V)...,
			),
			Resource: own,
			SCPs:     compileLevels("scp "+a.roleARN.Account, a.cloud.guardrails[a.roleARN.Account].SCPs),
			RCPs:     rcps,
		},
	}
	if b, ok := a.role.Boundary.Get(); ok {
		q.layers.Boundary = []*authz.Policy{authz.Compile("permissions-boundary "+b.ARN, b.Document)}
	}
	ctx := &q.request.Context
	a.common(ctx, region, account)
	ctx.Set("aws:PrincipalArn", a.roleARN.String())
	ctx.Set("aws:PrincipalAccount", a.roleARN.Account)
	ctx.Set("aws:PrincipalType", "AssumedRole")
	ctx.Set("aws:userid", a.role.UniqueID+":"+sessionName)
	ctx.Set("aws:PrincipalIsAWSService", "false")
	// A service role's own calls are not made "via" a service; requests to KMS are, see onKey.
	ctx.Set("aws:ViaAWSService", "false")
	// The two keys are there for all temporary credentials; that S3 counts as using no MFA is deduced.
	ctx.Set("aws:MultiFactorAuthPresent", "false")
	ctx.Set("aws:TokenIssueTime", a.now.Format(time.RFC3339))
	setTags(ctx, "aws:PrincipalTag/", a.role.Tags.V)
	if id, ok := a.cloud.inOrganization(a.roleARN.Account); ok {
		ctx.Set("aws:PrincipalOrgID", id)
		ctx.Set("aws:PrincipalOrgPaths", orgPath(id))
	}
	return q
}

// common sets the global keys that every request has. There is no address and no VPC endpoint behind S3's own traffic: what a
// policy wants of aws:SourceIp, aws:SourceVpc or aws:SourceVpce is never met, which S3's troubleshooting page warns of.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/replication-troubleshoot.html
func (a *attempt) common(ctx *authz.Context, region, resourceAccount string) {
	ctx.Set("aws:CurrentTime", a.now.Format(time.RFC3339))
	ctx.Set("aws:EpochTime", strconv.FormatInt(a.now.Unix(), 10))
	ctx.Set("aws:SecureTransport", "true")
	ctx.Set("aws:RequestedRegion", region)
	ctx.Set("aws:ResourceAccount", resourceAccount)
	if id, ok := a.cloud.inOrganization(resourceAccount); ok {
		ctx.Set("aws:ResourceOrgID", id)
		ctx.Set("aws:ResourceOrgPaths", orgPath(id))
	}
}

// orgPath is where the lab's accounts stand: the contract does not say, so that all of them hang on the root.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_last-accessed-view-data-orgs.html#access_policies_access-advisor-viewing-orgs-entity-path
func orgPath(id string) string { return id + "/r-lab0/" }

func setTags(ctx *authz.Context, prefix string, tags map[string]string) {
	for _, k := range slices.Sorted(maps.Keys(tags)) {
		ctx.Set(prefix+k, tags[k])
	}
}

// onBucket is a request to S3 about a bucket or an object in it. How it is signed is deduced from what S3 demands of anybody.
// https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazons3.html
func (a *attempt) onBucket(action string, b *bucket, resource policy.ARN) *question {
	var own *authz.Policy
	if d, ok := b.Policy.Get(); ok {
		own = authz.Compile("bucket-policy "+b.name, d)
	}
	q := a.ask(action, resource, b.Account, b.Region, own)
	ctx := &q.request.Context
	ctx.Set("s3:ResourceAccount", b.Account)
	ctx.Set("s3:authType", "REST-HEADER")
	ctx.Set("s3:signatureversion", "AWS4-HMAC-SHA256")
	ctx.Set("s3:TlsVersion", "1.3")
	return q
}

// onSource is a request about the source bucket itself.
func (a *attempt) onSource(action string) *question {
	return a.onBucket(action, a.source, a.source.arn())
}

// onVersion is a request about the version. The keys of its tags stand in the requests that name the object as its readers do.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/tagging-and-policies.html
func (a *attempt) onVersion(action string) *question {
	q := a.onBucket(action, a.source, policy.ObjectARN(a.source.partition(), a.source.name, a.version.Key))
	q.request.Context.Set("s3:VersionId", a.version.VersionID)
	if action != "s3:GetObjectVersionForReplication" {
		setTags(&q.request.Context, "s3:ExistingObjectTag/", a.version.Tags.V)
	}
	return q
}

// onReplica is a request about the replica. The header keys are those of a write under that encryption; that S3 sends them under
// its own keys, too, is deduced from the values in the documentation's sample condition.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/replication-config-for-kms-objects.html
func (a *attempt) onReplica(action string) *question {
	b := a.destination
	q := a.onBucket(action, b, policy.ObjectARN(b.partition(), b.name, a.version.Key))
	if action != "s3:ReplicateObject" {
		return q
	}
	ctx := &q.request.Context
	switch algorithm := a.encryption.V; {
	case kmsEncrypted(algorithm):
		ctx.Set("s3:x-amz-server-side-encryption", algorithm)
		if a.key != nil {
			ctx.Set("s3:x-amz-server-side-encryption-aws-kms-key-id", a.keyARN.String())
		}
	case algorithm == sseC:
		ctx.Set("s3:x-amz-server-side-encryption-customer-algorithm", sseS3)
	case algorithm == sseS3:
		ctx.Set("s3:x-amz-server-side-encryption", sseS3)
	}
	return q
}

func (a *attempt) sourceKey() (policy.ARN, *snapshot.Key) {
	arn, err := policy.ParseARN(a.version.KMSKeyID)
	if err != nil {
		return policy.ARN{}, nil
	}
	return arn, a.cloud.keys[arn]
}

// onKey is a request of S3 in the bucket's region to KMS, as the role, with the bucket's or the object's ARN as encryption
// context. S3 calls KMS in a forward access session, for which aws:ViaAWSService is true. RCPs do not apply to AWS managed keys.
// https://docs.aws.amazon.com/kms/latest/developerguide/conditions-kms.html
// https://docs.aws.amazon.com/IAM/latest/UserGuide/access_forward_access_sessions.html
// https://docs.aws.amazon.com/kms/latest/developerguide/resource-control-policies.html
func (a *attempt) onKey(action string, arn policy.ARN, key *snapshot.Key, b *bucket, asBucket bool) *question {
	q := a.ask(action, arn, arn.Account, arn.Region, authz.Compile("key-policy "+arn.String(), key.Policy.V))
	if key.Manager == "AWS" {
		q.layers.RCPs = nil
	}
	for _, g := range key.Grants.V {
		q.layers.Grants = append(q.layers.Grants, grant(g))
	}
	bound := policy.ObjectARN(b.partition(), b.name, a.version.Key)
	if asBucket {
		bound = b.arn()
	}
	ctx := &q.request.Context
	ctx.Set("aws:ViaAWSService", "true")
	via := viaService(b.Region)
	if a.disputed("global-suffix") {
		via = strings.TrimSuffix(via, ".cn")
	}
	ctx.Set("kms:ViaService", via)
	ctx.Set("kms:CallerAccount", a.roleARN.Account)
	ctx.Set("kms:EncryptionContext:aws:s3:arn", bound.String())
	ctx.Set("kms:EncryptionContextKeys", "aws:s3:arn")
	ctx.Set("kms:KeySpec", key.Spec)
	ctx.Set("kms:KeyUsage", key.Usage)
	ctx.Set("kms:MultiRegion", strconv.FormatBool(key.MultiRegion))
	ctx.Set("kms:ResourceAliases", key.Aliases.V...)
	if action != "kms:GenerateDataKey" {
		ctx.Set("kms:EncryptionAlgorithm", "SYMMETRIC_DEFAULT")
	}
	setTags(ctx, "aws:ResourceTag/", key.Tags.V)
	return q
}

func grant(g snapshot.Grant) authz.Grant {
	out := authz.Grant{ID: g.GrantID, Grantee: g.GranteePrincipal, Operations: g.Operations}
	if g.Constraints != nil {
		out.Subset, out.Equals = g.Constraints.EncryptionContextSubset, g.Constraints.EncryptionContextEquals
		out.SourceARN = g.Constraints.SourceArn
	}
	return out
}

func compileAll(label string, documents map[string]policy.Document) []*authz.Policy {
	var out []*authz.Policy
	for _, name := range slices.Sorted(maps.Keys(documents)) {
		out = append(out, authz.Compile(label+name, documents[name]))
	}
	return out
}

func compileLevels(label string, levels snapshot.Value[[][]policy.Document]) [][]*authz.Policy {
	var out [][]*authz.Policy
	for _, level := range levels.V {
		var one []*authz.Policy
		for _, d := range level {
			one = append(one, authz.Compile(label, d))
		}
		out = append(out, one)
	}
	return out
}
