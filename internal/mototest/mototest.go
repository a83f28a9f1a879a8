// Package mototest starts moto for tests: an AWS that others wrote, speaking the real wire protocols. What works against it was
// not tuned to itself. It keeps state and checks hardly any policy; what policies decide is proven in the lab.
//
// Only tests import it. Each test binary has one server, and each test takes accounts of its own in it, so that tests run side by
// side.
package mototest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/sts"
)

// Hint says what to do where moto is not installed.
const Hint = "make setup installs it into .venv"

// Server is one moto.
type Server struct {
	URL string // http://127.0.0.1:PORT, without a slash at the end

	accounts atomic.Uint64
	seed     uint64
}

var (
	once   sync.Once
	shared *Server
	failed error
	stop   = func() {}
)

// Main runs the tests of a package and stops the server that they started. It is the body of a TestMain.
func Main(m *testing.M) {
	code := m.Run()
	stop()
	os.Exit(code)
}

// Start is the server of this test binary. It is started by the first test that asks for it; a missing moto fails the test.
func Start(tb testing.TB) *Server {
	tb.Helper()
	once.Do(func() { shared, failed = start() })
	if failed != nil {
		tb.Fatalf("start moto: %v\nhint: %s", failed, Hint)
	}
	return shared
}

// Python is the interpreter of the project's virtual environment, which has boto3.
func Python(tb testing.TB) string {
	tb.Helper()
	root, err := root()
	if err == nil {
		_, err = os.Stat(filepath.Join(root, ".venv", "bin", "python"))
	}
	if err != nil {
		tb.Fatalf("find the virtual environment: %v\nhint: %s", err, Hint)
	}
	return filepath.Join(root, ".venv", "bin", "python")
}

// root is the folder of go.mod above the folder of the test.
func root() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir, nil
		}
		up := filepath.Dir(dir)
		if up == dir {
			return "", errors.New("no go.mod above the working directory")
		}
		dir = up
	}
}

func start() (*Server, error) {
	root, err := root()
	if err != nil {
		return nil, err
	}
	program := filepath.Join(root, ".venv", "bin", "moto_server")
	if _, err := os.Stat(program); err != nil {
		return nil, err
	}
	// The port is free now; should somebody else take it before moto does, moto ends and so does the attempt.
	for range 5 {
		var s *Server
		if s, err = attempt(program); err == nil {
			return s, nil
		}
	}
	return nil, err
}

func attempt(program string) (*Server, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	port := l.Addr().(*net.TCPAddr).Port
	l.Close()
	log, err := os.CreateTemp("", "moto-*.log")
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(context.Background())
	cmd := exec.CommandContext(ctx, program, "-H", "127.0.0.1", "-p", strconv.Itoa(port))
	cmd.Stdout, cmd.Stderr = log, log
	// Moto takes any credentials; what it makes of its own calls must not reach for those of the machine.
	cmd.Env = append(os.Environ(), "AWS_ACCESS_KEY_ID=test", "AWS_SECRET_ACCESS_KEY=test", "AWS_DEFAULT_REGION=us-east-1")
	if err := cmd.Start(); err != nil {
		cancel()
		return nil, err
	}
	ended := make(chan struct{})
	go func() { _ = cmd.Wait(); close(ended) }()
	end := func() {
		cancel()
		<-ended
		log.Close()
		os.Remove(log.Name())
	}
	s := &Server{URL: fmt.Sprintf("http://127.0.0.1:%d", port), seed: uint64(port)}
	deadline := time.After(60 * time.Second)
	for {
		// That somebody answers there is not enough: it may be who took the port. Moto says so when it has it.
		if text, err := os.ReadFile(log.Name()); err == nil && bytes.Contains(text, []byte("Running on "+s.URL)) {
			stop = end
			return s, nil
		}
		select {
		case <-ended:
			text, _ := os.ReadFile(log.Name())
			end()
			return nil, fmt.Errorf("moto ended: %.400s", text)
		case <-deadline:
			end()
			return nil, errors.New("moto does not answer")
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// Account is the id of an account that no other test of this binary uses.
func (s *Server) Account() string {
	return fmt.Sprintf("%04d%08d", 3000+s.seed%6000, s.accounts.Add(1))
}

// Name is a name that no other test uses, for buckets: they share one namespace over all accounts.
func (s *Server) Name(tb testing.TB, prefix string) string {
	h := fnv.New32a()
	_, _ = h.Write([]byte(tb.Name()))
	return fmt.Sprintf("%s-%08x-%d", prefix, h.Sum32(), s.accounts.Add(1))
}

// Config has the credentials of an account. Calls go to moto itself.
func (s *Server) Config(tb testing.TB, account, region string) aws.Config {
	tb.Helper()
	return s.ConfigAt(tb, s.URL, account, region)
}

// ConfigAt is Config with calls to another address, such as that of a Proxy.
func (s *Server) ConfigAt(tb testing.TB, address, account, region string) aws.Config {
	tb.Helper()
	id, secret, token := s.Credentials(tb, account)
	return aws.Config{
		Region: region, BaseEndpoint: aws.String(address), HTTPClient: Client(),
		Credentials: credentials.NewStaticCredentialsProvider(id, secret, token),
	}
}

// Credentials is a session in an account. Moto gives one for every role of every account, whatever its trust policy says.
func (s *Server) Credentials(tb testing.TB, account string) (id, secret, token string) {
	tb.Helper()
	base := aws.Config{
		Region: "us-east-1", BaseEndpoint: aws.String(s.URL), HTTPClient: Client(),
		Credentials: credentials.NewStaticCredentialsProvider("test", "test", ""),
	}
	out, err := sts.NewFromConfig(base).AssumeRole(tb.Context(), &sts.AssumeRoleInput{
		RoleArn: aws.String("arn:aws:iam::" + account + ":role/test"), RoleSessionName: aws.String("test"),
	})
	if err != nil {
		tb.Fatalf("assume a role in account %s: %v", account, err)
	}
	c := out.Credentials
	return aws.ToString(c.AccessKeyId), aws.ToString(c.SecretAccessKey), aws.ToString(c.SessionToken)
}

// Client is an HTTP client that reaches this machine under every name: S3 Control puts the account before the host.
func Client() aws.HTTPClient {
	return awshttp.NewBuildableClient().WithTransportOptions(func(t *http.Transport) {
		t.Proxy = nil
		t.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
			_, port, err := net.SplitHostPort(address)
			if err != nil {
				return nil, err
			}
			var d net.Dialer
			return d.DialContext(ctx, network, net.JoinHostPort("127.0.0.1", port))
		}
	})
}

// Proxy is a server before moto that answers what moto cannot, or changes what it answers. Handle gets every request; it says
// true when it has answered, and else moto does. Its URL is http://localhost:PORT: S3 Control puts the account before a name, and
// cannot put it before an address.
func (s *Server) Proxy(tb testing.TB, handle func(w http.ResponseWriter, r *http.Request) bool) string {
	tb.Helper()
	target, err := url.Parse(s.URL)
	if err != nil {
		tb.Fatal(err)
	}
	next := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(target)
		r.Out.Host = r.In.Host
	}}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	server := &http.Server{
		ReadHeaderTimeout: time.Minute,
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if !handle(w, r) {
				next.ServeHTTP(w, r)
			}
		}),
	}
	go func() { _ = server.Serve(l) }()
	tb.Cleanup(func() { server.Close() })
	return fmt.Sprintf("http://localhost:%d", l.Addr().(*net.TCPAddr).Port)
}
