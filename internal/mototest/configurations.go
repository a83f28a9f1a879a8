package mototest

import (
	"bytes"
	"io"
	"net/http"
	"sync"
)

// Configurations stands in for what moto forgets of the configuration of buckets: it gives back a replication configuration as it
// was put, where moto leaves out SourceSelectionCriteria, and knows who pays for requests. Its Handle can be given to a Proxy.
type Configurations struct {
	mu          sync.Mutex
	replication map[string][]byte // by the path of the bucket
}

// Handle answers for moto, or lets a request through to it.
func (c *Configurations) Handle(w http.ResponseWriter, r *http.Request) bool {
	switch query := r.URL.Query(); {
	case query.Has("requestPayment") && r.Method == http.MethodGet:
		_, _ = w.Write([]byte(`<RequestPaymentConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Payer>BucketOwner</Payer></RequestPaymentConfiguration>`))
		return true
	case query.Has("replication"):
		return c.replicated(w, r)
	}
	return false
}

func (c *Configurations) replicated(w http.ResponseWriter, r *http.Request) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch r.Method {
	case http.MethodPut:
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return false
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		if c.replication == nil {
			c.replication = map[string][]byte{}
		}
		c.replication[r.URL.Path] = body
	case http.MethodDelete:
		delete(c.replication, r.URL.Path)
	case http.MethodGet:
		if body, ok := c.replication[r.URL.Path]; ok {
			w.Header().Set("Content-Type", "application/xml")
			_, _ = w.Write(body)
			return true
		}
	}
	return false
}
