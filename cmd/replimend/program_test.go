package main

import (
	"bytes"
	"strings"
	"syscall"
	"testing"

	"github.com/replimend/replimend/internal/rehearsal"
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
	red, err := rehearsal.Parse("red", []byte("A title.\nsource: https://example.com\n-- world --\ncross-account-kms\n-- script --\n"+
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
