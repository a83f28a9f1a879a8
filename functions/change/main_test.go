package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/replimend/replimend/internal/incident"
	"github.com/replimend/replimend/internal/lambdatest"
	"github.com/replimend/replimend/internal/mototest"
)

func TestMain(m *testing.M) { mototest.Main(m) }

const (
	jane    = "user/jane"
	nobodys = "amzn-s3-demo-nobodys" // a bucket of an account that is no member
)

// world is three routes into one bucket, which share a role and the replicas' key, and are in order.
type world struct {
	*lambdatest.World
	t       *testing.T
	sources []string
	keyPuts atomic.Int32 // how often anybody wrote a key policy

	change, worker *lambdatest.Runtime
}

func newWorld(t *testing.T, settings string) *world {
	t.Helper()
	w := &world{t: t}
	w.World = lambdatest.NewWorld(t, func(rw http.ResponseWriter, r *http.Request) bool {
		if strings.Contains(r.Host+r.URL.Path, nobodys) { // moto lets everybody read everything
			rw.WriteHeader(http.StatusForbidden)
			return true
		}
		if r.Header.Get("X-Amz-Target") == "TrentService.PutKeyPolicy" {
			w.keyPuts.Add(1)
		}
		return false
	})
	w.sources = []string{w.Route.Source, w.More("orders"), w.More("letters")}
	var routes []string
	for n, source := range w.sources {
		routes = append(routes, w.Approved(fmt.Sprintf("route-%d", n), source))
	}
	w.Configure(w.Settings(routes...) + strings.NewReplacer("SOURCE", w.Route.SourceAccount, "DESTINATION", w.Route.DestinationAccount).Replace(settings))
	w.Put("replication", w.rolePolicy())
	w.Put("replicaKey", w.keyPolicy(true))
	w.keyPuts.Store(0)
	w.change, w.worker = w.Start("."), w.Start("../remedy")
	return w
}

// document is a policy document of statements that are allowed.
func document(statements ...string) string {
	return `{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", ` + strings.Join(statements, `}, {"Effect": "Allow", `) + `}]}`
}

// rolePolicy is all that S3 needs of the role.
func (w *world) rolePolicy() string {
	text := func(format string) string {
		var all []string
		for _, s := range w.sources {
			all = append(all, fmt.Sprintf(`"arn:aws:s3:::`+format+`"`, s))
		}
		return strings.Join(all, ", ")
	}
	return document(
		`"Action": ["s3:GetReplicationConfiguration", "s3:ListBucket"], "Resource": [`+text("%s")+`]`,
		`"Action": ["s3:GetObjectVersionForReplication", "s3:GetObjectVersionAcl", "s3:GetObjectVersionTagging"], "Resource": [`+text("%s/*")+`]`,
		`"Action": ["s3:ReplicateObject", "s3:ReplicateDelete", "s3:ReplicateTags"], "Resource": "arn:aws:s3:::`+w.Route.Destination+`/*"`,
		`"Action": "kms:Decrypt", "Resource": "`+w.Route.SourceKey+`"`,
		`"Action": ["kms:Encrypt", "kms:GenerateDataKey", "kms:Decrypt"], "Resource": "`+w.Route.ReplicaKey+`"`,
	)
}

// keyPolicy is that of the replicas' key, with or without the statement that the routes need.
func (w *world) keyPolicy(whole bool) string {
	root := `"Sid": "Root", "Principal": {"AWS": "arn:aws:iam::` + w.Route.DestinationAccount + `:root"}, "Action": "kms:*", "Resource": "*"`
	if !whole {
		return document(root)
	}
	return document(root, `"Sid": "Replicas", "Principal": {"AWS": "`+w.Route.Role+`"}, "Action": ["kms:Encrypt", "kms:GenerateDataKey"], "Resource": "*"`)
}

