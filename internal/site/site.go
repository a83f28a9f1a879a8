// Package site is the page of incidents as browsers reach it: who sees what, and who decides. What pages look like is for package page, what
// a link is for package link, and what becomes of a decision for package desk.
//
// Whoever has the link of a message sees its incident with accounts and names masked. With the code of the message, too, they can decline
// and silence. Whoever signed in, and is one of the approvers, sees everything and decides everything. Reading changes nothing, be it by
// people or by programs that follow links: nothing is kept of it anywhere.
package site

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/replimend/replimend/internal/catalogue"
	"github.com/replimend/replimend/internal/desk"
	"github.com/replimend/replimend/internal/incident"
	"github.com/replimend/replimend/internal/link"
	"github.com/replimend/replimend/internal/page"
	"github.com/replimend/replimend/internal/settings"
)

// Site is the page.
type Site struct {
	Desk      *desk.Desk // with Silences
	Incidents interface {
		List(ctx context.Context, f incident.Filter) ([]incident.Summary, error)
	}
	Answers interface {
		// Given is what somebody answered last to a plan of an incident; false: nothing is kept.
		Given(ctx context.Context, id, plan, who string) (incident.Approval, bool, error)
	}
	Words interface {
		// Spend takes a word that is good for one time until then: incident.ErrUsed for whoever comes later.
		Spend(ctx context.Context, word string, until time.Time) error
	}
	// Secret is the secret of the page as it is now, which whoever tells people has as well: it is for links and codes alone.
	Secret func(ctx context.Context) (link.Secret, error)
	// Sessions is what sessions are sealed with, and nobody else has it; asked where people can sign in.
	Sessions func(ctx context.Context) (link.Secret, error)
	// Provider is where people sign in; nil: nobody can.
	Provider *Provider
	Log      *slog.Logger
	Now      func() time.Time
}

// At is the page at that origin, such as https://example.com, which browsers are sent back to after they signed in. It has to come from
// whoever runs the server: what a request says of its host is said by anybody.
func (s *Site) At(origin string) http.Handler {
	mux := http.NewServeMux()
	for _, route := range []struct {
		path, methods string
		serve         func(*visit) error
	}{
		{"/{$}", "GET, HEAD", (*visit).list},
		{"/incidents", "GET, HEAD", (*visit).list},
		{"/incidents/{id}", "GET, HEAD", (*visit).incident},
		{"/incidents/{id}/decide", "POST", (*visit).decide},
		{"/sign-in", "GET, HEAD", (*visit).signIn},
		{"/callback", "GET, HEAD", (*visit).callback},
		{"/sign-out", "POST", (*visit).signOut},
		{"/", "", nil},
	} {
		mux.HandleFunc(route.path, func(w http.ResponseWriter, r *http.Request) {
			s.serve(w, r, origin, route.path, route.methods, route.serve)
		})
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		secure(w.Header())
		mux.ServeHTTP(w, r)
	})
}

// secure sets what every answer has: nothing but the page's own style is loaded, nobody frames it, keeps it, or is told its URL, which may
// have a link in it.
// https://cheatsheetseries.owasp.org/cheatsheets/HTTP_Headers_Cheat_Sheet.html
func secure(h http.Header) {
	_, hash := page.Style()
	h.Set("Content-Security-Policy",
		"default-src 'none'; style-src '"+hash+"'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Cache-Control", "no-store")
	h.Set("Strict-Transport-Security", "max-age=63072000")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("X-Robots-Tag", "noindex, nofollow")
}

// visit is one request with what is known of who makes it.
type visit struct {
	*Site
	w        http.ResponseWriter
	r        *http.Request
	origin   string
	id       string      // of the incident that the path names, "" for none
	secret   link.Secret // of links
	sessions link.Secret
	language settings.Language
	who      *session // nil: nobody who signed in
	token    string   // of the link that they have to the incident of the path; "": none that is good
	status   int      // of what was sent
	log      *slog.Logger
}

// reply is why somebody is not shown what they asked for, or what became of what they sent. As an error it ends a visit.
type reply struct {
	status int
	code   string // of catalogue.Reply
	values []any
	cause  error // for the log alone
}

func (r *reply) Error() string {
	if r.cause != nil {
		return r.code + ": " + r.cause.Error()
	}
	return r.code
}

// no is a *reply.
func no(status int, code string, values ...any) error {
	return &reply{status: status, code: code, values: values}
}

// serve makes a visit, and says what came of it.
func (s *Site) serve(w http.ResponseWriter, r *http.Request, origin, path, methods string, do func(*visit) error) {
	v := &visit{Site: s, w: w, r: r, origin: origin, id: r.PathValue("id"), language: reads(r.Header.Get("Accept-Language"))}
	v.log = s.Log.With("method", r.Method, "path", path)
	if incident.IsID(v.id) {
		v.log = v.log.With("incident", v.id)
	}
	err := v.enter(methods)
	if err == nil {
		err = do(v)
	}
	v.close(err)
}

// enter finds out who comes.
func (v *visit) enter(methods string) (err error) {
	ctx := v.r.Context()
	switch {
	case methods == "" || v.r.PathValue("id") != "" && !incident.IsID(v.id):
		return no(http.StatusNotFound, "no-such-path")
	case !strings.Contains(", "+methods+",", ", "+v.r.Method+","):
		v.w.Header().Set("Allow", methods)
		return no(http.StatusMethodNotAllowed, "method", methods)
	}
	if v.secret, err = v.Secret(ctx); err != nil {
		return err
	}
	if v.Provider != nil {
		if v.sessions, err = v.Sessions(ctx); err != nil {
			return err
		}
	}
	if v.who = v.session(); v.who != nil {
		v.log = v.log.With("who", v.who.ARN)
	}
	return nil
}

