package main

import (
	"cmp"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"github.com/replimend/replimend/internal/diagnose"
	"github.com/replimend/replimend/internal/template"
)

var update = flag.Bool("update", false, "rewrite the want section of every case of check; read the difference before you keep it")

// TestCheckCases holds templates of the classes of mistakes that people publish against what check must say of them. A case is a
// sentence, the arguments, the files and what is wanted.
func TestCheckCases(t *testing.T) {
	t.Parallel()
	paths, err := filepath.Glob("testdata/check/*.txtar")
	if err != nil || len(paths) < 14 {
		t.Fatalf("%d cases: %v", len(paths), err)
	}
	for _, path := range paths {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".txtar"), func(t *testing.T) {
			t.Parallel()
			data, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			archive := txtar.Parse(data)
			if len(strings.TrimSpace(string(archive.Comment))) == 0 {
				t.Error("the case has no sentence")
			}
			i := slices.IndexFunc(archive.Files, func(f txtar.File) bool { return f.Name == "want" })
			if i < 0 {
				t.Fatal("the case has no want")
			}
			got := checkSummary(t, archive)
			if *update {
				archive.Files[i].Data = []byte(got)
				if err := os.WriteFile(path, txtar.Format(archive), 0o600); err != nil {
					t.Fatal(err)
				}
				return
			}
			if diff := gocmp.Diff(string(archive.Files[i].Data), got); diff != "" {
				t.Errorf("check differs (-want +got):\n%s", diff)
			}
		})
	}
}

// TestCheckPrintsDiagnoses holds the JSON of check against the schema of a diagnosis, which may have further members.
func TestCheckPrintsDiagnoses(t *testing.T) {
	t.Parallel()
	examples, err := filepath.Glob("../../docs/examples/templates/*")
	if err != nil || len(examples) < 4 {
		t.Fatalf("examples %v, error %v", examples, err)
	}
	for _, example := range examples {
		text := printed(t, "check", "--format", "json", example+"@111122223333/us-east-1")
		if err := validate(t, compile(t, "diagnosis.schema.json"), text); err != nil {
			t.Errorf("%s: %v", filepath.Base(example), err)
		}
	}
}

// checkSummary runs check on the files of a case and says the exit code, the notes and, of each route, the verdict and findings.
func checkSummary(t *testing.T, archive *txtar.Archive) string {
	t.Helper()
	dir := t.TempDir()
	args := []string{"check"}
	for _, f := range archive.Files {
		if f.Name != "args" {
			if err := os.WriteFile(filepath.Join(dir, f.Name), f.Data, 0o600); err != nil {
				t.Fatal(err)
			}
			continue
		}
		for arg := range strings.FieldsSeq(string(f.Data)) {
			if !strings.HasPrefix(arg, "--") {
				arg = filepath.Join(dir, arg)
			}
			args = append(args, arg)
		}
	}
	var out, errs strings.Builder
	p := &program{stdin: strings.NewReader(""), stdout: &out, stderr: &errs, getenv: func(string) string { return "" }}
	p.run(args)
	var b strings.Builder
	fmt.Fprintf(&b, "exit %d\n", p.code)
	if errs.Len() > 0 {
		b.WriteString(strings.ReplaceAll(errs.String(), dir+string(filepath.Separator), ""))
		return b.String()
	}
	d, result := checkAgain(t, args[1:])
	for _, n := range result.Notes {
		fmt.Fprintf(&b, "note %s: %s: %s\n", filepath.Base(n.File), n.Address, strings.ReplaceAll(n.Text, dir+string(filepath.Separator), ""))
	}
	for _, r := range d.Routes {
		fmt.Fprintf(&b, "%s → %s: %s\n", r.Source, r.Destination, r.Verdict)
		for _, f := range r.Findings {
			o, _ := originOf(result, f.Document)
			fmt.Fprintf(&b, "%s %s, %s of %s\n", f.Severity, f.Cause, f.Document.Kind, cmp.Or(o.Address, f.Document.ID))
		}
		if r.Plan != nil {
			for _, e := range r.Plan.Edits {
				fmt.Fprintf(&b, "edit %s", e.Document.Kind)
				for _, tuple := range e.Adds {
					fmt.Fprintf(&b, " %s", tuple[1])
				}
				b.WriteString("\n")
			}
		}
	}
	return b.String()
}

// checkAgain is what the run printed, as values.
func checkAgain(t *testing.T, args []string) (diagnose.Diagnosis, *template.Result) {
	t.Helper()
	p := &program{}
	cmd := p.checkCommand()
	if err := cmd.ParseFlags(args); err != nil {
		t.Fatal(err)
	}
	var c checking
	for _, f := range []struct {
		name string
		to   *[]string
	}{{"parameter", &c.parameters}, {"import", &c.imports}, {"provider", &c.providers}} {
		*f.to, _ = cmd.Flags().GetStringArray(f.name)
	}
	c.account, _ = cmd.Flags().GetString("account")
	c.region, _ = cmd.Flags().GetString("region")
	options, err := c.options()
	if err != nil {
		t.Fatal(err)
	}
	files, err := p.templates(c, cmd.Flags().Args())
	if err != nil {
		t.Fatal(err)
	}
	result, err := template.Parse(files, options)
	if err != nil {
		t.Fatal(err)
	}
	return judge(result), result
}