// record is what EventBridge delivers of a call, made a second ago. by is the caller without the beginning of an ARN of IAM.
// https://docs.aws.amazon.com/kms/latest/developerguide/ct-put-key-policy.html
func (w *world) record(event, by, account, parameters, more string) string {
	source, region := "s3", "us-east-1"
	if event == "PutKeyPolicy" {
		source, region = "kms", "eu-west-1"
	}
	at := time.Now().Add(-time.Second).UTC().Format(time.RFC3339)
	return fmt.Sprintf(`{"version": "0", "id": "7bf73129-1428-4cd3-a780-95db273d1602", "detail-type": "AWS API Call via CloudTrail", "source": "aws.%[1]s",
		"account": %[2]q, "time": %[3]q, "region": %[4]q, "resources": [], "detail": {
		"eventVersion": "1.11", "userIdentity": {"type": "IAMUser", "arn": "arn:aws:iam::%[2]s:%[5]s", "accountId": %[2]q},
		"eventTime": %[3]q, "eventSource": "%[1]s.amazonaws.com", "eventName": %[6]q, "awsRegion": %[4]q, "requestParameters": {%[7]s},
		"responseElements": null, "eventID": "0f3d9a53-6d9e-4b0b-8f0a-6a3b2d9f7c10", "readOnly": false%[8]s,
		"eventType": "AwsApiCall", "managementEvent": true, "recipientAccountId": %[2]q, "eventCategory": "Management"}}`,
		source, account, at, region, by, event, parameters, more)
}

// keyChange is the record of a change of the key policy.
func (w *world) keyChange(by, more string) string {
	_, id, _ := strings.Cut(w.Route.ReplicaKey, "key/")
	resources := fmt.Sprintf(`, "resources": [{"accountId": %q, "type": "AWS::KMS::Key", "ARN": %q}]`, w.Route.DestinationAccount, w.Route.ReplicaKey)
	return w.record("PutKeyPolicy", by, w.Route.DestinationAccount, `"keyId": "`+id+`", "policyName": "default", "policy": "{}"`, resources+more)
}

// breaks takes the statement out of the key policy.
func (w *world) breaks() {
	w.Put("replicaKey", w.keyPolicy(false))
	w.keyPuts.Store(0)
}

// take hands every message over, and has the worker look. What comes again at once is looked at again; a cure that waits for its proof
// would be looked at for ever, because nothing is held back here.
func (w *world) take(bodies ...string) {
	w.t.Helper()
	for _, body := range bodies {
		w.Send(w.Events, body)
	}
	w.Drain(w.Events, w.change)
	for range 3 {
		w.Pump(w.Work, w.worker)
	}
}

// notices is what people were told, each with its title and severity; it ends the worker.
func (w *world) notices() (all []struct{ Title, Severity, Diff string }, log string) {
	w.t.Helper()
	log = w.worker.Stop()
	for line := range strings.Lines(log) {
		var said struct {
			Msg    string
			Notice struct{ Title, Severity, Diff string }
		}
		if json.Unmarshal([]byte(line), &said) == nil && said.Msg == "notice" {
			all = append(all, said.Notice)
		}
	}
	return all, log
}

