package awscloud

import (
	"context"
	"fmt"
	"regexp"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	iamtypes "github.com/aws/aws-sdk-go-v2/service/iam/types"

	"github.com/replimend/replimend/internal/policy"
	"github.com/replimend/replimend/internal/settings"
	"github.com/replimend/replimend/internal/snapshot"
)

// storeRoleResource is a role with its path. IAM takes wildcards and dollars in a path; in the ARN of a session policy they
// would stand for other roles.
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateRole.html
var storeRoleResource = regexp.MustCompile(`^role(/[A-Za-z0-9_+=,.@-]+)+$`)

// storePlaceOfRole is where the documents of a role are.
func storePlaceOfRole(ref snapshot.Ref) (storePlace, error) {
	arn, err := policy.ParseARN(ref.ID)
	switch {
	case err != nil:
		return storePlace{}, fmt.Errorf("%w: %w", snapshot.ErrUnwritable, err)
	case arn.Service != "iam" || arn.Region != "" || !policy.IsAccountID(arn.Account) ||
		!storeRoleResource.MatchString(arn.Resource):
		return storePlace{}, fmt.Errorf("%w: %.200q is not the ARN of a role that can be written", snapshot.ErrUnwritable, ref.ID)
	case strings.HasPrefix(arn.Resource, "role"+settings.RolePath):
		return storePlace{}, fmt.Errorf("%w: it is a role of Replimend itself", snapshot.ErrUnwritable)
	}
	region, err := storeRegion(arn.Partition)
	return storePlace{arn: arn, account: arn.Account, region: region, owner: arn.Name()}, err
}

// storeLiveRole is the role of that ARN. Calls to IAM take its name alone, and the role of that name can have another path.
func storeLiveRole(ctx context.Context, reader aws.Config, at storePlace) (*iamtypes.Role, error) {
	out, err := iam.NewFromConfig(reader).GetRole(ctx, &iam.GetRoleInput{RoleName: &at.owner})
	switch {
	case err != nil:
		return nil, err
	case aws.ToString(out.Role.Arn) != at.arn.String():
		return nil, fmt.Errorf("%w: the role of that name is %.200q", snapshot.ErrUnwritable, aws.ToString(out.Role.Arn))
	}
	return out.Role, nil
}
