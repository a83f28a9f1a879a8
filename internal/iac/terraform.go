package iac

import (
	"encoding/json"
	"fmt"

	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/hashicorp/hcl/v2/hclwrite"
	"github.com/zclconf/go-cty/cty"

	"github.com/replimend/replimend/internal/jsontree"
)

// terraform is resources of the AWS provider, one configuration for every account.
func terraform(p plan) (string, error) {
	file := hclwrite.NewEmptyFile()
	body := file.Body()
	say(body, p.head()...)
	for _, a := range p.accounts {
		body.AppendNewline()
		say(body, "", fmt.Sprintf("account %s: for the configuration whose aws provider is of this account", a.id), "")
		for _, d := range a.documents {
			body.AppendNewline()
			if err := eachText(d.after, normal); err != nil {
				return "", fmt.Errorf("%s: %w", d.what(), err)
			}
			d.terraform(body)
		}
	}
	return string(hclwrite.Format(file.Bytes())), nil
}

// terraform appends the resource that owns the document. A trust policy has no resource: it is an argument of the role.
func (d document) terraform(body *hclwrite.Body) {
	say(body, d.what())
	say(body, d.facts()...)
	encoded := hclwrite.TokensForFunctionCall("jsonencode", expression(d.after))
	resource := func(kind string) *hclwrite.Body {
		return body.AppendNewBlock("resource", []string{kind, d.label}).Body()
	}
	text := func(b *hclwrite.Body, name, value string) { b.SetAttributeValue(name, cty.StringVal(value)) }
	switch d.kind {
	case rolePolicy, userPolicy:
		b := resource("aws_iam_" + d.noun() + "_policy")
		text(b, "name", d.policyName)
		text(b, d.noun(), d.name)
		b.SetAttributeRaw("policy", encoded)
	case roleTrust:
		say(
			body,
			"Terraform has no resource for a trust policy. In the aws_iam_role that manages this role today, set",
			fmt.Sprintf("  assume_role_policy = local.%s", d.label),
		)
		body.AppendNewBlock("locals", nil).Body().SetAttributeRaw(d.label, encoded)
	case bucketPolicy:
		d.sayWhole(body, "aws_s3_bucket_policy")
		b := resource("aws_s3_bucket_policy")
		text(b, "bucket", d.name)
		b.SetAttributeRaw("policy", encoded)
	case keyPolicy:
		d.sayWhole(body, "aws_kms_key_policy", "or the policy argument of the aws_kms_key")
		b := resource("aws_kms_key_policy")
		text(b, "key_id", d.arn)
		b.SetAttributeRaw("policy", encoded)
	}
}

func (d document) sayWhole(body *hclwrite.Body, resource string, or ...string) {
	if !d.existed() {
		say(body, "There was no policy: this is all of it.")
		return
	}
	today := "the " + resource
	for _, o := range or {
		today += ", " + o + ","
	}
	say(body, "This is the whole policy. It replaces "+today+" that manages it today: keep one of the two.")
}

func say(body *hclwrite.Body, lines ...string) {
	for _, line := range lines {
		body.AppendUnstructuredTokens(hclwrite.Tokens{{Type: hclsyntax.TokenComment, Bytes: []byte(comment("#", line))}})
	}
}

// expression is a JSON value as an expression. hclwrite escapes ${ and %{, which policies have for their own variables.
func expression(n jsontree.Node) hclwrite.Tokens {
	switch n.Kind {
	case jsontree.Object:
		fields := make([]hclwrite.ObjectAttrTokens, 0, len(n.Fields))
		for _, f := range n.Fields {
			name := hclwrite.TokensForValue(cty.StringVal(f.Name))
			if elements[f.Name] {
				name = hclwrite.TokensForIdentifier(f.Name)
			}
			fields = append(fields, hclwrite.ObjectAttrTokens{Name: name, Value: expression(f.Value)})
		}
		return hclwrite.TokensForObject(fields)
	case jsontree.Array:
		items := make([]hclwrite.Tokens, 0, len(n.Items))
		for _, item := range n.Items {
			items = append(items, expression(item))
		}
		return hclwrite.TokensForTuple(items)
	case jsontree.Bool:
		return hclwrite.TokensForValue(cty.BoolVal(n.Bool))
	default: // a number stays as it was written: policies compare it as text anyway
		return hclwrite.TokensForValue(cty.StringVal(n.Text))
	}
}

// normal refuses what Terraform would change: it normalises every string, and the policy would name something else. It also
// normalises what jsonencode returns, where an escape and a combining character behind it can become one character: \n and a
// tilde are no JSON any more.
// https://pkg.go.dev/github.com/zclconf/go-cty/cty#StringVal
func normal(text string, _ bool) error {
	encoded, err := json.Marshal(text)
	if err != nil {
		return err
	}
	for _, s := range []string{text, string(encoded)} {
		if cty.StringVal(s).AsString() != s {
			return fmt.Errorf("the Unicode text %q would be normalised", text)
		}
	}
	return nil
}
