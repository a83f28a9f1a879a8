package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/txtar"
)

// TestFunction drives the binary as it is deployed, each case in a process of its own.
func TestFunction(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	t.Cleanup(cancel)
	binary := filepath.Join(t.TempDir(), "bootstrap")
	golang(ctx, t, "build", "-tags", "lambda.norpc", "-o", binary, ".")
	watchSources(ctx, t)

	tests := map[string]struct {
		messages []message
		want     string   // the response
		log      []string // parts of the lines, one for each line
	}{
		"official event": {
			[]message{{"m1", caseBody(t, "official-failed")}},
			`{"batchItemFailures":null}`,
			[]string{`"msg":"replication events","group":{"bucket":"amzn-s3-demo-bucket1","rule":"notification-test-replication-rule",` +
				`"destination":"arn:aws:s3:::amzn-s3-demo-bucket2","region":"us-east-1","owner":"111122223333","failed":1,` +
				`"missed_threshold":0,"not_tracked":0,"first":"2024-09-05T21:04:32.527Z","last":"2024-09-05T21:04:32.527Z",` +
				`"recovered":0,"reasons":[{"reason":"AssumeRoleNotPermitted","count":1}]}`},
		},
		"event through SNS": {
			[]message{{"m1", caseBody(t, "sns")}},
			`{"batchItemFailures":null}`,
			[]string{`"bucket":"amzn-s3-demo-bucket1"`},
		},
		"one malformed among good": {
			[]message{
				{"m1", caseBody(t, "official-failed")}, {"m2", caseBody(t, "sns-with-bad-record")}, {"m3", caseBody(t, "sns")},
			},
			`{"batchItemFailures":[{"itemIdentifier":"m2"}]}`,
			[]string{
				`"bucket":"amzn-s3-demo-bucket1"`,
				`"level":"ERROR","msg":"malformed message","message_id":"m2",` +
					`"reason":"6:14: Message: 9:26: Records[0].s3.bucket.name: \"B\" is not the name of a bucket"`,
			},
		},
		"test message": {
			[]message{{"m1", caseBody(t, "test-message")}},
			`{"batchItemFailures":null}`,
			[]string{`"level":"INFO","msg":"ignored message","message_id":"m1","reason":"event is of no concern: Event: \"s3:TestEvent\""`},
		},
		"ten failures of one cause": {
			tenFailures(t),
			`{"batchItemFailures":null}`,
			[]string{`"failed":10,`},
		},
		"one id twice": {
			[]message{{"m1", "{"}, {"m1", "["}},
			`{"batchItemFailures":[{"itemIdentifier":"m1"}]}`,
			[]string{`"message_id":"m1"`, `"message_id":"m1"`},
		},
		"empty batch": {nil, `{"batchItemFailures":null}`, nil},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			lambda := start(ctx, t, binary)
			if got := lambda.invoke(batch(t, tt.messages)); got != (result{"response", tt.want}) {
				t.Errorf("got %v, want the response %s", got, tt.want)
			}
			checkLog(t, lambda.stop(), tt.log)
		})
	}

	t.Run("hostile events", func(t *testing.T) {
		t.Parallel()
		lambda := start(ctx, t, binary)
		bodies := map[string]string{
			"deep":    strings.Repeat(`{"a":`, 50_000),
			"huge":    strings.Repeat(" ", 5<<20),
			"many":    "[" + strings.Repeat("0,", 100_000) + "0]",
			"control": "{\"\x00\x1b[2J\u202e\n\":1}",
		}
		for name, body := range bodies {
			if got := lambda.invoke(batch(t, []message{{name, body}})); got.body != failures(name) {
				t.Errorf("%s: got %.200v", name, got)
			}
		}
		// Invalid UTF-8 in an otherwise good event: JSON has no way to write it, so that it goes in as a byte.
		invalid := batch(t, []message{{"bytes", caseBody(t, "official-failed")}})
		invalid = bytes.Replace(invalid, []byte("eventSource"), []byte("event\xffource"), 1)
		if got := lambda.invoke(invalid); got.body != failures("bytes") {
			t.Errorf("invalid UTF-8: got %v", got)
		}
		for name, event := range map[string]string{
			"no JSON": "\xff\x00", "deep": strings.Repeat("[", 1<<20), "other shape": `{"Records":{"body":1}}`,
		} {
			if got := lambda.invoke([]byte(event)); got.kind != "error" {
				t.Errorf("%s: got %.200v, want an error", name, got)
			}
		}
		if got := lambda.invoke(batch(t, []message{{"m1", caseBody(t, "official-failed")}})); got != (result{"response", `{"batchItemFailures":null}`}) {
			t.Errorf("after hostile events: got %v", got)
		}
		if log := lambda.stop(); len(log) > 16<<10 {
			t.Errorf("hostile events filled the log with %d bytes", len(log))
		}
	})
}

