package slackapp

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// window is how old a request may be, or how far ahead its clock.
// https://docs.slack.dev/authentication/verifying-requests-from-slack
const window = 5 * time.Minute

// leastSecret is how many characters a signing secret has at least: Slack's have 32. A shorter one is none.
const leastSecret = 16

// signed says whether Slack signed those very bytes, a moment ago, with one of the secrets, which stand on a line each. The word is the same
// for the same request, and for no other one. What is compared is compared in a time that does not tell how much of it is right.
//
// Package slack has a verifier of its own, which knows no clock but the machine's and no second secret.
func signed(secrets string, h http.Header, body []byte, now time.Time) (word string, ok bool) {
	stamps, signatures := h["X-Slack-Request-Timestamp"], h["X-Slack-Signature"]
	if len(stamps) != 1 || len(signatures) != 1 || len(stamps[0]) > 20 {
		return "", false
	}
	seconds, err := strconv.ParseInt(stamps[0], 10, 64)
	if err != nil {
		return "", false
	}
	if age := now.Sub(time.Unix(seconds, 0)); age > window || age < -window {
		return "", false
	}
	text, has := strings.CutPrefix(signatures[0], "v0=")
	got, err := hex.DecodeString(text)
	if !has || err != nil || len(got) != sha256.Size {
		return "", false
	}
	for secret := range strings.Lines(secrets) {
		if secret = strings.TrimSpace(secret); len(secret) < leastSecret {
			continue
		}
		mac := hmac.New(sha256.New, []byte(secret))
		mac.Write([]byte("v0:" + stamps[0] + ":"))
		mac.Write(body)
		ok = hmac.Equal(mac.Sum(nil), got) || ok
	}
	return "slack#" + hex.EncodeToString(got), ok
}
