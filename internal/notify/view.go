// Package notify tells people of incidents in the tools that they use. A file for each tool says how the tool wants it; what is said is
// the same for all of them: a View. Requests go through one client, which knows when to try again and whom it may ask.
package notify

import (
	"time"

	"github.com/replimend/replimend/internal/choice"
	"github.com/replimend/replimend/internal/incident"
	"github.com/replimend/replimend/internal/settings"
)

// View is a message in the words of a target: its language, and with what it masks masked. Texts are plain, without the markup of any
// tool, clean, and may be longer than a tool takes.
type View struct {
	Incident string // its ID, "" where a message is about none or what came has not the form of one
	Severity incident.Severity
	Word     string // the severity in the language
	Title    string
	// Lead is what has to be seen first: since when, and how much is not replicated. One line each.
	Lead     []string
	Sections []Section // in the order in which they are read
	Fields   []incident.Field
	Awaits   bool // whether somebody is asked to decide
	Over     bool // whether nothing more will come of it
	// Decisions is what people can decide about it, for tools that have buttons for that.
	Decisions []Decision
	At        time.Time
	// Link is the page of the incident with its text, and Code is what permits to decline and to silence there, in a line; "": there is none.
	Link, LinkText, Code string
	Cut                  string // what stands where a tool had no room for the rest, with how to see it
}

// Decision is a button: what it sends, and what it says.
type Decision struct {
	choice.Choice        // of a silence the shortest one
	Text          string // in the language
	// Confirm is what somebody is asked once more after they pressed it; nil: nothing.
	Confirm *Confirm
	// Times is for how long a silence can be, each with its text; none otherwise.
	Times []Lasting
}

// Confirm is a question that is asked before a decision is sent, which names what is decided.
type Confirm struct{ Title, Text, Yes, No string }

// Lasting is a time with its text.
type Lasting struct {
	Lasts time.Duration
	Text  string
}

// Section is one part of a view.
type Section struct {
	Heading string
	Lines   []string
	// Code is a diff or a document, in a fixed-width font where a tool has one. A section has lines or code.
	Code string
}

// Ref is what a target calls a message that it shows, so that a later one can take its place or follow it. Its form is the tool's own;
// it holds no secret.
type Ref struct {
	ID      string `json:"id,omitempty"`      // of the message, such as Slack's ts
	Channel string `json:"channel,omitempty"` // where it is, where the tool chooses that
}

// Request is what is sent to a tool: to which host and path, with which headers and body. Secrets are in Secret alone, which is not
// printed.
type Request struct {
	Method string
	// URL is where it goes, without what is secret in it. With a secret that IsURL it is what is added to that: a path, which follows the
	// secret's, and a query, whose parameters join the secret's. For a tool that a topic serves it is sns: and the topic's ARN, the header
	// Subject, if any, is the subject, and the body is the message.
	URL    string
	Header map[string]string
	Body   []byte
	// Secret completes the request: whoever sends it puts the secret where the tool wants it.
	Secret Placement
	// Then is what is sent after it, in order, once it was taken. What is shown is known from the answer to the first alone: the others'
	// answers only say whether they were taken.
	Then []Request
}

// Placement is where the secret of a target goes.
type Placement uint8

// The placements.
const (
	NoSecret    Placement = iota
	IsURL                 // the secret is the whole URL, whose host must be one of the tool's
	BearerToken           // Authorization: Bearer
	TokenHeader           // the header X-ChatWorkToken
	RoutingKey            // the member routing_key of the body, which is a JSON object
	Signs                 // it is the key of an HMAC of the body: see signature
)

// Response is what a tool answered.
type Response struct {
	Status int
	Header map[string]string // by canonical names
	Body   []byte            // at most as much as is read of it
}

// A tool is one way to tell people.
type tool interface {
	// compose makes the request that says it anew, or in place of what was said before; the zero Ref: nothing was. A view is cut to
	// what the tool takes: how long it is, is no fault.
	compose(t settings.Target, v View, before Ref) (Request, error)
	// read finds in an answer what became of it: the reference of what is shown now, the zero Ref where the tool has none, or why it is
	// not, which is a *Refusal. Whether to try again is the client's to decide from the status, and the tool's where an answer of 200
	// says no.
	read(r Response, before Ref) (Ref, error)
	// hosts is the names of the hosts that a request may go to; a leading dot stands for every name below.
	hosts(t settings.Target) []string
}
