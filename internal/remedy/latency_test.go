package remedy_test

import (
	"context"
	"testing"
	"time"

	"github.com/replimend/replimend/internal/incident"
	"github.com/replimend/replimend/internal/patch"
	"github.com/replimend/replimend/internal/settings"
	"github.com/replimend/replimend/internal/snapshot"
)

// paced is the world with each port as slow as the calls of AWS that it makes one after the other. A look takes five rounds with the
// roles of two accounts to assume first, which TestRounds of package awscloud holds; the rest is counted from the code of the edges, with
// what only happens to the first of a kind.
type paced struct {
	*world
	wait    time.Duration // of one call; zero: calls are counted only
	calls   int           // one after the other
	patched int           // of these, until the last document was written
}

func (p *paced) took(calls int) {
	p.calls += calls
	time.Sleep(time.Duration(calls) * p.wait)
}

func (p *paced) Snapshot(ctx context.Context, bucket string, samples []incident.Object) (*snapshot.Snapshot, error) {
	p.took(5)
	return p.world.Snapshot(ctx, bucket, samples)
}

// Put assumes a role, reads the document, asks for a second opinion, and writes; then it reads the document again.
func (p *paced) Put(ctx context.Context, by incident.Authority, e patch.Edit) error {
	p.took(4)
	err := p.world.Put(ctx, by, e)
	p.patched = p.calls
	p.took(1)
	return err
}

// Open looks for the open incident, for the last one, and writes.
func (p *paced) Open(ctx context.Context, i incident.Incident) (incident.Incident, error) {
	p.took(3)
	return p.world.Open(ctx, i)
}

// Get looks where the incident is, and reads it and its documents.
func (p *paced) Get(ctx context.Context, id string) (incident.Incident, error) {
	p.took(3)
	return p.world.Get(ctx, id)
}

// Record reads where the incident is and what is kept, and writes.
func (p *paced) Record(ctx context.Context, i incident.Incident) (incident.Incident, error) {
	p.took(3)
	return p.world.Record(ctx, i)
}

// Past reads the incidents of the route, their documents, and the patches of the last hour.
func (p *paced) Past(ctx context.Context, r incident.Route, since time.Time) (incident.Past, error) {
	p.took(3)
	return p.world.Past(ctx, r, since)
}

func (p *paced) Lock(ctx context.Context, holder string, documents []string) error {
	p.took(1)
	return p.notes.Lock(ctx, holder, documents)
}

func (p *paced) Unlock(ctx context.Context, holder string, documents []string) error {
	p.took(1)
	return p.notes.Unlock(ctx, holder, documents)
}

func (p *paced) Thrown(ctx context.Context, accounts []string) ([]string, error) {
	p.took(1)
	return p.world.Thrown(ctx, accounts)
}

// patch takes one failure event to both documents of the route, as the functions do: one writes it down and hands it over, the other
// cures. The worker looks where the incident is before it goes on with it.
func (p *paced) patch() {
	p.t.Helper()
	p.approve(settings.Automatic)
	p.fail(objectKey)
	p.calls, p.patched = 0, 0
	p.workflow.Snapshotter, p.workflow.Store, p.workflow.Journal, p.workflow.Locker, p.workflow.Switches = p, p, p, p, p
	incidents, err := p.workflow.Report(p.t.Context(), p.failedBy)
	if err != nil || len(incidents) != 1 {
		p.t.Fatalf("%d incidents, %v", len(incidents), err)
	}
	p.took(1) // the message to the worker
	before, err := p.workflow.Journal.Get(p.t.Context(), incidents[0].ID)
	if err != nil {
		p.t.Fatal(err)
	}
	if i, err := p.workflow.Resume(p.t.Context(), before.ID); err != nil || i.Outcome != incident.Resolved || p.puts != 2 {
		p.t.Fatalf("outcome %s, %d writes, %v", i.Outcome, p.puts, err)
	}
}

// The time from an event to the patched documents may be a second, with 20 ms for each call.
const (
	callTime    = 20 * time.Millisecond
	mostPatched = int(time.Second / callTime)
)

// TestEventIsPatchedSoon counts calls, which no busy machine makes more.
func TestEventIsPatchedSoon(t *testing.T) {
	t.Parallel()
	p := &paced{world: newWorld(t, nil)}
	p.patch()
	if p.patched == 0 || p.patched > mostPatched {
		t.Errorf("%d calls one after the other until the last document is written, the limit is %d", p.patched, mostPatched)
	}
}

// BenchmarkEventToPatch waits 20 ms for each call, and says how long it takes from the event until both documents are written.
func BenchmarkEventToPatch(b *testing.B) {
	var calls int
	for b.Loop() {
		p := &paced{world: newWorld(b, nil), wait: callTime}
		p.patch()
		calls = p.patched
	}
	b.ReportMetric(float64(calls), "calls-to-patch")
	b.ReportMetric(float64(calls)*callTime.Seconds()*1000, "ms-to-patch")
}
