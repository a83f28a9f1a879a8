package grantstest

import (
	"maps"
	"slices"

	"github.com/replimend/replimend/internal/grants"
	"github.com/replimend/replimend/internal/journal"
	"github.com/replimend/replimend/internal/policy"
	"github.com/replimend/replimend/internal/settings"
)

var (
	hub = grants.HubNames{Partition: "aws", Account: Hub, Region: "eu-west-1"}

	reader, identity    = settings.Reader.ARN("aws", Source), settings.IdentityWriter.ARN("aws", Source)
	resource            = settings.ResourceWriter.ARN("aws", Source)
	replayer, batch     = settings.Replayer.ARN("aws", Source), settings.Batch.ARN("aws", Source)
	events              = policy.ARN{Partition: "aws", Service: "iam", Account: Source, Resource: "role/replimend/" + grants.Events}
	canary, canaryThere = settings.CanaryWriter.ARN("aws", Source), settings.CanaryWriter.ARN("aws", Target)
	resourceThere       = settings.ResourceWriter.ARN("aws", Target)
)

const (
	ordersRole   = "arn:aws:iam::" + Source + ":role/replication/orders"
	invoicesRole = "arn:aws:iam::" + Source + ":role/invoices"
	auditRole    = "arn:aws:iam::" + Source + ":role/audit" // its route is only observed
	ordersKey    = "arn:aws:kms:eu-west-1:" + Source + ":key/1111aaaa-0000-4000-8000-000000000001"
	auditKey     = "arn:aws:kms:eu-west-1:" + Source + ":key/1111aaaa-0000-4000-8000-00000000000a"
	otherKey     = "arn:aws:kms:eu-west-1:" + Source + ":key/1111aaaa-0000-4000-8000-0000000000ff"
	replicaKey   = "arn:aws:kms:eu-central-1:" + Target + ":key/4444aaaa-0000-4000-8000-000000000001"
	reports      = "arn:aws:s3:::replimend-reports-" + Source + "-eu-west-1"
)

// Escalation is the actions by which a principal makes itself or another one more powerful.
// https://rhinosecuritylabs.com/aws/aws-privilege-escalation-methods-mitigation/
// https://bishopfox.com/blog/privilege-escalation-in-aws
var Escalation = []string{
	"iam:AddUserToGroup", "iam:AttachGroupPolicy", "iam:AttachRolePolicy", "iam:AttachUserPolicy", "iam:CreateAccessKey",
	"iam:CreateLoginProfile", "iam:CreatePolicy", "iam:CreatePolicyVersion", "iam:CreateRole", "iam:CreateServiceSpecificCredential",
	"iam:CreateUser", "iam:DeactivateMFADevice", "iam:DeleteRolePermissionsBoundary", "iam:DeleteUserPermissionsBoundary",
	"iam:DetachRolePolicy", "iam:PutGroupPolicy", "iam:PutRolePermissionsBoundary", "iam:PutUserPermissionsBoundary", "iam:PutUserPolicy",
	"iam:SetDefaultPolicyVersion", "iam:TagRole", "iam:UntagRole", "iam:UpdateLoginProfile", "iam:UpdateRole",
	"iam:AddRoleToInstanceProfile", "iam:CreateInstanceProfile", "iam:UpdateSAMLProvider", "iam:CreateOpenIDConnectProvider",
	"kms:CreateGrant", "kms:ScheduleKeyDeletion", "kms:DisableKey", "kms:TagResource", "kms:UntagResource", "kms:CreateAlias",
	"kms:UpdateAlias", "kms:ReplicateKey", "kms:ImportKeyMaterial",
	"s3:PutBucketTagging", "s3:PutReplicationConfiguration", "s3:PutBucketAcl", "s3:PutBucketOwnershipControls",
	"s3:PutBucketPublicAccessBlock", "s3:PutLifecycleConfiguration", "s3:TagResource", "s3:DeleteBucket", "s3:PutBucketVersioning",
	"lambda:CreateFunction", "lambda:UpdateFunctionCode", "lambda:UpdateFunctionConfiguration", "lambda:AddPermission",
	"lambda:CreateEventSourceMapping", "lambda:UpdateEventSourceMapping", "dynamodb:PutResourcePolicy",
	"cloudformation:CreateStack", "cloudformation:UpdateStack", "ec2:RunInstances", "glue:CreateDevEndpoint", "glue:UpdateDevEndpoint",
	"datapipeline:CreatePipeline", "sagemaker:CreateNotebookInstance", "codebuild:CreateProject", "ssm:SendCommand", "ssm:PutParameter",
	"sts:GetFederationToken", "organizations:DetachPolicy", "organizations:LeaveOrganization", "cloudtrail:StopLogging", "events:PutRule",
	"events:DisableRule", "sqs:SetQueueAttributes", "sns:SetTopicAttributes",
}

