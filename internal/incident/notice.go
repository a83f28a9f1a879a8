package incident

import (
	"fmt"
	"slices"
	"time"
)

// Notice is what is remembered of what one target was told of one incident.
type Notice struct {
	// Incident is the incident's ID, or what stands for a message that is about none.
	Incident string `json:"incident"`
	Target   string `json:"target"`
	// Revision counts what was kept; 0: nothing is remembered.
	Revision int64 `json:"revision"`

	// Said is the digest of what was said last, and At when; "": nothing was yet.
	Said string    `json:"said,omitempty"`
	At   time.Time `json:"at,omitzero"`
	// ID and Channel are what the target calls the message that it shows.
	ID      string `json:"id,omitempty"`
	Channel string `json:"channel,omitempty"`
	// Over says that nothing more is to be said.
	Over bool `json:"over,omitempty"`

	// Latest is as of when the latest message is that came for the target: an older one is not told any more.
	Latest time.Time `json:"latest,omitzero"`
	// Held is the digest of what waits in the queue until it may be said; "": nothing does.
	Held string `json:"held,omitempty"`
	// Until is until when somebody has the word, who is about to say something; zero: nobody.
	Until time.Time `json:"until,omitzero"`
}

// Ring is the time within which messages to a target are counted.
const Ring = time.Hour

// Notices says what a journal does with notices. It is that journal in memory. Others must do the same, and the suite in package
// journaltest compares them with it. Time comes in as values.
type Notices struct {
	kept  map[[2]string]Notice
	spent map[string][]time.Time
}

// Notice is what is remembered of what a target was told of an incident. Where that is nothing its revision is 0.
func (l *Notices) Notice(incident, target string) Notice {
	if n, ok := l.kept[[2]string{incident, target}]; ok {
		return n
	}
	return Notice{Incident: incident, Target: target}
}

// Keep remembers a notice in place of the revision that it was read as, and gives it with its new one. ErrStale: it is another one by now.
func (l *Notices) Keep(n Notice) (Notice, error) {
	if now := l.Notice(n.Incident, n.Target); now.Revision != n.Revision {
		return Notice{}, fmt.Errorf("keep notice of %s to %s: %w", n.Incident, n.Target, ErrStale)
	}
	if l.kept == nil {
		l.kept = map[[2]string]Notice{}
	}
	n.Revision++
	l.kept[[2]string{n.Incident, n.Target}] = n
	return n, nil
}

// Admit counts one more message to a target, of which there are that many within a Ring at most. Where there is no room it counts
// nothing, and gives after how long there is.
func (l *Notices) Admit(target string, most int, now time.Time) (wait time.Duration) {
	times, wait := Admitted(l.spent[target], most, now)
	if l.spent == nil {
		l.spent = map[string][]time.Time{}
	}
	l.spent[target] = times
	return wait
}

// Admitted counts one more message after those of that many times, the earliest first, and leaves out those that count no more. Where
// there is no room for it, it gives after how long there is.
func Admitted(times []time.Time, most int, now time.Time) (counted []time.Time, wait time.Duration) {
	counted = slices.DeleteFunc(slices.Clone(times), func(t time.Time) bool { return !t.Add(Ring).After(now) })
	if n := len(counted); n >= most {
		return counted, counted[n-max(most, 1)].Add(Ring).Sub(now)
	}
	return append(counted, now), 0
}
