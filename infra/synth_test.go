package main

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/jsii-runtime-go"
	"github.com/cdklabs/cdk-nag-go/cdknag/v2"

	"github.com/replimend/replimend/internal/grants"
	"github.com/replimend/replimend/internal/grantstest"
	"github.com/replimend/replimend/internal/policy"
	"github.com/replimend/replimend/internal/settings"
)

func TestMain(m *testing.M) { os.Exit(tested(m)) }

// tested runs the tests with a folder for everything that they and Node leave behind. Node ends when its input does: jsii.Close waits for
// it in two places at once, which the race detector objects to.
func tested(m *testing.M) int {
	folder, err := os.MkdirTemp("", "replimend-infra-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(folder)
	for name, value := range map[string]string{
		"TMPDIR": folder, "CDK_VALIDATION": "false", "JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION": "20",
		"JSII_DEPRECATED": "quiet", // cdk-nag reads every property, the deprecated ones included
	} {
		if err := os.Setenv(name, value); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
	}
	return m.Run()
}

// management is the management account of the settings of these tests.
const management = "666677778888"

// whole is settings that make everything there is to make.
func whole(tb testing.TB) *settings.Settings {
	tb.Helper()
	set := *grantstest.Settings(tb)
	set.ManagementAccount = management
	set.Hub.AlarmTopic = arn(tb, "arn:aws:sns:eu-west-1:"+grantstest.Hub+":oncall")
	set.Approvals.Approvers = []policy.ARN{
		arn(tb, "arn:aws:iam::"+grantstest.Source+":role/storage-owners"),
		arn(tb, "arn:aws:iam::"+grantstest.Target+":role/aws-reserved/sso.amazonaws.com/AWSReservedSSO_Storage_*"),
		arn(tb, "arn:aws:iam::"+grantstest.Hub+":role/oncall*"),
		arn(tb, "arn:aws:iam::*:role/anywhere"), // of every account, which is too many to let in
	}
	return &set
}

func arn(tb testing.TB, s string) policy.ARN {
	tb.Helper()
	a, err := policy.ParseARN(s)
	if err != nil {
		tb.Fatal(err)
	}
	return a
}

// template is one template as it was made.
type template struct {
	Account, Region string
	File            string
	Parameters      map[string]any
	Rules           map[string]any
	Outputs         map[string]any
	Resources       map[string]resource
}

type resource struct {
	Type                string
	Properties          map[string]any
	DeletionPolicy      string
	UpdateReplacePolicy string
	DependsOn           any
}

// assembly is what an app makes.
type assembly struct {
	templates map[string]template
	// nag is the rows of cdk-nag's reports: rule, resource, verdict, and the reason for an exception.
	nag [][]string
}

// one jsii process makes everything, and one thing at a time.
var node sync.Mutex

// synthesize makes everything of settings, with stubs for the functions' code, and has cdk-nag look at it.
func synthesize(tb testing.TB, set *settings.Settings) assembly {
	tb.Helper()
	node.Lock()
	defer node.Unlock()
	folder := tb.TempDir()
	app := awscdk.NewApp(&awscdk.AppProps{Outdir: jsii.String(folder), AnalyticsReporting: jsii.Bool(false)})
	stub := filepath.Join(tb.TempDir(), "stub.zip")
	if err := os.WriteFile(stub, nil, 0o600); err != nil {
		tb.Fatal(err)
	}
	err := build(app, set, func(grants.Function) (code, error) { return code{stub, strings.Repeat("0", 64)}, nil })
	if err != nil {
		tb.Fatal(err)
	}
	awscdk.Aspects_Of(app).Add(cdknag.NewAwsSolutionsChecks(nil), nil)
	app.Synth(nil)
	return load(tb, folder)
}

// load reads what is in the folder of an app.
func load(tb testing.TB, folder string) assembly {
	tb.Helper()
	var manifest struct {
		Artifacts map[string]struct {
			Type, Environment string
			Properties        struct{ TemplateFile string }
		}
	}
	decode(tb, filepath.Join(folder, "manifest.json"), &manifest)
	out := assembly{templates: map[string]template{}}
	for name, a := range manifest.Artifacts {
		if a.Type != "aws:cloudformation:stack" {
			continue
		}
		t := template{File: filepath.Join(folder, a.Properties.TemplateFile)}
		decode(tb, t.File, &t)
		place := strings.Split(strings.TrimPrefix(a.Environment, "aws://"), "/")
		t.Account, t.Region = place[0], place[1]
		out.templates[name] = t
	}
	reports, err := filepath.Glob(filepath.Join(folder, "AwsSolutions-*-NagReport.csv"))
	if err != nil {
		tb.Fatal(err)
	}
	for _, report := range reports {
		out.nag = append(out.nag, rows(tb, report)...)
	}
	return out
}

// rows is a file of CSV without its head.
func rows(tb testing.TB, file string) [][]string {
	tb.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		tb.Fatal(err)
	}
	out, err := csv.NewReader(bytes.NewReader(data)).ReadAll()
	if err != nil || len(out) == 0 {
		tb.Fatalf("%s: %d rows: %v", file, len(out), err)
	}
	return out[1:]
}

