package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/replimend/replimend/internal/awscloud"
	"github.com/replimend/replimend/internal/deployed"
	"github.com/replimend/replimend/internal/grants"
	"github.com/replimend/replimend/internal/grantstest"
	"github.com/replimend/replimend/internal/journal"
	"github.com/replimend/replimend/internal/policy"
	"github.com/replimend/replimend/internal/settings"
	"github.com/replimend/replimend/internal/signal"
)

var update = flag.Bool("update", false, "write the golden files anew")

// golden holds a text against a file under testdata.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s (-want +got, -update writes it anew):\n%s", file, diff)
	}
}

// hashes is where the hash of code stands in a template.
var hashes = regexp.MustCompile(`[0-9a-f]{64}\.zip`)

// TestTemplates: whoever changes a template sees it, resource by resource.
func TestTemplates(t *testing.T) {
	t.Parallel()
	a := shared(t)
	want := []string{
		"replimend-hub",
		"replimend-member-111122223333", "replimend-member-444455556666", "replimend-organization",
		"replimend-region-111122223333-eu-west-1", "replimend-region-111122223333-us-east-1", "replimend-region-444455556666-eu-central-1",
		"replimend-relay-111122223333", "replimend-relay-444455556666", "replimend-subscriptions",
	}
	if diff := cmp.Diff(want, a.names()); diff != "" {
		t.Errorf("stacks (-want +got):\n%s", diff)
	}
	for name, tmpl := range a.templates {
		data, err := os.ReadFile(tmpl.File)
		if err != nil {
			t.Fatal(err)
		}
		golden(t, "templates/"+name+".json", append(hashes.ReplaceAll(data, []byte("HASH.zip")), '\n'))
	}
}

// TestNag: cdk-nag finds nothing that is not written down with its reason, and nothing is written down that it does not find.
func TestNag(t *testing.T) {
	t.Parallel()
	a := shared(t)
	found := map[string]bool{}
	seen := map[string]bool{}
	for _, row := range a.nag {
		rule, where, verdict := row[0], row[1], row[2]
		stack, _, _ := strings.Cut(where, "/")
		seen[stack] = true
		switch verdict {
		case "Compliant":
		case "Suppressed":
			found[rule] = true
		default:
			t.Errorf("%s: %s: %s: %s", where, rule, verdict, row[len(row)-1])
		}
	}
	if !seen[hubStack] || !seen[regionStack(grantstest.Source, "us-east-1")] {
		t.Errorf("cdk-nag looked at %v", seen)
	}
	for _, e := range []exception{exactResources, noAccessLogs, onlyTLS} {
		if !found[e.rule] {
			t.Errorf("nothing departs from %s", e.rule)
		}
	}
}

