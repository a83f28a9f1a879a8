package main

import (
	"slices"
	"strconv"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awskms"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/jsii-runtime-go"

	"github.com/replimend/replimend/internal/grants"
)

// newSeal makes the key that seals approvals, the only thing here that costs whether or not it is used. Its policy names the roles that
// use it, so they have to be there before.
// https://docs.aws.amazon.com/kms/latest/developerguide/hmac.html
func (h *hub) newSeal(roles map[string]awsiam.CfnRole) error {
	more := slices.DeleteFunc([]grants.Function{grants.Page, grants.Slack}, func(f grants.Function) bool { return !h.has(f) })
	granted, err := grants.SealKeyPolicy(h.names, more...)
	if err != nil {
		return err
	}
	d, err := document(granted)
	if err != nil {
		return err
	}
	h.seal = awskms.NewCfnKey(h.stack, jsii.String("SealKey"), &awskms.CfnKeyProps{
		Description: jsii.String("Seals what people answer to Replimend"), KeySpec: jsii.String("HMAC_256"),
		KeyUsage: jsii.String("GENERATE_VERIFY_MAC"), KeyPolicy: d,
	})
	for _, f := range append(more, grants.Approval, grants.Remedy) {
		h.seal.AddResourceDependency(roles[string(f)], nil)
	}
	awskms.NewCfnAlias(h.stack, jsii.String("SealAlias"), &awskms.CfnAliasProps{
		AliasName: jsii.String(grants.SealAlias), TargetKeyId: h.seal.Ref(),
	})
	return nil
}

// newURL makes the URL where people answer. It takes signed requests alone, and only those of approvers: of each that is one principal,
// and of the accounts of the others, whose own policies then say who of them may. Whether somebody is an approver is decided by the
// function for every answer. A URL takes both permissions.
// https://docs.aws.amazon.com/lambda/latest/dg/urls-auth.html
func (h *hub) newURL() {
	f := h.functions[grants.Approval]
	url := awslambda.NewCfnUrl(h.stack, jsii.String("ApprovalURL"), &awslambda.CfnUrlProps{
		AuthType: jsii.String("AWS_IAM"), TargetFunctionArn: f.AttrArn(),
	})
	seen := map[string]bool{}
	for _, a := range h.set.Approvals.Approvers {
		who := a.String()
		if a.HasWildcard() {
			who = a.Account
		}
		if who == "*" || who == h.names.Account || seen[who] {
			continue // in the account of the hub its own policies are enough, and every account is too many
		}
		seen[who] = true
		number := strconv.Itoa(len(seen))
		awslambda.NewCfnPermission(h.stack, jsii.String("ApproverURL"+number), &awslambda.CfnPermissionProps{
			Action: jsii.String("lambda:InvokeFunctionUrl"), FunctionName: f.Ref(), Principal: jsii.String(who),
			FunctionUrlAuthType: jsii.String("AWS_IAM"),
		}).AddResourceDependency(url, nil)
		awslambda.NewCfnPermission(h.stack, jsii.String("ApproverFunction"+number), &awslambda.CfnPermissionProps{
			Action: jsii.String("lambda:InvokeFunction"), FunctionName: f.Ref(), Principal: jsii.String(who), InvokedViaFunctionUrl: true,
		}).AddResourceDependency(url, nil)
	}
	awscdk.NewCfnOutput(h.stack, jsii.String("ApprovalEndpoint"), &awscdk.CfnOutputProps{
		Value: url.AttrFunctionUrl(), Description: jsii.String("Where replimend approve and reject send answers"),
	})
}

// newPage makes the URL of the page. Browsers sign nothing: the function asks of everybody for what a link or a session has.
func (h *hub) newPage() {
	h.page = h.newPublicURL(grants.Page)
	awscdk.NewCfnOutput(h.stack, jsii.String("PageEndpoint"), &awscdk.CfnOutputProps{
		Value: h.page.AttrFunctionUrl(), Description: jsii.String("The page of incidents; with callback at its end it is where the provider sends people back to"),
	})
}

// newButtons makes the URL that Slack sends presses of buttons to. Slack knows no signature of AWS: the function asks for Slack's own.
func (h *hub) newButtons() {
	url := h.newPublicURL(grants.Slack)
	awscdk.NewCfnOutput(h.stack, jsii.String("SlackEndpoint"), &awscdk.CfnOutputProps{
		Value: url.AttrFunctionUrl(), Description: jsii.String("The Request URL of the Slack app, under Interactivity"),
	})
}

// newPublicURL makes the URL of a function that everybody may call, by the URL alone. It takes both permissions, too.
// https://docs.aws.amazon.com/lambda/latest/dg/urls-auth.html#urls-auth-none
func (h *hub) newPublicURL(of grants.Function) awslambda.CfnUrl {
	f, name := h.functions[of], logical(string(of), "")
	url := awslambda.NewCfnUrl(h.stack, jsii.String(name+"URL"), &awslambda.CfnUrlProps{AuthType: jsii.String("NONE"), TargetFunctionArn: f.AttrArn()})
	awslambda.NewCfnPermission(h.stack, jsii.String(name+"AnybodyURL"), &awslambda.CfnPermissionProps{
		Action: jsii.String("lambda:InvokeFunctionUrl"), FunctionName: f.Ref(), Principal: jsii.String("*"), FunctionUrlAuthType: jsii.String("NONE"),
	}).AddResourceDependency(url, nil)
	awslambda.NewCfnPermission(h.stack, jsii.String(name+"AnybodyFunction"), &awslambda.CfnPermissionProps{
		Action: jsii.String("lambda:InvokeFunction"), FunctionName: f.Ref(), Principal: jsii.String("*"), InvokedViaFunctionUrl: true,
	}).AddResourceDependency(url, nil)
	return url
}
