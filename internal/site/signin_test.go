package site_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/replimend/replimend/internal/oidctest"
	"github.com/replimend/replimend/internal/site"
)

// TestSignIn: approvers are let in, whichever way the client of the page proves itself, and come back to where they were.
func TestSignIn(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*office){
		"a secret in a header": func(*office) {},
		"a secret in the form": func(o *office) {
			o.provider.Say("token_endpoint_auth_methods_supported", []string{"client_secret_post"})
		},
		"no secret": func(o *office) { o.provider.ClientSecret, o.Provider.Secret = "", nil },
		"an audience of two": func(o *office) {
			o.provider.Change(func(c map[string]any) { c["aud"], c["azp"] = []string{"other", "replimend"}, "replimend" })
		},
	} {
		o := newOffice(t, as)
		change(o)
		b := o.browser()
		w := b.signIn("sub-of-jane")
		if w.Code != http.StatusSeeOther || w.Header().Get("Location") != "/incidents/"+o.id || b.cookies[session] == "" || len(b.cookies) != 1 {
			t.Errorf("%s: %d %s %v: %s", name, w.Code, w.Header().Get("Location"), b.cookies, o.log.String())
		}
		if b.get("/incidents/"+o.id).Code != http.StatusOK || o.written() > 0 {
			t.Errorf("%s: %d were written", name, o.written())
		}
		if b.signIn("sub-of-john"); o.provider.Asked("/.well-known/openid-configuration") != 1 || o.provider.Asked("/keys") != 1 {
			t.Errorf("%s: the provider is asked again what it said", name)
		}
	}
}

// TestStrangers: whoever the provider knows, and is no approver, is told who they are to it and gets no session.
func TestStrangers(t *testing.T) {
	t.Parallel()
	o := newOffice(t, as)
	for _, subject := range []string{"sub-of-somebody", "sub-of-mallory", jane, "Sub-of-jane", "sub-of-jane "} {
		b := o.browser()
		w := b.signIn(subject)
		if w.Code != http.StatusForbidden || o.said() != "stranger" || len(b.cookies) > 0 || !strings.Contains(w.Body.String(), strings.TrimSpace(subject)) {
			t.Errorf("%s: %d %s %v", subject, w.Code, o.said(), b.cookies)
		}
	}
	b := o.browser()
	if w := b.signIn(""); w.Code != http.StatusForbidden || o.said() != "sign-in-denied" || len(b.cookies) > 0 {
		t.Errorf("%d %s", w.Code, o.said())
	}
}

// TestTokens: a token that is not exactly for this sign-in of this client lets nobody in.
func TestTokens(t *testing.T) {
	t.Parallel()
	claim := func(name string, value any) func(*office) {
		return func(o *office) {
			o.provider.Change(func(c map[string]any) {
				if c[name] = value; value == nil {
					delete(c, name)
				}
			})
		}
	}
	for name, change := range map[string]func(*office){
		"another nonce":               claim("nonce", "another"),
		"no nonce":                    claim("nonce", nil),
		"another issuer":              claim("iss", "https://issuer.example"),
		"another audience":            claim("aud", "other"),
		"no audience":                 claim("aud", nil),
		"an audience of two":          claim("aud", []string{"replimend", "other"}),
		"another party":               claim("azp", "other"),
		"expired":                     claim("exp", time.Date(2026, 11, 28, 11, 59, 0, 0, time.UTC).Unix()),
		"no expiry":                   claim("exp", nil),
		"not yet":                     claim("nbf", time.Date(2026, 11, 28, 13, 0, 0, 0, time.UTC).Unix()),
		"nobody":                      claim("sub", nil),
		"no text":                     claim("sub", 1),
		"another key":                 func(o *office) { o.provider.Forge(true) },
		"refused":                     func(o *office) { o.provider.Refuse("invalid_grant") },
		"another secret":              func(o *office) { o.provider.ClientSecret = "another" },
		"the issuer says another one": func(o *office) { o.provider.Say("issuer", "https://issuer.example") },
	} {
		o := newOffice(t, as)
		b := o.browser()
		o.provider.As("sub-of-jane")
		change(o)
		w := b.get("/sign-in")
		if w.Code == http.StatusSeeOther {
			w = b.get(b.follow(w.Header().Get("Location")))
		}
		if w.Code != http.StatusForbidden && w.Code != http.StatusBadGateway || o.said() != "sign-in-failed" || len(b.cookies) > 0 {
			t.Errorf("%s: %d %s %v", name, w.Code, o.said(), b.cookies)
		}
		if strings.Contains(o.log.String(), o.provider.ClientSecret) || strings.Contains(w.Body.String(), "issuer.example") {
			t.Errorf("%s: it says too much: %s", name, o.log.String())
		}
	}
}

