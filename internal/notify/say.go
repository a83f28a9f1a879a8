package notify

import (
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/replimend/replimend/internal/catalogue"
	"github.com/replimend/replimend/internal/choice"
	"github.com/replimend/replimend/internal/incident"
	"github.com/replimend/replimend/internal/settings"
)

// Of is a message in the words of a target, in the order in which people read it: what is broken and since when, how much has no replica,
// why, who changed what, what was or would be changed, what speaks against it, what to do next, what happened. The steps are those of the
// catalogue and not the message's own, which are English. A message may have come over a queue, and all of it is taken to be written by
// anybody.
func Of(m incident.Message, t settings.Target) View {
	whole := m.Whole()
	m = shown(m, t)
	s := speaker{t.Language, m, whole && !strings.HasSuffix(m.Diff, catalogue.Cut(t.Language, m.Incident)+"\n")}
	return View{
		Incident: m.Incident,
		Severity: m.Severity,
		Word:     known(string(m.Severity))(catalogue.Severity(s.language, m.Severity)),
		Title:    incident.Line(s.title()),
		Lead:     lined(s.lead()),
		Sections: s.sections(),
		Fields:   s.fields(),
		Awaits:   m.Outcome == incident.AwaitingApproval,
		Over:     m.Over(),
		At:       m.At,
		Cut:      catalogue.Cut(s.language, m.Incident),

		Decisions: s.decisions(),
	}
}

// speaker says a message, which is clean, in a language.
type speaker struct {
	language settings.Language
	message  incident.Message
	whole    bool // whether the message has the whole of its diff
}

// decisions are what people can decide with one press: on the plan that they are asked about, to take back what stands, and, until it is
// over, to silence the route. What could not be sent as it is meant is none: a message may have come from anywhere. Nobody approves a plan by
// a diff of which something is missing.
func (s speaker) decisions() []Decision {
	m, w := s.message, catalogue.Buttons(s.language)
	var out []Decision
	add := func(d Decision) {
		if d.Incident = m.Incident; d.Valid() {
			out = append(out, d)
		}
	}
	answer := func(a incident.Answer, text, plan string, c *Confirm) {
		add(Decision{Choice: choice.Choice{Answer: a, Plan: plan}, Text: text, Confirm: c})
	}
	confirm := func(title func(settings.Language, string) string, plan, yes, follows string) *Confirm {
		return &Confirm{
			Title: title(s.language, catalogue.Short(plan)), Yes: yes, No: w.Cancel,
			Text: catalogue.Of(s.language, m.Incident, clip(catalogue.Route(s.language, m.Route), mostRoute)) + " " + follows,
		}
	}
	approved := !catalogue.Unapproves(m) // who made a rule that nobody approved is not to be helped, and people are to hear of it
	if m.Outcome == incident.AwaitingApproval && approved {
		if s.whole {
			answer(incident.Approve, w.Approve, m.Plan, confirm(catalogue.ConfirmApprove, m.Plan, w.Approve, w.ApproveText))
		}
		answer(incident.Decline, w.Decline, m.Plan, nil)
	}
	if m.Stands != "" {
		answer(incident.Undo, w.Undo, m.Stands, confirm(catalogue.ConfirmUndo, m.Stands, w.Undo, w.UndoText))
	}
	if !m.Over() && approved {
		d := Decision{Choice: choice.Choice{Lasts: choice.Silences()[0]}, Text: w.Silence}
		for _, lasts := range choice.Silences() {
			d.Times = append(d.Times, Lasting{lasts, catalogue.For(s.language, int(lasts.Hours()))})
		}
		add(d)
	}
	return out
}

// mostRoute is how much of a route a question names, in characters: the longest names of two buckets do not fit into the 300 of Slack beside
// the rest, and their beginnings do.
const mostRoute = 120

// known is a text of the catalogue, or where it has none what came.
func known(otherwise string) func(text string, ok bool) string {
	return func(text string, ok bool) string {
		if !ok {
			return otherwise
		}
		return text
	}
}

