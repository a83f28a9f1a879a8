package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"github.com/replimend/replimend/internal/awscloud"
	"github.com/replimend/replimend/internal/journal"
	"github.com/replimend/replimend/internal/mototest"
)

// account is a route in two accounts of moto, and how commands get there: the environment of a person with two profiles.
type accounts struct {
	t      *testing.T
	dir    string // where commands run, and where the settings and the journal are
	env    []string
	python string
	batch  *mototest.Batch
	source aws.Config // of the source's account
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
	return newAccountsWith(t, s.Name(t, "source"), s.Name(t, "destination"))
}

// newAccountsWith has buckets of those names, which no other test may use.
func newAccountsWith(t *testing.T, source, destination string) *accounts {
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
		account := s.Account()
		if profile == "source" {
			a.source = s.Config(t, account, "us-east-1")
		}
		id, secret, token := s.Credentials(t, account)
		fmt.Fprintf(&config, "[profile %s]\nregion = us-east-1\naws_access_key_id = %s\naws_secret_access_key = %s\naws_session_token = %s\n", profile, id, secret, token)
	}
	a.write("aws-config", config.String())
	a.env = append(os.Environ(),
		"AWS_CONFIG_FILE="+filepath.Join(a.dir, "aws-config"), "AWS_SHARED_CREDENTIALS_FILE="+filepath.Join(a.dir, "none"), "AWS_ENDPOINT_URL="+address,
		"AWS_EC2_METADATA_DISABLED=true", "XDG_STATE_HOME="+filepath.Join(a.dir, "state"), "NO_PROXY=*", "AWS_MAX_ATTEMPTS=3",
	)
	a.shown = a.boto("", "make", source, destination)
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
	return a.ended(ctx, os.Kill, answer, args...)
}

