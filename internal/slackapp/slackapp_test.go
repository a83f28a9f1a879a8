package slackapp_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/replimend/replimend/internal/choice"
	"github.com/replimend/replimend/internal/desk"
	"github.com/replimend/replimend/internal/incident"
	"github.com/replimend/replimend/internal/journal"
	"github.com/replimend/replimend/internal/policy"
	"github.com/replimend/replimend/internal/queue"
	"github.com/replimend/replimend/internal/seal"
	"github.com/replimend/replimend/internal/settings"
	"github.com/replimend/replimend/internal/slackapp"
)

const (
	jane   = "arn:aws:iam::111122223333:user/jane"
	plan   = "5e884898da28047151d0e56f8dc6292773603d0d6aabbdd62a11ef721d1542d8"
	secret = "8f742231b10e8888abcd99yyyzzz85a5"
	older  = "an older signing secret of Slack"
	hook   = "https://hooks.slack.com/actions/T0123ABCD/1/abc"
)

// office is an App over a file, with an incident about which people are asked, and Slack as it would be asked.
type office struct {
	*slackapp.App
	t      *testing.T
	kept   *journal.File
	id     string
	secret string
	spent  map[string]bool
	sent   []queue.Work
	asked  []*http.Request
	shown  []map[string]any
	status int // of Slack
	fail   error
	log    strings.Builder
	now    time.Time
}

func (o *office) Send(_ context.Context, w queue.Work, _ time.Duration) error {
	o.sent = append(o.sent, w)
	return nil
}

func (o *office) Spend(_ context.Context, word string, _ time.Time) error {
	if o.spent[word] {
		return incident.ErrUsed
	}
	o.spent[word] = true
	return nil
}

// RoundTrip is Slack.
func (o *office) RoundTrip(r *http.Request) (*http.Response, error) {
	o.asked = append(o.asked, r)
	var body map[string]any
	if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
		o.t.Error(err)
	}
	o.shown = append(o.shown, body)
	if o.fail != nil {
		return nil, o.fail
	}
	return &http.Response{StatusCode: o.status, Body: io.NopCloser(strings.NewReader("ok")), Header: http.Header{"Location": {"https://evil.example/"}}}, nil
}

func newOffice(t *testing.T, change func(*incident.Incident)) *office {
	t.Helper()
	o := &office{t: t, now: time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC), secret: secret, spent: map[string]bool{}, status: http.StatusOK}
	now := func() time.Time { return o.now }
	o.kept = &journal.File{Path: filepath.Join(t.TempDir(), "journal.json"), Now: now}
	sealer, err := seal.NewSecret([]byte(strings.Repeat("x", 32)))
	if err != nil {
		t.Fatal(err)
	}
	route := incident.Route{Source: "a", Rule: "r", Destination: "b"}
	i := incident.Incident{ID: incident.ID(route, o.now), Route: route, Outcome: incident.Open, Opened: o.now}
	i.Failures.Add(incident.Object{Key: "passport.pdf", VersionID: "v1"}, o.now)
	if i, err = o.kept.Open(t.Context(), i); err != nil {
		t.Fatal(err)
	}
	i.Plan, i.Causes = plan, []string{"role-lacks-source-decrypt"}
	i.Become(incident.AwaitingApproval, o.now, "nobody answered yet")
	i.Proposal = incident.NewProposal(plan, o.now, "+ a statement", nil, 1)
	change(&i)
	if i, err = o.kept.Record(t.Context(), i); err != nil {
		t.Fatal(err)
	}
	o.id = i.ID
	log := slog.New(slog.NewJSONHandler(&o.log, nil))
	arn := func(user string) policy.ARN {
		return policy.ARN{Partition: "aws", Service: "iam", Account: "111122223333", Resource: "user/" + user}
	}
	o.App = &slackapp.App{
		Desk: &desk.Desk{
			Incidents: o.kept, Answers: &journal.Approvals{Kept: o.kept, Sealer: sealer, Now: now}, Silences: o.kept, Work: o, Log: log, Now: now,
			Settings: &settings.Settings{
				Approvals: settings.Approvals{
					Hours: 2, Approvers: []policy.ARN{arn("j*")}, Slack: settings.SlackApp{Team: "T0123ABCD"},
					People: []settings.Identity{{ARN: arn("jane"), Slack: "U0JANE"}, {ARN: arn("mallory"), Slack: "U0MALLORY"}},
				},
				Chat: settings.Chat{Targets: []settings.Target{{Tool: settings.Slack, Channel: "C0TOKYO", Language: settings.Japanese}}},
			},
		},
		Words: o, Secret: func(context.Context) (string, error) { return o.secret, nil }, Slack: slackapp.NewClient(o), Log: log, Now: now,
	}
	return o
}

