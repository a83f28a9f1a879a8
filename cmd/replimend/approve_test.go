package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/signer/v4"

	"github.com/replimend/replimend/internal/incident"
)

const askedID = "inc-0123456789abcdef0123"

// answerer is the approval function as a person reaches it. It takes no request that is not signed for Lambda with the person's key.
type answerer struct {
	t      *testing.T
	asked  incident.Asked
	status int    // of the answer; 0 is 200
	body   string // of the answer, in place of what is taken
	posted []incident.Said
	faults []string
}

var (
	authorization = regexp.MustCompile(`^AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/[0-9]{8}/([a-z0-9-]+)/lambda/aws4_request, SignedHeaders=([a-z0-9;-]+), Signature=[0-9a-f]{64}$`)
	key           = aws.Credentials{AccessKeyID: "AKIDEXAMPLE", SecretAccessKey: "wJalrXUtnFEMI", SessionToken: "a-token"}
)

// signed signs the request anew as it came, and compares.
func signed(r *http.Request, body []byte) error {
	m := authorization.FindStringSubmatch(r.Header.Get("Authorization"))
	if m == nil {
		return fmt.Errorf("authorization %q", r.Header.Get("Authorization"))
	}
	if m[1] != "eu-west-1" {
		return fmt.Errorf("signed for Region %s", m[1])
	}
	at, err := time.Parse("20060102T150405Z", r.Header.Get("X-Amz-Date"))
	if err != nil {
		return err
	}
	again, err := http.NewRequest(r.Method, "http://"+r.Host+r.URL.String(), bytes.NewReader(body))
	if err != nil {
		return err
	}
	for _, name := range strings.Split(m[2], ";") {
		if v := r.Header.Get(name); v != "" {
			again.Header.Set(name, v)
		}
	}
	again.Header.Del("X-Amz-Date")
	sum := sha256.Sum256(body)
	if err := v4.NewSigner().SignHTTP(r.Context(), key, again, hex.EncodeToString(sum[:]), "lambda", "eu-west-1", at); err != nil {
		return err
	}
	if got, want := r.Header.Get("Authorization"), again.Header.Get("Authorization"); got != want {
		return fmt.Errorf("authorization %s, want %s", got, want)
	}
	return nil
}

func (a *answerer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	if err := signed(r, body); err != nil {
		a.faults = append(a.faults, err.Error())
		w.WriteHeader(http.StatusForbidden)
		_, _ = io.WriteString(w, `{"Message":"Forbidden"}`)
		return
	}
	if r.Method == http.MethodGet && r.URL.Path == "/incidents/"+askedID {
		_ = json.NewEncoder(w).Encode(a.asked)
		return
	}
	var said incident.Said
	if err := json.Unmarshal(body, &said); err != nil || r.URL.Path != "/incidents/"+askedID+"/answer" || r.Header.Get("Content-Type") != "application/json" {
		a.faults = append(a.faults, fmt.Sprintf("%s %s %s: %v", r.Method, r.URL, body, err))
	}
	a.posted = append(a.posted, said)
	if a.status == http.StatusTemporaryRedirect {
		w.Header().Set("Location", "/elsewhere") // which takes nothing
	}
	if a.status != 0 {
		w.WriteHeader(a.status)
	}
	if a.body != "" {
		_, _ = io.WriteString(w, a.body)
		return
	}
	_ = json.NewEncoder(w).Encode(incident.Taken{
		Incident: askedID, Plan: said.Plan, Answer: said.Answer, Approver: "arn:aws:iam::111122223333:user/jane", Expires: time.Date(2026, 11, 28, 16, 0, 0, 0, time.UTC),
		Missing: "one more person has to approve it",
	})
}

func inQuestion() incident.Asked {
	return incident.Asked{
		Incident: askedID, Route: incident.Route{Source: "invoices", Rule: "r1", Destination: "invoices-dr"}, Outcome: incident.AwaitingApproval,
		Causes:   []string{"role-lacks-source-decrypt"},
		Breaking: &incident.Call{Event: "PutKeyPolicy", Principal: "arn:aws:iam::111122223333:role/deploy", At: time.Date(2026, 11, 28, 3, 0, 0, 0, time.UTC)},
		Proposal: &incident.Proposal{
			Plan: "0123abcd", Diff: "--- a\n+++ b\n@@ -1 +1,2 @@\n {\n+  \"kms:Decrypt\"\x1b[2J\n", Reasons: []string{"mode: the route is in mode approve"}, People: 2,
			Approvers: []string{"arn:aws:iam::111122223333:user/ada"},
		},
		Expires: time.Date(2026, 11, 28, 16, 0, 0, 0, time.UTC),
	}
}

