package incident

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"time"
)

// MaxSuppression is how long a route can be silenced at most: what is to be silent longer belongs in replimend.yaml, where it is
// reviewed.
const MaxSuppression = 90 * 24 * time.Hour

// Suppression silences a route, or one cause of its failing, for a time: nothing is done about it. Somebody answers for it. A route has
// at most one for each cause, and one for all of them. It is kept when it has ended, until people were told.
type Suppression struct {
	Route   Route     `json:"route"`
	Cause   string    `json:"cause,omitempty"` // in kebab-case; "": every cause
	Owner   string    `json:"owner"`           // who answers for it, in words or an ARN
	Reason  string    `json:"reason"`
	Expires time.Time `json:"expires"`
}

// The bounds of what people write, in bytes.
const (
	maxWords = 1024 // of an owner or a reason
	maxCause = 128
)

// Check says what is missing from it, or why it may not begin now.
func (s Suppression) Check(now time.Time) error {
	switch {
	case s.Route.Source == "" || s.Route.Rule == "" || s.Route.Destination == "":
		return errors.New("a suppression needs the whole route")
	case len(s.Cause) > maxCause:
		return errors.New("a suppression needs the name of a cause, or none")
	case s.Owner == "" || len(s.Owner) > maxWords:
		return errors.New("a suppression needs an owner")
	case s.Reason == "" || len(s.Reason) > maxWords:
		return errors.New("a suppression needs a reason")
	case !s.Expires.After(now):
		return errors.New("a suppression must expire in the future")
	case s.Expires.After(now.Add(MaxSuppression)):
		return fmt.Errorf("a suppression lasts at most %d days", int(MaxSuppression.Hours()/24))
	}
	return nil
}

// Ended says that it is no longer in force.
func (s Suppression) Ended(now time.Time) bool { return !now.Before(s.Expires) }

// String is "jane until 2026-11-30T12:00:00Z: migration", clean and bounded; of one cause with that before it.
func (s Suppression) String() string {
	text := fmt.Sprintf("%s until %s: %s", Line(s.Owner), s.Expires.UTC().Format(time.RFC3339), Line(s.Reason))
	if s.Cause != "" {
		text = "cause " + Line(s.Cause) + " by " + text
	}
	return text
}

// of says whether both are of one route and cause.
func (s Suppression) of(t Suppression) bool { return s.Route == t.Route && s.Cause == t.Cause }

// Same says whether both are the very same suppression, and not one of them a later one in the other's place.
func (s Suppression) Same(t Suppression) bool {
	return s.of(t) && s.Owner == t.Owner && s.Reason == t.Reason && s.Expires.Equal(t.Expires)
}

// FirstEnds orders suppressions as lists have them.
func FirstEnds(a, b Suppression) int {
	return cmp.Or(a.Expires.Compare(b.Expires), cmp.Compare(a.Route.Source, b.Route.Source), cmp.Compare(a.Route.Rule, b.Route.Rule),
		cmp.Compare(a.Route.Destination, b.Route.Destination), cmp.Compare(a.Cause, b.Cause))
}

// Silenced is which of the suppressions of a route, all of them in force, silence a route that fails for those causes: that of every
// cause, or those that together have each of them. Nil: it is not silent. A route without a cause is silenced only by that of every cause.
func Silenced(inForce []Suppression, causes []string) []Suppression {
	var by []Suppression
	for _, s := range inForce {
		switch {
		case s.Cause == "":
			return []Suppression{s}
		case slices.Contains(causes, s.Cause):
			by = append(by, s)
		}
	}
	for _, c := range causes {
		if !slices.ContainsFunc(by, func(s Suppression) bool { return s.Cause == c }) {
			return nil
		}
	}
	return by
}
