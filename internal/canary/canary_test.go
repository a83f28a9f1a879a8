package canary_test

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/replimend/replimend/internal/awserr"
	"github.com/replimend/replimend/internal/canary"
	"github.com/replimend/replimend/internal/incident"
	"github.com/replimend/replimend/internal/mototest"
	"github.com/replimend/replimend/internal/policy"
	"github.com/replimend/replimend/internal/preflight"
	"github.com/replimend/replimend/internal/settings"
)

func TestMain(m *testing.M) { mototest.Main(m) }

const id = "inc-0123456789abcdef0123"

// world is a bucket in each of two accounts, and what S3 was asked.
type world struct {
	t        *testing.T
	approved settings.ApprovedRoute
	clients  map[string]*s3.Client // by account
	writer   *canary.Writer
	c        incident.Canary
	marked   map[string]string // the metadata of what put writes

	mu       sync.Mutex
	asked    []string                                          // method, path and query of each request
	headers  []http.Header                                     // of each
	handle   func(w http.ResponseWriter, r *http.Request) bool // before moto; nil: nothing
	policies map[string]string                                 // the session policies, by account
}

func newWorld(t *testing.T) *world {
	t.Helper()
	s := mototest.Start(t)
	w := &world{t: t, clients: map[string]*s3.Client{}, policies: map[string]string{}}
	w.approved = settings.ApprovedRoute{
		Name: "ledger", Mode: settings.Automatic,
		Source:      settings.Bucket{Bucket: s.Name(t, "source"), Account: s.Account(), Region: "us-east-1"},
		Destination: settings.Bucket{Bucket: s.Name(t, "destination"), Account: s.Account(), Region: "eu-west-1"},
		Rule:        settings.Rule{ID: "r1", Prefix: "ledger/"}, Allow: settings.Allow{Canary: true},
	}
	address := s.Proxy(t, func(rw http.ResponseWriter, r *http.Request) bool {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.asked = append(w.asked, r.Method+" "+r.URL.RequestURI())
		w.headers = append(w.headers, r.Header.Clone())
		return w.handle != nil && w.handle(rw, r)
	})
	for _, b := range []settings.Bucket{w.approved.Source, w.approved.Destination} {
		client := s3.NewFromConfig(s.Config(t, b.Account, b.Region), func(o *s3.Options) { o.UsePathStyle = true })
		w.clients[b.Account] = client
		in := &s3.CreateBucketInput{Bucket: aws.String(b.Bucket)}
		if b.Region != "us-east-1" {
			in.CreateBucketConfiguration = &types.CreateBucketConfiguration{LocationConstraint: types.BucketLocationConstraint(b.Region)}
		}
		if _, err := client.CreateBucket(t.Context(), in); err != nil {
			t.Fatal(err)
		}
		if _, err := client.PutBucketVersioning(t.Context(), &s3.PutBucketVersioningInput{
			Bucket: in.Bucket, VersioningConfiguration: &types.VersioningConfiguration{Status: types.BucketVersioningStatusEnabled},
		}); err != nil {
			t.Fatal(err)
		}
	}
	w.writer = canary.New(canary.Options{
		Config: func(account, region, incident, policy string) (aws.Config, error) {
			if incident != id {
				return aws.Config{}, errors.New("the session is not named after the incident")
			}
			w.mu.Lock()
			defer w.mu.Unlock()
			w.policies[account] = policy
			cfg := s.ConfigAt(t, address, account, region)
			cfg.RetryMaxAttempts = 1
			return cfg, nil
		},
		Approved: func(r incident.Route) (settings.ApprovedRoute, bool) {
			return w.approved, r.Source == w.approved.Source.Bucket && r.Rule == "r1" && r.Destination == w.approved.Destination.Bucket
		},
	})
	w.c = incident.Canary{
		Incident: id, Route: incident.Route{Source: w.approved.Source.Bucket, Rule: "r1", Destination: w.approved.Destination.Bucket},
		Account: w.approved.Source.Account, Region: "us-east-1", Key: "ledger/replimend-canary/" + id,
	}
	return w
}

// versions is the versions of a bucket, delete markers included, as "key id".
func (w *world) versions(b settings.Bucket) []string {
	w.t.Helper()
	out, err := w.clients[b.Account].ListObjectVersions(w.t.Context(), &s3.ListObjectVersionsInput{Bucket: aws.String(b.Bucket)})
	if err != nil {
		w.t.Fatal(err)
	}
	var all []string
	for _, v := range out.Versions {
		all = append(all, *v.Key+" "+*v.VersionId)
	}
	for _, m := range out.DeleteMarkers {
		all = append(all, "marker "+*m.Key)
	}
	return all
}

