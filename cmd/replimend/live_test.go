package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/replimend/replimend/internal/mototest"
)

// account is a route in two accounts of moto, and how commands get there: the environment of a person with two profiles.
type accounts struct {
	t      *testing.T
	dir    string // where commands run, and where the settings and the journal are
	env    []string
	python string
	batch  *mototest.Batch
	world  world
	shown  string // the world, as world.py takes it

	mu        sync.Mutex
	intercept func(w http.ResponseWriter, r *http.Request) bool // before moto and the jobs; nil: nothing
}

// world is what world.py made.
type world struct {
	Source, Destination, SourceAccount, DestinationAccount, Role, SourceKey, ReplicaKey, Key, Version string
}

func newAccounts(t *testing.T) *accounts {
	t.Helper()
	s := mototest.Start(t)
	a := &accounts{t: t, dir: t.TempDir(), python: mototest.Python(t), batch: s.Batch(t)}
	a.batch.Swift = true
	var whole mototest.Configurations
	address := s.Proxy(t, func(w http.ResponseWriter, r *http.Request) bool {
		if strings.Contains(r.Header.Get("Authorization"), "/access-analyzer/") { // which moto does not know
			w.Header().Set("X-Amzn-Errortype", "AccessDeniedException")
			w.WriteHeader(http.StatusForbidden)
			return true
		}
		a.mu.Lock()
		intercept := a.intercept
		a.mu.Unlock()
		return intercept != nil && intercept(w, r) || whole.Handle(w, r) || a.batch.Handle(w, r)
	})
	var config strings.Builder
	for _, profile := range []string{"source", "destination"} {
		id, secret, token := s.Credentials(t, s.Account())
		fmt.Fprintf(&config, "[profile %s]\nregion = us-east-1\naws_access_key_id = %s\naws_secret_access_key = %s\naws_session_token = %s\n", profile, id, secret, token)
	}
	a.write("aws-config", config.String())
	a.env = append(os.Environ(),
		"AWS_CONFIG_FILE="+filepath.Join(a.dir, "aws-config"), "AWS_SHARED_CREDENTIALS_FILE="+filepath.Join(a.dir, "none"), "AWS_ENDPOINT_URL="+address,
		"AWS_EC2_METADATA_DISABLED=true", "XDG_STATE_HOME="+filepath.Join(a.dir, "state"), "NO_PROXY=*", "AWS_MAX_ATTEMPTS=3",
	)
	a.shown = a.boto("", "make", s.Name(t, "source"), s.Name(t, "destination"))
	if err := json.Unmarshal([]byte(a.shown), &a.world); err != nil {
		t.Fatal(err)
	}
	a.batch.SetStatus(mototest.Version{Bucket: a.world.Source, Key: a.world.Key, ID: a.world.Version}, "FAILED")
	return a
}

func (a *accounts) write(name, text string) {
	a.t.Helper()
	if err := os.WriteFile(filepath.Join(a.dir, name), []byte(text), 0o600); err != nil {
		a.t.Fatal(err)
	}
}

// boto runs world.py: an independent client.
func (a *accounts) boto(stdin string, args ...string) string {
	a.t.Helper()
	script, err := filepath.Abs("testdata/live/world.py")
	if err != nil {
		a.t.Fatal(err)
	}
	cmd := exec.CommandContext(a.t.Context(), a.python, append([]string{script}, args...)...)
	cmd.Dir, cmd.Env, cmd.Stdin = a.dir, a.env, strings.NewReader(stdin)
	var errs bytes.Buffer
	cmd.Stderr = &errs
	out, err := cmd.Output()
	if err != nil {
		a.t.Fatalf("world.py %v: %v\n%s", args, err, &errs)
	}
	return string(out)
}

// documents is what a cure may touch, as boto3 reads it.
func (a *accounts) documents() string { return a.boto("", "show", a.shown) }

// program is the compiled replimend: what people run.
var binary = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "replimend")
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "replimend")
	if out, err := exec.Command("go", "build", "-o", path, ".").CombinedOutput(); err != nil { //nolint:noctx // once for all tests
		return "", fmt.Errorf("go build: %w: %s", err, out)
	}
	return path, nil
})

// ran is what a command printed, and how it ended.
type ran struct {
	stdout, stderr string
	code           int
}

func (r ran) String() string { return fmt.Sprintf("exit code %d\n%s\n%s", r.code, r.stdout, r.stderr) }

// replimend runs the compiled program with both profiles, and with that answer to what it asks.
func (a *accounts) replimend(answer string, args ...string) ran {
	a.t.Helper()
	return a.as(a.t.Context(), answer, append(args, "--profile", "source", "--profile", "destination")...)
}

