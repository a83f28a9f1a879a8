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
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/replimend/replimend/internal/incident"
	"github.com/replimend/replimend/internal/lambdatest"
	"github.com/replimend/replimend/internal/mototest"
)

func TestMain(m *testing.M) { mototest.Main(m) }

// script makes a route in two accounts with boto3: an independent client.
const script = "../../cmd/replimend/testdata/live/world.py"

// world is an approved route between two members that is in order, one beside it that nobody approved, and the functions in a hub.
type world struct {
	*lambdatest.Cloud
	t     *testing.T
	batch *mototest.Batch
	calls *lambdatest.Calls
	in    lambdatest.Intercept
	s3    *s3.Client  // of the source
	far   *kms.Client // of the destination
	role  *iam.Client
	route struct{ Source, Destination, SourceAccount, DestinationAccount, Role, SourceKey, ReplicaKey, Key, Version string }
	stray string // the bucket of the route that nobody approved

	mu      sync.Mutex
	deaf    bool          // the source bucket notifies nobody
	deleted chan struct{} // is told of the first row that is to be deleted, which never is; nil: rows are deleted
}

// notifications is what a bucket answers that tells of failures.
const notifications = `<NotificationConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><QueueConfiguration><Id>failures</Id>` +
	`<Queue>arn:aws:sqs:us-east-1:111122223333:events</Queue><Event>s3:Replication:*</Event></QueueConfiguration></NotificationConfiguration>`

func (w *world) handle(rw http.ResponseWriter, r *http.Request) bool {
	w.mu.Lock()
	deaf, deleted := w.deaf, w.deleted
	w.mu.Unlock()
	switch {
	case strings.Contains(r.Header.Get("Authorization"), "/access-analyzer/"): // which moto does not know
		rw.Header().Set("X-Amzn-Errortype", "AccessDeniedException")
		rw.WriteHeader(http.StatusForbidden)
		return true
	case r.URL.Query().Has("notification") && r.Method == http.MethodGet && !deaf: // moto knows no event of replication
		_, _ = rw.Write([]byte(notifications))
		return true
	case deleted != nil && strings.HasSuffix(r.Header.Get("X-Amz-Target"), ".DeleteItem"):
		deleted <- struct{}{}
		<-r.Context().Done()
		return true
	}
	return w.in.Handle(rw, r)
}

func newWorld(t *testing.T) *world {
	t.Helper()
	s := mototest.Start(t)
	w := &world{t: t, batch: s.Batch(t), calls: lambdatest.NewCalls(t, s)}
	var whole mototest.Configurations
	address := s.Proxy(t, func(rw http.ResponseWriter, r *http.Request) bool {
		return w.calls.Handle(rw, r) || w.handle(rw, r) || whole.Handle(rw, r) || w.batch.Handle(rw, r)
	})
	w.Cloud = lambdatest.NewCloud(t, s, address)
	dir := t.TempDir()
	var config strings.Builder
	accounts := map[string]string{"source": s.Account(), "destination": s.Account()}
	for profile, account := range accounts {
		id, secret, token := s.Credentials(t, account)
		fmt.Fprintf(&config, "[profile %s]\nregion = us-east-1\naws_access_key_id = %s\naws_secret_access_key = %s\naws_session_token = %s\n", profile, id, secret, token)
	}
	file := filepath.Join(dir, "aws-config")
	write(t, file, config.String())
	cmd := exec.CommandContext(t.Context(), mototest.Python(t), script, "make", s.Name(t, "source"), s.Name(t, "destination"))
	var errs bytes.Buffer
	cmd.Env, cmd.Stderr = append(os.Environ(), "AWS_CONFIG_FILE="+file, "AWS_ENDPOINT_URL="+address, "NO_PROXY=*"), &errs
	made, err := cmd.Output()
	if err != nil {
		t.Fatalf("world.py: %v\n%s", err, &errs)
	}
	if err := json.Unmarshal(made, &w.route); err != nil {
		t.Fatal(err)
	}
	near := s.ConfigAt(t, address, accounts["source"], "us-east-1")
	w.s3 = s3.NewFromConfig(near, func(o *s3.Options) { o.UsePathStyle = true })
	w.role = iam.NewFromConfig(near)
	w.far = kms.NewFromConfig(s.ConfigAt(t, address, accounts["destination"], "eu-west-1"))
	w.stray = s.Name(t, "stray")
	_, err = w.s3.CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: &w.stray})
	if err != nil {
		t.Fatal(err)
	}
	w.mend()
	role, err := w.role.GetRole(t.Context(), &iam.GetRoleInput{RoleName: aws.String("replication")})
	if err != nil {
		t.Fatal(err)
	}
	settings := filepath.Join(dir, "replimend.yaml")
	write(t, settings, fmt.Sprintf(`version: 1
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
  - {account: %[2]q, regions: [us-east-1, us-west-2]}
  - {account: %[4]q, regions: [eu-west-1]}
`, w.route.Source, w.route.SourceAccount, w.route.Destination, w.route.DestinationAccount, w.route.Role, aws.ToString(role.Role.RoleId),
		w.route.SourceKey, w.route.ReplicaKey))
	w.Env = append(w.Env, "REPLIMEND_SETTINGS="+settings)
	return w
}

