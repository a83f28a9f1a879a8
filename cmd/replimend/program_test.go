package main

import (
	"bytes"
	"io"
	"strings"
	"syscall"
	"testing"

	"github.com/replimend/replimend/internal/rehearsal"
	"github.com/replimend/replimend/internal/render"
)

// brokenPipe is a pipe whose reader has gone.
type brokenPipe struct{ err error }

func (b brokenPipe) Write([]byte) (int, error) { return 0, b.err }

func TestLostOutputIsAnError(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		err    error
		stderr string
	}{
		"the reader went away": {syscall.EPIPE, ""},
		"the disk is full":     {syscall.ENOSPC, "replimend: write standard output: no space left on device\nhint: what was printed is not complete\n"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var errs bytes.Buffer
			p := &program{stdin: strings.NewReader(""), stdout: brokenPipe{test.err}, stderr: &errs, getenv: func(string) string { return "" }}
			if code := p.run([]string{"version"}); code != exitError || errs.String() != test.stderr {
				t.Errorf("exit code %d, stderr %q, want %q", code, errs.String(), test.stderr)
			}
		})
	}
}

// TestRedScenarioFailsTheRehearsal plays one that expects what is not so: the embedded ones are all green.
func TestRedScenarioFailsTheRehearsal(t *testing.T) {
	t.Parallel()
	red, err := rehearsal.Parse("red", []byte("A title.\ntopic: basics\nsource: https://example.com\n-- world --\ncross-account-kms\n-- script --\n"+
		"put amzn-s3-demo-source a.txt\nstatus amzn-s3-demo-source a.txt FAILED\n"))
	if err != nil {
		t.Fatal(err)
	}
	for show, told := range map[string]bool{"all": true, "failed": true, "none": false} {
		var out bytes.Buffer
		p := &program{stdin: strings.NewReader(""), stdout: &out, stderr: &out, getenv: func(string) string { return "" }}
		p.out = newOutput(&out)
		score := p.play(t.Context(), red, rehearsing{show: show})
		if err := p.out.Flush(); err != nil {
			t.Fatal(err)
		}
		if score.Passed || !strings.Contains(score.Text, "script line 2: status") || p.code != exitBroken {
			t.Errorf("score %+v, exit code %d", score, p.code)
		}
		if got := strings.Contains(out.String(), "a.txt is written to amzn-s3-demo-source"); got != told {
			t.Errorf("--show %s tells the story: %t\n%s", show, got, &out)
		}
	}
}

func TestWorstExitCodeCounts(t *testing.T) {
	t.Parallel()
	order := []int{exitFine, exitUnclear, exitBroken, exitError}
	for i, worse := range order {
		for k, other := range order {
			for _, codes := range [][]int{{worse, other}, {other, worse}} {
				p := &program{}
				p.raise(codes[0])
				p.raise(codes[1])
				if want := order[max(i, k)]; p.code != want {
					t.Errorf("%v gives %d, want %d", codes, p.code, want)
				}
			}
		}
	}
}

// TestManyScenariosAreCountedByTopic: only what failed is told by name.
func TestManyScenariosAreCountedByTopic(t *testing.T) {
	t.Parallel()
	all, err := rehearsal.All()
	if err != nil {
		t.Fatal(err)
	}
	all = all[:screenful+1]
	scores := make([]render.Score, len(all))
	for i, s := range all {
		scores[i] = render.Score{Name: s.Name, Passed: i > 0, Writes: 1, Checks: 2, Text: "script line 7 of " + s.Name}
	}
	p := &program{stdin: strings.NewReader(""), stdout: io.Discard, stderr: io.Discard, getenv: func(string) string { return "" }}
	p.out = newOutput(p.stdout)
	got := p.board(all, scores)
	for _, want := range []string{"script line 7 of " + all[0].Name, "15 of 16 scenarios are green (checks: 32, writes: 16)\n", all[0].Topic + " "} {
		if !strings.Contains(got, want) {
			t.Errorf("the board lacks %q:\n%s", want, got)
		}
	}
	if strings.Contains(got, all[1].Name) {
		t.Errorf("the board names what is green:\n%s", got)
	}
	if few := p.board(all[:screenful], scores[:screenful]); !strings.Contains(few, all[1].Name) {
		t.Errorf("few scenarios are not listed one by one:\n%s", few)
	}
}