func golang(ctx context.Context, t *testing.T, args ...string) string {
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
func watchSources(ctx context.Context, t *testing.T) {
	t.Helper()
	const ours = `{{with .Module}}{{if .Main}}{{$.Dir}}{{"\n"}}{{end}}{{end}}`
	for dir := range strings.Lines(golang(ctx, t, "list", "-deps", "-f", ours, ".")) {
		if dir = strings.TrimSpace(dir); dir == "" {
			continue
		}
		if _, err := os.ReadDir(dir); err != nil {
			t.Fatal(err)
		}
	}
	for _, file := range []string{"../../go.mod", "../../go.sum"} {
		if _, err := os.Stat(file); err != nil {
			t.Fatal(err)
		}
	}
}

type message struct{ id, body string }

// caseBody is the event of a case of package signal.
func caseBody(t *testing.T, name string) string {
	t.Helper()
	archive, err := txtar.ParseFile("../../internal/signal/testdata/" + name + ".txtar")
	if err != nil {
		t.Fatal(err)
	}
	return string(archive.Files[0].Data)
}

func tenFailures(t *testing.T) []message {
	t.Helper()
	const key = "replication-object-put-test.png"
	body := caseBody(t, "official-failed")
	if strings.Count(body, key) != 1 {
		t.Fatal("the official event has changed")
	}
	messages := make([]message, 10)
	for i := range messages {
		messages[i] = message{fmt.Sprintf("m%d", i), strings.Replace(body, key, fmt.Sprintf("object-%d.png", i), 1)}
	}
	return messages
}

// batch is the event with which Lambda hands over messages of a queue.
// https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html
func batch(t *testing.T, messages []message) []byte {
	t.Helper()
	records := []map[string]any{}
	for _, m := range messages {
		records = append(records, map[string]any{
			"messageId": m.id, "receiptHandle": "AQEB", "body": m.body, "attributes": map[string]string{"ApproximateReceiveCount": "1"},
			"messageAttributes": map[string]any{}, "md5OfBody": "e4e6", "eventSource": "aws:sqs",
			"eventSourceARN": "arn:aws:sqs:us-east-1:111122223333:replication-failures", "awsRegion": "us-east-1",
		})
	}
	text, err := json.Marshal(map[string]any{"Records": records})
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func failures(id string) string {
	return fmt.Sprintf(`{"batchItemFailures":[{"itemIdentifier":%q}]}`, id)
}

// checkLog wants one line for each part, each a JSON object that names no object and repeats no event.
func checkLog(t *testing.T, log string, parts []string) {
	t.Helper()
	lines := strings.Split(strings.TrimSuffix(log, "\n"), "\n")
	if log == "" {
		lines = nil
	}
	if len(lines) != len(parts) {
		t.Fatalf("%d lines, want %d:\n%s", len(lines), len(parts), log)
	}
	for i, line := range lines {
		if !json.Valid([]byte(line)) || !strings.Contains(line, parts[i]) {
			t.Errorf("line %d is\n%s\nwant JSON with\n%s", i+1, line, parts[i])
		}
		for _, leak := range []string{".png", "abcdeH0Xp66ep", "eventVersion", "sequencer"} {
			if strings.Contains(line, leak) {
				t.Errorf("line %d tells %s:\n%s", i+1, leak, line)
			}
		}
	}
}