func decode(tb testing.TB, file string, into any) {
	tb.Helper()
	data, err := os.ReadFile(file)
	if err == nil {
		err = json.Unmarshal(data, into)
	}
	if err != nil {
		tb.Fatal(err)
	}
}

// shared is what most tests look at: made once.
func shared(t *testing.T) assembly {
	t.Helper()
	once.Do(func() {
		folder, err := os.MkdirTemp("", "replimend-infra-")
		if err != nil {
			t.Fatal(err)
		}
		made = synthesize(keeper{t, folder}, whole(t))
	})
	return made
}

var (
	once sync.Once
	made assembly
)

// keeper is a test whose folder outlives it.
type keeper struct {
	testing.TB
	folder string
}

func (k keeper) TempDir() string {
	dir, err := os.MkdirTemp(k.folder, "")
	if err != nil {
		k.Fatal(err)
	}
	return dir
}

// of is the resources of a type, by their logical ids.
func (t template) of(kind string) map[string]resource {
	out := map[string]resource{}
	for id, r := range t.Resources {
		if r.Type == kind {
			out[id] = r
		}
	}
	return out
}

// names is the names of templates in their order.
func (a assembly) names() []string { return slices.Sorted(maps.Keys(a.templates)) }

// resolved is a value in which what CloudFormation fills in is filled in: pseudo parameters, and references to what has a name.
func (t template) resolved(v any) any {
	switch v := v.(type) {
	case []any:
		out := make([]any, len(v))
		for i := range v {
			out[i] = t.resolved(v[i])
		}
		return out
	case map[string]any:
		if text, ok := v["Fn::Sub"].(string); ok {
			return strings.NewReplacer(anyAccount, t.Account, anyRegion, t.Region).Replace(text)
		}
		if id, ok := v["Ref"].(string); ok {
			return t.ref(id)
		}
		if get, ok := v["Fn::GetAtt"].([]any); ok {
			if get[1] == "FunctionUrl" {
				return "https://" + strings.ToLower(get[0].(string)) + ".lambda-url." + t.Region + ".on.aws/"
			}
			return t.arn(get[0].(string)).String()
		}
		out := map[string]any{}
		for name := range v {
			out[name] = t.resolved(v[name])
		}
		return out
	}
	return v
}

// text is a property that is a text.
func (t template) text(r resource, name string) string {
	s, _ := t.resolved(r.Properties[name]).(string)
	return s
}

// ref is what Ref gives for a resource, as far as it is needed here.
func (t template) ref(id string) string {
	r := t.Resources[id]
	switch r.Type {
	case "AWS::SQS::Queue":
		return "https://sqs." + t.Region + ".amazonaws.com/" + t.Account + "/" + t.text(r, "QueueName")
	case "AWS::SNS::Topic", "AWS::IAM::ManagedPolicy":
		return t.arn(id).String()
	case "AWS::DynamoDB::Table":
		return t.text(r, "TableName")
	case "AWS::Lambda::Function":
		return t.text(r, "FunctionName")
	case "AWS::S3::Bucket":
		return t.text(r, "BucketName")
	case "AWS::Events::EventBus":
		return t.text(r, "Name")
	case "AWS::Logs::LogGroup":
		return t.text(r, "LogGroupName")
	}
	return id
}

// arn is the ARN of a resource with a name.
func (t template) arn(id string) policy.ARN {
	r := t.Resources[id]
	a := policy.ARN{Partition: "aws", Region: t.Region, Account: t.Account}
	switch r.Type {
	case "AWS::SQS::Queue":
		a.Service, a.Resource = "sqs", t.text(r, "QueueName")
	case "AWS::SNS::Topic":
		a.Service, a.Resource = "sns", t.text(r, "TopicName")
	case "AWS::Lambda::Function":
		a.Service, a.Resource = "lambda", "function:"+t.text(r, "FunctionName")
	case "AWS::IAM::Role":
		a.Service, a.Region, a.Resource = "iam", "", "role"+t.text(r, "Path")+t.text(r, "RoleName")
	case "AWS::IAM::ManagedPolicy":
		a.Service, a.Region, a.Resource = "iam", "", "policy"+t.text(r, "Path")+t.text(r, "ManagedPolicyName")
	case "AWS::S3::Bucket":
		return policy.BucketARN("aws", t.text(r, "BucketName"))
	case "AWS::KMS::Key":
		return grantstest.SealKey
	case "AWS::Events::EventBus":
		a.Service, a.Resource = "events", "event-bus/"+t.text(r, "Name")
	}
	return a
}
