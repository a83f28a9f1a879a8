package main

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/replimend/replimend/internal/choice"
	"github.com/replimend/replimend/internal/grants"
	"github.com/replimend/replimend/internal/incident"
	"github.com/replimend/replimend/internal/lambdatest"
	"github.com/replimend/replimend/internal/mototest"
)

func TestMain(m *testing.M) { mototest.Main(m) }

const (
	jane    = "arn:aws:sts::111122223333:assumed-role/AWSReservedSSO_Approvers_1234567890abcdef/jane@example.com"
	signing = "8f742231b10e8888abcd99yyyzzz85a5"
	token   = "aTokenThatSpeaks"
)

// world is the compiled function in an office, and Slack, which takes what is said to it.
type world struct {
	*lambdatest.Office
	t     *testing.T
	slack *lambdatest.Runtime
	said  chan string // what Slack was told
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{Office: lambdatest.NewOffice(t), t: t, said: make(chan string, 16)}
	config := fmt.Appendf(nil, `version: 1
routes: []
approvals:
  approvers: ["arn:aws:iam::111122223333:role/aws-reserved/sso.amazonaws.com/AWSReservedSSO_Approvers_*"]
  people: [{arn: %q, slack: U0JANE}]
  slack: {secret: %q, team: T0123ABCD}
`, jane, w.Secret("slack", "a secret that is not used yet\n"+signing))
	file := filepath.Join(t.TempDir(), "replimend.yaml")
	if err := os.WriteFile(file, config, 0o600); err != nil {
		t.Fatal(err)
	}
	w.Env = append(w.Env, "REPLIMEND_SETTINGS="+file)
	w.Env = append(w.Env, lambdatest.Internet(t, "hooks.slack.com", http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil || r.URL.Path != "/actions/T0123ABCD/1/"+token {
			t.Errorf("Slack is asked for %s: %v", r.URL, err)
		}
		w.said <- string(body)
		_, _ = rw.Write([]byte("ok"))
	}))...)
	w.slack = w.Calls.Start(w.Cloud, ".")
	return w
}

// event is a press of jane's as Lambda gives it to the function, signed with a secret.
func (w *world) event(c choice.Choice, secret string) []byte {
	w.t.Helper()
	c.Incident = w.ID
	payload, err := json.Marshal(map[string]any{
		"type": "block_actions", "team": map[string]any{"id": "T0123ABCD"}, "user": map[string]any{"id": "U0JANE", "team_id": "T0123ABCD"},
		"channel": map[string]any{"id": "C0123ABCD"}, "response_url": "https://hooks.slack.com/actions/T0123ABCD/1/" + token,
		"message": map[string]any{"text": "経路が壊れています", "blocks": []any{map[string]any{"type": "actions"}}},
		"actions": []any{map[string]any{"action_id": c.Action(), "value": c.Value()}},
	})
	if err != nil {
		w.t.Fatal(err)
	}
	body := url.Values{"payload": {string(payload)}}.Encode()
	timestamp := strconv.FormatInt(time.Now().Unix(), 10)
	mac := hmac.New(sha256.New, []byte(secret))
	fmt.Fprintf(mac, "v0:%s:%s", timestamp, body)
	text, err := json.Marshal(events.LambdaFunctionURLRequest{
		Version: "2.0", RawPath: "/", Body: base64.StdEncoding.EncodeToString([]byte(body)), IsBase64Encoded: true,
		Headers: map[string]string{
			"content-type": "application/x-www-form-urlencoded", "x-slack-request-timestamp": timestamp,
			"x-slack-signature": "v0=" + hex.EncodeToString(mac.Sum(nil)),
		},
		RequestContext: events.LambdaFunctionURLRequestContext{
			DomainName: "abcdefghijklmnopqrstuvwxyz012345.lambda-url.us-east-1.on.aws",
			HTTP:       events.LambdaFunctionURLRequestContextHTTPDescription{Method: http.MethodPost, Path: "/", SourceIP: "203.0.113.1"},
			// Whoever invokes the function past its URL can write this.
			Authorizer: &events.LambdaFunctionURLRequestContextAuthorizerDescription{
				IAM: &events.LambdaFunctionURLRequestContextAuthorizerIAMDescription{UserARN: jane},
			},
		},
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return text
}

// send gives the function an event, and says which status Slack sees.
func (w *world) send(event []byte) int {
	w.t.Helper()
	got := w.slack.Invoke(event)
	var out events.LambdaFunctionURLResponse
	if got.Kind != "response" || json.Unmarshal([]byte(got.Body), &out) != nil || out.Body != "" {
		w.t.Fatalf("%v; log:\n%s", got, w.slack.Stop())
	}
	return out.StatusCode
}

// TestSlack from a press to what the worker reads and the channel sees, by the compiled function.
func TestSlack(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	approve := choice.Choice{Answer: incident.Approve, Plan: lambdatest.Plan}
	if status := w.send(w.event(approve, "a secret of somebody else's")); status != http.StatusUnauthorized || len(w.Kept()) > 0 {
		t.Errorf("forged: status %d, kept %q", status, w.Kept())
	}
	pressed := w.event(approve, signing)
	for range 2 { // the second is a replay
		if status := w.send(pressed); status != http.StatusOK {
			t.Errorf("approve: status %d", status)
		}
	}
	if got, want := w.Kept(), []string{"approve by " + jane}; !slices.Equal(got, want) {
		t.Errorf("kept %q, want %q", got, want)
	}
	if status := w.send(w.event(choice.Choice{Lasts: 8 * time.Hour}, signing)); status != http.StatusOK {
		t.Errorf("silence: status %d", status)
	}
	if silent, err := w.Table.Silences(t.Context()); err != nil || len(silent) != 1 || silent[0].Cause != "role-lacks-replicate" || silent[0].Owner != jane {
		t.Errorf("silenced %v, %v", silent, err)
	}
	if status := w.send(w.event(choice.Choice{Answer: incident.Undo, Plan: lambdatest.Plan}, signing)); status != http.StatusOK {
		t.Errorf("undo: status %d", status)
	}
	if n := len(w.Receive(w.Work)); n != 2 {
		t.Errorf("the worker is told %d times, want 2", n)
	}
	log := w.slack.Stop()
	close(w.said)
	var said []string
	for s := range w.said {
		said = append(said, s)
	}
	wants := []string{"approved plan `3f9a1c0d5b7e`", "silenced the causes", "There is nothing to undo"}
	if len(said) != len(wants) {
		t.Fatalf("Slack is told %q; log:\n%s", said, log)
	}
	for n, want := range wants {
		if !strings.Contains(said[n], want) || n < 2 != strings.Contains(said[n], `"text":"経路が壊れています"`) {
			t.Errorf("Slack is told %s, want %s", said[n], want)
		}
	}
	for _, hidden := range []string{signing, token, "v0="} {
		if strings.Contains(log, hidden) {
			t.Errorf("the log has %q:\n%s", hidden, log)
		}
	}
	// Secrets Manager uses keys in the function's stead, nothing was written for the incident yet, and nobody gave a later answer.
	w.Calls.All(t, string(grants.Slack), "kms:Decrypt", "dynamodb:BatchGetItem")
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
