package site_test

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/replimend/replimend/internal/incident"
	"github.com/replimend/replimend/internal/settings"
)

// TestLinkShowsMasked: whoever has the link alone sees the incident without its names, and nothing else.
func TestLinkShowsMasked(t *testing.T) {
	t.Parallel()
	o := newOffice(t, func(i *incident.Incident) {
		i.Breaking = &incident.Call{Event: "PutKeyPolicy", Principal: "arn:aws:iam::111122223333:user/mallory", At: i.Opened}
	})
	_, token, code := o.message()
	b := o.browser()
	signed := o.browser()
	signed.signIn("sub-of-jane")
	if whole := signed.get("/incidents/" + o.id).Body.String(); !strings.Contains(whole, "111122223333:user/mallory") {
		t.Errorf("there is nothing to mask: %s", whole)
	}
	w := b.get("/incidents/" + o.id + "?t=" + token)
	body := w.Body.String()
	if w.Code != http.StatusOK || !strings.Contains(body, "user/mallory") || strings.Contains(body, "111122223333") || strings.Contains(body, "passport") || strings.Contains(body, code) {
		t.Errorf("%d %s", w.Code, body)
	}
	for decision, want := range map[string]bool{"approve": false, "undo": false, "decline": true, "silence": true} {
		if got := offers(body, decision); got != want {
			t.Errorf("%s is offered: %t", decision, got)
		}
	}
	if !strings.Contains(body, `href="/sign-in?to=`+o.id) {
		t.Error("it does not say where to sign in")
	}
	if w := b.get("/incidents"); w.Code != http.StatusForbidden || strings.Contains(w.Body.String(), "payroll") {
		t.Errorf("the list: %d", w.Code)
	}
}

// TestCodeDeclines: the code of a message declines once and silences once, whatever it is typed like, and what is sent again is told so.
func TestCodeDeclines(t *testing.T) {
	t.Parallel()
	o := newOffice(t, as)
	_, token, code := o.message()
	b := o.browser()
	fields := map[string]string{
		"decision": "decline", "plan": plan, "token": token, "code": " " + strings.ToLower(strings.ReplaceAll(code, "-", " ")), "csrf": "",
		"hours": "8", "reason": "on purpose",
	}
	if w := b.decide(fields); w.Code != http.StatusOK || o.said() != "declined" {
		t.Fatalf("%d %s", w.Code, o.said())
	}
	want := []string{"decline by " + incident.ByCode}
	if got := o.answers(); !slices.Equal(got, want) || len(o.sent) != 1 {
		t.Errorf("kept %q, sent %d", got, len(o.sent))
	}
	before, kept := o.time(), o.answers()
	o.pass(time.Minute)
	w := b.decide(fields)
	all, err := o.kept.Answers(t.Context(), o.id)
	if w.Code != http.StatusConflict || o.said() != "used" || !slices.Equal(o.answers(), kept) || err != nil || !all[0].At.Equal(before) {
		t.Errorf("again: %d %s, kept %+v, %v", w.Code, o.said(), all, err)
	}
	if !strings.Contains(w.Body.String(), "decline of plan "+plan[:12]) {
		t.Errorf("it does not say what is kept: %s", w.Body)
	}
	if w := b.decide(fields, map[string]string{"decision": "silence"}); w.Code != http.StatusOK || o.said() != "silenced" {
		t.Errorf("silence: %d %s", w.Code, o.said())
	}
	s := o.silences()
	if len(s) != 1 || s[0].Cause != "role-lacks-replicate" || s[0].Owner != incident.ByCode || !s[0].Expires.Equal(o.time().Add(8*time.Hour)) {
		t.Errorf("silenced %v", s)
	}
	if w := b.decide(fields, map[string]string{"decision": "silence", "hours": "168"}); w.Code != http.StatusConflict || len(o.silences()) != 1 {
		t.Errorf("silence again: %d %s", w.Code, o.said())
	}
	if w := b.decide(fields, map[string]string{"decision": "silence", "hours": "24"}); w.Code != http.StatusConflict {
		t.Errorf("silence again: %d %s", w.Code, o.said())
	}
}

// TestApproverDecides: who signed in approves, is told when they send the same form twice, and decides anew from the page.
func TestApproverDecides(t *testing.T) {
	t.Parallel()
	o := newOffice(t, as)
	b := o.browser()
	if w := b.signIn("sub-of-jane"); w.Code != http.StatusSeeOther || w.Header().Get("Location") != "/incidents/"+o.id {
		t.Fatalf("%d %s: %s", w.Code, w.Header().Get("Location"), o.said())
	}
	page := b.get("/incidents/" + o.id).Body.String()
	for decision, want := range map[string]bool{"approve": true, "undo": false, "decline": true, "silence": true} {
		if got := offers(page, decision); got != want {
			t.Errorf("%s is offered: %t", decision, got)
		}
	}
	fields := map[string]string{"decision": "approve", "plan": plan, "csrf": b.form(), "reason": "looks right"}
	if w := b.decide(fields); w.Code != http.StatusOK || o.said() != "approved" {
		t.Fatalf("%d %s", w.Code, o.said())
	}
	o.pass(time.Minute)
	sent := len(o.sent)
	if w := b.decide(fields); w.Code != http.StatusConflict || o.said() != "sent-before" || len(o.sent) != sent ||
		!strings.Contains(w.Body.String(), "approve of plan "+plan[:12]) {
		t.Errorf("again: %d %s %s", w.Code, o.said(), w.Body)
	}
	if got := o.answers(); !slices.Equal(got, []string{"approve by " + jane}) {
		t.Errorf("kept %q", got)
	}
	if w := b.decide(fields, map[string]string{"decision": "decline"}); w.Code != http.StatusOK {
		t.Errorf("decline after all: %d %s", w.Code, o.said())
	}
	o.pass(time.Minute)
	if w := b.decide(fields, map[string]string{"csrf": b.form()}); w.Code != http.StatusOK {
		t.Errorf("approve after all: %d %s", w.Code, o.said())
	}
	if got := o.answers(); !slices.Equal(got, []string{"approve by " + jane}) {
		t.Errorf("kept %q", got)
	}
	if w := b.get("/"); w.Code != http.StatusOK || !strings.Contains(w.Body.String(), "1") {
		t.Errorf("the list: %d %s", w.Code, w.Body)
	}
	if w := b.post("/sign-out", map[string]string{"csrf": b.form()}); w.Code != http.StatusOK || len(b.cookies) != 0 {
		t.Errorf("sign out: %d, %v", w.Code, b.cookies)
	}
	if w := b.get("/incidents/" + o.id); w.Code != http.StatusForbidden {
		t.Errorf("after signing out: %d", w.Code)
	}
}

