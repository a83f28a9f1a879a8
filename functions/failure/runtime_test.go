package main

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

// A runtime is Lambda's side of the Runtime API: it hands invocations to the process, one at a time, and takes the outcome.
// https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
type runtime struct {
	t       *testing.T
	events  chan []byte
	results chan result
	process *exec.Cmd
	log     bytes.Buffer // of the process, to be read after stop
}

// A result is what the process posted: "response" or "error", and the body.
type result struct{ kind, body string }

// start runs the binary until the test ends, in an environment of its own.
func start(ctx context.Context, t *testing.T, binary string) *runtime {
	t.Helper()
	r := &runtime{t: t, events: make(chan []byte), results: make(chan result)}
	api := httptest.NewServer(r)
	t.Cleanup(api.Close)
	r.process = exec.CommandContext(ctx, binary)
	r.process.Env = []string{"AWS_LAMBDA_RUNTIME_API=" + strings.TrimPrefix(api.URL, "http://")}
	r.process.Stdout, r.process.Stderr = &r.log, &r.log
	if err := r.process.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.stop() })
	return r
}

func (r *runtime) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	const invocation = "/2018-06-01/runtime/invocation/"
	call, ok := strings.CutPrefix(req.URL.Path, invocation)
	id, kind, _ := strings.Cut(call, "/")
	switch {
	case ok && req.Method == http.MethodGet && call == "next":
		select {
		case event := <-r.events:
			w.Header().Set("Lambda-Runtime-Aws-Request-Id", "request-1")
			w.Header().Set("Lambda-Runtime-Deadline-Ms", fmt.Sprint(time.Now().Add(30*time.Second).UnixMilli()))
			w.Header().Set("Lambda-Runtime-Invoked-Function-Arn", "arn:aws:lambda:us-east-1:111122223333:function:failure")
			_, _ = w.Write(event)
		case <-req.Context().Done():
		}
	case ok && req.Method == http.MethodPost && id == "request-1" && (kind == "response" || kind == "error"):
		body, _ := io.ReadAll(req.Body)
		w.WriteHeader(http.StatusAccepted)
		select {
		case r.results <- result{kind, string(body)}:
		case <-req.Context().Done():
		}
	default:
		http.NotFound(w, req)
	}
}

// invoke hands over one event and waits for its outcome.
func (r *runtime) invoke(event []byte) result {
	r.t.Helper()
	late := time.After(20 * time.Second)
	select {
	case r.events <- event:
	case <-late:
		r.t.Fatalf("the process did not ask for an invocation; its log:\n%s", r.stop())
	}
	select {
	case got := <-r.results:
		return got
	case <-late:
		r.t.Fatalf("the process did not answer; its log:\n%s", r.stop())
	}
	return result{}
}

// stop kills the process and returns its log, all of which has arrived by then.
func (r *runtime) stop() string {
	if r.process.ProcessState == nil {
		_ = r.process.Process.Kill() // it may have ended by itself
		_ = r.process.Wait()
	}
	return r.log.String()
}
