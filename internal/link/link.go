package link

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base32"
	"encoding/binary"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/replimend/replimend/internal/incident"
	"github.com/replimend/replimend/internal/settings"
)

// Longest is for how long a link is good at most.
const Longest = time.Hour

// Scope is what a link permits whoever has its code, too. That it shows the incident goes without saying.
type Scope byte

// The scopes.
const (
	Decline Scope = 1 << iota
	Silence

	everyScope = Decline | Silence
)

// Nonce tells a link from every other one. It is random.
type Nonce [16]byte

// Link is what a link of a message says of itself. It permits nothing that cannot be made good again by whoever is known: approving and
// undoing are not among it.
type Link struct {
	// The ID of the incident. The link does not say it: the path of the page does, and the seal covers it.
	Incident string
	Scope    Scope
	// What people read.
	Language settings.Language
	// From when on it is good for nothing, to the second.
	Expires time.Time
	Nonce   Nonce

	plan [16]byte // the beginning of the hash of what the plan is called
}

// New is a link to an incident, made now, whose message shows that plan; "": none.
func New(id, plan string, language settings.Language, nonce Nonce, now time.Time) Link {
	return Link{
		Incident: id, Scope: everyScope, Language: language, Expires: now.Add(Longest).Truncate(time.Second), Nonce: nonce, plan: digest(plan),
	}
}

// Of says whether the message of the link showed that plan.
func (l Link) Of(plan string) bool { return plan != "" && l.plan == digest(plan) }

func digest(plan string) [16]byte {
	sum := sha256.Sum256([]byte(plan))
	return [16]byte(sum[:16])
}

// The form of a token: its version, the scope, the language by its place in the list, when it expires in seconds since 1970, the nonce and
// the plan, each of a fixed length; then the MAC over all of it and the incident.
const (
	version  = 1
	sizeBody = 3 + 8 + len(Nonce{}) + 16
	sizeAll  = sizeBody + sha256.Size
)

// body is the token without its MAC.
func (l Link) body() []byte {
	b := append(make([]byte, 0, sizeAll), version, byte(l.Scope), byte(slices.Index(settings.Languages(), l.Language)))
	b = binary.BigEndian.AppendUint64(b, uint64(l.Expires.Unix()))
	b = append(b, l.Nonce[:]...)
	return append(b, l.plan[:]...)
}

// sealed is what the MAC of a link covers.
func sealed(body []byte, id string) []byte { return append(slices.Clone(body), id...) }

// Token is a link as it stands in a URL: letters, digits, hyphens and underscores.
func (s Secret) Token(l Link) (string, error) {
	switch {
	case len(s.macs) == 0:
		return "", errors.New("make link: there is no secret")
	case !incident.IsID(l.Incident):
		return "", errors.New("make link: it leads to no incident")
	case l.Scope&^everyScope != 0 || !slices.Contains(settings.Languages(), l.Language):
		return "", errors.New("make link: it has a scope or a language that there is not")
	}
	b := l.body()
	return encoding.EncodeToString(append(b, s.macs[0](ofLink, sealed(b, l.Incident))...)), nil
}

// Read is the link that a token to an incident is: ErrForged where it was made for another one or by somebody else, ErrExpired where it is
// too old. With ErrExpired the link is given back, too, for the language that it is in.
func (s Secret) Read(token, id string, now time.Time) (Link, error) {
	if len(token) != encoding.EncodedLen(sizeAll) {
		return Link{}, ErrForged
	}
	all, err := encoding.DecodeString(token)
	if err != nil {
		return Link{}, ErrForged
	}
	b := all[:sizeBody]
	if !s.verify(ofLink, sealed(b, id), all[sizeBody:]) || b[0] != version || int(b[2]) >= len(settings.Languages()) {
		return Link{}, ErrForged
	}
	l := Link{
		Incident: id, Scope: Scope(b[1]), Language: settings.Languages()[b[2]],
		Expires: time.Unix(int64(binary.BigEndian.Uint64(b[3:])), 0).UTC(), Nonce: Nonce(b[11:27]), plan: [16]byte(b[27:43]),
	}
	if !now.Before(l.Expires) || l.Expires.Sub(now) > Longest {
		return l, ErrExpired
	}
	return l, nil
}

// crockford is the alphabet of codes: without letters that are read as digits, and without U.
// https://www.crockford.com/base32.html
var crockford = base32.NewEncoding("0123456789ABCDEFGHJKMNPQRSTVWXYZ").WithPadding(base32.NoPadding)

// sizeCode is how many bytes of a MAC a code is: eight characters.
const sizeCode = 5

// Code is what a message says beside its link, and the link does not: 40 bits in eight characters, as in 3F7K-Q0TV. Whoever has both was
// shown the message; a program that follows links was not.
func (s Secret) Code(l Link) string {
	if len(s.macs) == 0 {
		return ""
	}
	c := crockford.EncodeToString(s.macs[0](ofCode, sealed(l.body(), l.Incident))[:sizeCode])
	return c[:4] + "-" + c[4:]
}

// confused is what people type for what they read.
var confused = strings.NewReplacer("-", "", " ", "", "O", "0", "I", "1", "L", "1")

// narrow is a text in which characters that a Japanese keyboard makes wide are those of ASCII.
// https://www.unicode.org/charts/PDF/UFF00.pdf
func narrow(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\u3000':
			return ' '
		case '\uff01' <= r && r <= '\uff5e':
			return r - '\uff01' + '!'
		}
		return r
	}, s)
}

// maxTyped bounds what somebody types as a code, in bytes.
const maxTyped = 64

// HasCode says whether what somebody typed is the code of the link, in whichever case, with hyphens and spaces anywhere or nowhere.
func (s Secret) HasCode(l Link, typed string) bool {
	if len(typed) > maxTyped {
		return false
	}
	code, err := crockford.DecodeString(confused.Replace(strings.ToUpper(narrow(typed))))
	if err != nil || len(code) != sizeCode {
		return false
	}
	ok := false
	for _, mac := range s.macs {
		want := mac(ofCode, sealed(l.body(), l.Incident))[:sizeCode]
		ok = hmac.Equal(want, code) || ok
	}
	return ok
}
