package lambdatest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/rogpeppe/go-internal/txtar"

	"github.com/replimend/replimend/internal/incident"
	"github.com/replimend/replimend/internal/mototest"
)

// Paths from the folder of a function, where its test runs.
const (
	// script makes a route in two accounts and reads it back with boto3: an independent client.
	script = "../../cmd/replimend/testdata/live/world.py"
	// officialEvent is S3's documented event.
	officialEvent = "../../internal/signal/testdata/official-failed.txtar"
)

// World is a route between two members, which has a fault in each, and the functions in a hub. The route is in the settings, in mode
// automatic. One version of it failed.
type World struct {
	*Cloud
	Server *mototest.Server
	Batch  *mototest.Batch
	In     Intercept
	Route  Route
	Calls  *Calls // of the functions, held against what they declare when the test is over
	dir    string
	boto   []string // the environment of the script
	shown  string   // the route, as the script takes it
	proxy  string   // the address at which everybody reaches moto
}

// Route is the world's route as the script tells it, with the version that failed.
type Route struct {
	Source, Destination, SourceAccount, DestinationAccount, Role, SourceKey, ReplicaKey, Key, Version string
}

// NewWorld makes a world. Its address is that of a Proxy before moto; handlers answer there before anything else does.
func NewWorld(t *testing.T, handlers ...func(http.ResponseWriter, *http.Request) bool) *World {
	t.Helper()
	s := mototest.Start(t)
	w := &World{Server: s, Batch: s.Batch(t), dir: t.TempDir(), Calls: NewCalls(t, s)}
	var whole mototest.Configurations
	address := s.Proxy(t, func(rw http.ResponseWriter, r *http.Request) bool {
		if w.Calls.Handle(rw, r) {
			return true
		}
		for _, handle := range handlers {
			if handle(rw, r) {
				return true
			}
		}
		if strings.Contains(r.Header.Get("Authorization"), "/access-analyzer/") { // which moto does not know
			rw.Header().Set("X-Amzn-Errortype", "AccessDeniedException")
			rw.WriteHeader(http.StatusForbidden)
			return true
		}
		return w.In.Handle(rw, r) || whole.Handle(rw, r) || w.Batch.Handle(rw, r)
	})
	w.Cloud, w.proxy = NewCloud(t, s, address), address

	var config strings.Builder
	accounts := map[string]string{"source": s.Account(), "destination": s.Account()}
	for profile, account := range accounts {
		id, secret, token := s.Credentials(t, account)
		fmt.Fprintf(&config, "[profile %s]\nregion = us-east-1\naws_access_key_id = %s\naws_secret_access_key = %s\naws_session_token = %s\n", profile, id, secret, token)
	}
	w.boto = append(os.Environ(), "AWS_CONFIG_FILE="+w.write("aws-config", config.String()), "AWS_ENDPOINT_URL="+address, "NO_PROXY=*")
	w.shown = w.python("", "make", s.Name(t, "source"), s.Name(t, "destination"))
	if err := json.Unmarshal([]byte(w.shown), &w.Route); err != nil {
		t.Fatal(err)
	}
	w.Batch.SetStatus(mototest.Version{Bucket: w.Route.Source, Key: w.Route.Key, ID: w.Route.Version}, "FAILED")
	w.Configure(w.Settings(w.Approved("ledger", w.Route.Source)))
	return w
}

// Config reaches an account as the functions do.
func (w *World) Config(account, region string) aws.Config {
	w.t.Helper()
	cfg := w.Server.Config(w.t, account, region)
	cfg.BaseEndpoint = aws.String(w.proxy)
	return cfg
}

// Approved is the route of the settings that leaves a bucket with the rule, the role and the keys of the world's route.
func (w *World) Approved(name, source string) string {
	w.t.Helper()
	of := iam.NewFromConfig(w.Server.Config(w.t, w.Route.SourceAccount, "us-east-1"))
	role, err := of.GetRole(w.t.Context(), &iam.GetRoleInput{RoleName: aws.String("replication")})
	if err != nil {
		w.t.Fatal(err)
	}
	return fmt.Sprintf(`  - name: %s
    mode: automatic
    source: {bucket: %s, account: %q, region: us-east-1}
    destination: {bucket: %s, account: %q, region: eu-west-1}
    rule: {id: everything, kmsObjects: true}
    role: {arn: "%s", uniqueId: %s, trust: [s3.amazonaws.com]}
    sourceKeys: ["%s"]
    replicaKey: "%s"
    allow: {noBoundary: true}
`, name, source, w.Route.SourceAccount, w.Route.Destination, w.Route.DestinationAccount, w.Route.Role, aws.ToString(role.Role.RoleId),
		w.Route.SourceKey, w.Route.ReplicaKey)
}

