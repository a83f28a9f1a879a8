package site_test

import (
	"context"
	"crypto/rand"
	"html"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/replimend/replimend/internal/desk"
	"github.com/replimend/replimend/internal/incident"
	"github.com/replimend/replimend/internal/journal"
	"github.com/replimend/replimend/internal/link"
	"github.com/replimend/replimend/internal/oidctest"
	"github.com/replimend/replimend/internal/policy"
	"github.com/replimend/replimend/internal/queue"
	"github.com/replimend/replimend/internal/seal"
	"github.com/replimend/replimend/internal/settings"
	"github.com/replimend/replimend/internal/site"
)

const (
	jane   = "arn:aws:iam::111122223333:user/jane"
	john   = "arn:aws:iam::111122223333:user/john"
	plan   = "0123abcd0123abcd0123abcd"
	origin = "https://page.example"
	words  = "a secret of the page with 32 characters"

	sessionWords = "what sessions are sealed with, of 32 and more"
)

// office is the page over a file, with an incident about which people are asked. It counts everything that is written.
type office struct {
	*site.Site
	t        *testing.T
	provider *oidctest.Provider
	kept     *journal.File
	id       string
	origin   string

	mu     sync.Mutex
	now    time.Time
	writes int
	spent  map[string]bool
	fail   func(word string) error // of what is spent
	sent   []queue.Work
	log    strings.Builder
}

func (o *office) Write(p []byte) (int, error) { // the log
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.log.Write(p)
}

func (o *office) Send(_ context.Context, w queue.Work, _ time.Duration) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.writes++
	o.sent = append(o.sent, w)
	return nil
}

func (o *office) Spend(_ context.Context, word string, _ time.Time) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.writes++
	if o.spent[word] {
		return incident.ErrUsed
	}
	o.spent[word] = true
	return o.fail(word)
}

func (o *office) Approve(ctx context.Context, a incident.Approval) error {
	o.count()
	return o.kept.Approve(ctx, a)
}

func (o *office) Answers(ctx context.Context, id string) ([]incident.Approval, error) {
	return o.kept.Answers(ctx, id)
}
func (o *office) Use(ctx context.Context, a incident.Approval) error { return o.kept.Use(ctx, a) }

func (o *office) Suppress(ctx context.Context, s incident.Suppression) error {
	o.count()
	return o.kept.Suppress(ctx, s)
}

func (o *office) Given(ctx context.Context, id, plan, who string) (incident.Approval, bool, error) {
	all, err := o.kept.Answers(ctx, id)
	at := slices.IndexFunc(all, func(a incident.Approval) bool { return a.Plan == plan && a.Approver == who })
	if err != nil || at < 0 {
		return incident.Approval{}, false, err
	}
	return all[at], true, nil
}

func (o *office) count() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.writes++
}

func (o *office) written() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.writes
}

func (o *office) time() time.Time {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.now
}

func (o *office) pass(d time.Duration) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.now = o.now.Add(d)
}

// newOffice is one whose incident is changed before it is kept.
func newOffice(t *testing.T, change func(*incident.Incident)) *office {
	t.Helper()
	o := &office{t: t, origin: origin, now: time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC), spent: map[string]bool{}}
	o.fail = func(string) error { return nil }
	o.provider = oidctest.New(t, "replimend", "the secret of the client")
	o.provider.Now = o.time
	secretOfClient := o.provider.ClientSecret
	o.kept = &journal.File{Path: filepath.Join(t.TempDir(), "journal.json"), Now: o.time}
	o.id = o.incident("ledger", change)
	sealer, err := seal.NewSecret([]byte(strings.Repeat("x", 32)))
	if err != nil {
		t.Fatal(err)
	}
	log := slog.New(slog.NewJSONHandler(o, nil))
	arn := func(text string) policy.ARN {
		a, err := policy.ParseARN(text)
		if err != nil {
			t.Fatal(err)
		}
		return a
	}
	o.Site = &site.Site{
		Desk: &desk.Desk{
			Incidents: o.kept, Answers: &journal.Approvals{Kept: o, Sealer: sealer, Now: o.time}, Silences: o, Work: o, Log: log, Now: o.time,
			Settings: &settings.Settings{Approvals: settings.Approvals{
				Hours: 2, Approvers: []policy.ARN{arn("arn:aws:iam::111122223333:user/j*")},
				People: []settings.Identity{
					{ARN: arn(jane), Subject: "sub-of-jane"},
					{ARN: arn(john), Subject: "sub-of-john"},
					{ARN: arn("arn:aws:iam::111122223333:user/mallory"), Subject: "sub-of-mallory"}, // who is no approver
				},
			}},
		},
		Incidents: o.kept, Answers: o, Words: o,
		Secret:   func(context.Context) (link.Secret, error) { return link.ParseSecret(words) },
		Sessions: func(context.Context) (link.Secret, error) { return link.ParseSecret(sessionWords) },
		Provider: &site.Provider{
			Issuer: o.provider.URL, Client: o.provider.ClientID, HTTP: site.NewClient(o.provider.Client().Transport), Now: o.time,
			Secret: func(context.Context) (string, error) { return secretOfClient, nil },
		},
		Log: log, Now: o.time,
	}
	return o
}

