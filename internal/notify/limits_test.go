package notify_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"html"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"pgregory.net/rapid"

	"github.com/replimend/replimend/internal/choice"
	"github.com/replimend/replimend/internal/incident"
	"github.com/replimend/replimend/internal/notify"
	"github.com/replimend/replimend/internal/notifytest"
	"github.com/replimend/replimend/internal/settings"
)

// hostile is what somebody may name a bucket's rule, a session or a policy to have a chat do something.
var hostile = []string{
	"<!channel>", "<!here|x>", "<@U0123456789>", "<https://evil.example|click>", "<users/all>", "<at>everyone</at>", "</at>", "@everyone", "@here", "@channel",
	"x.@channel", "@all", "<@&123>", "<#123>", "[toall]", "[To:123]name", "[ /info]", "[/code][toall][code]", "[/info]", "[link](https://evil.example)",
	"![x](https://evil.example/x.png)", "```", "````\n# head\n````", "`", "*bold*", "_it_", "~s~", "||spoiler||", "> quote", "# head", "- item", "\\", "\\*", "&amp;", "&", "&lt;!channel&gt;",
	"<br>", "<b>", "<script>", "\u202egnorw\u202c", "\u200b@everyone", "\x1b[2J", "\x00", "\r\n", "\u2028", "\"", "'", "{{x}}", "%s", ":smile:", "=?UTF-8?B?eA==?=", "日本語", "👩‍👩‍👧", "𝒜", "arn:aws:s3:::a*/b*_c_",
}

// words are what the texts of a view are made of, short ones and ones beyond every limit.
func words() *rapid.Generator[string] {
	short := rapid.Custom(func(t *rapid.T) string {
		return strings.Join(rapid.SliceOfN(rapid.OneOf(rapid.SampledFrom(hostile), rapid.StringN(0, 12, -1), rapid.Just(" ")), 0, 6).Draw(t, "words"), "")
	})
	long := rapid.Custom(func(t *rapid.T) string {
		return strings.Repeat(rapid.SampledFrom(hostile).Draw(t, "word")+"x", rapid.IntRange(1, 800).Draw(t, "times"))
	})
	return rapid.OneOf(short, short, long)
}

func views(most int) *rapid.Generator[notify.View] {
	w := words()
	return rapid.Custom(func(t *rapid.T) notify.View {
		v := notify.View{
			Incident: rapid.OneOf(rapid.Just(""), rapid.Just(notifytest.ID), w).Draw(t, "incident"),
			Severity: rapid.SampledFrom([]incident.Severity{incident.Info, incident.Warning, incident.Critical, "<other>"}).Draw(t, "severity"),
			Word:     w.Draw(t, "word"), Title: w.Draw(t, "title"), Cut: w.Draw(t, "cut"),
			Lead:   rapid.SliceOfN(w, 0, most).Draw(t, "lead"),
			Awaits: rapid.Bool().Draw(t, "awaits"), Over: rapid.Bool().Draw(t, "over"),
			At: time.Unix(rapid.Int64Range(-62135596800, 253402300799).Draw(t, "at"), 0),
		}
		if rapid.Bool().Draw(t, "linked") {
			linked(&v, settings.Japanese)
			if rapid.Bool().Draw(t, "hostile link") {
				v.LinkText, v.Code = w.Draw(t, "link text"), w.Draw(t, "code of the link")
			}
		}
		for _, answer := range rapid.SliceOfN(rapid.SampledFrom([]incident.Answer{incident.Approve, incident.Decline, incident.Undo, incident.NoAnswer, "<other>"}), 0, 4).Draw(t, "decisions") {
			d := notify.Decision{Text: w.Draw(t, "button"), Choice: choice.Choice{
				Incident: v.Incident, Answer: answer, Plan: rapid.OneOf(rapid.Just(strings.Repeat("0a", 32)), w).Draw(t, "plan"),
			}}
			if answer == incident.NoAnswer {
				d.Plan, d.Lasts = "", choice.Silences()[0]
				for _, lasts := range choice.Silences() {
					d.Times = append(d.Times, notify.Lasting{Lasts: lasts, Text: w.Draw(t, "time")})
				}
			}
			if rapid.Bool().Draw(t, "confirmed") {
				d.Confirm = &notify.Confirm{Title: w.Draw(t, "question"), Text: w.Draw(t, "what"), Yes: w.Draw(t, "yes"), No: w.Draw(t, "no")}
			}
			v.Decisions = append(v.Decisions, d)
		}
		for range rapid.IntRange(0, most).Draw(t, "sections") {
			s := notify.Section{Heading: w.Draw(t, "heading")}
			if rapid.Bool().Draw(t, "code") {
				s.Code = strings.Join(rapid.SliceOfN(w, 0, 3*most).Draw(t, "code lines"), "\n")
				if rapid.Bool().Draw(t, "long code") {
					s.Code += strings.Repeat("\n+      \"kms:ViaService\": \"s3.ap-northeast-3.amazonaws.com\"", rapid.IntRange(1, 400).Draw(t, "times"))
				}
			} else {
				s.Lines = rapid.SliceOfN(w, 0, 3*most).Draw(t, "lines")
			}
			v.Sections = append(v.Sections, s)
		}
		for range rapid.IntRange(0, 2*most).Draw(t, "fields") {
			v.Fields = append(v.Fields, incident.Field{Name: w.Draw(t, "name"), Value: w.Draw(t, "value")})
		}
		return v
	})
}