// TestLint: cfn-lint knows CloudFormation's own rules.
func TestLint(t *testing.T) {
	t.Parallel()
	var files []string
	for _, tmpl := range shared(t).templates {
		files = append(files, tmpl.File)
	}
	lint := filepath.Join("..", ".venv", "bin", "cfn-lint")
	out, err := exec.CommandContext(t.Context(), lint, append([]string{"--"}, files...)...).CombinedOutput()
	if errors.Is(err, os.ErrNotExist) {
		t.Fatalf("%v: make setup installs it", err)
	}
	if err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

// TestPlain: what members deploy is CloudFormation and nothing else, and says the same in each Region of each.
func TestPlain(t *testing.T) {
	t.Parallel()
	same := map[string][]byte{}
	for name, tmpl := range shared(t).templates {
		kind := strings.Split(name, "-")[1]
		if tmpl.Account == grantstest.Hub {
			continue
		}
		data, err := os.ReadFile(tmpl.File)
		if err != nil {
			t.Fatal(err)
		}
		if len(tmpl.Parameters)+len(tmpl.Rules) > 0 || bytes.Contains(data, []byte("cdk-hnb659fds")) {
			t.Errorf("%s has parameters %v, rules %v, or uses the bootstrap", name, tmpl.Parameters, tmpl.Rules)
		}
		if kind != "region" && kind != "relay" {
			continue
		}
		if same[kind] == nil {
			same[kind] = data
		}
		if !bytes.Equal(same[kind], data) {
			t.Errorf("%s differs from that of another account or Region", name)
		}
	}
}

// TestJournalIsKept: neither a deployment nor whoever removes the stack loses what was recorded.
func TestJournalIsKept(t *testing.T) {
	t.Parallel()
	tables := shared(t).templates[hubStack].of("AWS::DynamoDB::Table")
	if len(tables) != 2 {
		t.Errorf("%d tables, want 2", len(tables))
	}
	for id, table := range tables {
		p := table.Properties
		for what, ok := range map[string]bool{
			"kept when it is removed from the stack": table.DeletionPolicy == "Retain" && table.UpdateReplacePolicy == "Retain",
			"protected":                              p["DeletionProtectionEnabled"] == true,
			"recoverable":                            cmp.Equal(p["PointInTimeRecoverySpecification"], any(map[string]any{"PointInTimeRecoveryEnabled": true})),
			"rid of what expired":                    cmp.Equal(p["TimeToLiveSpecification"], any(map[string]any{"AttributeName": journal.TTLAttribute, "Enabled": true})),
			"paid by the request":                    p["BillingMode"] == "PAY_PER_REQUEST",
		} {
			if !ok {
				t.Errorf("%s is not %s", id, what)
			}
		}
	}
	for name, tmpl := range shared(t).templates {
		for id, bucket := range tmpl.of("AWS::S3::Bucket") {
			if bucket.DeletionPolicy != "Retain" {
				t.Errorf("%s: %s is not kept", name, id)
			}
		}
	}
}

// world is roles and policies as the templates have them.
func world(t *testing.T, a assembly) grantstest.World {
	t.Helper()
	parse := func(tmpl template, v any) policy.Document {
		data, err := json.Marshal(tmpl.resolved(v))
		if err != nil {
			t.Fatal(err)
		}
		d, err := policy.Parse(data)
		if err != nil {
			t.Fatalf("%v in %s", err, data)
		}
		return d
	}
	w := grantstest.World{Roles: map[policy.ARN]grants.Role{}, Resources: map[policy.ARN]policy.Document{}}
	for _, tmpl := range a.templates {
		for id, r := range tmpl.of("AWS::IAM::Role") {
			role := grants.Role{
				Name: tmpl.text(r, "RoleName"), Path: tmpl.text(r, "Path"), Trust: parse(tmpl, r.Properties["AssumeRolePolicyDocument"]),
			}
			for _, p := range r.Properties["Policies"].([]any) {
				p := p.(map[string]any)
				role.Policies = append(role.Policies, grants.Policy{Name: p["PolicyName"].(string), Document: parse(tmpl, p["PolicyDocument"])})
			}
			managed, _ := r.Properties["ManagedPolicyArns"].([]any)
			for _, m := range managed {
				id := m.(map[string]any)["Ref"].(string)
				role.Managed = append(role.Managed, grants.Policy{Name: id, Document: parse(tmpl, tmpl.Resources[id].Properties["PolicyDocument"])})
			}
			w.Roles[tmpl.arn(id)] = role
		}
		for kind, list := range map[string]string{"AWS::SQS::QueuePolicy": "Queues", "AWS::SNS::TopicPolicy": "Topics"} {
			for _, r := range tmpl.of(kind) {
				for _, of := range r.Properties[list].([]any) {
					w.Resources[tmpl.arn(of.(map[string]any)["Ref"].(string))] = parse(tmpl, r.Properties["PolicyDocument"])
				}
			}
		}
		for _, r := range tmpl.of("AWS::S3::BucketPolicy") {
			w.Resources[tmpl.arn(r.Properties["Bucket"].(map[string]any)["Ref"].(string))] = parse(tmpl, r.Properties["PolicyDocument"])
		}
		for _, r := range tmpl.of("AWS::Events::EventBusPolicy") {
			w.Resources[tmpl.arn(r.Properties["EventBusName"].(map[string]any)["Ref"].(string))] = parse(tmpl, map[string]any{
				"Version": "2012-10-17", "Statement": []any{r.Properties["Statement"]},
			})
		}
		for id, r := range tmpl.of("AWS::KMS::Key") {
			w.Resources[tmpl.arn(id)] = parse(tmpl, r.Properties["KeyPolicy"])
		}
	}
	return w
}

// TestRoles: the table of what each role can do and cannot, asked of the templates.
func TestRoles(t *testing.T) {
	t.Parallel()
	grantstest.Run(t, world(t, shared(t)))
}

// TestNeedsAreGranted: what the code declares that it needs and what the templates grant are the same.
func TestNeedsAreGranted(t *testing.T) {
	t.Parallel()
	grantstest.RunNeeds(t, whole(t), world(t, shared(t)))
}

// TestStars: what is allowed on any resource reads, or AWS has no resource for it; of what writes, one role has it that writes no policy.
func TestStars(t *testing.T) {
	t.Parallel()
	got := map[string][]string{}
	for who, role := range world(t, shared(t)).Roles {
		for _, p := range append(role.Policies, role.Managed...) {
			for _, s := range p.Document.Statements {
				if s.Effect == policy.Allow && slices.Contains(s.Resource.Values, "*") && who.Account == grantstest.Source {
					got[role.Name] = append(got[role.Name], s.Action.Values...)
				}
				if s.Effect == policy.Allow && slices.Contains(s.Resource.Values, "*") && who.Account == grantstest.Hub {
					t.Errorf("%s is allowed %v on everything", who, s.Action.Values)
				}
			}
		}
	}
	reads := got[string(settings.Reader)]
	delete(got, string(settings.Reader))
	for _, action := range reads {
		_, name, _ := strings.Cut(action, ":")
		if !slices.ContainsFunc([]string{"Check", "Describe", "Get", "List", "Validate"}, func(verb string) bool { return strings.HasPrefix(name, verb) }) {
			t.Errorf("the reader is allowed %s on everything", action)
		}
	}
	for name := range got {
		slices.Sort(got[name])
	}
	if diff := cmp.Diff(map[string][]string{string(settings.Replayer): {"s3:CreateJob", "s3:ListJobs"}}, got); diff != "" {
		t.Errorf("on everything (-want +got):\n%s", diff)
	}
}

// TestPaths: every way of a message between accounts and Regions has its permission at both ends, and nobody else has it.
func TestPaths(t *testing.T) {
	t.Parallel()
	a := shared(t)
	w := world(t, a)
	ask := func(want string, c grantstest.Case) {
		t.Helper()
		if got := grantstest.Ask(w, c); got != want {
			t.Errorf("%s%s %s on %s %v: %s, want %s", c.Service, c.Who, c.Action, c.On, c.Given, got, want)
		}
	}
	set := whole(t)
	names := grants.NamesOf(set)
	hub := a.templates[hubStack]

	// S3 to the topic, and from the topic to the hub's queue, to which the hub itself subscribes.
	subscribed := map[string]string{}
	for _, r := range a.templates[subscriptionsStack].of("AWS::SNS::Subscription") {
		if r.Properties["Endpoint"] != names.Queue(grants.Failures).String() || r.Properties["Protocol"] != "sqs" || r.Properties["RawMessageDelivery"] != true {
			t.Errorf("subscription %v", r.Properties)
		}
		subscribed[r.Properties["TopicArn"].(string)] = r.Properties["Region"].(string)
	}
	for name, tmpl := range a.templates {
		for id := range tmpl.of("AWS::SNS::Topic") {
			topic := tmpl.arn(id)
			if subscribed[topic.String()] != tmpl.Region {
				t.Errorf("%s: nobody subscribes to %s in its Region", name, topic)
			}
			delete(subscribed, topic.String())
			from := func(account string) map[string]string {
				return map[string]string{"aws:SourceAccount": account, "aws:SourceArn": "arn:aws:s3:::any"}
			}
			publish := grantstest.Case{Service: "s3.amazonaws.com", Action: "sns:Publish", On: topic.String()}
			publish.Given = from(tmpl.Account)
			ask("allowed", publish)
			publish.Given = from(grantstest.Elsewhere)
			ask("not allowed", publish)
			send := grantstest.Case{Service: "sns.amazonaws.com", Action: "sqs:SendMessage", On: names.Queue(grants.Failures).String()}
			send.Given = map[string]string{"aws:SourceArn": topic.String()}
			ask("allowed", send)
			other := topic
			other.Account = grantstest.Elsewhere
			send.Given = map[string]string{"aws:SourceArn": other.String()}
			ask("not allowed", send)
		}
	}
	if len(subscribed) > 0 {
		t.Errorf("subscriptions to topics that nobody makes: %v", subscribed)
	}

	for of := range w.Resources {
		if of.Service == "s3" {
			ask("denied", grantstest.Case{
				Who: settings.Reader.ARN("aws", grantstest.Source), Action: "s3:GetObject", On: of.String() + "/reports/one",
				Given: map[string]string{"aws:SecureTransport": "false"},
			})
		}
	}

	// CloudTrail's events from the account's bus to the hub's, with a role of the account, and from there to the queue.
	forwards := 0
	for name, tmpl := range a.templates {
		if name == hubStack {
			continue
		}
		for _, r := range tmpl.of("AWS::Events::Rule") {
			forwards++
			for _, target := range tmpl.resolved(r.Properties["Targets"]).([]any) {
				target := target.(map[string]any)
				if target["Arn"] != names.Bus().String() {
					t.Errorf("%s sends to %v", name, target["Arn"])
				}
				source := r.Properties["EventPattern"].(map[string]any)["source"].([]any)[0].(string)
				put := grantstest.Case{
					Who: arn(t, target["RoleArn"].(string)), Action: "events:PutEvents", On: names.Bus().String(),
					Given: map[string]string{"events:source": source, "events:detail-type": detailType},
				}
				ask("allowed", put)
				put.Given = map[string]string{"events:source": "made.up", "events:detail-type": detailType}
				ask("not allowed", put)
			}
		}
	}
	if want := 3*3 + 2 + 1; forwards != want {
		t.Errorf("%d rules send to the hub, want %d", forwards, want)
	}
	var accounts []string
	for _, r := range hub.of("AWS::Events::Rule") {
		pattern := r.Properties["EventPattern"].(map[string]any)
		for _, account := range pattern["account"].([]any) {
			accounts = append(accounts, account.(string))
		}
		if want := []any{"aws.iam", "aws.kms", "aws.organizations", "aws.s3"}; !cmp.Equal(want, pattern["source"]) {
			t.Errorf("the hub hands on what comes from %v", pattern["source"])
		}
		target := hub.resolved(r.Properties["Targets"]).([]any)[0].(map[string]any)["Arn"].(string)
		rule := names.ChangeRules()
		rule.Resource = "rule/" + grants.Bus + "/" + hub.text(r, "Name")
		ask("allowed", grantstest.Case{
			Service: "events.amazonaws.com", Action: "sqs:SendMessage", On: target, Given: map[string]string{"aws:SourceArn": rule.String()},
		})
	}
	if want := []string{grantstest.Source, grantstest.Target, management}; !cmp.Equal(want, accounts) {
		t.Errorf("the hub hands on what comes from the accounts %v, want %v", accounts, want)
	}
}

// TestForwardedCalls: members send exactly the calls that the change function reads.
func TestForwardedCalls(t *testing.T) {
	t.Parallel()
	found := map[string]bool{}
	for name, tmpl := range shared(t).templates {
		for _, r := range tmpl.of("AWS::Events::Rule") {
			detail, ok := r.Properties["EventPattern"].(map[string]any)["detail"].(map[string]any)
			if !ok || detail["eventName"] == nil {
				continue
			}
			source := detail["eventSource"].([]any)[0].(string)
			found[source] = true
			var got []string
			for _, event := range detail["eventName"].([]any) {
				got = append(got, event.(string))
			}
			if diff := cmp.Diff(signal.Changes(source), got); diff != "" {
				t.Errorf("%s: %s (-read +sent):\n%s", name, source, diff)
			}
		}
	}
	if diff := cmp.Diff(signal.ChangeSources(), slices.Sorted(maps.Keys(found))); diff != "" {
		t.Errorf("services (-read +sent):\n%s", diff)
	}
}

// functionOf is the name of the function that a property names.
func (t template) functionOf(property any) string {
	of, _ := property.(map[string]any)
	id, _ := of["Ref"].(string)
	if get, ok := of["Fn::GetAtt"].([]any); ok {
		id, _ = get[0].(string)
	}
	return t.text(t.Resources[id], "FunctionName")
}

// TestURLs: to the URL where approvers answer only who signs a request gets through, and nobody of whom the settings know nothing. The page
// and Slack's buttons have URLs for everybody, and those of no other function are.
func TestURLs(t *testing.T) {
	t.Parallel()
	hub := shared(t).templates[hubStack]
	urls := hub.of("AWS::Lambda::Url")
	types := map[string]string{}
	for _, url := range urls {
		types[hub.functionOf(url.Properties["TargetFunctionArn"])], _ = url.Properties["AuthType"].(string)
	}
	if diff := cmp.Diff(map[string]string{"replimend-approval": "AWS_IAM", "replimend-page": "NONE", "replimend-slack": "NONE"}, types); diff != "" {
		t.Errorf("URLs by their functions (-want +got):\n%s", diff)
	}
	got := map[string][]string{}
	for _, p := range hub.of("AWS::Lambda::Permission") {
		who, action := p.Properties["Principal"].(string), p.Properties["Action"].(string)
		f := hub.functionOf(p.Properties["FunctionName"])
		switch {
		case action == "lambda:InvokeFunctionUrl" && p.Properties["FunctionUrlAuthType"] != types[f]:
			t.Errorf("%s may call the URL of %s by %v, and it has %s", who, f, p.Properties["FunctionUrlAuthType"], types[f])
		case action == "lambda:InvokeFunction" && p.Properties["InvokedViaFunctionUrl"] != true:
			t.Errorf("%s may call %s as it likes", who, f)
		}
		got[f+" "+who] = append(got[f+" "+who], action)
		slices.Sort(got[f+" "+who])
	}
	both := []string{"lambda:InvokeFunction", "lambda:InvokeFunctionUrl"}
	want := map[string][]string{
		"replimend-approval arn:aws:iam::111122223333:role/storage-owners": both, "replimend-approval " + grantstest.Target: both,
		"replimend-page *": both, "replimend-slack *": both,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("who may call URLs (-want +got):\n%s", diff)
	}
}

// TestNothingIsPublic: without a page and buttons in the settings nothing is open to the internet, and nobody is told of a page.
func TestNothingIsPublic(t *testing.T) {
	t.Parallel()
	set := whole(t)
	set.Approvals.Page, set.Approvals.Slack = settings.Page{}, settings.SlackApp{}
	hub := synthesize(t, set).templates[hubStack]
	for id, r := range hub.Resources {
		if strings.HasPrefix(id, "Page") || strings.HasPrefix(id, "Slack") || r.Type == "AWS::Lambda::Permission" && r.Properties["Principal"] == "*" || r.Properties["AuthType"] == "NONE" {
			t.Errorf("there is %s", id)
		}
	}
	key, err := json.Marshal(hub.Resources["SealKey"])
	if err != nil || strings.Contains(string(key), "replimend-page") || strings.Contains(string(key), "replimend-slack") {
		t.Errorf("the key of the seal names who is not there: %s, %v", key, err)
	}
	for id, read := range map[string]func(deployed.Environment) (deployed.Config, error){
		"NotifyFunction": deployed.Environment.Herald, "ApprovalFunction": deployed.Environment.Desk,
	} {
		if err := environment(t, hub, id, read); err != nil {
			t.Errorf("%s does not start: %v", id, err)
		}
	}
}

// TestNobodyIsAsked: without approvers there is nothing that takes answers, and nothing that costs for it.
func TestNobodyIsAsked(t *testing.T) {
	t.Parallel()
	set := whole(t)
	set.Approvals = settings.Approvals{}
	hub := synthesize(t, set).templates[hubStack]
	for _, kind := range []string{"AWS::Lambda::Url", "AWS::Lambda::Permission", "AWS::KMS::Key", "AWS::KMS::Alias"} {
		if n := len(hub.of(kind)); n > 0 {
			t.Errorf("%d of %s", n, kind)
		}
	}
	for _, id := range []string{"ApprovalFunction", "PageFunction", "SlackFunction"} {
		if _, ok := hub.Resources[id]; ok {
			t.Errorf("there is %s", id)
		}
	}
	if err := environment(t, hub, "RemedyFunction", deployed.Environment.Worker); err != nil {
		t.Errorf("the worker does not start: %v", err)
	}
}

// TestNobodyPresses: without an app of Slack nothing is made for its buttons, and where nobody may answer there are none.
func TestNobodyPresses(t *testing.T) {
	t.Parallel()
	set := whole(t)
	set.Approvals.Slack = settings.SlackApp{}
	a := synthesize(t, set)
	hub := a.templates[hubStack]
	for id := range hub.Resources {
		if strings.HasPrefix(id, "Slack") {
			t.Errorf("there is %s", id)
		}
	}
	if _, ok := hub.Outputs["SlackEndpoint"]; ok {
		t.Error("there is an endpoint for Slack")
	}
	var key []byte
	for _, r := range hub.of("AWS::KMS::Key") {
		var err error
		if key, err = json.Marshal(r.Properties["KeyPolicy"]); err != nil {
			t.Fatal(err)
		}
	}
	if len(key) == 0 || bytes.Contains(key, []byte("replimend-slack")) {
		t.Errorf("the key's policy is %s", key)
	}
}

// TestNobodyIsTold: without targets there is nothing that tells people, and nothing that costs for it.
func TestNobodyIsTold(t *testing.T) {
	t.Parallel()
	set := whole(t)
	set.Chat = settings.Chat{}
	hub := synthesize(t, set).templates[hubStack]
	for id := range hub.Resources {
		if strings.HasPrefix(id, "Notify") || strings.HasPrefix(id, "Notices") {
			t.Errorf("there is %s", id)
		}
	}
	for id, read := range map[string]func(deployed.Environment) (deployed.Config, error){
		"RemedyFunction": deployed.Environment.Worker, "SweepFunction": deployed.Environment.Sweeper,
	} {
		if err := environment(t, hub, id, read); err != nil {
			t.Errorf("%s does not start: %v", id, err)
		}
	}
}

// environment reads the configuration of a function as the function will.
func environment(t *testing.T, hub template, id string, read func(deployed.Environment) (deployed.Config, error)) error {
	t.Helper()
	file := filepath.Join(t.TempDir(), deployed.SettingsFile)
	set := whole(t)
	if _, asked := hub.Resources["ApprovalFunction"]; !asked {
		set.Approvals = settings.Approvals{}
	}
	if _, shown := hub.Resources["PageFunction"]; !shown {
		set.Approvals.Page = settings.Page{}
	}
	if _, told := hub.Resources["NotifyFunction"]; !told {
		set.Chat = settings.Chat{}
	}
	if err := os.WriteFile(file, []byte(set.YAML()), 0o600); err != nil {
		t.Fatal(err)
	}
	variables := hub.Resources[id].Properties["Environment"].(map[string]any)["Variables"].(map[string]any)
	used := map[string]bool{}
	_, err := read(deployed.Environment{Program: filepath.Join(filepath.Dir(file), "bootstrap"), Get: func(name string) string {
		used[name] = true
		value, _ := hub.resolved(variables[name]).(string)
		return value
	}})
	for name := range variables {
		if !used[name] {
			t.Errorf("%s is told %s and does not read it", id, name)
		}
	}
	return err
}

// TestEnvironments: every function finds what it needs to start.
func TestEnvironments(t *testing.T) {
	t.Parallel()
	hub := shared(t).templates[hubStack]
	for id, read := range map[string]func(deployed.Environment) (deployed.Config, error){
		"FailureFunction":  deployed.Environment.Intake,
		"ChangeFunction":   deployed.Environment.Change,
		"RemedyFunction":   deployed.Environment.Worker,
		"SweepFunction":    deployed.Environment.Sweeper,
		"ApprovalFunction": deployed.Environment.Desk,
		"NotifyFunction":   deployed.Environment.Herald,
		"PageFunction":     deployed.Environment.Site,
		"SlackFunction":    deployed.Environment.Buttons,
	} {
		if err := environment(t, hub, id, read); err != nil {
			t.Errorf("%s: %v", id, err)
		}
	}
}

// TestFunctions: what holds for each function and its queue.
func TestFunctions(t *testing.T) {
	t.Parallel()
	hub := shared(t).templates[hubStack]
	for id, f := range hub.of("AWS::Lambda::Function") {
		group := f.Properties["LoggingConfig"].(map[string]any)["LogGroup"]
		if name := hub.resolved(group); name != "/aws/lambda/"+hub.text(f, "FunctionName") {
			t.Errorf("%s logs to %v", id, name)
		}
		if f.Properties["Runtime"] != "provided.al2023" || !cmp.Equal(f.Properties["Architectures"], any([]any{"arm64"})) {
			t.Errorf("%s runs on %v %v", id, f.Properties["Runtime"], f.Properties["Architectures"])
		}
	}
	for id, group := range hub.of("AWS::Logs::LogGroup") {
		if group.Properties["RetentionInDays"] != 90.0 {
			t.Errorf("%s is kept for %v days", id, group.Properties["RetentionInDays"])
		}
	}
	mappings := hub.of("AWS::Lambda::EventSourceMapping")
	if len(mappings) != len(grants.Queues()) {
		t.Errorf("%d queues are read, want %d", len(mappings), len(grants.Queues()))
	}
	for id, m := range mappings {
		if !cmp.Equal(m.Properties["FunctionResponseTypes"], any([]any{"ReportBatchItemFailures"})) {
			t.Errorf("%s deletes what failed", id)
		}
		queue := hub.Resources[m.Properties["EventSourceArn"].(map[string]any)["Fn::GetAtt"].([]any)[0].(string)]
		f := hub.Resources[m.Properties["FunctionName"].(map[string]any)["Ref"].(string)]
		if visible, timeout := queue.Properties["VisibilityTimeout"].(float64), f.Properties["Timeout"].(float64); visible < 6*timeout {
			t.Errorf("%s: messages come again after %v s, and the function has %v s", id, visible, timeout)
		}
		redrive := hub.resolved(queue.Properties["RedrivePolicy"]).(map[string]any)
		dead := hub.Resources[strings.TrimSuffix(logical(hub.text(queue, "QueueName"), ""), "")+"DeadQueue"]
		if redrive["deadLetterTargetArn"] != grants.NamesOf(whole(t)).Queue(grants.Queue(hub.text(dead, "QueueName"))).String() {
			t.Errorf("%s: dead letters go to %v", id, redrive)
		}
		allow := dead.Properties["RedriveAllowPolicy"].(map[string]any)["sourceQueueArns"]
		if want := []any{grants.NamesOf(whole(t)).Queue(grants.Queue(hub.text(queue, "QueueName"))).String()}; !cmp.Equal(want, allow) {
			t.Errorf("%s takes dead letters of %v, want %v", hub.text(dead, "QueueName"), allow, want)
		}
	}
}

// TestSchedule: the sweep is started by the role for it, and by nothing else.
func TestSchedule(t *testing.T) {
	t.Parallel()
	a := shared(t)
	hub := a.templates[hubStack]
	schedules := hub.of("AWS::Scheduler::Schedule")
	if len(schedules) != 1 {
		t.Errorf("%d schedules, want 1", len(schedules))
	}
	for id, s := range schedules {
		if s.Properties["ScheduleExpression"] != "rate(15 minutes)" || s.Properties["State"] == "DISABLED" {
			t.Errorf("%s: %v", id, s.Properties)
		}
		target := hub.resolved(s.Properties["Target"]).(map[string]any)
		if want := grants.NamesOf(whole(t)).Function(grants.Sweep).String(); target["Arn"] != want {
			t.Errorf("%s starts %v, want %s", id, target["Arn"], want)
		}
		start := grantstest.Case{Who: arn(t, target["RoleArn"].(string)), Action: "lambda:InvokeFunction", On: target["Arn"].(string)}
		if got := grantstest.Ask(world(t, a), start); got != "allowed" {
			t.Errorf("%s may start the sweep: %s", start.Who, got)
		}
	}
}

// TestAlarms: what should wake somebody does, at the topic of the settings.
func TestAlarms(t *testing.T) {
	t.Parallel()
	hub := shared(t).templates[hubStack]
	got := map[string]bool{}
	for id, a := range hub.of("AWS::CloudWatch::Alarm") {
		if topic := whole(t).Hub.AlarmTopic.String(); !cmp.Equal(a.Properties["AlarmActions"], any([]any{topic})) {
			t.Errorf("%s tells %v", id, a.Properties["AlarmActions"])
		}
		got[hub.text(a, "AlarmName")] = true
	}
	want := map[string]bool{"replimend-refusals": true, "replimend-blind-routes": true}
	for _, q := range grants.Queues() {
		want[string(q.Dead())], want[string(q)+"-late"] = true, true
	}
	for _, f := range grants.Functions() {
		want[string(f)+"-fails"] = true
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("alarms (-want +got):\n%s", diff)
	}
}

// TestSwitches: each account has one kill switch where it is looked for, the hub's account as a member no second one.
func TestSwitches(t *testing.T) {
	t.Parallel()
	set := whole(t)
	set.Members = append(slices.Clone(set.Members), settings.Member{Account: set.Hub.Account, Regions: []string{set.Hub.Region, "eu-north-1"}})
	got := map[string]int{}
	for name, tmpl := range synthesize(t, set).templates {
		for _, p := range tmpl.of("AWS::SSM::Parameter") {
			if p.Properties["Name"] != awscloud.SwitchParameter || p.Properties["Value"] != awscloud.SwitchOff {
				t.Errorf("%s: %v", name, p.Properties)
			}
			got[tmpl.Account+" "+tmpl.Region]++
		}
	}
	want := map[string]int{"999999999999 eu-west-1": 1, "111122223333 eu-west-1": 1, "444455556666 eu-central-1": 1}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("kill switches (-want +got):\n%s", diff)
	}
}

