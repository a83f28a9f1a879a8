package iac

import (
	"bytes"
	"fmt"
	"go/format"
	"strconv"
	"strings"

	"github.com/replimend/replimend/internal/jsontree"
)

// cdk is a Go file: a function per account that adds what stands on its own to a stack of that account, and one for every
// policy that belongs to a construct that the app has already.
func cdk(p plan) (string, error) {
	var body bytes.Buffer
	imports := map[string]bool{}
	for _, a := range p.accounts {
		if err := a.cdk(&body, imports); err != nil {
			return "", err
		}
	}
	var file bytes.Buffer
	file.WriteString(comment("//", p.head()...) + "\npackage replimend\n")
	if len(imports) > 0 {
		file.WriteString("\nimport (\n")
		for _, path := range cdkImports {
			if imports[path] {
				fmt.Fprintf(&file, "%q\n", path)
			}
		}
		file.WriteString(")\n")
	}
	file.Write(body.Bytes())
	source, err := format.Source(file.Bytes())
	if err != nil {
		return "", fmt.Errorf("format Go: %w", err)
	}
	return string(source), nil
}

const (
	constructsPath = "github.com/aws/constructs-go/constructs/v10"
	jsiiPath       = "github.com/aws/jsii-runtime-go"
	awscdkPath     = "github.com/aws/aws-cdk-go/awscdk/v2"
	awsiamPath     = "github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	awskmsPath     = "github.com/aws/aws-cdk-go/awscdk/v2/awskms"
	awss3Path      = "github.com/aws/aws-cdk-go/awscdk/v2/awss3"
)

// cdkImports is in the order of gofmt.
var cdkImports = []string{awscdkPath, awsiamPath, awskmsPath, awss3Path, constructsPath, jsiiPath}

func (a account) cdk(out *bytes.Buffer, imports map[string]bool) error {
	var own, others bytes.Buffer
	for _, d := range a.documents {
		if err := eachText(d.after, literalCDK); err != nil {
			return fmt.Errorf("%s: %w", d.what(), err)
		}
		switch d.kind {
		case rolePolicy, userPolicy, bucketPolicy:
			imports[constructsPath], imports[jsiiPath] = true, true
			d.cdkResource(&own, imports)
		case roleTrust:
			imports[awsiamPath] = true
			d.cdkProperty(&others, "awsiam.CfnRole", "SetAssumeRolePolicyDocument")
		case keyPolicy:
			imports[awskmsPath] = true
			d.cdkProperty(&others, "awskms.CfnKey", "SetKeyPolicy")
		}
	}
	if own.Len() > 0 {
		fmt.Fprintf(out, "\n%sfunc AddToAccount%s(scope constructs.Construct) {\n%s}\n",
			comment("//", fmt.Sprintf("AddToAccount%s adds to a stack of account %s what it owns.", a.id, a.id)), a.id, own.Bytes())
	}
	out.Write(others.Bytes())
	return nil
}

func (d document) cdkResource(b *bytes.Buffer, imports map[string]bool) {
	b.WriteString(comment("//", append([]string{d.what()}, d.facts()...)...))
	if d.kind != bucketPolicy {
		imports[awsiamPath] = true
		whose := map[kind]string{rolePolicy: "Role", userPolicy: "User"}[d.kind]
		fmt.Fprintf(b, "awsiam.NewCfn%[1]sPolicy(scope, jsii.String(%[2]q), &awsiam.Cfn%[1]sPolicyProps{\n%[1]sName: jsii.String(%[3]s),\nPolicyName: jsii.String(%[4]s),\nPolicyDocument: ",
			whose, d.camel(), strconv.Quote(d.name), strconv.Quote(d.policyName))
		goValue(b, d.after)
		b.WriteString(",\n})\n")
		return
	}
	imports[awss3Path] = true
	whole := "There was no policy: this is all of it."
	if d.existed() {
		whole = "This is the whole policy. It replaces the BucketPolicy that manages it today: keep one of the two."
	}
	b.WriteString(comment("//", whole))
	fmt.Fprintf(b, "awss3.NewCfnBucketPolicy(scope, jsii.String(%q), &awss3.CfnBucketPolicyProps{\nBucket: jsii.String(%s),\nPolicyDocument: ",
		d.camel(), strconv.Quote(d.name))
	goValue(b, d.after)
	b.WriteString(",\n})")
	if d.existed() { // as in CloudFormation
		imports[awscdkPath] = true
		b.WriteString(".ApplyRemovalPolicy(awscdk.RemovalPolicy_RETAIN, nil)")
	}
	b.WriteString("\n")
}

func (d document) cdkProperty(b *bytes.Buffer, typ, setter string) {
	construct := map[kind]string{roleTrust: "role", keyPolicy: "key"}[d.kind]
	b.WriteString("\n" + comment("//", append(
		append([]string{fmt.Sprintf("Set%s sets the %s, of account %s.", d.camel(), d.what(), d.edit.Account)}, d.facts()...),
		fmt.Sprintf("It sets the whole policy, on the construct that makes the %s: %s.Node().DefaultChild().(%s).", construct, construct, typ),
		"An imported one cannot be changed.",
	)...))
	fmt.Fprintf(b, "func Set%s(%s %s) {\n%s.%s(", d.camel(), construct, typ, construct, setter)
	goValue(b, d.after)
	b.WriteString(")\n}\n")
}

// goValue is a JSON value as a Go expression of the types that jsii takes for any.
func goValue(b *bytes.Buffer, n jsontree.Node) {
	switch n.Kind {
	case jsontree.Object:
		b.WriteString("map[string]any{\n")
		for _, f := range n.Fields {
			b.WriteString(strconv.Quote(f.Name) + ": ")
			goValue(b, f.Value)
			b.WriteString(",\n")
		}
		b.WriteString("}")
	case jsontree.Array:
		b.WriteString("[]any{\n")
		for _, item := range n.Items {
			goValue(b, item)
			b.WriteString(",\n")
		}
		b.WriteString("}")
	case jsontree.Bool:
		b.WriteString(strconv.FormatBool(n.Bool))
	default: // a number stays as it was written: policies compare it as text anyway
		b.WriteString(strconv.Quote(n.Text))
	}
}

// literalCDK refuses, beside what CloudFormation would take for code, what the CDK would: its own tokens.
// https://docs.aws.amazon.com/cdk/v2/guide/tokens.html
func literalCDK(text string, isName bool) error {
	if strings.Contains(text, "{Token[") {
		return fmt.Errorf("the CDK would take %q for a token", text)
	}
	return literal(text, isName)
}
