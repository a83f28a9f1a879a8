// Package journaltest is the suite that every journal passes: in memory, in a file, in a table. Only tests import it.
//
// What a journal does is said by incident.Ledger. The suite says what that means for whoever uses it, and compares a journal with a
// Ledger step by step.
package journaltest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/replimend/replimend/internal/incident"
	"github.com/replimend/replimend/internal/policy"
)

// Journal is everything that journals do.
type Journal interface {
	Open(ctx context.Context, i incident.Incident) (incident.Incident, error)
	Record(ctx context.Context, i incident.Incident) (incident.Incident, error)
	Past(ctx context.Context, r incident.Route, since time.Time) (incident.Past, error)
	Get(ctx context.Context, id string) (incident.Incident, error)
	List(ctx context.Context, f incident.Filter) ([]incident.Summary, error)
	Lock(ctx context.Context, holder string, documents []string) error
	Unlock(ctx context.Context, holder string, documents []string) error
	Suppress(ctx context.Context, s incident.Suppression) error
	Lift(ctx context.Context, s incident.Suppression) error
	Suppressed(ctx context.Context, r incident.Route) ([]incident.Suppression, error)
	Silences(ctx context.Context) ([]incident.Suppression, error)
}

// Answers is where approvals are kept.
type Answers interface {
	Approve(ctx context.Context, a incident.Approval) error
	Answers(ctx context.Context, id string) ([]incident.Approval, error)
	Use(ctx context.Context, a incident.Approval) error
}

// Subject is what is tested.
type Subject struct {
	Journal
	Answers
}

// Clock is the time of a test. It stands still until it is moved.
type Clock struct {
	mu  sync.Mutex
	now time.Time
}

// NewClock shows Start.
func NewClock() *Clock { return &Clock{now: Start} }

// Now is the time.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

// Pass moves the clock.
func (c *Clock) Pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// Start is when tests begin.
var Start = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

// route is the n-th of some routes.
func route(n int) incident.Route {
	return incident.Route{Source: fmt.Sprintf("source-%d", n), Rule: "rule #1", Destination: "destination"}
}

// message is a new incident, as one message that reports those versions opens it.
func message(r incident.Route, at time.Time, versions ...int) incident.Incident {
	i := incident.Incident{Route: r, Opened: at}
	for _, v := range versions {
		failed := Start.Add(time.Duration(v) * time.Minute)
		var t incident.Tally
		t.Add(incident.Object{Key: fmt.Sprintf("key %d", v), VersionID: "1", Size: int64(v)})
		i.Failures = i.Failures.Merge(incident.Failures{First: failed, Last: failed, Versions: t, Reasons: []string{fmt.Sprintf("Reason%d", v%3)}})
	}
	first := i.Failures.First
	if first.IsZero() {
		first = at
	}
	i.ID = incident.ID(r, first)
	i.Become(incident.Open, at, "%s failures reported", i.Failures.Versions)
	return i
}

// Document is a policy whose text differs by n, of about that many bytes.
func Document(t testing.TB, n, size int) *policy.Document {
	t.Helper()
	d, err := policy.Parse(fmt.Appendf(nil,
		`{"Version": "2012-10-17", "Statement": [{"Sid": "S%d", "Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::b/%0*d"}]}`, n, size, n))
	if err != nil {
		t.Fatal(err)
	}
	return &d
}

// Run runs the suite. Each call of make gives an empty subject that goes by the clock. Sequences is how many random sequences of
// operations are compared with a Ledger, at most 100: those of slow subjects take long.
func Run(t *testing.T, sequences int, make func(t *testing.T, c *Clock) Subject) {
	t.Helper()
	for name, test := range map[string]func(*suite){
		"OpeningTwiceIsOne":                    (*suite).openingTwiceIsOne,
		"OneThreadForARouteUntilItIsOver":      (*suite).oneThreadForARoute,
		"MessagesInAnyOrderSayTheSame":         (*suite).messagesInAnyOrder,
		"OfTwoRecordersOneIsStale":             (*suite).twoRecorders,
		"JoiningDisturbsNobody":                (*suite).joining,
		"NothingIsOverThatFailedSince":         (*suite).failedSince,
		"TheImageIsThereBeforeTheWrite":        (*suite).imageBeforeWrite,
		"ManyLargeDocumentsFit":                (*suite).largeDocuments,
		"PastIsWhatWasWritten":                 (*suite).past,
		"ACureIsOneByAnyClock":                 (*suite).anyClock,
		"ListsAreChosenAndSorted":              (*suite).list,
		"OfTwoWorkersOneHoldsADocument":        (*suite).locks,
		"ManyWorkersTakeTurns":                 (*suite).turns,
		"SuppressionsEndAndStayUntilLifted":    (*suite).suppressions,
		"ListsGoOnFromPageToPage":              (*suite).pages,
		"AnApprovalIsUsedOnce":                 (*suite).usedOnce,
		"AnOldAnswerCannotBeBroughtBack":       (*suite).oldAnswers,
		"WhatIsUnknownIsNotFound":              (*suite).notFound,
		"ItDoesWhatALedgerDoes":                (*suite).ledger,
		"AnEndedContextIsAnErrorOrNoMatter":    (*suite).ended,
		"WhatIsReturnedIsNotWhatIsKeptAnyMore": (*suite).aliases,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := NewClock()
			test(&suite{T: t, clock: c, sequences: sequences, Subject: make(t, c), make: func() (Subject, *Clock) {
				c := NewClock()
				return make(t, c), c
			}})
		})
	}
}

