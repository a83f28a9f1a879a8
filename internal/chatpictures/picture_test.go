package main

import (
	"html"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/replimend/replimend/internal/catalogue"
	"github.com/replimend/replimend/internal/notify"
	"github.com/replimend/replimend/internal/notifytest"
	"github.com/replimend/replimend/internal/settings"
)

const (
	goldens = "../notify/testdata"
	images  = "../../docs/images/chat"
)

var element = regexp.MustCompile(`<[^>]*>`)

// read is what a person reads on a page, with the characters undone that stand for others which a tool would take for markup.
func read(page string) string {
	body := page[strings.Index(page, "<body>"):]
	body = strings.NewReplacer("<br>", "\n", "</div>", "\n").Replace(body)
	return strings.NewReplacer("\u00a0", " ", "‹", "<", "›", ">", "［", "[", "＠", "@", "ˋ", "`").Replace(html.UnescapeString(element.ReplaceAllString(body, "")))
}

// TestEveryTextIsDrawn draws what every tool is sent for every kind of message in every language: no text of a message is lost and each
// is in its place, but where the tool has no room for all of it and the message says so. That hostile texts are shown is tested in package
// notify; this is of the messages as they are, read back through the markup of each tool.
func TestEveryTextIsDrawn(t *testing.T) {
	t.Parallel()
	for _, tool := range settings.Tools() {
		for kind, m := range notifytest.Messages() {
			for _, l := range settings.Languages() {
				v := notify.Of(m, settings.Target{Tool: tool, Language: l})
				everything(t, picture{tool, kind, l, ""}, v)
				if kind == proposal {
					everything(t, picture{tool, kind, l, linked}, v, catalogue.ToPage(l), "3F7K-Q0TV")
				}
			}
		}
	}
}

// everything wants every text of a view on a page, those of its lead, sections and fields in their order, and more somewhere.
func everything(t *testing.T, p picture, v notify.View, more ...string) {
	t.Helper()
	all, err := page(goldens, p)
	if err != nil {
		t.Error(err)
		return
	}
	got := read(all)
	if p.tool == settings.Webhook {
		got = strings.ReplaceAll(got, `\"`, `"`)
	}
	want := append(slices.Clone(v.Lead), texts(v)...)
	if strings.Contains(got, v.Cut) {
		want = append(slices.Clone(v.Lead), v.Cut)
		if p.tool != settings.AmazonQ && p.tool != settings.Discord { // which have the least room
			t.Errorf("%s of %s: cut", p.file(), p.kind)
		}
	}
	for _, s := range append(more, v.Title, v.Word) {
		if !strings.Contains(got, s) {
			t.Errorf("%s of %s: %q is not drawn:\n%s", p.file(), p.kind, s, got)
		}
	}
	for _, s := range want {
		_, rest, ok := strings.Cut(got, s)
		if !ok {
			t.Errorf("%s of %s: %q is not drawn, or not in its place:\n%s", p.file(), p.kind, s, got)
			return
		}
		got = rest
	}
}

// texts is every text of the sections and fields, code by its lines.
func texts(v notify.View) []string {
	var out []string
	for _, s := range v.Sections {
		out = append(out, s.Heading)
		out = append(out, s.Lines...)
		for l := range strings.Lines(s.Code) {
			out = append(out, strings.TrimSpace(l))
		}
	}
	for _, f := range v.Fields {
		out = append(out, f.Name, f.Value)
	}
	return out
}

