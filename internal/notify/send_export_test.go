package notify

import (
	"context"
	"crypto/x509"
	"net"

	"github.com/replimend/replimend/internal/secret"
)

// NewTestClient is a client that reaches a test's endpoint, whatever its address.
func NewTestClient(dial func(ctx context.Context, network, address string) (net.Conn, error), roots *x509.CertPool) *Client {
	return newClient(dial, roots)
}

// Close ends what a client holds open.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// Public says whether an address may be connected to.
func Public(address string) bool { return public(address) == nil }

// Get asks for a URL once, and gives the error alone.
func (c *Client) Get(url string) error {
	_, err := c.once(context.Background(), Request{Method: "GET", URL: url}, secret.Secret{}, []string{"localhost"})
	return err
}
