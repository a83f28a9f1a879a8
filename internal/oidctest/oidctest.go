// Package oidctest is an OpenID provider for tests: it has one client, lets in whoever the test says without asking, and can be made to
// give tokens that nobody may take.
package oidctest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync"
	"testing"
	"time"

	jose "github.com/go-jose/go-jose/v4"
)

// Provider is one over HTTPS, whose certificate its Client knows. It counts what it is asked.
type Provider struct {
	*httptest.Server
	ClientID, ClientSecret string
	// Now is when tokens are given.
	Now func() time.Time

	t       *testing.T
	signs   jose.Signer
	forges  jose.Signer
	public  jose.JSONWebKeySet
	mu      sync.Mutex
	subject string
	refuses string
	forged  bool
	change  func(claims map[string]any)
	says    map[string]any
	codes   map[string]grant
	asked   map[string]int
}

// grant is what a code is good for, once.
type grant struct{ subject, nonce, challenge, redirect string }

// New starts a provider, which ends with the test.
func New(t *testing.T, client, secret string) *Provider {
	t.Helper()
	p := &Provider{
		ClientID: client, ClientSecret: secret, Now: time.Now, t: t, codes: map[string]grant{}, asked: map[string]int{}, says: map[string]any{},
	}
	p.signs, p.public = signer(t)
	p.forges, _ = signer(t)
	mux := http.NewServeMux()
	for path, h := range map[string]http.HandlerFunc{
		"GET /.well-known/openid-configuration": p.discovery, "GET /keys": p.keys, "GET /authorize": p.authorize, "POST /token": p.token,
	} {
		mux.HandleFunc(path, func(w http.ResponseWriter, r *http.Request) {
			p.mu.Lock()
			defer p.mu.Unlock()
			p.asked[r.URL.Path]++
			h(w, r)
		})
	}
	p.Server = httptest.NewTLSServer(mux)
	t.Cleanup(p.Close)
	return p
}

// signer has a new key, under the name that all of them have.
func signer(t *testing.T) (jose.Signer, jose.JSONWebKeySet) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	named := jose.JSONWebKey{Key: key, KeyID: "one", Algorithm: string(jose.ES256), Use: "sig"}
	s, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: named}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return s, jose.JSONWebKeySet{Keys: []jose.JSONWebKey{named.Public()}}
}

// As has whoever comes next be that subject; "": nobody is let in.
func (p *Provider) As(subject string) { p.set(func() { p.subject = subject }) }

// Change has claims of the tokens be changed before they are signed; nil: not any more.
func (p *Provider) Change(change func(claims map[string]any)) { p.set(func() { p.change = change }) }

// Forge has tokens be signed with a key that is not the provider's, or no longer.
func (p *Provider) Forge(on bool) { p.set(func() { p.forged = on }) }

// Refuse has the token endpoint refuse with that code; "": no longer.
func (p *Provider) Refuse(code string) { p.set(func() { p.refuses = code }) }

// Say has the provider say something else of itself.
func (p *Provider) Say(name string, value any) { p.set(func() { p.says[name] = value }) }

func (p *Provider) set(change func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	change()
}

// Asked is how often a path was asked.
func (p *Provider) Asked(path string) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.asked[path]
}

func (p *Provider) write(w http.ResponseWriter, status int, value any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	if err := json.NewEncoder(w).Encode(value); err != nil {
		p.t.Error(err)
	}
}

func (p *Provider) discovery(w http.ResponseWriter, _ *http.Request) {
	out := map[string]any{
		"issuer": p.URL, "authorization_endpoint": p.URL + "/authorize", "token_endpoint": p.URL + "/token", "jwks_uri": p.URL + "/keys",
		"id_token_signing_alg_values_supported": []string{"ES256"}, "response_types_supported": []string{"code"},
		"subject_types_supported": []string{"public"}, "code_challenge_methods_supported": []string{"S256"},
	}
	maps.Copy(out, p.says)
	p.write(w, http.StatusOK, out)
}

func (p *Provider) keys(w http.ResponseWriter, _ *http.Request) { p.write(w, http.StatusOK, p.public) }

// authorize sends whoever comes back with a code, and wants what the specifications want.
func (p *Provider) authorize(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	for name, want := range map[string]string{
		"response_type": "code", "client_id": p.ClientID, "scope": "openid", "code_challenge_method": "S256",
	} {
		if q.Get(name) != want {
			http.Error(w, name, http.StatusBadRequest)
			return
		}
	}
	if q.Get("state") == "" || q.Get("nonce") == "" || q.Get("code_challenge") == "" {
		http.Error(w, "state, nonce or code_challenge is missing", http.StatusBadRequest)
		return
	}
	back := url.Values{"state": {q.Get("state")}, "iss": {p.URL}}
	if p.subject == "" {
		back.Set("error", "access_denied")
	} else {
		code := rand.Text()
		p.codes[code] = grant{p.subject, q.Get("nonce"), q.Get("code_challenge"), q.Get("redirect_uri")}
		back.Set("code", code)
	}
	http.Redirect(w, r, q.Get("redirect_uri")+"?"+back.Encode(), http.StatusFound)
}

// token gives an id_token for a code.
func (p *Provider) token(w http.ResponseWriter, r *http.Request) {
	client, secret, basic := r.BasicAuth()
	if basic { // https://www.rfc-editor.org/rfc/rfc6749#section-2.3.1
		var errs [2]error
		client, errs[0] = url.QueryUnescape(client)
		secret, errs[1] = url.QueryUnescape(secret)
		if err := errors.Join(errs[:]...); err != nil {
			p.t.Error(err)
		}
	} else {
		client, secret = r.PostFormValue("client_id"), r.PostFormValue("client_secret")
	}
	g, known := p.codes[r.PostFormValue("code")]
	delete(p.codes, r.PostFormValue("code"))
	challenge := sha256.Sum256([]byte(r.PostFormValue("code_verifier")))
	switch {
	case p.refuses != "":
		p.write(w, http.StatusBadRequest, map[string]string{"error": p.refuses, "error_description": "of " + secret})
		return
	case client != p.ClientID || secret != p.ClientSecret:
		p.write(w, http.StatusUnauthorized, map[string]string{"error": "invalid_client"})
		return
	case !known || r.PostFormValue("redirect_uri") != g.redirect || base64.RawURLEncoding.EncodeToString(challenge[:]) != g.challenge:
		p.write(w, http.StatusBadRequest, map[string]string{"error": "invalid_grant"})
		return
	}
	claims := map[string]any{
		"iss": p.URL, "aud": p.ClientID, "sub": g.subject, "nonce": g.nonce, "iat": p.Now().Unix(), "exp": p.Now().Add(time.Minute).Unix(),
	}
	if p.change != nil {
		p.change(claims)
	}
	text, err := json.Marshal(claims)
	if err != nil {
		p.t.Error(err)
		return
	}
	signs := p.signs
	if p.forged {
		signs = p.forges
	}
	signed, err := signs.Sign(text)
	if err != nil {
		p.t.Error(err)
		return
	}
	id, err := signed.CompactSerialize()
	if err != nil {
		p.t.Error(err)
		return
	}
	p.write(w, http.StatusOK, map[string]any{"access_token": rand.Text(), "token_type": "Bearer", "expires_in": 60, "id_token": id})
}
