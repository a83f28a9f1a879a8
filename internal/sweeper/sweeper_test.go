package sweeper

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/replimend/replimend/internal/deployed"
	"github.com/replimend/replimend/internal/incident"
	"github.com/replimend/replimend/internal/policy"
	"github.com/replimend/replimend/internal/queue"
	"github.com/replimend/replimend/internal/settings"
	"github.com/replimend/replimend/internal/snapshot"
)

const account, region = "111122223333", "us-east-1"

// fakeAccount is an account with buckets that replicate, and everything that a sweep hands over. Time passes while it reads.
type fakeAccount struct {
	*Sweeper
	log     bytes.Buffer
	now     time.Time
	buckets []string
	takes   time.Duration // to read a span
	slow    string        // a bucket that takes a minute more
	unread  map[string]string
	err     func(operation string) error

	surveyed []string
	looks    []string // sources
	resumed  []string
	own      []queue.Sweep
	open     []incident.Summary
	silences []incident.Suppression
	did      []string // what became of suppressions
}

func newAccount(t *testing.T, buckets int, approved ...string) *fakeAccount {
	t.Helper()
	a := &fakeAccount{now: time.Now(), err: func(string) error { return nil }}
	for n := range buckets {
		a.buckets = append(a.buckets, fmt.Sprintf("bucket-%04d", n))
	}
	set := &settings.Settings{Version: 1, Members: []settings.Member{{Account: account, Regions: []string{region}}}}
	for _, name := range approved {
		set.Routes = append(set.Routes, settings.ApprovedRoute{
			Name: name, Source: settings.Bucket{Bucket: name, Account: account, Region: region},
			Destination: settings.Bucket{Bucket: "to", Account: account, Region: region}, Rule: settings.Rule{ID: "r1"},
		})
	}
	a.Sweeper = &Sweeper{Settings: set, Cloud: a, Record: a, Ended: a, Work: a, Own: a, Now: func() time.Time { return a.now }, Log: slog.New(slog.NewJSONHandler(&a.log, nil))}
	return a
}

func (a *fakeAccount) Buckets(context.Context, string, string) ([]string, error) {
	return slices.Clone(a.buckets), a.err("list")
}

func (a *fakeAccount) ReplicatingOf(_ context.Context, _, _ string, names []string) ([]string, map[string]string, error) {
	unread := map[string]string{}
	var out []string
	for _, n := range names {
		if why, ok := a.unread[n]; ok {
			unread[n] = why
		} else if slices.Contains(a.buckets, n) {
			out = append(out, n)
		}
	}
	return out, unread, a.err("replicating")
}

func (a *fakeAccount) Survey(ctx context.Context, sources []string) (*snapshot.Snapshot, error) {
	a.now = a.now.Add(a.takes)
	if slices.Contains(sources, a.slow) {
		a.now = a.now.Add(time.Minute)
	}
	if deadline, ok := ctx.Deadline(); ok && a.now.After(deadline) {
		return nil, context.DeadlineExceeded
	}
	a.surveyed = append(a.surveyed, sources...)
	s := &snapshot.Snapshot{Buckets: map[string]snapshot.Value[snapshot.Bucket]{}, Roles: map[policy.ARN]snapshot.Value[snapshot.Role]{}}
	for _, name := range sources {
		b := snapshot.Bucket{Account: account, Region: region}
		b.Replication = snapshot.Of(snapshot.Replication{Role: "arn:aws:iam::111122223333:role/r", Rules: []snapshot.Rule{{
			ID: "r1", Status: "Enabled", Destination: snapshot.Destination{Bucket: "arn:aws:s3:::to"},
		}}})
		s.Buckets[name] = snapshot.Of(b)
	}
	return s, a.err("survey")
}

func (a *fakeAccount) Send(_ context.Context, w queue.Work, _ time.Duration) error {
	if err := a.err("send"); err != nil {
		return err
	}
	if w.Look != nil {
		a.looks = append(a.looks, w.Look.Route.Source)
	} else {
		a.resumed = append(a.resumed, w.Incident)
	}
	return nil
}

func (a *fakeAccount) SendSweep(_ context.Context, s queue.Sweep) error {
	a.own = append(a.own, s)
	return a.err("own")
}

func (a *fakeAccount) List(context.Context, incident.Filter) ([]incident.Summary, error) {
	return a.open, a.err("open")
}

func (a *fakeAccount) Silences(context.Context) ([]incident.Suppression, error) {
	return a.silences, a.err("silences")
}

func (a *fakeAccount) TellEnded(context.Context, incident.Suppression, incident.Summary) error {
	a.did = append(a.did, "told")
	return a.err("tell")
}

func (a *fakeAccount) Lift(context.Context, incident.Suppression) error {
	a.did = append(a.did, "lifted")
	return a.err("lift")
}

// whole works off the sweep of the account with every message that it makes, each of which has that time, and says how many there were.
func (a *fakeAccount) whole(t *testing.T, each time.Duration) (messages int) {
	t.Helper()
	a.own = []queue.Sweep{{Account: account, Region: region}}
	for ; len(a.own) > 0 && messages < 50; messages++ {
		task := a.own[0]
		a.own = a.own[1:]
		ctx, cancel := context.WithDeadline(t.Context(), a.now.Add(each))
		body := fmt.Sprintf(`{"account":%q,"region":%q,"after":%q}`, task.Account, task.Region, task.After)
		if failed := a.Handle(ctx, []deployed.Delivery{{ID: "m", Body: body}}); len(failed) > 0 {
			t.Fatalf("%s failed:\n%s", task, &a.log)
		}
		cancel()
	}
	return messages
}

