package iac_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclparse"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/hashicorp/hcl/v2/hclwrite"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"
	"github.com/zclconf/go-cty/cty/function/stdlib"
)

// oracle reads a text with the parser of its format and says what it puts where. Anything else in it is an error.
type oracle struct {
	read func(t testing.TB, text string) ([]found, error)
	// anonymous is the kinds of which the format does not say whose they are.
	anonymous []string
}

var oracles = map[string]oracle{
	"terraform":      {readTerraform, []string{roleTrust}},
	"cloudformation": {readCloudFormation, []string{roleTrust, keyPolicy}},
	"cdk":            {readCDK, []string{roleTrust, keyPolicy}},
}

func readTerraform(t testing.TB, text string) ([]found, error) {
	if again := string(hclwrite.Format([]byte(text))); again != text {
		return nil, fmt.Errorf("terraform fmt would change it")
	}
	file, diags := hclparse.NewParser().ParseHCL([]byte(text), "plan.tf")
	if diags.HasErrors() {
		return nil, diags
	}
	body := file.Body.(*hclsyntax.Body)
	if len(body.Attributes) > 0 {
		return nil, fmt.Errorf("%d arguments outside of blocks", len(body.Attributes))
	}
	var out []found
	for _, block := range body.Blocks {
		if len(block.Body.Blocks) > 0 {
			return nil, fmt.Errorf("blocks in a block")
		}
		values := map[string]string{}
		for name, a := range block.Body.Attributes {
			v, diags := a.Expr.Value(&hcl.EvalContext{Functions: map[string]function.Function{"jsonencode": stdlib.JSONEncodeFunc}})
			if diags.HasErrors() {
				return nil, diags
			}
			if v.Type() != cty.String {
				return nil, fmt.Errorf("%s is no string", name)
			}
			values[name] = v.AsString()
		}
		f, err := terraformBlock(t, block, values)
		if err != nil {
			return nil, err
		}
		out = append(out, f)
	}
	return sorted(out), nil
}

func terraformBlock(t testing.TB, block *hclsyntax.Block, values map[string]string) (found, error) {
	if block.Type == "locals" && len(values) == 1 {
		for _, text := range values {
			return found{roleTrust, "", canonical(t, json.RawMessage(text))}, nil
		}
	}
	if block.Type != "resource" || len(block.Labels) != 2 {
		return found{}, fmt.Errorf("a block %s", block.Type)
	}
	resource := map[string]struct {
		kind  string
		names []string
	}{
		"aws_iam_role_policy":  {rolePolicy, []string{"role", "name"}},
		"aws_iam_user_policy":  {userPolicy, []string{"user", "name"}},
		"aws_s3_bucket_policy": {bucketPolicy, []string{"bucket"}},
		"aws_kms_key_policy":   {keyPolicy, []string{"key_id"}},
	}[block.Labels[0]]
	var who []string
	for _, name := range resource.names {
		who = append(who, values[name])
	}
	if resource.kind == "" || len(values) != len(resource.names)+1 {
		return found{}, fmt.Errorf("a resource %v with %v", block.Labels, values)
	}
	return found{resource.kind, strings.Join(who, " "), canonical(t, json.RawMessage(values["policy"]))}, nil
}

func readCloudFormation(t testing.TB, text string) ([]found, error) {
	var out []found
	for dec := yaml.NewDecoder(strings.NewReader(text)); ; {
		var part map[string]any
		if err := dec.Decode(&part); errors.Is(err, io.EOF) {
			return sorted(out), nil
		} else if err != nil {
			return nil, err
		}
		for name, value := range part {
			switch name {
			case "KeyPolicy":
				out = append(out, found{keyPolicy, "", canonical(t, value)})
			case "AssumeRolePolicyDocument":
				out = append(out, found{roleTrust, "", canonical(t, value)})
			case "AWSTemplateFormatVersion":
			case "Resources":
				for _, r := range value.(map[string]any) {
					f, err := cloudFormationResource(t, r.(map[string]any))
					if err != nil {
						return nil, err
					}
					out = append(out, f)
				}
			default:
				return nil, fmt.Errorf("a section %s", name)
			}
		}
	}
}

func cloudFormationResource(t testing.TB, r map[string]any) (found, error) {
	properties, ok := r["Properties"].(map[string]any)
	if !ok {
		return found{}, fmt.Errorf("a resource without properties: %v", r)
	}
	document := canonical(t, properties["PolicyDocument"])
	switch {
	case r["Type"] == "AWS::IAM::RolePolicy" && len(properties) == 3:
		return found{rolePolicy, fmt.Sprint(properties["RoleName"], " ", properties["PolicyName"]), document}, nil
	case r["Type"] == "AWS::IAM::UserPolicy" && len(properties) == 3:
		return found{userPolicy, fmt.Sprint(properties["UserName"], " ", properties["PolicyName"]), document}, nil
	case r["Type"] == "AWS::S3::BucketPolicy" && len(properties) == 2:
		return found{bucketPolicy, fmt.Sprint(properties["Bucket"]), document}, nil
	default:
		return found{}, fmt.Errorf("a resource %v", r)
	}
}

