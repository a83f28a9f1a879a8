package incident

import (
	"errors"
	"fmt"
	"time"
)

// MaxSuppression is how long a route can be silenced at most: what is to be silent longer belongs in replimend.yaml, where it is
// reviewed.
const MaxSuppression = 90 * 24 * time.Hour

// Suppression silences a route for a time: nothing is done about it. Somebody answers for it.
type Suppression struct {
	Route   Route     `json:"route"`
	Owner   string    `json:"owner"` // who answers for it, in words or an ARN
	Reason  string    `json:"reason"`
	Expires time.Time `json:"expires"`
}

// maxWords is how long an owner or a reason is at most, in bytes.
const maxWords = 1024

// Check says what is missing from it, or why it may not begin now.
func (s Suppression) Check(now time.Time) error {
	switch {
	case s.Route.Source == "" || s.Route.Rule == "" || s.Route.Destination == "":
		return errors.New("a suppression needs the whole route")
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
