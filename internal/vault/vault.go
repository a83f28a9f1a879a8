// Package vault reads secrets of Secrets Manager. What they are for, it does not know.
package vault

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"github.com/replimend/replimend/internal/secret"
)

// Fresh is for how long a secret that was read is used without asking again.
const Fresh = 5 * time.Minute

// Secrets reads secrets of Secrets Manager, each at most once in Fresh unless it is asked for anew.
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
	secret secret.Secret
	until  time.Time
}

// Needs is the IAM actions that Secrets needs on the secrets.
func Needs() []string { return []string{"secretsmanager:GetSecretValue"} }

// Get is the secret of that ARN, as secret.Parse reads it. With fresh it is what it is now, though it may have been read before.
func (s *Secrets) Get(ctx context.Context, arn string, fresh bool) (secret.Secret, error) {
	s.mu.Lock()
	have, ok := s.read[arn]
	s.mu.Unlock()
	if ok && !fresh && s.Now().Before(have.until) {
		return have.secret, nil
	}
	out, err := s.Client.GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{SecretId: aws.String(arn)})
	if err != nil {
		return secret.Secret{}, fmt.Errorf("get secret %s: %w", arn, err)
	}
	read, err := secret.Parse(aws.ToString(out.SecretString))
	if err != nil {
		return secret.Secret{}, fmt.Errorf("get secret %s: %w", arn, err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.read == nil {
		s.read = map[string]cached{}
	}
	s.read[arn] = cached{read, s.Now().Add(Fresh)}
	return read, nil
}
