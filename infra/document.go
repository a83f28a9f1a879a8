package main

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/jsii-runtime-go"

	"github.com/replimend/replimend/internal/policy"
)

// What CloudFormation puts in: with these a template says the same in every account and Region.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/pseudo-parameter-reference.html
const (
	anyAccount = "${AWS::AccountId}"
	anyRegion  = "${AWS::Region}"
)

// document is an IAM document as a value of a template. It is what package grants tested, member by member.
func document(d policy.Document) (any, error) {
	text, err := d.MarshalJSON()
	if err != nil {
		return nil, fmt.Errorf("print document: %w", err)
	}
	return value(text)
}

// value is JSON as a value of a template.
func value(text []byte) (any, error) {
	var tree any
	if err := json.Unmarshal(text, &tree); err != nil {
		return nil, fmt.Errorf("read document: %w", err)
	}
	return substituted(tree), nil
}

// substituted is a tree in which CloudFormation fills in the pseudo parameters. IAM's own variables, such as ${aws:username}, are left
// as they are.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/intrinsic-function-reference-sub.html
func substituted(tree any) any {
	switch v := tree.(type) {
	case map[string]any:
		for name, value := range v {
			v[name] = substituted(value)
		}
	case []any:
		for i, value := range v {
			v[i] = substituted(value)
		}
	case string:
		if strings.Contains(v, "${AWS::") {
			text := strings.ReplaceAll(v, "${", "${!")
			return map[string]any{"Fn::Sub": strings.ReplaceAll(text, "${!AWS::", "${AWS::")}
		}
	}
	return tree
}

// sub is a text with pseudo parameters.
func sub(format string, args ...any) *string {
	return awscdk.Fn_Sub(jsii.String(fmt.Sprintf(format, args...)), nil)
}

// texts is strings as jsii takes them.
func texts(values ...string) *[]*string {
	out := make([]*string, len(values))
	for i, v := range values {
		out[i] = jsii.String(v)
	}
	return &out
}
