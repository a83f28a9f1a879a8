package remedy

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/replimend/replimend/internal/guard"
	"github.com/replimend/replimend/internal/incident"
)

// Notes is a journal in memory, with its locks and a kill switch. It lasts as long as the process: long enough for a rehearsal, not
// for a Lambda.
type Notes struct {
	// Now is the clock by which locks end.
	Now func() time.Time

	mu       sync.Mutex
	ledger   incident.Ledger
	switches []string
}

// Throw throws the kill switch of an account, or of guard.Hub.
func (n *Notes) Throw(where string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.switches = append(n.switches, where)
}

// Thrown is where the kill switch is thrown, of guard.Hub and those accounts; of every account without any.
func (n *Notes) Thrown(_ context.Context, accounts []string) ([]string, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	var out []string
	for _, where := range n.switches {
		if where == guard.Hub || len(accounts) == 0 || slices.Contains(accounts, where) {
			out = append(out, where)
		}
	}
	return out, nil
}

// Open is the ledger's.
func (n *Notes) Open(_ context.Context, i incident.Incident) (incident.Incident, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.ledger.Open(i)
}

// Record is the ledger's.
func (n *Notes) Record(_ context.Context, i incident.Incident) (incident.Incident, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.ledger.Record(i)
}

// Get is the ledger's.
func (n *Notes) Get(_ context.Context, id string) (incident.Incident, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.ledger.Get(id)
}

// List is the ledger's.
func (n *Notes) List(_ context.Context, f incident.Filter) ([]incident.Summary, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.ledger.List(f), nil
}

// Past is the ledger's.
func (n *Notes) Past(_ context.Context, r incident.Route, since time.Time) (incident.Past, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.ledger.Past(r, since), nil
}

// Incidents is everything that was recorded, the oldest first.
func (n *Notes) Incidents() []incident.Incident {
	n.mu.Lock()
	defer n.mu.Unlock()
	return slices.Clone(n.ledger.Incidents)
}

// Lock is the ledger's.
func (n *Notes) Lock(_ context.Context, holder string, documents []string) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.ledger.Lock(holder, documents, n.Now())
}

// Unlock is the ledger's.
func (n *Notes) Unlock(_ context.Context, holder string, documents []string) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.ledger.Unlock(holder, documents)
	return nil
}
