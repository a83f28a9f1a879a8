// Package functionurl answers what comes to the URL of a function with a handler of net/http. Who it is that calls is not asked: that is
// for URLs with the auth type NONE, of which AWS says no more than what was sent to which host.
package functionurl

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"net/http"
	"strings"
	"unicode/utf8"

	"github.com/aws/aws-lambda-go/events"
)

// Handler is at as a function behind a URL. The origin is the one that AWS says it was called at, whatever the caller says of hosts.
// https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html#urls-payloads
func Handler(at func(origin string) http.Handler) func(context.Context, events.LambdaFunctionURLRequest) (events.LambdaFunctionURLResponse, error) {
	return func(ctx context.Context, e events.LambdaFunctionURLRequest) (events.LambdaFunctionURLResponse, error) {
		r, err := request(ctx, e)
		if err != nil {
			return events.LambdaFunctionURLResponse{StatusCode: http.StatusBadRequest}, nil
		}
		w := &writer{header: http.Header{}}
		at("https://"+r.Host).ServeHTTP(w, r)
		return w.response(r.Method), nil
	}
}

var errNoHost = errors.New("it does not say which host was called")

// request is an event as net/http would have it. An error says that it is none that a client could have sent.
func request(ctx context.Context, e events.LambdaFunctionURLRequest) (*http.Request, error) {
	body := []byte(e.Body)
	if e.IsBase64Encoded {
		var err error
		if body, err = base64.StdEncoding.DecodeString(e.Body); err != nil {
			return nil, err
		}
	}
	r, err := http.NewRequestWithContext(ctx, e.RequestContext.HTTP.Method, "https://"+e.RequestContext.DomainName+"/", bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	if r.Host == "" {
		return nil, errNoHost
	}
	r.URL.Path, r.URL.RawQuery = e.RawPath, e.RawQueryString
	for name, value := range e.Headers {
		r.Header.Set(name, value)
	}
	r.Header.Del("Host")
	if len(e.Cookies) > 0 { // which Lambda takes out of the headers
		r.Header.Set("Cookie", strings.Join(e.Cookies, "; "))
	}
	return r, nil
}

// writer keeps what a handler answers.
type writer struct {
	header http.Header
	sent   http.Header // as it was when the status was sent
	status int
	body   bytes.Buffer
}

func (w *writer) Header() http.Header { return w.header }

func (w *writer) WriteHeader(status int) {
	if w.status == 0 {
		w.status, w.sent = status, w.header.Clone()
	}
}

func (w *writer) Write(b []byte) (int, error) {
	w.WriteHeader(http.StatusOK)
	return w.body.Write(b)
}

// response is what was answered as Lambda takes it. What is no text goes in base64.
func (w *writer) response(method string) events.LambdaFunctionURLResponse {
	w.WriteHeader(http.StatusOK)
	out := events.LambdaFunctionURLResponse{StatusCode: w.status, Headers: map[string]string{}}
	for name, values := range w.sent {
		if name == "Set-Cookie" {
			out.Cookies = values
			continue
		}
		out.Headers[strings.ToLower(name)] = strings.Join(values, ", ")
	}
	switch body := w.body.Bytes(); {
	case method == http.MethodHead:
	case utf8.Valid(body):
		out.Body = string(body)
	default:
		out.Body, out.IsBase64Encoded = base64.StdEncoding.EncodeToString(body), true
	}
	return out
}
