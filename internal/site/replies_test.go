package site_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/replimend/replimend/internal/catalogue"
	"github.com/replimend/replimend/internal/settings"
)

var coded = regexp.MustCompile(`(?:no|Refuse)\(http\.Status\w+, "([a-z-]+)"|code: "([a-z-]+)"`)

// TestReplies: whatever the page may say, and whatever the desk refuses, has words in every language.
func TestReplies(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, file := range append(files, "../desk/desk.go") {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range coded.FindAllStringSubmatch(string(text), -1) {
			seen[m[1]+m[2]] = true
		}
	}
	for code := range seen {
		for _, l := range settings.Languages() {
			if title, words, ok := catalogue.Reply(l, code); !ok || title == "" || words == "" {
				t.Errorf("%s has no words in %s", code, l)
			}
		}
	}
	if len(seen) < 30 {
		t.Errorf("%d codes were found: are they looked for?", len(seen))
	}
}