func (a *accounts) as(ctx context.Context, answer string, args ...string) ran {
	a.t.Helper()
	path, err := binary()
	if err != nil {
		a.t.Fatal(err)
	}
	cmd := exec.CommandContext(ctx, path, args...)
	var out, errs bytes.Buffer
	cmd.Dir, cmd.Env, cmd.Stdin, cmd.Stdout, cmd.Stderr = a.dir, a.env, strings.NewReader(answer), &out, &errs
	err = cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		a.t.Fatal(err)
	}
	return ran{out.String(), errs.String(), cmd.ProcessState.ExitCode()}
}

// approve writes the settings: the route as replimend adopts it, in mode approve, and both accounts as members.
func (a *accounts) approve() {
	a.t.Helper()
	adopted := a.replimend("", "routes", "adopt", a.world.Source)
	if adopted.code != exitFine || !strings.Contains(adopted.stdout, "mode: observe") {
		a.t.Fatalf("adopt: %s", adopted)
	}
	a.write("replimend.yaml", strings.Replace(adopted.stdout, "mode: observe", "mode: approve", 1)+fmt.Sprintf(
		"members:\n  - {account: %q, regions: [us-east-1]}\n  - {account: %q, regions: [eu-west-1]}\n", a.world.SourceAccount, a.world.DestinationAccount))
}

// incident is the id in what apply printed.
func (r ran) incident(t *testing.T) string {
	t.Helper()
	id := regexp.MustCompile(`inc-[0-9a-f]{20}`).FindString(r.stdout)
	if id == "" {
		t.Fatalf("names no incident: %s", r)
	}
	return id
}

// TestLiveRouteIsCured is the whole story of a person at the command line: two accounts, a fault in each, cured, proven by what
// S3 replicates again, and taken back. The documents are read by boto3.
func TestLiveRouteIsCured(t *testing.T) {
	t.Parallel()
	a := newAccounts(t)
	before := a.documents()

	if r := a.replimend("", "diagnose", "--live", a.world.Source); r.code != exitBroken ||
		!strings.Contains(r.stdout, "role-lacks-source-decrypt") || !strings.Contains(r.stdout, "replica-key-policy-lacks-encrypt") {
		t.Fatalf("diagnose: %s", r)
	}
	object := a.world.Key + "@" + a.world.Version
	if r := a.replimend("yes\n", "apply", a.world.Source, "--object", object); r.code != exitBroken || !strings.Contains(r.stdout, "approved-route") {
		t.Errorf("a route that nobody approved: %s", r)
	}
	a.approve()
	if r := a.replimend("no\n", "apply", a.world.Source, "--object", object); r.code != exitBroken || !strings.Contains(r.stdout, "declined") {
		t.Errorf("a no: %s", r)
	}
	if now := a.documents(); now != before {
		t.Fatalf("something was written without a yes:\n%s", now)
	}

	applied := a.replimend("yes\nyes\n", "apply", a.world.Source, "--object", object, "--replay")
	if applied.code != exitFine || !strings.Contains(applied.stdout, "resolved") {
		t.Fatalf("apply: %s", applied)
	}
	after := a.documents()
	t.Logf("before:\n%s\nafter:\n%s", before, after)
	for _, want := range []string{`"Replimend"`, `"kms:Decrypt"`, `"Sid": "Replimend`} {
		if strings.Contains(before, want) && want != `"kms:Decrypt"` || !strings.Contains(after, want) {
			t.Errorf("the documents lack %s", want)
		}
	}
	if jobs := a.batch.Calls("CreateJob"); jobs != 1 {
		t.Errorf("%d jobs", jobs)
	}
	if r := a.replimend("", "diagnose", "--live", a.world.Source, "--format", "json"); r.code != exitFine || !strings.Contains(r.stdout, `"verdict": "`) {
		t.Errorf("diagnose after the cure: %s", r)
	}
	if r := a.replimend("", "sweep"); r.code != exitFine || !strings.Contains(r.stdout, "approve") {
		t.Errorf("sweep: %s", r)
	}
	if r := a.replimend("", "routes", "list"); r.code != exitFine || !strings.Contains(r.stdout, a.world.Source) {
		t.Errorf("routes list: %s", r)
	}

	id := applied.incident(t)
	if r := a.as(t.Context(), "", "incidents", "list"); r.code != exitFine || !strings.Contains(r.stdout, id) {
		t.Errorf("incidents list: %s", r)
	}
	shown := a.as(t.Context(), "", "incidents", "show", id, "--format", "json")
	if err := validate(t, compile(t, "incident.schema.json"), shown.stdout); err != nil {
		t.Errorf("incidents show: %v\n%s", err, shown)
	}
	if r := a.replimend("yes\n", "undo", id); r.code != exitFine || strings.Count(r.stdout, ": undone") != 2 {
		t.Fatalf("undo: %s", r)
	}
	if now := a.documents(); now != before {
		t.Errorf("undo left:\n%s\nwant:\n%s", now, before)
	}
	if r := a.replimend("yes\n", "undo", id); r.code != exitError || !strings.Contains(r.stderr, "nothing of this incident is left to undo") {
		t.Errorf("a second undo: %s", r)
	}
}
