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
