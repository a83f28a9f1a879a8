package page

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/replimend/replimend/internal/catalogue"
	"github.com/replimend/replimend/internal/incident"
	"github.com/replimend/replimend/internal/settings"
)

// shown is the page of one incident.
type shown struct {
	frame
	ID, Route string
	Outcome   outcome
	Opened    string
	Exposure  string
	Exposed   bool
	Counted   string // what the exposure does not know
	Changer   string

	Pictures []picture
	Hops     []hop
	LeftOut  bool
	Causes   []cause
	Against  []argument

	Heading  headings
	Diffs    []diff
	Facts    []fact
	Timeline []entry

	Forms    []form
	ReadOnly string
	Asked    bool // whether people are asked for an approval
	Offer    bool // to sign in
}

// headings is those of sections.
type headings struct{ Why, Who, Changes, Against, Happened string }

// hop is a row of the table: what S3 does, what became of it and why.
type hop struct {
	Name, About, Verdict, Tone string
	Allowed                    string // how many requests are
	By                         decider
	Others                     []request
}

type request struct {
	Principal, Action, Resource, Decision, Note string
	By                                          []decider
}

type decider struct{ Document, Statement, Effect, Reason string }

type cause struct {
	Name, About, Grade, Side, Document, Hop, Message, Tone string
}

type argument struct{ Rule, About, Text string }

type fact struct {
	Name, Text string
	Evidence   bool // whether it is in English
}

type entry struct {
	At   moment
	Text string
}

// form is one decision that is offered.
type form struct {
	Decision, Title, Text, Action, Plan, CSRF, Token string
	Primary, Code, Reason, Hours                     bool
	ID                                               string // of its fields
	Words                                            catalogue.PageWords
	Choices                                          []option
}

type option struct {
	Hours int
	Text  string
}

func incidentView(i incident.Incident, v Visitor) shown {
	var accounts []string
	for _, l := range []*incident.Look{i.Look, i.After} {
		if l != nil {
			accounts = append(accounts, l.Source.Account, l.Destination.Account)
		}
	}
	for _, c := range i.Changes {
		accounts = append(accounts, c.Account)
	}
	f := v.frame("", accounts...)
	l := f.Language
	headline, ok := catalogue.Headline(l, cmp.Or(i.Headline, i.Outcome.Headline()))
	if !ok {
		headline = f.say(string(i.Headline))
	}
	f.Title = capital(headline)
	out := shown{
		frame: f, ID: f.say(i.ID), Route: f.say(catalogue.Route(l, i.Route)), Outcome: f.outcome(i.Outcome),
		Opened: catalogue.Noticed(l, i.Opened), Exposure: catalogue.Exposure(l, i.Exposure(), v.Now), Exposed: !i.Exposure().Empty(),
		Counted: uncounted(l), Changer: f.say(catalogue.Changer(l, i.Breaking)), ReadOnly: f.say(v.ReadOnly),
	}
	if i.Breaking != nil && !i.Breaking.At.IsZero() {
		out.Opened = catalogue.Broken(l, i.Breaking.At, i.Opened)
	}
	out.Heading = headings{
		Why: catalogue.Why.Heading(l), Who: catalogue.Who.Heading(l), Against: catalogue.Against.Heading(l),
		Happened: catalogue.Happened.Heading(l),
	}
	out.look(i)
	out.causes(i)
	out.changes(i)
	out.Facts = f.facts(i, v)
	for _, e := range i.Timeline {
		out.Timeline = append(out.Timeline, entry{f.moment(e.At), f.say(e.Text)})
	}
	out.forms(i, v)
	return out
}

// look is the pictures and the table. Where the cure stands, there are two: what was, and what is.
func (s *shown) look(i incident.Incident) {
	if i.Look == nil {
		return
	}
	s.Pictures = append(s.Pictures, s.picture("was", s.Words.WasSo, i.Look, i.Route))
	if i.Cured() {
		s.Pictures = append(s.Pictures, s.picture("is", s.Words.IsSo, i.After, i.Route))
	}
	s.LeftOut = i.Look.LeftOut > 0
	for _, h := range i.Look.Hops {
		row := hop{Name: s.say(h.Name), About: s.worded(catalogue.Hop, h.Name), Verdict: s.hopWord(h.Verdict), Tone: hopTone(h.Verdict)}
		if h.Allowed > 0 {
			row.Allowed = catalogue.FewAllowed(s.Language, h.Allowed)
		}
		if h.By != nil {
			row.By = s.decider(*h.By)
		}
		for _, q := range h.Others {
			r := request{
				Principal: s.say(q.Principal), Action: s.say(q.Action), Resource: s.say(q.Resource), Decision: s.worded(catalogue.Decision, q.Decision),
			}
			for _, word := range []string{q.Evidence, q.Need} {
				if word != "" && word != "required" {
					r.Note = strings.TrimPrefix(r.Note+", "+s.say(word), ", ")
				}
			}
			for _, by := range q.By {
				r.By = append(r.By, s.decider(by))
			}
			row.Others = append(row.Others, r)
		}
		s.Hops = append(s.Hops, row)
	}
	for _, a := range i.Look.Against {
		about, _ := catalogue.Rule(s.Language, a.Rule)
		s.Against = append(s.Against, argument{s.say(a.Rule), about, s.say(a.Text)})
	}
}

func (f frame) decider(d incident.Decider) decider {
	return decider{f.say(d.Document), f.say(d.Statement), f.say(d.Effect), f.say(d.Reason)}
}

