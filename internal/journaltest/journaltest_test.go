package journaltest_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/replimend/replimend/internal/incident"
	"github.com/replimend/replimend/internal/journaltest"
)

// memory is a Ledger for many goroutines.
type memory struct {
	mu     sync.Mutex
	ledger incident.Ledger
	clock  *journaltest.Clock
}

func (m *memory) Open(_ context.Context, i incident.Incident) (incident.Incident, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.ledger.Open(i)
}

func (m *memory) Record(_ context.Context, i incident.Incident) (incident.Incident, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.ledger.Record(i)
}

func (m *memory) Past(_ context.Context, r incident.Route, since time.Time) (incident.Past, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.ledger.Past(r, since), nil
}

func (m *memory) Get(_ context.Context, id string) (incident.Incident, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.ledger.Get(id)
}

func (m *memory) List(_ context.Context, f incident.Filter) ([]incident.Summary, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.ledger.List(f), nil
}

func (m *memory) Lock(_ context.Context, holder string, documents []string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.ledger.Lock(holder, documents, m.clock.Now())
}

func (m *memory) Unlock(_ context.Context, holder string, documents []string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.ledger.Unlock(holder, documents)
	return nil
}

func (m *memory) Suppress(_ context.Context, s incident.Suppression) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.ledger.Suppress(s, m.clock.Now())
}

func (m *memory) Lift(_ context.Context, s incident.Suppression) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.ledger.Lift(s)
	return nil
}

func (m *memory) Suppressed(_ context.Context, r incident.Route) ([]incident.Suppression, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.ledger.Suppressed(r, m.clock.Now()), nil
}

func (m *memory) Silences(context.Context) ([]incident.Suppression, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.ledger.Silences(), nil
}

func (m *memory) Approve(_ context.Context, a incident.Approval) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.ledger.Approve(a)
}

func (m *memory) Answers(_ context.Context, id string) ([]incident.Approval, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.ledger.Answers(id), nil
}

func (m *memory) Use(_ context.Context, a incident.Approval) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.ledger.Use(a, m.clock.Now())
}

func TestMemory(t *testing.T) {
	t.Parallel()
	journaltest.Run(t, 100, func(_ *testing.T, c *journaltest.Clock) journaltest.Subject {
		m := &memory{clock: c}
		return journaltest.Subject{Journal: m, Answers: m}
	})
}
