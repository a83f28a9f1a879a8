package site

import (
	"cmp"
	"context"
	"crypto/subtle"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
)

// Provider is the OpenID provider where people sign in. What it says of itself is asked once in an hour, and its keys when one is new.
type Provider struct {
	Issuer, Client string
	// Secret is the client's; nil: it has none.
	Secret func(ctx context.Context) (string, error)
	// HTTP is how it is reached: see NewClient.
	HTTP *http.Client
	Now  func() time.Time

	mu    sync.Mutex
	found *oidc.Provider
	until time.Time
}

// The bounds of what the provider is asked, and how long what it says of itself is known.
const (
	providerTimeout = 10 * time.Second
	maxProvider     = 1 << 20 // bytes of a body
	maxRedirects    = 2
	providerFor     = time.Hour
)

// NewClient is a client that asks providers over HTTPS alone, reads no more than a bounded body, and follows no redirect to another host.
// It reaches them through a transport; nil: that of the process.
func NewClient(through http.RoundTripper) *http.Client {
	return &http.Client{
		Transport: bounded{cmp.Or(through, http.DefaultTransport)}, Timeout: providerTimeout,
		CheckRedirect: func(r *http.Request, via []*http.Request) error {
			if len(via) > maxRedirects || r.URL.Host != via[0].URL.Host {
				return fmt.Errorf("redirected to %.100s", r.URL.Host)
			}
			return nil
		},
	}
}

type bounded struct{ through http.RoundTripper }

func (b bounded) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.URL.Scheme != "https" {
		return nil, fmt.Errorf("%.100s is not asked over HTTPS", r.URL.Host)
	}
	out, err := b.through.RoundTrip(r)
	if err == nil {
		out.Body = http.MaxBytesReader(nil, out.Body, maxProvider)
	}
	return out, err
}

// provider is what the provider says of itself.
func (p *Provider) provider(ctx context.Context) (*oidc.Provider, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.found != nil && p.Now().Before(p.until) {
		return p.found, nil
	}
	found, err := oidc.NewProvider(oidc.ClientContext(ctx, p.HTTP), p.Issuer)
	if err != nil {
		return nil, fmt.Errorf("discover %s: %w", p.Issuer, err)
	}
	// The browser is sent there, with no client of ours to look.
	if at := found.Endpoint().AuthURL; !strings.HasPrefix(at, "https://") {
		return nil, fmt.Errorf("discover %s: people would sign in at %.100q", p.Issuer, at)
	}
	p.found, p.until = found, p.Now().Add(providerFor)
	return found, nil
}

// config is the client that the page at that origin is.
func (p *Provider) config(ctx context.Context, found *oidc.Provider, origin string) (*oauth2.Config, error) {
	c := &oauth2.Config{ClientID: p.Client, Endpoint: found.Endpoint(), RedirectURL: origin + "/callback", Scopes: []string{oidc.ScopeOpenID}}
	c.Endpoint.AuthStyle = oauth2.AuthStyleInParams
	if p.Secret == nil {
		return c, nil
	}
	var says struct {
		Methods []string `json:"token_endpoint_auth_methods_supported"`
	}
	if err := found.Claims(&says); err != nil {
		return nil, fmt.Errorf("read what %s says of itself: %w", p.Issuer, err)
	}
	// Without a word of the provider it is client_secret_basic.
	// https://openid.net/specs/openid-connect-discovery-1_0.html#ProviderMetadata
	if len(says.Methods) == 0 || slices.Contains(says.Methods, "client_secret_basic") {
		c.Endpoint.AuthStyle = oauth2.AuthStyleInHeader
	}
	var err error
	c.ClientSecret, err = p.Secret(ctx)
	return c, err
}

// at is where somebody signs in who began it with that.
func (p *Provider) at(ctx context.Context, origin string, b began) (string, error) {
	found, err := p.provider(ctx)
	if err != nil {
		return "", err
	}
	c, err := p.config(ctx, found, origin)
	if err != nil {
		return "", err
	}
	return c.AuthCodeURL(b.State, oidc.Nonce(b.Nonce), oauth2.S256ChallengeOption(b.Verifier)), nil
}

// subject is the claim sub of who signed in, from the code that the provider gave for what was begun.
// https://openid.net/specs/openid-connect-core-1_0.html#IDTokenValidation
func (p *Provider) subject(ctx context.Context, origin, code string, b began) (string, error) {
	found, err := p.provider(ctx)
	if err != nil {
		return "", err
	}
	c, err := p.config(ctx, found, origin)
	if err != nil {
		return "", err
	}
	ctx = oidc.ClientContext(ctx, p.HTTP)
	tokens, err := c.Exchange(ctx, code, oauth2.VerifierOption(b.Verifier))
	if err != nil {
		return "", fmt.Errorf("exchange code: %w", withoutBody(err))
	}
	raw, ok := tokens.Extra("id_token").(string)
	if !ok {
		return "", errors.New("exchange code: the provider gave no id_token")
	}
	// The audience, the issuer, the signature and the times are looked at here; the rest of what the specification wants below.
	id, err := found.Verifier(&oidc.Config{ClientID: p.Client, Now: p.Now}).Verify(ctx, raw)
	if err != nil {
		return "", fmt.Errorf("verify id_token: %w", err)
	}
	var party struct {
		Authorized string `json:"azp"`
	}
	if err := id.Claims(&party); err != nil {
		return "", fmt.Errorf("verify id_token: %w", err)
	}
	switch {
	case subtle.ConstantTimeCompare([]byte(id.Nonce), []byte(b.Nonce)) != 1 || b.Nonce == "":
		return "", errors.New("verify id_token: it is of another sign-in")
	case party.Authorized != p.Client && (party.Authorized != "" || len(id.Audience) > 1):
		return "", errors.New("verify id_token: it was given to another client")
	case id.Subject == "":
		return "", errors.New("verify id_token: it names nobody")
	}
	return id.Subject, nil
}

// withoutBody is an error of the exchange without what the provider answered beside its code, which may quote what it was sent.
func withoutBody(err error) error {
	var refused *oauth2.RetrieveError
	if errors.As(err, &refused) {
		status := 0
		if refused.Response != nil {
			status = refused.Response.StatusCode
		}
		return fmt.Errorf("status %d, %.60q", status, refused.ErrorCode)
	}
	return err
}