// TestLargeAccountIsSweptInParts, each bucket once, however little time a message has.
func TestLargeAccountIsSweptInParts(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		buckets     int
		takes, time time.Duration // of a span, of a message
		slow        string
		want        int
	}{
		"none":                     {0, 0, 0, "", 1},
		"one message":              {200, 0, 0, "", 1},
		"one more":                 {201, 0, 0, "", 2},
		"thousands":                {2345, 0, 0, "", 12},
		"time for one span":        {200, time.Minute, 100 * time.Second, "", 4},
		"time for two spans":       {200, time.Minute, 150 * time.Second, "", 2},
		"time for nearly a second": {200, time.Minute, 134 * time.Second, "", 4},
		"a span that takes longer": {200, time.Second, 76 * time.Second, "bucket-0060", 3},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := newAccount(t, tt.buckets)
			a.takes, a.slow = tt.takes, tt.slow
			messages := a.whole(t, cmp.Or(tt.time, time.Hour))
			if messages != tt.want || !slices.Equal(a.surveyed, a.buckets) {
				t.Errorf("%d messages, want %d; %d buckets of %d", messages, tt.want, len(a.surveyed), len(a.buckets))
			}
			if n := strings.Count(a.log.String(), `"UnapprovedRoutes"`); n < messages {
				t.Errorf("%d messages, %d lines of figures", messages, n)
			}
		})
	}
}

// TestWhatIsApprovedIsLookedAt also when it is gone, and once while it has an incident; what cannot be read is neither.
func TestWhatIsApprovedIsLookedAt(t *testing.T) {
	t.Parallel()
	a := newAccount(t, 3, "bucket-0001", "gone", "refused")
	a.unread = map[string]string{"refused": "AccessDenied: no"}
	a.whole(t, time.Hour)
	if want := []string{"bucket-0001", "gone"}; !slices.Equal(a.looks, want) {
		t.Errorf("looked at %v, want %v", a.looks, want)
	}
	for _, part := range []string{
		`"UnreadableBuckets":1`, `"RoutesSwept":3`, `"UnapprovedRoutes":2`, `"bucket":"refused","reason":"AccessDenied: no"`, "approved route is gone",
	} {
		if !strings.Contains(a.log.String(), part) {
			t.Errorf("the log lacks %s:\n%s", part, &a.log)
		}
	}
	a.looks = nil
	a.open = []incident.Summary{{ID: "inc-1", Outcome: incident.Manual, Route: incident.Route{Source: "bucket-0001", Rule: "r1", Destination: "to"}}}
	a.whole(t, time.Hour)
	if want := []string{"gone"}; !slices.Equal(a.looks, want) || len(a.resumed) > 0 {
		t.Errorf("with an open incident: looked at %v, resumed %v", a.looks, a.resumed)
	}
}

// TestFailedMessageComesAgain whatever it failed at, and the rest of the account is not handed on twice.
func TestFailedMessageComesAgain(t *testing.T) {
	t.Parallel()
	for _, operation := range []string{"list", "open", "replicating", "survey", "send", "own"} {
		a := newAccount(t, 201, "bucket-0001")
		a.err = func(did string) error {
			if did == operation {
				return errors.New(operation + " failed")
			}
			return nil
		}
		body := fmt.Sprintf(`{"account":%q,"region":%q}`, account, region)
		if failed := a.Handle(t.Context(), []deployed.Delivery{{ID: "m", Body: body}}); !slices.Equal(failed, []string{"m"}) {
			t.Errorf("%s: failed are %v", operation, failed)
		}
		if len(a.own) > 0 && operation != "own" {
			t.Errorf("%s: handed on %v", operation, a.own)
		}
		if strings.Contains(a.log.String(), "RoutesSwept") {
			t.Errorf("%s: figures of what comes again", operation)
		}
	}
}

// TestEndIsToldBeforeItIsForgotten: a suppression whose end could not be told stays, and everything else is done.
func TestEndIsToldBeforeItIsForgotten(t *testing.T) {
	t.Parallel()
	for operation, want := range map[string][]string{
		"": {"told", "lifted"}, "tell": {"told"}, "lift": {"told", "lifted"}, "own": {"told", "lifted"}, "send": {"told", "lifted"}, "silences": nil, "open": nil,
	} {
		a := newAccount(t, 1)
		a.err = func(did string) error {
			if did == operation {
				return errors.New(operation + " failed")
			}
			return nil
		}
		route := incident.Route{Source: "bucket-0000", Rule: "r1", Destination: "to"}
		other := incident.Route{Source: "bucket-0001", Rule: "r1", Destination: "to"}
		a.silences = []incident.Suppression{{Route: route, Expires: a.now}, {Route: other, Expires: a.now.Add(1)}}
		a.open = []incident.Summary{
			{ID: "inc-1", Route: route, Outcome: incident.Suppressed}, {ID: "inc-2", Route: other, Outcome: incident.Suppressed}, {ID: "inc-3", Outcome: incident.Open},
		}
		err := a.Begin(t.Context())
		if !slices.Equal(a.did, want) || (err == nil) != (operation == "") {
			t.Errorf("%q: %v, %v", operation, a.did, err)
		}
		if want := []string{"inc-1", "inc-3"}; (operation == "" || operation == "tell") && !slices.Equal(a.resumed, want) {
			t.Errorf("%q: resumed %v, want %v", operation, a.resumed, want)
		}
		if want := []queue.Sweep{{Account: account, Region: region}}; !slices.Equal(a.own, want) {
			t.Errorf("%q: swept %v", operation, a.own)
		}
	}
}
