package remedy

import (
	"context"
	"sync"
	"time"

	"github.com/replimend/replimend/internal/guard"
	"github.com/replimend/replimend/internal/incident"
)

// Notes is a journal in memory. It lasts as long as the process: long enough for a rehearsal, not for a Lambda.
type Notes struct {
	// Now is the clock by which an hour is counted.
	Now func() time.Time

	mu        sync.Mutex
	incidents []incident.Incident
	switches  []string
}

// Throw throws the kill switch of an account, or of guard.Hub.
func (n *Notes) Throw(where string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.switches = append(n.switches, where)
}

// Incidents is everything that was recorded, the oldest first.
func (n *Notes) Incidents() []incident.Incident {
	n.mu.Lock()
	defer n.mu.Unlock()
	return append([]incident.Incident(nil), n.incidents...)
}

// Record keeps the incident.
func (n *Notes) Record(_ context.Context, i incident.Incident) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	i.Changes = append([]incident.Change(nil), i.Changes...)
	i.Timeline = append([]incident.Entry(nil), i.Timeline...)
	for k := range n.incidents {
		if n.incidents[k].ID == i.ID {
			n.incidents[k] = i
			return nil
		}
	}
	n.incidents = append(n.incidents, i)
	return nil
}

// Past counts what was recorded.
func (n *Notes) Past(_ context.Context, r incident.Route) (Past, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	h := Past{History: guard.History{AccountPatches: map[string]int{}, KillSwitches: append([]string(nil), n.switches...)}}
	hourAgo := n.Now().Add(-time.Hour)
	for _, i := range n.incidents {
		if i.Patched.IsZero() {
			continue
		}
		h.Changes = append(h.Changes, i.Changes...)
		if i.Route == r {
			if i.Patched.After(h.Patched) {
				h.Patched = i.Patched
			}
			switch i.Outcome {
			case incident.Escalated:
				h.FailedCures++
			case incident.Proven, incident.Resolved:
				h.FailedCures = 0
			default:
			}
		}
		if !i.Patched.After(hourAgo) {
			continue
		}
		if i.Route == r {
			h.RoutePatches++
		}
		accounts := map[string]bool{}
		for _, c := range i.Changes {
			if c.State != incident.Unmade && !accounts[c.Account] {
				accounts[c.Account] = true
				h.AccountPatches[c.Account]++
			}
		}
	}
	return h, nil
}
