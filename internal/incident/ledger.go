package incident

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"time"
)

// What a journal says when it does not do what it was asked to.
var (
	ErrStale    = errors.New("the record has moved on")
	ErrNotFound = errors.New("the record has no such entry")
	ErrLocked   = errors.New("a document is locked")
)

// LockedError says who holds a document. It is an ErrLocked.
type LockedError struct {
	Document string
	Holder   string
	Until    time.Time
}

// Error is "a document is locked: key-policy arn:… by inc-1 until 2026-11-22T12:20:00Z".
func (e *LockedError) Error() string {
	return fmt.Sprintf("%v: %s by %s until %s", ErrLocked, e.Document, e.Holder, e.Until.UTC().Format(time.RFC3339))
}

// Unwrap is ErrLocked.
func (e *LockedError) Unwrap() error { return ErrLocked }

// Lease is how long a lock holds when nobody releases it: longer than any function runs, so that one that was killed cannot still
// be writing when the lock falls to somebody else. https://docs.aws.amazon.com/lambda/latest/dg/configuration-timeout.html
const Lease = 20 * time.Minute

// Past is what a journal knows of a route before something is done to it.
type Past struct {
	// Incidents of the route that wrote something or may have, the oldest first, at most the last 50.
	Incidents []Incident
	// Patches is how many cures wrote in each account since the time that was asked for, of all routes.
	Patches map[string]int
}

// MaxPast is how many incidents a Past has at most.
const MaxPast = 50

// Filter chooses incidents to list. The zero Filter chooses the newest.
type Filter struct {
	Open   bool      // only those that are not over
	Source string    // only those of routes that leave this bucket; "": all
	Since  time.Time // only those opened then or later
	After  Summary   // only those that stand after this one in a list; zero: from its beginning
	Limit  int       // at most as many; 0, or more than MaxList: MaxList
}

// MaxList is how many incidents are listed at most. Filter.After goes on from there.
const MaxList = 100

// Takes says whether the filter chooses it.
func (f Filter) Takes(s Summary) bool {
	return (!f.Open || !s.Outcome.Over()) && (f.Source == "" || f.Source == s.Route.Source) && !s.Opened.Before(f.Since) &&
		(f.After.ID == "" || Newest(s, f.After) > 0)
}

// Most is how many it chooses at most.
func (f Filter) Most() int {
	if f.Limit <= 0 || f.Limit > MaxList {
		return MaxList
	}
	return f.Limit
}

// Summary is an incident in a list. It names no object.
type Summary struct {
	ID      string    `json:"id"`
	Route   Route     `json:"route"`
	Outcome Outcome   `json:"outcome"`
	Opened  time.Time `json:"opened"`
	Patched time.Time `json:"patched,omitzero"`
	Causes  []string  `json:"causes,omitempty"`
	// Failed is how many versions failed, an estimate when it is not Exact.
	Failed int64 `json:"failed"`
	Exact  bool  `json:"exact"`
	// Exposure is how much is not replicated, and since when.
	Exposure Exposure `json:"exposure,omitzero"`
	// Replaying says that S3 works a replay off.
	Replaying bool `json:"replaying,omitempty"`
}

// Summary is the incident as a list shows it.
func (i Incident) Summary() Summary {
	s := Summary{
		ID: i.ID, Route: i.Route, Outcome: i.Outcome, Opened: i.Opened, Patched: i.Patched, Causes: slices.Clone(i.Causes),
		Exposure: i.Exposure(), Replaying: i.Job.State == JobRunning,
	}
	s.Failed, s.Exact = s.Exposure.Versions, s.Exposure.Exact
	return s
}

// Newest orders what is listed.
func Newest(a, b Summary) int {
	return cmp.Or(b.Opened.Compare(a.Opened), cmp.Compare(b.ID, a.ID))
}

// Patch is one cure that wrote in one account.
type Patch struct {
	Account string
	At      time.Time
}

// Patches is the cures of the incident that wrote in an account or may have, the earliest first.
func (i Incident) Patches() []Patch {
	var out []Patch
	for _, c := range i.Changes {
		p := Patch{c.Account, c.At}
		if c.At.IsZero() {
			p.At = i.Patched
		}
		p.At = p.At.UTC().Round(0) // as a record gives it back: == must hold between the two
		if c.State != Unmade && !p.At.IsZero() {
			out = append(out, p)
		}
	}
	compare := func(a, b Patch) int { return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.Account, b.Account)) }
	slices.SortFunc(out, compare)
	return slices.CompactFunc(out, func(a, b Patch) bool { return compare(a, b) == 0 })
}

// Ledger says what a journal does. It is the journal itself where nobody else writes at the same time: in memory, and in a file.
// Others must do the same, and the suite in package journaltest compares them with it.
//
// Time comes in as values. Nothing that it returns or is given shares memory with what it keeps. Its JSON form is what a file
// holds; its members are for that alone.
type Ledger struct {
	Incidents    []Incident    `json:"incidents,omitempty"` // in the order in which they were opened
	Locks        []Held        `json:"locks,omitempty"`
	Suppressions []Suppression `json:"suppressions,omitempty"`
	Approvals    []Approval    `json:"approvals,omitempty"`
}

