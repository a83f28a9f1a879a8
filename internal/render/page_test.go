package render_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/charmbracelet/lipgloss"

	"github.com/replimend/replimend/internal/diagnose"
)

// oneWord is what is never broken: a word, with code between backticks.
var oneWord = regexp.MustCompile("(?:`[^`]*`|[^ `])+")

var address = regexp.MustCompile(`<(https://[^>]+)>`)

// TestPagesOfCausesFit prints the pages themselves. A line is longer than the page only where it is code, or one word.
func TestPagesOfCausesFit(t *testing.T) {
	t.Parallel()
	paths, err := filepath.Glob("../../docs/causes/*.md")
	if err != nil || len(paths) == 0 {
		t.Fatalf("no pages: %v", err)
	}
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if filepath.Base(path) == "README.md" { // nobody prints the index
			continue
		}
		for _, width := range []int{60, 80, 120} {
			got := plain(width).Page(string(text))
			for line := range strings.Lines(got) {
				line = strings.TrimSuffix(line, "\n")
				words := oneWord.FindAllString(strings.TrimLeft(line, "- "), -1)
				if lipgloss.Width(line) > width && len(words) > 1 && !inCode(string(text), line) {
					t.Errorf("%s, width %d: a line has %d cells: %s", path, width, lipgloss.Width(line), line)
				}
				if trimmed := strings.TrimSpace(line); trimmed == "-" || strings.HasSuffix(line, " ") {
					t.Errorf("%s, width %d: a line is %q", path, width, line)
				}
			}
			if strings.Contains(got, "<https://") || strings.Contains(got, "**Documented") || strings.Contains(got, "```") {
				t.Errorf("%s: marks of Markdown are printed", path)
			}
			for _, m := range address.FindAllStringSubmatch(string(text), -1) {
				if !strings.Contains(got, m[1]+"\n") {
					t.Errorf("%s, width %d: %s is not in one piece", path, width, m[1])
				}
			}
		}
	}
}

// inCode says whether a printed line stands in a code block of the page.
func inCode(markdown, line string) bool {
	for i, part := range strings.Split(markdown, "```") {
		if i%2 == 1 && strings.Contains(strings.ReplaceAll(part, "\t", "    "), strings.TrimPrefix(line, "  ")) {
			return true
		}
	}
	return false
}

func TestPage(t *testing.T) {
	t.Parallel()
	const markdown = "# a-cause\n\nSee **this** and [that page](that-page.md), or `aws kms list-aliases --region us-east-1` and `**` as they are.\n\n" +
		"- one: a list whose item is longer than sixty cells, so that it goes on below its text\n  - two, nested, and its own item is longer than the page, too\n" +
		"- <https://docs.aws.amazon.com/AmazonS3/latest/userguide/replication-config-for-kms-objects.html>\n\n" +
		"| service | on the bucket |\n|---|---|\n| Config | `s3:GetBucketAcl`, `s3:PutObject` and whatever else makes it too wide |\n\n```go\n\tx := \"| no table\"\n```\n"
	golden(t, "page.txt", plain(60).Page(markdown))
}

func TestCausesAreGrouped(t *testing.T) {
	t.Parallel()
	all := diagnose.Causes()
	got := plain(80).Causes(all)
	for _, c := range all {
		if !strings.Contains(got, "\n  "+c.Name+" ("+string(c.Remedy)+")\n      ") {
			t.Errorf("%s is not in the list", c.Name)
		}
	}
	for _, g := range diagnose.Groups() {
		if !strings.Contains("\n"+got, "\n"+string(g)+"\n  ") {
			t.Errorf("group %q has no causes", g)
		}
	}
	for line := range strings.Lines(got) {
		if lipgloss.Width(strings.TrimSuffix(line, "\n")) > 80 {
			t.Errorf("too long: %s", line)
		}
	}
}
