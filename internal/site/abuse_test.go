package site_test

import (
	"context"
	"encoding/base64"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/replimend/replimend/internal/incident"
	"github.com/replimend/replimend/internal/link"
	"github.com/replimend/replimend/internal/policy"
	"github.com/replimend/replimend/internal/settings"
)

// TestScannersChangeNothing: whatever follows links, and whatever asks in another way than the page does, writes nothing.
func TestScannersChangeNothing(t *testing.T) {
	t.Parallel()
	o := newOffice(t, as)
	_, token, code := o.message()
	b := o.browser()
	b.signIn("sub-of-jane")
	form := b.form()
	query := "?t=" + token + "&decision=decline&plan=" + plan + "&token=" + token + "&code=" + code + "&csrf=" + form
	paths := []string{
		"/", "/incidents", "/incidents/" + o.id, "/incidents/" + o.id + query, "/incidents/" + o.id + "/decide", "/incidents/" + o.id + "/decide" + query,
		"/sign-in", "/sign-in?to=" + o.id, "/callback", "/callback?code=x&state=y", "/sign-out", "/sign-out?csrf=" + form, "/favicon.ico", "/robots.txt",
		"//" + o.id, "/incidents/", "/incidents/%2e%2e/sign-out", "/incidents/" + o.id + "/decide/",
	}
	methods := []string{"GET", "HEAD", "OPTIONS", "PUT", "DELETE", "PATCH", "TRACE", "PROPFIND", "get"}
	for _, who := range []*browser{o.browser(), b} {
		who := *who
		who.cookies = maps.Clone(who.cookies)
		for _, path := range paths {
			for _, method := range methods {
				r := httptest.NewRequest(method, origin+path, nil)
				w := who.send(r)
				if method == http.MethodHead && w.Body.Len() > 0 {
					t.Errorf("HEAD %s has a body", path)
				}
				if strings.HasSuffix(r.URL.Path, "/decide") && w.Code != http.StatusMethodNotAllowed || w.Code == http.StatusInternalServerError {
					t.Errorf("%s %s: %d", method, path, w.Code)
				}
				if who.cookies[`__Host-replimend-session`] != b.cookies[`__Host-replimend-session`] && len(who.cookies[`__Host-replimend-session`]) > 0 {
					t.Errorf("%s %s signs somebody in", method, path)
				}
			}
		}
	}
	if n := o.written(); n != 0 || len(o.answers()) != 0 || len(o.silences()) != 0 {
		t.Errorf("%d things were written", n)
	}
}