// incident opens one on a route and asks people about it.
func (o *office) incident(rule string, change func(*incident.Incident)) string {
	o.t.Helper()
	now := o.time()
	route := incident.Route{Source: "payroll-source", Rule: rule, Destination: "payroll-replicas"}
	i := incident.Incident{ID: incident.ID(route, now), Route: route, Outcome: incident.Open, Opened: now}
	i.Failures.Add(incident.Object{Key: "passport.pdf", VersionID: "v1"}, now)
	i, err := o.kept.Open(o.t.Context(), i)
	if err != nil {
		o.t.Fatal(err)
	}
	i.Plan, i.Causes = plan, []string{"role-lacks-replicate"}
	i.Become(incident.AwaitingApproval, now, "nobody answered yet")
	i.Proposal = incident.NewProposal(plan, now, "+ a statement", []string{"mode: approve"}, 1)
	change(&i)
	if i, err = o.kept.Record(o.t.Context(), i); err != nil {
		o.t.Fatal(err)
	}
	return i.ID
}

func as(*incident.Incident) {}

// message is the link and the code of a message about the incident.
func (o *office) message() (l link.Link, token, code string) {
	o.t.Helper()
	s, err := link.ParseSecret(words)
	if err != nil {
		o.t.Fatal(err)
	}
	var nonce link.Nonce
	copy(nonce[:], rand.Text())
	l = link.New(o.id, plan, settings.English, nonce, o.time())
	if token, err = s.Token(l); err != nil {
		o.t.Fatal(err)
	}
	return l, token, s.Code(l)
}

func (o *office) answers() []string {
	o.t.Helper()
	all, err := o.kept.Answers(o.t.Context(), o.id)
	if err != nil {
		o.t.Fatal(err)
	}
	var out []string
	for _, a := range all {
		out = append(out, string(a.Answer)+" by "+a.Approver)
	}
	return out
}

func (o *office) silences() []incident.Suppression {
	o.t.Helper()
	all, err := o.kept.Silences(o.t.Context())
	if err != nil {
		o.t.Fatal(err)
	}
	return all
}

// browser is somebody's, with their cookies.
type browser struct {
	*office
	cookies map[string]string
	header  map[string]string // of every request
}

func (o *office) browser() *browser { return &browser{office: o, cookies: map[string]string{}} }

