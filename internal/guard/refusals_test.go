package guard_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/replimend/replimend/internal/guard"
)

// refusal is one line of a table of docs/refusals.md: what, rule, decision, case and the case's file.
var refusal = regexp.MustCompile(`(?m)^\| (.+) \| ([a-z-]+) \| (refuse|ask) \| \[([a-z0-9-]+)\]\(\.\./internal/guard/(testdata/rules/[a-z-]+/[a-z0-9-]+\.txtar)\) \|$`)

// TestRefusalsPage: each line of the page is what the rule says in the case that it names, every rule has a line, and the tests
// that the page names are there.
func TestRefusalsPage(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../../docs/refusals.md")
	if err != nil {
		t.Fatal(err)
	}
	lines := refusal.FindAllStringSubmatch(string(page), -1)
	if rows := strings.Count(string(page), "\n| ") - strings.Count(string(page), "\n| What |"); rows != len(lines) {
		t.Errorf("%d rows of tables, %d of the form that this test reads", rows, len(lines))
	}
	known, seen := map[string]bool{}, map[string]bool{}
	for _, rule := range guard.Rules() {
		known[rule.Name] = false
	}
	for _, l := range lines {
		what, rule, decision, name, path := l[1], l[2], l[3], l[4], l[5]
		if _, ok := known[rule]; !ok || path != "testdata/rules/"+rule+"/"+name+".txtar" {
			t.Errorf("%s: there is no rule %s, or %s is none of its cases", what, rule, path)
			continue
		}
		known[rule] = true
		if seen[path+decision] {
			t.Errorf("%s: %s stands twice", what, path)
		}
		seen[path+decision] = true
		archive, err := txtar.ParseFile(path)
		if err != nil {
			t.Errorf("%s: %v", what, err)
			continue
		}
		if verdict := archive.Files[len(archive.Files)-1].Data; !strings.Contains(string(verdict), "\n"+rule+": "+decision+": ") {
			t.Errorf("%s: in %s rule %s does not %s:\n%s", what, path, rule, decision, verdict)
		}
	}
	for rule, has := range known {
		if !has {
			t.Errorf("rule %s has no line", rule)
		}
	}
	var code strings.Builder
	files, err := filepath.Glob("*_test.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		text, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		code.Write(text)
	}
	for _, name := range regexp.MustCompile("`(Test[A-Za-z]+)`").FindAllStringSubmatch(string(page), -1) {
		if !strings.Contains(code.String(), "func "+name[1]+"(") {
			t.Errorf("there is no test %s", name[1])
		}
	}
}
