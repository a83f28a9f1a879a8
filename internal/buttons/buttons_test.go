package buttons_test

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/replimend/replimend/internal/buttons"
	"github.com/replimend/replimend/internal/choice"
	"github.com/replimend/replimend/internal/desk"
	"github.com/replimend/replimend/internal/incident"
	"github.com/replimend/replimend/internal/journal"
	"github.com/replimend/replimend/internal/policy"
	"github.com/replimend/replimend/internal/queue"
	"github.com/replimend/replimend/internal/seal"
	"github.com/replimend/replimend/internal/secret"
	"github.com/replimend/replimend/internal/settings"
)

const (
	plan    = "3f9a1c0d5b7e2486a1f0c3d2e4b5968778695a4b3c2d1e0f9a8b7c6d5e4f3021"
	other   = "0000000d5b7e2486a1f0c3d2e4b5968778695a4b3c2d1e0f9a8b7c6d5e4f3021"
	jane    = "arn:aws:iam::111122223333:user/jane"
	john    = "arn:aws:iam::111122223333:user/john"
	mallory = "arn:aws:iam::111122223333:user/mallory" // who is known, and no approver
	signing = "8f742231b10e8888abcd99yyyzzz85a5"
	newer   = "f00d2231b10e8888abcd99yyyzzz85a5"
	team    = "T0123ABCD"
	replyTo = "https://hooks.slack.com/actions/T0123ABCD/1111/aTokenThatSpeaks"
)

// office is a Desk on a journal in a file, with everything that Slack is told. Its tests each have one, and no two things happen at once.
type office struct {
	*buttons.Buttons
	t      *testing.T
	kept   *journal.File
	id     string
	now    time.Time
	spent  map[string]time.Time
	broken error // of what is good for one time
	secret string
	sent   []queue.Work
	said   []reply
	slack  func(*http.Request) (*http.Response, error)
	log    bytes.Buffer
}

// reply is what Slack was told, and where.
type reply struct {
	to   string
	body map[string]any
	text string // of the body
}

func (o *office) Send(_ context.Context, w queue.Work, _ time.Duration) error {
	o.sent = append(o.sent, w)
	return nil
}

func (o *office) Spend(_ context.Context, word string, until time.Time) error {
	if _, ok := o.spent[word]; ok {
		return incident.ErrUsed
	}
	if o.broken == nil {
		o.spent[word] = until
	}
	return o.broken
}

// RoundTrip is Slack.
func (o *office) RoundTrip(r *http.Request) (*http.Response, error) {
	text, err := io.ReadAll(r.Body)
	if err != nil {
		o.t.Fatal(err)
	}
	said := reply{to: r.URL.String(), text: string(text)}
	if err := json.Unmarshal(text, &said.body); err != nil || r.Method != http.MethodPost || r.Header.Get("Content-Type") != "application/json; charset=utf-8" {
		o.t.Errorf("Slack is told %s with %s %v: %v", text, r.Method, r.Header, err)
	}
	o.said = append(o.said, said)
	return o.slack(r)
}

func answered(status int) func(*http.Request) (*http.Response, error) {
	return func(r *http.Request) (*http.Response, error) {
		return &http.Response{
			StatusCode: status, Body: io.NopCloser(strings.NewReader("ok")), Request: r,
			Header: http.Header{"Location": {"https://evil.example/" + r.URL.Path}},
		}, nil
	}
}