func readCDK(t testing.TB, text string) ([]found, error) {
	file, err := parser.ParseFile(token.NewFileSet(), "plan.go", text, parser.SkipObjectResolution|parser.ParseComments)
	if err != nil {
		return nil, err
	}
	var out []found
	for _, decl := range file.Decls {
		f, ok := decl.(*ast.FuncDecl)
		if !ok {
			if d, ok := decl.(*ast.GenDecl); ok && d.Tok == token.IMPORT {
				continue
			}
			return nil, fmt.Errorf("a declaration %T", decl)
		}
		for _, s := range f.Body.List {
			e, ok := s.(*ast.ExprStmt)
			if !ok {
				return nil, fmt.Errorf("a statement %T", s)
			}
			f, err := cdkCall(t, e.X.(*ast.CallExpr))
			if err != nil {
				return nil, err
			}
			out = append(out, f)
		}
	}
	return sorted(out), nil
}

func cdkCall(t testing.TB, call *ast.CallExpr) (found, error) {
	fun := call.Fun.(*ast.SelectorExpr)
	if of, ok := fun.X.(*ast.CallExpr); ok && fun.Sel.Name == "ApplyRemovalPolicy" {
		return cdkCall(t, of)
	}
	name := fun.X.(*ast.Ident).Name + "." + fun.Sel.Name
	if kind := map[string]string{"role.SetAssumeRolePolicyDocument": roleTrust, "key.SetKeyPolicy": keyPolicy}[name]; kind != "" {
		v, err := goLiteral(call.Args[0])
		return found{kind, "", canonical(t, v)}, err
	}
	if !slices.Contains([]string{"awsiam.NewCfnRolePolicy", "awsiam.NewCfnUserPolicy", "awss3.NewCfnBucketPolicy"}, name) || len(call.Args) != 3 {
		return found{}, fmt.Errorf("a call of %s", name)
	}
	properties, err := goLiteral(call.Args[2].(*ast.UnaryExpr).X)
	if err != nil {
		return found{}, err
	}
	p := properties.(map[string]any)
	if name == "awss3.NewCfnBucketPolicy" {
		return found{bucketPolicy, fmt.Sprint(p["Bucket"]), canonical(t, p["PolicyDocument"])}, nil
	}
	if name == "awsiam.NewCfnUserPolicy" {
		return found{userPolicy, fmt.Sprint(p["UserName"], " ", p["PolicyName"]), canonical(t, p["PolicyDocument"])}, nil
	}
	return found{rolePolicy, fmt.Sprint(p["RoleName"], " ", p["PolicyName"]), canonical(t, p["PolicyDocument"])}, nil
}

// goLiteral is the value of an expression that only holds literals and jsii.String.
func goLiteral(e ast.Expr) (any, error) {
	switch e := e.(type) {
	case *ast.BasicLit:
		if e.Kind != token.STRING {
			return nil, fmt.Errorf("a literal %s", e.Value)
		}
		return strconv.Unquote(e.Value)
	case *ast.Ident:
		return strconv.ParseBool(e.Name)
	case *ast.CallExpr:
		if f, ok := e.Fun.(*ast.SelectorExpr); !ok || f.Sel.Name != "String" || f.X.(*ast.Ident).Name != "jsii" {
			return nil, fmt.Errorf("a call of %v", e.Fun)
		}
		return goLiteral(e.Args[0])
	case *ast.CompositeLit:
		if _, ok := e.Type.(*ast.ArrayType); ok {
			list := []any{}
			for _, item := range e.Elts {
				v, err := goLiteral(item)
				if err != nil {
					return nil, err
				}
				list = append(list, v)
			}
			return list, nil
		}
		members := map[string]any{}
		for _, item := range e.Elts {
			pair := item.(*ast.KeyValueExpr)
			name, err := goName(pair.Key)
			if err != nil {
				return nil, err
			}
			if members[name], err = goLiteral(pair.Value); err != nil {
				return nil, err
			}
		}
		return members, nil
	default:
		return nil, fmt.Errorf("an expression %T", e)
	}
}

// goName is the field or the key before a colon.
func goName(e ast.Expr) (string, error) {
	if id, ok := e.(*ast.Ident); ok {
		return id.Name, nil
	}
	v, err := goLiteral(e)
	return fmt.Sprint(v), err
}
