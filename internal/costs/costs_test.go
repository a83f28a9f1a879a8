package costs

import (
	"fmt"
	"maps"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/replimend/replimend/internal/lambdatest"
)

const (
	longestZip = 5_000_000 // bytes
	// slowest is how many times the cold start of an empty function that of a function may take.
	slowest = 2.5
	starts  = 100
)

// example is settings that are deployed, of some 100 lines.
const example = "../../docs/examples/replimend.yaml"

// TestNoNode: no function links Node's bridge, or anything else of the CDK.
func TestNoNode(t *testing.T) {
	t.Parallel()
	all := func(pattern string) string {
		out, err := exec.CommandContext(t.Context(), "go", "list", "-deps", pattern).Output()
		if err != nil {
			t.Fatal(err)
		}
		return string(out)
	}
	node := func(dep string) bool {
		return slices.ContainsFunc([]string{"jsii", "aws-cdk", "constructs-go", "cdk-nag"}, func(name string) bool { return strings.Contains(dep, name) })
	}
	for dep := range strings.Lines(all("../../functions/...")) {
		if node(dep) {
			t.Errorf("functions link %s", strings.TrimSpace(dep))
		}
	}
	if !slices.ContainsFunc(strings.Fields(all("../../infra")), node) {
		t.Error("infra does not link it either: the names have changed")
	}
}

// clients are the services of which each function links the client, whose tables of endpoints are made at every start. A service more is a
// quarter of a millisecond, and most often comes with an import that was meant for something else.
var clients = map[string]string{
	"approval": "dynamodb kms sqs",
	"change":   "sqs",
	"failure":  "dynamodb sqs",
	"page":     "dynamodb kms secretsmanager sqs",
	"slack":    "dynamodb kms secretsmanager sqs",
	"notify":   "dynamodb eventbridge secretsmanager sns sqs",
	"remedy":   "accessanalyzer dynamodb iam kms organizations s3 s3control sqs ssm sts",
	// Access Analyzer and the kill switches are the worker's, and in the package with which the sweep reads.
	"sweep": "accessanalyzer dynamodb iam kms organizations s3 sqs ssm sts",
}

// TestClients: each function links the clients of the table, and no other.
func TestClients(t *testing.T) {
	t.Parallel()
	for _, dir := range functions(t) {
		name := filepath.Base(dir)
		var linked []string
		for _, dep := range lambdatest.Links(t, dir) {
			service, ok := strings.CutPrefix(dep, "github.com/aws/aws-sdk-go-v2/service/")
			if ok && !strings.Contains(service, "/") {
				linked = append(linked, service)
			}
		}
		slices.Sort(linked)
		if got := strings.Join(linked, " "); got != clients[name] {
			t.Errorf("%s links %s; want %s", name, got, clients[name])
		}
	}
}

// functions are the folders of every function.
func functions(t testing.TB) []string {
	t.Helper()
	mains, err := filepath.Glob("../../functions/*/main.go")
	if err != nil || len(mains) == 0 {
		t.Fatalf("found %d functions: %v", len(mains), err)
	}
	for i := range mains {
		mains[i] = filepath.Dir(mains[i])
	}
	return mains
}

// environment has what each of the functions needs to start. The address is AWS's, where nobody answers.
func environment(t testing.TB) []string {
	t.Helper()
	return []string{
		"AWS_REGION=us-east-1", "AWS_ACCESS_KEY_ID=AKIAIOSFODNN7EXAMPLE", "AWS_SECRET_ACCESS_KEY=secret", "AWS_SESSION_TOKEN=token",
		"AWS_ENDPOINT_URL=http://127.0.0.1:1", "REPLIMEND_TABLE=incidents", "REPLIMEND_APPROVALS=approvals",
		"REPLIMEND_WORK_QUEUE=https://sqs.us-east-1.amazonaws.com/111122223333/work",
		"REPLIMEND_SWEEP_QUEUE=https://sqs.us-east-1.amazonaws.com/111122223333/sweep",
		"REPLIMEND_NOTICE_QUEUE=https://sqs.us-east-1.amazonaws.com/111122223333/notices", "REPLIMEND_BUS=replimend", "REPLIMEND_PAGE=https://page.example",
		"REPLIMEND_SEAL_KEY=arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab",
		"REPLIMEND_SETTINGS=" + lambdatest.Settings(t),
	}
}