func arn(t *testing.T, text string) policy.ARN {
	t.Helper()
	a, err := policy.ParseARN(text)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// newOffice is one where jane and john are asked about a plan.
func newOffice(t *testing.T, change func(*incident.Incident)) *office {
	t.Helper()
	o := &office{
		t: t, now: time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC), spent: map[string]time.Time{}, secret: signing, slack: answered(http.StatusOK),
	}
	now := func() time.Time { return o.now }
	o.kept = &journal.File{Path: filepath.Join(t.TempDir(), "journal.json"), Now: now}
	route := incident.Route{Source: "payroll-source", Rule: "everything", Destination: "payroll-replicas"}
	i := incident.Incident{ID: incident.ID(route, o.now), Route: route, Outcome: incident.Open, Opened: o.now}
	i.Failures.Add(incident.Object{Key: "passport.pdf", VersionID: "v1"}, o.now)
	i, err := o.kept.Open(t.Context(), i)
	if err != nil {
		t.Fatal(err)
	}
	i.Plan, i.Causes = plan, []string{"role-lacks-replicate"}
	i.Become(incident.AwaitingApproval, o.now, "nobody answered yet")
	i.Proposal = incident.NewProposal(plan, o.now, "+ a statement", []string{"mode: approve"}, 1)
	if change != nil {
		change(&i)
	}
	if i, err = o.kept.Record(t.Context(), i); err != nil {
		t.Fatal(err)
	}
	o.id = i.ID
	sealer, err := seal.NewSecret([]byte(strings.Repeat("x", 32)))
	if err != nil {
		t.Fatal(err)
	}
	log := slog.New(slog.NewJSONHandler(&o.log, nil))
	set := &settings.Settings{
		Approvals: settings.Approvals{
			Hours: 2, Approvers: []policy.ARN{arn(t, "arn:aws:iam::111122223333:user/j*")},
			People: []settings.Identity{{ARN: arn(t, jane), Slack: "U0JANE"}, {ARN: arn(t, john), Slack: "U0JOHN"}, {ARN: arn(t, mallory), Slack: "U0MALLORY"}},
			Slack:  settings.SlackApp{Secret: arn(t, "arn:aws:secretsmanager:eu-west-1:111122223333:secret:slack-AbCdEf"), Team: team},
		},
		Chat: settings.Chat{Targets: []settings.Target{
			{Name: "english", Tool: settings.Slack, Channel: "C0ENGLISH", Language: settings.English},
			{Name: "japanese", Tool: settings.Slack, Channel: "C0JAPANESE", Language: settings.Japanese, MaskAccounts: true},
			{Name: "rooms", Tool: settings.Chatwork, Channel: "C0ROOM", Language: settings.Japanese},
		}},
	}
	o.Buttons = &buttons.Buttons{
		Desk: &desk.Desk{
			Incidents: o.kept, Answers: &journal.Approvals{Kept: o.kept, Sealer: sealer, Now: now}, Silences: o.kept, Work: o, Log: log, Now: now,
			Settings: set,
		},
		Words: o, HTTP: buttons.NewClient(o), Log: log, Now: now,
		Secret: func(context.Context) (secret.Secret, error) { return secret.Of(o.secret), nil },
	}
	return o
}

// stands has something that was written for the incident stand.
func stands(i *incident.Incident) {
	i.Changes = []incident.Change{{State: incident.Written}}
}

// pressed is a request as Slack makes it: what the payload says, and how it is signed.
type pressed struct {
	payload map[string]any
	form    func(payload string) string // of the body
	header  func(http.Header)
	method  string
	secret  string
	at      time.Time
	to      string // what the request has for its body, where that is not what was signed
}

// press is a press of jane's.
func (o *office) press(c choice.Choice) *pressed {
	if c.Incident == "" {
		c.Incident = o.id
	}
	action := map[string]any{"type": "button", "block_id": "b1", "action_id": c.Action(), "value": c.Value(), "action_ts": "1.1"}
	if c.Answer == incident.NoAnswer {
		action = map[string]any{"type": "static_select", "block_id": "b1", "action_id": c.Action(), "selected_option": map[string]any{
			"text": map[string]any{"type": "plain_text", "text": "8 hours"}, "value": c.Value(),
		}}
	}
	return &pressed{
		method: http.MethodPost, secret: signing, at: o.now,
		form: func(payload string) string { return url.Values{"payload": {payload}}.Encode() },
		payload: map[string]any{
			"type": "block_actions", "team": map[string]any{"id": team, "domain": "example"}, "enterprise": nil,
			"user": map[string]any{"id": "U0JANE", "username": "jane", "team_id": team}, "api_app_id": "A1", "token": "old",
			"container": map[string]any{"type": "message", "message_ts": "1.0", "channel_id": "C0ENGLISH", "is_ephemeral": false},
			"channel":   map[string]any{"id": "C0ENGLISH", "name": "oncall"}, "response_url": replyTo, "actions": []any{action},
			"message": map[string]any{"type": "message", "ts": "1.0", "text": "[warning] a &lt;title&gt;", "blocks": []any{
				map[string]any{"type": "header", "block_id": "h", "text": map[string]any{"type": "plain_text", "text": "a title"}},
				map[string]any{"type": "new_kind_of_block", "block_id": "n", "data": []any{1, 2.50, "x"}},
				map[string]any{"type": "actions", "block_id": "b1", "elements": []any{map[string]any{"type": "button", "action_id": "approve"}}},
			}},
		},
	}
}

