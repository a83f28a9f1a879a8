package diagnose_test

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/replimend/replimend/internal/diagnose"
)

// The places of one cause in the repository.
const (
	codeDir  = "internal/diagnose"
	casesDir = "internal/diagnose/testdata/causes"
	pagesDir = "docs/causes"
	nearMiss = "near-miss-"
)

// checkRegistry is every way in which the catalogue, the code, the cases and the pages of a repository disagree.
func checkRegistry(names []string, root fs.FS) (faults []string) {
	report := func(format string, args ...any) { faults = append(faults, fmt.Sprintf(format, args...)) }
	for i, name := range names {
		if slices.Contains(names[:i], name) {
			report("%s: is in the catalogue twice", name)
			continue
		}
		file := path.Join(codeDir, strings.ReplaceAll(name, "-", "_")+".go")
		if _, err := fs.Stat(root, file); err != nil {
			report("%s: no file %s", name, file)
		}
		page := path.Join(pagesDir, name+".md")
		if text, err := fs.ReadFile(root, page); err != nil {
			report("%s: no page %s", name, page)
		} else if !strings.HasPrefix(string(text), "# "+name+"\n") {
			report("%s: %s does not begin with its name", name, page)
		}
		faults = append(faults, checkCases(name, root)...)
	}
	for _, entry := range entries(root, casesDir) {
		if !slices.Contains(names, entry) {
			report("%s/%s: no such cause", casesDir, entry)
		}
	}
	for _, entry := range entries(root, pagesDir) {
		if name := strings.TrimSuffix(entry, ".md"); entry != "README.md" && entry != "pages.go" && !slices.Contains(names, name) {
			report("%s/%s: no such cause", pagesDir, entry)
		}
	}
	return faults
}

// checkCases is what the folder of a cause lacks: a case that has the cause, a near miss, and no near miss that has it.
func checkCases(name string, root fs.FS) (faults []string) {
	report := func(format string, args ...any) { faults = append(faults, fmt.Sprintf(format, args...)) }
	dir := path.Join(casesDir, name)
	if _, err := fs.Stat(root, dir); errors.Is(err, fs.ErrNotExist) {
		report("%s: no folder %s", name, dir)
		return faults
	}
	matches, misses := false, false
	for _, entry := range entries(root, dir) {
		file := path.Join(dir, entry)
		text, err := fs.ReadFile(root, file)
		if err != nil || !strings.HasSuffix(entry, ".txtar") {
			report("%s: is no case", file)
			continue
		}
		has := wants(text, name)
		switch {
		case !strings.HasPrefix(entry, nearMiss):
			matches = matches || has
		case has:
			report("%s: a near miss must not have the cause", file)
		default:
			misses = true
		}
	}
	if !matches {
		report("%s: no case in %s has the cause", name, dir)
	}
	if !misses {
		report("%s: no near miss in %s", name, dir)
	}
	return faults
}

// wants says whether a finding of the case's want has the cause.
func wants(text []byte, cause string) bool {
	for _, f := range txtar.Parse(text).Files {
		if f.Name != "want" {
			continue
		}
		for line := range strings.Lines(string(f.Data)) {
			severities := []string{"fault", "warning", "advice"}
			if words := strings.Fields(line); len(words) > 1 && slices.Contains(severities, words[0]) && words[1] == cause {
				return true
			}
		}
	}
	return false
}

func entries(root fs.FS, dir string) []string {
	var out []string
	all, _ := fs.ReadDir(root, dir) // what is not there is reported by name
	for _, e := range all {
		out = append(out, e.Name())
	}
	return out
}

func TestEveryCauseHasItsFileCasesAndPage(t *testing.T) {
	t.Parallel()
	var names []string
	for _, c := range diagnose.Causes() {
		names = append(names, c.Name)
		if c.Summary == "" || c.Remedy == "" || len(c.Documents) == 0 {
			t.Errorf("%s: the index needs a summary, a remedy and the documents in which it is found", c.Name)
		}
		if !slices.Contains(diagnose.Groups(), c.Group) {
			t.Errorf("%s: the index has no group %q", c.Name, c.Group)
		}
	}
	for _, fault := range checkRegistry(names, os.DirFS("../..")) {
		t.Error(fault)
	}
}