// fails is the part of a test that a check needs.
type fails interface {
	Fatalf(format string, args ...any)
	Fatal(args ...any)
	Helper()
}

// limits is what a tool takes, and in what it reads no markup and no mention: a check of a request and the shown texts in it, with what
// stands for a character that a tool cannot be given undone.
var limits = map[settings.Tool]func(t fails, r notify.Request) string{
	settings.Slack:        slackKeeps,
	settings.SlackWebhook: slackKeeps,
	settings.Teams:        teamsKeeps,
	settings.GoogleChat:   googleChatKeeps,
	settings.Discord:      discordKeeps,
	settings.Chatwork:     chatworkKeeps,
	settings.Mattermost:   mattermostKeeps,
	settings.PagerDuty:    pagerDutyKeeps,
	settings.AmazonQ:      amazonQKeeps,
	settings.Email:        emailKeeps,
	settings.Webhook:      webhookKeeps,
}

// TestLimits: whatever is to be said, every tool takes it, and nobody is called by it.
func TestLimits(t *testing.T) {
	t.Parallel()
	for _, tool := range settings.Tools() {
		t.Run(tool.String(), func(t *testing.T) {
			t.Parallel()
			rapid.Check(t, func(t *rapid.T) {
				v := views(rapid.SampledFrom([]int{1, 1, 2, 4, 24}).Draw(t, "most")).Draw(t, "view")
				before := rapid.SampledFrom([]notify.Ref{{}, earlier(tool)}).Draw(t, "before")
				r, err := notify.Compose(target(tool, settings.Japanese), v, before)
				if err != nil {
					t.Fatal(err)
				}
				if v.Link != "" && strings.TrimSpace(incident.Line(v.LinkText)) != "" && !shownIn(r, aLink) {
					t.Fatalf("the link is not shown: %s", r.Body)
				}
				for _, r := range append(r.Then, r) {
					limits[tool](t, unlinked(r))
					if !utf8.Valid(r.Body) || bytes.ContainsFunc(r.Body, func(c rune) bool { return unicode.Is(unicode.Bidi_Control, c) || c < ' ' && c != '\n' }) {
						t.Fatalf("not clean: %q", r.Body)
					}
				}
			})
		})
	}
}

// shownIn says whether a text is in a request as it is, in whichever form the request is.
func shownIn(r notify.Request, text string) bool {
	return bytes.Contains(r.Body, []byte(text)) || bytes.Contains(r.Body, []byte(url.QueryEscape(text)))
}

// unlinked is a request in which a word as long as the link stands in its place: what a tool makes of a URL is for TestLinks.
func unlinked(r notify.Request) notify.Request {
	r.Body = bytes.ReplaceAll(r.Body, []byte(aLink), bytes.Repeat([]byte("x"), len(aLink)))
	r.Body = bytes.ReplaceAll(r.Body, []byte(url.QueryEscape(aLink)), bytes.Repeat([]byte("x"), len(aLink)))
	return r
}