func approve() choice.Choice { return choice.Choice{Answer: incident.Approve, Plan: plan} }

// body is the body that is signed.
func (p *pressed) body(t *testing.T) string {
	t.Helper()
	text, err := json.Marshal(p.payload)
	if err != nil {
		t.Fatal(err)
	}
	return p.form(string(text))
}

func sign(secret string, at time.Time, body string) (timestamp, signature string) {
	timestamp = strconv.FormatInt(at.Unix(), 10)
	mac := hmac.New(sha256.New, []byte(secret))
	fmt.Fprintf(mac, "v0:%s:%s", timestamp, body)
	return timestamp, "v0=" + hex.EncodeToString(mac.Sum(nil))
}

// send sends a press, and gives the status that Slack sees.
func (o *office) send(p *pressed) int {
	o.t.Helper()
	body := p.body(o.t)
	timestamp, signature := sign(p.secret, p.at, body)
	if p.to != "" {
		body = p.to
	}
	r := httptest.NewRequestWithContext(o.t.Context(), p.method, "/", strings.NewReader(body))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("X-Slack-Request-Timestamp", timestamp)
	r.Header.Set("X-Slack-Signature", signature)
	if p.header != nil {
		p.header(r.Header)
	}
	w := httptest.NewRecorder()
	o.ServeHTTP(w, r)
	if w.Body.Len() > 0 {
		o.t.Errorf("whoever called is told %q", w.Body)
	}
	return w.Code
}

// decided is everything that a press may have left.
func (o *office) decided() string {
	o.t.Helper()
	var out []string
	answers, err := o.kept.Answers(o.t.Context(), o.id)
	if err != nil {
		o.t.Fatal(err)
	}
	for _, a := range answers {
		out = append(out, string(a.Answer)+" by "+a.Approver)
	}
	silences, err := o.kept.Silences(o.t.Context())
	if err != nil {
		o.t.Fatal(err)
	}
	for _, s := range silences {
		out = append(out, "silence of "+s.Cause+" by "+s.Owner+" until "+s.Expires.Format(time.RFC3339)+": "+s.Reason)
	}
	for _, w := range o.sent {
		if w.Incident != o.id {
			o.t.Errorf("the worker is told of %s", w.Incident)
		}
		out = append(out, "told")
	}
	return strings.Join(out, ", ")
}