// Held is a document that is locked.
type Held struct {
	Document string    `json:"document"`
	Holder   string    `json:"holder"`
	Until    time.Time `json:"until"`
}

// Open has the failures of i join the incident of its route that is not over, and returns that. Without one, i is kept as a new one
// of Revision 1.
//
// What only repeats an incident that is over is a message that came late or twice: that incident is returned as it is, and Over.
// Joining is no new revision: who works on an incident is not disturbed by what else fails meanwhile.
func (l *Ledger) Open(i Incident) (Incident, error) {
	if err := i.Openable(); err != nil {
		return Incident{}, fmt.Errorf("open incident: %w", err)
	}
	if k := l.open(i.Route); k >= 0 {
		l.Incidents[k].Failures = l.Incidents[k].Failures.Merge(i.Failures)
		return l.Incidents[k].clone(), nil
	}
	last := -1
	for k, old := range l.Incidents {
		if old.Route == i.Route && (last < 0 || Newest(old.Summary(), l.Incidents[last].Summary()) < 0) {
			last = k
		}
	}
	taken := l.find(i.ID)
	for _, k := range []int{taken, last} {
		if k >= 0 && i.Repeats(l.Incidents[k]) {
			return l.Incidents[k].clone(), nil
		}
	}
	if taken >= 0 {
		i.ID = i.Again()
	}
	if l.find(i.ID) >= 0 {
		return Incident{}, fmt.Errorf("open incident %s: %w", i.ID, ErrStale)
	}
	i.Revision = 1
	l.Incidents = append(l.Incidents, i.clone())
	return i.clone(), nil
}

// Openable says why an incident cannot be opened; nil when it can.
func (i Incident) Openable() error {
	switch {
	case i.ID == "":
		return errors.New("it has no ID")
	case i.Opened.IsZero():
		return errors.New("it does not say when it was noticed")
	case i.Revision != 0 || i.Outcome != Open:
		return errors.New("it is not a new one")
	}
	return nil
}

// Repeats says whether i reports nothing that the old incident, which is over, does not have.
func (i Incident) Repeats(old Incident) bool {
	if i.Failures.Versions.IsZero() {
		return i.ID == old.ID && i.Route == old.Route
	}
	return i.Route == old.Route && old.Failures.Merge(i.Failures).Equal(old.Failures)
}

// Again is the ID of an incident whose own was taken: the first failure of its message came before, and not all others.
func (i Incident) Again() string { return ID(i.Route, i.Opened) }

// Record keeps the incident in place of its last revision, and returns it with the next. Failures are merged, never replaced.
//
// ErrNotFound: it was never opened. ErrStale: somebody recorded it since; or it is to be over, and something failed since that it
// does not know of; or it is to be open again, and the route has another one by now. Then nothing was kept.
func (l *Ledger) Record(i Incident) (Incident, error) {
	k := l.find(i.ID)
	if k < 0 {
		return Incident{}, fmt.Errorf("record incident %s: %w", i.ID, ErrNotFound)
	}
	other := l.open(i.Route)
	next, err := i.Next(l.Incidents[k])
	if err == nil && !next.Over() && other >= 0 && other != k {
		err = ErrStale
	}
	if err != nil {
		return Incident{}, fmt.Errorf("record incident %s: %w", i.ID, err)
	}
	l.Incidents[k] = next
	return next.clone(), nil
}

// Next is what a journal keeps when i is recorded over the incident that it has.
func (i Incident) Next(kept Incident) (Incident, error) {
	if i.Route != kept.Route {
		return Incident{}, errors.New("it is of another route")
	}
	failures := kept.Failures.Merge(i.Failures)
	if i.Revision != kept.Revision || i.Over() && !failures.Equal(i.Failures) {
		return Incident{}, ErrStale
	}
	next := i.clone()
	next.Failures, next.Opened, next.Revision = failures, kept.Opened, kept.Revision+1
	return next, nil
}

// Get is the incident of that ID, or ErrNotFound.
func (l *Ledger) Get(id string) (Incident, error) {
	if k := l.find(id); k >= 0 {
		return l.Incidents[k].clone(), nil
	}
	return Incident{}, fmt.Errorf("get incident %s: %w", id, ErrNotFound)
}

// List is the incidents that the filter takes, the newest first.
func (l *Ledger) List(f Filter) []Summary {
	var out []Summary
	for _, i := range l.Incidents {
		if s := i.Summary(); f.Takes(s) {
			out = append(out, s)
		}
	}
	slices.SortFunc(out, Newest)
	return out[:min(len(out), f.Most())]
}

