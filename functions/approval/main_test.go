package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	ssmtypes "github.com/aws/aws-sdk-go-v2/service/ssm/types"
	"github.com/rogpeppe/go-internal/txtar"

	"github.com/replimend/replimend/internal/grants"
	"github.com/replimend/replimend/internal/incident"
	"github.com/replimend/replimend/internal/journal"
	"github.com/replimend/replimend/internal/lambdatest"
	"github.com/replimend/replimend/internal/mototest"
	"github.com/replimend/replimend/internal/seal"
)

func TestMain(m *testing.M) { mototest.Main(m) }

// script makes a route in two accounts and reads it back with boto3: an independent client.
const script = "../../cmd/replimend/testdata/live/world.py"

// People, by the ARNs that AWS says their credentials have.
const (
	jane     = "arn:aws:sts::111122223333:assumed-role/AWSReservedSSO_Approvers_1234567890abcdef/jane@example.com"
	janeToo  = "arn:aws:sts::111122223333:assumed-role/AWSReservedSSO_Approvers_abcdef1234567890/Jane@example.com"
	john     = "arn:aws:sts::111122223333:assumed-role/AWSReservedSSO_Approvers_1234567890abcdef/john@example.com"
	stranger = "arn:aws:sts::111122223333:assumed-role/AWSReservedSSO_Developers_1234567890abcdef/mallory@example.com"
)

// world is a route between two members, which has a fault in each, the functions in a hub, and an incident about which people are asked.
type world struct {
	*lambdatest.Cloud
	t         *testing.T
	server    *mototest.Server
	batch     *mototest.Batch
	in        lambdatest.Intercept
	dir       string
	boto      []string // the environment of the script
	shown     string   // the route, as the script takes it
	sealer    seal.KMS
	approvals *journal.ApprovalTable
	desk      *lambdatest.Runtime
	worker    *lambdatest.Runtime
	route     struct{ Source, Destination, SourceAccount, DestinationAccount, Role, SourceKey, ReplicaKey, Key, Version string }

	calls *lambdatest.Calls
}