// answers runs a command against the function, with what a person types.
func (a *answerer) answers(typed string, args ...string) result {
	a.t.Helper()
	server := httptest.NewServer(a)
	defer server.Close()
	var out, errs strings.Builder
	p := &program{stdin: strings.NewReader(typed), stdout: &out, stderr: &errs, getenv: func(name string) string {
		if name == approvalVariable {
			return server.URL
		}
		return ""
	}}
	code := p.run(args)
	for _, fault := range a.faults {
		a.t.Error(fault)
	}
	return result{code, out.String(), errs.String()}
}

type result struct {
	code        int
	out, errors string
}

func person(t *testing.T) {
	t.Helper()
	for name, value := range map[string]string{
		"AWS_ACCESS_KEY_ID": key.AccessKeyID, "AWS_SECRET_ACCESS_KEY": key.SecretAccessKey, "AWS_SESSION_TOKEN": key.SessionToken, "AWS_REGION": "eu-west-1",
		"AWS_CONFIG_FILE": "/dev/null", "AWS_SHARED_CREDENTIALS_FILE": "/dev/null", "AWS_PROFILE": "", "AWS_ENDPOINT_URL": "", "NO_PROXY": "*",
	} {
		t.Setenv(name, value)
	}
}

// TestAnswers: what is asked is shown before somebody says yes, and the answer is for what was shown.
func TestAnswers(t *testing.T) {
	person(t)
	over := inQuestion()
	over.Outcome = incident.Resolved
	none := inQuestion()
	none.Proposal = nil
	other := inQuestion()
	other.Incident = "inc-ffffffffffffffffffff"
	written := inQuestion()
	written.Outcome, written.Proposal = incident.Applied, nil
	written.Standing = &incident.Standing{Plan: "4567abcd", Documents: []string{"key-policy of arn:aws:kms:eu-west-1:444455556666:key/k in account 444455556666"}}
	for name, tt := range map[string]struct {
		asked  incident.Asked
		status int
		body   string
		typed  string
		args   []string
		code   int
		posted []incident.Said
		want   []string // in what is printed
	}{
		"approved": {inQuestion(), 0, "", "yes\n", []string{"approve", askedID}, exitFine, []incident.Said{{Plan: "0123abcd", Answer: incident.Approve}}, []string{
			"invoices → invoices-dr (rule r1)", "role-lacks-source-decrypt", "PutKeyPolicy of arn:aws:iam::111122223333:role/deploy", "mode: the route is in mode approve",
			"2 people", "user/ada", `+  "kms:Decrypt"`, "approved as arn:aws:iam::111122223333:user/jane, until 2026-11-28T16:00:00Z", "one more person has to approve it",
		}},
		"approved unasked": {inQuestion(), 0, "", "", []string{"approve", askedID, "--yes"}, exitFine, []incident.Said{{Plan: "0123abcd", Answer: incident.Approve}}, nil},
		"rejected": {inQuestion(), 0, "", "yes\n", []string{"reject", askedID, "--reason", "on purpose"}, exitFine, []incident.Said{
			{Plan: "0123abcd", Answer: incident.Decline, Reason: "on purpose"},
		}, []string{"rejected as "}},
		"recalled": {written, 0, "", "yes\n", []string{"recall", askedID}, exitFine, []incident.Said{{Plan: "4567abcd", Answer: incident.Undo}}, []string{
			"key-policy of arn:aws:kms:eu-west-1:444455556666:key/k in", "told to take it back as arn:aws:iam::111122223333:user/jane",
		}},
		"nothing stands":           {inQuestion(), 0, "", "yes\n", []string{"recall", askedID}, exitBroken, nil, []string{"nothing that was written for this incident stands"}},
		"no":                       {inQuestion(), 0, "", "no\n", []string{"approve", askedID}, exitBroken, nil, []string{"nothing was sent"}},
		"y is not yes":             {inQuestion(), 0, "", "y\n", []string{"approve", askedID}, exitBroken, nil, []string{"nothing was sent"}},
		"nobody there":             {inQuestion(), 0, "", "", []string{"approve", askedID}, exitError, nil, []string{"--yes"}},
		"over":                     {over, 0, "", "yes\n", []string{"approve", askedID}, exitBroken, nil, []string{"nobody is asked"}},
		"nothing proposed":         {none, 0, "", "yes\n", []string{"approve", askedID}, exitBroken, nil, []string{"nobody is asked"}},
		"another incident":         {other, 0, "", "yes\n", []string{"approve", askedID}, exitBroken, nil, []string{"nobody is asked"}},
		"the plan changed":         {inQuestion(), 409, `{"error":{"code":"other-plan","message":"the plan is another one"}}`, "yes\n", []string{"approve", askedID}, exitBroken, []incident.Said{{Plan: "0123abcd", Answer: incident.Approve}}, []string{"the answer was not taken: the plan is another one"}},
		"not an approver":          {inQuestion(), 403, `{"error":{"code":"not-an-approver","message":"jane is\u001b[31m none"}}`, "yes\n", []string{"approve", askedID}, exitError, []incident.Said{{Plan: "0123abcd", Answer: incident.Approve}}, []string{"approvals.approvers"}},
		"refused before":           {inQuestion(), 403, `{"Message":"Forbidden"}`, "yes\n", []string{"approve", askedID}, exitError, []incident.Said{{Plan: "0123abcd", Answer: incident.Approve}}, []string{"lambda:InvokeFunctionUrl"}},
		"not the function":         {inQuestion(), 0, `<html>`, "yes\n", []string{"approve", askedID}, exitError, []incident.Said{{Plan: "0123abcd", Answer: incident.Approve}}, []string{"is not the approval function"}},
		"an answer without an end": {inQuestion(), 0, strings.Repeat(" ", maxAnswer) + "{}", "yes\n", []string{"approve", askedID}, exitError, []incident.Said{{Plan: "0123abcd", Answer: incident.Approve}}, []string{"is not the approval function"}},
		"elsewhere":                {inQuestion(), 307, ``, "yes\n", []string{"approve", askedID}, exitError, []incident.Said{{Plan: "0123abcd", Answer: incident.Approve}}, []string{"307 Temporary Redirect"}},
	} {
		t.Run(name, func(t *testing.T) {
			a := &answerer{t: t, asked: tt.asked, status: tt.status, body: tt.body}
			got := a.answers(tt.typed, tt.args...)
			if got.code != tt.code || fmt.Sprint(a.posted) != fmt.Sprint(tt.posted) {
				t.Errorf("exit code %d, want %d; posted %+v, want %+v\n%s%s", got.code, tt.code, a.posted, tt.posted, got.out, got.errors)
			}
			for _, want := range tt.want {
				if !strings.Contains(got.out+got.errors, want) {
					t.Errorf("it does not say %q:\n%s%s", want, got.out, got.errors)
				}
			}
			if strings.Contains(got.out+got.errors, "\x1b") || strings.Contains(got.out+got.errors, key.SecretAccessKey) {
				t.Errorf("it prints what it must not: %q%q", got.out, got.errors)
			}
		})
	}
}