// TestAbuse: what is not exactly a decision of somebody who may make it is refused with its reason, and nothing is kept or sent.
func TestAbuse(t *testing.T) {
	t.Parallel()
	o := newOffice(t, as)
	l, token, code := o.message()
	secret, err := o.Secret(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	made := func(s link.Secret, change func(*link.Link)) string {
		l := l
		change(&l)
		text, err := s.Token(l)
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	foreign, err := link.ParseSecret(strings.Repeat("another secret ", 4))
	if err != nil {
		t.Fatal(err)
	}
	jane, john := o.browser(), o.browser()
	jane.signIn("sub-of-jane")
	john.signIn("sub-of-john")
	ofJane, ofJohn := jane.form(), john.form()
	session := jane.cookies["__Host-replimend-session"]
	fields := map[string]string{"decision": "decline", "plan": plan, "token": token, "code": code}
	type try = map[string]string
	for name, tt := range map[string]struct {
		by     *browser
		fields try
		status int
		said   string
	}{
		"nobody":                          {nil, try{"token": ""}, 403, "session-ended"},
		"no code":                         {nil, try{"code": ""}, 403, "wrong-code"},
		"another code":                    {nil, try{"code": "0000-0000"}, 403, "wrong-code"},
		"the link as the code":            {nil, try{"code": token}, 403, "wrong-code"},
		"a code used to approve":          {nil, try{"decision": "approve"}, 403, "sign-in-to-decide"},
		"a code used to undo":             {nil, try{"decision": "undo"}, 403, "sign-in-to-decide"},
		"a link of another incident":      {nil, try{"token": made(secret, func(l *link.Link) { l.Incident = "inc-ffffffffffffffffffff" })}, 403, "forged"},
		"a link of another secret":        {nil, try{"token": made(foreign, func(*link.Link) {})}, 403, "forged"},
		"a link that has expired":         {nil, try{"token": made(secret, func(l *link.Link) { l.Expires = o.time() })}, 403, "expired"},
		"a link that does not decline":    {nil, try{"token": made(secret, func(l *link.Link) { l.Scope = link.Silence })}, 409, "other-plan"},
		"a link that does not silence":    {nil, try{"decision": "silence", "hours": "8", "token": made(secret, func(l *link.Link) { l.Scope = link.Decline })}, 409, "other-plan"},
		"a link of another plan":          {nil, try{"plan": "ffff"}, 409, "other-plan"},
		"a session for a link":            {nil, try{"token": session}, 403, "forged"},
		"a form for a link":               {nil, try{"token": ofJane}, 403, "forged"},
		"a form without who it is of":     {nil, try{"csrf": ofJane, "token": "", "decision": "approve"}, 403, "session-ended"},
		"no form":                         {jane, try{"decision": "approve"}, 403, "form"},
		"no form, and a link with a code": {jane, try{}, 403, "form"},
		"a form of another session":       {jane, try{"csrf": ofJohn, "decision": "approve"}, 403, "form"},
		"a session for a form":            {jane, try{"csrf": session, "decision": "approve"}, 403, "form"},
		"another plan":                    {jane, try{"csrf": ofJane, "decision": "approve", "plan": "ffff"}, 409, "other-plan"},
		"nothing to undo":                 {jane, try{"csrf": ofJane, "decision": "undo"}, 409, "nothing-to-undo"},
		"another decision":                {jane, try{"csrf": ofJane, "decision": "Approve"}, 400, "not-a-form"},
		"no decision":                     {jane, try{"csrf": ofJane, "decision": ""}, 400, "not-a-form"},
		"no plan":                         {jane, try{"csrf": ofJane, "plan": ""}, 400, "not-a-form"},
		"an unknown field":                {jane, try{"csrf": ofJane, "approver": john.cookies["x"]}, 400, "not-a-form"},
		"silence for ever":                {jane, try{"csrf": ofJane, "decision": "silence", "hours": "8760"}, 400, "not-a-form"},
		"silence written otherwise":       {jane, try{"csrf": ofJane, "decision": "silence", "hours": "08"}, 400, "not-a-form"},
		"silence into the past":           {jane, try{"csrf": ofJane, "decision": "silence", "hours": "-1"}, 400, "not-a-form"},
		"far too long":                    {jane, try{"csrf": ofJane, "reason": strings.Repeat("x", 8<<10)}, 413, "too-long"},
	} {
		by := tt.by
		if by == nil {
			by = o.browser()
		}
		o.spent, o.writes = map[string]bool{}, 0
		w := by.decide(fields, tt.fields)
		if w.Code != tt.status || o.said() != tt.said {
			t.Errorf("%s: %d %s, want %d %s", name, w.Code, o.said(), tt.status, tt.said)
		}
		most := 0
		if tt.said == "wrong-code" {
			most = 1 // the try
		}
		if n := o.written(); n > most || len(o.answers()) > 0 || len(o.silences()) > 0 || len(o.sent) > 0 {
			t.Errorf("%s: %d things were written", name, n)
		}
	}
}

// TestOtherRequests: what is not sent as the page's own form is not taken, though everything in it is right.
func TestOtherRequests(t *testing.T) {
	t.Parallel()
	o := newOffice(t, as)
	b := o.browser()
	b.signIn("sub-of-jane")
	right := "decision=approve&plan=" + plan + "&csrf=" + b.form()
	for name, tt := range map[string]struct {
		path   string
		body   string
		header map[string]string
		status int
		said   string
	}{
		"another site":               {"", right, map[string]string{"Sec-Fetch-Site": "cross-site"}, 403, "cross-origin"},
		"a site beside it":           {"", right, map[string]string{"Sec-Fetch-Site": "same-site"}, 403, "cross-origin"},
		"another origin":             {"", right, map[string]string{"Origin": "https://evil.example"}, 403, "cross-origin"},
		"no origin of an old one":    {"", right, map[string]string{"Origin": "null"}, 403, "cross-origin"},
		"JSON":                       {"", `{"decision":"approve"}`, map[string]string{"Content-Type": "application/json"}, 415, "not-a-form"},
		"text":                       {"", right, map[string]string{"Content-Type": "text/plain"}, 415, "not-a-form"},
		"parts":                      {"", right, map[string]string{"Content-Type": "multipart/form-data; boundary=x"}, 415, "not-a-form"},
		"no type":                    {"", right, map[string]string{"Content-Type": ""}, 415, "not-a-form"},
		"fields in the URL":          {"?" + right, right, nil, 400, "not-a-form"},
		"a field twice":              {"", right + "&decision=decline", nil, 400, "not-a-form"},
		"semicolons":                 {"", strings.ReplaceAll(right, "&", ";"), nil, 400, "not-a-form"},
		"nothing":                    {"", "", nil, 400, "not-a-form"},
		"another path":               {"/", right, nil, 404, "no-such-path"},
		"another method by a header": {"", "", map[string]string{"X-HTTP-Method-Override": "POST"}, 400, "not-a-form"},
	} {
		r := httptest.NewRequest(http.MethodPost, origin+"/incidents/"+o.id+"/decide"+tt.path, strings.NewReader(tt.body))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		for h, value := range tt.header {
			r.Header.Set(h, value)
		}
		w := b.send(r)
		if w.Code != tt.status || o.said() != tt.said || o.written() > 0 {
			t.Errorf("%s: %d %s, %d were written", name, w.Code, o.said(), o.written())
		}
	}
	for _, id := range []string{"inc-x", "inc-0123456789ABCDEF0123", "inc-ffffffffffffffffffff%00", "..%2f..%2fsign-out"} {
		if w := b.post("/incidents/"+id+"/decide", map[string]string{}); w.Code != http.StatusNotFound {
			t.Errorf("%s: %d %s", id, w.Code, o.said())
		}
	}
	if w := b.decide(map[string]string{"decision": "approve", "plan": plan, "csrf": b.form()}); w.Code != http.StatusOK {
		t.Errorf("what is right: %d %s", w.Code, o.said())
	}
}

// TestGuessing: after a few codes a link takes none any more, not even the right one; another link does.
func TestGuessing(t *testing.T) {
	t.Parallel()
	o := newOffice(t, as)
	_, token, code := o.message()
	fields := map[string]string{"decision": "decline", "plan": plan, "token": token, "code": "0000-0000"}
	for n := range maxTries {
		if w := o.browser().decide(fields); w.Code != http.StatusForbidden || o.said() != "wrong-code" {
			t.Fatalf("try %d: %d %s", n+1, w.Code, o.said())
		}
	}
	for _, typed := range []string{"0000-0000", code} {
		if w := o.browser().decide(fields, map[string]string{"code": typed}); w.Code != http.StatusForbidden || o.said() != "no-more-codes" {
			t.Errorf("%s: %d %s", typed, w.Code, o.said())
		}
	}
	if w := o.browser().decide(fields, map[string]string{"code": code, "decision": "silence", "hours": "1"}); o.said() != "no-more-codes" {
		t.Errorf("to silence: %d %s", w.Code, o.said())
	}
	_, fields["token"], fields["code"] = o.message()
	if w := o.browser().decide(fields); w.Code != http.StatusOK {
		t.Errorf("another link: %d %s", w.Code, o.said())
	}
}

// TestDrift: a link of a message whose plan is another one by now shows the new plan, and declines nothing.
func TestDrift(t *testing.T) {
	t.Parallel()
	o := newOffice(t, as)
	_, token, code := o.message()
	signed := o.browser()
	signed.signIn("sub-of-jane")
	form := signed.form()
	i, err := o.kept.Get(t.Context(), o.id)
	if err != nil {
		t.Fatal(err)
	}
	i.Plan = "ffff"
	i.Proposal = incident.NewProposal("ffff", o.time(), "+ another statement", nil, 1)
	if _, err := o.kept.Record(t.Context(), i); err != nil {
		t.Fatal(err)
	}
	b := o.browser()
	w := b.get("/incidents/" + o.id + "?t=" + token)
	if body := w.Body.String(); w.Code != http.StatusOK || offers(body, "decline") || !offers(body, "silence") {
		t.Errorf("%d %s", w.Code, body)
	}
	for _, submitted := range []string{plan, "ffff"} {
		if w := b.decide(map[string]string{"decision": "decline", "plan": submitted, "token": token, "code": code}); w.Code != http.StatusConflict || o.said() != "other-plan" {
			t.Errorf("%s: %d %s", submitted, w.Code, o.said())
		}
	}
	if w := signed.decide(map[string]string{"decision": "approve", "plan": plan, "csrf": form}); w.Code != http.StatusConflict || o.said() != "other-plan" {
		t.Errorf("%d %s", w.Code, o.said())
	}
	if n := o.written(); n > 0 || len(o.answers()) > 0 {
		t.Errorf("%d things were written", n)
	}
}

// TestSessions: a session is of who it says, for an hour, and only while they are an approver.
func TestSessions(t *testing.T) {
	t.Parallel()
	for name, break_ := range map[string]func(*browser){
		"nobody":               func(b *browser) { b.cookies = map[string]string{} },
		"an hour later":        func(b *browser) { b.pass(time.Hour) },
		"no approver any more": func(b *browser) { b.Desk.Settings.Approvals.Approvers = b.Desk.Settings.Approvals.Approvers[:0:0] },
		"somebody else by now": func(b *browser) { b.Desk.Settings.Approvals.People[0].ARN.Resource = "user/jeff" },
		"not known any more":   func(b *browser) { b.Desk.Settings.Approvals.People = nil },
		"another provider":     func(b *browser) { b.Provider.Issuer = "https://other.example" },
		"nobody signs in":      func(b *browser) { b.Provider = nil },
		"another secret": func(b *browser) {
			b.Sessions = func(context.Context) (link.Secret, error) { return link.ParseSecret(strings.Repeat("another ", 5)) }
		},
		"made by who makes links": func(b *browser) {
			s, err := link.ParseSecret(words)
			if err != nil {
				t.Fatal(err)
			}
			whole := fmt.Appendf(nil, `{"id":"a","arn":%q,"sub":"sub-of-jane","iss":%q,"exp":%d}`, jane, b.Provider.Issuer, b.time().Add(time.Minute).Unix())
			if b.cookies[session], err = s.Seal(link.ForSession, whole); err != nil {
				t.Fatal(err)
			}
		},
		"forged": func(b *browser) {
			b.cookies[session] = base64.RawURLEncoding.EncodeToString([]byte(strings.Repeat("x", 32) + `{"id":"a","arn":"` + jane + `","sub":"sub-of-jane"}`))
		},
		"cut":            func(b *browser) { b.cookies[session] = b.cookies[session][:40] },
		"one that began": func(b *browser) { b.get("/sign-in"); b.cookies[session] = b.cookies["__Host-replimend-sign-in"] },
		"a form":         func(b *browser) { b.cookies[session] = b.form() },
		"a link":         func(b *browser) { _, b.cookies[session], _ = b.message() },
		"not in a cookie": func(b *browser) {
			b.header = map[string]string{"Authorization": "Bearer " + b.cookies[session]}
			delete(b.cookies, session)
		},
	} {
		o := newOffice(t, as)
		b := o.browser()
		b.signIn("sub-of-jane")
		form := b.form()
		break_(b)
		for _, path := range []string{"/", "/incidents", "/incidents/" + o.id} {
			if w := b.get(path); w.Code != http.StatusForbidden || strings.Contains(w.Body.String(), "payroll") {
				t.Errorf("%s: %s: %d %s", name, path, w.Code, w.Body)
			}
		}
		if w := b.decide(map[string]string{"decision": "approve", "plan": plan, "csrf": form}); w.Code != http.StatusForbidden || o.written() > 0 {
			t.Errorf("%s: %d %s, %d were written", name, w.Code, o.said(), o.written())
		}
	}
	o := newOffice(t, as)
	b := o.browser()
	b.signIn("sub-of-jane")
	o.pass(time.Hour - time.Second)
	if w := b.get("/incidents/" + o.id); w.Code != http.StatusOK {
		t.Errorf("a second before the hour: %d", w.Code)
	}
	b.Secret = func(context.Context) (link.Secret, error) { return link.ParseSecret(strings.Repeat("newer ", 6)) }
	if w := b.get("/incidents/" + o.id); w.Code != http.StatusOK {
		t.Errorf("with another secret of links: %d", w.Code)
	}
}

const session = "__Host-replimend-session"

// TestNothingIsFound: whoever has no link is not told which incidents there are, nor where the host is that a request names.
func TestNothingIsFound(t *testing.T) {
	t.Parallel()
	o := newOffice(t, as)
	b := o.browser()
	for _, id := range []string{o.id, "inc-ffffffffffffffffffff"} {
		for _, query := range []string{"", "?t=", "?t=x", "?t=" + strings.Repeat("A", 100), "?t=" + strings.Repeat("A", 1<<16)} {
			if w := b.get("/incidents/" + id + query); w.Code != http.StatusForbidden {
				t.Errorf("%s%.20s: %d", id, query, w.Code)
			}
		}
	}
	r := httptest.NewRequest(http.MethodGet, "/sign-in", nil)
	r.Host = "evil.example"
	r.Header.Set("X-Forwarded-Host", "evil.example")
	if w := b.send(r); w.Code != http.StatusSeeOther || strings.Contains(w.Header().Get("Location"), "evil") {
		t.Errorf("%d %s", w.Code, w.Header().Get("Location"))
	}
	o.Provider = nil
	if w := b.get("/incidents"); w.Code != http.StatusForbidden || strings.Contains(w.Body.String(), "/sign-in") {
		t.Errorf("where nobody signs in: %d %s", w.Code, w.Body)
	}
	if w := b.get("/sign-in"); w.Code != http.StatusNotFound || o.said() != "no-sign-in" {
		t.Errorf("where nobody signs in: %d %s", w.Code, o.said())
	}
}

// TestScriptIsText: what anybody may write into names is shown as text, on the page and in what is said instead of it.
func TestScriptIsText(t *testing.T) {
	t.Parallel()
	const script = `"><script>alert(1)</script><img src=x onerror=alert(1)>`
	o := newOffice(t, as)
	o.id = o.incident(script, func(i *incident.Incident) {
		i.Causes = []string{script}
		i.Failures.Add(incident.Object{Key: script, VersionID: script}, o.time())
		i.Proposal.Diff += "\n+ " + script
		i.Log(o.time(), "%s", script)
		i.Breaking = &incident.Call{Event: script, Principal: script, At: o.time()}
	})
	_, token, _ := o.message()
	anybody, signed := o.browser(), o.browser()
	signed.signIn("sub-of-jane")
	for name, w := range map[string]*httptest.ResponseRecorder{
		"by a link": anybody.get("/incidents/" + o.id + "?t=" + token), "whole": signed.get("/incidents/" + o.id), "the list": signed.get("/"),
	} {
		if body := w.Body.String(); w.Code != http.StatusOK || strings.Contains(body, "<script") || strings.Contains(body, "<img") {
			t.Errorf("%s: %d %s", name, w.Code, body)
		}
	}
	o.Desk.Settings.Approvals.People = []settings.Identity{{ARN: policy.ARN{}, Subject: "nobody"}}
	if w := o.browser().signIn(script); w.Code != http.StatusForbidden || strings.Contains(w.Body.String(), "<script") {
		t.Errorf("a subject: %d %s", w.Code, w.Body)
	}
}
