package main

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"html"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/replimend/replimend/internal/grants"
	"github.com/replimend/replimend/internal/incident"
	"github.com/replimend/replimend/internal/lambdatest"
	"github.com/replimend/replimend/internal/link"
	"github.com/replimend/replimend/internal/mototest"
	"github.com/replimend/replimend/internal/oidctest"
	"github.com/replimend/replimend/internal/settings"
)

func TestMain(m *testing.M) { mototest.Main(m) }

const (
	jane   = "arn:aws:sts::111122223333:assumed-role/AWSReservedSSO_Approvers_1234567890abcdef/jane@example.com"
	words  = "the secret of the page has 32 characters, and more"
	domain = "abcdefghijklmnopqrstuvwxyz012345.lambda-url.us-east-1.on.aws"
)

// world is the compiled function in an office, and a provider.
type world struct {
	*lambdatest.Office
	t        *testing.T
	provider *oidctest.Provider
	page     *lambdatest.Runtime
	cookies  map[string]string
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{Office: lambdatest.NewOffice(t), t: t, cookies: map[string]string{}}
	w.provider = oidctest.New(t, "replimend", "the client's secret")
	w.provider.URL = "https://example.com"
	config := fmt.Appendf(nil, `version: 1
routes: []
approvals:
  approvers: ["arn:aws:iam::111122223333:role/aws-reserved/sso.amazonaws.com/AWSReservedSSO_Approvers_*"]
  people: [{arn: %q, subject: "00u1-jane"}]
  page: {secret: %q, issuer: "https://example.com", client: replimend, clientSecret: %q}
`, jane, w.Secret("page", words), w.Secret("client", w.provider.ClientSecret))
	file := filepath.Join(t.TempDir(), "replimend.yaml")
	if err := os.WriteFile(file, config, 0o600); err != nil {
		t.Fatal(err)
	}
	w.Env = append(w.Env, "REPLIMEND_SETTINGS="+file)
	w.Env = append(w.Env, lambdatest.Internet(t, "example.com", w.provider.Config.Handler)...)
	w.page = w.Calls.Start(w.Cloud, ".")
	return w
}

// call is a browser's request as Lambda gives it to the function.
func (w *world) call(method, at string, fields url.Values) events.LambdaFunctionURLResponse {
	w.t.Helper()
	path, query, _ := strings.Cut(at, "?")
	e := events.LambdaFunctionURLRequest{
		Version: "2.0", RawPath: path, RawQueryString: query, Headers: map[string]string{"host": "evil.example", "sec-fetch-site": "same-origin"},
		RequestContext: events.LambdaFunctionURLRequestContext{
			DomainName: domain, HTTP: events.LambdaFunctionURLRequestContextHTTPDescription{Method: method, Path: path, SourceIP: "203.0.113.1"},
			// Whoever invokes the function past its URL can write this.
			Authorizer: &events.LambdaFunctionURLRequestContextAuthorizerDescription{
				IAM: &events.LambdaFunctionURLRequestContextAuthorizerIAMDescription{UserARN: jane},
			},
		},
	}
	for name, value := range w.cookies {
		e.Cookies = append(e.Cookies, name+"="+value)
	}
	if fields != nil {
		e.Headers["content-type"] = "application/x-www-form-urlencoded"
		e.Body, e.IsBase64Encoded = base64.StdEncoding.EncodeToString([]byte(fields.Encode())), true
	}
	text, err := json.Marshal(e)
	if err != nil {
		w.t.Fatal(err)
	}
	got := w.page.Invoke(text)
	var out events.LambdaFunctionURLResponse
	if got.Kind != "response" || json.Unmarshal([]byte(got.Body), &out) != nil {
		w.t.Fatalf("%s %s: %v; log:\n%s", method, at, got, w.page.Stop())
	}
	if !strings.Contains(out.Headers["content-security-policy"], "default-src 'none'") {
		w.t.Errorf("%s %s: %v", method, at, out.Headers)
	}
	for _, line := range out.Cookies {
		c, err := http.ParseSetCookie(line)
		if err != nil || !c.Secure || !c.HttpOnly {
			w.t.Errorf("cookie %s: %v", line, err)
			continue
		}
		if w.cookies[c.Name] = c.Value; c.MaxAge < 0 {
			delete(w.cookies, c.Name)
		}
	}
	return out
}