func as(*incident.Incident) {}

// standing has something written that stands.
func standing(i *incident.Incident) {
	i.Outcome, i.Proposal = incident.Applied, nil
	i.Changes = []incident.Change{{Kind: "role-policy", ID: "arn:aws:iam::111122223333:role/r", Account: "111122223333", State: incident.Written}}
}

// payload is what Slack sends for a button, as its page has it.
// https://docs.slack.dev/reference/interaction-payloads/block_actions-payload
func (o *office) payload(b choice.Choice) map[string]any {
	value := b.Value()
	action := map[string]any{"type": "button", "action_id": b.Action(), "value": value, "block_id": "x", "action_ts": "1764331200.1"}
	if b.Answer == incident.NoAnswer {
		action = map[string]any{"type": "static_select", "action_id": b.Action(), "selected_option": map[string]any{"value": value}}
	}
	return map[string]any{
		"type": "block_actions", "team": map[string]any{"id": "T0123ABCD", "domain": "example"}, "user": map[string]any{"id": "U0JANE", "username": "mallory"},
		"api_app_id": "A0", "trigger_id": "1.2.3", "channel": map[string]any{"id": "C0123456789"}, "response_url": hook,
		"message": map[string]any{"text": "broken", "ts": "1764331100.1", "blocks": []any{
			map[string]any{"type": "header", "text": map[string]any{"type": "plain_text", "text": "broken"}},
			map[string]any{"type": "actions", "elements": []any{map[string]any{"type": "button"}}},
		}},
		"actions": []any{action},
	}
}

func (o *office) approve() map[string]any {
	return o.payload(choice.Choice{Incident: o.id, Answer: incident.Approve, Plan: plan})
}

// form is a payload as Slack sends it.
func form(t *testing.T, payload any) string {
	t.Helper()
	text, err := json.Marshal(payload)
	if err != nil {
		t.Fatal(err)
	}
	return url.Values{"payload": {string(text)}}.Encode()
}

// request is a body that is signed with a secret at a time.
func request(body, with string, at time.Time) *http.Request {
	r := httptest.NewRequest(http.MethodPost, "https://example.com/", strings.NewReader(body))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	stamp := strconv.FormatInt(at.Unix(), 10)
	mac := hmac.New(sha256.New, []byte(with))
	mac.Write([]byte("v0:" + stamp + ":" + body))
	r.Header.Set("X-Slack-Request-Timestamp", stamp)
	r.Header.Set("X-Slack-Signature", "v0="+hex.EncodeToString(mac.Sum(nil)))
	return r
}

func (o *office) serve(r *http.Request) int {
	w := httptest.NewRecorder()
	o.At("https://example.com").ServeHTTP(w, r)
	if w.Body.Len() > 0 {
		o.t.Errorf("whoever asks is told %q", w.Body)
	}
	return w.Code
}

// press has Slack send it, signed and now.
func (o *office) press(payload any) int {
	o.t.Helper()
	return o.serve(request(form(o.t, payload), secret, o.now))
}

// nothing says what was kept, sent or silenced although nothing should be.
func (o *office) nothing() string {
	answers, err := o.kept.Answers(o.t.Context(), o.id)
	silences, e := o.kept.Silences(o.t.Context())
	if err != nil || e != nil || len(answers) > 0 || len(silences) > 0 || len(o.sent) > 0 {
		return "something was decided"
	}
	return ""
}

