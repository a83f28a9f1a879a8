package awscloud

import (
	"context"
	"fmt"
	"regexp"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/accessanalyzer/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"

	"github.com/replimend/replimend/internal/awserr"
	"github.com/replimend/replimend/internal/policy"
	"github.com/replimend/replimend/internal/preflight"
	"github.com/replimend/replimend/internal/settings"
	"github.com/replimend/replimend/internal/snapshot"
)

// inlineStore is the inline policies of our own that stand beside the others of a role.
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_PutRolePolicy.html
var inlineStore = store{
	put:    preflight.Need{Role: settings.IdentityWriter, Action: "iam:PutRolePolicy", Resource: needRole, Why: "no role can be given a permission"},
	remove: &preflight.Need{Role: settings.IdentityWriter, Action: "iam:DeleteRolePolicy", Resource: needRole, Why: "a permission given to a role cannot be taken back"},
	form:   storeForm{resource: true, latin: true, plainSids: true},
	asks:   analyzerForm{policy: types.PolicyTypeIdentityPolicy},
	at: func(_ *WriteOptions, ref snapshot.Ref) (storePlace, error) {
		at, err := storePlaceOfRole(ref)
		if err == nil && (len(ref.Name) > storeLongestName || !storeInlineName.MatchString(ref.Name)) {
			err = fmt.Errorf("%w: %.128q is not the name of a policy of ours, which start with %s", snapshot.ErrUnwritable, ref.Name, storePrefix)
		}
		at.policy = ref.Name
		return at, err
	},
	live: func(ctx context.Context, reader aws.Config, at storePlace) (snapshot.Value[policy.Document], error) {
		if _, err := storeLiveRole(ctx, reader, at); err != nil {
			return snapshot.Value[policy.Document]{}, err
		}
		out, err := iam.NewFromConfig(reader).GetRolePolicy(ctx, &iam.GetRolePolicyInput{RoleName: &at.owner, PolicyName: &at.policy})
		switch {
		case awserr.Is(err, awserr.Absent): // the role is there
			return snapshot.None[policy.Document](), nil
		case err != nil:
			return snapshot.Value[policy.Document]{}, err
		}
		return present(iamDocument(out.PolicyDocument))
	},
	others: storeOtherInline,
	write: func(ctx context.Context, session aws.Config, at storePlace, text string) error {
		client := iam.NewFromConfig(session)
		if text == "" {
			_, err := client.DeleteRolePolicy(ctx, &iam.DeleteRolePolicyInput{RoleName: &at.owner, PolicyName: &at.policy})
			return err
		}
		_, err := client.PutRolePolicy(ctx, &iam.PutRolePolicyInput{RoleName: &at.owner, PolicyName: &at.policy, PolicyDocument: &text})
		return err
	},
}

// https://docs.aws.amazon.com/IAM/latest/APIReference/API_PutRolePolicy.html
const storeLongestName = 128

var storeInlineName = regexp.MustCompile(`^` + storePrefix + `[A-Za-z0-9_+=,.@-]*$`)

// storeOtherInline is the size of the other inline policies of the role.
func storeOtherInline(ctx context.Context, reader aws.Config, at storePlace) (int, error) {
	client, size := iam.NewFromConfig(reader), 0
	pages := iam.NewListRolePoliciesPaginator(client, &iam.ListRolePoliciesInput{RoleName: &at.owner})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return 0, err
		}
		for _, name := range page.PolicyNames {
			if name == at.policy {
				continue
			}
			out, err := client.GetRolePolicy(ctx, &iam.GetRolePolicyInput{RoleName: &at.owner, PolicyName: &name})
			switch {
			case awserr.Is(err, awserr.Absent): // deleted since it was listed
				continue
			case err != nil:
				return 0, err
			}
			text, err := iamText(out.PolicyDocument)
			if err != nil {
				return 0, err
			}
			size += storedSize(text)
		}
	}
	return size, nil
}
