package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/replimend/replimend/internal/incident"
	"github.com/replimend/replimend/internal/lambdatest"
	"github.com/replimend/replimend/internal/mototest"
)

// storm is events of one failing version in that hour of the day, and sees them through both functions.
func storm(t *testing.T, w *lambdatest.World, hour int, failure, worker *lambdatest.Runtime) {
	t.Helper()
	w.Batch.SetStatus(mototest.Version{Bucket: w.Route.Source, Key: w.Route.Key, ID: w.Route.Version}, "FAILED")
	for n := range 5 {
		w.Send(w.Events, strings.ReplaceAll(w.Failed(w.Route.Key, w.Route.Version), "2024-09-05T21:04", fmt.Sprintf("2024-09-05T%02d:%02d", hour, n)))
	}
	w.Drain(w.Events, failure)
	w.Drain(w.Work, worker)
}

// story is the timeline as one text.
func story(i incident.Incident) string {
	var b strings.Builder
	for _, e := range i.Timeline {
		fmt.Fprintln(&b, e.Text)
	}
	return b.String()
}

// ordered says whether the texts stand in that order, each after the one before.
func ordered(text string, parts ...string) bool {
	for _, p := range parts {
		_, after, ok := strings.Cut(text, p)
		if !ok {
			return false
		}
		text = after
	}
	return true
}

// TestProofFails: S3 fails what is replayed again. Both documents are as boto3 read them before, people are told, and the storms that
// follow end in a circuit breaker and not in a loop.
func TestProofFails(t *testing.T) {
	t.Parallel()
	w := lambdatest.NewWorld(t)
	w.Batch.Replicate = func(string, string, string) bool { return false }
	before := w.Documents()
	failure, worker := w.Start("../failure"), w.Start(".")
	storm(t, w, 10, failure, worker)
	i := w.Incident()
	if now := w.Documents(); i.Outcome != incident.Escalated || now != before {
		t.Fatalf("outcome %s:\n%s\nthe documents are\n%s", i.Outcome, story(i), now)
	}
	if len(i.Changes) != 2 {
		t.Errorf("changes %+v", i.Changes)
	}
	for _, c := range i.Changes {
		if c.State != incident.Undone {
			t.Errorf("%s of %s is %s", c.Kind, c.ID, c.State)
		}
	}
	if !ordered(story(i), "open: ", "the route is broken", "the guard allows the plan", "wrote ", "wrote ", "applied: ", "S3 replicates what failed again",
		"escalated: the replayed versions failed again", "undid ", "undid ") {
		t.Errorf("the timeline is\n%s", story(i))
	}
	if e := i.Exposure(); e.Versions != 1 || e.Since.IsZero() || !e.Until.IsZero() || len(i.Failures.Reasons) == 0 {
		t.Errorf("exposed %+v, reasons %v", e, i.Failures.Reasons)
	}
	for hour := 11; hour < 16; hour++ {
		storm(t, w, hour, failure, worker)
	}
	i = w.Incident()
	if now := w.Documents(); i.Outcome != incident.Refused || now != before {
		t.Errorf("after more storms outcome %s:\n%s", i.Outcome, story(i))
	}
	if n := w.Batch.Calls("CreateJob"); n != 2 {
		t.Errorf("%d jobs for two cures", n)
	}
	logs := worker.Stop()
	for _, want := range []string{`"Outcome":"escalated","Severity":"critical"`, "circuit-breaker: ", "the replayed versions failed again"} {
		if !strings.Contains(logs, want) {
			t.Errorf("people are not told %s:\n%s", want, logs)
		}
	}
	if n := strings.Count(logs, `"msg":"notice"`); n > 8 || strings.Contains(logs, w.Route.Key) {
		t.Errorf("%d notices for six storms:\n%s", n, logs)
	}
}

// TestCodeTakesItOut: a tool that owns the key's policy writes it as it knows it, again and again. That is noticed, stops, and people
// get what their code lacks.
func TestCodeTakesItOut(t *testing.T) {
	t.Parallel()
	w := lambdatest.NewWorld(t)
	w.Configure(w.Settings(w.Approved("ledger", w.Route.Source)) + "limits: {patchesPerRoutePerHour: 100, patchesPerAccountPerHour: 100}\n")
	w.Batch.Swift = true
	var documents struct{ ReplicaKey json.RawMessage }
	if err := json.Unmarshal([]byte(w.Documents()), &documents); err != nil {
		t.Fatal(err)
	}
	failure, worker := w.Start("../failure"), w.Start(".")
	for hour := 10; hour < 13; hour++ {
		storm(t, w, hour, failure, worker)
		if i := w.Incidents()[0]; i.Outcome != incident.Resolved {
			t.Fatalf("storm of %d: outcome %s\n%s\n%s", hour, i.Outcome, story(i), worker.Stop())
		}
		w.Put("replicaKey", string(documents.ReplicaKey)) // as somebody's code has it
	}
	reverted := w.Documents()
	for hour := 13; hour < 16; hour++ {
		storm(t, w, hour, failure, worker)
	}
	i := w.Incidents()[0]
	if i.Outcome != incident.Refused || i.Wrote() || w.Documents() != reverted {
		t.Errorf("outcome %s, changes %+v\n%s", i.Outcome, i.Changes, story(i))
	}
	if all, err := w.Table.List(t.Context(), incident.Filter{}); err != nil || len(all) != 4 {
		t.Errorf("%d incidents, %v", len(all), err)
	}
	var told struct{ Notice incident.Message }
	for line := range strings.Lines(worker.Stop()) {
		if strings.Contains(line, `"msg":"notice"`) && strings.Contains(line, i.ID) {
			if err := json.Unmarshal([]byte(line), &told); err != nil {
				t.Fatal(err)
			}
		}
	}
	m := told.Notice
	if !strings.Contains(strings.Join(m.Why, "\n"), "taken out again (times: 3, limit: 3)") {
		t.Errorf("people are not told why:\n%s", m.Text())
	}
	heading, code, _ := strings.Cut(m.Code, "\n")
	if !strings.Contains(heading, w.Route.ReplicaKey) || !strings.Contains(heading, w.Route.DestinationAccount) {
		t.Errorf("the code is for %q", heading)
	}
	var lacks struct {
		Statement []struct{ Effect, Sid string }
	}
	if err := json.Unmarshal([]byte(code), &lacks); err != nil || len(lacks.Statement) != 1 || !strings.HasPrefix(lacks.Statement[0].Sid, "Replimend") {
		t.Errorf("%v: the code is\n%s", err, m.Code)
	}
	if !strings.Contains(strings.Join(m.Steps, "\n"), "replimend plan --live "+w.Route.Source+" --format terraform") {
		t.Errorf("the steps are %q", m.Steps)
	}
}

