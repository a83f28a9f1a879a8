package deploytest

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"net/http"
	"net/url"
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
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/google/go-cmp/cmp"

	"github.com/replimend/replimend/internal/deployed"
	"github.com/replimend/replimend/internal/grants"
	"github.com/replimend/replimend/internal/incident"
	"github.com/replimend/replimend/internal/journal"
	"github.com/replimend/replimend/internal/lambdatest"
	"github.com/replimend/replimend/internal/mototest"
	"github.com/replimend/replimend/internal/needs"
	"github.com/replimend/replimend/internal/policy"
	"github.com/replimend/replimend/internal/settings"
)

func TestMain(m *testing.M) { mototest.Main(m) }

const (
	root              = "../.."
	hubRegion         = "us-east-1" // where the source is, too, and the relays
	destinationRegion = "eu-west-1"
	cli               = "tools/cdk/node_modules/.bin/cdk"
)

// unmade is the types of resources that moto leaves out of a stack without a word. What they say is asserted on the templates, in the
// tests of infra: whoever has to add a type here adds a test there.
var unmade = []string{
	"AWS::CloudWatch::Alarm",
	"AWS::Events::EventBusPolicy",
	"AWS::Lambda::Url",
	"AWS::S3::BucketPolicy",
	"AWS::SNS::Subscription",
	"AWS::SNS::TopicPolicy",
	"AWS::SQS::QueuePolicy",
	"AWS::Scheduler::Schedule",
}

// TestDeployment goes the whole way, in one order: bootstrap, deploy, read back, mend, deploy again, destroy.
func TestDeployment(t *testing.T) {
	t.Parallel()
	watchSources(t)
	if _, err := os.Stat(filepath.Join(root, cli)); err != nil {
		t.Fatalf("find the command line of the CDK: %v\nhint: make setup installs it", err)
	}
	d := newDeployment(t)
	d.bootstrap()
	d.deploy()
	d.read()
	t.Run("stacks", d.stacks)
	t.Run("hub", d.hub)
	t.Run("members", d.members)
	t.Run("roles", d.roles)
	d.mend()

	d.again()
	d.destroy()
}