// TestLinks: wherever there is no room, the link and its code stay, each as it is.
func TestLinks(t *testing.T) {
	t.Parallel()
	for _, tool := range settings.Tools() {
		for _, times := range []int{1, 10, 1_000, 10_000} {
			v := notify.Of(notifytest.Messages()["proposal"], target(tool, settings.English))
			linked(&v, settings.English)
			for i := range v.Sections {
				v.Sections[i].Lines = slices.Repeat(v.Sections[i].Lines, times)
				v.Sections[i].Code = strings.Repeat(v.Sections[i].Code, times)
			}
			r, err := notify.Compose(target(tool, settings.English), v, notify.Ref{})
			if err != nil {
				t.Fatal(err)
			}
			if !shownIn(r, aLink) {
				t.Errorf("%s, %d times: the link is not shown: %s", tool, times, r.Body)
			}
			if shown := limits[tool](t, unlinked(r)); !strings.Contains(shown, v.Code) {
				t.Errorf("%s, %d times: the code is not shown:\n%s", tool, times, shown)
			}
		}
	}
}

// TestLimitsOfOneCharacter: texts of nothing but what a tool writes as several characters, or as several bytes.
func TestLimitsOfOneCharacter(t *testing.T) {
	t.Parallel()
	for _, tool := range settings.Tools() {
		for _, c := range []string{"*", "`", "_", "<", "&", "@", "[a", "\\", "\"", "本", "👩", "\u00ad"} {
			long := strings.Repeat(c, 650)
			v := notify.View{
				Incident: long, Severity: incident.Severity(long), Word: long, Title: long, Lead: slices.Repeat([]string{long}, 9), Cut: long,
				Sections: slices.Repeat([]notify.Section{{Heading: long, Lines: slices.Repeat([]string{long}, 3)}, {Heading: long, Code: long}}, 11),
				Fields:   slices.Repeat([]incident.Field{{Name: long, Value: long}}, 40),
				Link:     aLink, LinkText: long, Code: long,
			}
			for _, before := range []notify.Ref{{}, earlier(tool)} {
				r, err := notify.Compose(target(tool, settings.English), v, before)
				if err != nil {
					t.Fatal(err)
				}
				for _, r := range append(r.Then, r) {
					limits[tool](t, unlinked(r))
				}
			}
		}
	}
}

// TestShown: what has room is shown as it is, whatever it looks like. Nothing is swallowed as markup.
func TestShown(t *testing.T) {
	t.Parallel()
	word := rapid.Custom(func(t *rapid.T) string {
		s := strings.Join(rapid.SliceOfN(rapid.SampledFrom(hostile), 1, 3).Draw(t, "words"), " ")
		return strings.Join(strings.Fields(incident.Line("a"+s+"z")), " ")
	})
	for _, tool := range settings.Tools() {
		t.Run(tool.String(), func(t *testing.T) {
			t.Parallel()
			rapid.Check(t, func(t *rapid.T) {
				v := notify.View{Word: "critical", Severity: incident.Critical, Title: word.Draw(t, "title"), Lead: []string{word.Draw(t, "lead")}, Cut: "CUT"}
				v.Sections = []notify.Section{
					{Heading: word.Draw(t, "heading"), Lines: []string{word.Draw(t, "line"), word.Draw(t, "line 2")}},
					{Heading: "code", Code: "--- a\n+    \"a\": [" + word.Draw(t, "code") + "]\n }"},
				}
				v.Fields = []incident.Field{{Name: "a" + rapid.SampledFrom([]string{"@here", "<!here>", "*x*_y_", "[toall]", "`", "\\"}).Draw(t, "name"), Value: word.Draw(t, "value")}}
				r, err := notify.Compose(target(tool, settings.English), v, notify.Ref{})
				if err != nil {
					t.Fatal(err)
				}
				shown := limits[tool](t, r)
				same := strings.NewReplacer("ˋ", "`").Replace
				for _, want := range []string{
					v.Title, v.Lead[0], v.Sections[0].Heading, v.Sections[0].Lines[0], v.Sections[0].Lines[1], v.Fields[0].Name, v.Fields[0].Value,
					strings.Split(v.Sections[1].Code, "\n")[1],
				} {
					if !strings.Contains(same(shown), same(want)) {
						t.Fatalf("%q is not shown:\n%s", want, shown)
					}
				}
				// These two show what browsers do, which take several spaces for one.
				if tool == settings.Teams || tool == settings.GoogleChat {
					if !bytes.Contains(r.Body, []byte("+\u00a0\u00a0\u00a0\u00a0")) {
						t.Fatalf("the indentation is lost: %s", r.Body)
					}
				}
				if strings.Contains(shown, v.Cut) {
					t.Fatalf("said to be cut, and is not:\n%s", shown)
				}
			})
		})
	}
}

