package secret_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/replimend/replimend/internal/secret"
)

const token = "xoxb-1234567890-SECRETsecretSECRET"

// TestSecretsDoNotShow, however they are printed, whole or in the pieces that are quoted from a URL.
func TestSecretsDoNotShow(t *testing.T) {
	t.Parallel()
	s := secret.Of("https://hooks.example.com/services/" + token + "?sig=a%2Bb%2Bc" + token)
	for _, format := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		if text := fmt.Sprintf(format, s); strings.Contains(text, token) || strings.Contains(text, fmt.Sprintf("%x", token)) {
			t.Errorf("%s prints %s", format, text)
		}
	}
	plain := errors.New("status 404")
	if got := s.Hide(plain); !errors.Is(got, plain) {
		t.Errorf("%v", got)
	}
	for _, quoted := range []string{"/services/" + token, "sig=a%2Bb%2Bc" + token, "a+b+c" + token, token} {
		if got := s.Hide(fmt.Errorf("no such path %s", quoted)); strings.Contains(got.Error(), token) {
			t.Errorf("%v", got)
		}
	}
}
