package site

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"net/http"
	"time"

	"github.com/replimend/replimend/internal/link"
)

// The cookies. A browser takes one of such a name only of this very host, over HTTPS, and for all of it.
// https://developer.mozilla.org/en-US/docs/Web/HTTP/Reference/Headers/Set-Cookie#cookie_prefixes
const (
	sessionCookie = "__Host-replimend-session"
	signInCookie  = "__Host-replimend-sign-in"
)

// The times for which somebody who signed in is known, and within which they have to.
const (
	sessionFor = time.Hour
	signInFor  = 10 * time.Minute
)

// session is who somebody is who signed in. It is kept by their browser alone, sealed.
type session struct {
	ID      string `json:"id"`
	ARN     string `json:"arn"`
	Subject string `json:"sub"`
	Issuer  string `json:"iss"`
	Expires int64  `json:"exp"` // in seconds since 1970
}

// form is a page that somebody was shown, by which the forms on it are told from those of every other page.
type form struct {
	Session string `json:"s"`
	Nonce   string `json:"n"`
}

// session is that of who comes, if they are still who they were and one of the approvers; nil: nobody.
func (v *visit) session() *session {
	cookie, err := v.r.Cookie(sessionCookie)
	if err != nil || v.Provider == nil {
		return nil
	}
	var s session
	if err := v.open(link.ForSession, cookie.Value, &s); err != nil {
		return nil
	}
	expires, approvals := time.Unix(s.Expires, 0), v.Desk.Settings.Approvals
	arn, known := approvals.BySubject(s.Subject)
	if !known || arn != s.ARN || !approvals.Admits(s.ARN) || s.Issuer != v.Provider.Issuer ||
		!v.Now().Before(expires) || expires.Sub(v.Now()) > sessionFor {
		return nil
	}
	return &s
}

// begin has the browser keep who somebody is.
func (v *visit) begin(arn, subject string) error {
	text, err := v.seal(link.ForSession, session{
		ID: rand.Text(), ARN: arn, Subject: subject, Issuer: v.Provider.Issuer, Expires: v.Now().Add(sessionFor).Unix(),
	})
	if err == nil {
		v.keep(sessionCookie, text, sessionFor)
	}
	return err
}

// keep sets a cookie; without a text the browser forgets it. Lax, because people come from messages and from the provider: with Strict
// the browser would not say then who they are. With Lax it does not when another site posts a form.
// https://developer.mozilla.org/en-US/docs/Web/HTTP/Reference/Headers/Set-Cookie#samesitesamesite-value
func (v *visit) keep(name, text string, lasts time.Duration) {
	c := &http.Cookie{Name: name, Value: text, Path: "/", Secure: true, HttpOnly: true, SameSite: http.SameSiteLaxMode}
	if c.MaxAge = int(lasts.Seconds()); text == "" {
		c.MaxAge = -1
	}
	http.SetCookie(v.w, c)
}

// form is what the forms of a page say by which they are known to be of this session, and sent once.
func (v *visit) form() (string, error) {
	return v.seal(link.ForForm, form{Session: v.who.ID, Nonce: rand.Text()})
}

// formOf is the form of the session that a text is.
func (v *visit) formOf(text string) (form, error) {
	var f form
	if err := v.open(link.ForForm, text, &f); err != nil || f.Session != v.who.ID || f.Nonce == "" {
		return form{}, no(http.StatusForbidden, "form")
	}
	return f, nil
}

// signOut has the browser forget who somebody is.
func (v *visit) signOut() error {
	fields, err := v.fields("csrf")
	if err != nil {
		return err
	}
	if v.who == nil {
		return no(http.StatusOK, "signed-out")
	}
	if _, err := v.formOf(fields["csrf"]); err != nil {
		return err
	}
	v.keep(sessionCookie, "", 0)
	v.who = nil
	return no(http.StatusOK, "signed-out")
}

func (v *visit) seal(p link.Purpose, value any) (string, error) {
	data, err := json.Marshal(value)
	if err != nil {
		return "", err
	}
	return v.sessions.Seal(p, data)
}

var (
	errNotSealed   = errors.New("it is not what was sealed")
	errOtherIssuer = errors.New("it is of another issuer")
)

func (v *visit) open(p link.Purpose, text string, into any) error {
	data, err := v.sessions.Open(p, text)
	if err != nil {
		return err
	}
	if json.Unmarshal(data, into) != nil {
		return errNotSealed
	}
	return nil
}
