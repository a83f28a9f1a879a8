package incident

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/replimend/replimend/internal/jsontree"
)

// Severity is how loudly a message is to be said.
type Severity string

// The severities.
const (
	Info     Severity = "info"
	Warning  Severity = "warning"
	Critical Severity = "critical"
)

// String is the severity's word.
func (s Severity) String() string { return string(s) }

// severityOf is how loud an outcome is: what needs a person is louder than what does not.
func severityOf(o Outcome) Severity {
	switch o {
	case Open, Ignored, Healthy, Proven, Resolved:
		return Info
	case Escalated:
		return Critical
	case Refused, Manual, AwaitingApproval, Declined, Applied, Suppressed:
		return Warning
	default:
		return Critical
	}
}

// Message is what people are told, in the order in which they read it: what broke, what was changed, who may undo it and how.
// It is the same for every tool. Its texts are clean and bounded, and it names no objects, because their keys may hold what
// not everybody in a chat may know.
type Message struct {
	Incident string
	Outcome  Outcome
	Severity Severity
	// Headline is the title as one of a few words, for other languages than English.
	Headline Headline
	Title    string
	Broke    []string // what broke: the causes, the worst first
	Causes   []string // the names of those causes, each once, in that order
	Why      []string // what speaks against doing it, or against doing it unasked
	Rules    []string // the names of the guard's rules that speak against it, each once, in that order
	Diff     string   // what was changed, or what would be, as the title says
	Code     string   // what is to be added to the code that the documents are kept as
	Undo     []string // who may undo it, and how
	ByHand   []string // what a person has to clear away by hand
	Steps    []string // what a person can do next
	Happened []string // what was done, in its order
	Fields   []Field  // the route, counts and times

	Route Route
	// Accounts is those of the source and the destination, as far as they are known; Labels is the approved route's.
	Accounts, Labels []string
	Opened, At       time.Time // when the incident was opened, and as of when the message is
	Exposure         Exposure
	Breaking         *Call  // who most likely broke it
	Plan             string // what an approval would be of; "" when nothing is to be approved
	Stands           string // the plan with which what was written for the incident can be taken back; "": nothing stands
}

// Headline is what happened, in one of a few words.
type Headline string

// The headlines. In English they are what a title begins with.
const (
	HeadNotReplicated  Headline = "not replicated, and for a person to mend"
	HeadDegraded       Headline = "replicated, but not as it should be"
	HeadUnknown        Headline = "not known to replicate, and for a person to look at"
	HeadOnPurpose      Headline = "the cure is not to stand: the route was broken on purpose"
	HeadOneMore        Headline = "broken, and waiting for one more approval"
	HeadRefused        Headline = "broken, and not touched"
	HeadManual         Headline = "broken, and for a person to mend"
	HeadAwaiting       Headline = "broken, and waiting for your approval"
	HeadDeclined       Headline = "broken, and the cure was declined"
	HeadApplied        Headline = "patched, and not proven yet"
	HeadCured          Headline = "cured"
	HeadSuppressed     Headline = "broken, and silenced"
	HeadEscalated      Headline = "the cure went wrong"
	HeadRecalled       Headline = "the cure was taken back, as somebody asked"
	HeadHealthy        Headline = "in order again"
	HeadIgnored        Headline = "no longer replicated: the rule is gone"
	HeadOpen           Headline = "looked at"
	HeadUnapprovedRule Headline = "replication rule that nobody approved, possible exfiltration"
	HeadChangedRule    Headline = "replication rule that is not as it was approved, possible exfiltration"
	HeadSilenceEnded   Headline = "no longer silenced"
)

// Headlines is every headline.
func Headlines() []Headline {
	return []Headline{
		HeadNotReplicated, HeadDegraded, HeadUnknown, HeadOnPurpose, HeadOneMore, HeadRefused, HeadManual, HeadAwaiting, HeadDeclined,
		HeadApplied, HeadCured, HeadSuppressed, HeadEscalated, HeadRecalled, HeadHealthy, HeadIgnored, HeadOpen, HeadUnapprovedRule,
		HeadChangedRule, HeadSilenceEnded,
	}
}

// Headline is that of an outcome, as far as nothing more is known.
func (o Outcome) Headline() Headline {
	switch o {
	case Refused:
		return HeadRefused
	case Manual:
		return HeadManual
	case AwaitingApproval:
		return HeadAwaiting
	case Declined:
		return HeadDeclined
	case Applied:
		return HeadApplied
	case Proven, Resolved:
		return HeadCured
	case Suppressed:
		return HeadSuppressed
	case Escalated:
		return HeadEscalated
	case Healthy:
		return HeadHealthy
	case Ignored:
		return HeadIgnored
	case Open:
	}
	return HeadOpen
}

// Over says whether nothing more will come of the incident.
func (m Message) Over() bool { return m.Outcome.Over() }

// Field is a name and a value.
type Field struct{ Name, Value string }

// The bounds of a message: it fits into the smallest of the chat tools with little left to cut.
const (
	maxTitle  = 150
	maxLine   = 600
	maxLines  = 12
	maxDiff   = 12_000
	maxFields = 16
)

