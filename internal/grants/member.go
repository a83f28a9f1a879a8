package grants

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/replimend/replimend/internal/policy"
	"github.com/replimend/replimend/internal/preflight"
	"github.com/replimend/replimend/internal/settings"
)

// The tag of approved roles and keys where an account has too many to name each.
const (
	RouteTag      = "replimend-route"
	RouteTagValue = "approved"
)

// session is for how long a session of a role may last: the shortest that IAM can be told. Replimend opens sessions of writers for 15
// minutes.
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateRole.html
const session = time.Hour

// members is the roles of a member, what they are for, and which functions assume them; Batch is S3's.
var members = []struct {
	role        settings.MemberRole
	description string
	by          []Function
}{
	{settings.Reader, "Reads what Replimend diagnoses from, and writes nothing", []Function{Remedy, Sweep}},
	{settings.IdentityWriter, "Writes the policies of approved replication roles", []Function{Remedy}},
	{settings.ResourceWriter, "Writes the policies of keys and buckets of approved routes", []Function{Remedy}},
	{settings.Replayer, "Makes batch jobs that replicate again, and passes the batch role", []Function{Remedy}},
	{settings.CanaryWriter, "Writes and removes canary objects of routes that opted in", []Function{Remedy}},
	{settings.Batch, "S3 Batch Operations replicates again with it", nil},
}

// AssumedBy is the functions that assume a role of members; nil for the role that S3 assumes.
func AssumedBy(role settings.MemberRole) []Function {
	for _, m := range members {
		if m.role == role {
			return slices.Clone(m.by)
		}
	}
	return nil
}

// Member is the roles of a member account: those that it needs, and the one that sends its events to the hub. Writers may write what
// belongs to routes of mode approve and automatic, the trust of a role only where a route opted in; nobody writes for a route that is
// only observed. It fails where that cannot be said in as much as IAM stores.
func Member(set *settings.Settings, account string, needs []preflight.Need) ([]Role, error) {
	m, ok := set.Member(account)
	if !ok {
		return nil, fmt.Errorf("make roles of account %s: it is no member", account)
	}
	var out []Role
	for _, r := range members {
		s, needed, err := memberStatements(set, m, r.role, needs)
		if err != nil {
			return nil, fmt.Errorf("make role %s of account %s: %w", r.role, account, err)
		}
		if !needed {
			continue
		}
		role := Role{Name: string(r.role), Path: settings.RolePath, Description: r.description, MaxSession: session}
		denials := append([]policy.StatementSpec{nothingElse(s.actions())}, notOurselves(set, m, r.role)...)
		if role.Policies, role.Managed, err = build(role.Name, s, denials); err != nil {
			return nil, fmt.Errorf("make roles of account %s: %w", account, err)
		}
		if role.Trust, err = memberTrust(set, m, r.role, r.by); err != nil {
			return nil, fmt.Errorf("make trust of role %s: %w", r.role, err)
		}
		out = append(out, role)
	}
	events, err := Forwarder(set, account, Events)
	return append(out, events), err
}

// memberStatements is what a role of a member needs, and whether the member needs the role.
func memberStatements(set *settings.Settings, m settings.Member, role settings.MemberRole, needs []preflight.Need) (
	s statements, needed bool, err error,
) {
	needed = role == settings.Reader
	for _, n := range needs {
		if n.Role != role {
			continue
		}
		targets, err := n.Targets(set, m.Account, "")
		if err != nil {
			return nil, false, err
		}
		var resources []string
		for _, t := range targets {
			resources = append(resources, t.Text)
			needed = needed || t.Text != anything
		}
		if role == settings.Reader {
			resources = readable(m, n, resources)
		}
		if len(resources) > 0 {
			s.add(narrowed(m, n, resources))
		}
	}
	return s, needed && len(s) > 0, nil
}

// readable is what the reader reads. A sweep looks for routes that nobody approved, whose roles, keys and buckets nobody can name
// before: their documents are read wherever they are in the account. Objects are read of approved routes only.
//
// To ask whether a bucket is there takes s3:ListBucket, with which keys can be listed; AWS has nothing narrower.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadBucket.html
func readable(m settings.Member, n preflight.Need, resources []string) []string {
	partition := policy.Partition(m.Regions[0])
	switch n.Resource {
	case "role":
		return []string{arn(partition, "iam", "", m.Account, "role/*")}
	case "key":
		return []string{arn(partition, "kms", "*", m.Account, "key/*")}
	case "bucket":
		return []string{arn(partition, "s3", "", "", "*")}
	}
	return resources
}

// narrowed is a need with the conditions that AWS has for it.
func narrowed(m settings.Member, n preflight.Need, resources []string) allow {
	a := allow{actions: []string{n.Action}, resources: resources}
	partition := policy.Partition(m.Regions[0])
	tagged := []policy.Condition{equals("aws:ResourceTag/"+RouteTag, RouteTagValue)}
	switch {
	case n.Action == "iam:PassRole":
		// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_iam-condition-keys.html#ck_PassedToService
		a.conditions = []policy.Condition{equals("iam:PassedToService", "batchoperations.s3.amazonaws.com")}
	case strings.HasPrefix(resources[0], arn(partition, "s3", "", "", "")):
		// The ARN of a bucket names no account, and the name of one that was deleted is anybody's.
		// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html#condition-keys-resourceaccount
		a.conditions = []policy.Condition{equals("aws:ResourceAccount", m.Account)}
	case n.Role == settings.IdentityWriter && n.Action != "iam:UpdateAssumeRolePolicy":
		// https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsidentityandaccessmanagementiam.html
		a.wide = &allow{resources: []string{arn(partition, "iam", "", m.Account, "role/*")}, conditions: tagged}
	case n.Role == settings.ResourceWriter && n.Resource == "key":
		// Buckets have no such way out: they authorise by tags only where their owner switched that on.
		// https://docs.aws.amazon.com/kms/latest/developerguide/tag-authorization.html
		// https://docs.aws.amazon.com/AmazonS3/latest/userguide/buckets-tagging-enable-abac.html
		a.wide = &allow{resources: []string{arn(partition, "kms", "*", m.Account, "key/*")}, conditions: tagged}
	}
	a.conditions = append(a.conditions, n.Conditions...)
	return a
}