// hold is a server before another one that lets no write of a role's policy through: it says that there is one, and never answers.
func hold(t *testing.T, address string) (front string, held <-chan struct{}) {
	t.Helper()
	target, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	next := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(target)
		r.Out.Host = r.In.Host
	}}
	writes := make(chan struct{}, 1)
	server := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		if strings.Contains(string(body), "Action=PutRolePolicy") {
			writes <- struct{}{}
			<-r.Context().Done()
			return
		}
		r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
		next.ServeHTTP(rw, r)
	}))
	t.Cleanup(server.Close)
	return fmt.Sprintf("http://localhost:%d", server.Listener.Addr().(*net.TCPAddr).Port), writes
}

// TestWorkerDiesInThePlan between its two writes. Another one is kept out while the first may still live, and then takes back what was
// written: half a plan is none.
func TestWorkerDiesInThePlan(t *testing.T) {
	t.Parallel()
	w := lambdatest.NewWorld(t)
	before := w.Documents()
	failure := w.Start("../failure")
	w.Send(w.Events, w.Failed(w.Route.Key, w.Route.Version))
	w.Drain(w.Events, failure)
	told := w.Receive(w.Work)
	if len(told) != 1 {
		t.Fatalf("%d messages", len(told))
	}
	at := slices.IndexFunc(w.Env, func(v string) bool { return strings.HasPrefix(v, "AWS_ENDPOINT_URL=") })
	front, held := hold(t, strings.TrimPrefix(w.Env[at], "AWS_ENDPOINT_URL="))
	env := slices.Clone(w.Env)
	env[at] = "AWS_ENDPOINT_URL=" + front
	dying := lambdatest.Start(t.Context(), t, lambdatest.Build(t, "."), env...)
	body := *told[0].Body
	dying.Begin(lambdatest.Batch(t, []lambdatest.Message{{ID: "1", Body: body}}))
	select {
	case <-held:
	case <-time.After(time.Minute):
		t.Fatalf("the second document is not written; the log is\n%s", dying.Stop())
	}
	dying.Stop()
	half := w.Documents()
	if half == before || strings.Contains(half, `"Replimend"`) {
		t.Fatalf("the first document is not written, or both are:\n%s", half)
	}

	second := w.Start(".")
	again := lambdatest.Batch(t, []lambdatest.Message{{ID: "1", Body: body, Received: 2}})
	if failed := second.Failed(second.Invoke(again)); len(failed) != 1 || w.Documents() != half {
		t.Errorf("%v come again while the first worker may live", failed)
	}
	// The lease ends: nobody gave the documents back.
	later := *w.Table
	later.Now = func() time.Time { return time.Now().Add(incident.Lease + time.Second) }
	locked := []string{"key-policy " + w.Route.ReplicaKey, "role-policy " + w.Route.Role}
	if err := w.Table.Lock(t.Context(), "somebody", locked); err == nil {
		t.Fatal("nobody holds the documents")
	}
	if err := later.Lock(t.Context(), "somebody", locked); err != nil {
		t.Fatal(err)
	}
	if err := later.Unlock(t.Context(), "somebody", locked); err != nil {
		t.Fatal(err)
	}
	if failed := second.Failed(second.Invoke(again)); len(failed) > 0 {
		t.Fatalf("failed %v; the log is\n%s", failed, second.Stop())
	}
	i := w.Incident()
	if now := w.Documents(); now != before || i.Outcome != incident.Escalated {
		t.Errorf("outcome %s\n%s\nthe documents are\n%s", i.Outcome, story(i), now)
	}
	if !ordered(story(i), "an earlier worker ended in the middle of a plan", "undid replica-key-policy "+w.Route.ReplicaKey) {
		t.Errorf("the timeline is\n%s", story(i))
	}
	var states []incident.ChangeState
	for _, c := range i.Changes {
		states = append(states, c.State)
	}
	if want := []incident.ChangeState{incident.Undone, incident.Unmade}; !slices.Equal(states, want) {
		t.Errorf("changes %v, want %v", states, want)
	}
	if log := second.Stop(); !strings.Contains(log, `"Outcome":"escalated","Severity":"critical"`) {
		t.Errorf("people are not told:\n%s", log)
	}
}
