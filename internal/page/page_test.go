package page_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"encoding/xml"
	"errors"
	"flag"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/replimend/replimend/internal/incident"
	"github.com/replimend/replimend/internal/lab"
	"github.com/replimend/replimend/internal/page"
	"github.com/replimend/replimend/internal/policy"
	"github.com/replimend/replimend/internal/rehearsal"
	"github.com/replimend/replimend/internal/settings"
)

var update = flag.Bool("update", false, "write the golden files")

var now = time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)

const jane = "arn:aws:iam::111122223333:user/jane"

// played is what scenarios leave in the journal, by their names.
func played(t testing.TB, names ...string) map[string]incident.Incident {
	t.Helper()
	all, err := rehearsal.All()
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]incident.Incident{}
	for _, s := range all {
		if !slices.Contains(names, s.Name) {
			continue
		}
		r := s.Run(t.Context(), lab.Options{}, func(rehearsal.Step) {})
		if r.Err != nil || len(r.Incidents) == 0 {
			t.Fatalf("%s: %d incidents, %v", s.Name, len(r.Incidents), r.Err)
		}
		out[s.Name] = r.Incidents[len(r.Incidents)-1]
	}
	if len(out) != len(names) {
		t.Fatalf("%d of %d scenarios are there", len(out), len(names))
	}
	return out
}

// Of these scenarios the pages are golden files.
const (
	broken, awaiting, healed, refused = "explicit-deny", "asked-role-of-several", "cross-account-kms", "refused-kill-switch"
)

// offered is who looks, with the decisions that the incident has.
func offered(i incident.Incident, l settings.Language) page.Visitor {
	v := page.Visitor{Language: l, Who: jane, CSRF: "csrf-of-jane", Decides: []string{page.Silence}, Now: now}
	if i.Answerable() {
		v.Decides = append(v.Decides, page.Approve, page.Decline)
	}
	if i.Stands() {
		v.Decides = append(v.Decides, page.Undo)
	}
	return v
}

func show(t testing.TB, i incident.Incident, v page.Visitor) string {
	t.Helper()
	var b bytes.Buffer
	if err := page.Incident(&b, i, v); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// TestPages compares with testdata, without the stylesheet.
func TestPages(t *testing.T) {
	t.Parallel()
	css, _ := page.Style()
	for name, i := range played(t, broken, awaiting, healed, refused) {
		for _, l := range settings.Languages() {
			got := strings.Replace(show(t, i, offered(i, l)), string(css), "", 1)
			path := filepath.Join("testdata", name+"."+string(l)+".html")
			if *update {
				if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
				continue
			}
			want, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), got); diff != "" {
				t.Errorf("%s: go test ./internal/page -update writes it anew:\n%s", path, diff)
			}
		}
	}
}

// element is one as it begins: its name and attributes.
type element struct {
	name  string
	attrs map[string]string
	text  string // all that is in it, of the elements that tests read
}

var read = []string{"h1", "h2", "h3", "th", "g", "ins", "del"}

// elements reads a page as strictly as XML is read: every element is closed, every attribute is quoted.
func elements(t testing.TB, text string) []element {
	t.Helper()
	d := xml.NewDecoder(strings.NewReader(text))
	var out []element
	var open []int
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return out
		}
		if err != nil {
			t.Fatalf("the page is not well formed: %v\n%s", err, text)
		}
		switch token := token.(type) {
		case xml.StartElement:
			e := element{name: token.Name.Local, attrs: map[string]string{}}
			for _, a := range token.Attr {
				if _, twice := e.attrs[a.Name.Local]; twice {
					t.Fatalf("<%s> has %s twice", e.name, a.Name.Local)
				}
				e.attrs[a.Name.Local] = a.Value
			}
			open = append(open, len(out))
			out = append(out, e)
		case xml.EndElement:
			open = open[:len(open)-1]
		case xml.CharData:
			for _, n := range open {
				if slices.Contains(read, out[n].name) {
					out[n].text += string(token)
				}
			}
		case xml.Comment:
			t.Fatalf("the page has a comment: %s", token)
		}
	}
}

// shape is the elements with the names of their attributes: what a template decides, and no value.
func shape(elements []element) []string {
	var out []string
	for _, e := range elements {
		var names []string
		for name := range e.attrs {
			names = append(names, name)
		}
		slices.Sort(names)
		out = append(out, e.name+" "+strings.Join(names, " "))
	}
	return out
}