// TestWhoDidNotSign: what Slack did not sign a moment ago is not read, and decides nothing.
func TestWhoDidNotSign(t *testing.T) {
	t.Parallel()
	minute := time.Minute
	for name, tt := range map[string]struct {
		make   func(o *office, body string) *http.Request
		status int
	}{
		"a forged signature": {func(o *office, body string) *http.Request {
			return request(body, "another secret of 32 characters.", o.now)
		}, 401},
		"another body": {func(o *office, body string) *http.Request {
			r := request(body, secret, o.now)
			r.Body = io.NopCloser(strings.NewReader(strings.Replace(body, "U0JANE", "U0JANF", 1)))
			return r
		}, 401},
		"another time": {func(o *office, body string) *http.Request {
			r := request(body, secret, o.now)
			r.Header.Set("X-Slack-Request-Timestamp", strconv.FormatInt(o.now.Unix()-1, 10))
			return r
		}, 401},
		"five minutes and a second ago": {func(o *office, body string) *http.Request {
			return request(body, secret, o.now.Add(-5*minute-time.Second))
		}, 401},
		"five minutes and a second ahead": {func(o *office, body string) *http.Request {
			return request(body, secret, o.now.Add(5*minute+time.Second))
		}, 401},
		"five minutes ago":                 {func(o *office, body string) *http.Request { return request(body, secret, o.now.Add(-5*minute)) }, 200},
		"the secret that is rotated out":   {func(o *office, body string) *http.Request { return request(body, older, o.now) }, 200},
		"the empty secret":                 {func(o *office, body string) *http.Request { return request(body, "", o.now) }, 401},
		"the short line of the secret":     {func(o *office, body string) *http.Request { return request(body, "short", o.now) }, 401},
		"the whole secret, both its lines": {func(o *office, body string) *http.Request { return request(body, secret+"\n"+older, o.now) }, 401},
		"no signature": {func(o *office, body string) *http.Request {
			r := request(body, secret, o.now)
			r.Header.Del("X-Slack-Signature")
			return r
		}, 401},
		"no time": {func(o *office, body string) *http.Request {
			r := request(body, secret, o.now)
			r.Header.Del("X-Slack-Request-Timestamp")
			return r
		}, 401},
		"two signatures": {func(o *office, body string) *http.Request {
			r := request(body, secret, o.now)
			r.Header.Add("X-Slack-Signature", r.Header.Get("X-Slack-Signature"))
			return r
		}, 401},
		"another version": {func(o *office, body string) *http.Request {
			r := request(body, secret, o.now)
			r.Header.Set("X-Slack-Signature", "v1"+r.Header.Get("X-Slack-Signature")[2:])
			return r
		}, 401},
		"half a signature": {func(o *office, body string) *http.Request {
			r := request(body, secret, o.now)
			r.Header.Set("X-Slack-Signature", r.Header.Get("X-Slack-Signature")[:35])
			return r
		}, 401},
		"too long": {func(o *office, body string) *http.Request {
			return request(body+strings.Repeat("&", 256<<10), secret, o.now)
		}, 413},
		"get": {func(o *office, body string) *http.Request {
			r := request(body, secret, o.now)
			r.Method = http.MethodGet
			return r
		}, 405},
		"another path": {func(o *office, body string) *http.Request {
			r := request(body, secret, o.now)
			r.URL.Path = "/x"
			return r
		}, 404},
	} {
		o := newOffice(t, as)
		o.secret = secret + "\r\nshort\n\n" + older + "\n"
		if got := o.serve(tt.make(o, form(t, o.approve()))); got != tt.status || (o.nothing() == "") != (tt.status != 200) {
			t.Errorf("%s: %d, want %d; %s", name, got, tt.status, o.nothing())
		}
		if tt.status != 200 && (len(o.asked) > 0 || len(o.spent) > 0) {
			t.Errorf("%s: Slack was asked, or a word taken", name)
		}
		if strings.Contains(o.log.String(), secret) || strings.Contains(o.log.String(), older) || strings.Contains(o.log.String(), plan) && tt.status != 200 {
			t.Errorf("%s: the log has %s", name, o.log.String())
		}
	}
	for name, text := range map[string]string{"none": "", "white space": " \n\n ", "short ones": "abc\ndef"} {
		o := newOffice(t, as)
		o.secret = text
		for _, with := range []string{"", " ", "abc"} {
			if got := o.serve(request(form(t, o.approve()), with, o.now)); got != 401 || o.nothing() != "" {
				t.Errorf("with secret %s: %d", name, got)
			}
		}
	}
	o := newOffice(t, as)
	o.Secret = func(context.Context) (string, error) { return secret, errors.New("throttled") }
	if got := o.press(o.approve()); got != 503 || o.nothing() != "" {
		t.Errorf("without a secret: %d", got)
	}
}

