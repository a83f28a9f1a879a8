package awscloud

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/replimend/replimend/internal/awserr"
	"github.com/replimend/replimend/internal/preflight"
	"github.com/replimend/replimend/internal/settings"
)

// Base is whose credentials assume the roles of members. Credentials that AWS refuses are a caller with the code of the error.
// https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html
func (a *Accounts) Base(ctx context.Context) (preflight.Caller, error) {
	caller, account, err := identity(ctx, a.access.Base)
	caller.Account = account
	return caller, err
}

// Caller is whose credentials lead into an account that is entered without a role of Replimend.
func (a *Accounts) Caller(ctx context.Context, account string) (preflight.Caller, error) {
	cfg, ok := a.access.Direct[account]
	if !ok {
		cfg = a.access.Base
	}
	caller, _, err := identity(ctx, cfg)
	caller.Account = account
	return caller, err
}

func identity(ctx context.Context, cfg aws.Config) (caller preflight.Caller, account string, err error) {
	got, err := sts.NewFromConfig(cfg).GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
	if caller.Code, err = awserr.Final(err); err != nil {
		return caller, "", fmt.Errorf("get caller identity: %w", err)
	}
	if caller.Code != "" {
		return caller, "", nil
	}
	caller.ARN = aws.ToString(got.Arn)
	return caller, aws.ToString(got.Account), nil
}

// TryRole assumes a role of a member, as Replimend would, and does nothing with it.
func (a *Accounts) TryRole(ctx context.Context, account, region string, role settings.MemberRole) (preflight.Assumption, error) {
	out := preflight.Assumption{Account: account, Role: role}
	if _, ok := a.member(account); !ok {
		return out, fmt.Errorf("try role %s: account %s is no member", role, account)
	}
	cfg, err := a.Narrowed(account, region, Purpose{Role: role, Incident: "preflight"})
	if err != nil {
		return out, err
	}
	_, err = cfg.Credentials.Retrieve(ctx)
	if out.Code, err = awserr.Final(err); err != nil {
		return out, fmt.Errorf("try role %s of account %s: %w", role, account, err)
	}
	return out, nil
}