// TestCutting: where there is no room for all of it, the code goes first, and what a person can do and how to see the rest stay.
func TestCutting(t *testing.T) {
	t.Parallel()
	for _, tool := range settings.Tools() {
		t.Run(tool.String(), func(t *testing.T) {
			t.Parallel()
			v := notify.Of(notifytest.Messages()["proposal"], target(tool, settings.English))
			for i := range v.Sections {
				if v.Sections[i].Code != "" {
					v.Sections[i].Code += strings.Repeat("\n+      \"kms:ViaService\": \"s3.ap-northeast-3.amazonaws.com\"", 10_000)
				}
			}
			r, err := notify.Compose(target(tool, settings.English), v, notify.Ref{})
			if err != nil {
				t.Fatal(err)
			}
			shown := limits[tool](t, r)
			for _, want := range []string{"--- replica-key-policy", "ReplimendReplicaEncrypt", "To approve: replimend approve " + notifytest.ID, v.Cut, v.Lead[1], v.Fields[0].Value} {
				if !strings.Contains(shown, want) {
					t.Errorf("%q is not shown:\n%s", want, shown)
				}
			}
			if strings.Contains(shown, "\"s3.ap-northeast-3.amazonaws.com\n") {
				t.Errorf("cut within a line:\n%s", shown)
			}

			// Lines of all sections go alike, so that each keeps its first, and some of the code stays.
			for i := range v.Sections {
				if v.Sections[i].Code == "" {
					for range 40 {
						v.Sections[i].Lines = append(v.Sections[i].Lines, strings.Repeat("more of it, ", 45))
					}
				}
			}
			if r, err = notify.Compose(target(tool, settings.English), v, notify.Ref{}); err != nil {
				t.Fatal(err)
			}
			shown = limits[tool](t, r)
			for _, want := range []string{"--- replica-key-policy", "To approve: replimend approve " + notifytest.ID, v.Cut, v.Sections[0].Lines[0], "awaiting approval: nobody answered yet"} {
				if !strings.Contains(shown, want) {
					t.Errorf("%q is not shown:\n%s", want, shown)
				}
			}
		})
	}
}

func units(s string) int { return len(utf16.Encode([]rune(s))) }

func atMost(t fails, what string, n, most int) {
	t.Helper()
	if n > most {
		t.Fatalf("%s: %d, and the tool takes %d", what, n, most)
	}
}

func decode(t fails, b []byte) map[string]any {
	t.Helper()
	var out map[string]any
	if err := json.Unmarshal(b, &out); err != nil {
		t.Fatalf("%v: %s", err, b)
	}
	return out
}

// each calls back with every object in a JSON value.
func each(v any, f func(map[string]any)) {
	switch v := v.(type) {
	case map[string]any:
		f(v)
		for _, m := range v {
			each(m, f)
		}
	case []any:
		for _, m := range v {
			each(m, f)
		}
	}
}

// strs is the strings of a JSON value at the names, in order, joined.
func strs(v any, names ...string) string {
	var out []string
	each(v, func(m map[string]any) {
		for _, n := range names {
			if s, ok := m[n].(string); ok {
				out = append(out, s)
			}
		}
	})
	return strings.Join(out, "\n")
}

