package seal

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"

	"github.com/replimend/replimend/internal/incident"
	"github.com/replimend/replimend/internal/mototest"
)

func TestMain(m *testing.M) { mototest.Main(m) }

func secret(t *testing.T, letter string) Secret {
	t.Helper()
	s, err := NewSecret([]byte(strings.Repeat(letter, 32)))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// sealer is what package journal wants of them.
type sealer interface {
	Seal(ctx context.Context, message []byte) ([]byte, error)
	Verify(ctx context.Context, message, mac []byte) error
}

// sealers is both kinds, each with one that is not it.
func sealers(t *testing.T) map[string][2]sealer {
	t.Helper()
	server := mototest.Start(t)
	c := kms.NewFromConfig(server.Config(t, server.Account(), "eu-west-1"))
	key := func() KMS {
		out, err := c.CreateKey(t.Context(), &kms.CreateKeyInput{KeySpec: types.KeySpecHmac256, KeyUsage: types.KeyUsageTypeGenerateVerifyMac})
		if err != nil {
			t.Fatal(err)
		}
		return KMS{Client: c, Key: aws.ToString(out.KeyMetadata.Arn)}
	}
	return map[string][2]sealer{"a secret": {secret(t, "a"), secret(t, "b")}, "KMS": {key(), key()}}
}

func TestSealsAreOfTheMessageAndTheKey(t *testing.T) {
	t.Parallel()
	for name, s := range sealers(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			message := bytes.Repeat([]byte("a long message "), 1000)
			mac, err := s[0].Seal(t.Context(), message)
			if err != nil {
				t.Fatal(err)
			}
			if err := s[0].Verify(t.Context(), message, mac); err != nil {
				t.Errorf("its own seal: %v", err)
			}
			other := bytes.Clone(mac)
			other[0] ^= 1
			for name, err := range map[string]error{
				"another message": s[0].Verify(t.Context(), message[1:], mac),
				"another seal":    s[0].Verify(t.Context(), message, other),
				"a part of it":    s[0].Verify(t.Context(), message, mac[:16]),
				"no seal":         s[0].Verify(t.Context(), message, nil),
				"another key":     s[1].Verify(t.Context(), message, mac),
			} {
				if !errors.Is(err, incident.ErrForged) {
					t.Errorf("%s: %v", name, err)
				}
			}
		})
	}
}

// TestSecretsDoNotShow: however a secret or what holds it is printed, its key is not in it.
func TestSecretsDoNotShow(t *testing.T) {
	t.Parallel()
	const key = "0123456789abcdef0123456789abcdef"
	s, err := NewSecret([]byte(key))
	if err != nil {
		t.Fatal(err)
	}
	hidden := struct{ inside any }{&struct{ Sealer any }{s}}
	var printed []string
	for _, value := range []any{s, &s, hidden, []Secret{s}, map[string]any{"s": s}} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
			printed = append(printed, fmt.Sprintf(verb, value))
		}
	}
	text, err := json.Marshal(map[string]any{"s": s})
	if err != nil || string(text) != `{"s":"***"}` {
		t.Errorf("as JSON it is %s, %v", text, err)
	}
	if fmt.Sprint(s) != "***" || fmt.Sprintf("%#v", s) != "***" {
		t.Errorf("it prints as %v and %#v", s, s)
	}
	for _, p := range append(printed, string(text)) {
		for _, leak := range []string{key, fmt.Sprintf("%x", key), fmt.Sprint([]byte(key)[:8])[1:20], "0x30, 0x31"} {
			if strings.Contains(p, leak) {
				t.Errorf("%q shows in %q", leak, p)
			}
		}
	}
	if _, err := NewSecret([]byte(key[1:])); err == nil || strings.Contains(err.Error(), key[1:]) {
		t.Errorf("31 bytes: %v", err)
	}
	var none Secret
	if _, err := none.Seal(t.Context(), nil); err == nil {
		t.Error("sealed without a secret")
	}
	if err := none.Verify(t.Context(), nil, nil); err == nil {
		t.Error("verified without a secret")
	}
}