// TestDecisions: what is pressed is done in the name of who pressed it, and the message says so, without anything to press.
func TestDecisions(t *testing.T) {
	t.Parallel()
	two := func(i *incident.Incident) {
		i.Proposal = incident.NewProposal(plan, i.Opened, "+ a statement", []string{"mode: approve"}, 2)
	}
	for name, c := range map[string]struct {
		incident        func(*incident.Incident)
		what            choice.Choice
		user, channel   string
		decided, note   string
		noteInTwoPieces string
	}{
		"approve": {
			what: approve(), decided: "approve by " + jane + ", told",
			note: "<@U0JANE> approved plan `3f9a1c0d5b7e` as `" + jane + "`.",
		},
		"approve, and one more has to": {
			incident: two, what: approve(), decided: "approve by " + jane + ", told",
			note: "<@U0JANE> approved plan `3f9a1c0d5b7e` as `" + jane + "`. Still missing: ", noteInTwoPieces: "one more",
		},
		"decline": {
			what: choice.Choice{Answer: incident.Decline, Plan: plan}, user: "U0JOHN", decided: "decline by " + john + ", told",
			note: "<@U0JOHN> declined plan `3f9a1c0d5b7e` as `" + john + "`.",
		},
		"undo": {
			incident: stands, what: choice.Choice{Answer: incident.Undo, Plan: plan}, decided: "undo by " + jane + ", told",
			note: "<@U0JANE> wants what was written for plan `3f9a1c0d5b7e` to be taken back, as `" + jane + "`.",
		},
		"silence": {
			what:    choice.Choice{Lasts: 8 * time.Hour},
			decided: "silence of role-lacks-replicate by " + jane + " until 2026-11-28T20:00:00Z: by Slack, told",
			note:    "<@U0JANE> silenced the causes of this incident until ",
		},
		"in Japanese, masked": {
			what: approve(), channel: "C0JAPANESE", decided: "approve by " + jane + ", told",
			note: "<@U0JANE> が `arn:aws:iam::xxxxxxxx3333:user/jane` として計画 `3f9a1c0d5b7e` を承認しました。",
		},
		"in a channel of nobody": {
			what: approve(), channel: "C0ROOM", decided: "approve by " + jane + ", told",
			note: "<@U0JANE> approved plan `3f9a1c0d5b7e` as `arn:aws:iam::xxxxxxxx3333:user/jane`.",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := newOffice(t, c.incident)
			p := o.press(c.what)
			if c.user != "" {
				p.payload["user"] = map[string]any{"id": c.user}
			}
			if c.channel != "" {
				p.payload["channel"] = map[string]any{"id": c.channel}
			}
			if status := o.send(p); status != http.StatusOK {
				t.Fatalf("status %d; log:\n%s", status, &o.log)
			}
			if got := o.decided(); got != c.decided {
				t.Errorf("decided: %s; want %s", got, c.decided)
			}
			if len(o.said) != 1 || o.said[0].to != replyTo || o.said[0].body["replace_original"] != true || o.said[0].body["text"] != "[warning] a &lt;title&gt;" {
				t.Fatalf("Slack is told %+v", o.said)
			}
			blocks := o.said[0].body["blocks"].([]any)
			var kinds []string
			for _, b := range blocks {
				kinds = append(kinds, b.(map[string]any)["type"].(string))
			}
			if want := []string{"header", "new_kind_of_block", "context"}; !slices.Equal(kinds, want) {
				t.Errorf("the blocks are %v, want %v", kinds, want)
			}
			if !strings.Contains(o.said[0].text, `{"block_id":"n","data":[1,2.5,"x"],"type":"new_kind_of_block"}`) {
				t.Errorf("a block is not as it came: %s", o.said[0].text)
			}
			element := blocks[2].(map[string]any)["elements"].([]any)[0].(map[string]any)
			note := element["text"].(string)
			if !strings.HasPrefix(note, c.note) || c.noteInTwoPieces != "" && !strings.Contains(note, c.noteInTwoPieces) || element["verbatim"] != true {
				t.Errorf("the note is %q, want %q", note, c.note)
			}
			log := o.log.String()
			for _, want := range []string{`"msg":"press"`, `"outcome":"decided"`, `"who":"arn:aws:iam::111122223333:user/j`, `"incident":"` + o.id} {
				if !strings.Contains(log, want) {
					t.Errorf("the log has no %s:\n%s", want, log)
				}
			}
			o.hides()
		})
	}
}

// hides says that the log has neither a secret nor what lets somebody speak in the channel, nor what is in the message.
func (o *office) hides() {
	o.t.Helper()
	for _, hidden := range []string{signing, newer, "aTokenThatSpeaks", "v0=", "a title"} {
		if strings.Contains(o.log.String(), hidden) {
			o.t.Errorf("the log has %s:\n%s", hidden, &o.log)
		}
	}
}