func TestRegistryNamesWhatIsWrong(t *testing.T) {
	t.Parallel()
	const (
		match = "A sentence.\n-- base --\nb\n-- want --\nverdict broken\nfault some-cause source role-policy documented automatic at read-object\nno plan\n"
		miss  = "A sentence.\n-- base --\nb\n-- want --\nverdict healthy\nno plan\n"
	)
	whole := func() fstest.MapFS {
		return fstest.MapFS{
			"internal/diagnose/some_cause.go":                                {},
			"internal/diagnose/testdata/causes/some-cause/one.txtar":         {Data: []byte(match)},
			"internal/diagnose/testdata/causes/some-cause/near-miss-x.txtar": {Data: []byte(miss)},
			"docs/causes/some-cause.md":                                      {Data: []byte("# some-cause\n")},
			"docs/causes/README.md":                                          {},
		}
	}
	one := []string{"some-cause"}
	for name, c := range map[string]struct {
		names  []string
		change func(m fstest.MapFS)
		want   string
	}{
		"nothing is wrong": {one, func(fstest.MapFS) {}, ""},
		"a cause twice":    {[]string{"some-cause", "some-cause"}, func(fstest.MapFS) {}, "is in the catalogue twice"},
		"no file":          {one, func(m fstest.MapFS) { delete(m, "internal/diagnose/some_cause.go") }, "no file internal/diagnose/some_cause.go"},
		"no folder": {one, func(m fstest.MapFS) {
			delete(m, "internal/diagnose/testdata/causes/some-cause/one.txtar")
			delete(m, "internal/diagnose/testdata/causes/some-cause/near-miss-x.txtar")
		}, "no folder internal/diagnose/testdata/causes/some-cause"},
		"no case":              {one, func(m fstest.MapFS) { delete(m, "internal/diagnose/testdata/causes/some-cause/one.txtar") }, "no case in"},
		"a case without cause": {one, func(m fstest.MapFS) { m["internal/diagnose/testdata/causes/some-cause/one.txtar"].Data = []byte(miss) }, "no case in"},
		"a cause in the comment": {one, func(m fstest.MapFS) {
			m["internal/diagnose/testdata/causes/some-cause/one.txtar"].Data = []byte("fault some-cause\n" + miss)
		}, "no case in"},
		"no near miss": {one, func(m fstest.MapFS) {
			delete(m, "internal/diagnose/testdata/causes/some-cause/near-miss-x.txtar")
		}, "no near miss in"},
		"a near miss with the cause": {one, func(m fstest.MapFS) {
			m["internal/diagnose/testdata/causes/some-cause/near-miss-x.txtar"].Data = []byte(match)
		}, "a near miss must not have the cause"},
		"something else in the folder": {one, func(m fstest.MapFS) {
			m["internal/diagnose/testdata/causes/some-cause/notes.txt"] = &fstest.MapFile{}
		}, "notes.txt: is no case"},
		"no page":              {one, func(m fstest.MapFS) { delete(m, "docs/causes/some-cause.md") }, "no page docs/causes/some-cause.md"},
		"a page of another":    {one, func(m fstest.MapFS) { m["docs/causes/some-cause.md"].Data = []byte("# other\n") }, "does not begin with its name"},
		"a page without cause": {one, func(m fstest.MapFS) { m["docs/causes/gone.md"] = &fstest.MapFile{} }, "docs/causes/gone.md: no such cause"},
		"a folder without cause": {one, func(m fstest.MapFS) {
			m["internal/diagnose/testdata/causes/gone/one.txtar"] = &fstest.MapFile{}
		}, "internal/diagnose/testdata/causes/gone: no such cause"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			root := whole()
			c.change(root)
			got := strings.Join(checkRegistry(c.names, root), "\n")
			if c.want == "" && got != "" || !strings.Contains(got, c.want) {
				t.Errorf("want %q, got %q", c.want, got)
			}
		})
	}
}