// whole is every page with as much as can be on it, for tests that go over all.
func whole(t testing.TB) map[string]string {
	t.Helper()
	out := map[string]string{}
	var summaries []incident.Summary
	for name, i := range played(t, broken, awaiting, healed, refused) {
		summaries = append(summaries, i.Summary())
		for _, l := range settings.Languages() {
			out[name+" signed in, "+string(l)] = show(t, i, offered(i, l))
			out[name+" by its link, "+string(l)] = show(t, i, page.Visitor{
				Language: l, Masked: true, Base: "/x", SignIn: "/x/sign-in?to=/", Token: "token", NeedsCode: true,
				Decides: []string{page.Decline, page.Silence}, Now: now,
			})
			out[name+" as a file, "+string(l)] = show(t, i, page.Visitor{Language: l, Alone: true, ReadOnly: "It is a copy.", Now: now})
		}
	}
	for _, l := range settings.Languages() {
		v := page.Visitor{Language: l, Who: jane, Now: now}
		var b bytes.Buffer
		if err := page.List(&b, page.Overview{Incidents: summaries, Cut: true, Routes: approved()}, v); err != nil {
			t.Fatal(err)
		}
		out["list, "+string(l)] = b.String()
		b.Reset()
		if err := page.Notice(&b, page.Note{Title: "Rejected", Text: "Nothing is written.", Lines: []string{"a line"}, Incident: summaries[0].ID}, v); err != nil {
			t.Fatal(err)
		}
		out["notice, "+string(l)] = b.String()
	}
	return out
}

func approved() []settings.ApprovedRoute {
	return []settings.ApprovedRoute{
		{
			Name: "orders", Mode: settings.Automatic, Source: settings.Bucket{Bucket: "amzn-s3-demo-source", Account: "111122223333"},
			Destination: settings.Bucket{Bucket: "amzn-s3-demo-destination", Account: "444455556666"}, Rule: settings.Rule{ID: "r1"},
		},
		{
			Name: "quiet", Source: settings.Bucket{Bucket: "quiet-source"}, Destination: settings.Bucket{Bucket: "quiet-destination"},
			Rule: settings.Rule{ID: "all"},
		},
	}
}

// TestPagesAreForEverybody: what keyboards and screen readers need is there, on every page.
func TestPagesAreForEverybody(t *testing.T) {
	t.Parallel()
	for name, text := range whole(t) {
		all := elements(t, text)
		count := map[string]int{}
		ids := map[string]bool{}
		for _, e := range all {
			count[e.name]++
			if id := e.attrs["id"]; id != "" {
				if ids[id] {
					t.Errorf("%s: two elements are %q", name, id)
				}
				ids[id] = true
			}
		}
		if count["h1"] != 1 || count["main"] != 1 || count["title"] == 0 {
			t.Errorf("%s: %d h1, %d main", name, count["h1"], count["main"])
		}
		labels := map[string]bool{}
		for _, e := range all {
			if e.name == "label" {
				labels[e.attrs["for"]] = true
			}
		}
		level := 0
		for _, e := range all {
			for _, attr := range []string{"aria-labelledby", "aria-describedby"} {
				for _, id := range strings.Fields(e.attrs[attr]) {
					if !ids[id] {
						t.Errorf("%s: <%s> is described by %q, which is not there", name, e.name, id)
					}
				}
			}
			switch e.name {
			case "html":
				if l := e.attrs["lang"]; l != "en" && l != "ja" || !strings.HasSuffix(name, l) {
					t.Errorf("%s: language %q", name, l)
				}
			case "h1", "h2", "h3":
				n := int(e.name[1] - '0')
				if n > level+1 {
					t.Errorf("%s: <%s> %q comes after level %d", name, e.name, e.text, level)
				}
				level = n
				if strings.TrimSpace(e.text) == "" {
					t.Errorf("%s: an empty heading", name)
				}
			case "input", "select":
				if e.attrs["type"] != "hidden" && !labels[e.attrs["id"]] {
					t.Errorf("%s: field %q has no label", name, e.attrs["name"])
				}
			case "th":
				if e.attrs["scope"] == "" {
					t.Errorf("%s: header %q has no scope", name, e.text)
				}
			case "svg":
				if e.attrs["role"] != "img" || len(strings.Fields(e.attrs["aria-labelledby"])) != 2 {
					t.Errorf("%s: the picture has no text in its place", name)
				}
			case "a":
				if href := e.attrs["href"]; strings.HasPrefix(href, "#") && !ids[href[1:]] {
					t.Errorf("%s: a link leads to %s, which is not there", name, href)
				}
			}
		}
		if !strings.Contains(text, `<a class="skip" href="#content">`) {
			t.Errorf("%s: nothing leads past the navigation", name)
		}
	}
}