// TestUpgrade: a route more, one that may now be mended, and a Region more change what they are about and nothing else.
func TestUpgrade(t *testing.T) {
	t.Parallel()
	before := shared(t)
	set := whole(t)
	set.Routes = slices.Clone(set.Routes)
	set.Routes[2].Mode = settings.Approve
	more := set.Routes[0]
	more.Name, more.Source.Bucket, more.Source.Region = "reports", "reports", "eu-west-3"
	more.SourceKeys = nil
	set.Routes = append(set.Routes, more)
	set.Members = slices.Clone(set.Members)
	set.Members[0].Regions = append(slices.Clone(set.Members[0].Regions), "eu-west-3")
	after := synthesize(t, set)
	var out strings.Builder
	all := map[string]bool{}
	for _, a := range []assembly{before, after} {
		for name := range a.templates {
			all[name] = true
		}
	}
	for _, name := range slices.Sorted(maps.Keys(all)) {
		old, fresh := before.templates[name].Resources, after.templates[name].Resources
		ids := maps.Clone(old)
		if ids == nil {
			ids = map[string]resource{}
		}
		maps.Copy(ids, fresh)
		for _, id := range slices.Sorted(maps.Keys(ids)) {
			o, was := old[id]
			n, is := fresh[id]
			switch {
			case !was:
				fmt.Fprintf(&out, "+ %s %s %s\n", name, id, n.Type)
			case !is:
				fmt.Fprintf(&out, "- %s %s %s\n", name, id, o.Type)
			case !cmp.Equal(o, n):
				fmt.Fprintf(&out, "~ %s %s %s\n", name, id, n.Type)
			}
		}
	}
	golden(t, "upgrade.txt", []byte(out.String()))
}

