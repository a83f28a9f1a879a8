package lambdatest

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"io"
	"maps"
	"net/http"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/replimend/replimend/internal/grants"
	"github.com/replimend/replimend/internal/mototest"
	"github.com/replimend/replimend/internal/needs"
	"github.com/replimend/replimend/internal/policy"
	"github.com/replimend/replimend/internal/seal"
	"github.com/replimend/replimend/internal/settings"
)

// Calls is the actions that functions make of AWS, by who makes them: a function, or a role of a member that it assumed. Its Handle comes
// first before moto, which tells credentials apart and allows everything.
type Calls struct {
	moto *mototest.Server

	mu   sync.Mutex
	who  map[string]string          // by access key
	made map[string]map[string]bool // actions by who makes them
	odd  []string                   // requests that are no action that is known here
}

// NewCalls records what passes before a server. When the test is over, what was called is held against what is declared.
func NewCalls(t testing.TB, s *mototest.Server) *Calls {
	t.Helper()
	c := &Calls{moto: s, who: map[string]string{}, made: map[string]map[string]bool{}}
	t.Cleanup(func() { c.keep(t) })
	return c
}

// Start runs the function in a folder of functions, in a cloud and with credentials that nobody else has.
func (c *Calls) Start(in *Cloud, dir string, env ...string) *Runtime {
	in.t.Helper()
	folder, err := filepath.Abs(dir)
	if err != nil {
		in.t.Fatal(err)
	}
	id, secret, token := c.moto.Credentials(in.t, in.Account)
	c.mu.Lock()
	c.who[id] = "replimend-" + filepath.Base(folder)
	c.mu.Unlock()
	all := slices.Concat(in.Env, []string{"AWS_ACCESS_KEY_ID=" + id, "AWS_SECRET_ACCESS_KEY=" + secret, "AWS_SESSION_TOKEN=" + token}, env)
	return Start(in.t.Context(), in.t, Build(in.t, dir), all...)
}

// Handle records a request of a function. It answers only where one assumes a role: whose the new credentials are is in the answer.
func (c *Calls) Handle(w http.ResponseWriter, r *http.Request) bool {
	// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
	_, scope, _ := strings.Cut(r.Header.Get("Authorization"), "Credential=")
	scope, _, _ = strings.Cut(scope, ",")
	parts := strings.Split(scope, "/")
	c.mu.Lock()
	who, ours := c.who[parts[0]]
	c.mu.Unlock()
	if !ours || len(parts) != 5 {
		return false
	}
	body, err := io.ReadAll(r.Body)
	r.Body = io.NopCloser(bytes.NewReader(body))
	if err != nil {
		return false
	}
	actions := actionsOf(parts[3], r, body)
	c.mu.Lock()
	if c.made[who] == nil {
		c.made[who] = map[string]bool{}
	}
	for _, action := range actions {
		c.made[who][action] = true
	}
	if len(actions) == 0 {
		c.odd = append(c.odd, who+" "+r.Method+" "+parts[3]+" "+r.URL.RequestURI())
	}
	c.mu.Unlock()
	if slices.Contains(actions, "sts:AssumeRole") {
		c.assume(w, r, body)
		return true
	}
	return false
}

// assume asks moto in the stead of a function, and keeps whose the credentials are.
func (c *Calls) assume(w http.ResponseWriter, r *http.Request, body []byte) {
	fail := func(err error) { http.Error(w, err.Error(), http.StatusBadGateway) }
	request, err := http.NewRequestWithContext(r.Context(), r.Method, c.moto.URL+r.URL.RequestURI(), bytes.NewReader(body))
	if err != nil {
		fail(err)
		return
	}
	request.Header = r.Header.Clone()
	response, err := mototest.Client().Do(request)
	if err != nil {
		fail(err)
		return
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		fail(err)
		return
	}
	var answer struct {
		ID string `xml:"AssumeRoleResult>Credentials>AccessKeyId"`
	}
	form, _ := url.ParseQuery(string(body))
	_, role, ok := strings.Cut(form.Get("RoleArn"), ":role/replimend/")
	if xml.Unmarshal(text, &answer) == nil && ok {
		c.mu.Lock()
		c.who[answer.ID] = role
		c.mu.Unlock()
	}
	maps.Copy(w.Header(), response.Header)
	w.WriteHeader(response.StatusCode)
	_, _ = w.Write(text)
}

// actionsOf is the actions that a request takes; none where it is not known here.
func actionsOf(service string, r *http.Request, body []byte) []string {
	if target := r.Header.Get("X-Amz-Target"); target != "" {
		name := target[strings.LastIndex(target, ".")+1:]
		if name != "TransactWriteItems" {
			return []string{service + ":" + name}
		}
		var in struct {
			TransactItems []map[string]json.RawMessage
		}
		var out []string
		_ = json.Unmarshal(body, &in) // what is not understood is no action
		for _, item := range in.TransactItems {
			for part := range item {
				out = append(out, "dynamodb:"+part+"Item")
			}
		}
		return out
	}
	switch service {
	case "iam", "sns", "sts":
		form, _ := url.ParseQuery(string(body))
		out := []string{service + ":" + form.Get("Action")}
		if form.Has("SourceIdentity") {
			out = append(out, "sts:SetSourceIdentity")
		}
		return out
	case "access-analyzer":
		return analyzer[r.Method+" "+r.URL.Path]
	case "s3":
		return s3Actions(r)
	}
	return nil
}

// https://docs.aws.amazon.com/access-analyzer/latest/APIReference/API_Operations.html
var analyzer = map[string][]string{
	"POST /policy/validation": {"access-analyzer:ValidatePolicy"}, "POST /policy/check-no-public-access": {"access-analyzer:CheckNoPublicAccess"},
}