// title is the headline and the route. A headline that is not known is of a newer version, and its title is told as it came.
func (s speaker) title() string {
	h, ok := catalogue.Headline(s.language, s.message.Headline)
	if !ok {
		return s.message.Title
	}
	return catalogue.Title(s.language, h, catalogue.Route(s.language, s.message.Route))
}

// lead is since when it is broken, and how much has no replica. Where a rule is one that nobody approved, that nothing is replicated by it
// would be good news.
func (s speaker) lead() []string {
	m, out := s.message, []string(nil)
	switch {
	case m.Opened.IsZero():
	case m.Breaking != nil && !m.Breaking.At.IsZero() && !m.Over() && !catalogue.Unapproves(m):
		out = append(out, catalogue.Broken(s.language, m.Breaking.At, m.Opened))
	default:
		out = append(out, catalogue.Noticed(s.language, m.Opened))
	}
	if !m.Exposure.Empty() || !m.Over() && !m.Opened.IsZero() && !catalogue.Unapproves(m) {
		out = append(out, catalogue.Exposure(s.language, m.Exposure, m.At))
	}
	return out
}

func (s speaker) sections() []Section {
	m, l := s.message, s.language
	var out []Section
	add := func(h catalogue.Heading, lines ...string) {
		if lines = lined(lines); len(lines) > 0 {
			out = append(out, Section{Heading: h.Heading(l), Lines: lines})
		}
	}
	code := func(h catalogue.Heading, text string) {
		if text != "" {
			out = append(out, Section{Heading: h.Heading(l), Code: text})
		}
	}
	add(catalogue.Why, explained(m.Broke, m.Causes, " (", func(name string) (string, bool) { return catalogue.Cause(l, name) })...)
	if m.Breaking != nil || !m.Over() && !m.Opened.IsZero() {
		add(catalogue.Who, catalogue.Changer(l, m.Breaking))
	}
	// Whoever made a route that nobody approved may be waiting for somebody to grant what it lacks.
	if !catalogue.Unapproves(m) {
		code(s.diffHeading(), m.Diff)
		code(catalogue.Code, m.Code)
	}
	add(catalogue.Against, explained(m.Why, m.Rules, ": ", func(name string) (string, bool) { return catalogue.Rule(l, name) })...)
	add(catalogue.Next, catalogue.Steps(l, m)...)
	add(catalogue.Undoing, m.Undo...)
	add(catalogue.ByHand, m.ByHand...)
	add(catalogue.Happened, m.Happened...)
	return out
}

// diffHeading says whether the diff is what was done: a proposal must never read like a change.
func (s speaker) diffHeading() catalogue.Heading {
	switch s.message.Outcome {
	case incident.Applied, incident.Proven, incident.Resolved:
		return catalogue.Changed
	case incident.Escalated:
		return catalogue.Planned
	case incident.Open, incident.Ignored, incident.Healthy, incident.Refused, incident.Manual, incident.AwaitingApproval, incident.Declined,
		incident.Suppressed:
	}
	return catalogue.Would
}

// explained is the evidence, which begins with names, with what each name means before the first line of it.
func explained(evidence, names []string, after string, means func(name string) (string, bool)) []string {
	var out []string
	rest := slices.Clone(evidence)
	for _, name := range names {
		if text, ok := means(name); ok {
			out = append(out, text)
		}
		rest = slices.DeleteFunc(rest, func(line string) bool {
			of := strings.HasPrefix(line, name+after)
			if of {
				out = append(out, line)
			}
			return of
		})
	}
	return append(out, rest...)
}

// fields are those of the message in the language, without what the lead and the sections say, and with what an incident is called.
func (s speaker) fields() []incident.Field {
	m, l := s.message, s.language
	var out []incident.Field
	add := func(name, value string) {
		if value = incident.Line(value); value != "" {
			out = append(out, incident.Field{Name: known(name)(catalogue.Label(l, name)), Value: value})
		}
	}
	for _, f := range m.Fields {
		switch f.Name {
		case "exposure", "broken by":
		case "route":
			add(f.Name, catalogue.Route(l, m.Route))
		case "not in it":
			add(f.Name, catalogue.NotCounted(l))
		default:
			if at, err := time.Parse(time.RFC3339, f.Value); err == nil {
				f.Value = catalogue.Moment(l, at)
			}
			add(f.Name, f.Value)
		}
	}
	add("incident", m.Incident)
	add("outcome", known(string(m.Outcome))(catalogue.Outcome(l, m.Outcome)))
	return out
}