// ofTheirOwn is what a role needs of these: each is allowed on exact resources only, which the table asks.
var ofTheirOwn = map[string][]policy.ARN{
	"iam:PutRolePolicy":          {identity},
	"iam:DeleteRolePolicy":       {identity},
	"iam:UpdateAssumeRolePolicy": {identity},
	"iam:PassRole":               {replayer},
	"kms:PutKeyPolicy":           {resource},
	"s3:PutBucketPolicy":         {resource},
	"s3:DeleteBucketPolicy":      {resource},
	"s3:CreateJob":               {replayer},
	"kms:GenerateMac":            {hub.Role(string(grants.Approval)), hub.Role(string(grants.Page)), hub.Role(string(grants.Slack))},
	"kms:VerifyMac":              {hub.Role(string(grants.Remedy))},
	"sts:AssumeRole":             {hub.Role(string(grants.Remedy)), hub.Role(string(grants.Sweep))},
	"lambda:InvokeFunction":      {hub.Role(grants.Schedules)},
}

// Cases is the table.
func Cases() []Case {
	var out []Case
	can := func(who policy.ARN, action, on string, given ...map[string]string) {
		out = append(out, Case{Who: who, Action: action, On: on, Given: merged(given), Allowed: true, Why: "the workflow needs it"})
	}
	cannot := func(why string, who policy.ARN, action, on string, given ...map[string]string) {
		out = append(out, Case{Who: who, Action: action, On: on, Given: merged(given), Why: why})
	}
	never := func(why string, who policy.ARN, action, on string, given ...map[string]string) {
		out = append(out, Case{Who: who, Action: action, On: on, Given: merged(given), Denied: true, Why: why})
	}

	everyRole := []policy.ARN{
		reader, identity, resource, replayer, batch, canary, canaryThere, events, hub.Role(grants.Schedules),
	}
	for _, f := range grants.Functions() {
		everyRole = append(everyRole, hub.Role(string(f)))
	}
	for _, who := range everyRole {
		for _, action := range Escalation {
			never("it escalates", who, action, who.String())
		}
		for action, except := range ofTheirOwn {
			if !slices.Contains(except, who) {
				never("it is another role's", who, action, "arn:aws:s3:::orders")
			}
		}
	}

	// The reader.
	for _, on := range []string{ordersRole, auditRole, "arn:aws:iam::" + Source + ":role/nobody-approved"} {
		can(reader, "iam:GetRole", on)
	}
	for _, action := range []string{"s3:PutObject", "s3:DeleteObject", "s3:PutBucketPolicy", "kms:PutKeyPolicy", "iam:PutRolePolicy"} {
		never("readers write nothing", reader, action, "arn:aws:s3:::orders/2026/a")
	}
	can(reader, "s3:GetBucketPolicy", "arn:aws:s3:::nobody-approved")
	can(reader, "kms:GetKeyPolicy", otherKey)
	can(reader, "s3:GetObjectVersion", "arn:aws:s3:::orders/2026/a")
	cannot("the rule has a prefix", reader, "s3:GetObjectVersion", "arn:aws:s3:::orders/2025/a")
	cannot("nobody approved the bucket", reader, "s3:GetObjectVersion", "arn:aws:s3:::nobody-approved/a")
	never("content is none of its business", reader, "s3:GetObject", "arn:aws:s3:::orders/2026/a")
	never("content is none of its business", reader, "kms:Decrypt", ordersKey)
	out = append(out, Case{
		Who: reader, Action: "s3:GetBucketPolicy", On: "arn:aws:s3:::orders", ResourceAccount: Elsewhere,
		Why: "the bucket was deleted, and somebody else has one of that name",
	})
	can(reader, "ssm:GetParameter", "arn:aws:ssm:eu-west-1:"+Source+":parameter/replimend/kill-switch")
	cannot("it is not the kill switch", reader, "ssm:GetParameter", "arn:aws:ssm:eu-west-1:"+Source+":parameter/database/password")

	// The writer of roles.
	for _, action := range []string{"iam:PutRolePolicy", "iam:DeleteRolePolicy"} {
		can(identity, action, ordersRole)
		can(identity, action, invoicesRole)
		cannot("the route is only observed", identity, action, auditRole)
		cannot("nobody approved the role", identity, action, "arn:aws:iam::"+Source+":role/admin")
		cannot("it has another path", identity, action, "arn:aws:iam::"+Source+":role/orders")
		cannot("it is in another account", identity, action, "arn:aws:iam::"+Target+":role/replication/orders")
		cannot("it is a user", identity, action, "arn:aws:iam::"+Source+":user/replication/orders")
		for _, own := range []policy.ARN{reader, identity, resource, replayer, batch, canary, events} {
			never("it is Replimend's own", identity, action, own.String())
		}
		never("it is Replimend's own", identity, action, hub.Role(string(grants.Remedy)).String())
		never("the settings say that it is Replimend's own", identity, action, "arn:aws:iam::"+Source+":role/ours-deploy")
		never("it is linked to a service", identity, action, "arn:aws:iam::"+Source+":role/aws-service-role/s3.amazonaws.com/x")
		never("it is of IAM Identity Center", identity, action, "arn:aws:iam::"+Source+":role/aws-reserved/sso.amazonaws.com/x")
	}
	can(identity, "iam:UpdateAssumeRolePolicy", invoicesRole)
	cannot("the route did not opt in", identity, "iam:UpdateAssumeRolePolicy", ordersRole)
	cannot("the route is only observed", identity, "iam:UpdateAssumeRolePolicy", auditRole)
	never("it is Replimend's own", identity, "iam:UpdateAssumeRolePolicy", identity.String())
	never("it is another writer's", identity, "kms:PutKeyPolicy", ordersKey)
	never("it is another writer's", identity, "s3:PutBucketPolicy", "arn:aws:s3:::orders")

	// The writer of keys and buckets.
	lockout := map[string]string{"kms:BypassPolicyLockoutSafetyCheck": "false"}
	can(resource, "kms:PutKeyPolicy", ordersKey, lockout)
	can(resourceThere, "kms:PutKeyPolicy", replicaKey, lockout)
	cannot("the route is only observed", resource, "kms:PutKeyPolicy", auditKey)
	cannot("nobody approved the key", resource, "kms:PutKeyPolicy", otherKey)
	cannot("it is in another account", resource, "kms:PutKeyPolicy", replicaKey)
	never("it might lock everybody out", resource, "kms:PutKeyPolicy", ordersKey, map[string]string{"kms:BypassPolicyLockoutSafetyCheck": "true"})
	never("it is Replimend's own", resource, "kms:PutKeyPolicy", ordersKey, map[string]string{"kms:ResourceAliases": grants.SealAlias})
	never("it is AWS's", resource, "kms:PutKeyPolicy", ordersKey, map[string]string{"kms:ResourceAliases": "alias/aws/s3"})
	for _, action := range []string{"s3:PutBucketPolicy", "s3:DeleteBucketPolicy"} {
		can(resource, action, "arn:aws:s3:::orders")
		can(resource, action, "arn:aws:s3:::invoices")
		cannot("the route is only observed", resource, action, "arn:aws:s3:::audit")
		cannot("nobody approved the bucket", resource, action, "arn:aws:s3:::orders-2")
		never("it is Replimend's own", resource, action, reports)
		out = append(out, Case{
			Who: resource, Action: action, On: "arn:aws:s3:::orders-copy", ResourceAccount: Target, Why: "it is in another account",
		}, Case{
			Who: resource, Action: action, On: "arn:aws:s3:::orders", ResourceAccount: Elsewhere,
			Why: "the bucket was deleted, and somebody else has one of that name",
		})
	}
	never("it is another writer's", resource, "iam:PutRolePolicy", ordersRole)

	// The replayer, and S3 in its stead.
	toBatch := map[string]string{"iam:PassedToService": "batchoperations.s3.amazonaws.com"}
	can(replayer, "s3:CreateJob", "*")
	can(replayer, "s3:DescribeJob", "arn:aws:s3:eu-west-1:"+Source+":job/1")
	can(replayer, "iam:PassRole", batch.String(), toBatch)
	cannot("only S3 is to get it", replayer, "iam:PassRole", batch.String(), map[string]string{"iam:PassedToService": "lambda.amazonaws.com"})
	cannot("it is another role", replayer, "iam:PassRole", ordersRole, toBatch)
	cannot("it is another role", replayer, "iam:PassRole", identity.String(), toBatch)
	can(replayer, "s3:PutObject", reports+"/manifests/inc-1.csv")
	never("reports are S3's", replayer, "s3:PutObject", reports+"/reports/x")
	cannot("it is no bucket of Replimend", replayer, "s3:PutObject", "arn:aws:s3:::orders/2026/a")
	can(batch, "s3:InitiateReplication", "arn:aws:s3:::orders/2026/a")
	cannot("the route is only observed", batch, "s3:InitiateReplication", "arn:aws:s3:::audit/a")
	can(batch, "s3:PutObject", reports+"/reports/x")
	never("manifests are the replayer's", batch, "s3:PutObject", reports+"/manifests/inc-1.csv")
	never("it replicates, and reads nothing", batch, "s3:GetObjectAcl", "arn:aws:s3:::orders/2026/a")
	cannot("it reads manifests alone", batch, "s3:GetObject", "arn:aws:s3:::orders/2026/a")
	out = append(out, Case{
		Service: "batchoperations.s3.amazonaws.com", Action: "sts:AssumeRole", On: batch.String(), Allowed: true, Why: "S3 works with it",
	}, Case{Service: "s3.amazonaws.com", Action: "sts:AssumeRole", On: batch.String(), Why: "it is for batch jobs"})

	// The writer of canaries.
	object, there := "arn:aws:s3:::orders/2026/replimend-canary/inc-1", "arn:aws:s3:::orders-copy/2026/replimend-canary/inc-1"
	for _, action := range []string{"s3:PutObject", "s3:PutObjectTagging", "s3:GetObjectVersion", "s3:DeleteObjectVersion"} {
		can(canary, action, object)
		cannot("it is no canary", canary, action, "arn:aws:s3:::orders/2026/a")
		cannot("it is below another prefix than the rule's", canary, action, "arn:aws:s3:::orders/replimend-canary/inc-1")
		cannot("the route did not opt in", canary, action, "arn:aws:s3:::invoices/replimend-canary/inc-1")
		cannot("the route is only observed", canary, action, "arn:aws:s3:::audit/replimend-canary/inc-1")
		out = append(out, Case{
			Who: canary, Action: action, On: object, ResourceAccount: Elsewhere, Why: "the bucket was deleted, and somebody else has one of that name",
		}, Case{Who: canary, Action: action, On: there, ResourceAccount: Target, Why: "it is in another account"})
	}
	can(canaryThere, "s3:DeleteObjectVersion", there)
	cannot("it is no replica of a canary", canaryThere, "s3:DeleteObjectVersion", "arn:aws:s3:::orders-copy/2026/a")
	for _, who := range []policy.ARN{canary, canaryThere} {
		for _, action := range []string{"s3:GetObject", "s3:DeleteObject", "s3:PutObjectAcl", "s3:BypassGovernanceRetention", "kms:Encrypt"} {
			never("a canary does not need it", who, action, object)
		}
	}
	for _, action := range []string{"s3:PutObject", "kms:GenerateDataKey"} {
		never("replicas are S3's", canaryThere, action, there)
	}
	prefix := map[string]string{"s3:prefix": "2026/replimend-canary/inc-1"}
	can(canary, "s3:ListBucketVersions", "arn:aws:s3:::orders", prefix)
	cannot("it looks for its own canaries", canary, "s3:ListBucketVersions", "arn:aws:s3:::orders", map[string]string{"s3:prefix": "2026/"})
	cannot("the route did not opt in", canary, "s3:ListBucketVersions", "arn:aws:s3:::invoices", prefix)
	viaS3 := map[string]string{"kms:ViaService": "s3.eu-west-1.amazonaws.com"}
	for _, action := range []string{"kms:GenerateDataKey", "kms:Decrypt"} {
		can(canary, action, ordersKey, viaS3)
		cannot("S3 alone uses the key for it", canary, action, ordersKey, map[string]string{"kms:ViaService": "ebs.eu-west-1.amazonaws.com"})
		cannot("the route is only observed", canary, action, auditKey, viaS3)
		cannot("nobody approved the key", canary, action, otherKey, viaS3)
	}

	// What no role of a member touches: the hub's record, its queues and its functions, and tags by which others are allowed.
	for _, who := range []policy.ARN{reader, identity, resource, replayer, batch, canary} {
		for action, on := range map[string]policy.ARN{
			"dynamodb:PutItem": hub.Table(grants.ApprovalTable), "dynamodb:DeleteItem": hub.Table(grants.IncidentTable),
			"lambda:UpdateFunctionCode": hub.Function(grants.Remedy), "lambda:InvokeFunction": hub.Function(grants.Approval),
			"sqs:SendMessage": hub.Queue(grants.Work), "kms:PutKeyPolicy": SealKey, "kms:GenerateMac": SealKey, "events:PutEvents": hub.Bus(),
		} {
			if who == resource && action == "kms:PutKeyPolicy" {
				never("it is Replimend's own", who, action, on.String(), map[string]string{"kms:ResourceAliases": grants.SealAlias})
				continue
			}
			never("it is the hub's", who, action, on.String())
		}
		for action, on := range map[string]string{
			"iam:TagRole": ordersRole, "iam:UntagRole": ordersRole, "kms:TagResource": ordersKey, "kms:UntagResource": ordersKey,
			"s3:PutBucketTagging": "arn:aws:s3:::orders", "s3:TagResource": "arn:aws:s3:::orders",
		} {
			never("others are allowed by tags", who, action, on)
		}
	}

	// Who assumes what. Source has the organization, Target an external id.
	org, external := map[string]string{"aws:PrincipalOrgID": "o-a1b2c3d4e5"}, map[string]string{"sts:ExternalId": "partner-7"}
	remedy, sweep := hub.Role(string(grants.Remedy)), hub.Role(string(grants.Sweep))
	for _, action := range []string{"sts:AssumeRole", "sts:SetSourceIdentity"} {
		for _, on := range []policy.ARN{reader, identity, resource, replayer, canary} {
			can(remedy, action, on.String(), org)
			cannot("it is not of the organization", remedy, action, on.String())
			for _, f := range []grants.Function{grants.Failure, grants.Change, grants.Approval} {
				never("it enters no member", hub.Role(string(f)), action, on.String(), org)
			}
			if on != reader {
				cannot("a sweep writes nothing", sweep, action, on.String(), org)
			}
		}
		can(sweep, action, reader.String(), org)
		can(remedy, action, resourceThere.String(), external)
		cannot("it does not know the external id", remedy, action, resourceThere.String(), org)
		cannot("S3 alone assumes it", remedy, action, batch.String(), org)
		never("it is no role of Replimend", remedy, action, "arn:aws:iam::"+Source+":role/admin", org)
		never("it is no role of Replimend", sweep, action, "arn:aws:iam::"+Source+":role/OrganizationAccountAccessRole", org)
		cannot("the account is no member", remedy, action, settings.IdentityWriter.ARN("aws", Elsewhere).String(), org)
	}

	// Answers and their seal.
	approvals, incidents := hub.Table(grants.ApprovalTable).String(), hub.Table(grants.IncidentTable).String()
	approval := hub.Role(string(grants.Approval))
	can(approval, "kms:GenerateMac", SealKey.String())
	can(remedy, "kms:VerifyMac", SealKey.String())
	never("who writes must not seal", remedy, "kms:GenerateMac", SealKey.String())
	never("who seals need not verify", approval, "kms:VerifyMac", SealKey.String())
	can(approval, "dynamodb:PutItem", approvals)
	can(remedy, "dynamodb:Query", approvals)
	can(remedy, "dynamodb:UpdateItem", approvals, map[string]string{"dynamodb:Attributes": "used"})
	cannot("it would be another answer", remedy, "dynamodb:UpdateItem", approvals, map[string]string{"dynamodb:Attributes": "approval"})
	cannot("who writes must not approve", remedy, "dynamodb:PutItem", approvals)
	cannot("who writes must not approve", remedy, "dynamodb:DeleteItem", approvals)
	cannot("an answer is no incident", approval, "dynamodb:PutItem", incidents)
	for _, f := range []grants.Function{grants.Failure, grants.Change, grants.Sweep} {
		for _, action := range []string{"dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:UpdateItem", "dynamodb:Query", "dynamodb:DeleteItem"} {
			never("it parses events", hub.Role(string(f)), action, approvals)
		}
		never("it parses events", hub.Role(string(f)), "kms:GenerateMac", SealKey.String())
	}

	// Functions that parse events, and the desk: each has its own tables and no member.
	failure, change := hub.Role(string(grants.Failure)), hub.Role(string(grants.Change))
	for _, action := range []string{
		"dynamodb:BatchGetItem", "dynamodb:DeleteItem", "dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Query", "dynamodb:UpdateItem",
	} {
		never("a change is handed over, and nothing is remembered of it", change, action, incidents)
	}
	for _, action := range []string{"dynamodb:BatchGetItem", "dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Query"} {
		can(failure, action, incidents)
	}
	never("an event deletes no lock and lifts no suppression", failure, "dynamodb:DeleteItem", incidents)
	for _, who := range []policy.ARN{failure, change, approval, sweep} {
		never("only the worker writes", who, "ssm:GetParameter", "arn:aws:ssm:eu-west-1:"+Hub+":parameter/replimend/kill-switch")
		for _, on := range []policy.ARN{identity, resource, replayer, canary, canaryThere, batch} {
			// Of the desk and of who parses events everything of STS is denied; a sweep may enter readers.
			if who == sweep {
				cannot("a sweep writes nothing", who, "sts:AssumeRole", on.String(), map[string]string{"aws:PrincipalOrgID": "o-a1b2c3d4e5"})
				continue
			}
			never("it enters no member", who, "sts:AssumeRole", on.String(), map[string]string{"aws:PrincipalOrgID": "o-a1b2c3d4e5"})
		}
		for action, on := range map[string]string{
			"s3:GetBucketPolicy": "arn:aws:s3:::orders", "kms:GetKeyPolicy": ordersKey, "iam:GetRole": ordersRole, "s3:GetObject": "arn:aws:s3:::orders/2026/a",
		} {
			never("members are read by their readers", who, action, on)
		}
	}
	can(sweep, "dynamodb:Query", incidents)
	can(sweep, "dynamodb:DeleteItem", incidents, map[string]string{"dynamodb:LeadingKeys": journal.SuppressionPartition})
	for _, row := range []string{"lock", "patch", "open", "incident#inc-1", "route#orders"} {
		cannot("it lifts suppressions alone", sweep, "dynamodb:DeleteItem", incidents, map[string]string{"dynamodb:LeadingKeys": row})
	}
	for _, action := range []string{"dynamodb:PutItem", "dynamodb:UpdateItem", "dynamodb:BatchWriteItem"} {
		never("a sweep remembers nothing", sweep, action, incidents)
	}
	can(approval, "dynamodb:GetItem", incidents)
	for _, action := range []string{"dynamodb:Query", "dynamodb:Scan", "dynamodb:DeleteItem", "dynamodb:UpdateItem"} {
		never("it is asked about one incident, and writes answers alone", approval, action, incidents)
		never("answers are given, and not taken back by somebody else", approval, action, approvals)
	}

	// Messages.
	failures, work := hub.Queue(grants.Failures).String(), hub.Queue(grants.Work).String()
	can(hub.Role(string(grants.Failure)), "sqs:ReceiveMessage", failures)
	can(hub.Role(string(grants.Failure)), "sqs:SendMessage", work)
	can(hub.Role(string(grants.Failure)), "dynamodb:PutItem", incidents)
	cannot("it reads another queue", hub.Role(string(grants.Failure)), "sqs:ReceiveMessage", work)
	cannot("it writes to another queue", hub.Role(string(grants.Change)), "sqs:SendMessage", failures)
	can(hub.Role(grants.Schedules), "lambda:InvokeFunction", hub.Function(grants.Sweep).String())
	cannot("nobody schedules writes", hub.Role(grants.Schedules), "lambda:InvokeFunction", hub.Function(grants.Remedy).String())

	// Notices.
	notify, notices := hub.Role(string(grants.Notify)), hub.Queue(grants.Notices).String()
	const (
		secret = "arn:aws:secretsmanager:eu-west-1:" + Hub + ":secret:replimend/slack-AbCdEf"
		mail   = "arn:aws:sns:eu-west-1:" + Hub + ":replication"
		anyKey = "arn:aws:kms:eu-west-1:" + Hub + ":key/2222aaaa-0000-4000-8000-000000000001"
	)
	of := func(partition string) map[string]string { return map[string]string{"dynamodb:LeadingKeys": partition} }
	own := map[string]string{"events:source": "replimend"}
	opens := map[string]string{"kms:ViaService": "secretsmanager.eu-west-1.amazonaws.com", "kms:EncryptionContext:SecretARN": secret}
	can(notify, "secretsmanager:GetSecretValue", secret)
	cannot("it is no target's", notify, "secretsmanager:GetSecretValue", "arn:aws:secretsmanager:eu-west-1:"+Hub+":secret:replimend/slack-XyZxYz")
	cannot("it is no target's", notify, "secretsmanager:GetSecretValue", "arn:aws:secretsmanager:eu-west-1:"+Hub+":secret:database-AbCdEf")
	never("it changes no secret", notify, "secretsmanager:PutSecretValue", secret)
	can(notify, "kms:Decrypt", anyKey, opens)
	cannot("it opens secrets alone", notify, "kms:Decrypt", anyKey)
	cannot("it is no target's secret", notify, "kms:Decrypt", anyKey, opens, map[string]string{"kms:EncryptionContext:SecretARN": secret + "x"})
	can(notify, "kms:GenerateDataKey", anyKey, map[string]string{
		"kms:ViaService": "sns.eu-west-1.amazonaws.com", "kms:EncryptionContext:aws:sns:topicArn": mail,
	})
	cannot("it writes no secret", notify, "kms:GenerateDataKey", anyKey, opens)
	can(notify, "sns:Publish", mail)
	cannot("it is no target's", notify, "sns:Publish", "arn:aws:sns:eu-west-1:"+Hub+":alarms")
	cannot("it is a member's", notify, "sns:Publish", grants.Topic(Source, "eu-west-1").String())
	can(notify, "events:PutEvents", hub.Bus().String(), own)
	cannot("it is not its own event", notify, "events:PutEvents", hub.Bus().String(), map[string]string{"events:source": "aws.iam"})
	cannot("it is another bus", notify, "events:PutEvents", "arn:aws:events:eu-west-1:"+Hub+":event-bus/default", own)
	for _, action := range []string{"dynamodb:GetItem", "dynamodb:PutItem"} {
		can(notify, action, incidents, of("notice#inc-0123456789abcdef0123"))
		for _, partition := range []string{"incident#inc-0123456789abcdef0123", "route#0123", "suppression", "lock#0123", "patch"} {
			cannot("it is no notice", notify, action, incidents, of(partition))
		}
		never("it seals nothing", notify, action, approvals)
	}
	for _, action := range []string{"dynamodb:Query", "dynamodb:Scan", "dynamodb:DeleteItem", "dynamodb:BatchGetItem"} {
		never("it reads its own rows, by their keys", notify, action, incidents, of("notice#inc-0123456789abcdef0123"))
	}
	for _, on := range []policy.ARN{reader, identity, resource, replayer} {
		never("it enters no member", notify, "sts:AssumeRole", on.String(), org)
	}
	can(notify, "sqs:ReceiveMessage", notices)
	cannot("it gives no work", notify, "sqs:SendMessage", work)
	for _, f := range []grants.Function{grants.Remedy, grants.Sweep, grants.Notify} {
		can(hub.Role(string(f)), "sqs:SendMessage", notices)
	}
	for _, f := range grants.Functions() {
		if f == grants.Notify {
			continue
		}
		who := hub.Role(string(f))
		if f == grants.Page || f == grants.Slack {
			cannot("it is no secret of its own", who, "secretsmanager:GetSecretValue", secret)
		} else {
			never("it parses events", who, "secretsmanager:GetSecretValue", secret)
		}
		never("it tells nobody itself", who, "sns:Publish", mail)
		never("it tells nobody itself", who, "events:PutEvents", hub.Bus().String(), own)
	}

	// The page and the buttons of Slack, which everybody on the internet reaches.
	page, slack := hub.Role(string(grants.Page)), hub.Role(string(grants.Slack))
	const pageSecret, clientSecret, appSecret = "arn:aws:secretsmanager:eu-west-1:" + Hub + ":secret:replimend/page-AbCdEf",
		"arn:aws:secretsmanager:eu-west-1:" + Hub + ":secret:replimend/client-AbCdEf",
		"arn:aws:secretsmanager:eu-west-1:" + Hub + ":secret:replimend/slack-app-AbCdEf"
	for s, whose := range map[string][]policy.ARN{pageSecret: {page, notify}, clientSecret: {page}, appSecret: {slack}} {
		read := map[string]string{"kms:EncryptionContext:SecretARN": s}
		for _, who := range []policy.ARN{page, slack, notify} {
			if slices.Contains(whose, who) {
				can(who, "secretsmanager:GetSecretValue", s)
				can(who, "kms:Decrypt", anyKey, opens, read)
			} else {
				cannot("it is another function's secret", who, "secretsmanager:GetSecretValue", s)
				cannot("it is another function's secret", who, "kms:Decrypt", anyKey, opens, read)
			}
			never("it changes no secret", who, "secretsmanager:PutSecretValue", s)
		}
	}
	for _, who := range []policy.ARN{page, slack} {
		cannot("it opens its own secrets alone", who, "kms:Decrypt", anyKey, opens)
		can(who, "kms:GenerateMac", SealKey.String())
		never("who seals need not verify", who, "kms:VerifyMac", SealKey.String())
		can(who, "dynamodb:BatchGetItem", incidents)
		can(who, "dynamodb:GetItem", incidents)
		can(who, "dynamodb:PutItem", incidents, of(journal.SuppressionPartition))
		for _, row := range []string{"lock", "patch", "open", "incident#inc-1", "route#orders", "notice#inc-1"} {
			cannot("it silences alone", who, "dynamodb:PutItem", incidents, of(row))
		}
		can(who, "dynamodb:PutItem", approvals)
		can(who, "dynamodb:GetItem", approvals)
		for _, action := range []string{"dynamodb:Scan", "dynamodb:DeleteItem", "dynamodb:UpdateItem", "dynamodb:BatchWriteItem"} {
			never("nothing that was decided is taken back there", who, action, approvals)
			never("nothing that was decided is taken back there", who, action, incidents)
		}
		for _, on := range []policy.ARN{reader, identity, resource, replayer, batch, canary} {
			never("it enters no member", who, "sts:AssumeRole", on.String(), org)
		}
		can(who, "sqs:SendMessage", work)
		never("nobody's messages are read there", who, "sqs:ReceiveMessage", work)
		never("only the worker writes", who, "ssm:GetParameter", "arn:aws:ssm:eu-west-1:"+Hub+":parameter/replimend/kill-switch")
	}
	cannot("it lists by the index, and reads no partition", page, "dynamodb:Query", incidents)
	can(page, "dynamodb:Query", incidents+"/index/"+journal.Index)
	cannot("it reads one person's answer at a time", page, "dynamodb:Query", approvals)
	for _, on := range []string{incidents, incidents + "/index/" + journal.Index, approvals} {
		never("a button is of one incident", slack, "dynamodb:Query", on)
	}
	for _, f := range []grants.Function{grants.Failure, grants.Change, grants.Approval, grants.Page, grants.Slack} {
		cannot("it has nothing to tell", hub.Role(string(f)), "sqs:SendMessage", notices)
	}

	topic := grants.Topic(Source, "eu-west-1").String()
	fromService := func(name, action, on string, given map[string]string, allowed bool, why string) {
		out = append(out, Case{Service: name, Action: action, On: on, Given: given, Allowed: allowed, Why: why})
	}
	fromService("sns.amazonaws.com", "sqs:SendMessage", failures, map[string]string{"aws:SourceArn": topic}, true, "it is a member's topic")
	fromService("sns.amazonaws.com", "sqs:SendMessage", failures, map[string]string{
		"aws:SourceArn": grants.Topic(Elsewhere, "eu-west-1").String(),
	}, false, "the account is no member")
	fromService("sns.amazonaws.com", "sqs:SendMessage", work, map[string]string{"aws:SourceArn": topic}, false, "only functions give work")
	fromService("events.amazonaws.com", "sqs:SendMessage", failures, map[string]string{"aws:SourceArn": topic}, false, "it is another service")
	changes := hub.Queue(grants.Changes).String()
	rule := "arn:aws:events:eu-west-1:" + Hub + ":rule/" + grants.Bus + "/" + grants.ChangeRule
	fromService("events.amazonaws.com", "sqs:SendMessage", changes, map[string]string{"aws:SourceArn": rule}, true, "it is the hub's rule")
	fromService("events.amazonaws.com", "sqs:SendMessage", changes, map[string]string{
		"aws:SourceArn": "arn:aws:events:eu-west-1:" + Elsewhere + ":rule/x",
	}, false, "it is somebody else's rule")
	fromService("s3.amazonaws.com", "sns:Publish", topic, map[string]string{
		"aws:SourceAccount": Source, "aws:SourceArn": "arn:aws:s3:::orders",
	}, true, "it is a bucket of the account")
	fromService("s3.amazonaws.com", "sns:Publish", topic, map[string]string{
		"aws:SourceAccount": Elsewhere, "aws:SourceArn": "arn:aws:s3:::orders",
	}, false, "it is a bucket of another account")
	fromService("s3.amazonaws.com", "sns:Publish", topic, map[string]string{
		"aws:SourceAccount": Source, "aws:SourceArn": "arn:aws:s3:::orders", "aws:SecureTransport": "false",
	}, false, "it is not over TLS")
	out[len(out)-1].Denied = true
	reported := map[string]string{"events:source": "aws.iam", "events:detail-type": "AWS API Call via CloudTrail"}
	can(events, "events:PutEvents", hub.Bus().String(), reported)
	cannot("anybody can make such events", events, "events:PutEvents", hub.Bus().String(), map[string]string{
		"events:source": "custom", "events:detail-type": "AWS API Call via CloudTrail",
	})
	cannot("no rule sends it", events, "events:PutEvents", hub.Bus().String(), map[string]string{
		"events:source": "aws.iam", "events:detail-type": "Something",
	})
	cannot("it is another bus", events, "events:PutEvents", "arn:aws:events:eu-west-1:"+Elsewhere+":event-bus/x", reported)
	return out
}

// merged is the keys of a request, of which none may be given.
func merged(given []map[string]string) map[string]string {
	out := map[string]string{}
	for _, g := range given {
		maps.Copy(out, g)
	}
	return out
}
