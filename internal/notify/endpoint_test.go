package notify_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"io"
	"log"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sns"

	"github.com/replimend/replimend/internal/incident"
	"github.com/replimend/replimend/internal/journaltest"
	"github.com/replimend/replimend/internal/notify"
	"github.com/replimend/replimend/internal/notifytest"
	"github.com/replimend/replimend/internal/policy"
	"github.com/replimend/replimend/internal/secret"
	"github.com/replimend/replimend/internal/settings"
)

// token is in every secret of these tests, and nowhere else.
const token = "T0ps3cretT0ken-4711"

// secretOf is what the secret of a tool looks like.
func secretOf(tool settings.Tool) string {
	switch tool {
	case settings.SlackWebhook:
		return "https://hooks.slack.com/services/T000/B000/" + token
	case settings.Teams:
		return "https://prod-00.westeurope.logic.azure.com:443/workflows/0/triggers/manual/paths/invoke?api-version=2016-06-01&sig=" + token
	case settings.GoogleChat:
		return "https://chat.googleapis.com/v1/spaces/AAAA/messages?key=k&token=" + token
	case settings.Discord:
		return "https://discord.com/api/webhooks/1/" + token
	case settings.Mattermost:
		return "https://chat.example.com/hooks/" + token
	default:
		return token
	}
}

// endpoint is every host of every tool, in memory. It answers as its script says, and with success where that ends. A test that has one
// runs in a bubble of synctest: its clock moves when everybody waits.
type endpoint struct {
	t      *testing.T
	roots  *x509.CertPool
	conns  chan net.Conn
	closed chan struct{}

	mu     sync.Mutex
	script []http.HandlerFunc
	asked  []asked
	dialed []string
}

// asked is a request that came.
type asked struct {
	at        time.Time
	host, url string
	header    http.Header
	body      string
}

// identity is a certificate of every host. The clock of a bubble begins in the year 2000.
var identity = sync.OnceValues(func() (tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return tls.Certificate{}, err
	}
	c := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "every tool"}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Date(1999, 1, 1, 0, 0, 0, 0, time.UTC), NotAfter: time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC),
		DNSNames: []string{
			"slack.com", "hooks.slack.com", "prod-00.westeurope.logic.azure.com", "chat.googleapis.com", "discord.com", "api.chatwork.com",
			"chat.example.com", "events.pagerduty.com", "hooks.example.com",
		},
	}
	der, err := x509.CreateCertificate(rand.Reader, c, c, &key.PublicKey, key)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, err
})

func newEndpoint(t *testing.T, script ...http.HandlerFunc) *endpoint {
	t.Helper()
	id, err := identity()
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(id.Certificate[0])
	if err != nil {
		t.Fatal(err)
	}
	e := &endpoint{t: t, roots: x509.NewCertPool(), conns: make(chan net.Conn), closed: make(chan struct{}), script: script}
	e.roots.AddCert(leaf)
	s := &http.Server{Handler: e, TLSConfig: &tls.Config{Certificates: []tls.Certificate{id}}, ErrorLog: log.New(io.Discard, "", 0)}
	go func() { _ = s.ServeTLS(e, "", "") }()
	t.Cleanup(func() { _ = s.Close() })
	return e
}

// Accept, Close and Addr are those of a listener.
func (e *endpoint) Accept() (net.Conn, error) {
	select {
	case c := <-e.conns:
		return c, nil
	case <-e.closed:
		return nil, net.ErrClosed
	}
}

func (e *endpoint) Close() error {
	close(e.closed)
	return nil
}

func (e *endpoint) Addr() net.Addr { return &net.UnixAddr{Name: "endpoint"} }

func (e *endpoint) dial(ctx context.Context, _, address string) (net.Conn, error) {
	e.mu.Lock()
	e.dialed = append(e.dialed, address)
	e.mu.Unlock()
	here, there := net.Pipe()
	select {
	case e.conns <- there:
		return here, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (e *endpoint) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	e.mu.Lock()
	e.asked = append(e.asked, asked{time.Now(), r.Host, r.URL.String(), r.Header, string(body)})
	answer := success
	if len(e.script) > 0 {
		answer, e.script = e.script[0], e.script[1:]
	}
	e.mu.Unlock()
	r.Body = io.NopCloser(bytes.NewReader(body))
	answer(w, r)
}

// requests is what came so far.
func (e *endpoint) requests() []asked {
	e.mu.Lock()
	defer e.mu.Unlock()
	return append([]asked{}, e.asked...)
}

// next is what is answered from now on, before success again.
func (e *endpoint) next(script ...http.HandlerFunc) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.script = script
}