// TestWhereAnswersGo: nothing is signed for an address that can be read on the way or is not that of a function.
func TestWhereAnswersGo(t *testing.T) {
	person(t)
	for address, want := range map[string]string{
		"": "no URL",
		"http://example.lambda-url.eu-west-1.on.aws": "is not https",
		"https://":                  "is not the URL",
		"https://jane@example.com":  "is not the URL",
		"https://example.com/path":  "is not the URL",
		"https://example.com?query": "is not the URL",
		"ftp://localhost":           "is not https",
		"://":                       "is not the URL",
	} {
		var out, errs strings.Builder
		p := &program{stdin: strings.NewReader(""), stdout: &out, stderr: &errs, getenv: func(string) string { return "" }}
		if code := p.run([]string{"approve", askedID, "--yes", "--url", address}); code != exitError || !strings.Contains(errs.String(), want) {
			t.Errorf("%q: exit code %d, %s", address, code, errs.String())
		}
	}
	for _, id := range []string{"inc-1", "../../x", askedID + "/answer"} {
		var out, errs strings.Builder
		p := &program{stdin: strings.NewReader(""), stdout: &out, stderr: &errs, getenv: func(string) string { return "" }}
		if code := p.run([]string{"reject", id, "--url", "https://example.com"}); code != exitError || !strings.Contains(errs.String(), "is not the ID of an incident") {
			t.Errorf("%q: exit code %d, %s", id, code, errs.String())
		}
	}
	var p program
	for host, want := range map[string]string{
		"https://x.lambda-url.ap-northeast-1.on.aws": "ap-northeast-1", "https://x.lambda-url.cn-north-1.on.amazonwebservices.com.cn": "cn-north-1", "https://example.com": "eu-west-1",
	} {
		d, err := p.desk(t.Context(), host, "")
		if err != nil || d.region != want {
			t.Errorf("%s: signed for %+v, %v", host, d, err)
		}
	}
}
