package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/rogpeppe/go-internal/txtar"

	"github.com/replimend/replimend/internal/incident"
	"github.com/replimend/replimend/internal/lambdatest"
	"github.com/replimend/replimend/internal/mototest"
)

func TestMain(m *testing.M) { mototest.Main(m) }

// script makes a route in two accounts and reads it back with boto3: an independent client.
const script = "../../cmd/replimend/testdata/live/world.py"

// world is a route between two members, which has a fault in each, and the functions in a hub.
type world struct {
	*lambdatest.Cloud
	t     *testing.T
	batch *mototest.Batch
	in    lambdatest.Intercept
	dir   string
	boto  []string // the environment of the script
	shown string   // the route, as the script takes it
	route struct{ Source, Destination, SourceAccount, DestinationAccount, Role, SourceKey, ReplicaKey, Key, Version string }
}

func newWorld(t *testing.T) *world {
	t.Helper()
	s := mototest.Start(t)
	w := &world{t: t, batch: s.Batch(t), dir: t.TempDir()}
	var whole mototest.Configurations
	address := s.Proxy(t, func(rw http.ResponseWriter, r *http.Request) bool {
		if strings.Contains(r.Header.Get("Authorization"), "/access-analyzer/") { // which moto does not know
			rw.Header().Set("X-Amzn-Errortype", "AccessDeniedException")
			rw.WriteHeader(http.StatusForbidden)
			return true
		}
		return w.in.Handle(rw, r) || whole.Handle(rw, r) || w.batch.Handle(rw, r)
	})
	w.Cloud = lambdatest.NewCloud(t, s, address)

	var config strings.Builder
	accounts := map[string]string{"source": s.Account(), "destination": s.Account()}
	for profile, account := range accounts {
		id, secret, token := s.Credentials(t, account)
		fmt.Fprintf(&config, "[profile %s]\nregion = us-east-1\naws_access_key_id = %s\naws_secret_access_key = %s\naws_session_token = %s\n", profile, id, secret, token)
	}
	w.write("aws-config", config.String())
	w.boto = append(os.Environ(), "AWS_CONFIG_FILE="+filepath.Join(w.dir, "aws-config"), "AWS_ENDPOINT_URL="+address, "NO_PROXY=*")
	w.shown = w.python("make", s.Name(t, "source"), s.Name(t, "destination"))
	if err := json.Unmarshal([]byte(w.shown), &w.route); err != nil {
		t.Fatal(err)
	}
	w.batch.SetStatus(mototest.Version{Bucket: w.route.Source, Key: w.route.Key, ID: w.route.Version}, "FAILED")

	role, err := iam.NewFromConfig(s.Config(t, accounts["source"], "us-east-1")).GetRole(t.Context(), &iam.GetRoleInput{RoleName: aws.String("replication")})
	if err != nil {
		t.Fatal(err)
	}
	w.write("replimend.yaml", fmt.Sprintf(`version: 1
routes:
  - name: ledger
    mode: automatic
    source: {bucket: %[1]s, account: %[2]q, region: us-east-1}
    destination: {bucket: %[3]s, account: %[4]q, region: eu-west-1}
    rule: {id: everything, kmsObjects: true}
    role: {arn: "%[5]s", uniqueId: %[6]s, trust: [s3.amazonaws.com]}
    sourceKeys: ["%[7]s"]
    replicaKey: "%[8]s"
    allow: {noBoundary: true}
members:
  - {account: %[2]q, regions: [us-east-1]}
  - {account: %[4]q, regions: [eu-west-1]}
`, w.route.Source, w.route.SourceAccount, w.route.Destination, w.route.DestinationAccount, w.route.Role, aws.ToString(role.Role.RoleId),
		w.route.SourceKey, w.route.ReplicaKey))
	w.Env = append(w.Env, "REPLIMEND_SETTINGS="+filepath.Join(w.dir, "replimend.yaml"))
	return w
}