// TestWhatIsNotKnownIsNotDrawn, and what is known of buttons and links is.
func TestWhatIsNotKnownIsNotDrawn(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		tool settings.Tool
		body string
		want string // "": refused
	}{
		"a block":                  {settings.Slack, `{"blocks":[{"type":"image","text":"x"}]}`, ""},
		"a member of a block":      {settings.Slack, `{"blocks":[{"type":"rich_text","fields":[]}]}`, ""},
		"a text within a header":   {settings.Slack, `{"blocks":[{"type":"header","text":{"type":"mrkdwn","text":"x"}}]}`, ""},
		"a button":                 {settings.Slack, `{"blocks":[{"type":"actions","elements":[{"type":"button","style":"primary","text":{"type":"plain_text","text":"Go & see"}}]}]}`, "Go & see"},
		"a link in rich text":      {settings.Slack, `{"blocks":[{"type":"rich_text","elements":[{"type":"rich_text_section","elements":[{"type":"link","url":"https://a","text":"see"}]}]}]}`, "see"},
		"an element of a card":     {settings.Teams, `{"attachments":[{"content":{"body":[{"type":"TextBlock","text":"x"}]}}]}`, ""},
		"an action of a card":      {settings.Teams, `{"attachments":[{"content":{"actions":[{"type":"Action.OpenUrl","title":"see","url":"https://a"}]}}]}`, "see"},
		"another action":           {settings.Teams, `{"attachments":[{"content":{"actions":[{"type":"Action.Submit","title":"see"}]}}]}`, ""},
		"a widget":                 {settings.GoogleChat, `{"cardsV2":[{"card":{"sections":[{"widgets":[{"image":{}}]}]}}]}`, ""},
		"an empty widget":          {settings.GoogleChat, `{"cardsV2":[{"card":{"sections":[{"widgets":[{}]}]}}]}`, ""},
		"buttons":                  {settings.GoogleChat, `{"cardsV2":[{"card":{"sections":[{"widgets":[{"buttonList":{"buttons":[{"text":"see"}]}}]}]}}]}`, "see"},
		"markup":                   {settings.Discord, `{"embeds":[{"description":"_x_"}]}`, ""},
		"a link in Markdown":       {settings.Discord, `{"embeds":[{"description":"see: https://a.example/_x_-y"}]}`, "see: https://a.example/_x_-y"},
		"code without an end":      {settings.Discord, "{\"embeds\":[{\"description\":\"```\\nx\"}]}", ""},
		"markup of Mattermost":     {settings.Mattermost, `{"attachments":[{"text":"# x"}]}`, ""},
		"a member of Mattermost":   {settings.Mattermost, `{"attachments":[{"pretext":"x"}]}`, ""},
		"a tag":                    {settings.Chatwork, `["[info][title]x[/title]a [toall][/info]"]`, ""},
		"no title":                 {settings.Chatwork, `["x"]`, ""},
		"keywords":                 {settings.AmazonQ, `{"content":{"keywords":["x"]}}`, ""},
		"emphasis":                 {settings.AmazonQ, `{"content":{"description":"a *b*"}}`, ""},
		"an acknowledgement":       {settings.PagerDuty, `{"event_action":"acknowledge"}`, ""},
		"a link beside an alert":   {settings.PagerDuty, `{"event_action":"trigger","links":[{"href":"https://a","text":"see"}]}`, "see"},
		"an image beside an alert": {settings.PagerDuty, `{"event_action":"trigger","images":[]}`, ""},
		"another tool":             {"pigeon", `{}`, ""},
	} {
		got, err := drawn(tt.tool, sent{Body: []byte(tt.body)})
		if (err != nil) != (tt.want == "") || err == nil && !strings.Contains(read("<body>"+got), tt.want) {
			t.Errorf("%s: %s, %v", name, got, err)
		}
	}
}

// TestPicturesAreCurrent: each was drawn from what is sent now, and is as it was drawn. It needs no browser.
func TestPicturesAreCurrent(t *testing.T) {
	t.Parallel()
	var want strings.Builder
	for _, p := range pictures() {
		content, err := page(goldens, p)
		if err != nil {
			t.Fatal(err)
		}
		shot, err := os.ReadFile(filepath.Join(images, p.file()))
		if err != nil {
			t.Fatal(err)
		}
		if len(shot) > mostBytes {
			t.Errorf("%s has %d bytes", p.file(), len(shot))
		}
		want.WriteString(sum(p, content, shot))
	}
	got, err := os.ReadFile(filepath.Join(images, sums))
	if err != nil || string(got) != want.String() {
		t.Errorf("the pictures are not of what is sent now; make pictures draws them anew, which needs Chromium:\n%s\nwant\n%s, %v", got, &want, err)
	}
	files, err := os.ReadDir(images)
	if err != nil || len(files) != len(pictures())+1 {
		t.Errorf("%d files, want a picture of each and %s, %v", len(files), sums, err)
	}
}
