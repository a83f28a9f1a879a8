// Package secret is the text of a secret that shows nowhere, however it is printed. Package vault reads secrets; who uses one takes its Text
// where it is needed and nowhere before.
package secret

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strings"
)

// Secret is the text of a secret. However it is printed, it does not show.
type Secret struct{ text string }

// Of is a secret with that text.
func Of(text string) Secret { return Secret{text} }

// Text is what the secret is. Whoever has it sees to it that it does not show.
func (s Secret) Text() string { return s.text }

const hidden = "***"

// String is ***.
func (Secret) String() string { return hidden }

// Format prints *** by every verb.
func (Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, hidden) }

// MarshalText is ***.
func (Secret) MarshalText() ([]byte, error) { return []byte(hidden), nil }

// leastPiece is the length from which on a piece of a URL is taken for secret: tokens are longer, and words of paths are not.
const leastPiece = 8

// Hide is an error in whose text the secret does not show. What is said of a request is made without it; this is for what others say,
// who may quote what they were sent.
func (s Secret) Hide(err error) error {
	if err == nil || s.text == "" {
		return err
	}
	pieces := []string{s.text, hidden}
	if u, e := url.Parse(s.text); e == nil && u.Host != "" {
		for _, p := range strings.FieldsFunc(u.EscapedPath()+"/"+u.RawQuery, func(r rune) bool { return strings.ContainsRune("/?&=", r) }) {
			if len(p) >= leastPiece {
				pieces = append(pieces, p, hidden)
			}
			if q, e := url.QueryUnescape(p); e == nil && len(q) >= leastPiece {
				pieces = append(pieces, q, hidden)
			}
		}
	}
	text := err.Error()
	if shown := strings.NewReplacer(pieces...).Replace(text); shown != text {
		return errors.New(shown)
	}
	return err
}

// Parse reads what Secrets Manager keeps: a text, or a JSON object of one member, as its console makes them, whose text it is. The error
// says nothing of it.
func Parse(kept string) (Secret, error) {
	s := strings.TrimSpace(kept)
	if strings.HasPrefix(s, "{") {
		var members map[string]string
		if err := json.Unmarshal([]byte(s), &members); err != nil || len(members) != 1 {
			return Secret{}, errors.New("it is no text, and no JSON object of one member that is a text")
		}
		for _, only := range members {
			s = strings.TrimSpace(only)
		}
	}
	if s == "" {
		return Secret{}, errors.New("it has no text")
	}
	return Secret{s}, nil
}
