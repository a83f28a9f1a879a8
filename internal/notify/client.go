package notify

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/replimend/replimend/internal/secret"
)

// Client sends what tools composed, over TLS, to hosts of the tool alone and to no address that is not public, whatever the secret says
// that it was given for a URL. It follows no redirect: that would take the secret to another host.
type Client struct{ http *http.Client }

// The bounds of one request and of those that repeat it.
const (
	connects   = 5 * time.Second
	answers    = 10 * time.Second // for one try, with everything that is read of the answer
	mostBody   = 64 << 10         // bytes that are read of an answer
	mostHeader = 32 << 10
	maxTries   = 4
	firstWait  = 500 * time.Millisecond
	mostWait   = 30 * time.Second // whoever wants to be left alone for longer is told when the message comes again
)

// NewClient is a client for tools as they are. It makes no call. There is no proxy: it would look up names in its own way.
func NewClient() *Client {
	d := &net.Dialer{Timeout: connects, Control: func(_, address string, _ syscall.RawConn) error { return public(address) }}
	return newClient(d.DialContext, nil)
}

func newClient(dial func(ctx context.Context, network, address string) (net.Conn, error), roots *x509.CertPool) *Client {
	return &Client{&http.Client{
		Transport: &http.Transport{
			DialContext: dial, TLSClientConfig: &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: roots}, TLSHandshakeTimeout: connects,
			MaxResponseHeaderBytes: mostHeader, MaxIdleConnsPerHost: 1, IdleConnTimeout: time.Minute, DisableCompression: true,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

var (
	errNotPublic = errors.New("the address of the host is not a public one")
	errHost      = errors.New("the host is not one of the tool's")
	errSecretURL = errors.New("the secret is not the URL of a webhook: want https, the name of a host, and the usual port")
)

// notPublic is what netip does not call private, and is nobody's on the internet, or stands for an address of IPv4 that may be.
// https://www.iana.org/assignments/iana-ipv4-special-registry/iana-ipv4-special-registry.xhtml
// https://www.iana.org/assignments/iana-ipv6-special-registry/iana-ipv6-special-registry.xhtml
var notPublic = []netip.Prefix{
	netip.MustParsePrefix("0.0.0.0/8"), netip.MustParsePrefix("100.64.0.0/10"), netip.MustParsePrefix("192.0.0.0/24"),
	netip.MustParsePrefix("192.0.2.0/24"), netip.MustParsePrefix("198.18.0.0/15"), netip.MustParsePrefix("198.51.100.0/24"),
	netip.MustParsePrefix("203.0.113.0/24"), netip.MustParsePrefix("240.0.0.0/4"), netip.MustParsePrefix("::/96"),
	netip.MustParsePrefix("64:ff9b::/96"), netip.MustParsePrefix("64:ff9b:1::/48"), netip.MustParsePrefix("100::/64"),
	netip.MustParsePrefix("2001::/23"), netip.MustParsePrefix("2001:db8::/32"), netip.MustParsePrefix("2002::/16"),
	netip.MustParsePrefix("fec0::/10"),
}

// public refuses the addresses of this machine and of networks that only somebody's own machines reach. It is asked when a name was
// resolved and before the connection is made, so that no name can change its address in between.
func public(address string) error {
	at, err := netip.ParseAddrPort(address)
	if err != nil {
		return errNotPublic
	}
	ip := at.Addr().Unmap()
	if !ip.IsGlobalUnicast() || ip.IsPrivate() || ip.Zone() != "" {
		return errNotPublic
	}
	for _, p := range notPublic {
		if p.Contains(ip) {
			return errNotPublic
		}
	}
	return nil
}

// send sends a request until read takes the answer, or refuses it for good, or there is no time to try again. It tries again after 429,
// 5xx, errors of the network and a Refusal that asks for it, and never after any other status. What it says of errors has neither the
// URL nor the body in it.
//
// A tool that did what it was asked, and whose answer was lost, is asked again.
func (c *Client) send(ctx context.Context, r Request, s secret.Secret, hosts []string, read func(Response) error) error {
	longest := firstWait
	for try := 1; ; try++ {
		answer, err := c.once(ctx, r, s, hosts)
		again, least := err != nil && !errors.Is(err, errNotPublic) && !permanent(err), time.Duration(0)
		if err == nil {
			err = read(answer)
			var no *Refusal
			again = answer.Status == http.StatusTooManyRequests || answer.Status >= 500 || errors.As(err, &no) && no.Again
			least = retryAfter(answer.Header["Retry-After"], time.Now())
			if err == nil && answer.Status >= 300 {
				err = fmt.Errorf("status %d", answer.Status) // whatever the body says
			}
		}
		if err == nil {
			return nil
		}
		if !again || try == maxTries || ctx.Err() != nil {
			return s.Hide(err)
		}
		d := max(least, longest/2+rand.N(longest/2))
		longest = min(2*longest, mostWait)
		if deadline, ok := ctx.Deadline(); d > mostWait || ok && time.Until(deadline) < d {
			return s.Hide(fmt.Errorf("%w; it is to be asked again in %s, which is too long to wait", err, d.Round(time.Second)))
		}
		timer := time.NewTimer(d)
		select {
		case <-ctx.Done():
			timer.Stop()
			return s.Hide(err)
		case <-timer.C:
		}
	}
}

// once sends a request one time.
func (c *Client) once(ctx context.Context, r Request, s secret.Secret, hosts []string) (Response, error) {
	ctx, cancel := context.WithTimeout(ctx, answers)
	defer cancel()
	q, err := request(ctx, r, s, hosts)
	if err != nil {
		return Response{}, &permanentError{err}
	}
	p, err := c.http.Do(q)
	if err != nil {
		var of *url.Error // which has the URL in its text
		if errors.As(err, &of) {
			err = of.Err
		}
		return Response{}, fmt.Errorf("no answer: %w", err)
	}
	defer p.Body.Close()
	out := Response{Status: p.StatusCode, Header: map[string]string{}}
	for name := range p.Header {
		out.Header[name] = p.Header.Get(name)
	}
	// What is beyond the bound is not read, and the connection is closed.
	if out.Body, err = io.ReadAll(io.LimitReader(p.Body, mostBody)); err != nil {
		return Response{}, fmt.Errorf("status %d, and no whole answer: %w", p.StatusCode, err)
	}
	return out, nil
}

// permanentError is of a request that cannot be made.
type permanentError struct{ error }

func (p *permanentError) Unwrap() error { return p.error }

func permanent(err error) bool {
	var p *permanentError
	return errors.As(err, &p)
}

// request puts the secret where the tool wants it.
func request(ctx context.Context, r Request, s secret.Secret, hosts []string) (*http.Request, error) {
	at, err := address(r, s)
	if err != nil {
		return nil, err
	}
	if !allowed(at, hosts) {
		return nil, errHost
	}
	body, header := r.Body, http.Header{}
	for name, value := range r.Header {
		header.Set(name, value)
	}
	switch r.Secret {
	case NoSecret, IsURL:
	case BearerToken:
		header.Set("Authorization", "Bearer "+s.Text())
	case TokenHeader:
		header.Set("X-ChatWorkToken", s.Text())
	case RoutingKey:
		var members map[string]json.RawMessage
		if err := json.Unmarshal(body, &members); err != nil {
			return nil, errors.New("the body is no JSON object")
		}
		key, err := asJSON(s.Text())
		if err != nil {
			return nil, errors.New("the secret is no text")
		}
		members["routing_key"] = key
		if body, err = asJSON(members); err != nil {
			return nil, err
		}
	case Signs:
		for name, value := range signature([]byte(s.Text()), time.Now(), body) {
			header.Set(name, value)
		}
	}
	q, err := http.NewRequestWithContext(ctx, r.Method, at.String(), bytes.NewReader(body))
	if err != nil {
		return nil, errors.New("the request cannot be made")
	}
	q.Header = header
	return q, nil
}

// address is where a request goes.
func address(r Request, s secret.Secret) (*url.URL, error) {
	if r.Secret != IsURL {
		at, err := url.Parse(r.URL)
		if err != nil {
			return nil, errors.New("the URL is none")
		}
		return at, nil
	}
	at, err := url.Parse(s.Text())
	if err != nil || at.Scheme != "https" || at.Host == "" {
		return nil, errSecretURL
	}
	at.Fragment = ""
	path, query, _ := strings.Cut(r.URL, "?")
	if path != "" {
		at = at.JoinPath(path)
	}
	if query != "" {
		more, err := url.ParseQuery(query)
		if err != nil {
			return nil, errors.New("the query is none")
		}
		all := at.Query()
		for name := range more {
			all.Set(name, more.Get(name))
		}
		at.RawQuery = all.Encode()
	}
	return at, nil
}

// allowed says whether a request may go there: over TLS, to the usual port of one of those hosts. A leading dot stands for every name
// below.
func allowed(at *url.URL, hosts []string) bool {
	if at.Scheme != "https" || at.User != nil || at.Opaque != "" || at.Port() != "" && at.Port() != "443" {
		return false
	}
	name := strings.ToLower(at.Hostname())
	for _, h := range hosts {
		h = strings.ToLower(h)
		if h != "" && name == h || strings.HasPrefix(h, ".") && strings.HasSuffix(name, h) && len(name) > len(h) {
			return true
		}
	}
	return false
}

// retryAfter is after how long a tool wants to be asked again: seconds, with a fraction where a tool has one, or a date.
// https://www.rfc-editor.org/rfc/rfc9110#field.retry-after
func retryAfter(value string, now time.Time) time.Duration {
	const longest = 24 * time.Hour
	if seconds, err := strconv.ParseFloat(value, 64); err == nil && seconds >= 0 {
		return time.Duration(min(seconds, longest.Seconds()) * float64(time.Second))
	}
	if at, err := http.ParseTime(value); err == nil {
		return min(max(at.Sub(now), 0), longest)
	}
	return 0
}