// TestWhatIsNoButton: what Slack signed, and is not a button of ours that was pressed.
func TestWhatIsNoButton(t *testing.T) {
	t.Parallel()
	action := func(p map[string]any) map[string]any { return p["actions"].([]any)[0].(map[string]any) }
	for name, change := range map[string]func(o *office, p map[string]any) any{
		"a shortcut": func(_ *office, p map[string]any) any { p["type"] = "shortcut"; return p },
		"no action":  func(_ *office, p map[string]any) any { p["actions"] = []any{}; return p },
		"two actions": func(_ *office, p map[string]any) any {
			p["actions"] = append(p["actions"].([]any), action(p))
			return p
		},
		"nobody":            func(_ *office, p map[string]any) any { p["user"] = map[string]any{"name": "jane"}; return p },
		"markup for a user": func(_ *office, p map[string]any) any { p["user"] = map[string]any{"id": "U0JANE> <!channel"}; return p },
		"nowhere":           func(_ *office, p map[string]any) any { delete(p, "channel"); return p },
		"another app's":     func(_ *office, p map[string]any) any { action(p)["action_id"] = "ok"; return p },
		"in capitals":       func(_ *office, p map[string]any) any { action(p)["action_id"] = "Approve"; return p },
		"no value":          func(_ *office, p map[string]any) any { delete(action(p), "value"); return p },
		"more behind it": func(_ *office, p map[string]any) any {
			action(p)["value"] = action(p)["value"].(string) + " x"
			return p
		},
		"no plan":                 func(o *office, p map[string]any) any { action(p)["value"] = o.id; return p },
		"no incident":             func(_ *office, p map[string]any) any { action(p)["value"] = "../../x " + plan; return p },
		"a list that is a button": func(_ *office, p map[string]any) any { action(p)["action_id"] = "silence"; return p },
		"silence for ever": func(o *office, p map[string]any) any {
			delete(action(p), "value")
			action(p)["action_id"], action(p)["selected_option"] = "silence", map[string]any{"value": o.id + " 100000h"}
			return p
		},
		"text":   func(*office, map[string]any) any { return "approve" },
		"a list": func(*office, map[string]any) any { return []any{} },
	} {
		o := newOffice(t, as)
		if got := o.press(change(o, o.approve())); got != 400 || o.nothing() != "" || len(o.asked) > 0 {
			t.Errorf("%s: %d, %s, Slack asked %d times", name, got, o.nothing(), len(o.asked))
		}
	}
	o := newOffice(t, as)
	for name, body := range map[string]string{
		"JSON": `{"payload":{}}`, "two fields": form(t, o.approve()) + "&x=y", "two payloads": form(t, o.approve()) + "&" + form(t, o.approve()),
		"nothing": "", "no JSON": "payload=approve", "no form": "payload=%zz",
	} {
		if got := o.serve(request(body, secret, o.now)); got != 400 || o.nothing() != "" {
			t.Errorf("%s: %d", name, got)
		}
	}
	r := request(form(t, o.approve()), secret, o.now)
	r.Header.Set("Content-Type", "application/json")
	if got := o.serve(r); got != 400 || o.nothing() != "" {
		t.Errorf("another content type: %d", got)
	}
}

