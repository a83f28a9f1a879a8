package lambdatest

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
)

var (
	building sync.Mutex
	built    = map[string]string{} // binaries by their folder
)

// Build compiles the function in a folder as it is deployed, once for all tests of a package. A test is run again when one of the
// sources changes.
func Build(t testing.TB, dir string) (binary string) {
	t.Helper()
	building.Lock()
	defer building.Unlock()
	if built[dir] == "" {
		folder, err := os.MkdirTemp("", "function") // it outlives the test
		if err != nil {
			t.Fatal(err)
		}
		binary := filepath.Join(folder, "bootstrap")
		golang(t.Context(), t, "build", "-tags", "lambda.norpc", "-o", binary, dir)
		watchSources(t.Context(), t, dir)
		built[dir] = binary
	}
	return built[dir]
}

// Links is every package that the function in a folder links. A test is run again when one of the sources changes.
func Links(t testing.TB, dir string) []string {
	t.Helper()
	watchSources(t.Context(), t, dir)
	return strings.Fields(golang(t.Context(), t, "list", "-deps", dir))
}

func golang(ctx context.Context, t testing.TB, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Env = append(cmd.Environ(), "CGO_ENABLED=0")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go %v: %v\n%s", args, err, &stderr)
	}
	return string(out)
}

// watchSources looks at the folders that the binary is built from. The test cache watches what a test opens itself and cannot
// see what the go command reads for it: without this, a change of main would leave the old result in the cache.
func watchSources(ctx context.Context, t testing.TB, dir string) {
	t.Helper()
	const ours = `{{with .Module}}{{if .Main}}{{$.Dir}}{{"\n"}}{{end}}{{end}}`
	for folder := range strings.Lines(golang(ctx, t, "list", "-deps", "-f", ours, dir)) {
		if folder = strings.TrimSpace(folder); folder == "" {
			continue
		}
		if _, err := os.ReadDir(folder); err != nil {
			t.Fatal(err)
		}
	}
	for _, file := range []string{"../../go.mod", "../../go.sum"} {
		if _, err := os.Stat(file); err != nil {
			t.Fatal(err)
		}
	}
}

// Message is one message of a queue. Received is how often it came; 0 is once.
type Message struct {
	ID, Body string
	Received int
}

// Batch is the event with which Lambda hands over messages of a queue.
// https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html
func Batch(t testing.TB, messages []Message) []byte {
	t.Helper()
	records := []map[string]any{}
	for _, m := range messages {
		records = append(records, map[string]any{
			"messageId": m.ID, "receiptHandle": "AQEB", "body": m.Body,
			"attributes":        map[string]string{"ApproximateReceiveCount": strconv.Itoa(max(m.Received, 1))},
			"messageAttributes": map[string]any{}, "md5OfBody": "e4e6", "eventSource": "aws:sqs",
			"eventSourceARN": "arn:aws:sqs:us-east-1:111122223333:queue", "awsRegion": "us-east-1",
		})
	}
	text, err := json.Marshal(map[string]any{"Records": records})
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// Failed is the IDs of the messages that a response wants to come again.
func (r *Runtime) Failed(got Result) []string {
	r.t.Helper()
	var response struct {
		BatchItemFailures []struct{ ItemIdentifier string }
	}
	if got.Kind != "response" || json.Unmarshal([]byte(got.Body), &response) != nil {
		r.t.Fatalf("the process answered %v; its log:\n%s", got, r.Stop())
	}
	var out []string
	for _, f := range response.BatchItemFailures {
		out = append(out, f.ItemIdentifier)
	}
	return out
}
