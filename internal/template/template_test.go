package template_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"github.com/replimend/replimend/internal/policy"
	"github.com/replimend/replimend/internal/snapshot"
	"github.com/replimend/replimend/internal/template"
)

func parse(t *testing.T, text string, o template.Options) *template.Result {
	t.Helper()
	r, err := template.Parse([]template.File{{Label: "t.yaml", Data: []byte(text), Account: "111122223333", Region: "us-east-1"}}, o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// TestFunctions works out the name of a bucket in every way that CloudFormation has. "" wants it not resolved.
func TestFunctions(t *testing.T) {
	t.Parallel()
	for expression, want := range map[string]string{
		`plain`:                            "plain",
		`!Ref Word`:                        "word",
		`!Ref AWS::AccountId`:              "111122223333",
		`{Ref: 'AWS::Region'}`:             "us-east-1",
		`!Sub a-${AWS::Partition}-${Word}`: "a-aws-word",
		`!Sub ["a-${x}-${Word}", {x: !Ref Other}]`:       "a-other-word",
		`!Sub a-${!Word}`:                                "a-${Word}",
		`!Sub a-${Topic.TopicName}`:                      "",
		`!Sub a-${Missing}`:                              "",
		`!Sub a-${Word`:                                  "",
		`!Join ['-', [a, !Ref Word, !Ref AWS::NoValue]]`: "a-word",
		`!Join ['-', !Ref Words]`:                        "one-two",
		`!Join ['-', !Ref Word]`:                         "",
		`!Select [1, !Ref Words]`:                        "two",
		`!Select ["0", !Split [".", a.b]]`:               "a",
		`!Select [2, !Ref Words]`:                        "",
		`!Select [-1, !Ref Words]`:                       "",
		`!If [Yes, a, b]`:                                "a",
		`!If [No, a, b]`:                                 "b",
		`!If [Nobody, a, b]`:                             "",
		`!If [Open, a, b]`:                               "",
		`!If [YesOrOpen, a, b]`:                          "a",
		`!If [NoAndOpen, a, b]`:                          "b",
		`!If [Circle, a, b]`:                             "",
		`!FindInMap [Map, !Ref "AWS::Region", x]`:        "mapped",
		`!FindInMap [Map, us-east-1, y]`:                 "",
		`!FindInMap [Map, z, y, {DefaultValue: d}]`:      "d",
		`!ImportValue given`:                             "imported",
		`!ImportValue missing`:                           "",
		`'{{resolve:ssm:/name}}'`:                        "",
		`!Ref Late`:                                      "",
		`!Ref FromSSM`:                                   "",
		`!Ref AWS::StackName`:                            "",
		`!GetAtt Bucket.Arn`:                             "",
		`!Base64 x`:                                      "",
		`!Select [5, !Split [":", !GetAtt Key.Arn]]`:     "key/",
		`!Ref NotMade`:                                   "",
	} {
		r := parse(t, `
Parameters:
  Word: {Type: String, Default: word}
  Other: {Type: String, Default: no}
  Words: {Type: CommaDelimitedList, Default: "one, two"}
  Late: {Type: String}
  FromSSM: {Type: 'AWS::SSM::Parameter::Value<String>', Default: /name}
Mappings: {Map: {us-east-1: {x: mapped}}}
Conditions:
  Yes: !Equals [!Ref Word, word]
  No: !Not [Condition: Yes]
  Open: !Equals [!Ref Late, x]
  YesOrOpen: !Or [!Condition Open, !Condition Yes]
  NoAndOpen: !And [!Condition Open, !Condition No]
  Circle: !Not [!Condition Circle]
Resources:
  Key: {Type: 'AWS::KMS::Key'}
  Topic: {Type: 'AWS::SNS::Topic'}
  NotMade: {Type: 'AWS::S3::Bucket', Condition: No}
  Bucket:
    Type: AWS::S3::Bucket
    Properties:
      BucketName: `+expression+"\n", template.Options{
			Parameters: map[string]string{"Other": "other"}, Imports: map[string]string{"given": "imported"},
		})
		got := ""
		for name := range r.Snapshot.Buckets {
			got = name
		}
		if strings.HasPrefix(want, "key/") && strings.HasPrefix(got, "key/") {
			continue // the id is a stand-in
		}
		if got != want {
			t.Errorf("%s gives %q, want %q; notes %v", expression, got, want, r.Notes)
		}
		if want == "" && (len(r.Notes) == 0 || !r.Notes[0].Incomplete || r.Notes[0].Address != "Bucket") {
			t.Errorf("%s: no note says that the bucket is not judged: %v", expression, r.Notes)
		}
	}
}

// TestNothingIsGuessed checks that what is not resolved is missing, and never absent or empty.
func TestNothingIsGuessed(t *testing.T) {
	t.Parallel()
	r := parse(t, `
Parameters: {P: {Type: String}}
Resources:
  B:
    Type: AWS::S3::Bucket
    Properties:
      BucketName: b
      VersioningConfiguration: {Status: !Ref P}
      BucketEncryption: {ServerSideEncryptionConfiguration: [{ServerSideEncryptionByDefault: {SSEAlgorithm: 'aws:kms', KMSMasterKeyID: !Ref P}}]}
      ReplicationConfiguration: {Role: !Ref P, Rules: []}
      OwnershipControls: {Rules: [{ObjectOwnership: !Ref P}]}
      ObjectLockEnabled: !Ref P
      NotificationConfiguration: !Ref P
      PublicAccessBlockConfiguration: {BlockPublicAcls: !Ref P}
  BP: {Type: 'AWS::S3::BucketPolicy', Properties: {Bucket: b, PolicyDocument: {Statement: [{Effect: !Ref P}]}}}
  R:
    Type: AWS::IAM::Role
    Properties:
      RoleName: r
      AssumeRolePolicyDocument: !Ref P
      ManagedPolicyArns: ['arn:aws:iam::aws:policy/AWSLambdaExecute']
      PermissionsBoundary: !Ref P
  X: {Type: 'AWS::IAM::Policy', Properties: {PolicyName: x, Roles: [!Ref P], PolicyDocument: {Version: 2012-10-17, Statement: []}}}
  K: {Type: 'AWS::KMS::Key', Properties: {KeyPolicy: !Ref P, Enabled: !Ref P}}
`, template.Options{})
	b := r.Snapshot.Buckets["b"].V
	role := r.Snapshot.Roles[policy.ARN{Partition: "aws", Service: "iam", Account: "111122223333", Resource: "role/r"}].V
	for what, state := range map[string]snapshot.State{
		"versioning": b.Versioning.State, "encryption": b.Encryption.State, "replication": b.Replication.State, "ownership": b.Ownership.State,
		"object lock": b.ObjectLock.State, "notifications": b.Notifications.State, "public access": b.PublicAccessBlock.State, "bucket policy": b.Policy.State,
		"trust": role.Trust.State, "attached": role.Attached.State, "boundary": role.Boundary.State, "inline": role.Inline.State,
	} {
		if state != snapshot.Missing {
			t.Errorf("%s has state %d, want missing", what, state)
		}
	}
	for arn, k := range r.Snapshot.Keys {
		if k.V.Policy.State != snapshot.Missing || k.V.State != "" {
			t.Errorf("key %s: %+v, want neither policy nor state", arn, k.V)
		}
	}
	if len(r.Notes) < 13 {
		t.Errorf("%d notes, want one of each: %v", len(r.Notes), r.Notes)
	}
}

// TestErrors checks that what cannot be read says where.
func TestErrors(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"":                                       "1:1: the file is empty",
		"[1]":                                    "want an object",
		"a: 1":                                   "neither a CloudFormation template",
		`{"format_version": "2.0"}`:              `1:20: format_version: version "2.0" is not read`,
		`{"format_version": "1.2"}`:              "neither planned_values nor values",
		"Resources:\n  A: &x {}\n  B: *x":        "2:6: anchors, aliases",
		"Resources:\n  A: {}\n  A: {}":           "3:3: Resources.A: the name stands twice",
		"Resources:\n  A:\n    B: [":             "3:8: sequence end token",
		"Resources:\n  Fn::ForEach::X: [a, b]":   "makes resources when it is deployed",
		"Resources: {}\n---\nResources: {}":      "a second document",
		"Resources: {A: !!binary aGk=}":          "the tag",
		"Resources: " + strings.Repeat("[", 100): "nested deeper",
		"Resources: {A: {Type: AWS::S3::Bucket, Properties: {BucketName: b}}, B: {Type: AWS::S3::Bucket, Properties: {BucketName: b}}}": "makes bucket b, which A, t.yaml:1 makes, too",
	} {
		r, err := template.Parse([]template.File{{Label: "t.yaml", Data: []byte(text)}}, template.Options{})
		if err == nil || r != nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.60q gives %v, want an error with %q", text, err, want)
		}
	}
}

