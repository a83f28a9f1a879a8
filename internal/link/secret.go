// Package link makes and reads what the page of incidents gives to browsers and gets back from them: links of messages with their codes,
// and texts that are sealed, such as sessions. Nothing of it is kept anywhere: whoever has the secret can tell what the page made.
//
// Messages get links by it, and the page reads them. Time and randomness come in as values. Who may do what with what was read is for the
// page, and that a link is used once.
package link

import (
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// The bounds of a secret: how many characters each of its lines has at least, and how many lines it has at most.
const (
	minSecret = 32
	maxLines  = 2
)

// Purpose is what a seal is for. Each has a key of its own, so that what was sealed for one is nothing to another.
type Purpose string

// The purposes.
const (
	ForSession Purpose = "session" // of somebody who signed in
	ForForm    Purpose = "form"    // of a page that somebody was shown who signed in
	ForSignIn  Purpose = "sign-in" // one that began
	ofLink     Purpose = "link"
	ofCode     Purpose = "code"
)

// Why what somebody sends is not taken.
var (
	ErrForged  = errors.New("it was not made with the secret")
	ErrExpired = errors.New("it has expired")
)

// Secret is the secret of the page: the newest first, which seals, and while it is rotated the one before it, which is still read.
//
// It prints as ***, however it is printed: the keys are held by functions, so that nothing that looks into values finds them.
type Secret struct {
	macs []func(p Purpose, message []byte) []byte
}

const hidden = "***"

// String is ***.
func (Secret) String() string { return hidden }

// Format prints *** by every verb.
func (Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, hidden) }

// MarshalText is ***, which is also its JSON.
func (Secret) MarshalText() ([]byte, error) { return []byte(hidden), nil }

// ParseSecret reads the text of the secret: a line of at least 32 characters, or two. The error says nothing of what they are.
func ParseSecret(text string) (Secret, error) {
	var s Secret
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		switch {
		case line == "":
			continue
		case utf8.RuneCountInString(line) < minSecret:
			return Secret{}, fmt.Errorf("read secret of the page: a line has fewer than %d characters", minSecret)
		case len(s.macs) == maxLines:
			return Secret{}, fmt.Errorf("read secret of the page: it has more than %d lines", maxLines)
		}
		mac, err := derived(line)
		if err != nil {
			return Secret{}, fmt.Errorf("read secret of the page: %w", err)
		}
		s.macs = append(s.macs, mac)
	}
	if len(s.macs) == 0 {
		return Secret{}, errors.New("read secret of the page: it has no line")
	}
	return s, nil
}

// derived is HMAC-SHA256 with a key for each purpose.
// https://www.rfc-editor.org/rfc/rfc5869#section-3.2
func derived(line string) (func(Purpose, []byte) []byte, error) {
	keys := map[Purpose][]byte{}
	for _, p := range []Purpose{ForSession, ForForm, ForSignIn, ofLink, ofCode} {
		key, err := hkdf.Key(sha256.New, []byte(line), nil, "replimend/page/v1/"+string(p), sha256.Size)
		if err != nil {
			return nil, err
		}
		keys[p] = key
	}
	return func(p Purpose, message []byte) []byte {
		h := hmac.New(sha256.New, keys[p])
		h.Write(message)
		return h.Sum(nil)
	}, nil
}

// verify compares in a time that does not tell how much of the seal is right.
func (s Secret) verify(p Purpose, message, mac []byte) bool {
	ok := false
	for _, of := range s.macs {
		ok = hmac.Equal(of(p, message), mac) || ok
	}
	return ok
}

var encoding = base64.RawURLEncoding.Strict()

// Seal is data in a text that goes into a cookie or a form, and that Open gives back. Whoever has the text can read the data.
func (s Secret) Seal(p Purpose, data []byte) (string, error) {
	if len(s.macs) == 0 {
		return "", errors.New("there is no secret")
	}
	return encoding.EncodeToString(append(s.macs[0](p, data), data...)), nil
}

// maxSealed bounds what is opened, in characters.
const maxSealed = 2 << 10

// Open is what was sealed for that purpose, or ErrForged. Whether it is too old is for who asks.
func (s Secret) Open(p Purpose, text string) ([]byte, error) {
	if len(text) > maxSealed || strings.ContainsAny(text, "\r\n") { // which base64 skips
		return nil, ErrForged
	}
	sealed, err := encoding.DecodeString(text)
	if err != nil || len(sealed) < sha256.Size || !s.verify(p, sealed[sha256.Size:], sealed[:sha256.Size]) {
		return nil, ErrForged
	}
	return sealed[sha256.Size:], nil
}
