package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/replimend/replimend/internal/jsontree"
	"github.com/replimend/replimend/internal/settings"
)

// rehearses plays the demo's scenario with further arguments.
func rehearses(args ...string) result {
	var out, errs strings.Builder
	p := &program{stdin: strings.NewReader(""), stdout: &out, stderr: &errs, getenv: func(string) string { return "" }}
	code := p.run(append([]string{"rehearse", "--only", "cross-account-kms", "--show", "none"}, args...))
	return result{code, out.String(), errs.String()}
}

// TestChatIsShownAsEachToolGetsIt in both languages, and only for the tools that were asked for.
func TestChatIsShownAsEachToolGetsIt(t *testing.T) {
	t.Parallel()
	for language, want := range map[string]string{"en": "cured: amzn-s3-demo-source", "ja": "復旧しました: amzn-s3-demo-source"} {
		got := rehearses("--chat", "all", "--lang", language)
		if got.code != exitFine {
			t.Fatalf("exit code %d: %s", got.code, got.errors)
		}
		shown := strings.Split(got.out, " gets it")
		var tools []string
		for i, text := range shown[1:] {
			before := shown[i]
			tools = append(tools, before[strings.LastIndex(before, " ")+1:])
			if !strings.Contains(text, want) {
				t.Errorf("%s %s does not say %q:\n%s", language, tools[i], want, text)
			}
		}
		var all []string
		for _, tool := range settings.Tools() {
			all = append(all, string(tool))
		}
		if !slices.Equal(tools, all) {
			t.Errorf("shown are %v", tools)
		}
	}
	if got := rehearses("--chat", "email,slack"); strings.Count(got.out, " gets it") != 2 || !strings.Contains(got.out, "as email gets it") {
		t.Errorf("two were asked for:\n%s", got.out)
	}
	if got := rehearses(); strings.Contains(got.out, "gets it") {
		t.Errorf("nothing was asked for:\n%s", got.out)
	}
	for _, args := range [][]string{{"--chat", "smoke-signals"}, {"--chat", "slack", "--lang", "fr"}} {
		if got := rehearses(args...); got.code != exitError || !strings.Contains(got.errors, "hint") {
			t.Errorf("%v: exit code %d, %s", args, got.code, got.errors)
		}
	}
}

// TestBrokenJSONIsTheSame value as before.
func TestBrokenJSONIsTheSame(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("../../internal/notify/testdata/*/proposal-en.json")
	if err != nil || len(files) < 10 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	for _, file := range files {
		body, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		want, err := jsontree.Parse(body, len(body))
		if err != nil {
			continue // a form, or a text
		}
		text := broken(want, 0)
		if got, err := jsontree.Parse([]byte(text), len(text)); err != nil || !jsontree.Equal(got, want) {
			t.Errorf("%s: another value, %v:\n%s", file, err, text)
		}
	}
}
