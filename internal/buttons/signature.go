package buttons

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// The headers of a request of Slack, and how old it may be, or how far its clock may be ahead of ours.
// https://docs.slack.dev/authentication/verifying-requests-from-slack
const (
	signatureHeader = "X-Slack-Signature"
	timestampHeader = "X-Slack-Request-Timestamp"
	window          = 5 * time.Minute
)

// leastSecret is what no signing secret of Slack is shorter than, in characters: a shorter one was cut, or anybody may guess it.
const leastSecret = 16

var (
	errNoSecret = errors.New("the secret is not the signing secret of an app, or two of them, a line each")
	errUnsigned = errors.New("it has no signature, or no time")
	errOld      = errors.New("it is of another time than now")
	errForged   = errors.New("the signature is not Slack's")
)

// secretsOf are the signing secrets in the text of a secret: one, or while it is rotated both.
func secretsOf(text string) ([]string, error) {
	var out []string
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line == "" {
			continue
		}
		if len(line) < leastSecret || len(out) == 2 {
			return nil, errNoSecret
		}
		out = append(out, line)
	}
	if len(out) == 0 {
		return nil, errNoSecret
	}
	return out, nil
}

// signed is the signature of a request that Slack made a moment ago with one of those secrets, and when. The body is as it came: what reads
// and prints it again makes another one of it. A signature is written in one way, so that it is known again.
//
// The library that writes the messages has this, too, on the clock of the process alone.
func signed(h http.Header, body []byte, secrets []string, now time.Time) (signature string, at time.Time, err error) {
	signature, timestamp := h.Get(signatureHeader), h.Get(timestampHeader)
	seconds, err := strconv.ParseInt(timestamp, 10, 64)
	if signature == "" || err != nil {
		return "", at, errUnsigned
	}
	if at = time.Unix(seconds, 0); now.Sub(at).Abs() > window {
		return "", at, errOld
	}
	for _, s := range secrets {
		mac := hmac.New(sha256.New, []byte(s))
		mac.Write([]byte("v0:" + timestamp + ":"))
		mac.Write(body)
		if hmac.Equal([]byte(signature), []byte("v0="+hex.EncodeToString(mac.Sum(nil)))) {
			return signature, at, nil
		}
	}
	return "", at, errForged
}