// slackLimits is Slack's own limits as a table: of what, how much, and where Slack says so.
var slackLimits = []struct {
	of     string // the type of a block or element, "" for the message
	most   int
	count  func(m map[string]any) int
	source string
}{
	{"", 50, items("blocks"), "https://docs.slack.dev/reference/block-kit/blocks"},
	{"", 12_000, encoded("blocks"), "https://github.com/slackapi/bolt-js/issues/2509: not documented; 13,297 characters were refused"},
	{"", 4_000, text("text"), "https://docs.slack.dev/reference/methods/chat.postMessage#truncating"},
	{"header", 150, text("text", "text"), "https://docs.slack.dev/reference/block-kit/blocks/header-block"},
	{"plain_text", 3_000, text("text"), "https://docs.slack.dev/reference/block-kit/composition-objects/text-object"},
	{"context", 10, items("elements"), "https://docs.slack.dev/reference/block-kit/blocks/context-block"},
	{"text", 3_000, text("text"), "not documented for rich text; as for other texts"},
	{"actions", 25, items("elements"), "https://docs.slack.dev/reference/block-kit/blocks/actions-block"},
	{"button", 75, text("text", "text"), "https://docs.slack.dev/reference/block-kit/block-elements/button-element"},
	{"button", 2_000, text("value"), "https://docs.slack.dev/reference/block-kit/block-elements/button-element"},
	{"button", 255, text("action_id"), "https://docs.slack.dev/reference/block-kit/block-elements/button-element"},
	{"static_select", 150, text("placeholder", "text"), "https://docs.slack.dev/reference/block-kit/block-elements/select-menu-element"},
	{"static_select", 100, items("options"), "https://docs.slack.dev/reference/block-kit/block-elements/select-menu-element"},
	{"static_select", 255, text("action_id"), "https://docs.slack.dev/reference/block-kit/block-elements/select-menu-element"},
}

// slackPressed holds what is sent when something is pressed, and what is asked before, against Slack's limits.
func slackPressed(t fails, m map[string]any) {
	t.Helper()
	value, _ := m["value"].(string)
	values := []string{value}
	if m["type"] == "static_select" {
		values = nil
		options, _ := m["options"].([]any)
		for _, o := range options {
			o, _ := o.(map[string]any)
			atMost(t, "option (https://docs.slack.dev/reference/block-kit/composition-objects/option-object)", text("text", "text")(o), 75)
			atMost(t, "value of an option", text("value")(o), 150)
			value, _ = o["value"].(string)
			values = append(values, value)
		}
	}
	action, _ := m["action_id"].(string)
	for _, value := range values {
		if _, err := choice.Parse(action, value); err != nil {
			t.Fatalf("nobody reads what is sent: %s %q", action, value)
		}
	}
	if c, ok := m["confirm"].(map[string]any); ok {
		for name, most := range map[string]int{"title": 100, "text": 300, "confirm": 30, "deny": 30} {
			atMost(t, name+" (https://docs.slack.dev/reference/block-kit/composition-objects/confirmation-dialog-object)", text(name, "text")(c), most)
			if o, _ := c[name].(map[string]any); o["type"] != "plain_text" || text("text")(o) == 0 {
				t.Fatalf("the %s of a question is %v", name, o)
			}
		}
	}
}

func text(path ...string) func(map[string]any) int {
	return func(m map[string]any) int {
		var at any = m
		for _, p := range path {
			m, _ := at.(map[string]any)
			at = m[p]
		}
		s, _ := at.(string)
		return units(s)
	}
}

func items(name string) func(map[string]any) int {
	return func(m map[string]any) int {
		list, _ := m[name].([]any)
		return len(list)
	}
}

func encoded(name string) func(map[string]any) int {
	return func(m map[string]any) int {
		b, err := json.Marshal(m[name])
		if err != nil {
			panic(err)
		}
		return len(b)
	}
}