// TestAbuse: whoever is not Slack, says something else than Slack does, or may not decide what they want to, decides nothing.
func TestAbuse(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		incident func(*incident.Incident)
		do       func(o *office, p *pressed)
		status   int
		alone    string // the beginning of what whoever pressed it is told
	}{
		"a GET":             {do: func(_ *office, p *pressed) { p.method = http.MethodGet }, status: 405},
		"an oversized body": {do: func(_ *office, p *pressed) { p.payload["message"] = strings.Repeat("x", 64<<10) }, status: 413},

		"another secret":     {do: func(_ *office, p *pressed) { p.secret = newer }, status: 401},
		"an empty secret":    {do: func(o *office, p *pressed) { o.secret, p.secret = "", "" }, status: 500},
		"a blank secret":     {do: func(o *office, p *pressed) { o.secret, p.secret = " \n\n", "" }, status: 500},
		"a secret cut short": {do: func(o *office, p *pressed) { o.secret, p.secret = "abc", "abc" }, status: 500},
		"three secrets":      {do: func(o *office, _ *pressed) { o.secret = signing + "\n" + newer + "\n" + newer }, status: 500},
		"a secret nobody reads": {do: func(o *office, _ *pressed) {
			o.Secret = func(context.Context) (secret.Secret, error) { return secret.Secret{}, errors.New("denied") }
		}, status: 500},
		"a forged signature": {do: func(_ *office, p *pressed) {
			p.header = func(h http.Header) { h.Set("X-Slack-Signature", "v0="+strings.Repeat("0a", 32)) }
		}, status: 401},
		"another version": {do: func(_ *office, p *pressed) {
			p.header = func(h http.Header) {
				h.Set("X-Slack-Signature", "v1="+strings.TrimPrefix(h.Get("X-Slack-Signature"), "v0="))
			}
		}, status: 401},
		"a signature in capitals": {do: func(_ *office, p *pressed) {
			p.header = func(h http.Header) {
				h.Set("X-Slack-Signature", "v0="+strings.ToUpper(strings.TrimPrefix(h.Get("X-Slack-Signature"), "v0=")))
			}
		}, status: 401},
		"a signature of another body": {do: func(o *office, p *pressed) {
			p.to = strings.Replace(p.body(o.t), "U0JANE", "U0JOHN", 1)
		}, status: 401},
		"a signature of what the body means": {do: func(o *office, p *pressed) { // + and %20 are the same to who reads a form
			p.to = strings.Replace(p.body(o.t), "+", "%20", 1)
		}, status: 401},
		"a signature of another time": {do: func(o *office, p *pressed) {
			p.header = func(h http.Header) { h.Set("X-Slack-Request-Timestamp", strconv.FormatInt(o.now.Unix()+1, 10)) }
		}, status: 401},
		"no signature": {do: func(_ *office, p *pressed) { p.header = func(h http.Header) { h.Del("X-Slack-Signature") } }, status: 401},
		"no time":      {do: func(_ *office, p *pressed) { p.header = func(h http.Header) { h.Del("X-Slack-Request-Timestamp") } }, status: 401},
		"no headers": {do: func(_ *office, p *pressed) {
			p.header = func(h http.Header) { h.Del("X-Slack-Request-Timestamp"); h.Del("X-Slack-Signature") }
		}, status: 401},
		"a time that is none": {do: func(_ *office, p *pressed) {
			p.header = func(h http.Header) { h.Set("X-Slack-Request-Timestamp", "now") }
		}, status: 401},
		"five minutes and a second old":   {do: func(_ *office, p *pressed) { p.at = p.at.Add(-5*time.Minute - time.Second) }, status: 401},
		"five minutes and a second ahead": {do: func(_ *office, p *pressed) { p.at = p.at.Add(5*time.Minute + time.Second) }, status: 401},
		"the beginning of time":           {do: func(_ *office, p *pressed) { p.at = time.Unix(-1<<62, 0) }, status: 401},

		"no form": {do: func(_ *office, p *pressed) {
			p.header = func(h http.Header) { h.Set("Content-Type", "application/json") }
		}, status: 400},
		"a body that is none": {do: func(_ *office, p *pressed) { p.form = func(string) string { return "payload=%zz" } }, status: 400},
		"no payload": {do: func(_ *office, p *pressed) {
			p.form = func(s string) string { return url.Values{"other": {s}}.Encode() }
		}, status: 400},
		"two payloads": {do: func(_ *office, p *pressed) {
			p.form = func(s string) string { return url.Values{"payload": {s, s}}.Encode() }
		}, status: 400},
		"a payload that is no JSON": {do: func(_ *office, p *pressed) {
			p.form = func(string) string { return "payload=%7B%22type%22" }
		}, status: 400},
		"a payload of another form": {do: func(_ *office, p *pressed) { p.payload["actions"] = "approve" }, status: 400},
		"another kind of payload":   {do: func(_ *office, p *pressed) { p.payload["type"] = "view_submission" }, status: 400},
		"nothing pressed":           {do: func(_ *office, p *pressed) { p.payload["actions"] = []any{} }, status: 400},
		"two pressed": {do: func(_ *office, p *pressed) {
			a := p.payload["actions"].([]any)
			p.payload["actions"] = append(a, a...)
		}, status: 400},
		"nobody":            {do: func(_ *office, p *pressed) { delete(p.payload, "user") }, status: 400},
		"a strange user":    {do: func(_ *office, p *pressed) { p.payload["user"] = map[string]any{"id": "U0JANE\n{}"} }, status: 400},
		"another action":    {do: func(_ *office, p *pressed) { action(p)["action_id"] = "apply" }, status: 400},
		"no value":          {do: func(_ *office, p *pressed) { delete(action(p), "value") }, status: 400},
		"a time for a plan": {do: func(o *office, p *pressed) { action(p)["value"] = o.id + " 8h" }, status: 400},
		"a silence for ever": {do: func(o *office, p *pressed) {
			action(p)["action_id"], action(p)["value"] = "silence", o.id+" 87600h"
		}, status: 400},

		"an answer to another host":   {do: answerTo("https://hooks.slack.com.evil.example/x"), status: 400},
		"an answer to a host above":   {do: answerTo("https://slack.com/x"), status: 400},
		"an answer to this host":      {do: answerTo("https://169.254.169.254/latest/meta-data"), status: 400},
		"an answer without TLS":       {do: answerTo("http://hooks.slack.com/x"), status: 400},
		"an answer with credentials":  {do: answerTo("https://jane:secret@hooks.slack.com/x"), status: 400},
		"an answer for who is named":  {do: answerTo("https://hooks.slack.com@evil.example/x"), status: 400},
		"an answer to another port":   {do: answerTo("https://hooks.slack.com:8443/x"), status: 400},
		"an answer to a path":         {do: answerTo("/actions/x"), status: 400},
		"an answer to nobody":         {do: answerTo(""), status: 400},
		"an answer with a back slash": {do: answerTo(`https://hooks.slack.com\@evil.example/x`), status: 400},

		"another workspace": {do: func(_ *office, p *pressed) { p.payload["team"] = map[string]any{"id": "T0OTHER"} }, status: 403},
		"no workspace":      {do: func(_ *office, p *pressed) { p.payload["team"] = nil }, status: 403},
		"an organization in its place": {do: func(_ *office, p *pressed) {
			p.payload["team"], p.payload["enterprise"] = nil, map[string]any{"id": team}
		}, status: 403},
		"a member of another workspace, in a shared channel": {do: func(_ *office, p *pressed) {
			p.payload["user"] = map[string]any{"id": "U0JANE", "team_id": "T0OTHER"}
		}, status: 403},
		"what is good for one time is not kept": {do: func(o *office, _ *pressed) { o.broken = errors.New("throttled") }, status: 500},

		"an unknown user": {
			do: func(_ *office, p *pressed) { p.payload["user"] = map[string]any{"id": "U0STRANGER"} }, status: 200,
			alone: "You are not an approver. Slack calls you U0STRANGER, and nobody",
		},
		"somebody who is known and no approver": {
			do: func(_ *office, p *pressed) { p.payload["user"] = map[string]any{"id": "U0MALLORY"} }, status: 200,
			alone: "You are not an approver. Nothing was decided. You are not one of approvals.approvers",
		},
		"an incident that is none": {
			do: func(_ *office, p *pressed) { action(p)["value"] = "inc-0123456789abcdef0123 " + plan }, status: 200, alone: "There is no such incident.",
		},
		"the plan of another incident": {
			do: func(o *office, p *pressed) { action(p)["value"] = o.id + " " + other }, status: 200, alone: "The plan is another one by now.",
		},
		"a plan that changed": {
			incident: func(i *incident.Incident) {
				i.Plan = other
				i.Proposal = incident.NewProposal(other, i.Opened, "+ another one", []string{"mode: approve"}, 1)
			},
			status: 200, alone: "The plan is another one by now.",
		},
		"nobody is asked any more": {
			incident: func(i *incident.Incident) { i.Become(incident.Manual, i.Opened, "it turned out so") }, status: 200, alone: "Nobody is asked any more.",
		},
		"undo, and nothing stands": {
			do: func(_ *office, p *pressed) { action(p)["action_id"] = "undo" }, status: 200, alone: "There is nothing to undo.",
		},
		"silence of something that is over": {
			incident: func(i *incident.Incident) { i.Become(incident.Healthy, i.Opened, "it is in order") },
			do:       func(o *office, p *pressed) { *p = *o.press(choice.Choice{Lasts: time.Hour}) }, status: 200, alone: "The incident is over.",
		},
		"in Japanese": {
			do: func(_ *office, p *pressed) {
				p.payload["channel"], p.payload["user"] = map[string]any{"id": "C0JAPANESE"}, map[string]any{"id": "U0MALLORY"}
			},
			status: 200, alone: "承認者ではありません。何も決定していません。デプロイ済みの設定の approvals.approvers",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := newOffice(t, c.incident)
			p := o.press(approve())
			if c.do != nil {
				c.do(o, p)
			}
			if status := o.send(p); status != c.status {
				t.Errorf("status %d, want %d; log:\n%s", status, c.status, &o.log)
			}
			if got := o.decided(); got != "" {
				t.Errorf("decided: %s", got)
			}
			o.hides()
			if n := strings.Count(o.log.String(), `"msg":"press"`); n != 1 || strings.Contains(o.log.String(), "evil.example") {
				t.Errorf("%d lines of the log:\n%s", n, &o.log)
			}
			if c.alone == "" {
				if len(o.said) > 0 {
					t.Errorf("somebody is told %+v", o.said)
				}
				return
			}
			if len(o.said) != 1 || o.said[0].body["response_type"] != "ephemeral" || o.said[0].body["replace_original"] != false {
				t.Fatalf("Slack is told %+v", o.said)
			}
			block := o.said[0].body["blocks"].([]any)[0].(map[string]any)["text"].(map[string]any)
			if text := block["text"].(string); !strings.HasPrefix(text, c.alone) || block["type"] != "plain_text" {
				t.Errorf("they are told %q, want %q", text, c.alone)
			}
		})
	}
}

