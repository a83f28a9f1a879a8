package awscloud

import (
	"context"
	"net/url"
	"strings"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	iamtypes "github.com/aws/aws-sdk-go-v2/service/iam/types"

	"github.com/replimend/replimend/internal/policy"
	"github.com/replimend/replimend/internal/snapshot"
)

func isRole(arn policy.ARN) bool {
	return arn.Service == "iam" && policy.IsAccountID(arn.Account) && strings.HasPrefix(arn.Resource, "role/") && arn.Name() != ""
}

// role is the role of that ARN. A role of that name under another path is another role: then the one that was asked for does not
// exist, because the path is part of what S3 assumes.
func (u *run) role(ctx context.Context, arn policy.ARN) reading[snapshot.Role] {
	return u.roles.get(arn, func() reading[snapshot.Role] {
		d := u.enters(ctx, arn.Account)
		err := d.err
		if arn.Partition != policy.Partition(u.reader.home) {
			err = unusable("the role is in partition %.40s, and %s is not", arn.Partition, u.reader.home)
		}
		if err != nil {
			return reading[snapshot.Role]{refused: map[string]string{"": refusal(err)}}
		}
		return u.readRole(ctx, d.iam, arn)
	})
}

// keepRole has the role in the snapshot.
func (u *run) keepRole(ctx context.Context, arn policy.ARN) {
	var tasks sync.WaitGroup
	defer tasks.Wait()
	u.guard(ctx, &tasks, arn.Account)
	read := u.role(ctx, arn)
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.keep("roles."+arn.String(), read.refused) && read.value.State != snapshot.Missing {
		u.out.Roles[arn] = read.value
	}
}

func (u *run) readRole(ctx context.Context, c *iam.Client, arn policy.ARN) reading[snapshot.Role] {
	name := arn.Name()
	var role snapshot.Role
	var m members
	var found *iamtypes.Role
	var missing error
	m.tasks.Go(func() {
		out, err := c.GetRole(ctx, &iam.GetRoleInput{RoleName: &name})
		if err != nil {
			missing = err
			return
		}
		found = out.Role
		role.UniqueID = aws.ToString(found.RoleId)
		role.Tags = snapshot.Of(tagMap(found.Tags, func(t iamtypes.Tag) (k, v *string) { return t.Key, t.Value }))
		fetch(&m, "trust", &role.Trust, func() (snapshot.Value[policy.Document], error) {
			return present(iamDocument(found.AssumeRolePolicyDocument))
		})
		fetch(&m, "boundary", &role.Boundary, func() (snapshot.Value[snapshot.Boundary], error) {
			if found.PermissionsBoundary == nil {
				return snapshot.None[snapshot.Boundary](), nil
			}
			boundary := aws.ToString(found.PermissionsBoundary.PermissionsBoundaryArn)
			d := u.policy(ctx, c, arn.Account, boundary)
			return snapshot.Of(snapshot.Boundary{ARN: boundary, Document: d.policy}), d.err
		})
	})
	fetch(&m, "inline", &role.Inline, func() (snapshot.Value[map[string]policy.Document], error) {
		return present(inlinePolicies(ctx, c, name))
	})
	fetch(&m, "attached", &role.Attached, func() (snapshot.Value[map[string]policy.Document], error) {
		return present(u.attachedPolicies(ctx, c, arn.Account, name))
	})
	m.tasks.Wait()
	switch {
	case found != nil && !strings.HasPrefix(aws.ToString(found.Arn), "arn:"+arn.Partition+":iam::"+arn.Account+":"):
		why := unusable("the credentials for account %s lead to %.200s", arn.Account, aws.ToString(found.Arn))
		return reading[snapshot.Role]{refused: map[string]string{"": refusal(why)}}
	case absent(missing), found != nil && aws.ToString(found.Arn) != arn.String():
		return reading[snapshot.Role]{value: snapshot.None[snapshot.Role]()}
	case missing != nil:
		// Without its ARN nobody knows whether policies of a role of that name are those of this role.
		return reading[snapshot.Role]{refused: map[string]string{"": refusal(missing)}}
	}
	return reading[snapshot.Role]{value: snapshot.Of(role), refused: m.refused()}
}

func present[T any](v T, err error) (snapshot.Value[T], error) { return snapshot.Of(v), err }

