package notify

import (
	"context"
	"crypto/x509"
	"net"
)

// NewTestClient is a client that reaches a test's endpoint, whatever its address.
func NewTestClient(dial func(ctx context.Context, network, address string) (net.Conn, error), roots *x509.CertPool) *Client {
	return newClient(dial, roots)
}

// SecretOf is a secret with that text.
func SecretOf(text string) Secret { return Secret{text} }

// Close ends what a client holds open.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// Public says whether an address may be connected to.
func Public(address string) bool { return public(address) == nil }

// Hide is an error in whose text the secret does not show.
func (s Secret) Hide(err error) error { return s.hide(err) }

// Get asks for a URL once, and gives the error alone.
func (c *Client) Get(url string) error {
	_, err := c.once(context.Background(), Request{Method: "GET", URL: url}, Secret{}, []string{"localhost"})
	return err
}