func action(p *pressed) map[string]any { return p.payload["actions"].([]any)[0].(map[string]any) }

func answerTo(where string) func(*office, *pressed) {
	return func(_ *office, p *pressed) { p.payload["response_url"] = where }
}

// TestReplay: a request that comes again does nothing, as long as it would be taken, and whoever sends it learns nothing.
func TestReplay(t *testing.T) {
	t.Parallel()
	o := newOffice(t, nil)
	o.secret = newer + "\n" + signing
	p := o.press(approve())
	for range 3 {
		if status := o.send(p); status != http.StatusOK {
			t.Fatalf("status %d", status)
		}
		o.now = o.now.Add(time.Minute)
	}
	if got := o.decided(); got != "approve by "+jane+", told" || len(o.said) != 1 {
		t.Errorf("decided: %s, and said %+v", got, o.said)
	}
	if n := strings.Count(o.log.String(), "it came before, and does nothing"); n != 2 {
		t.Errorf("the log knows of %d replays:\n%s", n, &o.log)
	}
	for word, until := range o.spent {
		if got := until.Sub(p.at); got < 5*time.Minute {
			t.Errorf("%s is forgotten after %s", word, got)
		}
	}
	// Pressed again it is another request.
	again := o.press(approve())
	if status := o.send(again); status != http.StatusOK || o.decided() != "approve by "+jane+", told, told" {
		t.Errorf("status %d, decided %s", status, o.decided())
	}
	// And what was refused once is not decided by who sends it again.
	q := o.press(approve())
	q.payload["user"] = map[string]any{"id": "U0STRANGER"}
	o.send(q)
	said := len(o.said)
	o.send(q)
	if len(o.said) != said {
		t.Error("a replay of what was refused is answered")
	}
}