type suite struct {
	*testing.T
	Subject
	clock     *Clock
	make      func() (Subject, *Clock)
	sequences int
}

func (s *suite) open(i incident.Incident) incident.Incident {
	s.Helper()
	out, err := s.Open(s.Context(), i)
	if err != nil {
		s.Fatal(err)
	}
	return out
}

func (s *suite) become(i incident.Incident, o incident.Outcome) incident.Incident {
	s.Helper()
	i.Become(o, s.clock.Now(), "so")
	out, err := s.Record(s.Context(), i)
	if err != nil {
		s.Fatal(err)
	}
	return out
}

func (s *suite) get(id string) incident.Incident {
	s.Helper()
	out, err := s.Get(s.Context(), id)
	if err != nil {
		s.Fatal(err)
	}
	return out
}

func (s *suite) same(what string, want, got any) {
	s.Helper()
	if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
		s.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

// is says that the error is that one.
func (s *suite) is(what string, err, want error) {
	s.Helper()
	if !errors.Is(err, want) {
		s.Errorf("%s: %v, want %v", what, err, want)
	}
}

func (s *suite) openingTwiceIsOne() {
	first := s.open(message(route(1), s.clock.Now(), 1, 2))
	s.clock.Pass(time.Hour)
	second := s.open(message(route(1), s.clock.Now(), 1, 2))
	s.same("the second time", first, second)
	if first.Revision != 1 || first.Failures.Versions.String() != "2" {
		s.Errorf("revision %d, %s failures", first.Revision, first.Failures.Versions)
	}
	if other := s.open(message(route(2), s.clock.Now(), 1, 2)); other.ID == first.ID {
		s.Error("two routes share an incident")
	}
}

func (s *suite) oneThreadForARoute() {
	first := s.open(message(route(1), s.clock.Now(), 1))
	for _, o := range []incident.Outcome{
		incident.AwaitingApproval, incident.Declined, incident.Refused, incident.Manual, incident.Escalated, incident.Applied, incident.Proven,
	} {
		first = s.become(first, o)
		s.clock.Pass(time.Hour)
		if joined := s.open(message(route(1), s.clock.Now(), 1, 2)); joined.ID != first.ID || joined.Outcome != o {
			s.Errorf("what fails while the route is %q is %s, %q", o, joined.ID, joined.Outcome)
		}
	}
	first = s.become(s.get(first.ID), incident.Resolved)
	if late := s.open(message(route(1), s.clock.Now(), 2)); late.ID != first.ID || !late.Over() {
		s.Errorf("a message that came late opened %s", late.ID)
	}
	second := s.open(message(route(1), s.clock.Now(), 3))
	if second.ID == first.ID || second.Over() {
		s.Errorf("what failed after it was over joined %s", second.ID)
	}
	s.become(second, incident.Healthy)
	// The first failure was reported before, the other was not: the ID that belongs to the first is taken.
	third := s.open(message(route(1), s.clock.Now(), 1, 4))
	if third.ID == first.ID || third.ID == second.ID || third.Over() {
		s.Errorf("opened %s", third.ID)
	}
	s.same("the first", first, s.get(first.ID))
	first.Become(incident.Escalated, s.clock.Now(), "again")
	_, err := s.Record(s.Context(), first)
	s.is("opening the first again beside the third", err, incident.ErrStale)
	s.become(third, incident.Ignored)
	s.become(s.get(first.ID), incident.Escalated)
	if joined := s.open(message(route(1), s.clock.Now(), 9)); joined.ID != first.ID {
		s.Errorf("joined %s, want the one that was opened again", joined.ID)
	}
}

// anyClock records a cure whose time has what a machine's clock adds: a zone, and a part that does not come back from a record.
func (s *suite) anyClock() {
	at := time.Now().In(time.FixedZone("zone", 3600))
	i := message(route(1), at, 1)
	i.Opened = at
	i = s.open(i)
	for n, account := range []string{"111122223333", "444455556666"} {
		i.Changes = append(i.Changes, incident.Change{Kind: "key-policy", ID: account, Account: account, At: at, State: incident.Intended, After: Document(s, n, 10)})
		i = s.become(i, incident.Open)
		i.Changes[n].State, i.Changes[n].At = incident.Written, at
	}
	i.Changes[0].At = at
	i = s.become(i, incident.Applied)
	past, err := s.Past(s.Context(), i.Route, at.Add(-time.Hour))
	if err != nil {
		s.Fatal(err)
	}
	s.same("patches", map[string]int{"111122223333": 1, "444455556666": 1}, past.Patches)
}

func (s *suite) messagesInAnyOrder() {
	var messages []incident.Incident
	for n := range 6 {
		messages = append(messages, message(route(1), s.clock.Now(), n, n+1, 3*n))
	}
	var want incident.Failures
	for _, m := range messages {
		want = want.Merge(m.Failures)
	}
	for n := range 4 {
		subject, _ := s.make()
		order := append(append([]incident.Incident(nil), messages...), messages...)
		rand.New(rand.NewPCG(uint64(n), 1)).Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
		ids := map[string]bool{}
		var last incident.Incident
		var wg sync.WaitGroup
		for _, m := range order[:len(order)/2] { // half of them at the same time
			wg.Go(func() {
				if _, err := subject.Open(s.Context(), m); err != nil {
					s.Error(err)
				}
			})
		}
		wg.Wait()
		for _, m := range order {
			var err error
			if last, err = subject.Open(s.Context(), m); err != nil {
				s.Fatal(err)
			}
			ids[last.ID] = true
		}
		if !last.Failures.Equal(want) || len(ids) != 1 || last.Revision != 1 {
			s.Errorf("order %d: %s failures in %d incidents, want %s in one", n, last.Failures.Versions, len(ids), want.Versions)
		}
	}
}

func (s *suite) twoRecorders() {
	i := s.open(message(route(1), s.clock.Now(), 1))
	errs := make([]error, 2)
	var wg sync.WaitGroup
	for n := range errs {
		wg.Go(func() {
			mine := i
			mine.Become(incident.Manual, s.clock.Now(), "recorder %d", n)
			_, errs[n] = s.Record(s.Context(), mine)
		})
	}
	wg.Wait()
	if errs[0] != nil {
		errs[0], errs[1] = errs[1], errs[0]
	}
	if errs[0] != nil || !errors.Is(errs[1], incident.ErrStale) {
		s.Errorf("recorded with %v and %v, want one to be stale", errs[0], errs[1])
	}
	if got := s.get(i.ID); got.Revision != 2 || len(got.Timeline) != 2 {
		s.Errorf("revision %d with %d entries", got.Revision, len(got.Timeline))
	}
	_, err := s.Record(s.Context(), i)
	s.is("a third", err, incident.ErrStale)
}

func (s *suite) joining() {
	i := s.open(message(route(1), s.clock.Now(), 1))
	s.open(message(route(1), s.clock.Now(), 2))
	got := s.become(i, incident.AwaitingApproval)
	if got.Failures.Versions.String() != "2" || got.Revision != 2 {
		s.Errorf("%s failures in revision %d", got.Failures.Versions, got.Revision)
	}
	s.same("what is kept", got, s.get(i.ID))
}

func (s *suite) failedSince() {
	i := s.open(message(route(1), s.clock.Now(), 1))
	s.open(message(route(1), s.clock.Now(), 2))
	i.Become(incident.Resolved, s.clock.Now(), "so")
	_, err := s.Record(s.Context(), i)
	s.is("closing what does not know of a failure", err, incident.ErrStale)
	s.become(s.get(i.ID), incident.Resolved)
}

func (s *suite) imageBeforeWrite() {
	i := s.open(message(route(1), s.clock.Now(), 1))
	i.Changes = []incident.Change{{
		Kind: "role-policy", ID: "arn:aws:iam::111122223333:role/r", Name: "Replimend", Account: "111122223333", At: s.clock.Now(),
		Before: Document(s, 1, 1), After: Document(s, 2, 1), State: incident.Intended,
	}}
	if _, err := s.Record(s.Context(), i); err != nil {
		s.Fatal(err)
	}
	// Here the process is killed. Whoever comes next gets the message again.
	again := s.open(message(route(1), s.clock.Now(), 1))
	if len(again.Changes) != 1 || again.Changes[0].State != incident.Intended {
		s.Fatalf("changes %v", again.Changes)
	}
	s.same("the change", i.Changes, again.Changes)
	past, err := s.Past(s.Context(), route(1), s.clock.Now().Add(-time.Hour))
	if err != nil || len(past.Incidents) != 1 {
		s.Fatalf("past %v, %v", past, err)
	}
	s.same("the past", again, past.Incidents[0])
	s.same("what counts for the limits", map[string]int{"111122223333": 1}, past.Patches)

	again.Changes[0].State = incident.Unmade
	if _, err := s.Record(s.Context(), again); err != nil {
		s.Fatal(err)
	}
	if past, err = s.Past(s.Context(), route(1), s.clock.Now().Add(-time.Hour)); err != nil || len(past.Incidents) != 0 || len(past.Patches) != 0 {
		s.Errorf("what was not made is past: %v, %v", past, err)
	}
}

// largeDocuments: four key policies of the largest size before and after, with a full timeline and names as long as they get.
// https://docs.aws.amazon.com/kms/latest/developerguide/resource-limits.html
func (s *suite) largeDocuments() {
	i := message(route(1), s.clock.Now())
	var objects []incident.Object
	for n := range 2000 {
		objects = append(objects, incident.Object{Key: fmt.Sprintf("%01000d", n), VersionID: fmt.Sprintf("%01000d", n), Size: 1 << 40})
	}
	i.Failures.Versions.Add(objects...)
	i = s.open(i)
	for n := range 4 {
		i.Changes = append(i.Changes, incident.Change{
			Kind: "key-policy", ID: fmt.Sprintf("arn:aws:kms:us-east-1:111122223333:key/%d", n), Account: "111122223333", At: s.clock.Now(),
			Before: Document(s, 2*n, 32<<10), After: Document(s, 2*n+1, 32<<10), State: incident.Written,
		})
	}
	for range 100 {
		i.Log(s.clock.Now(), "%01000d", 1)
	}
	i = s.become(i, incident.Proven)
	s.same("what is kept", i, s.get(i.ID))
	i = s.become(i, incident.Resolved)
	s.same("what is kept once it is over", i, s.get(i.ID))
}

func (s *suite) past() {
	change := func(account string, at time.Time, state incident.ChangeState) incident.Change {
		return incident.Change{Kind: "key-policy", ID: "k", Account: account, At: at, After: Document(s, 1, 1), State: state}
	}
	begin := s.clock.Now()
	for n := range 3 { // one after the other on one route
		i := s.open(message(route(1), s.clock.Now(), 10*n+1))
		if n != 1 {
			i.Patched = s.clock.Now()
			i.Changes = []incident.Change{change("111122223333", s.clock.Now(), incident.Written), change("444455556666", s.clock.Now(), incident.Undone)}
		}
		s.become(i, incident.Resolved)
		s.clock.Pass(time.Hour)
	}
	other := s.open(message(route(2), s.clock.Now(), 1))
	other.Patched = s.clock.Now()
	other.Changes = []incident.Change{change("111122223333", time.Time{}, incident.Written), change("111122223333", time.Time{}, incident.Written)}
	s.become(other, incident.Escalated)

	past, err := s.Past(s.Context(), route(1), begin)
	if err != nil {
		s.Fatal(err)
	}
	if len(past.Incidents) != 2 || !past.Incidents[0].Opened.Equal(begin) || past.Incidents[1].Changes[0].After == nil {
		s.Errorf("past incidents %v", past.Incidents)
	}
	s.same("patches", map[string]int{"111122223333": 2, "444455556666": 1}, past.Patches)
	if past, err = s.Past(s.Context(), route(3), begin.Add(-1)); err != nil || len(past.Incidents) != 0 || past.Patches["111122223333"] != 3 {
		s.Errorf("past of another route: %v, %v", past, err)
	}
}

func (s *suite) list() {
	var want []incident.Summary // the newest first
	for n := range 5 {
		i := s.open(message(route(n%3), s.clock.Now(), n))
		i.Causes = []string{"a-cause"}
		if n < 3 {
			i = s.become(i, incident.Resolved)
		} else {
			i = s.become(i, incident.Manual)
		}
		want = append([]incident.Summary{i.Summary()}, want...)
		s.clock.Pass(time.Minute)
	}
	for name, test := range map[string]struct {
		filter incident.Filter
		want   []incident.Summary
	}{
		"all":      {incident.Filter{}, want},
		"open":     {incident.Filter{Open: true}, want[:2]},
		"since":    {incident.Filter{Since: Start.Add(2 * time.Minute)}, want[:3]},
		"source":   {incident.Filter{Source: "source-0"}, []incident.Summary{want[1], want[4]}},
		"limit":    {incident.Filter{Limit: 3}, want[:3]},
		"together": {incident.Filter{Open: true, Source: "source-1", Limit: 1}, want[:1]},
		"none":     {incident.Filter{Source: "source-9"}, nil},
	} {
		got, err := s.List(s.Context(), test.filter)
		if err != nil {
			s.Fatal(err)
		}
		s.same(name, test.want, got)
	}
}

func (s *suite) locks() {
	ctx := s.Context()
	try := func(holder string, documents ...string) error { return s.Lock(ctx, holder, documents) }
	if err := try("a", "role", "key"); err != nil {
		s.Fatal(err)
	}
	err := try("b", "bucket", "key", "role")
	var locked *incident.LockedError
	if !errors.As(err, &locked) || !errors.Is(err, incident.ErrLocked) {
		s.Fatalf("the second worker got %v", err)
	}
	s.same("who holds it", incident.LockedError{Document: "key", Holder: "a", Until: Start.Add(incident.Lease)}, *locked)
	if err := try("c", "bucket"); err != nil {
		s.Errorf("b, which got nothing, holds the bucket: %v", err)
	}
	if err := s.Unlock(ctx, "b", []string{"role", "key"}); err != nil {
		s.Fatal(err)
	}
	s.is("after a stranger unlocked", try("b", "role"), incident.ErrLocked)
	if err := s.Unlock(ctx, "a", []string{"role", "key", "never locked"}); err != nil {
		s.Fatal(err)
	}
	if err := try("b", "role", "role"); err != nil {
		s.Errorf("after it was unlocked: %v", err)
	}
	s.clock.Pass(incident.Lease - 1)
	s.is("before the lease ran out", try("a", "role"), incident.ErrLocked)
	if err := try("b", "role"); err != nil {
		s.Errorf("who holds it may not keep it: %v", err)
	}
	s.clock.Pass(1)
	s.is("after it was kept for longer", try("a", "role"), incident.ErrLocked)
	s.clock.Pass(incident.Lease - 1)
	if err := try("a", "role"); err != nil {
		s.Errorf("after the lease ran out: %v", err)
	}
	if err := try("", "other"); err == nil {
		s.Error("nobody holds a document")
	}
	if err := try("a"); err != nil {
		s.Errorf("no document: %v", err)
	}
}

// turns: of many workers that want the same document, one has it at a time, and each gets its turn.
func (s *suite) turns() {
	var mu sync.Mutex
	inside, most, turns := 0, 0, 0
	var wg sync.WaitGroup
	for n := range 6 {
		wg.Go(func() {
			holder := fmt.Sprint("worker ", n)
			for {
				err := s.Lock(s.Context(), holder, []string{"key"})
				if errors.Is(err, incident.ErrLocked) {
					continue
				}
				if err != nil {
					s.Error(err)
					return
				}
				break
			}
			mu.Lock()
			inside++
			most, turns = max(most, inside), turns+1
			mu.Unlock()
			if _, err := s.List(s.Context(), incident.Filter{}); err != nil { // work
				s.Error(err)
			}
			mu.Lock()
			inside--
			mu.Unlock()
			if err := s.Unlock(s.Context(), holder, []string{"key"}); err != nil {
				s.Error(err)
			}
		})
	}
	wg.Wait()
	if most != 1 || turns != 6 {
		s.Errorf("%d workers at a time, %d turns", most, turns)
	}
}

func (s *suite) suppressions() {
	ctx := s.Context()
	all := incident.Suppression{Route: route(1), Owner: "storage team", Reason: "migration", Expires: Start.Add(time.Hour)}
	one := all
	one.Cause, one.Expires = "role-lacks-source-decrypt", Start.Add(30*time.Minute)
	check := func(when string, want ...incident.Suppression) {
		s.Helper()
		got, err := s.Suppressed(ctx, route(1))
		if err != nil {
			s.Fatal(err)
		}
		s.same(when, want, got)
		if other, err := s.Suppressed(ctx, route(2)); err != nil || len(other) > 0 {
			s.Errorf("%s: another route is silenced by %v, %v", when, other, err)
		}
	}
	kept := func(when string, want ...incident.Suppression) {
		s.Helper()
		got, err := s.Silences(ctx)
		if err != nil {
			s.Fatal(err)
		}
		s.same(when, want, got)
	}
	check("before")
	for range 2 {
		for _, x := range []incident.Suppression{all, one} {
			if err := s.Suppress(ctx, x); err != nil {
				s.Fatal(err)
			}
		}
	}
	check("then", one, all)
	s.clock.Pass(30*time.Minute - 1)
	check("at the last", one, all)
	s.clock.Pass(1)
	check("after the first end", all)
	s.clock.Pass(30 * time.Minute)
	check("afterwards")
	kept("until somebody is told", one, all)
	if err := s.Suppress(ctx, all); err == nil {
		s.Error("suppressed until the past")
	}
	again := all
	again.Expires = all.Expires.Add(time.Hour)
	if err := s.Suppress(ctx, again); err != nil {
		s.Fatal(err)
	}
	if err := s.Lift(ctx, all); err != nil {
		s.Fatal(err)
	}
	check("when an older one in its place was lifted", again)
	for range 2 {
		if err := s.Lift(ctx, one); err != nil {
			s.Fatal(err)
		}
	}
	kept("without what was lifted", again)
	elsewhere := again
	elsewhere.Expires = again.Expires.In(time.FixedZone("east", 3600)) // the same moment
	if err := s.Lift(ctx, elsewhere); err != nil {
		s.Fatal(err)
	}
	check("once it is lifted")
	kept("once it is lifted")
}

// pages: a list that is longer than one answer is read on from where it ended, each incident once.
func (s *suite) pages() {
	var want []incident.Summary
	for n := range 5 {
		i := s.open(message(route(n), s.clock.Now(), n))
		want = append([]incident.Summary{i.Summary()}, want...)
		if n%2 == 1 { // two of the same time, which no page has together
			s.clock.Pass(time.Minute)
		}
	}
	slices.SortFunc(want, incident.Newest)
	for _, f := range []incident.Filter{{Open: true, Limit: 2}, {Limit: 2}, {Open: true, Limit: 2, Since: Start.Add(-time.Hour)}} {
		var got []incident.Summary
		for {
			page, err := s.List(s.Context(), f)
			if err != nil {
				s.Fatal(err)
			}
			if len(page) == 0 || len(got) > len(want) {
				break
			}
			got = append(got, page...)
			f.After = page[len(page)-1]
		}
		s.same("pages", want, got)
	}
	late := incident.Filter{After: want[3], Since: Start.Add(time.Hour)}
	if page, err := s.List(s.Context(), late); err != nil || len(page) > 0 {
		s.Errorf("from after the end: %v, %v", page, err)
	}
}

// Approval is an answer that is sealed in name only.
func Approval(answer incident.Answer, approver string, at time.Time) incident.Approval {
	return incident.Approval{
		Incident: "inc-1", Plan: "abc", Answer: answer, Approver: "arn:aws:iam::111122223333:user/" + approver,
		At: at, Expires: at.Add(time.Hour), MAC: []byte(approver),
	}
}

func (s *suite) usedOnce() {
	ctx := s.Context()
	a := Approval(incident.Approve, "ann", s.clock.Now())
	s.is("one that was not given", s.Use(ctx, a), incident.ErrNotFound)
	for range 2 {
		if err := s.Approve(ctx, a); err != nil {
			s.Fatal(err)
		}
	}
	errs := make([]error, 5)
	var wg sync.WaitGroup
	for n := range errs {
		wg.Go(func() { errs[n] = s.Use(ctx, a) })
	}
	wg.Wait()
	uses := 0
	for _, err := range errs {
		if err == nil {
			uses++
		} else {
			s.is("used again", err, incident.ErrUsed)
		}
	}
	if uses != 1 {
		s.Errorf("used %d times", uses)
	}
	if err := s.Approve(ctx, a); err != nil {
		s.Errorf("a button that is clicked twice: %v", err)
	}
	s.is("after it was given again", s.Use(ctx, a), incident.ErrUsed)
	want := a
	want.Used = s.clock.Now()
	got, err := s.Answers.Answers(ctx, "inc-1")
	if err != nil {
		s.Fatal(err)
	}
	s.same("what is kept", []incident.Approval{want}, got)
}

func (s *suite) oldAnswers() {
	ctx := s.Context()
	old := Approval(incident.Approve, "ann", s.clock.Now())
	s.clock.Pass(time.Minute)
	no := Approval(incident.Decline, "ann", s.clock.Now())
	bob := Approval(incident.Approve, "bob", s.clock.Now())
	for _, a := range []incident.Approval{old, no, bob} {
		if err := s.Approve(ctx, a); err != nil {
			s.Fatal(err)
		}
	}
	s.is("an older answer", s.Approve(ctx, old), incident.ErrStale)
	s.is("using what was taken back", s.Use(ctx, old), incident.ErrStale)
	got, err := s.Answers.Answers(ctx, "inc-1")
	if err != nil {
		s.Fatal(err)
	}
	s.same("the answers", []incident.Approval{no, bob}, got)
	s.clock.Pass(time.Minute)
	yes := Approval(incident.Approve, "ann", s.clock.Now())
	if err := s.Approve(ctx, yes); err != nil {
		s.Fatal(err)
	}
	if err := s.Use(ctx, yes); err != nil {
		s.Error(err)
	}
	yes.MAC = nil
	if err := s.Approve(ctx, yes); err == nil {
		s.Error("kept an answer without a seal")
	}
}

func (s *suite) notFound() {
	_, err := s.Get(s.Context(), "inc-none")
	s.is("get", err, incident.ErrNotFound)
	i := message(route(1), s.clock.Now(), 1)
	i.Revision = 1
	_, err = s.Record(s.Context(), i)
	s.is("record", err, incident.ErrNotFound)
	if all, err := s.Answers.Answers(s.Context(), "inc-none"); err != nil || len(all) != 0 {
		s.Errorf("answers %v, %v", all, err)
	}
	for name, change := range map[string]func(*incident.Incident){
		"without an ID":      func(i *incident.Incident) { i.ID = "" },
		"without a time":     func(i *incident.Incident) { i.Opened = time.Time{} },
		"of another outcome": func(i *incident.Incident) { i.Outcome = incident.Proven },
		"recorded before":    func(i *incident.Incident) { i.Revision = 1 },
	} {
		i := message(route(1), s.clock.Now(), 1)
		change(&i)
		if _, err := s.Open(s.Context(), i); err == nil {
			s.Errorf("opened one %s", name)
		}
	}
}

func (s *suite) ended() {
	ctx, cancel := context.WithCancel(s.Context())
	cancel()
	i, err := s.Open(ctx, message(route(1), s.clock.Now(), 1))
	if err == nil {
		s.same("what is kept", i, s.get(i.ID))
	} else if all, e := s.List(s.Context(), incident.Filter{}); e != nil || len(all) != 0 {
		s.Errorf("%v was said, and %v is kept, %v", err, all, e)
	}
}

func (s *suite) aliases() {
	i := s.open(message(route(1), s.clock.Now(), 1))
	i.Causes = append(i.Causes, "a-cause")
	i = s.become(i, incident.Manual)
	i.Causes[0], i.Timeline[0].Text = "changed", "changed"
	if got := s.get(i.ID); got.Causes[0] != "a-cause" || got.Timeline[0].Text == "changed" {
		s.Errorf("kept %v, %v", got.Causes, got.Timeline)
	}
}

// ledger does the same at random to the subject and to a Ledger.
func (s *suite) ledger() {
	ran, broken := 0, false
	rapid.Check(s.T, func(t *rapid.T) {
		if ran++; ran > s.sequences && !broken {
			return // what failed is still made smaller
		}
		defer func() { broken = broken || t.Failed() }()
		subject, clock := s.make()
		m := model{subject: subject, clock: clock, suite: s}
		t.Repeat(map[string]func(*rapid.T){
			"open": m.open, "record": m.record, "past": m.past, "list": m.list, "lock": m.lock, "unlock": m.unlock,
			"suppress": m.suppress, "lift": m.lift, "approve": m.approve, "use": m.use, "wait": m.wait,
		})
	})
}

// model is a subject beside the Ledger that says what it has to do.
type model struct {
	*suite
	subject Subject
	ledger  incident.Ledger
	clock   *Clock
	known   []incident.Incident // of every revision, so that some are stale
}

// agree compares answers. Errors agree when they are of the same kind.
func (m *model) agree(t *rapid.T, want, got any, wantErr, gotErr error) {
	t.Helper()
	kind := func(err error) string {
		for _, e := range []error{
			incident.ErrStale, incident.ErrNotFound, incident.ErrLocked, incident.ErrUsed,
		} {
			if errors.Is(err, e) {
				return e.Error()
			}
		}
		return fmt.Sprint("another error: ", err != nil)
	}
	if kind(wantErr) != kind(gotErr) {
		t.Fatalf("the error is %v, want %v", gotErr, wantErr)
	}
	if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); wantErr == nil && diff != "" {
		t.Fatalf("(-want +got):\n%s", diff)
	}
}

