package main

import (
	"fmt"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/jsii-runtime-go"

	"github.com/replimend/replimend/internal/grants"
)

// newRole makes a role with exactly the documents that it has.
func newRole(stack awscdk.Stack, r grants.Role) (awsiam.CfnRole, error) {
	trust, err := document(r.Trust)
	if err != nil {
		return nil, err
	}
	var inline, managed []any
	for _, p := range r.Policies {
		d, err := document(p.Document)
		if err != nil {
			return nil, err
		}
		inline = append(inline, &awsiam.CfnRole_PolicyProperty{PolicyName: jsii.String(p.Name), PolicyDocument: d})
	}
	for _, p := range r.Managed {
		d, err := document(p.Document)
		if err != nil {
			return nil, err
		}
		m := awsiam.NewCfnManagedPolicy(stack, jsii.String(logical(p.Name, "Policy")), &awsiam.CfnManagedPolicyProps{
			ManagedPolicyName: jsii.String(p.Name), Path: jsii.String(r.Path), PolicyDocument: d, Description: jsii.String(r.Description),
		})
		accept(m, exactResources)
		managed = append(managed, m.Ref())
	}
	props := &awsiam.CfnRoleProps{
		RoleName: jsii.String(r.Name), Path: jsii.String(r.Path), Description: jsii.String(r.Description), AssumeRolePolicyDocument: trust,
		Policies: inline, MaxSessionDuration: jsii.Number(r.MaxSession.Seconds()),
	}
	if len(managed) > 0 {
		props.ManagedPolicyArns = &managed
	}
	role := awsiam.NewCfnRole(stack, jsii.String(logical(r.Name, "Role")), props)
	accept(role, exactResources)
	return role, nil
}

// newRoles makes roles, by their names.
func newRoles(stack awscdk.Stack, roles []grants.Role) (map[string]awsiam.CfnRole, error) {
	out := map[string]awsiam.CfnRole{}
	for _, r := range roles {
		made, err := newRole(stack, r)
		if err != nil {
			return nil, fmt.Errorf("make role %s: %w", r.Name, err)
		}
		out[r.Name] = made
	}
	return out, nil
}
