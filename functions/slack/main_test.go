package main

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	kmstypes "github.com/aws/aws-sdk-go-v2/service/kms/types"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"github.com/replimend/replimend/internal/choice"
	"github.com/replimend/replimend/internal/grants"
	"github.com/replimend/replimend/internal/incident"
	"github.com/replimend/replimend/internal/journal"
	"github.com/replimend/replimend/internal/lambdatest"
	"github.com/replimend/replimend/internal/mototest"
	"github.com/replimend/replimend/internal/seal"
)

func TestMain(m *testing.M) { mototest.Main(m) }

const (
	jane    = "arn:aws:sts::111122223333:assumed-role/AWSReservedSSO_Approvers_1234567890abcdef/jane@example.com"
	plan    = "sha256:3f9a1c0d5b7e2486a1f0c3d2e4b5968778695a4b3c2d1e0f9a8b7c6d5e4f3021"
	signing = "8f742231b10e8888abcd99yyyzzz85a5"
	hook    = "https://hooks.slack.com/actions/T0123ABCD/1/abcdefgh"
)

// call is what Slack sends, as Lambda gives it to the function.
func call(t *testing.T, r *lambdatest.Runtime, payload any, with string) int {
	t.Helper()
	text, err := json.Marshal(payload)
	if err != nil {
		t.Fatal(err)
	}
	body, stamp := url.Values{"payload": {string(text)}}.Encode(), strconv.FormatInt(time.Now().Unix(), 10)
	mac := hmac.New(sha256.New, []byte(with))
	mac.Write([]byte("v0:" + stamp + ":" + body))
	event, err := json.Marshal(events.LambdaFunctionURLRequest{
		Version: "2.0", RawPath: "/", Body: base64.StdEncoding.EncodeToString([]byte(body)), IsBase64Encoded: true,
		Headers: map[string]string{
			"content-type": "application/x-www-form-urlencoded", "x-slack-request-timestamp": stamp, "x-slack-signature": "v0=" + hex.EncodeToString(mac.Sum(nil)),
		},
		RequestContext: events.LambdaFunctionURLRequestContext{
			DomainName: "abcdefghijklmnopqrstuvwxyz012345.lambda-url.us-east-1.on.aws", HTTP: events.LambdaFunctionURLRequestContextHTTPDescription{Method: "POST"},
			// Whoever invokes the function past its URL can write this.
			Authorizer: &events.LambdaFunctionURLRequestContextAuthorizerDescription{
				IAM: &events.LambdaFunctionURLRequestContextAuthorizerIAMDescription{UserARN: jane},
			},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	got := r.Invoke(event)
	var out events.LambdaFunctionURLResponse
	if got.Kind != "response" || json.Unmarshal([]byte(got.Body), &out) != nil {
		t.Fatalf("%v; log:\n%s", got, r.Stop())
	}
	return out.StatusCode
}

// TestAButtonInSlack from what Slack signs to what the worker reads, by the compiled function.
func TestAButtonInSlack(t *testing.T) {
	t.Parallel()
	s := mototest.Start(t)
	calls := lambdatest.NewCalls(t, s)
	cloud := lambdatest.NewCloud(t, s, s.Proxy(t, calls.Handle))
	cfg := s.Config(t, cloud.Account, "us-east-1")
	keys := kms.NewFromConfig(cfg)
	key, err := keys.CreateKey(t.Context(), &kms.CreateKeyInput{KeySpec: kmstypes.KeySpecHmac256, KeyUsage: kmstypes.KeyUsageTypeGenerateVerifyMac})
	if err != nil {
		t.Fatal(err)
	}
	sealer := seal.KMS{Client: keys, Key: aws.ToString(key.KeyMetadata.Arn)}
	answers := &journal.Approvals{
		Kept: &journal.ApprovalTable{Client: dynamodb.NewFromConfig(cfg), Name: "approvals", Now: time.Now}, Sealer: sealer, Now: time.Now,
	}
	secret, err := secretsmanager.NewFromConfig(cfg).CreateSecret(t.Context(), &secretsmanager.CreateSecretInput{
		Name: aws.String("signing"), SecretString: aws.String(signing),
	})
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "replimend.yaml")
	if err := os.WriteFile(file, fmt.Appendf(nil, `version: 1
routes: []
approvals:
  approvers: ["arn:aws:iam::111122223333:role/aws-reserved/sso.amazonaws.com/AWSReservedSSO_Approvers_*"]
  people: [{arn: %q, slack: U0JANE}]
  slack: {secret: %q, team: T0123ABCD}
`, jane, aws.ToString(secret.ARN)), 0o600); err != nil {
		t.Fatal(err)
	}
	// Slack is not reached from here: that it is not undoes nothing.
	cloud.Env = append(cloud.Env, "REPLIMEND_SETTINGS="+file, "REPLIMEND_SEAL_KEY="+sealer.Key, "HTTPS_PROXY=http://127.0.0.1:1", "NO_PROXY=127.0.0.1")
	now := time.Now()
	route := incident.Route{Source: "payroll-source", Rule: "everything", Destination: "payroll-replicas"}
	i := incident.Incident{ID: incident.ID(route, now), Route: route, Outcome: incident.Open, Opened: now}
	i.Failures.Add(incident.Object{Key: "passport.pdf", VersionID: "v1"}, now)
	if i, err = cloud.Table.Open(t.Context(), i); err != nil {
		t.Fatal(err)
	}
	i.Plan, i.Causes = plan, []string{"role-lacks-replicate"}
	i.Become(incident.AwaitingApproval, now, "nobody answered yet")
	i.Proposal = incident.NewProposal(plan, now, "+ a statement", []string{"mode: approve"}, 1)
	if i, err = cloud.Table.Record(t.Context(), i); err != nil {
		t.Fatal(err)
	}
	r := calls.Start(cloud, ".")
	press := func(user string, c choice.Choice, with string) int {
		t.Helper()
		action := map[string]any{"action_id": c.Action(), "value": c.Value()}
		if c.Answer == incident.NoAnswer {
			action = map[string]any{"action_id": c.Action(), "selected_option": map[string]any{"value": c.Value()}}
		}
		return call(t, r, map[string]any{
			"type": "block_actions", "team": map[string]any{"id": "T0123ABCD"}, "user": map[string]any{"id": user}, "channel": map[string]any{"id": "C0"},
			"response_url": hook, "message": map[string]any{"text": "broken", "blocks": []any{}}, "actions": []any{action},
		}, with)
	}
	approve := choice.Choice{Incident: i.ID, Answer: incident.Approve, Plan: plan}
	if forged, stranger := press("U0JANE", approve, "a secret that nobody gave us"), press("U0MALLORY", approve, signing); forged != http.StatusUnauthorized ||
		stranger != http.StatusOK {
		t.Errorf("forged: %d; a stranger, who is told: %d", forged, stranger)
	}
	if all, err := answers.Answers(t.Context(), i); err != nil || len(all) > 0 {
		t.Fatalf("kept %+v, %v", all, err)
	}
	silence := choice.Choice{Incident: i.ID, Lasts: 8 * time.Hour}
	if a, b := press("U0JANE", approve, signing), press("U0JANE", silence, signing); a != http.StatusOK || b != http.StatusOK {
		t.Errorf("approve %d, silence %d; log:\n%s", a, b, r.Stop())
	}
	all, err := answers.Answers(t.Context(), i)
	if err != nil || len(all) != 1 || all[0].Answer != incident.Approve || all[0].Approver != jane {
		t.Errorf("kept %+v, %v", all, err)
	}
	if silent, err := cloud.Table.Silences(t.Context()); err != nil || len(silent) != 1 || silent[0].Cause != "role-lacks-replicate" || silent[0].Owner != jane {
		t.Errorf("silenced %v, %v", silent, err)
	}
	if n := len(cloud.Receive(cloud.Work)); n != 2 {
		t.Errorf("the worker is told %d times", n)
	}
	log := r.Stop()
	if strings.Contains(log, signing) || strings.Contains(log, "abcdefgh\"") || !strings.Contains(log, "not answered") {
		t.Errorf("the log is\n%s", log)
	}
	// Secrets Manager uses keys in the function's stead, and nothing was written for the incident yet.
	calls.All(t, string(grants.Slack), "kms:Decrypt", "dynamodb:BatchGetItem")
}

// TestConfiguration: all that is wrong is said at once, and without an app of Slack there are no buttons.
func TestConfiguration(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "replimend.yaml")
	if err := os.WriteFile(file, []byte("version: 1\nroutes: []\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	log := lambdatest.Start(t.Context(), t, lambdatest.Build(t, "."), "REPLIMEND_TABLE=-", "REPLIMEND_SETTINGS="+file).Ended()
	for _, want := range []string{"REPLIMEND_TABLE: ", "REPLIMEND_APPROVALS: ", "REPLIMEND_WORK_QUEUE: ", "approvals has no slack"} {
		if !strings.Contains(log, want) {
			t.Errorf("the log lacks %q:\n%s", want, log)
		}
	}
}
