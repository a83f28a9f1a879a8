// Package incident is what people and ports talk about: one route that failed, what became of it, who approved what, and the
// message that says so. Everything is a value.
//
// Package remedy makes incidents, journals keep them and chat tools print their messages. It knows neither a diagnosis nor a
// cloud: what it is told comes in as plain text, and may have been written by anybody.
package incident

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
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
	Suppressed       Outcome = "suppressed"        // somebody answers for it until a time: nothing was done
	Escalated        Outcome = "escalated"         // something went wrong; what was written was undone, or a person must look
)

var outcomes = []Outcome{
	Open, Ignored, Healthy, Refused, Manual, AwaitingApproval, Declined, Applied, Proven, Resolved, Suppressed, Escalated,
}

// Outcomes is every outcome.
func Outcomes() []Outcome { return slices.Clone(outcomes) }

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
type Route struct {
	Source      string `json:"source"`      // the name of the bucket that is replicated
	Rule        string `json:"rule"`        // the ID of the replication rule
	Destination string `json:"destination"` // the name of the bucket that replicas are written to
}

// String is "source → destination (rule r1)".
func (r Route) String() string {
	return fmt.Sprintf("%s → %s (rule %s)", r.Source, r.Destination, r.Rule)
}

// Over says that nobody has anything left to do. Everything else is the route's one open incident, which whatever fails on the
// route joins: a person who declined, or has to act, is not asked again with every batch of events.
func (o Outcome) Over() bool { return o == Ignored || o == Healthy || o == Resolved }

// ChangeState is how far a change got.
type ChangeState string

// The states of a change.
const (
	Intended ChangeState = "intended" // recorded, and perhaps written: the answer did not come
	Written  ChangeState = "written"
	Undoing  ChangeState = "being undone" // recorded, and perhaps undone: who began did not say
	Undone   ChangeState = "undone"
	Unmade   ChangeState = "not made"      // the store wrote nothing
	Overrun  ChangeState = "changed since" // by somebody else, so that it was not undone
)

// Change is one document that is written, with what stood there before.
type Change struct {
	// The kind of the document, as in a snapshot.
	Kind string `json:"kind"`
	// The ARN or bucket name of what the document belongs to.
	ID string `json:"id"`
	// The policy's name where the owner can have several.
	Name string `json:"name,omitempty"`
	// The id of the account that owns it.
	Account string `json:"account"`
	// When the cure that it is part of began to write, the same for all of its changes. Without it that is when the incident was
	// patched.
	At time.Time `json:"at,omitzero"`
	// What stood there before; null is no document.
	Before *policy.Document `json:"before" jsonschema:"nullable"`
	// What is written in its place; null is no document.
	After *policy.Document `json:"after" jsonschema:"nullable"`
	// How far the change got.
	State ChangeState `json:"state"`
	// Who had it taken back: an ARN. Absent: nobody, or the workflow itself.
	Recalled string `json:"recalled,omitempty"`
}

// Entry is one thing that happened.
type Entry struct {
	At   time.Time `json:"at"`
	Text string    `json:"text"`
	// LeftOut is how many entries stood in this one's place, where a timeline became too long.
	LeftOut int `json:"leftOut,omitempty"`
}

// Incident is one route, however many objects failed and however many causes it has. Its JSON form has schema
// "replimend/incident/v1" as its first member.
type Incident struct {
	ID    string `json:"id"`
	Route Route  `json:"route"`
	// What became of it so far.
	Outcome Outcome `json:"outcome"`
	// Revision counts how often a journal recorded it, from 1; 0: never. A record of an older revision is refused.
	Revision int64 `json:"revision"`
	// Opened is when it was noticed. A journal never changes it.
	Opened   time.Time `json:"opened"`
	Failures Failures  `json:"failures"`
	// The causes, in kebab-case.
	Causes []string `json:"causes,omitempty"`
	// The change that broke the route, where CloudTrail's record of one points at it.
	Breaking *Call `json:"breaking,omitempty"`
	// What happened, in a few words; absent: no more than the outcome says.
	Headline Headline `json:"headline,omitempty"`
	// The route as it was judged last, before anything was written for it; absent: not yet.
	Look *Look `json:"look,omitempty"`
	// The route as it was once the documents were as written; absent: they never were.
	After *Look `json:"after,omitempty"`
	// The hash of the plan.
	Plan string `json:"plan,omitempty"`
	// What people were asked to approve, where they were.
	Proposal *Proposal `json:"proposal,omitempty"`
	// The ARN of who approved the plan; of several the one whose word made it enough.
	Approver string `json:"approver,omitempty"`
	// When the first document was written; absent when none was.
	Patched time.Time `json:"patched,omitzero"`
	Changes []Change  `json:"changes,omitempty"`
	// The replay, from when S3 was asked for it.
	Job Job `json:"job,omitzero"`
	// The canary object, from before S3 was asked to write it; absent: none was.
	Canary *Trial `json:"canary,omitempty"`
	// When everything that failed had been replicated; absent: not yet.
	Resolved time.Time `json:"resolved,omitzero"`
	// What people were told last; absent: nothing yet.
	Told     string  `json:"told,omitempty"`
	Timeline []Entry `json:"timeline,omitempty"`
}

// Proposal is what people are asked to approve. Everything in it is for people to read: what is done is planned anew from the live
// documents, and done only when it is the very plan of that hash.
type Proposal struct {
	// The hash of the plan.
	Plan string `json:"plan"`
	// When it was asked first.
	At time.Time `json:"at"`
	// What the plan would change, as a unified diff.
	Diff string `json:"diff"`
	// Why a person is asked, a line each.
	Reasons []string `json:"reasons,omitempty"`
	// How many people have to approve it.
	People int `json:"people"`
	// Who approved it so far: ARNs.
	Approvers []string `json:"approvers,omitempty"`
}