func (w *world) write(name, text string) {
	w.t.Helper()
	if err := os.WriteFile(filepath.Join(w.dir, name), []byte(text), 0o600); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) python(args ...string) string {
	w.t.Helper()
	cmd := exec.CommandContext(w.t.Context(), mototest.Python(w.t), append([]string{script}, args...)...)
	var errs bytes.Buffer
	cmd.Env, cmd.Stderr = w.boto, &errs
	out, err := cmd.Output()
	if err != nil {
		w.t.Fatalf("world.py %v: %v\n%s", args, err, &errs)
	}
	return string(out)
}

// documents is what a cure may touch, as boto3 reads it.
func (w *world) documents() string { return w.python("show", w.shown) }

// event is S3's documented event, of a version of this route.
func (w *world) event(key, version string) string {
	w.t.Helper()
	archive, err := txtar.ParseFile("../../internal/signal/testdata/official-failed.txtar")
	if err != nil {
		w.t.Fatal(err)
	}
	return strings.NewReplacer(
		"amzn-s3-demo-bucket1", w.route.Source, "amzn-s3-demo-bucket2", w.route.Destination, "notification-test-replication-rule", "everything",
		"replication-object-put-test.png", key, "abcdeH0Xp66ep__QDjR76LK7Gc9X4wKO", version,
	).Replace(string(archive.Files[0].Data))
}

// start runs a function of this world.
func (w *world) start(dir string) *lambdatest.Runtime {
	w.t.Helper()
	return lambdatest.Start(w.t.Context(), w.t, lambdatest.Build(w.t, dir), w.Env...)
}

// drain pumps a queue until it is empty.
func (w *world) drain(queue string, function *lambdatest.Runtime) {
	w.t.Helper()
	for n := 0; ; n++ {
		if all, _ := w.Pump(queue, function); all == 0 {
			return
		}
		if n == 40 {
			w.t.Fatalf("the queue does not become empty; the log is\n%s", function.Stop())
		}
	}
}

// incident is the one that there is, with its documents.
func (w *world) incident() incident.Incident {
	w.t.Helper()
	all, err := w.Table.List(w.t.Context(), incident.Filter{})
	if err != nil || len(all) != 1 {
		w.t.Fatalf("%d incidents, %v", len(all), err)
	}
	i, err := w.Table.Get(w.t.Context(), all[0].ID)
	if err != nil {
		w.t.Fatal(err)
	}
	return i
}

// TestEventsCureARoute from the event in the queue to the documents as boto3 reads them: events come twice and in any order, among them
// one that is none, two workers take the incident at the same time, and S3 takes its time.
func TestEventsCureARoute(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	before := w.documents()
	failure, first, second := w.start("../failure"), w.start("."), w.start(".")

	failed := w.event(w.route.Key, w.route.Version)
	late := strings.ReplaceAll(failed, "2024-09-05T21:04", "2024-09-05T20:04")
	for _, body := range []string{failed, late, `{"Records": 1}`, failed, late} {
		w.Send(w.Events, body)
	}
	w.drain(w.Events, failure)
	i := w.incident()
	if now := w.documents(); now != before || i.Outcome != incident.Open {
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
	w.drain(w.Work, second)

	i = w.incident()
	logs := first.Stop() + second.Stop()
	if i.Outcome != incident.Resolved || len(i.Changes) != 2 {
		t.Fatalf("outcome %s: %v\n%s", i.Outcome, i.Timeline, logs)
	}
	after := w.documents()
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
	if n := w.batch.Calls("CreateJob"); n != 1 {
		t.Errorf("%d jobs", n)
	}
	if !slices.Contains(w.in.Delays(), 5*time.Minute) {
		t.Errorf("nobody was to look at the running job again: %v", w.in.Delays())
	}
	if n := strings.Count(logs, `"msg":"notice"`); n == 0 || n > 2 || strings.Contains(logs, w.route.Key) || !strings.Contains(logs, `"incident":"`+i.ID+`"`) {
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