// TestThePage from the link of a message to what the worker reads, by the compiled function: a code declines, and who signs in approves.
func TestThePage(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s, err := link.ParseSecret(words)
	if err != nil {
		t.Fatal(err)
	}
	l := link.New(w.ID, lambdatest.Plan, settings.English, link.Nonce{1}, time.Now())
	token, err := s.Token(l)
	if err != nil {
		t.Fatal(err)
	}
	incidentPath := "/incidents/" + w.ID
	for _, at := range []string{"/", "/incidents", incidentPath, incidentPath + "?t=x"} {
		if got := w.call("GET", at, nil); got.StatusCode != http.StatusForbidden || strings.Contains(got.Body, "payroll") {
			t.Errorf("%s: %d %s", at, got.StatusCode, got.Body)
		}
	}
	if got := w.call("GET", incidentPath+"?t="+token, nil); got.StatusCode != http.StatusOK || strings.Contains(got.Body, "111122223333") {
		t.Errorf("by the link: %d %s", got.StatusCode, got.Body)
	}
	if got := w.call("HEAD", incidentPath+"?t="+token, nil); got.StatusCode != http.StatusOK || got.Body != "" {
		t.Errorf("HEAD: %d %s", got.StatusCode, got.Body)
	}
	answers := func() []string { return slices.Sorted(slices.Values(w.Kept())) }
	if got := answers(); len(got) > 0 {
		t.Errorf("looking answers: %q", got)
	}

	decline := url.Values{"decision": {"decline"}, "plan": {lambdatest.Plan}, "token": {token}, "code": {"0000-0000"}}
	if got := w.call("POST", incidentPath+"/decide", decline); got.StatusCode != http.StatusForbidden {
		t.Errorf("a wrong code: %d %s", got.StatusCode, got.Body)
	}
	decline.Set("code", s.Code(l))
	for n, status := range []int{http.StatusOK, http.StatusConflict} {
		if got := w.call("POST", incidentPath+"/decide", decline); got.StatusCode != status {
			t.Errorf("decline, %d: %d %s", n, got.StatusCode, got.Body)
		}
	}
	silence := url.Values{"decision": {"silence"}, "plan": {lambdatest.Plan}, "token": {token}, "code": {s.Code(l)}, "hours": {"8"}}
	if got := w.call("POST", incidentPath+"/decide", silence); got.StatusCode != http.StatusOK {
		t.Errorf("silence: %d %s", got.StatusCode, got.Body)
	}
	if got, want := answers(), []string{"decline by " + incident.ByCode}; !slices.Equal(got, want) {
		t.Errorf("kept %q, want %q", got, want)
	}
	if silent, err := w.Table.Silences(t.Context()); err != nil || len(silent) != 1 || silent[0].Cause != "role-lacks-replicate" {
		t.Errorf("silenced %v, %v", silent, err)
	}
	if n := len(w.Receive(w.Work)); n != 2 {
		t.Errorf("the worker is told %d times", n)
	}

	w.provider.As("00u1-jane")
	got := w.call("GET", "/sign-in?to="+w.ID, nil)
	client := *w.provider.Client()
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	at := strings.Replace(got.Headers["location"], w.provider.URL, "https://"+w.provider.Listener.Addr().String(), 1)
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, at, nil)
	if err != nil {
		t.Fatal(err)
	}
	back, err := client.Do(r)
	if err != nil {
		t.Fatalf("sign in: %d %v, %v; log:\n%s", got.StatusCode, got.Headers, err, w.page.Stop())
	}
	if err := back.Body.Close(); err != nil {
		t.Fatal(err)
	}
	path, ok := strings.CutPrefix(back.Header.Get("Location"), "https://"+domain)
	if !ok {
		t.Fatalf("the provider sends people to %s", back.Header.Get("Location"))
	}
	if got := w.call("GET", path, nil); got.StatusCode != http.StatusSeeOther || got.Headers["location"] != incidentPath {
		t.Fatalf("callback: %d %v; log:\n%s", got.StatusCode, got.Headers, w.page.Stop())
	}
	if got := w.call("GET", "/", nil); got.StatusCode != http.StatusOK {
		t.Errorf("the list: %d %s", got.StatusCode, got.Body)
	}
	whole := w.call("GET", incidentPath, nil)
	form := regexp.MustCompile(`name="?csrf"? value="([^"]+)"`).FindStringSubmatch(whole.Body)
	if whole.StatusCode != http.StatusOK || form == nil {
		t.Fatalf("signed in: %d %s", whole.StatusCode, whole.Body)
	}
	approve := url.Values{"decision": {"approve"}, "plan": {lambdatest.Plan}, "csrf": {html.UnescapeString(form[1])}}
	for n, status := range []int{http.StatusOK, http.StatusConflict} {
		if got := w.call("POST", incidentPath+"/decide", approve); got.StatusCode != status {
			t.Errorf("approve, %d: %d %s", n, got.StatusCode, got.Body)
		}
	}
	if got, want := answers(), []string{"approve by " + jane, "decline by " + incident.ByCode}; !slices.Equal(got, want) {
		t.Errorf("kept %q, want %q", got, want)
	}
	if n := len(w.Receive(w.Work)); n != 1 {
		t.Errorf("the worker is told %d times", n)
	}
	log := w.page.Stop()
	for _, secret := range []string{token, s.Code(l), w.provider.ClientSecret, words, form[1]} {
		if strings.Contains(log, secret) {
			t.Errorf("the log has %q", secret)
		}
	}
	// Secrets Manager uses keys in the function's stead, and nothing was written for the incident yet.
	w.Calls.All(t, string(grants.Page), "kms:Decrypt", "dynamodb:BatchGetItem")
}

// TestConfiguration: all that is wrong is said at once, and without a page there is none.
func TestConfiguration(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "replimend.yaml")
	if err := os.WriteFile(file, []byte("version: 1\nroutes: []\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	log := lambdatest.Start(t.Context(), t, lambdatest.Build(t, "."), "REPLIMEND_TABLE=-", "REPLIMEND_SETTINGS="+file).Ended()
	for _, want := range []string{"REPLIMEND_TABLE: ", "REPLIMEND_APPROVALS: ", "REPLIMEND_WORK_QUEUE: ", "approvals has no page"} {
		if !strings.Contains(log, want) {
			t.Errorf("the log lacks %q:\n%s", want, log)
		}
	}
}