func (m *model) open(t *rapid.T) {
	i := message(route(rapid.IntRange(0, 1).Draw(t, "route")), m.clock.Now(), rapid.SliceOfN(rapid.IntRange(0, 5), 0, 3).Draw(t, "versions")...)
	want, wantErr := m.ledger.Open(i)
	got, err := m.subject.Open(m.Context(), i)
	m.agree(t, want, got, wantErr, err)
	if err == nil {
		m.known = append(m.known, got)
	}
}

func (m *model) record(t *rapid.T) {
	if len(m.known) == 0 {
		t.Skip("nothing is open")
	}
	i := m.known[len(m.known)-1]
	if rapid.IntRange(0, 3).Draw(t, "old") == 0 {
		i = rapid.SampledFrom(m.known).Draw(t, "incident")
	}
	i.Changes = append([]incident.Change(nil), i.Changes...)
	i.Become(rapid.SampledFrom([]incident.Outcome{
		incident.AwaitingApproval, incident.Escalated, incident.Healthy, incident.Resolved,
	}).Draw(t, "outcome"), m.clock.Now(), "so")
	if at := m.clock.Now(); rapid.Bool().Draw(t, "canary") {
		i.Canary = &incident.Trial{Key: "a", Tags: map[string]string{"k": "v"}, At: at, For: at, State: incident.TrialWritten}
	}
	state := rapid.SampledFrom([]incident.ChangeState{incident.Intended, incident.Written, incident.Unmade}).Draw(t, "state")
	switch n := len(i.Changes); rapid.SampledFrom([]string{"none", "add", "turn", "drop"}).Draw(t, "change") {
	case "add":
		c := incident.Change{Kind: "key-policy", ID: "k", Account: "111122223333", At: m.clock.Now(), State: state}
		if before := rapid.IntRange(0, 2).Draw(t, "before"); before > 0 {
			c.Before = Document(m.suite, before, 1)
		}
		if after := rapid.IntRange(0, 2).Draw(t, "after"); after > 0 {
			c.After = Document(m.suite, after, 1)
		}
		i.Changes = append(i.Changes, c)
	case "turn":
		if n > 0 {
			i.Changes[n-1].State = state
		}
	case "drop":
		if n > 0 {
			i.Changes = i.Changes[:n-1]
		}
	}
	want, wantErr := m.ledger.Record(i)
	got, err := m.subject.Record(m.Context(), i)
	m.agree(t, want, got, wantErr, err)
	if err == nil {
		m.known = append(m.known, got)
	}
	want, wantErr = m.ledger.Get(i.ID)
	got, err = m.subject.Get(m.Context(), i.ID)
	m.agree(t, want, got, wantErr, err)
}