// TestReleased: what is deployed for arm64 is small enough, and answers an event under qemu. The event is a message that is not one
// of ours, of which a function needs nobody to say so: it comes again, for the dead-letter queue.
func TestReleased(t *testing.T) {
	t.Parallel()
	qemu, err := exec.LookPath("qemu-aarch64")
	if err != nil {
		t.Fatalf("%v\nhint: make setup as root, or install the package qemu-user", err)
	}
	for _, dir := range functions(t) {
		t.Run(filepath.Base(dir), func(t *testing.T) {
			binary := lambdatest.Release(t, dir, "arm64")
			if size := lambdatest.Zipped(t, binary, example); size > longestZip {
				t.Errorf("the zip has %d bytes, the limit is %d", size, longestZip)
			}
			r := lambdatest.StartUnder(t.Context(), t, []string{qemu, binary}, environment(t)...)
			check, ok := answers[filepath.Base(dir)]
			if !ok {
				check = comesAgain
			}
			check(t, r)
		})
	}
}

// answers are those of functions that are not behind a queue.
var answers = map[string]func(*testing.T, *lambdatest.Runtime){"approval": knowsNobody, "page": showsNothing, "slack": readsNothing}

// showsNothing asks the page, which has no secret to know anybody by.
func showsNothing(t *testing.T, r *lambdatest.Runtime) {
	t.Helper()
	got := r.Invoke([]byte(strings.Replace(asked, `"http":`, `"domainName":"page.example","http":`, 1)))
	if got.Kind != "response" || !strings.Contains(got.Body, `"statusCode":500`) || !strings.Contains(got.Body, "default-src 'none'") {
		t.Errorf("the answer is %v; log:\n%s", got, r.Stop())
	}
}

// readsNothing asks the function behind Slack's buttons for what it does not take.
func readsNothing(t *testing.T, r *lambdatest.Runtime) {
	t.Helper()
	got := r.Invoke([]byte(strings.Replace(asked, `"http":`, `"domainName":"slack.example","http":`, 1)))
	if got.Kind != "response" || !strings.Contains(got.Body, `"statusCode":405`) {
		t.Errorf("the answer is %v; log:\n%s", got, r.Stop())
	}
}

// knowsNobody asks the function behind a URL as nobody.
func knowsNobody(t *testing.T, r *lambdatest.Runtime) {
	t.Helper()
	got := r.Invoke([]byte(asked))
	if got.Kind != "response" || !strings.Contains(got.Body, `"statusCode":403`) {
		t.Errorf("the answer is %v; log:\n%s", got, r.Stop())
	}
}

// asked is a request to a function's URL without the caller that IAM would name.
const asked = `{"version":"2.0","rawPath":"/incidents/inc-0123456789abcdef0123","headers":{},"requestContext":{"http":{"method":"GET","path":"/incidents/inc-0123456789abcdef0123"}},"isBase64Encoded":false}`

// comesAgain hands a malformed message to a function behind a queue.
func comesAgain(t *testing.T, r *lambdatest.Runtime) {
	t.Helper()
	got := r.Failed(r.Invoke(lambdatest.Batch(t, []lambdatest.Message{{ID: "poison", Body: "not JSON"}})))
	if !slices.Equal(got, []string{"poison"}) {
		t.Errorf("to come again: %v, want poison; log:\n%s", got, r.Stop())
	}
}