// TestPagesNeedNothingElse: no script, nothing from elsewhere, no style but the one that a policy can name.
func TestPagesNeedNothingElse(t *testing.T) {
	t.Parallel()
	css, hash := page.Style()
	sum := sha256.Sum256(css)
	if want := "sha256-" + base64.StdEncoding.EncodeToString(sum[:]); hash != want {
		t.Errorf("hash %q, want %q", hash, want)
	}
	if regexp.MustCompile(`(?i)url\(|@import|expression|</`).Match(css) {
		t.Error("the stylesheet fetches something")
	}
	for name, text := range whole(t) {
		if got := strings.Count(text, "<style>"+string(css)+"</style>"); got != 1 {
			t.Errorf("%s: the stylesheet is there %d times as it is", name, got)
		}
		for _, e := range elements(t, text) {
			switch e.name {
			case "script", "img", "iframe", "object", "embed", "link", "base", "foreignObject", "use", "image":
				t.Errorf("%s: <%s>", name, e.name)
			}
			for attr, value := range e.attrs {
				if attr == "style" || strings.HasPrefix(strings.ToLower(attr), "on") || attr == "src" {
					t.Errorf("%s: <%s> has %s", name, e.name, attr)
				}
				if attr == "href" || attr == "action" {
					if !strings.HasPrefix(value, "/") && !strings.HasPrefix(value, "#") || strings.HasPrefix(value, "//") {
						t.Errorf("%s: <%s> leads to %q", name, e.name, value)
					}
				}
			}
		}
	}
}

// TestFilesHaveNoLinks: there is nothing beside them.
func TestFilesHaveNoLinks(t *testing.T) {
	t.Parallel()
	for name, text := range whole(t) {
		if !strings.Contains(name, "as a file") {
			continue
		}
		for _, e := range elements(t, text) {
			if e.name == "form" || e.name == "a" && !strings.HasPrefix(e.attrs["href"], "#") {
				t.Errorf("%s: <%s %v>", name, e.name, e.attrs)
			}
		}
	}
}

// TestThePictureSaysWhatTheTableSays, in shapes and words and not by color alone: the broken link is red in the first picture, and green
// in that of the cured route.
func TestThePictureSaysWhatTheTableSays(t *testing.T) {
	t.Parallel()
	i := played(t, healed)[healed]
	var pictures []map[string]string
	drawn := ""
	for _, e := range elements(t, show(t, i, offered(i, settings.English))) {
		switch {
		case e.name == "svg":
			pictures = append(pictures, map[string]string{})
		case e.name == "g" && strings.HasPrefix(e.attrs["class"], "mark "):
			title, _, _ := strings.Cut(e.text, ": ")
			drawn = strings.TrimSpace(title)
			pictures[len(pictures)-1][drawn] = strings.TrimPrefix(e.attrs["class"], "mark ")
		case e.name == "path" && e.attrs["class"] == "sign":
			p := pictures[len(pictures)-1]
			p[drawn] += " " + e.attrs["d"]
		}
	}
	if len(pictures) != 2 {
		t.Fatalf("%d pictures", len(pictures))
	}
	for _, h := range i.Look.Hops {
		want := "good"
		if h.Verdict == "denied" {
			want = "bad"
		}
		was, is := pictures[0][h.Name], pictures[1][h.Name]
		if !strings.HasPrefix(was, want+" ") || !strings.HasPrefix(is, "good ") {
			t.Errorf("%s is %s, and is drawn as %q and %q", h.Name, h.Verdict, was, is)
		}
		if h.Verdict == "denied" && was[len("bad"):] == is[len("good"):] {
			t.Errorf("%s differs in color alone", h.Name)
		}
	}
	if pictures[0]["encrypt-replica"] == "" || !strings.HasPrefix(pictures[0]["encrypt-replica"], "bad") {
		t.Errorf("the broken link is %q", pictures[0]["encrypt-replica"])
	}
}

// forms is the fields of each form, by its decision.
func forms(t testing.TB, text string) map[string]map[string]string {
	t.Helper()
	out := map[string]map[string]string{}
	var fields map[string]string
	for _, e := range elements(t, text) {
		switch e.name {
		case "form":
			fields = map[string]string{"to": e.attrs["method"] + " " + e.attrs["action"]}
		case "input", "select":
			fields[e.attrs["name"]] = e.attrs["value"]
			if e.attrs["name"] == "decision" {
				out[e.attrs["value"]] = fields
			}
		}
	}
	return out
}