func (m *model) past(t *rapid.T) {
	r := route(rapid.IntRange(0, 1).Draw(t, "route"))
	since := m.clock.Now().Add(-time.Duration(rapid.IntRange(0, 90).Draw(t, "minutes")) * time.Minute)
	got, err := m.subject.Past(m.Context(), r, since)
	m.agree(t, m.ledger.Past(r, since), got, nil, err)
}

func (m *model) list(t *rapid.T) {
	f := incident.Filter{
		Open: rapid.Bool().Draw(t, "open"), Limit: rapid.IntRange(0, 3).Draw(t, "limit"),
		Source: rapid.SampledFrom([]string{"", "source-0"}).Draw(t, "source"),
		Since:  m.clock.Now().Add(-time.Duration(rapid.IntRange(0, 90).Draw(t, "minutes")) * time.Minute),
	}
	got, err := m.subject.List(m.Context(), f)
	m.agree(t, m.ledger.List(f), got, nil, err)
}

func drawLock(t *rapid.T) (holder string, documents []string) {
	holder = rapid.SampledFrom([]string{"a", "b", "c"}).Draw(t, "holder")
	return holder, rapid.SliceOfN(rapid.SampledFrom([]string{"role", "key", "bucket"}), 0, 3).Draw(t, "documents")
}