// BenchmarkFunctions prints what each function costs beside the limits. Times are of a machine that may be busy: they are marked and
// fail nothing, as sizes do.
func BenchmarkFunctions(b *testing.B) {
	names, binaries := []string{"empty"}, map[string]string{"empty": lambdatest.Release(b, "./empty", "amd64")}
	sizes := map[string]int{"empty": lambdatest.Zipped(b, lambdatest.Release(b, "./empty", "arm64"), example)}
	for _, dir := range functions(b) {
		name := filepath.Base(dir)
		names = append(names, name)
		binaries[name] = lambdatest.Release(b, dir, "amd64")
		sizes[name] = lambdatest.Zipped(b, lambdatest.Release(b, dir, "arm64"), example)
	}
	env := environment(b)
	for b.Loop() {
		times := coldStarts(b, names, binaries, env)
		fmt.Printf("\n%-10s %28s %30s %16s\n", "function", "cold start (limit 2.5 times)", "zip for arm64 (limit 5.00 MB)", "peak memory")
		for _, name := range names {
			ratio := float64(times[name]) / float64(times["empty"])
			fmt.Printf("%-10s %9.1f ms %6.2f times %4s %22.2f MB %4s %12.1f MB\n", name, float64(times[name])/float64(time.Millisecond), ratio,
				mark(ratio <= slowest), float64(sizes[name])/1e6, mark(sizes[name] <= longestZip), peak(b, binaries[name], env))
		}
	}
	if name := slices.MaxFunc(slices.Collect(maps.Keys(sizes)), func(x, y string) int { return sizes[x] - sizes[y] }); sizes[name] > longestZip {
		b.Errorf("the zip of %s has %d bytes, the limit is %d", name, sizes[name], longestZip)
	}
}

func mark(ok bool) string {
	if ok {
		return "ok"
	}
	return "OVER"
}

// coldStarts is the median time from the start of each process until it asks for an invocation, taken in turns.
func coldStarts(b *testing.B, names []string, binaries map[string]string, env []string) map[string]time.Duration {
	b.Helper()
	api, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	defer api.Close()
	env = append([]string{"AWS_LAMBDA_RUNTIME_API=" + api.Addr().String()}, env...)
	all := map[string][]time.Duration{}
	for range starts {
		for _, name := range names {
			all[name] = append(all[name], coldStart(b, api.(*net.TCPListener), binaries[name], env))
		}
	}
	medians := map[string]time.Duration{}
	for name, times := range all {
		slices.Sort(times)
		medians[name] = (times[(len(times)-1)/2] + times[len(times)/2]) / 2
	}
	return medians
}

// coldStart is the time until the process sends its first request.
func coldStart(b *testing.B, api *net.TCPListener, binary string, env []string) time.Duration {
	b.Helper()
	var log strings.Builder
	cmd := exec.CommandContext(b.Context(), binary)
	cmd.Env, cmd.Stdout, cmd.Stderr = env, &log, &log
	begun := time.Now()
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	defer func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	}()
	_ = api.SetDeadline(begun.Add(time.Minute))
	conn, err := api.Accept()
	if err != nil {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		b.Fatalf("%s asked for no invocation: %v\n%s", binary, err, &log)
	}
	defer conn.Close()
	const next = "GET /2018-06-01/runtime/invocation/next"
	request := make([]byte, len(next))
	if _, err := conn.Read(request); err != nil || string(request) != next {
		b.Fatalf("the first request is %q: %v", request, err)
	}
	return time.Since(begun)
}

// peak is the most memory in MB that a process had resident until it answered one event.
func peak(b *testing.B, binary string, env []string) float64 {
	b.Helper()
	r := lambdatest.Start(b.Context(), b, binary, env...)
	r.Invoke(lambdatest.Batch(b, []lambdatest.Message{{ID: "poison", Body: "not JSON"}}))
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", r.PID()))
	if err != nil {
		b.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(status), "VmHWM:")
	kilobytes, err := strconv.Atoi(strings.Fields(rest + " ?")[0])
	if err != nil {
		b.Fatal(err)
	}
	return float64(kilobytes) * 1024 / 1e6
}