func TestForms(t *testing.T) {
	t.Parallel()
	i := played(t, awaiting)[awaiting]
	to := "post /x/incidents/" + i.ID + "/decide"
	got := forms(t, show(t, i, page.Visitor{Who: jane, CSRF: "c", Base: "/x", Decides: []string{page.Approve, page.Decline, page.Undo, page.Silence}, Now: now}))
	if diff := cmp.Diff(map[string]map[string]string{
		"approve": {"to": to, "decision": "approve", "plan": i.Plan, "csrf": "c"},
		"decline": {"to": to, "decision": "decline", "plan": i.Plan, "csrf": "c", "reason": ""},
		"undo":    {"to": to, "decision": "undo", "plan": i.Plan, "csrf": "c", "reason": ""},
		"silence": {"to": to, "decision": "silence", "plan": i.Plan, "csrf": "c", "reason": "", "hours": ""},
	}, got); diff != "" {
		t.Error(diff)
	}
	got = forms(t, show(t, i, page.Visitor{Masked: true, Token: "t", NeedsCode: true, Base: "/x", Decides: []string{page.Decline, page.Silence}, Now: now}))
	if diff := cmp.Diff(map[string]map[string]string{
		"decline": {"to": to, "decision": "decline", "plan": i.Plan, "token": "t", "reason": "", "code": ""},
		"silence": {"to": to, "decision": "silence", "plan": i.Plan, "token": "t", "reason": "", "hours": "", "code": ""},
	}, got); diff != "" {
		t.Error(diff)
	}
	for name, v := range map[string]page.Visitor{
		"nothing is offered": {Who: jane, CSRF: "c"},
		"it is read only":    {Who: jane, CSRF: "c", Decides: []string{page.Approve, page.Undo}, ReadOnly: "The link has expired."},
	} {
		text := show(t, i, v)
		if got := forms(t, text); len(got) != 0 {
			t.Errorf("%s, and there are %v", name, got)
		}
		if !strings.Contains(text, v.ReadOnly) {
			t.Errorf("%s: it does not say so", name)
		}
	}
}

// TestALinkAloneShowsNoAccountsAndNoKeys, wherever they stand.
func TestALinkAloneShowsNoAccountsAndNoKeys(t *testing.T) {
	t.Parallel()
	for name, i := range played(t, broken, awaiting, healed, refused) {
		i.Canary = &incident.Trial{Key: "canary-key", State: incident.TrialWritten, At: now}
		i.Breaking = &incident.Call{Event: "PutKeyPolicy", Principal: jane, At: now}
		if i.Proposal != nil {
			i.Proposal.Approvers = []string{jane}
		}
		i.Approver = jane
		for masked, want := range map[bool]bool{false: true, true: false} {
			text := show(t, i, page.Visitor{Masked: masked, Now: now})
			for _, hidden := range []string{"111122223333", "canary-key"} {
				if got := strings.Contains(text, hidden); got != want {
					t.Errorf("%s: masked is %t, and %s is there: %t", name, masked, hidden, got)
				}
			}
			if masked && (!strings.Contains(text, "xxxxxxxx3333") || regexp.MustCompile(`\b\d{12}\b`).MatchString(text)) {
				t.Errorf("%s: an account is shown, or none at all", name)
			}
			if !strings.Contains(text, i.ID) || i.Plan != "" && len(i.Plan) == 64 && !strings.Contains(text, i.Plan) {
				t.Errorf("%s: an ID or a plan is taken for an account", name)
			}
		}
	}
}