// watchSources looks at everything that is deployed: the test cache cannot see what the make command reads for a test.
func watchSources(t *testing.T) {
	t.Helper()
	for _, folder := range []string{"infra", "internal", "functions", "tools/cdk"} {
		err := filepath.WalkDir(filepath.Join(root, folder), func(_ string, entry fs.DirEntry, err error) error {
			if err == nil && entry.IsDir() && (entry.Name() == "testdata" || entry.Name() == "node_modules") {
				return filepath.SkipDir
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, file := range []string{"Makefile", "cdk.json", "go.mod", "go.sum"} {
		if _, err := os.ReadFile(filepath.Join(root, file)); err != nil {
			t.Fatal(err)
		}
	}
}

// deployment is a world with a broken route, and what is deployed for it. The hub is in the account of the world's cloud.
type deployment struct {
	t         *testing.T
	w         *lambdatest.World
	set       *settings.Settings
	file      string // the settings
	folder    string // of zips and templates
	address   string // at which everybody reaches moto
	templates map[string]template
	found     found
}

type template struct {
	Resources map[string]struct {
		Type       string
		Properties json.RawMessage
	}
}

// found is what testdata/stacks.py prints.
type found struct {
	Hub struct {
		Queues    map[string]map[string]string
		Tables    map[string]json.RawMessage
		Functions map[string]function
		Mappings  map[string]mapping
		Buses     []string
		Rules     map[string]rule
		Seals     map[string]string
		Logs      map[string]int
		account
	}
	Source, Destination member
}

type account struct {
	Roles  map[string]role
	Switch []string
	Stacks map[string]stack
}

type member struct {
	account
	Topics       []string
	Rules, Relay map[string]rule
	Buckets      map[string][]string
}

type stack struct {
	Status    string
	Resources map[string]string
}

type role struct {
	Trust    json.RawMessage
	Policies map[string]json.RawMessage
	Attached []string
}

type rule struct {
	State   string
	Pattern map[string]any
	Targets []string
}

type function struct {
	Role, Runtime, Code string
	Memory, Timeout     int
	Variables           map[string]string
}

type mapping struct {
	Function              string
	Batch, Window, AtOnce int
	Answers               []string
}

// functions is those that are deployed here: all but the page, because moto makes no URL that the others could be told of.
func functions() []grants.Function {
	return slices.DeleteFunc(grants.Functions(), func(f grants.Function) bool { return f == grants.Page })
}

// newDeployment makes the world and its settings: a hub, two members, and one route between them.
func newDeployment(t *testing.T) *deployment {
	t.Helper()
	d := &deployment{t: t, folder: t.TempDir()}
	d.w = lambdatest.NewWorld(t, d.assumed)
	d.address = aws.ToString(d.w.Config(d.w.Account, hubRegion).BaseEndpoint)
	text := d.w.Settings(d.w.Approved("ledger", d.w.Route.Source)) + fmt.Sprintf(`hub: {account: %q, region: %s}
approvals:
  approvers: ["arn:aws:iam::%s:role/oncall"]
  slack: {secret: "arn:aws:secretsmanager:%s:%s:secret:slack-AbCdEf", team: T0123456789}
chat:
  targets: [{name: mail, tool: email, topic: "arn:aws:sns:%s:%s:people"}]
`, d.w.Account, hubRegion, d.w.Account, hubRegion, d.w.Account, hubRegion, d.w.Account)
	var err error
	if d.set, err = settings.ParseToDeploy([]byte(text)); err != nil {
		t.Fatal(err)
	}
	d.file = filepath.Join(d.folder, "replimend.yaml")
	if err := os.WriteFile(d.file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	// The world has a bucket for reports, which is what is deployed here.
	_, err = d.s3(d.w.Route.SourceAccount).DeleteBucket(t.Context(), &s3.DeleteBucketInput{
		Bucket: aws.String(settings.ReportBucket(d.w.Route.SourceAccount, hubRegion)),
	})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// assumed refuses sessions of roles that do not exist or do not name the hub in their trust policy, where moto asks nothing. The CDK and
// the functions then have the roles that were made for them, or none.
func (d *deployment) assumed(rw http.ResponseWriter, r *http.Request) bool {
	if r.Method != http.MethodPost || !strings.Contains(r.Header.Get("Authorization"), "/sts/aws4_request") {
		return false
	}
	body, err := io.ReadAll(r.Body)
	r.Body = io.NopCloser(bytes.NewReader(body))
	form, invalid := url.ParseQuery(string(body))
	if err != nil || invalid != nil || form.Get("Action") != "AssumeRole" {
		return false
	}
	arn, err := policy.ParseARN(form.Get("RoleArn"))
	if err == nil {
		of := iam.NewFromConfig(d.w.Server.Config(d.t, arn.Account, hubRegion))
		var got *iam.GetRoleOutput
		got, err = of.GetRole(r.Context(), &iam.GetRoleInput{RoleName: aws.String(arn.Resource[strings.LastIndexByte(arn.Resource, '/')+1:])})
		if err == nil && aws.ToString(got.Role.Arn) == arn.String() && strings.Contains(aws.ToString(got.Role.AssumeRolePolicyDocument), d.w.Account) {
			return false
		}
	}
	rw.Header().Set("Content-Type", "text/xml")
	rw.WriteHeader(http.StatusForbidden)
	fmt.Fprintf(rw, "<ErrorResponse><Error><Type>Sender</Type><Code>AccessDenied</Code><Message>%v</Message></Error></ErrorResponse>", err)
	return true
}

func (d *deployment) s3(account string) *s3.Client {
	return s3.NewFromConfig(d.w.Config(account, hubRegion), func(o *s3.Options) { o.UsePathStyle = true })
}

// run runs a command of the README at the top of the tree, as somebody who has credentials of that account.
func (d *deployment) run(account string, command ...string) (string, error) {
	id, secret, token := d.w.Server.Credentials(d.t, account)
	cmd := exec.CommandContext(d.t.Context(), command[0], command[1:]...)
	cmd.Dir = root
	cmd.Env = append(slices.DeleteFunc(os.Environ(), func(v string) bool {
		// Of the make that runs this test, and of whoever runs it.
		return strings.HasPrefix(v, "MAKE") || strings.HasPrefix(v, "MFLAGS") || strings.HasPrefix(v, "AWS_") || strings.HasPrefix(v, "CDK_")
	}),
		"AWS_ACCESS_KEY_ID="+id, "AWS_SECRET_ACCESS_KEY="+secret, "AWS_SESSION_TOKEN="+token, "AWS_REGION="+hubRegion,
		"AWS_ENDPOINT_URL="+d.address, "AWS_EC2_METADATA_DISABLED=true", "NO_PROXY=*", "TMPDIR="+d.folder, "CDK_HOME="+filepath.Join(d.folder, "cdk"),
		"CDK_REQUIRE_APPROVAL=never", // nobody is there who could say yes
	)
	begun := time.Now()
	out, err := cmd.CombinedOutput()
	if err != nil {
		err = fmt.Errorf("%v: %w\n%s", command, err, out)
	}
	d.t.Logf("%v: %.1f s", command, time.Since(begun).Seconds())
	return string(out), err
}

// bootstrap prepares every account and Region, each account by who has its credentials, with the hub trusted to deploy there.
func (d *deployment) bootstrap() {
	d.t.Helper()
	if _, err := d.run(d.w.Account, "make", "synth", "CONFIG="+d.file, "ASSEMBLY="+d.assembly(), "DIST="+filepath.Join(d.folder, "dist")); err != nil {
		d.t.Fatal(err)
	}
	places := []string{d.w.Account, d.w.Route.SourceAccount, d.w.Route.DestinationAccount}
	var all sync.WaitGroup
	faults := make(chan error, len(places))
	for _, account := range places {
		all.Go(func() {
			_, err := d.run(account, "make", "bootstrap", "ASSEMBLY="+d.assembly(), "ENVIRONMENTS=aws://"+account+"/*",
				"OPTIONS=--trust "+d.w.Account+" --cloudformation-execution-policies arn:aws:iam::aws:policy/AdministratorAccess")
			faults <- err
		})
	}
	all.Wait()
	close(faults)
	for err := range faults {
		if err != nil {
			d.t.Error(err)
		}
	}
	if d.t.Failed() {
		d.t.FailNow()
	}
}

// assembly is where the templates are.
func (d *deployment) assembly() string { return filepath.Join(d.folder, "cdk.out") }

// deploy deploys everything that bootstrap had made, with the credentials of the hub.
func (d *deployment) deploy() {
	d.t.Helper()
	_, err := d.run(d.w.Account, "make", "--old-file=synth", "deploy", "CONFIG="+d.file, "ASSEMBLY="+d.assembly(), "DIST="+filepath.Join(d.folder, "dist"))
	if err != nil {
		d.t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(d.assembly(), "*.template.json"))
	if err != nil {
		d.t.Fatal(err)
	}
	d.templates = map[string]template{}
	for _, file := range files {
		var made template
		d.decode(file, &made)
		d.templates[strings.TrimSuffix(filepath.Base(file), ".template.json")] = made
	}
}

// again deploys the same a second time, which changes nothing. That the same settings make the same zips and templates is for the tests of
// bundle and infra to say.
func (d *deployment) again() {
	d.t.Helper()
	out, err := d.run(d.w.Account, cli, "deploy", "--app", d.assembly(), "--all", "--import-existing-resources")
	if err != nil || strings.Count(out, "(no changes)") != len(d.templates) {
		d.t.Errorf("a second deployment changes something: %v\n%s", err, out)
	}
}

func (d *deployment) decode(file string, into any) {
	d.t.Helper()
	data, err := os.ReadFile(file)
	if err == nil {
		err = json.Unmarshal(data, into)
	}
	if err != nil {
		d.t.Fatal(err)
	}
}

// read reads back what is there.
func (d *deployment) read() {
	d.t.Helper()
	var config strings.Builder
	for profile, account := range map[string]string{
		"hub": d.w.Account, "source": d.w.Route.SourceAccount, "destination": d.w.Route.DestinationAccount,
	} {
		id, secret, token := d.w.Server.Credentials(d.t, account)
		fmt.Fprintf(&config, "[profile %s]\naws_access_key_id = %s\naws_secret_access_key = %s\naws_session_token = %s\n", profile, id, secret, token)
	}
	file := filepath.Join(d.folder, "aws-config")
	if err := os.WriteFile(file, []byte(config.String()), 0o600); err != nil {
		d.t.Fatal(err)
	}
	cmd := exec.CommandContext(d.t.Context(), mototest.Python(d.t), "testdata/stacks.py", hubRegion, destinationRegion)
	cmd.Env = append(os.Environ(), "AWS_CONFIG_FILE="+file, "AWS_ENDPOINT_URL="+d.address, "NO_PROXY=*")
	var faults bytes.Buffer
	cmd.Stderr = &faults
	out, err := cmd.Output()
	if err != nil {
		d.t.Fatalf("read what was deployed: %v\n%s", err, &faults)
	}
	d.found = found{}
	if err := json.Unmarshal(out, &d.found); err != nil {
		d.t.Fatal(err)
	}
}

// stacks: each template is a stack that has everything of it but what moto does not know.
func (d *deployment) stacks(t *testing.T) {
	all := map[string]stack{}
	for _, of := range []account{d.found.Hub.account, d.found.Source.account, d.found.Destination.account} {
		maps.Copy(all, of.Stacks)
	}
	if diff := cmp.Diff(slices.Sorted(maps.Keys(d.templates)), slices.Sorted(maps.Keys(all))); diff != "" || len(all) != 8 {
		t.Errorf("%d stacks (-templates +deployed):\n%s", len(all), diff)
	}
	missing := map[string]bool{}
	for name, of := range d.templates {
		if all[name].Status != "CREATE_COMPLETE" {
			t.Errorf("%s is %q", name, all[name].Status)
		}
		for id, r := range of.Resources {
			if _, made := all[name].Resources[id]; !made {
				missing[r.Type] = true
			} else if slices.Contains(unmade, r.Type) {
				t.Errorf("moto makes %s now: ask for it here", r.Type)
			}
		}
	}
	if diff := cmp.Diff(unmade, slices.Sorted(maps.Keys(missing))); diff != "" {
		t.Errorf("types that moto does not make (-known +found): assert what they say on the templates, in infra:\n%s", diff)
	}
}

// hub: names, and what refers to what. Point-in-time recovery, time to live and the architecture are dropped by moto, and asserted on the
// template by infra's TestJournalIsKept and TestFunctions.
func (d *deployment) hub(t *testing.T) {
	h, names := d.found.Hub, grants.NamesOf(d.set)
	var queues []string
	for _, q := range grants.Queues() {
		queues = append(queues, string(q), string(q.Dead()))
		var redrive struct {
			DeadLetterTargetArn string
			MaxReceiveCount     int
		}
		if err := json.Unmarshal([]byte(h.Queues[string(q)]["RedrivePolicy"]), &redrive); err != nil {
			t.Errorf("redrive of %s: %v", q, err)
		}
		if redrive.DeadLetterTargetArn != names.Queue(q.Dead()).String() || redrive.MaxReceiveCount != 5 {
			t.Errorf("%s: dead letters go to %v", q, redrive)
		}
	}
	slices.Sort(queues)
	if diff := cmp.Diff(queues, slices.Sorted(maps.Keys(h.Queues))); diff != "" {
		t.Errorf("queues (-want +got):\n%s", diff)
	}
	for name, q := range h.Queues {
		if q["SqsManagedSseEnabled"] != "true" || q["MessageRetentionPeriod"] != "1209600" {
			t.Errorf("%s: %v", name, q)
		}
	}

	for _, shape := range []any{journal.Shape(grants.IncidentTable), journal.ApprovalShape(grants.ApprovalTable)} {
		d.table(t, shape)
	}

	reads := map[grants.Function]grants.Queue{
		grants.Failure: grants.Failures, grants.Change: grants.Changes, grants.Remedy: grants.Work, grants.Sweep: grants.Sweeps,
		grants.Notify: grants.Notices,
	}
	for _, f := range functions() {
		got, ok := h.Functions[string(f)]
		if !ok || got.Runtime != "provided.al2023" || got.Role != names.Role(string(f)).String() || h.Roles[string(f)].Trust == nil {
			t.Errorf("%s: %+v", f, got)
		}
		if h.Logs[grants.LogGroup(f)] != 90 {
			t.Errorf("%s: logs are kept for %d days", f, h.Logs[grants.LogGroup(f)])
		}
		for name, value := range got.Variables {
			if want := d.variables()[name]; value == "" || value != want {
				t.Errorf("%s: %s is %q, and there is %q", f, name, value, want)
			}
		}
		if q, ok := reads[f]; ok {
			m := h.Mappings[names.Queue(q).String()]
			if m.Function != names.Function(f).String() || m.Batch < 1 || m.AtOnce < 2 || !slices.Equal(m.Answers, []string{"ReportBatchItemFailures"}) {
				t.Errorf("%s reads its queue with %+v", f, m)
			}
		}
	}
	if len(h.Functions) != len(functions()) || len(h.Mappings) != len(reads) {
		t.Errorf("%d functions and %d mappings", len(h.Functions), len(h.Mappings))
	}

	change := h.Rules[grants.ChangeRule]
	want := rule{
		State: "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS", Targets: []string{names.Queue(grants.Changes).String()},
		Pattern: map[string]any{
			"account":     []any{d.set.Members[0].Account, d.set.Members[1].Account},
			"detail-type": []any{"AWS API Call via CloudTrail"},
			"source":      []any{"aws.iam", "aws.kms", "aws.organizations", "aws.s3"},
		},
	}
	if diff := cmp.Diff(want, change); diff != "" || len(h.Rules) != 1 || !slices.Equal(h.Buses, []string{names.Bus().String()}) {
		t.Errorf("buses %v, rules %v (-want +got):\n%s", h.Buses, h.Rules, diff)
	}
	if !slices.Equal(h.Switch, []string{"off"}) {
		t.Errorf("the kill switch is %v", h.Switch)
	}
}

// variables is what each variable of a function has to say, as what it names was deployed.
func (d *deployment) variables() map[string]string {
	hub := d.found.Hub.Stacks["replimend-hub"].Resources
	out := map[string]string{
		deployed.WorkVariable: hub["WorkQueue"], deployed.SweepVariable: hub["SweepsQueue"],
		deployed.NoticeVariable: hub["NoticesQueue"],
		deployed.SealVariable:   d.found.Hub.Seals[grants.SealAlias],
	}
	for _, bus := range d.found.Hub.Buses {
		_, out[deployed.BusVariable], _ = strings.Cut(bus, ":event-bus/")
	}
	for variable, table := range map[string]string{deployed.TableVariable: grants.IncidentTable, deployed.ApprovalsVariable: grants.ApprovalTable} {
		if _, ok := d.found.Hub.Tables[table]; ok {
			out[variable] = table
		}
	}
	return out
}

// table holds a table against its shape.
func (d *deployment) table(t *testing.T, shape any) {
	t.Helper()
	type key struct{ AttributeName, KeyType string }
	type attributes struct {
		TableName            string
		AttributeDefinitions []struct{ AttributeName, AttributeType string }
		KeySchema            []key
		// Of the table as it is made, and as it is described.
		BillingMode               string
		BillingModeSummary        struct{ BillingMode string }
		DeletionProtectionEnabled bool
		GlobalSecondaryIndexes    []struct {
			IndexName  string
			KeySchema  []key
			Projection struct {
				ProjectionType   string
				NonKeyAttributes []string
			}
		}
	}
	var want, got attributes
	text, err := json.Marshal(shape)
	if err == nil {
		err = json.Unmarshal(text, &want)
	}
	if err == nil {
		err = json.Unmarshal(d.found.Hub.Tables[want.TableName], &got)
	}
	if err != nil {
		t.Fatalf("table %s: %v", want.TableName, err)
	}
	got.TableName, got.BillingMode, got.BillingModeSummary.BillingMode = want.TableName, got.BillingModeSummary.BillingMode, ""
	want.DeletionProtectionEnabled = true
	if len(got.GlobalSecondaryIndexes) == 0 {
		got.GlobalSecondaryIndexes = nil
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("table %s (-want +got):\n%s", want.TableName, diff)
	}
}

// members: what each has in its Region.
func (d *deployment) members(t *testing.T) {
	bus := grants.NamesOf(d.set).Bus().String()
	for _, m := range []struct {
		member
		account, region string
	}{{d.found.Source, d.w.Route.SourceAccount, hubRegion}, {d.found.Destination, d.w.Route.DestinationAccount, destinationRegion}} {
		if want := []string{grants.Topic(m.account, m.region).String()}; !slices.Equal(m.Topics, want) {
			t.Errorf("topics %v, want %v", m.Topics, want)
		}
		if !slices.Equal(m.Switch, []string{"off"}) {
			t.Errorf("the kill switch of %s is %v", m.account, m.Switch)
		}
		if want := map[string][]string{settings.ReportBucket(m.account, m.region): {"AES256"}}; !cmp.Equal(m.Buckets, want) {
			t.Errorf("buckets %v, want %v", m.Buckets, want)
		}
		all := maps.Clone(m.Rules)
		maps.Copy(all, m.Relay)
		want := []string{"replimend-forward-denials", "replimend-forward-iam", "replimend-forward-kms", "replimend-forward-s3"}
		if diff := cmp.Diff(want, slices.Sorted(maps.Keys(all))); diff != "" {
			t.Errorf("rules of %s (-want +got):\n%s", m.account, diff)
		}
		for name, r := range all {
			if !slices.Equal(r.Targets, []string{bus}) || r.State == "DISABLED" {
				t.Errorf("%s of %s: %+v", name, m.account, r)
			}
		}
		if _, ok := m.Relay["replimend-forward-iam"]; !ok {
			t.Errorf("the relay of %s is not where IAM's events are", m.account)
		}
	}
}

// roles: every account has the roles that package grants makes, with exactly those documents, and no others.
func (d *deployment) roles(t *testing.T) {
	names := grants.NamesOf(d.set)
	hub, err := grants.Hub(d.set, needs.Hub(names, d.set.Chat.Targets, d.set.Approvals), needs.Member())
	if err != nil {
		t.Fatal(err)
	}
	hub = slices.DeleteFunc(hub, func(r grants.Role) bool { return r.Name == string(grants.Page) })
	d.same(t, hub, d.found.Hub.Roles)
	for name, of := range map[string]account{
		d.w.Route.SourceAccount: d.found.Source.account, d.w.Route.DestinationAccount: d.found.Destination.account,
	} {
		want, err := grants.Member(d.set, name, needs.Member())
		if err != nil {
			t.Fatal(err)
		}
		d.same(t, want, of.Roles)
	}
}

func (d *deployment) same(t *testing.T, want []grants.Role, got map[string]role) {
	t.Helper()
	document := func(of policy.Document) any {
		text, err := of.MarshalJSON()
		if err != nil {
			t.Fatal(err)
		}
		return tree(t, text)
	}
	for _, r := range want {
		made, ok := got[r.Name]
		if !ok {
			t.Errorf("there is no role %s", r.Name)
			continue
		}
		policies, found := map[string]any{}, map[string]any{}
		for _, p := range r.Policies {
			policies[p.Name] = document(p.Document)
		}
		for name, p := range made.Policies {
			found[name] = tree(t, p)
		}
		if diff := cmp.Diff(policies, found); diff != "" || len(made.Attached) != len(r.Managed) {
			t.Errorf("policies of %s, %d attached (-granted +deployed):\n%s", r.Name, len(made.Attached), diff)
		}
		if diff := cmp.Diff(document(r.Trust), tree(t, made.Trust)); diff != "" {
			t.Errorf("trust of %s (-granted +deployed):\n%s", r.Name, diff)
		}
		delete(got, r.Name)
	}
	for name := range got {
		t.Errorf("nobody granted the role %s", name)
	}
}

func tree(t *testing.T, text []byte) (out any) {
	t.Helper()
	if err := json.Unmarshal(text, &out); err != nil {
		t.Fatal(err)
	}
	return out
}

// mend has the deployed functions mend the route: the code of the deployed zip, in the environment of the deployed configuration, at the
// deployed queues. Moto makes no subscription, so the event goes straight into the queue.
func (d *deployment) mend() {
	d.t.Helper()
	w, hub := d.w, d.found.Hub.Stacks["replimend-hub"].Resources
	w.Events, w.Work = hub["FailuresQueue"], d.found.Hub.Functions[string(grants.Failure)].Variables[deployed.WorkVariable]
	w.Table = &journal.Table{
		Client: w.Table.Client, Name: d.found.Hub.Functions[string(grants.Remedy)].Variables[deployed.TableVariable], Now: time.Now,
	}
	before := w.Documents()
	failure, worker := d.start(grants.Failure), d.start(grants.Remedy)
	w.Send(w.Events, w.Failed(w.Route.Key, w.Route.Version))
	w.Drain(w.Events, failure)
	w.Drain(w.Work, worker)

	i := w.Incident()
	if log := worker.Stop(); i.Outcome != incident.Resolved || len(i.Changes) != 2 {
		d.t.Errorf("outcome %s, %d changes: %v\n%s", i.Outcome, len(i.Changes), i.Timeline, log)
	}
	after := w.Documents()
	for _, mended := range []string{`"Sid": "Replimend`, `"Replimend"`} {
		if strings.Contains(before, mended) || !strings.Contains(after, mended) {
			d.t.Errorf("%s is not in what boto3 reads:\n%s", mended, after)
		}
	}
	if n := w.Batch.Calls("CreateJob"); n != 1 {
		d.t.Errorf("%d jobs", n)
	}
}

// start runs a function of the hub out of its deployed zip, as arm64, in its deployed environment. That what was written holds everywhere
// takes a minute on AWS and no time in moto.
func (d *deployment) start(f grants.Function) *lambdatest.Runtime {
	d.t.Helper()
	qemu, err := exec.LookPath("qemu-aarch64")
	if err != nil {
		d.t.Fatalf("%v\nhint: make setup as root, or install the package qemu-user", err)
	}
	of := d.found.Hub.Functions[string(f)]
	id, secret, token := d.w.Server.Credentials(d.t, d.w.Account)
	env := []string{
		"AWS_REGION=" + hubRegion, "AWS_ACCESS_KEY_ID=" + id, "AWS_SECRET_ACCESS_KEY=" + secret, "AWS_SESSION_TOKEN=" + token,
		"AWS_ENDPOINT_URL=" + d.address, "AWS_EC2_METADATA_DISABLED=true", "NO_PROXY=*", deployed.PropagationVariable + "=0s",
	}
	for name, value := range of.Variables {
		env = append(env, name+"="+value)
	}
	return lambdatest.StartUnder(d.t.Context(), d.t, []string{qemu, filepath.Join(d.unpack(f, of.Code), "bootstrap")}, env...)
}

// unpack fetches the zip of a function from where the stack says that it is, and unpacks it. It has to be the one that Lambda took.
func (d *deployment) unpack(f grants.Function, sum string) (folder string) {
	d.t.Helper()
	var code struct {
		FunctionName string
		Code         struct{ S3Bucket, S3Key string }
	}
	for _, r := range d.templates["replimend-hub"].Resources {
		if r.Type != "AWS::Lambda::Function" {
			continue
		}
		if err := json.Unmarshal(r.Properties, &code); err != nil {
			d.t.Fatal(err)
		}
		if code.FunctionName == string(f) {
			break
		}
	}
	object, err := d.s3(d.w.Account).GetObject(d.t.Context(), &s3.GetObjectInput{Bucket: aws.String(code.Code.S3Bucket), Key: aws.String(code.Code.S3Key)})
	if err != nil {
		d.t.Fatal(err)
	}
	defer object.Body.Close()
	data, err := io.ReadAll(object.Body)
	if err != nil {
		d.t.Fatal(err)
	}
	if got := sha256.Sum256(data); base64.StdEncoding.EncodeToString(got[:]) != sum {
		d.t.Fatalf("%s has other code than its zip", f)
	}
	archive, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		d.t.Fatal(err)
	}
	folder = d.t.TempDir()
	if err := os.CopyFS(folder, archive); err != nil {
		d.t.Fatal(err)
	}
	return folder
}

// destroy removes the stacks. The tables, with the incident, and the buckets of reports stay.
func (d *deployment) destroy() {
	d.t.Helper()
	if _, err := d.run(d.w.Account, cli, "destroy", "--app", d.assembly(), "--all", "--force"); err != nil {
		d.t.Fatal(err)
	}
	d.read()
	h := d.found.Hub
	if n := len(h.Stacks) + len(h.Functions) + len(h.Queues) + len(h.Roles) + len(d.found.Source.Stacks) + len(d.found.Destination.Stacks); n > 0 {
		d.t.Errorf("%d things of the hub and stacks of members are still there: %+v", n, d.found)
	}
	if want, got := []string{grants.ApprovalTable, grants.IncidentTable}, slices.Sorted(maps.Keys(h.Tables)); !slices.Equal(want, got) {
		d.t.Errorf("the tables that stay are %v, want %v", got, want)
	}
	if len(d.found.Source.Buckets) != 1 || len(d.found.Destination.Buckets) != 1 {
		d.t.Errorf("the buckets that stay are %v and %v", d.found.Source.Buckets, d.found.Destination.Buckets)
	}
	if i := d.w.Incident(); i.Outcome != incident.Resolved {
		d.t.Errorf("what was recorded is now %v", i)
	}
}
