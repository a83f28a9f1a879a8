package main

import (
	"fmt"
	"io/fs"
	"os"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
)

// TestLinksOfDocumentsResolve follows every link inside the repository that README.md, CHANGELOG.md and docs have.
func TestLinksOfDocumentsResolve(t *testing.T) {
	t.Parallel()
	links, faults := checkLinks(os.DirFS("../.."), "README.md", "CHANGELOG.md", "docs")
	if links < 100 {
		t.Errorf("%d links are too few: are they read?", links)
	}
	for _, fault := range faults {
		t.Error(fault)
	}
}

var (
	inlineLink = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	codeText   = regexp.MustCompile("(?ms)^```.*?^```$|`[^`\n]*`")
	anchorLine = regexp.MustCompile(`(?m)^#+ (.*)$`)
	noAnchor   = regexp.MustCompile(`[^\p{L}\p{N} _-]`)
)

// checkLinks is how many links inside the repository the Markdown below those paths has, and which of them lead nowhere.
func checkLinks(root fs.FS, paths ...string) (links int, faults []string) {
	report := func(format string, args ...any) { faults = append(faults, fmt.Sprintf(format, args...)) }
	for _, p := range paths {
		err := fs.WalkDir(root, p, func(name string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || path.Ext(name) != ".md" {
				return err
			}
			text, err := fs.ReadFile(root, name)
			if err != nil {
				return err
			}
			for _, m := range inlineLink.FindAllStringSubmatch(codeText.ReplaceAllString(string(text), ""), -1) {
				if strings.Contains(m[1], "://") {
					continue
				}
				links++
				file, anchor, _ := strings.Cut(m[1], "#")
				target := name
				if file != "" {
					target = path.Join(path.Dir(name), file)
				}
				if _, err := fs.Stat(root, target); err != nil {
					report("%s: the link %s leads nowhere: %v", name, m[1], err)
				} else if anchor != "" && !slices.Contains(anchors(root, target), anchor) {
					report("%s: the link %s leads to no heading", name, m[1])
				}
			}
			return nil
		})
		if err != nil {
			report("%v", err)
		}
	}
	return links, faults
}

// anchors is the names that GitHub gives to the headings of a file.
func anchors(root fs.FS, name string) []string {
	text, err := fs.ReadFile(root, name)
	if err != nil {
		return nil
	}
	var out []string
	for _, m := range anchorLine.FindAllStringSubmatch(string(text), -1) {
		out = append(out, strings.ReplaceAll(noAnchor.ReplaceAllString(strings.ToLower(m[1]), ""), " ", "-"))
	}
	return out
}

func TestLinksThatLeadNowhereAreFound(t *testing.T) {
	t.Parallel()
	links, faults := checkLinks(fstest.MapFS{
		"docs/a.md": {Data: []byte("# A\n\n[b](b.md) [head](b.md#the-head-of-b) [self](#a) [web](https://example.com/x) `[code](none.md)`\n")},
		"docs/b.md": {Data: []byte("# B\n\n## The `head` of B!\n\n[gone](gone.md) [no head](a.md#nothing) [outside](../../etc.md)\n")},
	}, "docs")
	if links != 6 || len(faults) != 3 {
		t.Errorf("%d links, want 6; faults, want 3: %q", links, faults)
	}
}