func (w *world) put(b settings.Bucket, key string) string {
	w.t.Helper()
	out, err := w.clients[b.Account].PutObject(w.t.Context(), &s3.PutObjectInput{
		Bucket: aws.String(b.Bucket), Key: aws.String(key), Body: strings.NewReader(key), Metadata: w.marked,
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return *out.VersionId
}

func (w *world) write() string {
	w.t.Helper()
	version, err := w.writer.Write(w.t.Context(), w.c)
	if err != nil || version == "" {
		w.t.Fatalf("version %q, %v", version, err)
	}
	return version
}

// before is what comes before moto.
func (w *world) before(handle func(http.ResponseWriter, *http.Request) bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.handle = handle
}

// TestWrittenOnce: asked again, also by a worker that does not know the version, it gives the one that it wrote.
func TestWrittenOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.put(w.approved.Source, w.c.Key+"/longer")
	first := w.write()
	if again := w.write(); again != first {
		t.Errorf("version %q, and then %q", first, again)
	}
	if got := w.versions(w.approved.Source); len(got) != 2 {
		t.Errorf("the bucket has %v", got)
	}
	out, err := w.clients[w.c.Account].GetObject(t.Context(), &s3.GetObjectInput{Bucket: aws.String(w.c.Route.Source), Key: aws.String(w.c.Key)})
	if err != nil {
		t.Fatal(err)
	}
	text, _ := io.ReadAll(out.Body)
	if !strings.Contains(string(text), id) || !strings.Contains(string(text), "Replimend") || len(text) > 500 {
		t.Errorf("it says %q", text)
	}
	for i, h := range w.headers {
		if h.Get("X-Amz-Expected-Bucket-Owner") != w.c.Account {
			t.Errorf("%s is for whoever owns the bucket", w.asked[i])
		}
		for name := range h {
			if strings.Contains(strings.ToLower(name), "server-side-encryption") {
				t.Errorf("%s names an encryption: %s", w.asked[i], name)
			}
		}
	}
}

// TestTags: what the rule selects by is on the canary, whatever its characters.
func TestTags(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.approved.Rule.Tags = map[string]string{"class": "a+b = c/d@e:f", "other": ""}
	w.write()
	out, err := w.clients[w.c.Account].GetObjectTagging(t.Context(), &s3.GetObjectTaggingInput{Bucket: aws.String(w.c.Route.Source), Key: aws.String(w.c.Key)})
	if err != nil || len(out.TagSet) != 2 {
		t.Fatalf("%v, %v", out, err)
	}
	for _, tag := range out.TagSet {
		if w.approved.Rule.Tags[*tag.Key] != *tag.Value {
			t.Errorf("%s=%q", *tag.Key, *tag.Value)
		}
	}
}

// TestRemoved from both buckets, exactly that version, and nothing else: no marker, no older version, no neighbour.
func TestRemoved(t *testing.T) {
	t.Parallel()
	for _, known := range []bool{true, false} {
		w := newWorld(t)
		version := w.write()
		// moto gives the replica another version ID: what stands for it is the request.
		replica := w.put(w.approved.Destination, w.c.Key)
		w.marked = map[string]string{"replimend-incident": id} // whoever wrote it
		neighbour := w.put(w.approved.Source, w.c.Key+"0")
		w.before(func(_ http.ResponseWriter, r *http.Request) bool {
			if r.Method == http.MethodDelete && strings.HasPrefix(r.URL.Path, "/"+w.approved.Destination.Bucket+"/") && r.URL.Query().Get("versionId") == version {
				r.URL.RawQuery = strings.Replace(r.URL.RawQuery, "versionId="+version, "versionId="+replica, 1)
			}
			return false
		})
		if w.c.VersionID = ""; known {
			w.c.VersionID = version
		}
		if err := w.writer.Remove(t.Context(), w.c); err != nil {
			t.Fatal(err)
		}
		if got := w.versions(w.approved.Source); !slices.Equal(got, []string{w.c.Key + "0 " + neighbour}) {
			t.Errorf("known %t: the source has %v", known, got)
		}
		if got := w.versions(w.approved.Destination); len(got) > 0 {
			t.Errorf("known %t: the destination has %v", known, got)
		}
		for _, asked := range w.asked {
			if strings.HasPrefix(asked, "DELETE") && !strings.Contains(asked, "versionId="+version) && !strings.Contains(asked, "versionId="+replica) {
				t.Errorf("%s", asked)
			}
		}
		if err := w.writer.Remove(t.Context(), w.c); err != nil {
			t.Errorf("known %t: nothing there is an error: %v", known, err)
		}
	}
}

// TestOthersObjects at the key are neither taken for a canary nor removed.
func TestOthersObjects(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.put(w.approved.Source, w.c.Key)
	before := w.versions(w.approved.Source)
	if version, err := w.writer.Write(t.Context(), w.c); !errors.Is(err, incident.ErrRefused) || !strings.Contains(err.Error(), "somebody else") {
		t.Errorf("version %q, %v", version, err)
	}
	if err := w.writer.Remove(t.Context(), w.c); err != nil {
		t.Error(err)
	}
	if got := w.versions(w.approved.Source); !slices.Equal(got, before) {
		t.Errorf("the bucket has %v, had %v", got, before)
	}
}

// TestNothingElseIsTouched: whatever the incident says, S3 is asked only about the key that the approved route makes of its ID.
func TestNothingElseIsTouched(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*world){
		"another key":           func(w *world) { w.c.Key = "ledger/passport.pdf" },
		"another's canary":      func(w *world) { w.c.Key = "ledger/replimend-canary/inc-ffffffffffffffffffff" },
		"without the prefix":    func(w *world) { w.c.Key = "replimend-canary/" + id },
		"an ID that is a path":  func(w *world) { w.c.Incident = "../../x"; w.c.Key = "ledger/replimend-canary/../../x" },
		"no ID":                 func(w *world) { w.c.Incident = ""; w.c.Key = "ledger/replimend-canary/" },
		"a route of nobody":     func(w *world) { w.c.Route.Rule = "r2" },
		"another account":       func(w *world) { w.c.Account = "111122223333" },
		"another Region":        func(w *world) { w.c.Region = "eu-west-1" },
		"no key":                func(w *world) { w.c.Key = "" },
		"a version of anything": func(w *world) { w.c.Key = "x"; w.c.VersionID = "v" },
	} {
		w := newWorld(t)
		change(w)
		if version, err := w.writer.Write(t.Context(), w.c); err == nil {
			t.Errorf("%s: wrote version %q", name, version)
		}
		if err := w.writer.Remove(t.Context(), w.c); err == nil {
			t.Errorf("%s: removed", name)
		}
		if len(w.asked) > 0 {
			t.Errorf("%s: S3 was asked %v", name, w.asked)
		}
	}
	w := newWorld(t)
	w.approved.Allow.Canary = false
	if _, err := w.writer.Write(t.Context(), w.c); err == nil || len(w.asked) > 0 {
		t.Errorf("a route that does not opt in: %v, asked %v", err, w.asked)
	}
	w.c.VersionID = "v"
	if err := w.writer.Remove(t.Context(), w.c); err != nil {
		t.Errorf("what was written before the route opted out stays: %v", err)
	}
}

