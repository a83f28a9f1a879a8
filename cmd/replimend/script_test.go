package main

import (
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// In the scripts, replimend is this test binary, which runs the real main.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"replimend": main})
}

func TestScripts(t *testing.T) {
	t.Parallel()
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script",
		Setup: func(env *testscript.Env) error {
			env.Setenv("EXAMPLES", filepath.Join(root, "docs", "examples"))
			env.Setenv("ROOT", root)
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits": exits, "oneline": oneLine, "printable": printable,
		},
		RequireExplicitExec: true,
	})
}

// exits runs a program and wants exactly that exit code: exits 3 replimend diagnose …
func exits(ts *testscript.TestScript, neg bool, args []string) {
	want, err := strconv.Atoi(args[0])
	if neg || err != nil {
		ts.Fatalf("usage: exits CODE PROGRAM [ARGUMENT…]")
	}
	err = ts.Exec(args[1], args[2:]...)
	got := 0
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		got = exit.ExitCode()
	} else if err != nil {
		ts.Fatalf("run %s: %v", args[1], err)
	}
	if got != want {
		ts.Fatalf("%s exits with %d, want %d", strings.Join(args[1:], " "), got, want)
	}
}

// oneLine wants errors in their form: one line that says what, and one that says what to do.
func oneLine(ts *testscript.TestScript, _ bool, _ []string) {
	if text := ts.ReadFile("stderr"); !regexp.MustCompile(`^replimend: [^A-Z\n][^\n]*[^.\n]\nhint: [^\n]+\n$`).MatchString(text) {
		ts.Fatalf("not an error line and a hint: %q", text)
	}
}

// printable wants a stream without anything that a terminal obeys.
func printable(ts *testscript.TestScript, _ bool, args []string) {
	text := ts.ReadFile(args[0])
	if i := strings.IndexFunc(text, func(r rune) bool { return r != '\n' && !strconv.IsPrint(r) }); i >= 0 {
		ts.Fatalf("%s has a control character: %q", args[0], text[max(0, i-40):min(len(text), i+40)])
	}
}

// TestHelpShowsWorkingExamples takes the examples out of what --help prints and runs them in a shell, as a reader would.
func TestHelpShowsWorkingExamples(t *testing.T) {
	t.Parallel()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	bin := t.TempDir()
	if err := os.Symlink(self, filepath.Join(bin, "replimend")); err != nil {
		t.Fatal(err)
	}
	shell := func(line string) (string, int) {
		cmd := exec.CommandContext(t.Context(), "sh", "-c", line)
		cmd.Dir = "../.."
		cmd.Env = append(os.Environ(), "PATH="+bin+string(os.PathListSeparator)+os.Getenv("PATH"))
		out, err := cmd.CombinedOutput()
		var exit *exec.ExitError
		if err != nil && !errors.As(err, &exit) {
			t.Fatalf("%s: %v", line, err)
		}
		return string(out), cmd.ProcessState.ExitCode()
	}
	for _, command := range []string{"", "check", "diagnose", "plan", "simulate", "rehearse", "version"} {
		t.Run("replimend "+command, func(t *testing.T) {
			t.Parallel()
			help, code := shell("replimend " + command + " --help")
			_, examples, ok := strings.Cut(help, "\nExamples:\n")
			if code != 0 || !ok {
				t.Fatalf("exit code %d, no example:\n%s", code, help)
			}
			examples, _, _ = strings.Cut(examples, "\n\n")
			for line := range strings.Lines(examples) {
				if out, code := shell(strings.TrimSpace(line)); code == exitError || out == "" {
					t.Errorf("%s exits with %d:\n%s", strings.TrimSpace(line), code, out)
				}
			}
		})
	}
}

// TestExamplesHaveTheirExitCodes holds the page of the examples against the program.
func TestExamplesHaveTheirExitCodes(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../../docs/examples/README.md")
	if err != nil {
		t.Fatal(err)
	}
	rows := regexp.MustCompile(`(?m)^\| \[([^]]+\.json)\].* \| (\w+) \| (\d) \|$`).FindAllStringSubmatch(string(page), -1)
	if len(rows) < 8 {
		t.Fatalf("the page lists %d examples", len(rows))
	}
	for _, row := range rows {
		var out, errs strings.Builder
		p := &program{stdin: strings.NewReader(""), stdout: &out, stderr: &errs, getenv: func(string) string { return "" }}
		code := p.run([]string{"diagnose", "--snapshot", "../../docs/examples/" + row[1]})
		first, _, _ := strings.Cut(out.String(), "\n\n")
		if strconv.Itoa(code) != row[3] || !strings.Contains(first, row[2]) || errs.Len() > 0 {
			t.Errorf("%s: exit code %d, want %s; want verdict %s:\n%s%s", row[1], code, row[3], row[2], first, errs.String())
		}
	}
}

// TestExamplesOfLiveCommandsParse: no test has the accounts that they name, but the commands, arguments and flags that they give must be
// there.
func TestExamplesOfLiveCommandsParse(t *testing.T) {
	t.Parallel()
	p := &program{out: newOutput(io.Discard), stdin: strings.NewReader(""), stderr: io.Discard}
	for _, command := range []string{
		"snapshot", "sweep", "apply", "undo", "enroll", "preflight", "routes list", "routes adopt", "incidents list", "incidents show", "approve", "reject",
	} {
		root := p.command()
		shown, _, err := root.Find(strings.Fields(command))
		if err != nil || shown.Example == "" || shown.Long == "" || !strings.Contains(shown.Long, "Exit code: ") {
			t.Errorf("%s: %v: it needs an example and its exit codes", command, err)
			continue
		}
		for line := range strings.Lines(shown.Example) {
			line, _, _ = strings.Cut(strings.TrimSpace(line), " >")
			args := strings.Fields(strings.ReplaceAll(line, "'", ""))
			cmd, rest, err := root.Find(args[1:])
			if err == nil && cmd != shown {
				err = errors.New("it is an example of another command")
			}
			if err == nil {
				err = cmd.ParseFlags(rest)
			}
			if err == nil {
				err = cmd.ValidateArgs(cmd.Flags().Args())
			}
			if err != nil {
				t.Errorf("%s: %v", line, err)
			}
		}
	}
}