// Call is one call that changed a document, as CloudTrail recorded it.
type Call struct {
	Event     string    `json:"event"`               // such as PutKeyPolicy
	Principal string    `json:"principal,omitempty"` // the ARN of who made it; absent: not known
	At        time.Time `json:"at"`
}

// String is "PutKeyPolicy of arn:… at 2026-11-28T03:00:00Z".
func (c Call) String() string {
	by := c.Principal
	if by == "" {
		by = "somebody who is not known"
	}
	return c.Event + " of " + by + " at " + c.At.UTC().Format(time.RFC3339)
}

// Schema is the version of an incident's JSON form.
const Schema = "replimend/incident/v1"

// written is the members of an incident without its methods.
type written Incident

// MarshalJSON writes the incident with its schema.
func (i Incident) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		Schema string `json:"schema"`
		written
	}{Schema, written(i)})
}

// UnmarshalJSON reads an incident, and refuses one of another schema.
func (i *Incident) UnmarshalJSON(data []byte) error {
	in := struct {
		Schema string `json:"schema"`
		*written
	}{written: (*written)(i)}
	if err := json.Unmarshal(data, &in); err != nil {
		return err
	}
	if in.Schema != Schema {
		return fmt.Errorf("read incident: schema %.80q is not %q", in.Schema, Schema)
	}
	return nil
}

// Over says that nobody has anything left to do about it.
func (i Incident) Over() bool { return i.Outcome.Over() }

// Wrote says that a document was written for it, or may have been.
func (i Incident) Wrote() bool {
	return slices.ContainsFunc(i.Changes, func(c Change) bool { return c.State != Unmade })
}

// clone shares nothing that a caller may change.
func (i Incident) clone() Incident {
	i.Causes, i.Changes, i.Timeline = slices.Clone(i.Causes), slices.Clone(i.Changes), slices.Clone(i.Timeline)
	i.Failures.Reasons = slices.Clone(i.Failures.Reasons)
	i.Look, i.After = i.Look.clone(), i.After.clone()
	if i.Proposal != nil {
		p := *i.Proposal
		p.Reasons, p.Approvers = slices.Clone(p.Reasons), slices.Clone(p.Approvers)
		i.Proposal = &p
	}
	if c := i.Canary; c != nil {
		kept := *c
		kept.Tags = maps.Clone(c.Tags)
		i.Canary = &kept
	}
	return i
}

// ID is the same for the same route and first failure, so that a message that comes twice opens nothing twice.
func ID(r Route, first time.Time) string {
	sum := sha256.Sum256([]byte(strings.Join([]string{r.Source, r.Rule, r.Destination, first.UTC().Format(time.RFC3339Nano)}, "\n")))
	return "inc-" + hex.EncodeToString(sum[:10])
}

// IsID says whether a text has the form of an ID, and can be nothing else.
func IsID(s string) bool {
	hash, ok := strings.CutPrefix(s, "inc-")
	return ok && len(hash) == 20 && strings.Trim(hash, "0123456789abcdef") == ""
}

// The bounds of a timeline: how an incident began and what happened last say the most.
const (
	maxTimeline = 64
	timelineTop = 16 // how many of the first entries always stay
)

// Log adds to the timeline. The text is cleaned and bounded. Of a long timeline the middle is left out, and an entry says so.
func (i *Incident) Log(at time.Time, format string, args ...any) {
	i.Timeline = append(i.Timeline, Entry{At: at, Text: line(fmt.Sprintf(format, args...), maxLine)})
	if len(i.Timeline) <= maxTimeline {
		return
	}
	gap, next := i.Timeline[timelineTop], i.Timeline[timelineTop+1]
	gone := gap.LeftOut + 1
	if gap.LeftOut == 0 {
		gone++ // the entry in whose place the gap is put
	}
	i.Timeline = slices.Delete(slices.Clone(i.Timeline), timelineTop, timelineTop+1)
	i.Timeline[timelineTop] = Entry{At: next.At, Text: fmt.Sprintf("%d entries left out", gone), LeftOut: gone}
}

// Become records an outcome and why.
func (i *Incident) Become(o Outcome, at time.Time, format string, args ...any) {
	i.Outcome, i.Resolved, i.Headline = o, time.Time{}, ""
	if o == Resolved {
		i.Resolved = at
	}
	i.Log(at, "%s: %s", o, fmt.Sprintf(format, args...))
}

// Object is one version of an object that failed. Its key may hold what not everybody may know.
type Object struct {
	Key       string `json:"key"`
	VersionID string `json:"versionId"`
	Size      int64  `json:"size"`
}

// Replay is what S3 is asked to replicate again for an incident.
type Replay struct {
	Incident string // its ID, and for a further cure of it more: S3 is asked at most once under each
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
	ID        string   `json:"id"`
	State     JobState `json:"state"`
	Total     int64    `json:"total"` // of objects; zero: not counted yet
	Succeeded int64    `json:"succeeded"`
	Failed    int64    `json:"failed"`
	Reason    string   `json:"reason,omitempty"` // why it is in that state, in S3's words: untrusted text
	// When the cure that it is to prove began to write: Change.At. With it and without an ID, S3 may have been asked, and its answer
	// did not come.
	For time.Time `json:"for,omitzero"`
}

// Over says whether nothing more will become of the job.
func (j Job) Over() bool { return j.State != JobRunning }

// Hub is the name of the kill switch that stops everything; those of accounts are named by the account's id.
const Hub = "hub"

// Authority is on whose word something is written.
type Authority struct {
	Incident string // its ID: the session in which the write is made has its name
	Approver string // the ARN of who approved; "": nobody was asked
}
