package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/replimend/replimend/internal/incident"
	"github.com/replimend/replimend/internal/lambdatest"
	"github.com/replimend/replimend/internal/mototest"
)

// TestFunction drives the binary as it is deployed, each case in a process of its own.
func TestFunction(t *testing.T) {
	t.Parallel()
	binary := lambdatest.Build(t, ".")

	const reported = `"msg":"reported","incident":"inc-`
	tests := map[string]struct {
		messages []message
		want     string   // the response
		log      []string // parts of the lines, one for each line
	}{
		"official event": {
			[]message{{ID: "m1", Body: caseBody(t, "official-failed")}},
			`{"batchItemFailures":null}`,
			[]string{`"msg":"replication events","group":{"bucket":"amzn-s3-demo-bucket1","rule":"notification-test-replication-rule",` +
				`"destination":"arn:aws:s3:::amzn-s3-demo-bucket2","region":"us-east-1","owner":"111122223333","failed":1,` +
				`"missed_threshold":0,"not_tracked":0,"first":"2024-09-05T21:04:32.527Z","last":"2024-09-05T21:04:32.527Z",` +
				`"recovered":0,"reasons":[{"reason":"AssumeRoleNotPermitted","count":1}]}`, reported},
		},
		"event through SNS": {
			[]message{{ID: "m1", Body: caseBody(t, "sns")}},
			`{"batchItemFailures":null}`,
			[]string{`"bucket":"amzn-s3-demo-bucket1"`, reported},
		},
		"one malformed among good": {
			[]message{
				{ID: "m1", Body: caseBody(t, "official-failed")}, {ID: "m2", Body: caseBody(t, "sns-with-bad-record")}, {ID: "m3", Body: caseBody(t, "sns")},
			},
			`{"batchItemFailures":[{"itemIdentifier":"m2"}]}`,
			[]string{
				`"bucket":"amzn-s3-demo-bucket1"`,
				`"level":"ERROR","msg":"malformed message","message_id":"m2",` +
					`"reason":"6:14: Message: 9:26: Records[0].s3.bucket.name: \"B\" is not the name of a bucket"`,
				reported,
			},
		},
		"test message": {
			[]message{{ID: "m1", Body: caseBody(t, "test-message")}},
			`{"batchItemFailures":null}`,
			[]string{`"level":"INFO","msg":"ignored message","message_id":"m1","reason":"event is of no concern: Event: \"s3:TestEvent\""`},
		},
		"ten failures of one cause": {
			tenFailures(t),
			`{"batchItemFailures":null}`,
			[]string{`"failed":10,`, reported},
		},
		"one id twice": {
			[]message{{ID: "m1", Body: "{"}, {ID: "m1", Body: "["}},
			`{"batchItemFailures":[{"itemIdentifier":"m1"}]}`,
			[]string{`"message_id":"m1"`, `"message_id":"m1"`},
		},
		"empty batch": {nil, `{"batchItemFailures":null}`, nil},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			lambda := lambdatest.Start(t.Context(), t, binary, environment(t).Env...)
			if got := lambda.Invoke(lambdatest.Batch(t, tt.messages)); got != (lambdatest.Result{Kind: "response", Body: tt.want}) {
				t.Errorf("got %v, want the response %s", got, tt.want)
			}
			checkLog(t, lambda.Stop(), tt.log)
		})
	}

	t.Run("hostile events", func(t *testing.T) {
		t.Parallel()
		lambda := lambdatest.Start(t.Context(), t, binary, environment(t).Env...)
		bodies := map[string]string{
			"deep":    strings.Repeat(`{"a":`, 50_000),
			"huge":    strings.Repeat(" ", 5<<20),
			"many":    "[" + strings.Repeat("0,", 100_000) + "0]",
			"control": "{\"\x00\x1b[2J\u202e\n\":1}",
		}
		for name, body := range bodies {
			if got := lambda.Invoke(lambdatest.Batch(t, []message{{ID: name, Body: body}})); got.Body != failures(name) {
				t.Errorf("%s: got %.200v", name, got)
			}
		}
		// Invalid UTF-8 in an otherwise good event: JSON has no way to write it, so that it goes in as a byte.
		invalid := lambdatest.Batch(t, []message{{ID: "bytes", Body: caseBody(t, "official-failed")}})
		invalid = bytes.Replace(invalid, []byte("eventSource"), []byte("event\xffource"), 1)
		if got := lambda.Invoke(invalid); got.Body != failures("bytes") {
			t.Errorf("invalid UTF-8: got %v", got)
		}
		for name, event := range map[string]string{
			"no JSON": "\xff\x00", "deep": strings.Repeat("[", 1<<20), "other shape": `{"Records":{"body":1}}`,
		} {
			if got := lambda.Invoke([]byte(event)); got.Kind != "error" {
				t.Errorf("%s: got %.200v, want an error", name, got)
			}
		}
		if got := lambda.Invoke(lambdatest.Batch(t, []message{{ID: "m1", Body: caseBody(t, "official-failed")}})); got != (lambdatest.Result{Kind: "response", Body: `{"batchItemFailures":null}`}) {
			t.Errorf("after hostile events: got %v", got)
		}
		if log := lambda.Stop(); len(log) > 16<<10 {
			t.Errorf("hostile events filled the log with %d bytes", len(log))
		}
	})
}

