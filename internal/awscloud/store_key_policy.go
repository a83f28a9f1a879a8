package awscloud

import (
	"context"
	"fmt"
	"regexp"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/accessanalyzer/types"
	"github.com/aws/aws-sdk-go-v2/service/kms"

	"github.com/replimend/replimend/internal/policy"
	"github.com/replimend/replimend/internal/preflight"
	"github.com/replimend/replimend/internal/settings"
	"github.com/replimend/replimend/internal/snapshot"
)

// keyStore is the policy of a KMS key. It is written from within the key's account, because KMS lets no other account do it, and
// with KMS's check that whoever writes it may write the next one.
// https://docs.aws.amazon.com/kms/latest/APIReference/API_PutKeyPolicy.html
var keyStore = store{
	put:  preflight.Need{Role: settings.ResourceWriter, Action: "kms:PutKeyPolicy", Resource: needKey, Why: "no key policy can be repaired"},
	form: storeForm{principal: true, resource: true, latin: true, shared: true},
	asks: analyzerForm{policy: types.PolicyTypeResourcePolicy, public: types.AccessCheckResourceTypeKmsKey},
	at: func(_ *WriteOptions, ref snapshot.Ref) (storePlace, error) {
		arn, err := policy.ParseARN(ref.ID)
		switch {
		case err != nil:
			return storePlace{}, fmt.Errorf("%w: %w", snapshot.ErrUnwritable, err)
		case arn.Service != "kms" || !isRegion(arn.Region) || policy.Partition(arn.Region) != arn.Partition ||
			!policy.IsAccountID(arn.Account) || !storeKeyResource.MatchString(arn.Resource):
			return storePlace{}, fmt.Errorf("%w: %.200q is not the ARN of a key", snapshot.ErrUnwritable, ref.ID)
		}
		return storePlace{arn: arn, account: arn.Account, region: arn.Region, owner: arn.String()}, nil
	},
	live: func(ctx context.Context, reader aws.Config, at storePlace) (snapshot.Value[policy.Document], error) {
		out, err := kms.NewFromConfig(reader).GetKeyPolicy(ctx, &kms.GetKeyPolicyInput{
			KeyId: &at.owner, PolicyName: &storeKeyPolicyName,
		})
		if err != nil {
			return snapshot.Value[policy.Document]{}, err
		}
		return present(parseDocument(aws.ToString(out.Policy)))
	},
	write: func(ctx context.Context, session aws.Config, at storePlace, text string) error {
		_, err := kms.NewFromConfig(session).PutKeyPolicy(ctx, &kms.PutKeyPolicyInput{
			KeyId: &at.owner, PolicyName: &storeKeyPolicyName, Policy: &text,
		})
		return err
	},
}

// storeKeyPolicyName is the only name that a key policy can have.
var storeKeyPolicyName = "default"

var storeKeyResource = regexp.MustCompile(`^key/[A-Za-z0-9-]+$`)
