package notify_test

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/replimend/replimend/internal/catalogue"
	"github.com/replimend/replimend/internal/incident"
	"github.com/replimend/replimend/internal/notify"
	"github.com/replimend/replimend/internal/notifytest"
	"github.com/replimend/replimend/internal/policy"
	"github.com/replimend/replimend/internal/settings"
)

// target is a target of a tool with all that its tool needs.
func target(tool settings.Tool, l settings.Language) settings.Target {
	t := settings.Target{Name: "oncall", Tool: tool, Language: l}
	switch tool {
	case settings.Slack:
		t.Channel = "C0123456789"
	case settings.Chatwork:
		t.Channel = "12345678"
	case settings.Mattermost:
		t.Host = "chat.example.com"
	case settings.Webhook:
		t.URL = "https://hooks.example.com/replimend"
	case settings.AmazonQ, settings.Email:
		t.Topic = policy.ARN{Partition: "aws", Service: "sns", Region: "ap-northeast-1", Account: notifytest.Source, Resource: "replimend-" + string(tool)}
	case settings.SlackWebhook, settings.Teams, settings.GoogleChat, settings.Discord, settings.PagerDuty:
	}
	return t
}

// earlier is what a tool calls a message that it shows.
func earlier(tool settings.Tool) notify.Ref {
	switch tool {
	case settings.Slack:
		return notify.Ref{ID: "1764321300.123459", Channel: "C0123456789"}
	case settings.Discord:
		return notify.Ref{ID: "1311234567890123456"}
	case settings.Chatwork:
		return notify.Ref{ID: "1984736251928374"}
	default:
		return notify.Ref{}
	}
}

func TestEveryToolIsThere(t *testing.T) {
	t.Parallel()
	for _, tool := range settings.Tools() {
		if !notify.HasTool(tool) {
			t.Fatalf("%s: no such tool", tool)
		}
		to := target(tool, settings.English)
		v := notify.Of(notifytest.Messages()["resolved"], to)
		r, err := notify.Compose(to, v, notify.Ref{})
		if err != nil {
			t.Fatal(err)
		}
		contentType, body, err := notify.Payload(to, v)
		if err != nil || contentType == "" || contentType != r.Header["Content-Type"] || !bytes.Equal(body, r.Body) {
			t.Errorf("%s: %s %s, %v", tool, contentType, body, err)
		}
	}
	if _, _, err := notify.Payload(settings.Target{Tool: "pigeon"}, notify.View{}); err == nil {
		t.Error("a tool that there is not has a payload")
	}
}

// TestRequests holds what each tool is sent for each kind of message in each language against its golden file, and what it is sent when a
// card that it shows is resolved.
func TestRequests(t *testing.T) {
	t.Parallel()
	for _, tool := range settings.Tools() {
		t.Run(tool.String(), func(t *testing.T) {
			t.Parallel()
			dir := filepath.Join("testdata", tool.String())
			var names []string
			for kind, m := range notifytest.Messages() {
				for _, l := range settings.Languages() {
					names = append(names, golden(t, dir, kind+"-"+l.String(), target(tool, l), m, notify.Ref{}))
					if before := earlier(tool); kind == "resolved" && before != (notify.Ref{}) {
						names = append(names, golden(t, dir, kind+"-"+l.String()+"-update", target(tool, l), m, before))
					}
					if kind == "proposal" {
						names = append(names, golden(t, dir, kind+"-"+l.String()+"-link", target(tool, l), m, notify.Ref{}))
					}
				}
			}
			files, err := os.ReadDir(dir)
			if err != nil {
				t.Fatal(err)
			}
			for _, f := range files {
				if !slices.Contains(names, f.Name()) {
					t.Errorf("%s: no such kind of message", filepath.Join(dir, f.Name()))
				}
			}
		})
	}
}

func golden(t *testing.T, dir, name string, to settings.Target, m incident.Message, before notify.Ref) string {
	t.Helper()
	v := notify.Of(m, to)
	if strings.HasSuffix(name, "-link") {
		linked(&v, to.Language)
	}
	r, err := notify.Compose(to, v, before)
	if err != nil {
		t.Fatal(err)
	}
	got := pretty(t, r)
	path := filepath.Join(dir, name+".json")
	if *update {
		if err := os.MkdirAll(dir, 0o750); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, got, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s: go test ./internal/notify -update writes it anew:\n%s", path, got)
	}
	return filepath.Base(path)
}