// TestDiffsAreWhole: nobody approves what is not shown, whatever somebody writes into a policy.
func TestDiffsAreWhole(t *testing.T) {
	t.Parallel()
	before, err := policy.Parse([]byte(`{"Version":"2012-10-17","Statement":[{"Sid":"-- a","Effect":"Allow","Principal":"*","Action":"s3:*","Resource":"*"}]}`))
	if err != nil {
		t.Fatal(err)
	}
	after, err := policy.Parse([]byte(`{"Version":"2012-10-17","Statement":[{"Sid":"++ b/dev/null","Effect":"Allow","Principal":"*","Action":"s3:*","Resource":"*"}]}`))
	if err != nil {
		t.Fatal(err)
	}
	i := played(t, healed)[healed]
	change := i.Changes[0]
	change.Before, change.After = &before, &after
	added, gone := change, change
	added.Before, gone.After = nil, nil
	i.Changes = []incident.Change{change, added, gone}
	var removed, put []string
	for _, e := range elements(t, show(t, i, page.Visitor{Now: now})) {
		switch e.name {
		case "del":
			removed = append(removed, strings.TrimSpace(e.text))
		case "ins":
			put = append(put, strings.TrimSpace(e.text))
		}
	}
	for _, want := range []string{`"Sid": "-- a",`} {
		if !slices.Contains(removed, want) {
			t.Errorf("%s is not shown as removed: %q", want, removed)
		}
	}
	if want := `"Sid": "++ b/dev/null",`; !slices.Contains(put, want) {
		t.Errorf("%s is not shown as added: %q", want, put)
	}
	if lines := strings.Count(before.Indent(), "\n") + 1; len(removed) != lines+1 {
		t.Errorf("%d lines are removed, want one and the %d of a whole document", len(removed), lines)
	}
	if lines := strings.Count(after.Indent(), "\n") + 1; len(put) != lines+1 {
		t.Errorf("%d lines are added, want one and the %d of a whole document", len(put), lines)
	}
	i.Changes, i.Outcome = nil, incident.AwaitingApproval
	i.Proposal = &incident.Proposal{Plan: i.Plan, Diff: "--- a\n+++ a\n@@ -1,2 +1,2 @@\n--- x\n-y\n+++ x\n+z\n"}
	for _, e := range elements(t, show(t, i, page.Visitor{Now: now})) {
		switch e.name {
		case "del":
			removed = append(removed, e.text)
		case "ins":
			put = append(put, e.text)
		}
	}
	if got := slices.Concat(removed[len(removed)-2:], put[len(put)-2:]); !slices.Equal(got, []string{"-- x", "y", "++ x", "z"}) {
		t.Errorf("what looks like the head of a diff is shown as %q", got)
	}
	i.Proposal = &incident.Proposal{Plan: i.Plan, Diff: "no diff\n+ but a line"}
	if text := show(t, i, page.Visitor{Now: now}); !strings.Contains(text, "no diff") || !strings.Contains(text, "but a line") {
		t.Error("what is no diff is not shown")
	}
}

// hostile draws what whoever writes policies, rules, keys and roles can write.
func hostile() *rapid.Generator[string] {
	return rapid.OneOf(
		rapid.String(),
		rapid.SampledFrom([]string{
			`<script>alert(1)</script>`, `"><img src=x onerror=alert(1)>`, `' onmouseover='alert(1)`, `</title><script>alert(1)</script>`,
			`</style><script>alert(1)</script>`, `javascript:alert(1)`, `<!--`, `-->`, `]]>`, `<![CDATA[`, `{{.}}`, "\x00", "\u202e", "\u2028",
			`&lt;script&gt;`, `</svg><a href="//evil.example">`, "a\" style=\"x", "", strings.Repeat("<b>", 200),
		}),
	)
}

// TestNothingBecomesMarkup: with any text in any place the page is well formed, and has the elements and attributes that it has with
// harmless ones.
func TestNothingBecomesMarkup(t *testing.T) {
	t.Parallel()
	all := played(t, broken, awaiting, healed, refused)
	rapid.Check(t, func(r *rapid.T) {
		i := all[rapid.SampledFrom([]string{broken, awaiting, healed, refused}).Draw(r, "incident")]
		masked := rapid.Bool().Draw(r, "masked")
		text := hostile().Draw(r, "text")
		if strings.TrimSpace(text) == "" {
			text = "<" // no text at all is another page
		}
		visitor := page.Visitor{
			Who: "who", CSRF: "csrf", Token: "token", Base: "/x", Masked: masked, NeedsCode: true, Now: now,
			Decides: []string{page.Approve, page.Decline, page.Undo, page.Silence},
		}
		foul := visitor
		foul.Who, foul.CSRF, foul.Token = text, text, text
		with := func(text string, v page.Visitor) []element {
			var b bytes.Buffer
			if err := page.Incident(&b, spoiled(t, i, text), v); err != nil {
				r.Fatal(err)
			}
			return elements(t, b.String())
		}
		harmless := strings.Repeat("x", utf8.RuneCountInString(text)) // as long, because names of two lines have two elements
		want, got := shape(with(harmless, visitor)), shape(with(text, foul))
		if diff := cmp.Diff(want, got); diff != "" {
			r.Fatalf("%q changes what the page is made of:\n%s", text, diff)
		}
		var list, note bytes.Buffer
		s := spoiled(t, i, text).Summary()
		s.ID = text
		routes := approved()
		routes[0].Name, routes[0].Rule.ID, routes[1].Source.Bucket = text, text, text
		if err := page.List(&list, page.Overview{Incidents: []incident.Summary{s}, Routes: routes}, foul); err != nil {
			r.Fatal(err)
		}
		if err := page.Notice(&note, page.Note{Title: text, Text: text, Lines: []string{text}, Incident: text}, foul); err != nil {
			r.Fatal(err)
		}
		for _, page := range []string{list.String(), note.String()} {
			for _, e := range elements(t, page) {
				if e.name == "script" || e.name == "img" || e.name == "b" || e.attrs["onerror"] != "" || e.attrs["onmouseover"] != "" {
					r.Fatalf("<%s %v>", e.name, e.attrs)
				}
				if href := e.attrs["href"]; href != "" && !strings.HasPrefix(href, "/x") && !strings.HasPrefix(href, "#") {
					r.Fatalf("a link leads to %q", href)
				}
			}
		}
	})
}

