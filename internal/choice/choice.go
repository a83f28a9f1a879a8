// Package choice is what a button of a message stands for: one decision about one incident, as text and back. Whoever tells people writes
// it, and what comes back is read by whoever takes what they press; neither has to know the other.
package choice

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/replimend/replimend/internal/incident"
)

// Choice is a decision that somebody can make with one press.
type Choice struct {
	Incident string          // its ID
	Answer   incident.Answer // to its plan; NoAnswer: to silence its route
	Plan     string          // the hash of the plan that is answered; "" of a silence
	Lasts    time.Duration   // of a silence, one of Silences; 0 of an answer
}

// Silences is for how long routes can be silenced, the shortest first.
func Silences() []time.Duration {
	return []time.Duration{time.Hour, 8 * time.Hour, 24 * time.Hour, 7 * 24 * time.Hour}
}

// silence is what the action of a silence is called.
const silence = "silence"

// Action is what kind of decision it is: approve, decline, undo or silence.
func (c Choice) Action() string {
	if c.Answer == incident.NoAnswer {
		return silence
	}
	return string(c.Answer)
}

// Value is the rest of it: the incident, and the plan or for how many hours, in less than the 150 characters that the value of an option of
// Slack has. Parse reads both.
func (c Choice) Value() string {
	if c.Answer == incident.NoAnswer {
		return c.Incident + " " + hours(c.Lasts)
	}
	return c.Incident + " " + c.Plan
}

func hours(d time.Duration) string { return strconv.Itoa(int(d/time.Hour)) + "h" }

// Valid says whether there can be such a choice: whatever it is made of may have come from anywhere.
func (c Choice) Valid() bool {
	switch {
	case !incident.IsID(c.Incident):
		return false
	case c.Answer == incident.NoAnswer:
		return c.Plan == "" && slices.Contains(Silences(), c.Lasts)
	}
	return slices.Contains([]incident.Answer{incident.Approve, incident.Decline, incident.Undo}, c.Answer) && isPlan(c.Plan) && c.Lasts == 0
}

// isPlan says whether a text has the form of the hash of a plan: SHA-256 in hexadecimal, with the name of the algorithm or without.
func isPlan(s string) bool {
	hash := strings.TrimPrefix(s, "sha256:")
	return len(hash) == 64 && strings.Trim(hash, "0123456789abcdef") == ""
}

var errNone = errors.New("it is none that a button stands for")

// Parse reads what Action and Value of a valid choice give, and nothing else.
func Parse(action, value string) (Choice, error) {
	c := Choice{Answer: incident.Answer(action)}
	var of string
	c.Incident, of, _ = strings.Cut(value, " ")
	if action == silence {
		c.Answer = incident.NoAnswer
		for _, d := range Silences() {
			if hours(d) == of {
				c.Lasts = d
			}
		}
	} else {
		c.Plan = of
	}
	if action == "" || !c.Valid() {
		return Choice{}, fmt.Errorf("read decision: %w", errNone)
	}
	return c, nil
}