func slackKeeps(t fails, r notify.Request) string {
	t.Helper()
	m := decode(t, r.Body)
	blocks, _ := m["blocks"].([]any)
	// Of the types that Slack has, only those whose texts are data.
	known := map[string]bool{
		"header": true, "plain_text": true, "context": true, "rich_text": true, "rich_text_section": true, "rich_text_list": true,
		"rich_text_preformatted": true, "text": true, "link": true, "actions": true, "button": true, "static_select": true,
	}
	each(m, func(m map[string]any) {
		kind, ok := m["type"].(string)
		if ok && !known[kind] {
			t.Fatalf("a %s, in which Slack may read markup", kind)
		}
		for _, l := range slackLimits {
			if l.of == kind {
				atMost(t, kind+" ("+l.source+")", l.count(m), l.most)
			}
		}
		if kind == "button" || kind == "static_select" {
			slackPressed(t, m)
		}
		if kind == "text" && m["text"] == "" {
			t.Fatal("an empty text, which Slack refuses")
		}
		if list, ok := m["elements"].([]any); ok && len(list) == 0 {
			t.Fatalf("a %s of nothing, which Slack refuses", kind)
		}
	})
	fallback, _ := m["text"].(string)
	if strings.ContainsAny(fallback, "<>") || regexp.MustCompile(`&(?:[^agl]|$)`).MatchString(fallback) {
		t.Fatalf("markup in the text: %q", fallback)
	}
	if m["unfurl_links"] != false || m["unfurl_media"] != false || m["link_names"] != false {
		t.Fatal("links are followed")
	}
	return strs(blocks, "text")
}

var adaptiveCard = func() *jsonschema.Schema {
	s, err := jsonschema.NewCompiler().Compile("testdata/adaptive-card/schema-1.4.json")
	if err != nil {
		panic(err)
	}
	return s
}()

func teamsKeeps(t fails, r notify.Request) string {
	t.Helper()
	atMost(t, "bytes", len(r.Body), 28_000)
	m := decode(t, r.Body)
	attachments, _ := m["attachments"].([]any)
	if m["type"] != "message" || len(attachments) != 1 {
		t.Fatal("not a message with a card")
	}
	a, _ := attachments[0].(map[string]any)
	if err := adaptiveCard.Validate(a["content"]); err != nil || a["contentType"] != "application/vnd.microsoft.card.adaptive" {
		t.Fatalf("not a card of 1.4: %v", err)
	}
	each(a["content"], func(m map[string]any) {
		if kind, _ := m["type"].(string); m["text"] != nil && kind != "TextRun" || m["entities"] != nil {
			t.Fatalf("a %s, in which Teams reads Markdown", kind)
		}
	})
	return strings.ReplaceAll(strs(a["content"], "text"), "\u00a0", " ")
}

func googleChatKeeps(t fails, r notify.Request) string {
	t.Helper()
	atMost(t, "bytes", len(r.Body), 32_000)
	m := decode(t, r.Body)
	widgets := 0
	each(m["cardsV2"], func(m map[string]any) { widgets += items("widgets")(m) })
	atMost(t, "widgets", widgets, 100)
	marked, plain := strs(m, "text", "header", "topLabel"), strs(m, "title", "subtitle", "fallbackText")
	if strings.ContainsAny(strings.ReplaceAll(marked, "<br>", "")+plain, "<>") || m["text"] != nil {
		t.Fatalf("markup: %q, %q", marked, plain)
	}
	return html.UnescapeString(strings.NewReplacer("<br>", "\n", "\u00a0", " ").Replace(marked)) + strings.NewReplacer("‹", "<", "›", ">").Replace(plain)
}

// unfenced is Markdown without its blocks of code, and those blocks.
func unfenced(t fails, s string) (text, code string) {
	t.Helper()
	var outside, inside strings.Builder
	open := false
	for l := range strings.Lines(s) {
		switch fence := strings.HasPrefix(l, "```"); {
		case fence:
			if open && strings.TrimSpace(l) != "```" || strings.Count(l, "`") != 3 {
				t.Fatalf("a fence that is none of ours: %q", l)
			}
			open = !open
		case open:
			if strings.Contains(l, "```") {
				t.Fatalf("code ends within: %q", l)
			}
			inside.WriteString(l)
		default:
			outside.WriteString(l)
		}
	}
	if open {
		t.Fatalf("code without an end: %q", s)
	}
	return outside.String(), inside.String()
}

