package journal_test

import (
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/replimend/replimend/internal/incident"
	"github.com/replimend/replimend/internal/journaltest"
	"github.com/replimend/replimend/internal/mototest"
)

// TestSpend: of many who take one word at the same time one has it, and another word is another one's.
func TestSpend(t *testing.T) {
	t.Parallel()
	clock := journaltest.NewClock()
	_, approvals := tables(t, client(t, mototest.Start(t)), clock)
	until := time.Date(2026, 11, 28, 13, 0, 0, 0, time.UTC)
	var got, used atomic.Int32
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			switch err := approvals.Spend(t.Context(), "one", until); {
			case err == nil:
				got.Add(1)
			case errors.Is(err, incident.ErrUsed):
				used.Add(1)
			default:
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if got.Load() != 1 || used.Load() != 7 {
		t.Errorf("%d have it, to %d it was used", got.Load(), used.Load())
	}
	if err := approvals.Spend(t.Context(), "another", until); err != nil {
		t.Error(err)
	}
}

// TestGiven: somebody is shown what they said last to a plan, and nobody else's answer, nor one to another plan.
func TestGiven(t *testing.T) {
	t.Parallel()
	clock := journaltest.NewClock()
	_, approvals := tables(t, client(t, mototest.Start(t)), clock)
	at := time.Date(2026, 11, 28, 13, 0, 0, 0, time.UTC)
	const id = "inc-0123456789abcdef0123"
	for n, answer := range []incident.Answer{incident.Approve, incident.Decline} {
		at := at.Add(time.Duration(n) * time.Minute)
		err := approvals.Approve(t.Context(), incident.Approval{
			Incident: id, Plan: "plan", Answer: answer, Approver: "jane", At: at, Expires: at.Add(time.Hour), MAC: []byte("seal"),
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	got, ok, err := approvals.Given(t.Context(), id, "plan", "jane")
	if err != nil || !ok || got.Answer != incident.Decline || !got.At.Equal(at.Add(time.Minute)) {
		t.Errorf("%+v, %t, %v", got, ok, err)
	}
	for _, other := range [][3]string{{id, "plan", "john"}, {id, "another", "jane"}, {"inc-ffffffffffffffffffff", "plan", "jane"}} {
		if got, ok, err := approvals.Given(t.Context(), other[0], other[1], other[2]); ok || err != nil {
			t.Errorf("%v: %+v, %v", other, got, err)
		}
	}
}