// answer is an error of S3.
func answer(status int, code string) func(http.ResponseWriter, *http.Request) bool {
	return func(rw http.ResponseWriter, _ *http.Request) bool {
		rw.Header().Set("Content-Type", "application/xml")
		rw.WriteHeader(status)
		_, _ = io.WriteString(rw, "<Error><Code>"+code+"</Code><Message>m</Message></Error>")
		return true
	}
}

// TestErrors: what S3 refuses for good is told apart from what may work later, and says what may be the reason.
func TestErrors(t *testing.T) {
	t.Parallel()
	for code, tt := range map[string]struct {
		status  int
		refused bool
	}{
		"AccessDenied": {403, true}, "InvalidRequest": {400, true}, "InvalidArgument": {400, true}, "NoSuchBucket": {404, true},
		"SlowDown": {503, false}, "InternalError": {500, false}, "ConditionalRequestConflict": {409, false},
	} {
		w := newWorld(t)
		refuse := answer(tt.status, code)
		w.before(func(rw http.ResponseWriter, r *http.Request) bool { return r.Method == http.MethodPut && refuse(rw, r) })
		_, err := w.writer.Write(t.Context(), w.c)
		if err == nil || errors.Is(err, incident.ErrRefused) != tt.refused || awserr.Code(err) != code {
			t.Errorf("%s: %v", code, err)
		}
		if tt.refused && !strings.Contains(err.Error(), "header for the encryption") {
			t.Errorf("%s does not say what may be the reason: %v", code, err)
		}
		if got := w.versions(w.approved.Source); len(got) > 0 {
			t.Errorf("%s: the bucket has %v", code, got)
		}
	}
	// What cannot be removed in one bucket is removed in the other.
	w := newWorld(t)
	w.c.VersionID = w.write()
	w.before(func(rw http.ResponseWriter, r *http.Request) bool {
		return strings.HasPrefix(r.URL.Path, "/"+w.approved.Destination.Bucket+"/") && answer(403, "AccessDenied")(rw, r)
	})
	err := w.writer.Remove(t.Context(), w.c)
	if err == nil || !strings.Contains(err.Error(), w.approved.Destination.Bucket) || !strings.Contains(err.Error(), "s3:DeleteObjectVersion") || len(w.versions(w.approved.Source)) > 0 {
		t.Errorf("%v, the source has %v", err, w.versions(w.approved.Source))
	}
}

