package render

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/charmbracelet/lipgloss"

	"github.com/replimend/replimend/internal/diagnose"
	"github.com/replimend/replimend/internal/incident"
	"github.com/replimend/replimend/internal/preflight"
)

// Incidents is a line for each incident, in the order given.
func (p Printer) Incidents(all []incident.Summary) string {
	var b strings.Builder
	if len(all) == 0 {
		p.paragraph(&b, 0, 2, p.plain, "there are no incidents")
		return b.String()
	}
	var ids, outcomes, times []string
	for _, i := range all {
		ids, outcomes, times = append(ids, Clean(i.ID)), append(outcomes, Clean(i.Outcome.String())), append(times, moment(i.Opened))
	}
	columns := []column{widest(ids, 8, 24), widest(times, 6, 20), widest(outcomes, 7, 17)}
	rows := [][]cell{{{"incident", p.faint}, {"opened", p.faint}, {"outcome", p.faint}, {"route", p.faint}}}
	for n, i := range all {
		text := Clean(i.Route.String())
		if e := i.Exposure; !e.Empty() {
			text += ": " + Clean(strings.TrimSpace(e.Amount()+" "+e.Window()))
		}
		if len(i.Causes) > 0 {
			text += ": " + Clean(strings.Join(i.Causes, ", "))
		}
		rows = append(rows, []cell{{ids[n], p.bold}, {times[n], p.plain}, {outcomes[n], p.outcome(i.Outcome)}, {text, p.plain}})
	}
	p.grid(&b, 0, columns, rows)
	return b.String()
}

// Suppressions is a line for each suppression, in the order given.
func (p Printer) Suppressions(all []incident.Suppression, now time.Time) string {
	var b strings.Builder
	if len(all) == 0 {
		p.paragraph(&b, 0, 2, p.plain, "nothing is silenced")
		return b.String()
	}
	rows := [][]cell{{{"until", p.faint}, {"state", p.faint}, {"route", p.faint}}}
	for _, s := range all {
		state := cell{"silent", p.bold}
		if s.Ended(now) {
			state = cell{"ended", p.faint}
		}
		text := Clean(s.Route.String())
		if s.Cause != "" {
			text += ", cause " + Clean(s.Cause)
		}
		rows = append(rows, []cell{{moment(s.Expires), p.plain}, state, {text + ": " + Clean(s.Owner) + ": " + Clean(s.Reason), p.plain}})
	}
	p.grid(&b, 0, []column{20, 6}, rows)
	return b.String()
}

// Incident is everything that people ask of one incident but the documents themselves: what failed, what was changed on whose
// word, and what happened. It names no object but the canary.
func (p Printer) Incident(i incident.Incident) string {
	var b strings.Builder
	p.paragraph(&b, 0, 2, p.bold, Clean(i.ID+": "+i.Route.String()))
	line := func(label, text string) {
		if text != "" {
			p.fact(&b, label, Clean(text))
		}
	}
	p.grid(&b, 2, []column{12}, [][]cell{{{"outcome", p.faint}, {Clean(i.Outcome.String()), p.outcome(i.Outcome)}}})
	line("opened", moment(i.Opened))
	if e := i.Exposure(); !e.Empty() {
		exposed := "exposed"
		if !e.Until.IsZero() {
			exposed = "was exposed"
		}
		line(exposed, strings.TrimSpace(e.Amount()+" "+e.Window()))
		line("not in it", incident.NotCounted)
		line("reported", "first "+moment(i.Failures.First)+", last "+moment(i.Failures.Last))
	}
	line("reasons", strings.Join(i.Failures.Reasons, ", "))
	line("causes", strings.Join(i.Causes, ", "))
	if c := i.Breaking; c != nil {
		line("broken by", c.Event+" of "+c.Principal+" at "+moment(c.At))
	}
	line("plan", i.Plan)
	line("approved by", i.Approver)
	line("patched", moment(i.Patched))
	if i.Job.ID != "" {
		line("replay", "job "+i.Job.ID+", "+string(i.Job.State))
	}
	if c := i.Canary; c != nil {
		line("canary", string(c.State)+", of "+moment(c.At)+": "+c.Key)
	}
	for _, c := range i.Changes {
		line("change", c.Kind+" "+c.ID+" in account "+c.Account+": "+string(c.State))
	}
	b.WriteByte('\n')
	p.paragraph(&b, 0, 2, p.bold, "what happened")
	for _, e := range i.Timeline {
		p.grid(&b, 2, []column{20}, [][]cell{{{moment(e.At), p.faint}, {Clean(e.Text), p.plain}}})
	}
	return b.String()
}

