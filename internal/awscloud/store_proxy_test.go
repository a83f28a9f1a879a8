package awscloud_test

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/replimend/replimend/internal/mototest"
)

// storeCall is one request as AWS would name it.
type storeCall struct {
	action string // such as iam:PutRolePolicy
	form   url.Values
	header http.Header
	body   string
	key    string // the access key that signed it
}

// storeProxy stands before moto, remembers calls and answers some of them.
type storeProxy struct {
	url  string
	base string // moto's

	mu       sync.Mutex
	calls    []storeCall
	sessions map[string]url.Values // the request by the access key that it gave
}

// newStoreProxy gives every call to answer, which says whether it has answered. Nil leaves all to moto.
func newStoreProxy(t *testing.T, answer func(w http.ResponseWriter, c storeCall) bool) *storeProxy {
	t.Helper()
	s := mototest.Start(t)
	p := &storeProxy{base: s.URL, sessions: map[string]url.Values{}}
	p.url = s.Proxy(t, func(w http.ResponseWriter, r *http.Request) bool {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return true
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		c := storeIdentify(r, string(body))
		p.mu.Lock()
		p.calls = append(p.calls, c)
		p.mu.Unlock()
		if answer != nil && answer(w, c) {
			return true
		}
		if c.action == "sts:AssumeRole" {
			p.assume(w, r, c)
			return true
		}
		return false
	})
	return p
}

func storeIdentify(r *http.Request, body string) storeCall {
	c := storeCall{header: r.Header, body: body}
	_, rest, _ := strings.Cut(r.Header.Get("Authorization"), "Credential=")
	c.key, _, _ = strings.Cut(rest, "/")
	target := r.Header.Get("X-Amz-Target")
	switch {
	case target != "":
		_, name, _ := strings.Cut(target, ".")
		c.action = "kms:" + name
	case r.Header.Get("Content-Type") == "application/x-www-form-urlencoded":
		c.form, _ = url.ParseQuery(body)
		c.action = "iam:" + c.form.Get("Action")
		if c.form.Get("Action") == "AssumeRole" {
			c.action = "sts:AssumeRole"
		}
	case r.URL.Path == "/policy/validation":
		c.action = "access-analyzer:ValidatePolicy"
	case r.URL.Path == "/policy/check-no-public-access":
		c.action = "access-analyzer:CheckNoPublicAccess"
	case r.URL.Query().Has("policy"):
		c.action = map[string]string{
			http.MethodGet: "s3:GetBucketPolicy", http.MethodPut: "s3:PutBucketPolicy", http.MethodDelete: "s3:DeleteBucketPolicy",
		}[r.Method]
	default:
		c.action = r.Method + " " + r.URL.Path
	}
	return c
}

// assume lets moto answer and keeps which session it gave.
func (p *storeProxy) assume(w http.ResponseWriter, r *http.Request, c storeCall) {
	to, err := http.NewRequestWithContext(r.Context(), r.Method, p.base+r.URL.String(), strings.NewReader(c.body))
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	to.Header = r.Header
	answer, err := http.DefaultTransport.RoundTrip(to)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	defer answer.Body.Close()
	text, _ := io.ReadAll(answer.Body)
	var out struct {
		Key string `xml:"AssumeRoleResult>Credentials>AccessKeyId"`
	}
	if err := xml.Unmarshal(text, &out); err == nil {
		p.mu.Lock()
		p.sessions[out.Key] = c.form
		p.mu.Unlock()
	}
	w.Header().Set("Content-Type", answer.Header.Get("Content-Type"))
	w.WriteHeader(answer.StatusCode)
	_, _ = w.Write(text)
}

// made is the calls of an action so far.
func (p *storeProxy) made(action string) []storeCall {
	p.mu.Lock()
	defer p.mu.Unlock()
	var out []storeCall
	for _, c := range p.calls {
		if c.action == action {
			out = append(out, c)
		}
	}
	return out
}

// session is the request that opened the session of a call.
func (p *storeProxy) session(c storeCall) url.Values {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.sessions[c.key]
}

// total is how many calls there were.
func (p *storeProxy) total() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.calls)
}

func storeIsWrite(action string) bool {
	_, name, _ := strings.Cut(action, ":")
	return strings.HasPrefix(name, "Put") || strings.HasPrefix(name, "Delete") || strings.HasPrefix(name, "Update")
}

// storeFail answers a call with an error in the form of its service.
func storeFail(w http.ResponseWriter, c storeCall, status int, code string) {
	switch service, _, _ := strings.Cut(c.action, ":"); service {
	case "kms", "access-analyzer":
		w.Header().Set("Content-Type", "application/x-amz-json-1.1")
		w.Header().Set("X-Amzn-ErrorType", code)
		w.WriteHeader(status)
		fmt.Fprintf(w, `{"__type": %q, "message": "as the test has it"}`, code)
	case "s3":
		w.WriteHeader(status)
		fmt.Fprintf(w, `<Error><Code>%s</Code><Message>as the test has it</Message></Error>`, code)
	default:
		w.WriteHeader(status)
		fmt.Fprintf(w, `<ErrorResponse><Error><Type>Sender</Type><Code>%s</Code><Message>as the test has it</Message></Error></ErrorResponse>`, code)
	}
}

// storeShow answers a reading with a document.
func storeShow(t *testing.T, w http.ResponseWriter, c storeCall, world *storeWorld, text string) {
	t.Helper()
	switch c.action {
	case "s3:GetBucketPolicy":
		fmt.Fprint(w, text)
	case "kms:GetKeyPolicy":
		w.Header().Set("Content-Type", "application/x-amz-json-1.1")
		_ = json.NewEncoder(w).Encode(map[string]string{"Policy": text})
	case "iam:GetRolePolicy":
		fmt.Fprintf(w, `<GetRolePolicyResponse><GetRolePolicyResult><RoleName>%s</RoleName><PolicyName>%s</PolicyName>`+
			`<PolicyDocument>%s</PolicyDocument></GetRolePolicyResult></GetRolePolicyResponse>`,
			world.roleName, c.form.Get("PolicyName"), url.PathEscape(text))
	case "iam:GetRole":
		fmt.Fprintf(w, `<GetRoleResponse><GetRoleResult><Role><Path>/service-role/</Path><RoleName>%s</RoleName><RoleId>AROAEXAMPLE</RoleId>`+
			`<Arn>%s</Arn><CreateDate>2026-11-22T12:00:00Z</CreateDate><AssumeRolePolicyDocument>%s</AssumeRolePolicyDocument>`+
			`</Role></GetRoleResult></GetRoleResponse>`, world.roleName, world.role, url.PathEscape(text))
	default:
		t.Errorf("a call that shows no document: %s", c.action)
	}
}