// TestWhoMayNotDecide is told so by themselves, and the message stays as it is.
func TestWhoMayNotDecide(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		change func(*incident.Incident)
		press  func(o *office) map[string]any
		want   string
	}{
		"another workspace": {as, func(o *office) map[string]any {
			p := o.approve()
			p["team"] = map[string]any{"id": "T0EVIL"}
			return p
		}, "not an approver"},
		"somebody else": {as, func(o *office) map[string]any {
			p := o.approve()
			p["user"] = map[string]any{"id": "U0STRANGER"}
			return p
		}, "U0STRANGER"},
		"who is no approver": {as, func(o *office) map[string]any {
			p := o.approve()
			p["user"] = map[string]any{"id": "U0MALLORY"}
			return p
		}, "not an approver"},
		"another plan": {as, func(o *office) map[string]any {
			return o.payload(choice.Choice{Incident: o.id, Answer: incident.Approve, Plan: strings.Repeat("0", 64)})
		}, "another one by now"},
		"another incident": {as, func(o *office) map[string]any {
			return o.payload(choice.Choice{Incident: "inc-ffffffffffffffffffff", Answer: incident.Approve, Plan: plan})
		}, "no such incident"},
		"nobody is asked": {func(i *incident.Incident) { i.Outcome = incident.Refused }, func(o *office) map[string]any { return o.approve() }, "asked any more"},
		"nothing stands": {as, func(o *office) map[string]any {
			return o.payload(choice.Choice{Incident: o.id, Answer: incident.Undo, Plan: plan})
		}, "nothing to undo"},
		"over": {func(i *incident.Incident) { i.Outcome = incident.Resolved }, func(o *office) map[string]any {
			return o.payload(choice.Choice{Incident: o.id, Lasts: 1 * time.Hour})
		}, "over"},
	} {
		o := newOffice(t, tt.change)
		status := o.press(tt.press(o))
		if status != http.StatusOK || o.nothing() != "" || len(o.shown) != 1 || !strings.Contains(o.log.String(), `"reply":"refused`) {
			t.Fatalf("%s: %d, %s, shown %d: %s", name, status, o.nothing(), len(o.shown), o.log.String())
		}
		shown := o.shown[0]
		if text, _ := shown["text"].(string); shown["response_type"] != "ephemeral" || shown["replace_original"] != false || !strings.Contains(text, tt.want) {
			t.Errorf("%s: shown %v", name, shown)
		}
	}
}

// TestWhatGoesWrongHere is for the log, and whoever pressed is told that there is something.
func TestWhatGoesWrongHere(t *testing.T) {
	t.Parallel()
	o := newOffice(t, as)
	o.Desk.Answers = broken{}
	if got := o.press(o.approve()); got != http.StatusInternalServerError || !strings.Contains(o.log.String(), "is throttled") || len(o.shown) != 1 {
		t.Fatalf("%d, shown %d: %s", got, len(o.shown), o.log.String())
	}
	if text, _ := o.shown[0]["text"].(string); !strings.Contains(text, "went wrong") || strings.Contains(text, "throttled") {
		t.Errorf("shown %v", o.shown[0])
	}
}

// broken keeps no answer.
type broken struct{}

func (broken) Give(context.Context, incident.Approval) (incident.Approval, error) {
	return incident.Approval{}, errors.New("table arn:aws:dynamodb:eu-west-1:111122223333:table/approvals is throttled")
}

// TestDecisions: what was pressed is kept under the ARN of who pressed, the worker is told, and the message says who it was and has no buttons.
func TestDecisions(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		change  func(*incident.Incident)
		button  func(o *office) choice.Choice
		answer  incident.Answer
		channel string
		want    string
		buttons bool
	}{
		"approved": {as, func(o *office) choice.Choice {
			return choice.Choice{Incident: o.id, Answer: incident.Approve, Plan: plan}
		}, incident.Approve, "C0123456789",
			"<@U0JANE> approved plan 5e884898da28 as " + jane + ".", false},
		"approved in Japanese": {as, func(o *office) choice.Choice {
			return choice.Choice{Incident: o.id, Answer: incident.Approve, Plan: plan}
		}, incident.Approve, "C0TOKYO",
			"<@U0JANE> が " + jane + " として計画 5e884898da28 を承認しました。", false},
		"one of two": {func(i *incident.Incident) { i.Proposal.People = 2 }, func(o *office) choice.Choice {
			return choice.Choice{Incident: o.id, Answer: incident.Approve, Plan: plan}
		}, incident.Approve, "C0123456789", "Still missing: one more person has to approve it", true},
		"declined": {as, func(o *office) choice.Choice {
			return choice.Choice{Incident: o.id, Answer: incident.Decline, Plan: plan}
		}, incident.Decline, "C0123456789",
			"declined plan 5e884898da28 as " + jane, false},
		"taken back": {standing, func(o *office) choice.Choice { return choice.Choice{Incident: o.id, Answer: incident.Undo, Plan: plan} }, incident.Undo, "C0123456789",
			"to be taken back", false},
		"silenced": {as, func(o *office) choice.Choice { return choice.Choice{Incident: o.id, Lasts: 8 * time.Hour} }, "", "C0123456789",
			"until 2026-11-28 20:00:00 UTC", false},
	} {
		o := newOffice(t, tt.change)
		p := o.payload(tt.button(o))
		p["channel"] = map[string]any{"id": tt.channel}
		if got := o.press(p); got != 200 || len(o.sent) != 1 || o.sent[0].Incident != o.id || len(o.shown) != 1 {
			t.Fatalf("%s: %d, sent %d, shown %d: %s", name, got, len(o.sent), len(o.shown), o.log.String())
		}
		answers, err := o.kept.Answers(t.Context(), o.id)
		silences, e := o.kept.Silences(t.Context())
		switch {
		case err != nil || e != nil:
			t.Fatal(err, e)
		case tt.answer == "" && (len(answers) != 0 || len(silences) != 1 || silences[0].Owner != jane || silences[0].Cause != "role-lacks-source-decrypt"):
			t.Errorf("%s: silences %+v", name, silences)
		case tt.answer != "" && (len(answers) != 1 || len(silences) != 0 || answers[0].Approver != jane || answers[0].Answer != tt.answer || answers[0].Plan != plan):
			t.Errorf("%s: answers %+v", name, answers)
		}
		text, err := json.Marshal(o.shown[0])
		if err != nil {
			t.Fatal(err)
		}
		shown := strings.NewReplacer(`\u003c`, "<", `\u003e`, ">").Replace(string(text))
		if !strings.Contains(shown, tt.want) || !strings.Contains(shown, `"type":"header"`) || strings.Contains(shown, `"type":"actions"`) != tt.buttons ||
			o.shown[0]["replace_original"] != true || o.asked[0].URL.String() != hook {
			t.Errorf("%s: shown %s at %s", name, shown, o.asked[0].URL)
		}
		if !strings.Contains(o.log.String(), `"who":"`+jane) || strings.Contains(o.log.String(), hook) {
			t.Errorf("%s: the log is %s", name, o.log.String())
		}
	}
}

