package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws/retry"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/replimend/replimend/internal/incident"
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
		score, _, _ := p.play(t.Context(), red, rehearsing{show: show})
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

// TestErrorsOfCallsArePlain: what the SDK says around an answer of AWS is of no use to anybody.
func TestErrorsOfCallsArePlain(t *testing.T) {
	t.Parallel()
	call := func(err error) error {
		return fmt.Errorf("read key: %w", &smithy.OperationError{ServiceID: "KMS", OperationName: "GetKeyPolicy", Err: err})
	}
	status := func(err error) error {
		return &awshttp.ResponseError{RequestID: "r-1", ResponseError: &smithyhttp.ResponseError{
			Response: &smithyhttp.Response{Response: &http.Response{StatusCode: http.StatusBadGateway}}, Err: err,
		}}
	}
	refused := &url.Error{Op: "Post", URL: "https://kms.us-east-1.amazonaws.com/", Err: errors.New("connection refused")}
	for want, err := range map[string]error{
		"read key: KMS GetKeyPolicy: AccessDeniedException: not yours (request r-1)":             call(status(&smithy.GenericAPIError{Code: "AccessDeniedException", Message: "not yours"})),
		"read key: KMS GetKeyPolicy: an answer with HTTP status 502 and no reason (request r-1)": call(status(&smithy.GenericAPIError{Code: unnamed, Message: unnamed})),
		"read key: KMS GetKeyPolicy: no answer: connection refused":                              call(&retry.MaxAttemptsError{Attempt: 3, Err: &smithyhttp.RequestSendError{Err: refused}}),
		"read key: KMS GetKeyPolicy: no answer in time":                                          call(&smithy.CanceledError{Err: context.DeadlineExceeded}),
		"read key: KMS GetKeyPolicy: interrupted":                                                call(&smithy.CanceledError{Err: context.Canceled}),
		"no call at all": errors.New("no call at all"),
	} {
		if got := plain(err); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

// TestAdviceNearestToTheCauseStays: it knows more than what the callers say.
func TestAdviceNearestToTheCauseStays(t *testing.T) {
	t.Parallel()
	until := time.Date(2026, 11, 22, 12, 20, 0, 0, time.UTC)
	for want, err := range map[string]error{
		"near": astray(fmt.Errorf("write: %w", hinted(errors.New("x"), "near")), "inc-1"),
		"free when that run ends, or at 2026-11-22T12:20:00Z": astray(&incident.LockedError{Document: "d", Holder: "inc-2 somebody", Until: until}, "inc-1"),
		"as inc-2 somebody":              astray(&incident.LockedError{Document: "d", Holder: "inc-2 somebody", Until: until}, "inc-1"),
		"another run took the incident":  astray(fmt.Errorf("record: %w", incident.ErrStale), "inc-1"),
		"nothing was written":            astray(errors.New("x"), ""),
		"replimend incidents show inc-1": astray(errors.New("x"), "inc-1"),
	} {
		var errs strings.Builder
		p := &program{stderr: &errs, out: newOutput(io.Discard)}
		p.fail(err)
		if _, hint, ok := strings.Cut(errs.String(), "\nhint: "); !ok || !strings.Contains(hint, want) || strings.Count(errs.String(), "\n") != 2 {
			t.Errorf("want %q: %q", want, errs.String())
		}
	}
}
