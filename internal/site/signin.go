package site

import (
	"crypto/rand"
	"crypto/subtle"
	"net/http"
	"time"

	"golang.org/x/oauth2"

	"github.com/replimend/replimend/internal/incident"
	"github.com/replimend/replimend/internal/link"
)

// began is a sign-in that began. The browser keeps it, sealed, so that nobody else's browser ends it.
type began struct {
	State    string `json:"state"`
	Nonce    string `json:"nonce"`
	Verifier string `json:"verifier"`     // of PKCE
	To       string `json:"to,omitempty"` // the ID of the incident to go back to; "": the list
	Expires  int64  `json:"exp"`          // in seconds since 1970
}

// signIn sends somebody to the provider. All that there is to remember is kept by their browser.
func (v *visit) signIn() error {
	if v.Provider == nil {
		return no(http.StatusNotFound, "no-sign-in")
	}
	b := began{
		State: rand.Text(), Nonce: rand.Text(), Verifier: oauth2.GenerateVerifier(), Expires: v.Now().Add(signInFor).Unix(),
	}
	if to := v.r.URL.Query().Get("to"); incident.IsID(to) {
		b.To = to
	}
	at, err := v.Provider.at(v.r.Context(), v.origin, b)
	if err != nil {
		return &reply{status: http.StatusBadGateway, code: "sign-in-failed", cause: err}
	}
	text, err := v.seal(link.ForSignIn, b)
	if err != nil {
		return err
	}
	v.keep(signInCookie, text, signInFor)
	return v.goTo(at)
}

// callback takes somebody back who signed in, if it is this browser where it began, and nobody but approvers.
func (v *visit) callback() error {
	if v.Provider == nil {
		return no(http.StatusNotFound, "no-sign-in")
	}
	v.keep(signInCookie, "", 0)
	failed := func(why error) error {
		return &reply{status: http.StatusForbidden, code: "sign-in-failed", cause: why}
	}
	var b began
	cookie, err := v.r.Cookie(signInCookie)
	if err == nil {
		err = v.open(link.ForSignIn, cookie.Value, &b)
	}
	if err != nil {
		return failed(err)
	}
	q := v.r.URL.Query()
	expires := time.Unix(b.Expires, 0)
	switch {
	case !v.Now().Before(expires) || expires.Sub(v.Now()) > signInFor:
		return failed(link.ErrExpired)
	case b.State == "" || subtle.ConstantTimeCompare([]byte(q.Get("state")), []byte(b.State)) != 1:
		return failed(link.ErrForged)
	// https://www.rfc-editor.org/rfc/rfc9207#section-2.4
	case q.Has("iss") && q.Get("iss") != v.Provider.Issuer:
		return failed(errOtherIssuer)
	case q.Has("error"):
		return no(http.StatusForbidden, "sign-in-denied", incident.Line(q.Get("error")))
	}
	subject, err := v.Provider.subject(v.r.Context(), v.origin, q.Get("code"), b)
	if err != nil {
		return failed(err)
	}
	arn, known := v.Desk.Settings.Approvals.BySubject(subject)
	if !known || !v.Desk.Settings.Approvals.Admits(arn) {
		return no(http.StatusForbidden, "stranger", incident.Line(subject))
	}
	if err := v.begin(arn, subject); err != nil {
		return err
	}
	v.log = v.log.With("signed_in", arn)
	if incident.IsID(b.To) {
		return v.goTo("/incidents/" + b.To)
	}
	return v.goTo("/incidents")
}

// goTo sends the browser somewhere.
func (v *visit) goTo(where string) error {
	v.w.Header().Set("Location", where)
	v.head(http.StatusSeeOther)
	return nil
}