// TestSessionPolicies allow what is needed on the one key, and are read as meant where a prefix has characters of patterns.
func TestSessionPolicies(t *testing.T) {
	t.Parallel()
	key, err := policy.ParseARN("arn:aws-cn:kms:cn-north-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab")
	if err != nil {
		t.Fatal(err)
	}
	a := settings.ApprovedRoute{
		Source:      settings.Bucket{Bucket: "source", Account: "111122223333", Region: "cn-north-1"},
		Destination: settings.Bucket{Bucket: "destination", Account: "444455556666", Region: "cn-northwest-1"},
		Rule:        settings.Rule{ID: "r1", Prefix: "a*b?${x}/", Tags: map[string]string{"k": "v"}}, SourceKeys: []policy.ARN{key},
	}
	source, err := canary.SourcePolicy(a, id)
	if err != nil {
		t.Fatal(err)
	}
	destination, err := canary.DestinationPolicy(a, id)
	if err != nil {
		t.Fatal(err)
	}
	const object = "/a${*}b${?}${$}{x}/replimend-canary/" + id
	for _, tt := range []struct{ text, want string }{
		{source, `{"Version":"2012-10-17","Statement":[
			{"Effect":"Allow","Action":["s3:PutObject","s3:GetObjectVersion","s3:DeleteObjectVersion","s3:PutObjectTagging"],"Resource":"arn:aws-cn:s3:::source` + object + `"},
			{"Effect":"Allow","Action":"s3:ListBucketVersions","Resource":"arn:aws-cn:s3:::source","Condition":{"StringLike":{"s3:prefix":"` + object[1:] + `"}}},
			{"Effect":"Allow","Action":["kms:GenerateDataKey","kms:Decrypt"],"Resource":"` + key.String() + `",
			 "Condition":{"StringEquals":{"kms:ViaService":["s3.cn-north-1.amazonaws.com","s3.cn-north-1.amazonaws.com.cn"]}}}]}`},
		{destination, `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:DeleteObjectVersion","Resource":"arn:aws-cn:s3:::destination` + object + `"}]}`},
	} {
		got, err := policy.Parse([]byte(tt.text))
		want, wantErr := policy.Parse([]byte(tt.want))
		if err != nil || wantErr != nil || !got.Equal(want) {
			t.Errorf("%v, %v: %s", err, wantErr, tt.text)
		}
		if !json.Valid([]byte(tt.text)) || len(tt.text) > 2048 { // https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
			t.Errorf("%d bytes: %s", len(tt.text), tt.text)
		}
	}
	for _, n := range canary.Needs() {
		text := source
		if n.Resource == preflight.CanaryDestination {
			text = destination
		}
		if n.Role != settings.CanaryWriter || !strings.Contains(text, `"`+n.Action+`"`) {
			t.Errorf("the session policy lacks %s", n.Action)
		}
	}
	w := newWorld(t)
	w.c.VersionID = w.write()
	if err := w.writer.Remove(t.Context(), w.c); err != nil {
		t.Fatal(err)
	}
	if len(w.policies) != 2 || strings.Contains(w.policies[w.approved.Destination.Account], "PutObject") {
		t.Errorf("sessions with %v", w.policies)
	}
}