// success is an answer that each tool can take for its own.
func success(w http.ResponseWriter, _ *http.Request) {
	fmt.Fprint(w, `{"ok":true,"ts":"1764321300.123459","channel":"C0123456789","id":"1311234567890123456","message_id":"42"}`)
}

// status answers with a status, and quotes all that it was asked.
func status(code int, headers ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		for i := 0; i < len(headers); i += 2 {
			w.Header().Set(headers[i], headers[i+1])
		}
		w.WriteHeader(code)
		body, _ := io.ReadAll(r.Body)
		fmt.Fprintf(w, "%s %v %s", r.URL, r.Header, body)
	}
}

// hang answers nothing until whoever asked has gone.
func hang(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }

// broken ends the connection without an answer.
func broken(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }

// world is a Teller with all that it stands on, in memory.
type world struct {
	*notify.Teller
	*endpoint
	book    *journaltest.MemoryNotices
	clock   *journaltest.Clock
	secrets *secrets
	topics  *topics
	bus     *bus
	again   []later
	log     bytes.Buffer
}

type later struct {
	message incident.Message
	target  string
	delay   time.Duration
}

func newWorld(t *testing.T, targets []settings.Target, script ...http.HandlerFunc) *world {
	t.Helper()
	w := &world{endpoint: newEndpoint(t, script...), clock: journaltest.NewClock(), secrets: &secrets{of: map[string]string{}}, topics: &topics{}, bus: &bus{}}
	w.book = &journaltest.MemoryNotices{Clock: w.clock}
	for i, target := range targets {
		if !target.Tool.ByTopic() {
			targets[i].Secret = policy.ARN{
				Partition: "aws", Service: "secretsmanager", Region: "eu-west-1", Account: "111122223333", Resource: "secret:" + target.Name,
			}
			w.secrets.of[targets[i].Secret.String()] = secretOf(target.Tool)
		}
	}
	var mu sync.Mutex
	w.Teller = &notify.Teller{
		Targets: targets, Book: w.book, Secrets: w.secrets, Client: notify.NewTestClient(w.dial, w.roots), Topics: w.topics, Events: w.bus,
		Again: func(_ context.Context, m incident.Message, target string, delay time.Duration) error {
			mu.Lock()
			defer mu.Unlock()
			w.again = append(w.again, later{m, target, delay})
			return nil
		},
		Now: w.clock.Now,
	}
	t.Cleanup(w.Client.Close)
	return w
}

// tell tells a message as the function does: with a minute, and a log.
func (w *world) tell(t *testing.T, m incident.Message, only string) map[string]notify.Fate {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	log := slog.New(slog.NewJSONHandler(&w.log, nil))
	fates := map[string]notify.Fate{}
	for _, r := range w.Tell(ctx, m, only) {
		fates[r.Target] = r.Fate
		if (r.Fate == notify.Failed) != (r.Err != nil) {
			t.Errorf("%s: %s, %v", r.Target, r.Fate, r.Err)
		}
		if r.Err != nil {
			log.Error("told", "error", r.Err, "result", fmt.Sprintf("%+v %#v", r, r))
			if !strings.Contains(r.Err.Error(), r.Target) {
				t.Errorf("the error does not name %s: %v", r.Target, r.Err)
			}
		}
	}
	delete(fates, notify.OnBus)
	return fates
}

// secrets is Secrets Manager.
type secrets struct {
	mu     sync.Mutex
	of     map[string]string
	rotate string // what a secret is once it is asked for anew
	fresh  int
}

func (s *secrets) Get(_ context.Context, arn string, fresh bool) (secret.Secret, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if fresh {
		s.fresh++
		if s.rotate != "" {
			s.of[arn] = s.rotate
		}
	}
	return secret.Of(s.of[arn]), nil
}

// topics is SNS.
type topics struct {
	mu   sync.Mutex
	in   []*sns.PublishInput
	errs []error // of the next calls
}

func (x *topics) Publish(_ context.Context, in *sns.PublishInput, _ ...func(*sns.Options)) (*sns.PublishOutput, error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if len(x.errs) > 0 {
		err := x.errs[0]
		x.errs = x.errs[1:]
		return nil, err
	}
	x.in = append(x.in, in)
	return &sns.PublishOutput{}, nil
}

// bus is EventBridge.
type bus struct {
	mu  sync.Mutex
	got []notify.Event
}

func (b *bus) Put(_ context.Context, e notify.Event) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.got = append(b.got, e)
	return nil
}

// message is one of the messages that people are told.
func message(t *testing.T, kind string) incident.Message {
	t.Helper()
	m, ok := notifytest.Messages()[kind]
	if !ok {
		t.Fatalf("there is no message %q", kind)
	}
	return m
}