// The bounds of what is taken from a message: those of incident.NewMessage with room for what stands around it.
const (
	mostLines  = 32
	mostCode   = 12_500 // characters
	mostFields = 24
	mostNames  = 16
)

// shown is the message cleaned and bounded, and with what the target masks masked.
func shown(m incident.Message, t settings.Target) incident.Message {
	mask := func(s string) string { return s }
	if t.MaskAccounts {
		mask = incident.Masker(m.Accounts)
	}
	line := func(s string) string { return incident.Line(mask(s)) }
	each := func(in []string, most int) []string {
		out := make([]string, 0, min(len(in), most))
		for _, s := range in[:min(len(in), most)] {
			out = append(out, line(s))
		}
		return out
	}
	if !incident.IsID(m.Incident) { // people paste commands that name it
		m.Incident = ""
	}
	m.Title = line(m.Title)
	// A word that is not known is shown as it came.
	m.Severity, m.Outcome = incident.Severity(line(string(m.Severity))), incident.Outcome(line(string(m.Outcome)))
	m.Route = incident.Route{Source: line(m.Route.Source), Rule: line(m.Route.Rule), Destination: line(m.Route.Destination)}
	m.Broke, m.Causes, m.Why, m.Rules = each(m.Broke, mostLines), each(m.Causes, mostNames), each(m.Why, mostLines), each(m.Rules, mostNames)
	m.Undo, m.ByHand, m.Steps, m.Happened = each(m.Undo, mostLines), each(m.ByHand, mostLines), nil, each(m.Happened, mostLines)
	cut := catalogue.Cut(t.Language, m.Incident)
	m.Diff, m.Code = block(mask(m.Diff), cut), block(mask(m.Code), cut)
	if m.Breaking != nil {
		m.Breaking = &incident.Call{Event: line(m.Breaking.Event), Principal: line(m.Breaking.Principal), At: m.Breaking.At}
	}
	fields := make([]incident.Field, 0, min(len(m.Fields), mostFields))
	for _, f := range m.Fields[:min(len(m.Fields), mostFields)] {
		fields = append(fields, incident.Field{Name: line(f.Name), Value: line(f.Value)})
	}
	m.Fields = fields
	return m
}

// block is a text of several lines, each of them clean, and where there is too much of it cut after a whole line, which then says so.
func block(s, cut string) string {
	var b strings.Builder
	left := mostCode
	for l := range strings.Lines(s) {
		l = incident.Line(strings.TrimRight(l, "\n"))
		if left -= utf8.RuneCountInString(l) + 1; left < 0 {
			b.WriteString(cut + "\n")
			break
		}
		b.WriteString(l + "\n")
	}
	return b.String()
}

// lined is the lines that say something, each on one line and bounded.
func lined(in []string) []string {
	var out []string
	for _, s := range in {
		if s = incident.Line(s); strings.TrimSpace(s) != "" {
			out = append(out, s)
		}
	}
	return out
}

// Text is the view as plain text, for tools that take no more, and for where others show a summary.
func (v View) Text() string {
	var b strings.Builder
	b.WriteString("[" + v.Word + "] " + v.Title + "\n")
	for _, l := range v.Lead {
		b.WriteString(l + "\n")
	}
	for _, s := range v.Sections {
		b.WriteString("\n" + s.Heading + "\n")
		for _, l := range s.Lines {
			b.WriteString("  - " + l + "\n")
		}
		for l := range strings.Lines(s.Code) {
			b.WriteString("  " + strings.TrimRight(l, "\n") + "\n")
		}
	}
	if len(v.Fields) > 0 {
		b.WriteString("\n")
	}
	for _, f := range v.Fields {
		b.WriteString(f.Name + ": " + f.Value + "\n")
	}
	if v.Link != "" {
		b.WriteString("\n" + v.LinkText + ": " + v.Link + "\n")
	}
	if v.Code != "" {
		b.WriteString(v.Code + "\n")
	}
	return b.String()
}
