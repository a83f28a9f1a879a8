package watcher

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/replimend/replimend/internal/incident"
	"github.com/replimend/replimend/internal/intake"
	"github.com/replimend/replimend/internal/policy"
	"github.com/replimend/replimend/internal/queue"
	"github.com/replimend/replimend/internal/settings"
)

// sent is a Sender that keeps what it is given, or refuses it.
type sent struct {
	work   []queue.Work
	refuse func(queue.Work) bool
}

func (s *sent) Send(_ context.Context, w queue.Work, _ time.Duration) error {
	if s.refuse != nil && s.refuse(w) {
		return errors.New("queue is down")
	}
	s.work = append(s.work, w)
	return nil
}

// watching is a Watcher with two routes that share a role, and one that protects what Security does.
func watching(t *testing.T) (*Watcher, *sent) {
	t.Helper()
	arn := func(s string) policy.ARN {
		a, err := policy.ParseARN(s)
		if err != nil {
			t.Fatal(err)
		}
		return a
	}
	var set settings.Settings
	set.Limits, set.Protected = settings.DefaultLimits(), []policy.ARN{arn("arn:aws:iam::111122223333:user/security")}
	for _, bucket := range []string{"ledger", "orders"} {
		set.Routes = append(set.Routes, settings.ApprovedRoute{
			Name: bucket, Source: settings.Bucket{Bucket: bucket, Account: "111122223333", Region: "us-east-1"},
			Destination: settings.Bucket{Bucket: bucket + "-dr", Account: "444455556666", Region: "eu-west-1"},
			Rule:        settings.Rule{ID: "r1"}, Role: settings.Role{ARN: arn("arn:aws:iam::111122223333:role/replication")},
		})
	}
	out := &sent{}
	now := time.Date(2026, 11, 28, 4, 0, 0, 0, time.UTC)
	return &Watcher{Settings: &set, Work: out, Log: slog.New(slog.NewJSONHandler(io.Discard, nil)), Now: func() time.Time { return now }}, out
}

func recorded(id, event, parameters, by, at string) intake.Message {
	source := "s3"
	if strings.Contains(event, "Role") {
		source = "iam"
	}
	return intake.Message{MessageID: id, Body: fmt.Sprintf(`{"eventVersion": "1.11", "eventSource": "%s.amazonaws.com", "eventName": %q, "awsRegion": "us-east-1",
		"eventTime": %q, "userIdentity": {"arn": %q}, "requestParameters": {%s}, "recipientAccountId": "111122223333"}`, source, event, at, by, parameters)}
}

// TestLooksAreBounded: whoever makes a lot of noise cannot have a change forgotten that forbids a cure.
func TestLooksAreBounded(t *testing.T) {
	t.Parallel()
	c, out := watching(t)
	batch := []intake.Message{recorded("m", "PutBucketPolicy", `"bucketName": "ledger"`, "arn:aws:iam::111122223333:user/security", "2026-11-28T03:00:00Z")}
	for n := range 40 {
		batch = append(batch, recorded(fmt.Sprint(n), "PutBucketPolicy", `"bucketName": "ledger"`, fmt.Sprintf("arn:aws:iam::111122223333:user/u%d", n), fmt.Sprintf("2026-11-28T03:%02d:00Z", n)))
	}
	if failed := c.Handle(t.Context(), append(batch, batch...)); len(failed) > 0 || len(out.work) != 1 {
		t.Fatalf("failed %q, sent %v", failed, out.work)
	}
	first := *out.work[0].Look
	if n := len(first.Changes); n != queue.MaxCalls || !strings.HasSuffix(first.Changes[0].Principal, "user/security") || !strings.HasSuffix(first.Changes[1].Principal, "user/u39") {
		t.Errorf("%d changes: %v", n, first.Changes)
	}
	slices.Reverse(batch)
	if c.Handle(t.Context(), batch); len(out.work) != 2 || !reflect.DeepEqual(*out.work[1].Look, first) {
		t.Errorf("in another order: %+v", out.work[1:])
	}
}

// TestLooks: what a batch makes the worker look at, and which messages come again when it cannot be told.
func TestLooks(t *testing.T) {
	t.Parallel()
	const by, at = "arn:aws:iam::111122223333:user/jane", "2026-11-28T03:00:00Z"
	ledger := incident.Route{Source: "ledger", Rule: "r1", Destination: "ledger-dr"}
	orders := incident.Route{Source: "orders", Rule: "r1", Destination: "orders-dr"}
	batch := []intake.Message{
		recorded("role", "PutRolePolicy", `"roleName": "replication"`, by, at),
		recorded("policy", "PutBucketPolicy", `"bucketName": "orders-dr"`, by, at),
		recorded("rules", "PutBucketReplication", `"bucketName": "ledger"`, by, at),
		recorded("other rules", "DeleteBucketReplication", `"bucketName": "amzn-s3-demo-other"`, by, at),
		recorded("other policy", "PutBucketPolicy", `"bucketName": "amzn-s3-demo-other"`, by, at),
		{MessageID: "poison", Body: "{"},
	}
	want := []incident.Route{ledger, orders, {Source: "ledger"}, {Source: "amzn-s3-demo-other"}}
	for name, tt := range map[string]struct {
		down   incident.Route
		failed []string
	}{
		"queue works":                  {incident.Route{Source: "none"}, []string{"poison"}},
		"queue refuses an approved":    {orders, []string{"poison", "policy", "role"}},
		"queue refuses a bucket's own": {incident.Route{Source: "amzn-s3-demo-other"}, []string{"other rules", "poison"}},
	} {
		c, out := watching(t)
		out.refuse = func(w queue.Work) bool { return w.Look.Route == tt.down }
		if failed := c.Handle(t.Context(), batch); !slices.Equal(failed, tt.failed) {
			t.Errorf("%s: failed %q, want %q", name, failed, tt.failed)
		}
		var got []incident.Route
		for _, w := range out.work {
			got = append(got, w.Look.Route)
		}
		if expected := slices.DeleteFunc(slices.Clone(want), func(r incident.Route) bool { return r == tt.down }); !slices.Equal(got, expected) {
			t.Errorf("%s: looks %v, want %v", name, got, expected)
		}
	}
}