// unescaped is Markdown without its backslashes, in which none of the characters stood without one but for the marks of bold that are ours.
func unescaped(t fails, s, characters string) string {
	t.Helper()
	var b strings.Builder
	for l := range strings.Lines(s) {
		l = strings.TrimSuffix(l, "\n")
		if inner, ok := strings.CutPrefix(l, "**"); ok {
			l = strings.TrimSuffix(inner, "**")
		}
		l = strings.TrimPrefix(l, "* ")
		for i := 0; i < len(l); i++ {
			if l[i] == '\\' && i+1 < len(l) {
				i++
			} else if strings.IndexByte(characters, l[i]) >= 0 {
				t.Fatalf("%q at %d of %q", l[i], i, l)
			}
			b.WriteByte(l[i])
		}
		b.WriteByte('\n')
	}
	return b.String()
}

func discordKeeps(t fails, r notify.Request) string {
	t.Helper()
	var m struct {
		Content string
		Embeds  []struct {
			Title, Description string
			Fields             []struct{ Name, Value string }
			Footer             struct{ Text string }
		}
		Allowed struct{ Parse *[]string } `json:"allowed_mentions"`
	}
	if err := json.Unmarshal(r.Body, &m); err != nil {
		t.Fatal(err)
	}
	if m.Allowed.Parse == nil || len(*m.Allowed.Parse) > 0 {
		t.Fatal("mentions are allowed")
	}
	const special = "\\`*_~|[]<>#@"
	atMost(t, "content", units(m.Content), 2_000)
	atMost(t, "embeds", len(m.Embeds), 10)
	shown, all := unescaped(t, m.Content, special), 0
	for _, e := range m.Embeds {
		atMost(t, "title", units(e.Title), 256)
		atMost(t, "description", units(e.Description), 4_096)
		atMost(t, "fields", len(e.Fields), 25)
		atMost(t, "footer", units(e.Footer.Text), 2_048)
		all += units(e.Title) + units(e.Description) + units(e.Footer.Text)
		out, in := unfenced(t, e.Description)
		shown += unescaped(t, e.Title+"\n", special) + unescaped(t, out, special) + in
		for _, f := range e.Fields {
			if strings.TrimSpace(f.Name) == "" || strings.TrimSpace(f.Value) == "" {
				t.Fatal("an empty field, which Discord refuses")
			}
			atMost(t, "name", units(f.Name), 256)
			atMost(t, "value", units(f.Value), 1_024)
			all += units(f.Name) + units(f.Value)
			shown += unescaped(t, f.Name+"\n"+f.Value, special)
		}
	}
	atMost(t, "all embeds", all, 6_000)
	return shown
}

func chatworkKeeps(t fails, r notify.Request) string {
	t.Helper()
	s := form(t, r.Body)
	atMost(t, "bytes", len(s), 40_000)
	for _, pair := range []string{"info", "title", "code"} {
		if strings.Count(s, "["+pair+"]") != strings.Count(s, "[/"+pair+"]") {
			t.Fatalf("[%s] without its end: %q", pair, s)
		}
	}
	atMost(t, "[info]", strings.Count(s, "[info]"), 1)
	s = strings.NewReplacer("[info]", "", "[/info]", "", "[title]", "", "[/title]", "\n", "[code]", "\n", "[/code]", "").Replace(s)
	if tag := regexp.MustCompile(`\[[/ ]*[A-Za-z]`).FindString(s); tag != "" {
		t.Fatalf("a tag %q: %q", tag, s)
	}
	return strings.ReplaceAll(s, "［", "[")
}

func mattermostKeeps(t fails, r notify.Request) string {
	t.Helper()
	atMost(t, "characters", utf8.RuneCount(r.Body), 16_383)
	m := decode(t, r.Body)
	out, in := unfenced(t, strs(m, "text"))
	const special = "\\`*_{}[]()#+-!>~|"
	shown := unescaped(t, out, special) + unescaped(t, strs(m, "title", "value"), special)
	if mention := regexp.MustCompile(`(^|[^A-Za-z0-9])@`).FindString(shown + strs(m, "fallback")); mention != "" {
		t.Fatalf("a mention: %q", shown)
	}
	return strings.ReplaceAll(shown+in, "＠", "@")
}