func (m *model) lock(t *rapid.T) {
	holder, documents := drawLock(t)
	wantErr, err := m.ledger.Lock(holder, documents, m.clock.Now()), m.subject.Lock(m.Context(), holder, documents)
	var want, got *incident.LockedError
	if errors.As(wantErr, &want) && errors.As(err, &got) {
		m.agree(t, *want, *got, nil, nil)
	}
	m.agree(t, nil, nil, wantErr, err)
}

func (m *model) unlock(t *rapid.T) {
	holder, documents := drawLock(t)
	m.ledger.Unlock(holder, documents)
	m.agree(t, nil, nil, nil, m.subject.Unlock(m.Context(), holder, documents))
}

func (m *model) suppress(t *rapid.T) {
	s := m.drawSuppression(t)
	m.agree(t, nil, nil, m.ledger.Suppress(s, m.clock.Now()), m.subject.Suppress(m.Context(), s))
	m.suppressed(t)
}

func (m *model) lift(t *rapid.T) {
	s := m.drawSuppression(t)
	if kept := m.ledger.Silences(); len(kept) > 0 && rapid.Bool().Draw(t, "kept") {
		s = rapid.SampledFrom(kept).Draw(t, "suppression")
	}
	m.ledger.Lift(s)
	m.agree(t, nil, nil, nil, m.subject.Lift(m.Context(), s))
	m.suppressed(t)
}