// TestHomeIsAssumedOnlyWhereItCannotMatter checks that a file which names accounts or Regions must say where it is deployed.
func TestHomeIsAssumedOnlyWhereItCannotMatter(t *testing.T) {
	t.Parallel()
	const head = "Resources: {A: {Type: AWS::S3::Bucket, Properties: {BucketName: "
	for text, missing := range map[string]string{
		"a": "", "arn:aws:iam::444455556666:root": "account", "444455556666": "account", "s3.eu-west-1.amazonaws.com": "Region",
		"eu-west-1-logs": "Region", "my-east-1-logs": "",
	} {
		f := template.File{Label: "t.yaml", Data: []byte(head + "'" + text + "'}}}")}
		_, err := template.Parse([]template.File{f}, template.Options{})
		var place *template.PlaceError
		if missing == "" && err != nil || missing != "" && (!errors.As(err, &place) || place.Missing != missing) {
			t.Errorf("%s gives %v, want %q to be asked for", text, err, missing)
		}
		f.Account, f.Region = "111122223333", "us-east-1"
		if _, err := template.Parse([]template.File{f}, template.Options{}); err != nil {
			t.Errorf("%s in an account and Region gives %v", text, err)
		}
	}
}

// TestStandInsAreOfAWSForm checks names that have to be made up for logical ids of any form.
func TestStandInsAreOfAWSForm(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("Long", 60)
	for _, id := range []string{"A", "Source-Bucket", long, "ソース", "1"} {
		r := parse(t, `{"Resources": {"`+id+`": {"Type": "AWS::S3::Bucket"}, "`+id+`R": {"Type": "AWS::IAM::Role"},
			"`+id+`K": {"Type": "AWS::KMS::Key", "Properties": {"MultiRegion": "true"}}}}`, template.Options{})
		for name := range r.Snapshot.Buckets {
			if len(name) < 3 || len(name) > 63 || strings.Trim(name, "abcdefghijklmnopqrstuvwxyz0123456789-") != "" || name[0] == '-' {
				t.Errorf("bucket %q", name)
			}
			if !r.Origins[name].StandIn || r.Origins[name].Address != id {
				t.Errorf("bucket %q stands for %+v", name, r.Origins[name])
			}
		}
		for arn := range r.Snapshot.Roles {
			if len(arn.Name()) > 64 {
				t.Errorf("role %q", arn)
			}
		}
		for arn := range r.Snapshot.Keys {
			if len(arn.Name()) != 36 || !strings.HasPrefix(arn.Name(), "mrk-") {
				t.Errorf("key %q", arn)
			}
		}
	}
}