// Past is what is known of a route, and how much was written in every account after a time.
func (l *Ledger) Past(r Route, since time.Time) Past {
	p := Past{Patches: map[string]int{}}
	for _, i := range l.Incidents {
		if i.Route == r && i.Wrote() {
			p.Incidents = append(p.Incidents, i.clone())
		}
		for _, patch := range i.Patches() {
			if patch.At.After(since) {
				p.Patches[patch.Account]++
			}
		}
	}
	slices.SortFunc(p.Incidents, func(a, b Incident) int { return Newest(b.Summary(), a.Summary()) })
	p.Incidents = p.Incidents[max(0, len(p.Incidents)-MaxPast):]
	return p
}

// Lock takes all the documents or none: the error is a *LockedError for the first that somebody else holds. Who holds one already
// keeps it for longer. A holder is one run of a function or a
// command: two that call themselves the same do not keep each other out.
func (l *Ledger) Lock(holder string, documents []string, now time.Time) error {
	if holder == "" {
		return errors.New("lock documents: nobody to hold them")
	}
	for _, d := range slices.Sorted(slices.Values(documents)) {
		for _, h := range l.Locks {
			if h.Document == d && h.Holder != holder && now.Before(h.Until) {
				return &LockedError{h.Document, h.Holder, h.Until}
			}
		}
	}
	l.Locks = slices.DeleteFunc(l.Locks, func(h Held) bool {
		return !now.Before(h.Until) || slices.Contains(documents, h.Document)
	})
	for _, d := range slices.Compact(slices.Sorted(slices.Values(documents))) {
		l.Locks = append(l.Locks, Held{d, holder, now.Add(Lease)})
	}
	return nil
}

// Unlock releases those of the documents that the holder holds.
func (l *Ledger) Unlock(holder string, documents []string) {
	l.Locks = slices.DeleteFunc(l.Locks, func(h Held) bool {
		return h.Holder == holder && slices.Contains(documents, h.Document)
	})
}

// Suppress silences a route, in place of an earlier suppression of it for the same cause.
func (l *Ledger) Suppress(s Suppression, now time.Time) error {
	if err := s.Check(now); err != nil {
		return fmt.Errorf("suppress %s: %w", s.Route, err)
	}
	l.Suppressions = append(slices.DeleteFunc(l.Suppressions, s.of), s)
	return nil
}

// Lift ends that very suppression, or removes it when it has ended. One that took its place since stays.
func (l *Ledger) Lift(s Suppression) {
	l.Suppressions = slices.DeleteFunc(l.Suppressions, s.Same)
}

// Suppressed is the suppressions that are in force for a route now, in the order of FirstEnds.
func (l *Ledger) Suppressed(r Route, now time.Time) []Suppression {
	return slices.DeleteFunc(l.Silences(), func(s Suppression) bool { return s.Route != r || s.Ended(now) })
}

// Silences is every suppression, those that have ended included, in the order of FirstEnds.
func (l *Ledger) Silences() []Suppression {
	return slices.SortedFunc(slices.Values(l.Suppressions), FirstEnds)
}

// Approve keeps an answer. A later one of the same person to the same plan takes the place of an earlier one, used or not. The same
// answer again changes nothing; an earlier one is ErrStale, so that an old answer cannot be brought back.
func (l *Ledger) Approve(a Approval) error {
	if err := a.Check(); err != nil {
		return fmt.Errorf("keep approval: %w", err)
	}
	k := slices.IndexFunc(l.Approvals, a.same)
	switch {
	case k < 0:
		l.Approvals = append(l.Approvals, a)
	case a.At.After(l.Approvals[k].At):
		l.Approvals[k] = a
	case string(a.Message()) != string(l.Approvals[k].Message()):
		return fmt.Errorf("keep approval: %w", ErrStale)
	}
	return nil
}

// Answers is every answer to the plans of an incident, the latest first.
func (l *Ledger) Answers(incident string) []Approval {
	var out []Approval
	for _, a := range l.Approvals {
		if a.Incident == incident {
			out = append(out, a)
		}
	}
	slices.SortFunc(out, Latest)
	return out
}

// Latest orders answers.
func Latest(a, b Approval) int {
	return cmp.Or(b.At.Compare(a.At), cmp.Compare(a.Plan, b.Plan), cmp.Compare(a.Approver, b.Approver))
}

// Use marks an answer as used, once: ErrUsed when it was, ErrStale when there is a later one, ErrNotFound when it is not kept.
func (l *Ledger) Use(a Approval, now time.Time) error {
	k := slices.IndexFunc(l.Approvals, a.same)
	err := error(nil)
	switch {
	case k < 0:
		err = ErrNotFound
	case string(a.Message()) != string(l.Approvals[k].Message()):
		err = ErrStale
	case !l.Approvals[k].Used.IsZero():
		err = ErrUsed
	default:
		l.Approvals[k].Used = now
		return nil
	}
	return fmt.Errorf("use approval: %w", err)
}

// find is the place of an incident, -1 when there is none.
func (l *Ledger) find(id string) int {
	return slices.IndexFunc(l.Incidents, func(i Incident) bool { return i.ID == id })
}

// open is the place of the route's incident that is not over, -1 when there is none.
func (l *Ledger) open(r Route) int {
	return slices.IndexFunc(l.Incidents, func(i Incident) bool { return i.Route == r && !i.Over() })
}
