package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/replimend/replimend/internal/incident"
	"github.com/replimend/replimend/internal/lambdatest"
	"github.com/replimend/replimend/internal/mototest"
)

func TestMain(m *testing.M) { mototest.Main(m) }

// TestEventsCureARoute from the event in the queue to the documents as boto3 reads them: events come twice and in any order, among them
// one that is none, two workers take the incident at the same time, and S3 takes its time.
func TestEventsCureARoute(t *testing.T) {
	t.Parallel()
	w := lambdatest.NewWorld(t)
	before := w.Documents()
	failure, first, second := w.Start("../failure"), w.Start("."), w.Start(".")

	failed := w.Failed(w.Route.Key, w.Route.Version)
	late := strings.ReplaceAll(failed, "2024-09-05T21:04", "2024-09-05T20:04")
	for _, body := range []string{failed, late, `{"Records": 1}`, failed, late} {
		w.Send(w.Events, body)
	}
	w.Drain(w.Events, failure)
	i := w.Incident()
	if now := w.Documents(); now != before || i.Outcome != incident.Open {
		t.Errorf("outcome %s before any worker looked", i.Outcome)
	}

	told := w.Receive(w.Work)
	if len(told) == 0 || len(told) > 3 {
		t.Fatalf("the worker is told %d times of one incident", len(told))
	}
	var both sync.WaitGroup
	for n, worker := range []*lambdatest.Runtime{first, second} {
		both.Go(func() {
			message := lambdatest.Message{ID: fmt.Sprint(n), Body: *told[0].Body}
			for range worker.Failed(worker.Invoke(lambdatest.Batch(t, []lambdatest.Message{message}))) {
				w.Send(w.Work, *told[0].Body)
			}
		})
	}
	both.Wait()
	w.Send(w.Work, `{"incident":"everything"}`)
	for range 6 { // of events that came meanwhile
		w.Send(w.Work, *told[0].Body)
	}
	w.Drain(w.Work, second)

	i = w.Incident()
	logs := first.Stop() + second.Stop()
	if i.Outcome != incident.Resolved || len(i.Changes) != 2 {
		t.Fatalf("outcome %s: %v\n%s", i.Outcome, i.Timeline, logs)
	}
	after := w.Documents()
	for _, want := range []string{`"Replimend"`, `"kms:Decrypt"`, `"Sid": "Replimend`} {
		if !strings.Contains(after, want) {
			t.Errorf("the documents lack %s:\n%s", want, after)
		}
	}
	if strings.Count(after, `"Sid": "Replimend`) != strings.Count(after, `"Sid": "Root"`) { // one beside each that was there
		t.Errorf("the documents are\n%s", after)
	}
	var story []string
	for _, e := range i.Timeline {
		word, _, _ := strings.Cut(e.Text, " ")
		story = append(story, word)
	}
	for _, want := range []string{"open:", "wrote", "applied:", "S3", "resolved:"} {
		if !slices.Contains(story, want) {
			t.Errorf("the timeline lacks %q: %v", want, i.Timeline)
		}
	}
	if n := w.Batch.Calls("CreateJob"); n != 1 {
		t.Errorf("%d jobs", n)
	}
	if !slices.Contains(w.In.Delays(), 5*time.Minute) {
		t.Errorf("nobody was to look at the running job again: %v", w.In.Delays())
	}
	if n := strings.Count(logs, `"msg":"notice"`); n == 0 || n > 2 || strings.Contains(logs, w.Route.Key) || !strings.Contains(logs, `"incident":"`+i.ID+`"`) {
		t.Errorf("%d notices in the log:\n%s", n, logs)
	}
	var dead []string
	for _, m := range w.Receive(w.Dead) {
		dead = append(dead, *m.Body)
	}
	slices.Sort(dead)
	if want := []string{`{"Records": 1}`, `{"incident":"everything"}`}; !slices.Equal(dead, want) {
		t.Errorf("dead are %q, want %q", dead, want)
	}
}

// TestConfiguration: all that is wrong is said at once, that of the settings included.
func TestConfiguration(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "replimend.yaml")
	if err := os.WriteFile(file, []byte("version: 2\nroutes: 7\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	lambda := lambdatest.Start(t.Context(), t, lambdatest.Build(t, "."), "REPLIMEND_TABLE=same", "REPLIMEND_APPROVALS=same",
		"REPLIMEND_SEAL_KEY=alias/x", "REPLIMEND_PROPAGATION=2h", "REPLIMEND_SETTINGS="+file)
	log := lambda.Ended()
	for _, want := range []string{
		"REPLIMEND_WORK_QUEUE: ", "REPLIMEND_APPROVALS: approvals have a table of their own", "REPLIMEND_SEAL_KEY: ", "REPLIMEND_PROPAGATION: ",
		"replimend.yaml:1:", "replimend.yaml:2:",
	} {
		if !strings.Contains(log, want) {
			t.Errorf("the log lacks %q:\n%s", want, log)
		}
	}
}