// TestSameTextSameWorld checks that JSON and YAML of a template give one world, whatever folder they lie in.
func TestSameTextSameWorld(t *testing.T) {
	t.Parallel()
	one := parse(t, "Resources:\n  A:\n    Type: AWS::S3::Bucket\n    Properties:\n      Tags: [{Key: n, Value: 012}]\n", template.Options{})
	two, err := template.Parse([]template.File{{
		Label: "dir/t.yaml", Account: "111122223333", Region: "us-east-1",
		Data: []byte(`{"Resources": {"A": {"Type": "AWS::S3::Bucket", "Properties": {"Tags": [{"Key": "n", "Value": "012"}]}}}}`),
	}}, template.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(one.Snapshot.Indent(), two.Snapshot.Indent()); diff != "" {
		t.Error(diff)
	}
}

// TestFunctionsCannotGrowWithoutBound gives templates whose functions multiply what they are given.
func TestFunctionsCannotGrowWithoutBound(t *testing.T) {
	t.Parallel()
	text := "x"
	for range 14 {
		text = `{"Fn::Sub": ["${a}${a}${a}${a}", {"a": ` + quoted(text) + `}]}`
	}
	r := parse(t, `{"Resources": {"B": {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": `+text+`}}}}`, template.Options{})
	if len(r.Notes) != 1 || !strings.Contains(r.Notes[0].Text, "longer than") {
		t.Errorf("notes %v", r.Notes)
	}
}

func quoted(s string) string {
	if strings.HasPrefix(s, "{") {
		return s
	}
	return `"` + s + `"`
}

// FuzzParse wants no panic, nothing beside an error, and Snapshots that read again as they were printed.
func FuzzParse(f *testing.F) {
	cases, err := filepath.Glob("../../cmd/replimend/testdata/check/*.txtar")
	if err != nil || len(cases) == 0 {
		f.Fatalf("no seeds: %v", err)
	}
	for _, path := range cases {
		data, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		for _, file := range txtar.Parse(data).Files {
			if file.Name != "args" && file.Name != "want" {
				f.Add(file.Data, "111122223333", "us-east-1")
			}
		}
	}
	f.Add([]byte("Resources:\n  B: {Type: 'AWS::S3::Bucket', Properties: {BucketName: !Sub ['${a}', {a: !Ref P}]}}"), "", "")
	f.Fuzz(func(t *testing.T, data []byte, account, region string) {
		r, err := template.Parse([]template.File{{Label: "t", Data: data, Account: account, Region: region}}, template.Options{})
		if err != nil {
			if r != nil {
				t.Fatalf("a result beside the error %v", err)
			}
			return
		}
		for _, s := range []*snapshot.Snapshot{r.Snapshot, r.AtBest} {
			if s == nil {
				continue
			}
			text, err := s.MarshalJSON()
			if err != nil {
				t.Fatal(err)
			}
			again, err := snapshot.Parse(text)
			if err != nil {
				t.Fatalf("%v in %s", err, text)
			}
			if diff := cmp.Diff(s.Indent(), again.Indent()); diff != "" {
				t.Fatal(diff)
			}
		}
		for _, n := range r.Notes {
			if n.Text == "" || n.File == "" {
				t.Fatalf("note %+v", n)
			}
		}
	})
}