// TestCallbacks: what does not come back to the browser that began, as it began, lets nobody in.
func TestCallbacks(t *testing.T) {
	t.Parallel()
	const began = "__Host-replimend-sign-in"
	for name, change := range map[string]func(b *browser, q url.Values){
		"another state":     func(_ *browser, q url.Values) { q.Set("state", "another") },
		"no state":          func(_ *browser, q url.Values) { q.Del("state") },
		"another issuer":    func(_ *browser, q url.Values) { q.Set("iss", "https://issuer.example") },
		"another code":      func(_ *browser, q url.Values) { q.Set("code", "another") },
		"no code":           func(_ *browser, q url.Values) { q.Del("code") },
		"another browser":   func(b *browser, _ url.Values) { delete(b.cookies, began) },
		"another beginning": func(b *browser, _ url.Values) { b.get("/sign-in") },
		"a session for it": func(b *browser, _ url.Values) {
			c := b.office.browser()
			c.signIn("sub-of-john")
			b.cookies[began] = c.cookies[session]
		},
		"too late": func(b *browser, _ url.Values) { b.pass(10 * time.Minute) },
	} {
		o := newOffice(t, as)
		b := o.browser()
		o.provider.As("sub-of-jane")
		back := b.follow(b.get("/sign-in?to=" + o.id).Header().Get("Location"))
		u, err := url.Parse(back)
		if err != nil {
			t.Fatal(err)
		}
		q := u.Query()
		change(b, q)
		if w := b.get("/callback?" + q.Encode()); w.Code != http.StatusForbidden || o.said() != "sign-in-failed" || len(b.cookies) > 0 {
			t.Errorf("%s: %d %s %v", name, w.Code, o.said(), b.cookies)
		}
	}
	// A code of one browser is nothing in another one, which began by itself.
	o := newOffice(t, as)
	mine, theirs := o.browser(), o.browser()
	o.provider.As("sub-of-jane")
	back := theirs.follow(theirs.get("/sign-in").Header().Get("Location"))
	code := back[strings.Index(back, "code=")+5:]
	code, _, _ = strings.Cut(code, "&")
	at, err := url.Parse(mine.get("/sign-in").Header().Get("Location"))
	if err != nil {
		t.Fatal(err)
	}
	if w := mine.get("/callback?code=" + code + "&state=" + at.Query().Get("state")); w.Code != http.StatusForbidden || len(mine.cookies) > 0 {
		t.Errorf("a code of another browser: %d %s", w.Code, o.said())
	}
	// And what came back comes back once.
	back = mine.follow(mine.get("/sign-in").Header().Get("Location"))
	kept := mine.cookies[began]
	if w := mine.get(back); w.Code != http.StatusSeeOther {
		t.Fatalf("%d %s", w.Code, o.said())
	}
	again := o.browser()
	again.cookies[began] = kept
	if w := again.get(back); w.Code != http.StatusForbidden || len(again.cookies) > 0 {
		t.Errorf("once more: %d %s", w.Code, o.said())
	}
}

// TestNoOpenRedirect: whatever asks to be sent somewhere is sent to an incident or the list.
func TestNoOpenRedirect(t *testing.T) {
	t.Parallel()
	o := newOffice(t, as)
	for _, to := range []string{
		"https://evil.example", "//evil.example", "/\\evil.example", "/sign-out", "inc-x", "inc-0123456789abcdef0123/../..", "javascript:alert(1)",
		"inc-0123456789abcdef0123@evil.example", "",
	} {
		b := o.browser()
		o.provider.As("sub-of-jane")
		w := b.get(b.follow(b.get("/sign-in?to=" + url.QueryEscape(to)).Header().Get("Location")))
		if w.Code != http.StatusSeeOther || w.Header().Get("Location") != "/incidents" {
			t.Errorf("%s: %d %s", to, w.Code, w.Header().Get("Location"))
		}
	}
}

// TestProviderIsBounded: the page asks the provider over HTTPS alone, reads no more than it needs to, and follows it nowhere else.
func TestProviderIsBounded(t *testing.T) {
	t.Parallel()
	other := oidctest.New(t, "replimend", "")
	for name, h := range map[string]http.HandlerFunc{
		"redirects": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, other.URL+r.URL.Path, http.StatusFound)
		},
		"goes round": func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, r.URL.Path, http.StatusFound) },
		"does not end": func(w http.ResponseWriter, _ *http.Request) {
			for range 64 << 10 {
				if _, err := w.Write([]byte(strings.Repeat(" ", 64))); err != nil {
					return
				}
			}
		},
		"plain": func(w http.ResponseWriter, r *http.Request) {
			for _, text := range []string{
				`{"issuer":"https://` + r.Host + `","authorization_endpoint":"http://evil.example/","token_endpoint":"https://x.example/","jwks_uri":"https://x.example/"}`,
			} {
				w.Header().Set("Content-Type", "application/json")
				if _, err := w.Write([]byte(text)); err != nil {
					t.Error(err)
				}
			}
		},
		"fails": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) },
	} {
		o := newOffice(t, as)
		s := httptest.NewTLSServer(h)
		o.Provider = &site.Provider{Issuer: s.URL, Client: "replimend", HTTP: site.NewClient(s.Client().Transport), Now: o.time}
		if w := o.browser().get("/sign-in"); w.Code != http.StatusBadGateway || o.said() != "sign-in-failed" {
			t.Errorf("%s: %d %s", name, w.Code, o.said())
		}
		s.Close()
	}
	o := newOffice(t, as)
	s := httptest.NewServer(http.NotFoundHandler())
	defer s.Close()
	o.Provider = &site.Provider{Issuer: s.URL, Client: "replimend", HTTP: site.NewClient(nil), Now: o.time}
	if w := o.browser().get("/sign-in"); w.Code != http.StatusBadGateway || !strings.Contains(o.log.String(), "not asked over HTTPS") {
		t.Errorf("over HTTP: %d %s", w.Code, o.log.String())
	}
	if other.Asked("/.well-known/openid-configuration") > 0 {
		t.Error("it is followed to another host")
	}
}
