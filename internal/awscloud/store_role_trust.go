package awscloud

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/accessanalyzer/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"

	"github.com/replimend/replimend/internal/policy"
	"github.com/replimend/replimend/internal/preflight"
	"github.com/replimend/replimend/internal/settings"
	"github.com/replimend/replimend/internal/snapshot"
)

// trustStore is the trust policy of a role. It says who else gets everything that the role may do.
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_UpdateAssumeRolePolicy.html
var trustStore = store{
	put:  preflight.Need{Role: settings.IdentityWriter, Action: "iam:UpdateAssumeRolePolicy", Resource: needRole, Why: "no trust policy can be repaired"},
	form: storeForm{principal: true, latin: true, plainSids: true, shared: true},
	asks: analyzerForm{
		policy:   types.PolicyTypeResourcePolicy,
		validate: types.ValidatePolicyResourceTypeRoleTrust, public: types.AccessCheckResourceTypeRoleTrust,
	},
	at: func(_ *WriteOptions, ref snapshot.Ref) (storePlace, error) { return storePlaceOfRole(ref) },
	live: func(ctx context.Context, reader aws.Config, at storePlace) (snapshot.Value[policy.Document], error) {
		role, err := storeLiveRole(ctx, reader, at)
		if err != nil {
			return snapshot.Value[policy.Document]{}, err
		}
		return present(iamDocument(role.AssumeRolePolicyDocument))
	},
	write: func(ctx context.Context, session aws.Config, at storePlace, text string) error {
		_, err := iam.NewFromConfig(session).UpdateAssumeRolePolicy(ctx, &iam.UpdateAssumeRolePolicyInput{
			RoleName: &at.owner, PolicyDocument: &text,
		})
		return err
	},
}
