// Package page is what a browser shows of incidents: HTML out of documents, with the route as a picture. Nothing of it decides anything;
// its forms say what they ask for, and whoever takes them judges whether they may.
//
// A page is one document: no script, no image, no font, and one stylesheet whose hash a Content-Security-Policy can name. Every value is
// taken to be written by anybody. What was found is shown in the words in which it was found, in English, and marked as such; the rest is
// in the visitor's language.
package page

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"io"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/replimend/replimend/internal/catalogue"
	"github.com/replimend/replimend/internal/choice"
	"github.com/replimend/replimend/internal/incident"
	"github.com/replimend/replimend/internal/jsontree"
	"github.com/replimend/replimend/internal/settings"
)

// Visitor is who looks at a page, and what they may see and are offered.
type Visitor struct {
	Language settings.Language
	// The ARN of who signed in; "": nobody did.
	Who string
	// Masked hides account ids but for their last four digits, and every object key: what a link alone shows.
	Masked bool
	// Base is the path that all links and forms begin with: "" or "/x".
	Base string
	// Alone says that the page is a file by itself, with no links to others.
	Alone bool
	// SignIn is where to sign in; "": nobody can.
	SignIn string
	// CSRF is the token for the forms of who signed in; "": none.
	CSRF string
	// Token is the link's, for forms that need the code; "": none.
	Token string
	// Decides is which decisions are offered.
	Decides []string
	// NeedsCode says that to decline and to silence ask for the code of the message.
	NeedsCode bool
	// ReadOnly is a sentence that stands where decisions would be; "": none.
	ReadOnly string
	// Now is as of when the page is.
	Now time.Time
}

// The decisions, as forms send them in the field "decision". Its other fields are "plan", "csrf", "token", "code", "hours" and "reason".
const (
	Approve = "approve"
	Decline = "decline"
	Undo    = "undo"
	Silence = "silence"
)

// Hours is for how many hours a form offers to silence a route, as a button does.
func Hours() []int {
	var out []int
	for _, lasts := range choice.Silences() {
		out = append(out, int(lasts.Hours()))
	}
	return out
}

// Overview is what the list shows.
type Overview struct {
	// Incidents in the order of a journal. Those that are not over are shown first.
	Incidents []incident.Summary
	// Cut says that there are more than these.
	Cut bool
	// Routes is the approved routes.
	Routes []settings.ApprovedRoute
}

// Note is a plain page.
type Note struct {
	Title string
	Text  string
	// Lines is evidence, in English.
	Lines []string
	// Bad says that something went wrong.
	Bad bool
	// Incident is the ID of the incident that the page leads back to; "": it leads to the list.
	Incident string
}

//go:embed page.html
var files embed.FS

// style is the stylesheet as it stands on every page, the bytes between the tags.
//
//go:embed style.css
var style []byte

var templates = template.Must(template.ParseFS(files, "page.html"))

// Style is the one stylesheet of all pages, and its hash as a Content-Security-Policy names it: "sha256-…", without quotes.
// https://www.w3.org/TR/CSP3/#grammardef-hash-source
func Style() (css []byte, hash string) {
	sum := sha256.Sum256(style)
	return slices.Clone(style), "sha256-" + base64.StdEncoding.EncodeToString(sum[:])
}

// Incident writes the page of one incident.
func Incident(w io.Writer, i incident.Incident, v Visitor) error {
	return write(w, "incident", incidentView(i, v))
}

// List writes the page of incidents and routes.
func List(w io.Writer, o Overview, v Visitor) error {
	return write(w, "list", listView(o, v))
}

// Notice writes a plain page, such as what was decided or what went wrong.
func Notice(w io.Writer, n Note, v Visitor) error {
	return write(w, "notice", noticeView(n, v))
}

// write writes a page when all of it is made, and nothing of it otherwise.
func write(w io.Writer, name string, view any) error {
	var b bytes.Buffer
	if err := templates.ExecuteTemplate(&b, name, view); err != nil {
		return fmt.Errorf("make page %s: %w", name, err)
	}
	if _, err := b.WriteTo(w); err != nil {
		return fmt.Errorf("write page %s: %w", name, err)
	}
	return nil
}

// frame is what every page has.
type frame struct {
	Words    catalogue.PageWords
	Language settings.Language
	Title    string
	Style    template.CSS
	Base     string // of links
	Alone    bool
	SignIn   string
	Who      string
	CSRF     string // of the form that signs out
	say      func(string) string
}

// frame is that of a page for the visitor, on which the known accounts are hidden where they have to be.
func (v Visitor) frame(title string, accounts ...string) frame {
	say := plain
	if v.Masked {
		mask := incident.Masker(accounts)
		say = func(s string) string { return mask(plain(s)) }
	}
	if v.Language == "" {
		v.Language = settings.English
	}
	return frame{
		Words: catalogue.Page(v.Language), Language: v.Language, Title: say(title), Style: template.CSS(style),
		Base: v.Base, Alone: v.Alone, SignIn: v.SignIn, Who: say(v.Who), CSRF: plain(v.CSRF), say: say,
	}
}

