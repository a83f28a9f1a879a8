package main

import (
	"fmt"
	"go/format"
	"go/parser"
	"go/token"
	"go/types"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

const cdkModule = "github.com/aws/aws-cdk-go/awscdk/v2"

// constructs is what the snippets of the pages take for granted: the constructs that a reader has in a stack already.
var constructs = map[string]string{
	"stack":       "awscdk.Stack",
	"role":        "awsiam.Role",
	"batchRole":   "awsiam.Role",
	"boundary":    "awsiam.ManagedPolicy",
	"statement":   "awsiam.PolicyStatement",
	"bucket":      "awss3.Bucket",
	"source":      "awss3.Bucket",
	"destination": "awss3.Bucket",
	"key":         "awskms.Key",
	"queue":       "awssqs.Queue",
}

// packages is where the identifiers before a dot come from.
var packages = map[string]string{
	"awscdk":             cdkModule,
	"awsiam":             cdkModule + "/awsiam",
	"awskms":             cdkModule + "/awskms",
	"awsorganizations":   cdkModule + "/awsorganizations",
	"awss3":              cdkModule + "/awss3",
	"awss3notifications": cdkModule + "/awss3notifications",
	"awssqs":             cdkModule + "/awssqs",
	"customresources":    cdkModule + "/customresources",
	"jsii":               "github.com/aws/jsii-runtime-go",
}

// writeSnippets writes a package for each page that shows Go: a function around its statements, so that a compiler can check them
// against the CDK.
func writeSnippets(pages, dir string) error {
	paths, err := filepath.Glob(filepath.Join(pages, "*.md"))
	if err != nil || len(paths) == 0 {
		return fmt.Errorf("find pages in %s: none (%v)", pages, err)
	}
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		for i, b := range blocks(string(text)) {
			if b.language != "go" {
				continue
			}
			source, err := program(b.text)
			if err != nil {
				return fmt.Errorf("wrap Go of %s: %w", path, err)
			}
			folder := filepath.Join(dir, fmt.Sprintf("%s-%d", strings.TrimSuffix(filepath.Base(path), ".md"), i))
			if err := os.MkdirAll(folder, 0o755); err != nil {
				return err
			}
			if err := os.WriteFile(filepath.Join(folder, "page.go"), source, 0o644); err != nil {
				return err
			}
		}
	}
	return nil
}

// program is a file with a function of those statements. What they do not declare is a parameter, a package or an error.
func program(statements string) ([]byte, error) {
	const begin = "package page\n\nfunc page() {\n"
	file, err := parser.ParseFile(token.NewFileSet(), "page.go", begin+statements+"}\n", 0)
	if err != nil {
		return nil, err
	}
	imports, params := make(map[string]bool), make(map[string]string)
	for _, id := range file.Unresolved {
		if packages[id.Name] != "" {
			imports[id.Name] = true
		} else if kind := constructs[id.Name]; kind != "" {
			params[id.Name] = kind
			imports[strings.Split(kind, ".")[0]] = true
		} else if types.Universe.Lookup(id.Name) == nil {
			return nil, fmt.Errorf("no construct or package is called %s", id.Name)
		}
	}
	var b strings.Builder
	b.WriteString("package page\n\nimport (\n")
	for _, name := range slices.Sorted(maps.Keys(imports)) {
		fmt.Fprintf(&b, "\t%q\n", packages[name])
	}
	b.WriteString(")\n\nfunc page(")
	for _, name := range slices.Sorted(maps.Keys(params)) {
		fmt.Fprintf(&b, "%s %s, ", name, params[name])
	}
	b.WriteString(") {\n" + statements + "}\n")
	return format.Source([]byte(b.String()))
}