// Asked is what somebody has to read before they answer: what would be written, why a person is asked, and how many people it takes.
func (p Printer) Asked(a incident.Asked) string {
	var b strings.Builder
	p.paragraph(&b, 0, 2, p.bold, Clean(a.Incident+": "+a.Route.String()))
	line := func(label, text string) {
		if text != "" {
			p.fact(&b, label, Clean(text))
		}
	}
	p.grid(&b, 2, []column{12}, [][]cell{{{"outcome", p.faint}, {Clean(a.Outcome.String()), p.outcome(a.Outcome)}}})
	line("causes", strings.Join(a.Causes, ", "))
	if a.Breaking != nil {
		line("broken by", a.Breaking.String())
	}
	if a.Standing != nil {
		for _, d := range a.Standing.Documents {
			line("written", d)
		}
	}
	if a.Proposal == nil {
		return b.String()
	}
	line("plan", a.Proposal.Plan)
	line("asked", moment(a.Proposal.At))
	for _, reason := range a.Proposal.Reasons {
		line("why", reason)
	}
	line("needs", people(a.Proposal.People))
	line("approved by", strings.Join(a.Proposal.Approvers, ", "))
	line("counts until", moment(a.Expires))
	b.WriteByte('\n')
	p.paragraph(&b, 0, 2, p.bold, "what would be written")
	b.WriteString(p.Diff(a.Proposal.Diff))
	return b.String()
}

// Taken is what became of an answer.
func (p Printer) Taken(t incident.Taken) string {
	var b strings.Builder
	word := "approved"
	switch t.Answer {
	case incident.Decline:
		word = "rejected"
	case incident.Undo:
		word = "told to take it back"
	case incident.Approve, incident.NoAnswer:
	}
	p.paragraph(&b, 0, 2, p.plain, Clean(word+" as "+t.Approver+", until "+moment(t.Expires)))
	if t.Missing != "" {
		p.paragraph(&b, 0, 2, p.warn, Clean(t.Missing))
	}
	return b.String()
}

func people(n int) string {
	if n == 1 {
		return "one person"
	}
	return strconv.Itoa(n) + " people"
}

// outcome is the style of an outcome: what needs a person is louder than what does not.
func (p Printer) outcome(o incident.Outcome) lipgloss.Style {
	switch o {
	case incident.Healthy, incident.Proven, incident.Resolved:
		return p.good
	case incident.Escalated:
		return p.bad
	case incident.Refused, incident.Manual, incident.AwaitingApproval, incident.Declined, incident.Applied:
		return p.warn
	case incident.Open, incident.Ignored:
	}
	return p.plain
}

// moment is a time in UTC, to the second; "" for none.
func moment(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}

// Standing is a live route beside its approval.
type Standing struct {
	Source, Rule, Destination string
	Name, Mode                string           // of the approved route; "" without one
	Against                   []string         // in what it is not the approved route
	Verdict                   diagnose.Verdict // "" where nobody diagnosed it
	Causes                    []string
}

// Standings is a line for each route.
func (p Printer) Standings(all []Standing) string {
	var b strings.Builder
	if len(all) == 0 {
		p.paragraph(&b, 0, 2, p.plain, "no enabled replication rule")
		return b.String()
	}
	var verdicts, approvals []string
	for _, s := range all {
		verdicts, approvals = append(verdicts, string(s.Verdict)), append(approvals, s.approval())
	}
	columns := []column{widest(approvals, len("approved"), 24)}
	head := []cell{{"approved", p.faint}}
	diagnosed := slices.ContainsFunc(verdicts, func(v string) bool { return v != "" })
	if diagnosed {
		columns = append(columns, widest(verdicts, len("verdict"), 12))
		head = append(head, cell{"verdict", p.faint})
	}
	rows := [][]cell{append(head, cell{"route", p.faint})}
	for n, s := range all {
		style := p.good
		if s.Name == "" || len(s.Against) > 0 {
			style = p.warn
		}
		row := []cell{{approvals[n], style}}
		if diagnosed {
			row = append(row, cell{verdicts[n], p.verdict(s.Verdict)})
		}
		text := Clean(s.Source + " → " + s.Destination + " (rule " + s.Rule + ")")
		if len(s.Causes) > 0 {
			text += ": " + Clean(strings.Join(s.Causes, ", "))
		}
		if s.Name != "" {
			for _, reason := range s.Against {
				text += "\n" + Clean(reason)
			}
		}
		rows = append(rows, append(row, cell{text, p.plain}))
	}
	p.grid(&b, 0, columns, rows)
	return b.String()
}

// approval is how the route stands, in a word or two.
func (s Standing) approval() string {
	switch {
	case s.Name == "":
		return "no"
	case len(s.Against) > 0:
		return "differs"
	}
	return s.Mode
}

// Missing is everything that a preflight found missing, by account.
func (p Printer) Missing(all []preflight.Missing) string {
	var b strings.Builder
	if len(all) == 0 {
		p.paragraph(&b, 0, 2, p.good, "nothing is missing")
		return b.String()
	}
	account := ""
	for n, m := range all {
		if n == 0 || m.Account != account {
			account = m.Account
			title := "account " + account
			if account == "" {
				title = "not known whose"
			}
			if n > 0 {
				b.WriteByte('\n')
			}
			p.paragraph(&b, 0, 2, p.bold, Clean(title))
		}
		style := p.warn
		if m.Severity == preflight.Blocks {
			style = p.bad
		}
		p.grid(&b, 2, []column{8}, [][]cell{{{string(m.Severity), style}, {Clean(m.Subject + ": " + m.What), p.plain}}})
		if m.Fix == "" {
			continue
		}
		for _, line := range cleanLines(m.Fix) {
			b.WriteString("            " + line + "\n") // as it is: a statement or a command is for copying
		}
	}
	return b.String()
}
