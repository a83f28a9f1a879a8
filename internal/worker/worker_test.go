package worker

import (
	"testing"

	"github.com/replimend/replimend/internal/incident"
	"github.com/replimend/replimend/internal/queue"
)

// TestCarries: of any number of messages of one incident, one looks again.
func TestCarries(t *testing.T) {
	t.Parallel()
	open, applied := incident.Incident{Outcome: incident.Open}, incident.Incident{Outcome: incident.Applied}
	for name, tt := range map[string]struct {
		work          queue.Work
		received      int
		before, after incident.Incident
		want          bool
	}{
		"who applied the cure":            {queue.Work{}, 1, open, applied, true},
		"who found it applied":            {queue.Work{}, 1, applied, applied, false},
		"who looks again":                 {queue.Work{Again: true}, 1, applied, applied, true},
		"whose first worker did not live": {queue.Work{}, 2, applied, applied, true},
	} {
		if got := carries(tt.work, tt.received, tt.before, tt.after); got != tt.want {
			t.Errorf("%s: %t, want %t", name, got, tt.want)
		}
	}
}
