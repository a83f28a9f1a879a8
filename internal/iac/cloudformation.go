package iac

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/replimend/replimend/internal/jsontree"
)

// cloudformation is a stream of YAML documents: a complete template for every account, and after it the properties that no
// resource of their own can hold.
func cloudformation(p plan) (string, error) {
	parts := []string{comment("#", p.head()...)}
	for _, a := range p.accounts {
		for _, d := range a.documents {
			if err := eachText(d.after, literal); err != nil {
				return "", fmt.Errorf("%s: %w", d.what(), err)
			}
		}
		parts = append(parts, a.template()...)
	}
	return strings.Join(parts, ""), nil
}

func (a account) template() []string {
	var resources, parts []string
	for _, d := range a.documents {
		switch d.kind {
		case rolePolicy, userPolicy, bucketPolicy:
			resources = append(resources, d.resource())
		case roleTrust:
			parts = append(parts, d.property(a.id, "AWS::IAM::Role", "AssumeRolePolicyDocument"))
		case keyPolicy:
			parts = append(parts, d.property(a.id, "AWS::KMS::Key", "KeyPolicy"))
		}
	}
	if len(resources) > 0 {
		head := "---\n" + comment("#", fmt.Sprintf("account %s: a template, or resources for one of its templates", a.id)) +
			"AWSTemplateFormatVersion: \"2010-09-09\"\nResources:\n"
		parts = slices.Insert(parts, 0, head+strings.Join(resources, ""))
	}
	return parts
}

// resource is one entry of Resources. A bucket policy that was there before outlives the stack: it is not ours to delete.
func (d document) resource() string {
	lines := append([]string{d.what()}, d.facts()...)
	var typ string
	var properties []jsontree.Member
	retain := ""
	if d.kind != bucketPolicy {
		whose := map[kind]string{rolePolicy: "Role", userPolicy: "User"}[d.kind]
		typ = "AWS::IAM::" + whose + "Policy"
		properties = []jsontree.Member{{Name: whose + "Name", Value: jsontree.Str(d.name)}, {Name: "PolicyName", Value: jsontree.Str(d.policyName)}}
	} else {
		typ = "AWS::S3::BucketPolicy"
		properties = []jsontree.Member{{Name: "Bucket", Value: jsontree.Str(d.name)}}
		lines = append(lines, "There was no policy: this is all of it.")
		if d.existed() {
			lines[len(lines)-1] = "This is the whole policy. It replaces the AWS::S3::BucketPolicy that manages it today: keep one of the two."
			retain = "    DeletionPolicy: Retain\n    UpdateReplacePolicy: Retain\n"
		}
	}
	var b strings.Builder
	b.WriteString(comment("  #", lines...))
	fmt.Fprintf(&b, "  %s:\n    Type: %s\n%s    Properties:\n", d.camel(), typ, retain)
	yaml(&b, jsontree.Obj(append(properties, jsontree.Member{Name: "PolicyDocument", Value: d.after})...), "      ")
	return b.String()
}

// property is a document of its own in the stream, which CloudFormation does not take for a template: as a resource of a new
// template it would make another key or role.
func (d document) property(id, typ, name string) string {
	lines := append([]string{fmt.Sprintf("account %s: %s", id, d.what())}, d.facts()...)
	lines = append(
		lines,
		fmt.Sprintf("This is not a template: CloudFormation changes this policy only on the %s itself. In the template that", typ),
		fmt.Sprintf("makes it, put this in place of its %s. What no template makes, no template can change.", name),
	)
	var b strings.Builder
	b.WriteString("---\n" + comment("#", lines...))
	yaml(&b, jsontree.Obj(jsontree.Member{Name: name, Value: d.after}), "")
	return b.String()
}

// plain is the names of properties, beside those of policies, that are written without quotes.
var plain = map[string]bool{
	"RoleName": true, "UserName": true, "PolicyName": true, "PolicyDocument": true, "Bucket": true, "KeyPolicy": true, "AssumeRolePolicyDocument": true,
}

// yaml writes an object or array as a block whose lines begin with indent. Strings are always quoted, so that none is a date,
// a number, a tag or an alias.
func yaml(b *strings.Builder, n jsontree.Node, indent string) {
	for _, f := range n.Fields {
		name := quoteYAML(f.Name)
		if elements[f.Name] || plain[f.Name] {
			name = f.Name
		}
		b.WriteString(indent + name + ":")
		yamlValue(b, f.Value, indent, "\n"+indent+"  ")
	}
	for _, item := range n.Items {
		b.WriteString(indent + "-")
		yamlValue(b, item, indent, " ")
	}
}

// yamlValue writes what follows a name or a dash. first stands before the first line of a block.
func yamlValue(b *strings.Builder, n jsontree.Node, indent, first string) {
	switch {
	case n.Kind == jsontree.Bool:
		b.WriteString(" " + strconv.FormatBool(n.Bool) + "\n")
	case n.Kind == jsontree.Array && len(n.Items) == 0:
		b.WriteString(" []\n")
	case n.Kind == jsontree.Object && len(n.Fields) == 0:
		b.WriteString(" {}\n")
	case n.Kind == jsontree.Array || n.Kind == jsontree.Object:
		var block strings.Builder
		yaml(&block, n, indent+"  ")
		b.WriteString(first + strings.TrimPrefix(block.String(), indent+"  "))
	default: // a number stays as it was written: policies compare it as text anyway
		b.WriteString(" " + quoteYAML(n.Text) + "\n")
	}
}

// quoteYAML is a double-quoted scalar. https://yaml.org/spec/1.2.2/#57-escaped-characters
func quoteYAML(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b.WriteString(`\` + string(r))
		case jsontree.Visible(r) && r <= 0xFFFF:
			b.WriteRune(r)
		case r <= 0xFFFF:
			fmt.Fprintf(&b, `\u%04X`, r)
		default:
			fmt.Fprintf(&b, `\U%08X`, r)
		}
	}
	b.WriteByte('"')
	return b.String()
}

// literal refuses what CloudFormation would not take as text, for which it has no escape: a dynamic reference puts a secret in
// its place, and an object whose member is Ref or Fn:: is a call.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/dynamic-references.html
// https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/intrinsic-function-reference.html
func literal(text string, isName bool) error {
	if strings.Contains(text, "{{resolve:") {
		return fmt.Errorf("CloudFormation would replace the dynamic reference in %q", text)
	}
	if isName && (text == "Ref" || strings.HasPrefix(text, "Fn::")) {
		return fmt.Errorf("CloudFormation would call the function %q", text)
	}
	return nil
}