func pagerDutyKeeps(t fails, r notify.Request) string {
	t.Helper()
	atMost(t, "bytes", len(r.Body), 512_000)
	m := decode(t, r.Body)
	key, _ := m["dedup_key"].(string)
	atMost(t, "dedup_key", units(key), 255)
	p, _ := m["payload"].(map[string]any)
	summary, _ := p["summary"].(string)
	atMost(t, "summary", units(summary), 1_024)
	switch p["severity"] {
	case "critical", "error", "warning", "info":
	default:
		t.Fatalf("severity %v", p["severity"])
	}
	if action := m["event_action"]; action != "trigger" && action != "resolve" || action == "resolve" && key == "" {
		t.Fatalf("%v of %q", action, key)
	}
	return strs(m, "summary", "text")
}

func amazonQKeeps(t fails, r notify.Request) string {
	t.Helper()
	atMost(t, "bytes", len(r.Body), 262_144)
	m := decode(t, r.Body)
	c, _ := m["content"].(map[string]any)
	if m["version"] != "1.0" || m["source"] != "custom" || c["textType"] != "client-markdown" {
		t.Fatal("not the schema")
	}
	atMost(t, "title", text("title")(c), 250)
	atMost(t, "description", text("description")(c), 3_000)
	all := strs(m, "title", "description", "summary")
	if strs(m, "description") == "" || strs(m, "title") == "" {
		t.Fatal("what Amazon Q needs is missing")
	}
	if strings.ContainsAny(all, "<>") {
		t.Fatalf("markup: %q", all)
	}
	out, in := unfenced(t, strs(m, "description"))
	if i := strings.IndexAny(regexp.MustCompile("`[^`\n]*`").ReplaceAllString(regexp.MustCompile(`(?m)^\*(.*)\*$`).ReplaceAllString(out, "$1"), ""), "*_~`["); i >= 0 {
		t.Fatalf("emphasis: %q", out)
	}
	return html.UnescapeString(strings.ReplaceAll(out, "`", "") + in + strs(m, "title"))
}

func emailKeeps(t fails, r notify.Request) string {
	t.Helper()
	atMost(t, "bytes", len(r.Body), 262_144)
	if s := r.Header["Subject"]; !regexp.MustCompile(`^[!-~]([ -~]{0,98}[!-~])?$`).MatchString(s) {
		t.Fatalf("subject %q", s)
	}
	return string(r.Body)
}

func webhookKeeps(t fails, r notify.Request) string {
	t.Helper()
	atMost(t, "bytes", len(r.Body), 256<<10)
	m := decode(t, r.Body)
	out := strs(m, "title", "code", "heading", "name", "value", "shortened", "text")
	each(m, func(m map[string]any) {
		for _, name := range []string{"lines", "lead"} {
			list, _ := m[name].([]any)
			for _, l := range list {
				out += fmt.Sprintf("\n%s", l)
			}
		}
	})
	return out
}

func TestSubjects(t *testing.T) {
	t.Parallel()
	tests := []struct{ severity, title, id, want string }{
		{"critical", "broken: a → b", "inc-1", "[critical] broken: a -> b"},
		{"critical", "障害: a → b", "inc-1", "[critical] Replimend inc-1"},
		{"critical", strings.Repeat("long ", 40), "inc-1", "[critical] " + strings.Repeat("long ", 17) + "l..."},
		{"重大", "障害", "inc-1", "Replimend"},
		{"critical", "障害", "", "[critical] Replimend"},
		{"critical", "a\nBcc: x", "inc-1", "[critical] a Bcc: x"},
	}
	for _, test := range tests {
		r, err := notify.Compose(target(settings.Email, settings.English),
			notify.View{Severity: incident.Severity(test.severity), Title: test.title, Incident: test.id}, notify.Ref{})
		if got := r.Header["Subject"]; err != nil || got != test.want {
			t.Errorf("%q: %q, want %q", test.title, got, test.want)
		}
	}
}