func inlinePolicies(ctx context.Context, c *iam.Client, role string) (map[string]policy.Document, error) {
	list := iam.NewListRolePoliciesPaginator(c, &iam.ListRolePoliciesInput{RoleName: &role})
	names, err := pages(ctx, list, func(page *iam.ListRolePoliciesOutput) []string { return page.PolicyNames })
	if err != nil {
		return nil, err
	}
	documents, err := each(ctx, names, func(ctx context.Context, name string) (policy.Document, error) {
		out, err := c.GetRolePolicy(ctx, &iam.GetRolePolicyInput{RoleName: &role, PolicyName: &name})
		if err != nil {
			return policy.Document{}, err
		}
		d, err := iamDocument(out.PolicyDocument)
		if err != nil {
			return d, unusable("inline policy %s: %w", name, err)
		}
		return d, nil
	})
	return zip(names, documents), err
}

func (u *run) attachedPolicies(ctx context.Context, c *iam.Client, account, role string) (map[string]policy.Document, error) {
	list := iam.NewListAttachedRolePoliciesPaginator(c, &iam.ListAttachedRolePoliciesInput{RoleName: &role})
	arns, err := pages(ctx, list, func(page *iam.ListAttachedRolePoliciesOutput) []string {
		var out []string
		for _, p := range page.AttachedPolicies {
			out = append(out, aws.ToString(p.PolicyArn))
		}
		return out
	})
	if err != nil {
		return nil, err
	}
	documents, err := each(ctx, arns, func(_ context.Context, arn string) (policy.Document, error) {
		// The context is that of the run: others wait for the same policy.
		d := u.policy(ctx, c, account, arn)
		return d.policy, d.err
	})
	return zip(arns, documents), err
}

// managedPolicy is a managed policy, and the account in which it was found.
type managedPolicy struct{ account, arn string }

// policy is the default version of a managed policy. Most policies still have their first one, so that it is asked for without
// waiting for the answer which one it is.
func (u *run) policy(ctx context.Context, c *iam.Client, account, arn string) document {
	return u.managed.get(managedPolicy{account, arn}, func() document {
		var tasks sync.WaitGroup
		var first *iam.GetPolicyVersionOutput
		tasks.Go(func() {
			// That there is no first version any more is no error: the other call says which one there is.
			first, _ = c.GetPolicyVersion(ctx, &iam.GetPolicyVersionInput{PolicyArn: &arn, VersionId: aws.String("v1")})
		})
		found, err := c.GetPolicy(ctx, &iam.GetPolicyInput{PolicyArn: &arn})
		tasks.Wait()
		if first != nil && first.PolicyVersion.IsDefaultVersion {
			return managedDocument(arn, first)
		}
		if err != nil {
			return document{err: err}
		}
		out, err := c.GetPolicyVersion(ctx, &iam.GetPolicyVersionInput{PolicyArn: &arn, VersionId: found.Policy.DefaultVersionId})
		if err != nil {
			return document{err: err}
		}
		return managedDocument(arn, out)
	})
}

func managedDocument(arn string, out *iam.GetPolicyVersionOutput) document {
	d, err := iamDocument(out.PolicyVersion.Document)
	if err != nil {
		err = unusable("managed policy %s: %w", arn, err)
	}
	return document{d, err}
}

// iamText is the text of a document that IAM returns URL-encoded after RFC 3986.
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetRolePolicy.html
func iamText(encoded *string) (string, error) {
	text, err := url.PathUnescape(aws.ToString(encoded))
	if err != nil {
		return "", unusable("decode policy: %w", err)
	}
	return text, nil
}

func iamDocument(encoded *string) (policy.Document, error) {
	text, err := iamText(encoded)
	if err != nil {
		return policy.Document{}, err
	}
	return parseDocument(text)
}

func zip[V any](names []string, values []V) map[string]V {
	out := make(map[string]V, len(names))
	for i, name := range names {
		out[name] = values[i]
	}
	return out
}

func tagMap[T any](tags []T, of func(T) (key, value *string)) map[string]string {
	out := make(map[string]string, len(tags))
	for _, t := range tags {
		k, v := of(t)
		out[aws.ToString(k)] = aws.ToString(v)
	}
	return out
}