// ended is as, with the signal that the program gets when the context ends.
func (a *accounts) ended(ctx context.Context, by os.Signal, answer string, args ...string) ran {
	a.t.Helper()
	path, err := binary()
	if err != nil {
		a.t.Fatal(err)
	}
	cmd := exec.CommandContext(ctx, path, args...)
	cmd.Cancel = func() error { return cmd.Process.Signal(by) }
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
	single, err := os.ReadFile(filepath.Join(a.dir, "replimend.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	a.write("replimend.yaml", string(single)+"approvals: {approvers: [\"arn:aws:iam::*:role/on-call\"], twoForKeyPolicies: true}\n")
	if r := a.replimend("yes\n", "apply", a.world.Source, "--object", object, "--yes"); r.code != exitBroken ||
		!strings.Contains(r.stderr, "2 people have to approve this plan") || !strings.Contains(r.stdout, "nothing was written") {
		t.Errorf("a yes where two are needed: %s", r)
	}
	a.write("replimend.yaml", string(single))
	if now := a.documents(); now != before {
		t.Fatalf("something was written without a yes:\n%s", now)
	}

	applied := a.replimend("yes\nyes\n", "apply", a.world.Source, "--object", object, "--replay", "--settle", "0")
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

// target is the operation of a request: X-Amz-Target's of KMS, or the Action of a form, of IAM and STS.
func operation(r *http.Request) (name, body string) {
	text, err := io.ReadAll(r.Body)
	if err != nil {
		return "", ""
	}
	r.Body = io.NopCloser(bytes.NewReader(text))
	if target := r.Header.Get("X-Amz-Target"); target != "" {
		return target[strings.LastIndexByte(target, '.')+1:], string(text)
	}
	form, _ := url.ParseQuery(string(text))
	return form.Get("Action"), form.Encode()
}

// before sets what comes before moto.
func (a *accounts) before(f func(w http.ResponseWriter, r *http.Request) bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.intercept = f
}

// talk starts the program, waits until it asks, does something, and answers.
func (a *accounts) talk(meanwhile func(), answer string, args ...string) ran {
	a.t.Helper()
	path, err := binary()
	if err != nil {
		a.t.Fatal(err)
	}
	cmd := exec.CommandContext(a.t.Context(), path, append(args, "--profile", "source", "--profile", "destination")...)
	cmd.Dir, cmd.Env = a.dir, a.env
	var out bytes.Buffer
	cmd.Stdout = &out
	stdin, err := cmd.StdinPipe()
	if err != nil {
		a.t.Fatal(err)
	}
	stderr, err := cmd.StderrPipe()
	if err != nil {
		a.t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		a.t.Fatal(err)
	}
	var said strings.Builder
	in := bufio.NewReader(stderr)
	for !strings.HasSuffix(said.String(), "Type yes: ") {
		c, err := in.ReadByte()
		if err != nil {
			a.t.Fatalf("it asked nothing: %v\n%s\n%s", err, &out, said.String())
		}
		said.WriteByte(c)
	}
	meanwhile()
	_, _ = io.WriteString(stdin, answer)
	stdin.Close()
	rest, _ := io.ReadAll(in)
	said.Write(rest)
	_ = cmd.Wait()
	return ran{out.String(), said.String(), cmd.ProcessState.ExitCode()}
}

// TestLiveDriftWritesNothing: somebody changes the key's policy while a person reads the diff.
func TestLiveDriftWritesNothing(t *testing.T) {
	t.Parallel()
	a := newAccounts(t)
	a.approve()
	var theirs string
	r := a.talk(func() {
		var documents struct{ ReplicaKey json.RawMessage }
		if err := json.Unmarshal([]byte(a.documents()), &documents); err != nil {
			t.Error(err)
		}
		theirs = strings.Replace(string(documents.ReplicaKey), `"Root"`, `"Theirs"`, 1)
		a.boto(theirs, "put", a.shown, "replicaKey")
	}, "yes\n", "apply", a.world.Source)
	if r.code != exitBroken || !strings.Contains(r.stdout, "changed since it was read") {
		t.Errorf("%s", r)
	}
	if now := a.documents(); !strings.Contains(now, `"Theirs"`) || strings.Contains(now, "Replimend") {
		t.Errorf("the documents are:\n%s", now)
	}
}

// TestLiveKillSwitch: somebody stops everything while a person reads the diff. Nothing is written, and nothing is undone either.
func TestLiveKillSwitch(t *testing.T) {
	t.Parallel()
	a := newAccounts(t)
	a.approve()
	before := a.documents()
	hub := ssm.NewFromConfig(a.source)
	set := func(value string) {
		t.Helper()
		if _, err := hub.PutParameter(t.Context(), &ssm.PutParameterInput{
			Name: aws.String(awscloud.SwitchParameter), Value: &value, Type: types.ParameterTypeString, Overwrite: aws.Bool(true),
		}); err != nil {
			t.Fatal(err)
		}
	}
	stopped := func(when string, r ran) {
		t.Helper()
		for _, want := range []string{"on: jane, ticket 42", "the kill switch of the hub is thrown since 20", "aws ssm delete-parameter --name /replimend/kill-switch --region us-east-1 lifts it"} {
			if r.code != exitBroken || strings.Count(r.stderr, want) != 1 {
				t.Errorf("%s: it does not say %q once: %s", when, want, r)
			}
		}
	}
	r := a.talk(func() { set("on: jane, ticket 42") }, "yes\n", "apply", a.world.Source)
	stopped("while it asks", r)
	if !strings.Contains(r.stdout, "the kill switch of the hub was thrown") {
		t.Errorf("the incident does not say so: %s", r)
	}
	r = a.replimend("yes\n", "apply", a.world.Source)
	stopped("before", r)
	if !strings.Contains(r.stdout, "kill-switch: the kill switch of the hub is thrown") {
		t.Errorf("the guard does not say so: %s", r)
	}
	if now := a.documents(); now != before {
		t.Fatalf("something was written:\n%s", now)
	}
	set("off")
	r = a.replimend("yes\n", "apply", a.world.Source)
	after := a.documents()
	if r.code != exitFine || after == before {
		t.Fatalf("lifted: %s", r)
	}
	undone := a.talk(func() { set("on: jane, ticket 42") }, "yes\n", "undo", r.incident(t))
	stopped("undo", undone)
	if now := a.documents(); now != after || !strings.Contains(undone.stdout, "nothing was written") {
		t.Errorf("undone: %s\n%s", undone, now)
	}
}

// TestLiveKillSwitchThatNobodyMayRead stops as well.
func TestLiveKillSwitchThatNobodyMayRead(t *testing.T) {
	t.Parallel()
	a := newAccounts(t)
	a.approve()
	before := a.documents()
	a.before(func(w http.ResponseWriter, r *http.Request) bool {
		name, _ := operation(r)
		if name != "GetParameter" || !strings.Contains(r.Header.Get("Authorization"), "/eu-west-1/") {
			return false
		}
		w.WriteHeader(http.StatusBadRequest)
		_, _ = io.WriteString(w, `{"__type": "AccessDeniedException", "message": "is not authorized to perform: ssm:GetParameter"}`)
		return true
	})
	r := a.replimend("yes\n", "apply", a.world.Source)
	if r.code != exitError || !strings.Contains(r.stderr, "read kill switch of account "+a.world.DestinationAccount+" in eu-west-1") || a.documents() != before {
		t.Errorf("%s", r)
	}
}

// TestLiveProtectedChange: CloudTrail's record says that the security team took the permission away. It is not given back, and diagnose
// tells who it was. A change of another key is not counted.
func TestLiveProtectedChange(t *testing.T) {
	t.Parallel()
	a := newAccounts(t)
	a.approve()
	text, err := os.ReadFile(filepath.Join(a.dir, "replimend.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	a.write("replimend.yaml", string(text)+"protected:\n  - arn:aws:iam::*:role/Security\n")
	event := func(name, key string) {
		a.write(name, fmt.Sprintf(`{"detail-type": "AWS API Call via CloudTrail", "detail": {"eventVersion": "1.11", "eventSource": "kms.amazonaws.com",
			"eventName": "PutKeyPolicy", "eventTime": %q, "awsRegion": "eu-west-1", "recipientAccountId": %q, "readOnly": false, "requestParameters": {"keyId": %q},
			"userIdentity": {"arn": "arn:aws:sts::%s:assumed-role/Security/jane"}}}`,
			time.Now().UTC().Format(time.RFC3339), a.world.DestinationAccount, key, a.world.DestinationAccount))
	}
	event("theirs.json", a.world.ReplicaKey)
	event("other.json", "1234abcd-12ab-34cd-56ef-1234567890ab")
	before := a.documents()
	if r := a.replimend("", "diagnose", "--live", a.world.Source, "--event", "theirs.json"); r.code != exitBroken || !strings.Contains(r.stderr, "note: PutKeyPolicy of "+a.world.ReplicaKey+" by arn:aws:sts::") {
		t.Errorf("diagnose: %s", r)
	}
	r := a.replimend("yes\n", "apply", a.world.Source, "--event", "theirs.json")
	if r.code != exitBroken || !strings.Contains(r.stdout, "protected-change") || !strings.Contains(r.stdout, "broken by PutKeyPolicy of") || a.documents() != before {
		t.Errorf("apply: %s", r)
	}
	// Somebody who tells of another change gets no further: the incident remembers.
	if r := a.replimend("yes\n", "apply", a.world.Source, "--event", "other.json"); r.code != exitBroken || !strings.Contains(r.stderr, "does not concern this route") || a.documents() != before {
		t.Errorf("apply with another change: %s", r)
	}
	for example, want := range map[string]string{
		"s3.json":                "1 events of S3 in s3.json are not counted here",
		"kms-access-denied.json": "kms:Decrypt of role s3crr_role_for_amzn-s3-demo-source-bucket, denied at 2026-11-21T21:04:10Z: it does not concern this route",
	} {
		text, err := os.ReadFile("../../docs/examples/events/" + example)
		if err != nil {
			t.Fatal(err)
		}
		a.write(example, string(text))
		if r := a.replimend("yes\n", "apply", a.world.Source, "--event", example); r.code != exitBroken || !strings.Contains(r.stderr, want) || a.documents() != before {
			t.Errorf("apply with %s: %s", example, r)
		}
	}
}

// TestLiveThrottlingIsWaitedFor: the first calls of each kind are refused for now.
func TestLiveThrottlingIsWaitedFor(t *testing.T) {
	t.Parallel()
	a := newAccounts(t)
	a.approve()
	var mu sync.Mutex
	seen := map[string]int{}
	a.before(func(w http.ResponseWriter, r *http.Request) bool {
		name, _ := operation(r)
		mu.Lock()
		seen[name]++
		n := seen[name]
		mu.Unlock()
		if n > 1 || name != "PutKeyPolicy" && name != "PutRolePolicy" && name != "GetRole" && name != "DescribeKey" {
			return false
		}
		w.Header().Set("X-Amzn-Errortype", "ThrottlingException")
		w.WriteHeader(http.StatusBadRequest)
		if strings.HasPrefix(name, "PutRole") || strings.HasPrefix(name, "GetRole") {
			_, _ = io.WriteString(w, `<ErrorResponse><Error><Code>Throttling</Code><Message>Rate exceeded</Message></Error></ErrorResponse>`)
		} else {
			_, _ = io.WriteString(w, `{"__type": "ThrottlingException", "message": "Rate exceeded"}`)
		}
		return true
	})
	if r := a.replimend("yes\n", "apply", a.world.Source); r.code != exitFine || !strings.Contains(r.stdout, "applied") {
		t.Errorf("%s", r)
	}
	mu.Lock()
	defer mu.Unlock()
	for _, name := range []string{"PutKeyPolicy", "PutRolePolicy", "GetRole", "DescribeKey"} {
		if seen[name] < 2 {
			t.Errorf("%s was called %d times: nothing was throttled", name, seen[name])
		}
	}
}

// TestLiveMemberThatRefuses: the destination's account does not let the writer in. Nothing is left behind in the other one.
func TestLiveMemberThatRefuses(t *testing.T) {
	t.Parallel()
	a := newAccounts(t)
	a.approve()
	before := a.documents()
	a.before(func(w http.ResponseWriter, r *http.Request) bool {
		name, body := operation(r)
		if name != "AssumeRole" || !strings.Contains(body, a.world.DestinationAccount) {
			return false
		}
		w.WriteHeader(http.StatusForbidden)
		_, _ = io.WriteString(w, `<ErrorResponse><Error><Code>AccessDenied</Code><Message>is not authorized to perform sts:AssumeRole</Message></Error></ErrorResponse>`)
		return true
	})
	r := a.replimend("yes\n", "apply", a.world.Source)
	if r.code != exitError || !strings.Contains(r.stderr, "AccessDenied") || !strings.Contains(r.stderr, a.world.ReplicaKey) {
		t.Errorf("%s", r)
	}
	if now := a.documents(); now != before {
		t.Errorf("left behind:\n%s", now)
	}
	a.before(nil)
	if r := a.replimend("yes\n", "apply", a.world.Source); r.code != exitFine {
		t.Errorf("and once it lets us in: %s", r)
	}
}

// TestLiveOversizedDocumentIsNotTried: what AWS would not store is known before anything is written.
func TestLiveOversizedDocumentIsNotTried(t *testing.T) {
	t.Parallel()
	a := newAccounts(t)
	a.approve()
	filler := make([]string, 900)
	for i := range filler {
		filler[i] = fmt.Sprintf("arn:aws:iam::%012d:root", 100000000000+i)
	}
	text, err := json.Marshal(map[string]any{"Version": "2012-10-17", "Statement": []any{
		map[string]any{"Sid": "Root", "Effect": "Allow", "Principal": map[string]string{"AWS": "arn:aws:iam::" + a.world.DestinationAccount + ":root"}, "Action": "kms:*", "Resource": "*"},
		map[string]any{"Sid": "Full", "Effect": "Allow", "Principal": map[string]any{"AWS": filler}, "Action": "kms:DescribeKey", "Resource": "*"},
	}})
	if err != nil || len(text) > 32<<10 {
		t.Fatalf("the policy has %d bytes, %v: the test needs one that is nearly full", len(text), err)
	}
	// Just short of the limit, so that the new statement is what is too much.
	a.boto(strings.Replace(string(text), `"Full"`, `"Full`+strings.Repeat("x", 32<<10-len(text)-100)+`"`, 1), "put", a.shown, "replicaKey")
	before := a.documents()
	var wrote atomic.Bool
	a.before(func(_ http.ResponseWriter, r *http.Request) bool {
		if name, _ := operation(r); strings.HasPrefix(name, "Put") && !strings.HasSuffix(name, "Item") {
			wrote.Store(true)
		}
		return false
	})
	r := a.replimend("yes\n", "apply", a.world.Source)
	if r.code != exitBroken || !strings.Contains(r.stdout, "characters, and AWS stores 32768") && !strings.Contains(r.stdout, "document-not-writable") {
		t.Errorf("%s", r)
	}
	if wrote.Load() || a.documents() != before {
		t.Errorf("something was written")
	}
}

// TestLiveKilledProcess: it is killed between the image and the write, and between the write and its note. The journal says what was
// intended; the next run finds out, and nothing is half done.
func TestLiveKilledProcess(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name  string
		reach bool // whether the write still reaches AWS
	}{{"before the write", false}, {"after the write", true}} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			a := newAccounts(t)
			a.approve()
			before := a.documents()
			ctx, kill := context.WithCancel(t.Context())
			defer kill()
			released := make(chan struct{})
			a.before(func(w http.ResponseWriter, r *http.Request) bool {
				if name, _ := operation(r); name != "PutKeyPolicy" {
					return false
				}
				if !tt.reach {
					kill() // SIGKILL
					<-released
					return true
				}
				go func() { <-released }()
				defer kill()
				return false
			})
			r := a.as(ctx, "yes\n", "apply", a.world.Source, "--profile", "source", "--profile", "destination")
			close(released)
			a.before(nil)
			if r.code != -1 {
				t.Fatalf("it was not killed: %s", r)
			}
			list := a.as(t.Context(), "", "incidents", "list")
			id := list.incident(t)
			if shown := a.as(t.Context(), "", "incidents", "show", id); !strings.Contains(shown.stdout, "intended") || !strings.Contains(shown.stdout, "would write") {
				t.Errorf("the journal does not say what was intended: %s", shown)
			}
			again := a.replimend("yes\n", "apply", a.world.Source)
			now := a.documents()
			switch {
			case !tt.reach && (again.code != exitFine || !strings.Contains(now, "Replimend")):
				t.Errorf("nothing had been written, so that the next run goes on: %s", again)
			case tt.reach && (again.code != exitBroken || now != before || !strings.Contains(again.stdout, "an earlier worker ended")):
				t.Errorf("what had been written is taken back: %s\n%s", again, now)
			}
			if tt.reach {
				if third := a.replimend("yes\n", "apply", a.world.Source); third.code != exitFine {
					t.Errorf("the run after that: %s", third)
				}
			}
		})
	}
}

// TestLiveEnrolment: metrics and notification are switched on step by step, a second run finds nothing to do, and what somebody
// else has asked to hear of stays.
func TestLiveEnrolment(t *testing.T) {
	t.Parallel()
	a := newAccounts(t)
	target := "arn:aws:sns:us-east-1:" + a.world.SourceAccount + ":failures"
	if r := a.replimend("no\nno\n", "enroll", a.world.Source, "--notify", target); r.code != exitBroken || strings.Count(r.stdout, "declined") != 2 {
		t.Errorf("two times no: %s", r)
	}
	first := a.replimend("yes\nyes\n", "enroll", a.world.Source, "--notify", target)
	if first.code != exitFine || strings.Count(first.stdout, "written") != 2 || !strings.Contains(first.stdout, "mode: observe") {
		t.Fatalf("%s", first)
	}
	for _, want := range []string{`+        "Metrics"`, "ReplimendReplicationFailures", target} {
		if !strings.Contains(first.stdout, want) {
			t.Errorf("the diffs lack %s: %s", want, first)
		}
	}
	if again := a.replimend("", "enroll", a.world.Source, "--notify", target); again.code != exitFine || strings.Contains(again.stdout, "written") {
		t.Errorf("a second time: %s", again)
	}
	if r := a.replimend("", "diagnose", "--live", a.world.Source); strings.Contains(r.stdout, "metrics-not-enabled") || strings.Contains(r.stdout, "failure-notification-missing") {
		t.Errorf("still blind: %s", r)
	}
}

// TestLivePreflight says all that is missing at once: the accounts of the emulator have none of Replimend's roles, and no trail.
func TestLivePreflight(t *testing.T) {
	t.Parallel()
	a := newAccounts(t)
	if r := a.replimend("", "preflight"); r.code != exitError || !strings.Contains(r.stderr, "no settings") {
		t.Errorf("without settings: %s", r)
	}
	a.approve()
	r := a.replimend("", "preflight")
	t.Logf("%s", r)
	for _, want := range []string{
		"account " + a.world.SourceAccount, "account " + a.world.DestinationAccount, "role/replimend/replimend-reader", "role/replimend/replimend-resource-writer",
		"trail", "metrics", "blocks",
	} {
		if r.code != exitBroken || !strings.Contains(r.stdout, want) {
			t.Errorf("it does not say %q", want)
		}
	}
	if r := a.replimend("", "preflight", "--format", "json"); !json.Valid([]byte(r.stdout)) {
		t.Errorf("no JSON: %s", r)
	}
}

// TestLiveTable keeps the record in DynamoDB.
func TestLiveTable(t *testing.T) {
	t.Parallel()
	a := newAccounts(t)
	a.approve()
	if _, err := dynamodb.NewFromConfig(a.source).CreateTable(t.Context(), journal.Shape("incidents")); err != nil {
		t.Fatal(err)
	}
	applied := a.replimend("yes\n", "apply", a.world.Source, "--journal", "dynamodb:incidents")
	if applied.code != exitFine {
		t.Fatalf("%s", applied)
	}
	id := applied.incident(t)
	if r := a.as(t.Context(), "", "incidents", "list", "--journal", "dynamodb:incidents", "--profile", "source"); r.code != exitFine || !strings.Contains(r.stdout, id) {
		t.Errorf("list: %s", r)
	}
	if r := a.replimend("yes\n", "undo", id, "--journal", "dynamodb:incidents"); r.code != exitFine || strings.Contains(a.documents(), "Replimend") {
		t.Errorf("undo: %s", r)
	}
	if r := a.as(t.Context(), "", "incidents", "show", "inc-0", "--journal", "dynamodb:incidents", "--profile", "source"); r.code != exitError || !strings.Contains(r.stderr, "no such entry") {
		t.Errorf("one that is not there: %s", r)
	}
}

// TestReadmeAgainstTheEmulator runs what README.md shows of live accounts, word by word and in its order, in a shell. Between two of
// the lines a person puts the route into mode approve, as the text says.
func TestReadmeAgainstTheEmulator(t *testing.T) {
	t.Parallel()
	a := newAccountsWith(t, "my-source-bucket", "my-destination-bucket")
	path, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(a.dir, "bin"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(path, filepath.Join(a.dir, "bin", "replimend")); err != nil {
		t.Fatal(err)
	}
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	before, id, ran := a.documents(), "", map[string]bool{}
	for _, m := range regexp.MustCompile(`(?m)^    (bin/replimend .*)$`).FindAllStringSubmatch(string(readme), -1) {
		line := m[1]
		if strings.Contains(line, "docs/examples") {
			continue
		}
		if id != "" {
			line = strings.ReplaceAll(line, "inc-0123456789abcdef0123", id)
		}
		line = strings.ReplaceAll(line, "111122223333", a.world.SourceAccount)
		line = strings.Replace(line, "--replay", "--replay --settle 0", 1) // but for the wait
		cmd := exec.CommandContext(t.Context(), "sh", "-c", line)
		cmd.Dir, cmd.Env, cmd.Stdin = a.dir, a.env, strings.NewReader("yes\nyes\nyes\n")
		out, err := cmd.CombinedOutput()
		var exit *exec.ExitError
		if err != nil && !errors.As(err, &exit) || cmd.ProcessState.ExitCode() == exitError {
			t.Fatalf("%s: %v\n%s", line, err, out)
		}
		command := strings.Fields(line)[1]
		ran[command] = true
		switch command {
		case "routes":
			settings, err := os.ReadFile(filepath.Join(a.dir, "replimend.yaml"))
			if err != nil {
				t.Fatal(err)
			}
			a.write("replimend.yaml", strings.Replace(string(settings), "mode: observe", "mode: approve", 1))
		case "apply":
			if id = regexp.MustCompile(`inc-[0-9a-f]{20}`).FindString(string(out)); id == "" || a.documents() == before {
				t.Fatalf("%s: nothing was cured:\n%s", line, out)
			}
		case "undo":
			if a.documents() != before {
				t.Errorf("%s: it is not as it was:\n%s", line, out)
			}
		}
	}
	for _, command := range []string{"diagnose", "snapshot", "plan", "routes", "preflight", "enroll", "apply", "sweep", "incidents", "undo"} {
		if !ran[command] {
			t.Errorf("README.md shows no live %s", command)
		}
	}
}

// TestLiveSlips is what people get wrong at three in the morning: none of it may look like a sound route.
func TestLiveSlips(t *testing.T) {
	t.Parallel()
	a := newAccounts(t)
	for want, args := range map[string][]string{
		"there is no bucket " + a.world.Source + "-x":   {"diagnose", "--live", a.world.Source + "-x"},
		"there is no bucket " + a.world.Source + "-y":   {"snapshot", a.world.Source + "-y"},
		"there is no bucket " + a.world.Source + "-z":   {"sweep", a.world.Source + "-z", a.world.Source},
		"is no name of a bucket":                        {"snapshot", "Not a bucket"},
		"no route " + a.world.Source + "/nothing":       {"diagnose", "--live", a.world.Source + "/nothing"},
		"there is no route " + a.world.Source + "/none": {"apply", a.world.Source + "/none"},
	} {
		if r := a.replimend("", args...); r.code != exitError || !strings.Contains(r.stderr, want) || !strings.Contains(r.stderr, "\nhint: ") {
			t.Errorf("%v: %s", args, r)
		}
	}
	if r := a.replimend("", "diagnose", "--live", a.world.Source+"/everything"); r.code != exitBroken {
		t.Errorf("BUCKET/RULE: %s", r)
	}
	// A newcomer's line: the shell has made the file before the command looks for it.
	a.write("replimend.yaml", "")
	adopted := a.replimend("", "routes", "adopt", a.world.Source)
	if adopted.code != exitFine || !strings.HasPrefix(adopted.stdout, "version: 1\n") || adopted.stderr != "" {
		t.Fatalf("with an empty file: %s", adopted)
	}
	a.write("replimend.yaml", adopted.stdout)
	if r := a.replimend("", "routes", "adopt", a.world.Source); !strings.Contains(r.stderr, "approved already as "+a.world.Source+"-everything, in mode observe, and is as it was") ||
		strings.Contains(r.stdout, "version:") {
		t.Errorf("a second time: %s", r)
	}
	for _, role := range []string{"other", "another"} {
		a.write("replimend.yaml", strings.Replace(adopted.stdout, "service-role/replication", "service-role/"+role, 1))
		if r := a.replimend("", "routes", "adopt", a.world.Source); !strings.Contains(r.stderr, "and differs: ") || !strings.Contains(r.stderr, role) {
			t.Errorf("of another role: %s", r)
		}
	}
	a.write("replimend.yaml", adopted.stdout)
	// Who asks twice is told twice.
	for range 2 {
		if r := a.replimend("", "apply", a.world.Source, "--yes"); r.code != exitBroken || !strings.Contains(r.stdout, "observe") {
			t.Errorf("in mode observe: %s", r)
		}
	}
}

// TestLiveQuestionNamesTheIncident, so that what a killed run wrote can be found, and an answer that does not come writes nothing.
func TestLiveQuestionNamesTheIncident(t *testing.T) {
	t.Parallel()
	a := newAccounts(t)
	a.approve()
	before := a.documents()
	first := a.replimend("", "apply", a.world.Source)
	if first.code != exitError || !strings.Contains(first.stdout, ", a new one") || !strings.Contains(first.stderr, "there is nobody to answer\nhint: --yes") {
		t.Errorf("nobody there: %s", first)
	}
	second := a.replimend("no\n", "apply", a.world.Source)
	if second.code != exitBroken || !strings.Contains(second.stdout, ", open since ") || second.incident(t) != first.incident(t) {
		t.Errorf("a second run: %s", second)
	}
	if now := a.documents(); now != before {
		t.Errorf("something was written:\n%s", now)
	}
}

// TestLiveInterruptedWriteIsTakenBack: somebody presses Ctrl-C while a document is being written.
func TestLiveInterruptedWriteIsTakenBack(t *testing.T) {
	t.Parallel()
	a := newAccounts(t)
	a.approve()
	before := a.documents()
	ctx, interrupt := context.WithCancel(t.Context())
	defer interrupt()
	a.before(func(_ http.ResponseWriter, r *http.Request) bool {
		if name, _ := operation(r); name == "PutRolePolicy" { // the second one: the key's policy is written
			interrupt()
			<-r.Context().Done() // its client goes away
			return true
		}
		return false
	})
	r := a.ended(ctx, os.Interrupt, "yes\n", "apply", a.world.Source, "--profile", "source", "--profile", "destination")
	if r.code != exitError || !strings.Contains(r.stderr, "PutRolePolicy: interrupted\nhint: replimend incidents show inc-") || !strings.Contains(r.stderr, "a second time ends it at once") {
		t.Errorf("%s", r)
	}
	if !strings.Contains(r.stdout, "the cure went wrong") || !strings.Contains(r.stdout, "undid ") {
		t.Errorf("it does not say what became of it: %s", r)
	}
	if now := a.documents(); now != before {
		t.Errorf("left behind:\n%s", now)
	}
}

// TestSilentRouteIsAskedAbout: who cures a route that somebody silenced is told of it first, and asked as always.
func TestSilentRouteIsAskedAbout(t *testing.T) {
	t.Parallel()
	a := newAccounts(t)
	a.approve()
	before := a.documents()
	// The owner is the caller, and the route is found as it is live where it is not approved by that name.
	if got := a.replimend("", "suppressions", "add", a.world.Source, "--for", "2h", "--reason", "migration"); got.code != exitFine {
		t.Fatalf("add: %s", got)
	}
	got := a.replimend("no\n", "apply", a.world.Source)
	if got.code != exitBroken || !strings.Contains(got.stderr, "note: the route is silenced by arn:aws:") || !strings.Contains(got.stderr, "migration") ||
		!strings.Contains(got.stderr, "Type yes") || !strings.Contains(got.stdout, "although silenced by") {
		t.Errorf("apply: %s", got)
	}
	if now := a.documents(); now != before {
		t.Errorf("the documents are\n%s", now)
	}
	if got := a.replimend("", "suppressions", "lift", a.world.Source+"/everything"); got.code != exitFine {
		t.Errorf("lift: %s", got)
	}
	if got := a.replimend("no\n", "apply", a.world.Source); strings.Contains(got.stderr, "silenced") {
		t.Errorf("apply after it was lifted: %s", got)
	}
}
