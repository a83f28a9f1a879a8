package queue

import (
	"context"
	"fmt"
	"regexp"

	"github.com/replimend/replimend/internal/policy"
)

// Sweep is a message of the sweep to itself: look at the buckets of an account in a Region, from the first one that stands after a
// name. Its JSON form is {"account": "111122223333", "region": "us-east-1"}, with "after": "bucket" where it goes on.
type Sweep struct {
	Account string `json:"account"`
	Region  string `json:"region"`
	// After is the name of the last bucket that was looked at; "": none yet.
	After string `json:"after,omitempty"`
}

// String is "account 111122223333 in us-east-1 after bucket b".
func (s Sweep) String() string {
	text := "account " + s.Account + " in " + s.Region
	if s.After != "" {
		text += " after bucket " + s.After
	}
	return text
}

// SendSweep puts a message into the sweep's queue.
func (q Queue) SendSweep(ctx context.Context, s Sweep) error {
	if err := q.send(ctx, s, 0); err != nil {
		return fmt.Errorf("send sweep of %s: %w", s, err)
	}
	return nil
}

// What a Region, and a bucket of old, can be called, and how long either is at most.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
var (
	regionName = regexp.MustCompile(`^[a-z]+(-[a-z]+)+-[0-9]+$`)
	bucketName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]*$`)
)

const (
	longestRegion = 32
	longestBucket = 255
)

// ParseSweep reads the body of a message. What is not exactly a Sweep is an error, fit for a log.
func ParseSweep(body string) (Sweep, error) {
	var s Sweep
	switch err := read(body, &s); {
	case err != nil:
		return Sweep{}, fmt.Errorf("read sweep: %w", err)
	case !policy.IsAccountID(s.Account) || len(s.Region) > longestRegion || !regionName.MatchString(s.Region):
		return Sweep{}, fmt.Errorf("read sweep: %.80q and %.80q are no account and Region", s.Account, s.Region)
	case s.After != "" && (len(s.After) > longestBucket || !bucketName.MatchString(s.After)):
		return Sweep{}, fmt.Errorf("read sweep: %.80q is not the name of a bucket", s.After)
	}
	return s, nil
}
