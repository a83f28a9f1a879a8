package main

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

// TestConsumersPageHasWorkingCommands runs the commands of docs/consumers.md that name an example.
func TestConsumersPageHasWorkingCommands(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../../docs/consumers.md")
	if err != nil {
		t.Fatal(err)
	}
	commands := regexp.MustCompile(`(?m)^    replimend (.* docs/examples/.*)$`).FindAllStringSubmatch(string(page), -1)
	if len(commands) < 5 {
		t.Fatalf("the page has %d commands", len(commands))
	}
	for _, c := range commands {
		var out, errs strings.Builder
		p := &program{stdin: strings.NewReader(""), stdout: &out, stderr: &errs, getenv: func(string) string { return "" }}
		args := strings.Fields(strings.ReplaceAll(c[1], "docs/examples/", "../../docs/examples/"))
		if code := p.run(args); code == exitError || errs.Len() > 0 || args[0] == "plan" && code != exitFine {
			t.Errorf("replimend %s: exit code %d: %s%s", c[1], code, out.String(), errs.String())
		}
	}
}
