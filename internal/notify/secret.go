package notify

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
)

// Secret is the text of a secret. However it is printed, it does not show.
type Secret struct{ text string }

const hidden = "***"

// String is ***.
func (Secret) String() string { return hidden }

// Format prints *** by every verb.
func (Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, hidden) }

// MarshalText is ***.
func (Secret) MarshalText() ([]byte, error) { return []byte(hidden), nil }

// LogValue is ***.
func (Secret) LogValue() slog.Value { return slog.StringValue(hidden) }

// leastPiece is the length from which on a piece of a URL is taken for secret: tokens are longer, and words of paths are not.
const leastPiece = 8

// hide is an error in whose text the secret does not show. What is said of a request is made without it; this is for what others say,
// who may quote what they were sent.
func (s Secret) hide(err error) error {
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

// SecretFor is for how long a secret that was read is used without asking again.
const SecretFor = 5 * time.Minute

// Secrets reads secrets of Secrets Manager, each at most once in SecretFor unless it is asked for anew.
type Secrets struct {
	Client interface {
		GetSecretValue(
			ctx context.Context, in *secretsmanager.GetSecretValueInput, o ...func(*secretsmanager.Options),
		) (*secretsmanager.GetSecretValueOutput, error)
	}
	Now func() time.Time

	mu   sync.Mutex
	read map[string]cached // by ARN
}

type cached struct {
	secret Secret
	until  time.Time
}

// SecretNeeds is the IAM actions that Secrets needs on the secrets.
func SecretNeeds() []string { return []string{"secretsmanager:GetSecretValue"} }

// Get is the secret of that ARN: its text, or where that is a JSON object of one member, as the console of Secrets Manager makes them,
// the text of the member. With fresh it is what it is now, though it may have been read before.
func (s *Secrets) Get(ctx context.Context, arn string, fresh bool) (Secret, error) {
	s.mu.Lock()
	have, ok := s.read[arn]
	s.mu.Unlock()
	if ok && !fresh && s.Now().Before(have.until) {
		return have.secret, nil
	}
	out, err := s.Client.GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{SecretId: aws.String(arn)})
	if err != nil {
		return Secret{}, fmt.Errorf("get secret %s: %w", arn, err)
	}
	text, err := plain(aws.ToString(out.SecretString))
	if err != nil {
		return Secret{}, fmt.Errorf("get secret %s: %w", arn, err)
	}
	secret := Secret{text}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.read == nil {
		s.read = map[string]cached{}
	}
	s.read[arn] = cached{secret, s.Now().Add(SecretFor)}
	return secret, nil
}

// plain is the text of a secret. Its errors say nothing of it.
func plain(s string) (string, error) {
	s = strings.TrimSpace(s)
	if strings.HasPrefix(s, "{") {
		var members map[string]string
		if err := json.Unmarshal([]byte(s), &members); err != nil || len(members) != 1 {
			return "", errors.New("it is no text, and no JSON object of one member that is a text")
		}
		for _, only := range members {
			s = strings.TrimSpace(only)
		}
	}
	if s == "" {
		return "", errors.New("it has no text")
	}
	return s, nil
}