// newWorld brings the route to where people are asked. A plan for it edits a key policy.
func newWorld(t *testing.T, two bool) *world {
	t.Helper()
	s := mototest.Start(t)
	w := &world{t: t, server: s, batch: s.Batch(t), dir: t.TempDir(), calls: lambdatest.NewCalls(t, s)}
	var whole mototest.Configurations
	handle := func(rw http.ResponseWriter, r *http.Request) bool {
		if strings.Contains(r.Header.Get("Authorization"), "/access-analyzer/") { // which moto does not know
			rw.Header().Set("X-Amzn-Errortype", "AccessDeniedException")
			rw.WriteHeader(http.StatusForbidden)
			return true
		}
		return w.calls.Handle(rw, r) || w.in.Handle(rw, r) || whole.Handle(rw, r) || w.batch.Handle(rw, r)
	}
	address := s.Proxy(t, handle)
	w.Cloud = lambdatest.NewCloud(t, s, address)
	hub := s.Config(t, w.Account, "us-east-1")
	w.sealer = lambdatest.SealKey(t, kms.NewFromConfig(hub))
	w.approvals = &journal.ApprovalTable{Client: dynamodb.NewFromConfig(hub), Name: "approvals", Now: time.Now}

	var config strings.Builder
	accounts := map[string]string{"source": s.Account(), "destination": s.Account()}
	for profile, account := range accounts {
		id, secret, token := s.Credentials(t, account)
		fmt.Fprintf(&config, "[profile %s]\nregion = us-east-1\naws_access_key_id = %s\naws_secret_access_key = %s\naws_session_token = %s\n", profile, id, secret, token)
	}
	w.write("aws-config", config.String())
	w.boto = append(os.Environ(), "AWS_CONFIG_FILE="+filepath.Join(w.dir, "aws-config"), "AWS_ENDPOINT_URL="+address, "NO_PROXY=*")
	w.shown = w.python("", "make", s.Name(t, "source"), s.Name(t, "destination"))
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
    mode: approve
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
approvals:
  approvers: ["arn:aws:iam::111122223333:role/aws-reserved/sso.amazonaws.com/AWSReservedSSO_Approvers_*"]
  twoForKeyPolicies: %[9]t
`, w.route.Source, w.route.SourceAccount, w.route.Destination, w.route.DestinationAccount, w.route.Role, aws.ToString(role.Role.RoleId),
		w.route.SourceKey, w.route.ReplicaKey, two))
	w.Env = append(w.Env, "REPLIMEND_SETTINGS="+filepath.Join(w.dir, "replimend.yaml"), "REPLIMEND_SEAL_KEY="+w.sealer.Key)

	failure := w.start("../failure")
	w.Send(w.Events, w.event())
	w.drain(w.Events, failure)
	w.worker = w.start("../remedy")
	w.desk = w.start(".")
	w.drain(w.Work, w.worker)
	return w
}

func (w *world) write(name, text string) {
	w.t.Helper()
	if err := os.WriteFile(filepath.Join(w.dir, name), []byte(text), 0o600); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) python(stdin string, args ...string) string {
	w.t.Helper()
	cmd := exec.CommandContext(w.t.Context(), mototest.Python(w.t), append([]string{script}, args...)...)
	var errs bytes.Buffer
	cmd.Env, cmd.Stderr, cmd.Stdin = w.boto, &errs, strings.NewReader(stdin)
	out, err := cmd.Output()
	if err != nil {
		w.t.Fatalf("world.py %v: %v\n%s", args, err, &errs)
	}
	return string(out)
}

// documents is what a cure may touch, as boto3 reads it.
func (w *world) documents() string { return w.python("", "show", w.shown) }

// event is S3's documented event, of the version that failed.
func (w *world) event() string {
	w.t.Helper()
	archive, err := txtar.ParseFile("../../internal/signal/testdata/official-failed.txtar")
	if err != nil {
		w.t.Fatal(err)
	}
	return strings.NewReplacer(
		"amzn-s3-demo-bucket1", w.route.Source, "amzn-s3-demo-bucket2", w.route.Destination, "notification-test-replication-rule", "everything",
		"replication-object-put-test.png", w.route.Key, "abcdeH0Xp66ep__QDjR76LK7Gc9X4wKO", w.route.Version,
	).Replace(string(archive.Files[0].Data))
}

func (w *world) start(dir string) *lambdatest.Runtime {
	w.t.Helper()
	return w.calls.Start(w.Cloud, dir)
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

// look has the worker look at the incident, as the sweep would.
func (w *world) look() {
	w.t.Helper()
	w.Send(w.Work, fmt.Sprintf(`{"incident":%q}`, w.incident().ID))
	w.drain(w.Work, w.worker)
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

// call is a request to the function URL, as Lambda hands it over when the caller signed it.
// https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html#urls-payloads
func (w *world) call(caller, method, path, body string) (int, string) {
	w.t.Helper()
	who := map[string]any{}
	if caller != "" {
		who["authorizer"] = map[string]any{"iam": map[string]any{
			"accessKey": "ASIAEXAMPLE", "accountId": "111122223333", "callerId": "AROAEXAMPLE:somebody", "cognitoIdentity": nil, "principalOrgId": nil,
			"userArn": caller, "userId": "AROAEXAMPLE:somebody",
		}}
	}
	who["http"] = map[string]any{"method": method, "path": path, "protocol": "HTTP/1.1", "sourceIp": "192.0.2.1", "userAgent": "agent"}
	event, err := json.Marshal(map[string]any{
		"version": "2.0", "routeKey": "$default", "rawPath": path, "rawQueryString": "", "requestContext": who, "body": body, "isBase64Encoded": false,
		"headers": map[string]string{"content-type": "application/json", "x-amz-user-arn": jane, "authorization": "AWS4-HMAC-SHA256 Credential=jane"},
	})
	if err != nil {
		w.t.Fatal(err)
	}
	got := w.desk.Invoke(event)
	var response struct {
		StatusCode int
		Body       string
	}
	if got.Kind != "response" || json.Unmarshal([]byte(got.Body), &response) != nil {
		w.t.Fatalf("the function answered %v; its log:\n%s", got, w.desk.Stop())
	}
	return response.StatusCode, response.Body
}

// says answers, and wants that status and text in the answer.
func (w *world) says(caller, plan string, answer incident.Answer, status int, text string) {
	w.t.Helper()
	got, body := w.call(caller, http.MethodPost, "/incidents/"+w.incident().ID+"/answer", fmt.Sprintf(`{"plan":%q,"answer":%q}`, plan, answer))
	if got != status || !strings.Contains(body, text) {
		w.t.Errorf("%s says %s: %d %s; want %d with %q", caller, answer, got, body, status, text)
	}
}

// command runs the compiled command line against the function URL, which takes it for that caller where the request is signed for Lambda, and
// gives what it prints, without any space.
func (w *world) command(caller string, args ...string) string {
	w.t.Helper()
	var mu sync.Mutex
	server := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		mu.Lock()
		defer mu.Unlock()
		who := ""
		if strings.Contains(r.Header.Get("Authorization"), "/us-east-1/lambda/aws4_request, SignedHeaders=") {
			who = caller
		}
		status, text := w.call(who, r.Method, r.URL.Path, string(body))
		rw.WriteHeader(status)
		_, _ = io.WriteString(rw, text)
	}))
	defer server.Close()
	cmd := exec.CommandContext(w.t.Context(), lambdatest.Build(w.t, "../../cmd/replimend"), append(args, "--url", server.URL, "--profile", "source")...)
	cmd.Env, cmd.Stdin = w.boto, strings.NewReader("yes\n")
	out, err := cmd.CombinedOutput()
	if err != nil {
		w.t.Errorf("replimend %v: %v\n%s", args, err, out)
	}
	return strings.Join(strings.Fields(string(out)), "") // lines are wrapped anywhere
}

// awaits wants people to be asked still, for that reason, and nothing written.
func (w *world) awaits(documents, why string) {
	w.t.Helper()
	i := w.incident()
	if last := i.Timeline[len(i.Timeline)-1].Text; i.Outcome != incident.AwaitingApproval || !strings.Contains(last, why) {
		w.t.Errorf("outcome %s: %s; want it to wait with %q", i.Outcome, last, why)
	}
	if w.documents() != documents || len(i.Changes) > 0 {
		w.t.Fatalf("something was written: %v\n%s", i.Timeline, w.documents())
	}
}

func story(i incident.Incident) string {
	var out []string
	for _, e := range i.Timeline {
		out = append(out, e.Text)
	}
	return strings.Join(out, "\n")
}

// TestAPersonApproves from the event to the documents as boto3 reads them. Before that everybody tries whose word must not count, and
// the kill switch is thrown between the approval and the write.
func TestAPersonApproves(t *testing.T) {
	t.Parallel()
	w := newWorld(t, false)
	before := w.documents()
	w.awaits(before, "nobody answered yet")
	i := w.incident()

	status, body := w.call(jane, http.MethodGet, "/incidents/"+i.ID, "")
	var asked incident.Asked
	if err := json.Unmarshal([]byte(body), &asked); err != nil || status != http.StatusOK {
		t.Fatalf("%d %s: %v", status, body, err)
	}
	if asked.Proposal == nil || asked.Proposal.Plan != i.Plan || !strings.Contains(asked.Proposal.Diff, "+") || asked.Proposal.People != 1 ||
		asked.Route != i.Route || len(asked.Causes) == 0 || !asked.Expires.After(time.Now()) {
		t.Errorf("asked: %s", body)
	}
	if strings.Contains(body, w.route.Key) || strings.Contains(body, "timeline") {
		t.Errorf("it shows more than people need: %s", body)
	}
	for _, nobody := range []string{stranger, "", "arn:aws:iam::111122223333:root"} {
		if status, body := w.call(nobody, http.MethodGet, "/incidents/"+i.ID, ""); status != http.StatusForbidden || strings.Contains(body, i.Plan) {
			t.Errorf("%q sees %d %s", nobody, status, body)
		}
		w.says(nobody, i.Plan, incident.Approve, http.StatusForbidden, `"error"`)
	}
	w.says(jane, strings.Repeat("0", 64), incident.Approve, http.StatusConflict, "other-plan")
	if status, _ := w.call(jane, http.MethodGet, "/incidents/inc-0123456789abcdef0123", ""); status != http.StatusNotFound {
		t.Errorf("an incident that is not there: %d", status)
	}

	// Whoever can write to the table, and has not the seal, gives no approval. One that has expired is none.
	now := time.Now()
	past := &journal.Approvals{Kept: w.approvals, Sealer: w.sealer, Now: time.Now}
	old := incident.Approval{Incident: i.ID, Plan: i.Plan, Answer: incident.Approve, Approver: jane, At: now.Add(-5 * time.Hour), Expires: now.Add(-time.Hour)}
	if _, err := past.Give(t.Context(), old); err != nil {
		t.Fatal(err)
	}
	w.look()
	w.awaits(before, "expired")
	forged := incident.Approval{
		Incident: i.ID, Plan: i.Plan, Answer: incident.Approve, Approver: john, At: now, Expires: now.Add(time.Hour), MAC: bytes.Repeat([]byte{1}, 32),
	}
	if err := w.approvals.Approve(t.Context(), forged); err != nil {
		t.Fatal(err)
	}
	w.look()
	w.awaits(before, "seal")

	// Who made the change that broke the route cannot approve it alone.
	i = w.incident()
	i.Breaking = &incident.Call{Event: "PutKeyPolicy", Principal: jane, At: now}
	if _, err := w.Table.Record(t.Context(), i); err != nil {
		t.Fatal(err)
	}
	w.in.Refuse(true)
	w.says(jane, i.Plan, incident.Approve, http.StatusServiceUnavailable, "not-handed-over")
	w.in.Refuse(false)
	w.says(jane, i.Plan, incident.Approve, http.StatusOK, "somebody who did not make the change")
	w.drain(w.Work, w.worker)
	w.awaits(before, "approved by "+jane+"; somebody who did not make the change")

	// The kill switch is thrown when enough have approved and nothing is written.
	shown := w.command(john, "approve", i.ID)
	for _, want := range []string{"needsoneperson", "brokenbyPutKeyPolicyof" + jane, i.Plan, `"kms:Decrypt"`, "approvethisplan?", "approvedas" + john} {
		if !strings.Contains(shown, want) {
			t.Errorf("the command line does not show %q:\n%s", want, shown)
		}
	}
	switches := ssm.NewFromConfig(w.server.Config(t, w.Account, "us-east-1"))
	if _, err := switches.PutParameter(t.Context(), &ssm.PutParameterInput{
		Name: aws.String("/replimend/kill-switch"), Type: ssmtypes.ParameterTypeString, Value: aws.String("on: a test"),
	}); err != nil {
		t.Fatal(err)
	}
	w.drain(w.Work, w.worker)
	if i = w.incident(); i.Outcome != incident.Refused || len(i.Changes) > 0 || w.documents() != before {
		t.Fatalf("outcome %s with the kill switch thrown: %v", i.Outcome, i.Timeline)
	}
	if _, err := switches.DeleteParameter(t.Context(), &ssm.DeleteParameterInput{Name: aws.String("/replimend/kill-switch")}); err != nil {
		t.Fatal(err)
	}

	// Lifted, what people approved still counts, for one of two workers.
	other := w.start("../remedy")
	var both sync.WaitGroup
	for n, worker := range []*lambdatest.Runtime{w.worker, other} {
		both.Go(func() {
			message := fmt.Sprintf(`{"incident":%q}`, i.ID)
			for range worker.Failed(worker.Invoke(lambdatest.Batch(t, []lambdatest.Message{{ID: fmt.Sprint(n), Body: message}}))) {
				w.Send(w.Work, message)
			}
		})
	}
	both.Wait()
	w.drain(w.Work, w.worker)
	i = w.incident()
	after := w.documents()
	if i.Outcome != incident.Resolved || len(i.Changes) != 2 || i.Approver != john || !strings.Contains(story(i), "approved by "+john+" and "+jane) {
		t.Fatalf("outcome %s by %s: %v\n%s", i.Outcome, i.Approver, i.Timeline, other.Stop())
	}
	if strings.Count(after, `"Sid": "Replimend`) != strings.Count(after, `"Sid": "Root"`) { // one beside each that was there
		t.Errorf("the documents are\n%s", after)
	}
	if n := w.batch.Calls("CreateJob"); n != 1 {
		t.Errorf("%d jobs", n)
	}

	// Sent once more, the approval is none: nobody is asked.
	w.says(john, i.Plan, incident.Approve, http.StatusConflict, "not-asked")
	w.look()
	if w.documents() != after {
		t.Error("something was written after the cure")
	}
	log := w.desk.Stop()
	for _, want := range []string{`"incident":"` + i.ID + `"`, `"caller":"` + stranger + `"`, `"msg":"answered"`, `"status":403`} {
		if !strings.Contains(log, want) {
			t.Errorf("the log lacks %s:\n%s", want, log)
		}
	}
	if notices := w.worker.Stop(); strings.Count(notices, `waiting for your approval`) == 0 || !strings.Contains(notices, "replimend approve "+i.ID) {
		t.Errorf("people were not told:\n%s", notices)
	}
	w.calls.All(w.t, string(grants.Approval), "dynamodb:BatchGetItem") // of an incident whose documents were written before
}