// TestPartitions: IAM's and the organization's events are looked for where the partition has them.
func TestPartitions(t *testing.T) {
	t.Parallel()
	for partition, want := range map[string][2]string{
		"aws": {"us-east-1", "us-east-1"}, "aws-cn": {"cn-north-1", "cn-northwest-1"}, "aws-us-gov": {"us-gov-west-1", "us-gov-west-1"},
	} {
		if got := [2]string{relayRegion(partition), organizationRegion(partition)}; got != want {
			t.Errorf("%s: %v, want %v", partition, got, want)
		}
	}
}

// TestFaults: everything that is wrong with the settings is said at once, with its place.
func TestFaults(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "replimend.yaml")
	text := "version: 1\nunknown: 1\nmembers:\n  - {account: \"111122223333\", regions: []}\nroutes: []\n# AKIAIOSFODNN7EXAMPLE\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	set, err := read(file)
	if set != nil || err == nil {
		t.Fatalf("read %v, %v", set, err)
	}
	lines := strings.Split(err.Error(), "\n")
	for i, want := range []string{":1:1: hub is missing", ":2:10: unknown: unknown name", ":4:40: members[0].regions: the member has no Region", ":6:3: this looks like an access key"} {
		if i >= len(lines) || !strings.HasPrefix(lines[i], file+want) {
			t.Errorf("fault %d: %q, want %s", i, lines[min(i, len(lines)-1)], want)
		}
	}
	if strings.Contains(err.Error(), "AKIA") {
		t.Error("the faults quote the secret")
	}
}

// TestCosts: what Replimend costs where nothing happens follows from the templates.
func TestCosts(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	if err := printCosts(&out, filepath.Dir(shared(t).templates[hubStack].File)); err != nil {
		t.Fatal(err)
	}
	golden(t, "costs.md", out.Bytes())
}
