// Package incident is what people and ports talk about: one route that failed, what became of it, who approved what, and the
// message that says so. Everything is a value.
//
// Package remedy makes incidents, journals keep them and chat tools print their messages. It knows neither a diagnosis nor a
// cloud: what it is told comes in as plain text, and may have been written by anybody.
package incident

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/replimend/replimend/internal/policy"
)

// Outcome is what became of an incident so far.
type Outcome string

// The outcomes.
const (
	Open             Outcome = "open"              // noticed, and not judged yet
	Ignored          Outcome = "ignored"           // the event names a route that is not there
	Healthy          Outcome = "healthy"           // the route is as it should be
	Refused          Outcome = "refused"           // the guard refused the cure: nothing was done
	Manual           Outcome = "manual"            // only people can cure it: nothing was done
	AwaitingApproval Outcome = "awaiting approval" // nobody answered yet: nothing was done
	Declined         Outcome = "declined"          // somebody said no: nothing was done
	Applied          Outcome = "applied"           // the documents are as written; that it helps is not proven
	Proven           Outcome = "proven"            // S3 replicated something through the route after the cure
	Resolved         Outcome = "resolved"          // proven, and everything that failed was replicated
	Escalated        Outcome = "escalated"         // something went wrong; what was written was undone, or a person must look
)

var outcomes = []Outcome{
	Open, Ignored, Healthy, Refused, Manual, AwaitingApproval, Declined, Applied, Proven, Resolved, Escalated,
}

// String is the outcome in words.
func (o Outcome) String() string { return string(o) }

// ParseOutcome reads an outcome.
func ParseOutcome(s string) (Outcome, error) {
	if i := slices.Index(outcomes, Outcome(s)); i >= 0 {
		return outcomes[i], nil
	}
	return "", fmt.Errorf("unknown outcome %.80q", s)
}

// Route names the route that failed.
type Route struct{ Source, Rule, Destination string }

// String is "source → destination (rule r1)".
func (r Route) String() string {
	return fmt.Sprintf("%s → %s (rule %s)", r.Source, r.Destination, r.Rule)
}

// Failures is what events said: how much failed, and since when. It names no object.
type Failures struct {
	Count       int
	First, Last time.Time
}

// ChangeState is how far a change got.
type ChangeState string

// The states of a change.
const (
	Intended ChangeState = "intended" // recorded, and perhaps written: the answer did not come
	Written  ChangeState = "written"
	Undone   ChangeState = "undone"
	Unmade   ChangeState = "not made"      // the store wrote nothing
	Overrun  ChangeState = "changed since" // by somebody else, so that it was not undone
)

// Change is one document that is written, with what stood there before. Nil is no document.
type Change struct {
	Kind, ID, Name string // of the document
	Account        string // that owns it
	Before, After  *policy.Document
	State          ChangeState
}

// Entry is one thing that happened.
type Entry struct {
	At   time.Time
	Text string
}

// Incident is one route, however many objects failed and however many causes it has.
type Incident struct {
	ID       string
	Route    Route
	Outcome  Outcome
	Failures Failures
	Causes   []string
	Plan     string    // the hash of the plan; "" without one
	Patched  time.Time // when the first document was written; zero when none was
	Changes  []Change
	Timeline []Entry
}

// ID is the same for the same route and first failure, so that a message that comes twice opens nothing twice.
func ID(r Route, first time.Time) string {
	sum := sha256.Sum256([]byte(strings.Join([]string{r.Source, r.Rule, r.Destination, first.UTC().Format(time.RFC3339Nano)}, "\n")))
	return "inc-" + hex.EncodeToString(sum[:10])
}

// Log adds to the timeline. The text is cleaned and bounded.
func (i *Incident) Log(at time.Time, format string, args ...any) {
	i.Timeline = append(i.Timeline, Entry{At: at, Text: line(fmt.Sprintf(format, args...), maxLine)})
}

// Become records an outcome and why.
func (i *Incident) Become(o Outcome, at time.Time, format string, args ...any) {
	i.Outcome = o
	i.Log(at, "%s: %s", o, fmt.Sprintf(format, args...))
}

// Answer is what a person said to a plan.
type Answer string

// The answers. The zero Answer is none.
const (
	NoAnswer Answer = ""
	Approve  Answer = "approve"
	Decline  Answer = "decline"
)

// Approval is one person's answer to exactly one plan, for a time.
type Approval struct {
	Plan     string // its hash
	Answer   Answer
	Approver string // who is accountable: an ARN
	Expires  time.Time
}

// Allows says whether the plan of that hash may be carried out now.
func (a Approval) Allows(plan string, now time.Time) bool {
	return a.Answer == Approve && a.Approver != "" && plan != "" && a.Plan == plan && now.Before(a.Expires)
}

// Object is one version of an object that failed. Its key may hold what not everybody may know.
type Object struct {
	Key       string `json:"key"`
	VersionID string `json:"versionId"`
	Size      int64  `json:"size"`
}

// Replay is what S3 is asked to replicate again for an incident.
type Replay struct {
	Incident string // its ID, under which S3 is asked at most once
	Bucket   string // the source
	Account  string // that owns it
	Region   string // that it is in
	// Since and Until are the outage by the times when the objects were written. Until is after the last failure that is known.
	Since, Until time.Time
	// Objects is every version that failed, where all are known and they are few; empty: S3 is to find those that are FAILED.
	Objects []Object
	// Versions and Bytes is how much failed, as far as it is known; zero: it is not known.
	Versions, Bytes int64
}

// JobState is how far a replay is.
type JobState string

// The states of a replay.
const (
	JobRunning   JobState = "running"
	JobComplete  JobState = "complete"  // every object was tried; some may have failed
	JobFailed    JobState = "failed"    // S3 gave up
	JobCancelled JobState = "cancelled" // somebody stopped it
)

// Job is how far a replay is.
type Job struct {
	ID        string
	State     JobState
	Total     int64 // of objects; zero: not counted yet
	Succeeded int64
	Failed    int64
	Reason    string // why it is in that state, in S3's words: untrusted text
}

// Over says whether nothing more will become of the job.
func (j Job) Over() bool { return j.State != JobRunning }

// Authority is on whose word something is written.
type Authority struct {
	Incident string // its ID: the session in which the write is made has its name
	Approver string // the ARN of who approved; "": nobody was asked
}