// close says why a visit ended in something else than a page, and writes a line of the log. What an error says is for that alone.
func (v *visit) close(err error) {
	if err != nil {
		v.log = v.log.With("reply", err.Error())
		if e := v.tell(told(err)); e != nil {
			v.log = v.log.With("error", e.Error())
			v.head(http.StatusInternalServerError)
		}
	}
	level := slog.LevelInfo
	if v.status >= http.StatusInternalServerError {
		level = slog.LevelError
	}
	v.log.LogAttrs(v.r.Context(), level, "visit", slog.Int("status", v.status))
}

// told is what is said of an error.
func told(err error) *reply {
	var said *reply
	var refused *desk.Refused
	switch {
	case errors.As(err, &said):
		return said
	case errors.As(err, &refused):
		return &reply{status: refused.Status, code: refused.Code}
	}
	return &reply{status: http.StatusInternalServerError, code: "internal"}
}

// visitor is who is shown something, before it is known what they may decide.
func (v *visit) visitor() page.Visitor {
	out := page.Visitor{Language: v.language, Now: v.Now()}
	if v.who != nil {
		out.Who = v.who.ARN
	} else {
		out.SignIn, out.Token = v.toSignIn(), v.token
	}
	return out
}

// toSignIn is where somebody signs in who then comes back to where they are; "": nobody can.
func (v *visit) toSignIn() string {
	switch {
	case v.Provider == nil:
		return ""
	case incident.IsID(v.id):
		return "/sign-in?" + url.Values{"to": {v.id}}.Encode()
	}
	return "/sign-in"
}

// list shows the incidents to whoever signed in.
func (v *visit) list() error {
	if v.who == nil {
		return v.anonymous()
	}
	all, err := v.Incidents.List(v.r.Context(), incident.Filter{})
	if err != nil {
		return err
	}
	see := v.visitor()
	if see.CSRF, err = v.form(); err != nil {
		return err
	}
	var b bytes.Buffer
	if err = page.List(&b, page.Overview{
		Incidents: all, Cut: len(all) >= incident.MaxList, Routes: v.Desk.Settings.Routes,
	}, see); err != nil {
		return err
	}
	return v.show(http.StatusOK, &b)
}

// anonymous is what is said to whoever did not sign in and has no link.
func (v *visit) anonymous() error {
	if v.Provider == nil {
		return no(http.StatusForbidden, "no-sign-in")
	}
	return no(http.StatusForbidden, "sign-in")
}

// incident shows an incident: the whole of it to whoever signed in, and masked to whoever has a link.
func (v *visit) incident() error {
	var linked link.Link
	token := v.r.URL.Query().Get("t")
	if token != "" {
		var err error
		if linked, err = v.linked(token); err != nil && v.who == nil {
			return err
		}
	} else if v.who == nil {
		return v.anonymous()
	}
	i, err := v.Desk.Incident(v.r.Context(), v.id)
	if err != nil {
		return err
	}
	see := v.visitor()
	if v.who != nil {
		see.Decides = decidable(i)
		if see.CSRF, err = v.form(); err != nil {
			return err
		}
	} else {
		see.Masked, see.NeedsCode = true, true
		see.Decides = byCode(i, linked)
	}
	var b bytes.Buffer
	if err := page.Incident(&b, i, see); err != nil {
		return err
	}
	return v.show(http.StatusOK, &b)
}

// linked is the link to the incident of the path that a token is; its language is the visit's from then on.
func (v *visit) linked(token string) (link.Link, error) {
	l, err := v.secret.Read(token, v.id, v.Now())
	if l.Language != "" {
		v.language = l.Language
	}
	switch {
	case errors.Is(err, link.ErrExpired):
		return l, no(http.StatusForbidden, "expired")
	case err != nil:
		return l, no(http.StatusForbidden, "forged")
	}
	v.token = token
	return l, nil
}

// tell shows a reply.
func (v *visit) tell(said *reply) error {
	title, words, ok := catalogue.Reply(v.language, said.code, said.values...)
	if !ok {
		title, words, _ = catalogue.Reply(v.language, "internal")
	}
	var b bytes.Buffer
	note := page.Note{Title: title, Text: words, Bad: said.status >= http.StatusBadRequest}
	if incident.IsID(v.id) {
		note.Incident = v.id
	}
	if err := page.Notice(&b, note, v.visitor()); err != nil {
		return err
	}
	return v.show(said.status, &b)
}

// show sends a page.
func (v *visit) show(status int, b *bytes.Buffer) error {
	v.w.Header().Set("Content-Type", "text/html; charset=utf-8")
	v.head(status)
	if v.r.Method == http.MethodHead {
		return nil
	}
	_, err := v.w.Write(b.Bytes())
	return err
}

// head sends the status and the headers.
func (v *visit) head(status int) {
	if v.status == 0 {
		v.status = status
		v.w.WriteHeader(status)
	}
}

// reads is the first language of somebody's browser that there is, or English.
// https://www.rfc-editor.org/rfc/rfc9110#section-12.5.4
func reads(accepted string) settings.Language {
	for one := range strings.SplitSeq(accepted, ",") {
		tag, _, _ := strings.Cut(strings.TrimSpace(one), ";")
		tag, _, _ = strings.Cut(strings.ToLower(tag), "-")
		for _, l := range settings.Languages() {
			if tag == string(l) {
				return l
			}
		}
	}
	return settings.English
}