func write(t *testing.T, file, text string) {
	t.Helper()
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// mend takes the faults of world.py out, and has both routes replicate with metrics.
func (w *world) mend() {
	w.t.Helper()
	_, err := w.role.PutRolePolicy(w.t.Context(), &iam.PutRolePolicyInput{
		RoleName: aws.String("replication"), PolicyName: aws.String("decrypt"),
		PolicyDocument: aws.String(fmt.Sprintf(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"kms:Decrypt","Resource":%q}]}`, w.route.SourceKey)),
	})
	if err != nil {
		w.t.Fatal(err)
	}
	w.key(fmt.Sprintf(`{"Sid":"Replication","Effect":"Allow","Principal":{"AWS":%q},"Action":"kms:*","Resource":"*"}`, w.route.Role))
	w.replicate(w.route.Source, types.SseKmsEncryptedObjectsStatusEnabled, true)
	w.replicate(w.stray, types.SseKmsEncryptedObjectsStatusDisabled, true)
}

// key writes the policy of the replica's key: the account's root, and that statement, if any.
func (w *world) key(statement string) {
	w.t.Helper()
	root := fmt.Sprintf(`{"Sid":"Root","Effect":"Allow","Principal":{"AWS":"arn:aws:iam::%s:root"},"Action":"kms:*","Resource":"*"}`, w.route.DestinationAccount)
	if statement != "" {
		root += ","
	}
	_, err := w.far.PutKeyPolicy(w.t.Context(), &kms.PutKeyPolicyInput{
		KeyId: &w.route.ReplicaKey, PolicyName: aws.String("default"), Policy: aws.String(`{"Version":"2012-10-17","Statement":[` + root + statement + `]}`),
	})
	if err != nil {
		w.t.Fatal(err)
	}
}

// replicate writes the rule of a bucket.
func (w *world) replicate(bucket string, encrypted types.SseKmsEncryptedObjectsStatus, metrics bool) {
	w.t.Helper()
	to := &types.Destination{
		Bucket: aws.String("arn:aws:s3:::" + w.route.Destination), Account: &w.route.DestinationAccount,
		EncryptionConfiguration: &types.EncryptionConfiguration{ReplicaKmsKeyID: &w.route.ReplicaKey},
	}
	if metrics {
		to.Metrics = &types.Metrics{Status: types.MetricsStatusEnabled}
	}
	_, err := w.s3.PutBucketVersioning(w.t.Context(), &s3.PutBucketVersioningInput{
		Bucket: &bucket, VersioningConfiguration: &types.VersioningConfiguration{Status: types.BucketVersioningStatusEnabled},
	})
	if err != nil {
		w.t.Fatal(err)
	}
	_, err = w.s3.PutBucketReplication(w.t.Context(), &s3.PutBucketReplicationInput{
		Bucket: &bucket,
		ReplicationConfiguration: &types.ReplicationConfiguration{Role: &w.route.Role, Rules: []types.ReplicationRule{{
			ID: aws.String("everything"), Priority: aws.Int32(1), Status: types.ReplicationRuleStatusEnabled, Filter: &types.ReplicationRuleFilter{Prefix: aws.String("")},
			DeleteMarkerReplication: &types.DeleteMarkerReplication{Status: types.DeleteMarkerReplicationStatusDisabled},
			SourceSelectionCriteria: &types.SourceSelectionCriteria{SseKmsEncryptedObjects: &types.SseKmsEncryptedObjects{Status: encrypted}},
			Destination:             to,
		}}},
	})
	if err != nil {
		w.t.Fatal(err)
	}
}

// start runs a function of this world.
func (w *world) start(dir string) *lambdatest.Runtime {
	w.t.Helper()
	return w.calls.Start(w.Cloud, dir)
}

// schedule is what EventBridge Scheduler sends.
const schedule = `{"version":"0","id":"53dc4d37-cffa-4f76-80c9-8b7d4a4d2eaa","detail-type":"Scheduled Event","source":"aws.scheduler",` +
	`"account":"111122223333","time":"2026-11-28T03:00:00Z","region":"us-east-1","resources":["arn:aws:scheduler:us-east-1:111122223333:schedule/default/sweep"],"detail":"{}"}`

// sweep runs one whole sweep, and gives back what the worker is told.
func (w *world) sweep(function *lambdatest.Runtime) []string {
	w.t.Helper()
	if got := function.Invoke([]byte(schedule)); got.Kind != "response" {
		w.t.Fatalf("the schedule got %v; the log is\n%s", got, function.Stop())
	}
	w.drain(w.Sweep, function)
	return w.told()
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

// told is the messages that wait for the worker, who does not get them.
func (w *world) told() []string {
	w.t.Helper()
	var out []string
	for {
		all := w.Receive(w.Work)
		if len(all) == 0 {
			slices.Sort(out)
			return out
		}
		for _, m := range all {
			out = append(out, *m.Body)
		}
	}
}

func (w *world) named() incident.Route {
	return incident.Route{Source: w.route.Source, Rule: "everything", Destination: w.route.Destination}
}

// look is the message that has the worker look at the approved route.
func (w *world) look() string {
	text, err := json.Marshal(map[string]any{"look": map[string]any{"route": w.named()}})
	if err != nil {
		w.t.Fatal(err)
	}
	return string(text)
}

// figures is the sums of the figures in a log, and how many lines have them.
func figures(t *testing.T, log string) (sums map[string]float64, lines int) {
	t.Helper()
	sums = map[string]float64{}
	for line := range strings.Lines(log) {
		var entry map[string]json.RawMessage
		if json.Unmarshal([]byte(line), &entry) != nil || entry["_aws"] == nil {
			continue
		}
		lines++
		for _, name := range []string{"RoutesSwept", "RoutesHealthy", "BlindRoutes", "UnapprovedRoutes", "UnreadableBuckets"} {
			var n float64
			if err := json.Unmarshal(entry[name], &n); err != nil {
				t.Fatalf("%s in %s: %v", name, line, err)
			}
			sums[name] += n
		}
	}
	return sums, lines
}

// TestSilentBreakage: routes that break without an event are found, and the worker is told of each once in a sweep. Of one that nobody
// approved it is told nothing, however broken it is.
func TestSilentBreakage(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, tt := range []struct {
		name                  string
		change                func()
		swept, healthy, blind float64
	}{
		{"nothing is wrong", func() {}, 2, 1, 0},
		{"the key's policy changed", func() { w.key("") }, 2, 0, 0},
		{"KMS is no longer opted in", func() { w.replicate(w.route.Source, types.SseKmsEncryptedObjectsStatusDisabled, true) }, 2, 0, 0},
		{"the rule has no metrics", func() { w.replicate(w.route.Source, types.SseKmsEncryptedObjectsStatusEnabled, false) }, 2, 0, 1},
		{"the bucket notifies nobody", func() { w.tell(false) }, 2, 0, 1},
		{"the rule is gone", func() {
			if _, err := w.s3.DeleteBucketReplication(t.Context(), &s3.DeleteBucketReplicationInput{Bucket: &w.route.Source}); err != nil {
				t.Fatal(err)
			}
		}, 1, 0, 0},
	} {
		w.mend()
		w.tell(true)
		tt.change()
		var want []string
		if tt.healthy == 0 {
			want = []string{w.look()}
		}
		function := w.start(".")
		got := w.sweep(function)
		log := function.Stop()
		if !slices.Equal(got, want) {
			t.Errorf("%s: the worker is told %q, want %q", tt.name, got, want)
		}
		sums, lines := figures(t, log)
		for figure, n := range map[string]float64{
			"RoutesSwept": tt.swept, "RoutesHealthy": tt.healthy, "BlindRoutes": tt.blind, "UnapprovedRoutes": 1, "UnreadableBuckets": 0,
		} {
			if sums[figure] != n {
				t.Errorf("%s: %s is %v, want %v", tt.name, figure, sums[figure], n)
			}
		}
		if lines != 3 { // one for each account and Region
			t.Errorf("%s: %d messages were worked off", tt.name, lines)
		}
		if !strings.Contains(log, `"level":"WARN","msg":"route is not approved"`) || !strings.Contains(log, w.stray) {
			t.Errorf("%s: the log does not name the route that nobody approved", tt.name)
		}
		if t.Failed() {
			t.Fatal(log)
		}
	}
}

// tell has the source bucket tell of failures, or nobody.
func (w *world) tell(tells bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.deaf = !tells
}

// record keeps an incident of a route of its own, as it is now.
func (w *world) record(n int, change func(i *incident.Incident)) string {
	w.t.Helper()
	r := incident.Route{Source: fmt.Sprintf("amzn-s3-demo-%d", n), Rule: "r1", Destination: "amzn-s3-demo-destination"}
	now := time.Now()
	i := incident.Incident{ID: incident.ID(r, now), Route: r, Opened: now}
	i.Become(incident.Open, now, "so")
	i, err := w.Table.Open(w.t.Context(), i)
	if err == nil && change != nil {
		change(&i)
		_, err = w.Table.Record(w.t.Context(), i)
	}
	if err != nil {
		w.t.Fatal(err)
	}
	return fmt.Sprintf(`{"incident":%q}`, i.ID)
}

// TestLostWork: what waits is handed to the worker once a sweep, of more incidents than one list has, and what a person has is not.
func TestLostWork(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var want []string
	for n, outcome := range []incident.Outcome{
		incident.AwaitingApproval, incident.Refused, incident.Manual, incident.Applied, incident.Suppressed,
		incident.Declined, incident.Escalated, incident.Proven, incident.Healthy, incident.Resolved,
	} {
		message := w.record(n, func(i *incident.Incident) { i.Become(outcome, time.Now(), "so") })
		if n < 5 {
			want = append(want, message)
		}
	}
	want = append(want, w.record(20, func(i *incident.Incident) {
		i.Become(incident.Proven, time.Now(), "so")
		i.Job = incident.Job{ID: "job", State: incident.JobRunning}
	}))
	for n := range 100 {
		want = append(want, w.record(100+n, nil))
	}
	slices.Sort(want)
	function := w.start(".")
	if got := w.sweep(function); !slices.Equal(got, want) {
		t.Errorf("the worker is told %d messages, want %d:\n%q\n%q", len(got), len(want), got, want)
	}
}

// TestLostVerification: a cure is written, its replay runs, and the message that was to look again is lost. The next sweep has it
// brought to its end.
func TestLostVerification(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.key("") // the fault
	w.batch.SetStatus(mototest.Version{Bucket: w.route.Source, Key: w.route.Key, ID: w.route.Version}, "FAILED")
	i := incident.Incident{Route: w.named(), Opened: time.Now()}
	i.Failures.Add(incident.Object{Key: w.route.Key, VersionID: w.route.Version, Size: 1024}, time.Now())
	i.ID = incident.ID(i.Route, i.Opened)
	i.Become(incident.Open, i.Opened, "so")
	i, err := w.Table.Open(t.Context(), i)
	if err != nil {
		t.Fatal(err)
	}
	function, worker := w.start("."), w.start("../remedy")
	w.Send(w.Work, fmt.Sprintf(`{"incident":%q}`, i.ID))
	if all, failed := w.Pump(w.Work, worker); all != 1 || failed != 0 {
		t.Fatalf("%d messages, %d failed", all, failed)
	}
	if i, err = w.Table.Get(t.Context(), i.ID); err != nil || i.Outcome != incident.Applied || i.Job.State != incident.JobRunning {
		t.Fatalf("outcome %s, %+v, %v: %v\n%s", i.Outcome, i.Job, err, i.Timeline, worker.Stop())
	}
	if lost := w.told(); len(lost) != 1 {
		t.Fatalf("lost %q", lost)
	}
	for n := 0; n < 12 && i.Outcome == incident.Applied; n++ { // S3 takes its time, and each time the message is lost
		for _, m := range w.sweep(function) {
			if response := worker.Invoke(lambdatest.Batch(t, []lambdatest.Message{{ID: "m", Body: m}})); response.Kind != "response" {
				t.Fatal(response)
			}
		}
		w.told()
		if i, err = w.Table.Get(t.Context(), i.ID); err != nil {
			t.Fatal(err)
		}
	}
	if i.Outcome != incident.Resolved {
		t.Errorf("outcome %s: %v\n%s", i.Outcome, i.Timeline, worker.Stop()+function.Stop())
	}
}

// silence is a suppression of the approved route that has ended, and its incident.
func (w *world) silence() (work string) {
	w.t.Helper()
	now := time.Now()
	past := *w.Table
	past.Now = func() time.Time { return now.Add(-2 * time.Hour) }
	x := incident.Suppression{Route: w.named(), Owner: "storage team", Reason: "migration", Expires: now.Add(-time.Hour)}
	if err := past.Suppress(w.t.Context(), x); err != nil {
		w.t.Fatal(err)
	}
	i := incident.Incident{ID: incident.ID(x.Route, now), Route: x.Route, Opened: now}
	i.Become(incident.Open, now, "so")
	i, err := w.Table.Open(w.t.Context(), i)
	if err == nil {
		i.Become(incident.Suppressed, now, "silenced by %s", x)
		_, err = w.Table.Record(w.t.Context(), i)
	}
	if err != nil {
		w.t.Fatal(err)
	}
	return fmt.Sprintf(`{"incident":%q}`, i.ID)
}

func notices(log string) int { return strings.Count(log, "no longer silenced: ") }

// TestEndOfASuppression is told once, with whose it was and how the route stands, and the route is gone on with.
func TestEndOfASuppression(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	work := w.silence()
	w.key("")
	function := w.start(".")
	if got := w.sweep(function); !slices.Equal(got, []string{work}) {
		t.Errorf("the worker is told %q, want %q", got, work)
	}
	w.sweep(function)
	log := function.Stop()
	if n := notices(log); n != 1 {
		t.Errorf("told %d times", n)
	}
	for _, part := range []string{"storage team", "migration", "the route is broken", "replica-key-policy-lacks-encrypt"} {
		if !strings.Contains(log, part) {
			t.Errorf("nobody is told %q:\n%s", part, log)
		}
	}
	if left, err := w.Table.Silences(t.Context()); err != nil || len(left) > 0 {
		t.Errorf("left are %v, %v", left, err)
	}
}

// TestKilledBetweenTellingAndRemoving: people hear of it twice, and not a third time.
func TestKilledBetweenTellingAndRemoving(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.silence()
	w.deleted = make(chan struct{})
	first := w.start(".").Dies([]byte(schedule), w.deleted)
	if n := notices(first); n != 1 {
		t.Errorf("told %d times before the end:\n%s", n, first)
	}
	w.mu.Lock()
	w.deleted = nil
	w.mu.Unlock()
	second := w.start(".")
	w.sweep(second)
	w.sweep(second)
	if log := second.Stop(); notices(log) != 1 {
		t.Errorf("told %d times afterwards:\n%s", notices(log), log)
	}
}

// TestPoison: what is no message of the sweep, or names what no member has, comes again and is dead at last; so does one that cannot hand
// over what it found. What no schedule sends begins no sweep.
func TestPoison(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	function := w.start(".")
	bad := []string{
		`{"account":"999999999999","region":"us-east-1"}`, `{"account":"` + w.route.SourceAccount + `","region":"eu-west-1"}`,
		`{"account":1}`, `{"Records":[]}`,
	}
	for _, body := range bad {
		w.Send(w.Sweep, body)
	}
	w.drain(w.Sweep, function)
	w.key("")
	w.Send(w.Sweep, `{"account":"`+w.route.SourceAccount+`","region":"us-east-1"}`)
	w.in.Refuse(true)
	if all, failed := w.Pump(w.Sweep, function); all != 1 || failed != 1 {
		t.Errorf("of %d messages %d failed when the worker could not be told", all, failed)
	}
	w.in.Refuse(false)
	w.drain(w.Sweep, function)
	if got := w.told(); !slices.Equal(got, []string{w.look()}) {
		t.Errorf("the worker is told %q", got)
	}
	for _, event := range []string{
		`[]`, `null`, `"x"`, `{"detail-type":"Object Created","source":"aws.s3","detail":{}}`, `{"Records":{"body":1}}`,
	} {
		if got := function.Invoke([]byte(event)); got.Kind != "error" {
			t.Errorf("%s: %v", event, got)
		}
	}
	if n := len(w.Receive(w.Sweep)); n > 0 {
		t.Errorf("%d messages of sweeps that nothing began", n)
	}
	if got := function.Invoke([]byte(`{}`)); got.Kind != "response" {
		t.Errorf("by hand: %v", got)
	}
	if n := len(w.Receive(w.Sweep)); n != 3 {
		t.Errorf("by hand: %d messages", n)
	}
	var dead []string
	for _, m := range w.Receive(w.Dead) {
		dead = append(dead, *m.Body)
	}
	slices.Sort(bad)
	slices.Sort(dead)
	if !slices.Equal(dead, bad) {
		t.Errorf("dead are %q, want %q", dead, bad)
	}
}

// TestConfiguration: all that is wrong is said at once, that of the settings included.
func TestConfiguration(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "replimend.yaml")
	write(t, file, "version: 2\nroutes: 7\n")
	lambda := lambdatest.Start(t.Context(), t, lambdatest.Build(t, "."),
		"REPLIMEND_SWEEP_QUEUE=https://sqs.us-east-1.amazonaws.com/111122223333/work", "REPLIMEND_WORK_QUEUE=https://sqs.us-east-1.amazonaws.com/111122223333/work",
		"REPLIMEND_SETTINGS="+file)
	log := lambda.Ended()
	for _, want := range []string{"REPLIMEND_TABLE: ", "REPLIMEND_SWEEP_QUEUE: the sweep has a queue of its own", "replimend.yaml:1:", "replimend.yaml:2:"} {
		if !strings.Contains(log, want) {
			t.Errorf("the log lacks %q:\n%s", want, log)
		}
	}
}