// causes is the faults, or without one what comes nearest, with their explanation; then what else was found.
func (s *shown) causes(i incident.Incident) {
	explained := func(name string) string {
		text, _ := catalogue.Cause(s.Language, name)
		return text
	}
	if i.Look != nil && len(i.Look.Findings) > 0 {
		for _, n := range i.Look.Findings {
			c := cause{
				Name: s.say(n.Cause), About: explained(n.Cause), Grade: s.worded(catalogue.Grade, n.Severity), Side: s.worded(catalogue.Side, n.Side),
				Document: s.say(n.Document), Hop: s.say(n.Hop), Message: s.say(n.Message), Tone: "unknown",
			}
			switch n.Severity {
			case "fault":
				c.Tone = "bad"
			case "warning":
				c.Tone = "warn"
			}
			s.Causes = append(s.Causes, c)
		}
		return
	}
	for _, name := range i.Causes {
		s.Causes = append(s.Causes, cause{Name: s.say(name), About: explained(name), Tone: "bad"})
	}
}

// changes is the diffs, and what they are diffs of. What was written goes before what is asked: only then is there nothing more to say
// of a proposal.
func (s *shown) changes(i incident.Incident) {
	heading := catalogue.Would
	switch p := i.Proposal; {
	case i.Wrote() && !i.Answerable():
		s.Diffs = s.diffs(i)
		heading = catalogue.Changed
		if !i.Stands() {
			heading = catalogue.Planned
		}
	case p != nil:
		s.Diffs = s.parse(p.Diff)
	}
	s.Heading.Changes = heading.Heading(s.Language)
}

// facts is what is known besides.
func (f frame) facts(i incident.Incident, v Visitor) []fact {
	var out []fact
	label := func(name string) string {
		text, ok := catalogue.Label(f.Language, name)
		if !ok {
			return name
		}
		return text
	}
	add := func(name, text string, evidence bool) {
		if text != "" {
			out = append(out, fact{name, f.say(text), evidence})
		}
	}
	add(label("incident"), i.ID, false)
	if i.Look != nil {
		add(label("role"), i.Look.Role, false)
		add(label("replica key"), i.Look.ReplicaKey, false)
	}
	add(label("S3's reasons"), strings.Join(i.Failures.Reasons, ", "), true)
	add(label("first failure"), catalogue.Moment(f.Language, i.Failures.First), false)
	add(label("last failure"), catalogue.Moment(f.Language, i.Failures.Last), false)
	add(f.Words.Plan, i.Plan, false)
	add(f.Words.Approver, i.Approver, i.Approver == incident.ByCode)
	if p := i.Proposal; p != nil && i.Answerable() {
		add(f.Words.People, fmt.Sprint(p.People), false)
		add(f.Words.Approved, strings.Join(p.Approvers, ", "), false)
		for _, reason := range p.Reasons {
			if i.Look == nil || len(i.Look.Against) == 0 {
				add(label("reason"), reason, true)
			}
		}
	}
	if i.Job.ID != "" {
		text := fmt.Sprintf("%s, %s", i.Job.ID, i.Job.State)
		if i.Job.Total > 0 {
			text += fmt.Sprintf(", %d of %d replicated, %d failed", i.Job.Succeeded, i.Job.Total, i.Job.Failed)
		}
		add(f.Words.Replay, text, true)
	}
	if c := i.Canary; c != nil {
		text := string(c.State) + ", " + catalogue.Moment(f.Language, c.At)
		if !v.Masked {
			text += ": " + c.Key
		}
		add(f.Words.Canary, text, true)
	}
	return out
}

// forms is the decisions that are offered, or why none is.
func (s *shown) forms(i incident.Incident, v Visitor) {
	s.Offer = v.Who == "" && v.SignIn != ""
	s.Asked = i.Outcome == incident.AwaitingApproval
	if v.ReadOnly != "" || !incident.IsID(i.ID) {
		return
	}
	w := s.Words
	for _, f := range []form{
		{Decision: Approve, Title: w.Approve, Text: w.ApproveText, Primary: true},
		{Decision: Decline, Title: w.Decline, Text: w.DeclineText, Code: v.NeedsCode, Reason: true},
		{Decision: Undo, Title: w.Undo, Text: w.UndoText, Reason: true},
		{Decision: Silence, Title: w.Silence, Text: w.SilenceText, Code: v.NeedsCode, Reason: true, Hours: true},
	} {
		if !slices.Contains(v.Decides, f.Decision) {
			continue
		}
		f.ID, f.Action, f.Plan = f.Decision, v.Base+"/incidents/"+i.ID+"/decide", plain(i.Plan)
		f.CSRF, f.Token, f.Words = plain(v.CSRF), plain(v.Token), w
		if f.Hours {
			for _, hours := range Hours() {
				f.Choices = append(f.Choices, option{hours, catalogue.For(s.Language, hours)})
			}
		}
		s.Forms = append(s.Forms, f)
	}
}

// uncounted says what an exposure does not know.
func uncounted(l settings.Language) string {
	label, _ := catalogue.Label(l, "not in it")
	return catalogue.Title(l, capital(label), catalogue.NotCounted(l))
}

// capital is a text that begins with a capital, where its script has any.
func capital(s string) string {
	for n, r := range s {
		if n == 0 {
			return strings.ToUpper(string(r)) + s[len(string(r)):]
		}
	}
	return s
}