// Settings is settings of those routes, with both accounts as members.
func (w *World) Settings(routes ...string) string {
	return fmt.Sprintf(`version: 1
routes:
%smembers:
  - {account: %q, regions: [us-east-1]}
  - {account: %q, regions: [eu-west-1]}
`, strings.Join(routes, ""), w.Route.SourceAccount, w.Route.DestinationAccount)
}

// Configure gives the functions that start from now on those settings.
func (w *World) Configure(settings string) {
	w.t.Helper()
	w.Env = append(w.Env, "REPLIMEND_SETTINGS="+w.write("replimend.yaml", settings)) // of two the last counts
}

func (w *World) write(name, text string) (path string) {
	w.t.Helper()
	path = filepath.Join(w.dir, name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		w.t.Fatal(err)
	}
	return path
}

func (w *World) python(stdin string, args ...string) string {
	w.t.Helper()
	cmd := exec.CommandContext(w.t.Context(), mototest.Python(w.t), append([]string{script}, args...)...)
	var errs bytes.Buffer
	cmd.Env, cmd.Stdin, cmd.Stderr = w.boto, strings.NewReader(stdin), &errs
	out, err := cmd.Output()
	if err != nil {
		w.t.Fatalf("world.py %v: %v\n%s", args, err, &errs)
	}
	return string(out)
}

// Documents is what a cure may touch, as boto3 reads it.
func (w *World) Documents() string {
	w.t.Helper()
	return w.python("", "show", w.shown)
}

// Put writes a document as somebody else would: replicaKey, or a policy of the role.
func (w *World) Put(document, text string) {
	w.t.Helper()
	w.python(text, "put", w.shown, document)
}

// More makes another source bucket, with the same rule, role and keys, and gives its name.
func (w *World) More(name string) string {
	w.t.Helper()
	bucket := w.Server.Name(w.t, name)
	w.python("", "more", w.shown, bucket)
	return bucket
}

// Failed is S3's documented event, of a version of this route.
func (w *World) Failed(key, version string) string {
	w.t.Helper()
	archive, err := txtar.ParseFile(officialEvent)
	if err != nil {
		w.t.Fatal(err)
	}
	return strings.NewReplacer(
		"amzn-s3-demo-bucket1", w.Route.Source, "amzn-s3-demo-bucket2", w.Route.Destination, "notification-test-replication-rule", "everything",
		"replication-object-put-test.png", key, "abcdeH0Xp66ep__QDjR76LK7Gc9X4wKO", version,
	).Replace(string(archive.Files[0].Data))
}

// Start runs the function in a folder, in this world.
func (w *World) Start(dir string) *Runtime {
	w.t.Helper()
	return w.Calls.Start(w.Cloud, dir)
}

// Drain pumps a queue until it is empty.
func (w *World) Drain(queue string, function *Runtime) {
	w.t.Helper()
	for n := 0; ; n++ {
		if all, _ := w.Pump(queue, function); all == 0 {
			return
		}
		if n == 40 {
			w.t.Fatalf("the queue does not become empty; the log is\n%s", function.Stop())
		}
	}
}

// Incidents is all that there are, with their documents, the latest first.
func (w *World) Incidents() []incident.Incident {
	w.t.Helper()
	all, err := w.Table.List(w.t.Context(), incident.Filter{})
	if err != nil {
		w.t.Fatal(err)
	}
	out := make([]incident.Incident, len(all))
	for n, found := range all {
		if out[n], err = w.Table.Get(w.t.Context(), found.ID); err != nil {
			w.t.Fatal(err)
		}
	}
	return out
}

// Incident is the one that there is.
func (w *World) Incident() incident.Incident {
	w.t.Helper()
	all := w.Incidents()
	if len(all) != 1 {
		w.t.Fatalf("%d incidents, want 1: %v", len(all), all)
	}
	return all[0]
}