// NewMessage is the message about an incident. Without a severity in content it is that of the outcome. Everything in content is taken to be written by anybody: it is cleaned of what
// could steer a terminal or turn text around, and cut to its bounds.
func NewMessage(i Incident, content Message) Message {
	content.Incident, content.Outcome = line(i.ID, maxTitle), i.Outcome
	content.Severity = cmp.Or(content.Severity, severityOf(i.Outcome))
	content.Title = line(cmp.Or(content.Title, string(content.Headline)+": "+i.Route.String()), maxTitle)
	content.Route, content.Opened, content.Exposure, content.Breaking = i.Route, i.Opened, i.Exposure(), i.Breaking
	if i.Stands() {
		content.Stands = i.Plan
	}
	content.Broke, content.Why = lines(content.Broke), lines(content.Why)
	content.Undo, content.ByHand = lines(content.Undo), lines(content.ByHand)
	content.Steps, content.Happened = lines(content.Steps), lines(content.Happened)
	content.Diff, content.Code = block(content.Diff), block(content.Code)
	fields := make([]Field, 0, len(content.Fields))
	for _, f := range content.Fields {
		if len(fields) < maxFields && f.Value != "" {
			fields = append(fields, Field{line(f.Name, maxTitle), line(f.Value, maxLine)})
		}
	}
	content.Fields = fields
	return content
}

// maxProposed bounds the diff of a proposal, which nobody may approve without having seen it: several times what the longest policy has.
const maxProposed = 100_000

// NewProposal is the proposal of a plan. Its texts are cleaned and bounded as those of a message are, but that a diff of any plan that
// can be written is whole.
func NewProposal(plan string, at time.Time, diff string, reasons []string, people int) *Proposal {
	shown := clean(diff, true)
	if cut := clip(shown, maxProposed); cut != shown {
		shown = cut + "\n(cut: this is not the whole of it, and nobody should approve it)"
	}
	return &Proposal{Plan: plan, At: at, Diff: shown, Reasons: lines(reasons), People: people}
}

// Text is the message as plain text.
func (m Message) Text() string {
	var b strings.Builder
	fmt.Fprintf(&b, "[%s] %s\n", m.Severity, m.Title)
	section := func(title string, lines []string) {
		if len(lines) == 0 {
			return
		}
		fmt.Fprintf(&b, "\n%s\n", title)
		for _, l := range lines {
			fmt.Fprintf(&b, "  - %s\n", l)
		}
	}
	section("What broke", m.Broke)
	section("What speaks against a cure", m.Why)
	if m.Diff != "" {
		fmt.Fprintf(&b, "\n%s\n", m.diffTitle())
		for l := range strings.Lines(m.Diff) {
			b.WriteString("  " + strings.TrimRight(l, "\n") + "\n")
		}
	}
	if m.Code != "" {
		b.WriteString("\nFor the code that the documents are kept as\n")
		for l := range strings.Lines(m.Code) {
			b.WriteString("  " + strings.TrimRight(l, "\n") + "\n")
		}
	}
	section("Who may undo it, and how", m.Undo)
	section("Next", append(slices.Clone(m.ByHand), m.Steps...))
	section("What happened", m.Happened)
	if len(m.Fields) > 0 {
		b.WriteString("\n")
	}
	for _, f := range m.Fields {
		fmt.Fprintf(&b, "%s: %s\n", f.Name, f.Value)
	}
	fmt.Fprintf(&b, "incident: %s, %s\n", m.Incident, m.Outcome)
	return b.String()
}

// diffTitle says whether the diff is what was done: a proposal must never read like a change.
func (m Message) diffTitle() string {
	switch m.Outcome {
	case Applied, Proven, Resolved:
		return "What was changed"
	case Escalated:
		return "What was changed, and undone where it says so"
	case Open, Ignored, Healthy, Refused, Manual, AwaitingApproval, Declined:
	}
	return "What would be changed (nothing was)"
}

// lines cleans and bounds each line, and the number of them.
func lines(in []string) []string {
	var out []string
	for i, s := range in {
		if i == maxLines-1 && len(in) > maxLines {
			return append(out, fmt.Sprintf("and %d more", len(in)-i))
		}
		out = append(out, line(s, maxLine))
	}
	return out
}

// Line is a text from outside on one line, cleaned of what cannot be shown and cut to the length of a line of a message.
func Line(s string) string { return line(s, maxLine) }

// line is s on one line of at most that many characters.
func line(s string, most int) string {
	return clip(clean(s, false), most)
}

// block is s with its line breaks.
func block(s string) string {
	out := clip(clean(s, true), maxDiff)
	if len(out) < len(s) && strings.HasSuffix(out, "…") {
		out += blockCut
	}
	return out
}

const blockCut = "\n(cut: the whole of it is in the incident)"

// Whole says whether the message has the whole of its diff. Nobody should approve what they have not seen.
func (m Message) Whole() bool { return !strings.HasSuffix(m.Diff, blockCut) }

// clean replaces what cannot be shown: control characters, and the invisible ones that turn or hide text.
func clean(s string, breaks bool) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n' && breaks:
			return r
		case r == '\n' || r == '\t':
			return ' '
		case r == utf8.RuneError || !jsontree.Visible(r):
			return '�'
		}
		return r
	}, s)
}

func clip(s string, most int) string {
	if utf8.RuneCountInString(s) <= most {
		return s
	}
	return string([]rune(s)[:most-1]) + "…"
}
