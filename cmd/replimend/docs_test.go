package main

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// shown is a command line that a document shows: behind four spaces, or in a block of sh, perhaps of a workflow.
var shown = regexp.MustCompile(`(?m)^(?: {4,}|    - |)(?:bin/)?replimend ([a-z].*)$`)

// notRun is the command lines of the documents that no test can run as they are, and why.
var notRun = map[string]string{
	"check FILE[@ACCOUNT/REGION] [FILE…]":                                                              "names stand for values",
	"diagnose --principal ARN --bucket NAME --operation get|put [--key KEY] --snapshot FILE":           "names stand for values",
	"plan --principal ARN --bucket NAME --operation get|put [--key KEY] --snapshot FILE --format diff": "names stand for values",
	"diagnose --snapshot snapshot.json":                                                                "the file is the reader's",
	"plan --snapshot snapshot.json --format diff":                                                      "the file is the reader's",
	"diagnose --snapshot snapshot.json --event denied.json":                                            "the files are the reader's",
	"check": "its files follow on lines of their own, and are the reader's",
	"check plan.json --account 111122223333 --region us-east-1": "the file is the reader's",
}

// TestCommandsOfDocumentsRun runs what README.md and docs show as they show it, at the root of the repository. Of what cannot be
// run the flags are checked.
func TestCommandsOfDocumentsRun(t *testing.T) {
	t.Chdir("../..")
	left := make(map[string]bool)
	for line := range notRun {
		left[line] = true
	}
	ran := 0
	for _, name := range documents(t) {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range shown.FindAllStringSubmatch(string(text), -1) {
			line := strings.TrimSpace(m[1])
			if notRun[line] != "" || needsAccount(line) {
				delete(left, line)
				knowsFlags(t, name, line)
				continue
			}
			ran++
			var out, errs strings.Builder
			p := &program{stdin: strings.NewReader(""), stdout: &out, stderr: &errs, getenv: func(string) string { return "" }}
			p.run(strings.Fields(line))
			if p.code == exitError || errs.Len() > 0 || out.Len() == 0 {
				t.Errorf("%s: replimend %s: exit code %d, %s", name, line, p.code, errs.String())
			}
		}
	}
	if ran < 5 {
		t.Errorf("%d command lines were run: are they read?", ran)
	}
	for line := range left {
		t.Errorf("no document shows replimend %s", line)
	}
}

// needsAccount says whether a line talks to AWS, or tells what such a line did. TestReadmeAgainstTheEmulator runs those of README.md.
func needsAccount(line string) bool {
	return strings.Contains(line, "--profile") || strings.HasPrefix(line, "incidents ") || strings.HasPrefix(line, "suppressions ") ||
		strings.HasPrefix(line, "page ") || strings.HasPrefix(line, "approve ") || strings.HasPrefix(line, "reject ") || strings.HasPrefix(line, "recall ")
}

var flagOf = regexp.MustCompile(`--[a-z-]+`)

// knowsFlags wants the command of a line and its flags in the help.
func knowsFlags(t *testing.T, name, line string) {
	t.Helper()
	var out, errs strings.Builder
	p := &program{stdin: strings.NewReader(""), stdout: &out, stderr: &errs, getenv: func(string) string { return "" }}
	var command []string
	for _, word := range strings.Fields(line) {
		if !slices.Contains([]string{"routes", "adopt", "list", "incidents", "show", "suppressions", "add", "lift"}, word) && len(command) > 0 {
			break
		}
		command = append(command, word)
	}
	p.run(append(command, "--help"))
	if !strings.Contains(out.String(), "\n  replimend "+strings.Join(command, " ")) {
		t.Errorf("%s: replimend %s: no such command", name, line)
	}
	for _, flag := range flagOf.FindAllString(line, -1) {
		if !strings.Contains(out.String(), flag+" ") {
			t.Errorf("%s: replimend %s: no flag %s", name, line, flag)
		}
	}
}

// TestDeploymentIsAsDocumented holds docs/deploy.md and the table of README.md against what infra makes, whose templates and costs are
// golden files: every alarm has its row, every template its place, and what is idle costs what is said. Its commands of make are
// targets.
func TestDeploymentIsAsDocumented(t *testing.T) {
	t.Chdir("../..")
	read := func(name string) string {
		t.Helper()
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	page, makefile := read("docs/deploy.md"), read("Makefile")
	if costs := read("infra/testdata/costs.md"); !strings.Contains(read("README.md"), "\n"+costs) {
		t.Errorf("README.md lacks the table of infra/testdata/costs.md:\n%s", costs)
	}
	hub := read("infra/testdata/templates/replimend-hub.json")
	named := regexp.MustCompile(`"(AlarmName|QueueName|DashboardName|TableName)": "([^"]+)"`).FindAllStringSubmatch(hub, -1)
	if len(named) < 20 {
		t.Errorf("%d names were found in the template of the hub", len(named))
	}
	for _, m := range named {
		if !strings.Contains(page, "`"+m[2]+"`") {
			t.Errorf("docs/deploy.md says nothing of %s %s", m[1], m[2])
		}
	}
	for _, output := range []string{"ApprovalEndpoint", "PageEndpoint", "SlackEndpoint"} {
		if !strings.Contains(hub, `"`+output+`"`) || !strings.Contains(page, output) {
			t.Errorf("%s is not both an output of the hub and in docs/deploy.md", output)
		}
	}
	commands := regexp.MustCompile(`(?m)^ {4}(?:AWS_PROFILE=\S+ )?make ([a-z-]+)(.*)$`).FindAllStringSubmatch(page, -1)
	if len(commands) < 15 {
		t.Errorf("%d commands of make were found in docs/deploy.md", len(commands))
	}
	for _, m := range commands {
		if !strings.Contains(makefile, "\n"+m[1]+":") {
			t.Errorf("docs/deploy.md: make has no target %s", m[1])
		}
		for _, v := range regexp.MustCompile(`[A-Z_]{4,}=`).FindAllString(m[2], -1) {
			if !strings.Contains(makefile, "$("+strings.TrimSuffix(v, "=")+")") {
				t.Errorf("docs/deploy.md: make reads no variable %s", v)
			}
		}
	}
}

func documents(t *testing.T) []string {
	t.Helper()
	out := []string{"README.md"}
	err := filepath.WalkDir("docs", func(name string, _ fs.DirEntry, err error) error {
		if filepath.Ext(name) == ".md" {
			out = append(out, name)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}
