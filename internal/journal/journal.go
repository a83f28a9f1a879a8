// Package journal keeps the record: incidents, what was written and what stood there before, locks, suppressions and approvals.
// What it does is said by incident.Ledger; here is where that is kept, so that no two writers lose each other's words.
//
// Functions keep it in DynamoDB, the command line without a table keeps it in a file. Both pass the suite in package journaltest.
// It decides nothing: what an outcome means is the workflow's, and whether somebody may approve is the approval function's.
package journal

import (
	"context"
	"math/rand/v2"
	"time"
)

// How often something is tried again that others came in the way of, and how long is waited in between: for a random time up to one
// that doubles from the first to the longest wait.
// https://aws.amazon.com/builders-library/timeouts-retries-and-backoff-with-jitter/
const (
	maxTries    = 12
	firstWait   = 20 * time.Millisecond
	longestWait = time.Second
)

// contend does something until nobody comes in its way, or it was tried often enough: then the last error is returned.
func contend(ctx context.Context, do func() error) error {
	longest := firstWait
	for try := 1; ; try++ {
		err := do()
		if err == nil || !contended(err) || try == maxTries {
			return err
		}
		if e := wait(ctx, rand.N(longest)); e != nil {
			return e
		}
		longest = min(2*longest, longestWait)
	}
}

// wait waits, or ends with the context.
func wait(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