// TestChangeIsCuredBeforeAnythingFails: somebody takes from a key policy the statement that three routes live by. Records come twice, in
// the wrong order, beside others that mean nothing.
func TestChangeIsCuredBeforeAnythingFails(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "")
	w.take(w.keyChange(jane, ""), w.record("PutBucketPolicy", jane, w.Route.SourceAccount, `"bucketName": "`+w.sources[1]+`"`, ""))
	if all := w.Incidents(); len(all) != 0 {
		t.Fatalf("changes that harm nothing made incidents: %v", all)
	}

	w.breaks()
	broken := w.keyChange(jane, "")
	failedCall := w.keyChange("user/mallory", `, "errorCode": "AccessDenied"`)
	own := strings.Replace(w.keyChange("role/replimend/x", ""), `"userIdentity": {"type": "IAMUser", "arn": "arn:aws:iam::`+w.Route.DestinationAccount+`:role/replimend/x"`,
		`"userIdentity": {"type": "AssumedRole", "arn": "arn:aws:sts::`+w.Route.DestinationAccount+`:assumed-role/replimend-writer/inc-1",
		"sessionContext": {"sourceIdentity": "replimend", "sessionIssuer": {"arn": "arn:aws:iam::`+w.Route.DestinationAccount+`:role/replimend/replimend-writer"}}`, 1)
	w.take(failedCall, own)
	if n := w.keyPuts.Load(); n != 0 || len(w.Incidents()) != 0 {
		t.Errorf("a failed call and one of Replimend's own led to %d writes and %v", n, w.Incidents())
	}
	w.take(broken, `{"detail-type": 1}`, broken, failedCall, w.record("PutBucketVersioning", jane, w.Route.SourceAccount, `"bucketName": "`+w.sources[2]+`"`, ""), broken)

	if n := w.keyPuts.Load(); n != 1 {
		t.Errorf("the key policy was written %d times", n)
	}
	var documents struct {
		ReplicaKey struct{ Statement []struct{ Sid string } }
	}
	after := w.Documents()
	if err := json.Unmarshal([]byte(after), &documents); err != nil {
		t.Fatal(err)
	}
	if s := documents.ReplicaKey.Statement; len(s) != 2 || s[0].Sid != "Root" || !strings.HasPrefix(s[1].Sid, "Replimend") {
		t.Errorf("the key policy is %+v", s)
	}
	all := w.Incidents()
	if len(all) != 1 {
		t.Fatalf("%d incidents: the first look mended all three routes", len(all))
	}
	if i := all[0]; i.Outcome != incident.Applied || i.Breaking == nil || !strings.HasSuffix(i.Breaking.Principal, jane) || i.Breaking.Event != "PutKeyPolicy" || !i.Failures.Versions.IsZero() {
		t.Errorf("outcome %s, broken by %v: %v", i.Outcome, i.Breaking, i.Timeline)
	}

	w.take(broken, broken) // late
	if n, again := w.keyPuts.Load(), w.Incidents(); n != 1 || len(again) != 1 || again[0].Outcome != incident.Applied || w.Documents() != after {
		t.Errorf("late duplicates changed something: %d writes, %v", n, again)
	}
	var dead []string
	for _, m := range w.Receive(w.Dead) {
		dead = append(dead, aws.ToString(m.Body))
	}
	if !slices.Equal(dead, []string{`{"detail-type": 1}`}) {
		t.Errorf("dead are %q", dead)
	}
	if told, log := w.notices(); len(told) != 1 {
		t.Errorf("%d notices:\n%s", len(told), log)
	}
	log := w.change.Stop()
	for _, want := range []string{
		`"msg":"change","message_id":`, `"event":"PutKeyPolicy","by":"arn:aws:iam::` + w.Route.DestinationAccount + `:user/jane"`,
		`"routes":["route-0","route-1","route-2"],"own":false`, `"own":true`, `"msg":"ignored message"`, `"msg":"malformed message"`,
	} {
		if !strings.Contains(log, want) {
			t.Errorf("the log lacks %s:\n%s", want, log)
		}
	}
}

// TestProtectedChangeStays: what somebody protected took away is reported and not given back, whoever else is told of.
func TestProtectedChangeStays(t *testing.T) {
	t.Parallel()
	w := newWorld(t, `protected: ["arn:aws:iam::DESTINATION:user/security"]`+"\n")
	w.breaks()
	before := w.Documents()
	w.take(w.keyChange(jane, ""), w.keyChange("user/security", ""), w.keyChange(jane, ""))
	if w.Documents() != before {
		t.Errorf("the documents are\n%s", w.Documents())
	}
	all := w.Incidents()
	if len(all) != len(w.sources) {
		t.Errorf("%d incidents", len(all))
	}
	for _, i := range all {
		if i.Outcome != incident.Refused || i.Breaking == nil || !strings.HasSuffix(i.Breaking.Principal, "user/security") {
			t.Errorf("outcome %s, broken by %v", i.Outcome, i.Breaking)
		}
	}
}