func (m *model) drawSuppression(t *rapid.T) incident.Suppression {
	return incident.Suppression{
		Route: route(rapid.IntRange(0, 1).Draw(t, "route")), Cause: rapid.SampledFrom([]string{"", "a-cause"}).Draw(t, "cause"),
		Owner: "team", Reason: "migration", Expires: m.clock.Now().Add(time.Duration(rapid.IntRange(0, 60).Draw(t, "minutes")) * time.Minute),
	}
}

func (m *model) suppressed(t *rapid.T) {
	for n := range 2 {
		got, err := m.subject.Suppressed(m.Context(), route(n))
		m.agree(t, m.ledger.Suppressed(route(n), m.clock.Now()), got, nil, err)
	}
	got, err := m.subject.Silences(m.Context())
	m.agree(t, m.ledger.Silences(), got, nil, err)
}

func drawApproval(t *rapid.T) incident.Approval {
	a := Approval(rapid.SampledFrom([]incident.Answer{incident.Approve, incident.Decline}).Draw(t, "answer"),
		rapid.SampledFrom([]string{"ann", "bob"}).Draw(t, "approver"), Start.Add(time.Duration(rapid.IntRange(0, 3).Draw(t, "at"))*time.Minute))
	a.Plan = rapid.SampledFrom([]string{"abc", "abd"}).Draw(t, "plan")
	return a
}

func (m *model) approve(t *rapid.T) {
	a := drawApproval(t)
	m.agree(t, nil, nil, m.ledger.Approve(a), m.subject.Approve(m.Context(), a))
	m.answers(t)
}

func (m *model) use(t *rapid.T) {
	a := drawApproval(t)
	m.agree(t, nil, nil, m.ledger.Use(a, m.clock.Now()), m.subject.Use(m.Context(), a))
	m.answers(t)
}

func (m *model) answers(t *rapid.T) {
	got, err := m.subject.Answers.Answers(m.Context(), "inc-1")
	m.agree(t, m.ledger.Answers("inc-1"), got, nil, err)
}

func (m *model) wait(t *rapid.T) {
	m.clock.Pass(time.Duration(rapid.IntRange(1, 30).Draw(t, "minutes")) * time.Minute)
}