// TestTwoPeopleApproveAKeyPolicy: one is not enough, in however many sessions. What they approved is void when a document changes
// before it is written.
func TestTwoPeopleApproveAKeyPolicy(t *testing.T) {
	t.Parallel()
	w := newWorld(t, true)
	before := w.documents()
	first := w.incident()
	w.says(jane, first.Plan, incident.Approve, http.StatusOK, "one more person")
	w.drain(w.Work, w.worker)
	w.awaits(before, "approved by "+jane+"; one more person")
	w.says(janeToo, first.Plan, incident.Approve, http.StatusOK, "one more person")
	w.drain(w.Work, w.worker)
	w.awaits(before, "one more person")

	// A no stands against every yes.
	if shown := w.command(john, "reject", first.ID, "--reason", "it was on purpose"); !strings.Contains(shown, "rejectedas"+john) {
		t.Errorf("the command line says\n%s", shown)
	}
	w.drain(w.Work, w.worker)
	if i := w.incident(); i.Outcome != incident.Declined || w.documents() != before {
		t.Fatalf("outcome %s", i.Outcome)
	}

	// Somebody changes a key policy, and then the second person approves.
	var shown struct{ ReplicaKey map[string]any }
	if err := json.Unmarshal([]byte(before), &shown); err != nil {
		t.Fatal(err)
	}
	shown.ReplicaKey["Statement"] = append(shown.ReplicaKey["Statement"].([]any), map[string]any{
		"Sid": "Other", "Effect": "Allow", "Principal": map[string]any{"AWS": "arn:aws:iam::" + w.route.DestinationAccount + ":root"}, "Action": "kms:DescribeKey", "Resource": "*",
	})
	changed, err := json.Marshal(shown.ReplicaKey)
	if err != nil {
		t.Fatal(err)
	}
	w.python(string(changed), "put", w.shown, "replicaKey")
	before = w.documents()
	w.says(john, first.Plan, incident.Approve, http.StatusOK, `"answer":"approve"`)
	w.drain(w.Work, w.worker)
	w.awaits(before, "another plan")
	second := w.incident()
	if second.Plan == first.Plan || !strings.Contains(story(second), "plan "+first.Plan+", which people were asked about, is void") {
		t.Fatalf("the plan is %s: %v", second.Plan, second.Timeline)
	}
	w.says(john, first.Plan, incident.Approve, http.StatusConflict, "other-plan")

	w.says(john, second.Plan, incident.Approve, http.StatusOK, "one more person")
	w.drain(w.Work, w.worker)
	w.awaits(before, "approved by "+john)
	w.says(janeToo, second.Plan, incident.Approve, http.StatusOK, `"approver":"`+janeToo)
	w.drain(w.Work, w.worker)
	i := w.incident()
	if i.Outcome != incident.Resolved || i.Approver != janeToo || len(i.Changes) != 2 || !strings.Contains(story(i), "approved by "+janeToo+" and "+john) {
		t.Fatalf("outcome %s by %s: %v", i.Outcome, i.Approver, i.Timeline)
	}
	if after := w.documents(); !strings.Contains(after, `"Sid": "Other"`) || !strings.Contains(after, `"Sid": "Replimend`) {
		t.Errorf("the documents are\n%s", after)
	}
	notices := w.worker.Stop()
	if n := strings.Count(notices, "waiting for one more approval"); n < 2 {
		t.Errorf("people were told %d times that one more is needed:\n%s", n, notices)
	}
	w.calls.All(w.t, string(grants.Approval), "dynamodb:BatchGetItem") // of an incident whose documents were written before
}

// TestConfiguration: all that is wrong is said at once, that of the settings included.
func TestConfiguration(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "replimend.yaml")
	if err := os.WriteFile(file, []byte("version: 2\nroutes: 7\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	lambda := lambdatest.Start(t.Context(), t, lambdatest.Build(t, "."), "REPLIMEND_TABLE=same", "REPLIMEND_APPROVALS=same",
		"REPLIMEND_SEAL_KEY=alias/x", "REPLIMEND_SETTINGS="+file)
	log := lambda.Ended()
	for _, want := range []string{
		"REPLIMEND_WORK_QUEUE: ", "REPLIMEND_APPROVALS: approvals have a table of their own", "REPLIMEND_SEAL_KEY: ", "replimend.yaml:1:", "replimend.yaml:2:",
	} {
		if !strings.Contains(log, want) {
			t.Errorf("the log lacks %q:\n%s", want, log)
		}
	}
}