// TestRotation: while the secret is rotated both are taken, in either order, and however the lines end; afterwards the new one alone.
func TestRotation(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ secret, signed string }{
		"one":               {signing, signing},
		"the first of two":  {newer + "\n" + signing, newer},
		"the second of two": {newer + "\r\n" + signing + "\r\n", signing},
	} {
		o := newOffice(t, nil)
		o.secret = c.secret
		p := o.press(approve())
		p.secret = c.signed
		if status := o.send(p); status != http.StatusOK || o.decided() != "approve by "+jane+", told" {
			t.Errorf("%s: status %d, decided %q", name, status, o.decided())
		}
	}
	o := newOffice(t, nil)
	o.secret = newer
	if status := o.send(o.press(approve())); status != http.StatusUnauthorized || o.decided() != "" {
		t.Errorf("the old one: status %d, decided %q", status, o.decided())
	}
}

// TestWindow: five minutes, both ways, to the second.
func TestWindow(t *testing.T) {
	t.Parallel()
	for _, d := range []time.Duration{-5 * time.Minute, 5 * time.Minute} {
		o := newOffice(t, nil)
		p := o.press(approve())
		p.at = p.at.Add(d)
		if status := o.send(p); status != http.StatusOK || o.decided() == "" {
			t.Errorf("%s: status %d, decided %q", d, status, o.decided())
		}
	}
}