// send asks for something, and takes the cookies that come back.
func (b *browser) send(r *http.Request) *httptest.ResponseRecorder {
	b.t.Helper()
	for name, value := range b.cookies {
		r.AddCookie(&http.Cookie{Name: name, Value: value})
	}
	for name, value := range b.header {
		r.Header.Set(name, value)
	}
	w := httptest.NewRecorder()
	b.At(b.origin).ServeHTTP(w, r)
	for _, c := range w.Result().Cookies() {
		if !c.Secure || !c.HttpOnly || c.SameSite != http.SameSiteLaxMode || c.Path != "/" || c.Domain != "" || !strings.HasPrefix(c.Name, "__Host-") {
			b.t.Errorf("the cookie %s is open to others: %+v", c.Name, c)
		}
		if b.cookies[c.Name] = c.Value; c.MaxAge < 0 {
			delete(b.cookies, c.Name)
		}
	}
	if strings.Contains(w.Body.String(), "%!") {
		b.t.Errorf("%s %s: a value has no place, or a place no value: %s", r.Method, r.URL.Path, w.Body)
	}
	csp := w.Header().Get("Content-Security-Policy")
	for _, want := range []string{"default-src 'none'", "form-action 'self'", "frame-ancestors 'none'", "base-uri 'none'", "style-src 'sha256-"} {
		if !strings.Contains(csp, want) || strings.Contains(csp, "unsafe") || strings.Contains(csp, "script-src") {
			b.t.Errorf("%s %s: the policy is %s", r.Method, r.URL.Path, csp)
		}
	}
	for name, want := range map[string]string{
		"Referrer-Policy": "no-referrer", "X-Content-Type-Options": "nosniff", "Cache-Control": "no-store", "X-Frame-Options": "DENY",
		"Cross-Origin-Opener-Policy": "same-origin",
	} {
		if got := w.Header().Get(name); got != want {
			b.t.Errorf("%s %s: %s is %q", r.Method, r.URL.Path, name, got)
		}
	}
	return w
}

func (b *browser) get(path string) *httptest.ResponseRecorder {
	b.t.Helper()
	return b.send(httptest.NewRequest(http.MethodGet, origin+path, nil))
}

// post sends a form as a browser does.
func (b *browser) post(path string, fields map[string]string) *httptest.ResponseRecorder {
	b.t.Helper()
	v := url.Values{}
	for name, value := range fields {
		v.Set(name, value)
	}
	r := httptest.NewRequest(http.MethodPost, origin+path, strings.NewReader(v.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	return b.send(r)
}

func (b *browser) decide(fields map[string]string, change ...map[string]string) *httptest.ResponseRecorder {
	b.t.Helper()
	fields = maps.Clone(fields)
	for _, c := range change {
		maps.Copy(fields, c)
	}
	return b.post("/incidents/"+b.id+"/decide", fields)
}

// follow goes to the provider and comes back from it, and gives where it comes back to.
func (b *browser) follow(at string) string {
	b.t.Helper()
	if !strings.HasPrefix(at, b.provider.URL+"/authorize?") {
		b.t.Fatalf("people sign in at %s", at)
	}
	c := *b.provider.Client()
	c.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	r, err := http.NewRequestWithContext(b.t.Context(), http.MethodGet, at, nil)
	if err != nil {
		b.t.Fatal(err)
	}
	out, err := c.Do(r)
	if err != nil {
		b.t.Fatal(err)
	}
	if err := out.Body.Close(); err != nil {
		b.t.Fatal(err)
	}
	back, ok := strings.CutPrefix(out.Header.Get("Location"), b.origin)
	if !ok || !strings.HasPrefix(back, "/callback?") {
		b.t.Fatalf("the provider sends people to %q: %s", out.Header.Get("Location"), out.Status)
	}
	return back
}

// signIn signs somebody in who is on the page of the incident.
func (b *browser) signIn(subject string) *httptest.ResponseRecorder {
	b.t.Helper()
	b.provider.As(subject)
	w := b.get("/sign-in?to=" + b.id)
	if w.Code != http.StatusSeeOther {
		b.t.Fatalf("sign in: %d %s", w.Code, w.Body)
	}
	return b.get(b.follow(w.Header().Get("Location")))
}

var hidden = regexp.MustCompile(`name="?csrf"? value="([^"]*)"`)

// form is what the forms of a page have in them that is shown to the browser.
func (b *browser) form() string {
	b.t.Helper()
	w := b.get("/incidents/" + b.id)
	found := hidden.FindStringSubmatch(w.Body.String())
	if w.Code != http.StatusOK || found == nil || found[1] == "" {
		b.t.Fatalf("there is no form: %d %s", w.Code, w.Body)
	}
	return html.UnescapeString(found[1])
}

var replied = regexp.MustCompile(`"reply":"([a-z-]+)`)

// said is the code of what was said last in place of a page; "": nothing was yet.
func (o *office) said() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	all := replied.FindAllStringSubmatch(o.log.String(), -1)
	if len(all) == 0 {
		return ""
	}
	return all[len(all)-1][1]
}

// offers says whether a page has a button for a decision.
func offers(page, decision string) bool {
	return regexp.MustCompile(`name="?decision"? value="?` + decision + `\b`).MatchString(page)
}