// spoiled is the incident with that text in every place that is written by others.
func spoiled(t testing.TB, i incident.Incident, text string) incident.Incident {
	t.Helper()
	written, err := json.Marshal(i)
	if err != nil {
		t.Fatal(err)
	}
	var out incident.Incident
	if err := json.Unmarshal(written, &out); err != nil {
		t.Fatal(err)
	}
	out.Route = incident.Route{Source: text, Rule: text, Destination: text}
	out.Approver, out.Failures.Reasons = text, []string{text}
	out.Breaking = &incident.Call{Event: text, Principal: text, At: now}
	out.Canary = &incident.Trial{Key: text, State: incident.TrialWritten, At: now}
	out.Job = incident.Job{ID: text, State: incident.JobRunning, Reason: text}
	for n := range out.Timeline {
		out.Timeline[n].Text = text
	}
	for n := range out.Changes {
		c := &out.Changes[n]
		c.ID, c.Name = text, text
	}
	if p := out.Proposal; p != nil {
		p.Approvers, p.Reasons = []string{text}, []string{text}
	}
	// Verdicts, decisions and the like are words of ours; what they are of is not.
	words := map[string]bool{
		"": true, "broken": true, "healthy": true, "allowed": true, "denied": true, "unknown": true, "fault": true, "warning": true, "advice": true,
		"Allow": true, "Deny": true, "none": true,
	}
	swap := func(s string) string {
		if words[s] {
			return s
		}
		return text
	}
	out.Look, out.After = out.Look.Each(swap), out.After.Each(swap)
	return out
}

// TestColorsCanBeRead: by WCAG 2.2, text has a contrast of 4.5 to what it stands on, and what is no text has 3.
// https://www.w3.org/TR/WCAG22/#contrast-minimum
func TestColorsCanBeRead(t *testing.T) {
	t.Parallel()
	css, _ := page.Style()
	palettes := regexp.MustCompile(`(?s):root \{(.*?)\}`).FindAllStringSubmatch(string(css), -1)
	if len(palettes) != 2 {
		t.Fatalf("%d palettes", len(palettes))
	}
	for n, p := range palettes {
		colors := map[string]string{}
		for _, m := range regexp.MustCompile(`--([a-z-]+): (#[0-9a-f]{6})`).FindAllStringSubmatch(p[1], -1) {
			colors[m[1]] = m[2]
		}
		pairs := [][2]string{{"on-button", "button"}, {"link", "ground"}, {"link", "panel"}}
		for _, text := range []string{"text", "muted", "good", "bad", "warn", "unknown"} {
			pairs = append(pairs, [2]string{text, "ground"}, [2]string{text, "panel"})
		}
		for _, tone := range []string{"good", "bad", "warn", "unknown"} {
			pairs = append(pairs, [2]string{tone, tone + "-ground"}, [2]string{"text", tone + "-ground"})
		}
		for _, pair := range pairs {
			a, b := colors[pair[0]], colors[pair[1]]
			if a == "" || b == "" {
				t.Fatalf("palette %d has no %v", n, pair)
			}
			if c := contrast(t, a, b); c < 4.5 {
				t.Errorf("palette %d: %s on %s has a contrast of %.2f", n, pair[0], pair[1], c)
			}
		}
	}
}