// TestReplay: the same request again does nothing and learns nothing, whatever was decided in between.
func TestReplay(t *testing.T) {
	t.Parallel()
	o := newOffice(t, as)
	body := form(t, o.approve())
	at := o.now
	if got := o.serve(request(body, secret, at)); got != 200 {
		t.Fatal(got)
	}
	o.now = o.now.Add(time.Minute)
	if got := o.press(o.payload(choice.Choice{Incident: o.id, Answer: incident.Decline, Plan: plan})); got != 200 {
		t.Fatal(got)
	}
	o.now = o.now.Add(time.Minute)
	sent, shown := len(o.sent), len(o.shown)
	if got := o.serve(request(body, secret, at)); got != 200 || len(o.sent) != sent || len(o.shown) != shown {
		t.Errorf("%d, %d more sent, %d more shown", got, len(o.sent)-sent, len(o.shown)-shown)
	}
	answers, err := o.kept.Answers(t.Context(), o.id)
	if err != nil || len(answers) != 1 || answers[0].Answer != incident.Decline {
		t.Errorf("answers %+v, %v", answers, err)
	}
}

// TestWhereSlackIs: nobody else is asked, and that Slack does not answer undoes nothing.
func TestWhereSlackIs(t *testing.T) {
	t.Parallel()
	for _, at := range []string{
		"", "http://hooks.slack.com/actions/x", "https://hooks.slack.com.evil.example/x", "https://evil.example/hooks.slack.com",
		"https://user:word@hooks.slack.com/x", "https://hooks.slack.com:8443/x", "https://169.254.169.254/latest/meta-data/", "//hooks.slack.com/x",
		"https://hooks.slack.com@evil.example/", "https://HOOKS.slack.com/\x00", "file:///etc/passwd",
	} {
		o := newOffice(t, as)
		p := o.approve()
		p["response_url"] = at
		if got := o.press(p); got != 200 || len(o.asked) != 0 || len(o.sent) != 1 {
			t.Errorf("%q: %d, asked %d times, decided %d times", at, got, len(o.asked), len(o.sent))
		}
	}
	for name, change := range map[string]func(*office){
		"no":      func(o *office) { o.status = http.StatusNotFound },
		"go away": func(o *office) { o.status = http.StatusFound },
		"nothing": func(o *office) { o.fail = errors.New("connection reset: " + hook) },
	} {
		o := newOffice(t, as)
		change(o)
		if got := o.press(o.approve()); got != 200 || len(o.asked) != 1 || len(o.sent) != 1 || !strings.Contains(o.log.String(), "not shown") {
			t.Errorf("%s: %d, asked %d times, decided %d times: %s", name, got, len(o.asked), len(o.sent), o.log.String())
		}
	}
}