// notOurselves denies a writer what is Replimend's own or AWS's, also where a route names it.
func notOurselves(set *settings.Settings, m settings.Member, role settings.MemberRole) []policy.StatementSpec {
	partition := policy.Partition(m.Regions[0])
	self := func(services ...string) []string {
		var out []string
		for _, own := range set.Self {
			if slices.Contains(services, own.Service) {
				out = append(out, own.String())
			}
		}
		return out
	}
	switch role {
	case settings.IdentityWriter:
		return []policy.StatementSpec{{
			Sid: "NotOurselves", Effect: policy.Deny, Actions: []string{"iam:*"}, Resources: append([]string{
				arn(partition, "iam", "", "*", "role"+settings.RolePath+"*"),
				arn(partition, "iam", "", "*", "role/aws-service-role/*"),
				arn(partition, "iam", "", "*", "role/aws-reserved/*"), // of IAM Identity Center
			}, self("iam")...),
		}}
	case settings.ResourceWriter:
		return []policy.StatementSpec{{
			Sid: "NotOurselves", Effect: policy.Deny, Actions: []string{"kms:*", "s3:*"},
			Resources: append([]string{arn(partition, "s3", "", "", ourBuckets)}, self("kms", "s3")...),
		}, {
			// https://docs.aws.amazon.com/kms/latest/developerguide/alias-authorization.html
			Sid: "NotOurKeys", Effect: policy.Deny, Actions: []string{"kms:*"}, Resources: []string{anything},
			Conditions: []policy.Condition{{
				Operator: policy.StringLike, Qualifier: policy.ForAnyValue, Key: "kms:ResourceAliases",
				Values: []string{"alias/replimend-*", "alias/aws/*"},
			}},
		}, {
			// https://docs.aws.amazon.com/kms/latest/APIReference/API_PutKeyPolicy.html
			Sid: "NoLockout", Effect: policy.Deny, Actions: []string{"kms:PutKeyPolicy"}, Resources: []string{anything},
			Conditions: []policy.Condition{{
				Operator: policy.Bool, Key: "kms:BypassPolicyLockoutSafetyCheck", Values: []string{"true"},
			}},
		}}
	}
	return nil
}

// memberTrust lets in the functions that assume the role, with a source identity, and nobody else.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_temp_control-access_monitor.html
func memberTrust(set *settings.Settings, m settings.Member, role settings.MemberRole, by []Function) (policy.Document, error) {
	if role == settings.Batch {
		// https://docs.aws.amazon.com/AmazonS3/latest/userguide/batch-ops-iam-role-policies.html
		return serviceTrust("batchoperations.s3.amazonaws.com")
	}
	spec := policy.StatementSpec{Effect: policy.Allow, Actions: []string{"sts:AssumeRole", "sts:SetSourceIdentity"}}
	for _, f := range by {
		spec.Principals = append(spec.Principals, principal(NamesOf(set).Role(string(f)).String())...)
	}
	switch {
	case m.ExternalID != "":
		// https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_common-scenarios_third-party.html
		spec.Conditions = []policy.Condition{equals("sts:ExternalId", m.ExternalID)}
	case set.Organization != "":
		spec.Conditions = []policy.Condition{equals("aws:PrincipalOrgID", set.Organization)}
	}
	return document(spec)
}

// serviceTrust lets a service assume a role of its own account.
func serviceTrust(service string, conditions ...policy.Condition) (policy.Document, error) {
	return document(policy.StatementSpec{
		Effect: policy.Allow, Principals: []policy.Principal{{Kind: policy.PrincipalService, Value: service}},
		Actions: []string{"sts:AssumeRole"}, Conditions: conditions,
	})
}

// Forwarder is the role with which EventBridge sends events of an account to the hub's bus: Events in a member, OrganizationEvents in
// the management account.
// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-cross-account.html
// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-use-conditions.html
func Forwarder(set *settings.Settings, account, name string) (Role, error) {
	h := NamesOf(set)
	role := Role{
		Name: name, Path: settings.RolePath, Description: "EventBridge sends events to Replimend's bus with it", MaxSession: session,
	}
	var s statements
	s.add(allow{actions: []string{"events:PutEvents"}, resources: []string{h.Bus().String()}})
	var err error
	if role.Policies, _, err = build(name, s, []policy.StatementSpec{nothingElse(s.actions())}); err != nil {
		return Role{}, err
	}
	role.Trust, err = serviceTrust("events.amazonaws.com", equals("aws:SourceAccount", account))
	return role, err
}

// ourBuckets is what settings.ReportBucket names, in every account and Region.
const ourBuckets = "replimend-reports-*"