type message = lambdatest.Message

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
		messages[i] = message{ID: fmt.Sprintf("m%d", i), Body: strings.Replace(body, key, fmt.Sprintf("object-%d.png", i), 1)}
	}
	return messages
}

func TestMain(m *testing.M) { mototest.Main(m) }

// environment is the tables and queues of a function of its own.
func environment(t *testing.T) *lambdatest.Cloud {
	t.Helper()
	s := mototest.Start(t)
	return lambdatest.NewCloud(t, s, s.URL)
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
	lines = slices.DeleteFunc(lines, func(line string) bool { return strings.Contains(line, `"_aws":`) }) // figures: see package deployed
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

// TestReported: an incident is opened and handed over once, however often and in however many messages it is told of.
func TestReported(t *testing.T) {
	t.Parallel()
	s := mototest.Start(t)
	var in lambdatest.Intercept
	c := lambdatest.NewCloud(t, s, s.Proxy(t, in.Handle))
	lambda := lambdatest.Start(t.Context(), t, lambdatest.Build(t, "."), c.Env...)
	list := func() []incident.Summary {
		t.Helper()
		all, err := c.Table.List(t.Context(), incident.Filter{})
		if err != nil {
			t.Fatal(err)
		}
		return all
	}

	in.Refuse(true)
	if failed := lambda.Failed(lambda.Invoke(lambdatest.Batch(t, tenFailures(t)))); len(failed) != 10 {
		t.Errorf("not handed over, and %v come again", failed)
	}
	in.Refuse(false)
	for _, m := range tenFailures(t) {
		c.Send(c.Events, m.Body)
		c.Send(c.Events, m.Body)
	}
	c.Send(c.Events, "{")
	for n := 1; ; n++ {
		all, failed := c.Pump(c.Events, lambda)
		if all == 0 {
			break
		}
		if n > 10 || failed > 1 {
			t.Fatalf("batch %d: %d of %d failed", n, failed, all)
		}
	}
	incidents := list()
	if len(incidents) != 1 || incidents[0].Failed != 10 || incidents[0].Outcome != incident.Open {
		t.Fatalf("incidents %+v", incidents)
	}
	work := c.Receive(c.Work)
	if len(work) == 0 || len(work) > 3 { // one for each batch
		t.Errorf("%d messages for the worker", len(work))
	}
	for _, m := range work {
		if want := `{"incident":"` + incidents[0].ID + `"}`; *m.Body != want {
			t.Errorf("the worker is told %s, want %s", *m.Body, want)
		}
	}
	if dead := c.Receive(c.Dead); len(dead) != 1 || *dead[0].Body != "{" {
		t.Errorf("dead are %d messages", len(dead))
	}

	c.Table.Name = "others" // and now the journal does not answer
	lost := lambdatest.Start(t.Context(), t, lambdatest.Build(t, "."), append(c.Env, "REPLIMEND_TABLE=others")...)
	if failed := lost.Failed(lost.Invoke(lambdatest.Batch(t, tenFailures(t)))); len(failed) != 10 {
		t.Errorf("nothing is recorded, and %v come again", failed)
	}
}

// TestConfiguration: all that is wrong with the environment is said at once, and no message is taken.
func TestConfiguration(t *testing.T) {
	t.Parallel()
	lambda := lambdatest.Start(t.Context(), t, lambdatest.Build(t, "."), "REPLIMEND_TABLE=a b")
	log := lambda.Ended()
	for _, want := range []string{`"faults":["REPLIMEND_TABLE: \"a b\" is not the name of a table","REPLIMEND_WORK_QUEUE: \"\" is not the URL of a queue"]`} {
		if !strings.Contains(log, want) {
			t.Errorf("the log is\n%s\nwant %s", log, want)
		}
	}
}
