// Package lambdatest runs functions as they are deployed: the compiled bootstrap, driven through the Runtime API. Only tests import it.
package lambdatest

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// Runtime is Lambda's side of the Runtime API: it hands invocations to the process, one at a time, and takes the outcome.
// https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
type Runtime struct {
	t       testing.TB
	events  chan []byte
	results chan Result
	process *exec.Cmd
	log     bytes.Buffer // of the process, to be read after Stop
}

// Result is what the process posted: "response" or "error", and the body.
type Result struct{ Kind, Body string }

// Start runs the binary until the test ends, in that environment and no other.
func Start(ctx context.Context, t testing.TB, binary string, env ...string) *Runtime {
	t.Helper()
	return StartUnder(ctx, t, []string{binary}, env...)
}

// StartUnder is Start of a command line, such as an emulator and the binary.
func StartUnder(ctx context.Context, t testing.TB, command []string, env ...string) *Runtime {
	t.Helper()
	r := &Runtime{t: t, events: make(chan []byte), results: make(chan Result)}
	api := httptest.NewServer(r)
	t.Cleanup(api.Close)
	r.process = exec.CommandContext(ctx, command[0], command[1:]...)
	r.process.Env = append([]string{"AWS_LAMBDA_RUNTIME_API=" + strings.TrimPrefix(api.URL, "http://")}, env...)
	r.process.Stdout, r.process.Stderr = &r.log, &r.log
	if err := r.process.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Stop() })
	return r
}

// timeout is that of the function: the longest that there is, but for a minute.
// https://docs.aws.amazon.com/lambda/latest/dg/configuration-timeout.html
const timeout = 14 * time.Minute

// ServeHTTP answers the process.
func (r *Runtime) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	const invocation = "/2018-06-01/runtime/invocation/"
	call, ok := strings.CutPrefix(req.URL.Path, invocation)
	id, kind, _ := strings.Cut(call, "/")
	switch {
	case ok && req.Method == http.MethodGet && call == "next":
		select {
		case event := <-r.events:
			w.Header().Set("Lambda-Runtime-Aws-Request-Id", "request-1")
			w.Header().Set("Lambda-Runtime-Deadline-Ms", fmt.Sprint(time.Now().Add(timeout).UnixMilli()))
			w.Header().Set("Lambda-Runtime-Invoked-Function-Arn", "arn:aws:lambda:us-east-1:111122223333:function:failure")
			_, _ = w.Write(event)
		case <-req.Context().Done():
		}
	case ok && req.Method == http.MethodPost && id == "request-1" && (kind == "response" || kind == "error"):
		body, _ := io.ReadAll(req.Body)
		w.WriteHeader(http.StatusAccepted)
		select {
		case r.results <- Result{kind, string(body)}:
		case <-req.Context().Done():
		}
	default:
		http.NotFound(w, req)
	}
}

// Invoke hands over one event and waits for its outcome.
func (r *Runtime) Invoke(event []byte) Result {
	r.t.Helper()
	late := time.After(time.Minute)
	select {
	case r.events <- event:
	case <-late:
		r.t.Fatalf("the process did not ask for an invocation; its log:\n%s", r.Stop())
	}
	select {
	case got := <-r.results:
		return got
	case <-late:
		r.t.Fatalf("the process did not answer; its log:\n%s", r.Stop())
	}
	return Result{}
}

// Dies hands over one event, kills the process when the test says so, and returns its log.
func (r *Runtime) Dies(event []byte, when <-chan struct{}) string {
	r.t.Helper()
	r.Begin(event)
	select {
	case <-when:
	case <-time.After(time.Minute):
		r.t.Fatalf("the process did not come to where it is to die; its log:\n%s", r.Stop())
	}
	return r.Stop()
}

// Begin hands over one event, whose outcome nobody waits for: the process is to be stopped before there is one.
func (r *Runtime) Begin(event []byte) {
	r.t.Helper()
	select {
	case r.events <- event:
	case <-time.After(time.Minute):
		r.t.Fatalf("the process did not ask for an invocation; its log:\n%s", r.Stop())
	}
}

// Stop kills the process and returns its log, all of which has arrived by then.
func (r *Runtime) Stop() string {
	if r.process.ProcessState == nil {
		_ = r.process.Process.Kill() // it may have ended by itself
		_ = r.process.Wait()
	}
	return r.log.String()
}

// Ended waits until the process ends by itself, which it must not do well, and returns its log.
func (r *Runtime) Ended() string {
	r.t.Helper()
	if err := r.process.Wait(); err == nil {
		r.t.Error("the process ended as if all were well")
	}
	return r.log.String()
}

// PID is the number of the process.
func (r *Runtime) PID() int { return r.process.Process.Pid }