// aLink is a link as they are: a URL of a function, and a token.
const aLink = "https://abcdefghijklmnopqrstuvwxyz012345.lambda-url.ap-northeast-1.on.aws/incidents/" + notifytest.ID +
	"?t=AQMAAAAAAGkpBoT_-0bX0aBcDeFgHiJkLmNoPqRsTuVwXyZ0123456789_-AbCdEfGhIjKlMnOpQrStUvWxYz0123456789_-abcd"

// linked gives a view a link, as Tell does.
func linked(v *notify.View, l settings.Language) {
	v.Link, v.LinkText, v.Code = aLink, catalogue.ToPage(l), catalogue.PageCode(l, "3F7K-Q0TV")
}

// printed is a request as its golden file has it.
type printed struct {
	Request string            `json:"request"`
	Header  map[string]string `json:"header"`
	Secret  string            `json:"secret"`
	Body    any               `json:"body"`
	Then    []printed         `json:"then,omitempty"`
}

func pretty(t *testing.T, r notify.Request) []byte {
	t.Helper()
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(shown(t, r)); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func shown(t *testing.T, r notify.Request) printed {
	t.Helper()
	secrets := map[notify.Placement]string{
		notify.NoSecret: "none", notify.IsURL: "the URL", notify.BearerToken: "bearer", notify.TokenHeader: "X-ChatWorkToken",
		notify.RoutingKey: "routing_key", notify.Signs: "signs",
	}
	out := printed{Request: r.Method + " " + r.URL, Header: r.Header, Secret: secrets[r.Secret]}
	switch mediaType, _, _ := strings.Cut(r.Header["Content-Type"], ";"); mediaType {
	case "application/json":
		var indented bytes.Buffer // the order of the members is the one in which a tool shows some of them
		if err := json.Indent(&indented, r.Body, "", "  "); err != nil {
			t.Fatal(err)
		}
		out.Body = json.RawMessage(indented.Bytes())
	case "application/x-www-form-urlencoded":
		out.Body = strings.Split(form(t, r.Body), "\n")
	default:
		out.Body = strings.Split(string(r.Body), "\n")
	}
	for _, next := range r.Then {
		out.Then = append(out.Then, shown(t, next))
	}
	return out
}

// form is the member body of a form that has no other.
func form(t interface {
	Fatal(args ...any)
	Helper()
}, b []byte,
) string {
	t.Helper()
	values, err := url.ParseQuery(string(b))
	if err != nil {
		t.Fatal(err)
	}
	if len(values) != 1 || len(values["body"]) != 1 {
		t.Fatal("a form of other members than body")
	}
	return values.Get("body")
}

// TestRequestsGoWhereTheyMay: a request with a host of its own names one that is the tool's, and says where its secret goes.
func TestRequestsGoWhereTheyMay(t *testing.T) {
	t.Parallel()
	for _, tool := range settings.Tools() {
		to := target(tool, settings.English)
		for _, before := range []notify.Ref{{}, earlier(tool)} {
			r, err := notify.Compose(to, notify.Of(notifytest.Messages()["escalated"], to), before)
			if err != nil {
				t.Fatal(err)
			}
			for _, r := range append(r.Then, r) {
				switch {
				case tool.ByTopic():
					if r.URL != "sns:"+to.Topic.String() || r.Secret != notify.NoSecret || len(notify.Hosts(to)) > 0 {
						t.Errorf("%s: goes to %q", tool, r.URL)
					}
				case r.Secret == notify.IsURL:
					if strings.Contains(r.URL, "://") || len(notify.Hosts(to)) == 0 {
						t.Errorf("%s: goes to %q, and the secret is its URL", tool, r.URL)
					}
				default:
					u, err := url.Parse(r.URL)
					if err != nil || u.Scheme != "https" || !slices.Contains(notify.Hosts(to), u.Host) || r.Secret == notify.NoSecret {
						t.Errorf("%s: goes to %q, of %q", tool, r.URL, notify.Hosts(to))
					}
				}
			}
		}
	}
}

func TestAnswers(t *testing.T) {
	t.Parallel()
	const secret = "xoxb-1234-SECRET"
	tests := []struct {
		tool   settings.Tool
		name   string
		status int
		body   string
		before notify.Ref
		ref    notify.Ref
		want   string // the error
		again  bool
		gone   bool
	}{
		{tool: settings.Slack, name: "posted", status: 200, body: `{"ok":true,"ts":"17.5","channel":"C1"}`, ref: notify.Ref{ID: "17.5", Channel: "C1"}},
		{tool: settings.Slack, name: "refused", status: 200, body: `{"ok":false,"error":"channel_not_found"}`, want: "send to slack: status 200, channel_not_found"},
		{tool: settings.Slack, name: "later", status: 200, body: `{"ok":false,"error":"ratelimited"}`, want: "send to slack: status 200, ratelimited", again: true},
		{tool: settings.Slack, name: "gone", status: 200, body: `{"ok":false,"error":"message_not_found"}`, want: "send to slack: status 200, message_not_found", gone: true},
		{tool: settings.Slack, name: "no code", status: 200, body: `{"ok":false,"error":"bad token ` + secret + `"}`, want: "send to slack: status 200"},
		{tool: settings.Slack, name: "nonsense", status: 200, body: `<html>` + secret, want: "send to slack: status 200"},
		{tool: settings.Slack, name: "a proxy's yes", status: 502, body: `{"ok":true,"ts":"17.5"}`, want: "send to slack: status 502"},
		{tool: settings.Slack, name: "forged reference", status: 200, body: `{"ok":true,"ts":"../x","channel":"a/b"}`},
		{tool: settings.SlackWebhook, name: "posted", status: 200, body: "ok"},
		{tool: settings.SlackWebhook, name: "refused", status: 403, body: "action_prohibited\n", want: "send to slack-webhook: status 403, action_prohibited"},
		{tool: settings.SlackWebhook, name: "text", status: 404, body: "no such " + secret, want: "send to slack-webhook: status 404"},
		{tool: settings.Teams, name: "taken", status: 202},
		{tool: settings.Teams, name: "refused", status: 413, body: secret, want: "send to teams: status 413"},
		{tool: settings.GoogleChat, name: "posted", status: 200, body: `{"name":"spaces/A/messages/B"}`},
		{
			tool: settings.GoogleChat, name: "refused", status: 400, body: `{"error":{"status":"INVALID_ARGUMENT","message":"` + secret + `"}}`,
			want: "send to google-chat: status 400, INVALID_ARGUMENT",
		},
		{tool: settings.Discord, name: "posted", status: 200, body: `{"id":"1311"}`, ref: notify.Ref{ID: "1311"}},
		{tool: settings.Discord, name: "forged reference", status: 200, body: `{"id":"1311/../../x"}`},
		{tool: settings.Discord, name: "without an answer", status: 204},
		{tool: settings.Discord, name: "gone", status: 404, body: `{"code":10008,"message":"` + secret + `"}`, want: "send to discord: status 404, 10008", gone: true},
		{tool: settings.Discord, name: "webhook gone", status: 404, body: `{"code":10015}`, want: "send to discord: status 404, 10015"},
		{tool: settings.Chatwork, name: "posted", status: 200, body: `{"message_id":"1984"}`, ref: notify.Ref{ID: "1984"}},
		{tool: settings.Chatwork, name: "refused", status: 401, body: `{"errors":["Invalid API Token ` + secret + `"]}`, want: "send to chatwork: status 401"},
		{tool: settings.Chatwork, name: "no room", status: 404, want: "send to chatwork: status 404"},
		{tool: settings.Chatwork, name: "gone", status: 404, before: notify.Ref{ID: "1984"}, want: "send to chatwork: status 404", gone: true},
		{tool: settings.Mattermost, name: "posted", status: 200, body: "ok"},
		{
			tool: settings.Mattermost, name: "refused", status: 400, body: `{"id":"web.incoming_webhook.parse.app_error","message":"` + secret + `"}`,
			want: "send to mattermost: status 400, web.incoming_webhook.parse.app_error",
		},
		{tool: settings.Mattermost, name: "a key for a code", status: 400, body: `{"id":"abcdefghijklmnopqrstuvwxyz"}`, want: "send to mattermost: status 400"},
		{tool: settings.PagerDuty, name: "taken", status: 202, body: `{"status":"success","dedup_key":"inc-1"}`},
		{tool: settings.PagerDuty, name: "refused", status: 400, body: `{"status":"invalid event","errors":["` + secret + `"]}`, want: "send to pagerduty: status 400"},
		{tool: settings.Webhook, name: "taken", status: 204},
		{tool: settings.Webhook, name: "refused", status: 401, body: secret, want: "send to webhook: status 401"},
		{tool: settings.AmazonQ, name: "published", status: 200},
		{tool: settings.Email, name: "published", status: 200},
	}
	for _, test := range tests {
		t.Run(fmt.Sprintf("%s/%s", test.tool, test.name), func(t *testing.T) {
			t.Parallel()
			ref, err := notify.Read(target(test.tool, settings.English), notify.Response{Status: test.status, Body: []byte(test.body)}, test.before)
			if test.want == "" {
				if err != nil || ref != test.ref {
					t.Fatalf("%+v, %v, want %+v", ref, err, test.ref)
				}
				return
			}
			var no *notify.Refusal
			if !errors.As(err, &no) || err.Error() != test.want || no.Again != test.again || no.Gone != test.gone || no.Tool != test.tool || ref != (notify.Ref{}) {
				t.Fatalf("%+v, %v, %+v, want %s", ref, err, no, test.want)
			}
		})
	}
}

// TestNewsOfWhatIsShown: a card is updated in place, which rings nobody, and what somebody has to hear is said beside it.
func TestNewsOfWhatIsShown(t *testing.T) {
	t.Parallel()
	news := func(tool settings.Tool, kind string) []notify.Request {
		to := target(tool, settings.English)
		r, err := notify.Compose(to, notify.Of(notifytest.Messages()[kind], to), earlier(tool))
		if err != nil {
			t.Fatal(err)
		}
		return r.Then
	}
	for _, kind := range []string{"applied", "escalated", "proposal", "resolved"} {
		r := news(settings.Slack, kind)
		if len(r) != 1 || !bytes.Contains(r[0].Body, []byte(`"thread_ts":"1764321300.123459"`)) || bytes.Contains(r[0].Body, []byte("ReplimendReplicaEncrypt\\\"")) {
			t.Errorf("%s: not in the thread: %+v", kind, r)
			continue
		}
		if got, want := bytes.Contains(r[0].Body, []byte(`"reply_broadcast":true`)), kind == "escalated" || kind == "proposal"; got != want {
			t.Errorf("%s: in the channel: %v, want %v", kind, got, want)
		}
		for _, tool := range []settings.Tool{settings.Discord, settings.Chatwork} {
			if got, want := len(news(tool, kind)) == 1, kind != "applied"; got != want {
				t.Errorf("%s: %s has a line of its own: %v, want %v", tool, kind, got, want)
			}
		}
	}
}

// TestSignatures does what a receiver is told to do.
func TestSignatures(t *testing.T) {
	t.Parallel()
	key, body, at := []byte("a key"), []byte(`{"version":1}`), time.Unix(1_764_321_300, 0)
	h := notify.Signature(key, at, body)
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(h["Replimend-Timestamp"] + "." + string(body)))
	if h["Replimend-Timestamp"] != "1764321300" || h["Replimend-Signature"] != "v1="+hex.EncodeToString(mac.Sum(nil)) {
		t.Errorf("%v", h)
	}
	for name, other := range map[string]map[string]string{
		"another key":  notify.Signature([]byte("b key"), at, body),
		"another time": notify.Signature(key, at.Add(time.Second), body),
		"another body": notify.Signature(key, at, append(body, ' ')),
	} {
		if other["Replimend-Signature"] == h["Replimend-Signature"] {
			t.Errorf("%s has the same signature", name)
		}
	}
}

// TestOtherHosts: customers of some tools are elsewhere, and what is for them goes there alone.
func TestOtherHosts(t *testing.T) {
	t.Parallel()
	for tool, host := range map[settings.Tool]string{settings.Slack: "slack-gov.com", settings.PagerDuty: "events.eu.pagerduty.com"} {
		to := target(tool, settings.English)
		for _, before := range []notify.Ref{{}, earlier(tool)} {
			usual, err := notify.Compose(to, notify.View{Title: "x"}, before)
			if err != nil {
				t.Fatal(err)
			}
			there := to
			there.Host = host
			got, err := notify.Compose(there, notify.View{Title: "x"}, before)
			if err != nil {
				t.Fatal(err)
			}
			for i, r := range append(got.Then, got) {
				if !strings.HasPrefix(r.URL, "https://"+host+"/") || strings.Contains(append(usual.Then, usual)[i].URL, host) {
					t.Errorf("%s goes to %s", tool, r.URL)
				}
			}
		}
	}
}