// plain replaces what cannot be shown: control characters, and the invisible ones that turn or hide text.
func plain(s string) string {
	return strings.Map(func(r rune) rune {
		if r == '\n' || r == '\t' {
			return ' '
		}
		if !jsontree.Visible(r) {
			return '�'
		}
		return r
	}, s)
}

// moment is a time with what machines read of it.
type moment struct{ Text, Machine string }

func (f frame) moment(t time.Time) moment {
	if t.IsZero() {
		return moment{}
	}
	return moment{catalogue.Moment(f.Language, t), t.UTC().Format(time.RFC3339)}
}

// tone is how a page looks: which of the classes of the stylesheet.
func tone(o incident.Outcome) string {
	switch o {
	case incident.Proven, incident.Resolved, incident.Healthy:
		return "good"
	case incident.Refused, incident.Escalated, incident.Manual:
		return "bad"
	case incident.AwaitingApproval, incident.Declined, incident.Applied:
		return "warn"
	case incident.Open, incident.Ignored, incident.Suppressed:
	}
	return "unknown"
}

// outcome is a badge.
type outcome struct{ Text, Tone string }

func (f frame) outcome(o incident.Outcome) outcome {
	text, ok := catalogue.Outcome(f.Language, o)
	if !ok {
		text = f.say(o.String())
	}
	return outcome{text, tone(o)}
}

// worded is a text of the catalogue, or the name itself where it has none.
func (f frame) worded(find func(settings.Language, string) (string, bool), name string) string {
	if text, ok := find(f.Language, name); ok {
		return text
	}
	return f.say(name)
}

// notice is a plain page.
type notice struct {
	frame
	Text, Tone, Back string
	Lines            []string
}

func noticeView(n Note, v Visitor) notice {
	f := v.frame(n.Title)
	out := notice{frame: f, Text: f.say(n.Text), Tone: "good", Back: v.Base + "/"}
	if n.Bad {
		out.Tone = "bad"
	}
	if incident.IsID(n.Incident) {
		out.Back = v.Base + "/incidents/" + n.Incident
		if v.Token != "" {
			out.Back += "?" + url.Values{"t": {v.Token}}.Encode()
		}
	}
	for _, l := range n.Lines {
		out.Lines = append(out.Lines, f.say(l))
	}
	return out
}

// list is the page of incidents and routes.
type list struct {
	frame
	Rows   []row
	Cut    bool
	Routes []health
}

// row is one incident.
type row struct {
	ID, Link, Route, Exposure string
	Outcome                   outcome
	Opened                    moment
	Causes                    []string
}

// health is an approved route and how it is, by the incident of it that is not over.
type health struct {
	Name, Mode, Route, Link string
	Outcome                 outcome
}

func listView(o Overview, v Visitor) list {
	var accounts []string
	for _, r := range o.Routes {
		accounts = append(accounts, r.Source.Account, r.Destination.Account)
	}
	f := v.frame("", accounts...)
	f.Title = f.Words.Home
	out := list{frame: f, Cut: o.Cut}
	rows := slices.Clone(o.Incidents)
	slices.SortStableFunc(rows, func(a, b incident.Summary) int {
		switch {
		case a.Outcome.Over() == b.Outcome.Over():
			return 0
		case b.Outcome.Over():
			return -1
		}
		return 1
	})
	for _, s := range rows {
		r := row{
			ID: f.say(s.ID), Link: v.Base + "/incidents/" + s.ID, Route: f.say(catalogue.Route(f.Language, s.Route)),
			Outcome: f.outcome(s.Outcome), Opened: f.moment(s.Opened),
		}
		if !s.Exposure.Empty() {
			r.Exposure = catalogue.Exposure(f.Language, s.Exposure, v.Now)
		}
		for _, c := range s.Causes {
			r.Causes = append(r.Causes, f.say(c))
		}
		out.Rows = append(out.Rows, r)
	}
	for _, r := range o.Routes {
		h := health{
			Name: f.say(r.Name), Mode: f.say(string(r.Mode)), Outcome: outcome{f.Words.NothingOpen, "good"},
			Route: f.say(catalogue.Route(f.Language, incident.Route{Source: r.Source.Bucket, Rule: r.Rule.ID, Destination: r.Destination.Bucket})),
		}
		for _, s := range rows {
			if !s.Outcome.Over() && s.Route == (incident.Route{Source: r.Source.Bucket, Rule: r.Rule.ID, Destination: r.Destination.Bucket}) {
				h.Outcome, h.Link = f.outcome(s.Outcome), v.Base+"/incidents/"+s.ID
				break
			}
		}
		out.Routes = append(out.Routes, h)
	}
	return out
}