// TestOrganization: an app that is installed for an organization has no workspace.
func TestOrganization(t *testing.T) {
	t.Parallel()
	for organization, want := range map[string]int{"E0123ABCD": http.StatusOK, "E0OTHER": http.StatusForbidden} {
		o := newOffice(t, nil)
		o.Desk.Settings.Approvals.Slack.Team = "E0123ABCD"
		p := o.press(approve())
		p.payload["team"], p.payload["enterprise"] = nil, map[string]any{"id": organization}
		if status := o.send(p); status != want || (o.decided() != "") != (want == http.StatusOK) {
			t.Errorf("%s: status %d, decided %q", organization, status, o.decided())
		}
	}
}

// TestSlackDoesNotAnswer: what was decided counts, whatever becomes of saying so, and no redirect is followed.
func TestSlackDoesNotAnswer(t *testing.T) {
	t.Parallel()
	for name, slack := range map[string]func(*http.Request) (*http.Response, error){
		"gone": answered(http.StatusNotFound),
		"redirected": func(r *http.Request) (*http.Response, error) {
			if r.URL.Host != "hooks.slack.com" {
				return answered(http.StatusOK)(r) // where it goes on to nobody
			}
			return answered(http.StatusTemporaryRedirect)(r)
		},
		"cut off": func(r *http.Request) (*http.Response, error) {
			return nil, &url.Error{Op: "Post", URL: r.URL.String(), Err: errors.New("connection reset")}
		},
	} {
		o := newOffice(t, nil)
		o.slack = slack
		if status := o.send(o.press(approve())); status != http.StatusOK || o.decided() != "approve by "+jane+", told" {
			t.Errorf("%s: status %d, decided %q", name, status, o.decided())
		}
		if len(o.said) != 1 || !strings.Contains(o.log.String(), `"msg":"not answered"`) {
			t.Errorf("%s: said %+v; log:\n%s", name, o.said, &o.log)
		}
		o.hides()
	}
}