// TestUndo: what stands is taken back by whoever signed in.
func TestUndo(t *testing.T) {
	t.Parallel()
	o := newOffice(t, func(i *incident.Incident) {
		i.Outcome = incident.Proven
		i.Changes = []incident.Change{{Kind: "role-policy", ID: "arn:aws:iam::111122223333:role/r", Account: "111122223333", State: incident.Written}}
	})
	b := o.browser()
	b.signIn("sub-of-jane")
	if w := b.decide(map[string]string{"decision": "undo", "plan": plan, "csrf": b.form()}); w.Code != http.StatusOK || o.said() != "undo-asked" {
		t.Errorf("%d %s", w.Code, o.said())
	}
	if got := o.answers(); !slices.Equal(got, []string{"undo by " + jane}) {
		t.Errorf("kept %q", got)
	}
}

// TestOneMoreHasTo: of two people who have to approve the first is told that another one has to.
func TestOneMoreHasTo(t *testing.T) {
	t.Parallel()
	o := newOffice(t, func(i *incident.Incident) { i.Proposal.People = 2 })
	b := o.browser()
	b.signIn("sub-of-jane")
	if w := b.decide(map[string]string{"decision": "approve", "plan": plan, "csrf": b.form()}); w.Code != http.StatusOK || o.said() != "approved-one-more" {
		t.Errorf("%d %s %s", w.Code, o.said(), w.Body)
	}
}

// TestOneCodeIsTakenOfMany: of many who send a link and its code at the same time one decides; and of many who guess no more are answered
// than may try.
func TestOneCodeIsTakenOfMany(t *testing.T) {
	t.Parallel()
	o := newOffice(t, as)
	_, token, code := o.message()
	var wg sync.WaitGroup
	for range maxTries {
		wg.Go(func() {
			o.browser().decide(map[string]string{"decision": "decline", "plan": plan, "token": token, "code": code})
		})
	}
	wg.Wait()
	if n := strings.Count(o.log.String(), `"reply":"declined"`); n != 1 || len(o.sent) != 1 {
		t.Errorf("%d decided, %d were handed over", n, len(o.sent))
	}
	_, token, _ = o.message()
	for range 4 * maxTries {
		wg.Go(func() {
			o.browser().decide(map[string]string{"decision": "decline", "plan": plan, "token": token, "code": "0000-0000"})
		})
	}
	wg.Wait()
	if n := strings.Count(o.log.String(), `"reply":"wrong-code"`); n != maxTries {
		t.Errorf("%d were told that it is not the code", n)
	}
}

const maxTries = 5

// TestJapanese: who reads Japanese is told in Japanese, by their browser or by the link.
func TestJapanese(t *testing.T) {
	t.Parallel()
	o := newOffice(t, as)
	b := o.browser()
	b.header = map[string]string{"Accept-Language": "fr, ja-JP;q=0.9, en;q=0.8"}
	if w := b.get("/incidents"); !strings.Contains(w.Body.String(), "サインイン") {
		t.Errorf("%s", w.Body)
	}
	l, _, _ := o.message()
	l.Language = settings.Japanese
	secret, err := o.Secret(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	token, err := secret.Token(l)
	if err != nil {
		t.Fatal(err)
	}
	b.header = nil
	if w := b.decide(map[string]string{"decision": "approve", "plan": plan, "token": token}); !strings.Contains(w.Body.String(), "サインイン") {
		t.Errorf("%s", w.Body)
	}
}

// TestFaultsAreForTheLog: what goes wrong is said to nobody but the log, and a link that was spent on nothing says so.
func TestFaultsAreForTheLog(t *testing.T) {
	t.Parallel()
	o := newOffice(t, as)
	broken := errors.New("table arn:aws:dynamodb:eu-west-1:111122223333:table/approvals is throttled")
	o.fail = func(word string) error {
		if strings.HasSuffix(word, "#decline") {
			return broken
		}
		return nil
	}
	_, token, code := o.message()
	fields := map[string]string{"decision": "decline", "plan": plan, "token": token, "code": code}
	w := o.browser().decide(fields)
	if w.Code != http.StatusInternalServerError || strings.Contains(w.Body.String(), "throttled") || len(o.answers()) > 0 {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	if !strings.Contains(o.log.String(), "throttled") {
		t.Error("the log does not have it")
	}
	o.fail = func(string) error { return nil }
	if w := o.browser().decide(fields); w.Code != http.StatusConflict || o.said() != "used-for-nothing" {
		t.Errorf("%d %s", w.Code, o.said())
	}
	if strings.Contains(o.log.String(), token) || strings.Contains(o.log.String(), code) {
		t.Error("the log has the link or the code")
	}
}
