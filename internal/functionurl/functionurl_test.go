package functionurl_test

import (
	"encoding/base64"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/events"

	"github.com/replimend/replimend/internal/functionurl"
)

const host = "abcdefghijklmnopqrstuvwxyz012345.lambda-url.eu-west-1.on.aws"

// event is a request as Lambda gives it.
func event(change func(*events.LambdaFunctionURLRequest)) events.LambdaFunctionURLRequest {
	e := events.LambdaFunctionURLRequest{
		RawPath: "/incidents/a b", RawQueryString: "t=a%20b&x", Body: "a=b", Cookies: []string{"one=1", "two=2"},
		Headers: map[string]string{"content-type": "text/x", "host": "evil.example", "x-forwarded-host": "evil.example"},
		RequestContext: events.LambdaFunctionURLRequestContext{
			DomainName: host, HTTP: events.LambdaFunctionURLRequestContextHTTPDescription{Method: "POST"},
		},
	}
	change(&e)
	return e
}

func as(*events.LambdaFunctionURLRequest) {}

// TestRequest: a handler gets what was sent, and the host that AWS says.
func TestRequest(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*events.LambdaFunctionURLRequest){
		"text": as,
		"base64": func(e *events.LambdaFunctionURLRequest) {
			e.Body, e.IsBase64Encoded = base64.StdEncoding.EncodeToString([]byte(e.Body)), true
		},
		"signed": func(e *events.LambdaFunctionURLRequest) {
			e.RequestContext.Authorizer = &events.LambdaFunctionURLRequestContextAuthorizerDescription{
				IAM: &events.LambdaFunctionURLRequestContextAuthorizerIAMDescription{UserARN: "arn:aws:iam::111122223333:user/jane"},
			}
		},
	} {
		called := false
		h := functionurl.Handler(func(origin string) http.Handler {
			return http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				called = true
				body, err := io.ReadAll(r.Body)
				if err != nil || string(body) != "a=b" || r.Method != http.MethodPost || r.URL.Path != "/incidents/a b" || r.URL.Query().Get("t") != "a b" {
					t.Errorf("%s: %s %s %q, %v", name, r.Method, r.URL, body, err)
				}
				if one, err := r.Cookie("two"); err != nil || one.Value != "2" || r.Header.Get("Content-Type") != "text/x" {
					t.Errorf("%s: %v", name, r.Header)
				}
				if origin != "https://"+host || r.Host != host {
					t.Errorf("%s: it is at %s, %s", name, origin, r.Host)
				}
			})
		})
		if got, err := h(t.Context(), event(change)); err != nil || got.StatusCode != http.StatusOK || !called {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
}

// TestResponse: Lambda gets what a handler answers: cookies by themselves, and what is no text in base64.
func TestResponse(t *testing.T) {
	t.Parallel()
	answer := func(method string, h http.HandlerFunc) events.LambdaFunctionURLResponse {
		got, err := functionurl.Handler(func(string) http.Handler { return h })(t.Context(), event(func(e *events.LambdaFunctionURLRequest) { e.RequestContext.HTTP.Method = method }))
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	page := func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		http.SetCookie(w, &http.Cookie{Name: "one", Value: "1"})
		http.SetCookie(w, &http.Cookie{Name: "two", Value: "2"})
		w.WriteHeader(http.StatusTeapot)
		w.Header().Set("Late", "x")
		w.WriteHeader(http.StatusOK)
		_, _ = io.WriteString(w, "頁")
	}
	got := answer("GET", page)
	if got.StatusCode != http.StatusTeapot || got.Body != "頁" || got.IsBase64Encoded || !slices.Equal(got.Cookies, []string{"one=1", "two=2"}) ||
		!maps.Equal(got.Headers, map[string]string{"content-type": "text/html"}) {
		t.Errorf("%+v", got)
	}
	if got := answer("HEAD", page); got.StatusCode != http.StatusTeapot || got.Body != "" {
		t.Errorf("HEAD: %+v", got)
	}
	got = answer("GET", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte{0xff, 0}) })
	if got.StatusCode != http.StatusOK || got.Body != "/wA=" || !got.IsBase64Encoded {
		t.Errorf("no text: %+v", got)
	}
}

// TestWhatIsNoRequest reaches no handler.
func TestWhatIsNoRequest(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*events.LambdaFunctionURLRequest){
		"no base64":        func(e *events.LambdaFunctionURLRequest) { e.Body, e.IsBase64Encoded = "%", true },
		"no method":        func(e *events.LambdaFunctionURLRequest) { e.RequestContext.HTTP.Method = "GET /" },
		"no host":          func(e *events.LambdaFunctionURLRequest) { e.RequestContext.DomainName = "" },
		"a path as a host": func(e *events.LambdaFunctionURLRequest) { e.RequestContext.DomainName = "a b" },
	} {
		h := functionurl.Handler(func(string) http.Handler {
			t.Errorf("%s: it is handled", name)
			return http.NotFoundHandler()
		})
		if got, err := h(t.Context(), event(change)); err != nil || got.StatusCode != http.StatusBadRequest || strings.TrimSpace(got.Body) != "" {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
}