// TestUnapprovedRuleIsTold: a rule that leads to a bucket of an account that is nobody's here, beside those that are approved.
func TestUnapprovedRuleIsTold(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "")
	before := w.Documents()
	client := s3.NewFromConfig(w.Config(w.Route.SourceAccount, "us-east-1"), func(o *s3.Options) { o.UsePathStyle = true })
	out, err := client.GetBucketReplication(t.Context(), &s3.GetBucketReplicationInput{Bucket: &w.Route.Source})
	if err != nil {
		t.Fatal(err)
	}
	config := out.ReplicationConfiguration
	config.Rules = append(config.Rules, types.ReplicationRule{
		ID: aws.String("backup"), Priority: aws.Int32(2), Status: types.ReplicationRuleStatusEnabled,
		Filter: &types.ReplicationRuleFilter{Prefix: aws.String("")}, DeleteMarkerReplication: &types.DeleteMarkerReplication{Status: "Disabled"},
		Destination: &types.Destination{Bucket: aws.String("arn:aws:s3:::amzn-s3-demo-elsewhere"), Account: aws.String("999999999999")},
	})
	put := func(c *types.ReplicationConfiguration) {
		t.Helper()
		if _, err := client.PutBucketReplication(t.Context(), &s3.PutBucketReplicationInput{Bucket: &w.Route.Source, ReplicationConfiguration: c}); err != nil {
			t.Fatal(err)
		}
	}
	put(config)
	made := w.record("PutBucketReplication", "user/mallory", w.Route.SourceAccount, `"bucketName": "`+w.Route.Source+`"`, "")
	stranger := w.record("PutBucketReplication", "user/eve", "999999999999", `"bucketName": "`+nobodys+`"`, "")
	w.take(made, made, stranger)
	w.take(made)
	i := w.Incident()
	if i.Outcome != incident.Refused || i.Route.Rule != "backup" || !slices.Equal(i.Causes, []string{"unapproved-route"}) ||
		i.Breaking == nil || !strings.HasSuffix(i.Breaking.Principal, "user/mallory") || i.Plan != "" || len(i.Changes) > 0 {
		t.Errorf("the incident is %+v", i)
	}
	if w.Documents() != before || w.keyPuts.Load() != 0 {
		t.Errorf("the documents are\n%s", w.Documents())
	}

	config.Rules = config.Rules[:1]
	put(config)
	w.take(made)
	if i := w.Incident(); i.Outcome != incident.Ignored {
		t.Errorf("after the rule was deleted: outcome %s", i.Outcome)
	}
	told, log := w.notices()
	if len(told) != 2 || told[0].Severity != "critical" || !strings.Contains(told[0].Title, "possible exfiltration") || told[0].Diff != "" || told[1].Severity != "info" {
		t.Errorf("told %+v", told)
	}
	for _, want := range []string{
		"user/mallory", "999999999999 (neither an account of the settings nor a member)", "replimend routes adopt " + w.Route.Source,
		`"msg":"not watched"`, "user/eve",
	} {
		if !strings.Contains(log, want) {
			t.Errorf("the log lacks %s:\n%s", want, log)
		}
	}
	if dead := w.Receive(w.Dead); len(dead) > 0 {
		t.Errorf("dead: %s", aws.ToString(dead[0].Body))
	}
}

// TestQueueDown: what could not be handed over comes again, and only that.
func TestQueueDown(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "")
	w.In.Refuse(true)
	batch := lambdatest.Batch(t, []lambdatest.Message{
		{ID: "key", Body: w.keyChange(jane, "")},
		{ID: "none of ours", Body: w.record("PutBucketPolicy", jane, w.Route.SourceAccount, `"bucketName": "amzn-s3-demo-other"`, "")},
		{ID: "event of S3", Body: w.Failed(w.Route.Key, w.Route.Version)},
	})
	if got := w.change.Failed(w.change.Invoke(batch)); !slices.Equal(got, []string{"event of S3", "key"}) {
		t.Errorf("%q come again", got)
	}
	w.In.Refuse(false)
	if got := w.change.Failed(w.change.Invoke(batch)); !slices.Equal(got, []string{"event of S3"}) {
		t.Errorf("%q come again", got)
	}
	if n := len(w.Receive(w.Work)); n != len(w.sources) {
		t.Errorf("the worker got %d messages", n)
	}
}

// TestConfiguration: all that is wrong is said at once. It needs no table.
func TestConfiguration(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "replimend.yaml")
	if err := os.WriteFile(file, []byte("version: 2\nroutes: 7\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	log := lambdatest.Start(t.Context(), t, lambdatest.Build(t, "."), "REPLIMEND_SETTINGS="+file).Ended()
	for _, want := range []string{"REPLIMEND_WORK_QUEUE: ", "replimend.yaml:1:", "replimend.yaml:2:"} {
		if !strings.Contains(log, want) {
			t.Errorf("the log lacks %q:\n%s", want, log)
		}
	}
	if strings.Contains(log, "REPLIMEND_TABLE") {
		t.Errorf("the log wants a table:\n%s", log)
	}
}
