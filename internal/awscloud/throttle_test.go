package awscloud_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"

	"github.com/replimend/replimend/internal/awscloud"
	"github.com/replimend/replimend/internal/snapshot"
)

// patient is access with the retries of the SDK, into the cloud.
func patient(c *cloud) awscloud.Access {
	cfg := c.config(sourceAccount)
	cfg.Region = sourceRegion
	cfg.Retryer = func() aws.Retryer { return retry.NewStandard() }
	return awscloud.Access{Base: cfg, Direct: map[string]aws.Config{sourceAccount: cfg}}
}

// TestThrottlingPasses: each service says twice that the caller is too fast, and nothing of the snapshot is missing.
func TestThrottlingPasses(t *testing.T) {
	c, approved := network(1, 1, 2)
	c.throttle = map[string]int{"s3:policy": 2, "s3:head": 2, "iam:GetRole": 2, "iam:GetRolePolicy": 2, "kms:GetKeyPolicy": 2}
	a := patient(c)
	a.Direct[destinationAccount] = c.config(destinationAccount)
	quick := a.Direct[destinationAccount]
	quick.Retryer = a.Base.Retryer
	a.Direct[destinationAccount] = quick
	s, rounds := waited(t, c, a, awscloud.ReadOptions{Approved: approved})
	if len(s.Unreadable) > 0 || s.Buckets["source-0"].V.Policy.State != snapshot.Absent || s.Roles[approved[0].Role.ARN].V.Inline.State != snapshot.Present {
		t.Errorf("unreadable: %v", s.Unreadable)
	}
	if rounds <= 2*3 {
		t.Errorf("%d rounds: nobody waited before trying again", rounds)
	}
}

// TestThrottlingStays: what is throttled to the end is missing and says so. It is not absent.
func TestThrottlingStays(t *testing.T) {
	c, approved := network(1, 1, 2)
	c.throttle = map[string]int{"s3:policy": -1, "iam:ListRolePolicies": -1, "kms:GetKeyPolicy": -1}
	a := patient(c)
	var waits []time.Duration
	for range 3 {
		synctest.Test(t, func(t *testing.T) {
			begun := time.Now()
			s, err := awscloud.NewReader(awscloud.NewAccounts(a), awscloud.ReadOptions{Approved: approved}).Snapshot(t.Context(), "source-0", nil)
			if err != nil {
				t.Fatal(err)
			}
			waits = append(waits, time.Since(begun))
			if b := s.Buckets["source-0"].V; b.Policy.State != snapshot.Missing || b.Tags.State != snapshot.Absent {
				t.Errorf("policy %d, tags %d", b.Policy.State, b.Tags.State)
			}
			for path, code := range map[string]string{
				"buckets.source-0.policy": "SlowDown: ", "roles." + approved[0].Role.ARN.String() + ".inline": "Throttling: ",
				"keys." + approved[0].SourceKeys[0].String() + ".policy": "ThrottlingException: ",
			} {
				if !strings.HasPrefix(s.Unreadable[path], code) {
					t.Errorf("unreadable[%s] = %q", path, s.Unreadable[path])
				}
			}
		})
	}
	if waits[0] == waits[1] && waits[1] == waits[2] {
		t.Errorf("three times the same waiting, %v: no jitter", waits[0])
	}
}
