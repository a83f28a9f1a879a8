package layering

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"io/fs"
	"os/exec"
	"path"
	"slices"
	"strconv"
	"strings"
)

// A graph is what the rules look at: the packages of this module, and who imports whom outside of it.
type graph struct {
	module   string
	packages map[string]*pkg
	outside  map[string][]string
}

// A pkg is one folder with Go files. Files of every platform and build tag count.
type pkg struct {
	imports    []use
	clock      []use
	goroutines []use
}

// A use is one place in one file.
type use struct {
	what string
	at   string
	test bool
}

// inside returns the path of a package of this module relative to the module's root.
func (g graph) inside(importPath string) (string, bool) {
	if importPath == g.module {
		return ".", true
	}
	return strings.CutPrefix(importPath, g.module+"/")
}

// reach returns a shortest chain of imports from a package outside the module to one that is wanted, or nil.
func (g graph) reach(importPath string, wanted func(string) bool) []string {
	return search(importPath, func(p string) []string { return g.outside[p] }, wanted)
}

// search walks breadth first and returns the chain from start to the first wanted path.
func search(start string, next func(string) []string, wanted func(string) bool) []string {
	chains := [][]string{{start}}
	seen := map[string]bool{start: true}
	for len(chains) > 0 {
		chain := chains[0]
		chains = chains[1:]
		last := chain[len(chain)-1]
		if wanted(last) {
			return chain
		}
		for _, p := range next(last) {
			if !seen[p] {
				seen[p] = true
				chains = append(chains, append(slices.Clip(chain), p))
			}
		}
	}
	return nil
}

// readTree parses every Go file of the module. It reads folders itself rather than asking the go command, which leaves out
// files of other platforms and folders in which no file matches this one; a walk also tells the test cache what to watch.
func readTree(tree fs.FS) (graph, error) {
	mod, err := fs.ReadFile(tree, "go.mod")
	if err != nil {
		return graph{}, fmt.Errorf("read tree: %w", err)
	}
	g := graph{packages: map[string]*pkg{}}
	for line := range strings.Lines(string(mod)) {
		if name, ok := strings.CutPrefix(line, "module "); ok {
			g.module = strings.TrimSpace(name)
		}
	}
	err = fs.WalkDir(tree, ".", func(dir string, d fs.DirEntry, err error) error {
		if err != nil || !d.IsDir() {
			return err
		}
		if dir != "." && ignored(tree, dir) {
			return fs.SkipDir
		}
		p, err := readPackage(tree, dir)
		if err != nil {
			return err
		}
		if p != nil {
			g.packages[dir] = p
		}
		return nil
	})
	return g, err
}

// ignored tells which folders the go command leaves out: by name, by go.mod, or as modules of their own.
func ignored(tree fs.FS, dir string) bool {
	name := path.Base(dir)
	if strings.HasPrefix(name, ".") || strings.HasPrefix(name, "_") || name == "testdata" {
		return true
	}
	if name == "node_modules" || dir == "cdk.out" || dir == "dist" {
		return true
	}
	_, err := fs.Stat(tree, path.Join(dir, "go.mod"))
	return err == nil
}

// readPackage returns nil for a folder without Go files.
func readPackage(tree fs.FS, dir string) (*pkg, error) {
	names, err := fs.Glob(tree, path.Join(dir, "*.go"))
	if err != nil || len(names) == 0 {
		return nil, err
	}
	set := token.NewFileSet()
	files := map[string]*ast.File{}
	library := false
	for _, name := range names {
		src, err := fs.ReadFile(tree, name)
		if err != nil {
			return nil, fmt.Errorf("read package %s: %w", dir, err)
		}
		file, err := parser.ParseFile(set, name, src, parser.SkipObjectResolution)
		if err != nil {
			return nil, fmt.Errorf("read package %s: %w", dir, err)
		}
		files[name] = file
		library = library || file.Name.Name != "main" && !isTest(name)
	}
	p := &pkg{}
	for _, name := range names {
		// A main file in a library's folder is a generator behind a build tag. It ships nowhere, so it is treated as a test.
		script := library && files[name].Name.Name == "main"
		p.readFile(set, files[name], isTest(name) || script)
	}
	return p, nil
}

func isTest(name string) bool { return strings.HasSuffix(name, "_test.go") }

// clocks are the names in package time that look at the machine's clock, or at its time zone.
var clocks = []string{
	"Now", "Since", "Until", "After", "AfterFunc", "Tick", "NewTicker", "NewTimer", "Sleep", "Local", "LoadLocation",
}

func (p *pkg) readFile(set *token.FileSet, file *ast.File, test bool) {
	at := func(n ast.Node) string {
		pos := set.Position(n.Pos())
		return fmt.Sprintf("%s:%d", pos.Filename, pos.Line)
	}
	timeName := ""
	for _, spec := range file.Imports {
		what, _ := strconv.Unquote(spec.Path.Value) // The parser has checked the literal.
		p.imports = append(p.imports, use{what, at(spec), test})
		if what != "time" {
			continue
		}
		timeName = "time"
		if spec.Name != nil {
			timeName = spec.Name.Name
		}
		if timeName == "." {
			p.clock = append(p.clock, use{"a dot import of time, which hides the clock", at(spec), test})
		}
	}
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.GoStmt:
			p.goroutines = append(p.goroutines, use{"go", at(n), test})
		case *ast.SelectorExpr:
			// A value counts as much as a call: handing on time.Now hands on the clock.
			x, ok := n.X.(*ast.Ident)
			if ok && timeName != "" && x.Name == timeName && slices.Contains(clocks, n.Sel.Name) {
				p.clock = append(p.clock, use{"time." + n.Sel.Name, at(n), test})
			}
		}
		return true
	})
}

// listOutside asks the go command for the imports of every package that this module needs and does not hold itself.
func listOutside(ctx context.Context, root, module string) (map[string][]string, error) {
	// With -e a package that does not compile yet is left to the compiler to report.
	cmd := exec.CommandContext(ctx, "go", "list", "-e", "-deps", "-json=ImportPath,Imports", "./...")
	cmd.Dir = root
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("list packages: %w: %s", err, bytes.TrimSpace(stderr.Bytes()))
	}
	outside := map[string][]string{}
	for dec := json.NewDecoder(bytes.NewReader(out)); ; {
		var listed struct {
			ImportPath string
			Imports    []string
		}
		if err := dec.Decode(&listed); errors.Is(err, io.EOF) {
			return outside, nil
		} else if err != nil {
			return nil, fmt.Errorf("read package list: %w", err)
		}
		if !underAny(listed.ImportPath, module) {
			outside[listed.ImportPath] = listed.Imports
		}
	}
}