// ofBuckets is the actions of requests for a part of a bucket.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-with-s3-policy-actions.html
var ofBuckets = map[string]string{
	"GET encryption": "GetEncryptionConfiguration", "GET notification": "GetBucketNotification", "GET ownershipControls": "GetBucketOwnershipControls",
	"GET policy": "GetBucketPolicy", "GET replication": "GetReplicationConfiguration", "GET requestPayment": "GetBucketRequestPayment",
	"GET tagging": "GetBucketTagging", "GET versioning": "GetBucketVersioning", "GET object-lock": "GetBucketObjectLockConfiguration",
	"GET publicAccessBlock": "GetBucketPublicAccessBlock", "GET versions": "ListBucketVersions", "PUT policy": "PutBucketPolicy",
	"DELETE policy": "DeleteBucketPolicy", "GET list-type": "ListBucket",
}

func s3Actions(r *http.Request) []string {
	query := r.URL.Query()
	if path, ok := strings.CutPrefix(r.URL.Path, "/v20180820/jobs"); ok {
		switch {
		case r.Method == http.MethodPost && path == "":
			return []string{"s3:CreateJob", "iam:PassRole"}
		case r.Method == http.MethodGet && path == "":
			return []string{"s3:ListJobs"}
		case r.Method == http.MethodGet:
			return []string{"s3:DescribeJob"}
		}
		return nil
	}
	bucket, key, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	versioned := ""
	if query.Has("versionId") {
		versioned = "Version"
	}
	switch {
	case bucket == "" && r.Method == http.MethodGet:
		return []string{"s3:ListAllMyBuckets"}
	case key == "" && r.Method == http.MethodHead:
		return []string{"s3:ListBucket"}
	case key == "":
		for part := range query {
			if action, ok := ofBuckets[r.Method+" "+part]; ok {
				return []string{"s3:" + action}
			}
		}
	case query.Has("tagging") && r.Method == http.MethodGet:
		return []string{"s3:GetObject" + versioned + "Tagging"}
	case r.Method == http.MethodHead, r.Method == http.MethodGet:
		return []string{"s3:GetObject" + versioned}
	case r.Method == http.MethodDelete:
		return []string{"s3:DeleteObject" + versioned}
	case r.Method == http.MethodPut && r.Header.Get("X-Amz-Tagging") != "":
		return []string{"s3:PutObject", "s3:PutObjectTagging"}
	case r.Method == http.MethodPut:
		return []string{"s3:PutObject"}
	}
	return nil
}

// keep holds what was called against what is declared: nobody makes a call that nobody granted.
func (c *Calls) keep(t testing.TB) {
	t.Helper()
	declared := declarations()
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, request := range c.odd {
		t.Errorf("nobody knows which action this is: %s", request)
	}
	for _, who := range slices.Sorted(maps.Keys(c.made)) {
		for _, action := range slices.Sorted(maps.Keys(c.made[who])) {
			// Of a bucket that belongs to no member a function asks with its own credentials. Its role refuses that, and what is refused
			// is not known. https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html needs no permission.
			asks := slices.Contains(grants.AssumedBy(settings.Reader), grants.Function(who)) && declared[string(settings.Reader)][action]
			if !declared[who][action] && !asks {
				t.Errorf("%s calls %s, which is not declared", who, action)
			}
		}
	}
}

// All says that a function, or a role of members, called everything that it may, but for actions that the test gives no cause for. Lambda
// itself logs and reads queues.
func (c *Calls) All(t testing.TB, who string, but ...string) {
	t.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	for action := range declarations()[who] {
		service, name, _ := strings.Cut(action, ":")
		if service == "logs" || service == "sqs" && name != "SendMessage" {
			continue
		}
		if !c.made[who][action] && !slices.Contains(but, action) {
			t.Errorf("%s may call %s and does not: it calls %v", who, action, slices.Sorted(maps.Keys(c.made[who])))
		}
	}
}

// declarations is which actions functions and roles of members declare.
func declarations() map[string]map[string]bool {
	out := map[string]map[string]bool{}
	declare := func(who string, actions ...string) {
		if out[who] == nil {
			out[who] = map[string]bool{}
		}
		for _, action := range actions {
			out[who][action] = true
		}
	}
	targets := []settings.Target{
		{Tool: settings.Slack, Secret: policy.ARN{Partition: "aws", Service: "secretsmanager", Region: "us-east-1", Account: "111122223333", Resource: "secret:a"}},
		{Tool: settings.Email, Topic: policy.ARN{Partition: "aws", Service: "sns", Region: "us-east-1", Account: "111122223333", Resource: "a"}},
	}
	people := settings.Approvals{
		Approvers: []policy.ARN{{}}, Page: settings.Page{Secret: targets[0].Secret, ClientSecret: targets[0].Secret},
		Slack: settings.SlackApp{Secret: targets[0].Secret},
	}
	for _, n := range needs.Hub(grants.HubNames{Partition: "aws", Account: "111122223333", Region: "us-east-1"}, targets, people) {
		declare(string(n.Function), n.Actions...)
	}
	// Of the key's policy.
	declare(string(grants.Approval), seal.SealNeeds()...)
	declare(string(grants.Page), seal.SealNeeds()...)
	declare(string(grants.Slack), seal.SealNeeds()...)
	declare(string(grants.Remedy), seal.VerifyNeeds()...)
	for _, n := range needs.Member() {
		declare(string(n.Role), n.Action)
		for _, f := range grants.AssumedBy(n.Role) {
			declare(string(f), "sts:AssumeRole", "sts:SetSourceIdentity")
		}
	}
	return out
}
